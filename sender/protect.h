/*
 * Copies of packets sent before, in the packet that is sent now: RED (RFC 2198). Of which, their
 * distances say, in packets; whichever packet of a loss comes first brings back what was lost.
 * Copies hold their in-band FEC too, so one copy gives a frame four chances.
 *
 *     vox_protect_init(&protect, &config);
 *     vox_protect_set(&protect, (const int[VOX_RED_MAX_COPIES]){1, 3});
 *     int bytes = vox_protect_wrap(&protect, &frame, out, sizeof out);    // 0: it goes as it is
 *     vox_protect_keep(&protect, &frame);
 *
 * A copy is left out where there is none (the beginning; a pause or a capture gap between), where
 * the datagram has no room for it, and where it is longer than RED can say.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_PROTECT_H
#define VOX_SENDER_PROTECT_H

#include "wire/red.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_PROTECT_MAX_DISTANCE = 64,
};

struct vox_protect_config {
    uint8_t payload_type; /* of the packets */
    int frame_ticks;
};

struct vox_protect_frame {
    int64_t position_ticks;
    const uint8_t *payload;
    size_t payload_bytes;
};

struct vox_protect {
    struct vox_protect_config config;
    int distances[VOX_RED_MAX_COPIES];
    uint64_t count; /* packets kept */
    /* Copies asked for: carried, too long for RED or the datagram, of packets that were not sent */
    uint64_t carried, too_long, absent;
    struct {
        int64_t position_ticks;
        size_t bytes; /* 0: too long for a copy */
        uint8_t payload[VOX_RED_MAX_COPY_BYTES];
    } history[VOX_PROTECT_MAX_DISTANCE];
};

/* No copies yet. */
void vox_protect_init(struct vox_protect *protect, const struct vox_protect_config *config);

/* Whether copies can be that old: from 1 to VOX_PROTECT_MAX_DISTANCE packets and
 * VOX_RED_MAX_OFFSET_RTP_TS, ascending; 0 ends a list of less than VOX_RED_MAX_COPIES. */
bool vox_protect_can(const int distances[VOX_RED_MAX_COPIES], int frame_ticks);

/* From the next packet on. */
void vox_protect_set(struct vox_protect *protect, const int distances[VOX_RED_MAX_COPIES]);

/* The payload of a RED packet with this frame as its primary. Returns its bytes; 0: no copy is at
 * hand or fits. */
int vox_protect_wrap(struct vox_protect *protect, const struct vox_protect_frame *frame,
                     uint8_t *out, size_t capacity);

/* The frame was sent: it may be copied. */
void vox_protect_keep(struct vox_protect *protect, const struct vox_protect_frame *frame);

#endif
