#include "lab/quality.h"

#include "base/err.h"
#include "dsp/fft.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME = 960, /* 20 ms */
    FFT_SIZE = 1024,
    FIRST_BIN = 1,
    LAST_BIN = 426 /* 20 kHz */
};

static const double TURN = 6.283185307179586476925;
static const double ACTIVE_POWER = 1e-6; /* -60 dBFS */
static const double ACTIVE_SHARE = 1e-4; /* 40 dB below ... */
static const double LOUD_SHARE = 0.95;   /* ... the frame that is louder than this many */
static const double SPECTRAL_FLOOR = 1e-9;

struct comparison {
    const struct vox_quality_input *in;
    const struct vox_alignment *alignment;
    size_t piece;
    struct vox_fft fft;
    double *power; /* of each frame of the reference */
    size_t frames;
    double snr_sum, distance_sum;
    double window[FRAME];
    double pair[2][FFT_SIZE]; /* reference and output of one frame; then their spectra */
};

static double frame_power(const struct vox_audio_view *v, size_t frame)
{
    size_t n = (size_t)FRAME * (size_t)v->channels;
    double sum = 0.0;
    for (size_t i = frame * n; i < (frame + 1) * n; i++)
        sum += (double)v->pcm[i] * (double)v->pcm[i];
    return sum / (double)n;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* From what power on a frame is active. Fills c->power. */
static int find_threshold(struct comparison *c, double *threshold)
{
    double *sorted = calloc(c->frames, sizeof *sorted);
    if (!sorted)
        return VOX_ENOMEM;
    for (size_t i = 0; i < c->frames; i++)
        sorted[i] = c->power[i] = frame_power(&c->in->reference, i);
    qsort(sorted, c->frames, sizeof *sorted, by_size);
    double loud = sorted[(size_t)(LOUD_SHARE * (double)(c->frames - 1))];
    free(sorted);
    *threshold = fmax(ACTIVE_POWER, ACTIVE_SHARE * loud);
    return 0;
}

/* Where the output shows a frame of the reference; left-out sound goes on as what was before. */
static int64_t output_at(struct comparison *c, int64_t reference_frame)
{
    const struct vox_align_piece *p = c->alignment->pieces;
    while (c->piece + 1 < c->alignment->count && reference_frame >= p[c->piece + 1].reference_frame)
        c->piece++;
    while (c->piece > 0 && reference_frame < p[c->piece].reference_frame)
        c->piece--;
    return reference_frame + p[c->piece].lag_frames;
}

static bool is_heard(struct comparison *c, int64_t from)
{
    return output_at(c, from) >= 0 &&
           output_at(c, from + FRAME - 1) < (int64_t)c->in->output.frames;
}

static void load(struct comparison *c, int64_t from, size_t channel)
{
    const struct vox_audio_view *ref = &c->in->reference;
    const struct vox_audio_view *out = &c->in->output;
    size_t channels = (size_t)ref->channels;
    for (int64_t i = 0; i < FRAME; i++) {
        c->pair[0][i] = (double)ref->pcm[(size_t)(from + i) * channels + channel];
        c->pair[1][i] = (double)out->pcm[(size_t)output_at(c, from + i) * channels + channel];
    }
}

/* The slope of a frame at i, per sample. */
static double slope_at(const double *x, size_t i)
{
    size_t left = i > 0 ? i - 1 : i;
    size_t right = i + 1 < FRAME ? i + 1 : i;
    return (x[right] - x[left]) / (double)(right - left);
}

/*
 * What is left of the difference after the best shift by less than a sample, to first order: a
 * playout that follows another clock is never right to the sample, and nobody hears that.
 */
static double difference_energy(const struct comparison *c)
{
    double energy = 0.0;
    double along = 0.0; /* the slope */
    double slopes = 0.0;
    for (size_t i = 0; i < FRAME; i++) {
        double difference = c->pair[0][i] - c->pair[1][i];
        double slope = slope_at(c->pair[1], i);
        energy += difference * difference;
        along += difference * slope;
        slopes += slope * slope;
    }
    if (!(slopes > 0.0))
        return energy;
    double shift = fmin(fmax(along / slopes, -1.0), 1.0);
    return fmax(energy - shift * (2.0 * along - shift * slopes), 0.0);
}

/* Mean over bins of the squared difference in dB; both spectra come from one complex transform. */
static double squared_distance(struct comparison *c)
{
    double *re = c->pair[0];
    double *im = c->pair[1];
    for (size_t i = 0; i < FRAME; i++) {
        re[i] *= c->window[i];
        im[i] *= c->window[i];
    }
    memset(re + FRAME, 0, (FFT_SIZE - FRAME) * sizeof *re);
    memset(im + FRAME, 0, (FFT_SIZE - FRAME) * sizeof *im);
    vox_fft_forward(&c->fft, (struct vox_complex_array){re, im});
    double sum = 0.0;
    for (size_t k = FIRST_BIN; k <= LAST_BIN; k++) {
        size_t m = FFT_SIZE - k;
        double ref_re = (re[k] + re[m]) / 2.0;
        double ref_im = (im[k] - im[m]) / 2.0;
        double out_re = (im[k] + im[m]) / 2.0;
        double out_im = (re[m] - re[k]) / 2.0;
        double ref = fmax(ref_re * ref_re + ref_im * ref_im, SPECTRAL_FLOOR);
        double out = fmax(out_re * out_re + out_im * out_im, SPECTRAL_FLOOR);
        double db = 10.0 * log10(ref / out);
        sum += db * db;
    }
    return sum / (LAST_BIN - FIRST_BIN + 1);
}

static bool is_same(const struct comparison *c)
{
    for (size_t i = 0; i < FRAME; i++)
        if (c->pair[0][i] != c->pair[1][i])
            return false;
    return true;
}

static void compare_frame(struct comparison *c, size_t frame)
{
    size_t channels = (size_t)c->in->reference.channels;
    double error = 0.0;
    double distance = 0.0;
    for (size_t channel = 0; channel < channels; channel++) {
        load(c, (int64_t)frame * FRAME, channel);
        error += difference_energy(c);
        distance += is_same(c) ? 0.0 : squared_distance(c); /* not nearly 0 */
    }
    double signal = c->power[frame] * FRAME * (double)channels;
    double snr = error > 0.0 ? 10.0 * log10(signal / error) : VOX_QUALITY_MAX_SNR_DB;
    c->snr_sum += fmin(fmax(snr, VOX_QUALITY_MIN_SNR_DB), VOX_QUALITY_MAX_SNR_DB);
    c->distance_sum += sqrt(distance / (double)channels);
}

/* A full-scale sine gets 1 in its bin. */
static void make_window(struct comparison *c)
{
    for (size_t i = 0; i < FRAME; i++)
        c->window[i] = (1.0 - cos(TURN * ((double)i + 0.5) / FRAME)) * 2.0 / FRAME;
}

static int compare_frames(struct comparison *c, struct vox_quality *q)
{
    double threshold;
    c->power = calloc(c->frames, sizeof *c->power);
    if (!c->power || vox_fft_init(&c->fft, FFT_SIZE) < 0 || find_threshold(c, &threshold) < 0)
        return VOX_ENOMEM;
    make_window(c);
    for (size_t i = 0; i < c->frames; i++) {
        if (c->power[i] < threshold)
            continue;
        if (!is_heard(c, (int64_t)i * FRAME)) {
            q->unheard_frames++;
            continue;
        }
        compare_frame(c, i);
        q->active_frames++;
    }
    if (q->active_frames > 0) {
        q->segmental_snr_db = c->snr_sum / (double)q->active_frames;
        q->log_spectral_distance_db = c->distance_sum / (double)q->active_frames;
    }
    return 0;
}

static int measure(const struct vox_quality_input *input, struct vox_quality *q)
{
    struct comparison *c = calloc(1, sizeof *c);
    if (!c)
        return VOX_ENOMEM;
    c->in = input;
    c->alignment = &q->alignment;
    c->frames = input->reference.frames / FRAME;
    int err = compare_frames(c, q);
    vox_fft_clear(&c->fft);
    free(c->power);
    free(c);
    return err;
}

int vox_quality_compare(const struct vox_quality_input *input, struct vox_quality *out)
{
    struct vox_quality q = {0};
    if (input->reference.frames < FRAME)
        return VOX_EINVAL;
    int err = vox_align(&input->reference, &input->output, input->min_lag_frames,
                        input->max_lag_frames, &q.alignment);
    if (err == 0)
        err = vox_damage_find(&input->reference, &input->output, &q.alignment, &q.damage);
    if (err == 0)
        err = measure(input, &q);
    if (err < 0)
        vox_quality_clear(&q);
    else
        *out = q;
    return err;
}

void vox_quality_clear(struct vox_quality *quality)
{
    vox_alignment_clear(&quality->alignment);
    vox_damage_list_clear(&quality->damage);
    *quality = (struct vox_quality){0};
}
