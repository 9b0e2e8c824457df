/*
 * Senders, networks and a receiver in virtual time. The engines are those of the live programs; the
 * networks are common/channel; only the sound cards are models.
 *
 *     struct vox_sim_config config;
 *     vox_sim_config_init(&config);
 *     config.senders[config.sender_count++] = (struct vox_sim_sender){.talker = talker};
 *     config.observer = (struct vox_sim_observer){.on_pcm = keep, .ctx = me};
 *     vox_sim_run(&config, &result);
 *
 * There is one true clock, t; what senders and receiver take for their monotonic clocks. It starts
 * at 0. At one moment things happen in this order: datagrams arrive, senders act, reports are due,
 * audio is fetched. The same configuration gives the same calls in the same order on every machine.
 *
 * Thread rule: one owner; runs in the caller's thread until the end.
 */
#ifndef VOX_LAB_SIM_H
#define VOX_LAB_SIM_H

#include "channel/impair.h"
#include "channel/route.h"
#include "lab/talker.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_SIM_MAX_SENDERS = 32 };

/* Any number will do, as long as the network back does not see what the one there does: the seed of
 * one is that of the other, exclusive-or this. */
#define VOX_SIM_BACK_SEED UINT64_C(0xD1B54A32D192ED03)

struct vox_sim_sender {
    struct vox_talker_config talker;       /* on_datagram and ctx are set by the simulation */
    const struct vox_impair_config *there; /* network to the receiver; NULL: perfect */
    const struct vox_impair_config *back;  /* for the receiver's RTCP; NULL: perfect */
};

/* A media datagram at the moment it is handed to the network. */
struct vox_sim_sent {
    int sender;
    uint32_t ssrc;
    uint16_t seq;
    int64_t send_ns;
    size_t bytes; /* UDP payload */
    struct vox_fate fate;
};

/* All may be NULL. */
struct vox_sim_observer {
    /* Each datagram that a sender hands over, media and RTCP. */
    void (*on_datagram)(void *ctx, int sender, int64_t now_ns, const struct vox_datagram *datagram);
    void (*on_sent)(void *ctx, const struct vox_sim_sent *sent);
    /* Each that comes to the receiver; each that it sends back, when it does. */
    void (*on_arrived)(void *ctx, int sender, int64_t now_ns, const uint8_t *bytes, size_t len);
    void (*on_returned)(void *ctx, int sender, int64_t now_ns, size_t len);
    /* As vox_receiver_pull gave it: `valid` frames of `frames`; the first plays at playout_ns.
     * was_idle: nothing was playing when it was asked. */
    void (*on_pcm)(void *ctx, struct vox_receiver *receiver, const float *pcm, int frames,
                   int valid, bool was_idle, int64_t playout_ns);
    void (*on_event)(void *ctx, const struct vox_event *event);
    void (*on_played)(void *ctx, const struct vox_played_packet *packet);
    void (*on_sender_event)(void *ctx, int sender, const struct vox_sender_event *event);
    void *ctx;
};

struct vox_sim_config {
    struct vox_sim_sender senders[VOX_SIM_MAX_SENDERS];
    int sender_count;
    struct vox_receiver_config receiver;  /* callbacks, ctx and follow_source are set */
    struct vox_lab_device_config speaker; /* block_frames 0: a file, which follows the sender */
    int64_t speaker_start_ns;             /* its first block */
    int64_t end_ns;                       /* at the latest */
    struct vox_sim_observer observer;
};

struct vox_sim_result {
    int64_t end_ns; /* when everything was over */
    struct vox_receiver_stats receiver;
    struct vox_sender_stats senders[VOX_SIM_MAX_SENDERS];
    struct vox_impair_stats there[VOX_SIM_MAX_SENDERS]; /* media */
    uint64_t back_sent, back_lost;
};

/* No senders, a receiver with its defaults that records a file, no end. */
void vox_sim_config_init(struct vox_sim_config *config);

/*
 * Runs until every sender has finished and the receiver has played what came, or until end_ns.
 * Errors: VOX_EINVAL, VOX_ENOMEM, VOX_ECODEC; result is then undefined.
 */
int vox_sim_run(const struct vox_sim_config *config, struct vox_sim_result *result);

#endif
