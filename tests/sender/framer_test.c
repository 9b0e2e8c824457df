#include "sender/framer.h"

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "support/test.h"

#include <math.h>

enum { MAX_FRAMES = 1024, MAX_SAMPLES = 400000 };

static struct {
    struct vox_frame frames[MAX_FRAMES];
    size_t count;
    float pcm[MAX_SAMPLES];
    size_t samples;
    size_t frame_samples;
} got;

static void keep(void *ctx, const struct vox_frame *frame)
{
    (void)ctx;
    assert_true(got.count < MAX_FRAMES && got.samples + got.frame_samples <= MAX_SAMPLES);
    got.frames[got.count++] = *frame;
    memcpy(got.pcm + got.samples, frame->pcm, got.frame_samples * sizeof(float));
    got.samples += got.frame_samples;
}

static struct vox_framer *create(int in_hz, int in_channels, int channels, int frame_ticks)
{
    struct vox_framer *framer = NULL;
    struct vox_framer_config config = {.in_hz = in_hz,
                                       .in_channels = in_channels,
                                       .channels = channels,
                                       .frame_ticks = frame_ticks,
                                       .on_frame = keep};
    memset(&got, 0, sizeof got);
    got.frame_samples = (size_t)(frame_ticks * channels);
    assert_int_equal(vox_framer_create(&config, &framer), 0);
    return framer;
}

static int64_t push(struct vox_framer *framer, const float *pcm, size_t frames, int64_t capture_ns)
{
    vox_rt_enter();
    int64_t gap_ns = vox_framer_push(framer, pcm, frames, capture_ns);
    vox_rt_leave();
    return gap_ns;
}

static void flush(struct vox_framer *framer)
{
    vox_rt_enter();
    vox_framer_flush(framer);
    vox_rt_leave();
}

static void frames_at_48_khz_are_the_input_itself(void **state)
{
    (void)state;
    static float in[2 * 5000];
    for (size_t i = 0; i < COUNT(in); i++)
        in[i] = (float)sin((double)i * 0.7) * 1.5F; /* beyond full scale: no clipping either */
    struct vox_framer *framer = create(48000, 2, 2, 960);
    for (size_t at = 0; at < 5000; at += 250)
        push(framer, in + 2 * at, 250, vox_rtp_to_ns((int64_t)at));
    assert_int_equal(got.count, 5);
    vox_framer_flush(framer);
    assert_int_equal(got.count, 6);
    assert_memory_equal(got.pcm, in, sizeof in);
    for (size_t i = COUNT(in); i < got.samples; i++)
        assert_true(got.pcm[i] == 0.0F);
    vox_framer_destroy(framer);
}

static void capture_times_follow_the_pushes(void **state)
{
    (void)state;
    static const float silence[480];
    struct vox_framer *framer = create(48000, 1, 1, 960);
    /* A device whose clock says 10.1 ms for each 10 ms of audio: positions count samples. */
    for (int i = 0; i < 100; i++)
        assert_true(push(framer, silence, 480, i * 10100000LL) == 0);
    assert_int_equal(got.count, 50);
    for (int i = 0; i < 50; i++) {
        assert_true(got.frames[i].position_ticks == 960 * i);
        /* seen from the push that completes it: 2i + 1, 10 ms after the frame's first sample */
        assert_true(got.frames[i].capture_ns == (2 * i + 1) * 10100000LL - 10000000LL);
    }
    vox_framer_destroy(framer);
}

struct gap_row {
    size_t before; /* frames pushed before the gap */
    int64_t gap_ticks;
    int64_t expect_ns; /* what push says */
    int64_t positions[4];
    size_t count; /* of frames after 960 more input frames */
};

static void gaps_fill_the_frame_then_jump(void **state)
{
    (void)state;
    static const struct gap_row rows[] = {
        {960, 960, 0, {0, 960}, 2},              /* 20 ms: not yet a gap */
        {960, 961, 20020833, {0, 960 + 961}, 2}, /* nothing begun: all of it a jump */
        {960, 48000, 1000000000, {0, 960 + 48000}, 2},
        {1000, 4800, 100000000, {0, 960, 1000 + 4800}, 3}, /* 920 of silence, then a jump */
        {960, -48000, 0, {0, 960}, 2},                     /* back in time: no jump */
    };
    static float ones[960];
    for (size_t i = 0; i < COUNT(ones); i++)
        ones[i] = 1.0F;
    for (size_t r = 0; r < COUNT(rows); r++) {
        const struct gap_row *row = &rows[r];
        struct vox_framer *framer = create(48000, 1, 1, 960);
        int64_t base_ns = 5 * VOX_NS_PER_S;
        push(framer, ones, 960, base_ns);
        push(framer, ones, row->before - 960, base_ns + vox_rtp_to_ns(960));
        int64_t second_ns = base_ns + vox_rtp_to_ns((int64_t)row->before + row->gap_ticks);
        assert_true(push(framer, ones, 960, second_ns) == row->expect_ns);
        assert_int_equal(got.count, row->count);
        for (size_t i = 0; i < row->count; i++)
            assert_true(got.frames[i].position_ticks == row->positions[i]);
        assert_true(got.frames[row->count - 1].capture_ns == second_ns);
        vox_framer_destroy(framer);
    }
}

