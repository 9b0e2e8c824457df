#include "lab/scenario.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/scenario_reader.h"
#include "lab/setting.h"
#include "sender/encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_object(struct vox_scenario_reader *r, json_t *object, const struct vox_option *rows,
                       size_t count, const char *others, char **name)
{
    const struct vox_scenario_settings settings = {rows, count, others};
    return vox_scenario_read_object(r, object, &settings, name);
}

/* ---- files ---- */

size_t vox_scenario_file_rows(struct vox_scenario_file *file, struct vox_option *rows)
{
    const struct vox_option table[] = {
        {.name = "duration",
         .argument = "S",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.1,
         .max = VOX_SCENARIO_MAX_SECONDS,
         .target.ns = &file->duration_ns},
        {.name = "loop", .kind = VOX_OPTION_FLAG, .target.flag = &file->loop},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static int take_path(struct vox_scenario_reader *r, const json_t *value,
                     struct vox_scenario_file *file)
{
    file->path = json_string_value(value);
    if (file->path && vox_setting_is_plain(file->path))
        return 0;
    return vox_scenario_fail(r, VOX_EFORMAT,
                             "the path of a sound file is missing, as a text without control "
                             "characters");
}

/* "a.wav", or {"file": "a.wav", ...}. */
static int read_file(struct vox_scenario_reader *r, json_t *item, size_t index)
{
    struct vox_scenario_file *file = &r->scenario->files[index];
    struct vox_option rows[VOX_SCENARIO_ROWS];
    int err = take_path(r, json_is_string(item) ? item : json_object_get(item, "file"), file);
    if (err >= 0 && !json_is_string(item))
        err = read_object(r, item, rows, vox_scenario_file_rows(file, rows), "file", &file->name);
    if (err >= 0 && file->loop && file->duration_ns == 0)
        err = vox_scenario_fail(r, VOX_EFORMAT, "loop needs duration_s, or it would never end");
    return err;
}

/* ---- encoders ---- */

/* What settle would say in words of the command line. */
static int check_frame(struct vox_scenario_reader *r, const struct vox_encoding_options *o)
{
    static const int sizes[] = {120, 240, 480, 960, 1920, 2880};
    const struct vox_profile_settings *profile = vox_profile_settings((enum vox_profile)o->profile);
    int ticks = o->frame_ns == 0 ? profile->frame_ticks : 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (vox_rtp_to_ns(sizes[i]) == o->frame_ns)
            ticks = sizes[i];
    if (ticks == 0)
        return vox_scenario_fail(
            r, VOX_EFORMAT,
            "frame_ms %g: Opus has frames of 2.5, 5, 10, 20, 40 and 60 ms; choose one of "
            "these",
            vox_ns_to_ms(o->frame_ns));
    int64_t bytes = (int64_t)o->bitrate_bps * ticks / VOX_RTP_HZ / 8;
    if (bytes <= VOX_ENCODER_MAX_BYTES)
        return 0;
    return vox_scenario_fail(
        r, VOX_EFORMAT,
        "bitrate_kbps %g with frame_ms %g: %lld bytes do not fit into one datagram (%d); "
        "choose shorter frames or less",
        o->bitrate_bps / 1000.0, vox_ns_to_ms(vox_rtp_to_ns(ticks)), (long long)bytes,
        VOX_ENCODER_MAX_BYTES);
}

static int read_encoder(struct vox_scenario_reader *r, json_t *item, size_t index)
{
    struct vox_scenario_encoder *encoder = &r->scenario->encoders[index];
    struct vox_option rows[VOX_SCENARIO_ROWS];
    vox_encoding_options_init(&encoder->options);
    size_t count = vox_encoding_options_rows(&encoder->options, rows);
    int err = read_object(r, item, rows, count, "", &encoder->name);
    if (err >= 0)
        err = check_frame(r, &encoder->options);
    if (err >= 0 && !vox_encoding_options_settle(&encoder->options))
        err = vox_scenario_fail(r, VOX_EFORMAT,
                                "these settings do not go together, as was just said");
    return err;
}

/* ---- networks ---- */

size_t vox_scenario_network_rows(struct vox_scenario_network *network, struct vox_option *rows)
{
    size_t count = vox_network_options_rows(&network->options, NULL, rows);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, "seed") != 0)
            rows[kept++] = rows[i];
    return kept;
}

