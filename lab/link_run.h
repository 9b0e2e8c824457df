/*
 * A run of `voxgram-lab link`: two namespaces, a command in each, the packets between them.
 *
 *     struct vox_link_result result;
 *     if (vox_link_run(&options, trace, &result) == 0)
 *         ... result.ends[VOX_LINK_A].status ...
 *
 * Thread rule: once, in a child of the guard (lab/family.h); takes the process's signals.
 */
#ifndef VOX_LAB_LINK_RUN_H
#define VOX_LAB_LINK_RUN_H

#include "lab/link_options.h"
#include "lab/link_path.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_trace;

/* As env(1) and timeout(1) have them, beside those of the commands. */
enum {
    VOX_LINK_EXIT_FAILED = 125,
    VOX_LINK_EXIT_CANNOT_START = 126,
    VOX_LINK_EXIT_NOT_FOUND = 127,
    VOX_LINK_EXIT_SIGNAL = 128, /* and its number */
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

/*
 * From the namespaces to the end of the last process; trace: that of the options, or NULL.
 * Returns 0, or an error of base/err.h after saying it on stderr.
 */
int vox_link_run(const struct vox_link_options *options, const struct vox_trace *trace,
                 struct vox_link_result *out);

#endif
