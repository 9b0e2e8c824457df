/* Several sources at once: who is heard, who comes, who goes. */
#include "stream.h"

#include "base/rng.h"
#include "base/rt.h"
#include "wire/rtcp.h"

#include <math.h>

enum { TICKS = 960, STREAM_MS = 2000, PACKETS = STREAM_MS / 20 };

static struct player player, other;
static struct stream low, high, speech;

static int setup(void **state)
{
    (void)state;
    stream_tone(440, TICKS, STREAM_MS, &low);
    stream_tone(1500, TICKS, STREAM_MS, &high);
    stream_voice(VOX_PROFILE_MUSIC, TICKS, STREAM_MS, &speech);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    stream_free(&low);
    stream_free(&high);
    stream_free(&speech);
    return 0;
}

static void begin(bool follow, int max_sources)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.follow_source = follow;
    config.max_sources = max_sources;
    player_init(&player, &config, 10 * 48000);
}

static enum vox_push_result push_as(const struct stream *s, size_t i, uint32_t ssrc, uint32_t path,
                                    int64_t later_ns)
{
    struct stream_packet packet = stream_at(s, i);
    packet_set_ssrc(&packet, ssrc);
    return player_push_bytes(&player, packet.bytes, packet.len, packet.send_ns + later_ns, path);
}

static double level_at(double hz, size_t from)
{
    assert_true(player.frames >= from + 24000);
    return tone_level(player.pcm + 2 * from, 24000, 2, hz, player.hz);
}

static void bye(uint32_t ssrc, int64_t t_ns)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report report = {.ssrc = ssrc};
    vox_rtcp_write_rr(&w, &report);
    vox_rtcp_write_bye(&w, ssrc, "done");
    assert_false(w.failed);
    assert_int_equal(player_push_bytes(&player, bytes, w.size, t_ns, 1), VOX_PUSH_RTCP);
}

static const struct vox_source_stats *source_of(uint32_t ssrc)
{
    const struct vox_receiver_stats *stats = player_stats(&player);
    for (int i = 0; i < stats->source_count; i++)
        if (stats->sources[i].ssrc == ssrc)
            return &stats->sources[i];
    return NULL;
}

static void two_tones_are_heard_together(void **state)
{
    (void)state;
    for (int follow = 0; follow <= 1; follow++) {
        begin(follow, 16);
        for (size_t i = 0; i < PACKETS; i++) {
            push_as(&low, i, 1, 1, 0);
            push_as(&high, i, 2, 2, 3 * VOX_NS_PER_MS);
        }
        assert_int_equal(player_stats(&player)->source_count, 2);
        double a = level_at(440, 48000), b = level_at(1500, 48000);
        if (fabs(a - 0.3) > 0.02 || fabs(b - 0.3) > 0.02)
            fail_msg("follow %d: levels %.3f and %.3f", follow, a, b);
        assert_true(level_at(900, 48000) < 0.005);
        player_free(&player);
    }
}

static void each_can_be_pulled_alone(void **state)
{
    (void)state;
    static float pcm[2][2 * 96000];
    struct vox_receiver_config config;
    size_t frames[2] = {0, 0};
    player_config(&config);
    player_init(&player, &config, 0);
    for (size_t i = 0; i < PACKETS; i++) {
        struct stream_packet packets[2] = {stream_at(&low, i), stream_at(&high, i)};
        packet_set_ssrc(&packets[1], 2);
        for (int s = 0; s < 2; s++) {
            vox_receiver_push(player.receiver, packets[s].bytes, packets[s].len, packets[s].send_ns,
                              1);
            for (int64_t due_ns; (due_ns = vox_receiver_source_next_pull_ns(player.receiver, s)) <
                                 packets[s].send_ns;) {
                int n = vox_receiver_pull_source(player.receiver, s, pcm[s] + 2 * frames[s], 480,
                                                 due_ns, due_ns);
                frames[s] += (size_t)n;
            }
        }
    }
    for (int s = 0; s < 2; s++) {
        assert_true(frames[s] > 90000);
        assert_true(tone_level(pcm[s] + 48000, 24000, 2, s ? 1500 : 440, 48000) > 0.28);
        assert_true(tone_level(pcm[s] + 48000, 24000, 2, s ? 440 : 1500, 48000) < 0.005);
    }
    float silence[2 * 480];
    assert_int_equal(vox_receiver_pull_source(player.receiver, 5, silence, 480, 0, 0), 0);
    assert_int_equal(vox_receiver_source_next_pull_ns(player.receiver, 5), VOX_NS_NEVER);
    player_free(&player);
}

