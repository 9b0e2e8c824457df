#include "stretch_score.h"

#include "dsp/fft.h"
#include "lab/damage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TWO_PI (2 * 3.14159265358979323846)

enum {
    SHORT = 1024, /* 21 ms: one or two periods of a voice */
    LONG = 4096,  /* 85 ms: harmonics, and the partials of a chord */
    HOP = 480,    /* of the output */
    STEP = 120,   /* of the input: 2.5 ms */
    NEAR = 28,    /* steps that an output frame may be off: 70 ms */
    BANDS = 48,
    LINES = 341, /* of LONG, up to 4 kHz */
    MAX_VALUES = LINES,
    PITCH_WINDOW = 1440, /* 30 ms */
    PITCH_SHORTEST = 96, /* 500 Hz */
    PITCH_LONGEST = 720,
};

static const double FLOOR_DB = -45; /* under the frame's loudest band: masked, or the noise floor */
static const double ACTIVE_DB = -35; /* a frame with sound, under the loudest of the clip */
static const double VOICED = 0.9;

static void *reserve(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) {
        fputs("no memory for a score\n", stderr);
        exit(1);
    }
    return p;
}

/* ---- spectra ---- */

/* How spectra of one kind are made. */
struct analysis {
    struct vox_fft fft;
    double *re, *im, *window;
    int values; /* in a spectrum */
};

static void analysis_init(struct analysis *a, size_t size, int values)
{
    if (vox_fft_init(&a->fft, size) < 0)
        exit(1);
    a->re = reserve(size, sizeof *a->re);
    a->im = reserve(size, sizeof *a->im);
    a->window = reserve(size, sizeof *a->window);
    a->values = values;
    for (size_t i = 0; i < size; i++)
        a->window[i] = 0.5 - 0.5 * cos(TWO_PI * ((double)i + 0.5) / (double)size);
}

static void analysis_clear(struct analysis *a)
{
    vox_fft_clear(&a->fft);
    free(a->re);
    free(a->im);
    free(a->window);
}

/* All channels in one. */
static struct sound mono_of(const struct sound *s)
{
    struct sound mono = sound_alloc(s->frames, 1);
    for (size_t i = 0; i < s->frames; i++)
        for (int c = 0; c < s->channels; c++)
            mono.pcm[i] += s->pcm[i * (size_t)s->channels + (size_t)c] / (float)s->channels;
    return mono;
}

/* Of a mono sound; 0 outside. */
static double at(const struct sound *s, int64_t frame)
{
    return frame < 0 || frame >= (int64_t)s->frames ? 0 : (double)s->pcm[frame];
}

static double mel(double hz)
{
    return 2595 * log10(1 + hz / 700);
}

/* The band of a line; -1: none. */
static int band_of(size_t line, size_t size)
{
    double hz = 48000.0 * (double)line / (double)size;
    if (hz < 50 || hz >= 16000)
        return -1;
    return (int)(BANDS * (mel(hz) - mel(50)) / (mel(16000) - mel(50)));
}

/* Power around a frame, by band or by line. */
static void analyse(struct analysis *a, const struct sound *s, int64_t middle, double *power)
{
    size_t size = a->fft.size;
    for (size_t i = 0; i < size; i++) {
        a->re[i] = a->window[i] * at(s, middle + (int64_t)i - (int64_t)size / 2);
        a->im[i] = 0;
    }
    vox_fft_forward(&a->fft, (struct vox_complex_array){a->re, a->im});
    for (int v = 0; v < a->values; v++)
        power[v] = 0;
    for (size_t k = 1; k < size / 2; k++) {
        int v = a->values == BANDS ? band_of(k, size) : (int)k - 1;
        if (v >= 0 && v < a->values)
            power[v] += a->re[k] * a->re[k] + a->im[k] * a->im[k];
    }
}

static double sum_of(const double *power, int values)
{
    double sum = 0;
    for (int v = 0; v < values; v++)
        sum += power[v];
    return sum;
}

