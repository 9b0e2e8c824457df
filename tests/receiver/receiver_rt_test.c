/*
 * No allocation from the first datagram to the last: the player calls the engine inside real-time
 * sections, and the allocator of these tests aborts there. What the other tests do not bring
 * together happens here at once: sources that come and go, loss, repair, mono that turns stereo,
 * every rate of a device.
 */
#include "stream.h"

#include "base/rng.h"
#include "base/rt.h"

enum { TICKS = 960, PACKETS = 300 };

static struct player player;
static struct stream voice, stereo;

static int setup(void **state)
{
    (void)state;
    enum { FRAMES = 100 * TICKS };
    static float pcm[2 * FRAMES];
    struct vox_sender_config config;
    fill_mixture(pcm, FRAMES, 2, 1);
    stream_config(&config, VOX_PROFILE_MUSIC, TICKS, 2);
    stream_record(&config, pcm, FRAMES, &stereo);
    stream_drop_rtcp(&stereo);
    stream_voice(VOX_PROFILE_VOICE, TICKS, 2000, &voice);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    stream_free(&voice);
    stream_free(&stereo);
    return 0;
}

static void push_as(const struct stream *s, size_t i, uint32_t ssrc, int64_t later_ns)
{
    struct stream_packet packet = stream_at(s, i);
    packet_set_ssrc(&packet, ssrc);
    player_push_bytes(&player, packet.bytes, packet.len, packet.send_ns + later_ns, ssrc);
}

static void live(bool follow, int output_hz, int64_t delay_ns)
{
    const uint64_t seed = 31;
    struct vox_receiver_config config;
    struct vox_rng rng;
    vox_rng_init(&rng, seed, 0);
    player_config(&config);
    config.follow_source = follow;
    config.output_hz = output_hz;
    config.delay_ns = delay_ns;
    config.max_sources = 8;
    player_init(&player, &config, 0);
    for (size_t i = 0; i < PACKETS; i++) {
        int64_t late_ns = (int64_t)(vox_rng_uniform(&rng) * 30e6);
        if (vox_rng_uniform(&rng) < 0.9)
            push_as(i < 150 ? &voice : &stereo, i, 1, 0);
        if (i >= 50) /* one more, and each second another instead */
            push_as(&stereo, i, 2 + (uint32_t)(i / 50), 0);
        if (vox_rng_uniform(&rng) < 0.9)
            push_as(&voice, i, 2, late_ns);
        if (i == 200) {
            vox_rt_enter();
            vox_receiver_underrun(player.receiver, player.now_ns, VOX_NS_PER_MS);
            vox_receiver_read_stats(player.receiver, &player.stats);
            vox_rt_leave();
        }
    }
    player_run(&player, player.now_ns + 7 * VOX_NS_PER_S);
    vox_rt_enter();
    vox_receiver_finish(player.receiver, player.now_ns);
    vox_receiver_set_path_local(player.receiver, 3, true);
    vox_rt_leave();
    assert_true(player.kinds[VOX_EVENT_SOURCE_STARTED] >= 7);
    assert_true(player.kinds[VOX_EVENT_SOURCE_ENDED] >= 6);
    assert_true(player.kinds[VOX_EVENT_GLITCH] > 10);
    assert_true(player.rtcp_count > 0);
    player_free(&player);
}

static void a_file(void **state)
{
    (void)state;
    live(true, 48000, 60 * VOX_NS_PER_MS);
    live(true, 48000, -1);
}

static void a_device(void **state)
{
    static const int rates[] = {8000, 44100, 48000, 96000, 192000};
    (void)state;
    for (size_t i = 0; i < COUNT(rates); i++)
        live(false, rates[i], -1);
    live(false, 48000, 60 * VOX_NS_PER_MS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(a_file), TEST(a_device))
