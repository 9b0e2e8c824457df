/* UDP sockets (net/udp.h) as a transport. */
#include "net/transport_ops.h"

#include "base/err.h"
#include "net/udp.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct udp_transport {
    struct vox_transport transport;
    struct vox_udp *udp;
    struct vox_address to; /* len 0: it listens */
    atomic_uint_fast64_t sent;
};

static struct udp_transport *own(struct vox_transport *transport)
{
    return (struct udp_transport *)transport;
}

static void close_transport(struct vox_transport *transport)
{
    vox_udp_close(own(transport)->udp);
    free(transport);
}

static int receive(struct vox_transport *transport, const struct vox_transport_packet **out)
{
    return vox_udp_receive(own(transport)->udp, out);
}

static int send_packet(struct vox_transport *transport, const void *bytes, size_t len,
                       const struct vox_peer *to, struct vox_net_error *error)
{
    struct udp_transport *u = own(transport);
    const struct vox_address *address = to ? &to->address : &u->to;
    int err = vox_udp_send(u->udp, bytes, len, address, error);
    if (err == 0)
        atomic_fetch_add_explicit(&u->sent, 1, memory_order_relaxed);
    return err;
}

static bool event(struct vox_transport *transport, struct vox_transport_event *out)
{
    struct vox_net_error error;
    if (vox_udp_trouble(own(transport)->udp, &error) <= 0)
        return false;
    *out = (struct vox_transport_event){.kind = VOX_TRANSPORT_TROUBLE};
    memcpy(out->text, error.text, sizeof out->text);
    return true;
}

static size_t pending(const struct vox_transport *transport)
{
    (void)transport;
    return 0;
}

static bool is_connected(const struct vox_transport *transport)
{
    (void)transport;
    return true;
}

static void read_stats(const struct vox_transport *transport, struct vox_transport_stats *out)
{
    const struct udp_transport *u = (const struct udp_transport *)transport;
    *out = (struct vox_transport_stats){.sent_packets =
                                            atomic_load_explicit(&u->sent, memory_order_relaxed)};
}

static int open_socket(const struct vox_transport_config *config, struct vox_udp **out,
                       struct vox_net_error *error)
{
    if (config->role == VOX_TRANSPORT_LISTEN) {
        const struct vox_udp_receiver_config receiver = {.local = config->address,
                                                         .source = config->source,
                                                         .interface = config->interface,
                                                         .buffer_bytes = config->buffer_bytes};
        return vox_udp_open_receiver(&receiver, out, error);
    }
    const struct vox_udp_sender_config sender = {.to = config->address,
                                                 .interface = config->interface,
                                                 .dscp = config->dscp,
                                                 .ttl = config->ttl};
    return vox_udp_open_sender(&sender, out, error);
}

int vox_udp_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                           struct vox_net_error *error)
{
    static const struct vox_transport_ops ops = {.close = close_transport,
                                                 .receive = receive,
                                                 .send = send_packet,
                                                 .event = event,
                                                 .pending = pending,
                                                 .is_connected = is_connected,
                                                 .read_stats = read_stats};
    struct udp_transport *u = calloc(1, sizeof *u);
    if (!u)
        return vox_net_error_set(error, VOX_ENOMEM, "no memory for a socket");
    int err = open_socket(config, &u->udp, error);
    if (err < 0) {
        free(u);
        return err;
    }
    u->transport = (struct vox_transport){.ops = &ops,
                                          .scheme = VOX_SCHEME_UDP,
                                          .fd = vox_udp_fd(u->udp),
                                          .local = *vox_udp_local(u->udp)};
    u->to = config->role == VOX_TRANSPORT_CALL ? config->address : (struct vox_address){.len = 0};
    atomic_init(&u->sent, 0);
    *out = &u->transport;
    return 0;
}
