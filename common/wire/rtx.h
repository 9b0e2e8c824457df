/*
 * Retransmission packets (RFC 4588, section 4): an RTP packet sent again in a stream of its own,
 * with SSRC, payload type and sequence numbers of that stream, and the original number in front of
 * the payload. All else is as it was: timestamp, marker, CSRCs, header extension. Pure.
 *
 *     int bytes = vox_rtx_write(&original, 98, rtx_ssrc, rtx_seq++, datagram, sizeof datagram);
 *
 *     if (rtp.payload_type == 98 && vox_rtx_parse(&rtp, 96, source_ssrc, &original) == 0)
 *         take(&original);
 *
 * The payload type of the retransmission stands for one original payload type (apt in its fmtp). As
 * our SDP has it, that is Opus: of a packet with redundancy (red.h) the primary is repeated, and
 * `original` has that payload and type. What is encrypted is the packet that this makes.
 * Which source an SSRC repeats, RFC 4588, section 5.3 leaves to the receiver: it has asked for that
 * number.
 *
 * Thread rule: pure, any thread. RT-safe.
 */
#ifndef VOX_WIRE_RTX_H
#define VOX_WIRE_RTX_H

#include "wire/rtp.h"

#include <stddef.h>
#include <stdint.h>

enum { VOX_RTX_HEADER_BYTES = 2 /* the original sequence number */ };

/*
 * Writes the datagram that repeats `original`, without padding (section 4 takes it off). `out` must
 * not overlap what *original points to. Returns the datagram's bytes.
 * Errors: as vox_rtp_write. It is VOX_RTX_HEADER_BYTES longer than the original, so one of full
 * size may no longer fit an unfragmented datagram.
 */
int vox_rtx_write(const struct vox_rtp *original, uint8_t payload_type, uint32_t ssrc, uint16_t seq,
                  void *out, size_t capacity);

/*
 * Makes of a parsed retransmission packet the one that it repeats. Pointers borrow as those of *rtx
 * do; out may be rtx. *out is written only on success.
 * Errors: VOX_ETRUNCATED (no room for the original number; some senders probe the bandwidth with
 * such packets, of nothing but padding), VOX_EINVAL (payload type over 127).
 */
int vox_rtx_parse(const struct vox_rtp *rtx, uint8_t original_payload_type, uint32_t original_ssrc,
                  struct vox_rtp *out);

#endif
