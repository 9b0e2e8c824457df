/* RTCP both ways: what the sender learns of us, what we take from it. */
#include "stream.h"

#include "base/rng.h"
#include "base/rt.h"
#include "wire/rtcp.h"
#include "wire/rtcp_xr.h"

#include <math.h>

enum { TICKS = 960, BLOCK = 480 };

#define ONE_WAY_NS (20 * VOX_NS_PER_MS)
#define BACK_NS (30 * VOX_NS_PER_MS)

static struct player player;
static struct stream voice;

static int setup(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    player_config(&config);
    player_init(&player, &config, 0);
    stream_voice(VOX_PROFILE_MUSIC, TICKS, 2000, &voice);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    player_free(&player);
    stream_free(&voice);
    return 0;
}

/* ---- a sender and a receiver, with a network between them ---- */

struct link {
    struct vox_sender *sender;
    uint64_t rtp, lost;
    int lose_every;
};

static void deliver(void *ctx, const struct vox_datagram *datagram)
{
    struct link *link = ctx;
    bool rtp = datagram->kind == VOX_DATAGRAM_RTP;
    link->rtp += rtp;
    if (rtp && link->lose_every && link->rtp % (uint64_t)link->lose_every == 0) {
        link->lost++;
        return;
    }
    player_push_bytes(&player, datagram->bytes, datagram->len, datagram->send_ns + ONE_WAY_NS,
                      STREAM_PATH);
}

static void run_link(struct link *link, int seconds)
{
    static float pcm[BLOCK];
    struct vox_sender_config config;
    size_t fed = 0;
    stream_config(&config, VOX_PROFILE_MUSIC, TICKS, 1);
    config.wall_offset_ns = INT64_C(1700000000) * VOX_NS_PER_S + 123456789;
    config.on_datagram = deliver;
    config.ctx = link;
    fill_tone(pcm, BLOCK, 440, 0.3);
    assert_int_equal(vox_sender_create(&config, &link->sender), 0);
    for (int i = 0; i < seconds * 100; i++) {
        int64_t t_ns = STREAM_START_NS + i * vox_rtp_to_ns(BLOCK);
        assert_int_equal(vox_sender_push(link->sender, pcm, BLOCK, t_ns), 0);
        vox_sender_tick(link->sender, t_ns + vox_rtp_to_ns(BLOCK));
        if (player.rtcp_count > fed) {
            fed = player.rtcp_count;
            assert_int_equal(player.rtcp_path, STREAM_PATH);
            assert_int_equal(vox_sender_feed(link->sender, player.rtcp.bytes, player.rtcp.len,
                                             player.rtcp.send_ns + BACK_NS),
                             1);
        }
    }
}

static void the_sender_learns_loss_and_round_trip(void **state)
{
    (void)state;
    struct link link = {.lose_every = 5};
    struct vox_sender_stats stats;
    run_link(&link, 20);
    vox_sender_read_stats(link.sender, &stats);
    print_message("loss %.1f %%, round trip %.2f ms, %llu reports\n", stats.reported_loss_pct,
                  (double)stats.rtt_ns / 1e6, (unsigned long long)stats.reports);
    assert_true(stats.reports >= 15 && stats.reports <= 40);
    assert_true(fabs(stats.reported_loss_pct - 20) < 3);
    assert_true(llabs(stats.reported_lost - (int64_t)link.lost) <= 20);
    assert_true(llabs(stats.rtt_ns - ONE_WAY_NS - BACK_NS) < VOX_NS_PER_MS / 10);
    assert_true(stats.reported_jitter_ns < VOX_NS_PER_MS);
    vox_sender_destroy(link.sender);
}

static void a_clean_path_has_no_loss(void **state)
{
    (void)state;
    struct link link = {0};
    struct vox_sender_stats stats;
    run_link(&link, 5);
    vox_sender_read_stats(link.sender, &stats);
    assert_true(stats.reported_loss_pct == 0.0);
    assert_int_equal(stats.reported_lost, 0);
    assert_string_equal(player_source(&player)->cname, "someone@somewhere");
    vox_sender_destroy(link.sender);
}

/* ---- what goes out ---- */

static void send_voice(size_t count, uint32_t ssrc, uint32_t path)
{
    for (size_t i = 0; i < count; i++) {
        struct stream_packet packet = stream_at(&voice, i);
        packet_set_ssrc(&packet, ssrc);
        player_push_bytes(&player, packet.bytes, packet.len, packet.send_ns, path);
    }
}

static bool has_bye(const struct stream_packet *rtcp)
{
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    bool bye = false;
    assert_true(vox_rtcp_begin(&reader, rtcp->bytes, rtcp->len) >= 0);
    for (int got; (got = vox_rtcp_next(&reader, &packet)) != 0;) {
        assert_int_equal(got, 1);
        bye |= packet.type == VOX_RTCP_BYE;
    }
    return bye;
}

