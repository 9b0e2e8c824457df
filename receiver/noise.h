/*
 * Comfort noise: what a room sounds like while nobody speaks, to fade into when concealment ends.
 *
 *     vox_noise_init(&noise, seed);
 *     vox_noise_hear(&noise, pcm, frames, channels);        // each packet that is received
 *     vox_noise_add(&noise, pcm, frames, channels, 0.5F, 1.0F);    // ever louder
 *
 * The level is that of the quietest packet of the last seconds (minimum statistics: Martin, IEEE
 * Trans. Speech and Audio Processing 9(5), 2001, in its simplest form), the colour that of noise
 * through one pole with the same correlation from sample to sample. Digital silence has none.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_NOISE_H
#define VOX_RECEIVER_NOISE_H

#include "base/rng.h"

struct vox_noise {
    float power;  /* mean square of the quietest packet lately; below 0: nothing was heard */
    float colour; /* correlation of neighbouring samples there, 0..0.98 */
    float last[2];
    struct vox_rng rng;
};

void vox_noise_init(struct vox_noise *noise, uint64_t seed);

/* 48 kHz, interleaved, 1 or 2 channels. */
void vox_noise_hear(struct vox_noise *noise, const float *pcm, int frames, int channels);

/* Adds it, with a gain that goes from one value to the other. */
void vox_noise_add(struct vox_noise *noise, float *pcm, int frames, int channels, float from,
                   float to);

#endif
