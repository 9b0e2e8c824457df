#include "lab/veth.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/rtnl.h"
#include "net/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/route.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "vox0"

enum {
    COUNTERS_BYTES = 4096,
    SLOT_BYTES = 2048,   /* the kernel's header and a packet */
    BLOCK_BYTES = 65536, /* a multiple of any page */
    SLOTS = 4096,        /* a socket's buffer would be what the system grants: 200 packets or so */
    RING_BYTES = SLOTS * SLOT_BYTES,
    FEATURE_WORDS = 16, /* the kernel has 2 */
    NO_LINK_LOCAL = 1,  /* IN6_ADDR_GEN_MODE_NONE */
};

/*
 * Without ARP a device puts its own address into what it sends (arp_constructor in the kernel's
 * net/ipv4/arp.c): to our end that is somebody else's packet, so the stack there lets it be
 * (PACKET_OTHERHOST). Into vox0 go packets with the same address, which are its own.
 */
static const uint8_t vox0_address[ETHER_ADDR_LEN] = {0x02, 'v', 'o', 'x', 0, 0};

/* ---- what may be wrong ---- */

/* There are systems on which anybody may make namespaces, but has no rights in them. */
static int refuse(int errno_value, struct vox_net_error *error)
{
    if (errno_value == EPERM || errno_value == EACCES)
        return vox_net_error_set(error, VOX_EPERMISSION,
                                 "may not set up a network, even one of its own; run as root, or "
                                 "let users have namespaces (on Ubuntu: sysctl "
                                 "kernel.apparmor_restrict_unprivileged_userns=0)");
    return vox_net_error_set(error, VOX_EIO, "cannot set up an end of the link: %s",
                             strerror(errno_value));
}

static int refuse_socket(int errno_value, struct vox_net_error *error)
{
    if (errno_value == EAFNOSUPPORT || errno_value == EPROTONOSUPPORT)
        return vox_net_error_set(error, VOX_EUNSUPPORTED,
                                 "there are no packet sockets here; load them (modprobe "
                                 "af_packet), or let the service or container have the address "
                                 "family AF_PACKET");
    return refuse(errno_value, error);
}

static int refuse_devices(int errno_value, struct vox_net_error *error)
{
    if (errno_value == EOPNOTSUPP)
        return vox_net_error_set(error, VOX_EUNSUPPORTED,
                                 "this kernel has no virtual Ethernet; load the driver (modprobe "
                                 "veth), or use a kernel with CONFIG_VETH");
    return refuse(errno_value, error);
}

/* ---- our end ---- */

