#include "audio/file.h"
#include "audio/ogg.h"
#include "base/err.h"
#include "support/folder.h"
#include "support/test.h"

#include <math.h>
#include <opus.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { HZ = 48000, MAX_TICKS = 5760, PRE_SKIP = 312 };

static struct vox_audio_error error;

static struct vox_ogg *create(const char *path, int channels)
{
    struct vox_ogg_config config;
    vox_ogg_config_init(&config);
    config.path = path;
    config.channels = channels;
    config.serial = 4711;
    struct vox_ogg *ogg = NULL;
    assert_int_equal(vox_ogg_create(&config, &ogg, &error), 0);
    return ogg;
}

static OpusEncoder *encoder_of(int application, int channels, int bandwidth)
{
    int err;
    OpusEncoder *encoder = opus_encoder_create(HZ, channels, application, &err);
    assert_int_equal(err, OPUS_OK);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(32000 * channels));
    if (application == OPUS_APPLICATION_VOIP)
        opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth));
    return encoder;
}

/* Packet number `index`, of a sweep. */
static int encode(OpusEncoder *encoder, int channels, int index, int ticks, unsigned char *packet)
{
    float pcm[MAX_TICKS * 2];
    for (int i = 0; i < ticks; i++) {
        double t = ((double)index * ticks + i) / HZ;
        for (int c = 0; c < channels; c++)
            pcm[i * channels + c] = (float)(0.3 * sin(6.2832 * (300 + 200 * t) * t));
    }
    int len = opus_encode_float(encoder, pcm, ticks, packet, 1275);
    assert_true(len > 1);
    return len;
}

/* Everything that libsndfile decodes of the file; returns frames. */
static int64_t decode_file(const char *path, int channels, float *out, int64_t room)
{
    struct vox_file_reader *file;
    assert_int_equal(vox_file_open(path, &file, &error), 0);
    assert_int_equal(vox_file_info(file)->channels, channels);
    int64_t frames = 0;
    int n;
    while (frames < room &&
           (n = vox_file_read(file, out + frames * channels, (size_t)(room - frames), &error)) > 0)
        frames += n;
    vox_file_close(file);
    return frames;
}

/* opusinfo finds nothing to complain of. */
static void assert_no_warning(const char *name)
{
    char command[200];
    snprintf(command, sizeof command, "opusinfo %s > info.txt 2>&1", name);
    int status = folder_run(command);
    if (status == 127) {
        print_message("opusinfo is missing\n");
        return;
    }
    if (status != 0 || folder_run("grep -q 'WARNING\\|ERROR' info.txt") == 0) {
        folder_run("cat info.txt");
        fail();
    }
}

static void packets_come_back_as_they_were(void **state)
{
    (void)state;
    static const int durations[] = {120, 240, 480, 960, 1920, 2880};
    static float ours[3 * HZ * 2], theirs[3 * HZ * 2];
    for (size_t d = 0; d < COUNT(durations); d++)
        for (int channels = 1; channels <= 2; channels++) {
            const int ticks = durations[d];
            struct vox_ogg *ogg = create(folder_file("whole.opus"), channels);
            OpusEncoder *encoder =
                encoder_of(OPUS_APPLICATION_AUDIO, channels, OPUS_BANDWIDTH_FULLBAND);
            int err;
            OpusDecoder *decoder = opus_decoder_create(HZ, channels, &err);
            int count = 2 * HZ / ticks;
            for (int i = 0; i < count; i++) {
                unsigned char packet[1275];
                int len = encode(encoder, channels, i, ticks, packet);
                assert_int_equal(vox_ogg_write(ogg, packet, (size_t)len, ticks, &error), 0);
                assert_int_equal(opus_decode_float(decoder, packet, len,
                                                   ours + (size_t)(i * ticks * channels), ticks, 0),
                                 ticks);
            }
            assert_int_equal(vox_ogg_ticks(ogg), count * ticks);
            assert_int_equal(vox_ogg_finish(ogg, &error), 0);
            opus_encoder_destroy(encoder);
            opus_decoder_destroy(decoder);
            assert_no_warning("whole.opus");
            int64_t frames = decode_file(folder_file("whole.opus"), channels, theirs, 3 * HZ);
            assert_int_equal(frames, count * ticks - PRE_SKIP);
            assert_memory_equal(theirs, ours + PRE_SKIP * channels,
                                (size_t)(frames * channels) * sizeof(float));
        }
}

