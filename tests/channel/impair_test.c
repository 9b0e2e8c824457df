/*
 * Statistics against closed forms, at fixed seeds: each bound is at least 4 standard deviations of
 * the estimate wide, so that it would hold for all but one seed in ten thousand, and tight enough
 * to refuse a wrong model.
 */
#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "channel/impair.h"
#include "channel/trace.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>

enum { PACKETS = 200000, INTERVAL_MS = 20 };
#define INTERVAL_NS (INTERVAL_MS * VOX_NS_PER_MS)

static struct vox_fate fates[PACKETS];
static struct vox_fate others[PACKETS];

static struct vox_impair_config defaults(void)
{
    struct vox_impair_config config;
    vox_impair_config_init(&config);
    return config;
}

/* Sends `count` packets of `bytes` every step_ns from time 0. */
static struct vox_impair_stats run(const struct vox_impair_config *config, int64_t step_ns,
                                   size_t bytes, size_t count, struct vox_fate *out)
{
    struct vox_impair *impair = NULL;
    assert_int_equal(vox_impair_create(config, &impair), 0);
    vox_rt_enter();
    for (size_t i = 0; i < count; i++)
        vox_impair_packet(impair, (int64_t)i * step_ns, bytes, &out[i]);
    vox_rt_leave();
    struct vox_impair_stats stats = *vox_impair_stats(impair);
    vox_impair_destroy(impair);
    return stats;
}

static void refuses_impossible_networks(void **state)
{
    (void)state;
    struct vox_impair_config rows[16];
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = defaults();
    rows[0].loss = -0.1;
    rows[1].loss = 1.1;
    rows[2].loss = (double)NAN;
    rows[3].loss = 1, rows[3].burst_packets = 2;
    rows[4].burst_packets = 0.5;
    rows[5].burst_packets = (double)NAN;
    rows[6].delay_ns = -1;
    rows[7].jitter_ns = -1;
    rows[8].burst_unit_ns = 0;
    rows[9].queue_ns = -1;
    rows[10].rate_bps = -1;
    rows[11].reorder = 2;
    rows[12].duplicate = (double)NAN;
    rows[13].delay_ns = INT64_MAX;
    rows[14].jitter_ns = 3601 * VOX_NS_PER_S;
    rows[15].packet_ns = -INTERVAL_NS;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_impair *impair = NULL;
        assert_int_equal(vox_impair_create(&rows[i], &impair), VOX_EINVAL);
        assert_null(impair);
    }
    vox_impair_destroy(NULL);
}

static void perfect_network_changes_nothing(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    run(&config, INTERVAL_NS, 100, 1000, fates);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(fates[i].cause, VOX_FATE_DELIVERED);
        assert_int_equal(fates[i].copies, 1);
        assert_true(fates[i].deliver_ns[0] == (int64_t)i * INTERVAL_NS);
    }
}

struct bursts {
    double loss;
    double mean;
    int count;
    int of_length[10]; /* the last: of nine and more */
};

static struct bursts count_bursts(size_t count)
{
    struct bursts b = {0};
    int lost = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        if (fates[i].copies == 0) {
            lost++;
            length++;
        } else if (length > 0) {
            b.of_length[length < 9 ? length : 9]++;
            b.count++;
            length = 0;
        }
    }
    b.loss = (double)lost / (double)count;
    b.mean = b.count ? (double)lost / b.count : 0;
    return b;
}

/* Pearson's chi-square of the burst lengths 1..9+ against a geometric distribution of that mean. */
static double chi_square(const struct bursts *b, double mean)
{
    double sum = 0;
    double stay = 1 - 1 / mean;
    for (int k = 1; k <= 9; k++) {
        double share = k < 9 ? pow(stay, k - 1) * (1 - stay) : pow(stay, 8);
        double expect = share * b->count;
        if (expect >= 5)
            sum += (b->of_length[k] - expect) * (b->of_length[k] - expect) / expect;
    }
    return sum;
}

/*
 * Rows of what is asked and how often packets are sent; what the chain must then show to such a
 * sender: the same loss, bursts of 1 / ((1 - L)(1 - lambda^(step / interval))) packets, geometric.
 */
