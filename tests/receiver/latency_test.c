#include "receiver/latency.h"

#include "base/time.h"
#include "stream.h"

#define MS VOX_NS_PER_MS

static struct vox_latency latency;
static struct vox_source_stats out;

static void expect_ms(int64_t ns, double ms)
{
    double is = vox_ns_to_ms(ns);
    if (is < ms * 0.99 - 0.01 || is > ms * 1.01 + 0.01)
        fail_msg("%.3f ms instead of %.3f", is, ms);
}

static void stages_add_up(void **state)
{
    (void)state;
    vox_latency_init(&latency);
    for (int i = 0; i < 100; i++) /* 5 ms on the way, 30 in the buffer */
        vox_latency_add(&latency, 1000 * MS, i * 960, (1005 + 20 * i) * MS, (1035 + 20 * i) * MS);
    vox_latency_add(&latency, 1000 * MS, 100 * 960, 3025 * MS, 3035 * MS);
    vox_latency_read(&latency, &out);
    assert_false(out.total_is_absolute);
    expect_ms(out.delay.network.p50_ns, 5);
    expect_ms(out.delay.network.max_ns, 25);
    expect_ms(out.delay.buffer.p95_ns, 30);
    expect_ms(out.delay.total.p50_ns, 35);
    expect_ms(out.delay.total.p99_ns, 35);
    assert_int_equal(out.delay.buffer.mean_ns / 1000, 29801); /* (100 * 30 + 10) / 101 ms */
}

static void capture_times_make_the_total_absolute(void **state)
{
    (void)state;
    vox_latency_init(&latency);
    vox_latency_add(&latency, 1000 * MS, 0, 1005 * MS, 1035 * MS);
    vox_latency_set_capture_zero(&latency, 900 * MS);
    vox_latency_read(&latency, &out);
    assert_true(out.total_is_absolute);
    assert_int_equal(out.delay.total.max_ns, 0); /* those before are another quantity */
    vox_latency_add(&latency, 1000 * MS, 960, 1025 * MS, 1055 * MS);
    vox_latency_set_capture_zero(&latency, 901 * MS);
    vox_latency_add(&latency, 1000 * MS, 1920, 1045 * MS, 1075 * MS);
    vox_latency_read(&latency, &out);
    expect_ms(out.delay.total.max_ns, 135);
    expect_ms(out.delay.total.p50_ns, 135);
    expect_ms(out.delay.network.p50_ns, 5);
}

/* ---- from end to end: capture by the sender to playout ---- */

static struct player player;

static void play(const struct vox_receiver_config *config, int64_t network_ns)
{
    static float pcm[2 * 48000];
    struct vox_sender_config sending;
    struct stream s;
    fill_speech(pcm, COUNT(pcm));
    stream_config(&sending, VOX_PROFILE_MUSIC, 960, 1);
    sending.wall_offset_ns = INT64_C(1700000000) * VOX_NS_PER_S;
    stream_record(&sending, pcm, COUNT(pcm), &s);
    player_init(&player, config, 0);
    for (size_t i = 0; i < s.count; i++)
        player_push(&player, &s.packets[i], s.packets[i].send_ns + network_ns);
    stream_free(&s);
}

/* A frame of 20 ms is captured, then sent, 7 ms on the way, played 60 ms later; and what is decoded
 * was captured 6.5 ms before the frame: the encoder looks ahead. */
static void mouth_to_ear_is_known(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    player_config(&config);
    config.clock_synced = true;
    config.wall_offset_ns = INT64_C(1700000000) * VOX_NS_PER_S;
    play(&config, 7 * MS);
    const struct vox_source_stats *s = player_source(&player);
    assert_true(s->total_is_absolute);
    expect_ms(s->delay.total.p50_ns, 20 + 7 + 60 + 6.5);
    expect_ms(s->delay.total.max_ns, 20 + 7 + 60 + 6.5);
    expect_ms(s->delay.buffer.p50_ns, 60);
    expect_ms(s->delay.network.p50_ns, 0);
    player_free(&player);
}

static void without_a_common_clock_it_is_relative(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    player_config(&config);
    play(&config, 7 * MS);
    const struct vox_source_stats *s = player_source(&player);
    assert_false(s->total_is_absolute);
    expect_ms(s->delay.total.p50_ns, 60);
    player_free(&player);
}

RUN(cmocka_unit_test(stages_add_up), cmocka_unit_test(capture_times_make_the_total_absolute),
    cmocka_unit_test(mouth_to_ear_is_known),
    cmocka_unit_test(without_a_common_clock_it_is_relative))
