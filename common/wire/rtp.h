/*
 * RTP packets (RFC 3550, section 5.1): bytes <-> struct. Pure.
 *
 *     struct vox_rtp rtp;
 *     if (vox_rtp_parse(datagram, len, &rtp) < 0)
 *         count_as_rejected();
 *
 * Thread rule: pure, any thread. RT-safe.
 */
#ifndef VOX_WIRE_RTP_H
#define VOX_WIRE_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_RTP_HEADER_BYTES = 12, /* without CSRCs and extension */
    VOX_RTP_MAX_CSRC = 15,     /* the field has four bits */
    /* Largest UDP payload that Ethernet carries unfragmented over IPv6: 1500 - 40 - 8. */
    VOX_RTP_MAX_BYTES = 1452,
};

struct vox_rtp {
    bool marker;
    uint8_t payload_type; /* 0..127 */
    uint16_t seq;
    uint32_t timestamp; /* 48 kHz ticks for Opus (RFC 7587, section 4.1) */
    uint32_t ssrc;
    uint8_t csrc_count;
    uint32_t csrc[VOX_RTP_MAX_CSRC];
    bool has_extension;
    uint16_t extension_profile; /* 0xBEDE, 0x100x: RFC 8285; see hdrext.h */
    const uint8_t *extension;   /* its data, without the 4 bytes of profile and length */
    size_t extension_bytes;     /* a multiple of 4 */
    const uint8_t *payload;     /* borrowed from the datagram; padding is taken off */
    size_t payload_bytes;
    size_t padding_bytes; /* parse only */
};

/*
 * Parses a datagram. Pointers in *out borrow from it. *out is written only on success.
 * Errors: VOX_ETRUNCATED (shorter than its own header says), VOX_EFORMAT (version other than 2,
 * padding of 0 or longer than the packet).
 */
int vox_rtp_parse(const void *datagram, size_t len, struct vox_rtp *out);

/*
 * Writes header, extension and payload; no padding. Returns the datagram's bytes.
 * Errors: VOX_ENOSPC (capacity too small), VOX_EINVAL (payload type over 127, more than 15 CSRCs,
 * extension not a multiple of 4 bytes).
 */
int vox_rtp_write(const struct vox_rtp *rtp, void *out, size_t capacity);

/*
 * Whether a datagram on a port shared by both is RTCP: its second byte lies in 192..223
 * (RFC 5761, section 4). Says nothing of validity; false for fewer than 2 bytes.
 */
bool vox_rtp_is_rtcp(const void *datagram, size_t len);

#endif