static int read_network(struct vox_scenario_reader *r, json_t *item, size_t index)
{
    struct vox_scenario_network *network = &r->scenario->networks[index];
    struct vox_option rows[VOX_SCENARIO_ROWS];
    vox_network_options_init(&network->options);
    size_t count = vox_scenario_network_rows(network, rows);
    int err = read_object(r, item, rows, count, "", &network->name);
    const struct vox_network_options *o = &network->options;
    if (err >= 0 && o->loss >= 1 && o->burst_packets > 1)
        err = vox_scenario_fail(r, VOX_EFORMAT,
                                "loss_pct 100 has no bursts; leave burst_packets out");
    return err;
}

/* ---- receivers ---- */

size_t vox_scenario_receiver_rows(struct vox_scenario_receiver *receiver, struct vox_option *rows)
{
    const struct vox_option speaker[] = {
        {.name = "speaker-block",
         .argument = "MS",
         .kind = VOX_OPTION_NUMBER,
         .min = 1,
         .max = 100,
         .target.number = &receiver->speaker_block_ms},
        {.name = "speaker-skew",
         .argument = "PPM",
         .kind = VOX_OPTION_NUMBER,
         .min = -500,
         .max = 500,
         .target.number = &receiver->speaker_skew_ppm},
        {.name = "speaker-latency",
         .argument = "MS",
         .kind = VOX_OPTION_MS,
         .max = 1000,
         .target.ns = &receiver->speaker_latency_ns},
    };
    size_t count = vox_playout_options_rows(&receiver->options, false, rows);
    memcpy(rows + count, speaker, sizeof speaker);
    return count + sizeof speaker / sizeof speaker[0];
}

static int read_receiver(struct vox_scenario_reader *r, json_t *item, size_t index)
{
    struct vox_scenario_receiver *receiver = &r->scenario->receivers[index];
    struct vox_option rows[VOX_SCENARIO_ROWS];
    vox_playout_options_init(&receiver->options);
    size_t count = vox_scenario_receiver_rows(receiver, rows);
    int err = read_object(r, item, rows, count, "", &receiver->name);
    const struct vox_playout_options *o = &receiver->options;
    if (err >= 0 && o->min_delay_ns > o->max_delay_ns)
        err = vox_scenario_fail(r, VOX_EFORMAT, "min_delay_ms %g is above max_delay_ms %g",
                                vox_ns_to_ms(o->min_delay_ns), vox_ns_to_ms(o->max_delay_ns));
    return err;
}

/* ---- lists ---- */

struct list {
    const char *key;  /* "networks" */
    const char *kind; /* "network": what one is called that has no name; NULL: by its path */
    size_t most;
    bool (*make)(struct vox_scenario *s, size_t count);
    int (*read)(struct vox_scenario_reader *r, json_t *item, size_t index);
    char **(*name)(struct vox_scenario *s, size_t index);
};

static bool make_files(struct vox_scenario *s, size_t count)
{
    s->files = calloc(count, sizeof *s->files);
    s->file_count = s->files ? count : 0;
    return s->files != NULL;
}

static bool make_encoders(struct vox_scenario *s, size_t count)
{
    s->encoders = calloc(count, sizeof *s->encoders);
    s->encoder_count = s->encoders ? count : 0;
    return s->encoders != NULL;
}

static bool make_networks(struct vox_scenario *s, size_t count)
{
    s->networks = calloc(count, sizeof *s->networks);
    s->network_count = s->networks ? count : 0;
    return s->networks != NULL;
}