/* Durations of all packets after the headers, and bytes of the file. */
struct contents {
    int64_t ticks;
    int packets;
    int concealing; /* packets of at most two bytes: nothing but frames to conceal */
    int64_t last_granule;
    bool has_eos;
};

static struct contents read_ogg(const char *path)
{
    static unsigned char bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct contents found = {0};
    int number = 0;
    static unsigned char packet[65536];
    size_t len = 0;
    for (size_t at = 0; at + 27 <= size;) {
        assert_memory_equal(bytes + at, "OggS", 4);
        memcpy(&found.last_granule, bytes + at + 6, 8);
        found.has_eos = bytes[at + 5] & 4;
        size_t segments = bytes[at + 26];
        const unsigned char *lacing = bytes + at + 27;
        at += 27 + segments;
        for (size_t s = 0; s < segments; s++) {
            memcpy(packet + len, bytes + at, lacing[s]);
            at += lacing[s];
            len += lacing[s];
            if (lacing[s] == 255)
                continue;
            if (number++ >= 2) {
                int ticks = opus_packet_get_nb_samples(packet, (int)len, HZ);
                assert_in_range(ticks, 120, MAX_TICKS);
                found.ticks += ticks;
                found.packets++;
                found.concealing += len <= 2;
            }
            len = 0;
        }
    }
    return found;
}

static void gaps_keep_the_time(void **state)
{
    (void)state;
    static const struct {
        int application, bandwidth, ticks;
        int64_t gap;
        int packets; /* that the gap is to take */
    } rows[] = {
        {OPUS_APPLICATION_AUDIO, OPUS_BANDWIDTH_FULLBAND, 960, 960, 1},
        {OPUS_APPLICATION_AUDIO, OPUS_BANDWIDTH_FULLBAND, 960, 5 * 960, 1},
        {OPUS_APPLICATION_AUDIO, OPUS_BANDWIDTH_FULLBAND, 960, 7 * 960, 2},
        {OPUS_APPLICATION_AUDIO, OPUS_BANDWIDTH_FULLBAND, 960, 95 * 48, 3}, /* 4x20, 10, 5 ms */
        {OPUS_APPLICATION_AUDIO, OPUS_BANDWIDTH_SUPERWIDEBAND, 120, 5760 + 120, 2},
        {OPUS_APPLICATION_VOIP, OPUS_BANDWIDTH_NARROWBAND, 2880, 2880 * 3 + 120, 3},
        {OPUS_APPLICATION_VOIP, OPUS_BANDWIDTH_MEDIUMBAND, 480, 360, 2},
        {OPUS_APPLICATION_VOIP, OPUS_BANDWIDTH_WIDEBAND, 1920, 1920 + 960 + 480 + 240, 4},
        {OPUS_APPLICATION_VOIP, OPUS_BANDWIDTH_FULLBAND, 960, 480 + 120, 2},
        {OPUS_APPLICATION_VOIP, OPUS_BANDWIDTH_SUPERWIDEBAND, 480, 48000, 9},
        {OPUS_APPLICATION_RESTRICTED_LOWDELAY, OPUS_BANDWIDTH_FULLBAND, 240, 240 * 3, 1},
    };
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct vox_ogg *ogg = create(folder_file("gap.opus"), 1);
        OpusEncoder *encoder = encoder_of(rows[r].application, 1, rows[r].bandwidth);
        unsigned char packet[1275];
        for (int i = 0; i < 30; i++) {
            int len = encode(encoder, 1, i, rows[r].ticks, packet);
            assert_int_equal(vox_ogg_write(ogg, packet, (size_t)len, rows[r].ticks, &error), 0);
            if (i == 14)
                assert_int_equal(vox_ogg_gap(ogg, rows[r].gap, &error), 0);
        }
        opus_encoder_destroy(encoder);
        int64_t ticks = 30 * rows[r].ticks + rows[r].gap;
        assert_int_equal(vox_ogg_ticks(ogg), ticks);
        assert_int_equal(vox_ogg_finish(ogg, &error), 0);
        assert_no_warning("gap.opus");
        struct contents found = read_ogg(folder_file("gap.opus"));
        assert_int_equal(found.ticks, ticks);
        assert_int_equal(found.last_granule, ticks);
        assert_true(found.has_eos);
        assert_int_equal(found.concealing, rows[r].packets);
        static float pcm[3 * HZ];
        assert_int_equal(decode_file(folder_file("gap.opus"), 1, pcm, 3 * HZ), ticks - PRE_SKIP);
    }
}

