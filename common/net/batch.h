/*
 * Datagrams taken from a socket many at once (recvmmsg), of UDP and Unix sockets. For this layer's
 * own use.
 *
 *     vox_batch_init(&batch);
 *     int n = vox_batch_receive(&batch, fd, &got);
 *
 * Thread rule: one owner; must not be moved. RT-safe.
 */
#ifndef VOX_NET_BATCH_H
#define VOX_NET_BATCH_H

#include "net/transport.h"

#include <stdint.h>
#include <sys/socket.h>

enum { VOX_BATCH_CONTROL_BYTES = 64 /* a timestamp and a count, with their headers */ };

struct vox_batch_slot {
    uint8_t bytes[VOX_TRANSPORT_PACKET_BYTES];
    struct sockaddr_storage from;
    _Alignas(struct cmsghdr) uint8_t control[VOX_BATCH_CONTROL_BYTES];
    struct iovec iov;
};

/* All private. */
struct vox_batch {
    int filled; /* messages whose lengths the kernel has overwritten */
    uint64_t dropped;
    struct mmsghdr messages[VOX_TRANSPORT_BATCH];
    struct vox_transport_packet packets[VOX_TRANSPORT_BATCH];
    struct vox_batch_slot slots[VOX_TRANSPORT_BATCH];
};

void vox_batch_init(struct vox_batch *batch);

/* As vox_transport_receive. kernel_time where the socket has SO_TIMESTAMPNS. */
int vox_batch_receive(struct vox_batch *batch, int fd, const struct vox_transport_packet **out);

/* Datagrams that had no room in the socket, where it has SO_RXQ_OVFL. The kernel tells with each
 * datagram what it had dropped when that came. */
uint64_t vox_batch_dropped(const struct vox_batch *batch);

#endif
