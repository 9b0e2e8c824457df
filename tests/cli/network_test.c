#include "cli/network.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/impair.h"
#include "channel/trace.h"
#include "support/test.h"

#include <unistd.h>

enum { MAX_WORDS = 32 };

/* Parses a command line that has nothing but these options. */
static enum vox_options_outcome parse(const char *line, struct vox_network_options *out)
{
    static char text[512], name[] = "program";
    static char *argv[MAX_WORDS + 1];
    struct vox_option rows[VOX_NETWORK_OPTIONS];
    struct vox_arguments arguments;
    int argc = 0;
    argv[argc++] = name;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    vox_network_options_init(out);
    const struct vox_options command = {.program = name,
                                        .version = "1",
                                        .usage = "[options]",
                                        .description = "",
                                        .options = rows,
                                        .count = vox_network_options_rows(out, "Network", rows)};
    return vox_options_parse(&command, argc, argv, &arguments);
}

static void the_options_reach_the_model(void **state)
{
    (void)state;
    struct vox_network_options o;
    struct vox_impair_config network;
    assert_int_equal(parse("--loss 5 --burst 3 --delay 20 --jitter 30 --reorder 1 --duplicate 2 "
                           "--rate-limit 100 --seed 0x2a",
                           &o),
                     VOX_OPTIONS_RUN);
    vox_network_options_impair(&o, &network);
    assert_float_equal(network.loss, 0.05, 1e-12);
    assert_float_equal(network.burst_packets, 3, 1e-12);
    assert_true(network.delay_ns == 20 * VOX_NS_PER_MS);
    assert_true(network.jitter_ns == 30 * VOX_NS_PER_MS);
    assert_float_equal(network.reorder, 0.01, 1e-12);
    assert_float_equal(network.duplicate, 0.02, 1e-12);
    assert_true(network.rate_bps == 100000);
    assert_true(network.seed == 42);
}

static void without_options_the_network_is_perfect(void **state)
{
    (void)state;
    struct vox_network_options o;
    struct vox_impair_config network, perfect;
    assert_int_equal(parse("", &o), VOX_OPTIONS_RUN);
    assert_false(vox_network_options_any(&o));
    vox_network_options_impair(&o, &network);
    vox_impair_config_init(&perfect);
    assert_memory_equal(&network, &perfect, sizeof network);
    assert_int_equal(parse("--seed 3 --burst 2", &o), VOX_OPTIONS_RUN);
    assert_false(vox_network_options_any(&o));
}

static void each_of_them_alone_is_a_network(void **state)
{
    (void)state;
    static const char *const lines[] = {"--loss 1",       "--delay 1",     "--jitter 1",
                                        "--reorder 1",    "--duplicate 1", "--rate-limit 64",
                                        "--trace t.trace"};
    struct vox_network_options o;
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_int_equal(parse(lines[i], &o), VOX_OPTIONS_RUN);
        assert_true(vox_network_options_any(&o));
        assert_true(vox_network_options_check(&o));
    }
}

static void all_lost_has_no_bursts(void **state)
{
    (void)state;
    struct vox_network_options o;
    assert_int_equal(parse("--loss 100 --burst 2", &o), VOX_OPTIONS_RUN);
    assert_false(vox_network_options_check(&o));
    assert_int_equal(parse("--loss 100", &o), VOX_OPTIONS_RUN);
    assert_true(vox_network_options_check(&o));
}

static int read_trace_of(const char *text, struct vox_trace **trace, char *path, char *why)
{
    strcpy(path, "/tmp/voxgram-network-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    int err = vox_network_trace_read(path, trace, why);
    unlink(path);
    return err;
}

static void traces_are_read_and_refused_with_their_line(void **state)
{
    (void)state;
    char path[64], why[VOX_NETWORK_ERROR_BYTES];
    struct vox_trace *trace = NULL;
    assert_int_equal(read_trace_of("0 0 5\n1 20 lost\n", &trace, path, why), 0);
    assert_int_equal(vox_trace_count(trace), 2);
    vox_trace_destroy(trace);
    assert_int_equal(read_trace_of("0 0 5\n1 20\n", &trace, path, why), VOX_EFORMAT);
    assert_non_null(strstr(why, path));
    assert_non_null(strstr(why, "line 2"));
    assert_int_equal(vox_network_trace_read("/tmp/voxgram-no-such.trace", &trace, why), VOX_EIO);
    assert_non_null(strstr(why, "/tmp/voxgram-no-such.trace"));
}

RUN(cmocka_unit_test(the_options_reach_the_model),
    cmocka_unit_test(without_options_the_network_is_perfect),
    cmocka_unit_test(each_of_them_alone_is_a_network), cmocka_unit_test(all_lost_has_no_bursts),
    cmocka_unit_test(traces_are_read_and_refused_with_their_line))
