#include "dsp/pcm.h"

#include <math.h>
#include <string.h>

enum { MAX_MIX_CHANNELS = 6, LANES = 32 };

static const double SILENCE_DB = -120.0;

/* Branch-free, so that it vectorises: a comparison with NaN is false and both selects yield 0. */
static float saturated(float x)
{
    float low = x > -32768.0F ? x : -32768.0F;
    float both = low < 32767.0F ? low : 32767.0F;
    return x == x ? both : 0.0F; /* NaN alone differs from itself */
}

void vox_pcm_to_s16(const float *in, size_t count, int16_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (int16_t)lrintf(saturated(in[i] * 32768.0F));
}

void vox_pcm_from_s16(const int16_t *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)in[i] * (1.0F / 32768.0F);
}

static float mean_of(const float *frame, int channels)
{
    float sum = 0.0F;
    for (int c = 0; c < channels; c++)
        sum += frame[c];
    return sum / (float)channels;
}

static void spread_mono(const float *in, size_t frames, float *out, int out_channels)
{
    if (out_channels == 2) { /* the usual case: with a constant stride it vectorises */
        for (size_t i = 0; i < frames; i++)
            out[2 * i] = out[2 * i + 1] = in[i];
        return;
    }
    for (size_t i = 0; i < frames; i++)
        for (int c = 0; c < out_channels; c++)
            *out++ = in[i];
}

static void average(const float *in, int in_channels, size_t frames, float *out)
{
    if (in_channels == 2) {
        for (size_t i = 0; i < frames; i++)
            out[i] = (in[2 * i] + in[2 * i + 1]) / 2.0F;
        return;
    }
    for (size_t i = 0; i < frames; i++, in += in_channels)
        out[i] = mean_of(in, in_channels);
}

#define M3DB 0.70710678F

/*
 * What each input channel gives to left and right (ITU-R BS.775-3, annex 4, table 2), by the number
 * of channels, in WAVE order: L R | C | LFE | surrounds. Four channels are L R Ls Rs (quad). The
 * LFE is left out, as the recommendation does. The sum may pass full scale; the meter shows it.
 */
static const float DOWNMIX[MAX_MIX_CHANNELS + 1][MAX_MIX_CHANNELS][2] = {
    [3] = {{1, 0}, {0, 1}, {M3DB, M3DB}},
    [4] = {{1, 0}, {0, 1}, {M3DB, 0}, {0, M3DB}},
    [5] = {{1, 0}, {0, 1}, {M3DB, M3DB}, {M3DB, 0}, {0, M3DB}},
    [6] = {{1, 0}, {0, 1}, {M3DB, M3DB}, {0, 0}, {M3DB, 0}, {0, M3DB}},
};

static void downmix(const float *in, int in_channels, size_t frames, float *out)
{
    const float(*gain)[2] = DOWNMIX[in_channels];
    for (size_t i = 0; i < frames; i++, in += in_channels) {
        float left = 0.0F;
        float right = 0.0F;
        for (int c = 0; c < in_channels; c++) {
            left += in[c] * gain[c][0];
            right += in[c] * gain[c][1];
        }
        *out++ = left;
        *out++ = right;
    }
}

/* The first channels as they are, silence in those that the input lacks. */
static void take_first(const float *in, int in_channels, size_t frames, float *out,
                       int out_channels)
{
    for (size_t i = 0; i < frames; i++, in += in_channels)
        for (int c = 0; c < out_channels; c++)
            *out++ = c < in_channels ? in[c] : 0.0F;
}

void vox_pcm_remix(const float *in, int in_channels, size_t frames, float *out, int out_channels)
{
    if (frames == 0)
        return;
    if (in_channels == out_channels)
        memcpy(out, in, frames * (size_t)in_channels * sizeof *out);
    else if (in_channels == 1)
        spread_mono(in, frames, out, out_channels);
    else if (out_channels == 1)
        average(in, in_channels, frames, out);
    else if (out_channels == 2 && in_channels <= MAX_MIX_CHANNELS)
        downmix(in, in_channels, frames, out);
    else
        take_first(in, in_channels, frames, out, out_channels);
}

/* The plain way, which leaves NaN out. */
static float measure_carefully(const float *samples, size_t count, float *peak)
{
    float sum = 0.0F;
    for (size_t i = 0; i < count; i++) {
        float x = samples[i] == samples[i] ? samples[i] : 0.0F;
        sum += x * x;
        *peak = fabsf(x) > *peak ? fabsf(x) : *peak;
    }
    return sum;
}

/* LANES sums at a time: one sum has one order, which could not be vectorised. NaN comes through. */
static float measure(const float *samples, size_t count, float *peak)
{
    float sums[LANES] = {0.0F}, peaks[LANES] = {0.0F};
    for (size_t i = 0; i < count; i += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            float x = samples[i + k];
            float size = fabsf(x);
            sums[k] += x * x;
            peaks[k] = size > peaks[k] ? size : peaks[k];
        }
    }
    float sum = 0.0F;
    for (size_t k = 0; k < LANES; k++) {
        sum += sums[k];
        *peak = peaks[k] > *peak ? peaks[k] : *peak;
    }
    return sum;
}

void vox_pcm_meter_add(struct vox_pcm_meter *meter, const float *samples, size_t count)
{
    size_t whole = count - count % LANES;
    float sum = measure(samples, whole, &meter->peak);
    if (sum != sum)
        sum = measure_carefully(samples, whole, &meter->peak);
    sum += measure_carefully(samples + whole, count - whole, &meter->peak);
    meter->sum_squares += (double)sum;
    meter->count += count;
}

static double level_db(double ratio)
{
    double db = ratio > 0.0 ? 20.0 * log10(ratio) : SILENCE_DB;
    return db > SILENCE_DB ? db : SILENCE_DB;
}

double vox_pcm_meter_rms_db(struct vox_pcm_meter *meter, double *peak_db)
{
    double mean = meter->count > 0 ? meter->sum_squares / (double)meter->count : 0.0;
    if (peak_db)
        *peak_db = level_db((double)meter->peak);
    *meter = (struct vox_pcm_meter){0};
    return level_db(sqrt(mean));
}
