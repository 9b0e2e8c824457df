#include "lab/playout.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/trace.h"
#include "cli/message.h"
#include "cli/network.h"
#include "cli/options.h"
#include "lab/bound.h"
#include "lab/clip.h"
#include "lab/trial.h"
#include "receiver/playout_options.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = VOX_PLAYOUT_OPTIONS + 5, NAME_BYTES = 256, PATH_BYTES = 4096 };

struct playout_options {
    struct vox_playout_options playout;
    const char *audio;
    const char *log;
    double price_ms; /* 0: as preferred */
    bool json;
    bool quiet;
};

struct playout_row {
    char name[NAME_BYTES]; /* the trace's base name without ending */
    struct vox_trial trial;
    struct vox_bound bound;
};

static const char description[] =
    "Scores the receiver's playout on recorded networks: speech arrives as each trace says, in "
    "virtual time, and PCM is pulled every 10 ms. The first 10 s and the last 2 s do not count.\n"
    "delay: from sending to playout, over the trace's fastest transit. extra: concealed time "
    "beyond "
    "what the network lost, in %. J: mean delay + 190 ms for each % of that (ITU-T G.107). fixed: "
    "the best constant delay with 0.5 % late. bound: the least mean delay with 0.5 % late for one "
    "who knows the future and stretches by 25 %.";

static const char arguments_help[] =
    "TRACE\tlines \"seq send_ms recv_ms|lost\"; voxgram-recv --trace-out writes them\n";

static const char examples[] =
    "  voxgram-lab playout call.trace                  what the adaptive delay does\n"
    "  voxgram-lab playout --delay 60 call.trace       what 60 ms would have done\n"
    "  voxgram-lab playout --log call.csv call.trace   each packet, to score it yourself\n";

static size_t rows_of(struct vox_option *rows, struct playout_options *o)
{
    size_t n = vox_playout_options_rows(&o->playout, false, rows);
    const struct vox_option table[] = {
        {.name = "audio",
         .argument = "FILE",
         .group = "Playout",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->audio,
         .help = "what is played, again and again; default: a clip of speech that comes with it"},
        {.name = "price",
         .argument = "MS",
         .group = "Playout",
         .kind = VOX_OPTION_NUMBER,
         .min = VOX_PREFER_LEAST_MS,
         .max = VOX_PREFER_MOST_MS,
         .target.number = &o->price_ms,
         .help = "what is behind --prefer: the delay that 1 % of concealment is worth (latency 60, "
                 "balanced 190, smooth 600)"},
        {.name = "json",
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->json,
         .help = "an array of objects instead of the table"},
        {.name = "log",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->log,
         .help = "write each packet's times as CSV; for several traces a folder, with NAME.csv "
                 "for each"},
        {.name = "quiet",
         .letter = 'q',
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->quiet,
         .help = "errors only"},
    };
    memcpy(rows + n, table, sizeof table);
    return n + sizeof table / sizeof table[0];
}

static enum vox_options_outcome parse(int argc, char **argv, struct playout_options *o,
                                      struct vox_arguments *traces)
{
    struct vox_option rows[MAX_ROWS];
    *o = (struct playout_options){0};
    vox_playout_options_init(&o->playout);
    const struct vox_options command = {
        .program = "voxgram-lab playout",
        .version = VOX_VERSION,
        .usage = "[options] TRACE...",
        .description = description,
        .arguments = arguments_help,
        .examples = examples,
        .options = rows,
        .count = rows_of(rows, o),
        .min_arguments = 1,
        .max_arguments = INT_MAX,
    };
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, traces);
    if (outcome == VOX_OPTIONS_RUN && !vox_playout_options_check(&o->playout))
        return VOX_OPTIONS_WRONG;
    return outcome;
}

/* ---- one trace ---- */

/* Without network, the packets of the trace's length that a voice makes. */
static int record_speech(const struct vox_clip *clip, int64_t interval_ns, struct vox_tape **out)
{
    struct vox_talker_config talker = {
        .pcm = clip->pcm, .pcm_frames = clip->frames, .frames = clip->frames};
    vox_sender_config_init(&talker.engine, VOX_PROFILE_VOICE);
    talker.engine.input_hz = clip->hz;
    talker.engine.input_channels = clip->channels;
    talker.engine.input_bits = clip->bits;
    talker.engine.frame_ticks = (int)vox_ns_to_rtp(interval_ns);
    return vox_tape_record(&talker, out);
}

