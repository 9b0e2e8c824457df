#include "receiver/reception.h"

#include "base/time.h"
#include "support/test.h"

#include <string.h>

enum { TICKS = 960 };

#define PACKET_NS (20 * VOX_NS_PER_MS)

static struct vox_reception r;
static struct vox_rtcp_block block;

static int setup(void **state)
{
    (void)state;
    vox_reception_init(&r);
    return 0;
}

static void receive(int64_t index, int64_t later_ns)
{
    vox_reception_packet(&r, index, index * TICKS, index * PACKET_NS + later_ns);
}

static void report(int64_t now_ns)
{
    vox_reception_report(&r, 0xabcd, now_ns, &block);
}

static void nothing_received(void **state)
{
    (void)state;
    report(0);
    assert_int_equal(block.fraction_lost, 0);
    assert_int_equal(block.cumulative_lost, 0);
    assert_int_equal(block.last_sr, 0);
    assert_int_equal(block.delay_since_sr, 0);
    assert_int_equal(vox_reception_lost(&r), 0);
}

/* RFC 3550, section A.3: what each interval lost, of 256. */
static void fraction_is_of_the_interval(void **state)
{
    (void)state;
    static const struct {
        int expected, received;
        int fraction;
        int cumulative;
    } rows[] = {
        {100, 100, 0, 0},  {100, 75, 64, 25}, {100, 100, 0, 25},    {10, 5, 128, 30},
        {256, 255, 1, 31}, {300, 299, 0, 32}, {1000, 1, 255, 1031},
    };
    int64_t index = 1000;
    for (size_t i = 0; i < COUNT(rows); i++) {
        /* the last of an interval comes, the lost ones are in front of it */
        for (int k = 0; k < rows[i].expected; k++)
            if (k >= rows[i].expected - rows[i].received)
                receive(index + k, 0);
        index += rows[i].expected;
        report(index * PACKET_NS);
        assert_int_equal(block.fraction_lost, rows[i].fraction);
        assert_int_equal(block.cumulative_lost, rows[i].cumulative);
        assert_int_equal(block.highest_seq, index - 1);
        assert_int_equal(block.ssrc, 0xabcd);
    }
    assert_int_equal(vox_reception_lost(&r), 1031);
}

/* A packet that comes in the interval after its own: that one has lost less than nothing. */
static void a_late_packet_is_not_lost(void **state)
{
    (void)state;
    receive(10, 0);
    receive(12, 0);
    report(0);
    assert_int_equal(block.cumulative_lost, 1);
    receive(11, PACKET_NS);
    report(0);
    assert_int_equal(block.fraction_lost, 0);
    assert_int_equal(block.cumulative_lost, 0);
    assert_int_equal(r.reordered, 1);
}

static void older_than_the_first(void **state)
{
    (void)state;
    receive(10, 0);
    receive(9, PACKET_NS);
    receive(11, 0);
    report(0);
    assert_int_equal(block.cumulative_lost, 0);
    assert_int_equal(vox_reception_lost(&r), 0);
}

static void highest_counts_the_cycles(void **state)
{
    (void)state;
    receive(65535, 0);
    receive(65536, 0);
    receive(65537, 0);
    report(0);
    assert_int_equal(block.highest_seq, 0x10001);
}

/* RFC 3550, section A.8: J += (|D| - J) / 16. */
static void jitter_as_in_the_rfc(void **state)
{
    (void)state;
    static const int64_t later_ms[] = {0, 0, 16, 16, 0, 8};
    static const double wanted_ms[] = {0, 0, 1, 0.9375, 1.87890625, 2.261474609375};
    for (size_t i = 0; i < COUNT(later_ms); i++) {
        receive((int64_t)i, later_ms[i] * VOX_NS_PER_MS);
        report(0);
        double ticks = wanted_ms[i] * 48;
        assert_true(block.jitter + 0.51 > ticks && block.jitter - 0.51 < ticks);
    }
}

