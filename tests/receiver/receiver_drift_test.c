/* Ten minutes with two clocks that differ by 200 ppm: nothing creeps, nothing is heard of it. */
#include "stream.h"

#include "base/rng.h"
#include "dsp/pcm.h"

#include <math.h>
#include <opus.h>

#define TWO_PI (2 * 3.14159265358979323846)

enum {
    LOOP_MS = 10000,
    SECONDS = 600,
    SETTLED_S = 180,
    CONVERGED_S = 30,
    TICKS = 960,
    TONE_HZ = 1000
};

static struct player player;
static struct stream stream;

/* When the sender's clock shows that much after the start, on ours. */
static int64_t sent_ns(const struct stream_packet *packet, double ppm)
{
    int64_t since_ns = packet->send_ns - STREAM_START_NS;
    return STREAM_START_NS + since_ns - (int64_t)((double)since_ns * ppm * 1e-6);
}

static double uniform_ms(struct vox_rng *rng, double most_ms)
{
    return most_ms * vox_rng_uniform(rng) * 1e6;
}

/* ---- a device ---- */

/* Follows the tone's phase, and so how long ago the sound that is heard was sent. */
struct phase_meter {
    double ppm;
    int hz;
    int64_t heard; /* frames */
    double turns, last;
    double least_ms, most_ms; /* of the delay's change, once settled */
};

static void measure_phase(void *ctx, const float *pcm, int frames, int64_t playout_ns)
{
    struct phase_meter *m = ctx;
    double re = 0, im = 0;
    (void)playout_ns;
    for (int i = 0; i < frames; i++) {
        double turn = (double)((m->heard + i) * TONE_HZ % m->hz) / m->hz;
        re += (double)pcm[i] * cos(TWO_PI * turn);
        im -= (double)pcm[i] * sin(TWO_PI * turn);
    }
    m->heard += frames;
    double t_s = (double)m->heard / m->hz;
    double now = atan2(im, re) / TWO_PI;
    m->turns += remainder(now - m->last, 1.0);
    m->last = now;
    double delay_ms = (TONE_HZ * m->ppm * 1e-6 * t_s - m->turns) / TONE_HZ * 1e3;
    if (t_s < SETTLED_S)
        m->least_ms = m->most_ms = delay_ms;
    m->least_ms = fmin(m->least_ms, delay_ms);
    m->most_ms = fmax(m->most_ms, delay_ms);
}

struct device_row {
    int hz;
    double ppm; /* sender's clock against the device's */
    int delay_ms;
    double jitter_ms;
    int frames;      /* of a pull */
    double stray_ms; /* by which the delay may move once settled */
};

static void play_on_device(const struct device_row *row)
{
    struct vox_receiver_config config;
    struct vox_rng rng;
    struct phase_meter meter = {.ppm = row->ppm, .hz = row->hz};
    vox_rng_init(&rng, 17, 0);
    player_config(&config);
    config.follow_source = false;
    config.output_hz = row->hz;
    config.output_channels = 1;
    config.delay_ns = row->delay_ms < 0 ? -1 : row->delay_ms * VOX_NS_PER_MS;
    player_init(&player, &config, 0);
    player.device_frames = row->frames;
    player.sink = measure_phase;
    player.sink_ctx = &meter;
    uint64_t ops = 0;
    int64_t concealed_ns = 0;
    for (size_t i = 0; i < SECONDS * 50; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        int64_t t_ns = sent_ns(&packet, row->ppm) + (int64_t)uniform_ms(&rng, row->jitter_ms);
        player_push(&player, &packet, t_ns);
        if (i == SETTLED_S * 50) {
            ops = player_source(&player)->stretch_ops;
            concealed_ns = player_source(&player)->concealed_ns;
        }
    }
    const struct vox_source_stats *s = player_source(&player);
    print_message("%d Hz, %+.0f ppm: delay %.2f ms, moved by %.3f ms, correction %.1f ppm\n",
                  row->hz, row->ppm, (double)s->current_ns / 1e6, meter.most_ms - meter.least_ms,
                  s->resample_ppm);
    assert_true(concealed_ns <= 20 * VOX_NS_PER_MS); /* while the skew was not known */
    assert_int_equal(s->concealed_ns, concealed_ns);
    assert_int_equal(s->stretch_ops, ops);
    assert_true(meter.most_ms - meter.least_ms < row->stray_ms);
    assert_true(fabs(s->resample_ppm - row->ppm) < 20 * row->stray_ms);
    assert_true(fabs(s->clock_skew_ppm - row->ppm) < 2);
    assert_true(llabs(s->current_ns - s->target_ns) < 2 * VOX_NS_PER_MS);
    player_free(&player);
}

