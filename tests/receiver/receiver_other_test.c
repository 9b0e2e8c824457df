/* Packets of other payload types among the audio, which use up numbers: FEC of other programs (RFC
 * 5109), comfort noise (RFC 3389). */
#include "stream.h"

#include "base/rng.h"

#include <stdlib.h>

enum { TICKS = 960, PACKETS = 300, EVERY = 3, OTHER_TYPE = 122, WARM_UP = 20 };

static struct stream s;
static struct player with, without;

/* What happens to the stream, and what stands in it. */
struct row {
    const char *name;
    bool fec;
    int copy; /* distance */
    double loss;
    bool rtx;
};

static void record(bool fec, int copy)
{
    struct vox_sender_config config;
    size_t frames = (size_t)PACKETS * TICKS;
    float *pcm = calloc(frames, sizeof *pcm);
    assert_non_null(pcm);
    fill_speech(pcm, frames);
    stream_config(&config, VOX_PROFILE_VOICE, TICKS, 1);
    config.bitrate_bps = 32000;
    config.fec = fec;
    config.red_distances[0] = copy;
    stream_record(&config, pcm, frames, &s);
    stream_drop_rtcp(&s);
    free(pcm);
}

/* So many numbers in front of packet i are not audio's. */
static uint16_t spent(size_t i)
{
    return (uint16_t)(i / EVERY);
}

static struct stream_packet audio(size_t i, bool others)
{
    struct stream_packet packet = s.packets[i];
    packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + i + (others ? spent(i) : 0)));
    return packet;
}

/* The one in front of packet i: with the media time of what it protects, and no Opus. */
static struct stream_packet other(size_t i)
{
    struct stream_packet packet = s.packets[i - 1];
    packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + i + spent(i) - 1));
    packet.bytes[1] = OTHER_TYPE;
    packet.bytes[packet.len - packet_rtp(&packet).payload_bytes] = 0; /* neither Opus' nor RED's */
    return packet;
}

static void begin(struct player *player, bool rtx)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.rtx = rtx;
    player_init(player, &config, (size_t)(PACKETS + 50) * TICKS);
}

static bool is_other_due(size_t i)
{
    return i > 0 && i % EVERY == 0;
}

static void play(const struct row *row, uint64_t seed, bool others, struct player *player)
{
    struct vox_rng rng;
    vox_rng_init(&rng, seed, 0);
    begin(player, row->rtx);
    for (size_t i = 0; i < s.count; i++) {
        bool lost = vox_rng_uniform(&rng) < row->loss && i > WARM_UP && i + WARM_UP < s.count;
        struct stream_packet packet = others && is_other_due(i) ? other(i) : audio(i, others);
        if (others && is_other_due(i))
            assert_int_equal(player_push(player, &packet, s.packets[i].send_ns),
                             VOX_PUSH_FOREIGN_PAYLOAD);
        packet = audio(i, others);
        if (!lost)
            assert_int_equal(player_push(player, &packet, s.packets[i].send_ns), VOX_PUSH_TAKEN);
    }
    player_run(player, s.end_ns + VOX_NS_PER_S / 5);
}

/* Sample for sample what it is without them, whatever else is lost and however it comes back. */
static void they_change_nothing_that_is_heard(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"plain", false, 0, 0, false},     {"asking", false, 0, 0, true},
        {"lossy", false, 0, 0.15, false},  {"FEC", true, 0, 0.15, false},
        {"copies", false, 2, 0.15, false}, {"FEC and copies", true, 1, 0.2, false},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        record(rows[k].fec, rows[k].copy);
        for (uint64_t seed = 1; seed <= 3; seed++) {
            print_message("%s, seed %d\n", rows[k].name, (int)seed);
            play(&rows[k], seed, false, &without);
            play(&rows[k], seed, true, &with);
            const struct vox_source_stats *a = player_source(&without), *b = player_source(&with);
            assert_int_equal(b->packets.lost, a->packets.lost);
            assert_int_equal(b->packets.reordered, 0);
            assert_int_equal(b->packets.late, 0);
            assert_int_equal(b->packets.received, a->packets.received);
            assert_int_equal(b->frames.from_fec, a->frames.from_fec);
            assert_int_equal(b->frames.from_red, a->frames.from_red);
            assert_int_equal(b->concealed_ns, a->concealed_ns);
            assert_int_equal(b->retransmission.asked, a->retransmission.asked);
            assert_int_equal(with.stats.pushed[VOX_PUSH_FOREIGN_PAYLOAD], (s.count - 1) / EVERY);
            assert_int_equal(with.frames, without.frames);
            assert_memory_equal(with.pcm, without.pcm, with.frames * 2 * sizeof *with.pcm);
            player_free(&with);
            player_free(&without);
        }
        stream_free(&s);
    }
}

/* One that is lost is a lost packet: nobody knows what it was. Nothing is made up in its place. */
static void a_lost_one_is_not_heard(void **state)
{
    (void)state;
    record(false, 0);
    begin(&with, false);
    for (size_t i = 0; i < s.count; i++) {
        struct stream_packet packet = audio(i, true);
        player_push(&with, &packet, s.packets[i].send_ns);
    }
    player_run(&with, s.end_ns + VOX_NS_PER_S / 5);
    const struct vox_source_stats *got = player_source(&with);
    assert_int_equal(got->packets.lost, (s.count - 1) / EVERY);
    assert_int_equal(got->concealed_ns, 0);
    assert_int_equal(got->frames.played, s.count);
    player_free(&with);
    stream_free(&s);
}

