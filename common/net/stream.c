/* TCP, and Unix sockets of type SOCK_STREAM, as a transport. */
#include "net/stream.h"

#include "base/err.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/explain.h"
#include "net/socket.h"
#include "net/stream_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { NOTES_SPARE = 32 /* beside a coming and a going of each */ };

static struct vox_stream *own(struct vox_transport *transport)
{
    return (struct vox_stream *)transport;
}

static int receive(struct vox_transport *transport, const struct vox_transport_packet **out)
{
    struct vox_stream *stream = own(transport);
    pthread_mutex_lock(&stream->lock);
    int count = vox_stream_receive(stream, out);
    pthread_mutex_unlock(&stream->lock);
    return count;
}

/* ---- sending ---- */

/*
 * Who sends to those that may only listen has nothing left to do with one that does not. Of TCP the
 * system tells by itself; a Unix peer that has shut down its reading looks like any other, until
 * our reading ends, too: what it had sent before is still read.
 */
static void part_with_deaf(const struct vox_stream *stream, const struct vox_stream_peer *peer)
{
    if (peer->is_broken && stream->config.half_close)
        shutdown(peer->fd, SHUT_RD);
}

static void send_to_peer(struct vox_stream *stream, struct vox_stream_peer *peer, const void *bytes,
                         size_t len)
{
    if (peer->must_go)
        return;
    if (vox_stream_peer_send(peer, bytes, len) == 0) {
        stream->stats.sent_packets += !peer->is_broken;
        part_with_deaf(stream, peer);
        vox_stream_watch_peer(stream, peer);
        return;
    }
    peer->must_go = true;
    peer->reason = VOX_TRANSPORT_TOO_SLOW;
    stream->some_must_go = true;
    vox_stream_arm(stream, 0);
}

static void send_to_all(struct vox_stream *stream, const void *bytes, size_t len)
{
    stream->stats.unsent += stream->peer_count == 0;
    for (size_t i = 0; i < stream->peer_count; i++)
        send_to_peer(stream, stream->peers[i], bytes, len);
}

static int send_to_one(struct vox_stream *stream, const struct vox_peer *to, const void *bytes,
                       size_t len, struct vox_net_error *error)
{
    struct vox_stream_peer *peer = vox_stream_find(stream, to->connection);
    char text[VOX_ADDRESS_TEXT_BYTES];
    if (!peer || peer->must_go)
        return vox_net_error_set(error, VOX_EADDRESS,
                                 "cannot send to %s: that connection is gone; it may come again",
                                 vox_address_format(&to->address, text));
    send_to_peer(stream, peer, bytes, len);
    if (!peer->must_go && stream->config.scheme == VOX_SCHEME_TCP)
        vox_stream_socket_acknowledge_soon(peer->fd);
    return 0;
}

static int send_packet(struct vox_transport *transport, const void *bytes, size_t len,
                       const struct vox_peer *to, struct vox_net_error *error)
{
    struct vox_stream *stream = own(transport);
    if (len > VOX_FRAMING_MAX_BYTES)
        return vox_net_error_set(error, VOX_ELIMIT,
                                 "cannot send a packet of %zu bytes: a frame holds %d at the most; "
                                 "lower the bitrate or the frame size",
                                 len, VOX_FRAMING_MAX_BYTES);
    int err = 0;
    pthread_mutex_lock(&stream->lock);
    if (to && to->connection)
        err = send_to_one(stream, to, bytes, len, error);
    else
        send_to_all(stream, bytes, len);
    pthread_mutex_unlock(&stream->lock);
    return err;
}

/* ---- what is asked ---- */

static bool event(struct vox_transport *transport, struct vox_transport_event *out)
{
    struct vox_stream_note note;
    if (!vox_stream_take_note(own(transport), &note))
        return false;
    vox_stream_explain(own(transport), &note, out);
    return true;
}

static struct vox_stream *self_of(const struct vox_transport *transport)
{
    return ((const struct vox_stream *)transport)->self;
}

static size_t pending(const struct vox_transport *transport)
{
    struct vox_stream *stream = self_of(transport);
    size_t bytes = 0;
    pthread_mutex_lock(&stream->lock);
    for (size_t i = 0; i < stream->peer_count; i++)
        if (!stream->peers[i]->must_go)
            bytes += vox_stream_peer_pending(stream->peers[i]);
    pthread_mutex_unlock(&stream->lock);
    return bytes;
}

static bool is_connected(const struct vox_transport *transport)
{
    struct vox_stream *stream = self_of(transport);
    pthread_mutex_lock(&stream->lock);
    bool connected = stream->peer_count > 0;
    pthread_mutex_unlock(&stream->lock);
    return connected;
}

