#include "cli/options.h"

#include "base/time.h"
#include "cli/message.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* getopt_long's answer for row i of the table; below are letters. */
enum {
    FIRST_ROW = 256,
    FIRST_NEGATED_ROW = FIRST_ROW + VOX_OPTIONS_MAX,
    NAME_BYTES = 48,
    ALLOWED_BYTES = 320,
};

/* ---- what is allowed, in words ---- */

static void range_of(const struct vox_option *option, double *min, double *max)
{
    *min = option->min;
    *max = option->max;
    if (*min != 0 || *max != 0)
        return;
    *min = -HUGE_VAL;
    *max = HUGE_VAL;
    if (option->kind == VOX_OPTION_PERCENT) {
        *min = 0;
        *max = 100;
    }
}

static void join_choices(const char *const *choices, char *out, size_t capacity)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; choices[i] && len < capacity; i++) {
        const char *separator = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        len += (size_t)snprintf(out + len, capacity - len, "%s%s", separator, choices[i]);
    }
}

static void describe_allowed(const struct vox_option *option, char out[ALLOWED_BYTES])
{
    if (option->kind == VOX_OPTION_CHOICE) {
        join_choices(option->choices, out, ALLOWED_BYTES);
        return;
    }
    double min, max;
    range_of(option, &min, &max);
    const char *argument = option->argument ? option->argument : "";
    int len;
    if (isinf(min) && isinf(max))
        len = snprintf(out, ALLOWED_BYTES, "a number (%s)", argument);
    else if (isinf(max))
        len = snprintf(out, ALLOWED_BYTES, "%g or more (%s)", min, argument);
    else
        len = snprintf(out, ALLOWED_BYTES, "%.12g to %.12g (%s)", min, max, argument);
    if (option->word && len > 0 && len < ALLOWED_BYTES)
        snprintf(out + len, ALLOWED_BYTES - (size_t)len, " or %s", option->word);
}

static bool refuse(const struct vox_option *option, const char *value, const char *why)
{
    char allowed[ALLOWED_BYTES];
    describe_allowed(option, allowed);
    vox_message_error("--%s \"%.80s\" %s; allowed: %s", option->name, value, why, allowed);
    return false;
}

/* ---- values ---- */

static bool check_range(const struct vox_option *option, const char *text, double value)
{
    double min, max;
    range_of(option, &min, &max);
    if (value < min || value > max)
        return refuse(option, text, "is out of range");
    return true;
}

/* Decimal only: strtod also takes leading spaces, hexadecimal, "inf" and "nan". */
static bool parse_number(const struct vox_option *option, const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end || text[strspn(text, "+-.0123456789eE")])
        return refuse(option, text, "is not a number");
    if (!isfinite(*out))
        return refuse(option, text, "is out of range");
    return check_range(option, text, *out);
}

static bool put_int(const struct vox_option *option, const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text))
        return refuse(option, text, "is not a whole number");
    if (errno == ERANGE || value < INT_MIN || value > INT_MAX)
        return refuse(option, text, "is out of range");
    if (!check_range(option, text, (double)value))
        return false;
    *option->target.integer = (int)value;
    return true;
}

static bool put_uint64(const struct vox_option *option, const char *text)
{
    char *end;
    errno = 0;
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned long long value = strtoull(text, &end, hexadecimal ? 16 : 10);
    if (end == text || *end || !isdigit((unsigned char)*text))
        return refuse(option, text, "is not a whole number from 0");
    if (errno == ERANGE)
        return refuse(option, text, "is out of range");
    if (!check_range(option, text, (double)value))
        return false;
    *option->target.number64 = value;
    return true;
}

static bool put_ns(const struct vox_option *option, const char *text, double ns_per_unit)
{
    double value;
    if (!parse_number(option, text, &value))
        return false;
    double ns = round(value * ns_per_unit);
    if (fabs(ns) >= 0x1p63)
        return refuse(option, text, "is out of range");
    *option->target.ns = (int64_t)ns;
    return true;
}

static bool put_kbps(const struct vox_option *option, const char *text)
{
    double value;
    if (!parse_number(option, text, &value))
        return false;
    double bps = round(value * 1000);
    if (fabs(bps) > INT_MAX)
        return refuse(option, text, "is out of range");
    *option->target.integer = (int)bps;
    return true;
}

