#include "receiver/drift.h"

#include "base/time.h"
#include "support/test.h"

#include <math.h>

#define STEP_NS (10 * VOX_NS_PER_MS)

static struct vox_drift drift;
static double delay_ms, target_ms; /* the loop's plant */

static int setup(void **state)
{
    (void)state;
    vox_drift_init(&drift);
    delay_ms = 50;
    target_ms = 50;
    return 0;
}

/* One step of the closed loop: the sender fills, the correction drains. */
static void step(double skew_ppm)
{
    double ppm = vox_drift_update(&drift, (int64_t)((delay_ms - target_ms) * 1e6), STEP_NS);
    delay_ms += (skew_ppm - ppm) * 1e-6 * (double)STEP_NS / 1e6;
}

static void run(double skew_ppm, int seconds)
{
    for (int i = 0; i < seconds * 100; i++)
        step(skew_ppm);
}

static void learns_the_skew(void **state)
{
    static const double clocks[] = {1000, -1000, 500, -500, 200, -20, 0};
    for (size_t i = 0; i < COUNT(clocks); i++) {
        setup(state);
        run(clocks[i], 600);
        if (fabs(drift.ppm - clocks[i]) > 1 || fabs(delay_ms - target_ms) > 0.1)
            fail_msg("%.0f ppm: correction %.1f ppm, delay off by %.2f ms", clocks[i], drift.ppm,
                     delay_ms - target_ms);
    }
}

static void the_delay_strays_little_meanwhile(void **state)
{
    (void)state;
    double most = 0;
    for (int i = 0; i < 300 * 100; i++) {
        step(500);
        most = fmax(most, fabs(delay_ms - target_ms));
    }
    assert_true(most < 7.5); /* 500 ppm * 40 s / e */
}

/* A new target is reached without haste and without passing it by much. */
static void follows_a_step_without_haste(void **state)
{
    (void)state;
    run(100, 300);
    target_ms += 3;
    double most_ppm = 0, passed = 0;
    for (int i = 0; i < 200 * 100; i++) {
        step(100);
        most_ppm = fmax(most_ppm, fabs(drift.ppm - 100));
        passed = fmax(passed, delay_ms - target_ms);
    }
    assert_true(fabs(delay_ms - target_ms) < 0.1);
    assert_true(most_ppm <= 151);
    assert_true(passed < 0.5);
}

/* A large error is no sign of the clocks. */
static void a_large_error_leaves_the_skew(void **state)
{
    (void)state;
    run(100, 300);
    double learned = drift.skew_ppm;
    for (int i = 0; i < 1000; i++)
        vox_drift_update(&drift, 500 * VOX_NS_PER_MS, STEP_NS);
    assert_true(fabs(drift.skew_ppm - learned) < 0.01);
    assert_true(drift.ppm <= learned + 751);
}

static void stays_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 1000000; i++)
        vox_drift_update(&drift, 9 * VOX_NS_PER_MS, STEP_NS);
    assert_true(drift.skew_ppm <= 1000 && drift.ppm <= 1750);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(learns_the_skew), TEST(the_delay_strays_little_meanwhile),
    TEST(follows_a_step_without_haste), TEST(a_large_error_leaves_the_skew), TEST(stays_bounded))