static void read_stats(const struct vox_transport *transport, struct vox_transport_stats *out)
{
    struct vox_stream *stream = self_of(transport);
    pthread_mutex_lock(&stream->lock);
    *out = stream->stats;
    out->peers = stream->peer_count;
    pthread_mutex_unlock(&stream->lock);
}

/* ---- life ---- */

static void close_transport(struct vox_transport *transport)
{
    struct vox_stream *stream = own(transport);
    for (size_t i = 0; i < stream->peer_count; i++) {
        vox_stream_peer_close(stream->peers[i], false);
        vox_stream_peer_destroy(stream->peers[i]);
    }
    vox_stream_bury_closed(stream);
    vox_unix_path_remove(&stream->listening.path);
    vox_socket_close(stream->listening.fd);
    vox_socket_close(stream->calling.fd);
    vox_lookup_destroy(stream->calling.lookup);
    vox_socket_close(stream->timer_fd);
    vox_socket_close(stream->transport.fd);
    pthread_mutex_destroy(&stream->lock);
    free(stream->peers);
    free(stream->notes.ring);
    free(stream);
}

static void init(struct vox_stream *stream, const struct vox_transport_config *config)
{
    static const struct vox_transport_ops ops = {.close = close_transport,
                                                 .receive = receive,
                                                 .send = send_packet,
                                                 .event = event,
                                                 .pending = pending,
                                                 .is_connected = is_connected,
                                                 .read_stats = read_stats};
    stream->transport = (struct vox_transport){.ops = &ops, .scheme = config->scheme, .fd = -1};
    stream->self = stream;
    stream->config = *config;
    if (config->congestion) {
        snprintf(stream->congestion, sizeof stream->congestion, "%s", config->congestion);
        stream->config.congestion = stream->congestion;
    }
    stream->timer_fd = stream->listening.fd = stream->calling.fd = -1;
    stream->armed_ns = stream->idle_check_ns = VOX_NS_NEVER;
    stream->listening.again_ns = VOX_NS_NEVER;
    stream->calling.again_ns = stream->calling.deadline_ns = VOX_NS_NEVER;
    vox_transport_init_lock(&stream->lock);
}

/* The other half of the file descriptors stays for the program: who comes must not be able to keep
 * it from writing its files. */
static size_t most_peers(int wanted)
{
    struct rlimit files;
    size_t most = (size_t)wanted;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 2 < most)
        most = (size_t)files.rlim_cur / 2;
    return most > 0 ? most : 1;
}

static int allocate(struct vox_stream *stream)
{
    bool calls = stream->config.role == VOX_TRANSPORT_CALL;
    stream->peer_capacity = calls ? 1 : most_peers(stream->config.max_peers);
    stream->notes.capacity = 2 * stream->peer_capacity + NOTES_SPARE;
    stream->peers = calloc(stream->peer_capacity, sizeof(struct vox_stream_peer *));
    stream->notes.ring = calloc(stream->notes.capacity, sizeof *stream->notes.ring);
    return stream->peers && stream->notes.ring ? 0 : -ENOMEM;
}

static int start(struct vox_stream *stream)
{
    int err = allocate(stream);
    if (err < 0)
        return err;
    stream->transport.fd = epoll_create1(EPOLL_CLOEXEC);
    stream->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (stream->transport.fd < 0 || stream->timer_fd < 0)
        return -errno;
    err = vox_stream_watch(stream, stream->timer_fd, EPOLLIN, VOX_STREAM_TIMER);
    if (err < 0)
        return err;
    int64_t now_ns = vox_clock_now_ns();
    err = stream->config.role == VOX_TRANSPORT_LISTEN ? vox_stream_listen(stream)
                                                      : vox_stream_call_first(stream, now_ns);
    if (err < 0)
        return err;
    vox_stream_arm_for_next(stream, now_ns);
    if (stream->notes.count > 0) /* answered at once: the owner is to hear of it */
        vox_stream_arm(stream, 0);
    return 0;
}

int vox_stream_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                              struct vox_net_error *error)
{
    int err = vox_stream_socket_check(config, error);
    if (err < 0)
        return err;
    struct vox_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return vox_net_error_set(error, VOX_ENOMEM, "no memory for a socket");
    init(stream, config);
    err = start(stream);
    if (err < 0) {
        close_transport(&stream->transport);
        const char *what = config->role == VOX_TRANSPORT_LISTEN ? "listen on" : "call";
        return vox_explain_open(-err, what, config->scheme, &config->address, error);
    }
    *out = &stream->transport;
    return 0;
}
