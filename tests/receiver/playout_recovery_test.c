/* How playout comes back from bad times: outages, stalls, a path that changes, heavy loss. */
#include "stream.h"

#include "base/rng.h"

#include <math.h>

enum { STREAM_MS = 2000, PACKET_MS = 20 };

#define PACKET_NS (PACKET_MS * VOX_NS_PER_MS)

static struct player player;
static struct stream stream;

static int setup(void **state)
{
    (void)state;
    stream_voice(VOX_PROFILE_MUSIC, PACKET_MS * 48, STREAM_MS, &stream);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    player_free(&player);
    stream_free(&stream);
    return 0;
}

static void begin(int64_t delay_ms, size_t keep_frames)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.delay_ns = delay_ms < 0 ? -1 : delay_ms * VOX_NS_PER_MS;
    player_init(&player, &config, keep_frames);
}

/* Packets `from` to `to` (not included), each later_ns after its time. */
static void send(size_t from, size_t to, int64_t later_ns)
{
    for (size_t i = from; i < to; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        player_push(&player, &packet, packet.send_ns + later_ns);
    }
}

/* The same, all of them at once when the last is due. */
static void send_in_a_heap(size_t from, size_t to)
{
    int64_t t_ns = stream_at(&stream, to - 1).send_ns;
    for (size_t i = from; i < to; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        player_push(&player, &packet, t_ns);
    }
}

static double current_ms(void)
{
    return (double)player_source(&player)->current_ns / 1e6;
}

static double target_ms(void)
{
    return (double)player_source(&player)->target_ns / 1e6;
}

static void expect_delay(double low_ms, double high_ms)
{
    double ms = current_ms();
    if (ms < low_ms || ms > high_ms)
        fail_msg("the delay is %.1f ms, not %.1f..%.1f (target %.1f)", ms, low_ms, high_ms,
                 target_ms());
}

static double peak_of(const float *pcm, size_t frames)
{
    double peak = 0;
    for (size_t i = 0; i < frames; i++)
        peak = fmax(peak, fabs((double)pcm[2 * i]));
    return peak;
}

/* ---- outages ---- */

static void outage_of_3_s(int64_t delay_ms)
{
    begin(delay_ms, 10 * 48000);
    send(0, 150, 0);
    double normal = peak_of(player.pcm, player.frames);
    size_t outage_at = player.frames;
    send(300, 400, 0);
    player_run(&player, stream_at(&stream, 400).send_ns);

    /* concealment fades within half a second, comfort noise within another; then nothing until
     * there is audio again */
    assert_true(peak_of(player.pcm + 2 * (outage_at + 33600), 9600) < 0.3 * normal);
    assert_true(peak_of(player.pcm + 2 * (outage_at + 57600), 48000) == 0.0);
    assert_true(peak_of(player.pcm, player.frames) < 1.5 * normal);
    vox_receiver_finish(player.receiver, player.now_ns);
    const struct vox_source_stats *s = player_source(&player);
    assert_int_equal(s->packets.lost, 150);
    assert_int_equal(s->packets.late, 0);
    assert_int_equal(s->glitches[VOX_GLITCH_LOST].count, 1);
    assert_int_equal(s->glitches[VOX_GLITCH_LATE].count, 0);
    double lost_ms = (double)s->glitches[VOX_GLITCH_LOST].ns / 1e6;
    assert_true(lost_ms > 2970 && lost_ms < 3030);
    assert_true(s->frames.played > 240); /* of 250: the last ones are still waiting */
    expect_delay(target_ms() - 6, target_ms() + 11);
}

static void an_outage_ends_where_it_began_fixed(void **state)
{
    (void)state;
    outage_of_3_s(60);
    expect_delay(59, 61);
}

static void an_outage_ends_where_it_began_adaptive(void **state)
{
    (void)state;
    outage_of_3_s(-1);
}