static void a_gap_inside_a_frame_is_silence_and_no_jump(void **state)
{
    (void)state;
    static float ones[2880];
    for (size_t i = 0; i < COUNT(ones); i++)
        ones[i] = 1.0F;
    struct vox_framer *framer = create(48000, 1, 1, 2880);
    push(framer, ones, 480, 0);
    push(framer, ones, 2880, vox_rtp_to_ns(480 + 1200));
    assert_int_equal(got.count, 1);
    assert_true(got.frames[0].capture_ns == 0);
    for (int i = 0; i < 2880; i++)
        assert_true(got.pcm[i] == (i < 480 || i >= 1680 ? 1.0F : 0.0F));
    vox_framer_flush(framer);
    assert_true(got.frames[1].position_ticks == 2880);
    assert_true(got.frames[1].capture_ns == vox_rtp_to_ns(2880));
    vox_framer_destroy(framer);
}

struct flush_row {
    size_t before;        /* frames pushed before the flush */
    int64_t gap_ticks;    /* from their end to the capture of 1920 more */
    int64_t expect_ticks; /* what push says is missing */
    int64_t skipped;      /* of the 1920 */
    int64_t positions[4];
    size_t count;
};

static void after_a_flush_positions_follow_the_capture_clock(void **state)
{
    (void)state;
    static const struct flush_row rows[] = {
        {1000, 4800, 4800, 0, {0, 960, 5800, 6760}, 4},
        {1000, 920, 920, 0, {0, 960, 1920, 2880}, 4},
        {1000, 921, 921, 0, {0, 960, 1921, 2881}, 4},
        {1000, 300, 920, 620, {0, 960, 1920}, 3}, /* sooner than the frame's silence ends */
        {1000, 0, 920, 920, {0, 960, 1920}, 3},
        {960, 0, 0, 0, {0, 960, 1920}, 3}, /* nothing had begun: nothing happens */
        {960, 5, 5, 0, {0, 965, 1925}, 3},
        {1000, -4800, 920, 920, {0, 960, 1920}, 3}, /* the clock is set back */
    };
    static float ones[1920], ramp[1920];
    for (size_t i = 0; i < COUNT(ones); i++) {
        ones[i] = 1.0F;
        ramp[i] = (float)i;
    }
    for (size_t r = 0; r < COUNT(rows); r++) {
        const struct flush_row *row = &rows[r];
        struct vox_framer *framer = create(48000, 1, 1, 960);
        int64_t base_ns = 5 * VOX_NS_PER_S;
        int64_t end_ns = base_ns + vox_rtp_to_ns((int64_t)row->before);
        push(framer, ones, row->before, base_ns);
        flush(framer);
        flush(framer); /* once is enough */
        assert_int_equal(got.count, (row->before + 959) / 960);
        for (size_t i = row->before; i < got.samples; i++)
            assert_true(got.pcm[i] == 0.0F);
        int64_t second_ns = end_ns + vox_rtp_to_ns(row->gap_ticks);
        int64_t missing_ns = push(framer, ramp, 1920, second_ns);
        assert_true(llabs(missing_ns - vox_rtp_to_ns(row->expect_ticks)) <= 1);
        assert_int_equal(got.count, row->count);
        for (size_t i = 0; i < row->count; i++)
            assert_true(got.frames[i].position_ticks == row->positions[i]);
        const struct vox_frame *first = &got.frames[(row->before + 959) / 960];
        assert_true(got.pcm[(first - got.frames) * 960] == (float)row->skipped);
        assert_true(llabs(first->capture_ns - second_ns - vox_rtp_to_ns(row->skipped)) <= 1);
        vox_framer_destroy(framer);
    }
}

