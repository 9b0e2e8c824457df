/*
 * RTP header extensions: one-byte and two-byte elements (RFC 8285, section 4), and the
 * abs-capture-time element of WebRTC
 * (http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time).
 *
 *     uint8_t ext[VOX_HDREXT_MAX_BYTES];
 *     struct vox_writer w = vox_writer_of(ext, sizeof ext);
 *     vox_hdrext_write_capture_time(&w, id, &capture);
 *     int bytes = vox_hdrext_finish(&w);                      // pads to 32 bits
 *
 *     const uint8_t *data; size_t len;
 *     if (vox_hdrext_find(&rtp, id, &data, &len) > 0 ...
 *
 * Thread rule: pure, any thread. RT-safe.
 */
#ifndef VOX_WIRE_HDREXT_H
#define VOX_WIRE_HDREXT_H

#include "base/bytes.h"
#include "wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOX_HDREXT_CAPTURE_TIME_URI "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"

enum {
    VOX_HDREXT_PROFILE_ONE_BYTE = 0xBEDE,
    VOX_HDREXT_PROFILE_TWO_BYTE = 0x1000, /* low 4 bits: application bits */
    VOX_HDREXT_MAX_ELEMENTS = 32,         /* of a packet; more are not looked at */
    VOX_HDREXT_MAX_BYTES = 64,            /* of what we write */
    VOX_HDREXT_CAPTURE_TIME_ID = 1,       /* our default id, as in our SDP */
};

struct vox_capture_time {
    uint64_t ntp;       /* when the first sample was captured, on the capturer's clock, Q32.32 s */
    bool has_offset;    /* whether the 16-byte form was used */
    int64_t offset_ntp; /* capturer's clock minus sender's clock, Q32.32 s */
};

/*
 * Finds the first element with this id (1..14 in the one-byte form, 1..255 in the two-byte form).
 * Returns 1 and borrows its data, 0 if there is none, VOX_EFORMAT if the extension is malformed
 * before the element is found.
 */
int vox_hdrext_find(const struct vox_rtp *rtp, uint8_t id, const uint8_t **data, size_t *len);

/* Appends one one-byte-form element (id 1..14, len 1..16). Check w->failed once at the end. */
void vox_hdrext_write(struct vox_writer *w, uint8_t id, const void *data, size_t len);

/* Pads with zeros to a multiple of 4. Returns the bytes written, or VOX_ENOSPC. */
int vox_hdrext_finish(struct vox_writer *w);

/* 8-byte form without an offset, 16-byte form with one. Errors of parse: VOX_EFORMAT (length). */
int vox_capture_time_parse(const uint8_t *data, size_t len, struct vox_capture_time *out);
void vox_hdrext_write_capture_time(struct vox_writer *w, uint8_t id,
                                   const struct vox_capture_time *capture);

#endif
