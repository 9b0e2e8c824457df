/*
 * What became of a signal: its delay, clicks in it, gaps in it. For tests, benchmarks and reports;
 * whole recordings in memory, mono.
 *
 *     struct vox_measured_delay d;
 *     if (vox_measure_delay(sent, n, received, m, 0, 48000, &d) == 0 && d.correlation > 0.9)
 *         printf("%.2f ms\n", d.lag_frames / 48.0);
 *
 * Thread rule: pure. measure_delay allocates; the others are RT-safe.
 */
#ifndef VOX_DSP_MEASURE_H
#define VOX_DSP_MEASURE_H

#include <stddef.h>
#include <stdint.h>

struct vox_measured_delay {
    double lag_frames;  /* signal[i + lag] shows reference[i]; between frames by a parabola */
    double correlation; /* normalised coefficient at that lag: 1 for the same shape at any level */
};

/*
 * The lag in min_lag..max_lag (may be negative) at which the normalised cross-correlation is
 * greatest. Every lag is tried (by FFT: a minute against a minute over two seconds of lags takes
 * about a second). Lags at which the signal covers less than half of the reference's energy do not
 * count.
 * Errors: VOX_EINVAL (no lag, a range above 2^24, reference or signal silent or not finite, no lag
 * with enough overlap), VOX_ENOMEM.
 */
int vox_measure_delay(const float *reference, size_t reference_frames, const float *signal,
                      size_t signal_frames, int64_t min_lag, int64_t max_lag,
                      struct vox_measured_delay *out);

/*
 * Places where the second difference stands out by 12 times from its mean over 5 ms on either side
 * (and by 0.002 of full scale at least); what follows within 2 ms belongs to the same click. Made
 * for tones and for comparing a recording with its original: voices and drums have a few of their
 * own.
 */
size_t vox_measure_clicks(const float *samples, size_t frames, int rate_hz);

struct vox_measured_gaps {
    size_t count;
    size_t total_frames;
    size_t longest_frames;
};

/* Runs of at least min_frames samples that stay within +-threshold (0: digital silence). */
struct vox_measured_gaps vox_measure_gaps(const float *samples, size_t frames, float threshold,
                                          size_t min_frames);

#endif
