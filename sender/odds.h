/*
 * What a protection leaves of a loss: how often a frame is missing although its copies, its in-band
 * FEC and its retransmissions could have brought it. Pure.
 *
 *     struct vox_odds_loss loss = {.share = 0.2, .burst = 3};
 *     struct vox_odds left;
 *     vox_odds_predict(&loss, &means, &left);
 *
 * Losses are those of a Markov chain of two states (Gilbert, Bell System Technical Journal 39(5),
 * 1960): of a packet that is lost, the one k packets later is lost with p + (1 - p) x r^k, where r
 * is the correlation of neighbours. So the odds that all packets of a set are lost follow from the
 * gaps between them, and no simulation is needed. Retransmissions meet the same bursts; the
 * requests for them are lost as often, on a way of their own.
 *
 * Thread rule: pure, any thread. RT-safe.
 */
#ifndef VOX_SENDER_ODDS_H
#define VOX_SENDER_ODDS_H

#include "sender/sender.h"

#include <stdbool.h>

struct vox_odds_loss {
    double share; /* of the packets that is lost, 0..1 */
    double burst; /* mean number of packets lost in a row; 1 / (1 - share) where each is by itself,
                     and taken for that where it is less */
};

struct vox_odds_means {
    bool fec;                             /* each packet and copy holds that of the one before */
    int distances[VOX_SENDER_MAX_COPIES]; /* as in struct vox_sender_config */
    int reach;                            /* packets that the receiver waits for a repair */
    double retry_packets;                 /* one retransmission takes; 0: none */
};

struct vox_odds {
    double missing; /* share of the frames that nothing brings in time */
    double coarse;  /* that only in-band FEC does */
};

void vox_odds_predict(const struct vox_odds_loss *loss, const struct vox_odds_means *means,
                      struct vox_odds *out);

#endif
