/*
 * One source: everything behind one SSRC (RFC 3550, section 3). From its datagrams to PCM at the
 * output's rate and channel count.
 *
 * Thread rule: one owner. All but create and destroy are RT-safe.
 */
#ifndef VOX_RECEIVER_SOURCE_H
#define VOX_RECEIVER_SOURCE_H

#include "dsp/resample.h"
#include "receiver/depacketizer.h"
#include "receiver/drift.h"
#include "receiver/emit.h"
#include "receiver/missing.h"
#include "receiver/playout.h"
#include "receiver/reception.h"
#include "receiver/rtt.h"
#include "wire/rtp.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_SOURCE_CHUNK = 240 /* frames between two looks at the resampler */ };

struct vox_source {
    bool used;
    enum vox_source_state state;
    const struct vox_receiver_config *config;
    struct vox_emit emit;
    uint32_t path;      /* of its RTP */
    uint32_t rtcp_path; /* where reports for it go */
    int payload_type;
    int red_votes; /* packets in a row of this type that look as if they were RED */
    char cname[64];
    uint64_t lbrr_packets, red_packets, received;
    uint64_t wire_bytes, copies_bytes, repeats_bytes;
    int64_t first_packet_ns;
    int64_t last_packet_ns;
    int64_t departed_ns; /* if ended: when */
    bool timed_out;      /* if ended: without a goodbye */
    bool replaced;
    struct vox_depacketizer depacketizer;
    struct vox_reception reception;
    struct vox_missing missing; /* what is asked for: see repeats.h */
    bool has_repeats, said_bye;
    uint32_t repeats_ssrc;       /* of answers, if has_repeats */
    uint64_t requests, answered; /* datagrams; packets that came in answer */
    struct vox_rtt rtt;          /* to its sender and back */
    struct vox_playout *playout;
    struct vox_drift drift;
    struct vox_resample *resample;
    bool clocked; /* next_pull_ns holds: the first pull was made */
    int64_t next_pull_ns;
    int64_t pull_now_ns, pull_start_ns; /* when the last pull was made, and for when */
    int64_t steered_ns;                 /* playout time at which the drift was last told */
    int64_t zero_ns;                    /* when media time 0 would have been heard */
    int64_t current_ns;                 /* delay over the fastest packet, when last known */
    int chunk_at, chunk_frames;         /* audio on its way into the resampler */
    float chunk[VOX_SOURCE_CHUNK * 2];
};

int vox_source_create(struct vox_source *source, const struct vox_receiver_config *config,
                      int index);
void vox_source_destroy(struct vox_source *source);

/* Takes a free slot for a new SSRC, on probation. */
void vox_source_begin(struct vox_source *source, uint32_t ssrc, int payload_type, uint32_t path,
                      int64_t now_ns);

/* One parsed RTP packet of this SSRC. absolute: capture times are on our wall clock. */
enum vox_push_result vox_source_packet(struct vox_source *source, const struct vox_rtp *rtp,
                                       int64_t arrival_ns, bool absolute);

/* Of count sources, the one that has this SSRC and has not ended, or NULL. */
struct vox_source *vox_source_find(struct vox_source *sources, int count, uint32_t ssrc);
/* Whether it is heard: confirmed, and not ended. */
static inline bool vox_source_plays(const struct vox_source *source)
{
    return source->used && source->state == VOX_SOURCE_ACTIVE;
}

/* Leaves probation: a second packet or a sender report vouches for it (RFC 3550, section A.1). */
void vox_source_confirm(struct vox_source *source, int64_t now_ns);
/* No more packets are sent: plays what is left and what is still under way. */
void vox_source_bye(struct vox_source *source, int64_t now_ns, bool replaced);
/* Ended by a time-out, it is heard again: all that was known of it holds on. */
void vox_source_resume(struct vox_source *source, uint32_t path, int64_t now_ns);
/* Whether it has timed out, and this packet of its SSRC goes on where it left off. */
bool vox_source_returns(const struct vox_source *source, const struct vox_rtp *rtp,
                        int64_t arrival_ns);
void vox_source_end(struct vox_source *source, int64_t now_ns, enum vox_source_end why);

/*
 * PCM with the output's channels. resampled: the puller's clock is not this sender's. Returns how
 * many frames belong to the source; the rest is silence.
 */
int vox_source_pull(struct vox_source *source, float *pcm, int frames, int64_t now_ns,
                    int64_t playout_ns, bool resampled);

int64_t vox_source_next_pull_ns(const struct vox_source *source);
int vox_source_block_frames(const struct vox_source *source);
/* The same, and more where more is at hand, up to 20 ms. */
int vox_source_ready_frames(const struct vox_source *source);

/* What a datagram that it took was on the wire: one of its own, or one that was sent again. */
void vox_source_count_bytes(struct vox_source *source, size_t datagram_bytes, bool repeat);

void vox_source_read_stats(const struct vox_source *source, struct vox_source_stats *out);

#endif
