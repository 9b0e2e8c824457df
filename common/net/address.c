#include "net/address.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* ---- parts to socket address ---- */

static int service_port(enum vox_scheme scheme, const char *service, uint16_t *port,
                        struct vox_net_error *error)
{
    bool tcp = scheme == VOX_SCHEME_TCP;
    const struct addrinfo hints = {.ai_family = AF_INET,
                                   .ai_socktype = tcp ? SOCK_STREAM : SOCK_DGRAM};
    struct addrinfo *found;
    int err = getaddrinfo(NULL, service, &hints, &found);
    if (err)
        return vox_net_error_set(
            error, err == EAI_MEMORY ? VOX_ENOMEM : VOX_ENOTFOUND,
            "no %s service is called \"%s\" (/etc/services); write the port as "
            "a number",
            tcp ? "TCP" : "UDP", service);
    const struct sockaddr_in *in = (const void *)found->ai_addr;
    *port = ntohs(in->sin_port);
    freeaddrinfo(found);
    return 0;
}

static void any_or_loopback(const struct vox_address_hints *hints, struct vox_address *out)
{
    memset(out, 0, sizeof *out);
    int family = hints->family ? hints->family : hints->listening ? AF_INET6 : AF_INET;
    out->storage.ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        struct sockaddr_in *in = (void *)&out->storage;
        in->sin_addr.s_addr = htonl(hints->listening ? INADDR_ANY : INADDR_LOOPBACK);
        out->len = sizeof *in;
    } else {
        struct sockaddr_in6 *in6 = (void *)&out->storage;
        in6->sin6_addr = hints->listening ? in6addr_any : in6addr_loopback;
        out->len = sizeof *in6;
    }
}

static const char *family_text(int family)
{
    return family == AF_INET ? "IPv4 " : family == AF_INET6 ? "IPv6 " : "";
}

static int explain_lookup(const char *host, int family, int gai, struct vox_net_error *error)
{
    if (strchr(host, '%'))
        return vox_net_error_set(error, VOX_ENOTFOUND,
                                 "no address \"%.100s\" is there; what follows the %% is an "
                                 "interface, see `ip link`",
                                 host);
    switch (gai) {
    case EAI_AGAIN:
        return vox_net_error_set(
            error, VOX_EADDRESS,
            "cannot look up \"%.100s\": the name server does not answer; check "
            "the network, or write the address in numbers",
            host);
    case EAI_MEMORY:
        return vox_net_error_set(error, VOX_ENOMEM, "cannot look up \"%.100s\": out of memory",
                                 host);
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
    case EAI_FAMILY:
        return vox_net_error_set(
            error, VOX_ENOTFOUND,
            "no host \"%.100s\" with an %saddress was found; check the spelling, "
            "or write the address in numbers",
            host, family_text(family));
    default:
        return vox_net_error_set(error, VOX_EADDRESS,
                                 "cannot look up \"%.100s\": %s; check the name "
                                 "and the network",
                                 host, gai_strerror(gai));
    }
}

/* Numbers first, so that they never wait for a name server. */
static int look_up(const char *host, int family, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
    hints.ai_flags = AI_NUMERICHOST;
    if (getaddrinfo(host, NULL, &hints, found) == 0)
        return 0;
    /* Not AI_ADDRCONFIG: it hides "localhost" while no network is up. Families that this machine
     * has no route for are sorted last anyway (RFC 6724). */
    hints.ai_flags = AI_IDN;
    return getaddrinfo(host, NULL, &hints, found);
}

/* An abstract name begins with a byte 0 instead of the @, and ends where the address does. */
static void from_path(const char *path, struct vox_address *out)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(un.sun_path, path, len);
    bool abstract = path[0] == '@';
    if (abstract)
        un.sun_path[0] = '\0';
    *out = (struct vox_address){
        .len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1))};
    memcpy(&out->storage, &un, sizeof un);
}

static int resolve_host(const struct vox_endpoint *endpoint, const struct vox_address_hints *hints,
                        struct vox_address *out, size_t most, struct vox_net_error *error)
{
    struct addrinfo *found;
    int gai = look_up(endpoint->host, hints->family, &found);
    if (gai)
        return explain_lookup(endpoint->host, hints->family, gai, error);
    size_t count = 0;
    for (const struct addrinfo *i = found; i && count < most; i = i->ai_next) {
        struct sockaddr_storage storage = {0};
        memcpy(&storage, i->ai_addr, i->ai_addrlen);
        vox_address_from_sockaddr(&storage, i->ai_addrlen, &out[count++]);
    }
    freeaddrinfo(found);
    return (int)count;
}

