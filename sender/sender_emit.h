/*
 * What leaves the sending engine through the host's callbacks.
 *
 * Thread rule: one owner. RT-safe if the callbacks are.
 */
#ifndef VOX_SENDER_SENDER_EMIT_H
#define VOX_SENDER_SENDER_EMIT_H

#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was written into s->datagram. */
void vox_sender_emit(struct vox_sender *s, enum vox_datagram_kind kind, size_t len,
                     int64_t send_ns);

/* A sender report, or its last; none where there is nothing to report. */
void vox_sender_emit_report(struct vox_sender *s, int64_t now_ns, bool bye);

void vox_sender_emit_event(const struct vox_sender *s, const struct vox_sender_event *event);

#endif
