#include "receiver/trace_clock.h"

#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>

#define INTERVAL_NS (20 * VOX_NS_PER_MS)

/* What the network does to the packet at t_ns, in ns; any but the clocks. */
typedef double path_fn(struct vox_rng *rng, double t_s);

/* A wireless network: an exponential queue of 5 ms, never quite empty. */
static double wifi(struct vox_rng *rng, double t_s)
{
    (void)t_s;
    return 20e6 - 5e6 * log(1 - vox_rng_uniform(rng));
}

/* A buffer that fills in 7 to 12 s up to 300 ms and empties at once. */
static double bloat(struct vox_rng *rng, double t_s)
{
    double period = 7 + 5 * sin(t_s / 60);
    return wifi(rng, t_s) + 300e6 * fmod(t_s, period) / period;
}

/* Begins on a busy evening: full for the first ten seconds. */
static double bloat_at_first(struct vox_rng *rng, double t_s)
{
    return wifi(rng, t_s) + (t_s < 10 ? 300e6 : 0);
}

static double longer_way_soon(struct vox_rng *rng, double t_s)
{
    return wifi(rng, t_s) + (t_s > 60 ? 40e6 : 0);
}

static double longer_way_at_half(struct vox_rng *rng, double t_s)
{
    return wifi(rng, t_s) + (t_s > 150 ? 40e6 : 0);
}

static double shorter_way(struct vox_rng *rng, double t_s)
{
    return wifi(rng, t_s) + (t_s < 200 ? 40e6 : 0);
}

static double way_and_back(struct vox_rng *rng, double t_s)
{
    return wifi(rng, t_s) + (fmod(t_s, 40) < 20 ? 40e6 : 0);
}

/* Packets of a sender whose clock is `ppm` fast, for so long. Returns the line. */
static struct vox_trace_line watch(struct vox_trace_clock *clock, path_fn *path, double ppm,
                                   double seconds, uint64_t seed)
{
    struct vox_rng rng;
    vox_rng_init(&rng, seed, 0);
    vox_trace_clock_init(clock);
    for (int64_t n = 0; n < (int64_t)(seconds * 50); n++) {
        double t_ns = (double)(n * INTERVAL_NS) / (1 + ppm * 1e-6);
        vox_trace_clock_packet(clock, n * INTERVAL_NS, (int64_t)(t_ns + path(&rng, t_ns / 1e9)));
    }
    return vox_trace_clock_line(clock);
}

/* Rows of what the skew is and how exactly it is found. */
static void finds_the_skew(void **state)
{
    (void)state;
    static const struct {
        path_fn *path;
        double ppm, seconds, within;
    } rows[] = {
        {wifi, 0, 300, 1},         {wifi, 100, 300, 1},        {wifi, -100, 300, 1},
        {wifi, 50, 60, 8},         {wifi, 20, 3600, 0.2},      {wifi, -20, 36000, 0.1},
        {bloat, 100, 300, 10},     {bloat, 0, 300, 10},        {bloat_at_first, -60, 300, 1},
        {way_and_back, 0, 300, 3}, {way_and_back, 80, 300, 3},
    };
    struct vox_trace_clock clock;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct vox_trace_line line =
                watch(&clock, rows[i].path, rows[i].ppm, rows[i].seconds, seed);
            if (fabs(-line.slope * 1e6 - rows[i].ppm) > rows[i].within)
                fail_msg("row %zu, seed %d: %g ppm instead of %g", i, (int)seed, -line.slope * 1e6,
                         rows[i].ppm);
        }
}

/* Steps of the path look like slopes; none is believed. */
static void does_not_take_a_new_path_for_a_clock(void **state)
{
    (void)state;
    static path_fn *const paths[] = {longer_way_soon, longer_way_at_half, shorter_way};
    struct vox_trace_clock clock;
    for (size_t i = 0; i < COUNT(paths); i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct vox_trace_line line = watch(&clock, paths[i], 0, 300, seed);
            if (line.slope != 0)
                fail_msg("path %zu, seed %d: %g ppm", i, (int)seed, -line.slope * 1e6);
        }
}

static void says_nothing_of_a_short_call(void **state)
{
    (void)state;
    struct vox_trace_clock clock;
    assert_true(watch(&clock, wifi, 100, 9, 1).slope == 0);
    assert_true(watch(&clock, wifi, 600, 300, 1).slope == 0); /* that is no crystal */
}

/* No packet is below the line, and some are near it. */
static void line_is_below_all(void **state)
{
    (void)state;
    static const double seconds[] = {5, 60, 300, 2000, 20000};
    for (size_t i = 0; i < COUNT(seconds); i++) {
        struct vox_trace_clock clock;
        struct vox_rng rng;
        struct vox_trace_line line = watch(&clock, wifi, 70, seconds[i], 9);
        double least_ns = 1e18;
        vox_rng_init(&rng, 9, 0);
        for (int64_t n = 0; n < (int64_t)(seconds[i] * 50); n++) {
            double t_ns = (double)(n * INTERVAL_NS) / (1 + 70e-6);
            int64_t transit_ns = (int64_t)(t_ns + wifi(&rng, 0)) - n * INTERVAL_NS;
            double above_ns = (double)(transit_ns - vox_trace_line_at(&line, n * INTERVAL_NS));
            assert_true(above_ns >= 0);
            least_ns = fmin(least_ns, above_ns);
        }
        assert_true(least_ns < 1e6 + 1e-4 * (double)clock.slot_ns);
    }
}

static void little_makes_a_line_too(void **state)
{
    (void)state;
    struct vox_trace_clock clock;
    vox_trace_clock_init(&clock);
    struct vox_trace_line line = vox_trace_clock_line(&clock);
    assert_true(line.slope == 0 && line.at_zero_ns == 0);
    vox_trace_clock_packet(&clock, -1, 5);                                   /* before the first */
    vox_trace_clock_packet(&clock, 1000 * VOX_NS_PER_S, 999 * VOX_NS_PER_S); /* after a pause */
    line = vox_trace_clock_line(&clock);
    assert_true(line.slope == 0 && line.at_zero_ns == -VOX_NS_PER_S);
    vox_trace_clock_packet(&clock, 1001 * VOX_NS_PER_S, 1000 * VOX_NS_PER_S);
    line = vox_trace_clock_line(&clock);
    assert_true(line.slope == 0 && line.at_zero_ns == -VOX_NS_PER_S);
    vox_trace_clock_packet(&clock, INT64_MAX / 4, INT64_MAX / 4);
    line = vox_trace_clock_line(&clock);
    assert_true(clock.count <= VOX_TRACE_CLOCK_SLOTS);
}

RUN(cmocka_unit_test(finds_the_skew), cmocka_unit_test(does_not_take_a_new_path_for_a_clock),
    cmocka_unit_test(says_nothing_of_a_short_call), cmocka_unit_test(line_is_below_all),
    cmocka_unit_test(little_makes_a_line_too))
