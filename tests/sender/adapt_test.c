/* The controller against a network of its own: packets, losses, a bottleneck, reports. No codec. */
#include "sender/adapt.h"

#include "base/rng.h"
#include "base/time.h"
#include "support/quantile.h"
#include "support/test.h"

#include <math.h>

enum {
    FIRST_SEQ = 65000, /* the wire's numbers wrap after eleven seconds */
    PACKET_MS = 20,
    MOST_PACKETS = 6000,
    RUN_PACKETS = 100, /* in a report: 2 s, as the receiver has it */
    SEEDS = 20,
};

#define PACKET_NS (PACKET_MS * VOX_NS_PER_MS)
#define WAY_NS (25 * VOX_NS_PER_MS)

/* From when on so much is lost. */
struct phase {
    int64_t from_ns;
    double share, burst;
};

struct network {
    struct phase phases[4]; /* ends with the first of from_ns 0 after the first */
    int rate_bps;           /* of a bottleneck behind the losses; 0: none */
    int64_t queue_ns;       /* that packets may wait there */
    int64_t jitter_ns;      /* uniform, both ways */
};

struct change {
    int64_t t_ns;
    enum vox_adapt_reason reason;
    struct vox_protection protection;
    int wire_bps;
};

struct run {
    struct vox_adapt adapt;
    struct vox_fates fates;
    struct vox_rng rng, jitter_rng;
    const struct network *network;
    bool came[MOST_PACKETS];
    int64_t arrival_ns[MOST_PACKETS], waited_ns[MOST_PACKETS];
    int sent;
    bool is_bad; /* of the chain of losses */
    int64_t link_free_ns;
    int told;     /* packets, by the last report */
    int run_lost; /* in it */
    int64_t report_ns, due_ns, early_ns;
    struct change changes[400];
    int change_count;
};

static struct run run;

static const struct phase *phase_at(const struct network *network, int64_t t_ns)
{
    int i = 0;
    while (i + 1 < 4 && network->phases[i + 1].from_ns > 0 &&
           network->phases[i + 1].from_ns <= t_ns)
        i++;
    return &network->phases[i];
}

static bool is_lost(struct run *r, int64_t t_ns)
{
    const struct phase *phase = phase_at(r->network, t_ns);
    if (phase->share <= 0)
        return r->is_bad = false;
    double burst = fmax(phase->burst, 1 / (1 - phase->share));
    double out = 1 / burst;
    double in = phase->share / (1 - phase->share) * out;
    r->is_bad = r->is_bad ? vox_rng_uniform(&r->rng) >= out : vox_rng_uniform(&r->rng) < in;
    return r->is_bad;
}

static int64_t jitter(struct run *r)
{
    return (int64_t)(vox_rng_uniform(&r->jitter_rng) * (double)r->network->jitter_ns);
}

static void send(struct run *r, int64_t t_ns)
{
    int i = r->sent++;
    int bytes = vox_dial_wire_bps(&r->adapt.dial, &r->adapt.protection) / 8 / 50;
    int64_t wait_ns = r->link_free_ns > t_ns ? r->link_free_ns - t_ns : 0;
    r->came[i] = !is_lost(r, t_ns);
    if (r->came[i] && r->network->rate_bps > 0) {
        r->came[i] = wait_ns <= r->network->queue_ns;
        if (r->came[i])
            r->link_free_ns = t_ns + wait_ns + bytes * 8 * VOX_NS_PER_S / r->network->rate_bps;
    }
    r->waited_ns[i] = wait_ns;
    r->arrival_ns[i] = t_ns + wait_ns + WAY_NS + jitter(r);
    vox_adapt_sent(&r->adapt, FIRST_SEQ + i, bytes, t_ns);
}

