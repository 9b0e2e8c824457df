#include "lab/bound.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>

/* Delays in steps of 0.5 ms; a packet each 20 ms, so the delay moves by 10 steps a packet. */
enum { LOST = -1, SLOPE = 10, MAX_PACKETS = 16 };
static const int64_t STEP_NS = VOX_NS_PER_MS / 2;

struct fate {
    int slot; /* sent at slot * 20 ms */
    int delay;
};

static struct vox_trace *trace_of(const struct fate *fates, size_t count)
{
    static char text[1 << 16];
    size_t len = (size_t)snprintf(text, sizeof text, "# interval_ms 20\n");
    for (size_t i = 0; i < count; i++) {
        int send_ms = 20 * fates[i].slot;
        len += (size_t)snprintf(text + len, sizeof text - len, "%zu %d ", i, send_ms);
        if (fates[i].delay == LOST)
            len += (size_t)snprintf(text + len, sizeof text - len, "lost\n");
        else
            len += (size_t)snprintf(text + len, sizeof text - len, "%.1f\n",
                                    send_ms + 40 + 0.5 * fates[i].delay);
        assert_true(len < sizeof text);
    }
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {0};
    if (vox_trace_parse(text, len, &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    return trace;
}

/* All packets count, and each is played when it arrives. */
static struct vox_bound_config plain(double late_share)
{
    struct vox_bound_config config;
    vox_bound_config_init(&config);
    config.late_share = late_share;
    config.skip_head_ns = config.skip_tail_ns = config.pull_ns = 0;
    return config;
}

static struct vox_bound bound_with(const struct fate *fates, size_t count,
                                   const struct vox_bound_config *config)
{
    struct vox_trace *trace = trace_of(fates, count);
    struct vox_bound bound = {0};
    assert_int_equal(vox_bound_compute(trace, config, &bound), 0);
    vox_trace_destroy(trace);
    return bound;
}

static struct vox_bound bound_of(const struct fate *fates, size_t count, double late_share)
{
    struct vox_bound_config config = plain(late_share);
    return bound_with(fates, count, &config);
}

static void assert_near_ns(int64_t actual_ns, double expected_ns)
{
    if (fabs((double)actual_ns - expected_ns) > 1)
        fail_msg("%lld ns instead of %.1f", (long long)actual_ns, expected_ns);
}

/* `count` packets with no delay, but for one in the middle. */
static void make_spike(struct fate *fates, int count, int delay)
{
    for (int i = 0; i < count; i++)
        fates[i] = (struct fate){.slot = i, .delay = i == count / 2 ? delay : 0};
}

static void a_constant_transit_costs_nothing(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 0);
    struct vox_bound bound = bound_of(fates, 20, 0.1);
    assert_int_equal(bound.bound_ns, 0);
    assert_int_equal(bound.fixed_ns, 0);
    assert_int_equal(bound.fixed_late, 0);
    assert_true(bound.bound_late == 0);
    assert_int_equal(bound.sent, 20);
    assert_int_equal(bound.arrived, 20);
}

/* 40 = 4 slopes: the triangle 10 20 30 40 30 20 10. */
static void before_and_after_a_spike_the_delay_follows_the_slope(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 40);
    struct vox_bound bound = bound_of(fates, 20, 0);
    assert_near_ns(bound.bound_ns, 160.0 / 20 * (double)STEP_NS);
    assert_int_equal(bound.fixed_ns, 40 * STEP_NS);
    assert_int_equal(bound.resolution_ns, STEP_NS);
}

static void a_spike_that_may_be_late_is_given_up(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 40);
    struct vox_bound bound = bound_of(fates, 20, 0.05);
    assert_int_equal(bound.bound_ns, 0);
    assert_int_equal(bound.fixed_ns, 0);
    assert_int_equal(bound.fixed_late, 1);
    assert_true(bound.bound_late == 1);
}

/* Half a late packet buys half of what a whole one does; the fixed delay knows whole ones only. */
static void between_whole_packets_the_bound_is_interpolated(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 40);
    struct vox_bound bound = bound_of(fates, 20, 0.025);
    assert_near_ns(bound.bound_ns, 80.0 / 20 * (double)STEP_NS);
    assert_int_equal(bound.fixed_ns, 40 * STEP_NS);
    assert_true(fabs(bound.bound_late - 0.5) < 1e-12);
}

