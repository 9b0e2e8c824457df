/*
 * What arrivals tell of a path: how long its fastest packets take, and how fast the sender's clock
 * runs.
 *
 *     vox_delay_init(&d);
 *     vox_delay_packet(&d, ts, arrival_ns);
 *     int64_t soonest_ns = vox_delay_base_ns(&d) + vox_rtp_to_ns(ts);   // if it were as fast
 *
 * Base: the least transit (arrival minus media time) of the last ten seconds. All delays that are
 * shown to people are counted from there.
 *
 * Skew: the median slope between least transits of 2 s each, 8 to 32 s apart (Theil, 1950;
 * Sen, J. Am. Stat. Assoc. 63, 1968): neither a route that changes now and then nor a heap of late
 * packets is mistaken for a clock.
 *
 * Thread rule: value, one owner. RT-safe: bounded; every 2 s some 20 us.
 */
#ifndef VOX_RECEIVER_DELAY_H
#define VOX_RECEIVER_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_DELAY_MINIMA = 20,      /* half seconds in which the least transit is sought */
    VOX_DELAY_SKEW_POINTS = 64, /* least transits between which slopes are taken */
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
    double skew_ppm;
    bool skew_is_sure, clocks_agree;
};

void vox_delay_init(struct vox_delay *d);

/* A packet that is no duplicate. Returns its lateness over the fastest packet. */
int64_t vox_delay_packet(struct vox_delay *d, int64_t ts, int64_t arrival_ns);

/* The fastest packet is sought among those of the last second only, for once: the path changed. */
void vox_delay_forget_fastest(struct vox_delay *d);

/* Arrival of the fastest packet with media time 0; add the media time. */
int64_t vox_delay_base_ns(const struct vox_delay *d);

/* Sender's clock against the clock of the arrival times; > 0: the sender's runs fast. 0 in the
 * first 10 s. */
double vox_delay_skew_ppm(const struct vox_delay *d);
/* Whether half of the slopes lie within 50 ppm. */
bool vox_delay_skew_is_sure(const struct vox_delay *d);

/* Whether nothing speaks for clocks that differ by more than 25 ppm: a path that wavers speaks for
 * nothing. True in the first 10 s. */
bool vox_delay_clocks_agree(const struct vox_delay *d);

#endif
