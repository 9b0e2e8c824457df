#include "lab/versus_run.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "cli/status.h"
#include "lab/family.h"
#include "lab/link_run.h"
#include "lab/versus_commands.h"
#include "lab/versus_result.h"
#include "net/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 100, NAME_BYTES = 64, TEXT_BYTES = 160, LINE_BYTES = 400, SHOWN_LINES = 6 };

/* How long links may take to end when they are told to; theirs take up to 2 s. */
static const int64_t PATIENCE_NS = 5 * VOX_NS_PER_S;

/* One link with one seed. */
struct job {
    int repeat;
    enum vox_versus_link link;
    char name[NAME_BYTES];
    pid_t pid; /* 0: not begun */
    bool ended;
    int status;
};

struct crew {
    struct vox_versus_result *result;
    const struct vox_versus_options *options;
    struct vox_versus_programs programs;
    char folder[PATH_MAX];
    struct job *jobs; /* by seed, then by link */
    int count;
    int links; /* for each seed */
    int signals;
    int signal; /* that ended it */
    bool failed;
    struct vox_status status;
    int64_t begun_ns;
};

/* ---- the folder ---- */

static bool make_folder(struct crew *crew)
{
    const char *where = getenv("TMPDIR");
    where = where && *where ? where : "/tmp";
    int n = snprintf(crew->folder, sizeof crew->folder, "%s/voxgram-versus-XXXXXX", where);
    if (n < (int)sizeof crew->folder && mkdtemp(crew->folder))
        return true;
    vox_message_error("cannot make a temporary folder in %.200s: %s; see TMPDIR", where,
                      strerror(errno));
    crew->folder[0] = '\0';
    return false;
}

static void remove_folder(struct crew *crew)
{
    struct dirent *entry;
    DIR *folder = crew->folder[0] ? opendir(crew->folder) : NULL;
    while (folder && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder) {
        closedir(folder);
        rmdir(crew->folder);
    }
}

/* ---- links ---- */

/* In the child. */
static void become(const struct crew *crew, const struct job *job, pid_t parent)
{
    static struct vox_versus_command command;
    char log[NAME_BYTES + 8];
    uint64_t seed = crew->options->network.seed + (uint64_t)job->repeat;
    vox_versus_command_make(crew->options, &crew->programs, job->link, seed, job->name, &command);
    snprintf(log, sizeof log, "%s.log", job->name);
    vox_family_leave(parent);
    if (chdir(crew->folder) < 0)
        _exit(VOX_LINK_EXIT_FAILED);
    int null = open("/dev/null", O_RDWR);
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(command.words[0], command.words);
    _exit(VOX_LINK_EXIT_CANNOT_START);
}

static bool start(struct crew *crew, struct job *job)
{
    pid_t parent = getpid();
    fflush(NULL);
    job->pid = fork();
    if (job->pid == 0)
        become(crew, job, parent);
    if (job->pid > 0)
        return true;
    vox_message_error("cannot start a process: %s", strerror(errno));
    job->pid = 0;
    return false;
}

/* What it said last. */
static void show_log(const struct crew *crew, const struct job *job)
{
    char path[PATH_MAX + NAME_BYTES + 8], lines[SHOWN_LINES][LINE_BYTES];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s.log", crew->folder, job->name);
    FILE *file = fopen(path, "re");
    while (file && fgets(lines[count % SHOWN_LINES], LINE_BYTES, file))
        count++;
    if (file)
        fclose(file);
    for (size_t i = count > SHOWN_LINES ? count - SHOWN_LINES : 0; i < count; i++) {
        char *line = lines[i % SHOWN_LINES];
        line[strcspn(line, "\n")] = '\0';
        vox_message_error("  %s", line);
    }
    if (count == 0)
        vox_message_error("  and said nothing, as when there is no room left in %s; see "
                          "TMPDIR",
                          crew->folder);
}

static void note_end(struct crew *crew, pid_t pid, int status)
{
    for (int i = 0; i < crew->count; i++) {
        struct job *job = &crew->jobs[i];
        if (job->pid != pid || job->ended)
            continue;
        job->ended = true;
        job->status = WIFEXITED(status) ? WEXITSTATUS(status) : VOX_LINK_EXIT_FAILED;
        if (job->status == 0 || crew->signal != 0 || crew->failed)
            return;
        crew->failed = true;
        vox_message_error("the link of %s has failed with status %d:",
                          vox_versus_link_name(job->link), job->status);
        show_log(crew, job);
        if (job->status == VOX_LINK_EXIT_FAILED)
            vox_message_error("--virtual needs no links, and has a model of TCP");
    }
}

static void take_signals(struct crew *crew)
{
    struct signalfd_siginfo info;
    int status;
    while (read(crew->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            crew->signal = (int)info.ssi_signo;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG))
        note_end(crew, pid, status);
}

/* ---- progress ---- */

static void show_progress(struct crew *crew, int64_t now_ns)
{
    char text[TEXT_BYTES];
    int done = 0, running = 0;
    for (int i = 0; i < crew->count; i++) {
        done += crew->jobs[i].ended;
        running += crew->jobs[i].pid > 0 && !crew->jobs[i].ended;
    }
    if (!vox_status_due(&crew->status, now_ns))
        return;
    const struct vox_versus_options *o = crew->options;
    int64_t seed_ns = o->duration_ns > 0 ? o->duration_ns : o->sound_ns;
    double all_s = (double)seed_ns / 1e9 * o->repeat / o->jobs;
    snprintf(text, sizeof text, "%d of %d links done, %d at work; %.0f s of about %.0f s", done,
             crew->count, running, (double)(now_ns - crew->begun_ns) / 1e9, all_s);
    vox_status_show(&crew->status, text, now_ns);
}

