#include "receiver/stretch.h"

#include "base/rng.h"
#include "base/rt.h"
#include "support/test.h"

#include <math.h>

#define TWO_PI (2 * 3.14159265358979323846)

enum { FRAMES = 2400, PAST = VOX_STRETCH_LAG_MAX, ROOM = FRAMES + VOX_STRETCH_LAG_MAX };

static float pcm[ROOM * 2], original[ROOM * 2];

/* 200 Hz with overtones and a formant at about 800 Hz. */
static void fill_vowel(int channels)
{
    for (int i = 0; i < FRAMES; i++)
        for (int c = 0; c < channels; c++) {
            double t = i / 48000.0, x = 0;
            for (int h = 1; h <= 10; h++) {
                double off = (h * 200 - 800) / 300.0;
                x += 0.2 / (1 + off * off) * sin(TWO_PI * 200 * h * t + h);
            }
            pcm[i * channels + c] = (float)(c == 0 ? x : 0.5 * x);
        }
    memcpy(original, pcm, sizeof pcm);
}

static void fill_noise(double level)
{
    struct vox_rng rng;
    vox_rng_init(&rng, 9, 0);
    for (int i = 0; i < FRAMES; i++)
        pcm[i] = (float)(level * (2 * vox_rng_uniform(&rng) - 1));
    memcpy(original, pcm, sizeof pcm);
}

static int shorten(int frames, int channels)
{
    vox_rt_enter();
    int n = vox_stretch_shorten(pcm, frames, VOX_STRETCH_LAG_MAX, channels, VOX_STRETCH_UNHEARD);
    vox_rt_leave();
    return n;
}

/* With the first `past` frames played. */
static int lengthen(int past, int frames, int channels)
{
    vox_rt_enter();
    int n = vox_stretch_lengthen(pcm + past * channels, past, frames - past, channels,
                                 VOX_STRETCH_UNHEARD);
    vox_rt_leave();
    return n;
}

static double roughest(const float *samples, int frames, int channels)
{
    double most = 0;
    for (int i = 2; i < frames; i++)
        for (int c = 0; c < channels; c++) {
            double d = (double)samples[i * channels + c] -
                       2 * (double)samples[(i - 1) * channels + c] +
                       (double)samples[(i - 2) * channels + c];
            most = fmax(most, fabs(d));
        }
    return most;
}

static void expect_whole_periods(int frames)
{
    assert_in_range(frames, VOX_STRETCH_LAG_MIN, VOX_STRETCH_LAG_MAX);
    int off = frames % 240;
    if (off > 2 && off < 238)
        fail_msg("%d frames are no whole periods of 200 Hz", frames);
}

static void takes_out_whole_periods(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 2; channels++) {
        fill_vowel(channels);
        int gone = shorten(FRAMES, channels);
        expect_whole_periods(gone);
        assert_true(roughest(pcm, FRAMES - gone, channels) <
                    1.2 * roughest(original, FRAMES, channels));
        /* behind the splice all is as it was, only sooner */
        int from = VOX_STRETCH_FADE * channels;
        assert_memory_equal(pcm + from, original + from + gone * channels,
                            (size_t)((FRAMES - gone) * channels - from) * sizeof *pcm);
    }
}

static void puts_in_whole_periods(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 2; channels++) {
        fill_vowel(channels);
        int more = lengthen(PAST, FRAMES, channels);
        expect_whole_periods(more);
        assert_true(roughest(pcm, FRAMES + more, channels) <
                    1.2 * roughest(original, FRAMES, channels));
        /* what was played stays as it was, and all that was to come still comes */
        assert_memory_equal(pcm, original, (size_t)(PAST * channels) * sizeof *pcm);
        int from = (PAST + VOX_STRETCH_FADE) * channels;
        assert_memory_equal(pcm + from + more * channels, original + from,
                            (size_t)(FRAMES * channels - from) * sizeof *pcm);
    }
}

static void refuses_what_would_be_heard(void **state)
{
    (void)state;
    fill_noise(0.3);
    assert_int_equal(shorten(FRAMES, 1), 0);
    assert_int_equal(lengthen(PAST, FRAMES, 1), 0);
    assert_memory_equal(pcm, original, sizeof pcm);
}

static void silence_may_be_cut_anywhere(void **state)
{
    (void)state;
    memset(pcm, 0, sizeof pcm);
    assert_true(shorten(FRAMES, 1) > 0);
    assert_true(lengthen(PAST, FRAMES, 1) > 0);
    fill_noise(1e-4); /* the hiss of a room */
    assert_true(shorten(FRAMES, 1) > 0);
    assert_true(lengthen(PAST, FRAMES, 1) > 0);
}

static void looks_at_no_more_than_it_may(void **state)
{
    (void)state;
    const int least = VOX_STRETCH_LAG_MIN + VOX_STRETCH_FADE;
    fill_vowel(1);
    assert_int_equal(shorten(least - 1, 1), 0);
    assert_int_equal(lengthen(VOX_STRETCH_LAG_MIN - 1, FRAMES, 1), 0);
    assert_int_equal(lengthen(PAST, PAST + VOX_STRETCH_FADE - 1, 1), 0);
    /* a period is there, and a fade, and no more */
    int gone = shorten(240 + 4 + VOX_STRETCH_FADE, 1);
    expect_whole_periods(gone);
    assert_memory_equal(pcm + 240 + 4 + VOX_STRETCH_FADE, original + 240 + 4 + VOX_STRETCH_FADE,
                        (FRAMES - 240 - 4 - VOX_STRETCH_FADE) * sizeof *pcm);
    fill_vowel(1);
    int more = lengthen(PAST, PAST + VOX_STRETCH_FADE, 1);
    expect_whole_periods(more);
}

/* Where the buffer runs empty: again and again, the speed halved, for as long as a fade is left. */
static void lengthens_what_is_left_more_than_once(void **state)
{
    (void)state;
    fill_vowel(1);
    int at = PAST, frames = 480;
    for (int i = 0; i < 3; i++) {
        int more =
            vox_stretch_lengthen(pcm + at, VOX_STRETCH_LAG_MAX, frames, 1, VOX_STRETCH_UNHEARD);
        expect_whole_periods(more);
        at += more;
    }
    assert_true(roughest(pcm, at + frames, 1) < 1.2 * roughest(original, FRAMES, 1));
}

RUN(cmocka_unit_test(takes_out_whole_periods), cmocka_unit_test(puts_in_whole_periods),
    cmocka_unit_test(refuses_what_would_be_heard), cmocka_unit_test(silence_may_be_cut_anywhere),
    cmocka_unit_test(looks_at_no_more_than_it_may),
    cmocka_unit_test(lengthens_what_is_left_more_than_once))
