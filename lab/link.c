#include "lab/link.h"

#include "base/err.h"
#include "channel/trace.h"
#include "cli/message.h"
#include "lab/family.h"
#include "lab/link_options.h"
#include "lab/link_report.h"
#include "lab/link_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* As execvp will look for it. */
static bool is_in_path(const char *name)
{
    const char *folders = getenv("PATH");
    while (folders && *folders) {
        char path[PATH_BYTES];
        int len = (int)strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s%s%s", len, folders, len > 0 ? "/" : "./", name);
        if (is_program(path))
            return true;
        folders += len;
        folders += *folders == ':';
    }
    return false;
}

/* Before anything is started, so that a slip of the pen is told at once and by itself. */
static int check_command(enum vox_link_side side, const char *name)
{
    if (!strchr(name, '/')) {
        if (is_in_path(name))
            return 0;
        vox_message_error("command %c, \"%.200s\", is not in PATH; install it or write where it is",
                          vox_link_name(side), name);
        return VOX_LINK_EXIT_NOT_FOUND;
    }
    if (is_program(name))
        return 0;
    bool there = access(name, F_OK) == 0;
    vox_message_error("command %c, \"%.200s\", %s", vox_link_name(side), name,
                      there ? "is no program; name a file that may be executed (chmod +x)"
                            : "is not there; write where it is");
    return there ? VOX_LINK_EXIT_CANNOT_START : VOX_LINK_EXIT_NOT_FOUND;
}

/* What the work needs, in the child of the guard. */
struct work {
    const struct vox_link_options *options;
    const struct vox_trace *trace;
    FILE *stats;
};

/* A's failure, or B's. What we stopped ourselves did not fail, unless somebody made us. */
static int exit_status(const struct vox_link_result *result)
{
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++) {
        const struct vox_link_end *end = &result->ends[side];
        if (end->started && !end->stopped && end->status != 0)
            return end->status;
    }
    bool cut_off = result->signal != 0 && result->ends[VOX_LINK_A].stopped;
    return cut_off ? VOX_LINK_EXIT_SIGNAL + result->signal : 0;
}

static int write_stats(const struct work *work, const struct vox_link_result *result)
{
    int err = vox_link_report_json(result, work->stats);
    if (err >= 0 && (work->stats == stdout || fclose(work->stats) == 0))
        return 0;
    vox_message_error("cannot write the statistics to %s: %s", work->options->stats,
                      err == VOX_ENOMEM ? vox_err_text(err) : strerror(errno));
    return VOX_LINK_EXIT_FAILED;
}

static int work_on(void *context)
{
    const struct work *work = context;
    static struct vox_link_result result;
    if (vox_link_run(work->options, work->trace, &result) < 0)
        return VOX_LINK_EXIT_FAILED;
    vox_link_report_summary(&result);
    int status = exit_status(&result);
    int written = work->stats ? write_stats(work, &result) : 0;
    return status != 0 ? status : written;
}

static bool open_stats(const char *path, FILE **out)
{
    *out = NULL;
    if (!path)
        return true;
    *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (*out)
        return true;
    vox_message_error("cannot write the statistics to %s: %s; choose another place for --stats",
                      path, strerror(errno));
    return false;
}

static int guard(struct work *work)
{
    int status = vox_family_guard(work_on, work);
    if (status >= 0)
        return status;
    vox_message_error(status == VOX_EIO ? "the link was killed; so are both commands now"
                                        : "cannot start a process; end some others first");
    return VOX_LINK_EXIT_FAILED;
}

static int run(const struct vox_link_options *options)
{
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++) {
        int status = check_command(side, options->commands[side][0]);
        if (status != 0)
            return status;
    }
    char why[VOX_NETWORK_ERROR_BYTES];
    struct vox_trace *trace = NULL;
    if (options->network.trace && vox_network_trace_read(options->network.trace, &trace, why) < 0) {
        vox_message_error("%s", why);
        return VOX_LINK_EXIT_FAILED;
    }
    struct work work = {.options = options, .trace = trace};
    int status = open_stats(options->stats, &work.stats) ? guard(&work) : VOX_LINK_EXIT_FAILED;
    vox_trace_destroy(trace);
    return status;
}

int vox_link_main(int argc, char **argv)
{
    struct vox_link_options options;
    switch (vox_link_options_parse(argc, argv, &options)) {
    case VOX_OPTIONS_DONE:
        return VOX_EXIT_DONE;
    case VOX_OPTIONS_WRONG:
        return VOX_EXIT_USAGE;
    case VOX_OPTIONS_RUN:
        break;
    }
    if (options.quiet)
        vox_message_set_level(VOX_MESSAGE_QUIET);
    return run(&options);
}
