#include "lab/versus_output.h"

#include "audio/file.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "dsp/pcm.h"
#include "lab/setting.h"
#include "lab/versus_commands.h"
#include "lab/versus_groups.h"
#include "lab/versus_result.h"
#include "lab/versus_virtual.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { LINE_BYTES = 256, COMMAND_BYTES = 4096, PATH_BYTES = 4096, PIECE_FRAMES = 4800 };

static const int64_t ENOUGH_NS = 10 * VOX_NS_PER_S;

/* ---- the table ---- */

static double median(const struct vox_versus_result *r, int arm, int what)
{
    return r->table.figures[arm][what].median;
}

static void print_row(const struct vox_versus_result *r, int arm)
{
    char line[LINE_BYTES];
    int used = snprintf(line, sizeof line, "%-28s %7.1f %7.1f ",
                        vox_versus_title((enum vox_versus_arm)arm), median(r, arm, VOX_VERSUS_P50),
                        median(r, arm, VOX_VERSUS_P99));
    for (int i = 0; i < r->budgets.count; i++)
        used += snprintf(line + used, sizeof line - (size_t)used, " %6.1f",
                         median(r, arm, VOX_VERSUS_LATE_PCT + i));
    snprintf(line + used, sizeof line - (size_t)used, "  %7.0f %7.0f %7.0f %5.0f",
             median(r, arm, VOX_VERSUS_SILENCE_MS), median(r, arm, VOX_VERSUS_GAP_MS),
             median(r, arm, VOX_VERSUS_WIRE_KB), median(r, arm, VOX_VERSUS_R));
    vox_message_info("%s", line);
}

static void print_heads(const struct vox_versus_result *r)
{
    char line[LINE_BYTES];
    int used = snprintf(line, sizeof line, "%-28s %7s %7s ", "", "delay", "99 %");
    for (int i = 0; i < r->budgets.count; i++) {
        char head[32];
        snprintf(head, sizeof head, ">%g", r->budgets.ms[i]);
        used += snprintf(line + used, sizeof line - (size_t)used, " %6s", head);
    }
    snprintf(line + used, sizeof line - (size_t)used, "  %7s %7s %7s %5s", "silence", "gap",
             "kB/min", "R");
    vox_message_info("%s", line);
}

static void print_verdicts(const struct vox_versus_result *r)
{
    struct vox_versus_group groups[VOX_VERSUS_MAX_BUDGETS];
    int count = vox_versus_group(r->verdicts, r->budgets.count, groups);
    for (int i = 0; i < count; i++)
        vox_message_info("%s", groups[i].text);
}

/* Losses are rare: in some seconds there are too few of them to tell one way from another. */
static void warn_of_little(const struct vox_versus_options *o)
{
    int64_t sound_ns = o->duration_ns > 0 ? o->duration_ns : o->sound_ns;
    if (sound_ns * o->repeat < ENOUGH_NS && vox_network_options_any(&o->network))
        vox_message_info("%.3g s of sound meet few losses, so chance decides much here; --duration "
                         "60 or --repeat 5 tell more",
                         vox_ns_to_ms(sound_ns) / 1e3);
}

void vox_versus_summary(const struct vox_versus_result *r)
{
    char network[COMMAND_BYTES];
    vox_versus_network_print(r->options, network, sizeof network);
    vox_message_info("Over %s%s; delays in ms, frames not there in time in %%%s:",
                     *network ? network : "a perfect network",
                     r->options->is_virtual ? ", with a model of TCP, not the kernel's" : "",
                     r->options->repeat > 1 ? ", medians over seeds" : "");
    print_heads(r);
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (r->table.has[arm])
            print_row(r, arm);
    print_verdicts(r);
    if (*r->plain_text)
        vox_message_info("%s", r->plain_text);
    warn_of_little(r->options);
    if (vox_versus_doubt(r->options))
        vox_message_info("%s", vox_versus_doubt(r->options));
    if (r->unwanted > 0)
        vox_message_warn("%llu packets were dropped because this machine was too busy, which no "
                         "option asked for; try with less going on, or --jobs 1",
                         (unsigned long long)r->unwanted);
}

/* ---- JSON ---- */

static json_t *number(double value)
{
    return json_real(round(value * 1e3) / 1e3);
}

/* The median, or [min, max]. */
static json_t *spread_json(const struct vox_versus_spread *s, bool range)
{
    return range ? json_pack("[o, o]", number(s->min), number(s->max)) : number(s->median);
}

static void set_budgets(const struct vox_versus_result *r, int arm, int first, bool range,
                        const char *name, json_t *object)
{
    json_t *values = json_object();
    for (int i = 0; i < r->budgets.count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%g", r->budgets.ms[i]);
        json_object_set_new(values, key, spread_json(&r->table.figures[arm][first + i], range));
    }
    json_object_set_new(object, name, values);
}

