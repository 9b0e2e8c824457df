#include "base/err.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/opus_toc.h"

#include <math.h>
#include <opus.h>

enum { HZ = 48000, MAX_PACKET = 1500, MAX_TICKS = 5760 };

/* ---- packet structure ---- */

static void knows_durations_of_all_configs(void **state)
{
    (void)state;
    static const int ticks[32] = {
        480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, /* SILK NB, MB, WB */
        480, 960, 480,  960,                                              /* hybrid SWB, FB */
        120, 240, 480,  960,  120, 240, 480,  960,  120, 240, 480,  960,  /* CELT NB, WB, SWB */
        120, 240, 480,  960,                                              /* CELT FB */
    };
    for (int config = 0; config < 32; config++) {
        for (int stereo = 0; stereo < 2; stereo++) {
            uint8_t packet[] = {(uint8_t)(config << 3 | stereo << 2), 0x00, 0x00};
            struct vox_opus_info info;
            assert_int_equal(vox_opus_parse(packet, sizeof packet, &info), 0);
            assert_int_equal(info.config, config);
            assert_int_equal(info.channels, stereo + 1);
            assert_int_equal(info.frame_count, 1);
            assert_int_equal(info.frame_ticks, ticks[config]);
            assert_int_equal(info.duration_ticks, ticks[config]);
            assert_int_equal(info.mode, config < 12   ? VOX_OPUS_SILK
                                        : config < 16 ? VOX_OPUS_HYBRID
                                                      : VOX_OPUS_CELT);
        }
    }
}

struct row {
    const char *what;
    size_t len;
    int frames;        /* or the error */
    uint8_t bytes[12]; /* the rest is zero */
};

static const struct row rows[] = {
    {"R1: nothing", 0, VOX_EFORMAT, {0}},
    {"code 0", 4, 1, {0x48}},
    {"code 0, empty frame", 1, 1, {0x48}},
    {"R2: code 0, largest", 1276, 1, {0x48}},
    {"R2: code 0, too large", 1277, VOX_EFORMAT, {0x48}},
    {"code 1", 7, 2, {0x49}},
    {"R3: code 1, odd", 8, VOX_EFORMAT, {0x49}},
    {"code 2, 2 + 3 bytes", 7, 2, {0x4a, 2}},
    {"code 2, empty second", 4, 2, {0x4a, 2}},
    {"R4: code 2 without size", 1, VOX_EFORMAT, {0x4a}},
    {"R4: code 2, first too long", 4, VOX_EFORMAT, {0x4a, 3}},
    {"code 2, size of two bytes (256)", 260, 2, {0x4a, 252, 1}},
    {"R4: code 2, half a size", 2, VOX_EFORMAT, {0x4a, 252}},
    {"R6: code 3 without count", 1, VOX_EFORMAT, {0x4b}},
    {"R5: code 3 of none", 2, VOX_EFORMAT, {0x4b, 0}},
    {"code 3, 6 x 20 ms", 14, 6, {0x4b, 6}},
    {"R5: code 3, 7 x 20 ms", 16, VOX_EFORMAT, {0x4b, 7}},
    {"code 3, 48 x 2.5 ms", 50, 48, {0xe3, 48}},
    {"R5: code 3, 49 x 2.5 ms", 51, VOX_EFORMAT, {0xe3, 49}},
    {"R6: code 3, CBR, not a multiple", 9, VOX_EFORMAT, {0x4b, 3}},
    {"code 3, CBR, padding of 2", 11, 3, {0x4b, 0x43, 2}},
    {"R6: code 3, all padding and more", 5, VOX_EFORMAT, {0x4b, 0x43, 3}},
    {"code 3, padding of 254 + 1", 262, 3, {0x4b, 0x43, 255, 1}},
    {"R6: code 3, padding without end", 3, VOX_EFORMAT, {0x4b, 0x43, 255}},
    {"code 3, VBR 1 + 2 + rest", 10, 3, {0x4b, 0x83, 1, 2}},
    {"code 3, VBR, padded", 13, 3, {0x4b, 0xc3, 2, 1, 2}},
    {"R7: code 3, VBR, too long", 6, VOX_EFORMAT, {0x4b, 0x83, 1, 2}},
};

