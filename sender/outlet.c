#include "sender/outlet.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/route.h"
#include "channel/trace.h"
#include "net/pacer.h"
#include "net/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIN_WAITING = 256,
    MAX_WAITING = 65536,
    /* Then it is the turn of the audio: who sends faster than we read would stop it. */
    BATCHES_AT_ONCE = 8,
};

/* Delays that a trace may add, in the room that is made for waiting datagrams. */
#define TRACE_DELAY_NS (10 * VOX_NS_PER_S)

struct vox_outlet {
    struct vox_address to;
    struct vox_transport *transport;
    struct vox_pacer *pacer;
    struct vox_trace *trace;
    struct vox_route *route;
    size_t rtcp_destination; /* of the pacer's */
};

static int load_trace(struct vox_outlet *outlet, const char *path, struct vox_net_error *error)
{
    char why[VOX_NETWORK_ERROR_BYTES];
    int err = vox_network_trace_read(path, &outlet->trace, why);
    return err < 0 ? vox_net_error_set(error, err, "%s", why) : 0;
}

static int create_network(struct vox_outlet *outlet, const struct vox_send_options *options,
                          struct vox_net_error *error)
{
    bool any = vox_network_options_any(&options->network);
    const char *trace = options->network.trace;
    int err = trace ? load_trace(outlet, trace, error) : 0;
    if (err < 0)
        return err;
    struct vox_impair_config config;
    vox_send_options_impair(options, &config);
    config.trace = outlet->trace;
    err = vox_route_create(any ? &config : NULL, &outlet->route);
    if (err < 0)
        vox_net_error_set(error, err, "the simulated network does not work with these numbers: %s",
                          vox_err_text(err));
    return err;
}

/* How many datagrams may wait: all that are sent while one is on its way through the network. */
static size_t room(const struct vox_send_options *options, const struct vox_impair_config *network)
{
    int64_t ahead_ns = options->buffer_ns > 0 ? options->buffer_ns : 100 * VOX_NS_PER_MS;
    int64_t longest_ns = ahead_ns + network->delay_ns + network->jitter_ns;
    longest_ns += network->rate_bps > 0 ? network->queue_ns : 0;
    longest_ns += options->network.trace ? TRACE_DELAY_NS : 0;
    int64_t packets = longest_ns / vox_rtp_to_ns(options->encoding.frame_ticks) + MIN_WAITING;
    return packets < MAX_WAITING ? (size_t)packets : MAX_WAITING;
}

/* RFC 3550, section 11: RTCP goes to the port above, unless both ends agree on one port. */
static int add_rtcp_destination(struct vox_outlet *outlet, struct vox_pacer_config *pacer,
                                struct vox_net_error *error)
{
    uint16_t port = vox_address_port(&outlet->to);
    if (port == UINT16_MAX)
        return vox_net_error_set(error, VOX_EINVAL,
                                 "there is no port above %u for RTCP; choose another one or leave "
                                 "out --no-rtcp-mux",
                                 port);
    outlet->rtcp_destination = pacer->destination_count;
    pacer->destinations[pacer->destination_count] = outlet->to;
    vox_address_set_port(&pacer->destinations[pacer->destination_count++], (uint16_t)(port + 1));
    return 0;
}

static int open_transport(struct vox_outlet *outlet, const struct vox_send_options *options,
                          struct vox_net_error *error)
{
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.role = options->listen ? VOX_TRANSPORT_LISTEN : VOX_TRANSPORT_CALL;
    config.interface = options->interface;
    config.dscp = options->dscp;
    config.ttl = options->ttl;
    config.congestion = options->congestion;
    config.half_close = true; /* who hears us need not have anything to say */
    int err = vox_transport_lookup(options->destination, 0, &config, error);
    if (err < 0)
        return err;
    err = vox_transport_open(&config, &outlet->transport, error);
    if (err >= 0) /* who listens on port 0 has another one now */
        outlet->to = options->listen ? *vox_transport_local(outlet->transport) : config.address;
    return err;
}

static int open_pacer(struct vox_outlet *outlet, const struct vox_send_options *options,
                      struct vox_net_error *error)
{
    struct vox_impair_config network;
    vox_send_options_impair(options, &network);
    struct vox_pacer_config pacer;
    vox_pacer_config_init(&pacer);
    pacer.transport = outlet->transport;
    pacer.capacity = room(options, &network);
    int err = options->no_rtcp_mux ? add_rtcp_destination(outlet, &pacer, error) : 0;
    return err < 0 ? err : vox_pacer_create(&pacer, &outlet->pacer, error);
}