static void losses_are_gilberts(void **state)
{
    (void)state;
    static const struct {
        double loss, burst;
        double step_ms;
    } rows[] = {
        {0.05, 1, 20},  {0.05, 3, 20},  {0.01, 5, 20},    {0.2, 2, 20},  {0.3, 1, 20},
        {0.1, 8, 20},   {0.05, 3, 100}, {0.05, 3, 60},    {0.05, 3, 10}, {0.05, 3, 2.5},
        {0.3, 1.2, 20}, {0.05, 1, 2.5}, {0.05, 10, 1000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_impair_config config = defaults();
        config.loss = rows[i].loss;
        config.burst_packets = rows[i].burst;
        config.seed = 11;
        struct vox_impair_stats stats =
            run(&config, vox_ms_to_ns(rows[i].step_ms), 100, PACKETS, fates);
        struct bursts b = count_bursts(PACKETS);
        double good = 1 - rows[i].loss;
        double lambda = fmax(0, 1 - 1 / (rows[i].burst * good));
        double kept = lambda > 0 ? pow(lambda, rows[i].step_ms / INTERVAL_MS) : 0;
        double mean = 1 / (good * (1 - kept));
        double loss_sd =
            sqrt(rows[i].loss * good / PACKETS * (1 + kept) / (1 - kept)); /* correlated draws */
        double mean_sd = sqrt(mean * (mean - 1) / b.count);
        double chi2 = chi_square(&b, mean);
        /* 99.99 % of chi-square with 8 degrees of freedom: 31.8 */
        if (fabs(b.loss - rows[i].loss) > 4 * loss_sd || fabs(b.mean - mean) > 4 * mean_sd ||
            chi2 > 31.8)
            fail_msg("loss %g burst %g every %g ms: loss %g, burst %g (not %g), chi2 %g",
                     rows[i].loss, rows[i].burst, rows[i].step_ms, b.loss, b.mean, mean, chi2);
        assert_true(stats.packets == PACKETS);
        assert_true(fabs((double)stats.lost / PACKETS - b.loss) < 1e-12);
    }
}

/* The reason for a chain that lives in time: a per-packet one would give both the same burst. */
static void slow_sender_sees_no_longer_bursts(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.loss = 0.05;
    config.burst_packets = 4;
    run(&config, INTERVAL_NS, 100, PACKETS, fates);
    double usual = count_bursts(PACKETS).mean;
    run(&config, 100 * VOX_NS_PER_MS, 100, PACKETS, fates);
    double slow = count_bursts(PACKETS).mean;
    assert_true(usual > 3.8 && usual < 4.2);
    assert_true(slow < 1.4);
}

/* Two packets in one datagram time: the same burst for a chain, two draws without one. */
static void packets_of_one_instant_share_a_burst_only(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.loss = 0.5;
    run(&config, 0, 100, PACKETS, fates);
    double mean = count_bursts(PACKETS).mean;
    assert_true(mean > 1.97 && mean < 2.03);
    config.burst_packets = 4;
    uint64_t lost = run(&config, 0, 100, 1000, fates).lost;
    assert_true(lost == 0 || lost == 1000);
}

static void all_can_be_lost(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.loss = 1;
    assert_true(run(&config, INTERVAL_NS, 100, 1000, fates).lost == 1000);
    assert_int_equal(fates[500].cause, VOX_FATE_LOST);
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void delay_is_uniform_around_its_middle(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.delay_ns = 50 * VOX_NS_PER_MS;
    config.jitter_ns = 8 * VOX_NS_PER_MS; /* below half an interval: the FIFO never binds */
    run(&config, INTERVAL_NS, 100, PACKETS, fates);
    static int64_t delay_ns[PACKETS];
    for (size_t i = 0; i < PACKETS; i++)
        delay_ns[i] = fates[i].deliver_ns[0] - (int64_t)i * INTERVAL_NS;
    qsort(delay_ns, PACKETS, sizeof delay_ns[0], compare_ns);
    assert_true(delay_ns[0] >= 42 * VOX_NS_PER_MS);
    assert_true(delay_ns[PACKETS - 1] <= 58 * VOX_NS_PER_MS);
    /* Kolmogorov-Smirnov, one seed in ten thousand beyond 2.23 / sqrt(n) */
    double worst = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        double expect = (vox_ns_to_ms(delay_ns[i]) - 42) / 16;
        worst = fmax(worst, fabs(expect - (double)i / PACKETS));
    }
    assert_true(worst < 2.23 / sqrt(PACKETS));
}

static void jitter_never_overtakes_nor_goes_back_in_time(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.delay_ns = 30 * VOX_NS_PER_MS;
    config.jitter_ns = 90 * VOX_NS_PER_MS;
    run(&config, INTERVAL_NS, 100, PACKETS, fates);
    int at_once = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        int64_t delay_ns = fates[i].deliver_ns[0] - (int64_t)i * INTERVAL_NS;
        assert_true(delay_ns >= 0 && delay_ns <= 120 * VOX_NS_PER_MS);
        assert_true(i == 0 || fates[i].deliver_ns[0] >= fates[i - 1].deliver_ns[0]);
        at_once += delay_ns == 0;
    }
    assert_true(at_once > 0);
}

