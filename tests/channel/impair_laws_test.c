/*
 * Statistics against closed forms, at fixed seeds: each bound is at least 4 standard deviations of
 * the estimate wide, so that it would hold for all but one seed in ten thousand, and tight enough
 * to refuse a wrong model.
 */
#include "sending.h"

#include <math.h>
#include <stdbool.h>

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
        {0.05, 1, 20},    {0.05, 3, 20},  {0.01, 5, 20},  {0.2, 2, 20},
        {0.3, 1, 20},     {0.1, 8, 20},   {0.05, 3, 100}, {0.05, 3, 60},
        {0.05, 3, 10},    {0.05, 3, 2.5}, {0.3, 1.2, 20}, {0.05, 1, 2.5},
        {0.05, 10, 1000}, {0.05, 3, 5},   {0.2, 4, 5},    {0.1, 6, 60},
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

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static double uniform(double x, double from, double to)
{
    return fmin(1, fmax(0, (x - from) / (to - from)));
}

/* A distribution of times in ms, P(X <= x). */
typedef double cdf_fn(const void *what, double ms);

/*
 * Kolmogorov-Smirnov: how far independent values are from a distribution that is continuous above
 * its least value, in units of 1 / sqrt(n). One seed in ten thousand is beyond 2.23. Sorts.
 */
static double far_from(cdf_fn *cdf, const void *what, int64_t *values_ns, size_t n)
{
    double worst = 0;
    qsort(values_ns, n, sizeof values_ns[0], compare_ns);
    for (size_t i = 0; i < n; i++) {
        double expect = cdf(what, vox_ns_to_ms(values_ns[i]));
        bool last = i + 1 == n || values_ns[i + 1] > values_ns[i];
        if (last)
            worst = fmax(worst, fabs(expect - (double)(i + 1) / (double)n));
        if (i > 0 && values_ns[i] > values_ns[i - 1])
            worst = fmax(worst, fabs(expect - (double)i / (double)n));
    }
    return worst * sqrt((double)n);
}

static int64_t values_ns[PACKETS];

struct jitter_row {
    double delay_ms, jitter_ms, step_ms;
};

/*
 * A packet draws X, uniform in delay -+ jitter but at least 0, and waits for those in front: its
 * delay is W = max(X_0, X_1 - step, X_2 - 2 step, ...), X_k that of the k-th in front of it. So
 * P(W <= w) is the product over k of P(X <= w + k step), whose factors are 1 from some k on.
 */
static double delay_after_waiting(const void *what, double ms)
{
    const struct jitter_row *row = what;
    double share = 1;
    for (double x = ms; x < row->delay_ms + row->jitter_ms; x += row->step_ms)
        share *= uniform(x, row->delay_ms - row->jitter_ms, row->delay_ms + row->jitter_ms);
    return share;
}

