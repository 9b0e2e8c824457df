#include "receiver/delay.h"

#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"

enum { TICKS = 960 };

#define PACKET_NS (20 * VOX_NS_PER_MS)
#define START_NS (1000 * VOX_NS_PER_S)

static struct vox_delay d;
static int64_t next; /* packet of the stream */

static int setup(void **state)
{
    (void)state;
    vox_delay_init(&d);
    next = 0;
    return 0;
}

/* The next packet, later_ms after the fastest. Returns its lateness. */
static int64_t packet(double later_ms)
{
    int64_t ts = next * TICKS;
    int64_t arrival_ns = START_NS + next * PACKET_NS + vox_ms_to_ns(later_ms);
    next++;
    return vox_delay_packet(&d, ts, arrival_ns);
}

static void quiet(int count)
{
    for (int i = 0; i < count; i++)
        packet(0);
}

static void lateness_is_over_the_fastest(void **state)
{
    (void)state;
    assert_int_equal(packet(30), 0);
    assert_int_equal(packet(50), 20 * VOX_NS_PER_MS);
    assert_int_equal(packet(10), 0);
    assert_int_equal(vox_delay_base_ns(&d), START_NS + 10 * VOX_NS_PER_MS);
    assert_int_equal(packet(30), 20 * VOX_NS_PER_MS);
}

/* The fastest of the last ten seconds counts, so a slower path becomes the rule. */
static void a_slower_path_becomes_the_rule(void **state)
{
    (void)state;
    quiet(100);
    for (int i = 0; i < 450; i++)
        assert_int_equal(packet(100), 100 * VOX_NS_PER_MS);
    for (int i = 0; i < 100; i++)
        packet(100);
    assert_int_equal(packet(100), 0);
}

static void the_fastest_can_be_forgotten(void **state)
{
    (void)state;
    quiet(100);
    for (int i = 0; i < 60; i++)
        packet(100);
    vox_delay_forget_fastest(&d);
    assert_int_equal(packet(100), 0);
}

static void nothing_breaks_beyond_the_range(void **state)
{
    (void)state;
    quiet(10);
    packet(10000);
    vox_delay_packet(&d, INT64_C(1) << 40, START_NS);
    vox_delay_packet(&d, -(INT64_C(1) << 40), START_NS);
    vox_delay_packet(&d, 0, -START_NS); /* before time began */
    assert_true(vox_delay_packet(&d, 0, START_NS) >= 0);
}

static double skew_after(double ppm, int seconds, double jitter_ms)
{
    struct vox_rng rng;
    vox_rng_init(&rng, 5, 0);
    vox_delay_init(&d);
    for (int64_t i = 0; i < seconds * 50; i++) {
        /* a clock that runs fast sends the same media time sooner */
        double sent_ns = (double)(i * PACKET_NS) * (1 - ppm * 1e-6);
        double late_ns = jitter_ms * 1e6 * vox_rng_uniform(&rng);
        vox_delay_packet(&d, i * TICKS, START_NS + (int64_t)(sent_ns + late_ns));
    }
    return vox_delay_skew_ppm(&d);
}

static void skew_is_measured(void **state)
{
    (void)state;
    static const double clocks[] = {0, 100, -100, 20, -20, 400};
    for (size_t i = 0; i < COUNT(clocks); i++) {
        double quiet_ppm = skew_after(clocks[i], 120, 0);
        double jittery_ppm = skew_after(clocks[i], 120, 10);
        if (quiet_ppm < clocks[i] - 0.5 || quiet_ppm > clocks[i] + 0.5)
            fail_msg("%.1f ppm measured as %.2f", clocks[i], quiet_ppm);
        if (jittery_ppm < clocks[i] - 2 || jittery_ppm > clocks[i] + 2)
            fail_msg("%.1f ppm with jitter measured as %.2f", clocks[i], jittery_ppm);
    }
    assert_true(skew_after(100, 10, 0) == 0.0);
}

static void clocks_agree_until_they_evidently_do_not(void **state)
{
    (void)state;
    static const struct {
        double ppm, jitter_ms;
        bool agree;
    } rows[] = {{0, 0, true},    {10, 0, true},   {-10, 1, true},  {60, 0, false},
                {-60, 0, false}, {200, 2, false}, {-200, 2, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        skew_after(rows[i].ppm, 60, rows[i].jitter_ms);
        if (vox_delay_clocks_agree(&d) != rows[i].agree)
            fail_msg("%.0f ppm with %.0f ms of jitter", rows[i].ppm, rows[i].jitter_ms);
    }
    skew_after(200, 10, 0);
    assert_true(vox_delay_clocks_agree(&d)); /* nothing is known */
}

/* A route that becomes 20 ms longer, and 20 ms shorter again, every 20 s, is no clock. */
static void a_route_that_changes_is_no_skew(void **state)
{
    (void)state;
    for (int i = 0; i < 120 * 50; i++)
        packet(i / 1000 % 2 * 20);
    double ppm = vox_delay_skew_ppm(&d);
    if (ppm < -20 || ppm > 20)
        fail_msg("%.1f ppm", ppm);
    assert_true(vox_delay_clocks_agree(&d));
}

/* Nor is a path that once becomes slower for good. */
static void one_step_is_no_skew(void **state)
{
    (void)state;
    for (int i = 0; i < 120 * 50; i++)
        packet(i < 3000 ? 0 : 30);
    double ppm = vox_delay_skew_ppm(&d);
    if (ppm < -10 || ppm > 10)
        fail_msg("%.1f ppm", ppm);
}

/* Findings along a minute of a path that stalls and changes, heard by a host whose clock started so
 * long ago. Returns their sum, in which each counts. */
static int64_t decisions_at(int64_t clock_ns)
{
    struct vox_rng rng;
    int64_t sum_ns = 0;
    vox_delay_init(&d);
    vox_rng_init(&rng, 3, 0);
    for (int64_t i = 0; i < 3000; i++) {
        double late_ms = (i % 700 > 400 ? 40 : 10) + 30 * vox_rng_uniform(&rng);
        vox_delay_packet(&d, i * TICKS, clock_ns + i * PACKET_NS + vox_ms_to_ns(late_ms));
        if (i % 500 == 499)
            vox_delay_forget_fastest(&d);
        sum_ns += vox_delay_base_ns(&d) - clock_ns + (int64_t)(vox_delay_skew_ppm(&d) * 1e3);
    }
    return sum_ns;
}

/* A stream is heard alike on a machine that just started, in virtual time, and a year later. */
static void the_hosts_clock_decides_nothing(void **state)
{
    (void)state;
    int64_t sum_ns = decisions_at(0);
    static const int64_t clocks_ns[] = {1, 123456789, 30 * VOX_NS_PER_MS,
                                        365 * 86400 * VOX_NS_PER_S};
    for (size_t i = 0; i < COUNT(clocks_ns); i++)
        assert_true(decisions_at(clocks_ns[i]) == sum_ns);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(lateness_is_over_the_fastest), TEST(a_slower_path_becomes_the_rule),
    TEST(the_fastest_can_be_forgotten), TEST(nothing_breaks_beyond_the_range),
    TEST(skew_is_measured), TEST(clocks_agree_until_they_evidently_do_not),
    TEST(a_route_that_changes_is_no_skew), TEST(one_step_is_no_skew),
    TEST(the_hosts_clock_decides_nothing))
