#include "sender/encoder.h"

#include "capture.h"

enum { SECONDS = 4, SAMPLES = 48000 * SECONDS };

static float voice[2 * SAMPLES];

/* Of 100 packets with sound, how many carry in-band FEC and how many are stereo. */
struct made {
    int lbrr_pct, stereo_pct;
};

static struct made encode(const struct vox_encoder_config *with)
{
    struct vox_encoder *encoder = NULL;
    struct vox_encoder_config config = *with;
    config.input_bits = 24;
    assert_int_equal(vox_encoder_create(&config, &encoder), 0);
    uint8_t packet[VOX_ENCODER_MAX_BYTES];
    int count = 0, lbrr = 0, stereo = 0;
    for (int at = 0; at + config.frame_ticks <= SAMPLES; at += config.frame_ticks) {
        struct vox_encoded result;
        assert_int_equal(vox_encoder_encode(encoder, voice + at * config.channels, packet,
                                            sizeof packet, &result),
                         0);
        struct vox_opus_info info;
        assert_int_equal(vox_opus_parse(packet, result.bytes, &info), 0);
        assert_int_equal(result.channels, info.channels);
        count++;
        lbrr += result.has_lbrr;
        stereo += result.channels == 2;
    }
    vox_encoder_destroy(encoder);
    return (struct made){.lbrr_pct = 100 * lbrr / count, .stereo_pct = 100 * stereo / count};
}

struct lbrr_row {
    enum vox_profile profile;
    int frame_ticks;
    int bitrate_bps;
    bool fec;
    int expected_loss_pct;
    bool expect; /* in-band FEC in a good part of the packets; else in none */
};

static void in_band_fec_is_counted_where_it_really_is(void **state)
{
    (void)state;
    static const struct lbrr_row rows[] = {
        {VOX_PROFILE_VOICE, 960, 32000, true, 8, true},
        {VOX_PROFILE_VOICE, 2880, 32000, true, 8, true},
        {VOX_PROFILE_VOICE, 960, 24000, true, 10, true},
        {VOX_PROFILE_VOICE, 960, 32000, true, 50, true}, /* told 8 */
        {VOX_PROFILE_VOICE, 960, 32000, true, 1, true},
        {VOX_PROFILE_VOICE, 960, 32000, false, 8, false},
        {VOX_PROFILE_VOICE, 960, 32000, true, 0, false},
        {VOX_PROFILE_VOICE, 960, 16000, true, 8, false},
        {VOX_PROFILE_VOICE, 960, 24000, true, 5, false},
        {VOX_PROFILE_MUSIC, 960, 96000, true, 8, true}, /* it is speech after all */
    };
    fill_voice(voice, SAMPLES, 1, 48000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct vox_encoder_config config = {.profile = rows[i].profile,
                                                  .channels = 1,
                                                  .frame_ticks = rows[i].frame_ticks,
                                                  .bitrate_bps = rows[i].bitrate_bps,
                                                  .complexity = 9,
                                                  .fec = rows[i].fec,
                                                  .expected_loss_pct = rows[i].expected_loss_pct};
        int pct = encode(&config).lbrr_pct;
        if (rows[i].expect ? pct < 30 : pct != 0)
            fail_msg("row %zu: %d %% of the packets carry FEC", i, pct);
    }
}

static const int frames[] = {120, 240, 480, 960, 1920, 2880};

static void in_band_fec_begins_where_we_say(void **state)
{
    (void)state;
    fill_voice(voice, SAMPLES, 1, 48000);
    for (int profile = VOX_PROFILE_VOICE; profile <= VOX_PROFILE_LOWDELAY; profile++)
        for (size_t f = 0; f < COUNT(frames); f++) {
            struct vox_encoder_config config = {.profile = (enum vox_profile)profile,
                                                .channels = 1,
                                                .frame_ticks = frames[f],
                                                .complexity = 9,
                                                .fec = true,
                                                .expected_loss_pct = 8};
            int least_bps = vox_encoder_fec_bps(config.profile, frames[f]);
            config.bitrate_bps = least_bps > 0 ? least_bps : 96000;
            int from_there = encode(&config).lbrr_pct;
            config.bitrate_bps = least_bps > 0 ? least_bps - 1000 : 24000;
            int below = encode(&config).lbrr_pct;
            if (below != 0 || (least_bps > 0 ? from_there < 30 : from_there != 0))
                fail_msg("profile %d, %d ticks: %d %% below, %d %% from there", profile, frames[f],
                         below, from_there);
        }
}

