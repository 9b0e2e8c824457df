#include "dsp/fractional.h"

#include "base/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAPS = 2 * VOX_FRACTIONAL_HELD,
    PHASES = 256,
    ROOM = 512, /* frames of input held */
};

/* 90 dB of stop band; its transition band, 8.8 of 48 kHz wide, lies around the Nyquist frequency.
 */
static const double KAISER_BETA = 9.0;
/* A new ratio is taken up within some hundred frames: a step in pitch would be a click, if a faint
 * one. */
static const double GLIDE = 1.0 / 128;
static const double PI = 3.14159265358979323846;

struct vox_fractional {
    int channels;
    double place; /* in the history: of the first tap of the next output frame */
    double step;  /* to the one after it; 0: not begun */
    size_t count; /* frames in the history */
    float taps[PHASES + 1][TAPS];
    float history[]; /* [channels][ROOM] */
};

/* Modified Bessel function of the first kind, order 0. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 50; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static double windowed_sinc(double at)
{
    double edge = at / VOX_FRACTIONAL_HELD;
    if (fabs(edge) >= 1)
        return 0;
    double sinc = at == 0 ? 1 : sin(PI * at) / (PI * at);
    return sinc * bessel_i0(KAISER_BETA * sqrt(1 - edge * edge)) / bessel_i0(KAISER_BETA);
}

/* Each phase lets a constant through as it is. */
static void design(struct vox_fractional *f)
{
    for (int p = 0; p <= PHASES; p++) {
        double tap[TAPS], sum = 0;
        for (int k = 0; k < TAPS; k++) {
            tap[k] = windowed_sinc(k - (VOX_FRACTIONAL_HELD - 1) - (double)p / PHASES);
            sum += tap[k];
        }
        for (int k = 0; k < TAPS; k++)
            f->taps[p][k] = (float)(tap[k] / sum);
    }
}

int vox_fractional_create(int channels, struct vox_fractional **out)
{
    struct vox_fractional *f =
        calloc(1, sizeof *f + (size_t)channels * ROOM * sizeof f->history[0]);
    if (!f)
        return VOX_ENOMEM;
    f->channels = channels;
    design(f);
    vox_fractional_reset(f);
    *out = f;
    return 0;
}

void vox_fractional_destroy(struct vox_fractional *f)
{
    free(f);
}

/* Silence in front of the first frame. */
void vox_fractional_reset(struct vox_fractional *f)
{
    memset(f->history, 0, (size_t)f->channels * ROOM * sizeof f->history[0]);
    f->place = 0;
    f->step = 0;
    f->count = VOX_FRACTIONAL_HELD - 1;
}

/* Moves what is still needed to the front. */
static void make_room(struct vox_fractional *f)
{
    size_t gone = (size_t)f->place;
    for (int c = 0; c < f->channels; c++) {
        float *history = f->history + (size_t)c * ROOM;
        memmove(history, history + gone, (f->count - gone) * sizeof *history);
    }
    f->count -= gone;
    f->place -= (double)gone;
}

/* As much as there is room for. */
static size_t read_frames(struct vox_fractional *f, const float *in, size_t in_frames)
{
    if (f->count + in_frames > ROOM)
        make_room(f);
    size_t n = in_frames < ROOM - f->count ? in_frames : ROOM - f->count;
    for (int c = 0; c < f->channels; c++) {
        float *end = f->history + (size_t)c * ROOM + f->count;
        for (size_t i = 0; i < n; i++)
            end[i] = in[i * (size_t)f->channels + (size_t)c];
    }
    f->count += n;
    return n;
}

/* In an order of addition that vector units have too, so that it is the same with and without. */
static float dot(const float *a, const float *b)
{
    float sum[TAPS];
    for (int k = 0; k < TAPS; k++)
        sum[k] = a[k] * b[k];
    for (int k = 0; k < TAPS / 2; k++)
        sum[k] += sum[k + TAPS / 2];
    for (int k = 0; k < TAPS / 4; k++)
        sum[k] += sum[k + TAPS / 4];
    for (int k = 0; k < TAPS / 8; k++)
        sum[k] += sum[k + TAPS / 8];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

static void write_frame(const struct vox_fractional *f, float *out)
{
    float taps[TAPS];
    size_t first = (size_t)f->place;
    double phase = (f->place - (double)first) * PHASES;
    int p = (int)phase;
    float between = (float)(phase - p);
    for (int k = 0; k < TAPS; k++)
        taps[k] = f->taps[p][k] + between * (f->taps[p + 1][k] - f->taps[p][k]);
    for (int c = 0; c < f->channels; c++)
        out[c] = dot(taps, f->history + (size_t)c * ROOM + first);
}

/* Input that `out_frames` more frames need and that is not in the history: no more is read, so that
 * what is held stays the same. */
static size_t missing_frames(const struct vox_fractional *f, size_t out_frames)
{
    size_t end = (size_t)(f->place + f->step * (double)(out_frames - 1)) + TAPS;
    return end > f->count ? end - f->count : 0;
}

size_t vox_fractional_process(struct vox_fractional *f, double ratio, const float *in,
                              size_t in_frames, size_t *used, float *out, size_t out_frames)
{
    double step = 1 / ratio;
    size_t made = 0;
    f->step = f->step == 0 ? step : f->step;
    size_t missing = out_frames > 0 ? missing_frames(f, out_frames) : 0;
    *used = read_frames(f, in, missing < in_frames ? missing : in_frames);
    while (made < out_frames && (size_t)f->place + TAPS <= f->count) {
        write_frame(f, out + made * (size_t)f->channels);
        f->place += f->step;
        f->step += (step - f->step) * GLIDE;
        made++;
    }
    return made;
}
