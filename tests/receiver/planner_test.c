#include "receiver/planner.h"

#include "base/rng.h"
#include "base/rt.h"
#include "base/time.h"
#include "support/test.h"

#include <math.h>

enum { TICKS = 960 };

#define START_NS (1000 * VOX_NS_PER_S)

static struct vox_planner planner;
static struct vox_rng rng;
static int64_t next; /* packet */

static void begin(double price_ms, bool stretch)
{
    vox_planner_init(&planner, &(struct vox_planner_config){
                                   .price_ms = price_ms, .stretch = stretch, .resample = 0.002});
    vox_rng_init(&rng, 21, 0);
    next = 0;
}

static int setup(void **state)
{
    (void)state;
    begin(VOX_PREFER_BALANCED_MS, true);
    return 0;
}

static void meet(enum vox_planner_kind kind, int64_t index, int ticks, double late_ms)
{
    int64_t ts = index * ticks;
    vox_rt_enter();
    vox_planner_packet(&planner, kind, ts, ticks,
                       START_NS + vox_rtp_to_ns(ts) + vox_ms_to_ns(late_ms));
    vox_rt_leave();
}

/* The next packet, later_ms after the fastest. */
static void packet(double later_ms)
{
    meet(VOX_PLANNER_NEXT, next++, TICKS, later_ms);
}

static void quiet(int count)
{
    for (int i = 0; i < count; i++)
        packet(0);
}

static void jittery(int count, double most_ms)
{
    for (int i = 0; i < count; i++)
        packet(most_ms * vox_rng_uniform(&rng));
}

/* After how much time at a standstill those that were sent meanwhile come all at once. */
static void stall(double ms)
{
    for (; ms > 0; ms -= 20)
        packet(ms);
}

/* Over the fastest packet ever. */
static double target_ms(void)
{
    return vox_ns_to_ms(vox_planner_target_ns(&planner) - START_NS);
}

static void expect_target(double low_ms, double high_ms)
{
    if (target_ms() < low_ms || target_ms() > high_ms)
        fail_msg("the target is %.1f ms, not %.1f..%.1f", target_ms(), low_ms, high_ms);
}

static void falls_to_nothing_on_a_quiet_path(void **state)
{
    (void)state;
    packet(0);
    expect_target(10, 30);
    quiet(30 * 50);
    expect_target(0, 2);
}

static void all_frame_sizes_are_alike(void **state)
{
    (void)state;
    static const int sizes[] = {120, 240, 480, 960, 1920, 2880};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        begin(VOX_PREFER_BALANCED_MS, true);
        int count = 60 * VOX_RTP_HZ / sizes[i];
        for (int k = 0; k < count; k++)
            meet(VOX_PLANNER_NEXT, k, sizes[i], 20 * vox_rng_uniform(&rng));
        expect_target(12, 32);
    }
}

/* Uniform jitter: waiting costs less than what would come too late. */
static void covers_jitter(void **state)
{
    (void)state;
    jittery(60 * 50, 60);
    expect_target(50, 85);
}

static void one_outage_is_forgotten(void **state)
{
    (void)state;
    quiet(60 * 50);
    stall(600);
    quiet(10 * 50);
    expect_target(0, 6);
}

static void stalls_that_return_are_believed(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        quiet(50);
        stall(100);
    }
    expect_target(25, 130);
}

static void follows_a_route_step(void **state)
{
    (void)state;
    jittery(30 * 50, 5);
    double before = target_ms();
    for (int i = 0; i < 15; i++)
        packet(80 + 5 * vox_rng_uniform(&rng));
    assert_true(target_ms() > before + 50); /* at once */
    for (int i = 0; i < 8 * 50; i++)
        packet(80 + 5 * vox_rng_uniform(&rng));
    expect_target(before + 75, before + 88); /* and no further, some seconds later */
    for (int i = 0; i < 25; i++)
        packet(5 * vox_rng_uniform(&rng));
    expect_target(0, before + 20);
}

static void the_knob_trades_delay_for_glitches(void **state)
{
    (void)state;
    static const double prices_ms[] = {VOX_PREFER_LATENCY_MS, VOX_PREFER_BALANCED_MS,
                                       VOX_PREFER_SMOOTH_MS};
    double last = 0;
    for (size_t i = 0; i < COUNT(prices_ms); i++) {
        begin(prices_ms[i], true);
        for (int k = 0; k < 120 * 50; k++) /* long tails */
            packet(fmin(300, -12 * log(1 - vox_rng_uniform(&rng))));
        assert_true(target_ms() > last + 5);
        last = target_ms();
    }
}

