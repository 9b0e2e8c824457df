/*
 * From which moment on each frame of a stream can be played, whichever way its audio came: in its
 * own packet, in the in-band FEC or as a copy in a later one, or sent again. That is the network's
 * share of the delay, and it hangs on no playout.
 *
 *     struct vox_playable_stream stream;
 *     vox_playable_stream_init(&stream);
 *     stream.ssrc = ..., stream.first_timestamp = ..., stream.frames = 500;
 *     if (vox_playable_find(&stream, packets, count, &playable) < 0)
 *         ...
 *     vox_playable_at(&playable, 100 * VOX_NS_PER_MS, &missing);   // a listener who waits 100 ms
 *     vox_playable_clear(&playable);
 *
 * Delay counts from the end of a frame's capture: before that, no network can have it. What passes
 * in front of that is the same for all: the frame itself (20 ms), and the codec's look-ahead
 * (6.5 ms). Capture times come from the stream (abs-capture-time); arrivals must be on their clock.
 *
 * A frame is here what one packet holds.
 *
 * Thread rule: value, one owner; find and delays allocate.
 */
#ifndef VOX_LAB_PLAYABLE_H
#define VOX_LAB_PLAYABLE_H

#include <stddef.h>
#include <stdint.h>

/* Delay of a frame that never came. */
#define VOX_PLAYABLE_NEVER_NS INT64_MAX

enum vox_playable_way {
    VOX_PLAYABLE_LOST,
    VOX_PLAYABLE_PACKET, /* its own */
    VOX_PLAYABLE_FEC,    /* in-band FEC of the next one */
    VOX_PLAYABLE_RED,    /* a copy in a later one (RFC 2198) */
    VOX_PLAYABLE_RTX,    /* sent again (RFC 4588) */
    VOX_PLAYABLE_WAYS
};

/* What arrived, in any order: RTP, RTCP, anything. */
struct vox_playable_packet {
    int64_t arrival_ns;
    const uint8_t *bytes; /* borrowed; without the headers of IP and UDP */
    size_t len;
};

struct vox_playable_stream {
    uint32_t ssrc;
    uint32_t first_timestamp;
    size_t frames;                                            /* that were sent */
    int frame_ticks;                                          /* default 960 */
    int lookahead_ticks;                                      /* of the encoder; default 312 */
    uint8_t payload_type, red_payload_type, rtx_payload_type; /* default 96, 97, 98 */
    uint8_t capture_time_id;                                  /* default 1 */
};

struct vox_playable_frame {
    int64_t delay_ns; /* from the end of its capture; VOX_PLAYABLE_NEVER_NS */
    enum vox_playable_way way;
    size_t packet; /* that brought it, unless LOST */
};

struct vox_playable {
    struct vox_playable_frame *frames;
    size_t count;
    int64_t frame_ns;
    int64_t first_end_ns; /* of the capture of the first frame */
};

/* For a listener whose audio plays so long after its capture. */
struct vox_playable_missing {
    size_t frames;      /* late, or lost for good */
    double pct;         /* their share */
    double burst_ratio; /* how much longer their bursts are than chance would have them, >= 1 */
    int64_t longest_ns; /* burst: the longest stretch without audio */
};

/* Of those that came at all; zeros if none did. */
struct vox_playable_delays {
    int64_t p50_ns, p95_ns, p99_ns, max_ns;
    double lost_pct;         /* that never came */
    int64_t longest_wait_ns; /* in which nothing new could be played */
};

void vox_playable_stream_init(struct vox_playable_stream *stream);

/*
 * Errors: VOX_EINVAL (no frames, a frame of no length), VOX_EEND (nothing of the stream arrived, or
 * nothing that tells a capture time), VOX_ENOMEM.
 */
int vox_playable_find(const struct vox_playable_stream *stream,
                      const struct vox_playable_packet *packets, size_t count,
                      struct vox_playable *out);
void vox_playable_clear(struct vox_playable *playable);

void vox_playable_at(const struct vox_playable *playable, int64_t budget_ns,
                     struct vox_playable_missing *out);

/* Errors: VOX_ENOMEM. */
int vox_playable_delays(const struct vox_playable *playable, struct vox_playable_delays *out);

/* How many frames came that way. */
size_t vox_playable_count(const struct vox_playable *playable, enum vox_playable_way way);

/* ---- what a packet carries ---- */

enum { VOX_PLAYABLE_MAX_CARRIED = 6 };

struct vox_playable_carried {
    size_t frame;
    enum vox_playable_way way;
};

/* All frames that a packet holds audio of, its own first; returns how many. 0: none of these. */
int vox_playable_carried(const struct vox_playable_stream *stream,
                         const struct vox_playable_packet *packet,
                         struct vox_playable_carried out[VOX_PLAYABLE_MAX_CARRIED]);

#endif
