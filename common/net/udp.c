#include "net/udp.h"

#include "base/err.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RECEIVE_BUFFER_BYTES = 1 << 20,
    TROUBLES = 8,       /* causes remembered as told */
    TROUBLES_READ = 64, /* answers taken from the kernel at once */
    CONTROL_BYTES = 64, /* a timestamp and its header */
};

/* Nothing waits that long in a socket; an older stamp means that somebody set the wall clock. */
#define OLDEST_ARRIVAL_NS (10 * VOX_NS_PER_S)

struct trouble {
    int errno_value;
    struct vox_address to;
};

struct slot {
    uint8_t bytes[VOX_TRANSPORT_PACKET_BYTES];
    struct sockaddr_storage from;
    _Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
    struct iovec iov;
};

struct vox_udp {
    int fd;
    int family;
    struct vox_address local;
    size_t trouble_count;
    struct trouble troubles[TROUBLES];
    int filled; /* messages whose lengths the kernel has overwritten */
    struct mmsghdr messages[VOX_TRANSPORT_BATCH];
    struct vox_transport_packet datagrams[VOX_TRANSPORT_BATCH];
    struct slot slots[VOX_TRANSPORT_BATCH];
};

void vox_udp_receiver_config_init(struct vox_udp_receiver_config *config)
{
    *config = (struct vox_udp_receiver_config){.buffer_bytes = RECEIVE_BUFFER_BYTES};
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    any.sin6_port = htons(VOX_ADDRESS_DEFAULT_PORT);
    memcpy(&config->local.storage, &any, sizeof any);
    config->local.len = sizeof any;
}

void vox_udp_sender_config_init(struct vox_udp_sender_config *config)
{
    *config = (struct vox_udp_sender_config){.dscp = VOX_UDP_DSCP_EF};
}

/* ---- opening ---- */

static int explain_open(int errno_value, const char *what, const struct vox_address *address,
                        struct vox_net_error *error)
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(address, text);
    int code = vox_net_error_code(errno_value);
    switch (errno_value) {
    case EADDRINUSE:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: another program uses this port; end it, or choose "
                                 "another port (0: any free one)",
                                 what, text);
    case EACCES:
    case EPERM:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: permission denied; ports below 1024 are for root, "
                                 "choose one above",
                                 what, text);
    case EADDRNOTAVAIL:
        return vox_net_error_set(
            error, code,
            "cannot %s %s: this machine has no such address; leave the host out "
            "to use all that it has",
            what, text);
    case EAFNOSUPPORT:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: this machine does not speak that kind of address; "
                                 "try IPv4",
                                 what, text);
    case ENODEV:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: no interface takes multicast to it; name one with "
                                 "--interface (see `ip link`)",
                                 what, text);
    default:
        return vox_net_error_set(error, code, "cannot %s %s: %s; check the address and the network",
                                 what, text, strerror(errno_value));
    }
}

static int find_interface(const char *name, unsigned *index, struct vox_net_error *error)
{
    if (vox_socket_interface_index(name, index) < 0)
        return vox_net_error_set(error, VOX_ENOTFOUND,
                                 "no network interface is called \"%.60s\"; `ip link` lists them",
                                 name);
    return 0;
}

static void prepare_slots(struct vox_udp *udp)
{
    for (int i = 0; i < VOX_TRANSPORT_BATCH; i++) {
        struct slot *slot = &udp->slots[i];
        slot->iov = (struct iovec){.iov_base = slot->bytes, .iov_len = sizeof slot->bytes};
        udp->messages[i].msg_hdr = (struct msghdr){.msg_name = &slot->from,
                                                   .msg_iov = &slot->iov,
                                                   .msg_iovlen = 1,
                                                   .msg_control = slot->control};
    }
    udp->filled = VOX_TRANSPORT_BATCH;
}

static int set_flag(int fd, int option)
{
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) < 0 ? -errno : 0;
}

