/*
 * The real clocks; only programs and this layer read them.
 *
 *     int64_t now_ns = vox_clock_now_ns();
 *     config.wall_offset_ns = vox_clock_wall_offset_ns();      // Unix time = monotonic + offset
 *
 * Thread rule: any thread. RT-safe but for sleep_until.
 */
#ifndef VOX_NET_CLOCK_H
#define VOX_NET_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC. */
int64_t vox_clock_now_ns(void);

/*
 * CLOCK_REALTIME - CLOCK_MONOTONIC now: the wall clock read between two readings of the monotonic
 * one, against their middle, the tightest of up to three tries. Changes when somebody sets the wall
 * clock.
 */
int64_t vox_clock_wall_offset_ns(void);

/* Sleeps to a moment of CLOCK_MONOTONIC; returns at once if it has passed. Signals don't shorten
 * it. */
void vox_clock_sleep_until(int64_t when_ns);

#endif