/* The file decodes to what a receiver gets that conceals the lost packets one by one. */
static void a_gap_sounds_like_concealment(void **state)
{
    (void)state;
    static float ours[2 * HZ], theirs[2 * HZ];
    struct vox_ogg *ogg = create(folder_file("loss.opus"), 1);
    OpusEncoder *encoder = encoder_of(OPUS_APPLICATION_VOIP, 1, OPUS_BANDWIDTH_WIDEBAND);
    int err;
    OpusDecoder *decoder = opus_decoder_create(HZ, 1, &err);
    for (int i = 0; i < 50; i++) {
        unsigned char packet[1275];
        int len = encode(encoder, 1, i, 960, packet);
        bool lost = i % 10 == 7 || i % 10 == 8;
        assert_int_equal(lost ? vox_ogg_gap(ogg, 960, &error)
                              : vox_ogg_write(ogg, packet, (size_t)len, 960, &error),
                         0);
        assert_int_equal(opus_decode_float(decoder, lost ? NULL : packet, lost ? 0 : len,
                                           ours + (size_t)i * 960, 960, 0),
                         960);
    }
    opus_encoder_destroy(encoder);
    opus_decoder_destroy(decoder);
    assert_int_equal(vox_ogg_finish(ogg, &error), 0);
    assert_int_equal(decode_file(folder_file("loss.opus"), 1, theirs, 2 * HZ), 48000 - PRE_SKIP);
    assert_memory_equal(theirs, ours + PRE_SKIP, (48000 - PRE_SKIP) * sizeof(float));
}

