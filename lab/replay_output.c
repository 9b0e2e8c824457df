#include "lab/replay_output.h"

#include "audio/file.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "dsp/pcm.h"
#include "lab/emodel.h"
#include "lab/quality.h"
#include "lab/replay_settings.h"
#include "lab/report.h"
#include "lab/score.h"
#include "net/clock.h"
#include "receiver/event_line.h"
#include "receiver/report.h"
#include "sender/adapt_report.h"
#include "sender/promises.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4800, BAR_CELLS = 24, MAX_LAG_FRAMES = 48000, PATH_BYTES = 64 };

#define SHOW_INTERVAL_NS (100 * VOX_NS_PER_MS)
#define START_UNIX_NS (INT64_C(1767225600) * VOX_NS_PER_S)

/* What is known of a run beyond the run itself. */
struct verdict {
    const struct vox_replay_options *options;
    const struct vox_run *run;
    struct vox_run reference;   /* if needed */
    struct vox_quality quality; /* if has_quality */
    bool has_quality;
    struct vox_emodel_rating rating; /* if has_rating */
    bool has_rating;
    double delay_ms, concealed_pct, burst_ratio; /* what the rating is of */
    double score;                                /* NaN: none */
};

/* ---- progress ---- */

void vox_replay_progress_init(struct vox_replay_progress *progress,
                              const struct vox_replay_options *options,
                              const struct vox_sim_config *sim)
{
    *progress = (struct vox_replay_progress){.begin_ns = vox_clock_now_ns(),
                                             .style = vox_meter_style(STDERR_FILENO),
                                             .quiet = options->quiet};
    for (int i = 0; i < sim->sender_count; i++) {
        const struct vox_talker_config *t = &sim->senders[i].talker;
        int64_t ns = vox_ticks_to_ns(t->frames, t->engine.input_hz);
        progress->total_ns = ns > progress->total_ns ? ns : progress->total_ns;
    }
    vox_status_init(&progress->status, STDERR_FILENO, SHOW_INTERVAL_NS);
}

void vox_replay_progress_show(void *ctx, int64_t heard_ns)
{
    struct vox_replay_progress *p = ctx;
    int64_t now_ns = vox_clock_now_ns();
    if (p->quiet || !vox_status_due(&p->status, now_ns) || now_ns <= p->begin_ns)
        return;
    char bar[VOX_METER_BYTES], text[VOX_METER_BYTES + 160];
    double share = fmin(1, (double)heard_ns / (double)p->total_ns);
    double took_s = (double)(now_ns - p->begin_ns) / 1e9;
    double left_s = share > 0 ? took_s * (1 - share) / share : 0;
    vox_meter_progress(share, BAR_CELLS, p->style, bar, sizeof bar);
    snprintf(text, sizeof text, "%s %3.0f %%  %.0f x real time, %.0f s left", bar, 100 * share,
             (double)heard_ns / 1e9 / took_s, left_s);
    vox_message_set_status(&p->status);
    vox_status_show(&p->status, text, now_ns);
}

void vox_replay_progress_end(struct vox_replay_progress *progress)
{
    vox_status_clear(&progress->status);
    vox_message_set_status(NULL);
}

/* ---- judging ---- */

bool vox_replay_needs_reference(const struct vox_replay_options *o)
{
    return o->quality || o->reference || o->report || o->score_with;
}

static void judge_quality(struct verdict *v)
{
    const struct vox_run *heard = v->run;
    const struct vox_run *clean = &v->reference;
    if (heard->channels != clean->channels)
        return;
    const struct vox_quality_input input = {
        .reference = {clean->pcm, (size_t)clean->frames, clean->channels},
        .output = {heard->pcm, (size_t)heard->frames, heard->channels},
        .min_lag_frames = -MAX_LAG_FRAMES,
        .max_lag_frames = MAX_LAG_FRAMES,
    };
    v->has_quality = vox_quality_compare(&input, &v->quality) >= 0;
    if (!v->has_quality)
        vox_message_warn("the recording cannot be compared with the clean decode: one of them is "
                         "silent or too short");
}

