/*
 * One way to carry packets, whatever is below: UDP, TCP, Unix sockets of both types. What was sent
 * as one packet comes out as one packet; streams are framed for that (RFC 4571, wire/framing.h).
 *
 *     struct vox_transport_config config;
 *     vox_transport_config_init(&config);
 *     config.role = VOX_TRANSPORT_LISTEN;
 *     if (vox_transport_lookup("tcp://:5004", 0, &config, &error) < 0 ||
 *         vox_transport_open(&config, &transport, &error) < 0)
 *         fail("%s", error.text);
 *     ... when vox_transport_fd(transport) wakes (UV_READABLE | UV_PRIORITIZED):
 *     const struct vox_transport_packet *got;
 *     int n;
 *     do {
 *         n = vox_transport_receive(transport, &got);
 *         for (int i = 0; i < n; i++)
 *             vox_receiver_push(receiver, got[i].bytes, got[i].len, got[i].arrival_ns, ...);
 *     } while (n == VOX_TRANSPORT_BATCH);
 *     struct vox_transport_event event;
 *     while (vox_transport_event(transport, &event))
 *         say("%s", event.text);
 *
 * Nothing blocks. A stream that listens takes several peers at once; one that calls tries again
 * with growing pauses (net/backoff.h) until it is closed, and looks a name up again each time (on a
 * thread of its own). What one peer does not take in time waits in a queue of its own; when that is
 * full the peer is let go, and nobody else waits for it. What a Unix datagram socket that is called
 * does not take waits as well, and the oldest is dropped.
 *
 * Thread rule: one owner; send may be called from one more thread at the same time. receive and
 * send are RT-safe for UDP. Unix datagrams and streams take a lock, held for system calls that do
 * not block; send allocates nothing there either, nor does receive for Unix datagrams.
 */
#ifndef VOX_NET_TRANSPORT_H
#define VOX_NET_TRANSPORT_H

#include "net/address.h"
#include "net/error.h"
#include "net/lookup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_TRANSPORT_BATCH = 32,
    VOX_TRANSPORT_PACKET_BYTES = 2048, /* kept of each; longer ones are cut and flagged */
    VOX_TRANSPORT_DSCP_EF = 46,        /* expedited forwarding (RFC 3246): voice */
    VOX_TRANSPORT_BUFFER_BYTES = 1 << 20,
};

struct vox_transport;

/* Whom a stream calls where that is a name: it may have several addresses, and tomorrow others. */
struct vox_transport_name {
    struct vox_endpoint endpoint; /* looked up again before it is called again; host "": no name */
    int family;                   /* AF_INET, AF_INET6; 0: both */
    /* Its addresses beside the config's, each called where the one before does not answer. */
    struct vox_address others[VOX_ADDRESS_MAX_FOUND - 1];
    size_t other_count;
    vox_lookup_resolve *resolve; /* default NULL: the system */
    void *ctx;
};

enum vox_transport_role {
    VOX_TRANSPORT_LISTEN, /* others come to `address` */
    VOX_TRANSPORT_CALL,   /* packets go to `address`; a stream connects there */
};

struct vox_transport_config {
    enum vox_scheme scheme;
    enum vox_transport_role role;
    struct vox_address address; /* a group, too, to be joined or sent to; port 0: any free one */
    struct vox_transport_name name; /* default: none, `address` is all there is */
    struct vox_address source;      /* of a group, hear this sender only (RFC 4607); len 0: all */
    const char *interface;          /* for multicast, name or index; NULL: the system's choice */
    int dscp;                       /* 0..63, default 46 (EF); not of Unix sockets */
    int ttl;                        /* hops, 1..255; 0: the system's default, and 1 for multicast */
    int buffer_bytes;               /* of the kernel, for datagrams (SO_RCVBUF); default 1 MiB */
    const char *congestion;         /* TCP's congestion control, "cubic"; NULL: the system's */
    size_t queue_bytes; /* that may wait for one peer of a stream, or for the Unix socket that is
                           called; default 128 KiB */
    int max_peers;      /* of a stream that listens; default 512, and no more than half of the file
                           descriptors that this program may have (ulimit -n) */
    int64_t idle_ns; /* a peer that has come, sends no packet and takes none for so long is let go,
                        and in a sixth of that when its place is wanted; default 60 s, 0: never */
    bool half_close; /* of a stream, by who sends: a peer that has ended its own half (shutdown(2))
                        may still listen, and goes when it takes nothing any more; default false: it
                        goes when it has ended its own */
    int64_t dead_ns; /* of TCP: a peer that acknowledges nothing for so long, and a call that is not
                        answered, is given up; default 10 s, 0: when the system does */
};

/* Whom a packet comes from or goes to. */
struct vox_peer {
    struct vox_address address; /* len 0: a Unix socket without a name */
    uint32_t connection;        /* of a stream, from 1, never used twice; 0: datagrams */
};

struct vox_transport_packet {
    const uint8_t *bytes; /* borrowed until the next receive */
    size_t len;           /* of what is kept */
    struct vox_peer from;
    int64_t arrival_ns; /* CLOCK_MONOTONIC */
    bool kernel_time;   /* arrival_ns is the kernel's; else the time of the call */
    bool truncated;     /* longer than VOX_TRANSPORT_PACKET_BYTES */
};

enum vox_transport_event_kind {
    VOX_TRANSPORT_CONNECTED, /* a peer came, or the one called answered */
    VOX_TRANSPORT_ENDED,     /* a peer has ended the connection, in order */
    VOX_TRANSPORT_BROKEN,    /* reset, timed out */
    VOX_TRANSPORT_TOO_SLOW,  /* its queue was full: let go */
    VOX_TRANSPORT_IDLE,      /* neither sent nor took anything for idle_ns: let go */
    VOX_TRANSPORT_MALFORMED, /* no frames of RFC 4571: let go */
    VOX_TRANSPORT_REFUSED,   /* a call failed, and is tried again; a peer too many was refused */
    VOX_TRANSPORT_TROUBLE,   /* what the network answered to datagrams: each cause once */
    VOX_TRANSPORT_OVERFLOW,  /* datagrams came faster than they were received: said once */
};