int vox_address_resolve_all(const struct vox_endpoint *endpoint,
                            const struct vox_address_hints *hints, struct vox_address *out,
                            size_t most, struct vox_net_error *error)
{
    if (endpoint->path[0]) {
        from_path(endpoint->path, out);
        return 1;
    }
    uint16_t port = endpoint->port;
    int count =
        endpoint->service[0] ? service_port(endpoint->scheme, endpoint->service, &port, error) : 0;
    if (count < 0)
        return count;
    if (port == 0 && !hints->listening)
        return vox_net_error_set(error, VOX_EADDRESS,
                                 "cannot send to port 0 of \"%.100s\"; write a port in 1..65535",
                                 endpoint->host);
    if (endpoint->host[0] == '\0') {
        any_or_loopback(hints, out);
        count = 1;
    } else {
        count = resolve_host(endpoint, hints, out, most, error);
    }
    for (int i = 0; i < count; i++)
        vox_address_set_port(&out[i], port);
    return count;
}

int vox_address_resolve(const struct vox_endpoint *endpoint, const struct vox_address_hints *hints,
                        struct vox_address *out, struct vox_net_error *error)
{
    int count = vox_address_resolve_all(endpoint, hints, out, 1, error);
    return count < 0 ? count : 0;
}

bool vox_address_is_name(const struct vox_endpoint *endpoint)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *found;
    if (endpoint->host[0] == '\0')
        return false;
    if (getaddrinfo(endpoint->host, NULL, &hints, &found) != 0)
        return true;
    freeaddrinfo(found);
    return false;
}

int vox_address_lookup(const char *text, const struct vox_address_hints *hints,
                       struct vox_address *out, struct vox_net_error *error)
{
    struct vox_endpoint endpoint = {0};
    int err = vox_address_parse(text, &endpoint, error);
    return err < 0 ? err : vox_address_resolve(&endpoint, hints, out, error);
}

/* ---- conversions ---- */

static const struct sockaddr_in *as_v4(const struct vox_address *address)
{
    return address->storage.ss_family == AF_INET ? (const void *)&address->storage : NULL;
}

static const struct sockaddr_in6 *as_v6(const struct vox_address *address)
{
    return address->storage.ss_family == AF_INET6 ? (const void *)&address->storage : NULL;
}

void vox_address_from_sockaddr(const struct sockaddr_storage *storage, socklen_t len,
                               struct vox_address *out)
{
    memset(out, 0, sizeof *out);
    const struct sockaddr_in6 *in6 = (const void *)storage;
    if (storage->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        struct sockaddr_in *in = (void *)&out->storage;
        in->sin_family = AF_INET;
        in->sin_port = in6->sin6_port;
        memcpy(&in->sin_addr, &in6->sin6_addr.s6_addr[12], sizeof in->sin_addr);
        out->len = sizeof *in;
        return;
    }
    out->len = len < (socklen_t)sizeof out->storage ? len : (socklen_t)sizeof out->storage;
    memcpy(&out->storage, storage, out->len);
}

int vox_address_for_family(const struct vox_address *address, int family, struct vox_address *out)
{
    const struct sockaddr_in *in = as_v4(address);
    if (vox_address_family(address) == family) {
        *out = *address;
        return 0;
    }
    if (family != AF_INET6 || !in)
        return VOX_EADDRESS;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = in->sin_port};
    in6.sin6_addr.s6_addr[10] = 0xff;
    in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&in6.sin6_addr.s6_addr[12], &in->sin_addr, sizeof in->sin_addr);
    *out = (struct vox_address){.len = sizeof in6};
    memcpy(&out->storage, &in6, sizeof in6);
    return 0;
}

int vox_address_family(const struct vox_address *address)
{
    return address->len ? address->storage.ss_family : AF_UNSPEC;
}

uint16_t vox_address_port(const struct vox_address *address)
{
    const struct sockaddr_in *in = as_v4(address);
    const struct sockaddr_in6 *in6 = as_v6(address);
    return in ? ntohs(in->sin_port) : in6 ? ntohs(in6->sin6_port) : 0;
}

void vox_address_set_port(struct vox_address *address, uint16_t port)
{
    if (as_v4(address))
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
    else if (as_v6(address))
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
}

/* ---- what kind ---- */

bool vox_address_is_any(const struct vox_address *address)
{
    const struct sockaddr_in *in = as_v4(address);
    const struct sockaddr_in6 *in6 = as_v6(address);
    return in ? in->sin_addr.s_addr == htonl(INADDR_ANY)
              : in6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

bool vox_address_is_multicast(const struct vox_address *address)
{
    const struct sockaddr_in *in = as_v4(address);
    const struct sockaddr_in6 *in6 = as_v6(address);
    return in ? IN_MULTICAST(ntohl(in->sin_addr.s_addr))
              : in6 && IN6_IS_ADDR_MULTICAST(&in6->sin6_addr);
}

bool vox_address_lacks_interface(const struct vox_address *address)
{
    const struct sockaddr_in6 *in6 = as_v6(address);
    return in6 && IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && in6->sin6_scope_id == 0;
}

bool vox_address_is_loopback(const struct vox_address *address)
{
    const struct sockaddr_in *in = as_v4(address);
    const struct sockaddr_in6 *in6 = as_v6(address);
    return in ? ntohl(in->sin_addr.s_addr) >> 24 == 127
              : in6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static bool interface_is(const struct ifaddrs *interface, const struct vox_address *address,
                         bool broadcast)
{
    const struct sockaddr *own = interface->ifa_addr;
    if (broadcast)
        own = interface->ifa_flags & IFF_BROADCAST ? interface->ifa_broadaddr : NULL;
    if (!own || own->sa_family != address->storage.ss_family)
        return false;
    struct vox_address other = {.len = address->len};
    memcpy(&other.storage, own, address->len);
    return vox_address_equal_host(address, &other);
}

static bool any_interface_is(const struct vox_address *address, bool broadcast)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0)
        return false;
    bool found = false;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
        found = interface_is(i, address, broadcast);
    freeifaddrs(all);
    return found;
}

