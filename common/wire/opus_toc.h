/*
 * What can be read of an Opus packet without decoding it (RFC 6716, sections 3 and 4.2.3-4.2.4):
 * durations, channels, mode, frame bounds, whether it carries in-band FEC (LBRR).
 *
 *     struct vox_opus_info info;
 *     if (vox_opus_parse(payload, len, &info) < 0)
 *         count_as_rejected();          // not an Opus packet
 *     play_ts += info.duration_ticks;
 *
 * Thread rule: pure, any thread. RT-safe.
 */
#ifndef VOX_WIRE_OPUS_TOC_H
#define VOX_WIRE_OPUS_TOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vox_opus_mode { VOX_OPUS_SILK, VOX_OPUS_HYBRID, VOX_OPUS_CELT };

enum {
    VOX_OPUS_MAX_FRAMES = 48,       /* of 2.5 ms in 120 ms (R5) */
    VOX_OPUS_MAX_TICKS = 5760,      /* 120 ms */
    VOX_OPUS_MAX_FRAME_BYTES = 1275 /* R2 */
};

struct vox_opus_info {
    enum vox_opus_mode mode;
    int config;   /* 0..31, table 2 of RFC 6716 */
    int channels; /* as coded: 1 or 2 */
    int frame_count;
    int frame_ticks;    /* one frame, in 48 kHz samples */
    int duration_ticks; /* the whole packet */
    bool has_lbrr;      /* the first frame holds LBRR data of the frame before this packet */
    bool is_dtx;        /* every frame has at most 1 byte: nothing but "no speech now" */
};

/*
 * Checks requirements R1..R7 of section 3.4. *out is written only on success.
 * Errors: VOX_EFORMAT.
 */
int vox_opus_parse(const void *packet, size_t len, struct vox_opus_info *out);

#endif
