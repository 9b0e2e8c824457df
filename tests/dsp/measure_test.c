#include "base/err.h"
#include "base/rng.h"
#include "dsp/measure.h"
#include "dsp/signal.h"
#include "support/test.h"

#include <math.h>

enum { RATE = 48000, FRAMES = 3 * RATE };

static float clean[FRAMES];
static float other[FRAMES];

static void fill_noise(float *out, uint64_t seed, float level)
{
    struct vox_rng rng;
    vox_rng_init(&rng, seed, 0);
    for (size_t i = 0; i < FRAMES; i++)
        out[i] = level * (float)(2 * vox_rng_uniform(&rng) - 1);
}

/* other = gain * clean, lag frames later, plus noise */
static void delay_by(int64_t lag, float gain, float noise)
{
    fill_noise(other, 99, noise);
    for (int64_t i = 0; i < FRAMES; i++)
        if (i - lag >= 0 && i - lag < FRAMES)
            other[i] += gain * clean[i - lag];
}

static void tone(double hz, double level_db)
{
    struct vox_signal s;
    assert_int_equal(vox_signal_init_tone(&s, hz, RATE, level_db), 0);
    vox_signal_read(&s, clean, FRAMES);
}

static struct vox_measured_delay measure(size_t n, size_t m, int64_t min, int64_t max)
{
    struct vox_measured_delay d = {0};
    assert_int_equal(vox_measure_delay(clean, n, other, m, min, max, &d), 0);
    return d;
}

