/*
 * How many segments a TCP may have under way: CUBIC (RFC 9438), as Linux has it, with proportional
 * rate reduction in recovery (RFC 6937). In segments, which for small messages are writes.
 *
 * A stream that its application limits does not grow its window (RFC 7661): of that Linux has the
 * simplest form, which is what `limited` and `most_out` are for.
 *
 * Thread rule: value, one owner. Pure, RT-safe.
 */
#ifndef VOX_LAB_TCP_WINDOW_H
#define VOX_LAB_TCP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { VOX_TCP_WINDOW_START = 10 /* RFC 6928 */ };

struct vox_tcp_window {
    int size; /* segments */
    int threshold;
    bool limited; /* by it, and not by the application, the stream was in the last round trip */
    int most_out; /* segments under way in the last round trip */
    /* CUBIC: */
    int last_most;
    int64_t epoch_ns; /* 0: none */
    double to_origin_s;
    int origin;
    int friendly; /* what Reno would have */
    int friendly_acked;
    int grown_acked;
    /* Reduction: */
    int before, threshold_before;
    int delivered;
    int sent;
};

void vox_tcp_window_init(struct vox_tcp_window *window);

/* Segments were acknowledged outside of recovery. least_rtt_ns: of the path. */
void vox_tcp_window_grow(struct vox_tcp_window *window, int acked, int64_t now_ns,
                         int64_t least_rtt_ns);

/* A loss: the threshold falls, and the window goes down to it as the next functions say. */
void vox_tcp_window_reduce(struct vox_tcp_window *window);
/* In recovery: so many were delivered, so many are under way, none were found lost by it;
 * advanced: with an acknowledgement of all up to a later byte. */
void vox_tcp_window_delivered(struct vox_tcp_window *window, int delivered, int in_flight,
                              bool advanced);
void vox_tcp_window_sent(struct vox_tcp_window *window);
/* Recovery has ended. */
void vox_tcp_window_settle(struct vox_tcp_window *window);
/* A timeout: one segment, and CUBIC begins anew. */
void vox_tcp_window_collapse(struct vox_tcp_window *window, int in_flight);
/* Nothing had been lost after all. */
void vox_tcp_window_undo(struct vox_tcp_window *window);

#endif
