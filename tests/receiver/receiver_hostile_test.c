/* Whatever comes from the network: refused, counted, survived. */
#include "stream.h"

#include "base/err.h"
#include "base/rng.h"

#include <math.h>

enum { TICKS = 960, STREAM_MS = 1000, DATAGRAMS = 50000 };

static struct player player;
static struct stream stream;

static int setup(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    struct vox_sender_config sending;
    static float pcm[STREAM_MS * 48];
    fill_speech(pcm, COUNT(pcm));
    stream_config(&sending, VOX_PROFILE_VOICE, TICKS, 1);
    sending.fec = true;
    stream_record(&sending, pcm, COUNT(pcm), &stream); /* with RTCP */
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

static enum vox_push_result push(const void *bytes, size_t len)
{
    return player_push_bytes(&player, bytes, len, player.now_ns, STREAM_PATH);
}

static void each_refusal_has_its_name(void **state)
{
    (void)state;
    struct stream_packet packet = stream.packets[0];
    assert_int_equal(push("", 0), VOX_PUSH_NOT_RTP);
    assert_int_equal(push("hello, is this the echo server?", 31), VOX_PUSH_NOT_RTP);
    assert_int_equal(push(packet.bytes, 11), VOX_PUSH_NOT_RTP);
    packet.bytes[1] = 0; /* PCMU */
    assert_int_equal(push(packet.bytes, packet.len), VOX_PUSH_FOREIGN_PAYLOAD);
    packet.bytes[1] = 96;
    struct vox_rtp rtp = packet_rtp(&packet);
    size_t header = packet.len - rtp.payload_bytes;
    assert_int_equal(push(packet.bytes, header), VOX_PUSH_NOT_OPUS);
    packet.bytes[header] = 0xff;     /* code 3 ... */
    packet.bytes[header + 1] = 0x31; /* ... of 49 frames */
    assert_int_equal(push(packet.bytes, packet.len), VOX_PUSH_NOT_OPUS);
    assert_int_equal(player_stats(&player)->source_count, 0);

    assert_int_equal(push(stream.packets[0].bytes, stream.packets[0].len), VOX_PUSH_TAKEN);
    packet = stream.packets[2];
    assert_false(packet.rtcp);
    packet.bytes[1] = 97;
    assert_int_equal(push(packet.bytes, packet.len), VOX_PUSH_FOREIGN_PAYLOAD);
    const struct vox_receiver_stats *stats = player_stats(&player);
    assert_int_equal(stats->pushed[VOX_PUSH_NOT_RTP], 3);
    assert_int_equal(stats->pushed[VOX_PUSH_FOREIGN_PAYLOAD], 2);
    assert_int_equal(stats->pushed[VOX_PUSH_NOT_OPUS], 2);
    assert_int_equal(stats->pushed[VOX_PUSH_TAKEN], 1);
    assert_int_equal(stats->sources[0].packets.received, 1);
}

static void a_packet_from_the_far_future_finds_no_room(void **state)
{
    (void)state;
    size_t rtp[2] = {0, 2}; /* the second datagram is the first report */
    for (size_t i = 0; i < 2; i++)
        push(stream.packets[rtp[i]].bytes, stream.packets[rtp[i]].len);
    struct stream_packet packet = stream.packets[2];
    packet_set_seq(&packet, STREAM_FIRST_SEQ + 2000);
    assert_int_equal(push(packet.bytes, packet.len), VOX_PUSH_BUFFER_FULL);
}

/* ---- random datagrams ---- */

static void expect_finite(void *ctx, const float *pcm, int frames, int64_t playout_ns)
{
    (void)ctx;
    (void)playout_ns;
    for (int i = 0; i < 2 * frames; i++)
        assert_true(isfinite(pcm[i]) && fabsf(pcm[i]) <= 64.0F);
}

static size_t random_bytes(struct vox_rng *rng, uint8_t *out, size_t most)
{
    size_t len = (size_t)(vox_rng_uniform(rng) * (double)most);
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)vox_rng_u32(rng);
    return len;
}

