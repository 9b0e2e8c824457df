/*
 * The clocks of sender and receiver compared in hindsight, from one-way transits alone: the line
 * below all of them (Moon, Skelly and Towsley, "Estimation and Removal of Clock Skew from Network
 * Delay Measurements", INFOCOM 1999). Queues only add to a transit, so the fastest packets of a
 * call lie on a line whose slope is the difference of the clocks.
 *
 *     vox_trace_clock_init(&clock);
 *     vox_trace_clock_packet(&clock, media_ns, arrival_ns);        // each packet
 *     struct vox_trace_line line = vox_trace_clock_line(&clock);   // at the end
 *     int64_t queued_ns = arrival_ns - media_ns - vox_trace_line_at(&line, media_ns);
 *
 * A path that changes for good looks like a clock that drifts. So a slope is believed only where
 * fast packets of the beginning, the middle and the end lie on one line.
 *
 * Thread rule: value, one owner. packet is RT-safe.
 */
#ifndef VOX_RECEIVER_TRACE_CLOCK_H
#define VOX_RECEIVER_TRACE_CLOCK_H

#include <stdint.h>

enum { VOX_TRACE_CLOCK_SLOTS = 512 };

struct vox_trace_point {
    int64_t media_ns;
    int64_t transit_ns; /* arrival minus media time */
};

struct vox_trace_clock {
    int64_t slot_ns; /* doubles when the slots are used up */
    int count;
    struct vox_trace_point least[VOX_TRACE_CLOCK_SLOTS]; /* fastest packet of each slot of time */
};

struct vox_trace_line {
    int64_t at_zero_ns; /* least transit at media time 0 */
    double slope;       /* its growth; minus the skew: the sender's clock runs fast if < 0 */
};

void vox_trace_clock_init(struct vox_trace_clock *clock);

/* media_ns: on the sender's clock, from the first packet on. Packets before that are passed over.
 */
void vox_trace_clock_packet(struct vox_trace_clock *clock, int64_t media_ns, int64_t arrival_ns);

/* The line below all transits; zeros without any packet. */
struct vox_trace_line vox_trace_clock_line(const struct vox_trace_clock *clock);

int64_t vox_trace_line_at(const struct vox_trace_line *line, int64_t media_ns);

#endif
