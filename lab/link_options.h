/*
 * The command line of `voxgram-lab link`.
 *
 *     struct vox_link_options options;
 *     if (vox_link_options_parse(argc, argv, &options) == VOX_OPTIONS_RUN)
 *         ... options.commands[VOX_LINK_A][0] ...
 *
 * Thread rule: once, from main.
 */
#ifndef VOX_LAB_LINK_OPTIONS_H
#define VOX_LAB_LINK_OPTIONS_H

#include "cli/network.h"

#include <stdbool.h>
#include <stdint.h>

enum vox_link_side { VOX_LINK_A, VOX_LINK_B, VOX_LINK_SIDES };

/* Whose end ends the run; a command that fails does so in any case. */
enum vox_link_until {
    VOX_LINK_UNTIL_A,
    VOX_LINK_UNTIL_B,
    VOX_LINK_UNTIL_BOTH,
    VOX_LINK_UNTIL_EITHER
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

/* Says on stderr what is wrong. */
enum vox_options_outcome vox_link_options_parse(int argc, char **argv,
                                                struct vox_link_options *out);

#endif
