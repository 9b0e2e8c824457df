/*
 * One end of a link in user space: a TUN device (Linux, Documentation/networking/tuntap.rst) in the
 * network namespace that the process is in. What the kernel sends through the device is read from
 * fd, one IP packet a read; what is written to it, the kernel receives.
 *
 *     struct vox_tun tun;
 *     vox_tun_open(&(struct vox_tun_config){.ipv4 = "10.77.0.1", .ipv6 = "fd77::1"}, &tun, &error);
 *     ssize_t len = read(tun.fd, packet, sizeof packet);
 *
 * The device goes with the fd. Thread rule: one owner.
 */
#ifndef VOX_LAB_TUN_H
#define VOX_LAB_TUN_H

#include "net/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_TUN_MTU = 1500 };

struct vox_tun_config {
    const char *ipv4; /* numeric; its network is a /24 behind the device */
    const char *ipv6; /* numeric; a /64 */
};

struct vox_tun {
    int fd;          /* does not block; closed on exec */
    int counters_fd; /* of the namespace's devices */
    bool has_ipv6;   /* false on a kernel without */
};

/*
 * Makes the device, gives it its addresses, a route for IPv4 multicast and VOX_TUN_MTU, and sets it
 * and `lo` up. It sends nothing on its own: no router solicitation, no link-local address.
 * Errors: VOX_ENOTFOUND (no /dev/net/tun), VOX_EPERMISSION, VOX_EIO.
 */
int vox_tun_open(const struct vox_tun_config *config, struct vox_tun *out,
                 struct vox_net_error *error);
void vox_tun_close(struct vox_tun *tun);

/* Packets that the kernel dropped because nobody read them in time. */
uint64_t vox_tun_dropped(const struct vox_tun *tun);

#endif
