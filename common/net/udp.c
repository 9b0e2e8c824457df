/*
 * UDP sockets over IPv4 and IPv6 (udp(7), ip(7)) as a transport: unicast, multicast, broadcast.
 * Datagrams come in batches, with the kernel's arrival times and its count of those that had no
 * room (SO_TIMESTAMPNS, SO_RXQ_OVFL, socket(7)).
 */
#include "net/transport_ops.h"

#include "base/err.h"
#include "net/batch.h"
#include "net/explain.h"
#include "net/socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { TROUBLES_READ = 64 /* answers taken from the kernel at once */ };

struct udp_transport {
    struct vox_transport transport;
    int family;
    struct vox_address to; /* len 0: it listens */
    int buffer_bytes;      /* that were asked for; 0: none */
    atomic_uint_fast64_t sent;
    struct vox_troubles troubles;
    bool told_overflow;
    struct vox_batch batch;
};

static struct udp_transport *own(struct vox_transport *transport)
{
    return (struct udp_transport *)transport;
}

static void close_transport(struct vox_transport *transport)
{
    vox_socket_close(transport->fd);
    free(transport);
}

static int receive(struct vox_transport *transport, const struct vox_transport_packet **out)
{
    return vox_batch_receive(&own(transport)->batch, transport->fd, out);
}

static int send_packet(struct vox_transport *transport, const void *bytes, size_t len,
                       const struct vox_peer *to, struct vox_net_error *error)
{
    struct udp_transport *u = own(transport);
    const struct vox_address *address = to ? &to->address : &u->to;
    struct vox_address target;
    if (vox_address_for_family(address, u->family, &target) < 0) {
        vox_explain_send(EAFNOSUPPORT, len, address, error);
        return VOX_EADDRESS;
    }
    int err = vox_socket_send(transport->fd, bytes, len, &target);
    if (err < 0)
        return vox_explain_send(-err, len, address, error);
    atomic_fetch_add_explicit(&u->sent, 1, memory_order_relaxed);
    return 0;
}

static void read_stats(const struct vox_transport *transport, struct vox_transport_stats *out)
{
    const struct udp_transport *u = (const struct udp_transport *)transport;
    *out = (struct vox_transport_stats){.sent_packets =
                                            atomic_load_explicit(&u->sent, memory_order_relaxed),
                                        .kernel_dropped = vox_batch_dropped(&u->batch)};
}

/* ---- the network's answers ---- */

/* A positive errno; 0: none is in it. */
static int answer_of(struct msghdr *message)
{
    int errno_value = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        struct sock_extended_err answer;
        if (!v4 && !v6)
            continue;
        memcpy(&answer, CMSG_DATA(c), sizeof answer);
        errno_value = (int)answer.ee_errno;
    }
    return errno_value;
}

/* Takes one answer from the error queue. False: it is empty. */
static bool next_trouble(int fd, struct vox_trouble *out)
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
        return false;
    *out = (struct vox_trouble){.errno_value = answer_of(&message)};
    vox_address_from_sockaddr(&to, message.msg_namelen, &out->to);
    return true;
}

static bool tell_overflow(struct udp_transport *u, struct vox_transport_event *out)
{
    uint64_t dropped = vox_batch_dropped(&u->batch);
    if (u->told_overflow || dropped == 0)
        return false;
    u->told_overflow = true;
    int bytes = 0;
    socklen_t len = sizeof bytes;
    getsockopt(u->transport.fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len);
    /* The kernel gives, and tells, twice what was asked for: half of it is for its own use. */
    vox_explain_overflow(dropped, bytes / 2, u->buffer_bytes, out);
    return true;
}

/* Empties the queue, which would else keep the fd awake: each cause is told the first time. */
static bool event(struct vox_transport *transport, struct vox_transport_event *out)
{
    struct vox_trouble trouble;
    if (tell_overflow(own(transport), out))
        return true;
    for (int i = 0; i < TROUBLES_READ && next_trouble(transport->fd, &trouble); i++)
        if (trouble.errno_value && vox_troubles_add(&own(transport)->troubles, &trouble)) {
            vox_explain_trouble(&trouble, out);
            return true;
        }
    return false;
}

/* ---- opening ---- */

static int find_interface(const char *name, unsigned *index, struct vox_net_error *error)
{
    if (vox_socket_interface_index(name, index) < 0)
        return vox_net_error_set(error, VOX_ENOTFOUND,
                                 "no network interface is called \"%.60s\"; `ip link` lists them",
                                 name);
    return 0;
}

