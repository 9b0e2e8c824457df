/*
 * Delays of played packets by stage. Network: over the fastest packet. Buffer: arrival to playout.
 * Total: capture to playout, where capture times are known and the clocks are one; else the sum of
 * the other two.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_LATENCY_H
#define VOX_RECEIVER_LATENCY_H

#include "base/histogram.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_latency {
    struct vox_histogram network, buffer, total;
    bool has_capture_zero;
    int64_t capture_zero_ns; /* capture time of media time 0, on the monotonic clock */
};

void vox_latency_init(struct vox_latency *latency);
/* From now on totals are absolute; the first time, earlier totals are forgotten. */
void vox_latency_set_capture_zero(struct vox_latency *latency, int64_t zero_ns);
/* base_ns: arrival of the fastest packet of media time 0. */
void vox_latency_add(struct vox_latency *latency, int64_t base_ns, int64_t ts, int64_t arrival_ns,
                     int64_t playout_ns);
void vox_latency_read(const struct vox_latency *latency, struct vox_source_stats *out);

#endif