static void checks_requirements_1_to_7(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t packet[MAX_PACKET] = {0};
        struct vox_opus_info info = {.frame_count = -99};
        memcpy(packet, rows[i].bytes, sizeof rows[i].bytes);
        int err = vox_opus_parse(packet, rows[i].len, &info);
        if (rows[i].frames < 0 ? err != rows[i].frames || info.frame_count != -99
                               : err != 0 || info.frame_count != rows[i].frames)
            fail_msg("%s: %d, %d frames", rows[i].what, err, info.frame_count);
    }
}

static void dtx_is_a_packet_without_audio(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        bool is_dtx;
        uint8_t bytes[6];
    } dtx_rows[] = {
        {1, true, {0x48}},          {2, true, {0x48, 0xff}},          {3, false, {0x48, 0, 0}},
        {2, true, {0x4b, 2}},       {4, true, {0x4b, 2, 0xff, 0xff}}, {6, false, {0x4b, 2, 0, 0}},
        {5, true, {0x4b, 0x82, 1}}, {6, false, {0x4b, 0x82, 1}},
    };
    for (size_t i = 0; i < COUNT(dtx_rows); i++) {
        struct vox_opus_info info;
        assert_int_equal(vox_opus_parse(dtx_rows[i].bytes, dtx_rows[i].len, &info), 0);
        assert_int_equal(info.is_dtx, dtx_rows[i].is_dtx);
        if (info.is_dtx)
            assert_false(info.has_lbrr);
    }
}

static void lbrr_flag_follows_the_vad_flags(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t toc, lbrr_bits; /* the bits of the first byte that say LBRR */
    } flag_rows[] = {
        {"10 ms mono", 0x40, 0x40},    {"20 ms mono", 0x48, 0x40},   {"40 ms mono", 0x50, 0x20},
        {"60 ms mono", 0x58, 0x10},    {"10 ms stereo", 0x44, 0x50}, {"20 ms stereo", 0x4c, 0x50},
        {"40 ms stereo", 0x54, 0x24},  {"60 ms stereo", 0x5c, 0x11}, {"hybrid 20 ms", 0x78, 0x40},
        {"hybrid stereo", 0x7c, 0x50}, {"CELT", 0xf8, 0x00},         {"CELT stereo", 0xfc, 0x00},
    };
    for (size_t i = 0; i < COUNT(flag_rows); i++) {
        for (int byte = 0; byte < 256; byte++) {
            const uint8_t packet[] = {flag_rows[i].toc, (uint8_t)byte, 0x00};
            struct vox_opus_info info;
            assert_int_equal(vox_opus_parse(packet, sizeof packet, &info), 0);
            if (info.has_lbrr != ((byte & flag_rows[i].lbrr_bits) != 0))
                fail_msg("%s: %02x", flag_rows[i].what, (unsigned)byte);
        }
    }
}

/* ---- libopus as the reference ---- */

static void agree_with_libopus(const uint8_t *packet, size_t len)
{
    struct vox_opus_info info;
    opus_int16 sizes[VOX_OPUS_MAX_FRAMES];
    int frames = opus_packet_parse(packet, (opus_int32)len, NULL, NULL, sizes, NULL);
    int err = vox_opus_parse(packet, len, &info);
    assert_int_equal(err < 0, frames < 0);
    if (err < 0)
        return;
    assert_int_equal(info.frame_count, frames);
    assert_int_equal(info.channels, opus_packet_get_nb_channels(packet));
    assert_int_equal(info.frame_ticks, opus_packet_get_samples_per_frame(packet, HZ));
    assert_int_equal(info.duration_ticks, opus_packet_get_nb_samples(packet, (opus_int32)len, HZ));
}