int vox_outlet_create(const struct vox_send_options *options, struct vox_outlet **out,
                      struct vox_net_error *error)
{
    struct vox_outlet *outlet = calloc(1, sizeof *outlet);
    if (!outlet)
        return vox_net_error_set(error, VOX_ENOMEM, "out of memory");
    int err = create_network(outlet, options, error);
    if (err >= 0)
        err = open_transport(outlet, options, error);
    if (err >= 0)
        err = open_pacer(outlet, options, error);
    if (err < 0) {
        vox_outlet_destroy(outlet);
        return err;
    }
    *out = outlet;
    return 0;
}

void vox_outlet_destroy(struct vox_outlet *outlet)
{
    if (!outlet)
        return;
    vox_pacer_destroy(outlet->pacer);
    vox_transport_close(outlet->transport);
    vox_route_destroy(outlet->route);
    vox_trace_destroy(outlet->trace);
    free(outlet);
}

const struct vox_address *vox_outlet_destination(const struct vox_outlet *outlet)
{
    return &outlet->to;
}

enum vox_scheme vox_outlet_scheme(const struct vox_outlet *outlet)
{
    return vox_transport_scheme(outlet->transport);
}

bool vox_outlet_is_connected(const struct vox_outlet *outlet)
{
    return vox_transport_is_connected(outlet->transport);
}

void vox_outlet_send(struct vox_outlet *outlet, const struct vox_datagram *datagram)
{
    struct vox_fate fate;
    static const enum vox_route_kind kinds[] = {[VOX_DATAGRAM_RTP] = VOX_ROUTE_MEDIA,
                                                [VOX_DATAGRAM_RTCP] = VOX_ROUTE_RTCP,
                                                [VOX_DATAGRAM_RTX] = VOX_ROUTE_REPEAT};
    vox_route_datagram(outlet->route, kinds[datagram->kind], datagram->send_ns, datagram->len,
                       &fate);
    if (fate.copies == 0)
        return;
    size_t destination = datagram->kind == VOX_DATAGRAM_RTCP ? outlet->rtcp_destination : 0;
    vox_pacer_push(outlet->pacer, datagram->bytes, datagram->len, destination, fate.deliver_ns,
                   fate.copies);
}

int vox_outlet_fd(const struct vox_outlet *outlet)
{
    return vox_transport_fd(outlet->transport);
}

void vox_outlet_receive(struct vox_outlet *outlet,
                        void (*feed)(void *ctx, const void *datagram, size_t len,
                                     int64_t arrival_ns),
                        void *ctx)
{
    const struct vox_transport_packet *got;
    int n = VOX_TRANSPORT_BATCH;
    for (int batch = 0; batch < BATCHES_AT_ONCE && n == VOX_TRANSPORT_BATCH; batch++) {
        n = vox_transport_receive(outlet->transport, &got);
        for (int i = 0; i < n; i++)
            feed(ctx, got[i].bytes, got[i].len, got[i].arrival_ns);
    }
}

bool vox_outlet_event(struct vox_outlet *outlet, struct vox_transport_event *out)
{
    return vox_transport_event(outlet->transport, out);
}

size_t vox_outlet_pending(const struct vox_outlet *outlet)
{
    return vox_pacer_pending(outlet->pacer) + vox_outlet_untaken_bytes(outlet);
}

size_t vox_outlet_untaken_bytes(const struct vox_outlet *outlet)
{
    return vox_transport_pending(outlet->transport);
}

int64_t vox_outlet_last_due_ns(const struct vox_outlet *outlet)
{
    return vox_route_last_ns(outlet->route);
}

void vox_outlet_read_stats(const struct vox_outlet *outlet, struct vox_outlet_stats *out)
{
    struct vox_impair_stats media = vox_route_stats(outlet->route);
    struct vox_pacer_stats pacer;
    vox_pacer_read_stats(outlet->pacer, &pacer);
    *out = (struct vox_outlet_stats){
        .media_dropped = media.lost + media.queue_dropped,
        .media_duplicated = media.duplicated,
        .overflow = pacer.overflow,
        .failed = pacer.failed,
        .failure = pacer.failure,
        .realtime = pacer.realtime,
    };
    vox_transport_read_stats(outlet->transport, &out->transport);
}

void vox_outlet_stop(struct vox_outlet *outlet)
{
    vox_pacer_stop(outlet->pacer);
}

const struct vox_histogram *vox_outlet_late(const struct vox_outlet *outlet)
{
    return vox_pacer_late(outlet->pacer);
}