/* A true datagram with a few bits wrong, cut off at times. */
static size_t mutated(struct vox_rng *rng, uint8_t *out)
{
    const struct stream_packet *from =
        &stream.packets[(size_t)(vox_rng_uniform(rng) * (double)stream.count)];
    size_t len = from->len;
    memcpy(out, from->bytes, len);
    for (int n = (int)(vox_rng_uniform(rng) * 6); n > 0; n--)
        out[(size_t)(vox_rng_uniform(rng) * (double)len)] ^=
            (uint8_t)(1U << (vox_rng_u32(rng) & 7));
    if (vox_rng_uniform(rng) < 0.1)
        len = (size_t)(vox_rng_uniform(rng) * (double)len);
    return len;
}

/* A well-formed header of a known stream around noise. */
static size_t noise_in_a_frame(struct vox_rng *rng, uint8_t *out)
{
    size_t i = (size_t)(vox_rng_uniform(rng) * (double)stream.count);
    struct stream_packet packet = stream.packets[i];
    packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + (vox_rng_u32(rng) & 0xff)));
    memcpy(out, packet.bytes, packet.len);
    size_t header = packet.len < 28 ? packet.len : 28;
    return header + random_bytes(rng, out + header, 200);
}

static void storm(bool follow, uint64_t seed)
{
    struct vox_receiver_config config;
    struct vox_rng rng;
    uint8_t bytes[VOX_RTP_MAX_BYTES + 400];
    print_message("seed %llu\n", (unsigned long long)seed);
    vox_rng_init(&rng, seed, 0);
    player_config(&config);
    config.follow_source = follow;
    config.delay_ns = -1;
    config.clock_synced = true;
    config.max_sources = 4;
    player_free(&player);
    player_init(&player, &config, 0);
    player.sink = expect_finite;
    int64_t t_ns = STREAM_START_NS;
    for (int i = 0; i < DATAGRAMS; i++) {
        double kind = vox_rng_uniform(&rng);
        size_t len = kind < 0.2   ? random_bytes(&rng, bytes, sizeof bytes)
                     : kind < 0.9 ? mutated(&rng, bytes)
                                  : noise_in_a_frame(&rng, bytes);
        t_ns += (int64_t)(vox_rng_uniform(&rng) * 4e6);
        player_push_bytes(&player, bytes, len, t_ns, vox_rng_u32(&rng) & 3);
    }
    vox_receiver_finish(player.receiver, player.now_ns);
    const struct vox_receiver_stats *stats = player_stats(&player);
    uint64_t pushed = 0;
    for (int i = 0; i < VOX_PUSH_RESULTS; i++)
        pushed += stats->pushed[i];
    assert_int_equal(pushed, DATAGRAMS);
}

static void survives_any_datagram(void **state)
{
    (void)state;
    storm(true, 1);
    storm(false, 2);
}

static void refuses_configurations_out_of_range(void **state)
{
    (void)state;
    struct vox_receiver_config good, bad[12];
    struct vox_receiver *receiver = NULL;
    player_config(&good);
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].output_hz = 7999;
    bad[1].output_hz = 192001;
    bad[2].output_hz = 44100; /* a file follows the sender's clock: nothing is resampled */
    bad[3].output_channels = 0;
    bad[4].output_channels = 3;
    bad[5].max_sources = 0;
    bad[6].max_sources = 65;
    bad[7].payload_type = 128;
    bad[8].payload_type = -2;
    bad[9].capture_time_id = 256;
    bad[10].min_delay_ns = bad[10].max_delay_ns + 1;
    bad[11].cname = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(vox_receiver_create(&bad[i], &receiver), VOX_EINVAL);
    assert_int_equal(vox_receiver_create(NULL, &receiver), VOX_EINVAL);
    assert_null(receiver);
    vox_receiver_destroy(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(each_refusal_has_its_name), TEST(a_packet_from_the_far_future_finds_no_room),
    TEST(survives_any_datagram), TEST(refuses_configurations_out_of_range))