/* Section 6.4.1: the middle of the NTP time, and units of 1/65536 s. */
static void answers_the_sender_report(void **state)
{
    (void)state;
    receive(1, 0);
    vox_reception_sender_report(&r, 0x0123456789abcdefU, VOX_NS_PER_S);
    report(VOX_NS_PER_S + 1500 * VOX_NS_PER_MS);
    assert_int_equal(block.last_sr, 0x456789ab);
    assert_int_equal(block.delay_since_sr, 0x18000);
}

/* ---- which came ---- */

/* "+" came, "-" did not: the run that a report would tell of, and where it begins. */
static void expect_run(int64_t from, int count, int64_t first, const char *text)
{
    struct vox_rtcp_xr_loss loss = {0};
    assert_int_equal(vox_reception_run(&r, from, count, &loss), first);
    assert_int_equal(loss.count, strlen(text));
    for (size_t i = 0; i < loss.count; i++)
        assert_int_equal(vox_rtcp_xr_loss_came(&loss, i), text[i] == '+');
}

static void the_run_ends_with_the_highest(void **state)
{
    (void)state;
    struct vox_rtcp_xr_loss loss = {0};
    vox_reception_run(&r, 0, 10, &loss);
    assert_int_equal(loss.count, 0);
    receive(100, 0);
    expect_run(0, 10, 100, "+");
    receive(103, 0);
    expect_run(0, 10, 100, "+--+");
    receive(101, 2 * PACKET_NS); /* reordered */
    expect_run(0, 10, 100, "++-+");
    expect_run(0, 2, 102, "-+");
    expect_run(102, 10, 102, "-+"); /* what is before has other numbers */
    receive(99, 0);
    expect_run(0, 10, 99, "+++-+");
}

static void the_ring_forgets(void **state)
{
    (void)state;
    int64_t start = -100; /* a packet from before the first may have wrapped */
    for (int64_t i = start; i < 5000; i++)
        if (i % 7 != 0)
            receive(i, 0);
    for (int64_t i = start; i < 5000 - VOX_RECEPTION_PACKETS; i++)
        assert_false(vox_reception_lacks(&r, i));
    for (int64_t i = 5000 - VOX_RECEPTION_PACKETS; i < 5000; i++)
        assert_int_equal(vox_reception_lacks(&r, i), i % 7 == 0);
    receive(5000 + 3000, 0); /* a gap longer than the ring */
    assert_false(vox_reception_lacks(&r, 8000));
    for (int64_t i = 8001 - VOX_RECEPTION_PACKETS; i < 8000; i++)
        assert_true(vox_reception_lacks(&r, i));
    assert_true(vox_reception_lacks(&r, 8001));
}

static void tells_what_is_missing_since_the_report(void **state)
{
    (void)state;
    int64_t expected;
    receive(10, 0);
    receive(13, 0);
    assert_int_equal(vox_reception_lost_since(&r, &expected), 2);
    assert_int_equal(expected, 4);
    report(0);
    assert_int_equal(vox_reception_lost_since(&r, &expected), 0);
    assert_int_equal(expected, 0);
    receive(12, 0);
    assert_int_equal(vox_reception_lost_since(&r, &expected), 0); /* never below 0 */
    receive(15, 0);
    receive(16, 0);
    assert_int_equal(vox_reception_lost_since(&r, &expected), 0);
    receive(18, 0);
    assert_int_equal(vox_reception_lost_since(&r, &expected), 1);
    assert_int_equal(expected, 5);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(nothing_received), TEST(fraction_is_of_the_interval), TEST(a_late_packet_is_not_lost),
    TEST(older_than_the_first), TEST(highest_counts_the_cycles), TEST(jitter_as_in_the_rfc),
    TEST(answers_the_sender_report), TEST(the_run_ends_with_the_highest), TEST(the_ring_forgets),
    TEST(tells_what_is_missing_since_the_report))
