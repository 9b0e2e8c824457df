/*
 * UDP sockets over IPv4 and IPv6: unicast, multicast, broadcast; datagrams in batches with the
 * kernel's arrival times (SO_TIMESTAMPNS, socket(7)).
 *
 *     struct vox_udp_receiver_config config;
 *     vox_udp_receiver_config_init(&config);
 *     config.local = listen_address;
 *     vox_udp_open_receiver(&config, &udp, &error);
 *     ... when vox_udp_fd(udp) is readable:
 *     const struct vox_transport_packet *got;
 *     int n;
 *     do {
 *         n = vox_udp_receive(udp, &got);
 *         for (int i = 0; i < n; i++)
 *             vox_receiver_push(receiver, got[i].bytes, got[i].len, got[i].arrival_ns);
 *     } while (n == VOX_TRANSPORT_BATCH);                 // fewer than a batch: drained
 *
 * Sockets do not block. All addresses that go in and come out are plain: IPv4 seen by a dual-stack
 * socket is IPv4.
 *
 * Thread rule: one owner; vox_udp_send may be called from one more thread at the same time (a
 * pacer sends by the fd itself). receive and send are RT-safe.
 */
#ifndef VOX_NET_UDP_H
#define VOX_NET_UDP_H

#include "net/address.h"
#include "net/error.h"
#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_UDP_DSCP_EF = 46, /* expedited forwarding (RFC 3246): voice */
};

struct vox_udp;

struct vox_udp_receiver_config {
    struct vox_address local; /* to bind to, or the multicast group to join; port 0: any free one */
    struct vox_address source; /* hear this sender of the group only (RFC 4607); len 0: all */
    const char *interface;     /* for multicast, name or index; NULL: the system's choice */
    int buffer_bytes;          /* of the kernel (SO_RCVBUF); default 1 MiB; it may grant less */
};

struct vox_udp_sender_config {
    struct vox_address to; /* decides family and options; datagrams may go elsewhere too */
    const char *interface; /* to send multicast on, name or index; NULL: the system's choice */
    int dscp;              /* 0..63, default 46 (EF) */
    int ttl;               /* hops, 1..255; 0: the system's default, and 1 for multicast */
    uint16_t local_port;   /* default 0: any free one */
};

/* Defaults: every address, IPv6 and IPv4, port 5004. */
void vox_udp_receiver_config_init(struct vox_udp_receiver_config *config);
void vox_udp_sender_config_init(struct vox_udp_sender_config *config);

/*
 * Binds. [::] takes IPv4 as well; on a machine without IPv6 it becomes 0.0.0.0. Multicast binds to
 * the group, so that nothing else sent to the port comes in, and shares the port with others
 * (SO_REUSEADDR); unicast does not share.
 * Errors, with text: VOX_EINUSE, VOX_EPERMISSION (ports below 1024), VOX_EADDRESS (not an address
 * of this machine), VOX_ENOTFOUND (no such interface), VOX_EUNSUPPORTED (family), VOX_EIO,
 * VOX_ENOMEM.
 */
int vox_udp_open_receiver(const struct vox_udp_receiver_config *config, struct vox_udp **out,
                          struct vox_net_error *error);

/*
 * Opens an unconnected socket of the destination's family. Multicast loops back to this machine.
 * Broadcast is permitted only if the destination is a broadcast address. It receives too (RTCP).
 * Errors, with text: as above, and VOX_EINVAL (dscp, ttl).
 */
int vox_udp_open_sender(const struct vox_udp_sender_config *config, struct vox_udp **out,
                        struct vox_net_error *error);

void vox_udp_close(struct vox_udp *udp);

/*
 * To wait on. For a sender with libuv: uv_poll_start(&poll, UV_READABLE | UV_PRIORITIZED, ...),
 * since trouble (below) wakes too, and without PRIORITIZED libuv takes that for a broken
 * descriptor.
 */
int vox_udp_fd(const struct vox_udp *udp);
/* Where it is bound: the port is never 0. */
const struct vox_address *vox_udp_local(const struct vox_udp *udp);

/*
 * One recvmmsg: up to VOX_TRANSPORT_BATCH datagrams in order of arrival. Returns how many, 0 if
 * there is none. *out is borrowed until the next call. Errors: VOX_EIO.
 */
int vox_udp_receive(struct vox_udp *udp, const struct vox_transport_packet **out);

/*
 * Sends one datagram. Returns 0, also when an earlier one was refused: see vox_udp_trouble.
 * Errors, with text: VOX_EADDRESS (no route, wrong family), VOX_EPERMISSION (broadcast, firewall),
 * VOX_ELIMIT (longer than the path takes), VOX_ENOSPC (the kernel's buffer is full), VOX_EIO.
 */
int vox_udp_send(struct vox_udp *udp, const void *bytes, size_t len, const struct vox_address *to,
                 struct vox_net_error *error);

/*
 * What the network answered to datagrams sent by a sender's socket (ICMP, read from the error
 * queue: IP_RECVERR). Returns 1 with a text the first time that a cause shows up ("refused: nobody
 * listens on ..."), 0 if there is nothing new. To be called when the fd wakes, until it
 * returns 0: it empties the queue, which would else keep the fd awake. Keep sending: the receiver
 * may start later.
 */
int vox_udp_trouble(struct vox_udp *udp, struct vox_net_error *error);

#endif
