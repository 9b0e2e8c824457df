#include "cli/options.h"
#include "cli/message.h"
#include "support/test.h"

#include <math.h>

enum { MAX_WORDS = 40 };

static struct {
    bool quiet, adapt, given;
    int count, bitrate_bps, profile;
    uint64_t seed;
    double gain, loss;
    int64_t delay_ns, duration_ns;
    const char *file;
    struct vox_option_list allow;
} got;

static const char *const profiles[] = {"voice", "music", "lowdelay", NULL};

static const struct vox_option table[] = {
    {.name = "quiet",
     .letter = 'q',
     .kind = VOX_OPTION_FLAG,
     .group = "Common",
     .help = "say only what went wrong",
     .target.flag = &got.quiet},
    {.name = "adapt",
     .kind = VOX_OPTION_FLAG,
     .negatable = true,
     .group = "Common",
     .help = "follow the reports of the receiver, which is how a stream survives a network that "
             "changes while it is on (default: no)",
     .target.flag = &got.adapt},
    {.name = "count",
     .letter = 'n',
     .argument = "N",
     .kind = VOX_OPTION_INT,
     .min = -5,
     .max = 100,
     .group = "Common",
     .help = "how many",
     .target.integer = &got.count},
    {.name = "bitrate",
     .argument = "KBPS",
     .kind = VOX_OPTION_KBPS,
     .min = 6,
     .max = 510,
     .group = "Encoding",
     .help = "of the codec",
     .target.integer = &got.bitrate_bps},
    {.name = "profile",
     .argument = "NAME",
     .kind = VOX_OPTION_CHOICE,
     .choices = profiles,
     .group = "Encoding",
     .help = "what it is tuned for",
     .target.integer = &got.profile},
    {.name = "seed",
     .argument = "N",
     .kind = VOX_OPTION_UINT64,
     .group = "Network",
     .help = "of the chance",
     .target.number64 = &got.seed},
    {.name = "gain",
     .argument = "DB",
     .kind = VOX_OPTION_NUMBER,
     .group = "Network",
     .help = "louder",
     .target.number = &got.gain},
    {.name = "loss",
     .argument = "PCT",
     .kind = VOX_OPTION_PERCENT,
     .group = "Network",
     .help = "lost packets",
     .target.number = &got.loss},
    {.name = "delay",
     .argument = "MS",
     .kind = VOX_OPTION_MS,
     .max = 2000,
     .word = "auto",
     .word_value = -1,
     .group = "Network",
     .help = "of playing, or auto",
     .target.ns = &got.delay_ns,
     .given = &got.given},
    {.name = "duration",
     .argument = "S",
     .kind = VOX_OPTION_SECONDS,
     .min = 0,
     .max = HUGE_VAL,
     .group = "Network",
     .help = "how long",
     .target.ns = &got.duration_ns},
    {.name = "a-very-long-option-name",
     .argument = "FILE",
     .kind = VOX_OPTION_STRING,
     .group = "Network",
     .help = "where to",
     .target.string = &got.file},
    {.name = "allow",
     .argument = "CIDR",
     .kind = VOX_OPTION_LIST,
     .group = "Network",
     .help = "whom to hear",
     .target.list = &got.allow},
};

static const struct vox_options command = {
    .program = "prog",
    .version = "1.2.3",
    .usage = "SOURCE DESTINATION [options]\n--list",
    .description = "Streams sound to somebody else, who hears it, and this sentence goes on for so "
                   "long that it has to be folded.\nA second paragraph.",
    .arguments = "SOURCE\twhat to send, which may be described at a length that does not fit into "
                 "one line of a terminal\nDESTINATION\twhere to\n",
    .examples = "  prog song.wav host:5004",
    .options = table,
    .count = COUNT(table),
    .min_arguments = 1,
    .max_arguments = 2};

struct outcome {
    enum vox_options_outcome code;
    struct vox_arguments arguments;
    char text[1024]; /* on stderr */
    char *argv[MAX_WORDS];
    char words[1024];
};

