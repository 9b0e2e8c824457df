#include "lab/tun.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "vox0"

enum { COUNTERS_BYTES = 4096 };

static int refuse_device(int errno_value, struct vox_net_error *error)
{
    if (errno_value == ENOENT || errno_value == ENODEV || errno_value == ENXIO)
        return vox_net_error_set(
            error, VOX_ENOTFOUND,
            "there is no /dev/net/tun; load the driver (modprobe tun), or give "
            "the container the device (--device /dev/net/tun)");
    if (errno_value == EACCES || errno_value == EPERM)
        return vox_net_error_set(error, VOX_EPERMISSION,
                                 "may not open /dev/net/tun; allow it to users (chmod 666 "
                                 "/dev/net/tun), or run as root");
    return vox_net_error_set(error, VOX_EIO, "cannot open /dev/net/tun: %s", strerror(errno_value));
}

/* There are systems on which anybody may make namespaces, but has no rights in them. */
static int refuse_setting(int errno_value, struct vox_net_error *error)
{
    if (errno_value == EPERM)
        return vox_net_error_set(error, VOX_EPERMISSION,
                                 "may not set up a network, even one of its own; run as root, or "
                                 "let users have namespaces (on Ubuntu: sysctl "
                                 "kernel.apparmor_restrict_unprivileged_userns=0)");
    return vox_net_error_set(error, VOX_EIO, "cannot set up an end of the link: %s",
                             strerror(errno_value));
}

static int open_device(struct vox_net_error *error)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return refuse_device(errno, error);
    struct ifreq request = {.ifr_name = DEVICE, .ifr_flags = IFF_TUN | IFF_NO_PI};
    if (ioctl(fd, TUNSETIFF, &request) == 0)
        return fd;
    int kept = errno;
    close(fd);
    return refuse_setting(kept, error);
}

static struct sockaddr in_address(const char *numeric)
{
    struct sockaddr generic;
    struct sockaddr_in in = {.sin_family = AF_INET};
    inet_pton(AF_INET, numeric, &in.sin_addr);
    memcpy(&generic, &in, sizeof generic);
    return generic;
}

static bool set_up(int control, const char *device)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (ioctl(control, SIOCGIFFLAGS, &request) < 0)
        return false;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    return ioctl(control, SIOCSIFFLAGS, &request) == 0;
}

static bool set_ipv4(int control, const char *numeric)
{
    struct ifreq request = {.ifr_name = DEVICE};
    request.ifr_addr = in_address(numeric);
    if (ioctl(control, SIOCSIFADDR, &request) < 0)
        return false;
    request.ifr_netmask = in_address("255.255.255.0");
    return ioctl(control, SIOCSIFNETMASK, &request) == 0;
}

static bool route_multicast(int control)
{
    static char device[] = DEVICE;
    struct rtentry route = {.rt_flags = RTF_UP, .rt_dev = device};
    route.rt_dst = in_address("224.0.0.0");
    route.rt_genmask = in_address("240.0.0.0");
    return ioctl(control, SIOCADDRT, &route) == 0;
}

/*
 * Without a link-local address (mode 1) the kernel solicits no routers: those packets would take
 * part in the random numbers and in the counts of the commands' own.
 */
static void keep_quiet(void)
{
    int fd = open("/proc/sys/net/ipv6/conf/" DEVICE "/addr_gen_mode", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1", 1) != 1)
        errno = 0; /* a few packets more, then */
    close(fd);
}

static bool set_ipv6(const char *numeric)
{
    int control = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0)
        return false;
    struct in6_ifreq request = {.ifr6_prefixlen = 64, .ifr6_ifindex = (int)if_nametoindex(DEVICE)};
    inet_pton(AF_INET6, numeric, &request.ifr6_addr);
    bool done = ioctl(control, SIOCSIFADDR, &request) == 0;
    close(control);
    return done;
}

static bool configure(int control, const struct vox_tun_config *config, bool *has_ipv6)
{
    struct ifreq mtu = {.ifr_name = DEVICE, .ifr_mtu = VOX_TUN_MTU};
    keep_quiet();
    if (ioctl(control, SIOCSIFMTU, &mtu) < 0 || !set_ipv4(control, config->ipv4) ||
        !set_up(control, "lo") || !set_up(control, DEVICE) || !route_multicast(control))
        return false;
    *has_ipv6 = set_ipv6(config->ipv6);
    return true;
}

int vox_tun_open(const struct vox_tun_config *config, struct vox_tun *out,
                 struct vox_net_error *error)
{
    struct vox_tun tun = {.fd = open_device(error), .counters_fd = -1};
    if (tun.fd < 0)
        return tun.fd;
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = control >= 0 && configure(control, config, &tun.has_ipv6);
    int kept = errno;
    if (control >= 0)
        close(control);
    if (!done) {
        vox_tun_close(&tun);
        return refuse_setting(kept, error);
    }
    /* Stays with this namespace, wherever the process goes. */
    tun.counters_fd = open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
    *out = tun;
    return 0;
}

void vox_tun_close(struct vox_tun *tun)
{
    if (tun->fd >= 0)
        close(tun->fd);
    if (tun->counters_fd >= 0)
        close(tun->counters_fd);
    tun->fd = tun->counters_fd = -1;
}

uint64_t vox_tun_dropped(const struct vox_tun *tun)
{
    /* Behind the name 8 counters of what was received; then bytes, packets, errors, dropped. */
    enum { DROPPED_AT = 11 };
    char text[COUNTERS_BYTES];
    ssize_t len = tun->counters_fd < 0 ? -1 : pread(tun->counters_fd, text, sizeof text - 1, 0);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    const char *row = strstr(text, DEVICE ":");
    if (!row)
        return 0;
    char *at = text + (row - text) + sizeof DEVICE;
    for (int i = 0; i < DROPPED_AT; i++)
        strtoull(at, &at, 10);
    return strtoull(at, NULL, 10);
}
