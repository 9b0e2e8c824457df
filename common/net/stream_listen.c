/* The side of a stream that others come to. */
#include "net/stream.h"

#include "base/time.h"
#include "net/socket.h"
#include "net/stream_socket.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTED_AT_ONCE = 32 /* then it is the turn of those that are there */ };

#define SHORTAGE_PAUSE_NS VOX_NS_PER_S

int vox_stream_listen(struct vox_stream *stream)
{
    int fd = vox_stream_socket_listen(&stream->config, &stream->listening.path,
                                      &stream->transport.local);
    if (fd < 0)
        return fd;
    stream->listening.fd = fd;
    return vox_stream_watch(stream, fd, EPOLLIN, VOX_STREAM_LISTENER);
}

void vox_stream_accept_again(struct vox_stream *stream)
{
    stream->listening.again_ns = VOX_NS_NEVER;
    vox_stream_watch(stream, stream->listening.fd, EPOLLIN, VOX_STREAM_LISTENER);
}

/* Who waits there keeps the descriptor awake, and cannot be let in: not looked at for a while. */
static void pause_accepting(struct vox_stream *stream, int errno_value, int64_t now_ns)
{
    epoll_ctl(stream->transport.fd, EPOLL_CTL_DEL, stream->listening.fd, NULL);
    stream->listening.again_ns = now_ns + SHORTAGE_PAUSE_NS;
    if (!stream->listening.told_shortage)
        vox_stream_note(stream, VOX_TRANSPORT_REFUSED, errno_value, NULL);
    stream->listening.told_shortage = true;
}

static void turn_away(struct vox_stream *stream, int fd, const struct vox_address *address)
{
    const struct vox_peer peer = {.address = *address};
    close(fd);
    stream->stats.refused++;
    if (!stream->listening.told_full)
        vox_stream_note(stream, VOX_TRANSPORT_REFUSED, 0, &peer);
    stream->listening.told_full = true;
}

static bool is_shortage(int errno_value)
{
    return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOMEM ||
           errno_value == ENOBUFS;
}

void vox_stream_accept(struct vox_stream *stream, int64_t now_ns)
{
    for (int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        struct sockaddr_storage storage = {0};
        socklen_t len = sizeof storage;
        struct vox_address address;
        int fd = accept4(stream->listening.fd, (struct sockaddr *)&storage, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        int errno_value = fd < 0 ? errno : 0;
        if (is_shortage(errno_value))
            pause_accepting(stream, errno_value, now_ns);
        if (is_shortage(errno_value) || errno_value == EAGAIN)
            return;
        /* What else fails is of one connection that ended while it waited (accept(2)). */
        if (fd < 0)
            continue;
        stream->listening.told_shortage = false;
        vox_socket_peer_address(&storage, len, &address);
        if (stream->peer_count == stream->peer_capacity && !vox_stream_make_room(stream, now_ns))
            turn_away(stream, fd, &address);
        else
            vox_stream_add_peer(stream, fd, &address, now_ns);
    }
}
