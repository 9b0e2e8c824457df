/*
 * The receiving half of a TCP in the model (tcp_model.h): puts segments in order, says what it has
 * (cumulative and selective acknowledgements, RFC 2018 and 2883) and when.
 *
 * Thread rule: value, one owner. Pure, RT-safe.
 */
#ifndef VOX_LAB_TCP_RECEIVER_H
#define VOX_LAB_TCP_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_TCP_SACK_BLOCKS = 3, /* beside timestamps no more fit into the options */
    VOX_TCP_HELD_RANGES = 64,
};

/* Bytes of the stream, counted from its beginning. */
struct vox_tcp_range {
    int64_t begin, end;
};

struct vox_tcp_segment {
    struct vox_tcp_range range;
    int64_t sent_ns; /* its timestamp (RFC 7323) */
};

struct vox_tcp_ack {
    int64_t next;    /* everything before that is here */
    int64_t echo_ns; /* the timestamp that it answers; below 0: none yet */
    bool duplicate;  /* the segment was here before (D-SACK) */
    int blocks;
    struct vox_tcp_range sacked[VOX_TCP_SACK_BLOCKS]; /* the latest first */
};

struct vox_tcp_receiver {
    int64_t next;
    int64_t echo_ns;
    int64_t acked; /* as told last */
    int64_t ack_due_ns;
    int64_t delayed_ack_ns; /* as configured */
    int quick;              /* acknowledgements that are not delayed, at the beginning */
    int unacked;            /* segments */
    bool duplicate;
    int held;
    struct vox_tcp_range ranges[VOX_TCP_HELD_RANGES]; /* beyond a gap, the latest first */
};

/* delayed_ack_ns: how long an acknowledgement may wait for the next segment; 0: not at all. */
void vox_tcp_receiver_init(struct vox_tcp_receiver *receiver, int64_t delayed_ack_ns);
void vox_tcp_receiver_take(struct vox_tcp_receiver *receiver, const struct vox_tcp_segment *segment,
                           int64_t now_ns);
/* What is to be sent at ack_due_ns (VOX_NS_NEVER: nothing). */
void vox_tcp_receiver_ack(struct vox_tcp_receiver *receiver, struct vox_tcp_ack *out);

#endif
