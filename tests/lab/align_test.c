#include "lab/align.h"

#include "base/err.h"
#include "base/rng.h"
#include "lab/speech.h"
#include "support/test.h"

#include <math.h>

static float heard[2 * SPEECH_ROOM];
static size_t heard_frames;

static void append(const float *from, size_t frames)
{
    memcpy(heard + heard_frames, from, frames * sizeof *from);
    heard_frames += frames;
}

static void append_silence(size_t frames)
{
    memset(heard + heard_frames, 0, frames * sizeof heard[0]);
    heard_frames += frames;
}

static void append_noise(size_t frames)
{
    struct vox_rng rng;
    vox_rng_init(&rng, 3, 0);
    for (size_t i = 0; i < frames; i++)
        heard[heard_frames++] = (float)(0.2 * vox_rng_uniform(&rng) - 0.1);
}

/* speech[from..] up to its end */
static void append_rest(size_t from)
{
    append(speech + from, speech_frames - from);
}

static int begin(void **state)
{
    (void)state;
    heard_frames = 0;
    return 0;
}

/* What holds for every alignment: pieces in order, apart, to the end. */
static void assert_sound(const struct vox_alignment *a)
{
    int64_t end = 0;
    int64_t heard_end = INT64_MIN;
    assert_true(a->count > 0);
    for (size_t i = 0; i < a->count; i++) {
        struct vox_align_piece p = a->pieces[i];
        assert_true(p.frames > 0);
        assert_true(p.reference_frame >= end);
        assert_true(p.reference_frame + p.lag_frames >= heard_end);
        end = p.reference_frame + p.frames;
        heard_end = end + p.lag_frames;
    }
    assert_int_equal(end, speech_frames);
}

static struct vox_alignment align(int64_t min, int64_t max)
{
    struct vox_alignment a;
    struct vox_audio_view reference = mono(speech, speech_frames);
    struct vox_audio_view output = mono(heard, heard_frames);
    assert_int_equal(vox_align(&reference, &output, min, max, &a), 0);
    assert_sound(&a);
    return a;
}

static void assert_within(int64_t value, int64_t expected, int64_t tolerance)
{
    if (llabs(value - expected) > tolerance)
        fail_msg("%lld instead of %lld +- %lld", (long long)value, (long long)expected,
                 (long long)tolerance);
}

static void a_constant_lag_is_one_piece(void **state)
{
    static const int64_t lags[] = {0, 1, 1234, 60000};
    for (size_t i = 0; i < COUNT(lags); i++) {
        begin(state);
        append_silence((size_t)lags[i]);
        append_rest(0);
        for (size_t k = 0; k < heard_frames; k++)
            heard[k] *= 0.3F;
        struct vox_alignment a = align(0, 96000);
        assert_int_equal(a.count, 1);
        assert_int_equal(a.pieces[0].lag_frames, lags[i]);
        assert_true(a.fit == 1);
        vox_alignment_clear(&a);
    }
}

static void the_output_may_begin_later_in_the_reference(void **state)
{
    (void)state;
    append_rest(7777);
    struct vox_alignment a = align(-48000, 48000);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.pieces[0].lag_frames, -7777);
    vox_alignment_clear(&a);
}

/* Two pieces: `left_out` of the reference missing, or (negative) that much inserted. */
static void assert_one_change(int64_t at, int64_t left_out, int64_t tolerance)
{
    struct vox_alignment a = align(0, 48000);
    assert_int_equal(a.count, 2);
    assert_int_equal(a.pieces[0].lag_frames, 0);
    assert_int_equal(a.pieces[1].lag_frames, -left_out);
    int64_t next = at + (left_out > 0 ? left_out : 0);
    assert_within(a.pieces[0].frames, at, tolerance);
    assert_within(a.pieces[1].reference_frame, next, tolerance);
    vox_alignment_clear(&a);
}

static void what_was_dropped_is_found_to_the_millisecond(void **state)
{
    static const size_t ms[] = {3, 20, 300};
    for (size_t i = 0; i < COUNT(ms); i++) {
        size_t at = loud_from(3 * 48000, 60) + 30 * MS;
        begin(state);
        append(speech, at);
        append_rest(at + ms[i] * MS);
        assert_one_change((int64_t)at, (int64_t)(ms[i] * MS), MS);
    }
}

static void what_was_inserted_is_found_to_the_millisecond(void **state)
{
    static const size_t ms[] = {3, 20, 300};
    for (size_t i = 0; i < COUNT(ms); i++) {
        size_t at = loud_from(3 * 48000, 60) + 30 * MS;
        begin(state);
        append(speech, at);
        append_silence(ms[i] * MS);
        append_rest(at);
        assert_one_change((int64_t)at, -(int64_t)(ms[i] * MS), MS);
    }
}

/* As playout does it in silence: nobody hears where, but the lag is another after it. */
static void a_pause_made_longer_moves_what_follows(void **state)
{
    (void)state;
    size_t at = quiet_from(48000, 100) + 50 * MS;
    append(speech, at);
    append_silence(25 * MS);
    append_rest(at);
    assert_one_change((int64_t)at, -25 * MS, 150 * MS);
}

