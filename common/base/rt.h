/*
 * Marks the real-time sections of a thread, in which nothing may allocate, lock or block.
 *
 *     vox_rt_enter();
 *     vox_receiver_pull(receiver, pcm, frames, playout_ns);
 *     vox_rt_leave();
 *
 * The marks cost one thread-local increment. Tests link an allocator that aborts when it is called
 * inside such a section (tests/support/rt_guard.c), which proves the RT-safe claims of the headers.
 *
 * Thread rule: each thread has its own depth.
 */
#ifndef VOX_BASE_RT_H
#define VOX_BASE_RT_H

void vox_rt_enter(void);
void vox_rt_leave(void);
/* How deep this thread is in real-time sections; 0 outside. */
int vox_rt_depth(void);

#endif
