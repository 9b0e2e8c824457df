/*
 * What a listener would have heard who plays everything a fixed time after its capture: the packets
 * as they arrived, through the receiver itself in virtual time.
 *
 *     struct vox_render_config config = {.stream = &stream, .playable = &playable,
 *         .packets = packets, .count = n, .budget_ns = 100 * VOX_NS_PER_MS};
 *     struct vox_render heard;
 *     if (vox_render(&config, &heard) == 0)
 *         ... heard.pcm, heard.concealed_pct ...
 *     vox_render_clear(&heard);
 *
 * The deadline of a frame is the end of its capture plus the budget, and nothing moves it. The
 * receiver counts its delay from the fastest packet of late, which would: so packets that come in
 * time for all that they carry are handed over as early as the fastest, and packets that are too
 * late for it not at all. What came in time for a part keeps its own time.
 *
 * Thread rule: value, one owner; allocates.
 */
#ifndef VOX_LAB_RENDER_H
#define VOX_LAB_RENDER_H

#include "lab/playable.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_render_config {
    const struct vox_playable_stream *stream;
    const struct vox_playable *playable; /* of these packets */
    const struct vox_playable_packet *packets;
    size_t count;
    int64_t budget_ns;
    bool silent; /* nothing is concealed: silence */
};

struct vox_render {
    float *pcm;     /* 48 kHz, interleaved; the first sample is that of the first frame sent */
    int64_t frames; /* samples per channel: all that was sent */
    int channels;
    double concealed_pct; /* of it, by the receiver's statistics */
};

/* Errors: VOX_EINVAL (a budget below 0), VOX_ENOMEM. */
int vox_render(const struct vox_render_config *config, struct vox_render *out);
void vox_render_clear(struct vox_render *render);

#endif
