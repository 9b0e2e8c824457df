/*
 * What voxgram-lab replay gives of a run: sound files, statistics, events, report, summary; and the
 * progress while it runs.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_REPLAY_OUTPUT_H
#define VOX_LAB_REPLAY_OUTPUT_H

#include "cli/meter.h"
#include "cli/status.h"
#include "lab/replay.h"
#include "lab/run.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_replay_progress {
    struct vox_status status;
    struct vox_meter_style style;
    int64_t begin_ns;
    int64_t total_ns; /* of sound */
    bool quiet;
};

void vox_replay_progress_init(struct vox_replay_progress *progress,
                              const struct vox_replay_options *options,
                              const struct vox_sim_config *sim);
/* ctx: the progress. heard_ns: sound that has been simulated. */
void vox_replay_progress_show(void *ctx, int64_t heard_ns);
void vox_replay_progress_end(struct vox_replay_progress *progress);

/* Whether something is asked for that the clean decode is needed for. */
bool vox_replay_needs_reference(const struct vox_replay_options *options);

/* Writes all that is asked for. took_ns: what the simulation took. Returns the exit status. */
int vox_replay_output(const struct vox_replay_options *options, const struct vox_run *run,
                      int64_t took_ns);

#endif
