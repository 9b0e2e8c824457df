#include "channel/route.h"

#include "base/time.h"
#include "support/test.h"

#include <stdbool.h>

enum { PACKETS = 2000 };

#define SPACING_NS (20 * VOX_NS_PER_MS)

static struct vox_route *bad_route(void)
{
    struct vox_impair_config config;
    struct vox_route *route;
    vox_impair_config_init(&config);
    config.loss = 0.2;
    config.burst_packets = 3;
    config.delay_ns = 40 * VOX_NS_PER_MS;
    config.jitter_ns = 30 * VOX_NS_PER_MS;
    config.duplicate = 0.05;
    config.seed = 5;
    assert_int_equal(vox_route_create(&config, &route), 0);
    return route;
}

static void a_perfect_network_changes_nothing(void **state)
{
    (void)state;
    struct vox_route *route;
    struct vox_fate fate;
    assert_int_equal(vox_route_create(NULL, &route), 0);
    for (int i = 0; i < 10; i++) {
        vox_route_datagram(route, i % 2 == 0 ? VOX_ROUTE_MEDIA : VOX_ROUTE_RTCP, i * SPACING_NS,
                           100, &fate);
        assert_int_equal(fate.copies, 1);
        assert_true(fate.deliver_ns[0] == i * SPACING_NS);
    }
    assert_int_equal(vox_route_stats(route).packets, 5);
    vox_route_destroy(route);
}

static void reports_do_not_touch_the_fate_of_the_media(void **state)
{
    (void)state;
    struct vox_route *with = bad_route();
    struct vox_route *without = bad_route();
    struct vox_fate a, b, report;
    for (int i = 0; i < PACKETS; i++) {
        if (i % 7 == 0)
            vox_route_datagram(with, VOX_ROUTE_RTCP, i * SPACING_NS, 80, &report);
        vox_route_datagram(with, VOX_ROUTE_MEDIA, i * SPACING_NS, 100, &a);
        vox_route_datagram(without, VOX_ROUTE_MEDIA, i * SPACING_NS, 100, &b);
        assert_int_equal(a.copies, b.copies);
        for (int k = 0; k < a.copies; k++)
            assert_true(a.deliver_ns[k] == b.deliver_ns[k]);
    }
    assert_int_equal(vox_route_stats(with).packets, PACKETS);
    assert_int_equal(vox_route_stats(with).lost, vox_route_stats(without).lost);
    assert_in_range(vox_route_stats(with).lost, PACKETS / 8, PACKETS / 3);
    vox_route_destroy(with);
    vox_route_destroy(without);
}

static void reports_are_never_lost_and_never_first(void **state)
{
    (void)state;
    struct vox_route *route = bad_route();
    struct vox_fate fate;
    int64_t last_ns = 0;
    for (int i = 0; i < PACKETS; i++) {
        vox_route_datagram(route, VOX_ROUTE_MEDIA, i * SPACING_NS, 100, &fate);
        for (int k = 0; k < fate.copies; k++)
            last_ns = fate.deliver_ns[k] > last_ns ? fate.deliver_ns[k] : last_ns;
        assert_true(vox_route_last_ns(route) >= last_ns);
        vox_route_datagram(route, VOX_ROUTE_RTCP, i * SPACING_NS, 80, &fate);
        assert_in_range(fate.copies, 1, 2);
        assert_true(fate.deliver_ns[0] >= last_ns);
        last_ns = vox_route_last_ns(route);
    }
    vox_route_destroy(route);
}

/* Repeats among the media: they change nothing for it, and most that come in a burst are lost. */
static void what_is_sent_again_meets_the_bursts_and_makes_none(void **state)
{
    (void)state;
    struct vox_impair_config config;
    struct vox_route *with, *without;
    vox_impair_config_init(&config);
    config.loss = 0.2;
    config.burst_packets = 5;
    config.jitter_ns = 3 * VOX_NS_PER_MS;
    assert_int_equal(vox_route_create(&config, &with), 0);
    assert_int_equal(vox_route_create(&config, &without), 0);
    int in_bursts = 0, lost_in_bursts = 0, lost_elsewhere = 0;
    bool was_lost = false;
    for (int i = 0; i < 20000; i++) {
        struct vox_fate fate, same, again;
        int64_t send_ns = i * 20 * VOX_NS_PER_MS;
        vox_route_datagram(with, VOX_ROUTE_MEDIA, send_ns, 100, &fate);
        vox_route_datagram(without, VOX_ROUTE_MEDIA, send_ns, 100, &same);
        assert_memory_equal(&fate, &same, sizeof fate);
        bool is_lost = fate.copies == 0;
        /* Between the one before and this one, which was read ahead of its time. */
        vox_route_datagram(with, VOX_ROUTE_REPEAT, send_ns - 10 * VOX_NS_PER_MS, 100, &again);
        in_bursts += is_lost && was_lost;
        lost_in_bursts += is_lost && was_lost && again.copies == 0;
        lost_elsewhere += !is_lost && !was_lost && again.copies == 0;
        was_lost = is_lost;
    }
    struct vox_impair_stats stats = vox_route_stats(with);
    assert_true(stats.aside == 20000);
    assert_in_range(stats.aside_lost, 20000 * 0.18, 20000 * 0.22);
    assert_true(lost_in_bursts > in_bursts * 0.95);
    assert_true(lost_elsewhere < 20000 * 0.02);
    vox_route_destroy(with);
    vox_route_destroy(without);
}

RUN(cmocka_unit_test(a_perfect_network_changes_nothing),
    cmocka_unit_test(reports_do_not_touch_the_fate_of_the_media),
    cmocka_unit_test(reports_are_never_lost_and_never_first),
    cmocka_unit_test(what_is_sent_again_meets_the_bursts_and_makes_none))
