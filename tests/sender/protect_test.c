#include "sender/protect.h"

#include "support/test.h"

enum { TICKS = 960, PACKETS = 100, BYTES = 40 };

static struct vox_protect protect;
static uint8_t out[1500];

static void begin(const int distances[VOX_RED_MAX_COPIES])
{
    vox_protect_init(&protect,
                     &(struct vox_protect_config){.payload_type = 96, .frame_ticks = TICKS});
    vox_protect_set(&protect, distances);
}

/* Packet `number` has its number in each of its bytes. Returns the RED payload's bytes. */
static int send(int number, int64_t position, size_t bytes, size_t capacity, struct vox_red *red)
{
    uint8_t payload[1400];
    memset(payload, number, sizeof payload);
    struct vox_protect_frame frame = {
        .position_ticks = position, .payload = payload, .payload_bytes = bytes};
    int n = vox_protect_wrap(&protect, &frame, out, capacity);
    vox_protect_keep(&protect, &frame);
    *red = (struct vox_red){.copy_count = 0};
    if (n > 0)
        assert_int_equal(vox_red_parse(out, (size_t)n, red), 0);
    return n;
}

static void expect_copy(const struct vox_red_copy *copy, int number, int distance)
{
    assert_int_equal(copy->offset_rtp_ts, distance * TICKS);
    assert_int_equal(copy->block.data[0], number - distance);
    assert_int_equal(copy->block.data_bytes, BYTES);
    assert_int_equal(copy->block.payload_type, 96);
}

static void copies_are_of_the_packets_named(void **state)
{
    (void)state;
    struct vox_red red;
    begin((const int[VOX_RED_MAX_COPIES]){1, 3, 17});
    assert_int_equal(send(0, 0, BYTES, sizeof out, &red), 0);
    for (int i = 1; i < PACKETS; i++) {
        send(i, (int64_t)i * TICKS, BYTES, sizeof out, &red);
        assert_int_equal(red.copy_count, i < 3 ? 1 : i < 17 ? 2 : 3);
        assert_int_equal(protect.carried + protect.absent, 3 * (i + 1));
        expect_copy(&red.copies[red.copy_count - 1], i, 1); /* oldest first */
        if (i >= 17)
            expect_copy(&red.copies[0], i, 17);
    }
}

static void what_is_copied_changes_from_the_next_packet_on(void **state)
{
    (void)state;
    struct vox_red red;
    begin((const int[VOX_RED_MAX_COPIES]){0});
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(send(i, (int64_t)i * TICKS, BYTES, sizeof out, &red), 0);
    vox_protect_set(&protect, (const int[VOX_RED_MAX_COPIES]){17});
    assert_true(send(PACKETS, (int64_t)PACKETS * TICKS, BYTES, sizeof out, &red) > 0);
    assert_int_equal(red.copies[0].block.data[0], PACKETS - 17);
    vox_protect_set(&protect, (const int[VOX_RED_MAX_COPIES]){0});
    assert_int_equal(send(PACKETS + 1, (PACKETS + 1) * TICKS, BYTES, sizeof out, &red), 0);
}

/* Numbers and times disagree across a pause: such a copy would be taken for another packet's. */
static void nothing_is_copied_across_a_gap(void **state)
{
    (void)state;
    struct vox_red red;
    begin((const int[VOX_RED_MAX_COPIES]){1, 2});
    send(0, 0, BYTES, sizeof out, &red);
    send(1, TICKS, BYTES, sizeof out, &red);
    assert_int_equal(send(2, 5 * TICKS, BYTES, sizeof out, &red), 0);
    send(3, 6 * TICKS, BYTES, sizeof out, &red);
    assert_int_equal(red.copy_count, 1);
    expect_copy(&red.copies[0], 3, 1);
    assert_int_equal(protect.carried, 2);
    assert_int_equal(protect.absent, 2 + 1 + 2 + 1);
}

static void the_farthest_give_way_where_there_is_no_room(void **state)
{
    (void)state;
    struct vox_red red;
    begin((const int[VOX_RED_MAX_COPIES]){1, 2});
    for (int i = 0; i < 3; i++)
        send(i, (int64_t)i * TICKS, BYTES, sizeof out, &red);
    send(3, 3 * TICKS, BYTES, 2 * BYTES + 3 * VOX_RED_COPY_HEADER_BYTES, &red);
    assert_int_equal(red.copy_count, 1);
    expect_copy(&red.copies[0], 3, 1);
    assert_int_equal(protect.too_long, 1);
}

static void what_red_cannot_say_is_not_copied(void **state)
{
    (void)state;
    struct vox_red red;
    begin((const int[VOX_RED_MAX_COPIES]){1});
    send(0, 0, VOX_RED_MAX_COPY_BYTES + 1, sizeof out, &red);
    assert_int_equal(send(1, TICKS, BYTES, sizeof out, &red), 0);
    assert_int_equal(protect.too_long, 1);
    assert_int_equal(protect.carried, 0);
}

static void lists_of_distances(void **state)
{
    (void)state;
    static const struct {
        int distances[VOX_RED_MAX_COPIES];
        int ticks;
        bool can;
    } rows[] = {
        {{0}, 960, true},
        {{1}, 960, true},
        {{1, 3, 5, 7}, 960, true},
        {{17}, 960, true},
        {{18}, 960, false},
        {{64}, 240, true},
        {{65}, 120, false},
        {{2, 1}, 960, false},
        {{1, 1}, 960, false},
        {{-1}, 960, false},
        {{0, 1}, 960, false},
        {{1, 0, 2}, 960, false},
        {{1, 2, 3, 6}, 2880, false},
        {{1, 2, 3, 5}, 2880, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (vox_protect_can(rows[i].distances, rows[i].ticks) != rows[i].can)
            fail_msg("row %zu is not judged well", i);
}

RUN(cmocka_unit_test(copies_are_of_the_packets_named),
    cmocka_unit_test(what_is_copied_changes_from_the_next_packet_on),
    cmocka_unit_test(nothing_is_copied_across_a_gap),
    cmocka_unit_test(the_farthest_give_way_where_there_is_no_room),
    cmocka_unit_test(what_red_cannot_say_is_not_copied), cmocka_unit_test(lists_of_distances))