/* A socket that is bound to nothing yet, with what every one of ours has. */
static int open_socket(struct udp_transport *u, int family)
{
    u->family = family;
    u->transport.fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->transport.fd < 0)
        return -errno;
    /* A kernel that does not count them is no reason to fail. */
    vox_socket_set_flag(u->transport.fd, SO_RXQ_OVFL);
    return vox_socket_set_flag(u->transport.fd, SO_TIMESTAMPNS);
}

static int try_listen(struct udp_transport *u, const struct vox_transport_config *config,
                      const struct vox_address *at, unsigned interface_index)
{
    int err = open_socket(u, vox_address_family(at));
    int fd = u->transport.fd, buffer_bytes = config->buffer_bytes;
    /* The kernel cuts what it does not grant (rmem_max): a smaller buffer is no reason to fail. */
    if (err == 0 && buffer_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    if (err == 0 && u->family == AF_INET6) {
        const int only = 0;
        err = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0 ? -errno : 0;
    }
    if (err == 0 && vox_address_is_multicast(at))
        err = vox_socket_set_flag(fd, SO_REUSEADDR);
    if (err == 0)
        err = vox_socket_bind(fd, at, &u->transport.local);
    if (err == 0 && vox_address_is_multicast(at))
        err = vox_socket_join(fd, at, &config->source, interface_index);
    return err;
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

static int listen_for_others(struct udp_transport *u, const struct vox_transport_config *config,
                             unsigned interface_index)
{
    struct vox_address at = config->address;
    if (interface_index == 0)
        interface_index = zone_of(&at);
    else
        set_zone(&at, interface_index);
    int err = try_listen(u, config, &at, interface_index);
    if (vox_socket_falls_back(err, &at, &at)) {
        vox_socket_close(u->transport.fd);
        err = try_listen(u, config, &at, interface_index);
    }
    return err;
}

/* Not connected to the address: datagrams may come from elsewhere (RTCP), and go there. */
static int call_address(struct udp_transport *u, const struct vox_transport_config *config,
                        unsigned interface_index)
{
    u->to = config->address;
    int err = open_socket(u, vox_address_family(&u->to));
    int fd = u->transport.fd;
    if (err == 0)
        err = vox_socket_set_dscp(fd, u->family, config->dscp);
    if (err == 0 && config->ttl > 0)
        err = vox_socket_set_hops(fd, u->family, config->ttl);
    if (err == 0 && vox_address_is_multicast(&u->to))
        err = vox_socket_set_multicast_out(fd, u->family, interface_index);
    if (err == 0 && vox_address_is_broadcast(&u->to))
        err = vox_socket_set_flag(fd, SO_BROADCAST);
    if (err == 0)
        err = vox_socket_watch_errors(fd, u->family);
    struct vox_address any = {.len = u->to.len};
    any.storage.ss_family = (sa_family_t)u->family;
    return err < 0 ? err : vox_socket_bind(fd, &any, &u->transport.local);
}

static void init(struct udp_transport *u, const struct vox_transport_config *config)
{
    static const struct vox_transport_ops ops = {.close = close_transport,
                                                 .receive = receive,
                                                 .send = send_packet,
                                                 .event = event,
                                                 .read_stats = read_stats};
    u->transport = (struct vox_transport){.ops = &ops, .scheme = VOX_SCHEME_UDP, .fd = -1};
    u->buffer_bytes = config->role == VOX_TRANSPORT_LISTEN ? config->buffer_bytes : 0;
    vox_batch_init(&u->batch);
}

int vox_udp_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                           struct vox_net_error *error)
{
    bool listens = config->role == VOX_TRANSPORT_LISTEN;
    unsigned interface_index = 0;
    int err = listens ? 0 : vox_explain_limits(config->dscp, config->ttl, error);
    if (err == 0)
        err = find_interface(config->interface, &interface_index, error);
    if (err < 0)
        return err;
    struct udp_transport *u = calloc(1, sizeof *u);
    if (!u)
        return vox_net_error_set(error, VOX_ENOMEM, "no memory for a socket");
    init(u, config);
    err = listens ? listen_for_others(u, config, interface_index)
                  : call_address(u, config, interface_index);
    if (err < 0) {
        close_transport(&u->transport);
        return vox_explain_open(-err, listens ? "listen on" : "send to", VOX_SCHEME_UDP,
                                &config->address, error);
    }
    *out = &u->transport;
    return 0;
}