/* The triangle's top is where a packet was lost: 20 packets sent, 19 in the mean. */
static void the_delay_moves_on_over_lost_packets(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 40);
    fates[11].delay = LOST;
    struct vox_bound bound = bound_of(fates, 20, 0);
    assert_near_ns(bound.bound_ns, 130.0 / 19 * (double)STEP_NS);
    assert_int_equal(bound.arrived, 19);
    bound = bound_of(fates, 20, 0.05); /* one of 20: the lost one counts among those sent */
    assert_int_equal(bound.bound_ns, 0);
    assert_int_equal(bound.fixed_ns, 0);
}

/* 3 packet intervals between the sendings, 30 steps: the triangle 10 40 10. */
static void a_pause_gives_the_delay_time(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 40);
    for (int i = 0; i < 20; i++)
        fates[i].slot += (i >= 10 ? 2 : 0) + (i >= 11 ? 2 : 0);
    struct vox_bound bound = bound_of(fates, 20, 0);
    assert_near_ns(bound.bound_ns, 60.0 / 20 * (double)STEP_NS);
}

static void without_stretching_it_is_a_fixed_delay(void **state)
{
    (void)state;
    static const int delays[] = {0, 3, 8, 1, 40, 3, 2, 25, 8, 0};
    struct fate fates[COUNT(delays)];
    for (int i = 0; i < (int)COUNT(delays); i++)
        fates[i] = (struct fate){.slot = i, .delay = delays[i]};
    struct vox_bound_config config = plain(0.2);
    config.stretch = 0;
    struct vox_bound bound = bound_with(fates, COUNT(fates), &config);
    assert_int_equal(bound.fixed_ns, 8 * STEP_NS);
    assert_int_equal(bound.bound_ns, 8 * STEP_NS);
    assert_int_equal(bound.fixed_late, 2);
}

static void playout_waits_for_the_next_pull(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 4); /* arrivals at 40 ms after a multiple of 20, one at 42 */
    struct vox_bound_config config = plain(0);
    config.stretch = 0;
    config.pull_ns = 10 * VOX_NS_PER_MS;
    config.phase_ns = 0; /* a pull at the moment of arrival is soon enough */
    struct vox_bound bound = bound_with(fates, 20, &config);
    assert_int_equal(bound.fixed_ns, 10 * VOX_NS_PER_MS);
    config.late_share = 0.05;
    bound = bound_with(fates, 20, &config);
    assert_int_equal(bound.fixed_ns, 0);
    config.phase_ns = 3 * VOX_NS_PER_MS;
    config.late_share = 0;
    bound = bound_with(fates, 20, &config);
    assert_int_equal(bound.fixed_ns, 3 * VOX_NS_PER_MS);
    assert_int_equal(bound.bound_ns, 3 * VOX_NS_PER_MS);
}

/* The delay of the bound is in steps, the fixed one is not: 4.2 ms are 8 of 0.5 ms, 4.3 ms are 9.
 */
static void delays_are_rounded_to_the_nearest_step(void **state)
{
    (void)state;
    struct fate fates[20];
    make_spike(fates, 20, 0);
    struct vox_bound_config config = plain(0);
    config.pull_ns = 10 * VOX_NS_PER_MS;
    config.phase_ns = 4200000;
    struct vox_bound bound = bound_with(fates, 20, &config);
    assert_int_equal(bound.bound_ns, 4000000);
    assert_int_equal(bound.fixed_ns, 4200000);
    config.phase_ns = 4300000;
    assert_int_equal(bound_with(fates, 20, &config).bound_ns, 4500000);
}

static void what_is_skipped_does_not_count_but_the_fastest_transit_does(void **state)
{
    (void)state;
    struct fate fates[50];
    for (int i = 0; i < 50; i++)
        fates[i] = (struct fate){.slot = i, .delay = 6};
    fates[0].delay = 0;
    fates[9].delay = fates[41].delay = 200;
    struct vox_bound_config config = plain(0);
    config.skip_head_ns = 200 * VOX_NS_PER_MS; /* from packet 10 */
    config.skip_tail_ns = 180 * VOX_NS_PER_MS; /* to packet 40 */
    struct vox_bound bound = bound_with(fates, 50, &config);
    assert_int_equal(bound.sent, 31);
    assert_int_equal(bound.bound_ns, 6 * STEP_NS);
    assert_int_equal(bound.fixed_ns, 6 * STEP_NS);
    fates[10].delay = 20;
    assert_int_equal(bound_with(fates, 50, &config).fixed_ns, 20 * STEP_NS);
    fates[10].delay = 6;
    fates[40].delay = 30;
    assert_int_equal(bound_with(fates, 50, &config).fixed_ns, 30 * STEP_NS);
}

