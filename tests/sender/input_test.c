#include "sender/input.h"

#include "audio/file.h"
#include "base/err.h"
#include "base/time.h"
#include "support/test.h"

#include <math.h>
#include <unistd.h>

static struct vox_audio_error error;
static char path[64];

/* A file of `frames` frames whose samples count up from 0. */
static void make_wav(int channels, int rate_hz, size_t frames)
{
    static int16_t pcm[65536];
    struct vox_file_writer *file = NULL;
    size_t samples = frames * (size_t)channels;
    assert_true(samples <= COUNT(pcm));
    for (size_t i = 0; i < samples; i++)
        pcm[i] = (int16_t)(uint16_t)i;
    snprintf(path, sizeof path, "/tmp/voxgram-input-%d.wav", (int)getpid());
    assert_int_equal(vox_file_create(path, rate_hz, channels, &file, &error), 0);
    assert_int_equal(vox_file_write_s16(file, pcm, frames, &error), 0);
    assert_int_equal(vox_file_finish(file, &error), 0);
}

static struct vox_send_options file_options(bool loop)
{
    return (struct vox_send_options){.source = {.kind = VOX_SOURCE_FILE, .name = path},
                                     .loop = loop};
}

static void a_file_is_read_to_its_end_sample_by_sample(void **state)
{
    (void)state;
    static float pcm[20000 + 2 * 441]; /* a read at the end clears what it does not fill */
    struct vox_input *input = NULL;
    make_wav(2, 44100, 10000);
    struct vox_send_options options = file_options(false);
    assert_int_equal(vox_input_open(&options, &input, &error), 0);
    assert_int_equal(vox_input_info(input)->rate_hz, 44100);
    assert_int_equal(vox_input_info(input)->channels, 2);
    assert_true(vox_input_info(input)->duration_ns == vox_ticks_to_ns(10000, 44100));
    assert_int_equal(vox_input_fd(input), -1);
    size_t frames = 0;
    int n;
    while ((n = vox_input_read(input, pcm + 2 * frames, 441, &error)) > 0)
        frames += (size_t)n;
    assert_int_equal(n, 0);
    assert_int_equal(frames, 10000);
    assert_true(vox_input_at_end(input));
    for (size_t i = 0; i < 20000; i++)
        assert_true(pcm[i] == (float)(int16_t)(uint16_t)i / 32768.0F);
    vox_input_close(input);
    unlink(path);
}

static void a_looped_file_has_no_end(void **state)
{
    (void)state;
    float pcm[100];
    struct vox_input *input = NULL;
    make_wav(1, 48000, 250);
    struct vox_send_options options = file_options(true);
    assert_int_equal(vox_input_open(&options, &input, &error), 0);
    assert_true(vox_input_info(input)->duration_ns == -1);
    int expect = 0;
    for (int round = 0; round < 100; round++) {
        int n = vox_input_read(input, pcm, 100, &error);
        assert_true(n > 0);
        for (int i = 0; i < n; i++, expect = (expect + 1) % 250)
            assert_true(pcm[i] == (float)expect / 32768.0F);
    }
    vox_input_close(input);
    make_wav(1, 48000, 0); /* nothing to loop over */
    if (vox_input_open(&options, &input, &error) >= 0) {
        assert_true(vox_input_read(input, pcm, 100, &error) <= 0);
        assert_true(vox_input_at_end(input));
        vox_input_close(input);
    }
    unlink(path);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct vox_input *input = NULL;
    snprintf(path, sizeof path, "/tmp/voxgram-no-such-file.wav");
    struct vox_send_options options = file_options(false);
    assert_int_equal(vox_input_open(&options, &input, &error), VOX_ENOTFOUND);
    assert_non_null(strstr(error.text, path));
    assert_null(input);
}