static void refuses_what_has_no_delay(void **state)
{
    (void)state;
    struct vox_measured_delay d = {.lag_frames = 7};
    fill_noise(clean, 1, 0.5F);
    memset(other, 0, sizeof other);
    assert_int_equal(vox_measure_delay(clean, 100, other, 100, 0, 10, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(other, 100, clean, 100, 0, 10, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(clean, 100, clean, 100, 1, 0, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(clean, 0, clean, 100, 0, 1, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(clean, 100, clean, 0, 0, 1, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(clean, 100, clean, 100, 0, 1 << 24, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(clean, 100, clean, 100, INT64_MIN, 0, &d), VOX_EINVAL);
    assert_int_equal(vox_measure_delay(clean, 100, clean, 100, 200, 300, &d), VOX_EINVAL);
    other[5] = NAN;
    assert_int_equal(vox_measure_delay(clean, 100, other, 100, 0, 10, &d), VOX_EINVAL);
    assert_true(d.lag_frames == 7);
}

static void finds_the_lag_in_both_directions(void **state)
{
    (void)state;
    static const int64_t lags[] = {0, 1, -1, 17, 4801, -4801, 47999, -48000};
    fill_noise(clean, 1, 0.5F);
    for (size_t i = 0; i < COUNT(lags); i++) {
        delay_by(lags[i], 0.1F, 0.0F);
        struct vox_measured_delay d = measure(FRAMES, FRAMES, -48000, 48000);
        assert_true(fabs(d.lag_frames - (double)lags[i]) < 0.01);
        assert_true(d.correlation > 0.999 && d.correlation < 1.001);
    }
}

/* A reference of many blocks: pairs across their borders count too. */
static void finds_a_lag_in_a_narrow_range(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.5F);
    delay_by(1290, 0.1F, 0.0F);
    struct vox_measured_delay d = measure(FRAMES, FRAMES, 1200, 1300);
    assert_true(fabs(d.lag_frames - 1290) < 0.01);
    assert_true(d.correlation > 0.999);
}

/* Fifty frames that happen to fit are no delay of a thousand. */
static void small_overlaps_do_not_count(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.5F);
    fill_noise(other, 2, 0.5F);
    memcpy(other, clean + 950, 50 * sizeof other[0]);
    assert_true(measure(1000, 1000, -999, 999).correlation < 0.3);
}

static void noise_lowers_the_coefficient_as_it_should(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.5F);
    delay_by(1234, 1.0F, 0.5F); /* as much noise as signal: 1 / sqrt(2) */
    struct vox_measured_delay d = measure(RATE, FRAMES, 0, 2 * RATE);
    assert_true(fabs(d.lag_frames - 1234) < 0.1);
    assert_true(fabs(d.correlation - 0.7071) < 0.01);
}

static void unlike_signals_do_not_correlate(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.5F);
    fill_noise(other, 2, 0.5F);
    assert_true(measure(RATE, FRAMES, 0, RATE).correlation < 0.03);
}

static void agrees_with_the_plain_sum(void **state)
{
    (void)state;
    fill_noise(clean, 3, 0.5F);
    delay_by(40, 0.3F, 0.4F);
    for (int64_t lag = -60; lag <= 60; lag++) { /* one lag at a time: no choice to hide behind */
        double xy = 0, xx = 0, yy = 0;
        for (int64_t i = 0; i < 500; i++) {
            int64_t k = i + lag;
            if (k < 0 || k >= 450)
                continue;
            xy += (double)clean[i] * (double)other[k];
            xx += (double)clean[i] * (double)clean[i];
            yy += (double)other[k] * (double)other[k];
        }
        struct vox_measured_delay d = measure(500, 450, lag, lag);
        assert_true(fabs(d.correlation - xy / sqrt(xx * yy)) < 1e-9);
    }
}

/* A mark of 30 ms, between frames by a third, in noise. */
static void finds_a_marker_to_a_fraction_of_a_frame(void **state)
{
    (void)state;
    struct vox_signal s;
    assert_int_equal(vox_signal_init_marker(&s, RATE), 0);
    vox_signal_read(&s, clean, FRAMES);
    fill_noise(other, 5, 0.01F);
    for (size_t i = 5000; i < 5000 + 1500; i++) { /* linear interpolation is good enough here */
        size_t k = i - 5000;
        other[i] += 0.3F * (clean[k] * (1.0F / 3) + (k > 0 ? clean[k - 1] : 0) * (2.0F / 3));
    }
    struct vox_measured_delay d = measure(1440, FRAMES, 0, 2 * RATE);
    assert_true(fabs(d.lag_frames - 5000.667) < 0.1);
    assert_true(d.correlation > 0.9);
}

static void clean_signals_have_no_clicks(void **state)
{
    (void)state;
    static const double hz[] = {50, 440, 3000, 11000, 20000};
    for (size_t i = 0; i < COUNT(hz); i++) {
        tone(hz[i], -3);
        assert_int_equal(vox_measure_clicks(clean, FRAMES, RATE), 0);
    }
    fill_noise(clean, 1, 0.9F);
    assert_int_equal(vox_measure_clicks(clean, FRAMES, RATE), 0);
    memset(clean, 0, sizeof clean);
    assert_int_equal(vox_measure_clicks(clean, FRAMES, RATE), 0);
    assert_int_equal(vox_measure_clicks(clean, 0, RATE), 0);
}

static void every_kind_of_click_is_counted_once(void **state)
{
    (void)state;
    tone(440, -6);
    memcpy(other, clean, sizeof other);
    other[10000] += 0.012F;                          /* one wrong sample */
    memset(other + 20000, 0, 481 * sizeof other[0]); /* a dropout: its two edges */
    memmove(other + 40000, other + 40037,
            9000 * sizeof other[0]);            /* frames missing, then doubled */
    other[60000] += 0.2F, other[60040] -= 0.2F; /* within 2 ms: one */
    other[70000] += 0.2F, other[70200] -= 0.2F; /* further apart: two */
    assert_int_equal(vox_measure_clicks(other, FRAMES, RATE), 1 + 2 + 2 + 1 + 2);
    memset(other, 0, sizeof other);
    other[500] = 0.01F; /* in silence */
    assert_int_equal(vox_measure_clicks(other, FRAMES, RATE), 1);
}

static void gaps_are_runs_of_near_silence(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.5F);
    for (size_t i = 0; i < FRAMES; i++)
        clean[i] += clean[i] < 0 ? -0.01F : 0.01F;
    assert_int_equal(vox_measure_gaps(clean, FRAMES, 0.001F, 1).count, 0);
    memset(clean, 0, 100 * sizeof clean[0]);       /* at the start */
    memset(clean + 1000, 0, 99 * sizeof clean[0]); /* too short */
    memset(clean + 2000, 0, 480 * sizeof clean[0]);
    for (size_t i = 5000; i < 5200; i++)
        clean[i] = 0.0009F;                                 /* near silence */
    memset(clean + FRAMES - 150, 0, 150 * sizeof clean[0]); /* at the end */
    struct vox_measured_gaps gaps = vox_measure_gaps(clean, FRAMES, 0.001F, 100);
    assert_int_equal(gaps.count, 4);
    assert_int_equal(gaps.total_frames, 100 + 480 + 200 + 150);
    assert_int_equal(gaps.longest_frames, 480);
    assert_int_equal(vox_measure_gaps(clean, FRAMES, 0.0F, 100).count, 3);
    assert_int_equal(vox_measure_gaps(clean, 0, 0.0F, 0).count, 0);
}

RUN(cmocka_unit_test(refuses_what_has_no_delay), cmocka_unit_test(finds_the_lag_in_both_directions),
    cmocka_unit_test(finds_a_lag_in_a_narrow_range), cmocka_unit_test(small_overlaps_do_not_count),
    cmocka_unit_test(noise_lowers_the_coefficient_as_it_should),
    cmocka_unit_test(unlike_signals_do_not_correlate), cmocka_unit_test(agrees_with_the_plain_sum),
    cmocka_unit_test(finds_a_marker_to_a_fraction_of_a_frame),
    cmocka_unit_test(clean_signals_have_no_clicks),
    cmocka_unit_test(every_kind_of_click_is_counted_once),
    cmocka_unit_test(gaps_are_runs_of_near_silence))
