#include "sender/congestion.h"

#include "base/time.h"
#include "support/test.h"

enum { MOST = 120000, LEAST = 22000, RTT_MS = 50 };

#define MS VOX_NS_PER_MS

static struct vox_congestion c;
static int64_t now_ns;

static int setup(void **state)
{
    (void)state;
    vox_congestion_init(&c, MOST, LEAST);
    now_ns = 0;
    return 0;
}

static struct vox_congestion_view calm(void)
{
    return (struct vox_congestion_view){
        .round_least_ns = (RTT_MS - 15) * MS,
        .round_most_ns = RTT_MS * MS,
        .jitter_ns = MS,
        .delivered_bps = 48000,
        .sent_bps = 48000,
        .known = 100,
        .burst = 1,
    };
}

/* A report a second later. */
static enum vox_congestion_news tell(struct vox_congestion_view view)
{
    view.now_ns = now_ns += VOX_NS_PER_S;
    enum vox_congestion_news news = vox_congestion_report(&c, &view);
    assert_in_range(c.cap_bps, LEAST, MOST);
    return news;
}

static enum vox_congestion_news tell_queue(int queue_ms, int sent_bps, int delivered_bps)
{
    struct vox_congestion_view view = calm();
    view.round_least_ns += queue_ms * MS;
    view.round_most_ns += queue_ms * MS;
    view.sent_bps = sent_bps;
    view.delivered_bps = delivered_bps;
    return tell(view);
}

static enum vox_congestion_news tell_loss(int known, int lost, int sent_bps)
{
    struct vox_congestion_view view = calm();
    view.known = known;
    view.lost = lost;
    view.sent_bps = sent_bps;
    view.delivered_bps = (int64_t)sent_bps * (known - lost) / (known > 0 ? known : 1);
    return tell(view);
}

static void expect(enum vox_congestion_news news, enum vox_congestion_news expected)
{
    assert_int_equal(news, expected);
}

/* Loss that has just begun is not suspected for itself. */
static enum vox_congestion_news tell_lasting(struct vox_congestion_view view)
{
    expect(tell(view), VOX_CONGESTION_NOTHING);
    expect(tell(view), VOX_CONGESTION_NOTHING);
    return tell(view);
}

static enum vox_congestion_news tell_lasting_loss(int known, int lost, int sent_bps)
{
    struct vox_congestion_view view = calm();
    view.known = known;
    view.lost = lost;
    view.sent_bps = sent_bps;
    return tell_lasting(view);
}

/* So many reports without anything to tell, until there is room. Returns how many. */
static int until_room(int sent_bps, int most)
{
    for (int i = 1; i <= most; i++)
        if (tell_loss(100, 0, sent_bps) == VOX_CONGESTION_ROOM)
            return i;
    return -1;
}

static void a_calm_network_gets_all_that_it_may(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        expect(tell(calm()), VOX_CONGESTION_NOTHING);
    assert_int_equal(c.cap_bps, MOST);
}

static void one_long_round_is_none_but_a_suspicion(void **state)
{
    (void)state;
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    expect(tell_queue(100, 48000, 48000), VOX_CONGESTION_NOTHING);
    assert_true(vox_congestion_is_suspected(&c));
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    assert_false(vox_congestion_is_suspected(&c));
}

static void a_queue_is_drained_and_then_less_is_sent(void **state)
{
    (void)state;
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    expect(tell_queue(110, 117000, 80000), VOX_CONGESTION_NOTHING);
    expect(tell_queue(130, 117000, 80000), VOX_CONGESTION_QUEUE);
    assert_in_range(c.cap_bps, 60000, 66000);
    expect(tell_queue(90, 64000, 80000), VOX_CONGESTION_NOTHING); /* not gone yet */
    expect(tell_queue(10, 64000, 64000), VOX_CONGESTION_ROOM);
    assert_int_equal(c.cap_bps, 72000);
    assert_true(until_room(68000, 30) >= 10);
}

static void a_long_round_is_enough_unless_losses_come_in_bursts(void **state)
{
    (void)state;
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    expect(tell_queue(400, 117000, 60000), VOX_CONGESTION_QUEUE);
    setup(NULL);
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    struct vox_congestion_view view = calm();
    view.round_least_ns += 300 * MS;
    view.burst = 3;
    expect(tell(view), VOX_CONGESTION_NOTHING);
    expect(tell(view), VOX_CONGESTION_QUEUE);
}

