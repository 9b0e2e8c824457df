#include "lab/tcp_window.h"

#include "base/time.h"
#include "support/test.h"

#define RTT_NS (100 * VOX_NS_PER_MS)

static struct vox_tcp_window window_of(int size)
{
    struct vox_tcp_window window;
    vox_tcp_window_init(&window);
    window.size = size;
    return window;
}

static void a_window_that_is_not_used_does_not_grow(void **state)
{
    (void)state;
    struct vox_tcp_window window = window_of(VOX_TCP_WINDOW_START);
    window.most_out = 5;
    vox_tcp_window_grow(&window, 5, RTT_NS, RTT_NS);
    assert_int_equal(window.size, VOX_TCP_WINDOW_START);
    window.most_out = 6; /* more than half of it: in slow start it may be needed soon */
    vox_tcp_window_grow(&window, 6, RTT_NS, RTT_NS);
    assert_int_equal(window.size, VOX_TCP_WINDOW_START + 6);
}

static void slow_start_doubles_it(void **state)
{
    (void)state;
    struct vox_tcp_window window = window_of(10);
    window.limited = true;
    vox_tcp_window_grow(&window, 10, RTT_NS, RTT_NS);
    assert_int_equal(window.size, 20);
}

static void a_loss_takes_three_tenths(void **state)
{
    (void)state;
    static const struct {
        int before, after;
    } rows[] = {{100, 70}, {10, 7}, {5, 3}, {3, 2}, {2, 2}, {1, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_tcp_window window = window_of(rows[i].before);
        vox_tcp_window_reduce(&window);
        assert_int_equal(window.size, rows[i].before); /* not yet */
        vox_tcp_window_settle(&window);
        assert_int_equal(window.size, rows[i].after);
    }
}

/* RFC 6937: for 10 segments that were delivered in recovery, 7 leave. */
static void in_recovery_it_shrinks_in_proportion(void **state)
{
    (void)state;
    struct vox_tcp_window window = window_of(100);
    int in_flight = 99, sent = 0;
    vox_tcp_window_reduce(&window);
    for (int delivered = 0; delivered < 90; delivered++) {
        in_flight--;
        vox_tcp_window_delivered(&window, 1, in_flight, false);
        if (in_flight < window.size) {
            in_flight++;
            sent++;
            vox_tcp_window_sent(&window);
        }
    }
    assert_int_equal(sent, 63);
}

static void the_first_repetition_always_leaves(void **state)
{
    (void)state;
    struct vox_tcp_window window = window_of(4);
    vox_tcp_window_reduce(&window);
    vox_tcp_window_delivered(&window, 0, 6, false);
    assert_int_equal(window.size, 7);
    vox_tcp_window_sent(&window);
    vox_tcp_window_delivered(&window, 0, 7, false);
    assert_int_equal(window.size, 7);
}

/* RFC 9438, section 4.3: not slower than Reno would be, half a segment in a round trip. */
static void after_a_loss_it_grows_again(void **state)
{
    (void)state;
    struct vox_tcp_window window = window_of(10);
    vox_tcp_window_reduce(&window);
    vox_tcp_window_settle(&window);
    window.limited = true;
    int64_t now_ns = VOX_NS_PER_S;
    for (int round = 0; round < 10; round++, now_ns += RTT_NS)
        for (int acked = window.size; acked > 0; acked--)
            vox_tcp_window_grow(&window, 1, now_ns, RTT_NS);
    assert_in_range(window.size, 10, 13);
}

static void a_timeout_leaves_one(void **state)
{
    (void)state;
    struct vox_tcp_window window = window_of(10);
    vox_tcp_window_reduce(&window);
    vox_tcp_window_collapse(&window, 2);
    assert_int_equal(window.size, 3);
    vox_tcp_window_undo(&window);
    assert_int_equal(window.size, 10);
    assert_true(window.threshold >= 10);
}

RUN(cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
    cmocka_unit_test(slow_start_doubles_it), cmocka_unit_test(a_loss_takes_three_tenths),
    cmocka_unit_test(in_recovery_it_shrinks_in_proportion),
    cmocka_unit_test(the_first_repetition_always_leaves),
    cmocka_unit_test(after_a_loss_it_grows_again), cmocka_unit_test(a_timeout_leaves_one))