static void delays_are_uniform_and_in_order(void **state)
{
    (void)state;
    static const struct jitter_row rows[] = {
        {50, 8, 20}, /* less than half a step: nobody waits, W = X */
        {50, 20, 20}, {50, 30, 20}, {200, 150, 20}, {30, 90, 20},
        {0, 40, 20},  {50, 30, 5},  {20, 30, 60},   {5, 5, 2.5},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_impair_config config = defaults();
        config.delay_ns = vox_ms_to_ns(rows[i].delay_ms);
        config.jitter_ns = vox_ms_to_ns(rows[i].jitter_ms);
        int64_t step_ns = vox_ms_to_ns(rows[i].step_ms);
        run(&config, step_ns, 100, PACKETS, fates);
        /* W hangs on so many draws: of each so many packets one, and they are independent */
        size_t apart = (size_t)(2 * rows[i].jitter_ms / rows[i].step_ms) + 1;
        size_t n = 0;
        for (size_t k = apart; k < PACKETS; k += apart)
            values_ns[n++] = fates[k].deliver_ns[0] - (int64_t)k * step_ns;
        double far = far_from(delay_after_waiting, &rows[i], values_ns, n);
        if (!(far < 2.23))
            fail_msg("delay %g -+ %g ms every %g: %g off", rows[i].delay_ms, rows[i].jitter_ms,
                     rows[i].step_ms, far);
        assert_true(vox_ns_to_ms(values_ns[0]) >= fmax(0, rows[i].delay_ms - rows[i].jitter_ms));
        assert_true(vox_ns_to_ms(values_ns[n - 1]) <= rows[i].delay_ms + rows[i].jitter_ms);
    }
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

static double hold(const void *what, double ms)
{
    (void)what;
    return uniform(ms, INTERVAL_MS, 3 * INTERVAL_MS);
}

/*
 * Held back for h intervals, uniform in 1..3, a packet is overtaken by the next one, unless that is
 * held, too (r). Then only if h > 2 (1/2): by the next one if that is held for less than h - 1 (1/4
 * on the average), or by the one behind it if that is not held. In all
 * (1 - r) + r / 2 (1/4 + 3/4 (1 - r)) = 1 - r / 2 - 3 / 8 r^2.
 */
static void those_held_back_are_overtaken(void **state)
{
    (void)state;
    static const double shares[] = {0.02, 0.1, 0.3};
    for (size_t s = 0; s < COUNT(shares); s++) {
        double r = shares[s];
        struct vox_impair_config config = defaults();
        config.delay_ns = 10 * VOX_NS_PER_MS;
        config.reorder = r;
        config.seed = 5;
        run(&config, INTERVAL_NS, 100, PACKETS, fates);
        size_t held = 0;
        double overtaken = 0;
        for (size_t i = 0; i + 3 < PACKETS; i++) {
            int64_t at_ns = fates[i].deliver_ns[0];
            int64_t held_ns = at_ns - (int64_t)i * INTERVAL_NS - config.delay_ns;
            if (held_ns == 0)
                continue;
            values_ns[held++] = held_ns;
            overtaken += fates[i + 1].deliver_ns[0] < at_ns || fates[i + 2].deliver_ns[0] < at_ns;
        }
        assert_true(far_from(hold, NULL, values_ns, held) < 2.23);
        double expect = 1 - r / 2 - 3 * r * r / 8;
        /* neighbours share draws: at most three times the variance of independent ones */
        double sd = sqrt(3 * expect * (1 - expect) / (double)held);
        if (fabs(overtaken / (double)held - expect) > 4 * sd)
            fail_msg("of those held, %g are overtaken, not %g", overtaken / (double)held, expect);
    }
}

static double within_an_interval(const void *what, double ms)
{
    (void)what;
    return uniform(ms, 0, INTERVAL_MS);
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
        values_ns[twice - 1] = later_ns;
    }
    assert_true(twice == stats.duplicated);
    assert_true(far_from(within_an_interval, NULL, values_ns, twice) < 2.23);
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

/*
 * D/D/1 with a bounded wait, for rows of what is sent over what. A packet takes S = bits / rate;
 * every step one more is sent. Packet i waits i (S - step), and the first that would wait longer
 * than the queue is dropped. From then on the link is never idle: it serves one packet each S.
 */
static void full_link_serves_its_rate(void **state)
{
    (void)state;
    static const struct {
        int64_t rate_bps;
        size_t bytes;
        double step_ms, queue_ms;
    } rows[] = {
        {64000, 172, 20, 500}, {30000, 100, 20, 100},   {79000, 172, 20, 500},
        {100000, 72, 5, 50},   {12000, 1172, 60, 2000}, {50000, 172, 20, 0},
    };
    enum { SENT = 20000 };
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct vox_impair_config config = defaults();
        config.rate_bps = rows[r].rate_bps;
        config.queue_ns = vox_ms_to_ns(rows[r].queue_ms);
        int64_t step_ns = vox_ms_to_ns(rows[r].step_ms);
        run(&config, step_ns, rows[r].bytes, SENT, fates);
        int64_t each_ns = 8 * (int64_t)(rows[r].bytes + 28) * VOX_NS_PER_S / rows[r].rate_bps;
        int64_t first_drop = config.queue_ns / (each_ns - step_ns) + 1;
        int64_t served = 0, last_ns = 0;
        for (int64_t i = 0; i < SENT; i++) {
            bool dropped = fates[i].cause == VOX_FATE_QUEUE_FULL;
            assert_true(i >= first_drop || !dropped);
            assert_true(i != first_drop || dropped);
            if (dropped)
                continue;
            if (rows[r].queue_ms >= rows[r].step_ms)
                assert_true(fates[i].deliver_ns[0] == (served + 1) * each_ns);
            last_ns = fates[i].deliver_ns[0];
            served++;
        }
        double bps = (double)served * 8 * (double)(rows[r].bytes + 28) / ((double)last_ns / 1e9);
        double expect = (double)rows[r].rate_bps;
        if (rows[r].queue_ms == 0) /* no queue: the link idles until the next packet is sent */
            expect *= (double)each_ns / (ceil((double)each_ns / (double)step_ns) * (double)step_ns);
        if (fabs(bps / expect - 1) > 0.001)
            fail_msg("row %zu: %g bit/s served, not %g", r, bps, expect);
    }
}

RUN(cmocka_unit_test(losses_are_gilberts), cmocka_unit_test(slow_sender_sees_no_longer_bursts),
    cmocka_unit_test(packets_of_one_instant_share_a_burst_only),
    cmocka_unit_test(delays_are_uniform_and_in_order),
    cmocka_unit_test(reorders_the_share_asked_for), cmocka_unit_test(those_held_back_are_overtaken),
    cmocka_unit_test(duplicates_the_share_asked_for),
    cmocka_unit_test(link_with_room_only_serialises),
    cmocka_unit_test(link_too_thin_queues_then_drops_the_tail),
    cmocka_unit_test(full_link_serves_its_rate))
