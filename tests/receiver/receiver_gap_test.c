/*
 * A sound card that is lost at the sender and comes back: what the receiver's accounts say of it.
 * Sender and receiver live, in virtual time.
 */
#include "stream.h"

enum { BLOCK = 256, TICKS = 960 };

#define NETWORK_NS (5 * VOX_NS_PER_MS)
#define BLOCK_NS (BLOCK * VOX_NS_PER_S / VOX_RTP_HZ)

/* 15 blocks are 4 frames; 8 are two and this much, which is there when the card is lost. */
#define BEGUN_NS ((8 * BLOCK - 2 * TICKS) * VOX_NS_PER_S / VOX_RTP_HZ)

static struct {
    struct vox_sender *sender;
    struct player player;
    int64_t now_ns;
    int64_t capture_ns; /* of the next block */
} live;

static void carry(void *ctx, const struct vox_datagram *datagram)
{
    (void)ctx;
    struct stream_packet packet = {.rtcp = datagram->kind == VOX_DATAGRAM_RTCP,
                                   .len = datagram->len};
    memcpy(packet.bytes, datagram->bytes, datagram->len);
    packet.send_ns = datagram->send_ns > live.now_ns ? datagram->send_ns : live.now_ns;
    player_push(&live.player, &packet, packet.send_ns + NETWORK_NS);
}

static void setup_live(int64_t delay_ns, bool follow)
{
    struct vox_sender_config sender;
    struct vox_receiver_config receiver;
    stream_config(&sender, VOX_PROFILE_MUSIC, TICKS, 1);
    sender.on_datagram = carry;
    assert_int_equal(vox_sender_create(&sender, &live.sender), 0);
    player_config(&receiver);
    receiver.follow_source = follow;
    receiver.delay_ns = delay_ns;
    player_init(&live.player, &receiver, 0);
    live.capture_ns = STREAM_START_NS;
}

static void teardown_live(void)
{
    player_free(&live.player);
    vox_sender_destroy(live.sender);
}

/* Blocks come when their last sample was captured. */
static void talk(size_t blocks)
{
    static float tone[48000];
    fill_tone(tone, COUNT(tone), 440, 0.3);
    for (size_t i = 0; i < blocks; i++) {
        live.now_ns = live.capture_ns + BLOCK_NS;
        assert_int_equal(vox_sender_push(live.sender, tone, BLOCK, live.capture_ns), 0);
        live.capture_ns = live.now_ns;
    }
}

struct gap_row {
    int64_t gap_ms;
    int64_t noticed_ms; /* when the loss is noticed; -1: not before audio comes again */
    bool heard;         /* what there was of the frame */
};

static void lose_the_card(const struct gap_row *row)
{
    if (row->noticed_ms >= 0) {
        live.now_ns = live.capture_ns + row->noticed_ms * VOX_NS_PER_MS;
        assert_int_equal(vox_sender_flush(live.sender, live.now_ns), 0);
    }
    live.capture_ns += row->gap_ms * VOX_NS_PER_MS;
}

/* The gap, but for the silence that filled up the last frame, or with the frame that was left out.
 */
static int64_t expected_ns(const struct gap_row *row)
{
    int64_t gap_ns = row->gap_ms * VOX_NS_PER_MS;
    return row->heard ? gap_ns - (vox_rtp_to_ns(TICKS) - BEGUN_NS) : gap_ns + BEGUN_NS;
}

static void check(const struct gap_row *row, int64_t delay_ns, bool follow)
{
    setup_live(delay_ns, follow);
    talk(8 + 15 * 25);
    int64_t target_ns = player_source(&live.player)->target_ns;
    lose_the_card(row);
    talk(15 * 25);
    player_run(&live.player, live.now_ns + 100 * VOX_NS_PER_MS);
    const struct vox_source_stats *s = player_source(&live.player);
    assert_int_equal(live.player.stats.source_count, 1);
    assert_int_equal(s->packets.late, 0);
    /* An adaptive delay may still be finding its place. */
    assert_in_range(s->glitches[VOX_GLITCH_LATE].count, 0, delay_ns < 0 ? 1 : 0);
    assert_true(s->glitches[VOX_GLITCH_LATE].ns <= 12 * VOX_NS_PER_MS);
    assert_int_equal(s->glitches[VOX_GLITCH_LOST].count, 0);
    assert_int_equal(s->glitches[VOX_GLITCH_SENDER_GAP].count, 1);
    assert_int_equal(live.player.kinds[VOX_EVENT_TIMESTAMP_JUMP], 0);
    assert_true(s->target_ns <= target_ns + 8 * VOX_NS_PER_MS);
    /* The delay may be corrected in a pause: of an adaptive one, by as much as it was off. */
    int64_t off_ns = s->glitches[VOX_GLITCH_SENDER_GAP].ns - expected_ns(row);
    int64_t most_ns = (delay_ns < 0 ? 25 : 2) * VOX_NS_PER_MS;
    if (off_ns < -most_ns || off_ns > most_ns)
        fail_msg("gap %d ms, noticed after %d: %.1f ms off", (int)row->gap_ms, (int)row->noticed_ms,
                 vox_ns_to_ms(off_ns));
    teardown_live();
}

static void a_lost_card_is_a_gap_at_the_sender_and_nothing_else(void **state)
{
    (void)state;
    static const struct gap_row rows[] = {
        {100, 10, true},  {1000, 10, true},  {3000, 10, true},    {40, 10, true},
        {100, -1, false}, {1000, -1, false}, {3000, 2000, false}, {45, -1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check(&rows[i], 60 * VOX_NS_PER_MS, true);
        check(&rows[i], 60 * VOX_NS_PER_MS, false);
        check(&rows[i], -1, true);
        check(&rows[i], -1, false);
    }
}

RUN(cmocka_unit_test(a_lost_card_is_a_gap_at_the_sender_and_nothing_else))
