#include "net/stream_socket.h"

#include "base/err.h"
#include "base/time.h"
#include "net/explain.h"
#include "net/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* In the kernel, of TCP, beside the segment it is filling: half a second of speech. */
    UNSENT_BYTES = 4096,
    UNIX_BUFFER_BYTES = 32768, /* of which each packet takes more than its length */
    KEEPALIVE_PROBES = 3,
};

static bool is_tcp(const struct vox_transport_config *config)
{
    return config->scheme == VOX_SCHEME_TCP;
}

/* ---- what cannot be had ---- */

static void read_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file || !fgets(out, (int)size, file))
        snprintf(out, size, "?");
    out[strcspn(out, "\n")] = '\0';
    if (file)
        fclose(file);
}

static int explain_congestion(int errno_value, const char *name, struct vox_net_error *error)
{
    char known[100];
    if (errno_value == EPERM) {
        read_line("/proc/sys/net/ipv4/tcp_allowed_congestion_control", known, sizeof known);
        return vox_net_error_set(error, VOX_EPERMISSION,
                                 "congestion control \"%.15s\" is for root; everybody may use: %s",
                                 name, known);
    }
    read_line("/proc/sys/net/ipv4/tcp_available_congestion_control", known, sizeof known);
    return vox_net_error_set(error, VOX_ENOTFOUND,
                             "this system has no congestion control \"%.15s\"; it has: %s", name,
                             known);
}

static int set_congestion(int fd, const char *name)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) < 0 ? -errno
                                                                                          : 0;
}

static int check_limits(const struct vox_transport_config *config, struct vox_net_error *error)
{
    if (config->queue_bytes == 0 || config->max_peers < 1)
        return vox_net_error_set(error, VOX_EINVAL,
                                 "a queue of %zu bytes for each of %d peers is none; both must be "
                                 "1 or more",
                                 config->queue_bytes, config->max_peers);
    if (config->idle_ns < 0 || config->dead_ns < 0)
        return vox_net_error_set(error, VOX_EINVAL,
                                 "the limits for silence must not be negative; 0 is for never");
    return vox_explain_limits(config->dscp, config->ttl, error);
}

int vox_stream_socket_check(const struct vox_transport_config *config, struct vox_net_error *error)
{
    int err = check_limits(config, error);
    if (err < 0)
        return err;
    char text[VOX_ADDRESS_TEXT_BYTES];
    if (vox_address_is_multicast(&config->address))
        return vox_net_error_set(error, VOX_EADDRESS,
                                 "tcp://%s is a group, and TCP joins two only; write udp://",
                                 vox_address_format(&config->address, text));
    if (vox_address_lacks_interface(&config->address))
        return vox_explain_bare_link(vox_transport_format(config->scheme, &config->address, text),
                                     error);
    if (!is_tcp(config) || !config->congestion)
        return 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    err = fd < 0 ? 0 : set_congestion(fd, config->congestion);
    if (fd >= 0)
        close(fd);
    return err < 0 ? explain_congestion(-err, config->congestion, error) : 0;
}

/* ---- options ---- */

static void set_option(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value);
}

static int at_least_1(int64_t value)
{
    return value < 1 ? 1 : value > 32767 ? 32767 : (int)value;
}

/*
 * A peer whose machine or network has gone says nothing. What we sent to it is not acknowledged
 * (RFC 5482); if we send nothing, the system asks (RFC 9293, section 3.8.4).
 */
static void set_signs_of_life(int fd, int64_t dead_ns)
{
    if (dead_ns == 0)
        return;
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, at_least_1(dead_ns / (2 * VOX_NS_PER_S)));
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, at_least_1(dead_ns / (5 * VOX_NS_PER_S)));
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    int64_t dead_ms = dead_ns / VOX_NS_PER_MS;
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, dead_ms > INT32_MAX ? INT32_MAX : (int)dead_ms);
}

static void prepare_tcp(int fd, const struct vox_transport_config *config)
{
    int family = AF_INET;
    socklen_t len = sizeof family;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
    set_signs_of_life(fd, config->dead_ns);
    /* IPv4 inside an IPv6 socket takes the options of both. */
    vox_socket_set_dscp(fd, AF_INET, config->dscp);
    if (config->ttl > 0)
        vox_socket_set_unicast_hops(fd, AF_INET, config->ttl);
    if (family == AF_INET6) {
        vox_socket_set_dscp(fd, AF_INET6, config->dscp);
        if (config->ttl > 0)
            vox_socket_set_unicast_hops(fd, AF_INET6, config->ttl);
    }
    if (config->congestion)
        set_congestion(fd, config->congestion);
}

void vox_stream_socket_acknowledge_soon(int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

void vox_stream_socket_prepare(int fd, const struct vox_transport_config *config)
{
    if (is_tcp(config))
        prepare_tcp(fd, config);
    else
        set_option(fd, SOL_SOCKET, SO_SNDBUF, UNIX_BUFFER_BYTES);
}

/* ---- opening ---- */

static int open_for(const struct vox_address *address, const struct vox_transport_config *config)
{
    int fd = socket(vox_address_family(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    vox_stream_socket_prepare(fd, config);
    return fd;
}

int vox_stream_socket_open(const struct vox_transport_config *config)
{
    return open_for(&config->address, config);
}

static int bind_tcp(int fd, const struct vox_address *at, struct vox_address *local)
{
    /* Else the port stays closed for a minute after a program that had connections there. */
    int err = vox_socket_set_flag(fd, SO_REUSEADDR);
    if (err == 0 && vox_address_family(at) == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return err < 0 ? err : vox_socket_bind(fd, at, local);
}

static int try_listen(const struct vox_transport_config *config, const struct vox_address *at,
                      struct vox_unix_path *path, struct vox_address *local)
{
    int fd = open_for(at, config);
    if (fd < 0)
        return fd;
    *local = *at;
    int err = is_tcp(config) ? bind_tcp(fd, at, local) : vox_unix_path_bind(fd, at, path);
    if (err == 0 && listen(fd, SOMAXCONN) < 0)
        err = -errno;
    if (err < 0) {
        vox_unix_path_remove(path);
        close(fd);
        return err;
    }
    return fd;
}

int vox_stream_socket_listen(const struct vox_transport_config *config, struct vox_unix_path *path,
                             struct vox_address *local)
{
    struct vox_address v4;
    *path = (struct vox_unix_path){.is_ours = false};
    int fd = try_listen(config, &config->address, path, local);
    if (fd < 0 && vox_socket_falls_back(fd, &config->address, &v4))
        fd = try_listen(config, &v4, path, local);
    return fd;
}

bool vox_stream_socket_is_itself(int fd)
{
    struct sockaddr_storage own = {0}, other = {0};
    socklen_t own_len = sizeof own, other_len = sizeof other;
    struct vox_address a, b;
    if (getsockname(fd, (struct sockaddr *)&own, &own_len) < 0 ||
        getpeername(fd, (struct sockaddr *)&other, &other_len) < 0 || own.ss_family == AF_UNIX)
        return false;
    vox_address_from_sockaddr(&own, own_len, &a);
    vox_address_from_sockaddr(&other, other_len, &b);
    return vox_address_equal(&a, &b);
}
