#include "lab/sweep_plan.h"

#include "audio/file.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/network.h"
#include "lab/clip.h"
#include "lab/setting.h"
#include "sender/encoder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What replay has, so that a row can be looked at more closely there. */
#define START_UNIX_NS (INT64_C(1767225600) * VOX_NS_PER_S)
#define START_NS (100 * VOX_NS_PER_MS)
enum { SENDER_SSRC = 0x566f7801, RECEIVER_SSRC = 0x566f7800, FIRST_TIMESTAMP = 0x566f7802 };

enum { TEXT_BYTES = 3 * 1024, PATH_BYTES = 4096, PIECE_BYTES = 1 << 16 };

/* ---- hashes: FNV-1a, 64 bits ---- */

static const uint64_t HASH_START = UINT64_C(0xcbf29ce484222325);

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ b[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static int hash_file(const char *path, uint64_t *hash, char why[VOX_SWEEP_WHY_BYTES])
{
    static const size_t piece = PIECE_BYTES;
    uint8_t *bytes = malloc(piece);
    FILE *file = fopen(path, "rb");
    size_t n = 1;
    *hash = HASH_START;
    while (bytes && file && (n = fread(bytes, 1, piece, file)) > 0)
        *hash = hash_bytes(*hash, bytes, n);
    bool read = bytes && file && !ferror(file);
    if (!read)
        snprintf(why, VOX_SWEEP_WHY_BYTES, "cannot read %s: %s", path, strerror(errno));
    if (file)
        fclose(file);
    free(bytes);
    return read ? 0 : VOX_EIO;
}

/* ---- settings as CSV ---- */

/* A field as RFC 4180 has it. Returns the new length; past the capacity: it did not fit. */
static size_t add_field(char *out, size_t capacity, size_t used, const char *text)
{
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    size_t start = used;
    for (const char *c = text; used < capacity && *c; c++) {
        if (quote && c == text)
            out[used++] = '"';
        if (*c == '"' && used < capacity)
            out[used++] = '"';
        if (used < capacity)
            out[used++] = *c;
    }
    if (quote && used > start && used < capacity)
        out[used++] = '"';
    if (used < capacity)
        out[used++] = ',';
    return used;
}

/* NAME,value,value,...,  NULL if it is too long or memory is out. */
static char *settings_text(const char *name, const struct vox_option *rows, size_t count)
{
    char text[TEXT_BYTES];
    char value[PATH_BYTES];
    size_t used = add_field(text, sizeof text, 0, name);
    for (size_t i = 0; i < count; i++) {
        vox_setting_print(&rows[i], value, sizeof value);
        used = add_field(text, sizeof text, used, value);
    }
    return used < sizeof text ? strndup(text, used) : NULL;
}

static size_t add_names(char *out, size_t used, const char *kind, const struct vox_option *rows,
                        size_t count)
{
    char key[VOX_SETTING_KEY_BYTES];
    used += (size_t)snprintf(out + used, VOX_SWEEP_SETTINGS_BYTES - used, "%s,", kind);
    for (size_t i = 0; i < count; i++) {
        vox_setting_key(&rows[i], key);
        used += (size_t)snprintf(out + used, VOX_SWEEP_SETTINGS_BYTES - used, "%s.%s,", kind, key);
    }
    return used;
}

size_t vox_sweep_plan_header(char out[VOX_SWEEP_SETTINGS_BYTES])
{
    struct vox_option rows[VOX_SCENARIO_ROWS];
    struct vox_scenario_file file = {0};
    struct vox_scenario_network network = {0};
    struct vox_encoding_options encoder;
    struct vox_scenario_receiver receiver;
    size_t used = add_names(out, 0, "file", rows, vox_scenario_file_rows(&file, rows));
    used = add_names(out, used, "encoder", rows, vox_encoding_options_rows(&encoder, rows));
    used = add_names(out, used, "network", rows, vox_scenario_network_rows(&network, rows));
    used = add_names(out, used, "receiver", rows, vox_scenario_receiver_rows(&receiver, rows));
    return used + (size_t)snprintf(out + used, VOX_SWEEP_SETTINGS_BYTES - used, "seed");
}

/* With what the profile and the file decide, in figures. */
static char *encoder_text(const struct vox_scenario_encoder *encoder, int source_channels)
{
    struct vox_option rows[VOX_SCENARIO_ROWS];
    struct vox_encoding_options o = encoder->options;
    const struct vox_profile_settings *profile = vox_profile_settings((enum vox_profile)o.profile);
    o.channels = vox_encoding_options_channels(&o, source_channels);
    if (o.bitrate_bps == 0)
        o.bitrate_bps = profile->bitrate_bps[o.channels - 1];
    o.frame_ns = vox_rtp_to_ns(o.frame_ticks);
    return settings_text(encoder->name, rows, vox_encoding_options_rows(&o, rows));
}

static bool write_texts(struct vox_sweep_plan *plan)
{
    struct vox_scenario *s = &plan->scenario;
    struct vox_option rows[VOX_SCENARIO_ROWS];
    bool done = true;
    for (size_t i = 0; i < s->file_count; i++)
        done &= (plan->file_texts[i] = settings_text(
                     s->files[i].name, rows, vox_scenario_file_rows(&s->files[i], rows))) != NULL;
    for (size_t i = 0; i < 2 * s->encoder_count; i++)
        done &=
            (plan->encoder_texts[i] = encoder_text(&s->encoders[i / 2], (int)(i % 2) + 1)) != NULL;
    for (size_t i = 0; i < s->network_count; i++)
        done &= (plan->network_texts[i] =
                     settings_text(s->networks[i].name, rows,
                                   vox_scenario_network_rows(&s->networks[i], rows))) != NULL;
    for (size_t i = 0; i < s->receiver_count; i++)
        done &= (plan->receiver_texts[i] =
                     settings_text(s->receivers[i].name, rows,
                                   vox_scenario_receiver_rows(&s->receivers[i], rows))) != NULL;
    return done;
}

/* ---- opening ---- */

static char *join(const char *folder, const char *path)
{
    size_t len = strlen(folder) + strlen(path) + 1;
    char *joined = malloc(len);
    if (joined)
        snprintf(joined, len, "%s%s", path[0] == '/' ? "" : folder, path);
    return joined;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("");
}

static int read_scenario(const char *path, struct vox_sweep_plan *plan,
                         char why[VOX_SWEEP_WHY_BYTES])
{
    char reason[VOX_SCENARIO_WHY_BYTES];
    char *text = malloc(VOX_SCENARIO_MAX_BYTES + 1);
    FILE *file = fopen(path, "rb");
    size_t len = text && file ? fread(text, 1, VOX_SCENARIO_MAX_BYTES + 1, file) : 0;
    int err = 0;
    if (!text || !file || ferror(file)) {
        snprintf(why, VOX_SWEEP_WHY_BYTES, "cannot read the scenario %s: %s", path,
                 strerror(errno));
        err = VOX_EIO;
    } else if ((err = vox_scenario_parse(text, len, &plan->scenario, reason)) < 0) {
        snprintf(why, VOX_SWEEP_WHY_BYTES, "%s: %s", path, reason);
    }
    if (file)
        fclose(file);
    free(text);
    return err;
}

static int64_t sent_ns(const struct vox_scenario_file *file, int64_t whole_ns)
{
    if (file->duration_ns > 0 && (file->loop || (whole_ns > file->duration_ns)))
        return file->duration_ns;
    return whole_ns;
}

static int probe_file(struct vox_sweep_plan *plan, size_t index, char why[VOX_SWEEP_WHY_BYTES])
{
    struct vox_sweep_file *file = &plan->files[index];
    struct vox_file_reader *reader;
    struct vox_audio_error error;
    file->path = join(plan->folder, plan->scenario.files[index].path);
    if (!file->path)
        return VOX_ENOMEM;
    int err = vox_file_open(file->path, &reader, &error);
    if (err < 0) {
        snprintf(why, VOX_SWEEP_WHY_BYTES, "files[%zu]: %s", index, error.text);
        return err;
    }
    file->channels = vox_file_info(reader)->channels;
    file->duration_ns = sent_ns(&plan->scenario.files[index], vox_file_info(reader)->duration_ns);
    vox_file_close(reader);
    return hash_file(file->path, &file->content, why);
}

static struct vox_sweep_trace *find_trace(const struct vox_sweep_plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->trace_count; i++)
        if (strcmp(plan->traces[i].path, path) == 0)
            return &plan->traces[i];
    return NULL;
}