static void no_more_than_agreed(void **state)
{
    (void)state;
    begin(true, 2);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(push_as(&low, i, 1, 1, 0), VOX_PUSH_TAKEN);
        assert_int_equal(push_as(&high, i, 2, 2, 0), VOX_PUSH_TAKEN);
        assert_int_equal(push_as(&speech, i, 3, 3, 0), VOX_PUSH_TOO_MANY_SOURCES);
    }
    const struct vox_receiver_stats *stats = player_stats(&player);
    assert_int_equal(stats->source_count, 2);
    assert_int_equal(stats->pushed[VOX_PUSH_TOO_MANY_SOURCES], PACKETS);
    assert_int_equal(source_of(1)->frames.concealed, 0);
    player_free(&player);
}

/* Any number of SSRCs, each with one packet or with two, that come faster than audio. */
static void flood(size_t packets_each)
{
    struct vox_rng rng;
    const uint64_t seed = 21;
    print_message("seed %llu\n", (unsigned long long)seed);
    vox_rng_init(&rng, seed, 0);
    begin(true, 16);
    for (size_t i = 0; i < PACKETS; i++) {
        assert_int_equal(push_as(&low, i, 1, 1, 0), VOX_PUSH_TAKEN);
        for (int k = 0; k < 50 && i > 2; k++) {
            uint32_t ssrc = vox_rng_u32(&rng);
            for (size_t n = 0; n < packets_each; n++)
                push_as(&speech, i + n, ssrc, 99, 0);
        }
    }
    const struct vox_source_stats *s = source_of(1);
    assert_non_null(s);
    assert_int_equal(s->state, VOX_SOURCE_ACTIVE);
    assert_int_equal(s->frames.concealed, 0);
    assert_int_equal(s->packets.received, PACKETS);
    assert_true(player_stats(&player)->source_count <= 16);
}

static void a_flood_of_strangers_is_not_heard(void **state)
{
    (void)state;
    flood(1);
    assert_true(fabs(level_at(440, 48000) - 0.3) < 0.02);
    /* nobody but the one was ever announced */
    assert_int_equal(player.kinds[VOX_EVENT_SOURCE_STARTED], 1);
    player_free(&player);
}

static void a_flood_that_lasts_leaves_the_first_alone(void **state)
{
    (void)state;
    flood(2);
    player_free(&player);
}

static void a_new_ssrc_replaces_the_old(void **state)
{
    (void)state;
    begin(true, 16);
    for (size_t i = 0; i < 50; i++)
        push_as(&low, i, 1, 1, 0);
    for (size_t i = 0; i < 100; i++)
        push_as(&high, i, 2, 1, 2200 * VOX_NS_PER_MS);
    const struct vox_event *end = player_event(&player, VOX_EVENT_SOURCE_ENDED, 0);
    assert_non_null(end);
    assert_int_equal(end->ssrc, 1);
    assert_int_equal(end->value, VOX_END_REPLACED);
    assert_int_equal(source_of(1)->frames.played, 50); /* all that it had */
    assert_int_equal(source_of(2)->frames.concealed, 0);
    assert_int_equal(source_of(2)->state, VOX_SOURCE_ACTIVE);
    player_free(&player);
}

/* Two speakers behind one mixer: one pauses, as DTX does, when the other begins. */
static void a_pause_is_no_end(void **state)
{
    (void)state;
    begin(true, 16);
    for (size_t i = 0; i < 50; i++)
        push_as(&low, i, 1, 1, 0);
    for (size_t i = 0; i < 25; i++)
        push_as(&high, i, 2, 1, 1400 * VOX_NS_PER_MS);
    assert_int_equal(source_of(1)->state, VOX_SOURCE_ACTIVE);
    assert_int_equal(source_of(2)->state, VOX_SOURCE_ACTIVE);
    player_free(&player);
}