static void a_queue_that_stays_lowers_again(void **state)
{
    (void)state;
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    expect(tell_queue(400, 117000, 80000), VOX_CONGESTION_QUEUE);
    int cap_bps = c.cap_bps;
    expect(tell_queue(400, cap_bps, 40000), VOX_CONGESTION_NOTHING);
    expect(tell_queue(400, cap_bps, 30000), VOX_CONGESTION_QUEUE);
    assert_true(c.cap_bps < cap_bps);
    for (int i = 0; i < 20; i++)
        tell_queue(400, c.cap_bps, 10000);
    assert_int_equal(c.cap_bps, LEAST);
}

static void jitter_is_no_queue(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        struct vox_congestion_view view = calm();
        view.jitter_ns = 33 * MS; /* uniform over 100 ms, both ways */
        view.round_least_ns += i * 37 % 180 * MS;
        view.round_most_ns += i * 37 % 180 * MS;
        expect(tell(view), VOX_CONGESTION_NOTHING);
    }
}

static void without_round_trips_nothing_is_a_queue(void **state)
{
    (void)state;
    struct vox_congestion_view view = calm();
    view.round_least_ns = -1;
    view.round_most_ns = VOX_NS_NEVER;
    for (int i = 0; i < 100; i++)
        expect(tell(view), VOX_CONGESTION_NOTHING);
}

/* Another way, for good: after a minute that is what is short. */
static void a_longer_way_is_a_queue_for_a_minute_at_most(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++)
        tell(calm());
    for (int i = 0; i < 70; i++)
        tell_queue(200, 48000, 48000);
    for (int i = 0; i < 10; i++)
        assert_int_not_equal(tell_queue(200, 48000, 48000), VOX_CONGESTION_QUEUE);
    assert_false(vox_congestion_is_suspected(&c));
}

/* ---- loss ---- */

static void little_loss_is_nobodys_fault(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        expect(tell_loss(150, i % 2 ? 5 : 9, 117000), VOX_CONGESTION_NOTHING);
    expect(tell_loss(40, 30, 117000), VOX_CONGESTION_NOTHING); /* too few to tell */
}

static void random_loss_is_tried_once_and_then_trusted(void **state)
{
    (void)state;
    expect(tell_lasting_loss(100, 20, 117000), VOX_CONGESTION_RATE);
    assert_in_range(c.cap_bps, 76000, 82000); /* 0.85 of what came */
    expect(tell_loss(30, 6, 79000), VOX_CONGESTION_NOTHING);
    expect(tell_loss(80, 17, 79000), VOX_CONGESTION_RANDOM);
    assert_int_equal(c.cap_bps, MOST);
    for (int i = 0; i < 25; i++)
        expect(tell_loss(150, 24 + i % 12, 117000), VOX_CONGESTION_NOTHING);
    expect(tell_lasting_loss(150, 70, 117000), VOX_CONGESTION_RATE); /* that is more */
}

/* Where the rate was just raised, and nothing came of it but loss, it is suspected at once. */
static void a_raise_in_vain_is_tried_at_once(void **state)
{
    (void)state;
    struct vox_congestion_view view = calm();
    view.raised_from_bps = 48000;
    view.sent_bps = 117000;
    view.before_known = 20;
    view.known = 100;
    view.before_lost = 2;
    view.lost = 12; /* the same loss as before */
    expect(tell(view), VOX_CONGESTION_NOTHING);
    view.lost = 55; /* 64 kbit/s come through */
    expect(tell(view), VOX_CONGESTION_RATE);
}

static void a_verdict_holds_longer_each_time(void **state)
{
    int64_t at_ns[4] = {0};
    (void)state;
    for (int i = 0, reports = 0; i < 4 && reports < 1000; reports++) {
        enum vox_congestion_news news = tell_loss(150, 30, 117000);
        if (news == VOX_CONGESTION_RATE)
            at_ns[i++] = now_ns;
    }
    assert_in_range((at_ns[1] - at_ns[0]) / VOX_NS_PER_S, 30, 36);
    assert_in_range((at_ns[2] - at_ns[1]) / VOX_NS_PER_S, 60, 66);
    assert_in_range((at_ns[3] - at_ns[2]) / VOX_NS_PER_S, 120, 126);
}

static void loss_that_goes_with_the_rate_keeps_it_low(void **state)
{
    (void)state;
    expect(tell_lasting_loss(100, 45, 117000), VOX_CONGESTION_RATE); /* a policer of 64 kbit/s */
    int cap_bps = c.cap_bps;
    assert_in_range(cap_bps, 50000, 60000);
    expect(tell_loss(100, 0, cap_bps), VOX_CONGESTION_NOTHING);
    assert_int_equal(c.cap_bps, cap_bps);
    int first = until_room(cap_bps, 60);
    assert_in_range(first, 14, 17);
    expect(tell_lasting_loss(100, 40, c.cap_bps), VOX_CONGESTION_RATE); /* too much again */
    expect(tell_loss(100, 0, c.cap_bps), VOX_CONGESTION_NOTHING);
    int second = until_room(c.cap_bps, 60);
    assert_in_range(second, 28, 32);
}

