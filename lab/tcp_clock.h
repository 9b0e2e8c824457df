/*
 * What a TCP knows of its round trip, and the timeouts that follow (RFC 6298, as in Linux: the
 * variation counts with 200 ms at the least, so that the timeout is a round trip more than that).
 *
 * Thread rule: value, one owner. Pure, RT-safe.
 */
#ifndef VOX_LAB_TCP_CLOCK_H
#define VOX_LAB_TCP_CLOCK_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define VOX_TCP_TIMER_NS (2 * VOX_NS_PER_MS) /* Linux's least time for a timer of TCP */

struct vox_tcp_clock {
    int64_t rto_min_ns;
    int64_t least_ns; /* VOX_NS_NEVER: none measured */
    int64_t smooth_ns;
    int64_t deviation_ns;      /* four times the mean one */
    int64_t most_deviation_ns; /* in this round trip */
    int64_t variation_ns;      /* what the timeout adds */
    int64_t round_end;         /* byte that ends this round trip */
    int64_t rto_ns;            /* doubled by each timeout until a new measurement */
};

void vox_tcp_clock_init(struct vox_tcp_clock *clock, int64_t rto_min_ns);
/* A round trip was measured; acked and sent: of the stream, so far. */
void vox_tcp_clock_measure(struct vox_tcp_clock *clock, int64_t rtt_ns, int64_t acked,
                           int64_t sent);
void vox_tcp_clock_back_off(struct vox_tcp_clock *clock);
/* For a tail loss probe; alone: one segment is under way, whose acknowledgement may be delayed. */
int64_t vox_tcp_clock_probe_ns(const struct vox_tcp_clock *clock, bool alone);

#endif
