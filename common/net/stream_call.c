/*
 * The side of a stream that goes to another, and goes again when that fails. A round of calls goes
 * through all addresses in turn; only when none answers is there a pause.
 */
#include "net/stream.h"

#include "base/err.h"
#include "base/time.h"
#include "net/stream_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* For an answer, where there is another address to call: a lost packet is sent again after a
 * second, and who has no way to the first address need not wait for all of dead_ns. */
#define NEXT_NS (2 * VOX_NS_PER_S)
/* For a name server, while there are addresses from before to call. */
#define NAME_NS (2 * VOX_NS_PER_S)

/* ---- one call ---- */

static void hang_up(struct vox_stream *stream)
{
    if (stream->calling.fd >= 0)
        close(stream->calling.fd);
    stream->calling.fd = -1;
    stream->calling.deadline_ns = VOX_NS_NEVER;
}

/* Returns 0 or a positive errno. */
static int succeeded(struct vox_stream *stream, int64_t now_ns)
{
    int fd = stream->calling.fd;
    if (vox_stream_socket_is_itself(fd))
        return ECONNREFUSED;
    stream->calling.fd = -1;
    stream->calling.deadline_ns = stream->calling.again_ns = VOX_NS_NEVER;
    stream->calling.told_errno = 0;
    vox_backoff_connected(&stream->calling.backoff, now_ns);
    epoll_ctl(stream->transport.fd, EPOLL_CTL_DEL, fd, NULL);
    vox_stream_add_peer(stream, fd, &stream->config.address, now_ns);
    if (stream->peer_count == 0)
        stream->calling.again_ns = vox_backoff_failed(&stream->calling.backoff, now_ns);
    return 0;
}

static int64_t patience_ns(const struct vox_stream *stream)
{
    int64_t dead_ns = stream->config.dead_ns;
    bool is_last = stream->calling.next == stream->calling.count;
    return is_last || (dead_ns > 0 && dead_ns < NEXT_NS) ? dead_ns : NEXT_NS;
}

/* Takes fd over, or a negative errno. Returns 0, also while it is under way, or a positive errno.
 */
static int dial(struct vox_stream *stream, int fd, int64_t now_ns)
{
    const struct vox_address *to = &stream->config.address;
    if (fd < 0)
        return -fd;
    stream->calling.fd = fd;
    stream->calling.again_ns = VOX_NS_NEVER;
    if (connect(fd, (const struct sockaddr *)&to->storage, to->len) == 0)
        return succeeded(stream, now_ns);
    if (errno != EINPROGRESS)
        return errno;
    int64_t wait_ns = patience_ns(stream);
    stream->calling.deadline_ns = wait_ns > 0 ? now_ns + wait_ns : VOX_NS_NEVER;
    return -vox_stream_watch(stream, fd, EPOLLOUT, VOX_STREAM_CALL);
}

/* ---- a round of them ---- */

static bool has_next(const struct vox_stream *stream)
{
    return stream->calling.next < stream->calling.count;
}

/* A socket for the next address, or a negative errno. */
static int open_next(struct vox_stream *stream)
{
    stream->config.address = stream->calling.addresses[stream->calling.next++];
    stream->transport.local = stream->config.address;
    return vox_stream_socket_open(&stream->config);
}

static void pause_calling(struct vox_stream *stream, int errno_value, int64_t now_ns)
{
    const struct vox_peer peer = {.address = stream->config.address};
    stream->calling.again_ns = vox_backoff_failed(&stream->calling.backoff, now_ns);
    stream->stats.refused++;
    if (errno_value != stream->calling.told_errno)
        vox_stream_note(stream, VOX_TRANSPORT_REFUSED, errno_value, &peer);
    stream->calling.told_errno = errno_value;
}

/* A call came to nothing: the next address, until one takes it or there is none. */
static void failed(struct vox_stream *stream, int errno_value, int64_t now_ns)
{
    hang_up(stream);
    while (errno_value && has_next(stream)) {
        errno_value = dial(stream, open_next(stream), now_ns);
        if (errno_value)
            hang_up(stream);
    }
    if (errno_value)
        pause_calling(stream, errno_value, now_ns);
}