static struct vox_bound bound_of_text(const char *text, const struct vox_bound_config *config)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {0};
    struct vox_bound bound = {0};
    if (vox_trace_parse(text, strlen(text), &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    assert_int_equal(vox_bound_compute(trace, config, &bound), 0);
    vox_trace_destroy(trace);
    return bound;
}

static void the_first_copy_counts(void **state)
{
    (void)state;
    static const char text[] = "# interval_ms 20\n0 0 90\n0 0 10\n1 20 30\n1 20 30.5\n2 40 50\n";
    struct vox_bound_config config = plain(0);
    struct vox_bound bound = bound_of_text(text, &config);
    assert_int_equal(bound.sent, 3);
    assert_int_equal(bound.bound_ns, 0);
}

static void the_first_pull_may_be_after_the_first_arrival(void **state)
{
    (void)state;
    struct vox_bound_config config = plain(0);
    config.pull_ns = 10 * VOX_NS_PER_MS;
    config.phase_ns = 5 * VOX_NS_PER_MS;
    struct vox_bound bound = bound_of_text("# interval_ms 20\n0 0 1\n1 20 21\n", &config);
    assert_int_equal(bound.fixed_ns, 4 * VOX_NS_PER_MS);
}

/* In twos at the same moment: the media is an interval apart. 18 steps, two intervals before. */
static void packets_sent_together_are_an_interval_apart(void **state)
{
    (void)state;
    static const char text[] = "# interval_ms 20\n0 0 10\n1 0 10\n2 40 59\n3 40 50\n";
    struct vox_bound_config config = plain(0);
    struct vox_bound bound = bound_of_text(text, &config);
    assert_near_ns(bound.bound_ns, (0 + 0 + 18 + 8) / 4.0 * (double)STEP_NS);
}

static void a_long_pause_does_not_let_it_move_without_stretching(void **state)
{
    (void)state;
    static const char text[] = "# interval_ms 0.001\n0 0 10\n1 1000 1020\n";
    struct vox_bound_config config = plain(0);
    assert_int_equal(bound_of_text(text, &config).bound_ns, 5 * VOX_NS_PER_MS);
    config.stretch = 0;
    assert_int_equal(bound_of_text(text, &config).bound_ns, 10 * VOX_NS_PER_MS);
}

/* 0.29 * 100 is 28.999999999999996 in binary. */
static void a_share_of_whole_packets_is_taken_as_that(void **state)
{
    (void)state;
    struct fate fates[100];
    for (int i = 0; i < 100; i++)
        fates[i] = (struct fate){.slot = i, .delay = i < 29 ? 60 : 0};
    assert_int_equal(bound_of(fates, 100, 0.29).fixed_ns, 0);
    assert_int_equal(bound_of(fates, 100, 0.28).fixed_ns, 60 * STEP_NS);
}

/*
 * 100 ppm either way, in times rounded to 0.01 ms: the triangle 10 20 30 40 30 20 10 around packet
 * 30, and 10 40 10 around packet 60, which has 3 intervals on both sides.
 */
static void a_drifting_sender_clock_does_not_change_the_slope(void **state)
{
    (void)state;
    for (int ppm = -100; ppm <= 100; ppm += 200) {
        char text[4096] = "# interval_ms 20\n";
        size_t len = strlen(text);
        for (int i = 0; i < 100; i++) {
            int slot = i + (i >= 60 ? 2 : 0) + (i > 60 ? 2 : 0);
            double send_ms = slot * 20 * (1 + ppm * 1e-6);
            len += (size_t)snprintf(text + len, sizeof text - len, "%d %.2f %.2f\n", i, send_ms,
                                    send_ms + (i == 30 || i == 60 ? 20 : 0));
        }
        struct vox_bound_config config = plain(0);
        struct vox_bound bound = bound_of_text(text, &config);
        assert_near_ns(bound.bound_ns, (160.0 + 60) / 100 * (double)STEP_NS);
    }
}

/* Least sum of delays with exactly the packets of `given_up` not waited for. */
static int envelope_sum(const struct fate *fates, int count, unsigned given_up)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        int delay = 0;
        for (int j = 0; j < count; j++) {
            int fall = SLOPE * abs(fates[i].slot - fates[j].slot);
            if (!(given_up >> j & 1U) && fates[j].delay - fall > delay)
                delay = fates[j].delay - fall;
        }
        sum += fates[i].delay == LOST ? 0 : delay;
    }
    return sum;
}

