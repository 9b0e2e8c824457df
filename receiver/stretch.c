#include "receiver/stretch.h"

#include <math.h>
#include <string.h>

enum { COARSE = 4 }; /* every fourth lag and sample first */

/* Below this similarity a splice is audible in speech. */
#define SIMILAR_ENOUGH 0.75
/* Mean square under which it is silence, and any splice will do: -60 dBFS. */
#define SILENT 1e-6

/* Normalised correlation of the fade's length at `lag`, first channel, every `step`-th sample. */
static double similarity(const float *pcm, int channels, int lag, int step, double *power)
{
    double cross = 0, here = 0, there = 0;
    for (int i = 0; i < VOX_STRETCH_FADE; i += step) {
        double a = (double)pcm[i * channels];
        double b = (double)pcm[(i + lag) * channels];
        cross += a * b;
        here += a * a;
        there += b * b;
    }
    *power = (here + there) * step / (2.0 * VOX_STRETCH_FADE);
    return cross / sqrt(here * there + 1e-20);
}

/* The best lag, or 0 if no splice would go unheard. */
static int best_lag(const float *pcm, int channels)
{
    int best = VOX_STRETCH_LAG_MAX;
    double top = -1, power = 0;
    for (int lag = VOX_STRETCH_LAG_MIN; lag <= VOX_STRETCH_LAG_MAX; lag += COARSE) {
        double s = similarity(pcm, channels, lag, COARSE, &power);
        if (s > top) {
            top = s;
            best = lag;
        }
    }
    int middle = best;
    top = -1;
    for (int lag = middle - COARSE + 1; lag < middle + COARSE; lag++) {
        if (lag < VOX_STRETCH_LAG_MIN || lag > VOX_STRETCH_LAG_MAX)
            continue;
        double s = similarity(pcm, channels, lag, 1, &power);
        if (s > top) {
            top = s;
            best = lag;
        }
    }
    similarity(pcm, channels, best, 1, &power);
    return top >= SIMILAR_ENOUGH || power < SILENT ? best : 0;
}

/* out goes from `from` to `to` linearly over the fade; it overlaps neither. */
static void cross_fade(const float *from, const float *to, int channels, float *out)
{
    for (int i = 0; i < VOX_STRETCH_FADE; i++) {
        float in = (float)(i + 1) / (float)(VOX_STRETCH_FADE + 1);
        for (int c = 0; c < channels; c++) {
            int k = i * channels + c;
            out[k] = from[k] * (1 - in) + to[k] * in;
        }
    }
}

int vox_stretch_shorten(float *pcm, int frames, int channels)
{
    if (frames < VOX_STRETCH_NEED_FRAMES)
        return 0;
    int lag = best_lag(pcm, channels);
    if (lag == 0)
        return 0;
    float fade[VOX_STRETCH_FADE * 2];
    cross_fade(pcm, pcm + lag * channels, channels, fade);
    memmove(pcm, pcm + lag * channels, (size_t)(frames - lag) * (size_t)channels * sizeof *pcm);
    memcpy(pcm, fade, (size_t)(VOX_STRETCH_FADE * channels) * sizeof *pcm);
    return lag;
}

int vox_stretch_lengthen(float *pcm, int frames, int channels)
{
    if (frames < VOX_STRETCH_NEED_FRAMES)
        return 0;
    int lag = best_lag(pcm, channels);
    if (lag == 0)
        return 0;
    float fade[VOX_STRETCH_FADE * 2];
    cross_fade(pcm + lag * channels, pcm, channels, fade);
    float *repeat = pcm + lag * channels;
    memmove(repeat, pcm, (size_t)frames * (size_t)channels * sizeof *pcm);
    memcpy(repeat, fade, (size_t)(VOX_STRETCH_FADE * channels) * sizeof *pcm);
    return lag;
}
