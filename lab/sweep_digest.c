#include "lab/sweep_digest.h"

#include "base/err.h"
#include "lab/sweep_line.h"
#include "lab/sweep_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[VOX_SWEEP_MEASURES] = {
    [VOX_SWEEP_DELAY] = "delay_ms.total.p50",
    [VOX_SWEEP_DELAY_P95] = "delay_ms.total.p95",
    [VOX_SWEEP_CONCEALED] = "e_model.concealed_pct",
    [VOX_SWEEP_R] = "e_model.r_factor",
    [VOX_SWEEP_MOS] = "e_model.mos",
    [VOX_SWEEP_WIRE] = "wire_kbps",
    [VOX_SWEEP_SNR] = "quality.segmental_snr_db",
    [VOX_SWEEP_LSD] = "quality.log_spectral_distance_db",
};

enum { NUMBER_BYTES = 32 };

struct collector {
    const struct vox_sweep_plan *plan;
    struct vox_sweep_digest *digest;
    size_t places[VOX_SWEEP_MEASURES]; /* of the columns: how many fields are before */
    float *values;                     /* of each row: all measures; NAN: it has none */
};

/* ---- a line ---- */

/* Where the next field begins; the line's end after the last one. */
static const char *skip_field(const char *c, const char *end)
{
    bool quoted = false;
    while (c < end && (quoted || *c != ',')) {
        quoted ^= *c == '"';
        c++;
    }
    return c < end ? c + 1 : end;
}

static void find_columns(struct collector *collector)
{
    char header[VOX_SWEEP_LINE_BYTES];
    size_t len = vox_sweep_line_header(header);
    const char *end = header + len - 1;
    const char *field = header;
    for (size_t place = 0; field < end; place++) {
        const char *next = skip_field(field, end);
        size_t n = (size_t)(next - field) - (next < end);
        for (int i = 0; i < VOX_SWEEP_MEASURES; i++)
            if (strlen(columns[i]) == n && memcmp(columns[i], field, n) == 0)
                collector->places[i] = place;
        field = next;
    }
}

static float read_number(const char *field, const char *end)
{
    char text[NUMBER_BYTES];
    size_t n = 0;
    while (field + n < end && field[n] != ',' && n < sizeof text - 1) {
        text[n] = field[n];
        n++;
    }
    text[n] = '\0';
    char *stop;
    float value = strtof(text, &stop);
    return n > 0 && *stop == '\0' ? value : NAN;
}

static int collect(void *ctx, int64_t row, const char *line, size_t len)
{
    struct collector *collector = ctx;
    float *values = collector->values + row * VOX_SWEEP_MEASURES;
    const char *end = line + len - 1;
    const char *field = line;
    for (size_t place = 0; field < end; place++) {
        for (int i = 0; i < VOX_SWEEP_MEASURES; i++)
            if (collector->places[i] == place)
                values[i] = read_number(field, end);
        field = skip_field(field, end);
    }
    return 0;
}

/* ---- groups ---- */

static size_t group_index(const struct vox_sweep_plan *plan, size_t network, size_t encoder,
                          size_t receiver)
{
    const struct vox_scenario *s = &plan->scenario;
    return (network * s->encoder_count + encoder) * s->receiver_count + receiver;
}

const struct vox_sweep_group *vox_sweep_digest_group(const struct vox_sweep_digest *digest,
                                                     size_t network, size_t encoder,
                                                     size_t receiver)
{
    return &digest->groups[group_index(digest->plan, network, encoder, receiver)];
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

static struct vox_sweep_measure measure(float *values, size_t count)
{
    struct vox_sweep_measure m = {.count = count};
    double sum = 0;
    if (count == 0)
        return m;
    qsort(values, count, sizeof *values, by_value);
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    m.mean = sum / (double)count;
    m.low = (double)values[(count - 1) / 10];
    m.high = (double)values[count - 1 - (count - 1) / 10];
    return m;
}

/* The values of one measure in one group: of all files and seeds. */
static size_t gather(const struct collector *c, const struct vox_scenario_place *group, int kind,
                     float *out)
{
    const struct vox_scenario *s = &c->plan->scenario;
    size_t count = 0;
    for (size_t file = 0; file < s->file_count; file++) {
        size_t row = file * s->encoder_count + group->encoder;
        row = (row * s->network_count + group->network) * s->receiver_count + group->receiver;
        row *= s->seed_count;
        for (size_t seed = 0; seed < s->seed_count; seed++) {
            float value = c->values[(row + seed) * VOX_SWEEP_MEASURES + (size_t)kind];
            if (!isnan((double)value))
                out[count++] = value;
        }
    }
    return count;
}

static int fill_groups(const struct collector *c)
{
    const struct vox_scenario *s = &c->plan->scenario;
    float *values = calloc(s->file_count * s->seed_count, sizeof *values);
    struct vox_scenario_place place = {0};
    if (!values)
        return VOX_ENOMEM;
    for (place.network = 0; place.network < s->network_count; place.network++)
        for (place.encoder = 0; place.encoder < s->encoder_count; place.encoder++)
            for (place.receiver = 0; place.receiver < s->receiver_count; place.receiver++) {
                struct vox_sweep_group *group = &c->digest->groups[group_index(
                    c->plan, place.network, place.encoder, place.receiver)];
                for (int kind = 0; kind < VOX_SWEEP_MEASURES; kind++)
                    group->measures[kind] = measure(values, gather(c, &place, kind, values));
                group->rows = group->measures[VOX_SWEEP_WIRE].count;
                c->digest->rows += (int64_t)group->rows;
            }
    free(values);
    return 0;
}

int vox_sweep_digest_make(const struct vox_sweep_plan *plan, const char *table,
                          struct vox_sweep_digest *out, char why[VOX_SWEEP_WHY_BYTES])
{
    const struct vox_scenario *s = &plan->scenario;
    size_t count = (size_t)s->row_count * VOX_SWEEP_MEASURES;
    struct vox_sweep_digest digest = {
        .plan = plan,
        .groups =
            calloc(s->network_count * s->encoder_count * s->receiver_count, sizeof *digest.groups),
    };
    struct collector collector = {
        .plan = plan, .digest = &digest, .values = malloc(count * sizeof *collector.values)};
    const struct vox_sweep_visitor visitor = {collect, &collector};
    int err = digest.groups && collector.values ? 0 : VOX_ENOMEM;
    snprintf(why, VOX_SWEEP_WHY_BYTES, "out of memory");
    for (size_t i = 0; err >= 0 && i < count; i++)
        collector.values[i] = NAN;
    find_columns(&collector);
    if (err >= 0)
        err = vox_sweep_table_read(plan, table, &visitor, why);
    if (err >= 0)
        err = fill_groups(&collector);
    free(collector.values);
    if (err < 0)
        vox_sweep_digest_clear(&digest);
    else
        *out = digest;
    return err;
}

void vox_sweep_digest_clear(struct vox_sweep_digest *digest)
{
    free(digest->groups);
    *digest = (struct vox_sweep_digest){0};
}
