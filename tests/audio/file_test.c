#include "audio/file.h"
#include "base/err.h"
#include "support/folder.h"
#include "support/test.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { HZ = 48000, BLOCK = 1000 };

static struct vox_audio_error error;

static int16_t sample(int64_t i)
{
    return (int16_t)(i * 7919 % 60001 - 30000);
}

static int write_seconds(struct vox_file_writer *file, int channels, int64_t first, int64_t frames)
{
    int16_t pcm[BLOCK * 2];
    int err = 0;
    for (int64_t at = 0; at < frames && err == 0; at += BLOCK) {
        int64_t n = frames - at < BLOCK ? frames - at : BLOCK;
        for (int64_t i = 0; i < n * channels; i++)
            pcm[i] = sample((first + at) * channels + i);
        err = vox_file_write_s16(file, pcm, (size_t)n, &error);
    }
    return err;
}

/* Reads all of it and checks each sample. Returns frames; *err says how the file ended. */
static int64_t read_back(const char *path, int channels, int64_t first, int *err)
{
    struct vox_file_reader *file;
    assert_int_equal(vox_file_open(path, &file, &error), 0);
    assert_int_equal(vox_file_info(file)->channels, channels);
    float pcm[BLOCK * 2];
    int64_t frames = 0;
    while ((*err = vox_file_read(file, pcm, BLOCK, &error)) > 0) {
        for (int64_t i = 0; i < (int64_t)*err * channels; i++)
            assert_int_equal(lrintf(pcm[i] * 32768), sample((first + frames) * channels + i));
        frames += *err;
    }
    vox_file_close(file);
    return frames;
}

static void records_what_it_reads_back(void **state)
{
    (void)state;
    const char *names[] = {"a.wav", "b.flac", "c.WAV"};
    for (size_t n = 0; n < COUNT(names); n++)
        for (int channels = 1; channels <= 2; channels++) {
            struct vox_file_writer *file;
            const char *path = folder_file(names[n]);
            assert_int_equal(vox_file_create(path, HZ, channels, &file, &error), 0);
            assert_int_equal(write_seconds(file, channels, 0, 3 * HZ + 17), 0);
            assert_int_equal(vox_file_written_frames(file), 3 * HZ + 17);
            assert_int_equal(vox_file_finish(file, &error), 0);
            int err;
            assert_int_equal(read_back(path, channels, 0, &err), 3 * HZ + 17);
            assert_int_equal(err, 0);
        }
}

static void an_empty_recording_is_a_valid_file(void **state)
{
    (void)state;
    struct vox_file_writer *file;
    assert_int_equal(vox_file_create(folder_file("none.wav"), HZ, 2, &file, &error), 0);
    assert_int_equal(vox_file_finish(file, &error), 0);
    int err;
    assert_int_equal(read_back(folder_file("none.wav"), 2, 0, &err), 0);
    assert_int_equal(err, 0);
}

static void a_killed_process_leaves_a_valid_file(void **state)
{
    (void)state;
    const char *names[] = {"killed.wav", "killed.flac"};
    for (size_t n = 0; n < COUNT(names); n++) {
        const char *path = folder_file(names[n]);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct vox_file_writer *file;
            vox_file_create(path, HZ, 2, &file, NULL);
            write_seconds(file, 2, 0, 5 * HZ);
            kill(getpid(), SIGKILL);
        }
        waitpid(pid, NULL, 0);
        int err;
        int64_t frames = read_back(path, 2, 0, &err);
        assert_int_equal(err, 0);
        assert_in_range(frames, 4 * HZ - HZ / 2, 5 * HZ);
    }
}

static void flush_makes_the_file_whole(void **state)
{
    (void)state;
    struct vox_file_writer *file;
    assert_int_equal(vox_file_create(folder_file("flushed.wav"), HZ, 1, &file, &error), 0);
    assert_int_equal(write_seconds(file, 1, 0, 777), 0);
    assert_int_equal(vox_file_flush(file, &error), 0);
    int err;
    assert_int_equal(read_back(folder_file("flushed.wav"), 1, 0, &err), 777);
    assert_int_equal(err, 0);
    assert_int_equal(vox_file_finish(file, &error), 0);
}

static void a_long_wav_goes_on_in_a_new_file(void **state)
{
    (void)state;
    struct vox_file_writer *file;
    assert_int_equal(vox_file_create(folder_file("long.wav"), HZ, 1, &file, &error), 0);
    vox_file_limit_bytes(file, 64 * 1024 + 2 * 30000);
    assert_int_equal(write_seconds(file, 1, 0, 2 * 30000 + 5), 0);
    assert_int_equal(vox_file_written_frames(file), 2 * 30000 + 5);
    assert_int_equal(vox_file_finish(file, &error), 0);
    int err;
    assert_int_equal(read_back(folder_file("long.wav"), 1, 0, &err), 30000);
    assert_int_equal(read_back(folder_file("long-2.wav"), 1, 30000, &err), 30000);
    assert_int_equal(read_back(folder_file("long-3.wav"), 1, 60000, &err), 5);
}

