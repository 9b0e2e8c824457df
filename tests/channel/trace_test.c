#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "channel/trace.h"
#include "support/test.h"

static struct vox_trace *parse(const char *text)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error = {0};
    if (vox_trace_parse(text, strlen(text), &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    return trace;
}

static void reads_losses_copies_and_reordering(void **state)
{
    (void)state;
    struct vox_trace *trace = parse("# interval_ms 20\r\n"
                                    "# kind test\n"
                                    "\n"
                                    "7 1000.00 1004.25\r\n"
                                    "8\t1020 lost\n"
                                    "9 1040.5 1100.1234567\n"
                                    "9 1040.5 1060\n"
                                    "9 1040.5 1090\n"
                                    "10 1060 1061"); /* no newline at the end */
    assert_int_equal(vox_trace_count(trace), 4);
    assert_true(vox_trace_interval_ns(trace) == 20 * VOX_NS_PER_MS);
    const struct vox_trace_packet *p = vox_trace_at(trace, 0);
    assert_true(p->seq == 7 && p->send_ns == 1000 * VOX_NS_PER_MS && p->copies == 1);
    assert_true(p->recv_ns[0] == 1004250000);
    assert_int_equal(vox_trace_at(trace, 1)->copies, 0);
    p = vox_trace_at(trace, 2); /* three copies: the two earliest, in order */
    assert_int_equal(p->copies, 2);
    assert_true(p->recv_ns[0] == 1060000000 && p->recv_ns[1] == 1090000000);
    vox_trace_destroy(trace);
}

static void times_are_exact_to_the_nanosecond(void **state)
{
    (void)state;
    struct vox_trace *trace =
        parse("# interval_ms 2.5\n0 -0.000001 0.1234569\n1 2.5 3155759999999");
    assert_true(vox_trace_interval_ns(trace) == 2500000);
    assert_true(vox_trace_at(trace, 0)->send_ns == -1);
    assert_true(vox_trace_at(trace, 0)->recv_ns[0] == 123456);
    assert_true(vox_trace_at(trace, 1)->recv_ns[0] == INT64_C(3155759999999000000));
    vox_trace_destroy(trace);
}

static void interval_without_a_header_is_the_median_step(void **state)
{
    (void)state;
    struct vox_trace *trace = parse("0 0 1\n1 5 6\n2 50 51\n3 60 61\n4 70 lost\n5 80 81\n");
    assert_true(vox_trace_interval_ns(trace) == 10 * VOX_NS_PER_MS);
    vox_trace_destroy(trace);
}

static void bad_lines_are_named_with_their_reason(void **state)
{
    (void)state;
    static const char fields[] = "not three fields";
    static const char seq[] = "sequence number is not a whole number";
    static const char send[] = "send time is not a number";
    static const char recv[] = "receive time is neither a number nor `lost`";
    static const char median[] = "no `# interval_ms X`, and the send times do not tell it";
    static const struct {
        const char *text;
        int line;
        const char *reason;
    } rows[] = {
        {"", 0, "no packets"},
        {"# interval_ms 20\n\n", 0, "no packets"},
        {"0 0 1\n", 0, median},
        {"0 5 6\n1 5 6\n2 5 6\n", 0, median},
        {"0 0 1\n1 20\n", 2, fields},
        {"0 0 1 2\n", 1, fields},
        {"hello\n", 1, fields},
        {"# c\n\n-1 0 1\n", 3, seq},
        {"1.5 0 1\n", 1, seq},
        {"0x1 0 1\n", 1, seq},
        {"99999999999999999999 0 1\n", 1, seq},
        {"0 nan 1\n", 1, send},
        {"0 inf 1\n", 1, send},
        {"0 1e3 2e3\n", 1, send},
        {"0 . 1\n", 1, send},
        {"0 1. 2\n", 1, send},
        {"0 - 2\n", 1, send},
        {"0 99999999999999 lost\n", 1, send},
        {"0 0 LOST\n", 1, recv},
        {"0 0 nan\n", 1, recv},
        {"0 0 inf\n", 1, recv},
        {"0 0 1,5\n", 1, recv},
        {"0 10 9.99\n", 1, "received before it was sent"},
        {"5 0 1\n4 20 21\n", 2, "sequence number goes backwards"},
        {"4 20 21\n5 19.9 21\n", 2, "send time goes backwards"},
        {"# interval_ms 0\n0 0 1\n", 1, "interval_ms is not above 0"},
        {"# interval_ms -20\n0 0 1\n", 1, "interval_ms is not above 0"},
        {"# interval_ms\n0 0 1\n", 1, "interval_ms is not a number"},
        {"  # interval_ms twenty\n0 0 1\n", 1, "interval_ms is not a number"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_trace *trace = NULL;
        struct vox_trace_error error = {.line = -1};
        int err = vox_trace_parse(rows[i].text, strlen(rows[i].text), &trace, &error);
        assert_int_equal(err, VOX_EFORMAT);
        assert_null(trace);
        assert_string_equal(error.reason, rows[i].reason);
        assert_int_equal(error.line, rows[i].line);
    }
}

/* The text need not end with a NUL: nothing behind len is looked at. */
static void reads_no_further_than_told(void **state)
{
    (void)state;
    static const char text[] = "# interval_ms 20\n0 0 12345\n";
    size_t len = sizeof "# interval_ms 20\n0 0 12" - 1;
    char *exact = malloc(len);
    memcpy(exact, text, len);
    struct vox_trace *trace = NULL;
    struct vox_trace_error error;
    assert_int_equal(vox_trace_parse(exact, len, &trace, &error), 0);
    assert_true(vox_trace_at(trace, 0)->recv_ns[0] == 12 * VOX_NS_PER_MS);
    vox_trace_destroy(trace);
    free(exact);
}

static void time_walks_the_trace_and_begins_again(void **state)
{
    (void)state;
    struct vox_trace *trace = parse("# interval_ms 20\n0 0 1\n1 20 21\n2 40 lost\n");
    static const struct {
        int64_t ms, seq;
    } rows[] = {{-5, 0}, {0, 0}, {19, 0}, {20, 1}, {59, 2}, {60, 0}, {6000000000, 0}, {80, 1}};
    vox_rt_enter();
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(vox_trace_for_time(trace, rows[i].ms * VOX_NS_PER_MS)->seq == rows[i].seq);
    vox_rt_leave();
    vox_trace_destroy(trace);
}

static void shipped_trace_is_what_its_maker_says(void **state)
{
    (void)state;
    static char text[200000];
    FILE *file = fopen(VOX_TEST_DATA "/wifi.trace", "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(len < sizeof text);
    text[len] = 0;
    struct vox_trace *trace = parse(text);
    assert_int_equal(vox_trace_count(trace), 3000);
    int lost = 0, twice = 0, overtaken = 0, stalled = 0;
    int64_t newest_ns = 0;
    for (size_t i = 0; i < 3000; i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        assert_true(p->seq == (int64_t)i);
        lost += p->copies == 0;
        twice += p->copies == 2;
        overtaken += p->copies > 0 && p->recv_ns[0] < newest_ns;
        stalled += p->copies > 0 && p->recv_ns[0] - p->send_ns > 20 * VOX_NS_PER_MS;
        newest_ns = p->copies > 0 && p->recv_ns[0] > newest_ns ? p->recv_ns[0] : newest_ns;
    }
    assert_in_range(lost, 15, 60);
    assert_in_range(twice, 1, 20);
    assert_in_range(overtaken, 1, 60);
    assert_in_range(stalled, 10, 200);
    vox_trace_destroy(trace);
}

RUN(cmocka_unit_test(reads_losses_copies_and_reordering),
    cmocka_unit_test(times_are_exact_to_the_nanosecond),
    cmocka_unit_test(interval_without_a_header_is_the_median_step),
    cmocka_unit_test(bad_lines_are_named_with_their_reason),
    cmocka_unit_test(reads_no_further_than_told),
    cmocka_unit_test(time_walks_the_trace_and_begins_again),
    cmocka_unit_test(shipped_trace_is_what_its_maker_says))