/* ---- decisions ---- */

static struct vox_planner_order decide(double overdue_ms, double ready_ms, double error_ms)
{
    int64_t missing_ts = next * TICKS;
    int64_t target_ns = vox_planner_target_ns(&planner);
    int64_t base_ns = START_NS;
    return vox_planner_decide(
        &planner, &(struct vox_planner_view){
                      .known_ns = base_ns + vox_rtp_to_ns(missing_ts) + vox_ms_to_ns(overdue_ms),
                      .target_ns = target_ns,
                      .offset_ns = target_ns + vox_ms_to_ns(error_ms),
                      .ready_ns = vox_ms_to_ns(ready_ms),
                      .missing_ts = missing_ts,
                  });
}

static void slows_down_before_it_runs_dry(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        quiet(50);
        stall(100);
    }
    quiet(50);
    assert_int_equal(decide(2, 20, 0).action, VOX_PLANNER_KEEP); /* no more than the pulls' grid */
    struct vox_planner_order order = decide(15, 20, 0);
    assert_int_equal(order.action, VOX_PLANNER_LENGTHEN);
    assert_true(order.is_stall && order.amount_ns > 0);
    assert_int_equal(decide(15, 200, 0).action, VOX_PLANNER_KEEP); /* there is time */
}

static void what_is_usual_is_no_alarm(void **state)
{
    (void)state;
    jittery(60 * 50, 30);
    assert_int_equal(decide(15, 40, 0).action, VOX_PLANNER_KEEP);
}

static void works_off_what_is_off(void **state)
{
    (void)state;
    quiet(60 * 50);
    assert_int_equal(decide(-20, 100, 3).action, VOX_PLANNER_KEEP);
    struct vox_planner_order order = decide(-20, 100, 30);
    assert_int_equal(order.action, VOX_PLANNER_SHORTEN);
    assert_int_equal(order.amount_ns, 30 * VOX_NS_PER_MS);
    assert_true(decide(-20, 100, 80).rate > order.rate);
    assert_int_equal(decide(-20, 100, -20).action, VOX_PLANNER_LENGTHEN);
}

static void music_keeps_its_tempo(void **state)
{
    (void)state;
    begin(VOX_PREFER_BALANCED_MS, false);
    for (int i = 0; i < 60; i++) {
        quiet(50);
        stall(100);
    }
    assert_int_equal(decide(50, 10, 0).action, VOX_PLANNER_KEEP);
    assert_int_equal(decide(-20, 100, 80).action, VOX_PLANNER_KEEP);
    assert_int_equal(vox_planner_leave_out(&planner, 60 * VOX_NS_PER_MS, 60 * VOX_NS_PER_MS), 0);
}

static void a_hole_keeps_room_for_its_fades(void **state)
{
    (void)state;
    int64_t hole_ns = 40 * VOX_NS_PER_MS;
    assert_int_equal(vox_planner_leave_out(&planner, hole_ns, -1), 0);
    assert_int_equal(vox_planner_leave_out(&planner, hole_ns, 7 * VOX_NS_PER_MS),
                     7 * VOX_NS_PER_MS);
    int64_t most_ns = vox_planner_leave_out(&planner, hole_ns, VOX_NS_PER_S);
    assert_in_range(hole_ns - most_ns, 10 * VOX_NS_PER_MS, 15 * VOX_NS_PER_MS);
    assert_int_equal(vox_planner_leave_out(&planner, 5 * VOX_NS_PER_MS, VOX_NS_PER_S), 0);
}

/* Where packets are lost and never late, what is overdue is lost: to slow down would only be heard.
 * Not for longer than they are lost for, though. */
static void a_lost_packet_is_no_stall(void **state)
{
    (void)state;
    for (int i = 0; i < 10 * 50; i++)
        if (i % 20 == 7)
            next++;
        else
            packet(0);
    assert_int_equal(decide(15, 20, 0).action, VOX_PLANNER_KEEP);
    assert_int_equal(decide(35, 20, 0).action, VOX_PLANNER_LENGTHEN);
}

/* ---- repairs, pauses, what peers may do ---- */

/* Each fifth packet is lost, and what it held comes 20 ms later: to wait for that pays. */
static void waits_for_a_repair_that_comes(void **state)
{
    (void)state;
    for (int i = 0; i < 60 * 50; i++) {
        if (i % 5 == 3) {
            next++;
            continue;
        }
        packet(0);
        if (i % 5 == 4) /* with the frame in front of it */
            meet(VOX_PLANNER_REPAIRED, next - 2, TICKS, 20);
    }
    expect_target(19, 35);
    setup(state);
    for (int i = 0; i < 60 * 50; i++)
        if (i % 5 == 3)
            next++;
        else
            packet(0);
    expect_target(0, 5); /* nothing comes, nothing is waited for */
}

