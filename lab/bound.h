/*
 * What a playout is measured against, from a whole trace with hindsight.
 *
 * - The bound: mean delay of a clairvoyant player that stretches. Moon, Kurose and Towsley ("Packet
 *   audio playout delay adjustment: performance bounds and algorithms", Multimedia Systems 6, 1998)
 *   ask for the least mean delay at a given share of late packets when the delay may jump between
 *   talkspurts; with time stretching (Liang, Faerber, Girod, IEEE Trans. Multimedia 5(4), 2003) it
 *   may move within one, by `stretch` of the time that passes:
 *
 *       minimise mean d[i]   with |d[i+1] - d[i]| <= stretch * interval, d[i] >= 0
 *       and d[i] >= n[i] for all packets that arrive, but a late_share of those sent
 *
 * - The best fixed delay: the least D with n[i] <= D for all that arrive, but at most late_share of
 *   those sent.
 *
 * n[i] is what the network takes over the trace's fastest transit, up to the first pull at or after
 * the arrival: pulls are at phase_ns + k * pull_ns of the receiver's clock. In detail:
 *
 * - Packets sent from skip_head_ns after the first to skip_tail_ns before the last count, both ends
 *   included; the others are as if they were not there. The fastest transit is that of the whole
 * trace.
 * - Of a packet's copies the first counts. One the network lost has no n[i] and is no part of the
 *   mean, while the delay moves on over it; it counts among those sent of which a share may be
 * late.
 * - A late packet is charged the delay d[i] at its place, as if it had been there.
 * - The delay moves with the time between sendings, in whole packet intervals and at least one: the
 *   pauses of discontinuous transmission and missing lines give it time, a drifting clock does not
 *   matter.
 * - The share of those sent is a real number for the bound, which is interpolated linearly between
 *   the nearest numbers of late packets on the convex hull of the trade; it is rounded down for the
 *   fixed delay.
 * - Delays of the bound are multiples of a resolution of at most resolution_ns, of which
 *   stretch * interval is a multiple (0.5 ms for 20 ms packets); n[i] is rounded to the nearest. It
 * is made coarser where delays are so long that a pass would take more than 2^27 cells (see below).
 *
 *     struct vox_bound_config config;
 *     vox_bound_config_init(&config);
 *     config.phase_ns = phase_ns;
 *     if (vox_bound_compute(trace, &config, &bound) == 0)
 *         printf("%.1f ms\n", vox_ns_to_ms(bound.bound_ns));
 *
 * How: a Lagrange multiplier is the price of a late packet. For a price, a dynamic programme over
 * (packet, delay), with a sliding-window minimum for the slope, gives the cheapest course and its
 * number of late packets: a corner of the convex hull. Chords between corners give the next price,
 * in whole numbers, until one chord holds the number that may be late.
 *
 * Time: a pass is proportional to the sum of all delays of the envelope when nothing is late, 3 ns
 * for each 0.5 ms; some ten passes. Five minutes take less than 0.1 s, an hour of a bad network 1
 * s. Memory: 32 bytes a packet and 36 for each step of the longest delay, given back at return.
 *
 * Thread rule: pure, any thread. Allocates.
 */
#ifndef VOX_LAB_BOUND_H
#define VOX_LAB_BOUND_H

#include "channel/trace.h"

#include <stddef.h>
#include <stdint.h>

enum {
    VOX_BOUND_MAX_PACKETS = 1 << 21, /* 11 hours at 20 ms */
    VOX_BOUND_MAX_STEPS = 1 << 17,   /* 65 s at 0.5 ms */
};

struct vox_bound_config {
    double stretch;       /* 0 to 1 */
    double late_share;    /* 0 to 1 */
    int64_t skip_head_ns; /* not scored, from the first packet on */
    int64_t skip_tail_ns; /* not scored, to the last one */
    int64_t pull_ns;      /* between two pulls; 0: played the moment it arrives */
    int64_t phase_ns;     /* of the pulls on the receiver's clock */
    int64_t resolution_ns;
};

struct vox_bound {
    int64_t bound_ns;
    int64_t fixed_ns;
    size_t sent;    /* in the scored span */
    size_t arrived; /* of these */
    size_t fixed_late;
    double bound_late; /* not whole where interpolated */
    int64_t resolution_ns;
    int passes;
};

/* 25 %, 0.5 %, the first 10 s and the last 2 s, pulls each 10 ms at phase 0, 0.5 ms. */
void vox_bound_config_init(struct vox_bound_config *config);

/*
 * Errors: VOX_EINVAL (a share outside 0 to 1, a negative time, a phase that is not below pull_ns, a
 * resolution below 1 us), VOX_ENOTFOUND (no packet arrived within the scored span), VOX_ELIMIT
 * (more than VOX_BOUND_MAX_PACKETS, or a delay of more than VOX_BOUND_MAX_STEPS), VOX_ENOMEM. `out`
 * is written on success only.
 */
int vox_bound_compute(const struct vox_trace *trace, const struct vox_bound_config *config,
                      struct vox_bound *out);

#endif
