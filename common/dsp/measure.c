#include "dsp/measure.h"

#include "base/err.h"
#include "dsp/fft.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MAX_RANGE = INT64_C(1) << 24;
static const double MIN_COVERED = 0.5;

/* Everything that one correlation needs; freed as a whole. */
struct correlator {
    const float *reference;
    const float *signal;
    int64_t reference_frames;
    int64_t signal_frames;
    int64_t min_lag;
    int64_t range; /* number of lags */
    size_t size;   /* of the transforms: a power of two, at least twice the range */
    struct vox_fft fft;
    struct vox_complex_array a, b, sum;
    double *memory;
};

static double product_re(double a_re, double a_im, double b_re, double b_im)
{
    return a_re * b_re - a_im * b_im;
}

static double product_im(double a_re, double a_im, double b_re, double b_im)
{
    return a_re * b_im + a_im * b_re;
}

/* x[0..count) = samples[from..from + count), zeros outside of 0..frames; the rest zeros. */
static void load(struct vox_complex_array x, size_t size, const float *samples, int64_t frames,
                 int64_t from, int64_t count)
{
    memset(x.re, 0, size * sizeof *x.re);
    memset(x.im, 0, size * sizeof *x.im);
    int64_t first = from < 0 ? -from : 0;
    for (int64_t i = first; i < count && from + i < frames; i++)
        x.re[i] = (double)samples[from + i];
}

/*
 * sum over blocks of the reference of conj(FFT(block)) * FFT(the signal where the block may be):
 * its inverse transform holds the correlation at lag min_lag + k in place k.
 */
static void correlate(struct correlator *c)
{
    int64_t block = (int64_t)c->size - c->range;
    for (int64_t at = 0; at < c->reference_frames; at += block) {
        load(c->a, c->size, c->reference, c->reference_frames, at, block);
        load(c->b, c->size, c->signal, c->signal_frames, at + c->min_lag, (int64_t)c->size);
        vox_fft_forward(&c->fft, c->a);
        vox_fft_forward(&c->fft, c->b);
        for (size_t k = 0; k < c->size; k++) {
            c->sum.re[k] += product_re(c->a.re[k], -c->a.im[k], c->b.re[k], c->b.im[k]);
            /* conjugated, so that a forward transform inverts it */
            c->sum.im[k] -= product_im(c->a.re[k], -c->a.im[k], c->b.re[k], c->b.im[k]);
        }
    }
    vox_fft_forward(&c->fft, c->sum);
    for (int64_t k = 0; k < c->range; k++)
        c->sum.re[k] /= (double)c->size;
}

static double energy(const float *samples, int64_t frames, int64_t from, int64_t to)
{
    double sum = 0.0;
    for (int64_t i = from > 0 ? from : 0; i < to && i < frames; i++)
        sum += (double)samples[i] * (double)samples[i];
    return sum;
}

static double square_at(const float *samples, int64_t frames, int64_t at)
{
    return at >= 0 && at < frames ? (double)samples[at] * (double)samples[at] : 0.0;
}

/*
 * Divides by the energies of the parts that overlap, which change by one frame at either end from
 * lag to lag. Lags with too little overlap become -1.
 */
static void normalise(struct correlator *c)
{
    int64_t lag = c->min_lag;
    int64_t n = c->reference_frames;
    int64_t m = c->signal_frames;
    double whole = energy(c->reference, n, 0, n);
    double covered = energy(c->reference, n, -lag, m - lag);
    double heard = energy(c->signal, m, lag, lag + n);
    double silence = 1e-12 * energy(c->signal, m, 0, m); /* what rounding leaves of zero */
    for (int64_t k = 0; k < c->range; k++, lag++) {
        bool counts = covered >= MIN_COVERED * whole && heard > silence;
        c->sum.re[k] = counts ? c->sum.re[k] / sqrt(covered * heard) : -1.0;
        covered += square_at(c->reference, n, -lag - 1) - square_at(c->reference, n, m - lag - 1);
        heard += square_at(c->signal, m, lag + n) - square_at(c->signal, m, lag);
    }
}

