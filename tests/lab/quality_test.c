#include "lab/quality.h"

#include "base/err.h"
#include "base/rng.h"
#include "lab/biquad.h"
#include "lab/speech.h"
#include "support/test.h"

#include <math.h>
#include <opus/opus.h>

enum { NOISE_FRAMES = 4 * 48000, FRAME = 960 };

static float clean[SPEECH_ROOM];
static float heard[SPEECH_ROOM];

static struct vox_quality compare(const float *reference, size_t n, const float *output, size_t m,
                                  int64_t max_lag)
{
    struct vox_quality q;
    struct vox_quality_input in = {
        .reference = mono(reference, n), .output = mono(output, m), .max_lag_frames = max_lag};
    assert_int_equal(vox_quality_compare(&in, &q), 0);
    return q;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%g instead of %g +- %g", value, expected, tolerance);
}

static void assert_no_findings(const struct vox_quality *q)
{
    assert_int_equal(q->damage.dropouts, 0);
    assert_int_equal(q->damage.clicks, 0);
    assert_int_equal(q->damage.count, 0);
}

/* Gaussian, of power 1. */
static double noise(struct vox_rng *rng)
{
    double u = 1.0 - vox_rng_uniform(rng);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * vox_rng_uniform(rng));
}

static void fill_noise(float *out, uint64_t seed, double rms)
{
    struct vox_rng rng;
    vox_rng_init(&rng, seed, 0);
    for (size_t i = 0; i < NOISE_FRAMES; i++)
        out[i] = (float)(rms * noise(&rng));
}

static void the_same_is_perfect(void **state)
{
    (void)state;
    struct vox_quality q = compare(speech, speech_frames, speech, speech_frames, 9600);
    assert_true(q.segmental_snr_db == VOX_QUALITY_MAX_SNR_DB);
    assert_true(q.log_spectral_distance_db == 0);
    assert_no_findings(&q);
    assert_int_equal(q.alignment.count, 1);
    assert_int_equal(q.unheard_frames, 0);
    assert_true(q.active_frames > speech_frames / FRAME / 2); /* not in its pauses */
    assert_true(q.active_frames < speech_frames / FRAME);
    vox_quality_clear(&q);
    vox_quality_clear(&q);
}

/* Of a stationary signal each frame has the SNR of the whole. */
static void white_noise_has_its_snr(void **state)
{
    (void)state;
    static const double snr_db[] = {-5, 0, 10, 20, 30};
    for (size_t i = 0; i < COUNT(snr_db); i++) {
        fill_noise(clean, 1, 0.1);
        fill_noise(heard, 2, 0.1 * pow(10, -snr_db[i] / 20));
        for (size_t k = 0; k < NOISE_FRAMES; k++)
            heard[k] += clean[k];
        struct vox_quality q = compare(clean, NOISE_FRAMES, heard, NOISE_FRAMES, 0);
        assert_near(q.segmental_snr_db, snr_db[i], 0.5);
        assert_int_equal(q.active_frames, NOISE_FRAMES / FRAME);
        vox_quality_clear(&q);
    }
}

static void the_snr_is_held_between_its_limits(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.01);
    fill_noise(heard, 2, 0.1);
    struct vox_quality q = compare(clean, NOISE_FRAMES, heard, NOISE_FRAMES, 0);
    assert_true(q.segmental_snr_db == VOX_QUALITY_MIN_SNR_DB);
    vox_quality_clear(&q);
    for (size_t i = 0; i < NOISE_FRAMES; i++)
        heard[i] = clean[i] * 1.001F;
    q = compare(clean, NOISE_FRAMES, heard, NOISE_FRAMES, 0);
    assert_true(q.segmental_snr_db == VOX_QUALITY_MAX_SNR_DB);
    vox_quality_clear(&q);
}

/* Half a sample later: the plain difference would be at 24 dB for this tone. */
static void less_than_a_sample_is_no_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < NOISE_FRAMES; i++) {
        double turns = (double)i / 48.0; /* 1 kHz */
        clean[i] = (float)(0.5 * sin(6.283185307179586 * turns));
        heard[i] = (float)(0.5 * sin(6.283185307179586 * (turns - 0.5 / 48.0)));
    }
    struct vox_quality q = compare(clean, NOISE_FRAMES, heard, NOISE_FRAMES, 0);
    assert_true(q.segmental_snr_db > 34);
    assert_int_equal(q.alignment.count, 1);
    vox_quality_clear(&q);
}

/* Half the level: 6.02 dB in every bin; and the error is as large as what is left. */
static void half_the_level_is_six_decibels(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.1);
    for (size_t i = 0; i < NOISE_FRAMES; i++)
        heard[i] = clean[i] / 2;
    struct vox_quality q = compare(clean, NOISE_FRAMES, heard, NOISE_FRAMES, 0);
    assert_near(q.log_spectral_distance_db, 6.02, 0.01);
    assert_near(q.segmental_snr_db, 6.02, 0.01);
    vox_quality_clear(&q);
}

