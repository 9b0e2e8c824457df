/* The controller through both engines: steps of loss, bottlenecks, policers. */
#include "lab/sim.h"

#include "base/rng.h"
#include "base/time.h"
#include "channel/trace.h"
#include "lab/voice.h"
#include "support/quantile.h"

enum { MOST_PACKETS = 4000, MOST_CHANGES = 100, SEEDS = 3 };

#define CALM_NS (10 * VOX_NS_PER_S) /* after which it shall have settled */

static struct vox_sim_result result;

struct watch {
    int64_t send_ns[MOST_PACKETS];
    int64_t took_ns[MOST_PACKETS]; /* -1: lost */
    size_t bytes[MOST_PACKETS];
    int sent;
    struct vox_sender_event changes[MOST_CHANGES];
    int change_count;
};

static struct watch watch;

static void note_sent(void *ctx, const struct vox_sim_sent *sent)
{
    struct watch *w = ctx;
    assert_true(w->sent < MOST_PACKETS);
    w->send_ns[w->sent] = sent->send_ns;
    w->took_ns[w->sent] = sent->fate.copies > 0 ? sent->fate.deliver_ns[0] - sent->send_ns : -1;
    w->bytes[w->sent++] = sent->bytes + 28;
}

static void note_change(void *ctx, int sender, const struct vox_sender_event *event)
{
    struct watch *w = ctx;
    (void)sender;
    if (event->kind == VOX_SENDER_EVENT_ADAPTED && w->change_count < MOST_CHANGES)
        w->changes[w->change_count++] = *event;
}

static struct vox_impair_config network(double loss, int rate_kbps, int queue_ms, uint64_t seed)
{
    struct vox_impair_config config;
    vox_impair_config_init(&config);
    config.loss = loss;
    config.rate_bps = rate_kbps * 1000;
    config.queue_ns = queue_ms * VOX_NS_PER_MS;
    config.delay_ns = 20 * VOX_NS_PER_MS;
    config.jitter_ns = 5 * VOX_NS_PER_MS;
    config.seed = seed;
    return config;
}

enum mode { PLAIN, COPIES, ADAPT };

static const struct vox_source_stats *run(const struct vox_impair_config *there, enum mode mode,
                                          int seconds)
{
    static struct vox_sim_config config;
    struct vox_impair_config back = network(there->loss, 0, 0, there->seed + 1000);
    memset(&watch, 0, sizeof watch);
    vox_sim_config_init(&config);
    struct vox_talker_config *talker = &config.senders[0].talker;
    voice_talker(VOX_PROFILE_VOICE, seconds, talker);
    talker->engine.complexity = 0; /* what is heard is of no interest here */
    talker->engine.adapt = mode == ADAPT;
    talker->engine.max_wire_bps = 120000;
    talker->engine.red_distances[0] = mode == COPIES ? 2 : 0;
    talker->engine.red_distances[1] = mode == COPIES ? 4 : 0;
    config.senders[0].there = there;
    config.senders[0].back = &back;
    config.sender_count = 1;
    config.observer = (struct vox_sim_observer){
        .on_sent = note_sent, .on_sender_event = note_change, .ctx = &watch};
    assert_int_equal(vox_sim_run(&config, &result), 0);
    assert_int_equal(result.receiver.source_count, 1);
    assert_int_equal(watch.change_count, mode == ADAPT ? result.senders[0].adaptations : 0);
    return &result.receiver.sources[0];
}

/* What became of packets that were sent after CALM_NS. */
struct outcome {
    double lost_pct, p95_ms, wire_kbps;
};

static struct outcome outcome(void)
{
    static double took_ms[MOST_PACKETS];
    int64_t from_ns = VOICE_START_NS + CALM_NS;
    int came = 0, all = 0;
    double bytes = 0;
    for (int i = 0; i < watch.sent; i++) {
        if (watch.send_ns[i] < from_ns)
            continue;
        all++;
        bytes += (double)watch.bytes[i];
        if (watch.took_ns[i] >= 0)
            took_ms[came++] = vox_ns_to_ms(watch.took_ns[i]);
    }
    int64_t span_ns = watch.send_ns[watch.sent - 1] - from_ns;
    return (struct outcome){.lost_pct = 100.0 * (all - came) / all,
                            .p95_ms = quantile(took_ms, came, 0.95),
                            .wire_kbps = bytes * 8e6 / (double)span_ns};
}

/* ---- steps ---- */

static char text[MOST_PACKETS * 32];

/* 20 s without loss, 20 s with 20 %, 20 s without. */
static struct vox_trace *step_of_loss(uint64_t seed)
{
    struct vox_trace *trace;
    struct vox_trace_error error;
    struct vox_rng rng;
    size_t len = 0;
    vox_rng_init(&rng, seed, 0);
    for (int i = 0; i < 3000; i++) {
        bool lost = i >= 1000 && i < 2000 && vox_rng_uniform(&rng) < 0.2;
        len += (size_t)snprintf(text + len, sizeof text - len, lost ? "%d %d lost\n" : "%d %d %d\n",
                                i, 20 * i, 20 * i + 20);
    }
    assert_int_equal(vox_trace_parse(text, len, &trace, &error), 0);
    return trace;
}

static int first_lost(void)
{
    int i = 0;
    while (watch.took_ns[i] >= 0)
        i++;
    return i;
}

