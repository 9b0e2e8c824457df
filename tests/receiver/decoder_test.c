/* The decoder beside libopus's own opus_decode(), which gives 16 bits: the same, bit for bit. */
#include "receiver/decoder.h"

#include "base/err.h"
#include "base/rt.h"
#include "dsp/pcm.h"
#include "stream.h"
#include "wire/opus_toc.h"

#include <opus.h>

enum { FRAMES = 96000, TICKS = 960 };

static float input[FRAMES], decoded[5760 * 2];
static int16_t expected[5760 * 2], heard[5760 * 2];

static void record(enum vox_profile profile, double gain, struct stream *out)
{
    struct vox_sender_config config;
    fill_mixture(input, FRAMES, 1, gain);
    if (profile == VOX_PROFILE_VOICE)
        fill_speech(input, FRAMES);
    for (size_t i = 0; i < FRAMES && profile == VOX_PROFILE_VOICE; i++) {
        float x = input[i] * (float)gain;
        input[i] = x > 1 ? 1 : x < -1 ? -1 : x;
    }
    stream_config(&config, profile, TICKS, 1);
    config.fec = profile == VOX_PROFILE_VOICE;
    stream_record(&config, input, FRAMES, out);
    stream_drop_rtcp(out);
}

static void expect_same(int n, int wanted, size_t packet)
{
    assert_int_equal(n, TICKS);
    assert_int_equal(wanted, TICKS);
    vox_pcm_to_s16(decoded, TICKS, heard);
    for (int i = 0; i < TICKS; i++)
        if (heard[i] != expected[i])
            fail_msg("packet %zu, sample %d: %d instead of %d", packet, i, heard[i], expected[i]);
}

/* Every fourth packet is lost; repaired from the next one where that can be. */
static void compare(enum vox_profile profile, double gain)
{
    struct stream s;
    struct vox_decoder *decoder = NULL;
    OpusDecoder *reference = opus_decoder_create(48000, 1, NULL);
    record(profile, gain, &s);
    assert_int_equal(vox_decoder_create(&decoder), 0);
    for (size_t i = 0; i + 1 < s.count; i++) {
        struct vox_opus_info info;
        struct vox_rtp rtp = packet_rtp(&s.packets[i]), next = packet_rtp(&s.packets[i + 1]);
        assert_true(vox_opus_parse(next.payload, next.payload_bytes, &info) >= 0);
        bool lost = i % 4 == 3;
        const struct vox_rtp *from = !lost ? &rtp : info.has_lbrr ? &next : NULL;
        const uint8_t *bytes = from ? from->payload : NULL;
        opus_int32 len = from ? (opus_int32)from->payload_bytes : 0;
        int wanted = opus_decode(reference, bytes, len, expected, TICKS, lost && from);
        vox_rt_enter();
        int n = !lost  ? vox_decoder_decode(decoder, bytes, (size_t)len, decoded)
                : from ? vox_decoder_fec(decoder, bytes, (size_t)len, TICKS, decoded)
                       : vox_decoder_conceal(decoder, TICKS, decoded);
        vox_rt_leave();
        expect_same(n, wanted, i);
    }
    opus_decoder_destroy(reference);
    vox_decoder_destroy(decoder);
    stream_free(&s);
}

static void the_same_as_opus_decode(void **state)
{
    (void)state;
    compare(VOX_PROFILE_MUSIC, 1);
    compare(VOX_PROFILE_VOICE, 1);
}

static void the_same_where_it_clips(void **state)
{
    (void)state;
    compare(VOX_PROFILE_MUSIC, 6);
    compare(VOX_PROFILE_VOICE, 8);
}

static void noise_is_an_error_or_audio(void **state)
{
    (void)state;
    static const uint8_t bad[] = {0xff, 0xff, 1, 2, 3};
    struct vox_decoder *decoder = NULL;
    assert_int_equal(vox_decoder_create(&decoder), 0);
    assert_int_equal(vox_decoder_decode(decoder, bad, sizeof bad, decoded), VOX_ECODEC);
    assert_int_equal(vox_decoder_conceal(decoder, 480, decoded), 480);
    vox_decoder_reset(decoder, 2);
    assert_int_equal(vox_decoder_channels(decoder), 2);
    vox_decoder_destroy(decoder);
    vox_decoder_destroy(NULL);
}

RUN(cmocka_unit_test(the_same_as_opus_decode), cmocka_unit_test(the_same_where_it_clips),
    cmocka_unit_test(noise_is_an_error_or_audio))