/* Rms difference in dB, of what stands above the floor in either. */
static double distance(const double *a, const double *b, int values)
{
    double top = 0, sum = 0;
    int count = 0;
    for (int v = 0; v < values; v++)
        top = fmax(top, fmax(a[v], b[v]));
    double floor = top * pow(10, FLOOR_DB / 10) + 1e-30;
    for (int v = 0; v < values; v++) {
        if (a[v] <= floor && b[v] <= floor)
            continue;
        double db = 10 * log10(fmax(a[v], floor) / fmax(b[v], floor));
        sum += db * db;
        count++;
    }
    return count ? sqrt(sum / count) : 0;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct spread {
    double mean, p95;
};

static struct spread spread_of(double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    if (count == 0)
        return (struct spread){0};
    qsort(values, count, sizeof *values, compare_doubles);
    return (struct spread){sum / (double)count, values[count * 95 / 100]};
}

/* The least distance of a spectrum from the input's near a step. */
static double nearest(const double *power, const double *spectra, int64_t steps, int64_t step,
                      int values)
{
    double least = (double)INFINITY;
    for (int64_t k = step - NEAR; k <= step + NEAR; k++)
        if (k >= 0 && k < steps)
            least = fmin(least, distance(power, spectra + k * values, values));
    return least;
}

static struct spread compare(struct analysis *a, const struct sound *in, const struct sound *out)
{
    double power[MAX_VALUES], loudest = 0;
    int64_t steps = (int64_t)in->frames / STEP, frames = (int64_t)out->frames / HOP;
    double *spectra = reserve((size_t)(steps * a->values), sizeof *spectra);
    double *distances = reserve((size_t)frames, sizeof *distances);
    size_t count = 0;
    for (int64_t k = 0; k < steps; k++) {
        analyse(a, in, k * STEP, spectra + k * a->values);
        loudest = fmax(loudest, sum_of(spectra + k * a->values, a->values));
    }
    for (int64_t f = 0; f < frames; f++) {
        double place = (double)(f * HOP) * (double)in->frames / (double)out->frames;
        int64_t step = (int64_t)(place / STEP + 0.5);
        analyse(a, out, f * HOP, power);
        if (step < steps && sum_of(power, a->values) > loudest * pow(10, ACTIVE_DB / 10))
            distances[count++] = nearest(power, spectra, steps, step, a->values);
    }
    struct spread spread = spread_of(distances, count);
    free(spectra);
    free(distances);
    return spread;
}

/* ---- pitch, energy, clicks ---- */

static double similarity(const struct sound *s, int64_t from, int lag)
{
    double cross = 0, left = 0, right = 0;
    for (int64_t i = from; i < from + PITCH_WINDOW; i++) {
        double a = at(s, i), b = at(s, i + lag);
        cross += a * b;
        left += a * a;
        right += b * b;
    }
    return left > PITCH_WINDOW * 1e-5 ? cross / sqrt(left * right + 1e-20) : 0;
}

/* Period near a guess, between frames by a parabola; 0: not voiced, or the best is at the edge. */
static double refine(const struct sound *s, int64_t from, int guess, int reach)
{
    int best = 0;
    double most = VOICED;
    for (int lag = guess - reach; lag <= guess + reach; lag++) {
        double r = similarity(s, from, lag);
        if (r > most) {
            most = r;
            best = lag;
        }
    }
    if (best <= guess - reach || best >= guess + reach)
        return 0;
    double before = similarity(s, from, best - 1), after = similarity(s, from, best + 1);
    double bend = before - 2 * most + after;
    return bend < 0 ? best + 0.5 * (before - after) / bend : best;
}

/* The first peak that is nearly as high as any; 0: not voiced. */
static double period_of(const struct sound *s, int64_t from)
{
    double r[PITCH_LONGEST / 4 + 1] = {0}, most = 0;
    for (int lag = PITCH_SHORTEST; lag <= PITCH_LONGEST; lag += 4)
        most = fmax(most, r[lag / 4] = similarity(s, from, lag));
    if (most < VOICED)
        return 0;
    for (int k = PITCH_SHORTEST / 4 + 1; k < PITCH_LONGEST / 4; k++)
        if (r[k] > most - 0.05 && r[k] >= r[k - 1] && r[k] >= r[k + 1])
            return refine(s, from, 4 * k, 4);
    return 0;
}

/* Where the input looks most like the output's voiced frame, within NEAR; every fourth sample. */
static int64_t find_frame(const struct sound *in, const struct sound *out, int64_t from)
{
    double most = -1;
    int64_t middle = (int64_t)((double)from * (double)in->frames / (double)out->frames),
            best = middle;
    for (int64_t place = middle - NEAR * STEP; place <= middle + NEAR * STEP; place += 4) {
        double cross = 0, power = 1e-20;
        for (int64_t i = 0; i < PITCH_WINDOW + PITCH_LONGEST / 2; i += 4) {
            double a = at(out, from + i), b = at(in, place + i);
            cross += a * b;
            power += b * b;
        }
        if (cross > most * sqrt(power)) {
            most = cross / sqrt(power);
            best = place;
        }
    }
    return best;
}

/* By how much the output's pitch is above the input's, in the mean of all voiced frames. */
static double pitch_cents(const struct sound *in, const struct sound *out)
{
    double sum = 0;
    int count = 0;
    for (int64_t from = 0; from < (int64_t)out->frames; from += 3 * HOP) {
        double b = period_of(out, from);
        double a = b > 0 ? period_of(in, find_frame(in, out, from)) : 0;
        /* more is an octave's error, or another sound */
        if (a > 0 && fabs(log2(a / b)) < 0.1) {
            sum += 1200 * log2(a / b);
            count++;
        }
    }
    return count ? sum / count : 0;
}

static double mean_power(const struct sound *s)
{
    double sum = 0;
    size_t n = s->frames * (size_t)s->channels;
    for (size_t i = 0; i < n; i++)
        sum += (double)s->pcm[i] * (double)s->pcm[i];
    return sum / (double)n + 1e-20;
}

size_t stretch_clicks(const struct sound *in, const struct stretched *out)
{
    struct vox_damage_list list;
    struct vox_alignment map = {.count = out->count, .fit = 1};
    map.pieces = reserve(map.count, sizeof *map.pieces);
    for (size_t i = 0; i < map.count; i++) {
        int64_t from = out->places[i];
        map.pieces[i] = (struct vox_align_piece){.reference_frame = from,
                                                 .frames = STRETCH_PIECE,
                                                 .lag_frames = (int64_t)i * STRETCH_PIECE - from};
    }
    const struct vox_audio_view a = {in->pcm, in->frames, in->channels};
    const struct vox_audio_view b = {out->sound.pcm, out->sound.frames, out->sound.channels};
    if (vox_damage_find(&a, &b, &map, &list) < 0)
        exit(1);
    size_t clicks = list.clicks;
    vox_damage_list_clear(&list);
    free(map.pieces);
    return clicks;
}

static struct spread compare_spectra(const struct sound *in, const struct sound *out, size_t size,
                                     int values)
{
    struct analysis a;
    analysis_init(&a, size, values);
    struct spread spread = compare(&a, in, out);
    analysis_clear(&a);
    return spread;
}

void stretch_score(const struct sound *in, const struct sound *out, struct stretch_score *score)
{
    struct sound a = mono_of(in), b = mono_of(out);
    struct spread spectral = compare_spectra(&a, &b, SHORT, BANDS);
    *score = (struct stretch_score){
        .ratio = (double)out->frames / (double)in->frames,
        .spectral_db = spectral.mean,
        .worst_db = spectral.p95,
        .fine_db = compare_spectra(&a, &b, LONG, LINES).mean,
        .energy_db = 10 * log10(mean_power(out) / mean_power(in)),
        .pitch_cents = pitch_cents(&a, &b),
    };
    sound_free(&a);
    sound_free(&b);
}