static void a_step_of_loss_is_followed_within_a_second_and_forgotten_within_twelve(void **state)
{
    enum { STEPS = 9 };
    double up_ms[STEPS], back_ms[STEPS];
    (void)state;
    for (int k = 0; k < STEPS; k++) {
        struct vox_impair_config there = network(0, 0, 0, (uint64_t)k);
        struct vox_trace *trace = step_of_loss((uint64_t)k);
        there.trace = trace;
        there.jitter_ns = 0;
        run(&there, ADAPT, 60);
        int64_t lost_ns = watch.send_ns[first_lost()];
        int64_t over_ns = watch.send_ns[2000];
        up_ms[k] = back_ms[k] = 60000;
        for (int i = watch.change_count - 1; i >= 0; i--) {
            const struct vox_sender_event *c = &watch.changes[i];
            if (c->t_ns > lost_ns && c->protection.distances[0] > 0)
                up_ms[k] = vox_ns_to_ms(c->t_ns - lost_ns);
            if (c->t_ns > over_ns && back_ms[k] == 60000)
                back_ms[k] = vox_ns_to_ms(c->t_ns - over_ns);
        }
        assert_int_equal(result.senders[0].protection.distances[0], 0);
        assert_int_equal(result.senders[0].protection.bitrate_bps, 32000);
        vox_trace_destroy(trace);
    }
    double up = quantile(up_ms, STEPS, 0.5), back = quantile(back_ms, STEPS, 0.5);
    print_message("up %.0f ms, worst %.0f; back %.0f ms, worst %.0f\n", up, up_ms[STEPS - 1], back,
                  back_ms[STEPS - 1]);
    assert_true(up < 1000 && up_ms[STEPS - 1] < 2000);
    assert_true(back < 12000 && back_ms[STEPS - 1] < 14000);
}

/* ---- bottlenecks ---- */

enum { SECONDS = 45 };

#define PER_CENT_NS (SECONDS * 1e7)

struct row {
    int rate_kbps, queue_ms;
    double loss;
    double most_lost_pct, most_p95_ms; /* medians over the seeds */
};

static void check_row(const struct row *row)
{
    double lost[SEEDS], p95[SEEDS], wire[SEEDS], concealed[SEEDS], changes[SEEDS];
    double plain[SEEDS], copies[SEEDS], copies_p95[SEEDS];
    for (int k = 0; k < SEEDS; k++) {
        struct vox_impair_config there =
            network(row->loss, row->rate_kbps, row->queue_ms, (uint64_t)k + 1);
        plain[k] = (double)run(&there, PLAIN, SECONDS)->concealed_ns / PER_CENT_NS;
        copies[k] = (double)run(&there, COPIES, SECONDS)->concealed_ns / PER_CENT_NS;
        copies_p95[k] = outcome().p95_ms;
        concealed[k] = (double)run(&there, ADAPT, SECONDS)->concealed_ns / PER_CENT_NS;
        struct outcome o = outcome();
        lost[k] = o.lost_pct;
        p95[k] = o.p95_ms;
        wire[k] = o.wire_kbps;
        changes[k] = watch.change_count;
    }
    double most_changes = quantile(changes, SEEDS, 1);
    double with = quantile(concealed, SEEDS, 0.5), without = quantile(plain, SEEDS, 0.5);
    print_message("%3d kbit/s, %3d ms, %2.0f %%: %.0f kbit/s, lost %.1f %%, p95 %.0f ms, %.0f "
                  "changes; made up %.2f %%, plain %.2f %%, two copies %.2f %% and p95 %.0f ms\n",
                  row->rate_kbps, row->queue_ms, 100 * row->loss, quantile(wire, SEEDS, 0.5),
                  quantile(lost, SEEDS, 0.5), quantile(p95, SEEDS, 0.5), most_changes, with,
                  without, quantile(copies, SEEDS, 0.5), quantile(copies_p95, SEEDS, 0.5));
    assert_true(wire[SEEDS / 2] * (1 - row->loss) < row->rate_kbps);
    assert_true(lost[SEEDS / 2] <= row->most_lost_pct);
    assert_true(p95[SEEDS / 2] <= row->most_p95_ms);
    assert_true(with <= without + 1); /* it is not made worse */
    assert_true(most_changes <= 30);
}

/* Half a second of queue in front of the link. */
static void a_bottleneck_is_not_made_worse(void **state)
{
    static const struct row rows[] = {
        {100, 500, 0, 0.1, 60},   {80, 500, 0, 0.1, 60},   {64, 500, 0, 0.1, 60},
        {100, 500, 0.1, 12, 120}, {80, 500, 0.1, 12, 120}, {64, 500, 0.1, 12, 120},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(&rows[i]);
}

/* What does not pass at once is dropped: nothing shows but loss. */
static void a_policer_is_found_out(void **state)
{
    static const struct row rows[] = {
        {80, 30, 0, 0.1, 60},  {64, 30, 0, 0.1, 60},  {44, 30, 0, 8, 90},
        {80, 30, 0.1, 16, 80}, {64, 30, 0.1, 16, 80},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(&rows[i]);
}

RUN_AFTER(make_voice,
          cmocka_unit_test(a_step_of_loss_is_followed_within_a_second_and_forgotten_within_twelve),
          cmocka_unit_test(a_bottleneck_is_not_made_worse),
          cmocka_unit_test(a_policer_is_found_out))
