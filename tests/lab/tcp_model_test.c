#include "lab/tcp_model.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/trace.h"
#include "support/test.h"

enum { MAX_MESSAGES = 400, FRAME_BYTES = 162, INTERVAL_MS = 20, DELAY_MS = 50 };

/* What is asserted to be "at" a time may be later by what hosts and timers of TCP add. */
#define SLACK_NS (1 * VOX_NS_PER_MS)

struct run {
    struct vox_tcp_message messages[MAX_MESSAGES];
    size_t readable;
    struct vox_tcp_model_stats stats;
};

/* ---- networks by hand: 50 ms each way, and what is sent in some milliseconds is lost ---- */

enum { TRACE_MS = 20000 };

struct spell {
    int from_ms, to_ms; /* of sending, the last included */
    int late_ms;        /* 0: lost; else it comes so much later */
};

static const struct spell *spell_of(const struct spell *spells, size_t count, int ms)
{
    for (size_t i = 0; i < count; i++)
        if (ms >= spells[i].from_ms && ms <= spells[i].to_ms)
            return &spells[i];
    return NULL;
}

/* Counted from the first packet on this way, as traces are. */
static struct vox_trace *weather(const struct spell *spells, size_t count)
{
    static char text[TRACE_MS * 24 + 32];
    struct vox_trace_error error;
    struct vox_trace *trace = NULL;
    int len = snprintf(text, sizeof text, "# interval_ms 1\n");
    for (int ms = 0; ms < TRACE_MS; ms++) {
        const struct spell *spell = spell_of(spells, count, ms);
        char *at = text + len;
        size_t room = sizeof text - (size_t)len;
        if (spell && spell->late_ms == 0)
            len += snprintf(at, room, "%d %d lost\n", ms, ms);
        else
            len += snprintf(at, room, "%d %d %d\n", ms, ms, ms + (spell ? spell->late_ms : 0));
    }
    if (vox_trace_parse(text, (size_t)len, &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    return trace;
}

static struct vox_tcp_model_config usual_config(void)
{
    struct vox_tcp_model_config config;
    vox_tcp_model_config_init(&config);
    config.there.delay_ns = DELAY_MS * VOX_NS_PER_MS;
    config.back.delay_ns = DELAY_MS * VOX_NS_PER_MS;
    config.back.seed = 2;
    return config;
}

/* A message each 20 ms from 0 on, and then the last one at last_ms. */
static void run_until(const struct vox_tcp_model_config *config, int count, int last_ms,
                      struct run *run)
{
    struct vox_tcp_model *model;
    memset(run, 0, sizeof *run);
    assert_int_equal(vox_tcp_model_create(config, &model), 0);
    for (int i = 0; i < count; i++) {
        int ms = i == count - 1 ? last_ms : i * INTERVAL_MS;
        assert_int_equal(vox_tcp_model_write(model, ms * VOX_NS_PER_MS, FRAME_BYTES), 0);
    }
    while (vox_tcp_model_read(model, VOX_NS_NEVER, &run->messages[run->readable]))
        run->readable++;
    vox_tcp_model_read_stats(model, &run->stats);
    vox_tcp_model_destroy(model);
}

static void run_messages(const struct vox_tcp_model_config *config, int count, struct run *run)
{
    run_until(config, count, (count - 1) * INTERVAL_MS, run);
}

static void run_in(const struct spell *there, size_t there_count, const struct spell *back,
                   size_t back_count, int count, int last_ms, struct run *run)
{
    struct vox_tcp_model_config config = usual_config();
    struct vox_trace *to = weather(there, there_count), *from = weather(back, back_count);
    config.there.trace = to;
    config.back.trace = from;
    run_until(&config, count, last_ms, run);
    vox_trace_destroy(to);
    vox_trace_destroy(from);
}

static void assert_at(const struct run *run, int i, double ms)
{
    int64_t readable_ns = run->messages[i].readable_ns;
    if (readable_ns < vox_ms_to_ns(ms) || readable_ns > vox_ms_to_ns(ms) + SLACK_NS)
        fail_msg("message %d readable at %.2f ms, expected %.2f", i, vox_ns_to_ms(readable_ns), ms);
}

static void assert_prompt(const struct run *run, int from, int to)
{
    for (int i = from; i < to; i++)
        assert_at(run, i, vox_ns_to_ms(run->messages[i].written_ns) + DELAY_MS);
}

/* ---- tests ---- */

static void without_loss_each_message_is_a_segment(void **state)
{
    (void)state;
    static struct run run;
    struct vox_tcp_model_config config = usual_config();
    run_messages(&config, 100, &run);
    assert_int_equal(run.readable, 100);
    assert_prompt(&run, 0, 100);
    for (size_t i = 0; i < run.readable; i++)
        assert_int_equal(run.messages[i].index, i);
    assert_int_equal(run.stats.sender.segments, 100);
    assert_int_equal(run.stats.acks, 99); /* that of the last is not waited for */
    assert_int_equal(run.stats.bytes_there, 100 * (FRAME_BYTES + 52));
    assert_int_equal(run.stats.bytes_back, 99 * 52);
    assert_int_equal(run.stats.sender.repeated + run.stats.sender.probes, 0);
}

/* The next one's answer tells of it. It may only have been overtaken: a round trip and a quarter
 * after it left it is lost (RFC 8985), and leaves again with the timer, 2 ms later. */
static void a_lost_message_holds_up_those_behind_it(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{1000, 1000, 0}};
    run_in(lost, COUNT(lost), NULL, 0, 100, 1980, &run);
    assert_prompt(&run, 0, 50);
    for (int i = 50; i <= 56; i++)
        assert_at(&run, i, 1000 + 1.25 * 2 * DELAY_MS + 2 + DELAY_MS);
    assert_prompt(&run, 58, 100); /* 57 waits for the window to let it go */
    assert_int_equal(run.stats.sender.recoveries, 1);
    assert_int_equal(run.stats.sender.repeated, 1);
    assert_int_equal(run.stats.sender.timeouts + run.stats.sender.probes, 0);
    assert_true(run.stats.bytes_back > 100 * 52); /* gaps are told in options */
}

static void lost_answers_cost_nothing_in_mid_stream(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{300, 360, 0}, {700, 700, 0}};
    run_in(NULL, 0, lost, COUNT(lost), 100, 1980, &run);
    assert_prompt(&run, 0, 100);
    assert_int_equal(run.stats.sender.segments, 100);
}