/* The silence of a flush may last longer than a push. */
static void pushes_inside_the_silence_of_a_flush_are_left_out(void **state)
{
    (void)state;
    static float ramp[4000];
    for (size_t i = 0; i < COUNT(ramp); i++)
        ramp[i] = (float)i;
    struct vox_framer *framer = create(48000, 1, 1, 2880);
    push(framer, ramp, 100, 0);
    flush(framer);
    int64_t missing_ns = 0;
    for (int64_t at = 100; at < 4000; at += 100)
        missing_ns += push(framer, ramp + at, 100, vox_rtp_to_ns(at));
    flush(framer);
    assert_true(missing_ns == vox_rtp_to_ns(2880 - 100));
    assert_int_equal(got.count, 2);
    assert_true(got.frames[1].position_ticks == 2880);
    assert_true(got.frames[1].capture_ns == vox_rtp_to_ns(2880));
    for (int i = 2880; i < 5760; i++)
        assert_true(got.pcm[i] == (i < 4000 ? (float)i : 0.0F));
    vox_framer_destroy(framer);
}

static void a_flush_draws_the_end_out_of_the_resampler(void **state)
{
    (void)state;
    static float ones[16000];
    for (size_t i = 0; i < COUNT(ones); i++)
        ones[i] = 0.5F;
    struct vox_framer *framer = create(16000, 1, 1, 960);
    push(framer, ones, 16000 / 2 + 7, 0); /* 24021 ticks */
    flush(framer);
    assert_int_equal(got.count, 26);
    assert_true(fabsf(got.pcm[24021 - 100] - 0.5F) < 1e-3F);
    assert_true(got.pcm[24021] == 0.0F);
    assert_true(push(framer, ones, 16000 / 2, VOX_NS_PER_S) == VOX_NS_PER_S - 500437500);
    flush(framer);
    assert_int_equal(got.count, 51);
    assert_true(got.frames[26].position_ticks == 48000);
    assert_true(llabs(got.frames[26].capture_ns - VOX_NS_PER_S) < 10);
    assert_true(fabsf(got.pcm[26 * 960 + 200] - 0.5F) < 1e-3F);
    vox_framer_destroy(framer);
}

/* A second each of several inputs, without a gap: all of it comes out where it belongs. */
static void another_input_goes_on_in_the_same_frame(void **state)
{
    (void)state;
    static const struct {
        int hz, channels;
    } inputs[] = {{48000, 1}, {44100, 2}, {8000, 1}, {96000, 6}, {48000, 2}, {48000, 1}};
    static float in[96000 * 6];
    struct vox_framer *framer = create(48000, 1, 1, 1920);
    for (size_t k = 0; k < COUNT(inputs); k++) {
        int hz = inputs[k].hz, channels = inputs[k].channels;
        size_t clicked = (size_t)(hz / 2) * (size_t)channels;
        assert_int_equal(vox_framer_set_input(framer, hz, channels), 0);
        assert_true((vox_framer_delay_ns(framer) > 0) == (hz != 48000));
        memset(in, 0, sizeof in);
        for (size_t i = 0; i < 8 * (size_t)channels; i++) /* as above: its middle at 0.5 s */
            in[clicked - 4 * (size_t)channels + i] =
                (float)sin(3.14159265358979 * ((double)(i / (size_t)channels) + 0.5) / 8);
        for (int at = 0; at < hz; at += 100) {
            int64_t capture_ns = (int64_t)k * VOX_NS_PER_S + vox_ticks_to_ns(at, hz);
            assert_true(push(framer, in + at * channels, 100, capture_ns) == 0);
        }
    }
    assert_int_equal(vox_framer_set_input(framer, 500, 1), VOX_EINVAL);
    flush(framer);
    assert_int_equal(got.count, COUNT(inputs) * 25);
    for (size_t i = 0; i < got.count; i++) {
        assert_true(got.frames[i].position_ticks == (int64_t)i * 1920);
        assert_true(llabs(got.frames[i].capture_ns - (int64_t)i * 40000000) < 100);
    }
    for (size_t k = 0; k < COUNT(inputs); k++) {
        double weight = 0, moment = 0;
        for (size_t i = 0; i < 48000; i++) {
            double x = (double)got.pcm[k * 48000 + i];
            weight += x * x;
            moment += x * x * (double)i;
        }
        double middle = 24000 - 0.5 * 48000 / inputs[k].hz;
        assert_true(fabs(moment / weight - middle) < 0.2);
    }
    vox_framer_destroy(framer);
}

