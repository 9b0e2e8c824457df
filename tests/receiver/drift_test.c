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
    vox_drift_init(&drift, VOX_DRIFT_USUAL);
    delay_ms = 50;
    target_ms = 50;
    return 0;
}

/* One step of the closed loop: the sender fills, the correction drains. */
static void step(double skew_ppm)
{
    double ppm =
        vox_drift_update(&drift, (int64_t)(delay_ms * 1e6), (int64_t)(target_ms * 1e6), STEP_NS);
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
        run(clocks[i], 1200);
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
        step(200);
        most = fmax(most, fabs(delay_ms - target_ms));
    }
    assert_true(most < 3.5);
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

/* A change of path, however large and lasting, is no sign of the clocks. */
static void a_large_error_teaches_nothing(void **state)
{
    (void)state;
    run(100, 1000);
    double learned = drift.skew_ppm;
    delay_ms += 300;
    run(100, 60);
    assert_true(fabs(drift.skew_ppm - learned) < 0.1);
    assert_true(fabs(drift.ppm - learned - 750) < 0.1);
}

/* Nor is a target that wanders, nor audio that is cut out or put in all the time. */
static void what_we_do_ourselves_teaches_nothing(void **state)
{
    (void)state;
    run(100, 1000);
    double learned = drift.skew_ppm;
    for (int i = 0; i < 60; i++) {
        target_ms -= 0.5;
        run(100, 1);
        delay_ms += 3;
        vox_drift_moved(&drift, 3 * VOX_NS_PER_MS);
    }
    assert_true(fabs(drift.skew_ppm - learned) < 0.1);
    delay_ms -= 2;
    vox_drift_anchor(&drift);
    run(100, 60);
    assert_true(fabs(drift.skew_ppm - learned) < 0.1);
}

static void stays_bounded(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 1000000; i++)
        vox_drift_update(&drift, i * VOX_NS_PER_MS / 20, 0, STEP_NS);
    assert_true(drift.skew_ppm <= 1000 && drift.ppm <= 1750);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(learns_the_skew), TEST(the_delay_strays_little_meanwhile),
    TEST(follows_a_step_without_haste), TEST(a_large_error_teaches_nothing),
    TEST(what_we_do_ourselves_teaches_nothing), TEST(stays_bounded))
