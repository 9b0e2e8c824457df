#include "sender/report.h"

#include "base/time.h"
#include "support/test.h"

#include <jansson.h>

static const struct vox_send_options options = {.source_text = "a.wav",
                                                .encoding.frame_ticks = 960};

static struct vox_send_report example(void)
{
    return (struct vox_send_report){
        .options = &options,
        .destination = "127.0.0.1:5004",
        .channels = 1,
        .final = true,
        .sent_ns = 61 * VOX_NS_PER_S,
        .duration_ns = 122 * VOX_NS_PER_S,
        .wire_kbps = 48.25,
        .rms_db = -20,
        .peak_db = -6,
        .sender = {.packets = 3050,
                   .reports = 2,
                   .reported_loss_pct = 12.5,
                   .burst_packets = 2.5,
                   .reported_lost = -1,
                   .reported_jitter_ns = 1500000,
                   .rtt_ns = 40250000,
                   .dtx_packets = 7,
                   .lbrr_packets = 11,
                   .stereo_packets = 5,
                   .stale_frames = 2},
        .rtp = {.ssrc = 0xdeadbeef, .first_timestamp = 0xfffffffe, .first_seq = 65535},
        .outlet = {.media_dropped = 152},
    };
}

static json_t *json_of(const struct vox_send_report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(vox_report_json(report, out), 0);
    fclose(out);
    assert_true(size > 0 && text[size - 1] == '\n');
    assert_ptr_equal(strchr(text, '\n'), text + size - 1); /* one line */
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    free(text);
    return object;
}

static const json_t *at(const json_t *object, const char *group, const char *name)
{
    const json_t *value = json_object_get(json_object_get(object, group), name);
    assert_non_null(value);
    return value;
}

static void json_has_the_promised_names(void **state)
{
    (void)state;
    static struct vox_histogram late;
    vox_histogram_init(&late);
    for (int i = 1; i <= 100; i++)
        vox_histogram_add(&late, i * VOX_NS_PER_US);
    struct vox_send_report report = example();
    report.late = &late;
    json_t *object = json_of(&report);
    assert_true(json_is_true(json_object_get(object, "final")));
    assert_int_equal(json_integer_value(at(object, "packets", "sent")), 3050);
    assert_int_equal(json_integer_value(at(object, "packets", "dropped_by_simulation")), 152);
    assert_int_equal(json_integer_value(at(object, "packets", "with_fec")), 11);
    assert_int_equal(json_integer_value(at(object, "packets", "coded_stereo")), 5);
    assert_int_equal(json_integer_value(at(object, "capture", "stale_packets")), 2);
    assert_int_equal(json_integer_value(at(object, "rtp", "ssrc")), 0xdeadbeef);
    assert_int_equal(json_integer_value(at(object, "rtp", "first_seq")), 65535);
    assert_int_equal(json_integer_value(at(object, "rtp", "first_timestamp")), 0xfffffffe);
    assert_float_equal(json_real_value(json_object_get(object, "wire_kbps")), 48.25, 1e-9);
    assert_float_equal(json_real_value(at(object, "level", "rms_db")), -20, 1e-9);
    assert_float_equal(json_real_value(json_object_get(object, "rtt_ms")), 40.25, 1e-9);
    assert_int_equal(json_integer_value(at(object, "receiver", "lost")), -1);
    assert_float_equal(json_real_value(at(object, "receiver", "loss_pct")), 12.5, 1e-9);
    assert_float_equal(json_real_value(at(object, "receiver", "burst_packets")), 2.5, 1e-9);
    assert_float_equal(json_real_value(at(object, "pacing_us", "p50")), 50.5, 1.0);
    assert_float_equal(json_real_value(at(object, "pacing_us", "max")), 100, 1e-9);
    json_decref(object);
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    struct vox_send_report report = example();
    report.sender.reports = 0;
    report.sender.rtt_ns = -1;
    json_t *object = json_of(&report);
    assert_true(json_is_null(json_object_get(object, "rtt_ms")));
    assert_true(json_is_null(json_object_get(object, "receiver")));
    assert_null(json_object_get(object, "pacing_us"));
    json_decref(object);
}

static void a_file_name_that_is_not_utf8_does_no_harm(void **state)
{
    (void)state;
    struct vox_send_options odd = options;
    odd.source_text = "\xFF.wav";
    struct vox_send_report report = example();
    report.options = &odd;
    json_decref(json_of(&report));
}

static void the_status_line_says_how_far(void **state)
{
    (void)state;
    char text[1024];
    struct vox_send_report report = example();
    const struct vox_meter_style plain = {0};
    size_t len = vox_report_status(&report, plain, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, "1:01/2:02"));
    assert_non_null(strstr(text, "3050 packets, 152 dropped"));
    assert_non_null(strstr(text, "loss 12.5 %"));
    assert_non_null(strstr(text, "rtt 40.2 ms"));
    report.duration_ns = -1;
    report.sent_ns = 3723 * VOX_NS_PER_S;
    vox_report_status(&report, plain, text, sizeof text);
    assert_int_equal(strncmp(text, "1:02:03", 7), 0);
    for (size_t room = 1; room < 60; room++)
        assert_true(vox_report_status(&report, plain, text, room) < room);
}

RUN(cmocka_unit_test(json_has_the_promised_names), cmocka_unit_test(what_is_not_known_is_null),
    cmocka_unit_test(a_file_name_that_is_not_utf8_does_no_harm),
    cmocka_unit_test(the_status_line_says_how_far))
