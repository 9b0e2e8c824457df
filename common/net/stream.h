/*
 * What a stream transport is made of, shared by the files that are it: stream.c (the transport),
 * stream_turn.c (what it does when it wakes), stream_listen.c, stream_call.c, stream_notes.c (what
 * there is to tell). For their own use.
 *
 * One epoll descriptor is what the owner waits on. In it: the listening socket or the call under
 * way, every connection, and a timer for what is due without any of these.
 *
 * Thread rule: `lock` is held for all but notes, which are the owner's. Another thread only sends:
 * it may mark a peer as one that must go, never close it, since the owner may hold its packets.
 */
#ifndef VOX_NET_STREAM_H
#define VOX_NET_STREAM_H

#include "net/backoff.h"
#include "net/lookup.h"
#include "net/stream_peer.h"
#include "net/transport_ops.h"
#include "net/unix_path.h"

#include <pthread.h>

enum { VOX_STREAM_CONGESTION_BYTES = 16 /* TCP_CA_NAME_MAX of the kernel */ };

/* In epoll_event.data; connections are known there by their number, from 1. */
#define VOX_STREAM_TIMER (UINT64_C(1) << 32)
#define VOX_STREAM_LISTENER (UINT64_C(2) << 32)
#define VOX_STREAM_CALL (UINT64_C(3) << 32)
#define VOX_STREAM_LOOKUP (UINT64_C(4) << 32)

/* ---- what there is to tell: an event before it is put into words ---- */

struct vox_stream_note {
    enum vox_transport_event_kind kind;
    int errno_value; /* why; 0: nothing to add; negative, of enum vox_err: of a name's lookup */
    struct vox_peer peer;
};

struct vox_stream_notes {
    struct vox_stream_note *ring;
    size_t capacity, begin, count;
};

struct vox_stream {
    struct vox_transport transport;
    struct vox_stream *self; /* for functions that only look, and lock for that */
    pthread_mutex_t lock;
    struct vox_transport_config config;
    char congestion[VOX_STREAM_CONGESTION_BYTES];
    int timer_fd;
    int64_t armed_ns; /* what the timer is set to */

    struct vox_stream_peer **peers; /* by number */
    size_t peer_count, peer_capacity;
    uint32_t last_connection;
    bool some_must_go;
    int64_t idle_check_ns; /* nobody can have been silent for too long before */

    struct vox_stream_peer *first_in_line, *last_in_line; /* have something to read */
    struct vox_stream_peer *closed;                       /* with packets that may still be lent */
    uint64_t turn;

    struct {
        int fd;
        struct vox_unix_path path;
        int64_t again_ns; /* when to accept again, after a shortage; else never */
        bool told_shortage, told_full, told_wanted;
    } listening;
    struct {
        int fd;              /* -1: none under way */
        int64_t deadline_ns; /* for an answer */
        int64_t again_ns;
        struct vox_address addresses[VOX_ADDRESS_MAX_FOUND]; /* called in turn */
        size_t count, next;
        struct vox_lookup *lookup; /* under way; else NULL */
        bool awaits_name;          /* before it calls */
        int told_errno, told_lookup;
        struct vox_backoff backoff;
    } calling;

    struct vox_stream_notes notes;
    struct vox_transport_stats stats;
    struct vox_transport_packet packets[VOX_TRANSPORT_BATCH];
};

/* ---- stream_notes.c ---- */

/* Drops what there is no room for: the owner has not asked for long. */
void vox_stream_note(struct vox_stream *stream, enum vox_transport_event_kind kind, int errno_value,
                     const struct vox_peer *peer);
bool vox_stream_take_note(struct vox_stream *stream, struct vox_stream_note *out);
void vox_stream_explain(const struct vox_stream *stream, const struct vox_stream_note *note,
                        struct vox_transport_event *out);

/* ---- stream_turn.c ---- */

/* As vox_transport_receive, with the lock held. */
int vox_stream_receive(struct vox_stream *stream, const struct vox_transport_packet **out);
/* A socket that is connected becomes a peer, or is closed and counted as refused. */
void vox_stream_add_peer(struct vox_stream *stream, int fd, const struct vox_address *address,
                         int64_t now_ns);
/* Where all places are taken: lets one go that has neither sent nor taken a packet yet, or has been
 * idle for long enough, the longest first; false: nobody is like that. */
bool vox_stream_make_room(struct vox_stream *stream, int64_t now_ns);
/* NULL: that connection is gone. */
struct vox_stream_peer *vox_stream_find(const struct vox_stream *stream, uint32_t connection);
/* Frees the peers that are gone, and what of theirs was lent. */
void vox_stream_bury_closed(struct vox_stream *stream);

/* Returns 0 or a negative errno. */
int vox_stream_watch(struct vox_stream *stream, int fd, uint32_t epoll_events, uint64_t key);
/* To be woken when a peer has sent something, unless it has ended that; and when it takes more,
 * while something waits for it. */
void vox_stream_watch_peer(struct vox_stream *stream, struct vox_stream_peer *peer);
/* To be woken at a time (0: now), by the timer; for_next: when something will be due. */
void vox_stream_arm(struct vox_stream *stream, int64_t when_ns);
void vox_stream_arm_for_next(struct vox_stream *stream, int64_t now_ns);

/* ---- stream_listen.c ---- */

/* Returns 0 or a negative errno. */
int vox_stream_listen(struct vox_stream *stream);
void vox_stream_accept(struct vox_stream *stream, int64_t now_ns);
void vox_stream_accept_again(struct vox_stream *stream);

/* ---- stream_call.c ---- */

int vox_stream_call_first(struct vox_stream *stream, int64_t now_ns);
/* By its name, if it has one: that is looked up first. */
void vox_stream_call_again(struct vox_stream *stream, int64_t now_ns);
void vox_stream_looked_up(struct vox_stream *stream, int64_t now_ns);
/* The system has an answer. */
void vox_stream_call_answered(struct vox_stream *stream, int64_t now_ns);
/* There was none in time. */
void vox_stream_call_unanswered(struct vox_stream *stream, int64_t now_ns);

#endif
