/*
 * The receiving engine: RTP and RTCP datagrams in, PCM out. No I/O, no clock, no thread.
 *
 *     struct vox_receiver_config config;
 *     vox_receiver_config_init(&config);
 *     vox_receiver_create(&config, &receiver);
 *     vox_receiver_push(receiver, datagram, len, arrival_ns, path);      // from the network
 *     vox_receiver_pull(receiver, pcm, frames, now_ns, playout_ns);      // to the converter
 *     if (now_ns >= vox_receiver_next_deadline_ns(receiver))
 *         vox_receiver_tick(receiver, now_ns);                           // RTCP, time-outs
 *
 * The host drives: a libuv program, an audio callback, or the lab in virtual time. Each SSRC is a
 * source of its own with jitter buffer, decoder and playout; pull mixes them.
 *
 * Two clocks can pull. A device pulls by its own clock (follow_source false): each source is then
 * resampled by the few ppm that its sender's clock differs. A file has no clock (follow_source
 * true): the host pulls when vox_receiver_next_pull_ns() says so, which follows the sender's clock,
 * and the samples are those of the decoder, untouched.
 *
 * Times: int64_t nanoseconds of one monotonic clock of the host. A path is the host's own number
 * for the address a datagram came from; the engine gives it back with the RTCP meant for that
 * address.
 *
 * Delays are counted from the fastest packet of the last seconds. Where the sender writes capture
 * times (abs-capture-time) and both ends share a clock, the total is also known absolutely.
 *
 * Thread rule: one owner. Callbacks run inside the calls. All but create and destroy are RT-safe.
 */
#ifndef VOX_RECEIVER_H
#define VOX_RECEIVER_H

#include "base/api.h"
#include "base/prefer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vox_receiver;

enum {
    VOX_RECEIVER_MAX_SOURCES = 64,
    VOX_RECEIVER_MAX_BLOCK_FRAMES = 960,
    VOX_RECEIVER_MAX_PATHS = 256, /* numbers from here on are never local */
};

/* What became of a pushed datagram. From VOX_PUSH_NOT_RTP on it was rejected. */
enum vox_push_result {
    VOX_PUSH_TAKEN,
    VOX_PUSH_RTCP,
    VOX_PUSH_DUPLICATE,
    VOX_PUSH_LATE,   /* its time to be played is over */
    VOX_PUSH_REPEAT, /* taken: sent again, as we had asked */
    VOX_PUSH_NOT_RTP,
    VOX_PUSH_NOT_OPUS,
    VOX_PUSH_FOREIGN_PAYLOAD, /* another payload type than this source's: its number is not lost */
    VOX_PUSH_SEQUENCE_JUMP,   /* held against it until the next packet confirms the jump */
    VOX_PUSH_TOO_MANY_SOURCES,
    VOX_PUSH_BUFFER_FULL, /* too far ahead of what is being played */
    VOX_PUSH_BAD_RTCP,
    VOX_PUSH_UNASKED, /* sent again, but not for us */
    VOX_PUSH_RESULTS
};

enum vox_glitch_cause {
    VOX_GLITCH_LOST,       /* the network never delivered it */
    VOX_GLITCH_LATE,       /* it came, but after its time */
    VOX_GLITCH_SENDER_GAP, /* the sender had no audio: its timestamps jump, no packet is missing */
    VOX_GLITCH_UNDERRUN,   /* the device asked too late for audio; told by the host */
    VOX_GLITCH_SKIPPED,    /* it came so late, in a heap, that it was left out to be live again */
    VOX_GLITCH_CAUSES
};

enum vox_event_kind {
    VOX_EVENT_SOURCE_STARTED,
    VOX_EVENT_SOURCE_ENDED,   /* value: enum vox_source_end */
    VOX_EVENT_GLITCH,         /* cause, duration_ns, late_ns */
    VOX_EVENT_TARGET,         /* value: new delay target in ns */
    VOX_EVENT_STRETCH,        /* reason; value: ns put in (> 0) or taken out (< 0) */
    VOX_EVENT_SEQUENCE_JUMP,  /* value: by how many */
    VOX_EVENT_TIMESTAMP_JUMP, /* value: by how many ticks */
    VOX_EVENT_WRONG_CLOCK,    /* timestamps do not count 48 kHz; value: the rate they count, Hz */
    VOX_EVENT_RECOVERED,      /* audio of a lost packet came after all; value: its index; carrier */
    VOX_EVENT_KINDS
};

/* Why audio was put in or left out. */
enum vox_stretch_reason {
    VOX_STRETCH_STALL,  /* the next packet is overdue: what is there is made to last */
    VOX_STRETCH_TARGET, /* towards another delay */
    VOX_STRETCH_HOLE,   /* towards a shorter one: a hole was not concealed in full */
    VOX_STRETCH_REASONS
};

/* By what audio came whose packet did not. */
enum vox_carrier {
    VOX_CARRIER_FEC, /* in-band FEC of the next packet */
    VOX_CARRIER_RED, /* a copy in a later packet (RFC 2198) */
    VOX_CARRIER_RTX, /* sent again on request (RFC 4588) */
    VOX_CARRIERS
};

