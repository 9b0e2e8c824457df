/*
 * The way out: the simulated network (channel/route.h), the pacing thread, the socket; and what
 * comes back on it.
 *
 *     vox_outlet_create(&options, &outlet, &error);
 *     vox_outlet_send(outlet, &datagram);              // from the engine's callback
 *     ... vox_outlet_fd(outlet) readable:
 *     vox_outlet_receive(outlet, feed_the_engine, me);
 *
 * Thread rule: one owner (the pacing thread is inside). send is RT-safe.
 */
#ifndef VOX_SENDER_OUTLET_H
#define VOX_SENDER_OUTLET_H

#include "base/histogram.h"
#include "net/address.h"
#include "net/error.h"
#include "net/transport.h"
#include "sender/cli.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_outlet;

struct vox_outlet_stats {
    uint64_t media_dropped;    /* by the simulated network: loss, trace or a full queue */
    uint64_t media_duplicated; /* by the simulated network */
    uint64_t overflow;         /* RTP or RTCP, not sent: too many waiting */
    uint64_t failed;           /* refused by the system */
    const char *failure;       /* the first of these in words; NULL if none */
    struct vox_transport_stats transport;
    bool realtime; /* the pacing thread was granted SCHED_FIFO */
};

/*
 * Looks the destination up, reads the trace, opens the socket, starts the thread.
 * Errors, with text: those of vox_transport_lookup, vox_transport_open and vox_pacer_create;
 * VOX_EFORMAT (the trace, with its line), VOX_EIO, VOX_EINVAL, VOX_ENOMEM.
 */
int vox_outlet_create(const struct vox_send_options *options, struct vox_outlet **out,
                      struct vox_net_error *error);
void vox_outlet_destroy(struct vox_outlet *outlet);

/* Where to; with --listen, where it can be heard. */
const struct vox_address *vox_outlet_destination(const struct vox_outlet *outlet);
enum vox_scheme vox_outlet_scheme(const struct vox_outlet *outlet);
/* Whether there is anybody to send to: see vox_transport_is_connected. */
bool vox_outlet_is_connected(const struct vox_outlet *outlet);

void vox_outlet_send(struct vox_outlet *outlet, const struct vox_datagram *datagram);

/* Wait for it with UV_READABLE | UV_PRIORITIZED. Where much has come, receive leaves some of it for
 * the next time: it wakes again. */
int vox_outlet_fd(const struct vox_outlet *outlet);
void vox_outlet_receive(struct vox_outlet *outlet,
                        void (*feed)(void *ctx, const void *datagram, size_t len,
                                     int64_t arrival_ns),
                        void *ctx);

/* Something new to tell of peers and network, as vox_transport_event. */
bool vox_outlet_event(struct vox_outlet *outlet, struct vox_transport_event *out);

/* Datagrams that wait for their time, and bytes that wait for the other side to take them. */
size_t vox_outlet_pending(const struct vox_outlet *outlet);
/* The latter alone. */
size_t vox_outlet_untaken_bytes(const struct vox_outlet *outlet);
/* When the last of them is due. */
int64_t vox_outlet_last_due_ns(const struct vox_outlet *outlet);

void vox_outlet_read_stats(const struct vox_outlet *outlet, struct vox_outlet_stats *out);

/* Ends the thread. Twice does no harm. */
void vox_outlet_stop(struct vox_outlet *outlet);
/* Time of sendto minus due time; only after stop. Borrowed. */
const struct vox_histogram *vox_outlet_late(const struct vox_outlet *outlet);

#endif