/* Parses a line of words parted by single spaces ("''" is an empty word). */
static void parse(const char *line, struct outcome *out)
{
    memset(&got, 0, sizeof got);
    memset(out, 0, sizeof *out);
    snprintf(out->words, sizeof out->words, "prog %s", line);
    int argc = 0;
    for (char *at = strtok(out->words, " "); at; at = strtok(NULL, " ")) {
        if (strcmp(at, "''") == 0)
            *at = '\0';
        out->argv[argc++] = at;
    }
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    vox_message_init("prog", stream);
    out->code = vox_options_parse(&command, argc, out->argv, &out->arguments);
    vox_message_init(NULL, NULL);
    fclose(stream);
    snprintf(out->text, sizeof out->text, "%s", text);
    free(text);
}

static void parse_well(const char *line, struct outcome *out)
{
    parse(line, out);
    if (out->code != VOX_OPTIONS_RUN)
        fail_msg("%s: %s", line, out->text);
    assert_string_equal(out->text, "");
}

static void converts_units(void **state)
{
    (void)state;
    struct outcome o;
    parse_well("--quiet --count -5 --bitrate 24.5 --profile music --seed 0xfFfFfFfFfFfFfFfF x", &o);
    assert_true(got.quiet && got.count == -5 && got.bitrate_bps == 24500 && got.profile == 1);
    assert_true(got.seed == UINT64_MAX);
    parse_well("--gain -3.25 --loss=5 --delay 2.5 --duration 0.1 x", &o);
    assert_true(got.gain < -3.24 && got.gain > -3.26 && got.loss > 0.0499 && got.loss < 0.0501);
    assert_true(got.delay_ns == 2500000 && got.duration_ns == 100000000 && got.given);
    parse_well("--delay auto --duration 1e3 --seed 18446744073709551615 -q -n7 x", &o);
    assert_true(got.delay_ns == -1 && got.duration_ns == INT64_C(1000000000000));
    assert_true(got.seed == UINT64_MAX && got.quiet && got.count == 7);
    parse_well("--adapt x", &o);
    assert_true(got.adapt && !got.given);
    parse_well("--adapt --no-adapt x", &o);
    assert_false(got.adapt);
    parse_well("--allow a --allow=b --a-very f.wav x", &o);
    assert_int_equal(got.allow.count, 2);
    assert_string_equal(got.allow.items[1], "b");
    assert_string_equal(got.file, "f.wav");
}

