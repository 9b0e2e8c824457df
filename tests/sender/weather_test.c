#include "sender/weather.h"

#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"

#include <math.h>

enum { FIRST = 65000, BYTES = 120, REPORTER = 7 };

#define PACKET_NS (20 * VOX_NS_PER_MS)

static struct vox_weather weather;
static struct vox_fates fates;
static int64_t sent; /* packets */
static int64_t now_ns;

static int setup(void **state)
{
    (void)state;
    vox_weather_init(&weather);
    vox_fates_init(&fates);
    sent = 0;
    now_ns = 0;
    return 0;
}

static void send(int64_t count)
{
    for (int64_t i = 0; i < count; i++, now_ns += PACKET_NS)
        vox_weather_sent(&weather, FIRST + sent++, BYTES, now_ns);
}

/* "+" came, "-" lost: the last packets up to `last`, counted from 0. */
static bool tell(int64_t last, const char *text)
{
    int64_t begin = last - (int64_t)strlen(text) + 1;
    struct vox_rtcp_xr_loss loss = {.begin_seq = (uint16_t)(FIRST + begin)};
    for (; *text; text++)
        assert_int_equal(vox_rtcp_xr_loss_push(&loss, *text == '+'), 0);
    assert_true(vox_fates_take(&fates, REPORTER, &loss, FIRST + sent - 1, now_ns));
    return vox_weather_told(&weather, &fates, now_ns);
}

/* Sends and tells so often that text, which may have no more than 50 packets a time. */
static void send_and_tell(int times, const char *text)
{
    for (int i = 0; i < times; i++) {
        send((int64_t)strlen(text));
        assert_true(tell(sent - 1, text));
    }
}

static struct vox_odds_loss loss_now(void)
{
    struct vox_odds_loss loss;
    vox_weather_loss(&weather, &fates, &loss);
    return loss;
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    int64_t least_ns, most_ns;
    assert_true(loss_now().share == 0);
    assert_int_equal(vox_weather_delivered_bps(&weather), 0);
    vox_weather_round(&weather, &least_ns, &most_ns);
    assert_true(least_ns < 0);
    assert_true(most_ns == VOX_NS_NEVER);
    assert_false(vox_weather_told(&weather, &fates, 0));
    send(5);
    assert_true(loss_now().share == 0);
}

static void a_report_of_nothing_new_is_none(void **state)
{
    (void)state;
    send(10);
    assert_true(tell(7, "+++++"));
    assert_false(tell(7, "++-++"));
    assert_false(tell(5, "+++"));
    assert_true(tell(8, "+"));
}

static void one_loss_in_many_is_not_much(void **state)
{
    (void)state;
    send_and_tell(20, "+++++++++++++++++++++++++");
    send_and_tell(1, "+++++++++++++++++++++++-+");
    assert_true(loss_now().share < 0.02);
}

static void a_step_is_seen_at_once_and_forgotten_after_eight_seconds(void **state)
{
    (void)state;
    send_and_tell(20, "+++++++++++++++++++++++++");
    send_and_tell(1, "+-+++-+++-++-+++-+++-++-+"); /* 28 % of half a second */
    assert_true(loss_now().share > 0.1);
    send_and_tell(10, "+-+++-+++-++-+++-+++-++-+");
    assert_true(loss_now().share > 0.2);
    assert_true(loss_now().share < 0.35);
    send_and_tell(14, "+++++++++++++++++++++++++");
    assert_true(loss_now().share > 0.02); /* 7 s later */
    send_and_tell(3, "+++++++++++++++++++++++++");
    assert_true(loss_now().share == 0);
    assert_true(loss_now().burst == 1);
}

static void bursts_are_told_from_single_losses(void **state)
{
    (void)state;
    send_and_tell(16, "+-+++-+++-++-+++-+++-++-+");
    double single = loss_now().burst;
    setup(NULL);
    send_and_tell(16, "++++---+++++----++++++--+");
    double bursts = loss_now().burst;
    assert_true(single < 1.6);
    assert_true(bursts > 2.3 && bursts < 3.2);
}

/* All that is known is loss; everything is lost. */
static void shares_are_shares(void **state)
{
    (void)state;
    send_and_tell(30, "-------------------------");
    struct vox_odds_loss loss = loss_now();
    assert_true(loss.share > 0.8 && loss.share <= 1);
    assert_true(loss.burst > 1 && loss.burst < 1e6);
}

static void what_nobody_tells_of_counts_for_nothing(void **state)
{
    (void)state;
    send_and_tell(4, "+++++++++++++++++++++++++");
    send(60);
    assert_true(tell(sent - 1, "+++++"));
    assert_true(loss_now().share == 0);
    /* of a report that was lost; what comes through is not less for it */
    assert_int_equal(vox_weather_delivered_bps(&weather), BYTES * 8 * 50);
}

