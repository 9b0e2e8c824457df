/*
 * The command line of `voxgram-lab versus`.
 *
 *     struct vox_versus_options options;
 *     if (vox_versus_options_parse(argc, argv, &options) != VOX_OPTIONS_RUN ||
 *         !vox_versus_find_files(&options))
 *         ...
 *
 * Thread rule: once, from main.
 */
#ifndef VOX_LAB_VERSUS_OPTIONS_H
#define VOX_LAB_VERSUS_OPTIONS_H

#include "cli/network.h"
#include "lab/clip.h"
#include "lab/versus_figures.h"
#include "sender/encoding_options.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_VERSUS_MAX_REPEAT = 1000, VOX_VERSUS_MAX_JOBS = 64 };

struct vox_versus_options {
    const char *file;                     /* as named; "" for the clip that comes with it */
    char path[VOX_CLIP_PATH_BYTES];       /* absolute */
    char trace_path[VOX_CLIP_PATH_BYTES]; /* of the network's trace, absolute; "": none */
    struct vox_encoding_options encoding; /* its red_... are those of RED alone */
    struct vox_network_options network;
    bool one_way;
    int64_t duration_ns; /* 0: the file's */
    int64_t sound_ns;    /* of the file */
    bool again;          /* the file is shorter than that, and begins again */
    double budget_ms;
    int repeat;
    int jobs;
    bool is_virtual;
    const char *arms_text; /* NULL: all there are */
    bool has[VOX_VERSUS_ARMS];
    const char *report, *stats, *out;
    bool quiet, verbose;
};

/* Says on stderr what is wrong. */
enum vox_options_outcome vox_versus_options_parse(int argc, char **argv,
                                                  struct vox_versus_options *out);

/* Where the sound and the trace are. False: it was said which is not there. */
bool vox_versus_find_files(struct vox_versus_options *options);

#endif