/* |c0 + c1 z^-1 + c2 z^-2|^2 on the unit circle */
static double square_at(double c0, double c1, double c2, double w)
{
    double re = c0 + c1 * cos(w) + c2 * cos(2 * w);
    double im = c1 * sin(w) + c2 * sin(2 * w);
    return re * re + im * im;
}

static double response_db(const struct vox_biquad *f, double hz)
{
    double w = 6.283185307179586 * hz / 48000;
    return 10 * log10(square_at(f->b0, f->b1, f->b2, w) / square_at(1, f->a1, f->a2, w));
}

/* The distance of a low-pass is the RMS of its response in dB. */
static void a_low_pass_shows_in_the_spectrum(void **state)
{
    (void)state;
    struct vox_biquad lp;
    vox_biquad_lowpass(&lp, 5000, 48000);
    assert_near(response_db(&lp, 5000), -3.01, 0.01);
    fill_noise(clean, 1, 0.1);
    for (size_t i = 0; i < NOISE_FRAMES; i++)
        heard[i] = (float)vox_biquad_next(&lp, (double)clean[i]);
    double sum = 0;
    for (int hz = 50; hz < 20000; hz += 50)
        sum += pow(response_db(&lp, hz), 2) / 399;
    struct vox_quality q = compare(clean, NOISE_FRAMES, heard, NOISE_FRAMES, 0);
    assert_near(q.log_spectral_distance_db, sqrt(sum), 0.3);
    vox_quality_clear(&q);
}

/* A later output, cut short: what is there is perfect, the rest is counted apart. */
static void what_was_not_recorded_is_not_compared(void **state)
{
    (void)state;
    fill_noise(clean, 1, 0.1);
    struct vox_quality q = compare(clean, NOISE_FRAMES, clean + 4800, NOISE_FRAMES / 2, 0);
    vox_quality_clear(&q);
    struct vox_quality_input in = {.reference = mono(clean, NOISE_FRAMES),
                                   .output = mono(clean + 4800, NOISE_FRAMES - 3 * 4800),
                                   .min_lag_frames = -9600,
                                   .max_lag_frames = 9600};
    assert_int_equal(vox_quality_compare(&in, &q), 0);
    assert_int_equal(q.unheard_frames, 3 * 4800 / FRAME);
    assert_int_equal(q.active_frames, (NOISE_FRAMES - 3 * 4800) / FRAME);
    assert_true(q.segmental_snr_db == VOX_QUALITY_MAX_SNR_DB);
    assert_int_equal(q.damage.dropouts, 0);
    vox_quality_clear(&q);
}

/* 12 ms of the voice left out by a stretch: one joint, perfect on both sides of it. */
static void a_stretch_costs_its_joint_only(void **state)
{
    (void)state;
    size_t at = loud_from(6 * 48000, 60) + 30 * MS;
    size_t left_out = 12 * MS;
    memcpy(heard, speech, at * sizeof heard[0]);
    memcpy(heard + at, speech + at + left_out, (speech_frames - at - left_out) * sizeof heard[0]);
    struct vox_quality q = compare(speech, speech_frames, heard, speech_frames - left_out, 48000);
    assert_int_equal(q.alignment.count, 2);
    assert_int_equal(q.alignment.pieces[1].lag_frames, -(int64_t)left_out);
    assert_int_equal(q.damage.dropouts, 0);
    assert_true(q.segmental_snr_db > 34.5 && q.segmental_snr_db < 35);
    assert_true(q.log_spectral_distance_db < 0.1);
    vox_quality_clear(&q);
}

/* Each packet through the codec; `lost` of 100 are concealed, the same ones for the same seed. */
static void transmit(int application, int bits_per_s, uint32_t lost, float *out)
{
    struct vox_rng rng;
    int err;
    vox_rng_init(&rng, 5, 0);
    OpusEncoder *encoder = opus_encoder_create(48000, 1, application, &err);
    OpusDecoder *decoder = opus_decoder_create(48000, 1, &err);
    assert_true(encoder && decoder);
    assert_int_equal(opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits_per_s)), OPUS_OK);
    for (size_t at = 0; at + FRAME <= speech_frames; at += FRAME) {
        unsigned char packet[1500];
        int len = opus_encode_float(encoder, speech + at, FRAME, packet, sizeof packet);
        assert_true(len > 0);
        bool arrives = vox_rng_u32(&rng) % 100 >= lost;
        assert_int_equal(opus_decode_float(decoder, arrives ? packet : NULL, arrives ? len : 0,
                                           out + at, FRAME, 0),
                         FRAME);
    }
    opus_encoder_destroy(encoder);
    opus_decoder_destroy(decoder);
}

static size_t whole_frames(void)
{
    return speech_frames / FRAME * FRAME;
}

