/*
 * A model of TCP in virtual time: what happens to small messages, written one by one with
 * TCP_NODELAY, on a simulated network that loses and delays both what is sent and what is answered.
 *
 *     struct vox_tcp_model_config config;
 *     vox_tcp_model_config_init(&config);
 *     config.there = network;
 *     config.back = network_with_another_seed;
 *     vox_tcp_model_create(&config, &tcp);
 *     for each message:
 *         vox_tcp_model_write(tcp, now_ns, bytes);       // the framing of RFC 4571 included
 *         while (vox_tcp_model_read(tcp, now_ns, &message))
 *             play(message.index, message.readable_ns);
 *     while (vox_tcp_model_read(tcp, VOX_NS_NEVER, &message))
 *         ...                                            // the rest, however long that takes
 *
 * It is a model, and no kernel: for measurements there is `voxgram-lab link`. It has what decides
 * the fate of a thin stream on Linux: order, which lets what came wait for what is missing;
 * selective acknowledgements, RACK-TLP, timeouts and their undoing as in tcp_sender.h; CUBIC's
 * window; writes that the window holds back and that leave together. It lacks what does not: the
 * handshake (its round trip is known, its losses are not modelled), hystart, flow control, other
 * streams on the link, and the time that computers need. tests/bench/tcp_model.sh lays it beside a
 * kernel, Linux 6.18: with up to 10 % of loss both ways, over 5 to 150 ms, as many messages were
 * later than 60 and 100 ms, to about a fifth of that, and later than 200 ms, to a third; from 20 %
 * on a few stalls decide, and a seed differs from another tenfold, in both.
 *
 * Thread rule: one owner. Pure: the same config and calls give the same on every machine.
 */
#ifndef VOX_LAB_TCP_MODEL_H
#define VOX_LAB_TCP_MODEL_H

#include "channel/impair.h"
#include "lab/tcp_sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_tcp_model;

struct vox_tcp_model_config {
    struct vox_impair_config there, back; /* seeds of their own; what they borrow must last */
    int header_bytes;   /* of IP and TCP, on each segment; default 52: IPv4 and timestamps */
    int mss;            /* default 1448: Ethernet */
    int64_t rto_min_ns; /* default 200 ms */
    /* From a segment's arrival to its answer, default 0.1 ms: without it answers would come at the
     * very time of a write, as they never do. */
    int64_t host_ns;
    /* 0 (default): each segment is answered at once, as Linux does for whoever reads at once and
     * says nothing himself; who does gets 40 ms. */
    int64_t delayed_ack_ns;
};

struct vox_tcp_message {
    uint64_t index;
    int64_t written_ns;
    int64_t readable_ns; /* it, and all before it, are there */
};

struct vox_tcp_model_stats {
    struct vox_tcp_sender_stats sender;
    uint64_t acks;
    uint64_t bytes_there, bytes_back; /* on the wire, headers and what is lost on it included */
};

void vox_tcp_model_config_init(struct vox_tcp_model_config *config);

/* Errors: those of vox_impair_create; VOX_EINVAL (mss or header_bytes outside 1..65535, times below
 * 0, no rto_min). */
int vox_tcp_model_create(const struct vox_tcp_model_config *config, struct vox_tcp_model **out);
void vox_tcp_model_destroy(struct vox_tcp_model *model);

/* now_ns must not decrease, nor lie before what was read. Errors: VOX_EINVAL (that; no bytes),
 * VOX_ENOMEM. */
int vox_tcp_model_write(struct vox_tcp_model *model, int64_t now_ns, size_t bytes);

/*
 * The next message, if it is readable until then; lets time go on until that or until_ns. After so
 * many timeouts without an answer as Linux takes for the end of a connection (15: a quarter of an
 * hour) what is left is never readable. Without memory the network loses packets.
 */
bool vox_tcp_model_read(struct vox_tcp_model *model, int64_t until_ns, struct vox_tcp_message *out);

/* Until what was read, or until now. */
void vox_tcp_model_read_stats(const struct vox_tcp_model *model, struct vox_tcp_model_stats *out);

#endif
