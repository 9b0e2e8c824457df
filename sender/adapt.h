/*
 * The controller: from what receivers report, the best protection that the user's budget and the
 * network's room allow. No clock, no I/O.
 *
 *     vox_adapt_init(&adapt, &config);                           // adapt.protection: to begin with
 *     vox_adapt_sent(&adapt, seq, wire_bytes, send_ns);          // every packet
 *     if (vox_adapt_report(&adapt, fates, &view, &reason))       // every report
 *         ... go by adapt.protection, and tell why ...
 *
 * weather.h judges the loss, congestion.h how much may be sent, dial.h what to spend it on. Until
 * the first report some loss is assumed, and not more sent than one and three quarters of the plain
 * stream, for nobody knows what room there is. An answer to more loss, or to another cap, comes at
 * once; others only when there was none such for eight seconds, and neither for a gain that nobody
 * hears.
 *
 * Thread rule: value, one owner. RT-safe: a report costs 0.2 to 1.6 million instructions,
 * the more the longer the delay that repairs may take.
 */
#ifndef VOX_SENDER_ADAPT_H
#define VOX_SENDER_ADAPT_H

#include "sender/congestion.h"
#include "sender/dial.h"
#include "sender/fates.h"
#include "sender/weather.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_adapt_config {
    struct vox_dial_config dial;
    int max_wire_bps; /* 0: two and a half times what the plain stream takes */
    bool may_repeat; /* what receivers ask for is sent again, unless that pays less than it costs */
};

/* What a report tells beside the fates of packets. */
struct vox_adapt_view {
    int64_t now_ns;
    int64_t rtt_ns; /* < 0: not known */
    int64_t jitter_ns;
    bool is_asked; /* receivers ask for what they miss, and get it */
};

struct vox_adapt {
    struct vox_dial dial;
    bool may_repeat;
    struct vox_weather weather;
    struct vox_congestion congestion;
    struct vox_protection protection; /* in force */
    struct vox_dial_network network;  /* for which it was chosen */
    int64_t raised_ns;                /* when last there was an urgent change */
    int64_t changed_seq;              /* first packet that was sent at this rate */
    int raised_from_bps;              /* the rate before, if it was lower; else 0 */
};

void vox_adapt_init(struct vox_adapt *adapt, const struct vox_adapt_config *config);

/* A packet was sent; seq is extended, wire_bytes with all headers. */
void vox_adapt_sent(struct vox_adapt *adapt, int64_t seq, int64_t wire_bytes, int64_t send_ns);

/* Fates were taken over from a report. Whether adapt->protection has changed, and why. */
bool vox_adapt_report(struct vox_adapt *adapt, const struct vox_fates *fates,
                      const struct vox_adapt_view *view, enum vox_adapt_reason *reason);

#endif
