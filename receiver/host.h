/*
 * voxgram-recv around its engine: sockets and clocks.
 *
 * One libuv loop on the main thread reads the sockets. With a file, stdout or nothing as output the
 * engine lives on this thread too, and time is taken from the packets: datagrams and the blocks
 * that are due between them are worked off in the order of their times, so a recording does not
 * depend on when the loop was scheduled. With a speaker the engine lives in the device's callback
 * (speaker.h).
 *
 * Thread rule: the main thread.
 */
#ifndef VOX_RECEIVER_HOST_H
#define VOX_RECEIVER_HOST_H

#include "receiver/cli.h"

/* To the end of the sources, of --duration or to Ctrl-C. Returns the exit status; what went wrong
 * has been said. */
int vox_recv_host_run(const struct vox_recv_options *options);

#endif
