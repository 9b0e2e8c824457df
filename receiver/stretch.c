#include "receiver/stretch.h"

#include <string.h>

enum {
    COARSE = 4, /* every fourth lag and sample first */
    LANES = 4,  /* sums side by side: without them the compiler may not vectorise */
    SEEN_MOST = VOX_STRETCH_LAG_MAX + VOX_STRETCH_FADE,
};

/*
 * What the ear hears of a splice lies in the formants and partials, most of the energy in the
 * fundamental or the bass. So the sides are compared with their highs raised (by 6 dB an octave
 * from 800 Hz on). Without, a bass note alone makes splices of an orchestra look good.
 */
#define TILT 0.9F

/* Mean square, of that, under which it is silence and any splice will do: -60 dBFS. */
#define SILENT 1e-6F

/* A splice of the longest lag counts for as much as this much similarity: several periods at once
 * are one splice instead of several. */
#define LONG_LAG_BONUS 0.3F

/* What a search may look at, interleaved, with its highs raised. */
struct scene {
    float pcm[SEEN_MOST * 2];
    int frames;
    int here; /* the frame at which the splice is to be */
    int channels;
};

struct fit {
    int lag; /* > 0 */
    float similarity;
    float power; /* mean square of both sides */
};

static void raise_highs(const float *pcm, int frames, int channels, struct scene *out)
{
    for (int k = 0; k < channels; k++)
        out->pcm[k] = pcm[k] * (1 - TILT);
    for (int k = channels; k < frames * channels; k++)
        out->pcm[k] = pcm[k] - TILT * pcm[k - channels];
    out->frames = frames;
    out->channels = channels;
}

/* Every COARSE-th frame, `here` among them. */
static void thin_out(const struct scene *all, struct scene *out)
{
    const int channels = all->channels;
    int n = 0;
    for (int i = all->here % COARSE; i < all->frames; i += COARSE, n++)
        for (int c = 0; c < channels; c++)
            out->pcm[n * channels + c] = all->pcm[i * channels + c];
    out->frames = n;
    out->here = all->here / COARSE;
    out->channels = channels;
}

static float dot(const float *a, const float *b, int n)
{
    float lanes[LANES] = {0}, sum = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (int k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

/* The best lag of from..to, in frames of the scene; `bonus` for each. way: 1 is audio to come, -1
 * audio that was played. */
static struct fit best_of(const struct scene *scene, int fade, int from, int to, int way,
                          float bonus)
{
    const float *here = scene->pcm + scene->here * scene->channels;
    const int n = fade * scene->channels;
    const float left = dot(here, here, n);
    struct fit best = {.lag = from, .similarity = -1, .power = 1};
    float most = -2;
    for (int lag = from; lag <= to; lag++) {
        const float *there = here + way * lag * scene->channels;
        float both = left + dot(there, there, n) + 1e-20F;
        float similarity = 2 * dot(here, there, n) / both;
        if (similarity + bonus * (float)lag > most) {
            most = similarity + bonus * (float)lag;
            best = (struct fit){lag, similarity, both / (float)(2 * n)};
        }
    }
    return best;
}

/* The best lag up to `most`, or 0 if no splice is good enough. Where the rough search ends, the
 * bonus has done its work: in the fine one it would only lower the pitch. */
static int find_lag(const float *next, int most, int way, int channels, double least_similarity)
{
    struct scene scene, thin;
    if (most < VOX_STRETCH_LAG_MIN)
        return 0;
    most = most < VOX_STRETCH_LAG_MAX ? most : VOX_STRETCH_LAG_MAX;
    scene.here = way > 0 ? 0 : most;
    raise_highs(next - scene.here * channels, most + VOX_STRETCH_FADE, channels, &scene);
    thin_out(&scene, &thin);
    int middle = COARSE * best_of(&thin, VOX_STRETCH_FADE / COARSE, VOX_STRETCH_LAG_MIN / COARSE,
                                  most / COARSE, way, LONG_LAG_BONUS * COARSE / VOX_STRETCH_LAG_MAX)
                              .lag;
    int from = middle - COARSE + 1, to = middle + COARSE - 1;
    from = from < VOX_STRETCH_LAG_MIN ? VOX_STRETCH_LAG_MIN : from;
    struct fit best = best_of(&scene, VOX_STRETCH_FADE, from, to < most ? to : most, way, 0);
    return (double)best.similarity >= least_similarity || best.power < SILENT ? best.lag : 0;
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
