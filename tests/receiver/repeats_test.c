/* Whose is a retransmission, and what is done with it: through the whole receiver. */
#include "stream.h"

#include "base/bytes.h"
#include "base/rng.h"
#include "wire/nack.h"
#include "wire/rtcp.h"
#include "wire/rtx.h"

enum { RTX_SSRC = 77, RTX_TYPE = 98, LOST = 30 };

static struct stream s;
static struct player player;

static int record(void **state)
{
    (void)state;
    stream_voice(VOX_PROFILE_VOICE, 960, 2000, &s);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    stream_free(&s);
    return 0;
}

static void begin(bool rtx, int described_type)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.rtx = rtx;
    config.rtx_payload_type = described_type;
    player_init(&player, &config, 0);
}

static enum vox_push_result push(size_t i)
{
    return player_push(&player, &s.packets[i], s.packets[i].send_ns);
}

static void push_until(size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (i != LOST)
            push(i);
}

static enum vox_push_result push_repeat(size_t i, uint32_t ssrc, uint32_t path)
{
    uint8_t bytes[VOX_RTP_MAX_BYTES];
    struct vox_rtp rtp = packet_rtp(&s.packets[i]);
    int len = vox_rtx_write(&rtp, RTX_TYPE, ssrc, 500, bytes, sizeof bytes);
    assert_true(len > 0);
    return player_push_bytes(&player, bytes, (size_t)len, player.now_ns, path);
}

/* The sequence numbers of the latest request. */
static int requested(uint16_t seqs[16])
{
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    struct vox_nack nack;
    int count = 0, place = 0;
    assert_true(vox_rtcp_begin(&reader, player.rtcp.bytes, player.rtcp.len) >= 0);
    static const int order[] = {VOX_RTCP_RR, VOX_RTCP_SDES, VOX_RTCP_RTPFB}; /* RFC 4585, 3.1 */
    while (vox_rtcp_next(&reader, &packet) > 0) {
        if (place < 3 && packet.type != order[place])
            return 0;
        place++;
        if (vox_nack_parse(&packet, &nack) < 0)
            continue;
        assert_int_equal(nack.media_ssrc, STREAM_SSRC);
        while (count < 16 && vox_nack_next(&nack, &seqs[count]))
            count++;
    }
    return count;
}

static void it_asks_for_what_is_missing_and_plays_the_answer(void **state)
{
    (void)state;
    uint16_t seqs[16];
    begin(true, 0);
    push_until(LOST);
    size_t reports = player.rtcp_count;
    player_run(&player, s.packets[LOST].send_ns + 5 * VOX_NS_PER_MS);
    assert_int_equal(player.rtcp_count, reports + 1); /* overdue; nothing behind it came yet */
    assert_int_equal(player.rtcp_path, STREAM_PATH);
    assert_int_equal(requested(seqs), 1);
    assert_int_equal(seqs[0], STREAM_FIRST_SEQ + LOST);
    assert_int_equal(push_repeat(LOST, RTX_SSRC, STREAM_PATH), VOX_PUSH_REPEAT);
    assert_int_equal(push_repeat(LOST, RTX_SSRC, STREAM_PATH), VOX_PUSH_DUPLICATE);
    for (size_t i = LOST + 1; i < s.count; i++)
        push(i);
    player_run(&player, s.end_ns + VOX_NS_PER_S / 10);
    const struct vox_source_stats *got = player_source(&player);
    assert_int_equal(player_stats(&player)->source_count, 1);
    assert_int_equal(got->frames.from_rtx, 1);
    assert_int_equal(got->packets.lost, 1);
    assert_int_equal(got->packets.received, s.count - 1);
    assert_int_equal(got->frames.played, s.count);
    assert_int_equal(got->retransmission.answered, 1);
    const struct vox_event *event = player_event(&player, VOX_EVENT_RECOVERED, 0);
    assert_non_null(event);
    assert_int_equal(event->carrier, VOX_CARRIER_RTX);
    player_free(&player);
}

