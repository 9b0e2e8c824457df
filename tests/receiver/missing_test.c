#include "receiver/missing.h"

#include "base/rng.h"
#include "base/rt.h"
#include "base/time.h"
#include "support/test.h"

/* Packets of 20 ms; number i has media time 960 i and needs no time on its way if it is as fast as
 * the fastest. Times of the rows are ms after number 0 could be there. */
enum { TICKS = 960, FIRST = 100, DELAY_MS = 40 };

#define START_NS (50 * VOX_NS_PER_S)

static struct vox_missing missing;
static struct vox_rtt reported;
static int delay_ms;
static int64_t asked[VOX_MISSING_SPAN];

static int64_t at_ns(double ms)
{
    return START_NS + vox_ms_to_ns(ms);
}

static struct vox_missing_view view_at(double ms)
{
    return (struct vox_missing_view){
        .now_ns = at_ns(ms),
        .base_ns = START_NS - vox_rtp_to_ns((int64_t)FIRST * TICKS),
        .play_ns = START_NS - vox_rtp_to_ns((int64_t)FIRST * TICKS) + delay_ms * VOX_NS_PER_MS,
        .reported_rtt = &reported,
    };
}

static void begin(int rtt_ms)
{
    vox_missing_init(&missing);
    vox_rtt_init(&reported);
    delay_ms = DELAY_MS;
    for (int i = 0; i < 20 && rtt_ms >= 0; i++)
        vox_rtt_add(&reported, rtt_ms * VOX_NS_PER_MS, START_NS);
}

static void arrive_with_ts(int number, int64_t ts, double ms)
{
    const struct vox_missing_view view = view_at(ms);
    const struct vox_packet packet = {
        .index = FIRST + number,
        .ts = (int64_t)FIRST * TICKS + ts,
        .arrival_ns = view.now_ns,
        .info = {.duration_ticks = TICKS, .frame_ticks = TICKS},
    };
    vox_rt_enter();
    vox_missing_arrived(&missing, &packet, &view);
    vox_rt_leave();
}

static void arrive(int number, double ms)
{
    arrive_with_ts(number, (int64_t)number * TICKS, ms);
}

/* What is asked for then: how many, and the numbers in `asked`. */
static int ask(double ms)
{
    const struct vox_missing_view view = view_at(ms);
    vox_rt_enter();
    int count = vox_missing_ask(&missing, &view, asked);
    int64_t next_ns = vox_missing_next_ns(&missing, &view);
    vox_rt_leave();
    assert_true(next_ns > view.now_ns); /* or a host would never rest */
    for (int i = 0; i < count; i++)
        asked[i] -= FIRST;
    return count;
}

static double next_ms(void)
{
    const struct vox_missing_view view = view_at(0);
    int64_t next_ns = vox_missing_next_ns(&missing, &view);
    return next_ns == VOX_NS_NEVER ? -1 : vox_ns_to_ms(next_ns - START_NS);
}

static bool answer(int number, double ms)
{
    return vox_missing_answered(&missing, FIRST + number, at_ns(ms));
}

/* Numbers 0 .. count - 1 in their time. */
static void arrive_in_time(int count)
{
    for (int i = 0; i < count; i++) {
        arrive(i, i * 20);
        assert_int_equal(ask(i * 20), 0);
    }
}

static void a_gap_is_asked_for_when_the_packet_behind_it_comes(void **state)
{
    (void)state;
    begin(4);
    delay_ms = 100;
    arrive(0, 0);
    arrive(3, 60); /* not steady yet: nothing was expected */
    assert_int_equal(ask(60), 2);
    assert_true(asked[0] == 1 && asked[1] == 2);
    assert_int_equal(ask(60), 0);
    assert_true(answer(1, 64));
    assert_false(answer(1, 65)); /* nothing is taken twice */
    assert_false(answer(5, 65)); /* nor what was not asked for */
    assert_int_equal(ask(80), 1);
    assert_int_equal(asked[0], 2);
    vox_missing_found(&missing, FIRST + 2); /* a copy */
    assert_int_equal(ask(90), 0);
}