/* How much longer bursts of missing packets are than chance would have them (G.107, 7.5). */
static double burst_ratio(const struct vox_run *run)
{
    size_t missing = 0, bursts = 0, count = 0;
    for (int i = 0; i < run->stream_count; i++) {
        bool before = false;
        for (size_t k = 0; k < run->streams[i].count; k++) {
            enum vox_run_outcome outcome = run->streams[i].packets[k].outcome;
            bool gone = outcome == VOX_RUN_LOST || outcome == VOX_RUN_LATE;
            missing += gone;
            bursts += gone && !before;
            before = gone;
        }
        count += run->streams[i].count;
    }
    if (missing == 0 || missing == count)
        return 1;
    double mean = (double)missing / (double)bursts;
    return fmax(1, mean * (1 - (double)missing / (double)count));
}

static void judge_rating(struct verdict *v)
{
    const struct vox_receiver_stats *stats = &v->run->result.receiver;
    if (stats->source_count != 1)
        return;
    const struct vox_source_stats *s = &stats->sources[0];
    int64_t from_fec_ns = (int64_t)s->frames.from_fec * vox_rtp_to_ns(s->packet_ticks);
    double heard_ns = (double)(s->played_ns + from_fec_ns + s->concealed_ns + s->dtx_ns);
    struct vox_emodel e;
    vox_emodel_init(&e);
    v->delay_ms = vox_ns_to_ms(s->delay.total.p50_ns);
    v->concealed_pct = heard_ns > 0 ? 100.0 * (double)s->concealed_ns / heard_ns : 0;
    v->burst_ratio = burst_ratio(v->run);
    e.delay_ms = v->delay_ms;
    e.loss_pct = v->concealed_pct;
    e.burst_ratio = v->burst_ratio;
    v->has_rating = heard_ns > 0 && vox_emodel_rate(&e, &v->rating) >= 0;
}

/* ---- sound ---- */

static int write_blocks(struct vox_file_writer *file, const struct vox_run *run,
                        struct vox_audio_error *error)
{
    int16_t pcm[BLOCK * 2];
    for (int64_t at = 0; at < run->frames; at += BLOCK) {
        int64_t n = run->frames - at < BLOCK ? run->frames - at : BLOCK;
        vox_pcm_to_s16(run->pcm + at * run->channels, (size_t)(n * run->channels), pcm);
        int err = vox_file_write_s16(file, pcm, (size_t)n, error);
        if (err < 0)
            return err;
    }
    return 0;
}

static bool write_sound(const char *path, const struct vox_run *run)
{
    struct vox_file_writer *file;
    struct vox_audio_error error;
    int channels = run->channels ? run->channels : 1;
    int err = vox_file_create(path, VOX_RTP_HZ, channels, &file, &error);
    if (err >= 0) {
        err = write_blocks(file, run, &error);
        int end = vox_file_finish(file, err < 0 ? NULL : &error);
        err = err < 0 ? err : end;
    }
    if (err < 0)
        vox_message_error("%s", error.text);
    return err >= 0;
}

/* ---- somebody else's score ---- */

static bool make_name(char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "/tmp/voxgram-score-XXXXXX.wav");
    int fd = mkstemps(path, 4);
    if (fd < 0)
        vox_message_error("cannot make a file in /tmp for --score-with: %s", strerror(errno));
    else
        close(fd);
    return fd >= 0;
}

static bool run_score(struct verdict *v, const char *clean, const char *heard)
{
    int status;
    int err = vox_score_run(v->options->score_with, clean, heard, &v->score, &status);
    if (err == VOX_EFORMAT)
        vox_message_error("--score-with %s printed no number", v->options->score_with);
    else if (err < 0)
        vox_message_error("--score-with %s ended with status %d; it is called with two WAV files: "
                          "the clean one and what was heard",
                          v->options->score_with, status);
    return err >= 0;
}

