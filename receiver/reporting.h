/*
 * The receiver's side of RTCP (RFC 3550, section 6): takes what senders say of themselves, and
 * composes and times the reports about them.
 *
 *     vox_reporting_init(&rp, &config, sources);
 *     vox_reporting_begin(&rp, source, now_ns);                // a new SSRC
 *     vox_reporting_packet(&rp, source, len, arrival_ns);      // each RTP datagram of it
 *     if (vox_rtp_is_rtcp(datagram, len))
 *         return vox_reporting_feed(&rp, datagram, len, arrival_ns, path);
 *     if (now_ns >= vox_reporting_next_deadline_ns(&rp))
 *         vox_reporting_tick(&rp, now_ns);
 *
 * Each path that has a source gets reports of its own: RR, SDES and XR (RFC 3611). The XR has our
 * time, which the sender answers, so that we know the round trip; and for each source a loss report
 * over its last 2 s, so that a lost report takes nothing with it. What does not fit one datagram
 * is left out, and takes its turn next time: whoever was told of longest ago comes first.
 *
 * When: every 1 s x [0.5, 1.5) / 1.21828 (section 6.3.1 with a minimum of 1 s), the first after
 * half of that. Sooner where the loss is news, which a sender that protects itself wants to know
 * well within a second (early feedback, as in RFC 4585, section 3.5): 100 ms after the first packet
 * that is missing from a run without loss, so that there is something to say; then whenever at
 * least twice as much is missing as the report before would let expect; never within 250 ms of the
 * last. Loss that stays as it is is no news.
 *
 * Early reports are paid for: each source has an allowance of 5 % of what it sends (section 6.2),
 * from which the RTCP of both directions on its path is taken, headers included. It holds four
 * reports, begins full, and grows by one in 8 s at the least, or low bitrates would have none.
 * Measured with 20 ms packets and 48.7 kbit/s, RTCP of both directions (reporting_test.c): 4.3 %
 * without loss, 4.6 % at 1 % loss, 4.8 % at 5 %, 4.6 % at 20 %, 4.8 % at 20 % in bursts of three.
 *
 * Thread rule: value, one owner. Borrows config and sources. RT-safe.
 */
#ifndef VOX_RECEIVER_REPORTING_H
#define VOX_RECEIVER_REPORTING_H

#include "base/rng.h"
#include "receiver/receiver.h"
#include "receiver/source.h"
#include "wire/rtcp.h"

#include <stddef.h>
#include <stdint.h>

/* What was last said of a source, and when there is more to say. */
struct vox_reporting_source {
    int64_t sent_ns;         /* the last report on its path */
    int64_t due_ns;          /* the next one */
    int64_t early_ns;        /* one that cannot wait; VOX_NS_NEVER: none */
    uint64_t told;           /* number of the report that last told of it; 0: none or left out */
    int run_packets;         /* of the last loss report, */
    int run_lost;            /* and how many of them */
    int64_t report_bytes;    /* of the last report, on the wire */
    int64_t allowance_units; /* for early reports, in 1/20 byte */
};

struct vox_reporting {
    const struct vox_receiver_config *config;
    struct vox_source *sources; /* config->max_sources of them */
    struct vox_reporting_source of[VOX_RECEIVER_MAX_SOURCES];
    struct vox_rng rng;
    uint64_t reports;     /* sent */
    uint64_t left_out;    /* loss reports for which there was no room */
    struct vox_rtcp rtcp; /* too large for the stack of an audio callback */
};

void vox_reporting_init(struct vox_reporting *rp, const struct vox_receiver_config *config,
                        struct vox_source *sources);

/* One of the sources has begun anew. */
void vox_reporting_begin(struct vox_reporting *rp, const struct vox_source *source, int64_t now_ns);

/* A datagram of that many bytes was one of this source's packets: there may be loss to tell of. */
void vox_reporting_packet(struct vox_reporting *rp, const struct vox_source *source, size_t len,
                          int64_t arrival_ns);

/* An RTCP datagram: VOX_PUSH_RTCP or VOX_PUSH_BAD_RTCP; what is well formed in it counts. */
enum vox_push_result vox_reporting_feed(struct vox_reporting *rp, const void *datagram, size_t len,
                                        int64_t arrival_ns, uint32_t path);

/* When tick wants to be called next; VOX_NS_NEVER while no source plays. */
int64_t vox_reporting_next_deadline_ns(const struct vox_reporting *rp);

/* Sends what is due. */
void vox_reporting_tick(struct vox_reporting *rp, int64_t now_ns);

/* The last report, with a BYE, to every path. */
void vox_reporting_goodbye(struct vox_reporting *rp, int64_t now_ns);

#endif
