#include "lab/sweep.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "cli/meter.h"
#include "cli/options.h"
#include "cli/status.h"
#include "lab/report_gnuplot.h"
#include "lab/sweep_report.h"
#include "lab/sweep_table.h"
#include "lab/sweep_work.h"
#include "net/clock.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How often progress is looked at, and told where there is no terminal. */
#define LOOK_EVERY_NS (100 * VOX_NS_PER_MS)
#define TELL_EVERY_NS (60 * VOX_NS_PER_S)

enum { MAX_ROWS = 9, BAR_CELLS = 20, TEXT_BYTES = 200, MAX_SHARDS = 1000000 };

struct sweep_options {
    const char *scenario; /* texts are borrowed from argv */
    char *const *tables;  /* to merge */
    int table_count;
    const char *out;
    const char *report;
    const char *shard_text;
    int64_t shard, shards; /* from 0 */
    int jobs;              /* 0: as many as there are processors */
    bool merge, check, restart, quiet;
};

struct sweep {
    const struct sweep_options *options;
    struct vox_sweep_plan plan;
    struct vox_sweep_table *table;
    int64_t wanted; /* rows of this shard */
    int64_t before; /* of them, there at the start */
    int64_t begin_ns, next_tell_ns;
    struct vox_status status;
    struct vox_meter_style style;
    struct vox_sweep_progress progress;
    bool interrupted;
    char why[VOX_SWEEP_WHY_BYTES];
};

/* ---- the command line ---- */

static const char description[] =
    "Tries every combination of the sound files, encoders, networks, receivers and seeds of a "
    "scenario (JSON; docs/lab.md has the format) in virtual time, and writes a table with a row "
    "for each. If it is interrupted, the same command goes on. Rows do not depend on --jobs, nor "
    "on --shard: the shards of several machines, put together by --merge, are the table that one "
    "machine would have made.";

static const char arguments_help[] =
    "SCENARIO\tJSON; paths in it begin at its folder\nTABLE\tCSV of a shard, for --merge\n";

static const char examples[] =
    "  voxgram-lab sweep matrix.json --check            how much would that be?\n"
    "  voxgram-lab sweep matrix.json --out all.csv\n"
    "  voxgram-lab sweep matrix.json --out 2.csv --shard 2/4\n"
    "  voxgram-lab sweep matrix.json --merge --out all.csv 1.csv 2.csv 3.csv 4.csv\n";

