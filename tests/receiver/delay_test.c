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

static double target_ms(void)
{
    return vox_ns_to_ms(vox_delay_target_ns(&d));
}

static void believes_in_some_jitter_before_the_first_packet(void **state)
{
    (void)state;
    assert_true(target_ms() >= 40 && target_ms() <= 90);
}

static void falls_near_nothing_on_a_quiet_stream(void **state)
{
    (void)state;
    quiet(50);
    assert_true(target_ms() < 45);
    quiet(450); /* ten seconds */
    assert_true(target_ms() < 25);
    quiet(10000);
    assert_true(target_ms() <= 5);
    assert_true(vox_delay_p90_ns(&d) <= VOX_NS_PER_MS);
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

/* Half a per cent of late packets costs 95 ms in the balance: less than to wait 60 ms for them. */
static void grows_at_once_and_shrinks_later(void **state)
{
    (void)state;
    quiet(1000);
    double before = target_ms();
    int needed = 0;
    while (target_ms() < 60 && needed < 100) {
        packet(60);
        needed++;
    }
    assert_in_range(needed, 1, 20);
    assert_true(target_ms() < 65);
    quiet(100);
    assert_true(target_ms() >= 60); /* not forgotten yet */
    quiet(20000);
    assert_true(target_ms() <= before + 5);
}

/* Uniform jitter of 40 ms: the target covers almost all of it, and no more. */
static void covers_what_it_has_seen(void **state)
{
    (void)state;
    const uint64_t seed = 3;
    struct vox_rng rng;
    print_message("seed %llu\n", (unsigned long long)seed);
    vox_rng_init(&rng, seed, 0);
    for (int i = 0; i < 5000; i++)
        packet(40 * vox_rng_uniform(&rng));
    assert_true(target_ms() >= 39 && target_ms() <= 41);
    double p90_ms = vox_ns_to_ms(vox_delay_p90_ns(&d));
    assert_true(p90_ms >= 35 && p90_ms <= 37.5);
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
    assert_true(target_ms() <= 2000);
    vox_delay_packet(&d, INT64_C(1) << 40, START_NS);
    vox_delay_packet(&d, -(INT64_C(1) << 40), START_NS);
    vox_delay_packet(&d, 0, -START_NS); /* before time began */
    assert_true(target_ms() >= 0 && target_ms() <= 2000);
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

/* Targets along a minute of a path that stalls and changes, heard by a host whose clock started so
 * long ago. Returns their sum, in which each decision counts. */
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
        sum_ns += vox_delay_target_ns(&d) + vox_delay_base_ns(&d) - clock_ns;
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

RUN(TEST(believes_in_some_jitter_before_the_first_packet),
    TEST(falls_near_nothing_on_a_quiet_stream), TEST(lateness_is_over_the_fastest),
    TEST(grows_at_once_and_shrinks_later), TEST(covers_what_it_has_seen),
    TEST(a_slower_path_becomes_the_rule), TEST(the_fastest_can_be_forgotten),
    TEST(nothing_breaks_beyond_the_range), TEST(skew_is_measured),
    TEST(the_hosts_clock_decides_nothing))
