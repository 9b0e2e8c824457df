/*
 * One end of a link in user space: a virtual Ethernet (veth(4)) between the network namespace of a
 * command, where its device is vox0, and one of our own, where this program has a raw socket
 * (packet(7)) on the other device. What the kernel sends through vox0 is read from that socket, and
 * what is written to it comes in through vox0, one IP packet each. That takes no device file, so
 * whoever may make namespaces may do this.
 *
 *     struct vox_veth veth;
 *     vox_netns_enter(&error);                                 // ours, for all ends
 *     vox_veth_open(&veth, &error);
 *     vox_netns_enter(&error);                                 // the command's
 *     vox_veth_plug(&veth, &(struct vox_veth_config){.name = "vox-a", .ipv4 = "10.77.0.1",
 *                                                    .ipv6 = "fd77::1"}, &error);
 *     while ((len = vox_veth_read(&veth, packet, sizeof packet, &sent_ns)) > 0)
 *         ...
 *
 * Our end is in a namespace of its own so that a command sees one device and cannot touch the
 * other. The devices go with the namespaces. Thread rule: one owner.
 */
#ifndef VOX_LAB_VETH_H
#define VOX_LAB_VETH_H

#include "net/error.h"

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_veth_config {
    const char *name; /* of our device, for each end another */
    const char *ipv4; /* numeric; its network is a /24 behind vox0 */
    const char *ipv6; /* numeric; a /64 */
};

/* Value; {.fd = -1, .rtnl = -1, .counters_fd = -1} is one that is closed. */
struct vox_veth {
    int fd;               /* to poll: readable; POLLERR if the devices were removed */
    bool has_ipv6;        /* false on a kernel without */
    int rtnl;             /* to where the socket is, between open and plug */
    int counters_fd;      /* of the devices of the command's namespace */
    uint8_t *ring;        /* packets in memory that the kernel fills */
    size_t next;          /* slot of it */
    int64_t last_ns;      /* when the last packet was sent */
    uint64_t ring_missed; /* packets without a slot */
    struct sockaddr_ll vox0;
};

/*
 * The socket, in the namespace that the process is in; closed on exec. Errors: VOX_EPERMISSION,
 * VOX_EUNSUPPORTED (no such sockets), VOX_EIO.
 */
int vox_veth_open(struct vox_veth *out, struct vox_net_error *error);

/*
 * Makes the devices: vox0 in the namespace that the process is in now, with its addresses and a
 * route for IPv4 multicast, and `lo` up. MTU 1500. Nothing is sent by the devices themselves: no
 * ARP, no neighbour or router solicitation, no link-local address. Nothing is offloaded: what is
 * read is complete, checksum included. Errors: VOX_EPERMISSION, VOX_EUNSUPPORTED (no virtual
 * Ethernet), VOX_EIO; the caller closes.
 */
int vox_veth_plug(struct vox_veth *veth, const struct vox_veth_config *config,
                  struct vox_net_error *error);
void vox_veth_close(struct vox_veth *veth);

/*
 * An IP packet that was sent through vox0, if one is there, its length or 0; room: the bytes that
 * there is place for, 1500 will do. *sent_ns: when, by CLOCK_MONOTONIC; never earlier than the one
 * before. RT-safe.
 */
size_t vox_veth_read(struct vox_veth *veth, void *bytes, size_t room, int64_t *sent_ns);

/* Gives vox0 an IP packet; false if it did not get in. Does not block. */
bool vox_veth_write(struct vox_veth *veth, const void *bytes, size_t len);

/* Packets that were dropped because nobody read them in time. */
uint64_t vox_veth_missed(struct vox_veth *veth);

#endif
