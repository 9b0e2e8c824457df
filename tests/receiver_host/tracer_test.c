#include "receiver/tracer.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "call.h"
#include "channel/trace.h"

static struct {
    size_t len;
    int blocks;
    char bytes[4 << 20];
} text;

static struct vox_trace *parse_bytes(const char *bytes, size_t len)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error;
    if (vox_trace_parse(bytes, len, &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    return trace;
}

/* Whatever is written is a trace, at every moment at which a program may be killed. */
static void take_text(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    assert_true(len > 0 && text.len + len < sizeof text.bytes);
    assert_int_equal(bytes[len - 1], '\n');
    memcpy(text.bytes + text.len, bytes, len);
    text.len += len;
    if (text.blocks++ % 16 == 0)
        vox_trace_destroy(parse_bytes(text.bytes, text.len));
}

static struct call begin(void)
{
    struct vox_tracer_config config;
    struct call call = usual_call;
    vox_tracer_config_init(&config);
    config.on_text = take_text;
    config.capture_time_id = VOX_HDREXT_CAPTURE_TIME_ID;
    text.len = 0;
    text.blocks = 0;
    assert_int_equal(vox_tracer_create(&config, &call.tracer), 0);
    return call;
}

static struct vox_tracer_stats stats_of(const struct call *call)
{
    struct vox_tracer_stats stats;
    vox_tracer_read_stats(call->tracer, &stats);
    return stats;
}

/* Ends the call and reads what was written of it. */
static struct vox_trace *end(struct call *call, struct vox_tracer_stats *stats)
{
    vox_tracer_finish(call->tracer);
    *stats = stats_of(call);
    vox_tracer_destroy(call->tracer);
    return parse_bytes(text.bytes, text.len);
}

static bool says(const char *words)
{
    text.bytes[text.len] = '\0';
    return strstr(text.bytes, words) != NULL;
}

/* One way, of the first copy, in us. */
static int way_us(const struct vox_trace *trace, size_t i)
{
    const struct vox_trace_packet *p = vox_trace_at(trace, i);
    return (int)((p->recv_ns[0] - p->send_ns) / VOX_NS_PER_US);
}

static void writes_what_became_of_each_packet(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    call_packet(&call, 0, 15);
    call_packet(&call, 1, 10);
    call_packet(&call, 3, 12); /* 2 is late, 4 and 5 are lost */
    call_packet(&call, 2, 35.5);
    call_packet(&call, 6, 10);
    call_packet(&call, 6, 14.25);
    struct vox_trace *trace = end(&call, &stats);
    assert_true(says("# interval_ms 20.000\n"));
    assert_true(says("source 11223344"));
    assert_true(says("\n1000 0.000 5.000\n1001 20.000 20.000\n1002 40.000 65.500\n"));
    assert_true(says("\n1004 80.000 lost\n1005 100.000 lost\n"));
    assert_true(says("\n1006 120.000 120.000\n1006 120.000 124.250\n"));
    assert_int_equal(vox_trace_count(trace), 7);
    assert_int_equal(vox_trace_at(trace, 6)->copies, 2);
    assert_int_equal(stats.packets, 5);
    assert_int_equal(stats.lost, 2);
    assert_int_equal(stats.duplicates, 1);
    assert_true(stats.started && stats.ssrc == CALL_SSRC && !stats.ended);
    vox_trace_destroy(trace);
}

static void counts_on_where_numbers_wrap(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    call.first_seq = 65530;
    call.first_timestamp = UINT32_MAX - 2000;
    for (int n = 0; n < 70000; n++)
        if (n % 1000 != 999)
            call_packet(&call, n, n % 7);
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(vox_trace_count(trace), 69999); /* that the last one was sent nobody knows */
    assert_int_equal(stats.lost, 69);
    for (size_t i = 0; i < 69999; i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        assert_true(p->seq == 65530 + (int64_t)i && p->send_ns == (int64_t)i * CALL_INTERVAL_NS);
        assert_true(p->copies == (i % 1000 != 999));
        assert_true(p->copies == 0 || way_us(trace, i) == 1000 * (int)(i % 7));
    }
    vox_trace_destroy(trace);
}

static void waits_five_seconds_for_a_packet(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    for (int n = 0; n < 1000; n++) {
        if (n != 100 && n != 200)
            call_packet(&call, n, 0);
        if (n == 340)
            call_packet(&call, 100, 20 * 240 + 1); /* 4.8 s */
        if (n == 460)
            call_packet(&call, 200, 20 * 260 + 1); /* 5.2 s */
    }
    assert_int_equal(stats_of(&call).too_late, 1);
    assert_true(says("\n1200 4000.000 lost\n")); /* long before the end */
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(way_us(trace, 100), 4801000);
    assert_int_equal(stats.lost, 1);
    vox_trace_destroy(trace);
}

/* The fastest packet comes when much is written: all that follow are moved together. */
static void path_that_gets_faster_keeps_its_differences(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    for (int n = 0; n < 1000; n++)
        call_packet(&call, n, (n < 500 ? 300.0 : 40.0) + n % 3);
    struct vox_trace *trace = end(&call, &stats);
    assert_true(says("# shift_ms 260.000\n"));
    assert_int_equal(way_us(trace, 499), 1000);
    assert_int_equal(way_us(trace, 501), 0);
    assert_int_equal(way_us(trace, 503), 2000);
    vox_trace_destroy(trace);
}

/* The second packet overtakes the first. */
static void begins_with_the_first_packet(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    call_packet(&call, 1, 0);
    call_packet(&call, 0, 25);
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(vox_trace_count(trace), 2);
    assert_true(vox_trace_at(trace, 0)->seq == 1000);
    assert_int_equal(way_us(trace, 0), 25000);
    assert_int_equal(way_us(trace, 1), 0);
    vox_trace_destroy(trace);
}

/* From packets of 60 ms to those of 20 while some are lost: what is known stays true. */
static void lost_ones_are_sent_before_the_next(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    int64_t media_ns = 60 * VOX_NS_PER_MS;
    call.toc = TOC_60_MS;
    call_packet_at(&call, 0, 0, 0);
    call.toc = TOC_20_MS;
    call_packet_at(&call, 3, media_ns + 2 * CALL_INTERVAL_NS, media_ns + 2 * CALL_INTERVAL_NS);
    struct vox_trace *trace = end(&call, &stats);
    assert_true(says("# interval_ms 60.000\n"));
    assert_true(says("\n1001 60.000 lost\n1002 100.000 lost\n1003 100.000 100.000\n"));
    vox_trace_destroy(trace);
}

/* Of the shortest packets more are held back than one block of text holds. */
static void short_packets_come_in_whole_lines(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    int64_t step_ns = 5 * VOX_NS_PER_MS / 2;
    call.toc = TOC_2_5_MS;
    for (int n = 0; n < 9000; n++)
        call_packet_at(&call, n, n * step_ns, n * step_ns + n % 3 * VOX_NS_PER_MS / 3);
    struct vox_trace *trace = end(&call, &stats);
    assert_true(says("# interval_ms 2.500\n"));
    assert_int_equal(vox_trace_count(trace), 9000);
    vox_trace_destroy(trace);
}

static void pause_of_a_silent_sender_is_a_pause(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    for (int n = 0; n < 40; n++) {
        int64_t media_ns = (n < 20 ? n : n + 50) * CALL_INTERVAL_NS;
        call_packet_at(&call, n, media_ns, media_ns + VOX_NS_PER_MS);
    }
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(stats.lost, 0);
    assert_true(vox_trace_at(trace, 20)->send_ns == 70 * CALL_INTERVAL_NS);
    assert_int_equal(way_us(trace, 20), 0);
    vox_trace_destroy(trace);
}

static void sender_that_begins_again_is_followed_on(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    for (int n = 0; n < 100; n++) {
        if (n == 50) {
            call.first_seq = (uint16_t)(call.first_seq + 20000);
            call.first_timestamp += 1U << 30;
        }
        call_packet(&call, n, 0);
    }
    struct vox_trace *trace = end(&call, &stats);
    /* the first after the jump is held against it */
    assert_int_equal(vox_trace_count(trace), 99);
    assert_true(vox_trace_at(trace, 98)->seq == 1098);
    assert_int_equal(way_us(trace, 98), 0);
    vox_trace_destroy(trace);
}

static void other_sources_are_counted(void **state)
{
    (void)state;
    struct call call = begin();
    struct call other = call;
    struct vox_tracer_stats stats;
    other.ssrc++;
    call_packet(&call, 0, 0);
    call_packet(&other, 0, 0);
    call_packet(&call, 1, 0);
    call_packet(&other, 1, 0);
    struct call typed = call; /* comfort noise or the like, of the same source */
    typed.payload_type++;
    call_packet(&typed, 2, 0);
    call_packet(&call, 3, 0);
    call_packet(&other, 500, 0); /* when this one has been quiet for long */
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(stats.ssrc, CALL_SSRC);
    assert_int_equal(stats.others, 3);
    assert_int_equal(stats.packets, 3);
    vox_trace_destroy(trace);
}

static void a_stray_packet_is_no_source(void **state)
{
    (void)state;
    struct call call = begin();
    struct call stray = call;
    struct vox_tracer_stats stats;
    stray.ssrc++;
    call_packet(&stray, 0, 0);
    for (int n = 100; n < 110; n++)
        call_packet(&call, n, 0);
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(stats.ssrc, CALL_SSRC);
    assert_int_equal(stats.packets, 10);
    assert_int_equal(stats.others, 1);
    vox_trace_destroy(trace);
}

static void what_is_no_opus_is_not_there(void **state)
{
    (void)state;
    struct call call = begin();
    static const uint8_t rtcp[] = {0x80, 200, 0, 1, 0, 0, 0, 0}, short_one[] = {0x80, 96, 0};
    struct call static_type = call;
    struct vox_tracer_stats stats;
    static_type.payload_type = 0; /* G.711 */
    call_packet(&static_type, 0, 0);
    vox_tracer_push(call.tracer, rtcp, sizeof rtcp, 0, false);
    vox_tracer_push(call.tracer, short_one, sizeof short_one, 0, false);
    vox_tracer_push(call.tracer, NULL, 0, 0, false);
    assert_false(stats_of(&call).started);
    call_packet(&call, 0, 0);
    struct vox_trace *trace = end(&call, &stats); /* of one packet */
    assert_int_equal(vox_trace_count(trace), 1);
    vox_trace_destroy(trace);
}

static void nothing_is_written_of_nothing(void **state)
{
    (void)state;
    struct vox_tracer_config config;
    struct vox_tracer *tracer = NULL;
    vox_tracer_config_init(&config);
    assert_int_equal(vox_tracer_create(&config, &tracer), VOX_EINVAL);
    struct call call = begin();
    vox_tracer_finish(call.tracer);
    assert_int_equal(text.len, 0);
    vox_tracer_destroy(call.tracer);
    vox_tracer_destroy(NULL);
}

/* Both ends on one clock: captured at 0, 20 ms of sound and 6.5 ms that the encoder looks ahead. */
static void capture_times_tell_how_long_it_took(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    struct vox_tracer_correction correction;
    call.same_clock = true;
    call.capture_ns = CALL_START_NS;
    for (int n = 0; n < 500; n++)
        call_packet(&call, n, 26.5 + 30 + n % 5);
    vox_tracer_correction(call.tracer, &correction);
    assert_true(correction.absolute && correction.slope == 0);
    assert_int_equal(correction.least_ns / VOX_NS_PER_US, 30000);
    assert_true(correction.offset_ns == 0);
    struct vox_trace *trace = end(&call, &stats);
    assert_int_equal(way_us(trace, 0), 30000);
    assert_int_equal(way_us(trace, 4), 34000);
    vox_trace_destroy(trace);
    call = begin(); /* of a sender elsewhere they tell nothing */
    call.capture_ns = CALL_START_NS;
    call_packet(&call, 0, 56.5);
    vox_tracer_correction(call.tracer, &correction);
    assert_true(!correction.absolute && correction.least_ns == 0);
    vox_trace_destroy(end(&call, &stats));
}

static void leaping_numbers_do_not_fill_the_disk(void **state)
{
    (void)state;
    struct call call = begin();
    struct vox_tracer_stats stats;
    for (int n = 0; n < 3000; n++)
        call_packet_at(&call, (int64_t)n * 2900, n * CALL_INTERVAL_NS, n * CALL_INTERVAL_NS);
    struct vox_trace *trace = end(&call, &stats);
    assert_true(stats.ended);
    assert_true(vox_trace_count(trace) < 20000);
    vox_trace_destroy(trace);
}

/* Whatever comes, what is written can be read. */
static void anything_makes_a_trace(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct vox_rng rng;
        struct call call = begin();
        struct vox_tracer_stats stats;
        int64_t arrival_ns = 0;
        vox_rng_init(&rng, seed, 0);
        call_packet(&call, 0, 0);
        for (int64_t n = 1; n < 1500; n++) {
            double r = vox_rng_uniform(&rng);
            double far = vox_rng_uniform(&rng);
            int64_t seq = r < 0.1 ? (int64_t)(far * 65536) : r < 0.3 ? n + (int64_t)(far * 20) : n;
            int64_t media_ns = n * CALL_INTERVAL_NS;
            if (vox_rng_uniform(&rng) < 0.1)
                media_ns += (int64_t)((far - 0.5) * 80000) * VOX_NS_PER_S;
            else if (vox_rng_uniform(&rng) < 0.2)
                media_ns += (int64_t)((far - 0.5) * 100 * 1e6);
            arrival_ns += (int64_t)(vox_rng_uniform(&rng) * 4e7) - 5 * VOX_NS_PER_MS;
            call_packet_at(&call, seq, media_ns, arrival_ns);
        }
        struct vox_tracer_correction correction;
        vox_tracer_correction(call.tracer, &correction);
        vox_trace_destroy(end(&call, &stats));
    }
}

