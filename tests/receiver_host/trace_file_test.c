#include "receiver/trace_file.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "call.h"
#include "channel/trace.h"
#include "cli/message.h"
#include "support/folder.h"

#include <math.h>
#include <sys/stat.h>

static FILE *said;

static int setup(void **state)
{
    said = tmpfile();
    vox_message_init("test", said);
    return folder_setup(state);
}

static int teardown(void **state)
{
    vox_message_init("test", stderr);
    fclose(said);
    return folder_teardown(state);
}

static const char *what_was_said(void)
{
    static char words[4096];
    fflush(said);
    rewind(said);
    size_t len = fread(words, 1, sizeof words - 1, said);
    words[len] = '\0';
    return words;
}

static const char *read_file(const char *path)
{
    static char bytes[4 << 20];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[len] = '\0';
    return bytes;
}

static struct vox_trace *parse_file(const char *path)
{
    struct vox_trace *trace = NULL;
    struct vox_trace_error error;
    const char *bytes = read_file(path);
    if (vox_trace_parse(bytes, strlen(bytes), &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    return trace;
}

static struct call open_call(struct vox_trace_file *file, const char *path)
{
    struct vox_tracer_config config;
    struct call call = usual_call;
    vox_tracer_config_init(&config);
    assert_true(vox_trace_file_open(file, &config, path));
    call.tracer = file->tracer;
    return call;
}

/* Where the n-th packet is truly: an exponential queue of 3 ms over a path that becomes faster. */
static double truly_ms(struct vox_rng *rng, int n)
{
    return (n < 2000 ? 60 : 20) - 3 * log(1 - vox_rng_uniform(rng));
}

/*
 * Twenty minutes with a sender whose clock is 80 ppm fast: on its own clock packets would seem to
 * become faster by 96 ms. Set right, each one's delay over the fastest is true.
 */
static void clocks_are_set_right_at_the_end(void **state)
{
    (void)state;
    enum { PACKETS = 60000 };
    struct vox_trace_file file;
    struct call call = open_call(&file, folder_file("skew"));
    struct vox_rng rng;
    vox_rng_init(&rng, 1, 0);
    for (int n = 0; n < PACKETS; n++) {
        int64_t sent_ns = (int64_t)((double)(n * CALL_INTERVAL_NS) / (1 + 80e-6));
        double way_ms = truly_ms(&rng, n);
        if (n % 100 != 99)
            call_packet_at(&call, n, n * CALL_INTERVAL_NS, sent_ns + vox_ms_to_ns(way_ms));
    }
    vox_trace_file_finish(&file);
    vox_trace_file_close(&file);
    struct vox_trace *trace = parse_file(folder_file("skew"));
    assert_int_equal(vox_trace_count(trace), PACKETS - 1);
    vox_rng_init(&rng, 1, 0);
    double least = 1e9, most = -1e9;
    for (int n = 0; n < PACKETS - 1; n++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, (size_t)n);
        double expect = truly_ms(&rng, n) - 20;
        assert_int_equal(p->copies, n % 100 != 99);
        if (p->copies == 0)
            continue;
        double error = vox_ns_to_ms(p->recv_ns[0] - p->send_ns) - expect;
        least = fmin(least, error);
        most = fmax(most, error);
    }
    assert_true(fabs(least) < 0.5 && fabs(most) < 0.5);
    vox_trace_destroy(trace);
    assert_non_null(strstr(read_file(folder_file("skew")), "# sender's clock +80."));
    assert_null(strstr(read_file(folder_file("skew")), "shift_ms"));
    assert_null(strstr(read_file(folder_file("skew")), "cut short"));
    assert_non_null(strstr(what_was_said(), "59999 packets of source 11223344, 599 of them lost"));
    assert_int_equal(folder_run("test $(ls | wc -l) = 1"), 0);
}

/* As a killed program leaves it. */
static void what_is_there_before_the_end_is_a_trace(void **state)
{
    (void)state;
    struct vox_trace_file file;
    struct call call = open_call(&file, folder_file("cut"));
    for (int n = 0; n < 1000; n++)
        call_packet(&call, n, n % 9);
    struct vox_trace *trace = parse_file(folder_file("cut"));
    size_t count = vox_trace_count(trace); /* 20 s less the 5 that are held back, less a flush */
    assert_in_range(count, 690, 750);
    assert_non_null(strstr(read_file(folder_file("cut")), "# cut short"));
    vox_trace_destroy(trace);
    vox_trace_file_close(&file);
}

static void no_path_no_trace(void **state)
{
    (void)state;
    struct vox_trace_file file;
    struct vox_tracer_config config;
    vox_tracer_config_init(&config);
    assert_true(vox_trace_file_open(&file, &config, NULL));
    vox_trace_file_push(&file, "", 0, 0, false);
    vox_trace_file_finish(&file);
    vox_trace_file_close(&file);
    assert_false(vox_trace_file_open(&file, &config, folder_file("no/such/folder")));
    assert_non_null(strstr(what_was_said(), "choose another file or folder"));
    vox_trace_file_close(&file);
}

static void full_disk_is_said_once(void **state)
{
    (void)state;
    struct vox_trace_file file;
    struct call call = open_call(&file, "/dev/full");
    for (int n = 0; n < 1000; n++) {
        call_packet(&call, n, 0);
        vox_trace_file_push(&file, "", 0, 0, false);
    }
    vox_trace_file_finish(&file);
    assert_true(file.failed);
    vox_trace_file_close(&file);
    const char *first = strstr(what_was_said(), "/dev/full");
    assert_non_null(first);
    assert_null(strstr(first + 1, "/dev/full"));
}

/* A link stays a link, and what it leads to a valid trace. */
static void only_a_plain_file_is_replaced(void **state)
{
    (void)state;
    struct vox_trace_file file;
    struct stat info;
    assert_int_equal(folder_run("ln -s target link"), 0);
    struct call call = open_call(&file, folder_file("link"));
    for (int n = 0; n < 10; n++)
        call_packet(&call, n, 0);
    vox_trace_file_finish(&file);
    vox_trace_file_close(&file);
    assert_true(lstat(folder_file("link"), &info) == 0 && S_ISLNK(info.st_mode));
    vox_trace_destroy(parse_file(folder_file("target")));
}

static void empty_call_is_told(void **state)
{
    (void)state;
    struct vox_trace_file file;
    open_call(&file, folder_file("empty"));
    vox_trace_file_finish(&file);
    vox_trace_file_close(&file);
    assert_non_null(strstr(what_was_said(), "is empty"));
}

static void foreign_lines_are_not_corrected(void **state)
{
    (void)state;
    static const struct vox_tracer_correction none = {0};
    FILE *in = tmpfile(), *out = tmpfile();
    fputs("# interval_ms 20\n1 2 3\nhello\n", in);
    rewind(in);
    assert_int_equal(vox_trace_file_correct(in, &none, out), VOX_EFORMAT);
    fclose(in);
    fclose(out);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

RUN(FOLDER_TEST(clocks_are_set_right_at_the_end),
    FOLDER_TEST(what_is_there_before_the_end_is_a_trace), FOLDER_TEST(no_path_no_trace),
    FOLDER_TEST(full_disk_is_said_once), FOLDER_TEST(only_a_plain_file_is_replaced),
    FOLDER_TEST(empty_call_is_told), FOLDER_TEST(foreign_lines_are_not_corrected))
