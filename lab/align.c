#include "lab/align.h"

#include "base/err.h"
#include "dsp/measure.h"
#include "lab/biquad.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CHANNELS = 8,
    MAX_LAG = 60 * 48000,
    STEP = 6,        /* frames of 48 kHz in one of 8 kHz */
    TAPS = 4 * STEP, /* of the Hann window that smooths before it: first zero at 4 kHz */
    HOP = 800,       /* the rest in frames of 8 kHz: 100 ms */
    WINDOW = 1920,   /* 240 ms */
    REACH = 320,     /* 40 ms */
    LAGS = 2 * REACH + 1,
    FIRST = 80000, /* 10 s */
    AGAIN = 16000, /* 2 s, of sound to find and of lags on either side */
    LOST_WINDOWS = 5,
    FINE = STEP + 2, /* frames of 48 kHz on either side of a lag found at 8 kHz */
    SETTLE = 480,    /* 10 ms */
    EXCURSION = 5
};

static const double LOWEST_HZ = 200.0; /* Opus in voip mode changes what lies below 100 */
static const double MIN_CORRELATION = 0.5;
/* Some lag of many fits by chance, even to what was concealed. */
static const double MIN_MOVED_CORRELATION = 0.7;
static const double BETTER_BY = 0.02;
/* Of the energy that a fit leaves over: what a lag may cost before another frame is taken. */
static const double FINE_BETTER_BY = 1.05;
static const double FINE_NOISE = 1e-4;
static const double ACTIVE_POWER = 1e-6; /* -60 dBFS */
static const double ACTIVE_SHARE = 1e-4; /* of the mean power: 40 dB below it */

struct tracker {
    const struct vox_audio_view *reference;
    const struct vox_audio_view *output;
    size_t channel;
    float *memory;
    float *ref8, *out8; /* at 8 kHz */
    int64_t ref8_frames, out8_frames;
    double active_power;
    int64_t *lags;     /* 48 kHz, one for each hop */
    signed char *fits; /* of each hop: 1 or -1; 0 in silence */
    int64_t hops;
    float heard[WINDOW + LAGS]; /* the output where the window's sound may be */
    float dots[LAGS];
    float fine_ref[WINDOW * STEP]; /* the same at 48 kHz, for few lags */
    float fine_out[WINDOW * STEP + 4 * FINE];
};

static void decimate(const struct vox_audio_view *v, size_t channel, float *out, int64_t frames)
{
    double taps[TAPS];
    for (int i = 0; i < TAPS; i++)
        taps[i] = (1.0 - cos(6.283185307179586 * (i + 0.5) / TAPS)) / TAPS;
    struct vox_biquad hp;
    vox_biquad_highpass(&hp, LOWEST_HZ, 48000.0 / STEP);
    for (int64_t j = 0; j < frames; j++) {
        double sum = 0.0;
        for (int i = 0; i < TAPS; i++)
            sum += taps[i] * vox_audio_at(v, channel, j * STEP + i - TAPS / 2);
        out[j] = (float)vox_biquad_next(&hp, sum);
    }
}

static double power_of(const float *samples, int64_t frames)
{
    double sum = 0.0;
    for (int64_t i = 0; i < frames; i++)
        sum += (double)samples[i] * (double)samples[i];
    return frames > 0 ? sum / (double)frames : 0.0;
}

/* The channel with the most energy; -1 for one that is not finite. */
static int loudest_channel(const struct vox_audio_view *v, double *energy)
{
    double sums[MAX_CHANNELS] = {0};
    size_t channels = (size_t)v->channels;
    for (size_t i = 0; i < v->frames; i++)
        for (size_t c = 0; c < channels; c++)
            sums[c] += (double)v->pcm[i * channels + c] * (double)v->pcm[i * channels + c];
    int best = 0;
    for (int c = 0; c < v->channels; c++) {
        if (!isfinite(sums[c]))
            return -1;
        best = sums[c] > sums[best] ? c : best;
    }
    *energy = sums[best];
    return best;
}