static void pieces_of_gaps_add_up(void **state)
{
    (void)state;
    static const unsigned char packet[] = {0xfc, 1, 2, 3}; /* CELT 20 ms */
    struct vox_ogg *ogg = create(folder_file("pieces.opus"), 2);
    assert_int_equal(vox_ogg_gap(ogg, 96000, &error), 0); /* nothing to carry on from */
    assert_int_equal(vox_ogg_ticks(ogg), 0);
    assert_int_equal(vox_ogg_write(ogg, packet, sizeof packet, 960, &error), 0);
    for (int i = 0; i < 12; i++)
        assert_int_equal(vox_ogg_gap(ogg, 10, &error), 0);
    assert_int_equal(vox_ogg_ticks(ogg), 960 + 120);
    assert_int_equal(vox_ogg_gap(ogg, 0, &error), 0);
    assert_int_equal(vox_ogg_gap(ogg, -1, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_gap(ogg, INT64_MAX, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_ticks(ogg), 960 + 120);
    assert_int_equal(vox_ogg_finish(ogg, &error), 0);
}

static void refuses_what_is_no_packet(void **state)
{
    (void)state;
    static unsigned char packet[VOX_OGG_MAX_PACKET_BYTES + 1];
    struct vox_ogg *ogg = create(folder_file("no.opus"), 1);
    assert_int_equal(vox_ogg_write(ogg, packet, 0, 960, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_write(ogg, packet, sizeof packet, 960, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_write(ogg, packet, 9, 0, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_write(ogg, packet, 9, 961, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_write(ogg, packet, 9, 5880, &error), VOX_EINVAL);
    assert_int_equal(vox_ogg_write(ogg, packet, sizeof packet - 1, 5760, &error), 0);
    assert_int_equal(vox_ogg_write(ogg, packet, 9, 960, &error), 0);
    assert_int_equal(vox_ogg_finish(ogg, &error), 0);
    assert_int_equal(vox_ogg_finish(NULL, &error), 0);
}

static int write_seconds(struct vox_ogg *ogg, int seconds)
{
    unsigned char packet[400] = {0xfc};
    int err = 0;
    for (int i = 0; i < 50 * seconds && err == 0; i++)
        err = vox_ogg_write(ogg, packet, sizeof packet, 960, &error);
    return err;
}

static void a_killed_process_leaves_all_but_a_second(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        unsigned char packet[10] = {0xfc};
        struct vox_ogg *ogg = create(folder_file("killed.opus"), 2);
        for (int i = 0; i < 50 * 10; i++)
            vox_ogg_write(ogg, packet, sizeof packet, 960, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    struct contents found = read_ogg(folder_file("killed.opus"));
    assert_in_range(found.ticks, 9 * HZ + 1, 10 * HZ);
    assert_int_equal(found.ticks, found.last_granule);
}

static void record_on_a_small_disk(const char *path)
{
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000}; /* 4.9 s */
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    struct vox_ogg *ogg = create(path, 2);
    if (write_seconds(ogg, 20) != VOX_ENOSPC || !strstr(error.text, path))
        _exit(1);
    if (write_seconds(ogg, 1) != VOX_ENOSPC || vox_ogg_gap(ogg, 960, NULL) != VOX_ENOSPC)
        _exit(2);
    _exit(vox_ogg_finish(ogg, &error) == VOX_ENOSPC ? 0 : 3);
}

static void a_full_disk_keeps_what_was_written(void **state)
{
    (void)state;
    const char *path = folder_file("full.opus");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        record_on_a_small_disk(path);
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    struct contents found = read_ogg(path);
    assert_in_range(found.ticks, 4 * HZ, 5 * HZ);
    assert_int_equal(found.ticks, found.last_granule);
}

static void says_why_it_cannot_create(void **state)
{
    (void)state;
    struct vox_ogg_config config;
    struct vox_ogg *ogg = NULL;
    vox_ogg_config_init(&config);
    assert_int_equal(vox_ogg_create(&config, &ogg, &error), VOX_EINVAL);
    config.path = "/nowhere/at/all.opus";
    assert_int_equal(vox_ogg_create(&config, &ogg, &error), VOX_ENOTFOUND);
    assert_non_null(strstr(error.text, config.path));
    config.path = "/dev/full";
    assert_int_equal(vox_ogg_create(&config, &ogg, &error), VOX_ENOSPC);
    config.channels = 3;
    assert_int_equal(vox_ogg_create(&config, &ogg, &error), VOX_EINVAL);
    assert_null(ogg);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(packets_come_back_as_they_were),
    cmocka_unit_test(gaps_keep_the_time),
    cmocka_unit_test(a_gap_sounds_like_concealment),
    cmocka_unit_test(pieces_of_gaps_add_up),
    cmocka_unit_test(refuses_what_is_no_packet),
    cmocka_unit_test(a_killed_process_leaves_all_but_a_second),
    cmocka_unit_test(a_full_disk_keeps_what_was_written),
    cmocka_unit_test(says_why_it_cannot_create),
};

int main(void)
{
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
