#include "net/pacer.h"

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/transport.h"
#include "support/test.h"

#include <poll.h>

enum { PATIENCE_MS = 60000 };

/* A pacer whose datagrams come back to us. */
struct fixture {
    struct vox_transport *receiver;
    struct vox_transport *sender;
    struct vox_pacer *pacer;
};

static struct fixture make(size_t capacity)
{
    struct fixture f = {0};
    struct vox_transport_config socket;
    vox_transport_config_init(&socket);
    assert_int_equal(vox_transport_lookup("127.0.0.1:0", 0, &socket, NULL), 0);
    assert_int_equal(vox_transport_open(&socket, &f.receiver, NULL), 0);
    socket.role = VOX_TRANSPORT_CALL;
    socket.address = *vox_transport_local(f.receiver);
    assert_int_equal(vox_transport_open(&socket, &f.sender, NULL), 0);
    struct vox_pacer_config config;
    vox_pacer_config_init(&config);
    config.transport = f.sender;
    config.capacity = capacity;
    struct vox_net_error error;
    if (vox_pacer_create(&config, &f.pacer, &error) < 0)
        fail_msg("%s", error.text);
    return f;
}

static void destroy(struct fixture *f)
{
    vox_pacer_destroy(f->pacer);
    vox_transport_close(f->sender);
    vox_transport_close(f->receiver);
}

static int push(struct fixture *f, uint32_t number, int64_t due_ns)
{
    vox_rt_enter();
    int err = vox_pacer_push(f->pacer, &number, sizeof number, 0, &due_ns, 1);
    vox_rt_leave();
    return err;
}

/* The number in the next datagram, in order of arrival, and when it came. */
static uint32_t next_number(struct fixture *f, int64_t *arrival_ns)
{
    static const struct vox_transport_packet *got;
    static int count, at;
    if (at == count) {
        struct pollfd p = {.fd = vox_transport_fd(f->receiver), .events = POLLIN};
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        count = vox_transport_receive(f->receiver, &got);
        assert_true(count > 0);
        at = 0;
    }
    uint32_t number;
    assert_int_equal(got[at].len, sizeof number);
    memcpy(&number, got[at].bytes, sizeof number);
    *arrival_ns = got[at++].arrival_ns;
    return number;
}

/* What is pushed in another order than that of its times must be there before the first of them. */
enum { PUSHING_MS = 1000 };

static int64_t soon(int64_t ms)
{
    return vox_clock_now_ns() + ms * VOX_NS_PER_MS;
}

static void sends_in_order_of_time(void **state)
{
    (void)state;
    enum { N = 64 };
    struct fixture f = make(N);
    int64_t start_ns = soon(PUSHING_MS), due_ns[N];
    /* 27 and 64 have no common factor: every number once, far out of order. */
    for (uint32_t i = 0; i < N; i++) {
        uint32_t number = i * 27 % N;
        due_ns[number] = start_ns + number * 500 * VOX_NS_PER_US;
        assert_int_equal(push(&f, number, due_ns[number]), 0);
    }
    for (uint32_t i = 0; i < N; i++) {
        int64_t arrival_ns;
        assert_int_equal(next_number(&f, &arrival_ns), i);
        /* Never early; the receiver's conversion between clocks may be off by some us. */
        assert_true(arrival_ns > due_ns[i] - VOX_NS_PER_MS / 5);
    }
    vox_pacer_stop(f.pacer);
    const struct vox_histogram *late = vox_pacer_late(f.pacer);
    assert_true(late->count == N);
    assert_true(late->min_ns >= 0);
    destroy(&f);
}

static void equal_times_keep_the_order_of_pushing(void **state)
{
    (void)state;
    enum { N = 50 };
    struct fixture f = make(N);
    int64_t due_ns = soon(100);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(push(&f, i, due_ns), 0);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(next_number(&f, &(int64_t){0}), i);
    destroy(&f);
}

static void an_earlier_one_wakes_the_thread(void **state)
{
    (void)state;
    struct fixture f = make(8);
    int64_t hour_ns = soon(3600 * 1000), arrival_ns;
    assert_int_equal(push(&f, 1, hour_ns), 0);
    for (uint32_t i = 2; i < 50; i++) {
        assert_int_equal(push(&f, i, vox_clock_now_ns()), 0);
        assert_int_equal(next_number(&f, &arrival_ns), i);
    }
    /* Due in the past, even before there was time: leaves at once. */
    assert_int_equal(push(&f, 50, INT64_MIN / 2), 0);
    assert_int_equal(next_number(&f, &arrival_ns), 50);
    assert_int_equal(vox_pacer_drain(f.pacer, soon(5)), 1);
    destroy(&f);
}

static void refuses_beyond_its_bound(void **state)
{
    (void)state;
    enum { N = 5 };
    struct fixture f = make(N);
    int64_t hour_ns = soon(3600 * 1000);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(push(&f, i, hour_ns), 0);
    assert_int_equal(push(&f, N, hour_ns), VOX_ELIMIT);
    assert_int_equal(push(&f, N, hour_ns), VOX_ELIMIT);
    assert_int_equal(vox_pacer_pending(f.pacer), N);
    struct vox_pacer_stats stats;
    vox_pacer_read_stats(f.pacer, &stats);
    assert_true(stats.overflow == 2 && stats.pushed == N && stats.sent == 0);
    vox_pacer_stop(f.pacer);
    vox_pacer_stop(f.pacer);
    assert_int_equal(push(&f, N, hour_ns), VOX_EEND);
    assert_int_equal(vox_pacer_drain(f.pacer, soon(1000)), N);
    destroy(&f);
}

