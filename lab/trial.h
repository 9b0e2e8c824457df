/*
 * A playout on trial: packets of real speech arrive as a trace says, PCM is pulled by the clock,
 * and what became of each packet is scored. The receiver is the one that runs live.
 *
 *     config.trace = trace; config.speech = tape; config.phase_ns = vox_trial_phase_ns("04-lte");
 *     vox_trial_config_init(&config);
 *     if (vox_trial_run(&config, &trial) == 0)
 *         printf("%.1f ms, J %.1f\n", vox_ns_to_ms(trial.mean_ns), trial.j);
 *     vox_trial_clear(&trial);
 *
 * Scored are packets sent from skip_head_ns after the first to skip_tail_ns before the last, and
 * the output between the times at which those two were sent:
 *
 * - delay of a packet: start of its playout - its sending - the fastest transit of the trace; mean
 *   and 95th percentile over packets played.
 * - extra concealment: concealed output time in % - packets lost by the network in %.
 * - J = mean delay in ms + 190 per 1 % of extra concealment: what a per cent of concealment costs
 *   in the E-model (ITU-T G.107), expressed in delay.
 *
 * Thread rule: one owner. Allocates.
 */
#ifndef VOX_LAB_TRIAL_H
#define VOX_LAB_TRIAL_H

#include "channel/trace.h"
#include "lab/talker.h"
#include "receiver/receiver.h"

#include <stddef.h>
#include <stdint.h>

/* Milliseconds of delay that are as bad as one per cent of extra concealment. */
#define VOX_TRIAL_MS_PER_PCT 190.0

struct vox_trial_config {
    const struct vox_trace *trace; /* borrowed */
    /* Borrowed: its media packets, all of the trace's interval, are sent in turn. */
    const struct vox_tape *speech;
    struct vox_receiver_config receiver; /* delays and the like; a device of 48 kHz is set */
    int64_t pull_ns;
    int64_t phase_ns; /* pulls are at phase_ns + k * pull_ns of the receiver's clock */
    int64_t skip_head_ns, skip_tail_ns;
};

/* What became of a packet of the trace. */
struct vox_trial_packet {
    bool played;
    int64_t play_ns; /* when its first sample left, on the trace's clock */
};

struct vox_trial {
    struct vox_trial_packet *packets; /* by the trace's index */
    size_t count;
    /* In the scored span: */
    size_t sent, lost, played;
    int64_t mean_ns, p95_ns;
    int64_t output_ns, concealed_ns, stretched_ns;
    uint64_t stretch_ops;
    double extra_concealment_pct, j, stretched_pct, ops_per_min, unplayed_pct;
};

/* 10 ms pulls, 10 s and 2 s left out, an adaptive receiver; trace and speech NULL. */
void vox_trial_config_init(struct vox_trial_config *config);

/* The grid on which everyone meets a trace: 32-bit FNV-1a of its base name without ending, mod 997,
 * / 99.7 ms. */
int64_t vox_trial_phase_ns(const char *path);

/*
 * Errors: VOX_EINVAL (the speech has no packets, or of another length than the trace's interval; a
 * trace of more than 2^22 sequence numbers or with nothing to score), VOX_ENOMEM.
 */
int vox_trial_run(const struct vox_trial_config *config, struct vox_trial *out);
void vox_trial_clear(struct vox_trial *trial);

#endif
