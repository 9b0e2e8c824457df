#include "lab/link_path.h"

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "channel/impair.h"
#include "support/test.h"

#define MS VOX_NS_PER_MS

static struct vox_link_path *create(const struct vox_impair_config *network, size_t capacity)
{
    struct vox_link_path *path = NULL;
    assert_int_equal(vox_link_path_create(network, capacity, &path), 0);
    return path;
}

static struct vox_impair_config perfect(void)
{
    struct vox_impair_config network;
    vox_impair_config_init(&network);
    return network;
}

/* A packet that is told from others by its number. */
static void push(struct vox_link_path *path, uint32_t number, size_t len, int64_t now_ns)
{
    vox_rt_enter();
    uint8_t *room = vox_link_path_room(path);
    memset(room, (int)(number & 0xff), len);
    memcpy(room, &number, sizeof number);
    vox_link_path_push(path, len, now_ns);
    vox_rt_leave();
}

/* The number of the packet that is due, or -1. */
static int64_t take(struct vox_link_path *path, int64_t now_ns)
{
    struct vox_link_packet packet;
    uint32_t number;
    vox_rt_enter();
    bool there = vox_link_path_take(path, now_ns, &packet);
    if (there)
        vox_link_path_sent(path, &packet, now_ns);
    vox_rt_leave();
    if (!there)
        return -1;
    assert_true(packet.due_ns <= now_ns);
    memcpy(&number, packet.bytes, sizeof number);
    for (size_t i = sizeof number; i < packet.len; i++)
        assert_int_equal(packet.bytes[i], number & 0xff);
    return number;
}

static void a_perfect_network_lets_all_through_in_order(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    struct vox_link_path *path = create(&network, 8);
    assert_true(vox_link_path_next_ns(path) == VOX_NS_NEVER);
    for (uint32_t i = 0; i < 5; i++)
        push(path, i, 100 + i, 7 * MS);
    assert_true(vox_link_path_next_ns(path) == 7 * MS);
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(take(path, 7 * MS), i);
    assert_int_equal(take(path, 100 * MS), -1);
    const struct vox_link_path_stats *stats = vox_link_path_stats(path);
    assert_int_equal(stats->packets, 5);
    assert_int_equal(stats->bytes, 510);
    assert_int_equal(stats->delivered, 5);
    assert_true(stats->late.max_ns == 0);
    vox_link_path_destroy(path);
}

static void nothing_comes_before_its_time(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    network.delay_ns = 20 * MS;
    struct vox_link_path *path = create(&network, 8);
    push(path, 1, 60, 0);
    push(path, 2, 60, 5 * MS);
    assert_true(vox_link_path_next_ns(path) == 20 * MS);
    assert_int_equal(take(path, 20 * MS - 1), -1);
    assert_int_equal(vox_link_path_stats(path)->waiting, 2);
    assert_int_equal(take(path, 20 * MS), 1);
    assert_true(vox_link_path_next_ns(path) == 25 * MS);
    assert_int_equal(take(path, 28 * MS), 2);
    assert_true(vox_link_path_stats(path)->late.max_ns == 3 * MS);
    assert_int_equal(vox_link_path_stats(path)->waiting, 0);
    vox_link_path_destroy(path);
}

/* The model is told payloads of UDP and adds 28 bytes: what counts is the IP packet. */
static void a_limited_link_counts_the_ip_packet(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    network.rate_bps = 8000;
    network.queue_ns = 1500 * MS;
    struct vox_link_path *path = create(&network, 8);
    push(path, 1, 1000, 0);
    push(path, 2, 1000, 0);
    push(path, 3, 1000, 0);
    assert_int_equal(take(path, 1000 * MS), 1);
    assert_int_equal(take(path, 2000 * MS - 1), -1);
    assert_int_equal(take(path, 2000 * MS), 2);
    assert_int_equal(take(path, 4000 * MS), -1);
    assert_int_equal(vox_link_path_stats(path)->queue_dropped, 1);
    vox_link_path_destroy(path);
}

