/*
 * Nothing is left behind: the processes that come from a program, their children, and theirs.
 *
 *     static int work(void *context) { ...; vox_family_signal(SIGTERM); ... }
 *     status = vox_family_guard(work, context);
 *
 * The work is done in a child, so that each of the two outlives the other's SIGKILL or crash and
 * can end what is left. Orphans are adopted (PR_SET_CHILD_SUBREAPER), also those that made
 * themselves daemons, so they are still found.
 *
 * Thread rule: a process with one thread.
 */
#ifndef VOX_LAB_FAMILY_H
#define VOX_LAB_FAMILY_H

#include <signal.h>

/*
 * Calls work(context) in a child and returns what it returns (0..255), once nothing of what it
 * started runs any more. Signals of vox_family_signals() go to the work: those of the terminal,
 * which go to all, by themselves, those of `kill` by hand. If this process dies the work gets
 * SIGTERM. 128 + the number of one of those signals if that ended the work: they are blocked in it
 * until it unblocks them (vox_family_let_end). Errors: VOX_EIO (the work itself was killed; all
 * that it started is, too), VOX_ENOMEM, VOX_ELIMIT (it cannot be started).
 */
int vox_family_guard(int (*work)(void *context), void *context);

/* SIGCHLD and those that end a program; blocked in the work, to be read by signalfd(2). */
void vox_family_signals(sigset_t *out);

/* For work that does not read them, or no more: they end it at once, as they end any program. */
void vox_family_let_end(void);

/* In a child, before exec: signals as any program has them; SIGKILL when the parent dies. */
void vox_family_leave(pid_t parent);

/*
 * Sends a signal to all descendants of this process; 0 sends none. Returns how many there are that
 * have not ended yet.
 */
int vox_family_signal(int signal);

#endif