/* The network stands still, then delivers all at once. */
static void a_stall_does_not_stay_in_a_fixed_delay(void **state)
{
    (void)state;
    static const size_t stalls[] = {30, 50, 60, 150};
    for (size_t i = 0; i < COUNT(stalls); i++) {
        begin(60, 0);
        send(0, 100, 0);
        send_in_a_heap(100, 100 + stalls[i]);
        send(100 + stalls[i], 400, 0);
        vox_receiver_finish(player.receiver, player.now_ns);
        const struct vox_source_stats *s = player_source(&player);
        expect_delay(59, 61);
        assert_int_equal(s->packets.lost, 0);
        assert_int_equal(s->glitches[VOX_GLITCH_LATE].count, 1);
        assert_int_equal(s->glitches[VOX_GLITCH_LOST].count, 0);
        assert_int_equal(s->glitches[VOX_GLITCH_SENDER_GAP].count, 0);
        assert_in_range(s->packets.late, stalls[i] - 5, stalls[i]);
        /* it was needed 60 ms after its time, which was the first of the stall */
        int64_t late_ns = player_event(&player, VOX_EVENT_GLITCH, 0)->late_ns;
        int64_t wanted_ns = (int64_t)(stalls[i] - 1) * PACKET_NS - 60 * VOX_NS_PER_MS;
        assert_true(llabs(late_ns - wanted_ns) <= 11 * VOX_NS_PER_MS);
        if (i + 1 < COUNT(stalls))
            player_free(&player);
    }
}

static void a_stall_is_forgotten_by_an_adaptive_delay(void **state)
{
    (void)state;
    begin(-1, 0);
    send(0, 500, 0);
    double before = current_ms();
    send_in_a_heap(500, 550);
    send(550, 6000, 0);
    expect_delay(0, before + 20);
    assert_int_equal(player_source(&player)->packets.lost, 0);
}

/* ---- a path that changes ---- */

/* All packets are later than the delay allows from now on: silence would be for ever. */
static void a_fixed_delay_follows_a_slower_path(void **state)
{
    (void)state;
    begin(40, 0);
    send(0, 100, 0);
    send(100, 250, 100 * VOX_NS_PER_MS);
    uint64_t played = player_source(&player)->frames.played;
    send(250, 1000, 100 * VOX_NS_PER_MS);
    assert_int_equal(player_source(&player)->frames.played - played, 750);
    expect_delay(35, 45);
}

/* Packets come half too late, so that something of each is played. */
static void a_fixed_delay_follows_a_little_slower_path(void **state)
{
    (void)state;
    begin(20, 0);
    send(0, 100, 0);
    send(100, 650, 30 * VOX_NS_PER_MS);
    int64_t concealed_ns = player_source(&player)->concealed_ns;
    send(650, 1000, 30 * VOX_NS_PER_MS);
    assert_int_equal(player_source(&player)->concealed_ns, concealed_ns);
    expect_delay(19, 21);
}

/* ---- jitter ---- */

static void jittery(size_t from, size_t to, int64_t most_ms, struct vox_rng *rng)
{
    int64_t last_ns = 0;
    for (size_t i = from; i < to; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        int64_t by_ns = (int64_t)(vox_rng_uniform(rng) * (double)most_ms * 1e6);
        int64_t t_ns = packet.send_ns + by_ns;
        last_ns = t_ns > last_ns ? t_ns : last_ns; /* never overtakes */
        player_push(&player, &packet, last_ns);
    }
}

static void an_adaptive_delay_grows_at_once_and_shrinks_later(void **state)
{
    (void)state;
    struct vox_rng rng;
    vox_rng_init(&rng, 7, 0);
    begin(-1, 0);
    send(0, 500, 0);
    double quiet = target_ms();
    assert_true(quiet < 20);
    jittery(500, 600, 100, &rng);
    assert_true(target_ms() > 60);
    int64_t concealed_ns = player_source(&player)->concealed_ns;
    jittery(600, 1000, 100, &rng);
    int64_t more_ns = player_source(&player)->concealed_ns - concealed_ns;
    assert_true(more_ns < 450 * VOX_NS_PER_MS); /* of 8 s; from draw to draw 0 to 370 */
    send(1000, 20000, 0);
    assert_true(target_ms() < quiet + 5);
    expect_delay(0, quiet + 15);
    assert_true(player_source(&player)->stretch_ops > 0);
}

