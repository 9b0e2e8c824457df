/* The side of a stream that goes to another, and goes again when that fails. */
#include "net/stream.h"

#include "base/time.h"
#include "net/stream_socket.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void failed(struct vox_stream *stream, int errno_value, int64_t now_ns)
{
    const struct vox_peer peer = {.address = stream->config.address};
    if (stream->calling.fd >= 0)
        close(stream->calling.fd);
    stream->calling.fd = -1;
    stream->calling.deadline_ns = VOX_NS_NEVER;
    stream->calling.again_ns = vox_backoff_failed(&stream->calling.backoff, now_ns);
    stream->stats.refused++;
    if (errno_value != stream->calling.told_errno)
        vox_stream_note(stream, VOX_TRANSPORT_REFUSED, errno_value, &peer);
    stream->calling.told_errno = errno_value;
}

static void succeeded(struct vox_stream *stream, int64_t now_ns)
{
    int fd = stream->calling.fd;
    if (vox_stream_socket_is_itself(fd)) {
        failed(stream, ECONNREFUSED, now_ns);
        return;
    }
    stream->calling.fd = -1;
    stream->calling.deadline_ns = stream->calling.again_ns = VOX_NS_NEVER;
    stream->calling.told_errno = 0;
    vox_backoff_connected(&stream->calling.backoff, now_ns);
    epoll_ctl(stream->transport.fd, EPOLL_CTL_DEL, fd, NULL);
    vox_stream_add_peer(stream, fd, &stream->config.address, now_ns);
    if (stream->peer_count == 0)
        stream->calling.again_ns = vox_backoff_failed(&stream->calling.backoff, now_ns);
}

static void dial(struct vox_stream *stream, int fd, int64_t now_ns)
{
    const struct vox_address *to = &stream->config.address;
    int64_t patience_ns = stream->config.dead_ns;
    stream->calling.fd = fd;
    stream->calling.again_ns = VOX_NS_NEVER;
    if (connect(fd, (const struct sockaddr *)&to->storage, to->len) == 0) {
        succeeded(stream, now_ns);
        return;
    }
    int err =
        errno == EINPROGRESS ? vox_stream_watch(stream, fd, EPOLLOUT, VOX_STREAM_CALL) : -errno;
    if (err < 0)
        failed(stream, -err, now_ns);
    else
        stream->calling.deadline_ns = patience_ns > 0 ? now_ns + patience_ns : VOX_NS_NEVER;
}

int vox_stream_call_first(struct vox_stream *stream, int64_t now_ns)
{
    int fd = vox_stream_socket_open(&stream->config);
    if (fd < 0)
        return fd;
    vox_backoff_init(&stream->calling.backoff, (uint64_t)now_ns ^ (uint64_t)getpid() << 40);
    stream->transport.local = stream->config.address;
    dial(stream, fd, now_ns);
    return 0;
}

void vox_stream_call_again(struct vox_stream *stream, int64_t now_ns)
{
    int fd = vox_stream_socket_open(&stream->config);
    if (fd < 0)
        failed(stream, -fd, now_ns);
    else
        dial(stream, fd, now_ns);
}

void vox_stream_call_answered(struct vox_stream *stream, int64_t now_ns)
{
    int errno_value = 0;
    socklen_t len = sizeof errno_value;
    if (stream->calling.fd < 0)
        return;
    if (getsockopt(stream->calling.fd, SOL_SOCKET, SO_ERROR, &errno_value, &len) < 0)
        errno_value = errno;
    if (errno_value)
        failed(stream, errno_value, now_ns);
    else
        succeeded(stream, now_ns);
}

void vox_stream_call_unanswered(struct vox_stream *stream, int64_t now_ns)
{
    failed(stream, ETIMEDOUT, now_ns);
}