/* What is left at the lower rate is random: it is not tried again. */
static void a_policer_behind_random_loss(void **state)
{
    (void)state;
    expect(tell_lasting_loss(100, 45, 117000), VOX_CONGESTION_RATE);
    expect(tell_loss(100, 10, 54000), VOX_CONGESTION_NOTHING);
    int cap_bps = c.cap_bps;
    for (int i = 0; i < 10; i++)
        expect(tell_loss(100, 11, 54000), VOX_CONGESTION_NOTHING);
    assert_int_equal(c.cap_bps, cap_bps);
}

static void bursts_are_judged_by_more_packets(void **state)
{
    (void)state;
    struct vox_congestion_view view = calm();
    view.sent_bps = 117000;
    view.burst = 3;
    view.lost = 15;
    expect(tell(view), VOX_CONGESTION_NOTHING); /* may be chance */
    view.lost = 40;
    expect(tell_lasting(view), VOX_CONGESTION_RATE);
    view.known = 60;
    view.lost = 8;
    expect(tell(view), VOX_CONGESTION_NOTHING);
    view.known = 200;
    view.lost = 50;
    expect(tell(view), VOX_CONGESTION_RANDOM);
}

static void where_there_is_nothing_to_lower_nothing_is_tried(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        expect(tell_loss(100, 50, LEAST), VOX_CONGESTION_NOTHING);
    assert_int_equal(c.cap_bps, MOST);
}

/* ---- room ---- */

static void a_cap_that_is_not_used_is_not_raised_for_a_minute(void **state)
{
    (void)state;
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    expect(tell_queue(400, 117000, 80000), VOX_CONGESTION_QUEUE);
    expect(tell_queue(0, 40000, 40000), VOX_CONGESTION_ROOM);
    int waited = until_room(40000, 100);
    assert_in_range(waited, 58, 60);
    for (int i = 0; i < 30; i++)
        tell_loss(100, 0, 40000);
    assert_int_equal(c.cap_bps, MOST);
}

static void a_cap_that_is_used_is_raised_step_by_step(void **state)
{
    (void)state;
    expect(tell(calm()), VOX_CONGESTION_NOTHING);
    expect(tell_queue(400, 117000, 60000), VOX_CONGESTION_QUEUE);
    expect(tell_queue(0, 40000, 40000), VOX_CONGESTION_ROOM);
    int before_bps = c.cap_bps;
    for (int i = 0; i < 40 && c.cap_bps < MOST; i++) {
        tell_loss(100, 0, c.cap_bps);
        assert_true(c.cap_bps <= before_bps * 1.16);
        before_bps = c.cap_bps;
    }
    assert_int_equal(c.cap_bps, MOST);
}

static void holds_double_and_have_an_end(void **state)
{
    int last = 0;
    (void)state;
    for (int k = 0; k < 8; k++) {
        expect(tell(calm()), VOX_CONGESTION_NOTHING);
        expect(tell_queue(400, c.cap_bps, 60000), VOX_CONGESTION_QUEUE);
        expect(tell_queue(0, 50000, 50000), VOX_CONGESTION_ROOM);
        int waited = until_room(50000, 200);
        assert_true(waited >= 13 && waited <= 120);
        assert_true(waited >= last - 1);
        last = waited;
    }
    assert_true(last > 100);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(a_calm_network_gets_all_that_it_may), TEST(one_long_round_is_none_but_a_suspicion),
    TEST(a_queue_is_drained_and_then_less_is_sent),
    TEST(a_long_round_is_enough_unless_losses_come_in_bursts),
    TEST(a_queue_that_stays_lowers_again), TEST(jitter_is_no_queue),
    TEST(without_round_trips_nothing_is_a_queue),
    TEST(a_longer_way_is_a_queue_for_a_minute_at_most), TEST(little_loss_is_nobodys_fault),
    TEST(random_loss_is_tried_once_and_then_trusted), TEST(a_raise_in_vain_is_tried_at_once),
    TEST(a_verdict_holds_longer_each_time), TEST(loss_that_goes_with_the_rate_keeps_it_low),
    TEST(a_policer_behind_random_loss), TEST(bursts_are_judged_by_more_packets),
    TEST(where_there_is_nothing_to_lower_nothing_is_tried),
    TEST(a_cap_that_is_not_used_is_not_raised_for_a_minute),
    TEST(a_cap_that_is_used_is_raised_step_by_step), TEST(holds_double_and_have_an_end))
