/*
 * What the files of playout share, and nobody else sees: the state of one source's playout.
 *
 *     playout.c        what comes next of silence, received audio and concealment; arrivals
 *     playout_delay.c  where the delay is moved, and by how much
 *     playout_live.c   what came in a heap and is too old
 *     playout_head.c   received audio: decoded, heard, or dropped because it is too late
 *     playout_hole.c   audio for what is missing
 *
 * Each calls only those below it. In all of them t_ns is when the next frame to be put out is
 * played, ticks and frames are the same, and head is the first packet in the jitter buffer.
 *
 * The fifo holds what is to be heard next. At its end may lie `spare` frames of concealment: they
 * are heard only if they are needed, and give way to a packet that comes.
 *
 * Thread rule: one owner. All functions on it are RT-safe if the host's callbacks are.
 */
#ifndef VOX_RECEIVER_PLAYOUT_STATE_H
#define VOX_RECEIVER_PLAYOUT_STATE_H

#include "receiver/conceal.h"
#include "receiver/decoder.h"
#include "receiver/emit.h"
#include "receiver/fifo.h"
#include "receiver/jitter.h"
#include "receiver/latency.h"
#include "receiver/ledger.h"
#include "receiver/noise.h"
#include "receiver/playout.h"
#include "receiver/timing.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_PLAYOUT_IDLE_AFTER = VOX_CONCEAL_FADE_TO, /* ticks made up: then the stream is idle, and
                                                     what comes is seated anew */
    VOX_PLAYOUT_DECODED = 32, /* packets in the fifo whose playout has not begun */
};

enum vox_playout_phase {
    VOX_PLAYOUT_WAITING,
    VOX_PLAYOUT_PLAYING,
    VOX_PLAYOUT_ENDED,
};

/* A packet in the fifo that is still to be heard. */
struct vox_playout_decoded {
    struct vox_played_packet packet;
    int ahead; /* frames in the fifo in front of it */
};

struct vox_playout {
    const struct vox_receiver_config *config;
    const struct vox_emit *emit;
    struct vox_jitter *jitter;
    struct vox_decoder *decoder;
    struct vox_timing timing;
    struct vox_ledger ledger;
    struct vox_latency latency;
    struct vox_noise noise;
    enum vox_playout_phase phase;
    bool started;
    bool draining;
    int64_t drained_ns; /* if draining: nothing that was sent is under way any more */
    int64_t play_ts;    /* media time at which the received audio in the fifo ends */
    int64_t expanded;   /* ticks made up since then */
    int spare;          /* frames made up, at the end of the fifo, that may not be needed */
    bool state_kept;    /* the decoder's, from before the concealment that goes on */
    bool all_late; /* what is in front of the target was waited for in vain: see playout_live.h */
    bool catching_up; /* what is made up brings a fixed delay back to where it should be */
    int64_t last_index;
    int64_t fec_index; /* the last packet that was heard from in-band FEC */
    int last_duration;
    int64_t next_splice_ns; /* none before this time of playout */
    int64_t told_target_ns;
    struct vox_playout_decoded decoded[VOX_PLAYOUT_DECODED];
    int decoded_count;
    struct vox_fifo fifo;
};

/* Whether packets are missing in front of the head, one of them or more. */
static inline bool vox_playout_lacks(const struct vox_playout *p, const struct vox_packet *head)
{
    return vox_jitter_before(p->jitter, head->index) > p->last_index;
}

/* Whether the user fixed the delay. */
static inline bool vox_playout_is_fixed(const struct vox_playout *p)
{
    return p->config->delay_ns >= 0;
}

#endif
