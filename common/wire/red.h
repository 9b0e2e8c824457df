/*
 * Redundant audio data (RFC 2198): one RTP payload that holds the newest packet of a codec (the
 * primary) and copies of packets before it, each with its age. Bytes <-> struct. Pure.
 *
 *     struct vox_red red = {.primary = {.payload_type = 96, .data = now, .data_bytes = 80}};
 *     red.copies[red.copy_count++] = (struct vox_red_copy){
 *         .block = {.payload_type = 96, .data = before, .data_bytes = 78}, .offset_rtp_ts = 960};
 *     int bytes = vox_red_write(&red, payload, sizeof payload);
 *
 *     if (vox_red_parse(rtp.payload, rtp.payload_bytes, &red) == 0)
 *         take(red.copies[0].block, rtp.timestamp - red.copies[0].offset_rtp_ts);
 *
 * Header of a copy: 4 bytes; of the primary: 1 byte. Copies stand as on the wire, where senders put
 * the oldest first. What the blocks hold is not looked at.
 *
 * Thread rule: pure, any thread. RT-safe.
 */
#ifndef VOX_WIRE_RED_H
#define VOX_WIRE_RED_H

#include <stddef.h>
#include <stdint.h>

enum {
    VOX_RED_MAX_COPIES = 4,
    VOX_RED_MAX_READ_COPIES = 32, /* in a payload of others; the last VOX_RED_MAX_COPIES are kept */
    VOX_RED_MAX_OFFSET_RTP_TS = 16383, /* 14 bits: 341 ms at 48 kHz */
    VOX_RED_MAX_COPY_BYTES = 1023,     /* 10 bits */
    VOX_RED_COPY_HEADER_BYTES = 4,
    VOX_RED_PRIMARY_HEADER_BYTES = 1,
};

struct vox_red_block {
    uint8_t payload_type; /* 0..127 */
    const uint8_t *data;  /* borrowed */
    size_t data_bytes;    /* 0 is valid: some senders fill up with empty copies */
};

struct vox_red_copy {
    struct vox_red_block block;
    uint16_t offset_rtp_ts; /* how much older than the packet's timestamp */
};

struct vox_red {
    uint8_t copy_count;
    struct vox_red_copy copies[VOX_RED_MAX_COPIES];
    struct vox_red_block primary; /* has the packet's timestamp */
    uint8_t copies_skipped; /* parse only: in front of copies[0], more than there is room for */
};

/*
 * Parses the payload of an RTP packet. Pointers in *out borrow from it. *out is written only on
 * success.
 * Errors: VOX_ETRUNCATED (the payload ends before the primary's header or within a copy),
 * VOX_ELIMIT (more than VOX_RED_MAX_READ_COPIES copies).
 */
int vox_red_parse(const void *payload, size_t len, struct vox_red *out);

/*
 * Writes headers and blocks; `out` must not overlap them. Returns the payload's bytes.
 * Errors: VOX_ENOSPC (capacity too small), VOX_EINVAL (more than VOX_RED_MAX_COPIES copies, a
 * payload type, offset or length that its field cannot hold).
 */
int vox_red_write(const struct vox_red *red, void *out, size_t capacity);

#endif