/* Of two lost at the end, the probe is the last one; its answer tells of the other. */
static void a_lost_tail_is_found_by_a_probe(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{1960, 1985, 0}};
    run_in(lost, COUNT(lost), NULL, 0, 100, 1980, &run);
    double last_answer_ms = 1940 + 2 * DELAY_MS, probe_ms = last_answer_ms + 4 * DELAY_MS + 2;
    assert_at(&run, 98, probe_ms + 3 * DELAY_MS);
    assert_int_equal(run.messages[99].readable_ns, run.messages[98].readable_ns);
    assert_int_equal(run.stats.sender.probes, 1);
    assert_int_equal(run.stats.sender.repeated, 1);
    assert_int_equal(run.stats.sender.timeouts, 0);
}

/* One alone might only wait for its answer: the probe gives it the time of a timeout. */
static void a_lost_last_message_takes_a_round_trip_and_200_ms(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{1980, 1980, 0}};
    run_in(lost, COUNT(lost), NULL, 0, 100, 1980, &run);
    double last_answer_ms = 1960 + 2 * DELAY_MS, probe_ms = last_answer_ms + 2 * DELAY_MS + 200;
    assert_at(&run, 99, probe_ms + DELAY_MS);
    assert_int_equal(run.stats.sender.probes, 1);
    assert_int_equal(run.stats.sender.timeouts, 0);
}

/* The timeout is a round trip and 200 ms, and doubles. */
static void a_lost_probe_is_followed_by_timeouts(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{3000, 3700, 0}};
    run_in(lost, COUNT(lost), NULL, 0, 30, 3000, &run);
    double rto_ms = 2 * DELAY_MS + 200;
    assert_at(&run, 29, 3000 + rto_ms + rto_ms + 2 * rto_ms + DELAY_MS);
    assert_int_equal(run.stats.sender.probes, 1);
    assert_int_equal(run.stats.sender.timeouts, 2);
}

/* What is sent after the repetition and is answered tells that it was lost, too: no timeout. */
static void a_lost_repetition_is_found_by_what_follows(void **state)
{
    (void)state;
    static struct run run;
    struct vox_tcp_model_config config = usual_config();
    config.host_ns = 5 * VOX_NS_PER_MS; /* so that it does not leave beside a message */
    static const struct spell lost[] = {{1000, 1000, 0}, {1132, 1132, 0}};
    struct vox_trace *trace = weather(lost, COUNT(lost));
    config.there.trace = trace;
    run_messages(&config, 100, &run);
    vox_trace_destroy(trace);
    /* The window takes the message of 1140 at 1145; what it tells is known 105 ms later. */
    assert_at(&run, 50, 1250 + DELAY_MS);
    assert_int_equal(run.stats.sender.repeated, 2);
    assert_int_equal(run.stats.sender.timeouts, 0);
}