static bool make_receivers(struct vox_scenario *s, size_t count)
{
    s->receivers = calloc(count, sizeof *s->receivers);
    s->receiver_count = s->receivers ? count : 0;
    return s->receivers != NULL;
}

static char **file_name(struct vox_scenario *s, size_t index)
{
    return &s->files[index].name;
}

static char **encoder_name(struct vox_scenario *s, size_t index)
{
    return &s->encoders[index].name;
}

static char **network_name(struct vox_scenario *s, size_t index)
{
    return &s->networks[index].name;
}

static char **receiver_name(struct vox_scenario *s, size_t index)
{
    return &s->receivers[index].name;
}

static const struct list lists[] = {
    {"files", NULL, VOX_SCENARIO_MAX_FILES, make_files, read_file, file_name},
    {"encoders", "encoder", VOX_SCENARIO_MAX_ENCODERS, make_encoders, read_encoder, encoder_name},
    {"networks", "network", VOX_SCENARIO_MAX_NETWORKS, make_networks, read_network, network_name},
    {"receivers", "receiver", VOX_SCENARIO_MAX_RECEIVERS, make_receivers, read_receiver,
     receiver_name},
};

enum { LISTS = sizeof lists / sizeof lists[0] };

static int check_list(struct vox_scenario_reader *r, const json_t *list, size_t most)
{
    if (!json_is_array(list))
        return vox_scenario_fail(r, VOX_EFORMAT, "must be a list [ ... ]");
    if (json_array_size(list) == 0)
        return vox_scenario_fail(r, VOX_EFORMAT,
                                 "the list is empty, so there would be nothing to do");
    if (json_array_size(list) > most)
        return vox_scenario_fail(r, VOX_ELIMIT, "has %zu items; at most %zu work",
                                 json_array_size(list), most);
    return 0;
}

static int default_name(struct vox_scenario_reader *r, const struct list *list, size_t index)
{
    char text[VOX_SCENARIO_NAME_BYTES];
    char **name = list->name(r->scenario, index);
    if (*name)
        return 0;
    int n = list->kind ? snprintf(text, sizeof text, "%s-%zu", list->kind, index + 1)
                       : snprintf(text, sizeof text, "%s", r->scenario->files[index].path);
    if (n >= (int)sizeof text)
        return vox_scenario_fail(r, VOX_EFORMAT,
                                 "the path is too long to be a name, too; add a \"name\"");
    *name = strdup(text);
    return *name ? 0 : vox_scenario_fail(r, VOX_ENOMEM, "out of memory");
}

static int read_items(struct vox_scenario_reader *r, const struct list *list, json_t *array)
{
    size_t count = json_array_size(array);
    if (!list->make(r->scenario, count))
        return vox_scenario_fail(r, VOX_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        snprintf(r->path, sizeof r->path, "%s[%zu]", list->key, i);
        int err = list->read(r, json_array_get(array, i), i);
        if (err >= 0)
            err = default_name(r, list, i);
        if (err < 0)
            return err;
    }
    return 0;
}

struct named {
    const char *name;
    size_t index;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Names tell rows and curves apart. */
static int check_names(struct vox_scenario_reader *r, const struct list *list, size_t count)
{
    struct named *names = calloc(count, sizeof *names);
    int err = names ? 0 : vox_scenario_fail(r, VOX_ENOMEM, "out of memory");
    for (size_t i = 0; names && i < count; i++)
        names[i] = (struct named){*list->name(r->scenario, i), i};
    if (names)
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 1; err >= 0 && i < count; i++) {
        if (strcmp(names[i - 1].name, names[i].name) != 0)
            continue;
        r->path[0] = '\0';
        err = vox_scenario_fail(r, VOX_EFORMAT, "%s[%zu] and %s[%zu] have the same name \"%.100s\"",
                                list->key, names[i - 1].index, list->key, names[i].index,
                                names[i].name);
    }
    free(names);
    return err;
}

