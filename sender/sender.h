/*
 * The sending engine: PCM in, RTP and RTCP datagrams out. No I/O, no clock, no thread.
 *
 *     struct vox_sender_config config;
 *     vox_sender_config_init(&config, VOX_PROFILE_VOICE);
 *     config.on_datagram = my_sendto; config.ctx = me;
 *     vox_sender_create(&config, &sender);
 *     vox_sender_push(sender, pcm, frames, capture_ns);          // as often as there is audio
 *     if (now_ns >= vox_sender_next_deadline_ns(sender))
 *         vox_sender_tick(sender, now_ns);                       // RTCP
 *     if (microphone_was_unplugged())
 *         vox_sender_flush(sender, capture_ns);                  // what there is of a frame
 *     vox_sender_finish(sender, now_ns);                         // last frame and BYE
 *
 * The host drives: a program on the real clock, the lab in virtual time. Audio is resampled to 48
 * kHz, mapped to one or two channels, cut into frames, encoded (RFC 6716) and packetized (RFC 3550,
 * RFC 7587). The RTP clock follows the capture clock: the times that come with push.
 *
 * Times: now_ns, capture_ns and send_ns are int64_t nanoseconds of one monotonic clock of the host.
 * wall_offset_ns turns them into Unix time for RTCP and for the abs-capture-time extension.
 *
 * An RTP timestamp stands for the first sample that a decoder makes of the packet. The encoder
 * looks ahead: that sample was captured vox_sender_lookahead() ticks before the first one that went
 * into the frame. The abs-capture-time extension and the sender reports give this earlier time, so
 * a receiver that subtracts it from its playout time has the codec's delay included.
 *
 * Thread rule: one owner. Callbacks run inside the calls. push, flush, tick and feed are RT-safe.
 */
#ifndef VOX_SENDER_H
#define VOX_SENDER_H

#include "base/api.h"
#include "base/prefer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vox_sender;

enum { VOX_SENDER_MAX_COPIES = 4 };

/* What the encoder is tuned for; docs/protocol.md has the table of settings. */
enum vox_profile { VOX_PROFILE_VOICE, VOX_PROFILE_MUSIC, VOX_PROFILE_LOWDELAY };

/* What a stream spends on being heard in spite of loss. */
struct vox_protection {
    int bitrate_bps; /* of the audio */
    bool fec;        /* in-band FEC (LBRR) where the codec can: encoder.h */
    bool repeat;     /* packets that receivers ask for are sent again */
    /* Each packet carries copies of those so many before it (RFC 2198): 1..64 and at most 341 ms,
     * ascending; 0 ends the list. */
    int distances[VOX_SENDER_MAX_COPIES];
};

/* Why the protection was changed. */
enum vox_adapt_reason {
    VOX_ADAPT_LOSS_ROSE,
    VOX_ADAPT_LOSS_FELL,
    VOX_ADAPT_BURSTS,      /* losses come in longer or shorter bursts */
    VOX_ADAPT_DELAY,       /* jitter leaves more or less time for repairs */
    VOX_ADAPT_ASKED,       /* a receiver asks for what it misses; or the round trip changed */
    VOX_ADAPT_QUEUE,       /* congestion: the round trip has grown */
    VOX_ADAPT_RATE,        /* less is tried: loss may go with the rate */
    VOX_ADAPT_RANDOM_LOSS, /* it did not */
    VOX_ADAPT_ROOM,        /* congestion is over */
    VOX_ADAPT_REASONS
};

/* RTX: an RTP packet that repeats one, in a stream of its own (RFC 4588). */
enum vox_datagram_kind { VOX_DATAGRAM_RTP, VOX_DATAGRAM_RTCP, VOX_DATAGRAM_RTX };

struct vox_datagram {
    enum vox_datagram_kind kind;
    const uint8_t *bytes; /* borrowed, valid during the callback */
    size_t len;
    /*
     * When it is due. RTP: capture of its last input sample and the resampler's delay, if there is
     * one; never decreases. RTX: now. RTCP: now; the first report and the BYE with the first and
     * last packet.
     */
    int64_t send_ns;
};

enum vox_sender_event_kind {
    VOX_SENDER_EVENT_CAPTURE_GAP,  /* value_ns of audio is missing in front of capture time t_ns */
    VOX_SENDER_EVENT_REPORT,       /* a receiver reports on us; value_ns is the round trip or -1 */
    VOX_SENDER_EVENT_RECEIVER_BYE, /* one that had reported leaves */
    VOX_SENDER_EVENT_ADAPTED,      /* another protection from now on, and why */
};

