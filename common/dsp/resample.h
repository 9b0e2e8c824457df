/*
 * Sample-rate conversion of interleaved float audio, by libsoxr (fixed ratios) and libsamplerate
 * (ratios that move): docs/decisions/0003-resampler.md. Two uses: any file's or device's rate to
 * 48 kHz and back, and a ratio that drifts by a few hundred ppm while it runs, without clicks.
 *
 *     vox_resample_create(&(struct vox_resample_config){.channels = 2, .in_hz = 44100,
 *                         .out_hz = 48000}, &rs);
 *     size_t used; size_t made = vox_resample_process(rs, in, n, &used, out, room);
 *
 * Time is kept: output frame 0 shows input frame 0, and output frame k input frame k * in / out Hz
 * (within half a frame where the quotient is no ratio of whole numbers below 16000). The filters
 * look ahead, so the output lags behind the input that it needs by vox_resample_delay_frames. At
 * the end of a stream, push silence until in * out_hz / in_hz output frames (rounded) have come in
 * all, and drop the rest. Equal rates without `variable` copy bit for bit, without delay.
 *
 * Thread rule: one owner. process, set_ppm and reset are RT-safe.
 */
#ifndef VOX_DSP_RESAMPLE_H
#define VOX_DSP_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>

struct vox_resample;

struct vox_resample_config {
    int channels; /* 1..8 */
    double in_hz;
    double out_hz;
    bool variable; /* set_ppm will be used: low delay and smooth change before best quality */
};

/*
 * Errors: VOX_EINVAL (rates outside 1..768 kHz, a variable ratio beyond 1:240, channels),
 * VOX_ENOMEM.
 */
int vox_resample_create(const struct vox_resample_config *config, struct vox_resample **out);
void vox_resample_destroy(struct vox_resample *rs);

/*
 * Reads up to in_frames, writes up to out_frames (frames: samples per channel). *used says how many
 * were read; returns how many were written. Call again until nothing moves any more. With in_frames
 * 0 (in may be NULL) it only gives what is ready inside. Input whose output would not fit into
 * out_frames is mostly left unread.
 */
size_t vox_resample_process(struct vox_resample *rs, const float *in, size_t in_frames,
                            size_t *used, float *out, size_t out_frames);

/*
 * Output frames per input frame become (out_hz / in_hz) * (1 + ppm * 1e-6), in a ramp over the next
 * process call. Bounded to +-50000 ppm. Without `variable`, and for NaN, it does nothing.
 */
void vox_resample_set_ppm(struct vox_resample *rs, double ppm);

/*
 * Input frames that were read but are not shown by the output yet: how much the stage adds to the
 * latency. Constant with `variable` (20 frames at 48 kHz) and from rates below 32 kHz (47 frames: 6
 * ms at 8 kHz, 3 ms at 16 kHz); else as of now: libsoxr works in blocks, and holds 2..10 ms.
 */
double vox_resample_delay_frames(const struct vox_resample *rs);

/* Forgets all input, as after create; ppm stays. */
void vox_resample_reset(struct vox_resample *rs);

#endif