/* What of the last RUN_PACKETS has arrived by then. */
static void look_at(const struct run *r, int64_t t_ns, struct vox_rtcp_xr_loss *loss, int *lost,
                    int *last)
{
    *last = -1;
    *lost = 0;
    for (int i = r->sent - 1; i >= 0 && *last < 0; i--)
        if (r->came[i] && r->arrival_ns[i] <= t_ns)
            *last = i;
    int first = *last + 1 > RUN_PACKETS ? *last + 1 - RUN_PACKETS : 0;
    *loss = (struct vox_rtcp_xr_loss){.begin_seq = (uint16_t)(FIRST_SEQ + first)};
    for (int i = first; i <= *last; i++) {
        bool came = r->came[i] && r->arrival_ns[i] <= t_ns;
        vox_rtcp_xr_loss_push(loss, came);
        *lost += !came;
    }
}

static void report(struct run *r, int64_t t_ns)
{
    struct vox_rtcp_xr_loss loss;
    enum vox_adapt_reason reason;
    int last, before = vox_dial_wire_bps(&r->adapt.dial, &r->adapt.protection);
    int64_t arrival_ns = t_ns + WAY_NS + jitter(r);
    look_at(r, t_ns, &loss, &r->run_lost, &last);
    r->report_ns = t_ns;
    r->due_ns = t_ns + (int64_t)(VOX_NS_PER_S * (0.5 + vox_rng_uniform(&r->jitter_rng)) / 1.21828);
    r->early_ns = VOX_NS_NEVER;
    if (!vox_fates_take(&r->fates, 7, &loss, FIRST_SEQ + r->sent - 1, arrival_ns))
        return;
    struct vox_adapt_view view = {
        .now_ns = arrival_ns, .rtt_ns = 2 * WAY_NS, .jitter_ns = r->network->jitter_ns / 3};
    struct vox_protection was = r->adapt.protection;
    bool changed = vox_adapt_report(&r->adapt, &r->fates, &view, &reason);
    assert_int_equal(changed, memcmp(&was, &r->adapt.protection, sizeof was) != 0);
    assert_true(vox_dial_wire_bps(&r->adapt.dial, &r->adapt.protection) <=
                (before > r->adapt.congestion.cap_bps ? before : r->adapt.congestion.cap_bps));
    if (changed && r->change_count < (int)COUNT(r->changes))
        r->changes[r->change_count++] =
            (struct change){arrival_ns, reason, r->adapt.protection,
                            vox_dial_wire_bps(&r->adapt.dial, &r->adapt.protection)};
}

/* Early reports, as receiver/reporting.h has them: loss that is news. */
static void consider_early(struct run *r, int64_t t_ns)
{
    struct vox_rtcp_xr_loss loss;
    int lost, last;
    if (r->early_ns != VOX_NS_NEVER)
        return;
    look_at(r, t_ns, &loss, &lost, &last);
    if (r->run_lost == 0 ? lost == 0 : lost - 1 <= 2 * r->run_lost)
        return;
    int64_t at_ns = r->run_lost == 0 ? t_ns + 100 * VOX_NS_PER_MS : t_ns;
    int64_t spaced_ns = r->report_ns + 250 * VOX_NS_PER_MS;
    r->early_ns = at_ns > spaced_ns ? at_ns : spaced_ns;
}

static void simulate(const struct network *network, const struct vox_adapt_config *config,
                     int seconds, uint64_t seed)
{
    run = (struct run){.network = network, .due_ns = VOX_NS_PER_S / 2, .early_ns = VOX_NS_NEVER};
    vox_rng_init(&run.rng, seed, 1);
    vox_rng_init(&run.jitter_rng, seed, 2);
    vox_fates_init(&run.fates);
    vox_adapt_init(&run.adapt, config);
    for (int64_t t_ns = 0; t_ns < seconds * VOX_NS_PER_S; t_ns += 5 * VOX_NS_PER_MS) {
        if (t_ns % PACKET_NS == 0) {
            send(&run, t_ns);
            consider_early(&run, t_ns);
        }
        if (t_ns >= run.due_ns || t_ns >= run.early_ns)
            report(&run, t_ns);
    }
}

