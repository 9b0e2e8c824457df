/*
 * Repetitions (repeat.h) of this stream, if it has any. All do nothing if it has none.
 *
 * Thread rule: one owner. RT-safe if the host's callbacks are.
 */
#ifndef VOX_SENDER_SENDER_REPEAT_H
#define VOX_SENDER_SENDER_REPEAT_H

#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* s->datagram, of len bytes, may be asked for: of a packet with copies, the payload_bytes in
 * s->payload, which were coded for it alone. */
void vox_sender_repeat_keep(struct vox_sender *s, size_t len, size_t payload_bytes);

/* Sends what an RTCP datagram asks for, where the protection in force says so. Whether it asks. */
bool vox_sender_repeat_answer(struct vox_sender *s, const void *request, size_t request_bytes,
                              int64_t now_ns);

void vox_sender_repeat_read_stats(const struct vox_sender *s, struct vox_sender_stats *out);

#endif
