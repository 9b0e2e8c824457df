/*
 * Without loss and with a fixed delay, what comes out is what opus_decode() makes of the packets
 * that opus_encode_float() makes of the same PCM: bit for bit, every frame, no more and no less.
 * (opus_encode() would differ by a hair: it takes 16 bits for the whole truth, where the noise of
 * the recording lies below.)
 */
#include "stream.h"

#include "base/err.h"
#include "dsp/pcm.h"
#include "sender/encoder.h"

#include <opus.h>

/* 2 s: a multiple of every frame length. */
enum { FRAMES = 34 * 2880, MAX_SAMPLES = 2 * FRAMES };

static float input[MAX_SAMPLES];
static int16_t expected[MAX_SAMPLES], heard[MAX_SAMPLES];
static struct player player;

struct identity_row {
    enum vox_profile profile;
    int frame_ticks;
    int channels;
    double gain;
};

/* What libopus alone makes of the input. */
static void make_reference(const struct identity_row *row)
{
    const struct vox_profile_settings *settings = vox_profile_settings(row->profile);
    OpusEncoder *encoder = opus_encoder_create(48000, row->channels, settings->application, NULL);
    OpusDecoder *decoder = opus_decoder_create(48000, row->channels, NULL);
    assert_true(encoder && decoder);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(settings->bitrate_bps[row->channels == 2]));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(settings->complexity));
    for (int at = 0; at < FRAMES; at += row->frame_ticks) {
        uint8_t packet[VOX_ENCODER_MAX_BYTES];
        int sample = at * row->channels;
        int bytes =
            opus_encode_float(encoder, input + sample, row->frame_ticks, packet, sizeof packet);
        assert_true(bytes > 0);
        int n = opus_decode(decoder, packet, bytes, expected + sample, 5760, 0);
        assert_int_equal(n, row->frame_ticks);
    }
    opus_encoder_destroy(encoder);
    opus_decoder_destroy(decoder);
}

static void play(const struct identity_row *row)
{
    struct vox_sender_config sending;
    struct vox_receiver_config receiving;
    struct stream s;
    stream_config(&sending, row->profile, row->frame_ticks, row->channels);
    stream_record(&sending, input, FRAMES, &s);
    player_config(&receiving);
    receiving.output_channels = row->channels;
    player_init(&player, &receiving, FRAMES + 48000);
    for (size_t i = 0; i < s.count; i++)
        player_push(&player, &s.packets[i], s.packets[i].send_ns + 3 * VOX_NS_PER_MS);
    player_run(&player, s.end_ns + VOX_NS_PER_S);
    stream_free(&s);
}

static void expect_clean_end(const struct identity_row *row)
{
    const struct vox_source_stats *source = player_source(&player);
    uint64_t packets = (uint64_t)(FRAMES / row->frame_ticks);
    assert_int_equal(source->packets.received, packets);
    assert_int_equal(source->frames.played, packets);
    assert_int_equal(source->frames.concealed, 0);
    assert_int_equal(source->concealed_ns, 0);
    assert_int_equal(player.played_packets, packets);
    assert_int_equal(source->state, VOX_SOURCE_ENDED);
    assert_int_equal(player_event(&player, VOX_EVENT_SOURCE_ENDED, 0)->value, VOX_END_BYE);
    assert_int_equal(player.kinds[VOX_EVENT_GLITCH], 0);
    assert_true(vox_receiver_all_ended(player.receiver));
}

static void check_identity(const struct identity_row *row)
{
    fill_mixture(input, FRAMES, row->channels, row->gain);
    size_t samples = (size_t)FRAMES * (size_t)row->channels;
    make_reference(row);
    play(row);
    if (player.frames != FRAMES)
        fail_msg("profile %d, frame %d, channels %d: %zu frames instead of %d", row->profile,
                 row->frame_ticks, row->channels, player.frames, FRAMES);
    vox_pcm_to_s16(player.pcm, samples, heard);
    for (size_t i = 0; i < samples; i++)
        if (heard[i] != expected[i])
            fail_msg("profile %d, frame %d, channels %d: sample %zu is %d instead of %d",
                     row->profile, row->frame_ticks, row->channels, i, heard[i], expected[i]);
    expect_clean_end(row);
    player_free(&player);
}

static void every_frame_length_mono_and_stereo(void **state)
{
    (void)state;
    static const int lengths[] = {120, 240, 480, 960, 1920, 2880};
    for (int channels = 1; channels <= 2; channels++)
        for (size_t i = 0; i < COUNT(lengths); i++)
            for (int profile = VOX_PROFILE_VOICE; profile <= VOX_PROFILE_LOWDELAY; profile++)
                check_identity(&(struct identity_row){.profile = (enum vox_profile)profile,
                                                      .frame_ticks = lengths[i],
                                                      .channels = channels,
                                                      .gain = 1});
}

static void sound_that_clips(void **state)
{
    (void)state;
    static const struct identity_row rows[] = {
        {VOX_PROFILE_MUSIC, 960, 1, 6},
        {VOX_PROFILE_MUSIC, 960, 2, 6},
        {VOX_PROFILE_LOWDELAY, 240, 2, 6},
        {VOX_PROFILE_VOICE, 960, 1, 6},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_identity(&rows[i]);
}

/* One channel of a mono stream goes to both of the output, unchanged. */
static void mono_on_two_channels(void **state)
{
    (void)state;
    const struct identity_row row = {VOX_PROFILE_MUSIC, 960, 1, 1};
    struct vox_sender_config sending;
    struct vox_receiver_config receiving;
    struct stream s;
    fill_mixture(input, FRAMES, 1, 1);
    make_reference(&row);
    stream_config(&sending, row.profile, row.frame_ticks, 1);
    stream_record(&sending, input, FRAMES, &s);
    player_config(&receiving);
    player_init(&player, &receiving, FRAMES);
    for (size_t i = 0; i < s.count; i++)
        player_push(&player, &s.packets[i], s.packets[i].send_ns);
    player_run(&player, s.end_ns + VOX_NS_PER_S);
    assert_int_equal(player.frames, FRAMES);
    for (size_t i = 0; i < FRAMES; i++) {
        int16_t pair[2];
        vox_pcm_to_s16(player.pcm + 2 * i, 2, pair);
        assert_int_equal(pair[0], expected[i]);
        assert_int_equal(pair[1], expected[i]);
    }
    stream_free(&s);
    player_free(&player);
}

RUN(cmocka_unit_test(every_frame_length_mono_and_stereo), cmocka_unit_test(sound_that_clips),
    cmocka_unit_test(mono_on_two_channels))
