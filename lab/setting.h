/*
 * Options of the command line as settings in JSON: the same names, ranges and words, with the unit
 * in the key. --rate-limit KBPS is "rate_limit_kbps", --fec is "fec", --delay MS "delay_ms".
 *
 *     vox_setting_key(&row, key);
 *     if (vox_setting_read(&row, json_object_get(object, key), why) < 0)
 *         fail("%s: %s", key, why);
 *     vox_setting_print(&row, text, sizeof text);
 *
 * So what a program learns, scenarios know. See cli/options.h for the rows.
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_SETTING_H
#define VOX_LAB_SETTING_H

#include "cli/options.h"

#include <jansson.h>
#include <stddef.h>

enum { VOX_SETTING_KEY_BYTES = 48, VOX_SETTING_WHY_BYTES = 400 };

void vox_setting_key(const struct vox_option *option, char key[VOX_SETTING_KEY_BYTES]);

/*
 * Writes the value into the option's target; a string is borrowed from it. Errors: VOX_EINVAL (the
 * wrong type, outside of the range, not one of the words; a kind of option that has no place in a
 * scenario), with a sentence that shows the value and what is allowed. The target then stays.
 */
int vox_setting_read(const struct vox_option *option, const json_t *value,
                     char why[VOX_SETTING_WHY_BYTES]);

/* What the target holds, as one would write it, without quotes; "" for a string that is NULL. */
void vox_setting_print(const struct vox_option *option, char *text, size_t capacity);

/* A text in which nothing could break a line or play tricks on a terminal; not empty. */
bool vox_setting_is_plain(const char *text);

#endif
