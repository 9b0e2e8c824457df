#include "lab/family.h"

#include "base/err.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STAT_BYTES = 512, PAUSE_NS = 5000000 };

struct relative {
    pid_t pid, parent;
    bool ended;
    bool ours;
};

struct relatives {
    struct relative *items;
    size_t count, room;
};

/* "pid (name) state parent ..." (proc_pid_stat(5)); the name may hold anything. */
static bool read_relative(const char *pid_text, struct relative *out)
{
    enum { STATE_AT = 2, PARENT_AT = 4 }; /* behind the name's bracket */
    char path[64], text[STAT_BYTES];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid_text);
    FILE *file = fopen(path, "re");
    if (!file)
        return false; /* has ended meanwhile */
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *rest = strrchr(text, ')');
    if (!rest || strlen(rest) <= PARENT_AT)
        return false;
    *out = (struct relative){.pid = (pid_t)strtol(pid_text, NULL, 10),
                             .parent = (pid_t)strtol(rest + PARENT_AT, NULL, 10),
                             .ended = rest[STATE_AT] == 'Z' || rest[STATE_AT] == 'X'};
    return true;
}

static bool add(struct relatives *all, struct relative relative)
{
    if (all->count == all->room) {
        size_t room = all->room ? 2 * all->room : 256;
        struct relative *larger = realloc(all->items, room * sizeof *larger);
        if (!larger)
            return false;
        all->items = larger;
        all->room = room;
    }
    all->items[all->count++] = relative;
    return true;
}

static void read_all(struct relatives *all)
{
    DIR *folder = opendir("/proc");
    if (!folder)
        return;
    struct relative relative;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (isdigit((unsigned char)entry->d_name[0]) && read_relative(entry->d_name, &relative) &&
            !add(all, relative))
            break;
    closedir(folder);
}

static int by_pid(const void *a, const void *b)
{
    const struct relative *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static bool is_child_of_ours(const struct relatives *all, pid_t ancestor,
                             const struct relative *child)
{
    if (child->parent == ancestor)
        return true;
    const struct relative key = {.pid = child->parent};
    const struct relative *parent =
        all->count > 0 ? bsearch(&key, all->items, all->count, sizeof key, by_pid) : NULL;
    return parent && parent->ours;
}

/* Generation by generation, until one brings nobody new. */
static void mark_ours(struct relatives *all, pid_t ancestor)
{
    if (all->count > 0)
        qsort(all->items, all->count, sizeof *all->items, by_pid);
    bool found = true;
    while (found) {
        found = false;
        for (size_t i = 0; i < all->count; i++) {
            struct relative *one = &all->items[i];
            if (one->ours || !is_child_of_ours(all, ancestor, one))
                continue;
            one->ours = true;
            found = true;
        }
    }
}

int vox_family_signal(int signal)
{
    struct relatives all = {0};
    int alive = 0;
    read_all(&all);
    mark_ours(&all, getpid());
    for (size_t i = 0; i < all.count; i++) {
        if (!all.items[i].ours || all.items[i].ended)
            continue;
        alive++;
        kill(all.items[i].pid, signal);
    }
    free(all.items);
    return alive;
}

void vox_family_signals(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGCHLD);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGHUP);
    sigaddset(out, SIGQUIT);
}

void vox_family_let_end(void)
{
    sigset_t signals;
    vox_family_signals(&signals);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

void vox_family_leave(pid_t parent)
{
    vox_family_let_end();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that */
        _exit(128 + SIGKILL);
}

/* Until the last one has ended: a process may have made another before it was hit. */
static void kill_all(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    while (vox_family_signal(SIGKILL) > 0)
        nanosleep(&pause, NULL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

/* Whether the work has ended; collects adopted orphans on the way. */
static bool has_ended(pid_t worker, int *status)
{
    int any;
    for (pid_t pid = waitpid(-1, &any, WNOHANG); pid > 0; pid = waitpid(-1, &any, WNOHANG))
        if (pid == worker) {
            *status = any;
            return true;
        }
    return false;
}

static int watch(pid_t worker, const sigset_t *signals)
{
    int status = 0;
    while (!has_ended(worker, &status)) {
        siginfo_t info;
        int signal = sigwaitinfo(signals, &info);
        /* What the terminal sends goes to the whole group, the work too. */
        if (signal > 0 && signal != SIGCHLD && info.si_code <= 0)
            kill(worker, signal);
    }
    kill_all();
    if (WIFSIGNALED(status) && sigismember(signals, WTERMSIG(status)) == 1)
        return 128 + WTERMSIG(status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : VOX_EIO;
}

int vox_family_guard(int (*work)(void *context), void *context)
{
    sigset_t signals;
    vox_family_signals(&signals);
    signal(SIGCHLD, SIG_DFL); /* ignored, children could not be waited for */
    sigprocmask(SIG_BLOCK, &signals, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fflush(NULL);
    pid_t guard = getpid();
    pid_t worker = fork();
    if (worker < 0)
        return errno == ENOMEM ? VOX_ENOMEM : VOX_ELIMIT;
    if (worker > 0)
        return watch(worker, &signals);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != guard)
        _exit(1);
    exit(work(context));
}
