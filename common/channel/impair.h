/*
 * A network as a pure, seeded model: what happens to each packet, and when it comes out.
 *
 *     struct vox_impair_config config;
 *     vox_impair_config_init(&config);
 *     config.loss = 0.05; config.burst_packets = 3;
 *     vox_impair_create(&config, &impair);
 *     struct vox_fate fate;
 *     vox_impair_packet(impair, send_ns, bytes, &fate);
 *     for (int i = 0; i < fate.copies; i++)
 *         deliver_at(fate.deliver_ns[i]);
 *
 * The same config and the same (send_ns, bytes) sequence give the same fates on every machine.
 * Callers pass the time at which a packet is due, not the time at which a busy computer got round
 * to it, so that the same seed gives every packet of a stream the same fate in every run.
 *
 * Stages, in this order: loss or trace, rate limit, delay and jitter, reordering, duplication.
 *
 * Loss is a Gilbert-Elliott chain (Gilbert 1960; two states, everything lost in the bad one) that
 * lives in time: from one packet to the next, dt later, it moves as the discrete chain with mean
 * burst `burst_packets` would in dt / burst_unit_ns steps. Packets sent exactly that far apart see
 * the textbook chain per packet; one that sends less often sees no longer bursts for it, one that
 * sends more often sees more packets of the same burst gone.
 *
 * Thread rule: one owner. vox_impair_packet is RT-safe.
 */
#ifndef VOX_CHANNEL_IMPAIR_H
#define VOX_CHANNEL_IMPAIR_H

#include <stddef.h>
#include <stdint.h>

struct vox_trace;
struct vox_impair;

struct vox_impair_config {
    double loss;           /* share of packets lost, 0..1 */
    double burst_packets;  /* mean length of a loss burst; 1: independent losses */
    int64_t burst_unit_ns; /* the packet spacing in which bursts are counted; default 20 ms */
    int64_t packet_ns;     /* spacing of this stream's packets, to reorder; default 20 ms */
    int64_t delay_ns;      /* one way */
    int64_t jitter_ns;     /* uniform in delay -+ jitter, cut off at 0; never overtakes */
    double reorder;        /* share held back by one to three packets, so that others overtake */
    double duplicate;      /* share that arrives twice, the second up to one packet later */
    int64_t rate_bps;      /* of the link, IP and UDP headers (28 bytes) included; 0: no limit */
    int64_t queue_ns;      /* packets that would wait longer in front of the link are dropped */
    const struct vox_trace *trace; /* borrowed; its delays and losses are added; NULL for none */
    uint64_t seed;
};

enum vox_fate_cause { VOX_FATE_DELIVERED, VOX_FATE_LOST, VOX_FATE_TRACE_LOST, VOX_FATE_QUEUE_FULL };

struct vox_fate {
    enum vox_fate_cause cause;
    int copies; /* 0, 1 or 2 */
    int64_t deliver_ns[2];
};

/* Of packets aside, only aside and aside_lost (by loss, trace or queue) count. */
struct vox_impair_stats {
    uint64_t packets, lost, queue_dropped, reordered, duplicated;
    uint64_t aside, aside_lost;
};

/* A perfect network: no loss, no delay, spacing 20 ms, queue 500 ms, seed 1. */
void vox_impair_config_init(struct vox_impair_config *config);

/*
 * Errors: VOX_EINVAL (a share outside 0..1, loss 1 with bursts, a mean burst below 1, a time
 * outside 0..1 h, a spacing of 0, a negative rate), VOX_ENOMEM. A mean burst of up to
 * 1 / (1 - loss) is what independent losses have, and means just them.
 */
int vox_impair_create(const struct vox_impair_config *config, struct vox_impair **out);
void vox_impair_destroy(struct vox_impair *impair);

/* send_ns must not decrease from call to call. bytes: UDP payload. */
void vox_impair_packet(struct vox_impair *impair, int64_t send_ns, size_t bytes,
                       struct vox_fate *fate);

/*
 * A packet of another stream on the same network, at any time near the latest of the first: of a
 * retransmission, say, which hangs on what was lost. It meets the bursts of loss that the first
 * stream's packets before and after it have shown, and waits with them in the queue of a limited
 * link, but its random numbers are its own: where no rate is limited, what becomes of the first
 * stream's packets does not hang on these.
 */
void vox_impair_aside(struct vox_impair *impair, int64_t send_ns, size_t bytes,
                      struct vox_fate *fate);

const struct vox_impair_stats *vox_impair_stats(const struct vox_impair *impair);

#endif
