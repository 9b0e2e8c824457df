#include "net/stream_peer.h"

#include "base/err.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DISCARD_READS = 16 };

int vox_stream_peer_create(int fd, const struct vox_peer *who, size_t queue_bytes, int64_t now_ns,
                           struct vox_stream_peer **out)
{
    struct vox_stream_peer *peer = malloc(sizeof *peer);
    uint8_t *queue = malloc(queue_bytes);
    if (!peer || !queue) {
        free(peer);
        free(queue);
        return VOX_ENOMEM;
    }
    /* All but the bytes, of which most may never be touched. */
    memset(peer, 0, offsetof(struct vox_stream_peer, bytes));
    peer->who = *who;
    peer->fd = fd;
    peer->alive_ns = now_ns;
    peer->queue = queue;
    peer->capacity = queue_bytes;
    vox_framing_init(&peer->framing, peer->bytes, sizeof peer->bytes, VOX_TRANSPORT_PACKET_BYTES);
    *out = peer;
    return 0;
}

/* A socket closed with bytes unread answers with a reset, which may take what we sent with it. */
static void discard_unread(int fd)
{
    uint8_t bytes[4096];
    for (int i = 0; i < DISCARD_READS; i++)
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0)
            return;
}

void vox_stream_peer_close(struct vox_stream_peer *peer, bool abruptly)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (abruptly)
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    else
        discard_unread(peer->fd);
    close(peer->fd);
    peer->fd = -1;
    free(peer->queue);
    peer->queue = NULL;
    peer->waiting_bytes = 0;
}

void vox_stream_peer_destroy(struct vox_stream_peer *peer)
{
    free(peer);
}

/* ---- the queue ---- */

static void put(struct vox_stream_peer *peer, const uint8_t *bytes, size_t len)
{
    size_t end = peer->begin + peer->waiting_bytes;
    if (end >= peer->capacity)
        end -= peer->capacity;
    size_t to_the_edge = peer->capacity - end;
    size_t first = len < to_the_edge ? len : to_the_edge;
    memcpy(peer->queue + end, bytes, first);
    if (len > first)
        memcpy(peer->queue, bytes + first, len - first);
    peer->waiting_bytes += len;
}

static void drop(struct vox_stream_peer *peer, size_t len)
{
    peer->begin += len;
    if (peer->begin >= peer->capacity)
        peer->begin -= peer->capacity;
    peer->waiting_bytes -= len;
    /* Begins anew, so that a queue that is never long touches no more memory than it needs. */
    if (peer->waiting_bytes == 0)
        peer->begin = 0;
}

/* Bytes taken, 0 for none now. What breaks the connection drops all; reading tells. */
static size_t write_some(struct vox_stream_peer *peer, struct iovec *parts, size_t count)
{
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t taken = sendmsg(peer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) {
        peer->has_taken = true;
        return (size_t)taken;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM)
        return 0;
    /* EPIPE says only that somebody ended it before. */
    if (peer->errno_value == 0 && errno != EPIPE)
        peer->errno_value = errno;
    peer->is_broken = true;
    peer->begin = peer->waiting_bytes = 0;
    return 0;
}

void vox_stream_peer_flush(struct vox_stream_peer *peer)
{
    while (peer->waiting_bytes > 0) {
        size_t to_the_edge = peer->capacity - peer->begin;
        size_t first = peer->waiting_bytes < to_the_edge ? peer->waiting_bytes : to_the_edge;
        struct iovec parts[] = {{.iov_base = peer->queue + peer->begin, .iov_len = first},
                                {.iov_base = peer->queue, .iov_len = peer->waiting_bytes - first}};
        size_t taken = write_some(peer, parts, parts[1].iov_len > 0 ? 2 : 1);
        if (taken == 0)
            return;
        drop(peer, taken);
    }
}

/* sendmsg only reads, but its iovec does not say so. */
static struct iovec part_of(const void *bytes, size_t len)
{
    const union {
        const void *read;
        void *any;
    } pointer = {.read = bytes};
    return (struct iovec){.iov_base = pointer.any, .iov_len = len};
}

int vox_stream_peer_send(struct vox_stream_peer *peer, const void *bytes, size_t len)
{
    uint8_t header[VOX_FRAMING_HEADER_BYTES];
    if (vox_framing_write_header(len, header) < 0)
        return VOX_ELIMIT;
    size_t taken = 0;
    if (peer->waiting_bytes == 0 && !peer->is_broken) {
        struct iovec parts[] = {part_of(header, sizeof header), part_of(bytes, len)};
        taken = write_some(peer, parts, 2);
    }
    if (peer->is_broken || taken == sizeof header + len)
        return 0;
    if (sizeof header + len - taken > peer->capacity - peer->waiting_bytes)
        return VOX_ENOSPC;
    if (taken < sizeof header) {
        put(peer, header + taken, sizeof header - taken);
        taken = sizeof header;
    }
    put(peer, (const uint8_t *)bytes + (taken - sizeof header), len + sizeof header - taken);
    return 0;
}

/* ---- reading ---- */

void vox_stream_peer_read(struct vox_stream_peer *peer)
{
    size_t room;
    uint8_t *at = vox_framing_room(&peer->framing, &room);
    if (room == 0)
        return;
    ssize_t len = recv(peer->fd, at, room, MSG_DONTWAIT);
    if (len > 0) {
        vox_framing_filled(&peer->framing, (size_t)len);
        return;
    }
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    peer->has_ended = true;
    if (len < 0 && peer->errno_value == 0)
        peer->errno_value = errno;
}

size_t vox_stream_peer_pending(const struct vox_stream_peer *peer)
{
    int kernel_bytes = 0;
    if (ioctl(peer->fd, SIOCOUTQ, &kernel_bytes) < 0 || kernel_bytes < 0)
        kernel_bytes = 0;
    return peer->waiting_bytes + (size_t)kernel_bytes;
}