/* |found - share| <= 4 standard deviations of a binomial */
static bool is_share_of(double share, uint64_t found, double n)
{
    return fabs((double)found - share * n) <= 4 * sqrt(n * share * (1 - share));
}

static void reorders_the_share_asked_for(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.delay_ns = 10 * VOX_NS_PER_MS;
    config.reorder = 0.02;
    struct vox_impair_stats stats = run(&config, INTERVAL_NS, 100, PACKETS, fates);
    assert_true(is_share_of(0.02, stats.reordered, PACKETS));
    uint64_t held = 0, overtaken = 0;
    for (size_t i = 0; i + 3 < PACKETS; i++) {
        int64_t delay_ns = fates[i].deliver_ns[0] - (int64_t)i * INTERVAL_NS - config.delay_ns;
        if (delay_ns == 0)
            continue; /* the others are not held up by those that are */
        held++;
        assert_true(delay_ns >= INTERVAL_NS && delay_ns <= 3 * INTERVAL_NS);
        overtaken += fates[i + 1].deliver_ns[0] < fates[i].deliver_ns[0] ||
                     fates[i + 2].deliver_ns[0] < fates[i].deliver_ns[0];
    }
    assert_true(held + 3 >= stats.reordered);
    assert_true((double)overtaken > 0.97 * (double)held);
}

static void duplicates_the_share_asked_for(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.loss = 0.1;
    config.duplicate = 0.05;
    struct vox_impair_stats stats = run(&config, INTERVAL_NS, 100, PACKETS, fates);
    assert_true(is_share_of(0.05, stats.duplicated, (double)(PACKETS - stats.lost)));
    uint64_t twice = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        if (fates[i].copies < 2)
            continue;
        twice++;
        int64_t later_ns = fates[i].deliver_ns[1] - fates[i].deliver_ns[0];
        assert_true(later_ns >= 0 && later_ns <= INTERVAL_NS);
    }
    assert_true(twice == stats.duplicated);
}

/* 172 + 28 bytes every 20 ms are 80 kbit/s. */
static void link_with_room_only_serialises(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.rate_bps = 160000;
    config.delay_ns = 5 * VOX_NS_PER_MS;
    run(&config, INTERVAL_NS, 172, 1000, fates);
    for (size_t i = 0; i < 1000; i++)
        assert_true(fates[i].deliver_ns[0] == (int64_t)i * INTERVAL_NS + 15 * VOX_NS_PER_MS);
}

/*
 * Twice what the link takes: D/D/1. Packet i waits i * (40 - 20) ms until that passes the queue;
 * then half of the packets are dropped, and what passes is the link's rate.
 */
