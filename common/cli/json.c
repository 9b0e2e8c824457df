#include "cli/json.h"

#include "base/err.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>

struct json_t *vox_json_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

struct json_t *vox_json_ms(int64_t ns)
{
    return json_real(round((double)ns / 1e3) / 1e3);
}

int vox_json_print_line(struct json_t *object, FILE *out)
{
    bool failed = json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(15)) < 0;
    json_decref(object);
    failed |= fputc('\n', out) == EOF || fflush(out) == EOF;
    return failed ? VOX_EIO : 0;
}