/* What has waited leaves together, so that there are fewer headers. */
static void after_an_outage_messages_leave_together(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{1000, 1999, 0}};
    run_in(lost, COUNT(lost), NULL, 0, 200, 3980, &run);
    assert_int_equal(run.readable, 200);
    assert_prompt(&run, 0, 50);
    assert_true(run.messages[50].readable_ns > 2000 * VOX_NS_PER_MS);
    assert_true(run.stats.sender.timeouts >= 2);
    assert_prompt(&run, 190, 200);
    assert_true(run.stats.sender.segments < 180);
}

/* It comes late, but before its repetition: the timestamp in the answer tells. */
static void an_overtaken_message_is_repeated_in_vain(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell late[] = {{1000, 1000, 30}};
    run_in(late, COUNT(late), NULL, 0, 100, 1980, &run);
    assert_at(&run, 50, 1000 + DELAY_MS + 30);
    assert_int_equal(run.stats.sender.repeated, 1);
    assert_int_equal(run.stats.sender.undone, 1);
}

/* Only the answers were lost: the repetition was there before (D-SACK), or what was sent once comes
 * along with its answer (F-RTO). The window is as before, so that nothing waits any more. */
static void a_timeout_in_vain_is_undone(void **state)
{
    (void)state;
    static struct run run;
    static const struct spell lost[] = {{1000, 1600, 0}};
    run_in(NULL, 0, lost, COUNT(lost), 150, 2980, &run);
    assert_true(run.stats.sender.timeouts >= 1);
    assert_true(run.stats.sender.undone >= 1);
    assert_prompt(&run, 130, 150);
}

/* What waited behind a gap was answered late, which is no round trip (Karn): else the timeouts
 * would grow with each stall, and the next stall with them. Eight seconds of sound took 313 so. */
static void a_stall_makes_the_next_one_no_longer(void **state)
{
    (void)state;
    static struct run run;
    int64_t sum_ns = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct vox_tcp_model_config config = usual_config();
        config.there.loss = config.back.loss = 0.3;
        config.there.seed = seed;
        config.back.seed = seed + 1000;
        run_messages(&config, MAX_MESSAGES - 1, &run);
        sum_ns += run.messages[run.readable - 1].readable_ns;
    }
    assert_true(sum_ns / 20 < 120 * VOX_NS_PER_S);
}

/* Who writes, too, answers every second segment, or 40 ms later, after 16 at once. */
static void answers_may_be_delayed(void **state)
{
    (void)state;
    static struct run run;
    struct vox_tcp_model_config config = usual_config();
    config.delayed_ack_ns = 40 * VOX_NS_PER_MS;
    run_messages(&config, 116, &run);
    assert_prompt(&run, 0, 116);
    assert_int_equal(run.stats.acks, 16 + 49);
}

static void the_same_seed_gives_the_same(void **state)
{
    (void)state;
    static struct run a, b;
    struct vox_tcp_model_config config = usual_config();
    config.there.loss = config.back.loss = 0.1;
    config.there.jitter_ns = config.back.jitter_ns = 15 * VOX_NS_PER_MS;
    run_messages(&config, MAX_MESSAGES - 1, &a);
    run_messages(&config, MAX_MESSAGES - 1, &b);
    assert_memory_equal(&a, &b, sizeof a);
    config.there.seed = 3;
    run_messages(&config, MAX_MESSAGES - 1, &b);
    assert_memory_not_equal(&a, &b, sizeof a);
}

