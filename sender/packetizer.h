/*
 * Encoded frames to RTP datagrams (RFC 3550, section 5.1; RFC 7587, section 4).
 *
 *     vox_packetizer_init(&p, &config);
 *     int len = vox_packetizer_write(&p, &frame, out, sizeof out);
 *     vox_packetizer_pause(&p);                   // a frame that DTX leaves out
 *
 * The marker bit stands on the first packet and on the first after a pause of DTX (RFC 7587,
 * section 4.2), but not after a capture gap: so a receiver can tell silence from a fault.
 *
 * The abs-capture-time extension is on the first 10 packets, so that a receiver has it although
 * some are lost, then on one every 500 ms, and on the first after a jump of the timestamp.
 * Receivers extrapolate in between by the RTP timestamp.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_PACKETIZER_H
#define VOX_SENDER_PACKETIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_packetizer_config {
    uint32_t ssrc;
    uint8_t capture_time_id; /* 1..14; 0: no extension */
    uint16_t first_seq;
    uint32_t first_timestamp;
    int frame_ticks;
};

struct vox_packetizer_frame {
    int64_t position_ticks;  /* of the first sample since the stream began */
    int64_t capture_unix_ns; /* when the first sample that the decoder makes of it was captured */
    uint8_t payload_type;
    const uint8_t *payload;
    size_t payload_bytes;
};

struct vox_packetizer {
    struct vox_packetizer_config config;
    uint64_t count;              /* packets written; the sequence number follows from it */
    int64_t next_position_ticks; /* where the next frame stands if nothing is left out */
    int64_t next_capture_ticks;  /* from which position on the next capture time is due */
    bool marker;                 /* the next packet begins a talkspurt */
};

void vox_packetizer_init(struct vox_packetizer *p, const struct vox_packetizer_config *config);

/* The RTP timestamp of a position. */
uint32_t vox_packetizer_timestamp(const struct vox_packetizer *p, int64_t position_ticks);

/* Writes the next packet. Returns its bytes. Errors: VOX_ENOSPC (capacity too small). */
int vox_packetizer_write(struct vox_packetizer *p, const struct vox_packetizer_frame *frame,
                         uint8_t *out, size_t capacity);

/* A frame is not sent because it is silence: the packet after it has the marker bit. */
void vox_packetizer_pause(struct vox_packetizer *p);

#endif