static void stereo_begins_where_we_say(void **state)
{
    (void)state;
    fill_voice(voice, SAMPLES, 2, 48000);
    for (int profile = VOX_PROFILE_VOICE; profile <= VOX_PROFILE_LOWDELAY; profile++)
        for (size_t f = 0; f < COUNT(frames); f++) {
            struct vox_encoder_config config = {.profile = (enum vox_profile)profile,
                                                .channels = 2,
                                                .frame_ticks = frames[f],
                                                .complexity = 0, /* worst in this */
                                                .fec = true,
                                                .expected_loss_pct = 8};
            config.bitrate_bps = vox_encoder_stereo_bps(frames[f]);
            int from_there = encode(&config).stereo_pct;
            config.bitrate_bps -= 7000;
            config.complexity = 10;
            config.fec = false;
            int below = encode(&config).stereo_pct;
            if (from_there != 100 || below > 10)
                fail_msg("profile %d, %d ticks: %d %% below, %d %% from there", profile, frames[f],
                         below, from_there);
        }
}

static void the_codec_is_told_less_than_the_truth(void **state)
{
    (void)state;
    assert_int_equal(vox_encoder_told_loss_pct(0, 32000), 0);
    assert_int_equal(vox_encoder_told_loss_pct(5, 32000), 5);
    assert_int_equal(vox_encoder_told_loss_pct(30, 32000), 8);
    assert_int_equal(vox_encoder_told_loss_pct(30, 24000), 10);
    assert_int_equal(vox_encoder_told_loss_pct(30, 24001), 8);
}

static void refuses_what_the_codec_cannot(void **state)
{
    (void)state;
    const struct vox_encoder_config good = {.profile = VOX_PROFILE_VOICE,
                                            .channels = 1,
                                            .frame_ticks = 960,
                                            .bitrate_bps = 32000,
                                            .complexity = 5,
                                            .input_bits = 24};
    struct vox_encoder_config bad[10];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].channels = 3;
    bad[1].frame_ticks = 961;
    bad[2].bitrate_bps = 5999;
    bad[3].bitrate_bps = 510001;
    bad[4].complexity = 11;
    bad[5].expected_loss_pct = 101;
    bad[6].profile = (enum vox_profile)3;
    bad[7].complexity = -1;
    bad[8].frame_ticks = 2880; /* 60 ms of 200 kbit/s do not fit into a datagram */
    bad[9].input_bits = 32;
    bad[8].bitrate_bps = 200000;
    struct vox_encoder *encoder = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(vox_encoder_create(&bad[i], &encoder), VOX_EINVAL);
    assert_null(encoder);
    vox_encoder_destroy(NULL);
}

static void profiles_have_their_settings(void **state)
{
    (void)state;
    assert_string_equal(vox_profile_settings(VOX_PROFILE_MUSIC)->name, "music");
    assert_int_equal(vox_profile_settings(VOX_PROFILE_LOWDELAY)->frame_ticks, 240);
    assert_null(vox_profile_settings((enum vox_profile)3));
    assert_null(vox_profile_settings((enum vox_profile) - 1));
}

RUN(cmocka_unit_test(in_band_fec_is_counted_where_it_really_is),
    cmocka_unit_test(in_band_fec_begins_where_we_say), cmocka_unit_test(stereo_begins_where_we_say),
    cmocka_unit_test(the_codec_is_told_less_than_the_truth),
    cmocka_unit_test(refuses_what_the_codec_cannot), cmocka_unit_test(profiles_have_their_settings))