/* Nor are copies misled by it, which count packets of audio: none is taken for another packet. */
static void a_lost_one_misleads_no_copy(void **state)
{
    (void)state;
    record(false, 1);
    begin(&with, false);
    for (size_t i = 0; i < s.count; i++) {
        struct stream_packet packet = audio(i, true);
        if (i % 7 != 6)
            player_push(&with, &packet, s.packets[i].send_ns);
    }
    player_run(&with, s.end_ns + VOX_NS_PER_S / 5);
    const struct vox_source_stats *got = player_source(&with);
    assert_int_equal(got->packets.late, 0);
    assert_int_equal(got->frames.from_red, s.count / 7);
    assert_int_equal(got->frames.played, s.count);
    assert_int_equal(got->frames.decoded, s.count);
    assert_int_equal(got->concealed_ns, 0);
    player_free(&with);
    stream_free(&s);
}

/* They may come out of order, like any packet. */
static void one_that_is_overtaken_is_not_lost(void **state)
{
    (void)state;
    record(false, 0);
    begin(&with, true);
    for (size_t i = 0; i < s.count; i++) {
        struct stream_packet packet = audio(i, true);
        player_push(&with, &packet, s.packets[i].send_ns);
        if (!is_other_due(i))
            continue;
        packet = other(i);
        player_push(&with, &packet, s.packets[i].send_ns);
        player_push(&with, &packet, s.packets[i].send_ns); /* twice */
    }
    player_run(&with, s.end_ns + VOX_NS_PER_S / 5);
    const struct vox_source_stats *got = player_source(&with);
    assert_int_equal(got->packets.lost, 0);
    assert_int_equal(got->packets.reordered, (s.count - 1) / EVERY);
    assert_int_equal(got->concealed_ns, 0);
    assert_int_equal(got->frames.played, s.count);
    player_free(&with);
    stream_free(&s);
}

/* Behind such a packet a pause is still a pause, and no loss. */
static void a_pause_behind_one_is_a_pause(void **state)
{
    (void)state;
    enum { PAUSE = 30 };
    record(false, 0);
    begin(&with, true);
    for (size_t i = 0; i < s.count; i++) {
        bool paused = i >= 150;
        struct stream_packet packet = audio(i, false);
        packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + i + (paused ? 1 : 0)));
        packet_set_ts(&packet, packet_rtp(&packet).timestamp + (paused ? PAUSE * TICKS : 0));
        packet_set_marker(&packet, i == 150);
        int64_t later_ns = paused ? vox_rtp_to_ns(PAUSE * TICKS) : 0;
        player_push(&with, &packet, s.packets[i].send_ns + later_ns);
        if (i != 149)
            continue;
        packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + 150));
        packet.bytes[1] = OTHER_TYPE;
        player_push(&with, &packet, s.packets[i].send_ns);
    }
    player_run(&with, s.end_ns + 2 * VOX_NS_PER_S);
    const struct vox_source_stats *got = player_source(&with);
    assert_int_equal(got->packets.lost, 0);
    assert_int_equal(got->dtx_ns, vox_rtp_to_ns(PAUSE * TICKS));
    assert_int_equal(got->concealed_ns, 0);
    assert_int_equal(got->glitches[VOX_GLITCH_LOST].count, 0);
    player_free(&with);
    stream_free(&s);
}

/* Numbers from nowhere, those of the audio itself, those of what was played: no harm is done. */
static void wild_numbers_take_nothing_away(void **state)
{
    (void)state;
    struct vox_rng rng;
    record(false, 0);
    vox_rng_init(&rng, 7, 0);
    begin(&with, false);
    for (size_t i = 0; i < s.count; i++) {
        for (int k = 0; k < 4 && i > 0; k++) {
            struct stream_packet wild = s.packets[i];
            int away = (int)(vox_rng_u64(&rng) % 200) - 100;
            wild.bytes[1] = OTHER_TYPE;
            packet_set_seq(&wild, k == 0 ? (uint16_t)vox_rng_u64(&rng)
                                         : (uint16_t)(STREAM_FIRST_SEQ + (int)i + away));
            player_push(&with, &wild, s.packets[i].send_ns);
        }
        assert_int_equal(player_push(&with, &s.packets[i], s.packets[i].send_ns), VOX_PUSH_TAKEN);
    }
    player_run(&with, s.end_ns + VOX_NS_PER_S / 5);
    const struct vox_source_stats *got = player_source(&with);
    assert_int_equal(got->frames.played, s.count);
    assert_int_equal(got->concealed_ns, 0);
    assert_int_equal(got->packets.received, s.count);
    player_free(&with);
    stream_free(&s);
}

RUN(cmocka_unit_test(they_change_nothing_that_is_heard), cmocka_unit_test(a_lost_one_is_not_heard),
    cmocka_unit_test(a_lost_one_misleads_no_copy),
    cmocka_unit_test(one_that_is_overtaken_is_not_lost),
    cmocka_unit_test(a_pause_behind_one_is_a_pause),
    cmocka_unit_test(wild_numbers_take_nothing_away))