static void what_came_late_came(void **state)
{
    (void)state;
    send(100);
    assert_true(tell(97, "+--+--+--+--+--+"));
    assert_true(loss_now().share > 0.2);
    send(1);
    assert_true(tell(98, "+++++++++++++++++")); /* it had been overtaken only */
    assert_true(loss_now().share == 0);
}

/* Against plain arithmetic, for 40000 packets: past the ring and past 65536, with pauses. */
static void the_ring_and_the_wire_wrap_and_pauses_do_no_harm(void **state)
{
    struct vox_rng rng;
    (void)state;
    vox_rng_init(&rng, 3, 0);
    for (int k = 0; k < 1600; k++) {
        char text[26] = {0};
        for (int i = 0; i < 25; i++)
            text[i] = vox_rng_uniform(&rng) < 0.1 ? '-' : '+';
        text[24] = '+';
        if (k % 50 == 0)
            now_ns += 30 * VOX_NS_PER_S; /* DTX */
        send(25);
        assert_true(tell(sent - 1, text));
        struct vox_odds_loss loss = loss_now();
        int64_t least_ns, most_ns;
        vox_weather_round(&weather, &least_ns, &most_ns);
        assert_true(loss.share >= 0 && loss.share < 0.5);
        assert_true(loss.burst >= 1 && loss.burst < 3);
        assert_true(vox_weather_delivered_bps(&weather) <= 48000);
        assert_int_equal(most_ns, PACKET_NS);
        assert_int_equal(least_ns, 0);
        if (k > 20 && k % 50 > 20)
            assert_true(loss.share > 0.03);
    }
}

/* After a pause the losses before it are long ago. */
static void time_is_what_counts(void **state)
{
    (void)state;
    send_and_tell(10, "+-+++-+++-++-+++-+++-++-+");
    assert_true(loss_now().share > 0.2);
    now_ns += 10 * VOX_NS_PER_S;
    send_and_tell(1, "+++++++++++++++++++++++++");
    assert_true(loss_now().share == 0);
}

static void what_comes_through_is_measured_by_arrival(void **state)
{
    (void)state;
    send_and_tell(2, "+++++++++++++++++++++++++");
    assert_int_equal(vox_weather_delivered_bps(&weather), 0); /* half a second is no rate */
    send_and_tell(1, "+++++++++++++++++++++++++");
    assert_int_equal(vox_weather_delivered_bps(&weather), BYTES * 8 * 50);
    send_and_tell(4, "+-+-+-+-+-+-+-+-+-+-+-+-+");
    assert_in_range(vox_weather_delivered_bps(&weather), BYTES * 8 * 25, BYTES * 8 * 27);
}

static void a_queue_shows_in_the_round_trip(void **state)
{
    (void)state;
    int64_t least_ns, most_ns;
    send(100);
    tell(97, "++++"); /* sent at 1940 ms; the next one at 1960; told at 2000 */
    vox_weather_round(&weather, &least_ns, &most_ns);
    assert_int_equal(least_ns, 40 * VOX_NS_PER_MS);
    assert_int_equal(most_ns, 60 * VOX_NS_PER_MS);
    send(50);
    tell(120, "+++++++++++++++++++++++");
    vox_weather_round(&weather, &least_ns, &most_ns);
    assert_int_equal(least_ns, (150 - 121) * PACKET_NS);
    assert_int_equal(most_ns, (150 - 120) * PACKET_NS);
}

/* The speaker pauses: the newest packet was told of, and is old. That is no queue. */
static void a_pause_is_no_queue(void **state)
{
    (void)state;
    int64_t least_ns, most_ns;
    send(100);
    now_ns += 800 * VOX_NS_PER_MS;
    tell(99, "++++");
    vox_weather_round(&weather, &least_ns, &most_ns);
    assert_int_equal(least_ns, 0);
    assert_true(most_ns > 800 * VOX_NS_PER_MS);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(nothing_is_known_at_first), TEST(a_report_of_nothing_new_is_none),
    TEST(one_loss_in_many_is_not_much),
    TEST(a_step_is_seen_at_once_and_forgotten_after_eight_seconds),
    TEST(bursts_are_told_from_single_losses), TEST(shares_are_shares),
    TEST(what_nobody_tells_of_counts_for_nothing), TEST(what_came_late_came),
    TEST(the_ring_and_the_wire_wrap_and_pauses_do_no_harm), TEST(time_is_what_counts),
    TEST(what_comes_through_is_measured_by_arrival), TEST(a_queue_shows_in_the_round_trip),
    TEST(a_pause_is_no_queue))