static void nothing_is_taken_that_was_not_asked_for(void **state)
{
    (void)state;
    begin(true, 0);
    push_until(LOST + 2);
    assert_int_equal(push_repeat(LOST - 3, RTX_SSRC, STREAM_PATH), VOX_PUSH_UNASKED);
    assert_int_equal(push_repeat(LOST - 3, STREAM_SSRC + 1, STREAM_PATH), VOX_PUSH_UNASKED);
    assert_int_equal(push_repeat(LOST, RTX_SSRC, STREAM_PATH), VOX_PUSH_REPEAT);
    assert_int_equal(push_repeat(LOST - 3, RTX_SSRC, STREAM_PATH), VOX_PUSH_UNASKED);
    assert_int_equal(player_stats(&player)->source_count, 1);
    player_free(&player);
}

/* Of a group: somebody else had asked. */
static void who_asks_for_nothing_does_not_play_what_others_get(void **state)
{
    (void)state;
    for (int type = 0; type <= RTX_TYPE; type += RTX_TYPE) {
        begin(false, type);
        push_until(LOST + 2);
        for (size_t i = LOST - 5; i < LOST + 2; i++)
            assert_int_equal(push_repeat(i, RTX_SSRC, STREAM_PATH), VOX_PUSH_UNASKED);
        assert_int_equal(player_stats(&player)->source_count, 1);
        assert_int_equal(player_source(&player)->retransmission.requests, 0);
        player_free(&player);
    }
}

static void an_answer_may_come_by_another_path_once_it_is_known(void **state)
{
    (void)state;
    begin(true, RTX_TYPE);
    for (size_t i = 0; i < 40; i++)
        if (i != 20 && i != 30)
            push(i);
        else
            player_run(&player, s.packets[i].send_ns + 5 * VOX_NS_PER_MS);
    assert_int_equal(push_repeat(30, RTX_SSRC, STREAM_PATH + 1), VOX_PUSH_UNASKED);
    assert_int_equal(push_repeat(30, RTX_SSRC, STREAM_PATH), VOX_PUSH_LATE);
    assert_int_equal(push_repeat(20, RTX_SSRC, STREAM_PATH + 1), VOX_PUSH_LATE);
    player_free(&player);
}

/* Bits fall over in answers: nothing else than a refusal, a late one or audio may come of it. */
static void broken_answers_are_survived(void **state)
{
    (void)state;
    struct vox_rng rng;
    vox_rng_init(&rng, 5, 0);
    begin(true, 0);
    for (size_t i = 0; i < s.count; i++) {
        if (i % 3 != 2 || i < 6)
            push(i);
        for (int n = 0; n < 20 && i > 6; n++) {
            uint8_t bytes[VOX_RTP_MAX_BYTES];
            struct vox_rtp rtp = packet_rtp(&s.packets[i - vox_rng_u64(&rng) % 6]);
            rtp.timestamp ^= n % 3 == 0 ? (uint32_t)vox_rng_u64(&rng) : 0;
            size_t len = (size_t)vox_rtx_write(&rtp, RTX_TYPE, RTX_SSRC, 1, bytes, sizeof bytes);
            bytes[vox_rng_u64(&rng) % len] ^= (uint8_t)(1U << vox_rng_u64(&rng) % 8);
            len -= vox_rng_u64(&rng) % 4 == 0 ? vox_rng_u64(&rng) % len : 0;
            player_push_bytes(&player, bytes, len, player.now_ns, STREAM_PATH);
        }
    }
    player_run(&player, s.end_ns + VOX_NS_PER_S);
    assert_true(player_source(&player)->frames.played > s.count / 2);
    player_free(&player);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_asks_for_what_is_missing_and_plays_the_answer),
        cmocka_unit_test(nothing_is_taken_that_was_not_asked_for),
        cmocka_unit_test(who_asks_for_nothing_does_not_play_what_others_get),
        cmocka_unit_test(an_answer_may_come_by_another_path_once_it_is_known),
        cmocka_unit_test(broken_answers_are_survived),
    };
    return cmocka_run_group_tests(tests, record, forget);
}