static void one_says_goodbye_the_other_stays(void **state)
{
    (void)state;
    begin(true, 16);
    for (size_t i = 0; i < 2 * PACKETS; i++) {
        if (i < 50)
            push_as(&low, i, 1, 1, 0);
        if (i == 50)
            bye(1, stream_at(&low, 50).send_ns);
        push_as(&high, i, 2, 2, 0);
    }
    assert_int_equal(source_of(1)->state, VOX_SOURCE_ENDED);
    assert_int_equal(source_of(1)->frames.played, 50);
    assert_int_equal(source_of(1)->frames.concealed, 0);
    assert_int_equal(source_of(2)->frames.concealed, 0);
    assert_true(level_at(440, 96000) < 0.005);
    assert_true(fabs(level_at(1500, 96000) - 0.3) < 0.02);
    assert_false(vox_receiver_all_ended(player.receiver));
    bye(2, player.now_ns);
    player_run(&player, player.now_ns + VOX_NS_PER_S);
    assert_true(vox_receiver_all_ended(player.receiver));
    player_free(&player);
}

static void silence_ends_a_source_in_time(void **state)
{
    (void)state;
    begin(true, 16);
    for (size_t i = 0; i < 50; i++)
        push_as(&low, i, 1, 1, 0);
    player_run(&player, player.now_ns + 4 * VOX_NS_PER_S);
    assert_int_equal(player.kinds[VOX_EVENT_SOURCE_ENDED], 0);
    player_run(&player, player.now_ns + 2 * VOX_NS_PER_S);
    assert_int_equal(player_event(&player, VOX_EVENT_SOURCE_ENDED, 0)->value, VOX_END_TIMEOUT);
    assert_true(vox_receiver_all_ended(player.receiver));
    player_free(&player);
}

/* Its link was cut for longer than a source is waited for: its numbers tell what was lost. */
static void who_returns_is_the_same(void **state)
{
    (void)state;
    static const size_t holes[] = {300, 1000, 5000, 30000};
    for (size_t k = 0; k < COUNT(holes); k++) {
        begin(true, 16);
        for (size_t i = 0; i < 50; i++)
            push_as(&low, i, 1, 1, 0);
        player_run(&player, stream_at(&low, 50 + holes[k]).send_ns);
        assert_int_equal(source_of(1)->state, VOX_SOURCE_ENDED);
        for (size_t i = 50 + holes[k]; i < 150 + holes[k]; i++)
            push_as(&low, i, 1, 2, 0); /* its address may have changed, too */
        assert_int_equal(player_stats(&player)->source_count, 1);
        assert_int_equal(source_of(1)->state, VOX_SOURCE_ACTIVE);
        assert_int_equal(source_of(1)->path, 2);
        assert_int_equal(source_of(1)->packets.received, 150);
        assert_int_equal(source_of(1)->packets.lost, holes[k]);
        assert_int_equal(player.kinds[VOX_EVENT_SOURCE_STARTED], 2);
        assert_int_equal(player.kinds[VOX_EVENT_SEQUENCE_JUMP], 0);
        assert_true(source_of(1)->frames.played > 140);
        player_run(&player, player.now_ns + 3 * VOX_NS_PER_S);
        int64_t lost_ms = source_of(1)->glitches[VOX_GLITCH_LOST].ns / VOX_NS_PER_MS;
        assert_in_range(lost_ms, holes[k] * 20 - 40, holes[k] * 20 + 40);
        player_free(&player);
    }
}

/* So are packets that have waited meanwhile: not one is lost. */
static void what_waited_meanwhile_is_of_the_same(void **state)
{
    (void)state;
    begin(true, 16);
    for (size_t i = 0; i < 50; i++)
        push_as(&low, i, 1, 1, 0);
    player_run(&player, player.now_ns + 20 * VOX_NS_PER_S);
    for (size_t i = 50; i < 200; i++)
        push_as(&low, i, 1, 1, 20 * VOX_NS_PER_S);
    assert_int_equal(player_stats(&player)->source_count, 1);
    assert_int_equal(source_of(1)->packets.lost, 0);
    player_free(&player);
}

