/*
 * What a packet brings beside itself: copies of packets before it (RED, RFC 2198).
 *
 *     struct vox_red red;
 *     if (vox_recover_unwrap(&rtp, payload_type, &red, &info))     // rtp holds its primary now
 *         ... depacketize rtp into packet ...
 *     for (int i = 0; i < red.copy_count; i++)
 *         if (vox_recover_number(&red.copies[i], &packet, &index) && is_missing(index) &&
 *             vox_recover_copy(&red, i, &packet, &copy))           // borrows from the datagram
 *             ... use the copy ...
 *
 * RED is known by what it is, so that a stream without a session description plays too: all its
 * blocks have one payload type, and each of them is an Opus packet.
 *
 * A copy has no sequence number. It is given that of the packet it copies: as many packets before
 * this one as its age is packets long.
 *
 * Thread rule: pure. RT-safe.
 */
#ifndef VOX_RECEIVER_RECOVER_H
#define VOX_RECEIVER_RECOVER_H

#include "receiver/jitter.h"
#include "wire/red.h"

#include <stdbool.h>

/* The payload type of what a RED packet holds, copies and all; -1: it is none. */
int vox_recover_payload_type(const struct vox_rtp *rtp);

/* If it is RED with blocks of this payload type, *rtp becomes what its primary alone would have
 * been sent as, and *info what that says of itself. */
bool vox_recover_unwrap(struct vox_rtp *rtp, int payload_type, struct vox_red *red,
                        struct vox_opus_info *info);

/* Which packet it is a copy of; false: its age is no whole number of packets. Where nothing is
 * lost this is all that copies cost. */
bool vox_recover_number(const struct vox_red_copy *copy, const struct vox_packet *packet,
                        int64_t *index);

/* The i-th copy as a packet; false: it is of another payload type, not as long as `packet` is, or
 * no Opus. */
bool vox_recover_copy(const struct vox_red *red, int i, const struct vox_packet *packet,
                      struct vox_packet *out);

#endif