enum vox_source_end { VOX_END_BYE, VOX_END_TIMEOUT, VOX_END_REPLACED };

struct vox_event {
    enum vox_event_kind kind;
    int64_t t_ns;
    int source; /* index, as in the statistics */
    uint32_t ssrc;
    enum vox_glitch_cause cause;
    enum vox_stretch_reason reason;
    enum vox_carrier carrier;
    int64_t duration_ns;
    int64_t late_ns;
    int64_t value;
};

/* A packet that is played. */
struct vox_played_packet {
    int source;
    uint32_t ssrc;
    int channels;  /* as coded */
    int64_t index; /* sequence number, without wrap or jump */
    int64_t ts;    /* 48 kHz ticks, without wrap or jump */
    int duration_ticks;
    int64_t arrival_ns;
    int64_t playout_ns;     /* of its first sample, or when that would have been if it is skipped */
    const uint8_t *payload; /* on_decoded only: borrowed, valid during the callback; else NULL */
    size_t payload_bytes;
};

struct vox_receiver_config {
    int output_hz;       /* 8000..192000; default 48000. With follow_source: 48000 */
    int output_channels; /* 1 or 2; default 2 */
    bool follow_source;
    int max_sources;      /* 1..64; default 16 */
    int payload_type;     /* 0..127, or -1: the first dynamic one a source uses; default -1 */
    int red_payload_type; /* of packets with copies, by a description; 0 (default): found out */
    bool rtx;             /* ask for what is missing (RFC 4585), and take what comes in answer */
    int rtx_payload_type; /* of answers (RFC 4588), by a description; 0 (default): found out */
    int capture_time_id;  /* header extension id; 0: none; default 1 */
    /* Fixed delay over the fastest packet, or what pull needs if that is more; < 0: adaptive;
     * default -1 */
    int64_t delay_ns;
    int64_t min_delay_ns, max_delay_ns; /* of the adaptive target; default 0 and 2 s */
    /* Of the adaptive target: ms of delay that one per cent of concealment is worth; default
     * VOX_PREFER_BALANCED_MS */
    double prefer_ms;
    bool keep_tempo; /* nothing is stretched; the delay moves by resampling alone, by some cents */
    bool clock_synced;      /* the senders' wall clocks are ours: capture times are absolute */
    int64_t wall_offset_ns; /* Unix time minus the host's monotonic time */
    uint32_t ssrc;          /* ours, for RTCP: random from the host */
    uint64_t seed;          /* of RTCP timing */
    const char *cname;      /* copied; default "voxgram" */
    void (*on_rtcp)(void *ctx, uint32_t path, const uint8_t *bytes, size_t len); /* may be NULL */
    void (*on_event)(void *ctx, const struct vox_event *event);                  /* may be NULL */
    /* In playing order, either may be NULL: as it is decoded, which is what a recorder keeps, and
     * as it begins to be heard, which may be a little later and is when playout_ns is exact. */
    void (*on_decoded)(void *ctx, const struct vox_played_packet *packet);
    void (*on_played)(void *ctx, const struct vox_played_packet *packet);
    void *ctx;
};

struct vox_quantiles {
    int64_t p50_ns, p95_ns, p99_ns, max_ns;
    int64_t mean_ns;
};

/* What another delay would have cost on this network lately. */
struct vox_choice {
    double delay_ms; /* mean, over the fastest packets */
    double late_pct; /* of the output, concealed because packets came too late */
    bool chosen;     /* the one in force */
};

enum { VOX_CURVE_CHOICES = 24 };

enum vox_source_state { VOX_SOURCE_PROBATION, VOX_SOURCE_ACTIVE, VOX_SOURCE_ENDED };

struct vox_source_stats {
    int index; /* as in events */
    enum vox_source_state state;
    uint32_t ssrc;
    uint32_t path;
    char cname[64]; /* from SDES; "" until known */
    int channels;
    int payload_type;
    int packet_ticks; /* duration of the latest packet */
    struct {
        uint64_t received, lost, late, duplicate, reordered;
    } packets;
    struct {
        /* codec packets */
        uint64_t played, decoded, concealed, from_fec, from_red, from_rtx, stretched;
    } frames;
    struct {
        /* requests: datagrams; asked and retried: packets in them; guesses: of those asked for,
         * before one behind them had come, and of these in vain; answered: packets that came */
        uint64_t requests, asked, retried, guesses, vain_guesses, answered;
    } retransmission;
    uint64_t lbrr_packets; /* that carry in-band FEC: read from the packets */
    uint64_t red_packets;  /* that carry copies */
    struct {
        /* With 28 bytes of IPv4 and UDP headers on each datagram: all; of these, copies with their
         * headers; what was sent again */
        uint64_t bytes, copies_bytes, repeats_bytes;
        int64_t first_ns, last_ns; /* arrivals of the first and the last; if bytes > 0 */
    } wire;
    int64_t played_ns, concealed_ns, dtx_ns, stretched_ns;
    uint64_t stretch_ops;
    struct {
        uint64_t count;
        int64_t ns;
    } glitches[VOX_GLITCH_CAUSES];
    struct {
        struct vox_quantiles network; /* over the fastest packet */
        struct vox_quantiles buffer;  /* arrival to playout */
        struct vox_quantiles total;   /* capture to playout if total_is_absolute, else over the
                                         fastest packet */
    } delay;
    bool total_is_absolute;
    int64_t target_ns;     /* of the delay over the fastest packet */
    int64_t current_ns;    /* that delay now */
    int64_t jitter_ns;     /* RFC 3550, section A.8 */
    int64_t rtt_ns;        /* to the sender and back, the latest; -1 until known */
    double clock_skew_ppm; /* sender's clock against ours; > 0: it runs fast */
    double resample_ppm;   /* correction in force */
    /* Delay against glitches, by delay; 0 choices: fixed, or too little was heard. */
    int curve_count;
    struct vox_choice curve[VOX_CURVE_CHOICES];
};