static int read_trace(struct vox_sweep_plan *plan, size_t index, char why[VOX_SWEEP_WHY_BYTES])
{
    char reason[VOX_NETWORK_ERROR_BYTES];
    const char *name = plan->scenario.networks[index].options.trace;
    char *path = name ? join(plan->folder, name) : NULL;
    if (!path)
        return name ? VOX_ENOMEM : 0;
    plan->trace_of[index] = find_trace(plan, path);
    if (plan->trace_of[index]) {
        free(path);
        return 0;
    }
    struct vox_sweep_trace *trace = &plan->traces[plan->trace_count++];
    trace->path = path;
    plan->trace_of[index] = trace;
    int err = vox_network_trace_read(path, &trace->trace, reason);
    if (err < 0)
        snprintf(why, VOX_SWEEP_WHY_BYTES, "networks[%zu]: %s", index, reason);
    return err < 0 ? err : hash_file(path, &trace->content, why);
}

int64_t vox_sweep_trace_duration_ns(const struct vox_sweep_trace *trace)
{
    return (int64_t)vox_trace_count(trace->trace) * vox_trace_interval_ns(trace->trace);
}

static bool make_lists(struct vox_sweep_plan *plan)
{
    const struct vox_scenario *s = &plan->scenario;
    plan->rows_per_sound = s->row_count / (int64_t)(s->file_count * s->encoder_count);
    plan->sound_count = s->file_count * s->encoder_count;
    plan->files = calloc(s->file_count, sizeof *plan->files);
    plan->traces = calloc(s->network_count, sizeof *plan->traces);
    plan->trace_of = calloc(s->network_count, sizeof(struct vox_sweep_trace *));
    plan->file_texts = calloc(s->file_count, sizeof(char *));
    plan->encoder_texts = calloc(2 * s->encoder_count, sizeof(char *));
    plan->network_texts = calloc(s->network_count, sizeof(char *));
    plan->receiver_texts = calloc(s->receiver_count, sizeof(char *));
    return plan->files && plan->traces && plan->trace_of && plan->file_texts &&
           plan->encoder_texts && plan->network_texts && plan->receiver_texts;
}

