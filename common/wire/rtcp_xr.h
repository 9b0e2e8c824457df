/*
 * RTCP extended reports (RFC 3611): what of them we use, in both directions. Bytes <-> structs.
 * Pure.
 *
 * - Loss RLE (section 4.1): of a run of packets, which came and which did not. The smallest report
 *   that says how long bursts are: the statistics summary (4.6) only counts. A second of 20 ms
 *   packets takes 24 to 28 bytes. Reports may overlap, so that a lost one takes nothing with it.
 * - Receiver reference time and DLRR (sections 4.4, 4.5): the round trip for one that only
 *   listens.
 *
 *     size_t packet = vox_rtcp_xr_open(&w, own_ssrc);
 *     vox_rtcp_xr_write_loss(&w, &loss);
 *     vox_rtcp_close(&w, packet);
 *
 *     struct vox_rtcp_xr_reader r;
 *     struct vox_rtcp_xr block;
 *     if (packet.type == VOX_RTCP_XR && vox_rtcp_xr_begin(&r, &packet) == 0)
 *         while ((got = vox_rtcp_xr_next(&r, &block)) != 0)
 *             if (got > 0 && block.type == VOX_RTCP_XR_LOSS)
 *                 for (size_t i = 0, n; i < block.as.loss.count; i += n) {
 *                     n = vox_rtcp_xr_loss_run(&block.as.loss, i);
 *                     if (!vox_rtcp_xr_loss_came(&block.as.loss, i))
 *                         burst_of(n);
 *                 }
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_WIRE_RTCP_XR_H
#define VOX_WIRE_RTCP_XR_H

#include "base/bytes.h"
#include "wire/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vox_rtcp_xr_type {
    VOX_RTCP_XR_LOSS = 1,
    VOX_RTCP_XR_REFERENCE_TIME = 4,
    VOX_RTCP_XR_DELAYS = 5, /* DLRR */
};

enum {
    VOX_RTCP_XR_MAX_PACKETS = 1024, /* of a loss report: 20 s of 20 ms, 2.5 s of 2.5 ms */
    VOX_RTCP_XR_MAX_DELAYS = 31,
    VOX_RTCP_XR_MAX_LOSS_BYTES = 152, /* of a loss block: 12, 69 chunks of 15, one to fill up */
};

/* Packets from begin_seq on, each with whether it came. Begin with {.ssrc, .begin_seq} and push. */
struct vox_rtcp_xr_loss {
    uint32_t ssrc; /* of the source reported on */
    uint16_t begin_seq;
    uint16_t count;
    uint16_t skipped; /* parse only: older ones in front of begin_seq, for which there is no room */
    uint64_t came[VOX_RTCP_XR_MAX_PACKETS / 64]; /* bit i % 64 of word i / 64; 0 from count on */
};

/* Of a receiver whose reference time has come: as last_sr and delay_since_sr of a report block. */
struct vox_rtcp_xr_delay {
    uint32_t ssrc;           /* of that receiver */
    uint32_t last_rr;        /* middle 32 bits of its last reference time; 0 if none */
    uint32_t delay_since_rr; /* in 1/65536 s */
};

struct vox_rtcp_xr_delays {
    uint8_t count;
    struct vox_rtcp_xr_delay of[VOX_RTCP_XR_MAX_DELAYS];
    size_t skipped; /* parse only: behind those */
};

/* One report block. */
struct vox_rtcp_xr {
    uint8_t type;        /* enum vox_rtcp_xr_type or another number */
    uint8_t specific;    /* the byte whose meaning hangs on the type */
    const uint8_t *body; /* after the 4 header bytes, borrowed */
    size_t body_bytes;
    union {
        struct vox_rtcp_xr_loss loss;     /* VOX_RTCP_XR_LOSS */
        uint64_t reference_ntp;           /* VOX_RTCP_XR_REFERENCE_TIME */
        struct vox_rtcp_xr_delays delays; /* VOX_RTCP_XR_DELAYS */
    } as;
};

struct vox_rtcp_xr_reader {
    uint32_t ssrc; /* of the one who reports */
    struct vox_reader bytes;
};

/* Whether packet begin_seq + i came. i < count. */
static inline bool vox_rtcp_xr_loss_came(const struct vox_rtcp_xr_loss *loss, size_t i)
{
    return (loss->came[i / 64] >> i % 64 & 1) != 0;
}

/* How many packets from `from` on have the same fate as that one; 0 if from >= count. */
size_t vox_rtcp_xr_loss_run(const struct vox_rtcp_xr_loss *loss, size_t from);

/* Appends a packet. VOX_ELIMIT if there are VOX_RTCP_XR_MAX_PACKETS already. */
int vox_rtcp_xr_loss_push(struct vox_rtcp_xr_loss *loss, bool came);

/*
 * Checks that the blocks of a packet that vox_rtcp_next gave add up; borrows its body. Nothing is
 * read on error. Errors: VOX_EUNSUPPORTED (another type), VOX_EFORMAT.
 */
int vox_rtcp_xr_begin(struct vox_rtcp_xr_reader *r, const struct vox_rtcp *packet);

/*
 * The next block. Returns 1, 0 at the end, VOX_EFORMAT if this block's own content is malformed,
 * VOX_EUNSUPPORTED for a thinned loss report, which does not tell bursts (the reader has gone past
 * the block, so reading may go on). Types without a member in `as`: body only.
 */
int vox_rtcp_xr_next(struct vox_rtcp_xr_reader *r, struct vox_rtcp_xr *out);

/* Begins a packet. Append blocks, then vox_rtcp_close it. Check w->failed once at the end. */
size_t vox_rtcp_xr_open(struct vox_writer *w, uint32_t ssrc);

/* In the fewest chunks. Fails if count is over VOX_RTCP_XR_MAX_PACKETS. */
void vox_rtcp_xr_write_loss(struct vox_writer *w, const struct vox_rtcp_xr_loss *loss);
void vox_rtcp_xr_write_reference_time(struct vox_writer *w, uint64_t ntp);
/* Fails if count is over VOX_RTCP_XR_MAX_DELAYS. */
void vox_rtcp_xr_write_delays(struct vox_writer *w, const struct vox_rtcp_xr_delays *delays);

#endif