/* The same SSRC with other numbers, or after a goodbye, is a sender that began anew. */
static void who_begins_anew_is_another(void **state)
{
    (void)state;
    static const struct {
        bool goodbye;
        int seq;
        int64_t ts;
    } rows[] = {{false, 0, -20 * 48000},
                {false, 0, 600 * 48000},
                {false, -2000, 0},
                {false, 20000, 0},
                {true, 0, 0}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        begin(true, 16);
        for (size_t i = 0; i < 50; i++)
            push_as(&low, i, 1, 1, 0);
        if (rows[k].goodbye)
            bye(1, player.now_ns);
        player_run(&player, stream_at(&low, 550).send_ns);
        for (size_t i = 550; i < 600; i++) {
            struct stream_packet packet = stream_at(&low, i);
            struct vox_rtp rtp = packet_rtp(&packet);
            packet_set_ssrc(&packet, 1);
            packet_set_seq(&packet, (uint16_t)(rtp.seq + rows[k].seq));
            packet_set_ts(&packet, (uint32_t)(rtp.timestamp + rows[k].ts));
            player_push_bytes(&player, packet.bytes, packet.len, packet.send_ns, 1);
        }
        assert_int_equal(player_stats(&player)->source_count, 2);
        assert_int_equal(player.stats.sources[0].packets.lost, 0);
        assert_int_equal(player.stats.sources[1].packets.lost, 0);
        assert_int_equal(player.stats.sources[1].packets.received, 50);
        player_free(&player);
    }
}

/* A host that stood still has not heard of those who spoke meanwhile. */
static void no_time_runs_out_while_the_host_stands_still(void **state)
{
    (void)state;
    begin(true, 16);
    for (size_t i = 0; i < 50; i++)
        push_as(&low, i, 1, 1, 0);
    int64_t awake_ns = player.now_ns + 8 * VOX_NS_PER_S;
    vox_receiver_tick(player.receiver, awake_ns);
    assert_int_equal(source_of(1)->state, VOX_SOURCE_ACTIVE);
    player.now_ns = awake_ns;
    player_run(&player, awake_ns + 4 * VOX_NS_PER_S);
    assert_int_equal(source_of(1)->state, VOX_SOURCE_ACTIVE);
    player_run(&player, awake_ns + 6 * VOX_NS_PER_S);
    assert_int_equal(source_of(1)->state, VOX_SOURCE_ENDED);
    player_free(&player);
}

/* The first one ends and another takes its place in the table: the one that drives stays so, and
 * its samples are those of its decoder. */
static void who_drives_goes_on_driving(void **state)
{
    (void)state;
    static float nothing[2 * STREAM_MS * 48];
    struct vox_sender_config config;
    struct vox_receiver_config receiving;
    struct stream quiet;
    stream_config(&config, VOX_PROFILE_MUSIC, TICKS, 1);
    stream_record(&config, nothing, STREAM_MS * 48, &quiet);
    stream_drop_rtcp(&quiet);
    begin(true, 2);
    player_config(&receiving);
    player_init(&other, &receiving, 10 * 48000);
    for (size_t i = 0; i < 3 * PACKETS; i++) {
        if (i < 50)
            push_as(&quiet, i, 1, 1, 0);
        if (i == 50)
            bye(1, stream_at(&quiet, 50).send_ns);
        push_as(&speech, i, 2, 2, 7 * VOX_NS_PER_MS);
        if (i >= 80)
            push_as(&quiet, i, 3, 3, 11 * VOX_NS_PER_MS);
        struct stream_packet packet = stream_at(&speech, i);
        player_push(&other, &packet, packet.send_ns);
    }
    assert_int_equal(source_of(3)->index, 0);
    /* the same audio, somewhere: compare the last two seconds, bit for bit */
    size_t n = 2 * 48000, at = player.frames - n, lag = 0;
    while (lag < 4800 && memcmp(player.pcm + 2 * at, other.pcm + 2 * (at - 2400 + lag),
                                2 * (n - 4800) * sizeof(float)) != 0)
        lag++;
    assert_true(lag < 4800);
    stream_free(&quiet);
    player_free(&player);
    player_free(&other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(two_tones_are_heard_together), TEST(each_can_be_pulled_alone), TEST(no_more_than_agreed),
    TEST(a_flood_of_strangers_is_not_heard), TEST(a_flood_that_lasts_leaves_the_first_alone),
    TEST(a_new_ssrc_replaces_the_old), TEST(a_pause_is_no_end),
    TEST(one_says_goodbye_the_other_stays), TEST(silence_ends_a_source_in_time),
    TEST(who_returns_is_the_same), TEST(what_waited_meanwhile_is_of_the_same),
    TEST(who_begins_anew_is_another), TEST(no_time_runs_out_while_the_host_stands_still),
    TEST(who_drives_goes_on_driving))
