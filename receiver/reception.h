/*
 * Reception statistics of one source as RTCP reports them (RFC 3550, sections 6.4.1, A.3 and A.8),
 * and which packets came (RFC 3611, section 4.1).
 *
 *     vox_reception_packet(&r, index, ts, arrival_ns);         // each original, once
 *     vox_reception_report(&r, ssrc, now_ns, &block);
 *     vox_reception_run(&r, count, &first, &loss);
 *
 * It counts what the network did, before any repair: it is told of packets that came as they were
 * first sent, late or not, and never of what a retransmission, a copy or FEC brought.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_RECEPTION_H
#define VOX_RECEIVER_RECEPTION_H

#include "wire/rtcp.h"
#include "wire/rtcp_xr.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_RECEPTION_PACKETS = VOX_RTCP_XR_MAX_PACKETS /* whose fate is remembered */ };

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
    uint64_t came[VOX_RECEPTION_PACKETS / 64]; /* bit index % 64 of word index / 64, in a ring */
};

void vox_reception_init(struct vox_reception *r);

/* A packet that is no duplicate, with extended number and timestamp. */
void vox_reception_packet(struct vox_reception *r, int64_t index, int64_t ts, int64_t arrival_ns);
/* One of another payload type: its number came, its time says nothing. Once for each number. */
void vox_reception_other(struct vox_reception *r, int64_t index);
void vox_reception_sender_report(struct vox_reception *r, uint64_t ntp, int64_t arrival_ns);

/*
 * Whether this packet is known not to have come: also if it is one to come. False for those that
 * are too old to be remembered. Tells the original from a second one where a repair came first.
 */
bool vox_reception_lacks(const struct vox_reception *r, int64_t index);

/* Expected minus received, never below 0. */
uint64_t vox_reception_lost(const struct vox_reception *r);

/* Of the packets expected since the last report, how many are missing; never below 0. */
int64_t vox_reception_lost_since(const struct vox_reception *r, int64_t *expected);

/*
 * The fates of the packets from `from` to the highest number received, none before the first
 * packet: of at most the last `count` (1..VOX_RECEPTION_PACKETS). Appends to *loss, whose ssrc and
 * begin_seq are the caller's, and returns the index of the first; none if nothing came yet.
 */
int64_t vox_reception_run(const struct vox_reception *r, int64_t from, int count,
                          struct vox_rtcp_xr_loss *loss);

/* Fills a report block and begins the next interval. */
void vox_reception_report(struct vox_reception *r, uint32_t ssrc, int64_t now_ns,
                          struct vox_rtcp_block *out);

#endif
