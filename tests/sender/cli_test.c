#include "sender/cli.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/impair.h"
#include "support/test.h"

enum { MAX_WORDS = 32 };

/* Parses "voxgram-send" and the words of a line, which must stay alive with the result. */
static enum vox_options_outcome parse(const char *line, struct vox_send_options *out)
{
    static char text[512], name[] = "voxgram-send";
    static char *argv[MAX_WORDS + 1];
    int argc = 0;
    argv[argc++] = name;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return vox_send_options_parse(argc, argv, out);
}

static void defaults_come_from_the_profile(void **state)
{
    (void)state;
    struct vox_send_options o;
    assert_int_equal(parse("a.wav host", &o), VOX_OPTIONS_RUN);
    assert_string_equal(o.source.name, "a.wav");
    assert_string_equal(o.destination, "host");
    assert_int_equal(o.encoding.profile, VOX_PROFILE_VOICE);
    assert_int_equal(o.encoding.frame_ticks, 960);
    assert_int_equal(o.encoding.bitrate_bps, 0);
    assert_int_equal(o.encoding.complexity, 9);
    assert_int_equal(o.dscp, 46);
    assert_true(o.network.seed == 1);
    assert_true(o.buffer_ns == VOX_BUFFER_DEFAULT);
    assert_false(vox_network_options_any(&o.network));
    assert_int_equal(parse("a.wav host --profile lowdelay", &o), VOX_OPTIONS_RUN);
    assert_int_equal(o.encoding.frame_ticks, 240);
    assert_int_equal(parse("a.wav host --profile music --complexity 0", &o), VOX_OPTIONS_RUN);
    assert_int_equal(o.encoding.complexity, 0);
}

static void options_land_in_their_units(void **state)
{
    (void)state;
    struct vox_send_options o;
    assert_int_equal(parse("x [::1]:6000 --bitrate 64 --frame 2.5 --channels 2 --dtx --fec "
                           "--duration 1.5 --loop --buffer 40 --ttl 4 --dscp 0 --interface lo "
                           "--sdp s.sdp --no-rtcp-mux --stats - -q",
                           &o),
                     VOX_OPTIONS_RUN);
    assert_int_equal(o.encoding.bitrate_bps, 64000);
    assert_int_equal(o.encoding.frame_ticks, 120);
    assert_int_equal(o.encoding.channels, 2);
    assert_true(o.encoding.dtx && o.encoding.fec && o.loop && o.quiet && !o.verbose);
    assert_true(o.duration_ns == 1500 * VOX_NS_PER_MS);
    assert_true(o.buffer_ns == 40 * VOX_NS_PER_MS);
    assert_int_equal(o.ttl, 4);
    assert_int_equal(o.dscp, 0);
    assert_string_equal(o.interface, "lo");
    assert_string_equal(o.sdp, "s.sdp");
    assert_true(o.no_rtcp_mux);
    assert_string_equal(o.stats, "-");
}

static void the_simulated_network_is_mapped(void **state)
{
    (void)state;
    struct vox_send_options o;
    struct vox_impair_config network;
    assert_int_equal(
        parse("x y --loss 5 --burst 3 --delay 20 --jitter 30 --reorder 1 --duplicate 2 "
              "--rate-limit 100 --seed 0x2a --frame 10",
              &o),
        VOX_OPTIONS_RUN);
    assert_true(vox_network_options_any(&o.network));
    vox_send_options_impair(&o, &network);
    assert_float_equal(network.loss, 0.05, 1e-12);
    assert_float_equal(network.burst_packets, 3, 1e-12);
    assert_true(network.delay_ns == 20 * VOX_NS_PER_MS);
    assert_true(network.jitter_ns == 30 * VOX_NS_PER_MS);
    assert_float_equal(network.reorder, 0.01, 1e-12);
    assert_float_equal(network.duplicate, 0.02, 1e-12);
    assert_true(network.rate_bps == 100000);
    assert_true(network.packet_ns == 10 * VOX_NS_PER_MS &&
                network.burst_unit_ns == 20 * VOX_NS_PER_MS);
    assert_true(network.seed == 42);
}