static void a_report_is_compound_and_names_us(void **state)
{
    (void)state;
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    struct vox_rtcp_xr_reader blocks;
    struct vox_rtcp_xr block;
    send_voice(150, 5, 3);
    assert_true(player.rtcp_count >= 1);
    assert_int_equal(player.rtcp_path, 3);
    assert_true(vox_rtcp_begin(&reader, player.rtcp.bytes, player.rtcp.len) >= 0);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_RR);
    assert_int_equal(packet.as.report.ssrc, 0x99887766);
    assert_int_equal(packet.as.report.block_count, 1);
    assert_int_equal(packet.as.report.blocks[0].ssrc, 5);
    assert_int_equal(packet.as.report.blocks[0].last_sr, 0);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_SDES);
    assert_int_equal(packet.as.sdes.chunks[0].cname_bytes, 6);
    assert_memory_equal(packet.as.sdes.chunks[0].cname, "player", 6);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_XR);
    assert_int_equal(vox_rtcp_xr_begin(&blocks, &packet), 0);
    assert_int_equal(blocks.ssrc, 0x99887766);
    assert_int_equal(vox_rtcp_xr_next(&blocks, &block), 1);
    assert_int_equal(block.type, VOX_RTCP_XR_LOSS);
    assert_int_equal(block.as.loss.ssrc, 5);
    assert_int_equal(vox_rtcp_xr_next(&blocks, &block), 1);
    assert_int_equal(block.type, VOX_RTCP_XR_REFERENCE_TIME);
    assert_int_equal(vox_rtcp_xr_next(&blocks, &block), 0);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 0);
}

static void finish_says_goodbye(void **state)
{
    (void)state;
    send_voice(50, 5, 3);
    size_t before = player.rtcp_count;
    vox_receiver_finish(player.receiver, player.now_ns);
    assert_int_equal(player.rtcp_count, before + 1);
    assert_true(has_bye(&player.rtcp));
}

static void nobody_heard_no_report(void **state)
{
    (void)state;
    player_run(&player, STREAM_START_NS + 10 * VOX_NS_PER_S);
    vox_receiver_finish(player.receiver, player.now_ns);
    assert_int_equal(player.rtcp_count, 0);
    assert_int_equal(vox_receiver_next_deadline_ns(player.receiver), VOX_NS_NEVER);
}

/* ---- what comes in ---- */

static void describe(uint32_t ssrc, const char *cname)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report report = {.ssrc = ssrc};
    vox_rtcp_write_rr(&w, &report);
    vox_rtcp_write_sdes(&w, ssrc, cname);
    assert_false(w.failed);
    assert_int_equal(player_push_bytes(&player, bytes, w.size, player.now_ns, 3), VOX_PUSH_RTCP);
}

static void names_are_made_printable(void **state)
{
    (void)state;
    char longest[256];
    send_voice(10, 5, 3);
    describe(5, "a\x1b[31mb\nc\x7f\xc3\xa9");
    assert_string_equal(player_source(&player)->cname, "a?[31mb?c???");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    describe(5, longest);
    assert_int_equal(strlen(player_source(&player)->cname), 63);
    describe(6, "nobody we know");
    assert_int_equal(strlen(player_source(&player)->cname), 63);
}

static void malformed_rtcp_is_refused(void **state)
{
    (void)state;
    static const uint8_t short_bye[] = {0x81, 203, 0, 9, 0, 0, 0, 5};
    static const uint8_t wrong_version[] = {0x41, 201, 0, 1, 0, 0, 0, 5};
    send_voice(10, 5, 3);
    assert_int_equal(player_push_bytes(&player, short_bye, sizeof short_bye, player.now_ns, 3),
                     VOX_PUSH_BAD_RTCP);
    assert_int_equal(
        player_push_bytes(&player, wrong_version, sizeof wrong_version, player.now_ns, 3),
        VOX_PUSH_BAD_RTCP);
    assert_int_equal(player_stats(&player)->pushed[VOX_PUSH_BAD_RTCP], 2);
    assert_int_equal(player_source(&player)->state, VOX_SOURCE_ACTIVE);
}

/* A sender report vouches for a source of which one packet has come. */
static void a_sender_report_ends_probation(void **state)
{
    (void)state;
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report report = {.ssrc = 5, .ntp = 1};
    send_voice(1, 5, 3);
    assert_int_equal(player_source(&player)->state, VOX_SOURCE_PROBATION);
    vox_rtcp_write_sr(&w, &report);
    player_push_bytes(&player, bytes, w.size, player.now_ns, 3);
    assert_int_equal(player_source(&player)->state, VOX_SOURCE_ACTIVE);
}

static void one_packet_alone_is_forgotten(void **state)
{
    (void)state;
    send_voice(1, 5, 3);
    player_run(&player, player.now_ns + 3 * VOX_NS_PER_S);
    assert_int_equal(player_stats(&player)->source_count, 0);
    assert_int_equal(player.kinds[VOX_EVENT_SOURCE_STARTED], 0);
    assert_int_equal(player.rtcp_count, 0);
    assert_false(vox_receiver_all_ended(player.receiver));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(the_sender_learns_loss_and_round_trip), TEST(a_clean_path_has_no_loss),
    TEST(a_report_is_compound_and_names_us), TEST(finish_says_goodbye),
    TEST(nobody_heard_no_report), TEST(names_are_made_printable), TEST(malformed_rtcp_is_refused),
    TEST(a_sender_report_ends_probation), TEST(one_packet_alone_is_forgotten))
