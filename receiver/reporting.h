/*
 * The receiver's side of RTCP (RFC 3550, section 6): takes what senders say of themselves, and
 * composes and times the reports about them.
 *
 *     vox_reporting_init(&rp, &config, sources);
 *     vox_reporting_start(&rp, now_ns);                        // with the first source
 *     if (vox_rtp_is_rtcp(datagram, len))
 *         return vox_reporting_feed(&rp, datagram, len, arrival_ns, path);
 *     if (now_ns >= vox_reporting_next_deadline_ns(&rp))
 *         vox_reporting_tick(&rp, now_ns);
 *
 * Each path that has a source gets one report, about all sources that are heard on it.
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

struct vox_reporting {
    const struct vox_receiver_config *config;
    struct vox_source *sources; /* config->max_sources of them */
    struct vox_rng rng;
    int64_t next_ns;      /* VOX_NS_NEVER until started */
    struct vox_rtcp rtcp; /* too large for the stack of an audio callback */
};

void vox_reporting_init(struct vox_reporting *rp, const struct vox_receiver_config *config,
                        struct vox_source *sources);

/* There is something to report on. Further calls change nothing. */
void vox_reporting_start(struct vox_reporting *rp, int64_t now_ns);

/* An RTCP datagram: VOX_PUSH_RTCP or VOX_PUSH_BAD_RTCP; what is well formed in it counts. */
enum vox_push_result vox_reporting_feed(struct vox_reporting *rp, const void *datagram, size_t len,
                                        int64_t arrival_ns, uint32_t path);

/* When tick wants to be called next. */
int64_t vox_reporting_next_deadline_ns(const struct vox_reporting *rp);

/* Sends what is due. */
void vox_reporting_tick(struct vox_reporting *rp, int64_t now_ns);

/* The last report, with a BYE, to every path. */
void vox_reporting_goodbye(struct vox_reporting *rp, int64_t now_ns);

#endif