struct vox_transport_event {
    enum vox_transport_event_kind kind;
    struct vox_peer peer;
    char text[VOX_NET_ERROR_BYTES]; /* for people: what happened, with whom, what comes next */
};

struct vox_transport_stats {
    uint64_t connected;      /* connections made, in all */
    uint64_t peers;          /* connections there are; datagrams: 0 */
    uint64_t broken;         /* lost to the network: reset, timed out */
    uint64_t too_slow;       /* let go: queue full */
    uint64_t idle;           /* let go: silent */
    uint64_t malformed;      /* let go: no frames */
    uint64_t refused;        /* calls that failed, peers too many */
    uint64_t unsent;         /* packets dropped: a stream has no connection, a Unix path nobody */
    uint64_t queue_full;     /* datagrams for a Unix socket that waited for too long, dropped */
    uint64_t kernel_dropped; /* UDP: came, and found the kernel's buffer full; known when the next
                                one comes in */
    uint64_t sent_packets;   /* taken by the kernel, or the queue of a peer; one for each peer */
};

/* Defaults: UDP, listening on every address, IPv6 and IPv4, port 5004. */
void vox_transport_config_init(struct vox_transport_config *config);

/*
 * Fills scheme, address and name by a text (net/address.h) and config->role; family: AF_INET,
 * AF_INET6, or 0. Asks the system, and may wait for a name server. Errors: those of
 * vox_address_lookup.
 */
int vox_transport_lookup(const char *text, int family, struct vox_transport_config *config,
                         struct vox_net_error *error);

/* As people write it: "192.0.2.1:5004", "tcp://[::1]:5004", "unix:/run/x", "unix-stream:/run/x".
 * Returns out. */
const char *vox_transport_format(enum vox_scheme scheme, const struct vox_address *address,
                                 char out[VOX_ADDRESS_TEXT_BYTES]);
/* "udp", "tcp", "unix", "unix-stream". */
const char *vox_transport_name(enum vox_scheme scheme);
/* Whether it is a stream: of connections, with two roles. */
bool vox_transport_is_stream(enum vox_scheme scheme);

/*
 * Binds or begins to connect. [::] takes IPv4 as well, and becomes 0.0.0.0 on a machine without
 * IPv6. A group is bound to itself, so that nothing else sent to the port comes in, and shares the
 * port with others (SO_REUSEADDR); what is sent to it also comes back to this machine. Broadcast is
 * permitted only to who calls a broadcast address. A Unix path that a dead program left is taken
 * over. Addresses that go in and come out are plain: IPv4 seen by a dual-stack socket is IPv4.
 * Errors, with text: VOX_EINUSE, VOX_EPERMISSION (ports below 1024, a folder), VOX_EADDRESS (not an
 * address of this machine), VOX_ENOTFOUND (no such interface, folder or congestion control),
 * VOX_EUNSUPPORTED (family), VOX_EINVAL (dscp, ttl, limits), VOX_EIO, VOX_ENOMEM, VOX_ELIMIT.
 */
int vox_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                       struct vox_net_error *error);

/* At once: what still waits is dropped (see pending). Removes the path of a Unix socket. */
void vox_transport_close(struct vox_transport *transport);

/*
 * To wait on, level-triggered: it wakes for packets, events and the transport's own errands. For
 * libuv UV_READABLE | UV_PRIORITIZED: answers of the network wake as a priority, which without the
 * latter libuv takes for a broken descriptor.
 */
int vox_transport_fd(const struct vox_transport *transport);
enum vox_scheme vox_transport_scheme(const struct vox_transport *transport);
/* Where it is bound, the port never 0; a stream that calls: whom it calls. */
const struct vox_address *vox_transport_local(const struct vox_transport *transport);

/*
 * Up to VOX_TRANSPORT_BATCH packets; 0 if there is none. *out is borrowed until the next call.
 * Also does what is due: connecting again, sending what waits. Errors: VOX_EIO.
 */
int vox_transport_receive(struct vox_transport *transport, const struct vox_transport_packet **out);

/*
 * Sends one packet: to a peer that receive gave; NULL: to the address it calls, or to every peer
 * that is connected. Returns 0, also when nobody is there: keep sending, the receiver may start
 * later (stats: unsent; an event tells what the network answered to earlier datagrams).
 * Errors, with text (error may be NULL): VOX_EADDRESS (no route, wrong family; that connection is
 * gone), VOX_EPERMISSION (broadcast, firewall), VOX_ELIMIT (longer than the path takes, or 65535
 * bytes), VOX_ENOSPC (the kernel's buffer is full, or the queue of a Unix socket that did not wait
 * to be called), VOX_EIO.
 */
int vox_transport_send(struct vox_transport *transport, const void *bytes, size_t len,
                       const struct vox_peer *to, struct vox_net_error *error);

/* The next thing to tell; false: nothing new. Call until false when the fd wakes. */
bool vox_transport_event(struct vox_transport *transport, struct vox_transport_event *out);

/* Bytes that wait in queues, here and (streams) those that the kernel has not sent yet. */
size_t vox_transport_pending(const struct vox_transport *transport);

/* Packets can go somewhere: always for datagrams; a stream needs a connection. */
bool vox_transport_is_connected(const struct vox_transport *transport);

void vox_transport_read_stats(const struct vox_transport *transport,
                              struct vox_transport_stats *out);

#endif