static int run_trial(const struct playout_options *o, const struct vox_clip *clip,
                     const struct vox_trace *trace, const char *path, struct playout_row *row)
{
    struct vox_trial_config config;
    struct vox_tape *speech = NULL;
    int64_t interval_ns = vox_trace_interval_ns(trace);
    vox_trial_config_init(&config);
    config.trace = trace;
    config.phase_ns = vox_trial_phase_ns(path);
    vox_playout_options_apply(&o->playout, &config.receiver);
    if (o->price_ms > 0)
        config.receiver.prefer_ms = o->price_ms;
    int err = record_speech(clip, interval_ns, &speech);
    if (err == VOX_EINVAL)
        vox_message_error("%s: its packets are %.2f ms apart; Opus has packets of 2.5, 5, 10, 20, "
                          "40 and 60 ms",
                          path, vox_ns_to_ms(interval_ns));
    config.speech = speech;
    if (err >= 0 && (err = vox_trial_run(&config, &row->trial)) == VOX_EINVAL)
        vox_message_error("%s is too short: 12 s are not scored, and something must be left", path);
    vox_tape_destroy(speech);
    return err;
}

static int run_bound(const struct vox_trace *trace, const char *path, struct vox_bound *bound)
{
    struct vox_bound_config config;
    vox_bound_config_init(&config);
    config.phase_ns = vox_trial_phase_ns(path);
    return vox_bound_compute(trace, &config, bound);
}

static void name_row(const char *path, char name[NAME_BYTES])
{
    const char *slash = strrchr(path, '/');
    snprintf(name, NAME_BYTES, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = '\0';
}

/* ---- what is told ---- */

static bool log_lines(const struct vox_trace *trace, const struct vox_trial *trial, FILE *file)
{
    for (size_t i = 0; i < trial->count; i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        fprintf(file, "%lld,%.3f,", (long long)p->seq, vox_ns_to_ms(p->send_ns));
        if (p->copies > 0)
            fprintf(file, "%.3f,", vox_ns_to_ms(p->recv_ns[0]));
        else
            fputs("lost,", file);
        if (trial->packets[i].played)
            fprintf(file, "%.3f\n", vox_ns_to_ms(trial->packets[i].play_ns));
        else
            fputs("unplayed\n", file);
    }
    fprintf(file, "#concealed_ms=%.3f\n#stretched_ms=%.3f\n#stretch_ops=%llu\n#output_ms=%.3f\n",
            vox_ns_to_ms(trial->concealed_ns), vox_ns_to_ms(trial->stretched_ns),
            (unsigned long long)trial->stretch_ops, vox_ns_to_ms(trial->output_ns));
    return fflush(file) == 0 && !ferror(file);
}

static int write_log(const char *log, bool is_folder, const struct vox_trace *trace,
                     const struct playout_row *row)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, is_folder ? "%s/%s.csv" : "%s", log, row->name);
    FILE *file = fopen(path, "w");
    bool written = file && log_lines(trace, &row->trial, file);
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        vox_message_error("cannot write %s: %s%s", path, strerror(errno),
                          is_folder ? "; for several traces --log names a folder" : "");
    return written ? 0 : VOX_EIO;
}

/* One trace from its file to its row; says what is wrong. */
static int judge(const struct playout_options *o, const struct vox_clip *clip, const char *path,
                 bool several, struct playout_row *row)
{
    char why[VOX_NETWORK_ERROR_BYTES];
    struct vox_trace *trace;
    int err = vox_network_trace_read(path, &trace, why);
    if (err < 0) {
        vox_message_error("%s", why);
        return err;
    }
    name_row(path, row->name);
    err = run_trial(o, clip, trace, path, row);
    if (err >= 0 && (err = run_bound(trace, path, &row->bound)) < 0)
        vox_message_error("%s has no bound: %s", path, vox_err_text(err));
    if (err >= 0 && o->log)
        err = write_log(o->log, several, trace, row);
    vox_trace_destroy(trace);
    return err;
}

static double round_to(double x, double unit)
{
    return round(x / unit) * unit;
}

static void put(json_t *object, const char *name, double x)
{
    json_object_set_new(object, name, json_real(round_to(x, 1e-4)));
}

