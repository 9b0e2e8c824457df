/*
 * `voxgram-lab link`: two commands in networks of their own, joined by a link whose loss, delay and
 * rate are those of the model (channel/impair.h). The kernel's TCP, UDP and ICMP run across it.
 *
 *     voxgram-lab link --delay 20 --loss 1 -- ping -c 3 10.77.0.2 -- sleep 60
 *
 *      A: 10.77.0.1, fd77::1                              B: 10.77.0.2, fd77::2
 *     command A - kernel - vox0 (TUN) - this program - vox0 (TUN) - kernel - command B
 *                                    link_path.h, both ways
 *
 * Processes: the guard (family.h) waits; the work makes the two namespaces, starts a command in
 * each, B first, and carries packets until both have ended.
 *
 * Thread rule: once, from main.
 */
#ifndef VOX_LAB_LINK_H
#define VOX_LAB_LINK_H

#include "cli/network.h"
#include "lab/link_path.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_trace;

enum vox_link_side { VOX_LINK_A, VOX_LINK_B, VOX_LINK_SIDES };

/* Whose end ends the run; a command that fails does so in any case. */
enum vox_link_until {
    VOX_LINK_UNTIL_A,
    VOX_LINK_UNTIL_B,
    VOX_LINK_UNTIL_BOTH,
    VOX_LINK_UNTIL_EITHER
};

/* As env(1) and timeout(1) have them, beside those of the commands. */
enum {
    VOX_LINK_EXIT_FAILED = 125,
    VOX_LINK_EXIT_CANNOT_START = 126,
    VOX_LINK_EXIT_NOT_FOUND = 127,
    VOX_LINK_EXIT_SIGNAL = 128, /* and its number */
};

struct vox_link_options {
    struct vox_network_options network;
    bool one_way;
    int until; /* enum vox_link_until */
    int64_t wait_ns;
    int64_t grace_ns;
    bool quiet;
    const char *stats;
    char **commands[VOX_LINK_SIDES]; /* each ended by NULL, in argv */
};

/* What became of a command. */
struct vox_link_end {
    bool started;
    bool stopped; /* SIGTERM or SIGKILL was ours: the status tells nothing about it */
    int status;   /* as a shell has it: 128 and the signal's number if one ended it */
};

struct vox_link_result {
    struct vox_link_end ends[VOX_LINK_SIDES];
    struct vox_link_path_stats paths[VOX_LINK_SIDES]; /* by the side they come from */
    uint64_t missed[VOX_LINK_SIDES]; /* the kernel dropped them before they were read */
    int signal;                      /* that ended the run; 0: none did */
    int64_t lasted_ns;
};

/* The addresses of a side, numeric. */
const char *vox_link_ipv4(enum vox_link_side side);
const char *vox_link_ipv6(enum vox_link_side side);
char vox_link_name(enum vox_link_side side);

/* argv[0] is "link". Returns the exit status. */
int vox_link_main(int argc, char **argv);

/* link_options.c: says on stderr what is wrong. */
enum vox_options_outcome vox_link_options_parse(int argc, char **argv,
                                                struct vox_link_options *out);

/*
 * link_run.c: from the namespaces to the end of the last process; trace: that of the options, or
 * NULL. Returns 0, or an error of base/err.h after saying it on stderr.
 */
int vox_link_run(const struct vox_link_options *options, const struct vox_trace *trace,
                 struct vox_link_result *out);

/* link_report.c: to stderr; and as JSON. Errors: VOX_EIO with errno set, VOX_ENOMEM. */
void vox_link_report_summary(const struct vox_link_result *result);
int vox_link_report_json(const struct vox_link_result *result, FILE *out);

#endif
