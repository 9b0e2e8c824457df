#include "receiver/stretch.h"

#include <math.h>
#include <string.h>

enum { COARSE = 4 }; /* every fourth lag and sample first */

/* Mean square under which it is silence, and any splice will do: -60 dBFS. */
#define SILENT 1e-6

/* A splice of the longest lag counts for as much as this much similarity: several periods at once
 * are one splice instead of several. */
#define LONG_LAG_BONUS 0.15

/* A place for a splice: how far from the next frame, and how well the two fit. */
struct fit {
    int lag; /* > 0 */
    double similarity;
    double score;
    double power; /* mean square of both sides */
};

/* Normalised correlation over the fade's length, all channels, every `step`-th frame. */
static struct fit compare(const float *here, int lag, int way, int channels, int step)
{
    const float *there = here + way * lag * channels;
    double cross = 0, left = 0, right = 0;
    for (int i = 0; i < VOX_STRETCH_FADE; i += step)
        for (int c = 0; c < channels; c++) {
            double a = (double)here[i * channels + c];
            double b = (double)there[i * channels + c];
            cross += a * b;
            left += a * a;
            right += b * b;
        }
    return (struct fit){.lag = lag,
                        .similarity = cross / sqrt(left * right + 1e-20),
                        .power = (left + right) * step / (2.0 * VOX_STRETCH_FADE * channels)};
}

/* The best lag of from..to. way: 1 is audio to come, -1 audio that was played. */
static struct fit best_of(const float *here, int from, int to, int way, int channels, int step)
{
    struct fit best = {.lag = from, .score = -2};
    for (int lag = from; lag <= to; lag += step) {
        struct fit fit = compare(here, lag, way, channels, step);
        fit.score = fit.similarity + LONG_LAG_BONUS * lag / VOX_STRETCH_LAG_MAX;
        if (fit.score > best.score)
            best = fit;
    }
    return best;
}

/* The best lag up to `most`, or 0 if no splice is good enough. */
static int find_lag(const float *here, int most, int way, int channels, double least_similarity)
{
    if (most < VOX_STRETCH_LAG_MIN)
        return 0;
    most = most < VOX_STRETCH_LAG_MAX ? most : VOX_STRETCH_LAG_MAX;
    int middle = best_of(here, VOX_STRETCH_LAG_MIN, most, way, channels, COARSE).lag;
    int from = middle - COARSE + 1, to = middle + COARSE - 1;
    from = from < VOX_STRETCH_LAG_MIN ? VOX_STRETCH_LAG_MIN : from;
    struct fit best = best_of(here, from, to < most ? to : most, way, channels, 1);
    return best.similarity >= least_similarity || best.power < SILENT ? best.lag : 0;
}

/* Over the fade, `pcm` begins as `from` and ends as it is. */
static void fade_over(const float *from, float *pcm, int channels)
{
    for (int i = 0; i < VOX_STRETCH_FADE; i++) {
        float in = (float)(i + 1) / (float)(VOX_STRETCH_FADE + 1);
        for (int k = i * channels; k < (i + 1) * channels; k++)
            pcm[k] = from[k] * (1 - in) + pcm[k] * in;
    }
}

static size_t bytes_of(int frames, int channels)
{
    return (size_t)frames * (size_t)channels * sizeof(float);
}

int vox_stretch_shorten(float *next, int frames, int most, int channels, double least_similarity)
{
    float from[VOX_STRETCH_FADE * 2];
    int there = frames - VOX_STRETCH_FADE;
    int lag = find_lag(next, there < most ? there : most, 1, channels, least_similarity);
    if (lag == 0)
        return 0;
    memcpy(from, next, bytes_of(VOX_STRETCH_FADE, channels));
    memmove(next, next + lag * channels, bytes_of(frames - lag, channels));
    fade_over(from, next, channels);
    return lag;
}

int vox_stretch_lengthen(float *next, int past, int frames, int channels, double least_similarity)
{
    float from[VOX_STRETCH_FADE * 2];
    int most = frames < VOX_STRETCH_FADE ? 0 : past;
    int lag = find_lag(next, most, -1, channels, least_similarity);
    if (lag == 0)
        return 0;
    memcpy(from, next, bytes_of(VOX_STRETCH_FADE, channels));
    memmove(next + lag * channels, next, bytes_of(frames, channels));
    memcpy(next, next - lag * channels, bytes_of(lag, channels));
    fade_over(from, next, channels);
    return lag;
}
