#include "sender/feeder.h"

#include "base/time.h"
#include "support/test.h"

#include <unistd.h>

static struct vox_audio_error error;

static struct vox_input *tone(void)
{
    struct vox_input *input = NULL;
    struct vox_send_options options = {.source = {.kind = VOX_SOURCE_TONE, .tone_hz = 1000}};
    assert_int_equal(vox_input_open(&options, &input, &error), 0);
    return input;
}

static struct vox_feeder *create(struct vox_input *input, int64_t duration_ns, int64_t patience_ns)
{
    struct vox_feeder *feeder = NULL;
    const struct vox_feeder_config config = {.input = input,
                                             .lead_ns = 100 * VOX_NS_PER_MS,
                                             .duration_ns = duration_ns,
                                             .patience_ns = patience_ns};
    assert_int_equal(vox_feeder_create(&config, &feeder), 0);
    return feeder;
}

static void reads_its_lead_then_waits_for_half_of_it(void **state)
{
    (void)state;
    struct vox_input *input = tone();
    struct vox_feeder *feeder = create(input, 0, VOX_NS_PER_S);
    struct vox_feeder_piece piece;
    int64_t now_ns = 7 * VOX_NS_PER_S;
    for (int i = 0; i < 9; i++) { /* it starts 10 ms ahead */
        assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_PIECE);
        assert_int_equal(piece.frames, 480);
        assert_true(piece.capture_ns == now_ns + (i + 1) * 10 * VOX_NS_PER_MS);
    }
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_AHEAD);
    assert_true(vox_feeder_resume_ns(feeder) == now_ns + 50 * VOX_NS_PER_MS);
    now_ns += 50 * VOX_NS_PER_MS;
    for (int i = 0; i < 5; i++)
        assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_PIECE);
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_AHEAD);
    vox_feeder_destroy(feeder);
    vox_input_close(input);
}

static void ends_at_the_duration_to_the_sample(void **state)
{
    (void)state;
    struct vox_input *input = tone();
    struct vox_feeder *feeder = create(input, 25 * VOX_NS_PER_MS, VOX_NS_PER_S);
    struct vox_feeder_piece piece;
    size_t frames = 0;
    while (vox_feeder_next(feeder, 0, &piece, &error) == VOX_FEEDER_PIECE)
        frames += piece.frames;
    assert_int_equal(frames, 1200);
    assert_int_equal(vox_feeder_next(feeder, 0, &piece, &error), VOX_FEEDER_END);
    vox_feeder_destroy(feeder);
    vox_input_close(input);
}

static void after_a_long_sleep_it_goes_on_from_now(void **state)
{
    (void)state;
    struct vox_input *input = tone();
    struct vox_feeder *feeder = create(input, 0, VOX_NS_PER_S);
    struct vox_feeder_piece piece;
    vox_feeder_next(feeder, 0, &piece, &error);
    /* as late as is put up with: the next piece still stands in its place */
    vox_feeder_next(feeder, VOX_NS_PER_S + 30 * VOX_NS_PER_MS, &piece, &error);
    assert_true(piece.capture_ns == 20 * VOX_NS_PER_MS);
    vox_feeder_next(feeder, 60 * VOX_NS_PER_S, &piece, &error);
    assert_true(piece.capture_ns == 60 * VOX_NS_PER_S - 10 * VOX_NS_PER_MS);
    vox_feeder_destroy(feeder);
    vox_input_close(input);
}

static void a_live_pipe_runs_dry_and_comes_back(void **state)
{
    (void)state;
    static const int16_t pcm[960];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct vox_input *input = NULL;
    assert_int_equal(vox_input_open_raw(ends[0], 48000, 1, &input, &error), 0);
    struct vox_feeder *feeder = create(input, 0, 20 * VOX_NS_PER_MS);
    struct vox_feeder_piece piece;
    int64_t now_ns = VOX_NS_PER_S;
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_DRY);
    assert_int_equal(write(ends[1], pcm, sizeof pcm), (ssize_t)sizeof pcm);
    /* The first samples stand 10 ms after the moment when they came. */
    now_ns += VOX_NS_PER_S;
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_PIECE);
    assert_true(piece.capture_ns == now_ns + 10 * VOX_NS_PER_MS);
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_PIECE);
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_DRY);
    /* The producer was away for a second: what comes now is of now. */
    assert_int_equal(write(ends[1], pcm, sizeof pcm), (ssize_t)sizeof pcm);
    now_ns += VOX_NS_PER_S;
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_PIECE);
    assert_true(piece.capture_ns == now_ns - 10 * VOX_NS_PER_MS);
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_PIECE);
    assert_true(piece.capture_ns == now_ns);
    close(ends[1]);
    assert_int_equal(vox_feeder_next(feeder, now_ns, &piece, &error), VOX_FEEDER_END);
    vox_feeder_destroy(feeder);
    vox_input_close(input);
    close(ends[0]);
}

RUN(cmocka_unit_test(reads_its_lead_then_waits_for_half_of_it),
    cmocka_unit_test(ends_at_the_duration_to_the_sample),
    cmocka_unit_test(after_a_long_sleep_it_goes_on_from_now),
    cmocka_unit_test(a_live_pipe_runs_dry_and_comes_back))