/* Whatever the network does, all comes, once and in order, and no sooner than light. */
static void nothing_is_lost_for_good(void **state)
{
    (void)state;
    static struct run run;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct vox_tcp_model_config config = usual_config();
        struct vox_impair_config *there = &config.there;
        there->seed = seed;
        there->loss = 0.3 * (double)(seed % 4) / 3;
        there->burst_packets = seed % 3 == 0 ? 4 : 1;
        there->jitter_ns = (int64_t)(seed % 5) * 10 * VOX_NS_PER_MS;
        there->reorder = seed % 7 == 0 ? 0.1 : 0;
        there->duplicate = seed % 11 == 0 ? 0.1 : 0;
        there->rate_bps = seed % 13 == 0 ? 100000 : 0;
        config.back = *there;
        config.back.seed = seed + 1000;
        config.delayed_ack_ns = (int64_t)(seed % 2) * 40 * VOX_NS_PER_MS;
        int count = MAX_MESSAGES - 1;
        run_messages(&config, count, &run);
        if (run.readable != (size_t)count)
            fail_msg("seed %d: %d messages", (int)seed, (int)run.readable);
        int64_t last_ns = 0, least_ns = there->delay_ns - there->jitter_ns;
        for (size_t i = 0; i < run.readable; i++) {
            const struct vox_tcp_message *m = &run.messages[i];
            bool wrong = m->index != i || m->readable_ns < last_ns ||
                         m->readable_ns - m->written_ns < least_ns;
            if (wrong)
                fail_msg("seed %d: message %d", (int)seed, (int)i);
            last_ns = m->readable_ns;
        }
    }
}

static void messages_are_read_when_they_are_there(void **state)
{
    (void)state;
    struct vox_tcp_model *model;
    struct vox_tcp_message message;
    struct vox_tcp_model_config config = usual_config();
    assert_int_equal(vox_tcp_model_create(&config, &model), 0);
    assert_false(vox_tcp_model_read(model, VOX_NS_NEVER, &message));
    assert_int_equal(vox_tcp_model_write(model, 0, FRAME_BYTES), 0);
    assert_false(vox_tcp_model_read(model, DELAY_MS * VOX_NS_PER_MS - 1, &message));
    assert_true(vox_tcp_model_read(model, DELAY_MS * VOX_NS_PER_MS, &message));
    assert_int_equal(message.readable_ns, DELAY_MS * VOX_NS_PER_MS);
    assert_false(vox_tcp_model_read(model, VOX_NS_NEVER, &message));
    assert_int_equal(vox_tcp_model_write(model, 0, FRAME_BYTES), VOX_EINVAL); /* the past */
    assert_int_equal(vox_tcp_model_write(model, VOX_NS_PER_S, 0), VOX_EINVAL);
    vox_tcp_model_destroy(model);
    vox_tcp_model_destroy(NULL);
}

/* A quarter of an hour without an answer: the connection has ended. */
static void a_dead_network_ends_it(void **state)
{
    (void)state;
    static struct run run;
    struct vox_tcp_model_config config = usual_config();
    config.there.loss = 1;
    run_messages(&config, 10, &run);
    assert_int_equal(run.readable, 0);
    assert_int_equal(run.stats.sender.timeouts, 15);
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    struct vox_tcp_model *model = NULL;
    for (int i = 0; i < 6; i++) {
        struct vox_tcp_model_config config = usual_config();
        config.mss = i == 0 ? 0 : config.mss;
        config.header_bytes = i == 1 ? 65536 : config.header_bytes;
        config.rto_min_ns = i == 2 ? 0 : config.rto_min_ns;
        config.delayed_ack_ns = i == 3 ? -1 : config.delayed_ack_ns;
        config.host_ns = i == 4 ? -1 : config.host_ns;
        config.back.loss = i == 5 ? 2 : config.back.loss;
        assert_int_equal(vox_tcp_model_create(&config, &model), VOX_EINVAL);
    }
    assert_null(model);
}

RUN(cmocka_unit_test(without_loss_each_message_is_a_segment),
    cmocka_unit_test(a_lost_message_holds_up_those_behind_it),
    cmocka_unit_test(lost_answers_cost_nothing_in_mid_stream),
    cmocka_unit_test(a_lost_tail_is_found_by_a_probe),
    cmocka_unit_test(a_lost_last_message_takes_a_round_trip_and_200_ms),
    cmocka_unit_test(a_lost_probe_is_followed_by_timeouts),
    cmocka_unit_test(a_lost_repetition_is_found_by_what_follows),
    cmocka_unit_test(after_an_outage_messages_leave_together),
    cmocka_unit_test(an_overtaken_message_is_repeated_in_vain),
    cmocka_unit_test(a_timeout_in_vain_is_undone),
    cmocka_unit_test(a_stall_makes_the_next_one_no_longer),
    cmocka_unit_test(answers_may_be_delayed), cmocka_unit_test(the_same_seed_gives_the_same),
    cmocka_unit_test(nothing_is_lost_for_good),
    cmocka_unit_test(messages_are_read_when_they_are_there),
    cmocka_unit_test(a_dead_network_ends_it), cmocka_unit_test(refuses_what_makes_no_sense))