static json_t *figures_json(const struct vox_versus_result *r, int arm, bool range)
{
    static const struct {
        int what;
        const char *name;
    } plain[] = {
        {VOX_VERSUS_LOST_PCT, "lost_pct"},
        {VOX_VERSUS_SILENCE_MS, "longest_silence_ms"},
        {VOX_VERSUS_GAP_MS, "longest_gap_ms"},
        {VOX_VERSUS_WIRE_KB, "wire_kbytes_per_min"},
        {VOX_VERSUS_THERE_KB, "wire_kbytes_per_min_there"},
        {VOX_VERSUS_BACK_KB, "wire_kbytes_per_min_back"},
        {VOX_VERSUS_CONCEALED_PCT, "concealed_pct"},
        {VOX_VERSUS_R, "r_factor"},
    };
    const struct vox_versus_spread *f = r->table.figures[arm];
    json_t *object = json_pack(
        "{s:{s:o, s:o, s:o, s:o}}", "delay_ms", "p50", spread_json(&f[VOX_VERSUS_P50], range),
        "p95", spread_json(&f[VOX_VERSUS_P95], range), "p99",
        spread_json(&f[VOX_VERSUS_P99], range), "max", spread_json(&f[VOX_VERSUS_MAX], range));
    if (!object)
        return NULL;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        json_object_set_new(object, plain[i].name, spread_json(&f[plain[i].what], range));
    set_budgets(r, arm, VOX_VERSUS_LATE_PCT, range, "late_pct", object);
    set_budgets(r, arm, VOX_VERSUS_R_AT, range, "r_factor_at", object);
    return object;
}

static json_t *command_json(const struct vox_versus_result *r, enum vox_versus_link link)
{
    static struct vox_versus_command command;
    char text[COMMAND_BYTES];
    vox_versus_command_make(r->options, NULL, link, r->options->network.seed,
                            vox_versus_link_name(link), &command);
    vox_versus_command_print(&command, text, sizeof text);
    return json_string(text);
}

static json_t *arm_json(const struct vox_versus_result *r, enum vox_versus_arm arm)
{
    const struct vox_playable *p = &r->first[vox_versus_link_of(arm)].playable;
    json_t *object = figures_json(r, (int)arm, false);
    if (!object)
        return NULL;
    json_object_set_new(object, "name", json_string(vox_versus_name(arm)));
    json_object_set_new(object, "title", json_string(vox_versus_title(arm)));
    json_object_set_new(object, "range", figures_json(r, (int)arm, true));
    json_object_set_new(object, "frames_by_way",
                        json_pack("{s:I, s:I, s:I, s:I, s:I}", "packet",
                                  (json_int_t)vox_playable_count(p, VOX_PLAYABLE_PACKET), "fec",
                                  (json_int_t)vox_playable_count(p, VOX_PLAYABLE_FEC), "red",
                                  (json_int_t)vox_playable_count(p, VOX_PLAYABLE_RED), "rtx",
                                  (json_int_t)vox_playable_count(p, VOX_PLAYABLE_RTX), "lost",
                                  (json_int_t)vox_playable_count(p, VOX_PLAYABLE_LOST)));
    return object;
}

static json_t *network_json(const struct vox_versus_options *o)
{
    struct vox_network_options network = o->network;
    struct vox_option rows[VOX_NETWORK_OPTIONS];
    char key[VOX_SETTING_KEY_BYTES];
    json_t *object = json_object();
    size_t count = vox_network_options_rows(&network, "", rows);
    for (size_t i = 0; i < count; i++) {
        char text[PATH_BYTES];
        vox_setting_key(&rows[i], key);
        vox_setting_print(&rows[i], text, sizeof text);
        if (rows[i].kind == VOX_OPTION_STRING && *text)
            json_object_set_new(object, key, json_string(text));
        else if (rows[i].kind == VOX_OPTION_UINT64)
            json_object_set_new(object, key, json_integer((json_int_t)network.seed));
        else if (rows[i].kind != VOX_OPTION_STRING)
            json_object_set_new(object, key, json_real(strtod(text, NULL)));
    }
    json_object_set_new(object, "one_way", json_boolean(o->one_way));
    return object;
}

static json_t *kernel_json(const struct vox_versus_options *o)
{
    struct utsname name;
    char text[3 * sizeof name.release] = "";
    json_t *control = json_array();
    if (uname(&name) == 0)
        snprintf(text, sizeof text, "%s %s %s", name.sysname, name.release, name.machine);
    for (int arm = VOX_VERSUS_CUBIC; arm < VOX_VERSUS_ARMS; arm++)
        if (o->has[arm])
            json_array_append_new(control, json_string(vox_versus_congestion(
                                               vox_versus_link_of((enum vox_versus_arm)arm))));
    return json_pack("{s:s, s:o}", "uname", text, "congestion_control", control);
}

