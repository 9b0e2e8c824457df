/*
 * Plain work on PCM samples: conversion, channel mapping, level. Interleaved; full scale is +-1.0.
 *
 * Thread rule: pure or values, one owner. RT-safe.
 */
#ifndef VOX_DSP_PCM_H
#define VOX_DSP_PCM_H

#include <stddef.h>
#include <stdint.h>

/* count samples (not frames); rounds to nearest, saturates. NaN becomes 0. */
void vox_pcm_to_s16(const float *in, size_t count, int16_t *out);
void vox_pcm_from_s16(const int16_t *in, size_t count, float *out);

/*
 * Maps channels: the same count copies; mono to many copies to each; many to mono averages; 3..6 to
 * stereo mixes as ITU-R BS.775 does (centre and surrounds at -3 dB, no LFE), in WAVE order, 4 being
 * quad; it may pass full scale. Otherwise the first channels are taken, and silence where there are
 * none. in and out must not overlap.
 */
void vox_pcm_remix(const float *in, int in_channels, size_t frames, float *out, int out_channels);

/* Level over what was added since the last read. */
struct vox_pcm_meter {
    double sum_squares;
    float peak; /* absolute */
    size_t count;
};

void vox_pcm_meter_add(struct vox_pcm_meter *meter, const float *samples, size_t count);
/* In dB of full scale (a full-scale square wave is 0); -120 for silence. Resets the meter. */
double vox_pcm_meter_rms_db(struct vox_pcm_meter *meter, double *peak_db);

#endif
