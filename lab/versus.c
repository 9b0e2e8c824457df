#include "lab/versus.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/trace.h"
#include "cli/message.h"
#include "lab/clip.h"
#include "lab/family.h"
#include "lab/report.h"
#include "lab/versus_options.h"
#include "lab/versus_output.h"
#include "lab/versus_report.h"
#include "lab/versus_result.h"
#include "lab/versus_run.h"
#include "lab/versus_virtual.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what comes out ---- */

static int write_stats(const struct vox_versus_result *result)
{
    const char *path = result->options->stats;
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int err = out ? vox_versus_json(result, out) : VOX_EIO;
    int kept = errno;
    if (out && out != stdout && fclose(out) != 0 && err >= 0) {
        kept = errno;
        err = VOX_EIO;
    }
    if (err < 0)
        vox_message_error("cannot write the statistics to %s: %s", path,
                          err == VOX_ENOMEM ? vox_err_text(err) : strerror(kept));
    return err < 0 ? VOX_EXIT_FAILED : VOX_EXIT_DONE;
}

static int tell(const struct vox_versus_result *result)
{
    const struct vox_versus_options *o = result->options;
    struct vox_audio_error error;
    int status = VOX_EXIT_DONE;
    vox_versus_summary(result);
    if (o->stats)
        status = write_stats(result);
    if (o->out && vox_versus_write_sounds(result, o->out, &error) < 0) {
        vox_message_error("%s", error.text);
        status = VOX_EXIT_FAILED;
    }
    if (o->report && vox_versus_report_write(o->report, result, &error) < 0) {
        vox_message_error("%s", error.text);
        status = VOX_EXIT_FAILED;
    }
    return status;
}

static int work_on(void *context)
{
    const struct vox_versus_options *o = context;
    struct vox_versus_result *result;
    if (vox_versus_result_create(o, &result) < 0) {
        vox_message_error("out of memory");
        return VOX_EXIT_FAILED;
    }
    if (o->is_virtual)
        vox_family_let_end();
    int status = o->is_virtual ? vox_versus_run_virtual(result) : vox_versus_run(result);
    vox_family_let_end(); /* the links have ended: the rest may take a while as well */
    if (status == VOX_EXIT_DONE && vox_versus_sum_up(result) < 0) {
        vox_message_error("out of memory");
        status = VOX_EXIT_FAILED;
    }
    if (status == VOX_EXIT_DONE)
        status = tell(result);
    vox_versus_result_destroy(result);
    return status;
}

/* ---- before the first second is spent ---- */

static bool can_write_file(const char *path, const char *what)
{
    char folder[VOX_CLIP_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    int len = slash == path ? 1 : slash ? (int)(slash - path) : 0;
    int n = snprintf(folder, sizeof folder, "%.*s", len, path);
    if (n == 0)
        snprintf(folder, sizeof folder, ".");
    if (access(path, W_OK) == 0 || (errno == ENOENT && access(folder, W_OK | X_OK) == 0))
        return true;
    vox_message_error("cannot write %s to %s: %s", what, path, strerror(errno));
    return false;
}

static bool can_write(const struct vox_versus_options *o)
{
    struct vox_audio_error error;
    if (o->report && !can_write_file(o->report, "the report"))
        return false;
    if (o->stats && strcmp(o->stats, "-") != 0 && !can_write_file(o->stats, "the statistics"))
        return false;
    if (o->report && vox_lab_report_check(&error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    if (!o->out || mkdir(o->out, 0777) == 0 ||
        (errno == EEXIST && access(o->out, W_OK | X_OK) == 0))
        return true;
    vox_message_error("cannot write to the folder %s: %s", o->out, strerror(errno));
    return false;
}

/* Also tells whether the sound is shorter than asked for. */
static bool can_read(struct vox_versus_options *o)
{
    struct vox_audio_error error;
    struct vox_clip clip;
    struct vox_trace *trace = NULL;
    char why[VOX_NETWORK_ERROR_BYTES];
    if (vox_clip_load(o->path, &clip, &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    o->sound_ns = vox_ticks_to_ns(clip.frames, clip.hz);
    o->again = o->duration_ns > o->sound_ns;
    vox_clip_clear(&clip);
    if (o->network.trace && vox_network_trace_read(o->network.trace, &trace, why) < 0) {
        vox_message_error("%s", why);
        return false;
    }
    vox_trace_destroy(trace);
    return true;
}

int vox_versus_main(int argc, char **argv)
{
    static struct vox_versus_options options;
    switch (vox_versus_options_parse(argc, argv, &options)) {
    case VOX_OPTIONS_DONE:
        return VOX_EXIT_DONE;
    case VOX_OPTIONS_WRONG:
        return VOX_EXIT_USAGE;
    case VOX_OPTIONS_RUN:
        break;
    }
    vox_message_set_level(options.quiet     ? VOX_MESSAGE_QUIET
                          : options.verbose ? VOX_MESSAGE_VERBOSE
                                            : VOX_MESSAGE_NORMAL);
    if (!vox_versus_find_files(&options) || !can_read(&options) || !can_write(&options))
        return VOX_EXIT_FAILED;
    int status = vox_family_guard(work_on, &options);
    if (status >= 0)
        return status;
    vox_message_error(status == VOX_EIO ? "the trial was killed; so is all that it had started"
                                        : "cannot start a process; end some others first");
    return VOX_EXIT_FAILED;
}