static void call_all(struct vox_stream *stream, int64_t now_ns)
{
    stream->calling.awaits_name = false;
    stream->calling.again_ns = VOX_NS_NEVER;
    stream->calling.next = 0;
    int errno_value = dial(stream, open_next(stream), now_ns);
    if (errno_value)
        failed(stream, errno_value, now_ns);
}

int vox_stream_call_first(struct vox_stream *stream, int64_t now_ns)
{
    const struct vox_transport_name *name = &stream->config.name;
    stream->calling.addresses[0] = stream->config.address;
    stream->calling.count = 1 + name->other_count;
    memcpy(&stream->calling.addresses[1], name->others, name->other_count * sizeof name->others[0]);
    vox_backoff_init(&stream->calling.backoff, (uint64_t)now_ns ^ (uint64_t)getpid() << 40);
    /* What this system has no sockets for at all will not change by waiting. */
    int fd = open_next(stream);
    while (fd < 0 && has_next(stream))
        fd = open_next(stream);
    if (fd < 0)
        return fd;
    int errno_value = dial(stream, fd, now_ns);
    if (errno_value)
        failed(stream, errno_value, now_ns);
    return 0;
}

void vox_stream_call_answered(struct vox_stream *stream, int64_t now_ns)
{
    int errno_value = 0;
    socklen_t len = sizeof errno_value;
    if (stream->calling.fd < 0)
        return;
    if (getsockopt(stream->calling.fd, SOL_SOCKET, SO_ERROR, &errno_value, &len) < 0)
        errno_value = errno;
    if (errno_value == 0)
        errno_value = succeeded(stream, now_ns);
    if (errno_value)
        failed(stream, errno_value, now_ns);
}

void vox_stream_call_unanswered(struct vox_stream *stream, int64_t now_ns)
{
    failed(stream, ETIMEDOUT, now_ns);
}

/* ---- by name ---- */

/* What is known of it from before is better than nothing. */
static void lookup_failed(struct vox_stream *stream, int err)
{
    if (err != stream->calling.told_lookup)
        vox_stream_note(stream, VOX_TRANSPORT_REFUSED, err, NULL);
    stream->calling.told_lookup = err;
}

/* Returns 0 or an error of enum vox_err. */
static int start_lookup(struct vox_stream *stream)
{
    const struct vox_transport_name *name = &stream->config.name;
    const struct vox_lookup_question question = {.endpoint = name->endpoint,
                                                 .hints.family = name->family,
                                                 .resolve = name->resolve,
                                                 .ctx = name->ctx};
    int err = vox_lookup_start(&question, &stream->calling.lookup);
    if (err < 0)
        return err;
    if (vox_stream_watch(stream, vox_lookup_fd(stream->calling.lookup), EPOLLIN,
                         VOX_STREAM_LOOKUP) == 0)
        return 0;
    vox_lookup_destroy(stream->calling.lookup);
    stream->calling.lookup = NULL;
    return VOX_ELIMIT;
}

void vox_stream_looked_up(struct vox_stream *stream, int64_t now_ns)
{
    struct vox_address found[VOX_ADDRESS_MAX_FOUND];
    int count = vox_lookup_take(stream->calling.lookup, found);
    epoll_ctl(stream->transport.fd, EPOLL_CTL_DEL, vox_lookup_fd(stream->calling.lookup), NULL);
    vox_lookup_destroy(stream->calling.lookup);
    stream->calling.lookup = NULL;
    if (count > 0) {
        stream->calling.told_lookup = 0;
        stream->calling.count = (size_t)count;
        memcpy(stream->calling.addresses, found, (size_t)count * sizeof found[0]);
    } else {
        lookup_failed(stream, count);
    }
    /* A late answer is for the next round. */
    if (stream->calling.awaits_name)
        call_all(stream, now_ns);
}

void vox_stream_call_again(struct vox_stream *stream, int64_t now_ns)
{
    bool asks = stream->config.name.endpoint.host[0] != '\0' && !stream->calling.lookup;
    int err = asks ? start_lookup(stream) : 0;
    if (err < 0)
        lookup_failed(stream, err);
    if (err < 0 || !asks) {
        call_all(stream, now_ns);
        return;
    }
    stream->calling.awaits_name = true;
    stream->calling.again_ns = now_ns + NAME_NS;
}