static void accepts_what_libopus_accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t packet[MAX_PACKET] = {0};
        memcpy(packet, rows[i].bytes, sizeof rows[i].bytes);
        hostile_feed(packet, rows[i].len, agree_with_libopus);
        if (rows[i].len < 64)
            hostile_feed_prefixes(packet, rows[i].len, agree_with_libopus);
    }
    hostile_feed_noise(100000, agree_with_libopus);
}

/* Long packets, all codes alike, first size bytes near the steps of their coding. */
static void accepts_what_libopus_accepts_at_full_size(void **state)
{
    (void)state;
    static const uint8_t sizes[] = {0, 1, 2, 250, 251, 252, 253, 254, 255};
    struct vox_rng rng;
    vox_rng_init(&rng, 5, 0);
    for (int round = 0; round < 50000; round++) {
        uint8_t packet[MAX_PACKET + 1200] = {0};
        packet[0] = (uint8_t)vox_rng_u32(&rng);
        for (size_t i = 1; i < 12; i++)
            packet[i] = sizes[vox_rng_u32(&rng) % COUNT(sizes)];
        if ((packet[0] & 3) == 3)
            packet[1] = (uint8_t)((vox_rng_u32(&rng) & 0xc0) | vox_rng_u32(&rng) % 8);
        hostile_feed(packet, 1 + vox_rng_u32(&rng) % (sizeof packet - 1), agree_with_libopus);
    }
}

/* ---- real packets ---- */

/* Like speech: pulses of a gliding pitch and noise, in syllables with short pauses. */
static void fill_speech(int64_t at, int ticks, int channels, struct vox_rng *rng, float *pcm)
{
    for (int i = 0; i < ticks; i++) {
        double t = (double)(at + i) / HZ;
        double syllable = fmax(0, sin(2 * 3.14159265 * 3.1 * t));
        double pitch = fmod(t * (130 + 30 * sin(t)), 1.0);
        double voice = exp(-12 * pitch) - 0.08 + 0.05 * (vox_rng_uniform(rng) - 0.5);
        for (int c = 0; c < channels; c++)
            pcm[i * channels + c] = (float)((c == 0 ? 0.5 : 0.2) * syllable * voice +
                                            0.004 * (vox_rng_uniform(rng) - 0.5));
    }
}

struct codec {
    OpusEncoder *encoder;
    OpusDecoder *decoder; /* has decoded all packets so far but the last */
    OpusDecoder *scratch;
    int channels;
    int ticks;
    struct vox_rng rng;
};