/* What the sound card did not fetch in time stands in the buffer: it is played off a little faster,
 * whatever the delay was set to. */
static void a_stall_of_the_device_does_not_stay(int64_t delay_ms)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.follow_source = false;
    config.delay_ns = delay_ms < 0 ? -1 : delay_ms * VOX_NS_PER_MS;
    player_init(&player, &config, 0);
    send(0, 500, 0);
    double before_ms = current_ms();
    player.device_start_ns += 150 * VOX_NS_PER_MS;
    send(500, 520, 0);
    expect_delay(before_ms + 60, before_ms + 155);
    send(520, 700, 0);
    expect_delay(target_ms() - 5, target_ms() + 12);
    assert_int_equal(player_source(&player)->packets.late, 0);
    player_free(&player);
}

static void a_stall_of_the_device_does_not_stay_in_the_delay(void **state)
{
    (void)state;
    a_stall_of_the_device_does_not_stay(60);
    a_stall_of_the_device_does_not_stay(-1);
}

/* A file is given whole packets where they are at hand. The rest of a late one is not a whole one:
 * what follows it may still come in its own time. */
static void a_late_packet_does_not_make_the_next_one_late(void **state)
{
    (void)state;
    begin(60, 0);
    send(0, 100, 0);
    send(100, 101, 66 * VOX_NS_PER_MS);
    send(101, 102, 55 * VOX_NS_PER_MS);
    send(102, 200, 40 * VOX_NS_PER_MS);
    player_run(&player, player.now_ns + 100 * VOX_NS_PER_MS);
    const struct vox_source_stats *s = player_source(&player);
    assert_int_equal(s->concealed_ns, 75 * VOX_NS_PER_MS / 10); /* for 6 ms, in steps of 2.5 ms */
    assert_int_equal(s->glitches[VOX_GLITCH_LATE].count, 1);
    assert_int_equal(s->frames.played, 200);
}

static void survives_60_pct_loss(void **state)
{
    (void)state;
    const uint64_t seed = 11;
    struct vox_rng rng;
    uint64_t sent = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    vox_rng_init(&rng, seed, 0);
    begin(60, 0);
    for (size_t i = 0; i < 2000; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        bool ends = i < 2 || i > 1990;
        if (!ends && vox_rng_uniform(&rng) < 0.6)
            continue;
        sent++;
        player_push(&player, &packet, packet.send_ns);
    }
    player_run(&player, player.now_ns + 61 * VOX_NS_PER_MS);
    const struct vox_source_stats *s = player_source(&player);
    assert_int_equal(s->packets.received, sent);
    assert_int_equal(s->packets.lost, 2000 - sent);
    assert_int_equal(s->frames.played, sent);
    assert_int_equal(s->frames.concealed, 2000 - sent);
    expect_delay(59, 61);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(an_outage_ends_where_it_began_fixed), TEST(an_outage_ends_where_it_began_adaptive),
    TEST(a_stall_does_not_stay_in_a_fixed_delay), TEST(a_stall_is_forgotten_by_an_adaptive_delay),
    TEST(a_fixed_delay_follows_a_slower_path), TEST(a_fixed_delay_follows_a_little_slower_path),
    TEST(a_stall_of_the_device_does_not_stay_in_the_delay),
    TEST(a_late_packet_does_not_make_the_next_one_late),
    TEST(an_adaptive_delay_grows_at_once_and_shrinks_later), TEST(survives_60_pct_loss))