static void raw_pcm_is_little_endian_and_exact(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x80, 0xFF, 0x7F, 0x01, 0x00, 0xFF, 0xFF};
    static const float expect[] = {-1.0F, 32767.0F / 32768.0F, 1.0F / 32768.0F, -1.0F / 32768.0F};
    float pcm[16];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct vox_input *input = NULL;
    assert_int_equal(vox_input_open_raw(ends[0], 16000, 2, &input, &error), 0);
    assert_int_equal(vox_input_fd(input), ends[0]);
    assert_int_equal(write(ends[1], bytes, sizeof bytes), (ssize_t)sizeof bytes);
    assert_int_equal(vox_input_read(input, pcm, 8, &error), 2);
    assert_memory_equal(pcm, expect, sizeof expect);
    vox_input_close(input);
    close(ends[0]);
    close(ends[1]);
}

static void a_pipe_may_hold_nothing_or_half_a_frame(void **state)
{
    (void)state;
    float pcm[16];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct vox_input *input = NULL;
    assert_int_equal(vox_input_open_raw(ends[0], 48000, 2, &input, &error), 0);
    assert_int_equal(vox_input_read(input, pcm, 8, &error), 0);
    assert_false(vox_input_at_end(input));
    assert_int_equal(write(ends[1], "\x00\x40\x00", 3), 3);
    assert_int_equal(vox_input_read(input, pcm, 8, &error), 0);
    assert_false(vox_input_at_end(input));
    assert_int_equal(write(ends[1], "\x20\x00\x10", 3), 3);
    assert_int_equal(vox_input_read(input, pcm, 8, &error), 1);
    assert_true(pcm[0] == 0.5F && pcm[1] == 0.25F);
    close(ends[1]);
    assert_int_equal(vox_input_read(input, pcm, 8, &error), 0);
    assert_true(vox_input_at_end(input));
    vox_input_close(input);
    close(ends[0]);
}

/* More than a read takes: nothing may be lost or torn at the edges. */
static void a_long_pipe_comes_through_whole(void **state)
{
    (void)state;
    static int16_t sent[30000];
    static float pcm[60000];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < COUNT(sent); i++)
        sent[i] = (int16_t)(uint16_t)(i * 7);
    struct vox_input *input = NULL;
    assert_int_equal(vox_input_open_raw(ends[0], 48000, 1, &input, &error), 0);
    assert_int_equal(write(ends[1], sent, sizeof sent), (ssize_t)sizeof sent);
    close(ends[1]);
    size_t frames = 0;
    int n;
    while ((n = vox_input_read(input, pcm + frames, COUNT(pcm) - frames, &error)) > 0)
        frames += (size_t)n;
    assert_int_equal(frames, COUNT(sent));
    for (size_t i = 0; i < COUNT(sent); i++)
        assert_true(pcm[i] == (float)sent[i] / 32768.0F);
    vox_input_close(input);
    close(ends[0]);
}

static void signals_never_end(void **state)
{
    (void)state;
    static float pcm[48000];
    struct vox_input *input = NULL;
    struct vox_send_options options = {.source = {.kind = VOX_SOURCE_TONE, .tone_hz = 1000}};
    assert_int_equal(vox_input_open(&options, &input, &error), 0);
    assert_int_equal(vox_input_read(input, pcm, COUNT(pcm), &error), COUNT(pcm));
    int rises = 0;
    for (size_t i = 1; i < COUNT(pcm); i++)
        rises += pcm[i - 1] < 0 && pcm[i] >= 0;
    assert_true(abs(rises - 1000) <= 1);
    vox_input_close(input);
    options.source.tone_hz = 24000;
    assert_int_equal(vox_input_open(&options, &input, &error), VOX_EINVAL);
    options.source.kind = VOX_SOURCE_MARKER;
    assert_int_equal(vox_input_open(&options, &input, &error), 0);
    assert_int_equal(vox_input_read(input, pcm, COUNT(pcm), &error), COUNT(pcm));
    vox_input_close(input);
}

RUN(cmocka_unit_test(a_file_is_read_to_its_end_sample_by_sample),
    cmocka_unit_test(a_looped_file_has_no_end), cmocka_unit_test(a_missing_file_is_named),
    cmocka_unit_test(raw_pcm_is_little_endian_and_exact),
    cmocka_unit_test(a_pipe_may_hold_nothing_or_half_a_frame),
    cmocka_unit_test(a_long_pipe_comes_through_whole), cmocka_unit_test(signals_never_end))
