#include "lab/setting.h"

#include "base/err.h"
#include "base/time.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 80 };

/* Placeholders that are units; the others (NAME, N, FILE) are no part of a key. */
static const char *const units[] = {"KBPS", "MS", "PCT", "PACKETS", "S", "HZ", "PPM"};

static const double percent = 100.0;
static const double bps_per_kbps = 1000.0;

void vox_setting_key(const struct vox_option *option, char key[VOX_SETTING_KEY_BYTES])
{
    const char *unit = NULL;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (option->argument && strcmp(option->argument, units[i]) == 0)
            unit = units[i];
    snprintf(key, VOX_SETTING_KEY_BYTES, "%s%s%s", option->name, unit ? "_" : "", unit ? unit : "");
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : (char)tolower((unsigned char)*c);
}

bool vox_setting_is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return *text != '\0';
}

/* ---- reading ---- */

static int refuse(const json_t *value, const char *wanted, char why[VOX_SETTING_WHY_BYTES])
{
    char shown[SHOWN_BYTES] = "";
    size_t n = json_dumpb(value, shown, sizeof shown - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (n >= sizeof shown)
        memcpy(shown + sizeof shown - 4, "...", 4);
    snprintf(why, VOX_SETTING_WHY_BYTES, "%s is not %s", n > 0 ? shown : "this", wanted);
    return VOX_EINVAL;
}

static void range_of(const struct vox_option *option, double *min, double *max)
{
    *min = option->min;
    *max = option->max;
    if (option->min < 0 || option->min > 0 || option->max < 0 || option->max > 0)
        return;
    bool any = option->kind == VOX_OPTION_NUMBER || option->kind == VOX_OPTION_INT;
    *min = any ? -HUGE_VAL : 0;
    *max = option->kind == VOX_OPTION_PERCENT ? percent : HUGE_VAL;
}

static void describe_range(const struct vox_option *option, char *text, size_t capacity)
{
    double min, max;
    range_of(option, &min, &max);
    int n =
        snprintf(text, capacity, option->kind == VOX_OPTION_INT ? "a whole number" : "a number");
    if (isfinite(max))
        n += snprintf(text + n, capacity - (size_t)n, " from %.10g to %.10g", min, max);
    else if (isfinite(min))
        n += snprintf(text + n, capacity - (size_t)n, " of at least %.10g", min);
    if (option->word)
        snprintf(text + n, capacity - (size_t)n, ", or \"%s\"", option->word);
}

static void put_number(const struct vox_option *option, double value)
{
    switch (option->kind) {
    case VOX_OPTION_INT:
        *option->target.integer = (int)value;
        break;
    case VOX_OPTION_KBPS:
        *option->target.integer = (int)lround(value * bps_per_kbps);
        break;
    case VOX_OPTION_PERCENT:
        *option->target.number = value / percent;
        break;
    case VOX_OPTION_NUMBER:
        *option->target.number = value;
        break;
    case VOX_OPTION_MS:
        *option->target.ns = llround(value * (double)VOX_NS_PER_MS);
        break;
    case VOX_OPTION_SECONDS:
        *option->target.ns = llround(value * (double)VOX_NS_PER_S);
        break;
    case VOX_OPTION_FLAG:
    case VOX_OPTION_UINT64:
    case VOX_OPTION_STRING:
    case VOX_OPTION_LIST:
    case VOX_OPTION_CHOICE:
        break;
    }
}

/* Where a word or a number may stand. */
static void put_word(const struct vox_option *option)
{
    if (option->kind == VOX_OPTION_MS || option->kind == VOX_OPTION_SECONDS)
        *option->target.ns = option->word_value;
    else
        put_number(option, (double)option->word_value);
}

static int read_number(const struct vox_option *option, const json_t *value,
                       char why[VOX_SETTING_WHY_BYTES])
{
    char wanted[VOX_SETTING_WHY_BYTES / 2];
    double min, max;
    range_of(option, &min, &max);
    if (option->word && json_is_string(value) &&
        strcmp(json_string_value(value), option->word) == 0) {
        put_word(option);
        return 0;
    }
    bool is_whole = option->kind == VOX_OPTION_INT;
    double number = json_number_value(value);
    bool fits = is_whole ? json_is_integer(value) && number >= INT_MIN && number <= INT_MAX
                         : json_is_number(value) && fabs(number) <= 1e9;
    if (fits && number >= min && number <= max) {
        put_number(option, number);
        return 0;
    }
    describe_range(option, wanted, sizeof wanted);
    return refuse(value, wanted, why);
}

static int read_choice(const struct vox_option *option, const json_t *value,
                       char why[VOX_SETTING_WHY_BYTES])
{
    char wanted[VOX_SETTING_WHY_BYTES / 2];
    const char *text = json_string_value(value);
    size_t used = (size_t)snprintf(wanted, sizeof wanted, "one of");
    for (int i = 0; option->choices[i]; i++) {
        if (text && strcmp(text, option->choices[i]) == 0) {
            *option->target.integer = i;
            return 0;
        }
        if (used < sizeof wanted)
            used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s \"%s\"",
                                     i > 0 ? "," : "", option->choices[i]);
    }
    return refuse(value, wanted, why);
}

