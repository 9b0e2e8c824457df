#include "lab/link_run.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "channel/impair.h"
#include "cli/message.h"
#include "lab/family.h"
#include "lab/netns.h"
#include "lab/veth.h"
#include "net/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ON_THE_WAY = 32768, /* packets in each direction: a quarter of a second at a gigabit/s */
    BATCH = 64,         /* packets of one direction before the other has its turn */
    TIMER_SLACK_NS = 1, /* the kernel's default of 50 us is a quarter of what may be late */
    WORDS_BYTES = 160,
    BACK_STREAM = 77, /* of the seed, for the way from B to A; any number that no other has */
};

static const int64_t LOOK_NS = 2 * VOX_NS_PER_MS;
/* A look goes through the kernel's tables of connections, for milliseconds where these are large:
 * between two of them is so much more time than one takes. */
static const int64_t LOOK_REST = 10;
static const int64_t KILL_AFTER_NS = 2 * VOX_NS_PER_S;
static const int64_t KILL_AGAIN_NS = 20 * VOX_NS_PER_MS;

/* Only ever onwards. */
enum phase {
    PHASE_STARTING, /* B runs, A waits for it */
    PHASE_RUNNING,
    PHASE_GRACE,       /* they may end by themselves */
    PHASE_TERMINATING, /* SIGTERM was sent */
    PHASE_KILLING
};

struct side {
    struct vox_veth veth;
    struct vox_link_path *path; /* of the packets that come from here */
    pid_t pid;
    int go;   /* one byte into it starts the command, its end lets it go; -1 afterwards */
    bool cut; /* the command took the device away */
    bool ended;
    struct vox_link_end end;
};

struct run {
    const struct vox_link_options *options;
    struct side sides[VOX_LINK_SIDES];
    int signals; /* signalfd */
    int signal;  /* that ended the run */
    enum phase phase;
    int64_t deadline_ns; /* of the phase */
    int64_t look_ns;     /* for B's socket, again */
    bool all_gone;
};

static const char *const ipv4[VOX_LINK_SIDES] = {"10.77.0.1", "10.77.0.2"};
static const char *const ipv6[VOX_LINK_SIDES] = {"fd77::1", "fd77::2"};

const char *vox_link_ipv4(enum vox_link_side side)
{
    return ipv4[side];
}

const char *vox_link_ipv6(enum vox_link_side side)
{
    return ipv6[side];
}

char vox_link_name(enum vox_link_side side)
{
    return side == VOX_LINK_A ? 'A' : 'B';
}

static enum vox_link_side other(enum vox_link_side side)
{
    return side == VOX_LINK_A ? VOX_LINK_B : VOX_LINK_A;
}

/* ---- making the link ---- */

static int create_path(struct run *run, enum vox_link_side from, const struct vox_trace *trace)
{
    const struct vox_link_options *options = run->options;
    struct vox_impair_config network;
    vox_impair_config_init(&network);
    if (from == VOX_LINK_A || !options->one_way) {
        vox_network_options_impair(&options->network, &network);
        network.trace = trace;
    }
    if (from == VOX_LINK_B) {
        struct vox_rng rng;
        vox_rng_init(&rng, network.seed, BACK_STREAM);
        network.seed = vox_rng_u64(&rng);
    }
    int err = vox_link_path_create(&network, ON_THE_WAY, &run->sides[from].path);
    if (err < 0)
        vox_message_error("the simulated network does not work with these numbers: %s",
                          vox_err_text(err));
    return err;
}

static void set_environment(enum vox_link_side side)
{
    setenv("VOX_A", vox_link_ipv4(VOX_LINK_A), 1);
    setenv("VOX_B", vox_link_ipv4(VOX_LINK_B), 1);
    setenv("VOX_PEER", vox_link_ipv4(other(side)), 1);
    setenv("VOX_A6", vox_link_ipv6(VOX_LINK_A), 1);
    setenv("VOX_B6", vox_link_ipv6(VOX_LINK_B), 1);
    setenv("VOX_PEER6", vox_link_ipv6(other(side)), 1);
}