/* 40 ms of delay, 4 ms there and back: what leaves time for a second try, and a fifth. */
static void the_next_packet_is_missed_when_it_is_overdue(void **state)
{
    (void)state;
    begin(4);
    arrive_in_time(10);
    double first_ms = next_ms();
    assert_true(first_ms > 201 && first_ms < 203); /* due at 200 */
    int tries = 0;
    for (double ms = 201; ms < 300; ms++) {
        if (ms == 220)
            arrive(11, 220);
        if (ms == 240)
            arrive(12, 240);
        int n = ask(ms);
        tries += n;
        assert_true(n == 0 || (n == 1 && asked[0] == 10));
        if (ms == 258) /* number 13 is due at 260 */
            break;
    }
    assert_in_range(tries, 5, VOX_MISSING_TRIES);
}

static void what_cannot_be_played_any_more_is_not_asked_for(void **state)
{
    static const struct {
        int rtt_ms, delay_ms, gap;
        int asked, first;
    } rows[] = {
        {4, 40, 1, 1, 1},     {15, 40, 1, 1, 1},
        {40, 40, 1, 0, 0},    {4, 0, 1, 0, 0},
        {4, 40, 50, 2, 49},   {4, 100, 50, 5, 46},
        {50, 100, 50, 3, 48}, {-1, 0, 1, 0, 0},
        {-1, 50, 1, 1, 1},    {4, 5000, 900, VOX_MISSING_SPAN - 1, 900 - VOX_MISSING_SPAN + 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(rows[i].rtt_ms);
        delay_ms = rows[i].delay_ms;
        arrive(0, 0);
        arrive(rows[i].gap + 1, (rows[i].gap + 1) * 20);
        int count = ask((rows[i].gap + 1) * 20);
        assert_int_equal(count, rows[i].asked);
        if (count > 0)
            assert_true(asked[0] == rows[i].first && asked[count - 1] == rows[i].gap);
    }
}

/* However long nothing comes, and in however large a heap all comes then. */
static void an_outage_makes_no_storm(void **state)
{
    (void)state;
    begin(4);
    arrive_in_time(50);
    int requests = 0, names = 0;
    for (double ms = 981; ms < 6000; ms++) {
        int n = ask(ms);
        requests += n > 0;
        names += n;
    }
    assert_true(names <= VOX_MISSING_AHEAD * VOX_MISSING_GUESSES && requests <= names);
    assert_true(requests > 0);
    for (int i = 300; i < 310; i++) {
        arrive(i, 6000);
        names += ask(6000);
    }
    assert_in_range(names, 1, 16);
}

static void a_pause_of_the_sender_is_asked_about_a_few_times_only(void **state)
{
    (void)state;
    begin(4);
    arrive_in_time(10);
    int names = 0;
    for (double ms = 201; ms < 1000; ms++)
        names += ask(ms);
    assert_in_range(names, 1, VOX_MISSING_AHEAD * VOX_MISSING_GUESSES);
    arrive_with_ts(10, 50 * TICKS, 1000); /* number 10 after all, at media time 50 */
    assert_true(missing.guessed_wrong == 1 && missing.patience_ns < 3 * VOX_NS_PER_MS);
    for (int i = 1; i < 40; i++) {
        assert_int_equal(ask(1000 + 20 * i - 1), 0); /* 11 and 12 were never missing */
        arrive_with_ts(10 + i, (50 + i) * TICKS, 1000 + 20 * i);
    }
}

static void after_overtaking_it_waits_as_long_as_that_took(void **state)
{
    (void)state;
    begin(4);
    delay_ms = 100;
    arrive(0, 0);
    arrive(2, 40);
    ask(40);
    arrive(1, 46);
    arrive(4, 80);
    assert_int_equal(ask(80), 0);
    assert_true(next_ms() > 85 && next_ms() < 87);
    arrive(3, 84); /* was only overtaken */
    assert_int_equal(ask(90), 0);
    arrive(6, 120);
    assert_int_equal(ask(121), 0);
    assert_int_equal(ask(127), 1);
}

static void jitter_is_no_loss(void **state)
{
    (void)state;
    struct vox_rng rng;
    int vain = 0, due = 0;
    begin(4);
    vox_rng_init(&rng, 3, 0);
    double last_ms = 0;
    for (int i = 0; i < 2000; i++) {
        double arrival_ms = i * 20 + 15 * vox_rng_uniform(&rng);
        for (double ms = last_ms + 0.5; ms < arrival_ms; ms += 0.5)
            vain += ask(ms);
        arrive(i, arrival_ms);
        due += ask(arrival_ms);
        last_ms = arrival_ms;
    }
    assert_true(vain < 20);
    assert_int_equal(due, 0);
}

static void the_round_trip_is_measured_from_the_answers(void **state)
{
    (void)state;
    begin(-1);
    delay_ms = 1000;
    arrive(0, 0);
    for (int i = 1; i < 40; i++) {
        double ms = 100 * i;
        arrive_with_ts(2 * i, 2 * i * 2400, ms);
        assert_int_equal(ask(ms), 1);
        if (i % 2) { /* the others are lost once: of no use (Karn) */
            assert_true(answer(2 * i - 1, ms + 8));
            continue;
        }
        assert_int_equal(ask(ms + 60), 1);
        assert_true(answer(2 * i - 1, ms + 61));
    }
    assert_true(missing.rtt.smoothed_ns == 8 * VOX_NS_PER_MS);
    assert_true(missing.asked == 39 && missing.retried == 19);
}

static void where_nobody_answers_it_is_tried_once_a_second(void **state)
{
    (void)state;
    begin(4);
    int early = 0, late = 0;
    arrive(0, 0);
    for (int i = 1; i < 1000; i++) { /* every other one is lost */
        arrive(2 * i, 40 * i);
        for (double ms = 40 * i; ms < 40 * i + 40; ms += 2)
            *(i < 100 ? &early : &late) += ask(ms);
    }
    assert_true(early > 32 && early < 400);
    assert_in_range(late, 30, 40 * 2);
    arrive(2101, 42020); /* the probe of that second */
    assert_int_equal(ask(42020), 1);
    assert_true(answer((int)asked[0], 42024));
    assert_int_equal(missing.unanswered, 0);
}

/* Hostile numbers and times: bounded, and no more is wanted than is known of. */
static void any_numbers_are_survived(void **state)
{
    (void)state;
    struct vox_rng rng;
    begin(4);
    vox_rng_init(&rng, 11, 0);
    int number = 0;
    double ms = 0;
    for (int i = 0; i < 20000; i++) {
        number += (int)(vox_rng_u64(&rng) % 400) - 150;
        ms += 10 * vox_rng_uniform(&rng);
        arrive_with_ts(number, (int64_t)(vox_rng_u64(&rng) % 4000000), ms);
        assert_in_range(ask(ms), 0, VOX_MISSING_SPAN);
        assert_in_range(missing.wanted, 0, VOX_MISSING_SPAN);
        if (i % 3 == 0)
            answer(number - (int)(vox_rng_u64(&rng) % 300), ms);
        if (i % 5 == 0)
            vox_missing_found(&missing, number - (int)(vox_rng_u64(&rng) % 300));
    }
}

RUN(cmocka_unit_test(a_gap_is_asked_for_when_the_packet_behind_it_comes),
    cmocka_unit_test(the_next_packet_is_missed_when_it_is_overdue),
    cmocka_unit_test(what_cannot_be_played_any_more_is_not_asked_for),
    cmocka_unit_test(an_outage_makes_no_storm),
    cmocka_unit_test(a_pause_of_the_sender_is_asked_about_a_few_times_only),
    cmocka_unit_test(after_overtaking_it_waits_as_long_as_that_took),
    cmocka_unit_test(jitter_is_no_loss),
    cmocka_unit_test(the_round_trip_is_measured_from_the_answers),
    cmocka_unit_test(where_nobody_answers_it_is_tried_once_a_second),
    cmocka_unit_test(any_numbers_are_survived))