static void a_packet_can_come_twice(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    network.duplicate = 1;
    struct vox_link_path *path = create(&network, 1);
    for (uint32_t i = 0; i < 100; i++) { /* its only room is there again each time */
        int64_t now_ns = i * 100 * MS;
        push(path, i, 60, now_ns);
        assert_int_equal(take(path, now_ns + 50 * MS), i);
        assert_int_equal(take(path, now_ns + 50 * MS), i);
        assert_int_equal(take(path, now_ns + 50 * MS), -1);
    }
    assert_int_equal(vox_link_path_stats(path)->duplicated, 100);
    assert_int_equal(vox_link_path_stats(path)->delivered, 200);
    assert_int_equal(vox_link_path_stats(path)->overflow, 0);
    vox_link_path_destroy(path);
}

static void what_finds_no_room_is_counted(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    network.delay_ns = 10 * MS;
    struct vox_link_path *path = create(&network, 3);
    for (uint32_t i = 0; i < 5; i++)
        push(path, i, 60, 0);
    assert_int_equal(vox_link_path_stats(path)->overflow, 2);
    for (int64_t i = 0; i < 3; i++)
        assert_int_equal(take(path, 10 * MS), i);
    push(path, 9, 60, 20 * MS);
    assert_int_equal(take(path, 30 * MS), 9);
    vox_link_path_destroy(path);
}

/* A packet that was taken is not overwritten by the next one, until the next call. */
static void what_is_taken_stays_until_the_next_call(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    struct vox_link_path *path = create(&network, 1);
    push(path, 1, 60, 0);
    assert_int_equal(take(path, 0), 1);
    push(path, 2, 60, 1);
    assert_int_equal(take(path, 1), 2);
    assert_int_equal(vox_link_path_stats(path)->overflow, 0);
    vox_link_path_destroy(path);
}

static void short_packets_do_no_harm(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    network.rate_bps = 1000;
    struct vox_link_path *path = create(&network, 4);
    struct vox_link_packet packet;
    vox_link_path_room(path)[0] = 1;
    vox_link_path_push(path, 1, 0);
    assert_true(vox_link_path_take(path, VOX_NS_PER_S, &packet));
    assert_int_equal(packet.len, 1);
    vox_link_path_destroy(path);
}

static void every_packet_is_accounted_for(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    network.loss = 0.1;
    network.jitter_ns = network.delay_ns = 30 * MS;
    network.reorder = 0.1;
    network.duplicate = 0.1;
    network.rate_bps = 2000000;
    network.queue_ns = 20 * MS;
    struct vox_link_path *path = create(&network, 60);
    for (uint32_t i = 0; i < 20000; i++) {
        int64_t now_ns = i / 3 * MS; /* 1.5 times the rate */
        push(path, i, 125, now_ns);
        while (take(path, now_ns) >= 0)
            continue;
    }
    while (take(path, 3600 * VOX_NS_PER_S) >= 0)
        continue;
    const struct vox_link_path_stats *s = vox_link_path_stats(path);
    assert_true(s->lost > 1500 && s->queue_dropped > 1500 && s->overflow > 100);
    assert_int_equal(s->waiting, 0);
    /* Some that would have come twice found no room even once. */
    uint64_t through = s->packets - s->lost - s->queue_dropped - s->overflow;
    assert_true(s->delivered >= through && s->delivered <= through + s->duplicated);
    vox_link_path_destroy(path);
}

static void wrong_configurations_are_refused(void **state)
{
    (void)state;
    struct vox_impair_config network = perfect();
    struct vox_link_path *path = NULL;
    assert_int_equal(vox_link_path_create(&network, 0, &path), VOX_EINVAL);
    network.loss = 2;
    assert_int_equal(vox_link_path_create(&network, 4, &path), VOX_EINVAL);
    assert_null(path);
    vox_link_path_destroy(NULL);
}

RUN(cmocka_unit_test(a_perfect_network_lets_all_through_in_order),
    cmocka_unit_test(nothing_comes_before_its_time),
    cmocka_unit_test(a_limited_link_counts_the_ip_packet),
    cmocka_unit_test(a_packet_can_come_twice), cmocka_unit_test(what_finds_no_room_is_counted),
    cmocka_unit_test(what_is_taken_stays_until_the_next_call),
    cmocka_unit_test(short_packets_do_no_harm), cmocka_unit_test(every_packet_is_accounted_for),
    cmocka_unit_test(wrong_configurations_are_refused))