static int bits(unsigned mask)
{
    int n = 0;
    for (; mask; mask &= mask - 1)
        n++;
    return n;
}

/* least[k]: with k packets given up, every choice of them tried. */
static void try_all(const struct fate *fates, int count, double *least)
{
    for (int k = 0; k <= count; k++)
        least[k] = HUGE_VAL;
    for (unsigned mask = 0; mask < 1U << count; mask++) {
        int k = bits(mask);
        int sum = envelope_sum(fates, count, mask);
        if (sum < least[k])
            least[k] = sum;
    }
}

/* The convex hull of `least` from below: the lowest chord over x between two of its points. */
static double hull_at(const double *least, int count, double x)
{
    double best = HUGE_VAL;
    for (int a = 0; a <= count && a <= x; a++)
        for (int b = a; b <= count; b++) {
            if (b < x || (a == b && a < x))
                continue;
            double along = a == b ? 0 : (x - a) / (b - a);
            best = fmin(best, least[a] + along * (least[b] - least[a]));
        }
    return best;
}

/* Stalls, losses, pauses and noise; one packet has no delay, so that delays are what they say. */
static int make_random(struct vox_rng *rng, struct fate *fates)
{
    int count = 2 + (int)(vox_rng_u32(rng) % 9);
    int stall = 0;
    int slot = 0;
    for (int i = 0; i < count; i++) {
        int step = vox_rng_uniform(rng) < 0.1 ? 2 + (int)(vox_rng_u32(rng) % 4) : 1;
        slot += i > 0 ? step : 0;
        stall = stall > 20 * step ? stall - 20 * step : 0;
        if (vox_rng_uniform(rng) < 0.25)
            stall = (int)(vox_rng_u32(rng) % 90);
        fates[i] = (struct fate){.slot = slot, .delay = stall + (int)(vox_rng_u32(rng) % 12)};
        if (vox_rng_uniform(rng) < 0.1)
            fates[i].delay = LOST;
    }
    fates[vox_rng_u32(rng) % (unsigned)count].delay = 0;
    return count;
}

static void agrees_with_trying_all_subsets(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 400; seed++) {
        struct vox_rng rng;
        struct fate fates[MAX_PACKETS];
        double least[MAX_PACKETS + 1];
        vox_rng_init(&rng, seed, 0);
        int count = make_random(&rng, fates);
        try_all(fates, count, least);
        for (int trial = 0; trial < 4; trial++) {
            double share = trial == 0 ? 0 : vox_rng_uniform(&rng);
            struct vox_bound bound = bound_of(fates, (size_t)count, share);
            double sum = (double)bound.bound_ns / (double)STEP_NS * (double)bound.arrived;
            double expected = hull_at(least, count, share * count);
            if (fabs(sum - expected) > 1e-3)
                fail_msg("seed %u, share %.17g: %.6f instead of %.6f", seed, share, sum, expected);
        }
    }
}

/* The definition read aloud, quadratic: the least delay for which few enough are above it. */
static int fixed_by_trial(const struct fate *fates, int count, double late_share)
{
    for (int delay = 0;; delay++) {
        int late = 0;
        for (int i = 0; i < count; i++)
            late += fates[i].delay > delay ? 1 : 0;
        if (late <= late_share * count + 1e-9)
            return delay;
    }
}

