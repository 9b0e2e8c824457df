/*
 * Units of time. Inside, time is int64_t nanoseconds of a monotonic clock; RTP counts 48 kHz ticks
 * (RFC 7587, section 4.1); NTP timestamps (Q32.32 seconds since 1900) appear on the wire only.
 * No clock is read here.
 *
 * Thread rule: pure. RT-safe.
 */
#ifndef VOX_BASE_TIME_H
#define VOX_BASE_TIME_H

#include <stdint.h>

#define VOX_NS_PER_US INT64_C(1000)
#define VOX_NS_PER_MS INT64_C(1000000)
#define VOX_NS_PER_S INT64_C(1000000000)
#define VOX_NS_NEVER INT64_MAX

#define VOX_RTP_HZ 48000

/* Seconds from the NTP epoch (1900) to the Unix epoch (1970). */
#define VOX_NTP_UNIX_OFFSET_S UINT64_C(2208988800)

/* Ticks (or audio frames) of a rate to ns, rounded to nearest, for any count within 2^63 ns. */
static inline int64_t vox_ticks_to_ns(int64_t ticks, int64_t rate_hz)
{
    int64_t whole_s = ticks / rate_hz;
    int64_t rest = ticks % rate_hz;
    int64_t half = rest < 0 ? -rate_hz / 2 : rate_hz / 2;
    return whole_s * VOX_NS_PER_S + (rest * VOX_NS_PER_S + half) / rate_hz;
}

/* ns to ticks (or audio frames) of a rate, rounded to nearest. */
static inline int64_t vox_ns_to_ticks(int64_t ns, int64_t rate_hz)
{
    int64_t whole_s = ns / VOX_NS_PER_S;
    int64_t rest = ns % VOX_NS_PER_S;
    int64_t half = rest < 0 ? -VOX_NS_PER_S / 2 : VOX_NS_PER_S / 2;
    return whole_s * rate_hz + (rest * rate_hz + half) / VOX_NS_PER_S;
}

/* 48 kHz RTP ticks to ns. */
static inline int64_t vox_rtp_to_ns(int64_t ticks)
{
    return vox_ticks_to_ns(ticks, VOX_RTP_HZ);
}

/* ns to 48 kHz RTP ticks. */
static inline int64_t vox_ns_to_rtp(int64_t ns)
{
    return vox_ns_to_ticks(ns, VOX_RTP_HZ);
}

static inline int64_t vox_ms_to_ns(double ms)
{
    double ns = ms * 1e6;
    return (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

static inline double vox_ns_to_ms(int64_t ns)
{
    return (double)ns / 1e6;
}

/* Unix time in ns to an NTP timestamp Q32.32 (RFC 5905, section 6), and back. */
static inline uint64_t vox_unix_to_ntp(int64_t unix_ns)
{
    uint64_t s = (uint64_t)(unix_ns / VOX_NS_PER_S);
    uint64_t ns = (uint64_t)(unix_ns % VOX_NS_PER_S);
    return (s + VOX_NTP_UNIX_OFFSET_S) << 32 | ((ns << 32) / (uint64_t)VOX_NS_PER_S);
}

static inline int64_t vox_ntp_to_unix(uint64_t ntp)
{
    int64_t s = (int64_t)(ntp >> 32) - (int64_t)VOX_NTP_UNIX_OFFSET_S;
    uint64_t ns = ((ntp & 0xffffffffU) * (uint64_t)VOX_NS_PER_S + 0x80000000U) >> 32;
    return s * VOX_NS_PER_S + (int64_t)ns;
}

/* The middle 32 bits of an NTP timestamp: what RTCP carries as LSR (RFC 3550, section 6.4.1). */
static inline uint32_t vox_ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

#endif