static struct vox_adapt_config voice(int max_wire_bps)
{
    return (struct vox_adapt_config){
        .dial = {.profile = VOX_PROFILE_VOICE,
                 .channels = 1,
                 .frame_ticks = 960,
                 .bitrate_bps = 32000,
                 .max_delay_ns = 100 * VOX_NS_PER_MS,
                 .prefer_ms = VOX_PREFER_BALANCED_MS},
        .max_wire_bps = max_wire_bps,
    };
}

static bool is_plain(const struct vox_protection *p)
{
    return p->distances[0] == 0 && !p->fec && p->bitrate_bps == 32000;
}

/* Share lost and 95th percentile of waiting from then on, in %, ms. */
static double lost_from(const struct run *r, int64_t from_ns)
{
    int lost = 0, first = (int)(from_ns / PACKET_NS);
    for (int i = first; i < r->sent; i++)
        lost += !r->came[i];
    return 100.0 * lost / (r->sent - first);
}

static double waited_from(const struct run *r, int64_t from_ns, double share)
{
    static double waits[MOST_PACKETS];
    int count = 0;
    for (int i = (int)(from_ns / PACKET_NS); i < r->sent; i++)
        if (r->came[i])
            waits[count++] = vox_ns_to_ms(r->waited_ns[i]);
    return count > 0 ? quantile(waits, count, share) : 0;
}

/* ---- steps ---- */

static void a_step_of_loss_is_followed_and_forgotten(void **state)
{
    (void)state;
    static const int64_t from_ns = 20 * VOX_NS_PER_S, to_ns = 40 * VOX_NS_PER_S;
    static const struct network network = {
        .phases = {{0, 0, 1}, {20 * VOX_NS_PER_S, 0.2, 1}, {40 * VOX_NS_PER_S, 0, 1}}};
    double up_s[SEEDS], back_s[SEEDS];
    struct vox_adapt_config config = voice(120000);
    for (int seed = 0; seed < SEEDS; seed++) {
        simulate(&network, &config, 60, (uint64_t)seed);
        int first_lost = (int)(from_ns / PACKET_NS);
        while (run.came[first_lost])
            first_lost++;
        up_s[seed] = back_s[seed] = 100;
        for (int i = 0; i < run.change_count; i++) {
            const struct change *c = &run.changes[i];
            double after_s = vox_ns_to_ms(c->t_ns - first_lost * PACKET_NS) / 1000;
            if (after_s > 0 && c->protection.distances[0] > 0 && up_s[seed] > after_s)
                up_s[seed] = after_s;
            if (c->t_ns > to_ns)
                back_s[seed] = vox_ns_to_ms(c->t_ns - to_ns) / 1000;
        }
        assert_true(is_plain(&run.adapt.protection));
    }
    double up_median = quantile(up_s, SEEDS, 0.5), back_median = quantile(back_s, SEEDS, 0.5);
    print_message("up %.2f s, worst %.2f; back %.1f s, worst %.1f\n", up_median, up_s[SEEDS - 1],
                  back_median, back_s[SEEDS - 1]);
    assert_true(up_median < 1.0);
    assert_true(up_s[SEEDS - 1] < 1.2);
    assert_true(back_median < 10 && back_s[SEEDS - 1] < 12);
}

/* ---- constancy ---- */

static void what_stays_as_it_is_changes_little(void **state)
{
    static const struct {
        double share, burst;
        double most_median, most;
    } rows[] = {{0, 1, 0, 0},    {0.02, 1, 5, 10}, {0.05, 1, 5, 10}, {0.1, 1, 7, 12},
                {0.2, 1, 7, 12}, {0.3, 1, 7, 12},  {0.2, 3, 10, 18}, {0.1, 2, 10, 18}};
    (void)state;
    struct vox_adapt_config config = voice(120000);
    for (size_t row = 0; row < COUNT(rows); row++) {
        struct network network = {.phases = {{0, rows[row].share, rows[row].burst}}};
        double changes[SEEDS], wire = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            simulate(&network, &config, 65, (uint64_t)seed);
            changes[seed] = 0;
            for (int i = 0; i < run.change_count; i++)
                changes[seed] += run.changes[i].t_ns > 5 * VOX_NS_PER_S;
            wire += vox_dial_wire_bps(&run.adapt.dial, &run.adapt.protection) / 1000.0 / SEEDS;
        }
        double median = quantile(changes, SEEDS, 0.5);
        print_message("%g %% in %g: %.0f changes, worst %.0f; %.0f kbit/s at the end\n",
                      100 * rows[row].share, rows[row].burst, median, changes[SEEDS - 1], wire);
        assert_true(median <= rows[row].most_median);
        assert_true(changes[SEEDS - 1] <= rows[row].most);
    }
}