static void wait_a_moment(struct crew *crew)
{
    struct pollfd fd = {.fd = crew->signals, .events = POLLIN};
    poll(&fd, 1, LOOK_MS);
    take_signals(crew);
    show_progress(crew, vox_clock_now_ns());
}

/* ---- seeds ---- */

static bool has_ended(const struct crew *crew, int repeat)
{
    for (int i = 0; i < crew->links; i++)
        if (!crew->jobs[repeat * crew->links + i].ended)
            return false;
    return true;
}

static bool start_seed(struct crew *crew, int repeat)
{
    for (int i = 0; i < crew->links; i++)
        if (!start(crew, &crew->jobs[repeat * crew->links + i]))
            return false;
    return true;
}

/* Its files become figures. */
static bool take_seed(struct crew *crew, int repeat)
{
    struct vox_versus_shot shots[VOX_VERSUS_LINKS] = {0};
    struct vox_audio_error error = {0};
    int err = 0;
    for (int i = 0; err >= 0 && i < crew->links; i++) {
        const struct job *job = &crew->jobs[repeat * crew->links + i];
        err =
            vox_versus_shot_read(crew->folder, job->name, crew->options, &shots[job->link], &error);
    }
    if (err >= 0) {
        err = vox_versus_take(crew->result, repeat, shots);
        if (err < 0)
            vox_audio_fail(&error, err, "%s", vox_err_text(err));
    } else {
        for (int link = 0; link < VOX_VERSUS_LINKS; link++)
            vox_versus_shot_clear(&shots[link]);
    }
    if (err < 0)
        vox_message_error("%s", error.text);
    return err >= 0;
}

/* One after the other, --jobs at a time. */
static bool work(struct crew *crew)
{
    int begun = 0, taken = 0;
    while (taken < crew->options->repeat) {
        while (begun < crew->options->repeat && begun - taken < crew->options->jobs)
            if (!start_seed(crew, begun++))
                return false;
        while (!has_ended(crew, taken)) {
            wait_a_moment(crew);
            if (crew->signal != 0 || crew->failed)
                return false;
        }
        if (!take_seed(crew, taken++))
            return false;
    }
    return true;
}

/* What still runs. */
static void stop(struct crew *crew)
{
    int64_t until_ns = vox_clock_now_ns() + PATIENCE_NS;
    int left = vox_family_signal(SIGTERM);
    while (left > 0 && vox_clock_now_ns() < until_ns) {
        wait_a_moment(crew);
        left = vox_family_signal(0);
    }
    while (vox_family_signal(SIGKILL) > 0)
        wait_a_moment(crew);
}

/* ---- the whole ---- */

static bool make_jobs(struct crew *crew)
{
    const struct vox_versus_options *o = crew->options;
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        crew->links += vox_versus_link_is_wanted((enum vox_versus_link)link, o->has);
    crew->jobs = calloc((size_t)(crew->links * o->repeat), sizeof *crew->jobs);
    for (int repeat = 0; crew->jobs && repeat < o->repeat; repeat++)
        for (int link = 0; link < VOX_VERSUS_LINKS; link++)
            if (vox_versus_link_is_wanted((enum vox_versus_link)link, o->has)) {
                struct job *job = &crew->jobs[crew->count++];
                job->repeat = repeat;
                job->link = (enum vox_versus_link)link;
                snprintf(job->name, sizeof job->name, "%s-%d", vox_versus_link_name(job->link),
                         repeat + 1);
            }
    return crew->jobs != NULL;
}

static bool open_signals(struct crew *crew)
{
    sigset_t signals;
    vox_family_signals(&signals);
    crew->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (crew->signals < 0)
        vox_message_error("cannot wait for signals: %s", strerror(errno));
    return crew->signals >= 0;
}

static bool prepare(struct crew *crew)
{
    vox_status_init(&crew->status, STDERR_FILENO, VOX_NS_PER_MS * LOOK_MS);
    crew->begun_ns = vox_clock_now_ns();
    crew->status.terminal &= !crew->options->quiet;
    vox_message_set_status(&crew->status);
    return vox_versus_find_programs(&crew->programs) && open_signals(crew) && make_jobs(crew) &&
           make_folder(crew);
}

static void clean_up(struct crew *crew)
{
    vox_status_clear(&crew->status);
    vox_message_set_status(NULL);
    remove_folder(crew);
    free(crew->jobs);
    if (crew->signals >= 0)
        close(crew->signals);
}

int vox_versus_run(struct vox_versus_result *result)
{
    struct crew crew = {.result = result, .options = result->options, .signals = -1};
    bool ok = prepare(&crew);
    if (ok) {
        ok = work(&crew);
        stop(&crew);
    }
    clean_up(&crew);
    if (crew.signal != 0) {
        vox_message_warn("stopped; no figures were written");
        return VOX_LINK_EXIT_SIGNAL + crew.signal;
    }
    return ok ? VOX_EXIT_DONE : VOX_EXIT_FAILED;
}
