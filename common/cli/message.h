/*
 * Messages to the person at the terminal: "voxgram-send: cannot open x.wav: ..." on stderr, after
 * taking the status line away.
 *
 *     vox_message_init("voxgram-send", stderr);
 *     vox_message_set_level(VOX_MESSAGE_QUIET);                // --quiet
 *     vox_message_warn("no answer from %s: still sending", text);
 *
 * The only process-wide state of the programs, like stderr itself, so that a message needs no
 * handle in every function. Thread rule: the main thread.
 */
#ifndef VOX_CLI_MESSAGE_H
#define VOX_CLI_MESSAGE_H

#include "cli/status.h"

#include <stdio.h>

/* What is shown: errors always; warnings and info unless quiet; detail if verbose. */
enum vox_message_level { VOX_MESSAGE_QUIET, VOX_MESSAGE_NORMAL, VOX_MESSAGE_VERBOSE };

/* program: borrowed for good. Level NORMAL, no status line. Before it: stderr, no name. */
void vox_message_init(const char *program, FILE *stream);
void vox_message_set_level(enum vox_message_level level);
/* Borrowed until the next call; NULL: none. */
void vox_message_set_status(struct vox_status *status);

/*
 * One line each; the line end is added, and control characters become "?", since some of the text
 * comes from the network and could tell the terminal what to do.
 */
__attribute__((format(printf, 1, 2))) void vox_message_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void vox_message_warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void vox_message_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void vox_message_detail(const char *format, ...);

#endif