struct vox_sender_event {
    enum vox_sender_event_kind kind;
    int64_t t_ns;
    int64_t value_ns;
    /* of ADAPTED: */
    enum vox_adapt_reason reason;
    struct vox_protection protection;
    double loss_pct, burst_packets; /* reckoned with */
    int wire_bps;                   /* that the protection takes at most */
};

struct vox_sender_config {
    int input_hz;       /* 1000..768000; default 48000 */
    int input_channels; /* 1..8; default 1 */
    int input_bits;     /* that count in a sample: 16 for 16-bit PCM; 8..24; default 24 */
    int channels;       /* to be coded: 1 or 2; default 1. Where bits are few, 2 become mono */
    enum vox_profile profile;
    int frame_ticks;       /* 48 kHz samples: 120, 240, 480, 960, 1920, 2880; default 960 */
    int bitrate_bps;       /* 6000..510000, a frame within 1424 bytes; 0: the profile's (default) */
    int complexity;        /* 0..10 */
    bool dtx;              /* silence is not sent (RFC 7587, section 3.1.3) */
    bool fec;              /* in-band FEC (LBRR) where the codec can: encoder.h */
    int expected_loss_pct; /* 0..100, default 8; used with fec; the codec is told less: encoder.h */
    /* What the receivers report decides on bitrate_bps, which is the most, fec and red_distances,
     * which then are not asked for, within a budget: */
    bool adapt;
    int64_t max_delay_ns; /* that repairs may cost, over the fastest packet; default 100 ms */
    int max_wire_bps; /* with headers; 0 (default): two and a half times what the plain stream takes
                       */
    double prefer_ms; /* VOX_PREFER_...; default VOX_PREFER_BALANCED_MS */
    uint8_t payload_type; /* 0..63, 96..127; default 96 */
    /* Each packet carries copies of those so many before it (RFC 2198): 1..64 and at most 341 ms,
     * ascending; 0 ends the list; default none. */
    int red_distances[VOX_SENDER_MAX_COPIES];
    uint8_t red_payload_type; /* of packets with copies; default 97 */
    bool rtx;                 /* answer NACKs with retransmissions: repeat.h has the bounds */
    uint8_t rtx_payload_type; /* of retransmissions; default 98 */
    uint32_t rtx_ssrc;        /* with rtx: SSRC and first sequence number of retransmissions, */
    uint16_t rtx_first_seq;   /* random from the host; the SSRC is not that of the stream */
    int64_t ahead_ns;         /* with rtx: how long before its time audio is pushed; default 0 */
    uint8_t capture_time_id;  /* header extension id 1..14; 0: do not send; default 1 */
    uint32_t ssrc;            /* SSRC, first sequence number and timestamp: random from the host */
    uint16_t first_seq;
    uint32_t first_timestamp;
    uint64_t seed;          /* of RTCP timing */
    const char *cname;      /* copied; 1..255 bytes; default "voxgram" */
    int64_t wall_offset_ns; /* Unix time minus the host's monotonic time */
    void (*on_datagram)(void *ctx, const struct vox_datagram *datagram);
    void (*on_event)(void *ctx, const struct vox_sender_event *event); /* may be NULL */
    void *ctx;
};

struct vox_sender_stats {
    uint64_t packets; /* RTP */
    uint64_t payload_bytes;
    uint64_t red_packets;     /* that carry copies */
    uint64_t redundant_bytes; /* of copies and their headers */
    /* Copies that were to be carried: they were; they are too long for RED or for a datagram; their
     * packet was not sent, in a pause, or not yet */
    uint64_t copies, copies_too_long, copies_absent;
    uint64_t nacks_received;
    uint64_t rtx_asked;       /* packets that they named */
    uint64_t rtx_packets;     /* of those, sent again */
    uint64_t rtx_refused;     /* of those, not: gone, repeated just before, or too many */
    uint64_t rtx_bytes;       /* with 28 bytes of IPv4 and UDP headers each */
    uint64_t wire_bytes;      /* RTP, RTX and RTCP, likewise */
    uint64_t frames_captured; /* 48 kHz samples per channel */
    uint64_t dtx_packets;     /* not sent: silence */
    uint64_t lbrr_packets;    /* that really carry in-band FEC: read from the packets */
    uint64_t stereo_packets;  /* really coded in stereo, likewise */
    uint64_t capture_gaps;
    int64_t capture_gap_ns;
    uint64_t stale_frames; /* left out at a gap: overdue */
    uint64_t rtcp_sent, rtcp_received, rtcp_rejected;
    /* the latest report about us: */
    uint64_t reports;
    double reported_loss_pct; /* since the report before */
    int64_t reported_lost;    /* cumulative */
    int64_t reported_jitter_ns;
    int64_t rtt_ns;       /* -1 until known */
    double burst_packets; /* mean loss burst of the last 1024 packets; 0: none is known */
    /* with adapt: */
    struct vox_protection protection; /* in force, without adapt too */
    uint64_t adaptations;
    enum vox_adapt_reason adapt_reason; /* of the latest */
    double adapt_loss_pct, adapt_burst_packets;
    int wire_cap_bps; /* what congestion leaves of the budget */
    /* level of the input since the last read: */
    double rms_db, peak_db;
    uint64_t clipped_samples; /* at or beyond full scale */
};

