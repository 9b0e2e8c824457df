/*
 * What a packet brings beside itself: copies of packets before it (RED, RFC 2198).
 *
 *     struct vox_red red;
 *     if (vox_recover_unwrap(&rtp, payload_type, &red))            // rtp holds its primary now
 *         ... depacketize rtp into packet ...
 *     int n = vox_recover_copies(&red, &packet, copies);          // borrow from the datagram
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
 * been sent as. */
bool vox_recover_unwrap(struct vox_rtp *rtp, int payload_type, struct vox_red *red);

/* The copies as packets; those are left out that are as long as `packet` is not, or no Opus.
 * Returns how many. */
int vox_recover_copies(const struct vox_red *red, const struct vox_packet *packet,
                       struct vox_packet out[VOX_RED_MAX_COPIES]);

#endif
