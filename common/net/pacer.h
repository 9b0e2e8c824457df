/*
 * The sending thread: datagrams leave by their transport at absolute times, whatever the rest of
 * the program is doing.
 *
 *     struct vox_pacer_config config;
 *     vox_pacer_config_init(&config);
 *     config.transport = transport;
 *     vox_pacer_create(&config, &pacer, &error);
 *     vox_pacer_push(pacer, datagram.bytes, datagram.len, 0, &datagram.send_ns, 1);
 *     ...
 *     vox_pacer_drain(pacer, vox_clock_now_ns() + VOX_NS_PER_S);
 *     vox_pacer_stop(pacer);
 *     int64_t p99_ns = vox_histogram_quantile_ns(vox_pacer_late(pacer), 0.99);
 *
 * A datagram that is due leaves at once; one that is not, in order of time, waits in a heap, and
 * the thread sleeps to the earliest (an hrtimer, since libuv's timers count milliseconds). A push
 * wakes the thread only if it would otherwise sleep too long.
 *
 * Thread rule: one owner, who pushes, drains and stops; the thread inside is the pacer's own. Only
 * stats and pending may be called from elsewhere. push is RT-safe.
 */
#ifndef VOX_NET_PACER_H
#define VOX_NET_PACER_H

#include "base/histogram.h"
#include "net/address.h"
#include "net/error.h"
#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_PACER_DESTINATIONS = 4,
    VOX_PACER_COPIES = 2,
    VOX_PACER_DATAGRAM_BYTES = 1500, /* the longest that it takes */
};

struct vox_pacer;

struct vox_pacer_config {
    struct vox_transport *transport; /* borrowed until destroy */
    /* The first one is whom the transport calls, or all its peers: an address of len 0. */
    struct vox_address destinations[VOX_PACER_DESTINATIONS];
    size_t destination_count; /* default 1 */
    size_t capacity;          /* datagrams that may wait; default 1024, at most 65536 */
    bool realtime; /* ask for SCHED_FIFO; it goes without where that is not permitted; default */
};

struct vox_pacer_stats {
    uint64_t pushed;
    uint64_t sent;       /* datagrams that left, copies included */
    uint64_t failed;     /* refused by the transport */
    uint64_t overflow;   /* refused by push: too many waiting */
    const char *failure; /* the first refusal in words, borrowed until destroy; NULL if none */
    bool realtime;       /* SCHED_FIFO was granted */
};

void vox_pacer_config_init(struct vox_pacer_config *config);

/*
 * Errors, with text: VOX_EINVAL (no destination, capacity), VOX_ENOMEM, VOX_ELIMIT (the system
 * gives no thread).
 */
int vox_pacer_create(const struct vox_pacer_config *config, struct vox_pacer **out,
                     struct vox_net_error *error);

/* Stops and frees; what still waits is dropped. */
void vox_pacer_destroy(struct vox_pacer *pacer);

/*
 * Copies a datagram in, to be sent `copies` times (0..2; a network that loses it: 0) at
 * deliver_ns[] (CLOCK_MONOTONIC, in any order; equal times leave in the order of pushing). Errors:
 * VOX_EINVAL (length, destination, copies), VOX_ELIMIT (capacity datagrams are waiting; it is
 * counted), VOX_EEND (after stop).
 */
int vox_pacer_push(struct vox_pacer *pacer, const void *bytes, size_t len, size_t destination,
                   const int64_t *deliver_ns, int copies);

/* Datagrams that wait. */
size_t vox_pacer_pending(const struct vox_pacer *pacer);

/* Waits until none does, at the latest to until_ns. Returns how many still wait. */
size_t vox_pacer_drain(struct vox_pacer *pacer, int64_t until_ns);

/* Ends the thread; what still waits stays unsent. Twice does no harm. */
void vox_pacer_stop(struct vox_pacer *pacer);

void vox_pacer_read_stats(const struct vox_pacer *pacer, struct vox_pacer_stats *out);

/* Time of sending minus due time of each datagram; only after stop. Borrowed until destroy. */
const struct vox_histogram *vox_pacer_late(const struct vox_pacer *pacer);

#endif