static bool make_ring(struct vox_veth *veth)
{
    const int version = TPACKET_V2, yes = 1;
    const struct tpacket_req ring = {.tp_block_size = BLOCK_BYTES,
                                     .tp_block_nr = RING_BYTES / BLOCK_BYTES,
                                     .tp_frame_size = SLOT_BYTES,
                                     .tp_frame_nr = SLOTS};
    /* Its own packets a socket does not hear; of those of others none is wanted. Linux 4.20. */
    setsockopt(veth->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    /*
     * Our device is up before vox0 is, and without a carrier it has a queue that swallows
     * everything, until a task of the kernel's has noticed the carrier, up to a second later
     * (net/core/link_watch.c). Past the queue nothing is lost.
     */
    if (setsockopt(veth->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) < 0 ||
        setsockopt(veth->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(veth->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) < 0)
        return false;
    void *memory = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, veth->fd, 0);
    veth->ring = memory == MAP_FAILED ? NULL : memory;
    return veth->ring != NULL;
}

int vox_veth_open(struct vox_veth *out, struct vox_net_error *error)
{
    struct vox_veth veth = {.counters_fd = -1, .rtnl = -1, .last_ns = vox_clock_now_ns()};
    veth.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (veth.fd < 0)
        return refuse_socket(errno, error);
    veth.rtnl = vox_rtnl_open();
    if (veth.rtnl < 0 || !make_ring(&veth)) {
        int kept = errno;
        vox_veth_close(&veth);
        return refuse(kept, error);
    }
    *out = veth;
    return 0;
}

void vox_veth_close(struct vox_veth *veth)
{
    const int fds[] = {veth->fd, veth->rtnl, veth->counters_fd};
    if (veth->ring)
        munmap(veth->ring, RING_BYTES);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    veth->fd = veth->rtnl = veth->counters_fd = -1;
    veth->ring = NULL;
}

/* ---- the devices ---- */

/* From our namespace, whose device is the one asked for; vox0 is its peer, where we are now. */
static bool make_devices(int rtnl, const char *name)
{
    struct vox_rtnl_request request;
    const uint32_t here = (uint32_t)getpid();
    vox_rtnl_link(&request, NLM_F_CREATE | NLM_F_EXCL, 0);
    vox_rtnl_text(&request, IFLA_IFNAME, name);
    size_t info = vox_rtnl_nest(&request, IFLA_LINKINFO);
    vox_rtnl_text(&request, IFLA_INFO_KIND, "veth");
    size_t data = vox_rtnl_nest(&request, IFLA_INFO_DATA);
    size_t peer = vox_rtnl_nest(&request, VETH_INFO_PEER);
    vox_rtnl_header(&request, &(struct ifinfomsg){.ifi_family = AF_UNSPEC});
    vox_rtnl_text(&request, IFLA_IFNAME, DEVICE);
    vox_rtnl_put(&request, IFLA_ADDRESS, vox0_address, sizeof vox0_address);
    vox_rtnl_put(&request, IFLA_NET_NS_PID, &here, sizeof here);
    vox_rtnl_end(&request, peer);
    vox_rtnl_end(&request, data);
    vox_rtnl_end(&request, info);
    return vox_rtnl_ask(rtnl, &request) == 0;
}

static int index_of(int control, const char *device)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    return ioctl(control, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

/*
 * Without a link-local address the kernel solicits no routers and joins no groups: those packets
 * would take part in the random numbers and in the counts of the commands' own. If it is refused,
 * as by a kernel without IPv6, there is nothing to be done, or there are a few packets more.
 */
static void keep_quiet(int rtnl, int index)
{
    struct vox_rtnl_request request;
    const uint8_t mode = NO_LINK_LOCAL;
    vox_rtnl_link(&request, 0, index);
    size_t families = vox_rtnl_nest(&request, IFLA_AF_SPEC);
    size_t ipv6 = vox_rtnl_nest(&request, AF_INET6);
    vox_rtnl_put(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    vox_rtnl_end(&request, ipv6);
    vox_rtnl_end(&request, families);
    (void)vox_rtnl_ask(rtnl, &request);
}

static bool set_up(int control, const char *device, int flags)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (ioctl(control, SIOCGIFFLAGS, &request) < 0)
        return false;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP | flags);
    return ioctl(control, SIOCSIFFLAGS, &request) == 0;
}

static bool plug_in(struct vox_veth *veth, const char *name)
{
    veth->vox0 = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                      .sll_protocol = htons(ETH_P_ALL),
                                      .sll_ifindex = index_of(veth->fd, name),
                                      .sll_halen = sizeof vox0_address};
    memcpy(veth->vox0.sll_addr, vox0_address, sizeof vox0_address);
    keep_quiet(veth->rtnl, veth->vox0.sll_ifindex);
    return set_up(veth->fd, name, IFF_NOARP) &&
           bind(veth->fd, (const struct sockaddr *)&veth->vox0, sizeof veth->vox0) == 0;
}

/* ---- the command's end ---- */

static struct sockaddr in_address(const char *numeric)
{
    struct sockaddr generic;
    struct sockaddr_in in = {.sin_family = AF_INET};
    inet_pton(AF_INET, numeric, &in.sin_addr);
    memcpy(&generic, &in, sizeof generic);
    return generic;
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

static bool set_ipv6(const char *numeric)
{
    int control = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0)
        return false;
    struct in6_ifreq request = {.ifr6_prefixlen = 64, .ifr6_ifindex = index_of(control, DEVICE)};
    inet_pton(AF_INET6, numeric, &request.ifr6_addr);
    bool done = ioctl(control, SIOCSIFADDR, &request) == 0;
    close(control);
    return done;
}

/*
 * Between virtual devices the kernel leaves packets of 64 kB whole and checksums out, for somebody
 * who is not there; our packets are those of a wire. All that can be turned off is (ethtool -K).
 */
static bool offload_nothing(int control)
{
    struct {
        uint32_t cmd, size; /* struct ethtool_gfeatures */
        struct ethtool_get_features_block words[FEATURE_WORDS];
    } has = {.cmd = ETHTOOL_GFEATURES, .size = FEATURE_WORDS};
    struct {
        uint32_t cmd, size; /* struct ethtool_sfeatures */
        struct ethtool_set_features_block words[FEATURE_WORDS];
    } wanted = {.cmd = ETHTOOL_SFEATURES};
    struct ifreq request = {.ifr_name = DEVICE};
    request.ifr_data = (void *)&has;
    if (ioctl(control, SIOCETHTOOL, &request) < 0)
        return false;
    wanted.size = has.size;
    for (uint32_t i = 0; i < has.size && i < FEATURE_WORDS; i++)
        wanted.words[i].valid = has.words[i].available;
    request.ifr_data = (void *)&wanted;
    return ioctl(control, SIOCETHTOOL, &request) >= 0;
}

static void keep_vox0_quiet(int control)
{
    int rtnl = vox_rtnl_open();
    if (rtnl < 0)
        return;
    keep_quiet(rtnl, index_of(control, DEVICE));
    close(rtnl);
}

static bool configure(const struct vox_veth_config *config)
{
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0)
        return false;
    keep_vox0_quiet(control);
    bool done = offload_nothing(control) && set_ipv4(control, config->ipv4) &&
                set_up(control, "lo", 0) && set_up(control, DEVICE, IFF_NOARP) &&
                route_multicast(control);
    int kept = errno;
    close(control);
    errno = kept;
    return done;
}

