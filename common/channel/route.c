#include "channel/route.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdlib.h>

/* Any number will do, as long as RTCP does not see the fates of the media. */
#define RTCP_SEED UINT64_C(0x9E3779B97F4A7C15)

struct vox_route {
    struct vox_impair *media; /* NULL: a perfect network */
    struct vox_impair *rtcp;
    int64_t last_ns;
    int64_t media_send_ns; /* of the latest media datagram */
    uint64_t perfect_packets;
};

int vox_route_create(const struct vox_impair_config *config, struct vox_route **out)
{
    struct vox_route *route = calloc(1, sizeof *route);
    if (!route)
        return VOX_ENOMEM;
    int err = 0;
    if (config) {
        struct vox_impair_config rtcp = *config;
        rtcp.seed ^= RTCP_SEED;
        err = vox_impair_create(config, &route->media);
        if (err >= 0)
            err = vox_impair_create(&rtcp, &route->rtcp);
    }
    if (err < 0) {
        vox_route_destroy(route);
        return err;
    }
    *out = route;
    return 0;
}

void vox_route_destroy(struct vox_route *route)
{
    if (!route)
        return;
    vox_impair_destroy(route->media);
    vox_impair_destroy(route->rtcp);
    free(route);
}

static void decide(struct vox_route *route, enum vox_route_kind kind, int64_t send_ns, size_t bytes,
                   struct vox_fate *fate)
{
    *fate = (struct vox_fate){.copies = 1, .deliver_ns = {send_ns}};
    route->perfect_packets += kind == VOX_ROUTE_MEDIA && !route->media;
    if (!route->media)
        return;
    switch (kind) {
    case VOX_ROUTE_MEDIA:
        vox_impair_packet(route->media, send_ns, bytes, fate);
        break;
    case VOX_ROUTE_REPEAT:
        vox_impair_aside(route->media, send_ns, bytes, fate);
        break;
    case VOX_ROUTE_RTCP:
        vox_impair_packet(route->rtcp, send_ns, bytes, fate);
        if (fate->copies == 0)
            *fate = (struct vox_fate){.copies = 1, .deliver_ns = {send_ns}};
        break;
    }
}

/*
 * The first report and the goodbye stay behind the media that they belong to. Reports in between do
 * not wait for media that was read ahead of time: they carry the time at which they were made, from
 * which the round trip is measured.
 */
static void keep_order(struct vox_route *route, enum vox_route_kind kind, int64_t send_ns,
                       struct vox_fate *fate)
{
    bool is_behind = kind == VOX_ROUTE_RTCP && send_ns >= route->media_send_ns;
    if (kind == VOX_ROUTE_MEDIA)
        route->media_send_ns = send_ns;
    for (int i = 0; i < fate->copies; i++) {
        if (is_behind && fate->deliver_ns[i] < route->last_ns)
            fate->deliver_ns[i] = route->last_ns;
        if (fate->deliver_ns[i] > route->last_ns)
            route->last_ns = fate->deliver_ns[i];
    }
}

void vox_route_datagram(struct vox_route *route, enum vox_route_kind kind, int64_t send_ns,
                        size_t bytes, struct vox_fate *fate)
{
    decide(route, kind, send_ns, bytes, fate);
    keep_order(route, kind, send_ns, fate);
}

int64_t vox_route_last_ns(const struct vox_route *route)
{
    return route->last_ns;
}

struct vox_impair_stats vox_route_stats(const struct vox_route *route)
{
    return route->media ? *vox_impair_stats(route->media)
                        : (struct vox_impair_stats){.packets = route->perfect_packets};
}
