/*
 * voxgram-lab replay: sound files through sender, network and receiver in virtual time
 * (lab/run.h), and what became of them: a recording, statistics, events, a report.
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_LAB_REPLAY_H
#define VOX_LAB_REPLAY_H

#include "cli/network.h"
#include "cli/options.h"
#include "lab/device.h"
#include "receiver/playout_options.h"
#include "sender/encoding_options.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_REPLAY_MAX_STALLS = 32 };

/* A sound card as the command line describes it. */
struct vox_replay_card {
    double block_ms; /* 0: none, a file */
    double skew_ppm;
    int64_t latency_ns;
    struct vox_option_list stall_texts; /* S:MS */
    struct vox_lab_stall stalls[VOX_REPLAY_MAX_STALLS];
    size_t stall_count;
};

struct vox_replay_options {
    const char *const *files; /* one sender each, borrowed from argv */
    int file_count;
    struct vox_encoding_options encoding;
    struct vox_network_options network;
    bool one_way;
    struct vox_playout_options playout;
    struct vox_replay_card microphone, speaker;
    int64_t duration_ns; /* 0: the file's */
    bool loop;
    const char *out;
    const char *reference;
    const char *stats;
    const char *events;
    const char *trace_out;
    const char *report;
    bool quality;
    const char *score_with;
    bool quiet, verbose;
};

/* Says on stderr what is wrong. */
enum vox_options_outcome vox_replay_options_parse(int argc, char **argv,
                                                  struct vox_replay_options *out);

int vox_replay_main(int argc, char **argv);

#endif
