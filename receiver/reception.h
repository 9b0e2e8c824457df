/*
 * Reception statistics of one source as RTCP reports them (RFC 3550, sections 6.4.1, A.3 and A.8).
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_RECEPTION_H
#define VOX_RECEIVER_RECEPTION_H

#include "wire/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_reception {
    bool started;
    int64_t first_index, highest_index;
    uint64_t unique; /* packets received, duplicates not counted */
    uint64_t reordered;
    int64_t expected_before, received_before; /* at the last report */
    int64_t last_transit_ns;
    double jitter_ns;
    uint32_t last_sr; /* middle of its NTP time; 0: none came yet */
    int64_t last_sr_arrival_ns;
};

void vox_reception_init(struct vox_reception *r);

/* A packet that is no duplicate, with extended number and timestamp. */
void vox_reception_packet(struct vox_reception *r, int64_t index, int64_t ts, int64_t arrival_ns);
void vox_reception_sender_report(struct vox_reception *r, uint64_t ntp, int64_t arrival_ns);

/* Expected minus received, never below 0. */
uint64_t vox_reception_lost(const struct vox_reception *r);

/* Fills a report block and begins the next interval. */
void vox_reception_report(struct vox_reception *r, uint32_t ssrc, int64_t now_ns,
                          struct vox_rtcp_block *out);

#endif