static void link_too_thin_queues_then_drops_the_tail(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.rate_bps = 40000;
    config.queue_ns = 300 * VOX_NS_PER_MS;
    struct vox_impair_stats stats = run(&config, INTERVAL_NS, 172, 10000, fates);
    for (int64_t i = 0; i <= 15; i++)
        assert_true(fates[i].deliver_ns[0] == (i + 1) * 40 * VOX_NS_PER_MS);
    assert_int_equal(fates[16].cause, VOX_FATE_QUEUE_FULL);
    uint64_t passed = 0;
    for (int64_t i = 0; i < 10000; i++) {
        if (fates[i].copies == 0)
            continue;
        passed++;
        int64_t delay_ns = fates[i].deliver_ns[0] - i * INTERVAL_NS;
        assert_true(delay_ns <= 340 * VOX_NS_PER_MS); /* queue and own serialisation */
        assert_true(i < 100 || delay_ns > 300 * VOX_NS_PER_MS);
    }
    assert_in_range(passed, 5000, 5010);
    assert_true(stats.queue_dropped == 10000 - passed && stats.lost == 0);
}

static void an_option_does_not_change_what_others_do(void **state)
{
    (void)state;
    struct vox_impair_config base = defaults();
    base.loss = 0.1, base.burst_packets = 3;
    base.delay_ns = 50 * VOX_NS_PER_MS, base.jitter_ns = 9 * VOX_NS_PER_MS;
    run(&base, INTERVAL_NS, 100, 5000, fates);
    struct vox_impair_config more = base;
    more.duplicate = 0.3;
    run(&more, INTERVAL_NS, 100, 5000, others);
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(fates[i].cause, others[i].cause);
        assert_true(fates[i].deliver_ns[0] == others[i].deliver_ns[0]);
    }
    more.reorder = 0.3;
    more.loss = 0;
    run(&more, INTERVAL_NS, 100, 5000, others);
    for (size_t i = 0; i < 5000; i++) { /* same delay, but for those held back */
        int64_t later_ns = others[i].deliver_ns[0] - fates[i].deliver_ns[0];
        assert_true(fates[i].copies == 0 || later_ns == 0 || later_ns >= INTERVAL_NS);
    }
}

static void seeds_differ(void **state)
{
    (void)state;
    struct vox_impair_config config = defaults();
    config.loss = 0.5;
    run(&config, INTERVAL_NS, 100, 1000, fates);
    config.seed = 2;
    run(&config, INTERVAL_NS, 100, 1000, others);
    int same = 0;
    for (size_t i = 0; i < 1000; i++)
        same += fates[i].cause == others[i].cause;
    assert_in_range(same, 430, 570);
}

static struct vox_trace *parse(const char *text)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error;
    assert_int_equal(vox_trace_parse(text, strlen(text), &trace, &error), 0);
    return trace;
}

static void trace_is_played_as_recorded_and_looped(void **state)
{
    (void)state;
    struct vox_trace *trace = parse("# interval_ms 20\n"
                                    "0 1000 1070\n" /* overtaken by the next */
                                    "1 1020 1023\n"
                                    "2 1040 lost\n"
                                    "3 1060 1062\n"
                                    "3 1060 1065\n");
    struct vox_impair_config config = defaults();
    config.trace = trace;
    config.delay_ns = 10 * VOX_NS_PER_MS;
    config.duplicate = 1;
    struct vox_impair_stats stats = run(&config, INTERVAL_NS, 100, 8, fates);
    for (int64_t i = 0; i < 8; i++) {
        static const int64_t delay_ms[] = {80, 13, 0, 12};
        if (i % 4 == 2) {
            assert_int_equal(fates[i].cause, VOX_FATE_TRACE_LOST);
            assert_int_equal(fates[i].copies, 0);
            continue;
        }
        assert_true(fates[i].deliver_ns[0] == i * INTERVAL_NS + delay_ms[i % 4] * VOX_NS_PER_MS);
        assert_int_equal(fates[i].copies, 2);
    }
    assert_true(fates[3].deliver_ns[1] - fates[3].deliver_ns[0] == 3 * VOX_NS_PER_MS);
    assert_true(stats.lost == 2);
    vox_trace_destroy(trace);
}