static void each_of_them_alone_is_a_network(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "x y --loss 1",      "x y --delay 1",       "x y --jitter 1",   "x y --reorder 1",
        "x y --duplicate 1", "x y --rate-limit 64", "x y --trace t.txt"};
    struct vox_send_options o;
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_int_equal(parse(lines[i], &o), VOX_OPTIONS_RUN);
        assert_true(vox_network_options_any(&o.network));
    }
    assert_int_equal(parse("x y --seed 3 --burst 2", &o), VOX_OPTIONS_RUN);
    assert_false(vox_network_options_any(&o.network));
}

struct source_row {
    const char *text;
    enum vox_source_kind kind;
    const char *name;
    double hz;
};

static void sources_as_people_write_them(void **state)
{
    (void)state;
    static const struct source_row rows[] = {
        {"-", VOX_SOURCE_RAW, NULL, 0},
        {"mic", VOX_SOURCE_MIC, NULL, 0},
        {"mic:", VOX_SOURCE_MIC, NULL, 0},
        {"mic:USB: Rode", VOX_SOURCE_MIC, "USB: Rode", 0},
        {"marker", VOX_SOURCE_MARKER, NULL, 0},
        {"tone:440.5", VOX_SOURCE_TONE, NULL, 440.5},
        {"./mic", VOX_SOURCE_FILE, "./mic", 0},
        {"microphone.wav", VOX_SOURCE_FILE, "microphone.wav", 0},
        {"tone.wav", VOX_SOURCE_FILE, "tone.wav", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_source_spec spec;
        assert_int_equal(vox_source_parse(rows[i].text, &spec), 0);
        assert_int_equal(spec.kind, rows[i].kind);
        assert_true(spec.tone_hz == rows[i].hz);
        if (rows[i].name)
            assert_string_equal(spec.name, rows[i].name);
        else
            assert_null(spec.name);
    }
    static const char *const bad[] = {"tone:",   "tone:x",   "tone:440x", "tone:0",
                                      "tone:-1", "tone:nan", "tone:inf"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct vox_source_spec spec;
        assert_int_equal(vox_source_parse(bad[i], &spec), VOX_EINVAL);
    }
}

static void wrong_use_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "a.wav",
        "a.wav host extra",
        "a.wav host --frame 7",
        "a.wav host --frame 61",
        "a.wav host --bitrate 5",
        "a.wav host --bitrate 511",
        "a.wav host --bitrate 300 --frame 60",
        "a.wav host --channels 3",
        "a.wav host --complexity 11",
        "a.wav host --profile loud",
        "a.wav host --loss 101",
        "a.wav host --loss 100 --burst 2",
        "a.wav host --burst 0.5",
        "a.wav host --ttl 0",
        "a.wav host --dscp 64",
        "a.wav host --rate 44100",
        "tone:1 host --loop",
        "tone: host",
        "a.wav host:99999",
        "a.wav [::1",
        "a.wav host --nonsense",
    };
    struct vox_send_options o;
    for (size_t i = 0; i < COUNT(lines); i++)
        if (parse(lines[i], &o) != VOX_OPTIONS_WRONG)
            fail_msg("accepted: %s", lines[i]);
}

static void devices_are_listed_without_arguments(void **state)
{
    (void)state;
    struct vox_send_options o;
    assert_int_equal(parse("--list-devices", &o), VOX_OPTIONS_RUN);
    assert_true(o.list_devices);
}

static void channels_follow_the_source(void **state)
{
    (void)state;
    struct vox_send_options o;
    parse("x y", &o);
    assert_int_equal(vox_encoding_options_channels(&o.encoding, 1), 1);
    assert_int_equal(vox_encoding_options_channels(&o.encoding, 2), 2);
    assert_int_equal(vox_encoding_options_channels(&o.encoding, 6), 2);
    parse("x y --channels 1", &o);
    assert_int_equal(vox_encoding_options_channels(&o.encoding, 6), 1);
}

RUN(cmocka_unit_test(defaults_come_from_the_profile), cmocka_unit_test(options_land_in_their_units),
    cmocka_unit_test(the_simulated_network_is_mapped),
    cmocka_unit_test(each_of_them_alone_is_a_network),
    cmocka_unit_test(sources_as_people_write_them), cmocka_unit_test(wrong_use_is_refused),
    cmocka_unit_test(devices_are_listed_without_arguments),
    cmocka_unit_test(channels_follow_the_source))