static void codec_open(struct codec *c, int channels, int ticks, bool fec)
{
    int err;
    *c = (struct codec){.channels = channels, .ticks = ticks};
    c->encoder = opus_encoder_create(HZ, channels, OPUS_APPLICATION_VOIP, &err);
    c->decoder = opus_decoder_create(HZ, channels, &err);
    c->scratch = opus_decoder_create(HZ, channels, &err);
    assert_true(c->encoder && c->decoder && c->scratch);
    opus_encoder_ctl(c->encoder, OPUS_SET_BITRATE(32000));
    opus_encoder_ctl(c->encoder, OPUS_SET_INBAND_FEC(fec));
    opus_encoder_ctl(c->encoder, OPUS_SET_PACKET_LOSS_PERC(20));
    opus_encoder_ctl(c->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(c->encoder, OPUS_SET_FORCE_CHANNELS(channels));
    vox_rng_init(&c->rng, 3, 0);
}

static void codec_close(struct codec *c)
{
    opus_encoder_destroy(c->encoder);
    opus_decoder_destroy(c->decoder);
    opus_decoder_destroy(c->scratch);
}

static int encode(struct codec *c, int index, uint8_t packet[MAX_PACKET])
{
    static float pcm[2 * MAX_TICKS];
    fill_speech((int64_t)index * c->ticks, c->ticks, c->channels, &c->rng, pcm);
    int len = opus_encode_float(c->encoder, pcm, c->ticks, packet, MAX_PACKET);
    assert_true(len > 0);
    return len;
}

/* The lost packet as a decoder in c->decoder's state makes it: from FEC or nothing. */
static void decode_lost(struct codec *c, const uint8_t *packet, int len, float *pcm)
{
    memcpy(c->scratch, c->decoder, (size_t)opus_decoder_get_size(c->channels));
    assert_int_equal(opus_decode_float(c->scratch, packet, len, pcm, c->ticks, packet != NULL),
                     c->ticks);
}

struct counts {
    int packets;
    int lbrr;     /* as we read it from the packets */
    int disagree; /* packets of which the decoder says otherwise */
};

/*
 * Decodes packet after packet as if the one before had been lost: a decoder told to use FEC gives
 * something other than plain concealment exactly when there is LBRR data.
 */
static struct counts count_lbrr(int channels, int ticks, bool fec)
{
    static float with_fec[2 * MAX_TICKS], concealed[2 * MAX_TICKS], pcm[2 * MAX_TICKS];
    struct codec c;
    struct counts n = {0};
    uint8_t before[MAX_PACKET], packet[MAX_PACKET];
    codec_open(&c, channels, ticks, fec);
    int before_len = encode(&c, 0, before);
    assert_int_equal(opus_decode_float(c.decoder, before, before_len, pcm, ticks, 0), ticks);
    before_len = encode(&c, 1, before);
    for (int i = 2; i < 6 * HZ / ticks; i++) {
        struct vox_opus_info info;
        int len = encode(&c, i, packet);
        assert_int_equal(vox_opus_parse(packet, (size_t)len, &info), 0);
        agree_with_libopus(packet, (size_t)len);
        assert_int_equal(info.duration_ticks, ticks);
        assert_int_equal(info.channels, channels);
        decode_lost(&c, packet, len, with_fec);
        decode_lost(&c, NULL, 0, concealed);
        size_t bytes = sizeof with_fec[0] * (size_t)(ticks * channels);
        bool differs = memcmp(with_fec, concealed, bytes) != 0;
        n.packets++;
        n.lbrr += info.has_lbrr;
        n.disagree += differs != info.has_lbrr;
        assert_int_equal(opus_decode_float(c.decoder, before, before_len, pcm, ticks, 0), ticks);
        memcpy(before, packet, (size_t)len);
        before_len = len;
    }
    codec_close(&c);
    return n;
}

static void lbrr_is_seen_where_a_decoder_finds_it(void **state)
{
    (void)state;
    static const int ticks[] = {480, 960, 1920, 2880};
    for (int channels = 1; channels <= 2; channels++) {
        for (size_t i = 0; i < COUNT(ticks); i++) {
            struct counts on = count_lbrr(channels, ticks[i], true);
            struct counts off = count_lbrr(channels, ticks[i], false);
            assert_int_equal(on.disagree, 0);
            assert_int_equal(off.disagree, 0);
            assert_int_equal(off.lbrr, 0);
            /* The syllables have it, the pauses do not: both answers have been put to the test. */
            assert_in_range(on.lbrr, on.packets / 4, on.packets * 3 / 4);
        }
    }
}

RUN(cmocka_unit_test(knows_durations_of_all_configs), cmocka_unit_test(checks_requirements_1_to_7),
    cmocka_unit_test(dtx_is_a_packet_without_audio),
    cmocka_unit_test(lbrr_flag_follows_the_vad_flags),
    cmocka_unit_test(accepts_what_libopus_accepts),
    cmocka_unit_test(accepts_what_libopus_accepts_at_full_size),
    cmocka_unit_test(lbrr_is_seen_where_a_decoder_finds_it))
