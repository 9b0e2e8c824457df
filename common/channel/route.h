/*
 * One way of a session through a simulated network: its media and its RTCP.
 *
 *     vox_route_create(&config, &route);
 *     vox_route_datagram(route, VOX_ROUTE_MEDIA, send_ns, bytes, &fate);
 *
 * Media and RTCP go through two instances of the model with different seeds, so that the fate of a
 * media packet does not hang on when a report happened to be due. When that is, no seed decides; so
 * reports are never lost, only late, and none overtakes the media: a lost or hasty goodbye would
 * make an end of the stream that the seed does not repeat.
 *
 * What is sent again meets the bursts of the media that it was sent between, and the queue of a
 * limited link, with random numbers of its own: see vox_impair_aside.
 *
 * Thread rule: one owner. vox_route_datagram is RT-safe.
 */
#ifndef VOX_CHANNEL_ROUTE_H
#define VOX_CHANNEL_ROUTE_H

#include "channel/impair.h"

#include <stddef.h>
#include <stdint.h>

struct vox_route;

enum vox_route_kind { VOX_ROUTE_MEDIA, VOX_ROUTE_RTCP, VOX_ROUTE_REPEAT };

/* config NULL: a perfect network. Errors: as vox_impair_create. */
int vox_route_create(const struct vox_impair_config *config, struct vox_route **out);
void vox_route_destroy(struct vox_route *route);

/*
 * send_ns is when it is due and must not decrease among media, nor among RTCP. bytes: UDP payload.
 */
void vox_route_datagram(struct vox_route *route, enum vox_route_kind kind, int64_t send_ns,
                        size_t bytes, struct vox_fate *fate);

/* When the last one so far comes out. */
int64_t vox_route_last_ns(const struct vox_route *route);

/* Of media; of what is sent again, aside and aside_lost. */
struct vox_impair_stats vox_route_stats(const struct vox_route *route);

#endif
