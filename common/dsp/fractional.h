/*
 * Reading a signal at places between its samples: resampling by a ratio near 1 that moves, for two
 * clocks that differ by some ppm. A windowed sinc (Kaiser; Oppenheim and Schafer, Discrete-Time
 * Signal Processing, section 7.6) of 32 taps in 256 phases, between which it is interpolated
 * linearly (J. O. Smith, "Digital Audio Resampling Home Page", CCRMA). Flat to 20 of 24 kHz; what
 * it adds to a sine is 93 dB below it up to 19 kHz.
 *
 * Output frame 0 shows input frame 0, and each further one 1 / ratio input frames later. It looks
 * VOX_FRACTIONAL_HELD frames ahead.
 *
 * Why not a library: docs/decisions/0008-drift-resampler.md.
 *
 * Thread rule: one owner. All but create and destroy are RT-safe.
 */
#ifndef VOX_DSP_FRACTIONAL_H
#define VOX_DSP_FRACTIONAL_H

#include <stddef.h>

struct vox_fractional;

enum { VOX_FRACTIONAL_HELD = 16 };

/* channels: 1..8. Errors: VOX_ENOMEM. */
int vox_fractional_create(int channels, struct vox_fractional **out);
void vox_fractional_destroy(struct vox_fractional *f);
/* Forgets all input. */
void vox_fractional_reset(struct vox_fractional *f);

/*
 * Interleaved. Reads up to in_frames and writes up to out_frames, ratio (0.9..1.1) output frames
 * for each input frame. *used says how many were read; returns how many were written. It reads no
 * more than it can hold: call again until nothing moves.
 */
size_t vox_fractional_process(struct vox_fractional *f, double ratio, const float *in,
                              size_t in_frames, size_t *used, float *out, size_t out_frames);

#endif
