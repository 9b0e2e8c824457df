#include "sender/history.h"

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "support/test.h"

static struct vox_history *create_ahead(int64_t packet_ms, int64_t span_ms, int64_t ahead_ms)
{
    struct vox_history *history = NULL;
    const struct vox_history_config config = {.packet_ns = packet_ms * VOX_NS_PER_MS,
                                              .span_ns = span_ms * VOX_NS_PER_MS,
                                              .ahead_ns = ahead_ms * VOX_NS_PER_MS};
    assert_int_equal(vox_history_create(&config, &history), 0);
    return history;
}

static struct vox_history *create(int64_t packet_ms, int64_t span_ms)
{
    return create_ahead(packet_ms, span_ms, 0);
}

static void keep(struct vox_history *history, uint16_t seq)
{
    uint8_t payload[2] = {(uint8_t)(seq >> 8), (uint8_t)seq};
    struct vox_rtp rtp = {
        .seq = seq, .timestamp = seq * 960U, .payload = payload, .payload_bytes = 2};
    vox_rt_enter();
    vox_history_keep(history, &rtp, seq);
    vox_rt_leave();
    memset(payload, 0xee, sizeof payload); /* it is a copy that is kept */
}

static void check_there(struct vox_history *history, uint16_t seq)
{
    const struct vox_history_packet *packet = vox_history_find(history, seq);
    assert_non_null(packet);
    assert_int_equal(packet->rtp.seq, seq);
    assert_int_equal(packet->rtp.timestamp, seq * 960U);
    assert_int_equal(packet->rtp.payload_bytes, 2);
    assert_int_equal(packet->rtp.payload[0] << 8 | packet->rtp.payload[1], seq);
    assert_int_equal(packet->repeats, 0);
}

static void what_was_sent_of_late_is_found(void **state)
{
    (void)state;
    struct vox_history *history = create(20, 1000);
    assert_null(vox_history_find(history, 0));
    for (uint32_t i = 0; i < 120; i++) {
        uint16_t seq = (uint16_t)(65500 + i); /* wraps around */
        assert_null(vox_history_find(history, seq));
        keep(history, seq);
        for (uint32_t back = 0; back < 60; back++) {
            uint16_t old = (uint16_t)(seq - back);
            if (back <= i && back < 50)
                check_there(history, old);
            else
                assert_null(vox_history_find(history, old));
        }
    }
    vox_history_destroy(history);
}

static void its_room_is_bounded_either_way(void **state)
{
    (void)state;
    struct vox_history *large = create(1, 10000);
    struct vox_history *small = create(60, 60);
    for (uint16_t seq = 0; seq < 1000; seq++) {
        keep(large, seq);
        keep(small, seq);
    }
    check_there(large, 1000 - VOX_HISTORY_MAX_PACKETS);
    assert_null(vox_history_find(large, 999 - VOX_HISTORY_MAX_PACKETS));
    check_there(small, 1000 - VOX_HISTORY_MIN_PACKETS);
    assert_null(vox_history_find(small, 999 - VOX_HISTORY_MIN_PACKETS));
    vox_history_destroy(large);
    vox_history_destroy(small);
}

static void what_waits_has_room_of_its_own(void **state)
{
    static const struct {
        int64_t span_ms, ahead_ms;
        int kept;
    } rows[] = {
        {100, 50, 150},
        {1, 50, VOX_HISTORY_MIN_PACKETS + 50},
        {10000, 50, VOX_HISTORY_MAX_PACKETS + 50},
        {100, 100000, 100 + VOX_HISTORY_MAX_AHEAD},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_history *history = create_ahead(1, rows[i].span_ms, rows[i].ahead_ms);
        for (uint16_t seq = 0; seq < 2000; seq++)
            keep(history, seq);
        check_there(history, (uint16_t)(2000 - rows[i].kept));
        assert_null(vox_history_find(history, (uint16_t)(1999 - rows[i].kept)));
        vox_history_destroy(history);
    }
}

static void one_that_is_too_large_is_not_kept(void **state)
{
    (void)state;
    static uint8_t payload[VOX_ENCODER_MAX_BYTES + 1];
    struct vox_history *history = create(20, 1000);
    struct vox_rtp rtp = {.seq = 8, .payload = payload, .payload_bytes = sizeof payload};
    keep(history, 7);
    vox_history_keep(history, &rtp, 8);
    keep(history, 9);
    check_there(history, 7);
    assert_null(vox_history_find(history, 8));
    check_there(history, 9);
    vox_history_destroy(history);
}

static void times_must_be_positive(void **state)
{
    (void)state;
    struct vox_history *history = NULL;
    assert_int_equal(vox_history_create(&(struct vox_history_config){.span_ns = 1}, &history),
                     VOX_EINVAL);
    assert_int_equal(vox_history_create(&(struct vox_history_config){.packet_ns = 1}, &history),
                     VOX_EINVAL);
    assert_int_equal(
        vox_history_create(
            &(struct vox_history_config){.packet_ns = 1, .span_ns = 1, .ahead_ns = -1}, &history),
        VOX_EINVAL);
    assert_null(history);
    vox_history_destroy(history);
}

RUN(cmocka_unit_test(what_was_sent_of_late_is_found),
    cmocka_unit_test(its_room_is_bounded_either_way),
    cmocka_unit_test(what_waits_has_room_of_its_own),
    cmocka_unit_test(one_that_is_too_large_is_not_kept), cmocka_unit_test(times_must_be_positive))
