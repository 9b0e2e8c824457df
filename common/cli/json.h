/*
 * What statistics in JSON are made of (jansson), alike in all programs.
 *
 *     json_object_set_new(object, "lost", vox_json_count(stats.lost));
 *     json_object_set_new(object, "delay_ms", vox_json_ms(stats.delay_ns));
 *     err = vox_json_print_line(object, file);
 *
 * Values are owned by the caller; NULL: no memory, which jansson takes and passes on.
 *
 * Thread rule: values, one owner.
 */
#ifndef VOX_CLI_JSON_H
#define VOX_CLI_JSON_H

#include <stdint.h>
#include <stdio.h>

struct json_t; /* of jansson */

struct json_t *vox_json_count(uint64_t value);
/* A time in milliseconds, to whole microseconds. */
struct json_t *vox_json_ms(int64_t ns);

/* Takes the object, and writes it in one line, at once. Returns 0 or VOX_EIO. */
int vox_json_print_line(struct json_t *object, FILE *out);

#endif
