/*
 * How much the network may be given: a bottleneck is not random loss, and answering it with more
 * copies makes it worse. Two signs of one:
 *
 * - A queue: the round trip grows over the shortest one. Lowered at once, to less than what comes
 *   through, until the queue is gone.
 * - Loss that grows with the rate, where there is no queue (a policer). Each time the rate is
 *   raised, what more comes through is compared with what chance alone would have let through. If
 *   it is too little the rate is lowered; if the loss then stays what it was, it was random after
 *   all, and for a minute is not suspected again.
 *
 * After a quiet time the cap is raised by steps, each of which is such a trial; each that fails
 * doubles the time until the next.
 *
 *     vox_congestion_init(&congestion, most_bps);
 *     vox_congestion_changed(&congestion, from_bps, to_bps, loss_before);  // what is sent
 *     news = vox_congestion_report(&congestion, &view);
 *     ... stay below congestion.cap_bps ...
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_CONGESTION_H
#define VOX_SENDER_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

enum { VOX_CONGESTION_ROUNDS = 2 /* round trips of which the shortest counts */ };

enum vox_congestion_news {
    VOX_CONGESTION_NOTHING,
    VOX_CONGESTION_QUEUE,  /* lowered: the round trip has grown */
    VOX_CONGESTION_RATE,   /* lowered: loss grows with the rate */
    VOX_CONGESTION_RANDOM, /* raised again: it did not go with the rate */
    VOX_CONGESTION_ROOM,   /* raised: it was quiet */
};

/* What a report tells. */
struct vox_congestion_view {
    int64_t now_ns;
    int64_t rtt_ns;        /* latest round trip; < 0: not known */
    int64_t delivered_bps; /* on the wire; 0: not known */
    int known, lost;       /* packets since the rate was last changed */
    double burst;          /* mean, of lost packets in a row */
};

struct vox_congestion {
    int most_bps;
    int cap_bps;
    int64_t shortest_ns[2];                   /* round trips of this half minute and the last */
    int64_t half_minute_ns;                   /* when this one began */
    int64_t rounds_ns[VOX_CONGESTION_ROUNDS]; /* the latest */
    int round_count;
    int64_t hold_ns; /* how long the cap stays after it was lowered */
    int64_t hold_until_ns;
    int64_t drain_until_ns; /* a queue takes its time to go */
    enum { VOX_CONGESTION_NO_TRIAL, VOX_CONGESTION_RAISED, VOX_CONGESTION_LOWERED } trial;
    int from_bps, to_bps; /* of the trial */
    double loss_before;
    int64_t trusted_until_ns; /* loss is random until then */
};

void vox_congestion_init(struct vox_congestion *congestion, int most_bps);

/* What is sent has changed, on a network that lost loss_before, 0..1. */
void vox_congestion_changed(struct vox_congestion *congestion, int from_bps, int to_bps,
                            double loss_before);

/* Whether the latest round trip alone speaks of a queue: no time to send more. */
bool vox_congestion_is_suspected(const struct vox_congestion *congestion);

enum vox_congestion_news vox_congestion_report(struct vox_congestion *congestion,
                                               const struct vox_congestion_view *view);

#endif
