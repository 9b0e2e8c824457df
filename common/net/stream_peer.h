/*
 * One connection of a stream: packets into it with what it does not take now waiting in a bounded
 * queue, packets out of it (wire/framing.h). Knows nothing of who listens or calls. For this
 * layer's own use.
 *
 *     vox_stream_peer_create(fd, &who, queue_bytes, now_ns, &peer);
 *     vox_stream_peer_send(peer, bytes, len);              // may wait in the queue
 *     ... when it is writable:  vox_stream_peer_flush(peer);
 *     ... when it is readable:  vox_stream_peer_read(peer);
 *     while (vox_framing_next(&peer->framing, &packet))
 *         take(&packet);
 *
 * Thread rule: the stream holds its lock around all of these.
 */
#ifndef VOX_NET_STREAM_PEER_H
#define VOX_NET_STREAM_PEER_H

#include "net/transport.h"
#include "wire/framing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_STREAM_PEER_READ_BYTES = 4096 /* at once, so that no peer keeps the others waiting */ };

struct vox_stream_peer {
    struct vox_peer who;
    int fd;
    int64_t alive_ns; /* when it last sent a packet, or took what we sent, or came */
    bool has_taken;   /* since alive_ns was last looked at */
    bool is_known;    /* it has sent a packet, or taken one */

    uint8_t *queue; /* a ring of frames */
    size_t capacity, begin, waiting_bytes;
    bool is_broken; /* takes nothing any more; reading will say why, if anything does */

    struct vox_framing framing;
    bool has_ended; /* nothing more will come; errno_value says why, 0: in order */
    int errno_value;
    int cut_in_a_row; /* packets that no sender of audio makes */

    /* The stream's. */
    uint32_t watched; /* what its descriptor is in the epoll for */
    bool is_gone;     /* it had ended its half, and takes nothing any more */
    bool must_go;
    enum vox_transport_event_kind reason;
    bool is_in_line;
    uint64_t turn; /* in which it was read last: what is lent must not move before the next */
    struct vox_stream_peer *next;

    uint8_t bytes[VOX_STREAM_PEER_READ_BYTES];
};

/* Takes fd over on success. Errors: VOX_ENOMEM. */
int vox_stream_peer_create(int fd, const struct vox_peer *who, size_t queue_bytes, int64_t now_ns,
                           struct vox_stream_peer **out);

/*
 * Closes the connection: abruptly drops what the kernel still holds for it, and the other side sees
 * a reset; else it is sent.
 */
void vox_stream_peer_close(struct vox_stream_peer *peer, bool abruptly);
/* Frees what close has left; packets lent end here. */
void vox_stream_peer_destroy(struct vox_stream_peer *peer);

/*
 * Sends one packet, with its frame, or has it wait. Returns 0 (also when the connection is broken:
 * reading tells). Errors: VOX_ENOSPC (the queue is full; the peer must go, its stream is torn).
 */
int vox_stream_peer_send(struct vox_stream_peer *peer, const void *bytes, size_t len);

/* Sends what waits, as far as it is taken. */
void vox_stream_peer_flush(struct vox_stream_peer *peer);

/* One read; sets has_ended when there will be no more. */
void vox_stream_peer_read(struct vox_stream_peer *peer);

/* What waits here and, not acknowledged yet, in the kernel. */
size_t vox_stream_peer_pending(const struct vox_stream_peer *peer);

#endif