static void several_changes_are_several_pieces(void **state)
{
    (void)state;
    append(speech, 4 * 48000);
    append_silence(15 * MS);
    append(speech + 4 * 48000, 3 * 48000);
    append_rest(7 * 48000 + 25 * MS);
    struct vox_alignment a = align(0, 48000);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.pieces[1].lag_frames, 15 * MS);
    assert_int_equal(a.pieces[2].lag_frames, -10 * MS);
    vox_alignment_clear(&a);
}

/* 60 ms of something else instead of the voice: as long, so the lag is what it was. */
static void concealment_is_no_change(void **state)
{
    (void)state;
    size_t at = loud_from(5 * 48000, 80);
    append(speech, at);
    append_noise(60 * MS);
    append_rest(at + 60 * MS);
    struct vox_alignment a = align(0, 48000);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.pieces[0].lag_frames, 0);
    assert_true(a.fit > 0.95);
    vox_alignment_clear(&a);
}

/* 200 ppm slower: 13 s end 125 frames later. */
static void another_clock_is_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < speech_frames; i++) {
        double at = (double)i / 1.0002;
        size_t k = (size_t)at;
        float part = (float)(at - (double)k);
        heard[heard_frames++] =
            speech[k] * (1.0F - part) + (k + 1 < speech_frames ? speech[k + 1] * part : 0.0F);
    }
    struct vox_alignment a = align(0, 48000);
    for (size_t i = 0; i < a.count; i++) {
        struct vox_align_piece p = a.pieces[i];
        int64_t middle = p.reference_frame + p.frames / 2;
        /* in a pause it cannot be followed, only caught up with */
        assert_within(p.lag_frames, middle / 5000, p.frames / 10000 + 3);
    }
    assert_true(a.count > 20);
    vox_alignment_clear(&a);
}

static void the_loudest_channel_decides(void **state)
{
    (void)state;
    static float two[2 * SPEECH_ROOM];
    for (size_t i = 0; i < speech_frames; i++)
        two[2 * i + 1] = speech[i];
    struct vox_audio_view reference = {two, speech_frames, 2};
    struct vox_audio_view output = {two + 2 * 4800, speech_frames - 4800, 2};
    struct vox_alignment a;
    assert_int_equal(vox_align(&reference, &output, -9600, 0, &a), 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.pieces[0].lag_frames, -4800);
    vox_alignment_clear(&a);
}

static void silence_fits_anywhere(void **state)
{
    (void)state;
    append_silence(48000);
    struct vox_alignment a = align(100, 4800);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.pieces[0].lag_frames, 100);
    assert_true(a.fit == 0);
    vox_alignment_clear(&a);
    heard_frames = 0;
    a = align(-100, 4800);
    assert_int_equal(a.pieces[0].lag_frames, 0);
    vox_alignment_clear(&a);
}

static void noise_gives_some_alignment_all_the_same(void **state)
{
    (void)state;
    append_noise(speech_frames);
    struct vox_alignment a = align(0, 48000);
    assert_true(a.fit < 0.1);
    vox_alignment_clear(&a);
}

static void refuses_what_cannot_be_aligned(void **state)
{
    (void)state;
    append_rest(0);
    struct vox_alignment a = {.count = 7};
    struct vox_audio_view good = mono(heard, heard_frames);
    struct vox_audio_view two = {heard, heard_frames / 2, 2};
    struct vox_audio_view none = {heard, heard_frames, 0};
    struct vox_audio_view nine = {heard, heard_frames / 9, 9};
    struct vox_audio_view empty = mono(heard, 0);
    assert_int_equal(vox_align(&good, &two, 0, 10, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&none, &none, 0, 10, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&nine, &nine, 0, 10, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&empty, &good, 0, 10, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&good, &good, 1, 0, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&good, &good, 0, INT64_MAX, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&good, &good, INT64_MIN, 0, &a), VOX_EINVAL);
    heard[77] = NAN;
    struct vox_audio_view clean = mono(speech, speech_frames);
    assert_int_equal(vox_align(&clean, &good, 0, 10, &a), VOX_EINVAL);
    assert_int_equal(vox_align(&good, &clean, 0, 10, &a), VOX_EINVAL);
    assert_int_equal(a.count, 7);
}

#define CASE(test) cmocka_unit_test_setup(test, begin)

/* To the middle of the second sentence is enough, and quicker. */
static int read_some(void **state)
{
    int err = read_speech(state);
    speech_frames = 13 * 48000 + 321;
    return err;
}

RUN_AFTER(read_some, CASE(a_constant_lag_is_one_piece),
          CASE(the_output_may_begin_later_in_the_reference),
          CASE(what_was_dropped_is_found_to_the_millisecond),
          CASE(what_was_inserted_is_found_to_the_millisecond),
          CASE(a_pause_made_longer_moves_what_follows), CASE(several_changes_are_several_pieces),
          CASE(concealment_is_no_change), CASE(another_clock_is_followed),
          CASE(the_loudest_channel_decides), CASE(silence_fits_anywhere),
          CASE(noise_gives_some_alignment_all_the_same), CASE(refuses_what_cannot_be_aligned))
