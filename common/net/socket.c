#include "net/socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int set(int fd, int level, int option, const void *value, size_t len)
{
    return setsockopt(fd, level, option, value, (socklen_t)len) < 0 ? -errno : 0;
}

static int set_int(int fd, int level, int option, int value)
{
    return set(fd, level, option, &value, sizeof value);
}

int vox_socket_interface_index(const char *name, unsigned *index)
{
    *index = 0;
    if (!name)
        return 0;
    *index = if_nametoindex(name);
    if (*index)
        return 0;
    char *end;
    unsigned long value = strtoul(name, &end, 10);
    char found[IF_NAMESIZE];
    if (end == name || *end || value == 0 || value > INT32_MAX ||
        !if_indextoname((unsigned)value, found))
        return -ENODEV;
    *index = (unsigned)value;
    return 0;
}

int vox_socket_set_flag(int fd, int option)
{
    return set_int(fd, SOL_SOCKET, option, 1);
}

int vox_socket_bind(int fd, const struct vox_address *local, struct vox_address *bound)
{
    if (bind(fd, (const struct sockaddr *)&local->storage, local->len) < 0)
        return -errno;
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &len) < 0)
        return -errno;
    vox_address_from_sockaddr(&storage, len, bound);
    return 0;
}

void vox_socket_peer_address(const struct sockaddr_storage *storage, socklen_t len,
                             struct vox_address *out)
{
    bool nameless =
        storage->ss_family == AF_UNIX && len <= (socklen_t)offsetof(struct sockaddr_un, sun_path);
    vox_address_from_sockaddr(storage, nameless ? 0 : len, out);
}

bool vox_socket_falls_back(int err, const struct vox_address *local, struct vox_address *v4)
{
    if ((err != -EAFNOSUPPORT && err != -EADDRNOTAVAIL) || vox_address_family(local) != AF_INET6 ||
        !vox_address_is_any(local))
        return false;
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_port = htons(vox_address_port(local))};
    *v4 = (struct vox_address){.len = sizeof any};
    memcpy(&v4->storage, &any, sizeof any);
    return true;
}

int vox_socket_set_dscp(int fd, int family, int dscp)
{
    /* The code point is the upper six bits of the field; the lower two are ECN's. */
    int field = dscp << 2;
    return family == AF_INET ? set_int(fd, IPPROTO_IP, IP_TOS, field)
                             : set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, field);
}

int vox_socket_set_unicast_hops(int fd, int family, int hops)
{
    return family == AF_INET ? set_int(fd, IPPROTO_IP, IP_TTL, hops)
                             : set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops);
}

int vox_socket_set_hops(int fd, int family, int hops)
{
    int err = vox_socket_set_unicast_hops(fd, family, hops);
    if (err < 0)
        return err;
    return family == AF_INET ? set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops)
                             : set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
}

int vox_socket_set_multicast_out(int fd, int family, unsigned interface_index)
{
    const struct ip_mreqn v4 = {.imr_ifindex = (int)interface_index};
    int err = family == AF_INET ? set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1)
                                : set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
    if (err < 0 || interface_index == 0)
        return err;
    return family == AF_INET ? set(fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4)
                             : set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)interface_index);
}

int vox_socket_join(int fd, const struct vox_address *group, const struct vox_address *source,
                    unsigned interface_index)
{
    int level = vox_address_family(group) == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    if (source->len) {
        const struct group_source_req request = {.gsr_interface = interface_index,
                                                 .gsr_group = group->storage,
                                                 .gsr_source = source->storage};
        return set(fd, level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request);
    }
    const struct group_req request = {.gr_interface = interface_index, .gr_group = group->storage};
    return set(fd, level, MCAST_JOIN_GROUP, &request, sizeof request);
}

int vox_socket_watch_errors(int fd, int family)
{
    int err = family == AF_INET ? set_int(fd, IPPROTO_IP, IP_RECVERR, 1)
                                : set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    return err < 0 ? err : set_int(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
}

static bool answers_earlier_datagram(int errno_value)
{
    switch (errno_value) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EACCES:
    case EPROTO:
    case EOPNOTSUPP:
        return true;
    default:
        return false;
    }
}

int vox_socket_send(int fd, const void *bytes, size_t len, const struct vox_address *to)
{
    const struct sockaddr *address = (const void *)&to->storage;
    ssize_t sent = sendto(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, address, to->len);
    if (sent < 0 && (errno == EINTR || answers_earlier_datagram(errno)))
        sent = sendto(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, address, to->len);
    return sent < 0 ? -errno : 0;
}

void vox_socket_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
