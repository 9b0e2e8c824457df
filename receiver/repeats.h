/*
 * Retransmission as one source sees it: NACKs for what it misses (missing.h), and the packets that
 * come in answer (RTX, RFC 4588), which have an SSRC of their own.
 *
 *     if (no source has this SSRC)
 *         switch (vox_repeats_recognise(source, &rtp)) ...
 *     ... VOX_REPEATS_OURS: return vox_repeats_take(source, &rtp, arrival_ns);
 *     if (now_ns >= vox_repeats_next_ns(source))
 *         bytes = vox_repeats_request(source, now_ns, out, sizeof out);
 *
 * Which stream an SSRC repeats is not said on the wire. RFC 4588, section 5.3 lets the receiver
 * tell it by the number in the packet, which it has asked for; from then on that SSRC belongs to
 * the source. Nothing is taken that was not asked for, and nothing twice.
 *
 * Thread rule: one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_REPEATS_H
#define VOX_RECEIVER_REPEATS_H

#include "receiver/source.h"
#include "wire/rtp.h"

#include <stddef.h>
#include <stdint.h>

enum vox_repeats_claim {
    VOX_REPEATS_NOT_OURS,
    VOX_REPEATS_OURS,
    VOX_REPEATS_UNASKED, /* it repeats this source's packets, but for somebody else */
};

/* Whose is an RTP packet of another SSRC, from this path? */
enum vox_repeats_claim vox_repeats_recognise(const struct vox_source *source,
                                             const struct vox_rtp *rtp, uint32_t path);

/* A retransmission that is ours. Returns VOX_PUSH_REPEAT, or why it is of no use. */
enum vox_push_result vox_repeats_take(struct vox_source *source, const struct vox_rtp *rtp,
                                      int64_t arrival_ns);

/* A packet of the source itself was taken; what it says of those that are missing. */
void vox_repeats_arrived(struct vox_source *source, const struct vox_packet *packet);

/* So was one of another payload type: its number is not missing. */
void vox_repeats_blank(struct vox_source *source, int64_t index);

/* When request wants to be called next; VOX_NS_NEVER: not before something comes. */
int64_t vox_repeats_next_ns(const struct vox_source *source);

/* Writes an RTCP compound packet that asks for what is to be asked for now. Returns its bytes; 0:
 * nothing is. */
size_t vox_repeats_request(struct vox_source *source, int64_t now_ns, uint8_t *out,
                           size_t capacity);

#endif