/* In the child: waits for its turn and becomes the command. */
static void become(enum vox_link_side side, char **words, int go, pid_t parent)
{
    char byte;
    vox_family_leave(parent);
    vox_netns_keep_rights();
    set_environment(side);
    if (read(go, &byte, 1) != 1)
        _exit(0); /* the run has ended before its turn */
    execvp(words[0], words);
    int kept = errno;
    vox_message_error("cannot start command %c, \"%.200s\": %s", vox_link_name(side), words[0],
                      strerror(kept));
    _exit(kept == ENOENT ? VOX_LINK_EXIT_NOT_FOUND : VOX_LINK_EXIT_CANNOT_START);
}

/* A process in the namespace that this one is in now. */
static int prepare_command(struct run *run, enum vox_link_side side, struct vox_net_error *error)
{
    struct side *s = &run->sides[side];
    int go[2];
    pid_t parent = getpid();
    if (pipe2(go, O_CLOEXEC) < 0)
        return vox_net_error_set(error, VOX_EIO, "cannot make a pipe: %s", strerror(errno));
    s->pid = fork();
    if (s->pid == 0) {
        close(go[1]);
        become(side, run->options->commands[side], go[0], parent);
    }
    int kept = errno;
    close(go[0]);
    s->go = go[1];
    if (s->pid < 0)
        return vox_net_error_set(error, VOX_ELIMIT, "cannot start a process: %s", strerror(kept));
    return 0;
}

static int make_side(struct run *run, enum vox_link_side side, struct vox_net_error *error)
{
    const struct vox_veth_config config = {.name = side == VOX_LINK_A ? "vox-a" : "vox-b",
                                           .ipv4 = vox_link_ipv4(side),
                                           .ipv6 = vox_link_ipv6(side)};
    int err = vox_netns_enter(error);
    if (err >= 0)
        err = vox_veth_plug(&run->sides[side].veth, &config, error);
    if (err >= 0)
        err = prepare_command(run, side, error);
    return err;
}

/* Our own ends first, in a namespace that no command is in. */
static int make_sides(struct run *run)
{
    struct vox_net_error error;
    int err = vox_netns_enter(&error);
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES && err >= 0; side++)
        err = vox_veth_open(&run->sides[side].veth, &error);
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES && err >= 0; side++)
        err = make_side(run, side, &error);
    if (err < 0)
        vox_message_error("%s", error.text);
    return err;
}

static int create(struct run *run, const struct vox_trace *trace)
{
    sigset_t signals;
    int err = 0;
    vox_family_signals(&signals);
    run->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (run->signals < 0) {
        vox_message_error("cannot wait for signals: %s", strerror(errno));
        return VOX_EIO;
    }
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES && err >= 0; side++)
        err = create_path(run, side, trace);
    if (err >= 0)
        err = make_sides(run);
    /* Not before the children are there, who would inherit it. */
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    signal(SIGPIPE, SIG_IGN);
    return err;
}

static void destroy(struct run *run)
{
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++) {
        vox_veth_close(&run->sides[side].veth);
        vox_link_path_destroy(run->sides[side].path);
        if (run->sides[side].go >= 0)
            close(run->sides[side].go);
    }
    if (run->signals >= 0)
        close(run->signals);
}

static void say_where(const struct run *run, enum vox_link_side side)
{
    char words[WORDS_BYTES];
    size_t used = 0;
    words[0] = '\0';
    for (char **word = run->options->commands[side]; *word && used < sizeof words; word++)
        used += (size_t)snprintf(words + used, sizeof words - used, " %s", *word);
    vox_message_info("%c is %s%s%s:%s", vox_link_name(side), vox_link_ipv4(side),
                     run->sides[side].veth.has_ipv6 ? ", " : "",
                     run->sides[side].veth.has_ipv6 ? vox_link_ipv6(side) : "", words);
}

/* ---- packets ---- */

static void take_in(struct side *from)
{
    for (int i = 0; i < BATCH; i++) {
        int64_t sent_ns;
        size_t len = vox_veth_read(&from->veth, vox_link_path_room(from->path),
                                   VOX_LINK_PACKET_BYTES, &sent_ns);
        if (len == 0)
            return;
        vox_link_path_push(from->path, len, sent_ns);
    }
}

