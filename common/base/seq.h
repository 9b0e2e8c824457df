/*
 * Serial number arithmetic (RFC 1982) for RTP sequence numbers and timestamps. The only place where
 * serial numbers are compared.
 *
 *     int64_t index = vox_seq16_near(rtp.seq, newest_index);   // after 65535, 0 becomes 65536
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_BASE_SEQ_H
#define VOX_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* Signed distance a - b modulo 2^16: -32768..32767. */
static inline int32_t vox_seq16_diff(uint16_t a, uint16_t b)
{
    uint16_t d = (uint16_t)(a - b);
    return d < 0x8000 ? (int32_t)d : (int32_t)d - 0x10000;
}

/* Signed distance a - b modulo 2^32: -2^31..2^31-1. */
static inline int64_t vox_seq32_diff(uint32_t a, uint32_t b)
{
    uint32_t d = a - b;
    return d < 0x80000000U ? (int64_t)d : (int64_t)d - 0x100000000LL;
}

/* The 64-bit number nearest to `reference` whose low 16 (32) bits are `value`. */
static inline int64_t vox_seq16_near(uint16_t value, int64_t reference)
{
    return reference + vox_seq16_diff(value, (uint16_t)reference);
}

static inline int64_t vox_seq32_near(uint32_t value, int64_t reference)
{
    return reference + vox_seq32_diff(value, (uint32_t)reference);
}

#endif
