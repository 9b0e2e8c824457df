#include "lab/scenario.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/setting.h"
#include "support/test.h"

static struct vox_scenario parse(const char *text)
{
    struct vox_scenario scenario;
    char why[VOX_SCENARIO_WHY_BYTES] = "";
    int err = vox_scenario_parse(text, strlen(text), &scenario, why);
    if (err < 0)
        fail_msg("%s", why);
    return scenario;
}

static void files_alone_are_a_scenario(void **state)
{
    (void)state;
    struct vox_scenario s = parse("{\"files\": [\"a.wav\"]}");
    assert_int_equal(s.row_count, 1);
    assert_null(s.name);
    assert_false(s.quality);
    assert_string_equal(s.files[0].path, "a.wav");
    assert_string_equal(s.files[0].name, "a.wav");
    assert_int_equal(s.files[0].duration_ns, 0);
    assert_string_equal(s.encoders[0].name, "encoder-1");
    assert_int_equal(s.encoders[0].options.frame_ticks, 960);
    assert_string_equal(s.networks[0].name, "network-1");
    assert_false(vox_network_options_any(&s.networks[0].options));
    assert_string_equal(s.receivers[0].name, "receiver-1");
    assert_true(s.receivers[0].options.delay_ns < 0);
    assert_int_equal(s.seed_count, 1);
    assert_int_equal(s.seeds[0], 1);
    vox_scenario_clear(&s);
}

static const char everything[] =
    "{\"name\": \"all\", \"quality\": true,"
    " \"files\": [{\"name\": \"f\", \"file\": \"a.wav\", \"duration_s\": 2.5, \"loop\": true}],"
    " \"encoders\": [{\"name\": \"e\", \"profile\": \"music\", \"bitrate_kbps\": 24.5,"
    "   \"frame_ms\": 2.5, \"channels\": 2, \"complexity\": 3, \"dtx\": true, \"fec\": true}],"
    " \"networks\": [{\"name\": \"n\", \"loss_pct\": 5, \"burst_packets\": 3.5, \"delay_ms\": 20,"
    "   \"jitter_ms\": 1.25, \"reorder_pct\": 2, \"duplicate_pct\": 1, \"rate_limit_kbps\": 64,"
    "   \"trace\": \"t.trace\"}],"
    " \"receivers\": [{\"name\": \"r\", \"delay_ms\": \"auto\", \"min_delay_ms\": 10,"
    "   \"max_delay_ms\": 500, \"speaker_block_ms\": 2.7, \"speaker_skew_ppm\": -40,"
    "   \"speaker_latency_ms\": 5}],"
    " \"seeds\": [7, 0]}";

static void every_setting_arrives_in_its_unit(void **state)
{
    (void)state;
    struct vox_scenario s = parse(everything);
    const struct vox_encoding_options *e = &s.encoders[0].options;
    const struct vox_network_options *n = &s.networks[0].options;
    const struct vox_scenario_receiver *r = &s.receivers[0];
    assert_string_equal(s.name, "all");
    assert_true(s.quality);
    assert_true(s.files[0].duration_ns == 2500 * VOX_NS_PER_MS && s.files[0].loop);
    assert_int_equal(e->bitrate_bps, 24500);
    assert_int_equal(e->frame_ticks, 120);
    assert_int_equal(e->channels, 2);
    assert_int_equal(e->complexity, 3);
    assert_true(e->profile == VOX_PROFILE_MUSIC && e->dtx && e->fec);
    assert_true(n->loss > 0.0499 && n->loss < 0.0501 && n->burst_packets > 3.49);
    assert_true(n->delay_ns == 20 * VOX_NS_PER_MS && n->jitter_ns == 1250 * VOX_NS_PER_US);
    assert_true(n->reorder > 0.019 && n->duplicate > 0.009 && n->rate_limit_bps == 64000);
    assert_string_equal(n->trace, "t.trace");
    assert_true(r->options.delay_ns < 0 && r->options.min_delay_ns == 10 * VOX_NS_PER_MS);
    assert_true(r->speaker_block_ms > 2.69 && r->speaker_skew_ppm < -39);
    assert_true(r->speaker_latency_ns == 5 * VOX_NS_PER_MS);
    assert_int_equal(s.seeds[0], 7);
    assert_int_equal(s.seeds[1], 0);
    vox_scenario_clear(&s);
}