static void let_out(struct side *from, struct side *to)
{
    struct vox_link_packet packet;
    for (int i = 0; i < BATCH && vox_link_path_take(from->path, vox_clock_now_ns(), &packet); i++)
        if (vox_veth_write(&to->veth, packet.bytes, packet.len))
            vox_link_path_sent(from->path, &packet, vox_clock_now_ns());
}

static void carry(struct run *run)
{
    struct side *a = &run->sides[VOX_LINK_A], *b = &run->sides[VOX_LINK_B];
    let_out(a, b);
    let_out(b, a);
    take_in(a);
    take_in(b);
}

/* ---- processes ---- */

static void start(struct run *run, enum vox_link_side side)
{
    struct side *s = &run->sides[side];
    s->end.started = write(s->go, "", 1) == 1;
    close(s->go);
    s->go = -1;
}

static void give_up_starting(struct run *run)
{
    struct side *a = &run->sides[VOX_LINK_A];
    if (a->go >= 0)
        close(a->go);
    a->go = -1;
}

static void enter_phase(struct run *run, enum phase phase, int64_t now_ns)
{
    run->phase = phase;
    switch (phase) {
    case PHASE_STARTING:
        run->deadline_ns = now_ns + run->options->wait_ns;
        break;
    case PHASE_RUNNING:
        run->deadline_ns = VOX_NS_NEVER;
        break;
    case PHASE_GRACE:
        give_up_starting(run);
        run->deadline_ns = now_ns + run->options->grace_ns;
        break;
    case PHASE_TERMINATING:
    case PHASE_KILLING:
        for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++)
            run->sides[side].end.stopped |= !run->sides[side].ended;
        vox_family_signal(phase == PHASE_KILLING ? SIGKILL : SIGTERM);
        run->deadline_ns = now_ns + (phase == PHASE_KILLING ? KILL_AGAIN_NS : KILL_AFTER_NS);
        break;
    }
}