/* The file may grow to 300000 bytes: 1.5 s of 48 kHz stereo. In a child, as the limit is for good.
 */
static void record_on_a_small_disk(const char *path)
{
    struct rlimit limit = {.rlim_cur = 300000, .rlim_max = 300000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    struct vox_file_writer *file;
    if (vox_file_create(path, HZ, 2, &file, &error) != 0)
        _exit(1);
    if (write_seconds(file, 2, 0, 10 * HZ) != VOX_ENOSPC || !strstr(error.text, path))
        _exit(2);
    if (write_seconds(file, 2, 0, 10) != VOX_ENOSPC || vox_file_flush(file, NULL) != VOX_ENOSPC)
        _exit(3);
    int64_t frames = vox_file_written_frames(file);
    if (frames < HZ || frames > 2 * HZ)
        _exit(4);
    _exit(vox_file_finish(file, &error) == VOX_ENOSPC ? 0 : 5);
}

static void a_full_disk_keeps_what_was_written(void **state)
{
    (void)state;
    const char *names[] = {"full.wav", "full.flac"};
    for (size_t n = 0; n < COUNT(names); n++) {
        const char *path = folder_file(names[n]);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            record_on_a_small_disk(path);
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        int err;
        assert_in_range(read_back(path, 2, 0, &err), HZ, 2 * HZ);
        assert_int_equal(err, 0);
    }
}

static void says_why_it_cannot_create(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int expect;
    } rows[] = {
        {"/nowhere/at/all.wav", VOX_ENOTFOUND},
        {"/dev/full/a.wav", VOX_ENOTFOUND},
        {"out.mp4", VOX_EUNSUPPORTED},
        {"out", VOX_EUNSUPPORTED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_file_writer *file = NULL;
        error.text[0] = '\0';
        assert_int_equal(vox_file_create(rows[i].path, HZ, 2, &file, &error), rows[i].expect);
        assert_null(file);
        assert_non_null(strstr(error.text, rows[i].path));
    }
    assert_int_equal(symlink("/dev/full", folder_file("full-link.wav")), 0);
    struct vox_file_writer *file = NULL;
    assert_int_equal(vox_file_create(folder_file("full-link.wav"), HZ, 2, &file, &error),
                     VOX_ENOSPC);
    assert_null(file);
    assert_int_equal(vox_file_create("a.wav", 0, 2, &file, &error), VOX_EINVAL);
    assert_int_equal(vox_file_create("a.wav", HZ, 9, &file, &error), VOX_EINVAL);
}

static void reads_every_kind_of_file(void **state)
{
    (void)state;
    if (folder_run("ffmpeg -v error -y -f lavfi -i sine=440:r=44100:d=2 -ac 2 sine.wav") != 0) {
        print_message("ffmpeg is missing: no files to read\n");
        skip();
    }
    static const struct {
        const char *name, *format;
        int rate_hz;
    } rows[] = {
        {"sine.wav", "WAV", 44100},  {"sine.flac", "FLAC", 44100}, {"sine.ogg", "Vorbis", 44100},
        {"sine.mp3", "MPEG", 44100}, {"sine.opus", "Opus", 48000}, {"sine.aiff", "AIFF", 44100},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char command[200];
        snprintf(command, sizeof command, "test %s = sine.wav || ffmpeg -v error -y -i sine.wav %s",
                 rows[i].name, rows[i].name);
        assert_int_equal(folder_run(command), 0);
        struct vox_file_reader *file;
        assert_int_equal(vox_file_open(folder_file(rows[i].name), &file, &error), 0);
        const struct vox_file_info *info = vox_file_info(file);
        assert_non_null(strstr(info->format, rows[i].format));
        assert_int_equal(info->rate_hz, rows[i].rate_hz);
        assert_int_equal(info->channels, 2);
        assert_int_equal(info->frames, 2 * rows[i].rate_hz);
        assert_int_equal(info->duration_ns, 2000000000);
        static float first[4096 * 2], again[4096 * 2];
        assert_int_equal(vox_file_read(file, first, 4096, &error), 4096);
        int64_t frames = 4096;
        int n;
        while ((n = vox_file_read(file, again, 4096, &error)) > 0)
            frames += n;
        assert_int_equal(n, 0);
        assert_int_equal(frames, info->frames);
        assert_int_equal(vox_file_rewind(file, &error), 0);
        assert_int_equal(vox_file_read(file, again, 4096, &error), 4096);
        assert_memory_equal(first, again, sizeof first);
        vox_file_close(file);
    }
}

static void says_that_a_file_is_cut_off(void **state)
{
    (void)state;
    if (folder_run("ffmpeg -v error -y -f lavfi -i anoisesrc=d=4:r=48000:seed=1 whole.wav") != 0) {
        print_message("ffmpeg is missing: no files to read\n");
        skip();
    }
    const char *endings[] = {"wav", "flac", "ogg", "opus", "mp3"};
    for (size_t i = 0; i < COUNT(endings); i++) {
        char command[300], name[32];
        snprintf(name, sizeof name, "cut.%s", endings[i]);
        snprintf(command, sizeof command,
                 "test %s = wav || ffmpeg -v error -y -i whole.wav whole.%s; "
                 "head -c $(($(stat -c %%s whole.%s) / 2)) whole.%s > %s",
                 endings[i], endings[i], endings[i], endings[i], name);
        assert_int_equal(folder_run(command), 0);
        struct vox_file_reader *file;
        assert_int_equal(vox_file_open(folder_file(name), &file, &error), 0);
        static float pcm[4096];
        int64_t frames = 0;
        int n;
        while ((n = vox_file_read(file, pcm, 4096, &error)) > 0)
            frames += n;
        assert_int_equal(n, VOX_ETRUNCATED);
        assert_non_null(strstr(error.text, name));
        assert_in_range(frames, 40000, 3 * 48000);
        assert_int_equal(vox_file_read(file, pcm, 4096, &error), 0);
        vox_file_close(file);
    }
}

/* Chunks begin at even places: one of three bytes is followed by one that counts for nothing. */
static void an_odd_chunk_does_not_hide_that_a_file_is_cut_off(void **state)
{
    (void)state;
    assert_int_equal(
        folder_run("printf 'RIFF\\020\\4\\0\\0WAVEfmt \\020\\0\\0\\0\\1\\0\\1\\0' >odd.wav; "
                   "printf '\\200\\273\\0\\0\\0\\167\\1\\0\\2\\0\\020\\0' >>odd.wav; "
                   "printf 'junk\\3\\0\\0\\0abc\\0data\\350\\3\\0\\0' >>odd.wav; "
                   "head -c 100 /dev/zero >>odd.wav"),
        0);
    struct vox_file_reader *file;
    float pcm[100];
    assert_int_equal(vox_file_open(folder_file("odd.wav"), &file, &error), 0);
    assert_int_equal(vox_file_read(file, pcm, COUNT(pcm), &error), 50);
    assert_int_equal(vox_file_read(file, pcm, COUNT(pcm), &error), VOX_ETRUNCATED);
    vox_file_close(file);
}

static void a_stream_of_unknown_length_is_whole(void **state)
{
    (void)state;
    if (folder_run("ffmpeg -v error -y -f lavfi -i sine=440:r=48000:d=1 -f wav - > s.wav && "
                   "ffmpeg -v error -y -i s.wav -f flac - | cat > s.flac") != 0) {
        print_message("ffmpeg is missing: no files to read\n");
        skip();
    }
    const char *names[] = {"s.wav", "s.flac"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct vox_file_reader *file;
        assert_int_equal(vox_file_open(folder_file(names[i]), &file, &error), 0);
        static float pcm[4096];
        int64_t frames = 0;
        int n;
        while ((n = vox_file_read(file, pcm, 4096, &error)) > 0)
            frames += n;
        assert_int_equal(n, 0);
        assert_int_equal(frames, 48000);
        vox_file_close(file);
    }
}

static void says_why_it_cannot_open(void **state)
{
    (void)state;
    assert_int_equal(folder_run(": > empty.wav; echo hello > text.wav; mkdir -p folder.wav; "
                                "printf 'RIFF\\044\\0\\0\\0WAVEfmt ' > head.wav"),
                     0);
    static const struct {
        const char *name, *says;
        int expect;
    } rows[] = {
        {"missing.wav", "No such file", VOX_ENOTFOUND},
        {"empty.wav", "empty", VOX_EFORMAT},
        {"text.wav", "audio", VOX_EFORMAT},
        {"folder.wav", "folder", VOX_EIO},
        {"head.wav", "audio", VOX_EFORMAT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_file_reader *file = NULL;
        error.text[0] = '\0';
        assert_int_equal(vox_file_open(folder_file(rows[i].name), &file, &error), rows[i].expect);
        assert_null(file);
        assert_non_null(strstr(error.text, rows[i].name));
        assert_non_null(strstr(error.text, rows[i].says));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(records_what_it_reads_back),
    cmocka_unit_test(an_empty_recording_is_a_valid_file),
    cmocka_unit_test(a_killed_process_leaves_a_valid_file),
    cmocka_unit_test(flush_makes_the_file_whole),
    cmocka_unit_test(a_long_wav_goes_on_in_a_new_file),
    cmocka_unit_test(a_full_disk_keeps_what_was_written),
    cmocka_unit_test(says_why_it_cannot_create),
    cmocka_unit_test(reads_every_kind_of_file),
    cmocka_unit_test(says_that_a_file_is_cut_off),
    cmocka_unit_test(an_odd_chunk_does_not_hide_that_a_file_is_cut_off),
    cmocka_unit_test(a_stream_of_unknown_length_is_whole),
    cmocka_unit_test(says_why_it_cannot_open),
};

int main(void)
{
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