static void seeds_vary_fastest_and_files_slowest(void **state)
{
    (void)state;
    struct vox_scenario s =
        parse("{\"files\": [\"a\", \"b\"], \"encoders\": [{}, {}, {}],"
              " \"networks\": [{}, {}], \"receivers\": [{}, {\"delay_ms\": 60}],"
              " \"seeds\": {\"from\": 5, \"count\": 4}}");
    int64_t row = 0;
    assert_int_equal(s.row_count, 2 * 3 * 2 * 2 * 4);
    for (size_t file = 0; file < 2; file++)
        for (size_t encoder = 0; encoder < 3; encoder++)
            for (size_t network = 0; network < 2; network++)
                for (size_t receiver = 0; receiver < 2; receiver++)
                    for (size_t seed = 0; seed < 4; seed++) {
                        struct vox_scenario_place p = vox_scenario_place(&s, row++);
                        assert_true(p.file == file && p.encoder == encoder);
                        assert_true(p.network == network && p.receiver == receiver);
                        assert_int_equal(p.seed, seed);
                        assert_int_equal(s.seeds[seed], 5 + seed);
                    }
    vox_scenario_clear(&s);
}

#define FILES "\"files\": [\"a\"]"

static void mistakes_are_refused_with_place_value_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *place;
        const char *reason;
    } rows[] = {
        {"", "line 1, column 0", "near end of file"},
        {"{" FILES ",\n  \"seeds\": [NaN]}", "line 2, column", "NaN"},
        {"{" FILES ",\n\n \"networks\": [{\"delay_ms\": 1e999}]}", "line 3", "overflow"},
        {"{" FILES ", " FILES "}", "line 1", "duplicate"},
        {"[]", "", "an object"},
        {"{}", "", "there is no \"files\""},
        {"{\"files\": []}", "files: ", "empty"},
        {"{\"files\": \"a\"}", "files: ", "a list"},
        {"{\"files\": [7]}", "files[0]: ", "path"},
        {"{\"files\": [\"\"]}", "files[0]: ", "path"},
        {"{\"files\": [\"a\\nb\"]}", "files[0]: ", "control characters"},
        {"{\"files\": [{\"name\": \"x\"}]}", "files[0]: ", "path"},
        {"{\"files\": [{\"file\": \"a\", \"loop\": true}]}", "files[0]: ", "duration_s"},
        {"{\"files\": [{\"file\": \"a\", \"loop\": 1}]}", "files[0].loop: ", "1 is not true or"},
        {"{\"files\": [{\"file\": \"a\", \"duration\": 1}]}",
         "files[0]: ", "no setting \"duration\"; known are name, file, duration_s, loop"},
        {"{\"files\": [{\"file\": \"a\", \"duration_s\": 0}]}",
         "files[0].duration_s: ", "0 is not a number from 0.1 to 86400"},
        {"{\"files\": [\"a\", \"b\", \"a\"]}", "", "files[0] and files[2] have the same name"},
        {"{" FILES ", \"speed\": 2}", "", "no setting \"speed\""},
        {"{" FILES ", \"name\": 2}", "name: ", "text"},
        {"{" FILES ", \"quality\": \"yes\"}", "quality: ", "\"yes\" is not true or false"},
        {"{" FILES ", \"encoders\": [{}, 5]}", "encoders[1]: ", "an object"},
        {"{" FILES ", \"encoders\": [{\"profile\": \"loud\"}]}",
         "encoders[0].profile: ", "\"loud\" is not one of \"voice\", \"music\", \"lowdelay\""},
        {"{" FILES ", \"encoders\": [{\"complexity\": 11}]}",
         "encoders[0].complexity: ", "11 is not a whole number from 0 to 10"},
        {"{" FILES ", \"encoders\": [{\"complexity\": 2.5}]}", "encoders[0].complexity: ", "2.5"},
        {"{" FILES ", \"encoders\": [{\"complexity\": \"9\"}]}",
         "encoders[0].complexity: ", "\"9\" is not"},
        {"{" FILES ", \"encoders\": [{\"frame_ms\": 15}]}", "encoders[0]: ", "frame_ms 15: Opus"},
        {"{" FILES ", \"encoders\": [{\"frame_ms\": 60, \"bitrate_kbps\": 400}]}",
         "encoders[0]: ", "one datagram"},
        {"{" FILES ", \"networks\": [{}, {}, {\"loss_pct\": 120}]}",
         "networks[2].loss_pct: ", "120 is not a number from 0 to 100"},
        {"{" FILES ", \"networks\": [{\"loss_pct\": -1}]}", "networks[0].loss_pct: ", "-1 is not"},
        {"{" FILES ", \"networks\": [{\"loss_pct\": 100, \"burst_packets\": 2}]}",
         "networks[0]: ", "no bursts"},
        {"{" FILES ", \"networks\": [{\"seed\": 2}]}", "networks[0]: ", "no setting \"seed\""},
        {"{" FILES ", \"networks\": [{\"name\": \"x\"}, {\"name\": \"x\"}]}", "",
         "networks[0] and networks[1] have the same name \"x\""},
        {"{" FILES ", \"networks\": [{\"name\": \"network-2\"}, {}]}", "", "same name"},
        {"{" FILES ", \"receivers\": [{\"delay_ms\": \"soon\"}]}",
         "receivers[0].delay_ms: ", "\"soon\" is not a number from 0 to 10000, or \"auto\""},
        {"{" FILES ", \"receivers\": [{\"min_delay_ms\": 9, \"max_delay_ms\": 3}]}",
         "receivers[0]: ", "min_delay_ms 9 is above max_delay_ms 3"},
        {"{" FILES ", \"seeds\": []}", "seeds: ", "empty"},
        {"{" FILES ", \"seeds\": 5}", "seeds: ", "a list"},
        {"{" FILES ", \"seeds\": [1, -1]}", "seeds: ", "item 1"},
        {"{" FILES ", \"seeds\": [1, 2.0]}", "seeds: ", "item 1"},
        {"{" FILES ", \"seeds\": [3, 1, 3]}", "seeds: ", "3 is there twice"},
        {"{" FILES ", \"seeds\": {\"from\": 1}}", "seeds: ", "count"},
        {"{" FILES ", \"seeds\": {\"count\": 0}}", "seeds: ", "count 0"},
        {"{" FILES ", \"seeds\": {\"from\": -1, \"count\": 1}}", "seeds: ", "from -1"},
        {"{" FILES ", \"seeds\": {\"from\": 9223372036854775807, \"count\": 2}}",
         "seeds: ", "is not a seed"},
        {"{" FILES ", \"seeds\": {\"count\": 2, \"step\": 2}}", "seeds: ", "step"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_scenario s = {0};
        char why[VOX_SCENARIO_WHY_BYTES] = "";
        int err = vox_scenario_parse(rows[i].text, strlen(rows[i].text), &s, why);
        if (err != VOX_EFORMAT && err != VOX_ELIMIT)
            fail_msg("taken: %s", rows[i].text);
        if (strncmp(why, rows[i].place, strlen(rows[i].place)) != 0 || !strstr(why, rows[i].reason))
            fail_msg("%s\nis refused with: %s\nnot with: %s ... %s", rows[i].text, why,
                     rows[i].place, rows[i].reason);
        assert_null(s.files);
    }
}

