#include "lab/scenario_reader.h"

#include "base/err.h"
#include "lab/setting.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN_BYTES = 300 };

int vox_scenario_fail(struct vox_scenario_reader *reader, int err, const char *format, ...)
{
    size_t room = VOX_SCENARIO_WHY_BYTES;
    size_t n = 0;
    va_list args;
    if (reader->path[0])
        n = (size_t)snprintf(reader->why, room, "%s: ", reader->path);
    va_start(args, format);
    vsnprintf(reader->why + n, room - n, format, args);
    va_end(args);
    return err;
}

bool vox_scenario_is_other(const struct vox_scenario_settings *settings, const char *key)
{
    size_t len = strlen(key);
    for (const char *word = settings->others; *word;) {
        size_t n = strcspn(word, " ");
        if (n == len && memcmp(word, key, n) == 0)
            return true;
        word += n + (word[n] == ' ');
    }
    return false;
}

static const struct vox_option *row_of(const struct vox_scenario_settings *settings,
                                       const char *key)
{
    char name[VOX_SETTING_KEY_BYTES];
    for (size_t i = 0; i < settings->count; i++) {
        vox_setting_key(&settings->rows[i], name);
        if (strcmp(name, key) == 0)
            return &settings->rows[i];
    }
    return NULL;
}

static int fail_unknown(struct vox_scenario_reader *reader, const char *key,
                        const struct vox_scenario_settings *settings)
{
    char known[KNOWN_BYTES];
    char name[VOX_SETTING_KEY_BYTES];
    size_t used = (size_t)snprintf(known, sizeof known, "name");
    for (const char *c = settings->others; *c && used < sizeof known;) {
        int n = (int)strcspn(c, " ");
        used += (size_t)snprintf(known + used, sizeof known - used, ", %.*s", n, c);
        c += n + (c[n] == ' ');
    }
    for (size_t i = 0; i < settings->count && used < sizeof known; i++) {
        vox_setting_key(&settings->rows[i], name);
        used += (size_t)snprintf(known + used, sizeof known - used, ", %s", name);
    }
    return vox_scenario_fail(reader, VOX_EFORMAT, "there is no setting \"%.60s\"; known are %s",
                             key, known);
}

static int read_name(struct vox_scenario_reader *reader, const json_t *value, char **name)
{
    const char *text = json_string_value(value);
    if (!text || !vox_setting_is_plain(text) || strlen(text) >= VOX_SCENARIO_NAME_BYTES)
        return vox_scenario_fail(reader, VOX_EFORMAT,
                                 "a name is a text of 1 to %d bytes without control characters",
                                 VOX_SCENARIO_NAME_BYTES - 1);
    free(*name);
    *name = strdup(text);
    return *name ? 0 : vox_scenario_fail(reader, VOX_ENOMEM, "out of memory");
}

static int read_value(struct vox_scenario_reader *reader, const char *key, const json_t *value,
                      const struct vox_scenario_settings *settings, char **name)
{
    char why[VOX_SETTING_WHY_BYTES];
    size_t stem = strlen(reader->path);
    const struct vox_option *row = row_of(settings, key);
    bool is_name = strcmp(key, "name") == 0;
    if (!row && !is_name)
        return fail_unknown(reader, key, settings);
    snprintf(reader->path + stem, sizeof reader->path - stem, "%s%s", stem ? "." : "", key);
    int err = is_name ? read_name(reader, value, name) : vox_setting_read(row, value, why);
    if (err < 0)
        return is_name ? err : vox_scenario_fail(reader, VOX_EFORMAT, "%s", why);
    reader->path[stem] = '\0';
    return 0;
}

int vox_scenario_read_object(struct vox_scenario_reader *reader, json_t *object,
                             const struct vox_scenario_settings *settings, char **name)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return vox_scenario_fail(reader, VOX_EFORMAT, "must be an object { ... }");
    json_object_foreach(object, key, value)
    {
        int err = vox_scenario_is_other(settings, key)
                      ? 0
                      : read_value(reader, key, value, settings, name);
        if (err < 0)
            return err;
    }
    return 0;
}
