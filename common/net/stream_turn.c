/* What a stream does when it wakes: lets peers come and go, and takes packets from each in turn. */
#include "net/stream.h"

#include "base/time.h"
#include "net/clock.h"
#include "net/stream_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EPOLL_EVENTS = 64,     /* looked at in one turn; the others come first in the next */
    PACKETS_OF_A_PEER = 8, /* before it is the next one's turn */
    /* So many packets longer than any of audio, one after the other, are no packets. */
    CUT_IN_A_ROW = 8,
    RTCP_BYTES = 8,   /* the shortest packet that says who sends it */
    WANTED_SHARE = 6, /* of the time for the idle, where their place is wanted */
};

/* ---- the descriptor ---- */

int vox_stream_watch(struct vox_stream *stream, int fd, uint32_t epoll_events, uint64_t key)
{
    struct epoll_event event = {.events = epoll_events, .data.u64 = key};
    return epoll_ctl(stream->transport.fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void vox_stream_arm(struct vox_stream *stream, int64_t when_ns)
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

void vox_stream_arm_for_next(struct vox_stream *stream, int64_t now_ns)
{
    int64_t next_ns = earlier(stream->calling.again_ns, stream->calling.deadline_ns);
    next_ns = earlier(next_ns, stream->listening.again_ns);
    if (stream->peer_count > 0)
        next_ns = earlier(next_ns, stream->idle_check_ns);
    if (stream->first_in_line || stream->some_must_go)
        next_ns = 0;
    if (next_ns != stream->armed_ns || stream->armed_ns <= now_ns)
        vox_stream_arm(stream, next_ns);
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

struct vox_stream_peer *vox_stream_find(const struct vox_stream *stream, uint32_t connection)
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
    peer->watched = EPOLLIN;
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
            (stream->peer_count - at - 1) * sizeof(struct vox_stream_peer *));
    stream->peer_count--;
    if (peer->is_in_line)
        leave_line(stream, peer);
    count_loss(&stream->stats, reason);
    bool is_wanted = peer->errno_value == EBUSY; /* a crowd is told of once, and counted */
    if (!is_wanted || !stream->listening.told_wanted)
        vox_stream_note(stream, reason, peer->errno_value, &peer->who);
    stream->listening.told_wanted |= is_wanted;
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

/* Listeners need not say a word. What they take, the network has taken for them: whether it reaches
 * them is for dead_ns and the queue to find out. */
static int64_t alive_ns(struct vox_stream_peer *peer, int64_t now_ns)
{
    if (peer->has_taken) {
        peer->alive_ns = now_ns;
        peer->is_known = true;
    }
    peer->has_taken = false;
    return peer->alive_ns;
}

/* What it has sent may wait to be read: then nothing is held against it yet. */
static bool is_stranger(const struct vox_stream_peer *peer)
{
    int unread_bytes = 0;
    if (peer->is_known || peer->is_in_line)
        return false;
    return ioctl(peer->fd, FIONREAD, &unread_bytes) < 0 || unread_bytes == 0;
}

/*
 * Strangers go first, at once: else as many of them as there are places, who need not send a byte,
 * would keep everybody out. Of others, one that was idle for long enough.
 */
bool vox_stream_make_room(struct vox_stream *stream, int64_t now_ns)
{
    struct vox_stream_peer *stalest = NULL, *stranger = NULL;
    if (stream->config.idle_ns == 0)
        return false;
    for (size_t i = 0; i < stream->peer_count; i++) {
        struct vox_stream_peer *peer = stream->peers[i];
        if (alive_ns(peer, now_ns) < (stalest ? stalest->alive_ns : VOX_NS_NEVER))
            stalest = peer;
        if (peer->alive_ns < (stranger ? stranger->alive_ns : VOX_NS_NEVER) && is_stranger(peer))
            stranger = peer;
    }
    bool stale = stalest && now_ns - stalest->alive_ns >= stream->config.idle_ns / WANTED_SHARE;
    if (stranger)
        stalest = stranger;
    if (!stranger && !stale)
        return false;
    stalest->errno_value = EBUSY;
    let_go(stream, stalest, VOX_TRANSPORT_IDLE, now_ns);
    return true;
}

static void let_go_who_is_silent(struct vox_stream *stream, int64_t now_ns)
{
    int64_t next_ns = VOX_NS_NEVER;
    for (size_t i = stream->peer_count; i-- > 0;) {
        int64_t until_ns = alive_ns(stream->peers[i], now_ns) + stream->config.idle_ns;
        if (until_ns <= now_ns)
            let_go(stream, stream->peers[i], VOX_TRANSPORT_IDLE, now_ns);
        else
            next_ns = earlier(next_ns, until_ns);
    }
    stream->idle_check_ns = next_ns;
}

void vox_stream_bury_closed(struct vox_stream *stream)
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

void vox_stream_watch_peer(struct vox_stream *stream, struct vox_stream_peer *peer)
{
    /* The end of what a peer sends would be news for ever. */
    uint32_t wanted =
        (peer->has_ended ? 0u : EPOLLIN) | (peer->waiting_bytes > 0 ? (uint32_t)EPOLLOUT : 0u);
    if (wanted == peer->watched)
        return;
    peer->watched = wanted;
    struct epoll_event event = {.events = wanted, .data.u64 = peer->who.connection};
    epoll_ctl(stream->transport.fd, EPOLL_CTL_MOD, peer->fd, &event);
}

/*
 * Whoever closes both halves at once looks like one that still listens, until we send: the answer
 * is a reset, and the end that it is in order. A reset long after cannot be told from that.
 */
static void note_gone(struct vox_stream_peer *peer)
{
    int errno_value = peer->errno_value;
    socklen_t len = sizeof errno_value;
    if (errno_value == 0 && getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &errno_value, &len) < 0)
        errno_value = errno;
    bool in_order = errno_value == ECONNRESET || errno_value == EPIPE;
    peer->errno_value = in_order ? 0 : errno_value;
    peer->is_gone = true;
}

static void peer_woke(struct vox_stream *stream, struct vox_stream_peer *peer, uint32_t events)
{
    if (events & EPOLLOUT) {
        vox_stream_peer_flush(peer);
        vox_stream_watch_peer(stream, peer);
    }
    if (peer->has_ended && events & (EPOLLERR | EPOLLHUP))
        note_gone(peer);
    if (events & ~(uint32_t)EPOLLOUT)
        join_line(stream, peer);
}

static void look_around(struct vox_stream *stream, int64_t now_ns)
{
    struct epoll_event events[EPOLL_EVENTS];
    int count = epoll_wait(stream->transport.fd, events, EPOLL_EVENTS, 0);
    for (int i = 0; i < count; i++) {
        uint64_t key = events[i].data.u64;
        struct vox_stream_peer *peer =
            key <= UINT32_MAX ? vox_stream_find(stream, (uint32_t)key) : NULL;
        if (peer)
            peer_woke(stream, peer, events[i].events);
        else if (key == VOX_STREAM_LISTENER)
            vox_stream_accept(stream, now_ns);
        else if (key == VOX_STREAM_CALL)
            vox_stream_call_answered(stream, now_ns);
        else if (key == VOX_STREAM_LOOKUP)
            vox_stream_looked_up(stream, now_ns);
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

/* RTP or RTCP, by its version (RFC 3550, sections 5.1 and 6.4.1). */
static bool is_rtp(const struct vox_framing_packet *packet)
{
    return !packet->truncated && packet->len >= RTCP_BYTES && packet->bytes[0] >> 6 == 2;
}

/* Bytes alone are no sign of life, else one of them a minute would keep a place for ever. */
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
        peer->alive_ns = now_ns;
        peer->is_known |= is_rtp(&packet);
    }
    return taken;
}

/* In order, as far as we know: of one that is not gone. */
static bool may_listen(const struct vox_stream *stream, const struct vox_stream_peer *peer)
{
    return stream->config.half_close && !peer->is_gone && peer->errno_value == 0;
}

/* What becomes of one that has been served: behind the others, away, or to rest. */
static void dismiss(struct vox_stream *stream, struct vox_stream_peer *peer, bool may_have_more,
                    int64_t now_ns)
{
    if (peer->cut_in_a_row >= CUT_IN_A_ROW)
        let_go(stream, peer, VOX_TRANSPORT_MALFORMED, now_ns);
    else if (may_have_more)
        join_line(stream, peer);
    else if (peer->has_ended && may_listen(stream, peer))
        vox_stream_watch_peer(stream, peer);
    else if (peer->has_ended)
        let_go(stream, peer, peer->errno_value ? VOX_TRANSPORT_BROKEN : VOX_TRANSPORT_ENDED,
               now_ns);
}

/* The first in line gives some packets. */
static int serve_first(struct vox_stream *stream, int at, int64_t now_ns)
{
    struct vox_stream_peer *peer = stream->first_in_line;
    int room = VOX_TRANSPORT_BATCH - at;
    int most = room < PACKETS_OF_A_PEER ? room : PACKETS_OF_A_PEER;
    leave_line(stream, peer);
    int taken = take_packets(stream, peer, at, most, now_ns);
    if (taken == 0 && !peer->has_ended && peer->turn != stream->turn) {
        peer->turn = stream->turn;
        vox_stream_peer_read(peer);
        taken = take_packets(stream, peer, at, most, now_ns);
    } else if (taken > 0) {
        peer->turn = stream->turn;
    }
    dismiss(stream, peer, taken == most, now_ns);
    return taken;
}

int vox_stream_receive(struct vox_stream *stream, const struct vox_transport_packet **out)
{
    int count = 0;
    int64_t now_ns = vox_clock_now_ns();
    stream->turn++;
    vox_stream_bury_closed(stream);
    look_around(stream, now_ns);
    do_what_is_due(stream, now_ns);
    while (stream->first_in_line && count < VOX_TRANSPORT_BATCH)
        count += serve_first(stream, count, now_ns);
    vox_stream_arm_for_next(stream, now_ns);
    *out = stream->packets;
    return count;
}