static void room_comes_back(void **state)
{
    (void)state;
    struct fixture f = make(3);
    enum { N = 3 * 300 };
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(push(&f, i, 0), 0);
        if (i % 3 == 2)
            assert_int_equal(vox_pacer_drain(f.pacer, soon(PATIENCE_MS)), 0);
    }
    struct vox_pacer_stats stats;
    vox_pacer_read_stats(f.pacer, &stats);
    assert_int_equal(stats.overflow, 0);
    assert_int_equal(stats.pushed, N);
    assert_null(stats.failure);
    assert_int_equal(stats.sent, N);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(next_number(&f, &(int64_t){0}), i);
    destroy(&f);
}

static void copies_leave_at_their_own_times(void **state)
{
    (void)state;
    struct fixture f = make(4);
    int64_t base_ns = soon(PUSHING_MS);
    const int64_t first[] = {base_ns + 4 * VOX_NS_PER_MS, base_ns};
    const int64_t second[] = {base_ns + 2 * VOX_NS_PER_MS};
    uint32_t one = 1, two = 2;
    assert_int_equal(vox_pacer_push(f.pacer, &one, sizeof one, 0, first, 2), 0);
    assert_int_equal(vox_pacer_push(f.pacer, &two, sizeof two, 0, second, 1), 0);
    assert_int_equal(vox_pacer_push(f.pacer, &two, sizeof two, 0, NULL, 0), 0);
    const uint32_t expected[] = {1, 2, 1};
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(next_number(&f, &(int64_t){0}), expected[i]);
    assert_int_equal(vox_pacer_drain(f.pacer, soon(PATIENCE_MS)), 0);
    struct vox_pacer_stats stats;
    vox_pacer_read_stats(f.pacer, &stats);
    assert_true(stats.sent == 3 && stats.pushed == 2);
    destroy(&f);
}

static void counts_what_cannot_be_sent(void **state)
{
    (void)state;
    struct fixture f = make(8);
    struct vox_pacer_config config;
    vox_pacer_config_init(&config);
    config.transport = f.sender;
    config.destination_count = 2;
    /* Broadcast from a socket that may not. */
    const struct vox_address_hints hints = {0};
    assert_int_equal(vox_address_lookup("255.255.255.255:9", &hints, &config.destinations[1], NULL),
                     0);
    struct vox_pacer *pacer;
    assert_int_equal(vox_pacer_create(&config, &pacer, NULL), 0);
    int64_t now_ns = vox_clock_now_ns();
    assert_int_equal(vox_pacer_push(pacer, "x", 1, 1, &now_ns, 1), 0);
    assert_int_equal(vox_pacer_push(pacer, "x", 1, 0, &now_ns, 1), 0);
    assert_int_equal(vox_pacer_drain(pacer, soon(PATIENCE_MS)), 0);
    struct vox_pacer_stats stats;
    vox_pacer_read_stats(pacer, &stats);
    assert_true(stats.failed == 1 && stats.sent == 1);
    /* Where there is no network but loopback, there is no way to broadcast on either. */
    assert_non_null(strstr(stats.failure, "cannot send to 255.255.255.255:9"));
    vox_pacer_destroy(pacer);
    destroy(&f);
}

static void refuses_wrong_use(void **state)
{
    (void)state;
    struct fixture f = make(4);
    static const uint8_t bytes[VOX_PACER_DATAGRAM_BYTES + 1];
    const int64_t due_ns[] = {0, 0};
    assert_int_equal(vox_pacer_push(f.pacer, bytes, 0, 0, due_ns, 1), VOX_EINVAL);
    assert_int_equal(vox_pacer_push(f.pacer, bytes, sizeof bytes, 0, due_ns, 1), VOX_EINVAL);
    assert_int_equal(vox_pacer_push(f.pacer, bytes, 1, 1, due_ns, 1), VOX_EINVAL);
    assert_int_equal(vox_pacer_push(f.pacer, bytes, 1, 0, due_ns, 3), VOX_EINVAL);
    assert_int_equal(vox_pacer_push(f.pacer, bytes, 1, 0, due_ns, -1), VOX_EINVAL);
    struct vox_pacer_config config;
    struct vox_pacer *pacer = NULL;
    struct vox_net_error error = {""};
    vox_pacer_config_init(&config);
    config.transport = f.sender;
    config.destination_count = 0;
    assert_int_equal(vox_pacer_create(&config, &pacer, &error), VOX_EINVAL);
    assert_non_null(strstr(error.text, "destinations"));
    config.destination_count = 1;
    config.capacity = 0;
    assert_int_equal(vox_pacer_create(&config, &pacer, &error), VOX_EINVAL);
    assert_null(pacer);
    vox_pacer_destroy(NULL);
    destroy(&f);
}

RUN(cmocka_unit_test(sends_in_order_of_time),
    cmocka_unit_test(equal_times_keep_the_order_of_pushing),
    cmocka_unit_test(an_earlier_one_wakes_the_thread), cmocka_unit_test(refuses_beyond_its_bound),
    cmocka_unit_test(room_comes_back), cmocka_unit_test(copies_leave_at_their_own_times),
    cmocka_unit_test(counts_what_cannot_be_sent), cmocka_unit_test(refuses_wrong_use))