static bool ask_for_score(struct verdict *v)
{
    char clean[PATH_BYTES], heard[PATH_BYTES];
    if (!make_name(clean))
        return false;
    bool done = make_name(heard);
    if (done) {
        done = write_sound(clean, &v->reference) && write_sound(heard, v->run) &&
               run_score(v, clean, heard);
        unlink(heard);
    }
    unlink(clean);
    return done;
}

/* ---- statistics and events ---- */

static struct vox_report_context context_of(const struct verdict *v)
{
    return (struct vox_report_context){
        .program = "voxgram-lab",
        .elapsed_ns = v->run->result.end_ns,
        .start_unix_ns = START_UNIX_NS,
        .output = v->options->out ? v->options->out : "nowhere",
        .recorded_ns = vox_rtp_to_ns(v->run->frames),
        .recording = v->options->out != NULL,
    };
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(round(x * 1e4) / 1e4) : json_null();
}

static json_t *quality_object(const struct verdict *v)
{
    const struct vox_quality *q = &v->quality;
    json_t *object = json_object();
    json_object_set_new(object, "segmental_snr_db", number(q->segmental_snr_db));
    json_object_set_new(object, "log_spectral_distance_db", number(q->log_spectral_distance_db));
    json_object_set_new(object, "dropouts", json_integer((json_int_t)q->damage.dropouts));
    json_object_set_new(object, "dropout_ms",
                        number(vox_ns_to_ms(vox_rtp_to_ns(q->damage.dropout_frames))));
    json_object_set_new(object, "clicks", json_integer((json_int_t)q->damage.clicks));
    return object;
}

static json_t *rating_object(const struct verdict *v)
{
    json_t *object = json_object();
    json_object_set_new(object, "r_factor", number(v->rating.r));
    json_object_set_new(object, "mos", number(v->rating.mos));
    json_object_set_new(object, "delay_ms", number(v->delay_ms));
    json_object_set_new(object, "concealed_pct", number(v->concealed_pct));
    json_object_set_new(object, "burst_ratio", number(v->burst_ratio));
    return object;
}

static json_t *sent_object(const struct vox_run *run)
{
    json_t *object = json_object();
    size_t sent = 0, bytes = 0;
    for (int i = 0; i < run->stream_count; i++)
        for (size_t k = 0; k < run->streams[i].count; k++) {
            sent++;
            bytes += (size_t)run->streams[i].packets[k].bytes;
        }
    uint64_t wire_bytes = 0, repeated = 0, ticks = 0;
    for (int i = 0; i < VOX_SIM_MAX_SENDERS; i++) {
        const struct vox_sender_stats *s = &run->result.senders[i];
        wire_bytes += s->wire_bytes;
        repeated += s->rtx_packets;
        ticks = s->frames_captured > ticks ? s->frames_captured : ticks;
    }
    double seconds = (double)ticks / VOX_RTP_HZ;
    size_t recovered = vox_run_count(run, VOX_RUN_RECOVERED);
    json_object_set_new(object, "wire_kbps",
                        number(seconds > 0 ? (double)wire_bytes * 8e-3 / seconds : 0));
    json_object_set_new(object, "repeated", json_integer((json_int_t)repeated));
    json_object_set_new(object, "packets", json_integer((json_int_t)sent));
    json_object_set_new(object, "bytes", json_integer((json_int_t)bytes));
    json_object_set_new(object, "lost",
                        json_integer((json_int_t)(vox_run_count(run, VOX_RUN_LOST) + recovered)));
    json_object_set_new(object, "recovered", json_integer((json_int_t)recovered));
    return object;
}

/* Opens FILE, or - for standard output. */
static FILE *open_text(const char *path, const char *option)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!file)
        vox_message_error("--%s %s: %s; choose another file", option, path, strerror(errno));
    return file;
}

static bool close_text(FILE *file, const char *path, bool written)
{
    written = fflush(file) == 0 && written;
    if (file != stdout && fclose(file) != 0)
        written = false;
    if (!written)
        vox_message_error("cannot write %s: %s", path, strerror(errno));
    return written;
}