/* Defaults of a profile (frame, bitrate, complexity), 48 kHz mono in and out, FEC and DTX off. */
VOX_API void vox_sender_config_init(struct vox_sender_config *config, enum vox_profile profile);

/* Errors: VOX_EINVAL (a value outside its range; no on_datagram), VOX_ENOMEM, VOX_ECODEC. */
VOX_API int vox_sender_create(const struct vox_sender_config *config, struct vox_sender **out);
VOX_API void vox_sender_destroy(struct vox_sender *sender);

/*
 * Takes frames of interleaved input PCM (+-1.0), the first captured at capture_ns. Emits every
 * packet that becomes complete. If capture_ns is more than 20 ms off from where the last push
 * ended, the RTP timestamp jumps by that much, so that the receiver sees the gap for what it is.
 * The frame that had begun is filled up with silence, or left out if it is more than 20 ms overdue
 * by then. Errors: VOX_ECODEC.
 */
VOX_API int vox_sender_push(struct vox_sender *sender, const float *pcm, size_t frames,
                            int64_t capture_ns);

/*
 * The source is interrupted: a device is gone. Pads what is left to a whole frame and emits it at
 * once, instead of when audio comes again; leaves it out if it is overdue by more than 20 ms.
 * capture_ns: what audio that came just now would have, which is earlier than now by the source's
 * latency. The next push begins a frame of its own, and the RTP timestamp jumps by what is missing
 * in front of it. Errors: VOX_ECODEC, VOX_EEND (after finish).
 */
VOX_API int vox_sender_flush(struct vox_sender *sender, int64_t capture_ns);

/*
 * What is pushed from now on has this rate and this many channels: a device came back with others.
 * The stream goes on: SSRC, numbers, timestamps, coded channels, a frame that has begun. The
 * config's input_bits stay. Not RT-safe. Errors, nothing changed: VOX_EINVAL (as for create),
 * VOX_ENOMEM, VOX_EEND (after finish). VOX_ECODEC: changed, but a frame could not be encoded.
 */
VOX_API int vox_sender_set_input(struct vox_sender *sender, int input_hz, int input_channels);

/*
 * Pads what is left to a whole frame, emits it, then a BYE due with the last packet, at now_ns at
 * the earliest, and again 100 and 200 ms later, since the network may lose it; none if nothing was
 * ever sent. Errors: VOX_ECODEC, VOX_EEND (called twice).
 */
VOX_API int vox_sender_finish(struct vox_sender *sender, int64_t now_ns);

/*
 * RTCP from a receiver. Returns 1 if it was taken, 0 if it was not about us or was malformed. Emits
 * what it asks for again, after finish too.
 */
VOX_API int vox_sender_feed(struct vox_sender *sender, const void *datagram, size_t len,
                            int64_t arrival_ns);

/* When tick wants to be called next; VOX_NS_NEVER before the first packet and after finish. feed
 * may bring it forward. */
VOX_API int64_t vox_sender_next_deadline_ns(const struct vox_sender *sender);
VOX_API void vox_sender_tick(struct vox_sender *sender, int64_t now_ns);

/* Encoder's delay in 48 kHz samples (OPUS_GET_LOOKAHEAD). */
VOX_API int vox_sender_lookahead(const struct vox_sender *sender);
VOX_API void vox_sender_read_stats(struct vox_sender *sender, struct vox_sender_stats *out);

#ifdef __cplusplus
}
#endif

#endif