static void note_end(struct run *run, pid_t pid, int status)
{
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++) {
        struct side *s = &run->sides[side];
        if (s->pid != pid || s->ended)
            continue;
        s->ended = true;
        s->end.status =
            WIFSIGNALED(status) ? VOX_LINK_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

/* Orphans that were adopted are collected, too. */
static void collect(struct run *run)
{
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    for (; pid > 0; pid = waitpid(-1, &status, WNOHANG))
        note_end(run, pid, status);
    run->all_gone = pid < 0 && errno == ECHILD;
}

/* Passed on like the terminal does it; a second and a third one are each less patient. */
static void interrupt(struct run *run, const struct signalfd_siginfo *info)
{
    int64_t now_ns = vox_clock_now_ns();
    if (run->phase >= PHASE_GRACE) {
        enter_phase(run, run->phase == PHASE_GRACE ? PHASE_TERMINATING : PHASE_KILLING, now_ns);
        return;
    }
    run->signal = (int)info->ssi_signo;
    if (info->ssi_code <= 0)
        vox_family_signal(run->signal);
    enter_phase(run, PHASE_GRACE, now_ns);
}

static void take_signals(struct run *run)
{
    struct signalfd_siginfo info;
    while (read(run->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGCHLD)
            collect(run);
        else
            interrupt(run, &info);
}

static bool has_failed(const struct side *side)
{
    return side->ended && side->end.status != 0;
}

static bool has_come_to_its_end(const struct run *run)
{
    const struct side *a = &run->sides[VOX_LINK_A], *b = &run->sides[VOX_LINK_B];
    if (has_failed(a) || has_failed(b))
        return true;
    switch ((enum vox_link_until)run->options->until) {
    case VOX_LINK_UNTIL_A:
        return a->ended;
    case VOX_LINK_UNTIL_B:
        return b->ended;
    case VOX_LINK_UNTIL_BOTH:
        return a->ended && b->ended;
    case VOX_LINK_UNTIL_EITHER:
        return a->ended || b->ended;
    }
    return true;
}

static bool sees_sockets(struct run *run, int64_t now_ns)
{
    if (now_ns < run->look_ns)
        return false;
    bool found = vox_netns_has_sockets();
    int64_t after_ns = vox_clock_now_ns();
    int64_t rest_ns = LOOK_REST * (after_ns - now_ns);
    run->look_ns = after_ns + (rest_ns > LOOK_NS ? rest_ns : LOOK_NS);
    return found;
}

static void advance(struct run *run, int64_t now_ns)
{
    const struct side *b = &run->sides[VOX_LINK_B];
    if (run->phase == PHASE_STARTING && !has_failed(b) &&
        (b->ended || now_ns >= run->deadline_ns || sees_sockets(run, now_ns))) {
        start(run, VOX_LINK_A);
        enter_phase(run, PHASE_RUNNING, now_ns);
    }
    if (run->phase < PHASE_GRACE && has_come_to_its_end(run))
        enter_phase(run, PHASE_GRACE, now_ns);
    bool orphans = run->sides[VOX_LINK_A].ended && b->ended && !run->all_gone;
    if (run->phase == PHASE_GRACE && (orphans || now_ns >= run->deadline_ns))
        enter_phase(run, PHASE_TERMINATING, now_ns);
    else if (run->phase >= PHASE_TERMINATING && now_ns >= run->deadline_ns)
        enter_phase(run, PHASE_KILLING, now_ns);
}

/* ---- the loop ---- */

static int64_t next_ns(const struct run *run)
{
    int64_t next = run->deadline_ns;
    if (run->phase == PHASE_STARTING && run->look_ns < next)
        next = run->look_ns;
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++) {
        int64_t due_ns = vox_link_path_next_ns(run->sides[side].path);
        next = due_ns < next ? due_ns : next;
    }
    return next;
}

/* A device that is gone would wake us for ever; poll ignores negative numbers. */
static int fd_to_read(const struct side *side)
{
    return side->cut ? -1 : side->veth.fd;
}

static void wait_for_something(struct run *run)
{
    struct pollfd fds[] = {{.fd = fd_to_read(&run->sides[VOX_LINK_A]), .events = POLLIN},
                           {.fd = fd_to_read(&run->sides[VOX_LINK_B]), .events = POLLIN},
                           {.fd = run->signals, .events = POLLIN}};
    int64_t now_ns = vox_clock_now_ns();
    int64_t next = next_ns(run);
    int64_t left_ns = next > now_ns ? next - now_ns : 0;
    struct timespec left = {.tv_sec = left_ns / VOX_NS_PER_S, .tv_nsec = left_ns % VOX_NS_PER_S};
    if (ppoll(fds, sizeof fds / sizeof fds[0], next == VOX_NS_NEVER ? NULL : &left, NULL) <= 0)
        return;
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++)
        run->sides[side].cut |= (fds[side].revents & POLLERR) != 0;
}

static void loop(struct run *run)
{
    start(run, VOX_LINK_B);
    enter_phase(run, PHASE_STARTING, vox_clock_now_ns());
    while (!run->all_gone) {
        wait_for_something(run);
        carry(run);
        take_signals(run);
        if (!run->all_gone)
            advance(run, vox_clock_now_ns());
    }
}

static void tell(struct run *run, struct vox_link_result *out)
{
    out->signal = run->signal;
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++) {
        out->ends[side] = run->sides[side].end;
        out->paths[side] = *vox_link_path_stats(run->sides[side].path);
        out->missed[side] = vox_veth_missed(&run->sides[side].veth);
    }
}

int vox_link_run(const struct vox_link_options *options, const struct vox_trace *trace,
                 struct vox_link_result *out)
{
    static const struct side no_side = {.veth = {.fd = -1, .rtnl = -1, .counters_fd = -1},
                                        .go = -1};
    struct run run = {.options = options, .sides = {no_side, no_side}, .signals = -1};
    int err = create(&run, trace);
    if (err >= 0) {
        say_where(&run, VOX_LINK_A);
        say_where(&run, VOX_LINK_B);
        int64_t begin_ns = vox_clock_now_ns();
        loop(&run);
        tell(&run, out);
        out->lasted_ns = vox_clock_now_ns() - begin_ns;
    }
    destroy(&run);
    return err;
}