/* An open socket that is bound to nothing yet, with what every socket of ours has. */
static int open_socket(int family, struct vox_udp **out)
{
    struct vox_udp *udp = calloc(1, sizeof *udp);
    if (!udp)
        return -ENOMEM;
    udp->family = family;
    udp->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err = udp->fd < 0 ? -errno : set_flag(udp->fd, SO_TIMESTAMPNS);
    if (err < 0) {
        vox_udp_close(udp);
        return err;
    }
    prepare_slots(udp);
    *out = udp;
    return 0;
}

static int bind_socket(struct vox_udp *udp, const struct vox_address *local)
{
    if (bind(udp->fd, (const struct sockaddr *)&local->storage, local->len) < 0)
        return -errno;
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (getsockname(udp->fd, (struct sockaddr *)&bound, &len) < 0)
        return -errno;
    vox_address_from_sockaddr(&bound, len, &udp->local);
    return 0;
}

static int receiver_options(struct vox_udp *udp, const struct vox_udp_receiver_config *config,
                            unsigned interface_index)
{
    int buffer_bytes = config->buffer_bytes;
    int err = 0;
    /* The kernel cuts what it does not grant (rmem_max): a smaller buffer is no reason to fail. */
    if (buffer_bytes > 0)
        setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    if (udp->family == AF_INET6) {
        const int only = 0;
        err = setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0 ? -errno : 0;
    }
    if (err == 0 && vox_address_is_multicast(&config->local))
        err = set_flag(udp->fd, SO_REUSEADDR);
    if (err == 0)
        err = bind_socket(udp, &config->local);
    if (err == 0 && vox_address_is_multicast(&config->local))
        err = vox_socket_join(udp->fd, &config->local, &config->source, interface_index);
    return err;
}

static int try_receiver(const struct vox_udp_receiver_config *config, unsigned interface_index,
                        struct vox_udp **out)
{
    struct vox_udp *udp;
    int err = open_socket(vox_address_family(&config->local), &udp);
    if (err < 0)
        return err;
    err = receiver_options(udp, config, interface_index);
    if (err < 0) {
        vox_udp_close(udp);
        return err;
    }
    *out = udp;
    return 0;
}

/* A link-local group names its interface by its zone as well (ff02::1%eth0). */
static unsigned zone_of(const struct vox_address *address)
{
    const struct sockaddr_in6 *in6 = (const void *)&address->storage;
    return vox_address_family(address) == AF_INET6 ? in6->sin6_scope_id : 0;
}

/* Groups that mean other hosts on each interface (RFC 4007) are bound to one by its zone. */
static void set_zone(struct vox_address *address, unsigned interface_index)
{
    struct sockaddr_in6 *in6 = (void *)&address->storage;
    if (vox_address_family(address) == AF_INET6 &&
        (IN6_IS_ADDR_MC_LINKLOCAL(&in6->sin6_addr) || IN6_IS_ADDR_MC_NODELOCAL(&in6->sin6_addr)))
        in6->sin6_scope_id = interface_index;
}

static bool means_no_v6(int err)
{
    return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
}

int vox_udp_open_receiver(const struct vox_udp_receiver_config *config, struct vox_udp **out,
                          struct vox_net_error *error)
{
    unsigned interface_index;
    int err = find_interface(config->interface, &interface_index, error);
    if (err < 0)
        return err;
    struct vox_udp_receiver_config used = *config;
    if (interface_index == 0)
        interface_index = zone_of(&used.local);
    else
        set_zone(&used.local, interface_index);
    err = try_receiver(&used, interface_index, out);
    if (means_no_v6(err) && vox_address_family(&used.local) == AF_INET6 &&
        vox_address_is_any(&used.local)) {
        const struct sockaddr_in any = {.sin_family = AF_INET,
                                        .sin_port = htons(vox_address_port(&config->local))};
        used.local = (struct vox_address){.len = sizeof any};
        memcpy(&used.local.storage, &any, sizeof any);
        err = try_receiver(&used, interface_index, out);
    }
    return err < 0 ? explain_open(-err, "listen on", &config->local, error) : 0;
}

