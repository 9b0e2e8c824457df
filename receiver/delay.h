/*
 * How much later than the fastest packet a stream should be played: learned from arrivals alone.
 *
 * The lateness of a packet is its transit (arrival minus media time) minus the least transit of the
 * last ten seconds. A histogram of lateness that forgets with a time constant of WEIGHT packets
 * gives, for every delay D, the share of packets that would come too late. The target is the D that
 * minimises
 *
 *     D + lambda * share late,    lambda = 190 ms for each per cent
 *
 * which is how the E-model (ITU-T G.107) weighs delay against concealment. A late packet is
 * evidence at once, so the target grows with it; it shrinks as the evidence fades.
 *
 *     vox_delay_init(&d);
 *     vox_delay_packet(&d, ts, arrival_ns);
 *     int64_t due_ns = vox_delay_base_ns(&d) + vox_rtp_to_ns(ts) + vox_delay_target_ns(&d);
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_DELAY_H
#define VOX_RECEIVER_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_DELAY_FINE = 200,   /* buckets of 0.5 ms: to 100 ms */
    VOX_DELAY_COARSE = 380, /* buckets of 5 ms: to 2 s */
    VOX_DELAY_BUCKETS = VOX_DELAY_FINE + VOX_DELAY_COARSE,
    VOX_DELAY_MINIMA = 20,      /* half seconds in which the least transit is sought */
    VOX_DELAY_SKEW_POINTS = 32, /* least transits, 4 s each, through which the skew's line goes */
};

struct vox_delay_minima {
    int64_t slot; /* number of the newest slot of time */
    int count;
    int64_t least_ns[VOX_DELAY_SKEW_POINTS]; /* ring by slot number */
};

struct vox_delay {
    bool started;
    int64_t origin_ns; /* first arrival: slots of time count from it, not from the host's zero */
    int64_t base_ns;   /* least transit: arrival of the fastest packet of media time 0 */
    struct vox_delay_minima recent; /* for base_ns */
    struct vox_delay_minima longer; /* for the skew */
    double weight;                  /* of the next packet; grows, which makes the older ones fade */
    double total;
    double buckets[VOX_DELAY_BUCKETS];
    int64_t target_ns;
    int64_t p90_ns;
    int64_t last_decision_ns;
};

void vox_delay_init(struct vox_delay *d);

/* A packet that is no duplicate. Returns its lateness over the fastest packet. */
int64_t vox_delay_packet(struct vox_delay *d, int64_t ts, int64_t arrival_ns);

/* The fastest packet is sought among those of the last second only, for once: the path changed. */
void vox_delay_forget_fastest(struct vox_delay *d);

/* Arrival of the fastest packet with media time 0; add the media time. */
int64_t vox_delay_base_ns(const struct vox_delay *d);

/* Best delay over the fastest packet, and the lateness that 90 % of packets do not exceed. */
int64_t vox_delay_target_ns(const struct vox_delay *d);
int64_t vox_delay_p90_ns(const struct vox_delay *d);

/*
 * Sender's clock against the clock of the arrival times, from a line through the least transits of
 * the last two minutes; > 0: the sender's runs fast. 0 in the first 16 s.
 */
double vox_delay_skew_ppm(const struct vox_delay *d);

#endif