static void the_fixed_delay_agrees_with_trying_each(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 400; seed++) {
        struct vox_rng rng;
        struct fate fates[MAX_PACKETS];
        vox_rng_init(&rng, seed, 1);
        int count = make_random(&rng, fates);
        double share = seed % 2 ? vox_rng_uniform(&rng) : (double)(seed % 10) / 10;
        struct vox_bound bound = bound_of(fates, (size_t)count, share);
        int expected = fixed_by_trial(fates, count, share);
        if (bound.fixed_ns != expected * STEP_NS)
            fail_msg("seed %u, share %.17g: %lld ns instead of %d steps", seed, share,
                     (long long)bound.fixed_ns, expected);
    }
}

static struct vox_trace *load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", VOX_TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static char text[1 << 18];
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(len > 0 && len < sizeof text);
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {0};
    assert_int_equal(vox_trace_parse(text, len, &trace, &error), 0);
    return trace;
}

/* Pinned to what an independent program in floating point gave, to its three digits. */
static void a_minute_of_wifi_is_as_pinned(void **state)
{
    (void)state;
    struct vox_trace *trace = load("wifi.trace");
    struct vox_bound_config config;
    vox_bound_config_init(&config);
    config.phase_ns = 9709127;
    struct vox_bound bound;
    assert_int_equal(vox_bound_compute(trace, &config, &bound), 0);
    assert_int_equal(bound.sent, 2400);
    assert_int_equal(bound.arrived, 2384);
    assert_true(fabs(vox_ns_to_ms(bound.bound_ns) - 8.479) < 0.0006);
    assert_int_equal(bound.fixed_ns, 57209127); /* packets leave on the grid of the pulls */
    assert_int_equal(bound.fixed_late, 11);
    vox_trace_destroy(trace);
}

static void more_freedom_is_never_worse(void **state)
{
    (void)state;
    struct vox_trace *trace = load("wifi.trace");
    struct vox_bound_config config;
    vox_bound_config_init(&config);
    int64_t before_ns = INT64_MAX;
    for (int percent = 5; percent <= 50; percent += 5) { /* all of them multiples of 0.5 ms */
        struct vox_bound bound;
        config.stretch = percent / 100.0;
        assert_int_equal(vox_bound_compute(trace, &config, &bound), 0);
        assert_true(bound.bound_ns <= before_ns && bound.bound_ns <= bound.fixed_ns + STEP_NS);
        before_ns = bound.bound_ns;
    }
    for (int permille = 6; permille <= 30; permille++) {
        struct vox_bound bound;
        config.late_share = permille / 1000.0;
        assert_int_equal(vox_bound_compute(trace, &config, &bound), 0);
        assert_true(bound.bound_ns <= before_ns);
        before_ns = bound.bound_ns;
    }
    vox_trace_destroy(trace);
}

/* 2.5 ms packets: 0.625 ms of slope is two steps of 0.3125 ms, not one of 0.5. */
static void the_step_divides_the_slope(void **state)
{
    (void)state;
    static const char text[] = "# interval_ms 2.5\n0 0 10\n1 2.5 12.5\n2 5 17.5\n3 7.5 17.5\n";
    struct vox_bound_config config = plain(0);
    struct vox_bound bound = bound_of_text(text, &config);
    assert_int_equal(bound.resolution_ns, 312500);
    /* 8 steps at packet 2, so 4 6 8 6 */
    assert_near_ns(bound.bound_ns, 24.0 / 4 * 312500);
}

/* One packet of an hour is fast, the rest 1.5 s slower: 5 * 10^8 cells of 0.5 ms, 10^8 of 2.5. */
static void long_delays_make_the_steps_coarser(void **state)
{
    (void)state;
    enum { PACKETS = 180000, LINE = 40 };
    char *text = malloc((size_t)PACKETS * LINE);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, LINE, "# interval_ms 20\n");
    for (int i = 0; i < PACKETS; i++)
        len += (size_t)snprintf(text + len, LINE, "%d %d %d\n", i, i * 20,
                                i * 20 + (i == 1 ? 0 : 1500));
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {0};
    assert_int_equal(vox_trace_parse(text, len, &trace, &error), 0);
    free(text);
    struct vox_bound_config config = plain(0);
    struct vox_bound bound;
    assert_int_equal(vox_bound_compute(trace, &config, &bound), 0);
    assert_int_equal(bound.resolution_ns, 2500 * VOX_NS_PER_US);
    assert_near_ns(bound.bound_ns, 1500e6 - 5e6 / PACKETS); /* the fast one as far as it may */
    vox_trace_destroy(trace);
}