int vox_veth_plug(struct vox_veth *veth, const struct vox_veth_config *config,
                  struct vox_net_error *error)
{
    if (!make_devices(veth->rtnl, config->name))
        return refuse_devices(errno, error);
    if (!plug_in(veth, config->name) || !configure(config))
        return refuse(errno, error);
    veth->has_ipv6 = set_ipv6(config->ipv6);
    close(veth->rtnl);
    veth->rtnl = -1;
    /* Stays with this namespace, wherever the process goes. */
    veth->counters_fd = open("/proc/self/net/dev", O_RDONLY | O_CLOEXEC);
    return 0;
}

/* ---- packets ---- */

static struct tpacket2_hdr *current_slot(const struct vox_veth *veth)
{
    return (struct tpacket2_hdr *)(void *)(veth->ring + veth->next * SLOT_BYTES);
}

/* The kernel reads and writes it on another processor. */
static _Atomic uint32_t *status_of(struct tpacket2_hdr *slot)
{
    return (_Atomic uint32_t *)(void *)&slot->tp_status;
}

/* The slot that is to be read, if the kernel has filled it. */
static struct tpacket2_hdr *take_slot(const struct vox_veth *veth)
{
    struct tpacket2_hdr *slot = current_slot(veth);
    uint32_t status = atomic_load_explicit(status_of(slot), memory_order_acquire);
    return status & TP_STATUS_USER ? slot : NULL;
}

static void give_back(struct vox_veth *veth, struct tpacket2_hdr *slot)
{
    atomic_store_explicit(status_of(slot), TP_STATUS_KERNEL, memory_order_release);
    veth->next = (veth->next + 1) % SLOTS;
}

/* Whole IP packets only: who has rights over vox0 can send anything through it. */
static size_t packet_len(const struct tpacket2_hdr *slot, size_t room)
{
    const uint8_t *at = (const uint8_t *)slot;
    struct sockaddr_ll from;
    memcpy(&from, at + TPACKET_ALIGN((int)sizeof *slot), sizeof from);
    bool is_ip = from.sll_protocol == htons(ETH_P_IP) || from.sll_protocol == htons(ETH_P_IPV6);
    return is_ip && slot->tp_snaplen == slot->tp_len && slot->tp_len <= room ? slot->tp_len : 0;
}

/* The kernel's stamp is of a clock that somebody may set meanwhile: kept within what can be. */
static int64_t sent_at(struct vox_veth *veth, const struct tpacket2_hdr *slot)
{
    int64_t now_ns = vox_clock_now_ns();
    int64_t wall_ns = (int64_t)slot->tp_sec * VOX_NS_PER_S + slot->tp_nsec;
    int64_t sent_ns = wall_ns - vox_clock_wall_offset_ns();
    if (sent_ns > now_ns)
        sent_ns = now_ns;
    if (sent_ns > veth->last_ns)
        veth->last_ns = sent_ns;
    return veth->last_ns;
}

size_t vox_veth_read(struct vox_veth *veth, void *bytes, size_t room, int64_t *sent_ns)
{
    size_t len = 0;
    struct tpacket2_hdr *slot = take_slot(veth);
    for (; slot; slot = len > 0 ? NULL : take_slot(veth)) {
        len = packet_len(slot, room);
        if (len > 0) {
            memcpy(bytes, (const uint8_t *)slot + slot->tp_net, len);
            *sent_ns = sent_at(veth, slot);
        }
        give_back(veth, slot);
    }
    return len;
}

bool vox_veth_write(struct vox_veth *veth, const void *bytes, size_t len)
{
    bool is_ipv6 = *(const uint8_t *)bytes >> 4 == 6;
    veth->vox0.sll_protocol = htons(is_ipv6 ? ETH_P_IPV6 : ETH_P_IP);
    return sendto(veth->fd, bytes, len, 0, (const struct sockaddr *)&veth->vox0,
                  sizeof veth->vox0) == (ssize_t)len;
}

/* ---- counts ---- */

/* Of what was sent through vox0, on the way to our device. */
static uint64_t device_missed(int counters_fd)
{
    /* Behind the name 8 counters of what was received; then bytes, packets, errors, dropped. */
    enum { DROPPED_AT = 11 };
    char text[COUNTERS_BYTES];
    ssize_t len = counters_fd < 0 ? -1 : pread(counters_fd, text, sizeof text - 1, 0);
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

uint64_t vox_veth_missed(struct vox_veth *veth)
{
    struct tpacket_stats ring = {0};
    socklen_t len = sizeof ring;
    /* Each answer begins to count anew. */
    if (veth->fd >= 0 && getsockopt(veth->fd, SOL_PACKET, PACKET_STATISTICS, &ring, &len) == 0)
        veth->ring_missed += ring.tp_drops;
    return veth->ring_missed + device_missed(veth->counters_fd);
}
