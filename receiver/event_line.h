/*
 * An event of the receiver as a line of JSON (--events), and the names of causes in statistics.
 *
 *     vox_event_line_print(&event, start_ns, start_unix_ns, file);
 *
 * Thread rule: pure but for the FILE; the main thread.
 */
#ifndef VOX_RECEIVER_EVENT_LINE_H
#define VOX_RECEIVER_EVENT_LINE_H

#include "receiver/receiver.h"

#include <stdint.h>
#include <stdio.h>

/* "lost", "late", "sender_gap", "device_underrun", "skipped". */
const char *vox_glitch_cause_name(enum vox_glitch_cause cause);

/* start_ns: when the program started, on the clock of the event; start_unix_ns: the same in Unix
 * time. Returns 0 or VOX_EIO. */
int vox_event_line_print(const struct vox_event *event, int64_t start_ns, int64_t start_unix_ns,
                         FILE *out);

#endif