static json_t *verdicts_json(const struct vox_versus_result *r)
{
    json_t *all = json_array();
    for (int i = 0; i < r->budgets.count; i++) {
        const struct vox_versus_verdict *v = &r->verdicts[i];
        const char *choice = v->choice < 0 ? NULL : vox_versus_name((enum vox_versus_arm)v->choice);
        const char *best = v->best < 0 ? NULL : vox_versus_name((enum vox_versus_arm)v->best);
        json_array_append_new(all,
                              json_pack("{s:o, s:s?, s:s?, s:s}", "budget_ms", number(v->budget_ms),
                                        "choice", choice, "best", best, "text", v->text));
    }
    return all;
}

static size_t sent_frames(const struct vox_versus_result *r, int64_t *frame_ns)
{
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        if (r->first[link].playable.count > 0) {
            *frame_ns = r->first[link].playable.frame_ns;
            return r->first[link].playable.count;
        }
    return 0;
}

static json_t *result_json(const struct vox_versus_result *r)
{
    const struct vox_versus_options *o = r->options;
    json_t *arms = json_array(), *commands = json_array();
    int64_t frame_ns = 0;
    size_t frames = sent_frames(r, &frame_ns);
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (r->table.has[arm])
            json_array_append_new(arms, arm_json(r, (enum vox_versus_arm)arm));
    for (int link = 0; link < VOX_VERSUS_LINKS && !o->is_virtual; link++)
        if (vox_versus_link_is_wanted((enum vox_versus_link)link, o->has))
            json_array_append_new(commands, command_json(r, (enum vox_versus_link)link));
    return json_pack(
        "{s:s, s:s, s:I, s:o, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "mode",
        o->is_virtual ? "model" : "kernel", "file", *o->file ? o->file : vox_clip_name(o->path),
        "frames", (json_int_t)frames, "frame_ms", number(vox_ns_to_ms(frame_ns)), "repeat",
        o->repeat, "unwanted_drops", (json_int_t)r->unwanted, "network", network_json(o),
        "budget_ms", number(o->budget_ms), "before_the_network_ms", number(r->extra_ms), "kernel",
        o->is_virtual ? json_null() : kernel_json(o), "arms", arms, "verdicts", verdicts_json(r),
        "plain_udp", r->plain_text, "commands", commands);
}

int vox_versus_json(const struct vox_versus_result *result, FILE *out)
{
    json_t *object = result_json(result);
    if (!object)
        return VOX_ENOMEM;
    bool failed = json_dumpf(object, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0;
    failed = fputc('\n', out) == EOF || failed;
    failed = fflush(out) != 0 || failed;
    json_decref(object);
    return failed ? VOX_EIO : 0;
}

/* ---- sound ---- */

static int write_sound(const char *path, const struct vox_render *sound,
                       struct vox_audio_error *error)
{
    int16_t pcm[2 * PIECE_FRAMES];
    struct vox_file_writer *file;
    int err = vox_file_create(path, VOX_RTP_HZ, sound->channels, &file, error);
    if (err < 0)
        return err;
    for (int64_t at = 0; err >= 0 && at < sound->frames; at += PIECE_FRAMES) {
        int64_t n = sound->frames - at < PIECE_FRAMES ? sound->frames - at : PIECE_FRAMES;
        vox_pcm_to_s16(sound->pcm + at * sound->channels, (size_t)(n * sound->channels), pcm);
        err = vox_file_write_s16(file, pcm, (size_t)n, error);
    }
    int end = vox_file_finish(file, err < 0 ? NULL : error); /* which would say less */
    return err < 0 ? err : end;
}

int vox_versus_write_sounds(const struct vox_versus_result *result, const char *folder,
                            struct vox_audio_error *error)
{
    int err = 0;
    for (int arm = 0; err >= 0 && arm < VOX_VERSUS_ARMS; arm++) {
        char path[PATH_BYTES];
        struct vox_render sound;
        if (!result->table.has[arm])
            continue;
        snprintf(path, sizeof path, "%s/%s.wav", folder, vox_versus_name((enum vox_versus_arm)arm));
        err = vox_versus_render(result, (enum vox_versus_arm)arm, &sound);
        if (err < 0)
            return vox_audio_fail(error, err, "cannot make %.300s: %s", path, vox_err_text(err));
        err = write_sound(path, &sound, error);
        vox_render_clear(&sound);
    }
    return err;
}