static size_t rows_of(struct vox_option *rows, struct sweep_options *o)
{
    const struct vox_option table[] = {
        {.name = "out",
         .letter = 'o',
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->out,
         .help = "the table, as CSV; rows that are in it already are not done again"},
        {.name = "report",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->report,
         .help = "write a page to look at: FILE.html"},
        {.name = "restart",
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->restart,
         .help = "drop what is in the table"},
        {.name = "quiet",
         .letter = 'q',
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->quiet,
         .help = "errors only"},
        {.name = "jobs",
         .letter = 'j',
         .argument = "N",
         .group = "Work",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = VOX_SWEEP_MAX_JOBS,
         .target.integer = &o->jobs,
         .help = "rows at the same time (default: one for each processor)"},
        {.name = "shard",
         .argument = "I/N",
         .group = "Work",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->shard_text,
         .help = "do the I-th of N parts only, I from 1 on: rows I-1, I-1+N, ..."},
        {.name = "merge",
         .group = "Work",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->merge,
         .help = "simulate nothing: put the rows of the given tables into a new one"},
        {.name = "check",
         .group = "Work",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->check,
         .help = "simulate nothing: look at the scenario and its files, and count"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static bool take_shard(struct sweep_options *o)
{
    int shard = 0;
    int shards = 0;
    char after;
    o->shards = 1;
    if (!o->shard_text)
        return true;
    if (sscanf(o->shard_text, "%7d/%7d%c", &shard, &shards, &after) != 2 || shards < 1 ||
        shards > MAX_SHARDS || shard < 1 || shard > shards) {
        vox_message_error("--shard %s: the I-th of N parts is I/N, like 2/4, with I from 1 to N",
                          o->shard_text);
        return false;
    }
    o->shard = shard - 1;
    o->shards = shards;
    return true;
}

static bool fits_together(const struct sweep_options *o)
{
    if (!o->out && !o->check)
        vox_message_error("--out FILE is missing: where the table goes");
    else if (o->check && o->report)
        vox_message_error("--check makes no rows to --report");
    else if (o->merge && o->table_count == 0)
        vox_message_error("--merge needs the tables to merge, after SCENARIO");
    else if (!o->merge && o->table_count > 0)
        vox_message_error("%s: tables are for --merge", o->tables[0]);
    else if (o->merge && (o->shard_text || o->check))
        vox_message_error("--merge goes with neither --shard nor --check");
    else
        return true;
    return false;
}

static enum vox_options_outcome parse(int argc, char **argv, struct sweep_options *o)
{
    struct vox_option rows[MAX_ROWS];
    struct vox_arguments arguments;
    *o = (struct sweep_options){0};
    const struct vox_options command = {
        .program = "voxgram-lab sweep",
        .version = VOX_VERSION,
        .usage = "SCENARIO --out FILE [options]\nSCENARIO --merge --out FILE TABLE...",
        .description = description,
        .arguments = arguments_help,
        .examples = examples,
        .options = rows,
        .count = rows_of(rows, o),
        .min_arguments = 1,
        .max_arguments = INT_MAX,
    };
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, &arguments);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome;
    o->scenario = arguments.items[0];
    o->tables = arguments.items + 1;
    o->table_count = arguments.count - 1;
    return take_shard(o) && fits_together(o) ? VOX_OPTIONS_RUN : VOX_OPTIONS_WRONG;
}

static int processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < VOX_SWEEP_MAX_JOBS ? count : VOX_SWEEP_MAX_JOBS;
}

/* ---- progress ---- */

static void describe_time(double s, char *text, size_t capacity)
{
    if (s < 9.95)
        snprintf(text, capacity, "%.1f s", s);
    else if (s < 100)
        snprintf(text, capacity, "%.0f s", s);
    else if (s < 6000)
        snprintf(text, capacity, "%.0f min", s / 60);
    else
        snprintf(text, capacity, "%.1f h", s / 3600);
}

static void describe_progress(const struct sweep *sweep, int64_t now_ns, char *text,
                              size_t capacity)
{
    char left[32];
    const struct vox_sweep_progress *p = &sweep->progress;
    int64_t done = sweep->before + p->rows;
    double took_s = (double)(now_ns - sweep->begin_ns) / 1e9;
    int n =
        snprintf(text, capacity, "%lld of %lld rows", (long long)done, (long long)sweep->wanted);
    if (p->rows == 0 || took_s <= 0)
        return;
    describe_time(took_s * (double)(sweep->wanted - done) / (double)p->rows, left, sizeof left);
    snprintf(text + n, capacity - (size_t)n, ", %.0f x real time, %s left",
             (double)p->sound_ns / 1e9 / took_s, left);
}

static void show_progress(struct sweep *sweep)
{
    char bar[VOX_METER_BYTES], text[TEXT_BYTES], line[VOX_METER_BYTES + TEXT_BYTES];
    int64_t now_ns = vox_clock_now_ns();
    if (sweep->options->quiet)
        return;
    describe_progress(sweep, now_ns, text, sizeof text);
    if (!sweep->status.terminal && now_ns >= sweep->next_tell_ns) {
        vox_message_info("%s", text);
        sweep->next_tell_ns = now_ns + TELL_EVERY_NS;
    }
    if (!vox_status_due(&sweep->status, now_ns))
        return;
    double share = (double)(sweep->before + sweep->progress.rows) / (double)sweep->wanted;
    vox_meter_progress(share, BAR_CELLS, sweep->style, bar, sizeof bar);
    snprintf(line, sizeof line, "%s %s", bar, text);
    vox_status_show(&sweep->status, line, now_ns);
}

static void begin_progress(struct sweep *sweep)
{
    vox_status_init(&sweep->status, STDERR_FILENO, LOOK_EVERY_NS);
    sweep->style = vox_meter_style(STDERR_FILENO);
    sweep->begin_ns = vox_clock_now_ns();
    sweep->next_tell_ns = sweep->begin_ns + TELL_EVERY_NS;
    vox_message_set_status(&sweep->status);
}

static void end_progress(struct sweep *sweep)
{
    vox_status_clear(&sweep->status);
    vox_message_set_status(NULL);
}

/* ---- work ---- */

/* The signals that end a sweep; blocked in all threads, and looked for now and then. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
    sigprocmask(SIG_BLOCK, signals, NULL);
}

static bool is_signalled(const sigset_t *signals)
{
    const struct timespec at_once = {0};
    return sigtimedwait(signals, NULL, &at_once) > 0;
}

static int work(struct sweep *sweep, const sigset_t *signals)
{
    const struct vox_sweep_work_config config = {
        .plan = &sweep->plan,
        .table = sweep->table,
        .jobs = sweep->options->jobs > 0 ? sweep->options->jobs : processors(),
        .shard = sweep->options->shard,
        .shards = sweep->options->shards,
    };
    struct vox_sweep_work *threads;
    int err = vox_sweep_work_start(&config, &threads);
    if (err < 0) {
        snprintf(sweep->why, sizeof sweep->why, "cannot start: %s", vox_err_text(err));
        return err;
    }
    while (vox_sweep_work_wait(threads, LOOK_EVERY_NS, &sweep->progress)) {
        show_progress(sweep);
        if (sweep->interrupted || !is_signalled(signals))
            continue;
        sweep->interrupted = true;
        vox_sweep_work_stop(threads);
    }
    return vox_sweep_work_end(threads, sweep->why);
}

static void count_wanted(struct sweep *sweep)
{
    const struct sweep_options *o = sweep->options;
    for (int64_t row = o->shard; row < sweep->plan.scenario.row_count; row += o->shards) {
        sweep->wanted++;
        sweep->before += vox_sweep_table_has(sweep->table, row);
    }
}

static int64_t longest_sound_ns(const struct vox_sweep_plan *plan)
{
    int64_t longest_ns = 0;
    for (size_t i = 0; i < plan->scenario.file_count; i++)
        if (plan->files[i].duration_ns > longest_ns)
            longest_ns = plan->files[i].duration_ns;
    return longest_ns;
}

static void tell_loops(const struct sweep *sweep)
{
    int64_t longest_ns = longest_sound_ns(&sweep->plan);
    for (size_t i = 0; i < sweep->plan.trace_count; i++) {
        const struct vox_sweep_trace *trace = &sweep->plan.traces[i];
        int64_t trace_ns = vox_sweep_trace_duration_ns(trace);
        if (trace_ns < longest_ns)
            vox_message_info("%s lasts %.1f s and begins again, since a sound lasts %.1f s",
                             trace->path, (double)trace_ns / 1e9, (double)longest_ns / 1e9);
    }
}

static void tell_start(const struct sweep *sweep)
{
    const char *out = sweep->options->out;
    if (vox_sweep_table_was_torn(sweep->table))
        vox_message_info("the last line of %s was cut off; its row is done again", out);
    if (sweep->before > 0 && sweep->before < sweep->wanted)
        vox_message_info("%lld of %lld rows are in %s already", (long long)sweep->before,
                         (long long)sweep->wanted, out);
}

static int tell_end(const struct sweep *sweep)
{
    char took[32], sound[32];
    const struct sweep_options *o = sweep->options;
    int64_t done = sweep->before + sweep->progress.rows;
    double took_s = (double)(vox_clock_now_ns() - sweep->begin_ns) / 1e9;
    double sound_s = (double)sweep->progress.sound_ns / 1e9;
    if (done < sweep->wanted) {
        vox_message_warn("interrupted; %lld of %lld rows are in %s, and the same command goes on",
                         (long long)done, (long long)sweep->wanted, o->out);
        return VOX_EXIT_FAILED;
    }
    describe_time(took_s, took, sizeof took);
    describe_time(sound_s, sound, sizeof sound);
    if (sweep->progress.rows > 0)
        vox_message_info("%lld rows are in %s: %s of sound in %s, %.0f x real time",
                         (long long)done, o->out, sound, took, sound_s / took_s);
    else
        vox_message_info("all %lld rows are in %s already", (long long)done, o->out);
    return VOX_EXIT_DONE;
}

/* Of the table as it is. */
static int report(struct sweep *sweep)
{
    struct vox_sweep_digest digest;
    struct vox_audio_error error;
    const struct sweep_options *o = sweep->options;
    if (!o->report)
        return VOX_EXIT_DONE;
    if (vox_sweep_digest_make(&sweep->plan, o->out, &digest, sweep->why) < 0) {
        vox_message_error("%s", sweep->why);
        return VOX_EXIT_FAILED;
    }
    int err = vox_sweep_report_write(o->report, &digest, &error);
    if (err < 0)
        vox_message_error("%s", error.text);
    vox_sweep_digest_clear(&digest);
    return err < 0 ? VOX_EXIT_FAILED : VOX_EXIT_DONE;
}

static int run(struct sweep *sweep)
{
    const struct sweep_options *o = sweep->options;
    sigset_t signals;
    block_signals(&signals); /* before there is a table to be seen */
    int err = vox_sweep_table_open(&sweep->plan, o->out, o->restart, &sweep->table, sweep->why);
    if (err >= 0) {
        count_wanted(sweep);
        tell_start(sweep);
        begin_progress(sweep);
        err = work(sweep, &signals);
        if (err >= 0 && sweep->before + sweep->progress.rows == sweep->wanted)
            err = vox_sweep_table_finish(sweep->table, sweep->why);
        end_progress(sweep);
    }
    if (err < 0)
        vox_message_error("%s", sweep->why);
    int status = err < 0 ? VOX_EXIT_FAILED : tell_end(sweep);
    vox_sweep_table_close(sweep->table);
    sigprocmask(SIG_UNBLOCK, &signals, NULL); /* the rows are safe; drawing may be ended at once */
    return status == VOX_EXIT_DONE ? report(sweep) : status;
}

/* ---- the other commands ---- */

static int check(const struct sweep *sweep)
{
    const struct vox_scenario *s = &sweep->plan.scenario;
    printf("%zu files x %zu encoders x %zu networks x %zu receivers x %zu seeds: %lld rows, "
           "%zu recordings to encode\n",
           s->file_count, s->encoder_count, s->network_count, s->receiver_count, s->seed_count,
           (long long)s->row_count, sweep->plan.sound_count);
    return VOX_EXIT_DONE;
}

static int merge(struct sweep *sweep)
{
    const struct sweep_options *o = sweep->options;
    struct vox_sweep_merge result;
    if (!o->restart && access(o->out, F_OK) == 0) {
        vox_message_error("%s is there already; --restart replaces it", o->out);
        return VOX_EXIT_FAILED;
    }
    if (vox_sweep_table_merge(&sweep->plan, o->tables, o->table_count, o->out, &result,
                              sweep->why) < 0) {
        vox_message_error("%s", sweep->why);
        return VOX_EXIT_FAILED;
    }
    if (result.twice > 0)
        vox_message_warn("%lld rows were there twice, with the same results",
                         (long long)result.twice);
    vox_message_info("%lld of %lld rows are in %s", (long long)result.rows,
                     (long long)sweep->plan.scenario.row_count, o->out);
    if (result.missing == 0)
        return report(sweep);
    vox_message_error("%lld rows are missing, the first is %lld; voxgram-lab sweep %s --out %s "
                      "does them",
                      (long long)result.missing, (long long)result.first_missing, o->scenario,
                      o->out);
    return VOX_EXIT_FAILED;
}

int vox_sweep_main(int argc, char **argv)
{
    struct sweep_options options;
    enum vox_options_outcome outcome = parse(argc, argv, &options);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome == VOX_OPTIONS_DONE ? VOX_EXIT_DONE : VOX_EXIT_USAGE;
    if (options.quiet)
        vox_message_set_level(VOX_MESSAGE_QUIET);
    struct vox_audio_error error;
    if (options.report && vox_lab_gnuplot_check(&error) < 0) {
        vox_message_error("%s", error.text);
        return VOX_EXIT_FAILED;
    }
    struct sweep sweep = {.options = &options};
    if (vox_sweep_plan_open(options.scenario, &sweep.plan, sweep.why) < 0) {
        vox_message_error("%s", sweep.why);
        return VOX_EXIT_FAILED;
    }
    if (!options.merge)
        tell_loops(&sweep);
    int status = options.check ? check(&sweep) : options.merge ? merge(&sweep) : run(&sweep);
    vox_sweep_plan_close(&sweep.plan);
    return status;
}