static void a_device_with_a_clock_of_its_own(void **state)
{
    (void)state;
    static const struct device_row rows[] = {
        {48000, 200, 60, 0, 480, 0.5}, {48000, -200, -1, 0, 256, 1.5},
        {44100, 200, -1, 0, 441, 1.5}, {44100, -200, 60, 5, 512, 1.5},
        {48000, 100, 0, 0, 480, 2.0}, /* less than the device needs */
    };
    stream_tone(TONE_HZ, TICKS, LOOP_MS, &stream);
    for (size_t i = 0; i < COUNT(rows); i++)
        play_on_device(&rows[i]);
    stream_free(&stream);
}

/* The worst pair of clocks, from nothing: half a minute later they run together, and nothing was
 * heard of it. */
static void converge(double ppm, int hz, int frames)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.follow_source = false;
    config.output_hz = hz;
    config.output_channels = 1;
    config.delay_ns = -1;
    player_init(&player, &config, 0);
    player.device_frames = frames;
    for (size_t i = 0; i < CONVERGED_S * 50; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        player_push(&player, &packet, sent_ns(&packet, ppm));
    }
    const struct vox_source_stats *s = player_source(&player);
    print_message("%d Hz, %+.0f ppm: correction %.1f ppm, arrivals say %.1f, delay %.1f of %.1f\n",
                  hz, ppm, s->resample_ppm, s->clock_skew_ppm, (double)s->current_ns / 1e6,
                  (double)s->target_ns / 1e6);
    assert_true(fabs(s->clock_skew_ppm - ppm) < 2);
    /* What is beyond the skew moves the delay to its target: 50 ppm for each ms. */
    double moving_ppm = (double)(s->current_ns - s->target_ns) / 1e6 * 50;
    assert_true(fabs(s->resample_ppm - moving_ppm - ppm) < 50);
    assert_int_equal(s->glitches[VOX_GLITCH_LATE].count, 0);
    player_free(&player);
}

static void converges_in_half_a_minute(void **state)
{
    (void)state;
    stream_tone(TONE_HZ, TICKS, LOOP_MS, &stream);
    converge(500, 48000, 480);
    converge(-500, 48000, 480);
    converge(500, 44100, 128);
    converge(-500, 44100, 1024);
    stream_free(&stream);
}

/* ---- a file, which follows the sender's clock ---- */

struct comparison {
    OpusDecoder *decoder;
    size_t next; /* packet */
    int at, frames;
    int16_t pcm[5760];
    int64_t compared;
};

static void compare(void *ctx, const float *pcm, int frames, int64_t playout_ns)
{
    struct comparison *c = ctx;
    int16_t heard[PLAYER_FRAMES];
    (void)playout_ns;
    vox_pcm_to_s16(pcm, (size_t)frames, heard);
    for (int i = 0; i < frames && c->compared < (int64_t)SECONDS * VOX_RTP_HZ; i++) {
        if (c->at == c->frames) {
            struct vox_rtp rtp = packet_rtp(&stream.packets[c->next++ % stream.count]);
            c->frames = opus_decode(c->decoder, rtp.payload, (opus_int32)rtp.payload_bytes, c->pcm,
                                    5760, 0);
            c->at = 0;
            assert_int_equal(c->frames, TICKS);
        }
        if (heard[i] != c->pcm[c->at++])
            fail_msg("frame %lld differs", (long long)c->compared);
        c->compared++;
    }
}

static void follow(double ppm)
{
    struct vox_receiver_config config;
    struct vox_rng rng;
    struct comparison c = {.decoder = opus_decoder_create(48000, 1, NULL)};
    vox_rng_init(&rng, 18, 0);
    player_config(&config);
    config.output_channels = 1;
    player_init(&player, &config, 0);
    player.sink = compare;
    player.sink_ctx = &c;
    int64_t last_ns = 0;
    for (size_t i = 0; i < SECONDS * 50; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        last_ns = sent_ns(&packet, ppm) + (int64_t)uniform_ms(&rng, 5);
        player_push(&player, &packet, last_ns);
    }
    player_run(&player, last_ns + 100 * VOX_NS_PER_MS);
    const struct vox_source_stats *s = player_source(&player);
    print_message("%+.0f ppm: delay %.2f ms\n", ppm, (double)s->current_ns / 1e6);
    assert_int_equal(c.compared, (int64_t)SECONDS * 48000);
    assert_int_equal(s->frames.played, SECONDS * 50);
    assert_int_equal(s->stretch_ops, 0);
    opus_decoder_destroy(c.decoder);
    player_free(&player);
}

static void a_file_has_no_clock(void **state)
{
    (void)state;
    stream_voice(VOX_PROFILE_MUSIC, TICKS, LOOP_MS, &stream);
    follow(200);
    follow(-200);
    stream_free(&stream);
}

RUN(cmocka_unit_test(a_device_with_a_clock_of_its_own),
    cmocka_unit_test(converges_in_half_a_minute), cmocka_unit_test(a_file_has_no_clock))