static int sender_options(struct vox_udp *udp, const struct vox_udp_sender_config *config,
                          unsigned interface_index)
{
    int err = vox_socket_set_dscp(udp->fd, udp->family, config->dscp);
    if (err == 0 && config->ttl > 0)
        err = vox_socket_set_hops(udp->fd, udp->family, config->ttl);
    if (err == 0 && vox_address_is_multicast(&config->to))
        err = vox_socket_set_multicast_out(udp->fd, udp->family, interface_index);
    if (err == 0 && vox_address_is_broadcast(&config->to))
        err = set_flag(udp->fd, SO_BROADCAST);
    if (err == 0)
        err = vox_socket_watch_errors(udp->fd, udp->family);
    if (err < 0)
        return err;
    struct vox_address local = {.len = config->to.len};
    local.storage.ss_family = (sa_family_t)udp->family;
    vox_address_set_port(&local, config->local_port);
    return bind_socket(udp, &local);
}

int vox_udp_open_sender(const struct vox_udp_sender_config *config, struct vox_udp **out,
                        struct vox_net_error *error)
{
    if (config->dscp < 0 || config->dscp > 63)
        return vox_net_error_set(error, VOX_EINVAL, "DSCP %d is not in 0..63", config->dscp);
    if (config->ttl < 0 || config->ttl > 255)
        return vox_net_error_set(error, VOX_EINVAL, "TTL %d is not in 1..255", config->ttl);
    unsigned interface_index;
    int err = find_interface(config->interface, &interface_index, error);
    if (err < 0)
        return err;
    struct vox_udp *udp = NULL;
    err = open_socket(vox_address_family(&config->to), &udp);
    if (err == 0)
        err = sender_options(udp, config, interface_index);
    if (err < 0) {
        vox_udp_close(udp);
        return explain_open(-err, "send to", &config->to, error);
    }
    *out = udp;
    return 0;
}

void vox_udp_close(struct vox_udp *udp)
{
    if (!udp)
        return;
    if (udp->fd >= 0)
        close(udp->fd);
    free(udp);
}

int vox_udp_fd(const struct vox_udp *udp)
{
    return udp->fd;
}

const struct vox_address *vox_udp_local(const struct vox_udp *udp)
{
    return &udp->local;
}

/* ---- receiving ---- */

/* The kernel's stamp on the wall clock; 0 if it gave none. */
static int64_t stamp_of(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return (int64_t)t.tv_sec * VOX_NS_PER_S + t.tv_nsec;
    }
    return 0;
}

static void describe(struct mmsghdr *message, const struct slot *slot, int64_t now_ns,
                     int64_t offset_ns, struct vox_transport_packet *out)
{
    struct msghdr *header = &message->msg_hdr;
    int64_t stamp_ns = stamp_of(header);
    int64_t arrival_ns = stamp_ns - offset_ns;
    out->kernel_time = stamp_ns != 0 && arrival_ns > now_ns - OLDEST_ARRIVAL_NS;
    out->arrival_ns = out->kernel_time && arrival_ns < now_ns ? arrival_ns : now_ns;
    out->from.connection = 0;
    out->bytes = slot->bytes;
    out->len = message->msg_len;
    out->truncated = (header->msg_flags & MSG_TRUNC) != 0;
    vox_address_from_sockaddr(&slot->from, header->msg_namelen, &out->from.address);
}

static int receive_batch(struct vox_udp *udp)
{
    for (int i = 0; i < udp->filled; i++) {
        udp->messages[i].msg_hdr.msg_namelen = sizeof udp->slots[i].from;
        udp->messages[i].msg_hdr.msg_controllen = sizeof udp->slots[i].control;
    }
    int count = recvmmsg(udp->fd, udp->messages, VOX_TRANSPORT_BATCH, MSG_DONTWAIT, NULL);
    udp->filled = count > 0 ? count : 0;
    return count;
}

int vox_udp_receive(struct vox_udp *udp, const struct vox_transport_packet **out)
{
    int count = receive_batch(udp);
    /* An answer to a datagram we sent is reported once, in front of what has come in. */
    if (count < 0 && errno != EAGAIN)
        count = receive_batch(udp);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : VOX_EIO;
    int64_t offset_ns = vox_clock_wall_offset_ns();
    int64_t now_ns = vox_clock_now_ns();
    for (int i = 0; i < count; i++)
        describe(&udp->messages[i], &udp->slots[i], now_ns, offset_ns, &udp->datagrams[i]);
    *out = udp->datagrams;
    return count;
}