static int open_inputs(struct vox_sweep_plan *plan, char why[VOX_SWEEP_WHY_BYTES])
{
    int err = make_lists(plan) ? 0 : VOX_ENOMEM;
    for (size_t i = 0; err >= 0 && i < plan->scenario.file_count; i++)
        err = probe_file(plan, i, why);
    for (size_t i = 0; err >= 0 && i < plan->scenario.network_count; i++)
        err = read_trace(plan, i, why);
    if (err >= 0 && !write_texts(plan)) {
        snprintf(why, VOX_SWEEP_WHY_BYTES,
                 "names and paths of an item together are more than %d "
                 "bytes; choose shorter ones",
                 TEXT_BYTES);
        err = VOX_ELIMIT;
    }
    return err;
}

int vox_sweep_plan_open(const char *path, struct vox_sweep_plan *out, char why[VOX_SWEEP_WHY_BYTES])
{
    struct vox_sweep_plan plan = {.folder = folder_of(path)};
    snprintf(why, VOX_SWEEP_WHY_BYTES, "out of memory");
    int err = plan.folder ? read_scenario(path, &plan, why) : VOX_ENOMEM;
    if (err >= 0)
        err = open_inputs(&plan, why);
    if (err < 0)
        vox_sweep_plan_close(&plan);
    else
        *out = plan;
    return err;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

void vox_sweep_plan_close(struct vox_sweep_plan *plan)
{
    struct vox_scenario *s = &plan->scenario;
    for (size_t i = 0; plan->files && i < s->file_count; i++)
        free(plan->files[i].path);
    for (size_t i = 0; i < plan->trace_count; i++) {
        free(plan->traces[i].path);
        vox_trace_destroy(plan->traces[i].trace);
    }
    free_texts(plan->file_texts, s->file_count);
    free_texts(plan->encoder_texts, 2 * s->encoder_count);
    free_texts(plan->network_texts, s->network_count);
    free_texts(plan->receiver_texts, s->receiver_count);
    free(plan->files);
    free(plan->traces);
    free(plan->trace_of);
    free(plan->folder);
    vox_scenario_clear(s);
    *plan = (struct vox_sweep_plan){0};
}

/* ---- rows ---- */

size_t vox_sweep_plan_sound(const struct vox_sweep_plan *plan, int64_t row)
{
    return (size_t)(row / plan->rows_per_sound);
}

static void set_talker(const struct vox_sweep_plan *plan, size_t sound, const struct vox_clip *clip,
                       struct vox_talker_config *talker)
{
    const struct vox_scenario *s = &plan->scenario;
    const struct vox_scenario_file *file = &s->files[sound / s->encoder_count];
    const struct vox_encoding_options *o = &s->encoders[sound % s->encoder_count].options;
    struct vox_sender_config *engine = &talker->engine;
    vox_sender_config_init(engine, (enum vox_profile)o->profile);
    engine->input_hz = clip->hz;
    engine->input_channels = clip->channels;
    engine->input_bits = clip->bits;
    vox_encoding_options_apply(o, clip->channels, engine);
    engine->ssrc = SENDER_SSRC;
    engine->rtx_ssrc = SENDER_SSRC + 0x100;
    engine->first_timestamp = FIRST_TIMESTAMP;
    engine->seed = 1;
    engine->cname = vox_clip_name(plan->files[sound / s->encoder_count].path);
    engine->wall_offset_ns = START_UNIX_NS;
    talker->pcm = clip->pcm;
    talker->pcm_frames = clip->frames;
    talker->frames = clip->frames;
    int64_t limit = vox_ns_to_ticks(file->duration_ns, clip->hz);
    if (file->duration_ns > 0 && (file->loop || limit < clip->frames))
        talker->frames = limit;
    talker->start_ns = START_NS;
}

int vox_sweep_plan_record(const struct vox_sweep_plan *plan, size_t sound,
                          struct vox_sweep_sound *out, char why[VOX_SWEEP_WHY_BYTES])
{
    const char *path = plan->files[sound / plan->scenario.encoder_count].path;
    struct vox_audio_error error = {0};
    struct vox_talker_config talker = {0};
    struct vox_clip clip;
    int err = vox_clip_load(path, &clip, &error);
    if (err >= 0 && error.text[0]) {
        vox_clip_clear(&clip);
        err = VOX_EFORMAT;
    }
    if (err < 0) {
        snprintf(why, VOX_SWEEP_WHY_BYTES, "%s", error.text);
        return err;
    }
    set_talker(plan, sound, &clip, &talker);
    err = vox_sweep_sound_make(&talker, plan->scenario.quality, out);
    vox_clip_clear(&clip);
    if (err < 0)
        snprintf(why, VOX_SWEEP_WHY_BYTES, "cannot encode %s: %s", path, vox_err_text(err));
    return err;
}

static void set_receiver(const struct vox_scenario_receiver *receiver, uint64_t seed,
                         struct vox_sweep_cell_config *out)
{
    struct vox_receiver_config *engine = &out->receiver;
    vox_receiver_config_init(engine);
    vox_playout_options_apply(&receiver->options, engine);
    engine->ssrc = RECEIVER_SSRC;
    engine->seed = seed;
    engine->wall_offset_ns = START_UNIX_NS;
    out->speaker = (struct vox_lab_device_config){
        .block_frames = (int)lround(receiver->speaker_block_ms * engine->output_hz / 1000.0),
        .ppm = receiver->speaker_skew_ppm,
        .latency_ns = receiver->speaker_latency_ns,
    };
}

/* As in replay: the delay that the receiver may choose is what repairs may take. */
static void set_budget(const struct vox_playout_options *playout, struct vox_sweep_cell_config *out)
{
    struct vox_playout_options defaults;
    vox_playout_options_init(&defaults);
    bool limited = playout->max_delay_ns != defaults.max_delay_ns;
    out->max_delay_ns = limited ? playout->max_delay_ns : -1;
}

void vox_sweep_plan_cell(const struct vox_sweep_plan *plan, int64_t row,
                         struct vox_sweep_cell_config *out)
{
    const struct vox_scenario *s = &plan->scenario;
    struct vox_scenario_place place = vox_scenario_place(s, row);
    struct vox_network_options options = s->networks[place.network].options;
    options.seed = s->seeds[place.seed];
    vox_network_options_impair(&options, &out->network);
    out->network.packet_ns = vox_rtp_to_ns(s->encoders[place.encoder].options.frame_ticks);
    if (plan->trace_of[place.network])
        out->network.trace = plan->trace_of[place.network]->trace;
    set_receiver(&s->receivers[place.receiver], options.seed, out);
    out->receiver.rtx = s->encoders[place.encoder].options.rtx;
    set_budget(&s->receivers[place.receiver].options, out);
}

size_t vox_sweep_plan_settings(const struct vox_sweep_plan *plan, int64_t row,
                               char out[VOX_SWEEP_SETTINGS_BYTES])
{
    const struct vox_scenario *s = &plan->scenario;
    struct vox_scenario_place place = vox_scenario_place(s, row);
    size_t stereo = plan->files[place.file].channels >= 2;
    return (size_t)snprintf(
        out, VOX_SWEEP_SETTINGS_BYTES, "%s%s%s%s%llu", plan->file_texts[place.file],
        plan->encoder_texts[2 * place.encoder + stereo], plan->network_texts[place.network],
        plan->receiver_texts[place.receiver], (unsigned long long)s->seeds[place.seed]);
}

uint64_t vox_sweep_plan_id(const struct vox_sweep_plan *plan, int64_t row)
{
    char settings[VOX_SWEEP_SETTINGS_BYTES];
    struct vox_scenario_place place = vox_scenario_place(&plan->scenario, row);
    const struct vox_sweep_trace *trace = plan->trace_of[place.network];
    uint64_t contents[] = {plan->files[place.file].content, trace ? trace->content : 0,
                           plan->scenario.quality};
    size_t len = vox_sweep_plan_settings(plan, row, settings);
    uint64_t hash = hash_bytes(HASH_START, VOX_VERSION, sizeof VOX_VERSION);
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++)
        for (int shift = 0; shift < 64; shift += 8)
            hash = hash_bytes(hash, &(uint8_t){(uint8_t)(contents[i] >> shift)}, 1);
    return hash_bytes(hash, settings, len);
}
