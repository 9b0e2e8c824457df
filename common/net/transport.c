#include "net/transport.h"

#include "base/err.h"
#include "base/time.h"
#include "net/transport_ops.h"

#include <stdio.h>
#include <string.h>

enum {
    QUEUE_BYTES = 128 << 10,
    MAX_PEERS = 512,
};

#define IDLE_NS (60 * VOX_NS_PER_S)
#define DEAD_NS (10 * VOX_NS_PER_S)

void vox_transport_config_init(struct vox_transport_config *config)
{
    *config = (struct vox_transport_config){
        .scheme = VOX_SCHEME_UDP,
        .role = VOX_TRANSPORT_LISTEN,
        .dscp = VOX_TRANSPORT_DSCP_EF,
        .buffer_bytes = VOX_TRANSPORT_BUFFER_BYTES,
        .queue_bytes = QUEUE_BYTES,
        .max_peers = MAX_PEERS,
        .idle_ns = IDLE_NS,
        .dead_ns = DEAD_NS,
    };
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                                     .sin6_addr = in6addr_any,
                                     .sin6_port = htons(VOX_ADDRESS_DEFAULT_PORT)};
    memcpy(&config->address.storage, &any, sizeof any);
    config->address.len = sizeof any;
}

int vox_transport_lookup(const char *text, int family, struct vox_transport_config *config,
                         struct vox_net_error *error)
{
    const struct vox_address_hints hints = {.family = family,
                                            .listening = config->role == VOX_TRANSPORT_LISTEN};
    struct vox_endpoint endpoint;
    struct vox_address found[VOX_ADDRESS_MAX_FOUND];
    int count = vox_address_parse(text, &endpoint, error);
    if (count >= 0)
        count = vox_address_resolve_all(&endpoint, &hints, found, VOX_ADDRESS_MAX_FOUND, error);
    if (count < 0)
        return count;
    config->scheme = endpoint.scheme;
    config->address = found[0];
    config->name.family = family;
    config->name.endpoint = vox_address_is_name(&endpoint) ? endpoint : (struct vox_endpoint){0};
    config->name.other_count = (size_t)count - 1;
    memcpy(config->name.others, &found[1], config->name.other_count * sizeof found[0]);
    return 0;
}

const char *vox_transport_name(enum vox_scheme scheme)
{
    static const char *const names[] = {[VOX_SCHEME_UDP] = "udp",
                                        [VOX_SCHEME_TCP] = "tcp",
                                        [VOX_SCHEME_UNIX] = "unix",
                                        [VOX_SCHEME_UNIX_STREAM] = "unix-stream"};
    return names[scheme];
}

bool vox_transport_is_stream(enum vox_scheme scheme)
{
    return scheme == VOX_SCHEME_TCP || scheme == VOX_SCHEME_UNIX_STREAM;
}

const char *vox_transport_format(enum vox_scheme scheme, const struct vox_address *address,
                                 char out[VOX_ADDRESS_TEXT_BYTES])
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    const char *rest = vox_address_format(address, text);
    const char *before = scheme == VOX_SCHEME_TCP ? "tcp://" : "";
    if (scheme == VOX_SCHEME_UNIX_STREAM) {
        before = "unix-stream:";
        rest = strchr(text, ':') + 1;
    }
    snprintf(out, VOX_ADDRESS_TEXT_BYTES, "%s%.*s", before, VOX_ADDRESS_TEXT_BYTES - 16, rest);
    return out;
}

int vox_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                       struct vox_net_error *error)
{
    switch (config->scheme) {
    case VOX_SCHEME_UDP:
        return vox_udp_transport_open(config, out, error);
    case VOX_SCHEME_UNIX:
        return vox_unix_transport_open(config, out, error);
    case VOX_SCHEME_TCP:
    case VOX_SCHEME_UNIX_STREAM:
        return vox_stream_transport_open(config, out, error);
    }
    return vox_net_error_set(error, VOX_EUNSUPPORTED, "there is no such transport");
}

void vox_transport_close(struct vox_transport *transport)
{
    if (transport)
        transport->ops->close(transport);
}

int vox_transport_fd(const struct vox_transport *transport)
{
    return transport->fd;
}

enum vox_scheme vox_transport_scheme(const struct vox_transport *transport)
{
    return transport->scheme;
}

const struct vox_address *vox_transport_local(const struct vox_transport *transport)
{
    return &transport->local;
}

int vox_transport_receive(struct vox_transport *transport, const struct vox_transport_packet **out)
{
    return transport->ops->receive(transport, out);
}

int vox_transport_send(struct vox_transport *transport, const void *bytes, size_t len,
                       const struct vox_peer *to, struct vox_net_error *error)
{
    return transport->ops->send(transport, bytes, len, to, error);
}

bool vox_transport_event(struct vox_transport *transport, struct vox_transport_event *out)
{
    return transport->ops->event(transport, out);
}

size_t vox_transport_pending(const struct vox_transport *transport)
{
    return transport->ops->pending ? transport->ops->pending(transport) : 0;
}

bool vox_transport_is_connected(const struct vox_transport *transport)
{
    return !transport->ops->is_connected || transport->ops->is_connected(transport);
}

void vox_transport_read_stats(const struct vox_transport *transport,
                              struct vox_transport_stats *out)
{
    transport->ops->read_stats(transport, out);
}

void vox_transport_init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}