/* A list that is not there has one item with the defaults; only files have none. */
static int read_list(struct vox_scenario_reader *r, const struct list *list)
{
    json_t *array = json_object_get(r->scenario->root, list->key);
    json_t *fallback = !array && list->kind ? json_pack("[{}]") : NULL;
    r->path[0] = '\0';
    if (!array && !fallback)
        return vox_scenario_fail(r, VOX_EFORMAT, "there is no \"%s\": [ ... ], the sounds to send",
                                 list->key);
    snprintf(r->path, sizeof r->path, "%s", list->key);
    array = array ? array : fallback;
    int err = check_list(r, array, list->most);
    if (err >= 0)
        err = read_items(r, list, array);
    if (err >= 0)
        err = check_names(r, list, json_array_size(array));
    json_decref(fallback);
    return err;
}

/* ---- seeds ---- */

static int make_seeds(struct vox_scenario_reader *r, size_t count)
{
    if (count > VOX_SCENARIO_MAX_SEEDS)
        return vox_scenario_fail(r, VOX_ELIMIT, "has %zu seeds; at most %d work", count,
                                 VOX_SCENARIO_MAX_SEEDS);
    r->scenario->seeds = calloc(count, sizeof *r->scenario->seeds);
    r->scenario->seed_count = count;
    return r->scenario->seeds ? 0 : vox_scenario_fail(r, VOX_ENOMEM, "out of memory");
}

static int read_range(struct vox_scenario_reader *r, json_t *range)
{
    json_int_t from = 1;
    json_int_t count = 0;
    json_error_t error;
    if (json_unpack_ex(range, &error, JSON_STRICT, "{s?I, s:I}", "from", &from, "count", &count) <
        0)
        return vox_scenario_fail(r, VOX_EFORMAT, "a range is {\"from\": 1, \"count\": 50}: %s",
                                 error.text);
    if (from < 0 || from > INT64_MAX - VOX_SCENARIO_MAX_SEEDS)
        return vox_scenario_fail(r, VOX_EFORMAT,
                                 "from %" JSON_INTEGER_FORMAT " is not a seed: a whole number "
                                 "from 0 on",
                                 from);
    if (count < 1 || count > VOX_SCENARIO_MAX_SEEDS)
        return vox_scenario_fail(r, VOX_ELIMIT,
                                 "count %" JSON_INTEGER_FORMAT " is outside of 1..%d", count,
                                 VOX_SCENARIO_MAX_SEEDS);
    int err = make_seeds(r, (size_t)count);
    for (size_t i = 0; err >= 0 && i < (size_t)count; i++)
        r->scenario->seeds[i] = (uint64_t)from + i;
    return err;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int check_seeds(struct vox_scenario_reader *r)
{
    size_t count = r->scenario->seed_count;
    uint64_t *sorted = calloc(count, sizeof *sorted);
    int err = sorted ? 0 : vox_scenario_fail(r, VOX_ENOMEM, "out of memory");
    if (sorted) {
        memcpy(sorted, r->scenario->seeds, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_value);
    }
    for (size_t i = 1; err >= 0 && i < count; i++)
        if (sorted[i] == sorted[i - 1])
            err = vox_scenario_fail(r, VOX_EFORMAT, "%llu is there twice",
                                    (unsigned long long)sorted[i]);
    free(sorted);
    return err;
}

static int read_seeds(struct vox_scenario_reader *r)
{
    json_t *seeds = json_object_get(r->scenario->root, "seeds");
    snprintf(r->path, sizeof r->path, "seeds");
    if (json_is_object(seeds))
        return read_range(r, seeds);
    int err = seeds ? check_list(r, seeds, VOX_SCENARIO_MAX_SEEDS) : 0;
    if (err >= 0)
        err = make_seeds(r, seeds ? json_array_size(seeds) : 1);
    if (err < 0)
        return err;
    r->scenario->seeds[0] = 1;
    for (size_t i = 0; i < json_array_size(seeds); i++) {
        const json_t *seed = json_array_get(seeds, i);
        if (!json_is_integer(seed) || json_integer_value(seed) < 0)
            return vox_scenario_fail(r, VOX_EFORMAT, "item %zu is not a whole number from 0 on", i);
        r->scenario->seeds[i] = (uint64_t)json_integer_value(seed);
    }
    return check_seeds(r);
}

/* ---- the whole ---- */

static int read_top(struct vox_scenario_reader *r)
{
    struct vox_scenario *s = r->scenario;
    const struct vox_option row = {
        .name = "quality", .kind = VOX_OPTION_FLAG, .target.flag = &s->quality};
    return read_object(r, s->root, &row, 1, "files encoders networks receivers seeds", &s->name);
}

/* Each factor is at most a million, so that no product overflows before it is seen. */
static int count_rows(struct vox_scenario_reader *r)
{
    struct vox_scenario *s = r->scenario;
    const size_t factors[] = {s->file_count, s->encoder_count, s->network_count, s->receiver_count,
                              s->seed_count};
    s->row_count = 1;
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        s->row_count *= (int64_t)factors[i];
        if (s->row_count <= VOX_SCENARIO_MAX_ROWS)
            continue;
        r->path[0] = '\0';
        return vox_scenario_fail(
            r, VOX_ELIMIT,
            "%zu files x %zu encoders x %zu networks x %zu receivers x %zu seeds are more "
            "than %d rows; make several scenarios of it",
            s->file_count, s->encoder_count, s->network_count, s->receiver_count, s->seed_count,
            VOX_SCENARIO_MAX_ROWS);
    }
    return 0;
}