static int error_with(const struct vox_bound_config *config, const char *text)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {0};
    assert_int_equal(vox_trace_parse(text, strlen(text), &trace, &error), 0);
    struct vox_bound bound = {.bound_ns = -7};
    int err = vox_bound_compute(trace, config, &bound);
    vox_trace_destroy(trace);
    if (err < 0)
        assert_int_equal(bound.bound_ns, -7);
    return err;
}

static void refuses_what_cannot_be_computed(void **state)
{
    (void)state;
    static const char short_text[] = "# interval_ms 20\n0 0 1\n1 20 21\n";
    struct vox_bound_config config;
    vox_bound_config_init(&config);
    assert_int_equal(error_with(&config, short_text), VOX_ENOTFOUND); /* all of it is skipped */
    config = plain(0.005);
    assert_int_equal(error_with(&config, short_text), 0);
    assert_int_equal(error_with(&config, "# interval_ms 20\n0 0 lost\n"), VOX_ENOTFOUND);
    assert_int_equal(error_with(&config, "# interval_ms 20\n0 0 1\n1 20 21\n2 40 80000\n"),
                     VOX_ELIMIT);
    /* times and steps as far apart as the format knows */
    assert_int_equal(error_with(&config, "# interval_ms 0.000001\n0 -3155760000000 3155760000000\n"
                                         "1 3155760000000 3155760000000\n"),
                     VOX_ELIMIT);
    assert_int_equal(error_with(&config, "# interval_ms 3155760000000\n0 0 1\n1 3 5\n"), 0);
    static const double shares[] = {-0.1, 1.1, (double)NAN};
    for (size_t i = 0; i < COUNT(shares); i++) {
        config = plain(shares[i]);
        assert_int_equal(error_with(&config, short_text), VOX_EINVAL);
        config = plain(0);
        config.stretch = shares[i];
        assert_int_equal(error_with(&config, short_text), VOX_EINVAL);
    }
    config = plain(0);
    config.pull_ns = config.phase_ns = 10;
    assert_int_equal(error_with(&config, short_text), VOX_EINVAL);
    config = plain(0);
    config.resolution_ns = 0;
    assert_int_equal(error_with(&config, short_text), VOX_EINVAL);
    config = plain(0);
    config.skip_head_ns = -1;
    assert_int_equal(error_with(&config, short_text), VOX_EINVAL);
}

RUN(cmocka_unit_test(a_constant_transit_costs_nothing),
    cmocka_unit_test(before_and_after_a_spike_the_delay_follows_the_slope),
    cmocka_unit_test(a_spike_that_may_be_late_is_given_up),
    cmocka_unit_test(between_whole_packets_the_bound_is_interpolated),
    cmocka_unit_test(the_delay_moves_on_over_lost_packets),
    cmocka_unit_test(a_pause_gives_the_delay_time),
    cmocka_unit_test(without_stretching_it_is_a_fixed_delay),
    cmocka_unit_test(playout_waits_for_the_next_pull),
    cmocka_unit_test(delays_are_rounded_to_the_nearest_step),
    cmocka_unit_test(what_is_skipped_does_not_count_but_the_fastest_transit_does),
    cmocka_unit_test(the_first_copy_counts),
    cmocka_unit_test(the_first_pull_may_be_after_the_first_arrival),
    cmocka_unit_test(packets_sent_together_are_an_interval_apart),
    cmocka_unit_test(a_long_pause_does_not_let_it_move_without_stretching),
    cmocka_unit_test(a_share_of_whole_packets_is_taken_as_that),
    cmocka_unit_test(a_drifting_sender_clock_does_not_change_the_slope),
    cmocka_unit_test(agrees_with_trying_all_subsets),
    cmocka_unit_test(the_fixed_delay_agrees_with_trying_each),
    cmocka_unit_test(a_minute_of_wifi_is_as_pinned), cmocka_unit_test(more_freedom_is_never_worse),
    cmocka_unit_test(the_step_divides_the_slope),
    cmocka_unit_test(long_delays_make_the_steps_coarser),
    cmocka_unit_test(refuses_what_cannot_be_computed))