bool vox_address_is_broadcast(const struct vox_address *address)
{
    const struct sockaddr_in *in = as_v4(address);
    if (!in)
        return false;
    return in->sin_addr.s_addr == htonl(INADDR_BROADCAST) || any_interface_is(address, true);
}

bool vox_address_is_local(const struct vox_address *address)
{
    return vox_address_family(address) == AF_UNIX || vox_address_is_loopback(address) ||
           any_interface_is(address, false);
}

bool vox_address_equal_host(const struct vox_address *a, const struct vox_address *b)
{
    if (vox_address_family(a) == AF_UNIX)
        return a->len == b->len && memcmp(&a->storage, &b->storage, a->len) == 0;
    struct vox_address plain_a, plain_b;
    vox_address_from_sockaddr(&a->storage, a->len, &plain_a);
    vox_address_from_sockaddr(&b->storage, b->len, &plain_b);
    const struct sockaddr_in *in_a = as_v4(&plain_a), *in_b = as_v4(&plain_b);
    const struct sockaddr_in6 *in6_a = as_v6(&plain_a), *in6_b = as_v6(&plain_b);
    if (in_a && in_b)
        return in_a->sin_addr.s_addr == in_b->sin_addr.s_addr;
    return in6_a && in6_b && in6_a->sin6_scope_id == in6_b->sin6_scope_id &&
           IN6_ARE_ADDR_EQUAL(&in6_a->sin6_addr, &in6_b->sin6_addr);
}

bool vox_address_equal(const struct vox_address *a, const struct vox_address *b)
{
    return vox_address_equal_host(a, b) && vox_address_port(a) == vox_address_port(b);
}

/* ---- back to text ---- */

/* Without a path: a socket that was bound to none. */
static void format_path(const struct vox_address *address, char out[VOX_ADDRESS_TEXT_BYTES])
{
    const struct sockaddr_un *un = (const void *)&address->storage;
    size_t len = address->len - offsetof(struct sockaddr_un, sun_path);
    bool abstract = len > 0 && un->sun_path[0] == '\0';
    if (len == 0)
        snprintf(out, VOX_ADDRESS_TEXT_BYTES, "unix:?");
    else if (abstract)
        snprintf(out, VOX_ADDRESS_TEXT_BYTES, "unix:@%.*s", (int)len - 1, un->sun_path + 1);
    else
        snprintf(out, VOX_ADDRESS_TEXT_BYTES, "unix:%.*s", (int)len, un->sun_path);
}

/* By its name; by its number where it is gone. */
static void format_scope(uint32_t scope, char *out, size_t room)
{
    char name[IF_NAMESIZE];
    if (if_indextoname(scope, name))
        snprintf(out, room, "%%%s", name);
    else
        snprintf(out, room, "%%%u", scope);
}

const char *vox_address_format_host(const struct vox_address *address,
                                    char out[VOX_ADDRESS_TEXT_BYTES])
{
    if (vox_address_family(address) == AF_UNIX) {
        format_path(address, out);
        return out;
    }
    struct vox_address plain;
    vox_address_from_sockaddr(&address->storage, address->len, &plain);
    const struct sockaddr_in *in = as_v4(&plain);
    const struct sockaddr_in6 *in6 = as_v6(&plain);
    snprintf(out, VOX_ADDRESS_TEXT_BYTES, "?");
    if (in)
        inet_ntop(AF_INET, &in->sin_addr, out, VOX_ADDRESS_TEXT_BYTES);
    if (in6) {
        inet_ntop(AF_INET6, &in6->sin6_addr, out, VOX_ADDRESS_TEXT_BYTES);
        size_t len = strlen(out);
        if (in6->sin6_scope_id)
            format_scope(in6->sin6_scope_id, out + len, VOX_ADDRESS_TEXT_BYTES - len);
    }
    return out;
}

const char *vox_address_format(const struct vox_address *address, char out[VOX_ADDRESS_TEXT_BYTES])
{
    /* The longest: 45 of an address and 16 of a zone, with 8 around them and for the port. */
    char host[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format_host(address, host);
    int family = vox_address_family(address);
    if (family == AF_UNSPEC || family == AF_UNIX)
        memcpy(out, host, sizeof host);
    else if (strchr(host, ':'))
        snprintf(out, VOX_ADDRESS_TEXT_BYTES, "[%.63s]:%u", host, vox_address_port(address));
    else
        snprintf(out, VOX_ADDRESS_TEXT_BYTES, "%.63s:%u", host, vox_address_port(address));
    return out;
}
