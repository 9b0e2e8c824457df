/*
 * The reliability dial: of all ways to spend a budget of delay and bits on bitrate, in-band FEC,
 * copies and retransmission, the one that sounds best on a network that loses as this one does.
 * Pure.
 *
 *     struct vox_dial dial;
 *     vox_dial_init(&dial, &config);
 *     vox_dial_choose(&dial, &network, wire_bps, &protection);
 *
 * What a protection leaves of the loss is computed (odds.h). How that sounds is
 *
 *     1 + (Q - 1) x exp(-(7.9 missing^0.94 + 1.56 coarse^1.13))
 *
 * with Q the quality without loss at that bitrate, with or without FEC: fitted to PESQ-WB (ITU-T
 * P.862.2) of 17 settings on 4 to 11 kinds of loss, four speakers and four seeds each, with
 * libopus 1.3.1, voice at 12 to 32 kbit/s in 20 ms; it errs by 0.09 (root mean square). Delay and
 * bits have a small price each, so that a copy that brings nothing is not sent.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_DIAL_H
#define VOX_SENDER_DIAL_H

#include "sender/odds.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_dial_config {
    enum vox_profile profile;
    int channels;
    int frame_ticks;
    int bitrate_bps; /* the most that the audio shall have */
    int64_t max_delay_ns;
    double prefer_ms; /* what one per cent of glitches is worth, as the receiver's */
};

/* What is known of the network. */
struct vox_dial_network {
    struct vox_odds_loss loss;
    int64_t jitter_ns; /* that the receiver's delay is needed for, beside repairs */
    int64_t retry_ns;  /* that a retransmission takes; 0: nobody asks for any */
};

struct vox_dial {
    struct vox_dial_config config;
    double delay_price; /* of a ms, in points of quality */
    int fec_bps;        /* from which on there is in-band FEC; 0: never */
};

void vox_dial_init(struct vox_dial *dial, const struct vox_dial_config *config);

/* The best within wire_bps, headers of IPv4, UDP, RTP and RED included. */
void vox_dial_choose(const struct vox_dial *dial, const struct vox_dial_network *network,
                     int wire_bps, struct vox_protection *out);

/* What a protection is worth there, its prices paid: points of quality. -1: it needs more than
 * wire_bps or the delay. */
double vox_dial_worth(const struct vox_dial *dial, const struct vox_dial_network *network,
                      int wire_bps, const struct vox_protection *protection);

/* What it takes on the wire, retransmissions not counted. */
int vox_dial_wire_bps(const struct vox_dial *dial, const struct vox_protection *protection);

#endif
