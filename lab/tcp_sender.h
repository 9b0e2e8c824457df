/*
 * The sending half of a TCP in the model (tcp_model.h), as Linux does it where small messages are
 * written one by one: a segment for each write while the window allows; what must wait leaves
 * together. Losses are found by RACK-TLP (RFC 8985) and, last, by timeout (RFC 6298, with Linux's
 * RTO of a round trip and 200 ms at the least). Whether it was none is asked by F-RTO (RFC 5682),
 * timestamps (RFC 4015) and D-SACK (RFC 3708): then the window is as before. What is repeated takes
 * along what follows it, as far as a segment holds it.
 *
 * Thread rule: handle, one owner. Pure; memory at create only.
 */
#ifndef VOX_LAB_TCP_SENDER_H
#define VOX_LAB_TCP_SENDER_H

#include "lab/tcp_receiver.h"

#include <stdint.h>

struct vox_tcp_sender;

struct vox_tcp_sender_config {
    int mss;            /* bytes of the stream in a segment at most */
    int64_t rto_min_ns; /* beside the round trip */
    int64_t rtt_ns;     /* of the handshake; 0: not known */
    void (*on_segment)(void *ctx, const struct vox_tcp_segment *segment);
    void *ctx;
};

struct vox_tcp_sender_stats {
    uint64_t segments;   /* sent, repeated ones included */
    uint64_t repeated;   /* in recovery, and after a timeout */
    uint64_t probes;     /* tail loss probes */
    uint64_t timeouts;   /* RTO */
    uint64_t recoveries; /* begun by RACK */
    uint64_t undone;     /* of them and of the timeouts: nothing had been lost */
};

/* Errors: VOX_ENOMEM. */
int vox_tcp_sender_create(const struct vox_tcp_sender_config *config, struct vox_tcp_sender **out);
void vox_tcp_sender_destroy(struct vox_tcp_sender *sender);

/* Time does not go back from call to call. */
void vox_tcp_sender_write(struct vox_tcp_sender *sender, int64_t bytes, int64_t now_ns);
void vox_tcp_sender_ack(struct vox_tcp_sender *sender, const struct vox_tcp_ack *ack,
                        int64_t now_ns);
/* When fire is due; VOX_NS_NEVER. */
int64_t vox_tcp_sender_deadline_ns(const struct vox_tcp_sender *sender);
void vox_tcp_sender_fire(struct vox_tcp_sender *sender, int64_t now_ns);

const struct vox_tcp_sender_stats *vox_tcp_sender_stats(const struct vox_tcp_sender *sender);

#endif