static int read_root(struct vox_scenario_reader *r)
{
    int err = read_top(r);
    for (size_t i = 0; err >= 0 && i < LISTS; i++)
        err = read_list(r, &lists[i]);
    if (err >= 0)
        err = read_seeds(r);
    return err < 0 ? err : count_rows(r);
}

int vox_scenario_parse(const char *text, size_t len, struct vox_scenario *out,
                       char why[VOX_SCENARIO_WHY_BYTES])
{
    struct vox_scenario scenario = {0};
    struct vox_scenario_reader reader = {.scenario = &scenario, .why = why};
    json_error_t error;
    if (len > VOX_SCENARIO_MAX_BYTES)
        return vox_scenario_fail(&reader, VOX_ELIMIT, "has %zu bytes; at most %d work", len,
                                 VOX_SCENARIO_MAX_BYTES);
    scenario.root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!scenario.root)
        return vox_scenario_fail(&reader, VOX_EFORMAT, "line %d, column %d: %s", error.line,
                                 error.column, error.text);
    int err = read_root(&reader);
    if (err < 0)
        vox_scenario_clear(&scenario);
    else
        *out = scenario;
    return err;
}

static void clear_names(struct vox_scenario *s, const struct list *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(*list->name(s, i));
}

void vox_scenario_clear(struct vox_scenario *s)
{
    clear_names(s, &lists[0], s->file_count);
    clear_names(s, &lists[1], s->encoder_count);
    clear_names(s, &lists[2], s->network_count);
    clear_names(s, &lists[3], s->receiver_count);
    free(s->name);
    free(s->files);
    free(s->encoders);
    free(s->networks);
    free(s->receivers);
    free(s->seeds);
    json_decref(s->root);
    *s = (struct vox_scenario){0};
}

struct vox_scenario_place vox_scenario_place(const struct vox_scenario *s, int64_t row)
{
    struct vox_scenario_place place;
    size_t rest = (size_t)row;
    place.seed = rest % s->seed_count;
    rest /= s->seed_count;
    place.receiver = rest % s->receiver_count;
    rest /= s->receiver_count;
    place.network = rest % s->network_count;
    rest /= s->network_count;
    place.encoder = rest % s->encoder_count;
    place.file = rest / s->encoder_count;
    return place;
}