/* Against the original: the codec's delay of 312 frames, its noise, but no gap and no click. */
static void a_codec_alone_raises_no_alarm(void **state)
{
    (void)state;
    static const struct {
        int application;
        int bits_per_s;
    } rows[] = {{OPUS_APPLICATION_AUDIO, 64000},
                {OPUS_APPLICATION_AUDIO, 12000},
                {OPUS_APPLICATION_VOIP, 24000},
                {OPUS_APPLICATION_VOIP, 12000}};
    double before = 99;
    for (size_t i = 0; i < COUNT(rows); i++) {
        transmit(rows[i].application, rows[i].bits_per_s, 0, heard);
        struct vox_quality q = compare(speech, whole_frames(), heard, whole_frames(), 9600);
        assert_no_findings(&q);
        assert_in_range(q.alignment.pieces[0].lag_frames, 300, 320);
        assert_true(q.segmental_snr_db < before);
        before = q.segmental_snr_db;
        vox_quality_clear(&q);
    }
}

/* Against the clean decode, each loss counts, and nothing else does. */
static void more_loss_is_worse(void **state)
{
    (void)state;
    static const uint32_t lost[] = {0, 1, 5, 20};
    double snr = 99;
    double distance = -1;
    transmit(OPUS_APPLICATION_VOIP, 32000, 0, clean);
    for (size_t i = 0; i < COUNT(lost); i++) {
        transmit(OPUS_APPLICATION_VOIP, 32000, lost[i], heard);
        struct vox_quality q = compare(clean, whole_frames(), heard, whole_frames(), 9600);
        assert_int_equal(q.alignment.pieces[0].lag_frames, 0);
        assert_true(q.segmental_snr_db < snr);
        assert_true(q.log_spectral_distance_db > distance);
        assert_true(lost[i] > 0 || q.segmental_snr_db == VOX_QUALITY_MAX_SNR_DB);
        assert_true(q.damage.dropouts <= lost[i]);
        snr = q.segmental_snr_db;
        distance = q.log_spectral_distance_db;
        vox_quality_clear(&q);
    }
    assert_true(snr < 20 && distance > 1.5);
}

static void an_output_of_silence_is_the_worst(void **state)
{
    (void)state;
    memset(heard, 0, sizeof heard);
    struct vox_quality q = compare(speech, speech_frames, heard, speech_frames, 9600);
    assert_near(q.segmental_snr_db, 0, 1e-9); /* the error is the signal */
    assert_true(q.log_spectral_distance_db > 10);
    assert_true(q.damage.dropout_frames > (int64_t)speech_frames / 2);
    vox_quality_clear(&q);
}

static void refuses_what_cannot_be_compared(void **state)
{
    (void)state;
    struct vox_quality q = {.active_frames = 7};
    struct vox_quality_input in = {.reference = mono(speech, FRAME - 1),
                                   .output = mono(speech, speech_frames)};
    assert_int_equal(vox_quality_compare(&in, &q), VOX_EINVAL);
    in.reference = mono(speech, speech_frames);
    in.output.channels = 2;
    in.output.frames /= 2;
    assert_int_equal(vox_quality_compare(&in, &q), VOX_EINVAL);
    in.output = in.reference;
    in.min_lag_frames = 1;
    assert_int_equal(vox_quality_compare(&in, &q), VOX_EINVAL);
    in.min_lag_frames = 0;
    memset(clean, 0, sizeof clean);
    in.reference = mono(clean, speech_frames);
    assert_int_equal(vox_quality_compare(&in, &q), VOX_EINVAL);
    assert_int_equal(q.active_frames, 7);
    in.reference = mono(speech, speech_frames);
    in.output = mono(NULL, 0); /* nothing was recorded */
    assert_int_equal(vox_quality_compare(&in, &q), 0);
    assert_int_equal(q.active_frames, 0);
    assert_true(q.unheard_frames > 100);
    vox_quality_clear(&q);
}

/* A sentence and a half: enough, and quicker. */
static int read_some(void **state)
{
    int err = read_speech(state);
    speech_frames = 12 * 48000 + 321;
    return err;
}

RUN_AFTER(read_some, cmocka_unit_test(the_same_is_perfect),
          cmocka_unit_test(white_noise_has_its_snr),
          cmocka_unit_test(the_snr_is_held_between_its_limits),
          cmocka_unit_test(less_than_a_sample_is_no_error),
          cmocka_unit_test(half_the_level_is_six_decibels),
          cmocka_unit_test(a_low_pass_shows_in_the_spectrum),
          cmocka_unit_test(what_was_not_recorded_is_not_compared),
          cmocka_unit_test(a_stretch_costs_its_joint_only),
          cmocka_unit_test(a_codec_alone_raises_no_alarm), cmocka_unit_test(more_loss_is_worse),
          cmocka_unit_test(an_output_of_silence_is_the_worst),
          cmocka_unit_test(refuses_what_cannot_be_compared))
