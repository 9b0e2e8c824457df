/*
 * How much the network may be given: a bottleneck is not random loss, and answering it with more
 * copies makes it worse. Two signs of one:
 *
 * - A queue: the round trip is longer than the shortest one. Lowered at once, to so much less than
 *   what comes through that the queue is gone within a second or two; then to a little less.
 * - Loss that goes with the rate, where there is no queue (a policer). It is suspected where the
 *   rate was raised, more is lost since and little more came through, or where it lasts. Then it is
 *   on trial: the rate is lowered. If no less is lost, it was random: the cap is what it was
 * before, and so much loss is taken for random from then on. If it is, the cap stays. Loss that has
 * just begun is not suspected for itself: most is random, and a trial leaves it less protected.
 *
 * After a quiet time the cap is raised by steps, as long as use is made of it (as RFC 7661 has it
 * for TCP: a rate that was not sent was not tried). Each time that fails soon doubles the time
 * until the next.
 *
 *     vox_congestion_init(&congestion, most_bps, least_bps);
 *     news = vox_congestion_report(&congestion, &view);
 *     ... stay below congestion.cap_bps ...
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_CONGESTION_H
#define VOX_SENDER_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

enum { VOX_CONGESTION_ROUNDS = 3 /* that must be long, at most, for it to be a queue */ };

enum vox_congestion_news {
    VOX_CONGESTION_NOTHING,
    VOX_CONGESTION_QUEUE,  /* lowered: the round trip has grown */
    VOX_CONGESTION_RATE,   /* lowered: to see whether loss goes with the rate */
    VOX_CONGESTION_RANDOM, /* raised again: it does not */
    VOX_CONGESTION_ROOM,   /* raised: the queue is gone, or it was quiet */
};

/* What a report tells. */
struct vox_congestion_view {
    int64_t now_ns;
    /* Bounds of the latest round trip; least < 0, most VOX_NS_NEVER: not known. */
    int64_t round_least_ns, round_most_ns;
    int64_t jitter_ns;     /* mean deviation: no queue */
    int64_t delivered_bps; /* on the wire; 0: not known */
    int sent_bps;          /* what the protection in force takes */
    int known, lost;       /* packets of late, since the rate was last changed */
    double burst;          /* mean, of lost packets in a row */
    int raised_from_bps;   /* what was sent before the rate was last raised; 0: it was not */
    int before_known, before_lost; /* the last packets of that time */
};

struct vox_congestion {
    int most_bps, least_bps;
    int cap_bps;
    int64_t shortest_ns[2];      /* round trips of this half minute and the last */
    int64_t round_ns, spread_ns; /* the latest, and how it varies */
    int64_t half_minute_ns;      /* when this one began */
    int64_t
        excess_ns[VOX_CONGESTION_ROUNDS]; /* of the latest over the shortest, jitter taken off */
    int round_count;
    double burst; /* mean, of lost packets in a row: so many behind the newest look like a queue */
    enum { VOX_CONGESTION_FREE, VOX_CONGESTION_DRAINS, VOX_CONGESTION_ON_TRIAL } state;
    int then_bps;           /* cap when the queue is gone, or if the loss is random */
    int64_t drain_until_ns; /* a queue takes its time to go */
    int64_t lowered_ns;
    int64_t hold_ns; /* how long the cap stays after it was lowered */
    int64_t hold_until_ns;
    int64_t lossy_since_ns; /* VOX_NS_NEVER: it is not */
    double loss_before;     /* the trial */
    double random_loss;     /* which is not suspected */
    int64_t trust_ns, trusted_until_ns;
};

/* Caps are in least_bps..most_bps. */
void vox_congestion_init(struct vox_congestion *congestion, int most_bps, int least_bps);

/* Whether the latest round trip alone speaks of a queue: no time to send more. */
bool vox_congestion_is_suspected(const struct vox_congestion *congestion);

enum vox_congestion_news vox_congestion_report(struct vox_congestion *congestion,
                                               const struct vox_congestion_view *view);

#endif