static json_t *json_of(const struct playout_row *row)
{
    const struct vox_trial *t = &row->trial;
    json_t *object = json_object();
    json_object_set_new(object, "trace", json_string(row->name));
    put(object, "mean_ms", vox_ns_to_ms(t->mean_ns));
    put(object, "p95_ms", vox_ns_to_ms(t->p95_ns));
    put(object, "extra_concealment_pct", t->extra_concealment_pct);
    put(object, "j", t->j);
    put(object, "stretched_pct", t->stretched_pct);
    put(object, "ops_per_min", t->ops_per_min);
    put(object, "unplayed_pct", t->unplayed_pct);
    put(object, "bound_ms", vox_ns_to_ms(row->bound.bound_ns));
    put(object, "fixed_ms", vox_ns_to_ms(row->bound.fixed_ns));
    return object;
}

static void print_head(void)
{
    printf("%-28s %6s %6s %7s %6s %6s %7s %6s %6s %6s\n", "trace (network loss %)", "mean", "p95",
           "extra", "J", "ops", "stretch", "unpl.", "fixed", "bound");
    printf("%-28s %6s %6s %7s %6s %6s %7s %6s %6s %6s\n", "", "ms", "ms", "%", "", "/min", "%", "%",
           "ms", "ms");
}

static void print_row(const struct playout_row *row)
{
    const struct vox_trial *t = &row->trial;
    char name[64];
    snprintf(name, sizeof name, "%.20s (%.2f)", row->name,
             100.0 * (double)t->lost / (double)t->sent);
    printf("%-28s %6.1f %6.1f %7.2f %6.1f %6.1f %7.2f %6.2f %6.1f %6.1f\n", name,
           vox_ns_to_ms(t->mean_ns), vox_ns_to_ms(t->p95_ns), t->extra_concealment_pct, t->j,
           t->ops_per_min, t->stretched_pct, t->unplayed_pct, vox_ns_to_ms(row->bound.fixed_ns),
           vox_ns_to_ms(row->bound.bound_ns));
    fflush(stdout);
}

/* A row at a time, as they come; JSON as one array. Returns the exit status. */
static int run_all(const struct playout_options *o, const struct vox_clip *clip,
                   const struct vox_arguments *traces)
{
    json_t *array = json_array();
    int status = VOX_EXIT_DONE;
    bool headed = false;
    for (int i = 0; i < traces->count; i++) {
        struct playout_row row = {0};
        if (judge(o, clip, traces->items[i], traces->count > 1, &row) < 0) {
            status = VOX_EXIT_FAILED;
            vox_trial_clear(&row.trial);
            continue;
        }
        json_array_append_new(array, json_of(&row));
        if (!o->json && !headed)
            print_head();
        headed = true;
        if (!o->json)
            print_row(&row);
        vox_trial_clear(&row.trial);
    }
    if (o->json) {
        int err = json_dumpf(array, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        putchar('\n');
        if (err < 0 && !ferror(stdout)) { /* that is for the program's end to tell */
            vox_message_error("no memory for the table");
            status = VOX_EXIT_FAILED;
        }
    }
    json_decref(array);
    return status;
}

static bool load_audio(const char *given, struct vox_clip *clip)
{
    char path[VOX_CLIP_PATH_BYTES];
    struct vox_audio_error error;
    if (given)
        snprintf(path, sizeof path, "%s", given);
    else if (vox_clip_find_speech(path) < 0) {
        vox_message_error("the clip of speech that belongs to this program is not in "
                          "../share/voxgram; name a sound file with --audio FILE");
        return false;
    }
    if (vox_clip_load(path, clip, &error) == 0)
        return true;
    vox_message_error("%s", error.text);
    return false;
}

int vox_playout_main(int argc, char **argv)
{
    struct playout_options options;
    struct vox_arguments traces;
    struct vox_clip clip;
    enum vox_options_outcome outcome = parse(argc, argv, &options, &traces);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome == VOX_OPTIONS_DONE ? VOX_EXIT_DONE : VOX_EXIT_USAGE;
    if (options.quiet)
        vox_message_set_level(VOX_MESSAGE_QUIET);
    if (!load_audio(options.audio, &clip))
        return VOX_EXIT_FAILED;
    int status = run_all(&options, &clip, &traces);
    vox_clip_clear(&clip);
    return status;
}