static bool write_stats(const struct verdict *v)
{
    const struct vox_report_context context = context_of(v);
    const char *path = v->options->stats;
    FILE *file = open_text(path, "stats");
    if (!file)
        return false;
    json_t *object = vox_report_object(&v->run->result.receiver, &context, true);
    json_object_set_new(object, "sent", sent_object(v->run));
    if (v->options->encoding.adapt)
        json_object_set_new(object, "adapt", vox_adapt_json(&v->run->result.senders[0]));
    if (v->has_rating)
        json_object_set_new(object, "e_model", rating_object(v));
    if (v->has_quality)
        json_object_set_new(object, "quality", quality_object(v));
    if (!isnan(v->score))
        json_object_set_new(object, "score", number(v->score));
    bool written = json_dumpf(object, file, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0 &&
                   fputc('\n', file) != EOF;
    json_decref(object);
    return close_text(file, path, written);
}

static bool write_change(const struct vox_run_change *change,
                         const struct vox_report_context *context, FILE *file)
{
    json_t *object = vox_adapt_event_json(&change->event);
    json_object_set_new(object, "t_ms",
                        number(vox_ns_to_ms(change->event.t_ns - context->start_ns)));
    json_object_set_new(object, "sender", json_integer(change->sender));
    bool written = json_dumpf(object, file, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0 &&
                   fputc('\n', file) != EOF;
    json_decref(object);
    return written;
}

static bool write_events(const struct verdict *v)
{
    const struct vox_report_context context = context_of(v);
    const char *path = v->options->events;
    FILE *file = open_text(path, "events");
    if (!file)
        return false;
    const struct vox_run *run = v->run;
    bool written = true;
    size_t change = 0;
    for (size_t i = 0; i <= run->event_count && written; i++) {
        int64_t t_ns = i < run->event_count ? run->events[i].t_ns : INT64_MAX;
        for (; change < run->change_count && run->changes[change].event.t_ns <= t_ns; change++)
            written = written && write_change(&run->changes[change], &context, file);
        if (i < run->event_count)
            written = written && vox_event_line_print(&run->events[i], context.start_ns,
                                                      context.start_unix_ns, file) == 0;
    }
    return close_text(file, path, written);
}

/* As voxgram-recv --trace-out writes it, but nothing has to be guessed. */
static bool write_trace(const struct verdict *v)
{
    const char *path = v->options->trace_out;
    const struct vox_run_stream *stream = &v->run->streams[0];
    FILE *file = open_text(path, "trace-out");
    if (!file)
        return false;
    bool written = fprintf(file, "# interval_ms %.3f\n# simulated by voxgram-lab replay\n",
                           vox_ns_to_ms(vox_rtp_to_ns(v->options->encoding.frame_ticks))) > 0;
    for (size_t i = 0; i < stream->count && written; i++) {
        const struct vox_run_packet *p = &stream->packets[i];
        const int64_t copies_ns[2] = {p->arrival_ns, p->copy_ns};
        double send_ms = vox_ns_to_ms(p->send_ns - stream->packets[0].send_ns);
        for (int k = 0; k < 2 && written; k++)
            if (copies_ns[k] != VOX_RUN_NEVER)
                written = fprintf(file, "%zu %.3f %.3f\n", stream->first_seq + i, send_ms,
                                  send_ms + vox_ns_to_ms(copies_ns[k] - p->send_ns)) > 0;
        if (p->arrival_ns == VOX_RUN_NEVER)
            written = fprintf(file, "%zu %.3f lost\n", stream->first_seq + i, send_ms) > 0;
    }
    return close_text(file, path, written);
}

/* ---- a page ---- */

static bool write_report(const struct verdict *v)
{
    struct vox_replay_settings *settings = malloc(sizeof *settings);
    struct vox_audio_error error;
    if (!settings)
        return false;
    vox_replay_settings_describe(v->options, settings);
    const struct vox_lab_report_input input = {
        .title = v->options->files[0],
        .settings = settings->words,
        .run = v->run,
        .reference = v->reference.pcm,
        .reference_frames = v->reference.frames,
        .channels = v->reference.channels,
        .quality = v->has_quality ? &v->quality : NULL,
        .r_factor = v->has_rating ? v->rating.r : (double)NAN,
        .mos = v->has_rating ? v->rating.mos : (double)NAN,
    };
    int err = vox_lab_report_write(v->options->report, &input, &error);
    if (err < 0)
        vox_message_error("%s", error.text);
    free(settings);
    return err >= 0;
}

/* ---- for people ---- */

/* The senders have the same options: what one cannot give is told once. */
static void tell_promises(const struct verdict *v)
{
    struct vox_promises promises = {0};
    for (int i = 0; i < v->options->file_count; i++) {
        const struct vox_sender_stats *stats = &v->run->result.senders[i];
        vox_promises_tell(&promises, &(struct vox_promises_view){
                                         .options = &v->options->encoding,
                                         .stats = stats,
                                         .sent_ns = vox_rtp_to_ns((int64_t)stats->frames_captured),
                                         .receiver_asks = true,
                                     });
    }
}

static void tell(const struct verdict *v, int64_t took_ns)
{
    const struct vox_report_context context = context_of(v);
    double sound_s = (double)vox_rtp_to_ns(v->run->frames) / 1e9;
    vox_report_summary(&v->run->result.receiver, &context, stderr);
    if (v->has_rating)
        fprintf(stderr, "  E-model    R %.1f, MOS %.2f (ITU-T G.107: %.0f ms, %.2f %% concealed)\n",
                v->rating.r, v->rating.mos, v->delay_ms, v->concealed_pct);
    if (v->has_quality)
        fprintf(stderr,
                "  quality    segmental SNR %.1f dB, log-spectral distance %.1f dB, %zu dropouts, "
                "%zu clicks, against the clean decode\n",
                v->quality.segmental_snr_db, v->quality.log_spectral_distance_db,
                v->quality.damage.dropouts, v->quality.damage.clicks);
    if (!isnan(v->score))
        fprintf(stderr, "  score      %.3f by %s\n", v->score, v->options->score_with);
    fprintf(stderr, "  simulated  %.1f s of sound in %.2f s: %.0f x real time\n", sound_s,
            (double)took_ns / 1e9, sound_s * 1e9 / (double)(took_ns > 0 ? took_ns : 1));
}

static bool make_reference(struct verdict *v)
{
    int err = vox_run_reference(v->run, &v->reference);
    if (err < 0) {
        vox_message_error("the clean decode failed: %s", vox_err_text(err));
        return false;
    }
    if (v->options->quality || v->options->report)
        judge_quality(v);
    return true;
}

static bool write_all(struct verdict *v)
{
    const struct vox_replay_options *o = v->options;
    bool done = true;
    if (o->score_with)
        done &= ask_for_score(v);
    if (o->out)
        done &= write_sound(o->out, v->run);
    if (o->reference)
        done &= write_sound(o->reference, &v->reference);
    if (o->stats)
        done &= write_stats(v);
    if (o->events)
        done &= write_events(v);
    if (o->report)
        done &= write_report(v);
    if (o->trace_out)
        done &= write_trace(v);
    return done;
}

int vox_replay_output(const struct vox_replay_options *options, const struct vox_run *run,
                      int64_t took_ns)
{
    struct verdict *v = calloc(1, sizeof *v);
    if (!v)
        return VOX_EXIT_FAILED;
    v->options = options;
    v->run = run;
    v->score = (double)NAN;
    judge_rating(v);
    bool done = !vox_replay_needs_reference(options) || make_reference(v);
    done = done && write_all(v);
    tell_promises(v);
    if (!options->quiet)
        tell(v, took_ns);
    if (v->has_quality)
        vox_quality_clear(&v->quality);
    vox_run_clear(&v->reference);
    free(v);
    return done ? VOX_EXIT_DONE : VOX_EXIT_FAILED;
}