static bool put_double(const struct vox_option *option, const char *text, double per_unit)
{
    double value;
    if (!parse_number(option, text, &value))
        return false;
    *option->target.number = value / per_unit;
    return true;
}

static bool put_choice(const struct vox_option *option, const char *text)
{
    for (int i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], text) == 0) {
            *option->target.integer = i;
            return true;
        }
    return refuse(option, text, "is unknown");
}

static bool put_list(const struct vox_option *option, const char *text)
{
    struct vox_option_list *list = option->target.list;
    if (list->count == VOX_OPTION_LIST_MAX) {
        vox_message_error("--%s is there more than %d times", option->name, VOX_OPTION_LIST_MAX);
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

/* A word in place of a number goes where the number would. */
static bool put_word(const struct vox_option *option)
{
    switch (option->kind) {
    case VOX_OPTION_MS:
    case VOX_OPTION_SECONDS:
        *option->target.ns = option->word_value;
        return true;
    case VOX_OPTION_UINT64:
        *option->target.number64 = (uint64_t)option->word_value;
        return true;
    case VOX_OPTION_NUMBER:
    case VOX_OPTION_PERCENT:
        *option->target.number = (double)option->word_value;
        return true;
    case VOX_OPTION_INT:
    case VOX_OPTION_KBPS:
        *option->target.integer = (int)option->word_value;
        return true;
    case VOX_OPTION_FLAG:
    case VOX_OPTION_STRING:
    case VOX_OPTION_LIST:
    case VOX_OPTION_CHOICE:
        break;
    }
    return false;
}

static bool put_value(const struct vox_option *option, const char *text)
{
    if (option->kind != VOX_OPTION_FLAG && *text == '\0') {
        vox_message_error("--%s needs a value that is not empty", option->name);
        return false;
    }
    if (option->word && strcmp(text, option->word) == 0)
        return put_word(option);
    switch (option->kind) {
    case VOX_OPTION_FLAG:
        *option->target.flag = true;
        return true;
    case VOX_OPTION_INT:
        return put_int(option, text);
    case VOX_OPTION_UINT64:
        return put_uint64(option, text);
    case VOX_OPTION_NUMBER:
        return put_double(option, text, 1);
    case VOX_OPTION_PERCENT:
        return put_double(option, text, 100);
    case VOX_OPTION_KBPS:
        return put_kbps(option, text);
    case VOX_OPTION_MS:
        return put_ns(option, text, (double)VOX_NS_PER_MS);
    case VOX_OPTION_SECONDS:
        return put_ns(option, text, (double)VOX_NS_PER_S);
    case VOX_OPTION_STRING:
        *option->target.string = text;
        return true;
    case VOX_OPTION_LIST:
        return put_list(option, text);
    case VOX_OPTION_CHOICE:
        return put_choice(option, text);
    }
    return false;
}

/* ---- the walk through argv ---- */

/* The table in getopt's form. */
struct table {
    struct option rows[2 * VOX_OPTIONS_MAX + 3];
    char negated[VOX_OPTIONS_MAX][NAME_BYTES];
    char letters[2 * VOX_OPTIONS_MAX + 8];
};

static void fill_table(const struct vox_options *command, struct table *table)
{
    size_t rows = 0, letters = 0;
    /* ':' first: a missing value is told apart from an unknown option. */
    memcpy(table->letters, ":hV", 4);
    letters = 3;
    for (size_t i = 0; i < command->count; i++) {
        const struct vox_option *option = &command->options[i];
        bool flag = option->kind == VOX_OPTION_FLAG;
        table->rows[rows++] = (struct option){.name = option->name,
                                              .has_arg = flag ? no_argument : required_argument,
                                              .val = FIRST_ROW + (int)i};
        if (option->negatable) {
            snprintf(table->negated[i], NAME_BYTES, "no-%s", option->name);
            table->rows[rows++] =
                (struct option){.name = table->negated[i], .val = FIRST_NEGATED_ROW + (int)i};
        }
        if (option->letter) {
            table->letters[letters++] = option->letter;
            if (!flag)
                table->letters[letters++] = ':';
        }
    }
    table->rows[rows++] = (struct option){.name = "help", .val = 'h'};
    table->rows[rows++] = (struct option){.name = "version", .val = 'V'};
    table->rows[rows] = (struct option){0};
    table->letters[letters] = '\0';
}

/* The row of one of getopt's answers; NULL for help and version. */
static const struct vox_option *row_of(const struct vox_options *command, int answer)
{
    if (answer >= FIRST_NEGATED_ROW)
        return &command->options[answer - FIRST_NEGATED_ROW];
    if (answer >= FIRST_ROW)
        return &command->options[answer - FIRST_ROW];
    for (size_t i = 0; i < command->count; i++)
        if (command->options[i].letter && command->options[i].letter == answer)
            return &command->options[i];
    return NULL;
}

static enum vox_options_outcome wrong_value(const struct vox_options *command, int answer)
{
    const struct vox_option *option = row_of(command, optopt);
    if (answer == ':' && option)
        vox_message_error("--%s needs a value: --%s %s; --help lists all options", option->name,
                          option->name, option->argument ? option->argument : "VALUE");
    else
        vox_message_error("--%s takes no value; --help lists all options", option ? option->name
                                                                           : optopt == 'h'
                                                                               ? "help"
                                                                               : "version");
    return VOX_OPTIONS_WRONG;
}

static enum vox_options_outcome unknown(const struct table *table, const char *text)
{
    size_t len = strcspn(text, "=");
    int similar = 0;
    for (const struct option *row = table->rows; row->name && len > 2; row++)
        similar += strncmp(row->name, text + 2, len - 2) == 0;
    if (similar > 1)
        vox_message_error("option %.60s could be one of %d; write it in full (see --help)", text,
                          similar);
    else
        vox_message_error("unknown option %.60s; --help lists all options", text);
    return VOX_OPTIONS_WRONG;
}

static enum vox_options_outcome refuse_option(const struct vox_options *command,
                                              const struct table *table, int answer, char **argv)
{
    if (answer == ':' || (optopt && row_of(command, optopt)) || optopt == 'h' || optopt == 'V')
        return wrong_value(command, answer);
    if (optopt == 0)
        return unknown(table, argv[optind - 1]);
    vox_message_error("unknown option -%c; --help lists all options", optopt);
    return VOX_OPTIONS_WRONG;
}

static bool take_option(const struct vox_options *command, int answer)
{
    const struct vox_option *option = row_of(command, answer);
    if (option->given)
        *option->given = true;
    if (answer >= FIRST_NEGATED_ROW) {
        *option->target.flag = false;
        return true;
    }
    return put_value(option, optarg ? optarg : "");
}

static enum vox_options_outcome take_arguments(const struct vox_options *command, int argc,
                                               char **argv, struct vox_arguments *out)
{
    *out = (struct vox_arguments){.items = argv + optind, .count = argc - optind};
    if (out->count < command->min_arguments) {
        vox_message_error("%s; usage: %s %.*s (--help tells more)",
                          out->count == 0 ? "arguments are missing" : "an argument is missing",
                          command->program, (int)strcspn(command->usage, "\n"), command->usage);
        return VOX_OPTIONS_WRONG;
    }
    if (out->count > command->max_arguments) {
        vox_message_error("\"%.80s\" is one argument too many; usage: %s %.*s (--help tells more)",
                          out->items[command->max_arguments], command->program,
                          (int)strcspn(command->usage, "\n"), command->usage);
        return VOX_OPTIONS_WRONG;
    }
    return VOX_OPTIONS_RUN;
}

enum vox_options_outcome vox_options_parse(const struct vox_options *command, int argc, char **argv,
                                           struct vox_arguments *out)
{
    struct table table;
    fill_table(command, &table);
    opterr = 0;
    optind = 0; /* GNU: begin anew, so that a test may parse more than once */
    for (;;) {
        optopt = 0;
        int answer = getopt_long(argc, argv, table.letters, table.rows, NULL);
        if (answer == -1)
            return take_arguments(command, argc, argv, out);
        if (answer == '?' || answer == ':')
            return refuse_option(command, &table, answer, argv);
        if (answer == 'h') {
            vox_options_print_help(command, stdout);
            return VOX_OPTIONS_DONE;
        }
        if (answer == 'V') {
            printf("%s %s\n", command->program, command->version);
            return VOX_OPTIONS_DONE;
        }
        if (!take_option(command, answer))
            return VOX_OPTIONS_WRONG;
    }
}
