/*
 * When received audio can be played, and how late it should be: what arrivals, the grid of the
 * pulls and the two clocks have to do with each other.
 *
 *     vox_timing_init(&timing, &config);
 *     vox_timing_arrived(&timing, &packet);             // each that is no duplicate
 *     vox_timing_look(&timing, now_ns, known_ns);       // a pull begins
 *     int64_t due_ns = vox_timing_base_ns(&timing) + vox_rtp_to_ns(ts)
 *                    + vox_timing_target_ns(&timing);
 *
 * A packet counts as arrived in the first pull that can play it. A file is pulled when something is
 * due, so that is when it came. A device is pulled by its own clock: where its grid stands still
 * against the packets, that grid is learned with everything else; where it slips, because the
 * clocks differ or the periods do not divide, each packet is held to have just missed a pull.
 *
 * Thread rule: value, one owner. RT-safe: at most VOX_TIMING_UNSEEN packets a pull.
 */
#ifndef VOX_RECEIVER_TIMING_H
#define VOX_RECEIVER_TIMING_H

#include "receiver/delay.h"
#include "receiver/jitter.h"
#include "receiver/planner.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_TIMING_UNSEEN = 64 }; /* packets that may come between two pulls */

struct vox_timing_arrival {
    enum vox_planner_kind kind;
    int64_t ts, arrival_ns;
    int duration_ticks;
};

struct vox_timing {
    const struct vox_receiver_config *config;
    struct vox_delay delay;
    struct vox_planner planner;
    struct vox_timing_arrival unseen[VOX_TIMING_UNSEEN];
    int unseen_count;
    int64_t newest_index, newest_end_ts;
    int64_t repaired_ts; /* newest media time of which in-band FEC came */
    int packet_ticks;    /* of the newest */
    int64_t looked_ns;   /* when the last pull was made */
    int64_t known_ns;    /* from when on what it saw can be played */
    int64_t pull_ns;     /* since the one before it; 0: not known */
    bool grid_stands;
    int64_t grid_gain_ns; /* by which the last packet was seen sooner for it */
    int64_t lead_ns;      /* how long before its playout audio is asked for: recent maximum */
    int64_t margin_ns;    /* for what the clocks do */
};

void vox_timing_init(struct vox_timing *t, const struct vox_receiver_config *config);

/* Media times are made in another way from the next packet on: what was learned of delays is void.
 */
void vox_timing_new_timeline(struct vox_timing *t);

/* A packet from the network that is no duplicate. */
void vox_timing_arrived(struct vox_timing *t, const struct vox_packet *packet);

/* This number came, and holds no audio. */
void vox_timing_blank(struct vox_timing *t, int64_t index);

/* One that is missing was brought by another: the copy that it came as. */
void vox_timing_repaired(struct vox_timing *t, const struct vox_packet *copy);

/* A pull begins at now_ns: what has come until now can be played from known_ns on. */
void vox_timing_look(struct vox_timing *t, int64_t now_ns, int64_t known_ns);

/* Audio was asked for so long before its playout. */
void vox_timing_asked(struct vox_timing *t, int64_t lead_ns);

/* All packets come too late: the path became slower. */
void vox_timing_forget_fastest(struct vox_timing *t);

/* Playout time of media time 0 if it were played as the fastest packet came. */
int64_t vox_timing_base_ns(const struct vox_timing *t);

/* The delay over that which is wanted, within the user's limits. */
int64_t vox_timing_target_ns(const struct vox_timing *t);

#endif