/* ---- sending ---- */

static int explain_send(int errno_value, size_t len, const struct vox_address *to,
                        struct vox_net_error *error)
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(to, text);
    int code = vox_net_error_code(errno_value);
    switch (errno_value) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
        return vox_net_error_set(
            error, code,
            "cannot send to %s: no route there (%s); check address, network and "
            "--interface",
            text, strerror(errno_value));
    case EMSGSIZE:
        return vox_net_error_set(
            error, code,
            "cannot send %zu bytes to %s: longer than the network takes in one "
            "datagram; lower the bitrate or the frame size",
            len, text);
    case EACCES:
    case EPERM:
        return vox_net_error_set(error, code,
                                 "cannot send to %s: not permitted; is it a broadcast address, or "
                                 "does a firewall refuse it?",
                                 text);
    default:
        return vox_net_error_set(error, code, "cannot send to %s: %s; trying again with the next",
                                 text, strerror(errno_value));
    }
}

int vox_udp_send(struct vox_udp *udp, const void *bytes, size_t len, const struct vox_address *to,
                 struct vox_net_error *error)
{
    struct vox_address target;
    if (vox_address_for_family(to, udp->family, &target) < 0) {
        explain_send(EAFNOSUPPORT, len, to, error);
        return VOX_EADDRESS;
    }
    int err = vox_socket_send(udp->fd, bytes, len, &target);
    return err < 0 ? explain_send(-err, len, to, error) : 0;
}

/* ---- the network's answers ---- */

static int explain_trouble(const struct trouble *trouble, struct vox_net_error *error)
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(&trouble->to, text);
    if (trouble->errno_value == ECONNREFUSED)
        return vox_net_error_set(
            error, 1,
            "%s refused: no program receives on that port; start the receiver, "
            "sending goes on",
            text);
    if (trouble->errno_value == EHOSTUNREACH || trouble->errno_value == ENETUNREACH)
        return vox_net_error_set(
            error, 1,
            "%s cannot be reached (%s); check address and network, sending goes "
            "on",
            text, strerror(trouble->errno_value));
    return vox_net_error_set(error, 1, "%s: the network answers \"%s\"; sending goes on", text,
                             strerror(trouble->errno_value));
}

/* Takes one answer from the error queue. Returns 1, or 0 when it is empty. */
static int next_trouble(int fd, struct trouble *out)
{
    uint8_t sent[1];
    _Alignas(struct cmsghdr) uint8_t control[256];
    struct sockaddr_storage to = {0};
    struct iovec iov = {.iov_base = sent, .iov_len = sizeof sent};
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof to,
                             .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return 0;
    *out = (struct trouble){0};
    vox_address_from_sockaddr(&to, message.msg_namelen, &out->to);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        struct sock_extended_err answer;
        if (!v4 && !v6)
            continue;
        memcpy(&answer, CMSG_DATA(c), sizeof answer);
        out->errno_value = (int)answer.ee_errno;
    }
    return 1;
}

static bool is_new(struct vox_udp *udp, const struct trouble *trouble)
{
    for (size_t i = 0; i < udp->trouble_count; i++)
        if (udp->troubles[i].errno_value == trouble->errno_value &&
            vox_address_equal(&udp->troubles[i].to, &trouble->to))
            return false;
    if (udp->trouble_count == TROUBLES)
        return false;
    udp->troubles[udp->trouble_count++] = *trouble;
    return true;
}

int vox_udp_trouble(struct vox_udp *udp, struct vox_net_error *error)
{
    struct trouble trouble;
    for (int i = 0; i < TROUBLES_READ && next_trouble(udp->fd, &trouble); i++)
        if (trouble.errno_value && is_new(udp, &trouble))
            return explain_trouble(&trouble, error);
    return 0;
}