/* ---- bottlenecks ---- */

/*
 * Behind losses that have nothing to do with it, a link and a queue in front of it: what is lost
 * and how long packets wait there, once the first ten seconds are over.
 */
static void a_bottleneck_is_not_random_loss(void **state)
{
    static const struct {
        int rate_kbps, queue_ms;
        double share;
        double most_lost_pct, most_waited_ms; /* medians over the seeds; that of p95 */
    } rows[] = {
        {100, 500, 0, 0.1, 20},
        {80, 500, 0, 0.1, 20},
        {64, 500, 0, 0.1, 20},
        {56, 500, 0, 0.1, 20},
        {40, 500, 0, 0.1, 100},
        {100, 500, 0.1, 10.5, 100},
        {80, 500, 0.1, 10.5, 100},
        {64, 500, 0.1, 10.5, 100},
        {56, 500, 0.1, 10.5, 100},
        {40, 500, 0.1, 10.5, 100},
        {80, 200, 0.05, 5.5, 60},
        {64, 100, 0.1, 16, 99},
        /* no queue to speak of: a policer */
        {80, 30, 0, 0.1, 30},
        {64, 30, 0, 3, 30},
        {40, 30, 0, 5, 30},
        {100, 30, 0.1, 20, 30},
        {80, 30, 0.1, 15, 30},
        {64, 30, 0.1, 16, 30},
    };
    (void)state;
    struct vox_adapt_config config = voice(120000);
    for (size_t row = 0; row < COUNT(rows); row++) {
        struct network network = {.phases = {{0, rows[row].share, 1}},
                                  .rate_bps = rows[row].rate_kbps * 1000,
                                  .queue_ns = rows[row].queue_ms * VOX_NS_PER_MS,
                                  .jitter_ns = 5 * VOX_NS_PER_MS};
        double lost[SEEDS], waited[SEEDS], changes[SEEDS];
        for (int seed = 0; seed < SEEDS; seed++) {
            simulate(&network, &config, 60, (uint64_t)seed);
            lost[seed] = lost_from(&run, 10 * VOX_NS_PER_S);
            waited[seed] = waited_from(&run, 10 * VOX_NS_PER_S, 0.95);
            changes[seed] = run.change_count;
        }
        double lost_median = quantile(lost, SEEDS, 0.5);
        double waited_median = quantile(waited, SEEDS, 0.5);
        double changes_median = quantile(changes, SEEDS, 0.5);
        print_message("%3d kbit/s, %3d ms, %2.0f %%: lost %4.1f %%, worst %4.1f; waits p95 %5.1f "
                      "ms, worst %5.1f; %2.0f changes, worst %2.0f\n",
                      rows[row].rate_kbps, rows[row].queue_ms, 100 * rows[row].share, lost_median,
                      lost[SEEDS - 1], waited_median, waited[SEEDS - 1], changes_median,
                      changes[SEEDS - 1]);
        assert_true(lost_median <= rows[row].most_lost_pct);
        assert_true(waited_median <= rows[row].most_waited_ms);
        assert_true(changes[SEEDS - 1] <= 25);
    }
}

RUN(cmocka_unit_test(a_step_of_loss_is_followed_and_forgotten),
    cmocka_unit_test(what_stays_as_it_is_changes_little),
    cmocka_unit_test(a_bottleneck_is_not_random_loss))
