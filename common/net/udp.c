#include "net/udp.h"

#include "base/err.h"
#include "net/batch.h"
#include "net/explain.h"
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
    TROUBLES_READ = 64, /* answers taken from the kernel at once */
};

struct vox_udp {
    int fd;
    int family;
    struct vox_address local;
    struct vox_troubles troubles;
    struct vox_batch batch;
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

static int find_interface(const char *name, unsigned *index, struct vox_net_error *error)
{
    if (vox_socket_interface_index(name, index) < 0)
        return vox_net_error_set(error, VOX_ENOTFOUND,
                                 "no network interface is called \"%.60s\"; `ip link` lists them",
                                 name);
    return 0;
}

/* An open socket that is bound to nothing yet, with what every socket of ours has. */
static int open_socket(int family, struct vox_udp **out)
{
    struct vox_udp *udp = calloc(1, sizeof *udp);
    if (!udp)
        return -ENOMEM;
    udp->family = family;
    udp->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err = udp->fd < 0 ? -errno : vox_socket_set_flag(udp->fd, SO_TIMESTAMPNS);
    if (err < 0) {
        vox_udp_close(udp);
        return err;
    }
    vox_batch_init(&udp->batch);
    *out = udp;
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
        err = vox_socket_set_flag(udp->fd, SO_REUSEADDR);
    if (err == 0)
        err = vox_socket_bind(udp->fd, &config->local, &udp->local);
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
    if (vox_socket_falls_back(err, &used.local, &used.local))
        err = try_receiver(&used, interface_index, out);
    return err < 0 ? vox_explain_open(-err, "listen on", &config->local, error) : 0;
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
        err = vox_socket_set_flag(udp->fd, SO_BROADCAST);
    if (err == 0)
        err = vox_socket_watch_errors(udp->fd, udp->family);
    if (err < 0)
        return err;
    struct vox_address local = {.len = config->to.len};
    local.storage.ss_family = (sa_family_t)udp->family;
    vox_address_set_port(&local, config->local_port);
    return vox_socket_bind(udp->fd, &local, &udp->local);
}

int vox_udp_open_sender(const struct vox_udp_sender_config *config, struct vox_udp **out,
                        struct vox_net_error *error)
{
    int err = vox_explain_limits(config->dscp, config->ttl, error);
    if (err < 0)
        return err;
    unsigned interface_index;
    err = find_interface(config->interface, &interface_index, error);
    if (err < 0)
        return err;
    struct vox_udp *udp = NULL;
    err = open_socket(vox_address_family(&config->to), &udp);
    if (err == 0)
        err = sender_options(udp, config, interface_index);
    if (err < 0) {
        vox_udp_close(udp);
        return vox_explain_open(-err, "send to", &config->to, error);
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

int vox_udp_receive(struct vox_udp *udp, const struct vox_transport_packet **out)
{
    return vox_batch_receive(&udp->batch, udp->fd, out);
}

/* ---- sending ---- */

int vox_udp_send(struct vox_udp *udp, const void *bytes, size_t len, const struct vox_address *to,
                 struct vox_net_error *error)
{
    struct vox_address target;
    if (vox_address_for_family(to, udp->family, &target) < 0) {
        vox_explain_send(EAFNOSUPPORT, len, to, error);
        return VOX_EADDRESS;
    }
    int err = vox_socket_send(udp->fd, bytes, len, &target);
    return err < 0 ? vox_explain_send(-err, len, to, error) : 0;
}

/* ---- the network's answers ---- */

/* Takes one answer from the error queue. Returns 1, or 0 when it is empty. */
static int next_trouble(int fd, struct vox_trouble *out)
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
    *out = (struct vox_trouble){0};
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

int vox_udp_trouble(struct vox_udp *udp, struct vox_net_error *error)
{
    struct vox_trouble trouble;
    for (int i = 0; i < TROUBLES_READ && next_trouble(udp->fd, &trouble); i++)
        if (trouble.errno_value && vox_troubles_add(&udp->troubles, &trouble))
            return vox_explain_trouble(&trouble, error);
    return 0;
}