static void trace_counts_from_the_first_packet(void **state)
{
    (void)state;
    struct vox_trace *trace = parse("# interval_ms 20\n0 0 1\n1 20 22\n2 40 43\n");
    struct vox_impair_config config = defaults();
    config.trace = trace;
    struct vox_impair *impair = NULL;
    assert_int_equal(vox_impair_create(&config, &impair), 0);
    for (int64_t i = 0; i < 3; i++) {
        int64_t send_ns = INT64_C(123456809012345) + i * INTERVAL_NS;
        struct vox_fate fate;
        vox_impair_packet(impair, send_ns, 100, &fate);
        assert_true(fate.deliver_ns[0] - send_ns == (i + 1) * VOX_NS_PER_MS);
    }
    vox_impair_destroy(impair);
    vox_trace_destroy(trace);
}

/*
 * Pins the fates of a seed: recorded results of seeded runs must stay reproducible in later
 * versions. delivery in us after sending, of the first and second copy; -1: none.
 */
static void fates_of_a_seed_are_fixed_for_ever(void **state)
{
    (void)state;
    static const struct {
        int cause, first_us, second_us;
    } golden[] = {
        {0, 53927, -1},    {0, 85231, 89729}, {0, 128059, -1},   {0, 55711, 66417}, {3, -1, -1},
        {0, 85561, 88898}, {0, 94228, 98066}, {0, 68802, -1},    {1, -1, -1},       {1, -1, -1},
        {1, -1, -1},       {1, -1, -1},       {1, -1, -1},       {0, 92684, -1},    {0, 124483, -1},
        {0, 101885, -1},   {0, 81885, 95274}, {1, -1, -1},       {1, -1, -1},       {1, -1, -1},
        {0, 54012, 63439}, {0, 54085, -1},    {0, 52389, -1},    {0, 108119, -1},   {3, -1, -1},
        {0, 68119, -1},    {0, 111800, -1},   {0, 54880, 71554}, {1, -1, -1},       {0, 117519, -1},
        {0, 112629, -1},   {0, 58595, -1},    {0, 126279, -1},   {3, -1, -1},       {0, 92386, -1},
        {0, 72386, -1},    {0, 136564, -1},   {0, 95666, -1},    {3, -1, -1},       {0, 73306, -1},
    };
    struct vox_impair_config config = defaults();
    config.loss = 0.25, config.burst_packets = 3;
    config.delay_ns = 40 * VOX_NS_PER_MS, config.jitter_ns = 30 * VOX_NS_PER_MS;
    config.reorder = 0.2, config.duplicate = 0.2;
    config.rate_bps = 60000, config.queue_ns = 20 * VOX_NS_PER_MS;
    config.seed = 2026;
    run(&config, INTERVAL_NS, 160, COUNT(golden), fates);
    for (size_t i = 0; i < COUNT(golden); i++) {
        int got_us[2] = {-1, -1};
        for (int c = 0; c < fates[i].copies; c++)
            got_us[c] = (int)((fates[i].deliver_ns[c] - (int64_t)i * INTERVAL_NS) / VOX_NS_PER_US);
        if ((int)fates[i].cause != golden[i].cause || got_us[0] != golden[i].first_us ||
            got_us[1] != golden[i].second_us)
            fail_msg("packet %zu: {%d, %d, %d}", i, (int)fates[i].cause, got_us[0], got_us[1]);
    }
}

RUN(cmocka_unit_test(refuses_impossible_networks),
    cmocka_unit_test(perfect_network_changes_nothing), cmocka_unit_test(losses_are_gilberts),
    cmocka_unit_test(slow_sender_sees_no_longer_bursts),
    cmocka_unit_test(packets_of_one_instant_share_a_burst_only), cmocka_unit_test(all_can_be_lost),
    cmocka_unit_test(delay_is_uniform_around_its_middle),
    cmocka_unit_test(jitter_never_overtakes_nor_goes_back_in_time),
    cmocka_unit_test(reorders_the_share_asked_for),
    cmocka_unit_test(duplicates_the_share_asked_for),
    cmocka_unit_test(link_with_room_only_serialises),
    cmocka_unit_test(link_too_thin_queues_then_drops_the_tail),
    cmocka_unit_test(an_option_does_not_change_what_others_do), cmocka_unit_test(seeds_differ),
    cmocka_unit_test(trace_is_played_as_recorded_and_looped),
    cmocka_unit_test(trace_counts_from_the_first_packet),
    cmocka_unit_test(fates_of_a_seed_are_fixed_for_ever))