struct vox_receiver_stats {
    uint64_t pushed[VOX_PUSH_RESULTS]; /* datagrams by result */
    uint64_t underruns;
    int64_t underrun_ns;
    double rms_db, peak_db;       /* of the output since the last read */
    struct vox_source_stats past; /* sums over ended sources that are no longer listed */
    int source_count;
    struct vox_source_stats sources[VOX_RECEIVER_MAX_SOURCES];
};

VOX_API void vox_receiver_config_init(struct vox_receiver_config *config);

/* Errors: VOX_EINVAL (a value outside its range), VOX_ENOMEM. */
VOX_API int vox_receiver_create(const struct vox_receiver_config *config,
                                struct vox_receiver **out);
VOX_API void vox_receiver_destroy(struct vox_receiver *receiver);

/* Copies the datagram in. Never an error: hostile bytes are an outcome. */
VOX_API enum vox_push_result vox_receiver_push(struct vox_receiver *receiver, const void *datagram,
                                               size_t len, int64_t arrival_ns, uint32_t path);

/*
 * Fills frames * output_channels samples, the first of which is played at playout_ns; now_ns is the
 * time of the call, before which a packet must have come to be heard. Returns how many frames, from
 * the first on, belong to a source that plays; the rest is silence. frames: any, 2.5..20 ms is
 * usual.
 */
VOX_API int vox_receiver_pull(struct vox_receiver *receiver, float *pcm, int frames, int64_t now_ns,
                              int64_t playout_ns);

/*
 * follow_source only: when the next block is due on the clock of the first playing source, and how
 * many frames it should have: a whole packet if it has come, up to VOX_RECEIVER_MAX_BLOCK_FRAMES;
 * 10 ms or a shorter packet where it has not. VOX_NS_NEVER while nothing plays. After each pull ask
 * again.
 */
VOX_API int64_t vox_receiver_next_pull_ns(const struct vox_receiver *receiver);
VOX_API int vox_receiver_block_frames(const struct vox_receiver *receiver);

/* The same for one source alone, for a file per source: by index, 0 .. max_sources - 1. */
VOX_API int vox_receiver_pull_source(struct vox_receiver *receiver, int source, float *pcm,
                                     int frames, int64_t now_ns, int64_t playout_ns);
VOX_API int64_t vox_receiver_source_next_pull_ns(const struct vox_receiver *receiver, int source);

/*
 * Whether a source (-1: each that plays) has nothing to play for now: what pull gives is digital
 * silence until its audio goes on. A recorder keeps it back, since it may be the end.
 */
VOX_API bool vox_receiver_is_idle(const struct vox_receiver *receiver, int source);

/*
 * When tick wants to be called next; tick sends reports, asks for missing packets and ends silent
 * sources. A tick that comes more than a second too late is one of a host that stood still: silence
 * is counted from then on.
 */
VOX_API int64_t vox_receiver_next_deadline_ns(const struct vox_receiver *receiver);
VOX_API void vox_receiver_tick(struct vox_receiver *receiver, int64_t now_ns);

/* The host tells of a gap at its device, so that it is counted with the other glitches. */
VOX_API void vox_receiver_underrun(struct vox_receiver *receiver, int64_t t_ns, int64_t gap_ns);

/* Sends a BYE to every path. */
VOX_API void vox_receiver_finish(struct vox_receiver *receiver, int64_t now_ns);

/* Whether sources were heard and all of them have said BYE or timed out. */
VOX_API bool vox_receiver_all_ended(const struct vox_receiver *receiver);

/* Tells whether a path leads to this same machine: capture times from there are absolute. */
VOX_API void vox_receiver_set_path_local(struct vox_receiver *receiver, uint32_t path, bool local);

VOX_API void vox_receiver_read_stats(struct vox_receiver *receiver, struct vox_receiver_stats *out);

/* Adds the counts and durations of one source to a sum; the rest of the sum stays. */
VOX_API void vox_source_stats_add(struct vox_source_stats *sum, const struct vox_source_stats *one);

#ifdef __cplusplus
}
#endif

#endif
