/*
 * RTCP (RFC 3550, section 6): compound packets of sender reports, receiver reports, source
 * descriptions and goodbyes. Bytes <-> structs. Pure. What nack.h and rtcp_xr.h know of is handed
 * out as a body, for them to read.
 *
 * Reading goes packet by packet; a type that we do not know is passed over by its length:
 *
 *     struct vox_rtcp_reader r;
 *     struct vox_rtcp packet;
 *     if (vox_rtcp_begin(&r, datagram, len) < 0)
 *         return reject();
 *     while (vox_rtcp_next(&r, &packet) > 0)
 *         switch (packet.type) { case VOX_RTCP_SR: ... }
 *
 * Writing appends packets to a cursor; the caller puts SR or RR first and SDES with CNAME second
 * (section 6.1).
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_WIRE_RTCP_H
#define VOX_WIRE_RTCP_H

#include "base/bytes.h"

#include <stddef.h>
#include <stdint.h>

enum vox_rtcp_type {
    VOX_RTCP_SR = 200,
    VOX_RTCP_RR = 201,
    VOX_RTCP_SDES = 202,
    VOX_RTCP_BYE = 203,
    VOX_RTCP_APP = 204,
    VOX_RTCP_RTPFB = 205, /* RFC 4585 */
    VOX_RTCP_PSFB = 206,
    VOX_RTCP_XR = 207, /* RFC 3611 */
};

enum {
    VOX_RTCP_MAX_BLOCKS = 31, /* report blocks, SDES chunks or BYE sources: the count has 5 bits */
    VOX_RTCP_MAX_TEXT = 255,  /* an SDES item or BYE reason: the length has 8 bits */
    VOX_RTCP_MAX_BYTES = 1452,
};

/* One reception report block (section 6.4.1). */
struct vox_rtcp_block {
    uint32_t ssrc;           /* of the source reported on */
    uint8_t fraction_lost;   /* of the packets since the last report, in 1/256 */
    int32_t cumulative_lost; /* signed 24 bits; the writer clamps */
    uint32_t highest_seq;    /* extended: cycles << 16 | seq */
    uint32_t jitter;         /* in timestamp ticks */
    uint32_t last_sr;        /* middle 32 bits of the NTP time of the last SR; 0 if none */
    uint32_t delay_since_sr; /* in 1/65536 s */
};

struct vox_rtcp_report {
    uint32_t ssrc; /* of the one who reports */
    /* SR only: */
    uint64_t ntp;
    uint32_t rtp_timestamp; /* the same instant as ntp on the RTP clock */
    uint32_t packet_count;
    uint32_t octet_count; /* payload only */
    /* both: */
    uint8_t block_count;
    struct vox_rtcp_block blocks[VOX_RTCP_MAX_BLOCKS];
};

/* The CNAME of one SDES chunk (section 6.5.1); other items are passed over. */
struct vox_rtcp_chunk {
    uint32_t ssrc;
    const char *cname; /* borrowed, not terminated; NULL if the chunk has none */
    size_t cname_bytes;
};

struct vox_rtcp_sdes {
    uint8_t chunk_count;
    struct vox_rtcp_chunk chunks[VOX_RTCP_MAX_BLOCKS];
};

struct vox_rtcp_bye {
    uint8_t ssrc_count;
    uint32_t ssrcs[VOX_RTCP_MAX_BLOCKS];
    const char *reason; /* borrowed, not terminated; NULL if none is given */
    size_t reason_bytes;
};

struct vox_rtcp {
    uint8_t type;        /* enum vox_rtcp_type or another number */
    uint8_t count;       /* the 5-bit count or format field */
    const uint8_t *body; /* after the 4 header bytes, borrowed; padding is taken off */
    size_t body_bytes;
    union {
        struct vox_rtcp_report report; /* SR, RR */
        struct vox_rtcp_sdes sdes;     /* SDES */
        struct vox_rtcp_bye bye;       /* BYE */
    } as;
};

struct vox_rtcp_reader {
    struct vox_reader bytes;
};

/*
 * Checks a whole compound packet as section A.2 does: version 2, first packet SR or RR (or, for
 * reduced-size RTCP of RFC 5506, any type 200..207), padding on the last packet only, lengths that
 * add up.
 * Errors: VOX_ETRUNCATED, VOX_EFORMAT. Nothing is read on error.
 */
int vox_rtcp_begin(struct vox_rtcp_reader *r, const void *datagram, size_t len);

/*
 * The next packet. Returns 1, 0 at the end, VOX_EFORMAT if this packet's own content is malformed
 * (the reader has gone past it, so reading may go on). Types without a member in `as`: body only.
 */
int vox_rtcp_next(struct vox_rtcp_reader *r, struct vox_rtcp *out);

/*
 * The round trip that an answer tells (section 6.4.1; RFC 3611, section 4.5): arrival_ntp is when
 * the answer came, by the clock that made `last`, the middle of the NTP time that is answered;
 * delay is how long the other side kept it, in 1/65536 s. -1: `last` is 0, or it cannot be true,
 * being below zero or over a minute.
 */
int64_t vox_rtcp_round_trip_ns(uint64_t arrival_ntp, uint32_t last, uint32_t delay);

/* Each appends one packet. Check w->failed once at the end. */
void vox_rtcp_write_sr(struct vox_writer *w, const struct vox_rtcp_report *report);
void vox_rtcp_write_rr(struct vox_writer *w, const struct vox_rtcp_report *report);
/* One chunk with one CNAME (at most 255 bytes are taken). */
void vox_rtcp_write_sdes(struct vox_writer *w, uint32_t ssrc, const char *cname);
/* One SSRC; reason may be NULL. */
void vox_rtcp_write_bye(struct vox_writer *w, uint32_t ssrc, const char *reason);

/*
 * For packets of other types: open begins one (count: 0..31), close sets its length after the body
 * has been written, of whole words. open returns what close wants to know.
 */
size_t vox_rtcp_open(struct vox_writer *w, uint8_t type, uint8_t count);
void vox_rtcp_close(struct vox_writer *w, size_t packet);

#endif