/* A click at a known input frame must come out where its capture time says. */
static void resampled_audio_keeps_its_time_and_length(void **state)
{
    (void)state;
    static const int rates[] = {8000, 11025, 16000, 22050, 32000, 44100, 88200, 96000, 192000};
    static float in[192000];
    for (size_t r = 0; r < COUNT(rates); r++) {
        int hz = rates[r];
        memset(in, 0, sizeof in);
        for (int i = 0; i < 8; i++) /* 8 frames of a half sine, their middle at 0.5 s */
            in[hz / 2 - 4 + i] = (float)sin(3.14159265358979 * (i + 0.5) / 8);
        struct vox_framer *framer = create(hz, 1, 1, 960);
        assert_true(vox_framer_delay_ns(framer) > 0);
        assert_true(vox_framer_delay_ns(framer) < 100 * VOX_NS_PER_MS);
        for (int at = 0; at < hz; at += 225) {
            int n = hz - at < 225 ? hz - at : 225;
            push(framer, in + at, (size_t)n, vox_ticks_to_ns(at, hz));
        }
        vox_framer_flush(framer);
        assert_int_equal(got.count, 50);
        double weight = 0, moment = 0;
        for (int i = 0; i < 48000; i++) {
            double energy = (double)got.pcm[i] * (double)got.pcm[i];
            weight += energy;
            moment += energy * i;
        }
        double middle_in = hz / 2 - 0.5;
        double off_frames = moment / weight - middle_in * 48000.0 / hz;
        assert_true(fabs(off_frames) < 0.1);
        for (size_t i = 0; i < got.count; i++)
            assert_true(llabs(got.frames[i].capture_ns - (int64_t)i * 20000000) < 10);
        vox_framer_destroy(framer);
    }
}

static void resampled_frames_are_out_within_the_delay(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 44100, 96000};
    static const float silence[960];
    for (size_t r = 0; r < COUNT(rates); r++) {
        int hz = rates[r];
        struct vox_framer *framer = create(hz, 1, 1, 120);
        size_t step = (size_t)(hz / 1000);
        size_t seen = 0;
        for (int64_t at = 0; at < hz; at += (int64_t)step) {
            push(framer, silence, step, vox_ticks_to_ns(at, hz));
            int64_t pushed_ns = vox_ticks_to_ns(at + (int64_t)step, hz);
            for (; seen < got.count; seen++) {
                int64_t due_ns =
                    got.frames[seen].capture_ns + vox_rtp_to_ns(120) + vox_framer_delay_ns(framer);
                assert_true(pushed_ns <= due_ns + VOX_NS_PER_MS); /* one push of slack */
            }
        }
        vox_framer_destroy(framer);
    }
}

static void a_gap_restarts_the_resampler_without_losing_the_end(void **state)
{
    (void)state;
    static float ones[44100];
    for (size_t i = 0; i < COUNT(ones); i++)
        ones[i] = 0.5F;
    struct vox_framer *framer = create(44100, 1, 1, 960);
    push(framer, ones, 44100 / 2, 0);
    int64_t gap_ns = push(framer, ones, 44100 / 2, 2 * VOX_NS_PER_S);
    vox_framer_flush(framer);
    assert_true(gap_ns == 1500 * VOX_NS_PER_MS);
    assert_int_equal(got.count, 50);
    assert_true(got.frames[24].position_ticks == 24 * 960);
    assert_true(got.frames[25].position_ticks == 96000);
    assert_true(llabs(got.frames[25].capture_ns - 2 * VOX_NS_PER_S) < 10);
    assert_true(fabsf(got.pcm[25 * 960 - 200] - 0.5F) < 1e-3F);
    assert_true(fabsf(got.pcm[25 * 960 + 200] - 0.5F) < 1e-3F);
    vox_framer_destroy(framer);
}

RUN(cmocka_unit_test(frames_at_48_khz_are_the_input_itself),
    cmocka_unit_test(capture_times_follow_the_pushes),
    cmocka_unit_test(gaps_fill_the_frame_then_jump),
    cmocka_unit_test(a_gap_inside_a_frame_is_silence_and_no_jump),
    cmocka_unit_test(after_a_flush_positions_follow_the_capture_clock),
    cmocka_unit_test(pushes_inside_the_silence_of_a_flush_are_left_out),
    cmocka_unit_test(a_flush_draws_the_end_out_of_the_resampler),
    cmocka_unit_test(another_input_goes_on_in_the_same_frame),
    cmocka_unit_test(resampled_audio_keeps_its_time_and_length),
    cmocka_unit_test(resampled_frames_are_out_within_the_delay),
    cmocka_unit_test(a_gap_restarts_the_resampler_without_losing_the_end))
