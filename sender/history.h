/*
 * The packets sent of late, for receivers that miss one. Each is kept as what a retransmission
 * repeats (wire/rtx.h): of a packet with copies the primary alone, under that packet's number.
 *
 *     vox_history_create(&config, &history);
 *     vox_history_keep(history, &rtp, send_ns);             // every packet that is sent
 *     struct vox_history_packet *packet = vox_history_find(history, seq);
 *
 * What is kept is plain: encryption comes after packetizing, and a retransmission is encrypted as
 * the packet that it is.
 *
 * Thread rule: one owner. keep and find are RT-safe.
 */
#ifndef VOX_SENDER_HISTORY_H
#define VOX_SENDER_HISTORY_H

#include "sender/encoder.h"
#include "wire/hdrext.h"
#include "wire/rtp.h"

#include <stddef.h>
#include <stdint.h>

enum {
    VOX_HISTORY_MIN_PACKETS = 16,
    VOX_HISTORY_MAX_PACKETS = 512,
    VOX_HISTORY_MAX_AHEAD = 1024, /* packets that wait, beside those */
};

struct vox_history;

struct vox_history_config {
    int64_t packet_ns; /* between one packet and the next */
    int64_t span_ns;   /* how far back from now, as far as VOX_HISTORY_MAX_PACKETS reach */
    int64_t ahead_ns;  /* how long before it is due a packet is kept */
};

struct vox_history_packet {
    struct vox_rtp rtp; /* points into this packet */
    int64_t send_ns;    /* when it was due, which may be later than now */
    int64_t repeat_ns;  /* when it was last repeated */
    int repeats;
    uint8_t extension[VOX_HDREXT_MAX_BYTES];
    uint8_t payload[VOX_ENCODER_MAX_BYTES];
};

/* Errors: VOX_EINVAL (packet_ns or span_ns below 1, ahead_ns below 0), VOX_ENOMEM. */
int vox_history_create(const struct vox_history_config *config, struct vox_history **out);
void vox_history_destroy(struct vox_history *history);

/*
 * Copies the packet in; the oldest makes room. Numbers follow each other. One that is larger than
 * our own packets are is not kept.
 */
void vox_history_keep(struct vox_history *history, const struct vox_rtp *rtp, int64_t send_ns);

/* Borrowed until the next keep; NULL if it is not there, or no longer. */
struct vox_history_packet *vox_history_find(struct vox_history *history, uint16_t seq);

#endif
