/*
 * A call as a recorded network (channel/trace.h): what became of each packet, in lines
 * `seq send_ms recv_ms|lost` in order of sequence numbers, a second one for a second copy.
 *
 *     vox_tracer_create(&config, &tracer);
 *     vox_tracer_push(tracer, datagram, len, arrival_ns, same_clock);   // each, as it comes
 *     vox_tracer_finish(tracer);
 *     vox_tracer_correction(tracer, &correction);        // what is known of the clocks only now
 *
 * It follows one source: the first that sends two packets of Opus. Other sources, and a sender that
 * begins anew under another SSRC, are counted. Jumps of its sequence numbers and timestamps are
 * taken out, as for playing (depacketizer.h). seq is that of RTP, which begins anywhere; send_ms
 * begins at 0.
 *
 * Lines are held back for 5 s, so that packets that come late are in their place. A packet
 * that is missing longer is lost, here as for whoever listens.
 *
 * When a packet left is known from its timestamp, on the sender's clock. While the call lasts,
 * send_ms is that, and recv_ms is set off so that the fastest packet so far needed no time, or the
 * time that its capture time tells if both ends have one clock. As a faster packet comes, all
 * after it are moved: a comment `# shift_ms X` says by how much in all. So every beginning of the
 * text is a trace. In hindsight it can be better: see vox_tracer_correction.
 *
 * Thread rule: one owner. push is RT-safe but for what on_text does.
 */
#ifndef VOX_RECEIVER_TRACER_H
#define VOX_RECEIVER_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_tracer;

struct vox_tracer_config {
    int payload_type;       /* 0..127, or -1: the first dynamic one of the source */
    int capture_time_id;    /* header extension id; 0: none */
    int64_t wall_offset_ns; /* Unix time minus the clock of the arrival times */
    void (*on_text)(void *ctx, const char *text, size_t len); /* whole lines, some times a second */
    void *ctx;
};

struct vox_tracer_stats {
    bool started;
    uint32_t ssrc;
    uint64_t packets, lost, duplicates; /* as written so far */
    uint64_t too_late;                  /* came after they were written off as lost */
    uint64_t others;                    /* packets of Opus of other sources */
    bool ended; /* so many numbers are missing that it was given up: they mean something else */
};

/*
 * final send = send + slope * send, final recv = recv - shift_ms so far + offset. send is then on
 * the receiver's clock, and the fastest packet has needed least_ns.
 */
struct vox_tracer_correction {
    double slope;
    int64_t offset_ns;
    bool absolute;    /* least_ns is known from capture times; else it is 0 */
    int64_t least_ns; /* one way, of the fastest packet */
};

/* No payload type given, no capture times. */
void vox_tracer_config_init(struct vox_tracer_config *config);

/* Errors: VOX_ENOMEM, VOX_EINVAL (no on_text). */
int vox_tracer_create(const struct vox_tracer_config *config, struct vox_tracer **out);
void vox_tracer_destroy(struct vox_tracer *tracer);

/*
 * A datagram of any kind. arrival_ns must not decrease by more than reordering of the caller's
 * sockets explains. same_clock: the sender's wall clock is ours.
 */
void vox_tracer_push(struct vox_tracer *tracer, const void *datagram, size_t len,
                     int64_t arrival_ns, bool same_clock);

/* Writes what was held back. */
void vox_tracer_finish(struct vox_tracer *tracer);

void vox_tracer_read_stats(const struct vox_tracer *tracer, struct vox_tracer_stats *out);
void vox_tracer_correction(const struct vox_tracer *tracer, struct vox_tracer_correction *out);

/* A time as it stands in a trace, in ms with three digits after the point. */
enum { VOX_TRACER_TIME_BYTES = 32 };
const char *vox_tracer_time(int64_t ns, char text[VOX_TRACER_TIME_BYTES]);

#endif
