/*
 * The round trip to one sender, from what each answer of its reports says (RFC 3611, section 4.5):
 * the latest, the smallest of the last 10 s, and mean and deviation as TCP keeps them (RFC 6298).
 *
 *     vox_rtt_init(&rtt);
 *     vox_rtt_add(&rtt, rtt_ns, now_ns);
 *     if (vox_rtt_is_known(&rtt))
 *         wait_ns = vox_rtt_bound_ns(&rtt);
 *
 * An answer waits for the sender's next report, but the sender says how long it did, so that this
 * is no part of the round trip.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_RTT_H
#define VOX_RECEIVER_RTT_H

#include <stdbool.h>
#include <stdint.h>

enum { VOX_RTT_SAMPLES = 16 /* of 10 s: senders report every 0.4 s at the most */ };

struct vox_rtt {
    int64_t latest_ns;    /* -1 until known */
    int64_t smoothed_ns;  /* SRTT; -1 until known */
    int64_t deviation_ns; /* RTTVAR: the mean distance from SRTT, lately */
    uint64_t count;       /* ever; the newest overwrites the oldest */
    struct {
        int64_t t_ns, rtt_ns;
    } samples[VOX_RTT_SAMPLES];
};

void vox_rtt_init(struct vox_rtt *rtt);

/* rtt_ns >= 0; now_ns does not decrease. */
void vox_rtt_add(struct vox_rtt *rtt, int64_t rtt_ns, int64_t now_ns);

bool vox_rtt_is_known(const struct vox_rtt *rtt);

/* Of the last 10 s; the latest if there was none; -1 until known. */
int64_t vox_rtt_least_ns(const struct vox_rtt *rtt, int64_t now_ns);

/* By when an answer is there if it is not lost: SRTT + 4 RTTVAR (section 2.3); -1 until known. */
int64_t vox_rtt_bound_ns(const struct vox_rtt *rtt);

#endif