int vox_setting_read(const struct vox_option *option, const json_t *value,
                     char why[VOX_SETTING_WHY_BYTES])
{
    switch (option->kind) {
    case VOX_OPTION_FLAG:
        if (!json_is_boolean(value))
            return refuse(value, "true or false", why);
        *option->target.flag = json_is_true(value);
        return 0;
    case VOX_OPTION_CHOICE:
        return read_choice(option, value, why);
    case VOX_OPTION_STRING:
        if (!json_is_string(value) || !vox_setting_is_plain(json_string_value(value)))
            return refuse(value, "a text without control characters", why);
        *option->target.string = json_string_value(value);
        return 0;
    case VOX_OPTION_UINT64:
    case VOX_OPTION_LIST:
        return refuse(value, "something to be set here", why);
    case VOX_OPTION_INT:
    case VOX_OPTION_NUMBER:
    case VOX_OPTION_PERCENT:
    case VOX_OPTION_KBPS:
    case VOX_OPTION_MS:
    case VOX_OPTION_SECONDS:
        break;
    }
    return read_number(option, value, why);
}

/* ---- printing ---- */

static double number_of(const struct vox_option *option)
{
    switch (option->kind) {
    case VOX_OPTION_INT:
        return *option->target.integer;
    case VOX_OPTION_KBPS:
        return *option->target.integer / bps_per_kbps;
    case VOX_OPTION_PERCENT:
        return *option->target.number * percent;
    case VOX_OPTION_NUMBER:
        return *option->target.number;
    case VOX_OPTION_MS:
        return vox_ns_to_ms(*option->target.ns);
    case VOX_OPTION_SECONDS:
        return (double)*option->target.ns / (double)VOX_NS_PER_S;
    case VOX_OPTION_FLAG:
    case VOX_OPTION_UINT64:
    case VOX_OPTION_STRING:
    case VOX_OPTION_LIST:
    case VOX_OPTION_CHOICE:
        break;
    }
    return 0;
}

static bool holds_word(const struct vox_option *option)
{
    if (!option->word)
        return false;
    if (option->kind == VOX_OPTION_MS || option->kind == VOX_OPTION_SECONDS)
        return *option->target.ns == option->word_value;
    return option->kind == VOX_OPTION_INT && *option->target.integer == option->word_value;
}

void vox_setting_print(const struct vox_option *option, char *text, size_t capacity)
{
    if (option->kind == VOX_OPTION_FLAG)
        snprintf(text, capacity, "%s", *option->target.flag ? "true" : "false");
    else if (option->kind == VOX_OPTION_CHOICE)
        snprintf(text, capacity, "%s", option->choices[*option->target.integer]);
    else if (option->kind == VOX_OPTION_STRING)
        snprintf(text, capacity, "%s", *option->target.string ? *option->target.string : "");
    else if (holds_word(option))
        snprintf(text, capacity, "%s", option->word);
    else
        snprintf(text, capacity, "%.12g", number_of(option));
}
