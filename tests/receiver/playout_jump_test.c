/* Numbers that wrap, jump, restart or count the wrong clock: audio goes on regardless. */
#include "stream.h"

#include "wire/opus_toc.h"

enum { PACKETS = 200, TICKS = 960 };

static struct player player;
static struct stream stream;

static int setup(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    stream_voice(VOX_PROFILE_MUSIC, TICKS, PACKETS * 20, &stream);
    player_config(&config);
    player_init(&player, &config, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    player_free(&player);
    stream_free(&stream);
    return 0;
}

/* Adds to the numbers of the packets from `from` on. */
static void shift(size_t from, int32_t seq, int64_t ts)
{
    for (size_t i = from; i < stream.count; i++) {
        struct vox_rtp rtp = packet_rtp(&stream.packets[i]);
        packet_set_seq(&stream.packets[i], (uint16_t)(rtp.seq + seq));
        packet_set_ts(&stream.packets[i], (uint32_t)(rtp.timestamp + ts));
    }
}

/* Pushes all, plays to the end of the last, ends. */
static void play_all(void)
{
    for (size_t i = 0; i < stream.count; i++)
        player_push(&player, &stream.packets[i], stream.packets[i].send_ns);
    player_run(&player, player.now_ns + 61 * VOX_NS_PER_MS);
    vox_receiver_finish(player.receiver, player.now_ns);
}

static void expect_all_heard(uint64_t packets)
{
    const struct vox_source_stats *s = player_source(&player);
    assert_int_equal(s->frames.played, packets);
    assert_int_equal(s->packets.late, 0);
    assert_int_equal(s->packets.duplicate, 0);
    assert_int_equal(s->concealed_ns, 0);
    assert_int_equal(player.kinds[VOX_EVENT_GLITCH], 0);
    assert_int_equal(player.kinds[VOX_EVENT_WRONG_CLOCK], 0);
    int64_t off_ns = s->current_ns - s->target_ns;
    assert_true(off_ns > -VOX_NS_PER_MS && off_ns < VOX_NS_PER_MS);
}

static void sequence_numbers_wrap(void **state)
{
    (void)state;
    shift(0, 65536 - STREAM_FIRST_SEQ - PACKETS / 2, 0);
    struct stream_packet first_after = stream.packets[PACKETS / 2];
    assert_int_equal(packet_rtp(&first_after).seq, 0);
    /* overtaken across the wrap */
    stream.packets[PACKETS / 2] = stream.packets[PACKETS / 2 - 1];
    stream.packets[PACKETS / 2 - 1] = first_after;
    play_all();
    expect_all_heard(PACKETS);
    assert_int_equal(player.kinds[VOX_EVENT_SEQUENCE_JUMP], 0);
    assert_int_equal(player_source(&player)->packets.lost, 0);
    assert_int_equal(player_source(&player)->packets.reordered, 1);
}

static void the_first_number_is_overtaken_across_the_wrap(void **state)
{
    (void)state;
    shift(0, 65535 - STREAM_FIRST_SEQ, 0);
    struct stream_packet second = stream.packets[1];
    stream.packets[1] = stream.packets[0];
    stream.packets[0] = second;
    play_all();
    expect_all_heard(PACKETS);
    assert_int_equal(player_source(&player)->packets.lost, 0);
}

static void timestamps_wrap(void **state)
{
    (void)state;
    shift(0, 0, (INT64_C(1) << 32) - STREAM_FIRST_TS - (int64_t)TICKS * PACKETS / 2 + 7);
    play_all();
    expect_all_heard(PACKETS);
    assert_int_equal(player.kinds[VOX_EVENT_TIMESTAMP_JUMP], 0);
}

/* The sender's timestamps begin anew somewhere, its audio goes on. */
static void timestamps_jump(void **state)
{
    static const int64_t jumps[] = {48000 * 10, -48000 * 10, -960 * 3, 2000000000, -2000000000};
    for (size_t i = 0; i < COUNT(jumps); i++) {
        shift(PACKETS / 2, 0, jumps[i]);
        play_all();
        expect_all_heard(PACKETS);
        assert_int_equal(player.kinds[VOX_EVENT_TIMESTAMP_JUMP], 1);
        assert_int_equal(player_event(&player, VOX_EVENT_TIMESTAMP_JUMP, 0)->value, jumps[i]);
        teardown(state);
        setup(state);
    }
}

/* Two seconds could be a pause, so they are no jump; but nothing waits for them. */
static void a_small_jump_forward_costs_no_delay(void **state)
{
    (void)state;
    shift(PACKETS / 2, 0, 2 * 48000);
    play_all();
    const struct vox_source_stats *s = player_source(&player);
    assert_int_equal(s->frames.played, PACKETS);
    assert_true(s->concealed_ns < VOX_NS_PER_MS);
    assert_int_equal(player.kinds[VOX_EVENT_WRONG_CLOCK], 0);
    assert_true(s->current_ns - s->target_ns < VOX_NS_PER_MS);
}

/* A sender that restarts with the same SSRC: other numbers, other timestamps. One packet is held
 * against it, and that one is concealed. */
static void a_restart_with_the_same_ssrc(void **state)
{
    static const int32_t seqs[] = {20000, -20000, -1500};
    for (size_t i = 0; i < COUNT(seqs); i++) {
        shift(PACKETS / 2, seqs[i], 123456789);
        play_all();
        const struct vox_source_stats *s = player_source(&player);
        assert_int_equal(s->frames.played, PACKETS - 1);
        assert_int_equal(s->frames.concealed, 1);
        assert_int_equal(s->packets.late, 0);
        assert_int_equal(player.stats.pushed[VOX_PUSH_SEQUENCE_JUMP], 1);
        assert_int_equal(player.kinds[VOX_EVENT_SEQUENCE_JUMP], 1);
        assert_int_equal(player.kinds[VOX_EVENT_WRONG_CLOCK], 0);
        teardown(state);
        setup(state);
    }
}

/* A single foreign number is not believed. */
static void one_packet_with_a_wild_number(void **state)
{
    (void)state;
    packet_set_seq(&stream.packets[100], 40000);
    play_all();
    const struct vox_source_stats *s = player_source(&player);
    assert_int_equal(s->frames.played, PACKETS - 1);
    assert_int_equal(s->frames.concealed, 1);
    assert_int_equal(player.kinds[VOX_EVENT_SEQUENCE_JUMP], 0);
    assert_int_equal(player.kinds[VOX_EVENT_TIMESTAMP_JUMP], 0);
}

/* ---- the clock of the timestamps ---- */

static void wrong_clock(int rate_hz)
{
    for (size_t i = 0; i < stream.count; i++)
        packet_set_ts(&stream.packets[i],
                      (uint32_t)(STREAM_FIRST_TS + (int64_t)i * TICKS * rate_hz / 48000));
    for (size_t i = 0; i < stream.count / 2; i++)
        player_push(&player, &stream.packets[i], stream.packets[i].send_ns);
    uint64_t played = player_source(&player)->frames.played;
    int64_t concealed_ns = player_source(&player)->concealed_ns;
    for (size_t i = stream.count / 2; i < stream.count; i++)
        player_push(&player, &stream.packets[i], stream.packets[i].send_ns);
    assert_int_equal(player_source(&player)->frames.played - played, stream.count / 2);
    assert_int_equal(player_source(&player)->concealed_ns, concealed_ns);
    assert_int_equal(player.kinds[VOX_EVENT_WRONG_CLOCK], 1);
    assert_in_range(player_event(&player, VOX_EVENT_WRONG_CLOCK, 0)->value, rate_hz * 99 / 100,
                    rate_hz * 101 / 100);
    assert_int_equal(player.kinds[VOX_EVENT_TIMESTAMP_JUMP], 0);
}

static void a_wrong_clock_is_told_once(void **state)
{
    static const int rates[] = {8000, 16000, 44100, 90000};
    for (size_t i = 0; i < COUNT(rates); i++) {
        wrong_clock(rates[i]);
        teardown(state);
        setup(state);
    }
}

static void timestamps_stand_still(void **state)
{
    (void)state;
    for (size_t i = 0; i < stream.count; i++)
        packet_set_ts(&stream.packets[i], STREAM_FIRST_TS);
    play_all();
    assert_int_equal(player.kinds[VOX_EVENT_WRONG_CLOCK], 1);
    assert_true(player.kinds[VOX_EVENT_TIMESTAMP_JUMP] <= 50);
    assert_int_equal(player_source(&player)->frames.played, PACKETS);
}

/* Gaps in the timestamps are no other clock, however they fall. */
static void gaps_are_no_wrong_clock(void **state)
{
    for (int64_t gap = TICKS; gap <= 8 * TICKS; gap += TICKS) {
        for (size_t i = 0; i < stream.count; i++) {
            int64_t later = (int64_t)(i / 40) * gap;
            packet_set_ts(&stream.packets[i],
                          (uint32_t)(STREAM_FIRST_TS + (int64_t)i * TICKS + later));
            player_push(&player, &stream.packets[i],
                        stream.packets[i].send_ns + vox_rtp_to_ns(later));
        }
        assert_int_equal(player.kinds[VOX_EVENT_WRONG_CLOCK], 0);
        assert_int_equal(player_source(&player)->glitches[VOX_GLITCH_SENDER_GAP].count, 4);
        teardown(state);
        setup(state);
    }
}

/* ---- from mono to stereo ---- */

/* A tone on the left, nothing on the right. */
static void record_left(struct stream *out)
{
    enum { FRAMES = PACKETS * TICKS };
    static float tone[FRAMES], pcm[2 * FRAMES];
    struct vox_sender_config config;
    fill_tone(tone, FRAMES, 440, 0.3);
    for (size_t i = 0; i < FRAMES; i++)
        pcm[2 * i] = tone[i];
    stream_config(&config, VOX_PROFILE_MUSIC, TICKS, 2);
    stream_record(&config, pcm, FRAMES, out);
    stream_drop_rtcp(out);
}

static double power_of(const struct player *p, size_t frames, int channel)
{
    double sum = 0;
    for (size_t i = p->frames - frames; i < p->frames; i++) {
        double x = (double)p->pcm[2 * i + (size_t)channel];
        sum += x * x;
    }
    return sum;
}

static void a_stream_turns_stereo(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    struct stream left;
    player_free(&player);
    player_config(&config);
    player_init(&player, &config, (size_t)PACKETS * TICKS);
    record_left(&left);
    for (size_t i = 0; i < PACKETS; i++) {
        struct stream_packet packet = stream_at(i < 100 ? &stream : &left, i);
        if (i >= 50) /* they overlap a little, so that from now on none ends with a pull */
            packet_set_ts(&packet, packet_rtp(&packet).timestamp - 77);
        player_push(&player, &packet, packet.send_ns);
    }
    assert_int_equal(player_source(&player)->channels, 2);
    assert_true(power_of(&player, 48000, 0) > 100 * power_of(&player, 48000, 1));
    stream_free(&left);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(sequence_numbers_wrap), TEST(the_first_number_is_overtaken_across_the_wrap),
    TEST(timestamps_wrap), TEST(timestamps_jump), TEST(a_small_jump_forward_costs_no_delay),
    TEST(a_restart_with_the_same_ssrc), TEST(one_packet_with_a_wild_number),
    TEST(a_wrong_clock_is_told_once), TEST(timestamps_stand_still), TEST(gaps_are_no_wrong_clock),
    TEST(a_stream_turns_stereo))