/* The first window with sound: silence in front of it tells nothing. */
static int64_t first_sound(const struct tracker *t)
{
    int64_t at = 0;
    while (at + HOP < t->ref8_frames && power_of(t->ref8 + at, HOP) < t->active_power)
        at += HOP;
    return at;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The lag (8 kHz) of up to `frames` of the reference from `at` on, between min and max. */
static int search(const struct tracker *t, int64_t at, int64_t frames, int64_t min, int64_t max,
                  struct vox_measured_delay *out)
{
    int64_t n = smaller(frames, t->ref8_frames - at);
    int64_t from = smaller(larger(at + min, 0), t->out8_frames);
    int64_t to = smaller(larger(at + n + max, from), t->out8_frames);
    int err = vox_measure_delay(t->ref8 + at, (size_t)n, t->out8 + from, (size_t)(to - from),
                                at + min - from, at + max - from, out);
    if (err == 0)
        out->lag_frames += (double)(from - at);
    return err;
}

/* heard[i] = the output at 8 kHz from `from` on, zeros beyond its ends. */
static void listen(struct tracker *t, int64_t from)
{
    for (int64_t i = 0; i < WINDOW + LAGS; i++)
        t->heard[i] = from + i >= 0 && from + i < t->out8_frames ? t->out8[from + i] : 0.0F;
}

/* The correlation of each lag with `frames` of the reference; the inner loop runs over lags. */
static void multiply(struct tracker *t, const float *ref, int64_t frames)
{
    memset(t->dots, 0, sizeof t->dots);
    for (int64_t i = 0; i < frames; i++)
        for (int k = 0; k < LAGS; k++)
            t->dots[k] += ref[i] * t->heard[i + k];
}

/*
 * The best of the lags around `lag8` for the window at `at`; its coefficient in *best, that of
 * lag8 and its neighbours in *kept.
 */
static int64_t scan(struct tracker *t, int64_t at, int64_t frames, int64_t lag8, double *best,
                    double *kept)
{
    const float *ref = t->ref8 + at;
    double ref_energy = power_of(ref, frames) * (double)frames;
    listen(t, at + lag8 - REACH);
    multiply(t, ref, frames);
    double energy = power_of(t->heard, frames) * (double)frames;
    double silence = 1e-9 * power_of(t->heard, WINDOW + LAGS) * (double)frames;
    int found = REACH;
    *best = *kept = 0.0;
    for (int k = 0; k < LAGS; k++) {
        double fit = energy > silence ? (double)t->dots[k] / sqrt(energy * ref_energy) : 0.0;
        if (abs(k - REACH) <= 1)
            *kept = fmax(*kept, fit);
        if (fit > *best) {
            *best = fit;
            found = k;
        }
        energy += (double)t->heard[k + frames] * (double)t->heard[k + frames] -
                  (double)t->heard[k] * (double)t->heard[k];
    }
    return lag8 + found - REACH;
}

/* out[i] = the frame from + i without its lowest tones, settled before. */
static void load(const struct vox_audio_view *v, size_t channel, int64_t from, int64_t frames,
                 float *out)
{
    struct vox_biquad hp;
    vox_biquad_highpass(&hp, LOWEST_HZ, 48000.0);
    for (int64_t i = -SETTLE; i < frames; i++) {
        double y = vox_biquad_next(&hp, vox_audio_at(v, channel, from + i));
        if (i >= 0)
            out[i] = (float)y;
    }
}

/* 1 - the normalised correlation of what was loaded, `shift` frames from where it begins. */
static double misfit(const struct tracker *t, int64_t frames, int64_t shift)
{
    double xy = 0.0;
    double xx = 1e-12;
    double yy = 1e-12;
    for (int64_t i = 0; i < frames; i++) {
        double x = (double)t->fine_ref[i];
        double y = (double)t->fine_out[i + shift];
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    return 1.0 - xy / sqrt(xx * yy);
}

static bool is_close(int64_t a, int64_t b)
{
    return llabs(a - b) <= FINE;
}

/* To the frame: the best lag around `lag`, or `before` if it fits as well. */
static int64_t refine(struct tracker *t, int64_t from, int64_t frames, int64_t lag, int64_t before)
{
    int64_t first = lag - 2 * FINE;
    load(t->reference, t->channel, from, frames, t->fine_ref);
    load(t->output, t->channel, from + first, frames + 4 * FINE, t->fine_out);
    if (lag == before && misfit(t, frames, 2 * FINE) <= FINE_NOISE)
        return before; /* for speed: most windows of a good recording */
    int64_t found = lag;
    double least = 3.0;
    for (int64_t l = lag - FINE; l <= lag + FINE; l++) {
        double left = misfit(t, frames, l - first);
        if (left < least) {
            least = left;
            found = l;
        }
    }
    if (!is_close(before, found))
        return found;
    bool as_good = misfit(t, frames, before - first) <= FINE_BETTER_BY * least + FINE_NOISE;
    return as_good ? before : found;
}

static int64_t to_8k(int64_t lag)
{
    return (int64_t)floor((double)lag / STEP + 0.5);
}

/* The lag of one hop, from the one before; *lost counts windows of sound that fit nowhere. */
static int64_t follow(struct tracker *t, int64_t hop, int64_t before, int *lost)
{
    int64_t from = larger(hop * HOP - (WINDOW - HOP) / 2, 0);
    int64_t frames = smaller(WINDOW, t->ref8_frames - from);
    if (frames < HOP || power_of(t->ref8 + from, frames) < t->active_power)
        return before;
    double best;
    double kept;
    int64_t lag8 = scan(t, from, frames, to_8k(before), &best, &kept);
    bool moved = best > kept + BETTER_BY;
    bool fits = best >= (moved ? MIN_MOVED_CORRELATION : MIN_CORRELATION);
    t->fits[hop] = fits ? 1 : -1;
    if (!fits) {
        ++*lost;
        return before;
    }
    *lost = 0;
    int64_t near = moved ? lag8 * STEP : before;
    return refine(t, from * STEP, frames * STEP, near, before);
}

/* The lag around the lost windows, anywhere within two seconds; `before` if there is none. */
static int64_t find_again(const struct tracker *t, int64_t hop, int64_t before)
{
    struct vox_measured_delay found;
    int64_t lag8 = to_8k(before);
    int64_t from = larger(hop * HOP, 0);
    int err = search(t, from, AGAIN, lag8 - AGAIN, lag8 + AGAIN, &found);
    if (err < 0 || found.correlation < MIN_CORRELATION)
        return before;
    return (int64_t)lround(found.lag_frames) * STEP;
}

static void track(struct tracker *t, int64_t lag)
{
    int lost = 0;
    int64_t tried_from = -1;
    for (int64_t hop = 0; hop < t->hops; hop++) {
        lag = t->lags[hop] = follow(t, hop, lag, &lost);
        if (lost < LOST_WINDOWS)
            continue;
        lost = 0;
        int64_t back = hop + 1 - LOST_WINDOWS;
        int64_t again = find_again(t, back, lag);
        if (again == lag || back <= tried_from)
            continue;
        tried_from = hop; /* going back once is enough */
        lag = again;
        hop = larger(back, 0) - 1;
    }
}

static double share_that_fits(const struct tracker *t)
{
    int64_t fitting = 0;
    int64_t sounding = 0;
    for (int64_t hop = 0; hop < t->hops; hop++) {
        fitting += t->fits[hop] > 0 ? 1 : 0;
        sounding += t->fits[hop] != 0 ? 1 : 0;
    }
    return sounding > 0 ? (double)fitting / (double)sounding : 0.0;
}

/* Whether `lag` is where it was `before` a change to `changed`: to the frame, or after a jump. */
static bool is_back(int64_t lag, int64_t before, int64_t changed)
{
    return lag == before || (is_close(lag, before) && !is_close(changed, before));
}

/*
 * Concealment fits the reference at some odd lag for a moment; one that is back where it was within
 * half a second was none.
 */
static void forget_excursions(struct tracker *t)
{
    for (int64_t hop = 1; hop < t->hops; hop++) {
        int64_t before = t->lags[hop - 1];
        int64_t changed = t->lags[hop];
        int64_t end = hop;
        while (end < t->hops && end <= hop + EXCURSION && !is_back(t->lags[end], before, changed))
            end++;
        if (end == t->hops || !is_back(t->lags[end], before, changed))
            continue;
        for (int64_t i = hop; i < end; i++)
            t->lags[i] = before;
    }
}

/* A window across a jump shows a mixture: close to one side, but not it. Its neighbour knows. */
static void tidy_jumps(struct tracker *t)
{
    for (int64_t hop = 1; hop + 2 < t->hops; hop++) {
        int64_t *lag = t->lags + hop;
        if (is_close(lag[0], lag[1]))
            continue;
        if (is_close(lag[0], lag[-1]))
            lag[0] = lag[-1];
        if (is_close(lag[1], lag[2]))
            lag[1] = lag[2];
    }
}

static double error_at(const struct tracker *t, int64_t frame, int64_t lag)
{
    double e = vox_audio_at(t->reference, t->channel, frame) -
               vox_audio_at(t->output, t->channel, frame + lag);
    return e * e;
}

/*
 * Where in from..to of the reference the earlier lag best gives way to the later one; what lies
 * between the two in the reference is left out of both.
 */
static int64_t split(const struct tracker *t, int64_t from, int64_t to, int64_t earlier,
                     int64_t later)
{
    int64_t omitted = larger(earlier - later, 0);
    double cost = 0.0;
    double least = 0.0;
    int64_t best = from;
    for (int64_t i = from; i + omitted < to; i++) {
        cost += error_at(t, i, earlier) - error_at(t, i + omitted, later);
        if (cost < least) {
            least = cost;
            best = i + 1;
        }
    }
    return best;
}

static struct vox_align_piece *last_piece(struct vox_alignment *a)
{
    return &a->pieces[a->count - 1];
}

/* Ends the last piece between two hops and begins the next. */
static void begin_piece(const struct tracker *t, int64_t hop, struct vox_alignment *a)
{
    struct vox_align_piece *before = last_piece(a);
    int64_t lag = t->lags[hop];
    int64_t end = (int64_t)t->reference->frames;
    int64_t border = hop * HOP * STEP;
    int64_t width = (int64_t)WINDOW * STEP / 2;
    int64_t from = larger(border - width, before->reference_frame);
    int64_t to = smaller(border + width, end);
    int64_t omitted = larger(before->lag_frames - lag, 0);
    int64_t at = split(t, from, smaller(to + omitted, end), before->lag_frames, lag);
    before->frames = at - before->reference_frame;
    if (at + omitted >= end)
        return;
    if (before->frames > 0)
        a->count++;
    *last_piece(a) = (struct vox_align_piece){.reference_frame = at + omitted, .lag_frames = lag};
}

static int make_pieces(const struct tracker *t, struct vox_alignment *a)
{
    size_t most = 1;
    for (int64_t hop = 1; hop < t->hops; hop++)
        most += t->lags[hop] != t->lags[hop - 1] ? 1 : 0;
    a->pieces = calloc(most, sizeof *a->pieces);
    if (!a->pieces)
        return VOX_ENOMEM;
    a->count = 1;
    a->pieces[0].lag_frames = t->lags[0];
    for (int64_t hop = 1; hop < t->hops; hop++)
        if (t->lags[hop] != t->lags[hop - 1] && t->lags[hop] != last_piece(a)->lag_frames)
            begin_piece(t, hop, a);
    last_piece(a)->frames = (int64_t)t->reference->frames - last_piece(a)->reference_frame;
    return 0;
}

static int reserve(struct tracker *t)
{
    t->ref8_frames = (int64_t)t->reference->frames / STEP;
    t->out8_frames = (int64_t)t->output->frames / STEP;
    t->hops = t->ref8_frames / HOP + 1;
    t->memory = calloc((size_t)(t->ref8_frames + t->out8_frames) + 1, sizeof *t->memory);
    t->lags = calloc((size_t)t->hops, sizeof *t->lags);
    t->fits = calloc((size_t)t->hops, sizeof *t->fits);
    if (!t->memory || !t->lags || !t->fits)
        return VOX_ENOMEM;
    t->ref8 = t->memory;
    t->out8 = t->memory + t->ref8_frames;
    decimate(t->reference, t->channel, t->ref8, t->ref8_frames);
    decimate(t->output, t->channel, t->out8, t->out8_frames);
    t->active_power = fmax(ACTIVE_POWER, ACTIVE_SHARE * power_of(t->ref8, t->ref8_frames));
    return 0;
}

static int align(struct tracker *t, int64_t min_lag, int64_t max_lag, struct vox_alignment *out)
{
    struct vox_alignment a = {0};
    struct vox_measured_delay first;
    int64_t lag = min_lag > 0 ? min_lag : smaller(max_lag, 0);
    int err = reserve(t);
    if (err < 0)
        return err;
    err = search(t, first_sound(t), FIRST, to_8k(min_lag), to_8k(max_lag), &first);
    if (err == VOX_ENOMEM)
        return err;
    if (err == 0)
        lag = larger(min_lag, smaller(max_lag, (int64_t)lround(first.lag_frames * STEP)));
    track(t, lag);
    a.fit = share_that_fits(t);
    forget_excursions(t);
    tidy_jumps(t);
    err = make_pieces(t, &a);
    if (err == 0)
        *out = a;
    return err;
}

int vox_align(const struct vox_audio_view *reference, const struct vox_audio_view *output,
              int64_t min_lag_frames, int64_t max_lag_frames, struct vox_alignment *out)
{
    if (reference->channels < 1 || reference->channels > MAX_CHANNELS ||
        reference->channels != output->channels || min_lag_frames > max_lag_frames ||
        min_lag_frames < -MAX_LAG || max_lag_frames > MAX_LAG)
        return VOX_EINVAL;
    double heard;
    double energy;
    int channel = loudest_channel(reference, &energy);
    if (channel < 0 || !(energy > 0.0) || loudest_channel(output, &heard) < 0)
        return VOX_EINVAL;
    struct tracker *t = calloc(1, sizeof *t);
    if (!t)
        return VOX_ENOMEM;
    t->reference = reference;
    t->output = output;
    t->channel = (size_t)channel;
    int err = align(t, min_lag_frames, max_lag_frames, out);
    free(t->memory);
    free(t->lags);
    free(t->fits);
    free(t);
    return err;
}

void vox_alignment_clear(struct vox_alignment *alignment)
{
    free(alignment->pieces);
    *alignment = (struct vox_alignment){0};
}