static void times_are_rounded_to_a_microsecond(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *expect;
    } rows[] = {{0, "0.000"},           {1499, "0.001"},  {1500, "0.002"},
                {-1500, "-0.002"},      {-499, "0.000"},  {123456789012, "123456.789"},
                {-20000000, "-20.000"}, {999999, "1.000"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[VOX_TRACER_TIME_BYTES];
        assert_string_equal(vox_tracer_time(rows[i].ns, out), rows[i].expect);
    }
}

RUN(cmocka_unit_test(writes_what_became_of_each_packet),
    cmocka_unit_test(counts_on_where_numbers_wrap),
    cmocka_unit_test(waits_five_seconds_for_a_packet),
    cmocka_unit_test(path_that_gets_faster_keeps_its_differences),
    cmocka_unit_test(begins_with_the_first_packet),
    cmocka_unit_test(lost_ones_are_sent_before_the_next),
    cmocka_unit_test(short_packets_come_in_whole_lines),
    cmocka_unit_test(pause_of_a_silent_sender_is_a_pause),
    cmocka_unit_test(sender_that_begins_again_is_followed_on),
    cmocka_unit_test(other_sources_are_counted), cmocka_unit_test(a_stray_packet_is_no_source),
    cmocka_unit_test(what_is_no_opus_is_not_there), cmocka_unit_test(nothing_is_written_of_nothing),
    cmocka_unit_test(capture_times_tell_how_long_it_took),
    cmocka_unit_test(leaping_numbers_do_not_fill_the_disk),
    cmocka_unit_test(anything_makes_a_trace), cmocka_unit_test(times_are_rounded_to_a_microsecond))