static int find_peak(const struct correlator *c, struct vox_measured_delay *out)
{
    int64_t best = 0;
    for (int64_t k = 1; k < c->range; k++)
        best = c->sum.re[k] > c->sum.re[best] ? k : best;
    double top = c->sum.re[best];
    if (!(top > -1.0))
        return VOX_EINVAL;
    double offset = 0.0;
    if (best > 0 && best + 1 < c->range) {
        double left = c->sum.re[best - 1];
        double right = c->sum.re[best + 1];
        double curve = left - 2.0 * top + right;
        offset = curve < 0.0 && left > -1.0 && right > -1.0 ? 0.5 * (left - right) / curve : 0.0;
    }
    out->lag_frames = (double)(c->min_lag + best) + offset;
    out->correlation = top;
    return 0;
}

static int reserve(struct correlator *c)
{
    c->size = 1024;
    while ((int64_t)c->size < 2 * c->range)
        c->size *= 2;
    c->memory = calloc(6 * c->size, sizeof *c->memory);
    if (!c->memory)
        return VOX_ENOMEM;
    struct vox_complex_array *arrays[] = {&c->a, &c->b, &c->sum};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        arrays[i]->re = c->memory + 2 * i * c->size;
        arrays[i]->im = arrays[i]->re + c->size;
    }
    return vox_fft_init(&c->fft, c->size);
}

static bool has_sound(const float *samples, size_t frames)
{
    double sum = energy(samples, (int64_t)frames, 0, (int64_t)frames);
    return sum > 0.0 && isfinite(sum);
}

int vox_measure_delay(const float *reference, size_t reference_frames, const float *signal,
                      size_t signal_frames, int64_t min_lag, int64_t max_lag,
                      struct vox_measured_delay *out)
{
    int64_t longest = INT64_C(1) << 40;
    if (min_lag > max_lag || min_lag < -longest || max_lag > longest ||
        max_lag - min_lag >= MAX_RANGE || !has_sound(reference, reference_frames) ||
        !has_sound(signal, signal_frames))
        return VOX_EINVAL;
    struct correlator c = {.reference = reference,
                           .signal = signal,
                           .reference_frames = (int64_t)reference_frames,
                           .signal_frames = (int64_t)signal_frames,
                           .min_lag = min_lag,
                           .range = max_lag - min_lag + 1};
    int err = reserve(&c);
    if (err < 0)
        goto out;
    correlate(&c);
    normalise(&c);
    err = find_peak(&c, out);
out:
    vox_fft_clear(&c.fft);
    free(c.memory);
    return err;
}

static const double CLICK_RATIO = 12.0;
static const double CLICK_FLOOR = 0.002;

/* |second difference| around sample i; 0 beyond the ends. */
static double roughness(const float *x, size_t frames, int64_t i)
{
    if (i < 1 || i + 1 >= (int64_t)frames)
        return 0.0;
    return fabs((double)x[i + 1] - 2.0 * (double)x[i] + (double)x[i - 1]);
}

size_t vox_measure_clicks(const float *samples, size_t frames, int rate_hz)
{
    int64_t reach = rate_hz / 200;
    int64_t hold = rate_hz / 500;
    int64_t deaf_until = 0;
    double sum = 0.0; /* of i - reach .. i + reach */
    size_t clicks = 0;
    for (int64_t i = 0; i < reach; i++)
        sum += roughness(samples, frames, i);
    for (int64_t i = 0; i < (int64_t)frames; i++) {
        sum += roughness(samples, frames, i + reach);
        double here = roughness(samples, frames, i);
        /* The click itself shows in up to three differences. */
        double around =
            sum - here - roughness(samples, frames, i - 1) - roughness(samples, frames, i + 1);
        double level = fmax(around, 0.0) / (double)(2 * reach - 2);
        if (here > CLICK_FLOOR && here > CLICK_RATIO * level) {
            clicks += i >= deaf_until ? 1 : 0;
            deaf_until = i + hold;
        }
        sum -= roughness(samples, frames, i - reach);
    }
    return clicks;
}

struct vox_measured_gaps vox_measure_gaps(const float *samples, size_t frames, float threshold,
                                          size_t min_frames)
{
    struct vox_measured_gaps gaps = {0};
    size_t run = 0;
    for (size_t i = 0; i <= frames; i++) {
        if (i < frames && fabsf(samples[i]) <= threshold) {
            run++;
            continue;
        }
        if (run > 0 && run >= min_frames) {
            gaps.count++;
            gaps.total_frames += run;
            gaps.longest_frames = run > gaps.longest_frames ? run : gaps.longest_frames;
        }
        run = 0;
    }
    return gaps;
}