static void the_product_is_limited(void **state)
{
    (void)state;
    struct vox_scenario s;
    char why[VOX_SCENARIO_WHY_BYTES];
    static const char most[] =
        "{\"files\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\","
        " \"i\", \"j\"], \"seeds\": {\"count\": 1000000}";
    char text[256];
    snprintf(text, sizeof text, "%s}", most);
    assert_int_equal(vox_scenario_parse(text, strlen(text), &s, why), 0);
    assert_int_equal(s.row_count, VOX_SCENARIO_MAX_ROWS);
    vox_scenario_clear(&s);
    snprintf(text, sizeof text, "%s, \"encoders\": [{}, {}]}", most);
    assert_int_equal(vox_scenario_parse(text, strlen(text), &s, why), VOX_ELIMIT);
    assert_non_null(strstr(why, "more than 10000000 rows"));
}

static void settings_print_as_they_are_written(void **state)
{
    (void)state;
    static const char *const expected[] = {"5", "3.5", "20", "1.25", "2", "1", "64", "t.trace"};
    struct vox_scenario s = parse(everything);
    struct vox_option rows[VOX_SCENARIO_ROWS];
    char text[64];
    size_t count = vox_scenario_network_rows(&s.networks[0], rows);
    assert_int_equal(count, COUNT(expected));
    for (size_t i = 0; i < count; i++) {
        vox_setting_print(&rows[i], text, sizeof text);
        assert_string_equal(text, expected[i]);
    }
    vox_scenario_receiver_rows(&s.receivers[0], rows);
    vox_setting_print(&rows[0], text, sizeof text);
    assert_string_equal(text, "auto");
    vox_scenario_clear(&s);
}

RUN(cmocka_unit_test(files_alone_are_a_scenario),
    cmocka_unit_test(every_setting_arrives_in_its_unit),
    cmocka_unit_test(seeds_vary_fastest_and_files_slowest),
    cmocka_unit_test(mistakes_are_refused_with_place_value_and_reason),
    cmocka_unit_test(the_product_is_limited), cmocka_unit_test(settings_print_as_they_are_written))
