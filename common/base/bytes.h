/*
 * Bounds-checked cursors over bytes, big endian (network order).
 *
 * A cursor that runs out sets `failed` and from then on reads zeros or writes nothing, so a parser
 * reads a whole structure and checks once:
 *
 *     struct vox_reader r = vox_reader_of(bytes, len);
 *     uint8_t first = vox_read_u8(&r);
 *     uint32_t ssrc = vox_read_u32(&r);
 *     if (r.failed)
 *         return VOX_ETRUNCATED;
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_BASE_BYTES_H
#define VOX_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct vox_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

struct vox_writer {
    uint8_t *begin;
    size_t size;     /* written so far */
    size_t capacity; /* of begin */
    bool failed;
};

static inline struct vox_reader vox_reader_of(const void *bytes, size_t len)
{
    return (struct vox_reader){.at = bytes, .left = len};
}

/* The next len bytes, borrowed from the underlying buffer; NULL (and failed) if there are fewer. */
static inline const uint8_t *vox_read_bytes(struct vox_reader *r, size_t len)
{
    if (r->failed || r->left < len) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += len;
    r->left -= len;
    return at;
}

/* Unsigned big-endian integer of `len` (1..8) bytes. */
static inline uint64_t vox_read_uint(struct vox_reader *r, size_t len)
{
    const uint8_t *at = vox_read_bytes(r, len);
    uint64_t value = 0;
    for (size_t i = 0; at && i < len; i++)
        value = value << 8 | at[i];
    return value;
}

static inline uint8_t vox_read_u8(struct vox_reader *r)
{
    return (uint8_t)vox_read_uint(r, 1);
}

static inline uint16_t vox_read_u16(struct vox_reader *r)
{
    return (uint16_t)vox_read_uint(r, 2);
}

static inline uint32_t vox_read_u32(struct vox_reader *r)
{
    return (uint32_t)vox_read_uint(r, 4);
}

static inline uint64_t vox_read_u64(struct vox_reader *r)
{
    return vox_read_uint(r, 8);
}

static inline struct vox_writer vox_writer_of(void *bytes, size_t capacity)
{
    return (struct vox_writer){.begin = bytes, .capacity = capacity};
}

/* Room for len bytes to fill in; NULL (and failed) if they do not fit. */
static inline uint8_t *vox_write_reserve(struct vox_writer *w, size_t len)
{
    if (w->failed || w->capacity - w->size < len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->begin + w->size;
    w->size += len;
    return at;
}

static inline void vox_write_bytes(struct vox_writer *w, const void *bytes, size_t len)
{
    uint8_t *at = vox_write_reserve(w, len);
    if (at && len > 0)
        memcpy(at, bytes, len);
}

/* Unsigned big-endian integer of `len` (1..8) bytes. */
static inline void vox_write_uint(struct vox_writer *w, uint64_t value, size_t len)
{
    uint8_t *at = vox_write_reserve(w, len);
    for (size_t i = 0; at && i < len; i++)
        at[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}

static inline void vox_write_u8(struct vox_writer *w, uint8_t value)
{
    vox_write_uint(w, value, 1);
}

static inline void vox_write_u16(struct vox_writer *w, uint16_t value)
{
    vox_write_uint(w, value, 2);
}

static inline void vox_write_u32(struct vox_writer *w, uint32_t value)
{
    vox_write_uint(w, value, 4);
}

static inline void vox_write_u64(struct vox_writer *w, uint64_t value)
{
    vox_write_uint(w, value, 8);
}

#endif