static void gives_back_what_is_not_an_option(void **state)
{
    (void)state;
    struct outcome o;
    parse_well("first --quiet second --count 3", &o);
    assert_int_equal(o.arguments.count, 2);
    assert_string_equal(o.arguments.items[0], "first");
    assert_string_equal(o.arguments.items[1], "second");
    parse_well("- --quiet", &o);
    assert_int_equal(o.arguments.count, 1);
    assert_string_equal(o.arguments.items[0], "-");
    parse_well("--quiet -- --count", &o);
    assert_string_equal(o.arguments.items[0], "--count");
    assert_int_equal(got.count, 0);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says, *says_too;
    } rows[] = {
        {"--bitrate abc x", "--bitrate \"abc\" is not a number", "6 to 510 (KBPS)"},
        {"--bitrate 5.9 x", "--bitrate \"5.9\" is out of range", "6 to 510"},
        {"--bitrate 511 x", "out of range", "6 to 510"},
        {"--bitrate 20k x", "\"20k\" is not a number", "KBPS"},
        {"--bitrate 20,5 x", "not a number", "KBPS"},
        {"--bitrate 0x20 x", "not a number", "KBPS"},
        {"--bitrate '' x", "--bitrate needs a value", "not empty"},
        {"--gain nan x", "not a number", "a number (DB)"},
        {"--gain inf x", "not a number", "DB"},
        {"--gain 1e999 x", "out of range", "DB"},
        {"--gain - x", "not a number", "DB"},
        {"--gain 1e x", "not a number", "DB"},
        {"--count 2.5 x", "\"2.5\" is not a whole number", "-5 to 100"},
        {"--count 101 x", "out of range", "-5 to 100"},
        {"--count -6 x", "out of range", "-5 to 100"},
        {"--count 99999999999999999999 x", "out of range", "-5 to 100"},
        {"--seed -1 x", "whole number from 0", "--seed"},
        {"--seed 18446744073709551616 x", "out of range", "--seed"},
        {"--seed 0x x", "whole number from 0", "--seed"},
        {"--loss 100.1 x", "out of range", "0 to 100 (PCT)"},
        {"--loss -1 x", "out of range", "0 to 100"},
        {"--delay 2000.1 x", "out of range", "0 to 2000 (MS) or auto"},
        {"--delay automatic x", "not a number", "or auto"},
        {"--duration -1 x", "out of range", "0 or more (S)"},
        {"--duration 1e300 x", "out of range", "0 or more (S)"},
        {"--profile speech x", "--profile \"speech\" is unknown", "voice, music or lowdelay"},
        {"--profile voic x", "is unknown", "voice, music or lowdelay"},
        {"--bitrate", "--bitrate needs a value: --bitrate KBPS", "--help"},
        {"-n", "--count needs a value", "--count N"},
        {"--quiet=1 x", "--quiet takes no value", "--help"},
        {"--help=1 x", "--help takes no value", "--help"},
        {"--no-adapt=1 x", "takes no value", "--help"},
        {"--frobnicate x", "unknown option --frobnicate", "--help"},
        {"--frobnicate=5 x", "unknown option --frobnicate=5", "--help"},
        {"--no-quiet x", "unknown option --no-quiet", "--help"},
        {"-z x", "unknown option -z", "--help"},
        {"--d 5 x", "could be one of 2", "in full"},
        {"''", "", ""},
        {"a b c", "\"c\" is one argument too many", "SOURCE DESTINATION [options]"},
        {"--quiet", "arguments are missing", "SOURCE DESTINATION"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o;
        parse(rows[i].line, &o);
        if (rows[i].says[0] == '\0') /* an empty argument is the program's to judge */
            assert_int_equal(o.code, VOX_OPTIONS_RUN);
        else if (o.code != VOX_OPTIONS_WRONG || !strstr(o.text, rows[i].says) ||
                 !strstr(o.text, rows[i].says_too))
            fail_msg("%s: %d \"%s\"", rows[i].line, o.code, o.text);
    }
}

static void refuses_too_long_a_list(void **state)
{
    (void)state;
    struct outcome o;
    char line[1024] = "x";
    for (int i = 0; i < VOX_OPTION_LIST_MAX / 2; i++)
        strcat(line, " --allow=a");
    parse_well(line, &o);
    assert_int_equal(got.allow.count, VOX_OPTION_LIST_MAX / 2);
    got.allow.count = VOX_OPTION_LIST_MAX;
    char program[] = "prog", word[] = "--allow=b", *argv[] = {program, word, NULL};
    FILE *null = fopen("/dev/null", "w");
    vox_message_init("prog", null);
    assert_int_equal(vox_options_parse(&command, 2, argv, &o.arguments), VOX_OPTIONS_WRONG);
    vox_message_init(NULL, NULL);
    fclose(null);
}

static void help_fits_eighty_columns(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    vox_options_print_help(&command, stream);
    fclose(stream);
    static const char *const expected[] = {
        "Usage: prog SOURCE DESTINATION [options]\n       prog --list\n\nStreams sound",
        "\nA second paragraph.\n\nArguments:\n  SOURCE                    what to send",
        "\nCommon:\n  -q, --quiet ",
        "\n      --[no-]adapt          follow the reports",
        "\n  -n, --count N             how many (-5..100)\n",
        "\nEncoding:\n      --bitrate KBPS        of the codec (6..510)\n",
        "what it is tuned for: voice, music, lowdelay\n",
        "\n      --a-very-long-option-name FILE\n                            where to\n",
        "\n  -h, --help ",
        "\nExamples:\n  prog song.wav host:5004\n",
    };
    for (size_t i = 0; i < COUNT(expected); i++)
        if (!strstr(text, expected[i]))
            fail_msg("no \"%s\" in:\n%s", expected[i], text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 80);
        assert_true(line[strlen(line) - 1] != ' ');
    }
    free(text);
}

RUN(cmocka_unit_test(converts_units), cmocka_unit_test(gives_back_what_is_not_an_option),
    cmocka_unit_test(says_what_is_wrong), cmocka_unit_test(refuses_too_long_a_list),
    cmocka_unit_test(help_fits_eighty_columns))
