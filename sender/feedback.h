/*
 * The sender's side of RTCP (RFC 3550, section 6): when to report and what, and what receivers say
 * of us.
 *
 *     vox_feedback_init(&fb, &config);
 *     vox_feedback_sent(&fb, &packet);                         // every RTP packet
 *     if (now_ns >= vox_feedback_next_deadline_ns(&fb))
 *         len = vox_feedback_report(&fb, now_ns, false, out, sizeof out);
 *
 * Interval: 1 s x [0.5, 1.5) / 1.21828 (section 6.3.1 with a minimum of 1 s instead of 5 s: SR and
 * SDES are some 100 bytes, under 1 kbit/s, which keeps a stream of 20 kbit/s within the 5 % of
 * section 6.2, and a sender's report is what receivers synchronise by). We know of no other members
 * that would have to share the bandwidth; receivers scale their own part.
 *
 * Receivers that ask for the round trip (RFC 3611, section 4.4) have their answer (4.5) in an XR
 * packet behind the next report, one per question. A receiver that never had one does not wait for
 * it: the report leaves at once, but not within 200 ms of the one before.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_FEEDBACK_H
#define VOX_SENDER_FEEDBACK_H

#include "base/rng.h"
#include "sender/fates.h"
#include "wire/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_FEEDBACK_MAX_PEERS = 16 /* receivers whose BYE we know; older ones are forgotten */ };

struct vox_feedback_config {
    uint32_t ssrc;
    const char *cname; /* copied; at most VOX_RTCP_MAX_TEXT bytes */
    uint64_t seed;
    uint16_t first_seq; /* of the first RTP packet */
    int64_t wall_offset_ns;
};

/* The newest point where RTP clock and capture clock are known to meet. */
struct vox_feedback_packet {
    uint32_t timestamp;
    int64_t capture_ns; /* of that timestamp */
    int64_t send_ns;
    size_t payload_bytes;
};

/* The latest report about us. */
struct vox_feedback_view {
    uint64_t reports;
    double loss_pct; /* since that receiver's report before */
    int64_t lost;    /* cumulative; negative if there were duplicates (section 6.4.1) */
    int64_t jitter_ns;
    int64_t rtt_ns; /* -1 until known */
    /* Mean length of a loss burst, of what the fates remember; 0: none known. */
    double burst_packets;
};

/* A receiver's question for its round trip. */
struct vox_feedback_question {
    uint32_t ssrc;
    uint32_t time;      /* middle of the NTP time it sent */
    int64_t arrival_ns; /* of the latest; the oldest gives its place to a new receiver */
    bool is_open;       /* not answered yet */
};

/* What one RTCP datagram brought, as flags. */
enum {
    VOX_FEEDBACK_REPORT = 1, /* a block about us */
    VOX_FEEDBACK_BYE = 2,    /* a receiver that had reported leaves */
    VOX_FEEDBACK_FATES = 4,  /* a loss report about us, which the fates have taken over */
    VOX_FEEDBACK_TIME = 8,   /* a question for the round trip: the deadline may be sooner */
};

struct vox_feedback {
    struct vox_rng rng;
    uint32_t ssrc;
    char cname[VOX_RTCP_MAX_TEXT + 1];
    int64_t wall_offset_ns;
    int64_t deadline_ns; /* VOX_NS_NEVER until something was sent */
    struct vox_feedback_packet last;
    uint64_t packets;
    uint64_t octets; /* of payload */
    uint16_t first_seq;
    int64_t reported_ns; /* the last report */
    struct vox_feedback_view view;
    struct vox_fates fates; /* by extended sequence number: first_seq + packets sent before */
    struct vox_feedback_question questions[VOX_FEEDBACK_MAX_PEERS];
    int question_count;
    uint32_t peers[VOX_FEEDBACK_MAX_PEERS];
    uint64_t peer_count; /* ever; the newest overwrites the oldest */
};

void vox_feedback_init(struct vox_feedback *fb, const struct vox_feedback_config *config);

/* Counts an RTP packet. The first makes the first report due at its send time. */
void vox_feedback_sent(struct vox_feedback *fb, const struct vox_feedback_packet *packet);

/* When report wants to be called next; VOX_NS_NEVER before the first packet. */
int64_t vox_feedback_next_deadline_ns(const struct vox_feedback *fb);

/* The extended sequence number of the last packet; first_seq - 1 before the first. */
int64_t vox_feedback_newest_seq(const struct vox_feedback *fb);

/*
 * Writes SR and SDES, then XR if there are questions, with a BYE behind them if `bye`; returns the
 * bytes and sets the next deadline (none after a BYE). Returns 0 if nothing was sent yet: who never
 * spoke must not say goodbye (section 6.3.7). The SR's RTP timestamp is now_ns seen on the RTP
 * clock: that of a sample captured at now_ns. Errors: VOX_ENOSPC.
 */
int vox_feedback_report(struct vox_feedback *fb, int64_t now_ns, bool bye, uint8_t *out,
                        size_t capacity);

/*
 * Reads an RTCP datagram. Returns flags of what it brought for us, 0 if nothing.
 * Errors: VOX_ETRUNCATED, VOX_EFORMAT (nothing of it was of use).
 */
int vox_feedback_feed(struct vox_feedback *fb, const void *datagram, size_t len,
                      int64_t arrival_ns);

#endif