static void a_pause_of_the_sender_is_no_loss(void **state)
{
    (void)state;
    quiet(60 * 50);
    next += 100;
    meet(VOX_PLANNER_AFTER_PAUSE, next++, TICKS, 0);
    expect_target(0, 2);
    assert_true(planner.holed[0] == 0.0F);
}

/* Packets are seen 7 ms sooner by another rule: the target follows, and nothing is learned. */
static void a_shift_is_no_news(void **state)
{
    (void)state;
    for (int i = 0; i < 60 * 50; i++)
        packet(7);
    double before = target_ms();
    vox_planner_shift(&planner, vox_ms_to_ns(-7));
    expect_target(before - 7.01, before - 6.99);
    quiet(50);
    expect_target(before - 9, before - 5);
}

static void the_curve_shows_what_others_cost(void **state)
{
    (void)state;
    struct vox_choice curve[VOX_CURVE_CHOICES];
    assert_int_equal(vox_planner_curve(&planner, curve), 0);
    for (int k = 0; k < 120 * 50; k++)
        packet(fmin(300, -12 * log(1 - vox_rng_uniform(&rng))));
    int n = vox_planner_curve(&planner, curve), chosen = 0;
    assert_in_range(n, 3, VOX_CURVE_CHOICES);
    for (int i = 0; i < n; i++) {
        chosen += curve[i].chosen;
        assert_true(curve[i].late_pct >= 0 && curve[i].late_pct <= 100);
        if (i > 0 && !curve[i].chosen && !curve[i - 1].chosen)
            assert_true(curve[i].delay_ms > curve[i - 1].delay_ms &&
                        curve[i].late_pct < curve[i - 1].late_pct);
    }
    assert_int_equal(chosen, 1);
}

static void nothing_breaks_beyond_the_range(void **state)
{
    (void)state;
    quiet(10);
    packet(1e6);
    packet(-1e6);
    meet(VOX_PLANNER_NEXT, INT64_C(1) << 30, TICKS, 0);
    meet(VOX_PLANNER_NEXT, 0, TICKS, 0);
    meet(VOX_PLANNER_OVERTAKEN, 1, 5760, 1e7);
    quiet(200);
    assert_true(isfinite(target_ms()));
    struct vox_planner_order order = decide(1e9, -1e9, 1e9);
    assert_true(order.rate >= 0 && order.rate <= 1);
}

/* The same arrivals make the same decisions, on whatever clock. */
static void the_hosts_clock_decides_nothing(void **state)
{
    (void)state;
    double sums[2] = {0};
    for (int run = 0; run < 2; run++) {
        int64_t zero_ns = run == 0 ? 5 : 400 * 86400 * VOX_NS_PER_S;
        setup(state);
        for (int64_t i = 0; i < 3000; i++) {
            int64_t late_ns = vox_ms_to_ns(30 * vox_rng_uniform(&rng) + (i % 700 > 650 ? 90 : 0));
            vox_planner_packet(&planner, VOX_PLANNER_NEXT, i * TICKS, TICKS,
                               zero_ns + vox_rtp_to_ns(i * TICKS) + late_ns);
            sums[run] += (double)(vox_planner_target_ns(&planner) - zero_ns);
        }
    }
    assert_true(fabs(sums[0] - sums[1]) < 3000 * 1e3);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(falls_to_nothing_on_a_quiet_path), TEST(all_frame_sizes_are_alike), TEST(covers_jitter),
    TEST(one_outage_is_forgotten), TEST(stalls_that_return_are_believed),
    TEST(follows_a_route_step), TEST(the_knob_trades_delay_for_glitches),
    TEST(slows_down_before_it_runs_dry), TEST(what_is_usual_is_no_alarm),
    TEST(works_off_what_is_off), TEST(music_keeps_its_tempo), TEST(a_hole_keeps_room_for_its_fades),
    TEST(a_lost_packet_is_no_stall), TEST(waits_for_a_repair_that_comes),
    TEST(a_pause_of_the_sender_is_no_loss), TEST(a_shift_is_no_news),
    TEST(the_curve_shows_what_others_cost), TEST(nothing_breaks_beyond_the_range),
    TEST(the_hosts_clock_decides_nothing))
