/* TCP, and Unix sockets of type SOCK_STREAM, as a transport. */
#include "net/stream.h"

#include "base/err.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/explain.h"
#include "net/stream_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EPOLL_EVENTS = 64,     /* looked at in one turn; the others come first in the next */
    PACKETS_OF_A_PEER = 8, /* before it is the next one's turn */
    /* So many packets longer than any of audio, one after the other, are no packets. */
    CUT_IN_A_ROW = 8,
    NOTES_SPARE = 32, /* beside a coming and a going of each */
};

static struct vox_stream *own(struct vox_transport *transport)
{
    return (struct vox_stream *)transport;
}

/* ---- the descriptor ---- */

int vox_stream_watch(struct vox_stream *stream, int fd, uint32_t epoll_events, uint64_t key)
{
    struct epoll_event event = {.events = epoll_events, .data.u64 = key};
    return epoll_ctl(stream->transport.fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void arm(struct vox_stream *stream, int64_t when_ns)
{
    /* Zero would stop it. Setting it also takes back what it has told. */
    int64_t set_ns = when_ns == VOX_NS_NEVER ? 0 : when_ns < 1 ? 1 : when_ns;
    const struct itimerspec spec = {
        .it_value = {.tv_sec = set_ns / VOX_NS_PER_S, .tv_nsec = set_ns % VOX_NS_PER_S}};
    timerfd_settime(stream->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
    stream->armed_ns = when_ns;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

static void arm_for_next(struct vox_stream *stream, int64_t now_ns)
{
    int64_t next_ns = earlier(stream->calling.again_ns, stream->calling.deadline_ns);
    next_ns = earlier(next_ns, stream->listening.again_ns);
    if (stream->peer_count > 0)
        next_ns = earlier(next_ns, stream->idle_check_ns);
    if (stream->first_in_line || stream->some_must_go)
        next_ns = 0;
    if (next_ns != stream->armed_ns || stream->armed_ns <= now_ns)
        arm(stream, next_ns);
}

/* ---- peers come and go ---- */

static size_t index_of(const struct vox_stream *stream, uint32_t connection)
{
    size_t low = 0, high = stream->peer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stream->peers[middle]->who.connection < connection)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct vox_stream_peer *find(const struct vox_stream *stream, uint32_t connection)
{
    size_t i = index_of(stream, connection);
    bool found = i < stream->peer_count && stream->peers[i]->who.connection == connection;
    return found ? stream->peers[i] : NULL;
}

void vox_stream_add_peer(struct vox_stream *stream, int fd, const struct vox_address *address,
                         int64_t now_ns)
{
    const struct vox_peer who = {.address = *address, .connection = stream->last_connection + 1};
    struct vox_stream_peer *peer;
    vox_stream_socket_prepare(fd, &stream->config);
    if (vox_stream_watch(stream, fd, EPOLLIN, who.connection) < 0 ||
        vox_stream_peer_create(fd, &who, stream->config.queue_bytes, now_ns, &peer) < 0) {
        close(fd);
        stream->stats.refused++;
        return;
    }
    stream->last_connection++;
    stream->peers[stream->peer_count++] = peer;
    stream->stats.connected++;
    if (stream->config.role == VOX_TRANSPORT_LISTEN && stream->config.idle_ns > 0)
        stream->idle_check_ns = earlier(stream->idle_check_ns, now_ns + stream->config.idle_ns);
    vox_stream_note(stream, VOX_TRANSPORT_CONNECTED, 0, &who);
}

static void count_loss(struct vox_transport_stats *stats, enum vox_transport_event_kind reason)
{
    stats->broken += reason == VOX_TRANSPORT_BROKEN;
    stats->too_slow += reason == VOX_TRANSPORT_TOO_SLOW;
    stats->idle += reason == VOX_TRANSPORT_IDLE;
    stats->malformed += reason == VOX_TRANSPORT_MALFORMED;
}

static void leave_line(struct vox_stream *stream, struct vox_stream_peer *peer)
{
    struct vox_stream_peer *before = NULL;
    for (struct vox_stream_peer *p = stream->first_in_line; p != peer; p = p->next)
        before = p;
    if (before)
        before->next = peer->next;
    else
        stream->first_in_line = peer->next;
    if (stream->last_in_line == peer)
        stream->last_in_line = before;
    peer->is_in_line = false;
}

/* Its packets may be lent: what holds them is freed in the next turn. */
static void let_go(struct vox_stream *stream, struct vox_stream_peer *peer,
                   enum vox_transport_event_kind reason, int64_t now_ns)
{
    size_t at = index_of(stream, peer->who.connection);
    memmove(&stream->peers[at], &stream->peers[at + 1],
            (stream->peer_count - at - 1) * sizeof *stream->peers);
    stream->peer_count--;
    if (peer->is_in_line)
        leave_line(stream, peer);
    count_loss(&stream->stats, reason);
    vox_stream_note(stream, reason, peer->errno_value, &peer->who);
    /* What the kernel still holds for one that does not take it would stay there for minutes. */
    vox_stream_peer_close(peer, reason != VOX_TRANSPORT_ENDED);
    peer->next = stream->closed;
    stream->closed = peer;
    stream->listening.told_full = false;
    if (stream->config.role == VOX_TRANSPORT_CALL)
        stream->calling.again_ns = vox_backoff_failed(&stream->calling.backoff, now_ns);
}

static void let_go_who_must(struct vox_stream *stream, int64_t now_ns)
{
    if (!stream->some_must_go)
        return;
    stream->some_must_go = false;
    for (size_t i = stream->peer_count; i-- > 0;)
        if (stream->peers[i]->must_go)
            let_go(stream, stream->peers[i], stream->peers[i]->reason, now_ns);
}

static void let_go_who_is_silent(struct vox_stream *stream, int64_t now_ns)
{
    int64_t next_ns = VOX_NS_NEVER;
    for (size_t i = stream->peer_count; i-- > 0;) {
        int64_t until_ns = stream->peers[i]->heard_ns + stream->config.idle_ns;
        if (until_ns <= now_ns)
            let_go(stream, stream->peers[i], VOX_TRANSPORT_IDLE, now_ns);
        else
            next_ns = earlier(next_ns, until_ns);
    }
    stream->idle_check_ns = next_ns;
}

static void bury_closed(struct vox_stream *stream)
{
    while (stream->closed) {
        struct vox_stream_peer *next = stream->closed->next;
        vox_stream_peer_destroy(stream->closed);
        stream->closed = next;
    }
}

/* ---- receiving ---- */

static void join_line(struct vox_stream *stream, struct vox_stream_peer *peer)
{
    if (peer->is_in_line)
        return;
    peer->is_in_line = true;
    peer->next = NULL;
    if (stream->last_in_line)
        stream->last_in_line->next = peer;
    else
        stream->first_in_line = peer;
    stream->last_in_line = peer;
}

static void watch_for_room(struct vox_stream *stream, struct vox_stream_peer *peer)
{
    bool wanted = peer->waiting_bytes > 0;
    if (wanted == peer->is_watched_for_room)
        return;
    peer->is_watched_for_room = wanted;
    struct epoll_event event = {.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.u64 = peer->who.connection};
    epoll_ctl(stream->transport.fd, EPOLL_CTL_MOD, peer->fd, &event);
}

static void peer_woke(struct vox_stream *stream, struct vox_stream_peer *peer, uint32_t events)
{
    if (events & EPOLLOUT) {
        vox_stream_peer_flush(peer);
        watch_for_room(stream, peer);
    }
    if (events & ~(uint32_t)EPOLLOUT)
        join_line(stream, peer);
}

static void look_around(struct vox_stream *stream, int64_t now_ns)
{
    struct epoll_event events[EPOLL_EVENTS];
    int count = epoll_wait(stream->transport.fd, events, EPOLL_EVENTS, 0);
    for (int i = 0; i < count; i++) {
        uint64_t key = events[i].data.u64;
        struct vox_stream_peer *peer = key <= UINT32_MAX ? find(stream, (uint32_t)key) : NULL;
        if (peer)
            peer_woke(stream, peer, events[i].events);
        else if (key == VOX_STREAM_LISTENER)
            vox_stream_accept(stream, now_ns);
        else if (key == VOX_STREAM_CALL)
            vox_stream_call_answered(stream, now_ns);
    }
}

static void do_what_is_due(struct vox_stream *stream, int64_t now_ns)
{
    let_go_who_must(stream, now_ns);
    if (now_ns >= stream->idle_check_ns)
        let_go_who_is_silent(stream, now_ns);
    if (now_ns >= stream->listening.again_ns)
        vox_stream_accept_again(stream);
    if (now_ns >= stream->calling.deadline_ns)
        vox_stream_call_unanswered(stream, now_ns);
    if (now_ns >= stream->calling.again_ns)
        vox_stream_call_again(stream, now_ns);
}

static int take_packets(struct vox_stream *stream, struct vox_stream_peer *peer, int at, int most,
                        int64_t now_ns)
{
    struct vox_framing_packet packet;
    int taken = 0;
    while (taken < most && vox_framing_next(&peer->framing, &packet)) {
        stream->packets[at + taken++] =
            (struct vox_transport_packet){.bytes = packet.bytes,
                                          .len = packet.len,
                                          .from = peer->who,
                                          .arrival_ns = now_ns,
                                          .truncated = packet.truncated};
        peer->cut_in_a_row = packet.truncated ? peer->cut_in_a_row + 1 : 0;
    }
    return taken;
}

/* The first in line gives some packets, and goes behind the others if it may have more. */
static int serve_first(struct vox_stream *stream, int at, int64_t now_ns)
{
    struct vox_stream_peer *peer = stream->first_in_line;
    int room = VOX_TRANSPORT_BATCH - at;
    int most = room < PACKETS_OF_A_PEER ? room : PACKETS_OF_A_PEER;
    leave_line(stream, peer);
    int taken = take_packets(stream, peer, at, most, now_ns);
    if (taken == 0 && !peer->has_ended && peer->turn != stream->turn) {
        peer->turn = stream->turn;
        vox_stream_peer_read(peer, now_ns);
        taken = take_packets(stream, peer, at, most, now_ns);
    } else if (taken > 0) {
        peer->turn = stream->turn;
    }
    if (peer->cut_in_a_row >= CUT_IN_A_ROW)
        let_go(stream, peer, VOX_TRANSPORT_MALFORMED, now_ns);
    else if (taken == most)
        join_line(stream, peer);
    else if (peer->has_ended)
        let_go(stream, peer, peer->errno_value ? VOX_TRANSPORT_BROKEN : VOX_TRANSPORT_ENDED,
               now_ns);
    return taken;
}

static int receive(struct vox_transport *transport, const struct vox_transport_packet **out)
{
    struct vox_stream *stream = own(transport);
    int count = 0;
    pthread_mutex_lock(&stream->lock);
    int64_t now_ns = vox_clock_now_ns();
    stream->turn++;
    bury_closed(stream);
    look_around(stream, now_ns);
    do_what_is_due(stream, now_ns);
    while (stream->first_in_line && count < VOX_TRANSPORT_BATCH)
        count += serve_first(stream, count, now_ns);
    arm_for_next(stream, now_ns);
    pthread_mutex_unlock(&stream->lock);
    *out = stream->packets;
    return count;
}

/* ---- sending ---- */

static void send_to_peer(struct vox_stream *stream, struct vox_stream_peer *peer, const void *bytes,
                         size_t len)
{
    if (peer->must_go)
        return;
    if (vox_stream_peer_send(peer, bytes, len) == 0) {
        stream->stats.sent_packets += !peer->is_broken;
        watch_for_room(stream, peer);
        return;
    }
    peer->must_go = true;
    peer->reason = VOX_TRANSPORT_TOO_SLOW;
    stream->some_must_go = true;
    arm(stream, 0);
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
    struct vox_stream_peer *peer = find(stream, to->connection);
    char text[VOX_ADDRESS_TEXT_BYTES];
    if (!peer || peer->must_go)
        return vox_net_error_set(error, VOX_EADDRESS,
                                 "cannot send to %s: that connection is gone; it may come again",
                                 vox_address_format(&to->address, text));
    send_to_peer(stream, peer, bytes, len);
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

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void close_transport(struct vox_transport *transport)
{
    struct vox_stream *stream = own(transport);
    for (size_t i = 0; i < stream->peer_count; i++) {
        vox_stream_peer_close(stream->peers[i], false);
        vox_stream_peer_destroy(stream->peers[i]);
    }
    bury_closed(stream);
    vox_unix_path_remove(&stream->listening.path);
    close_fd(stream->listening.fd);
    close_fd(stream->calling.fd);
    close_fd(stream->timer_fd);
    close_fd(stream->transport.fd);
    pthread_mutex_destroy(&stream->lock);
    free(stream->peers);
    free(stream->notes.ring);
    free(stream);
}

/* The pacer's thread may wait for the owner's: that one then runs with the pacer's priority. */
static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
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
    init_lock(&stream->lock);
}

static int allocate(struct vox_stream *stream)
{
    bool calls = stream->config.role == VOX_TRANSPORT_CALL;
    stream->peer_capacity = calls ? 1 : (size_t)stream->config.max_peers;
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
    arm_for_next(stream, now_ns);
    if (stream->notes.count > 0) /* answered at once: the owner is to hear of it */
        arm(stream, 0);
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
        return vox_explain_open(-err, what, &config->address, error);
    }
    *out = &stream->transport;
    return 0;
}
