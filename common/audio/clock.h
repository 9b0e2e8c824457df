/*
 * The time of an audio block, freed from the jitter with which its callback was called: a
 * second-order delay-locked loop (F. Adriaensen, "Using a DLL to filter time", LAC 2005). Internal
 * to this layer; JACK has its own.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_AUDIO_CLOCK_H
#define VOX_AUDIO_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_audio_clock {
    bool running;
    double bandwidth_hz;
    double nominal_frame_ns;
    double frame_ns;  /* as measured: the device's own rate */
    int64_t next_ns;  /* predicted start of the next block, whole ns */
    double next_frac; /* and the rest of it */
};

void vox_audio_clock_init(struct vox_audio_clock *clock, int rate_hz);

/*
 * The block of `frames` that seems to begin at measured_ns begins, filtered, at the time returned.
 * With `gap`, or when the measurement is 20 ms or two blocks off, audio was lost: starts again from
 * it.
 */
int64_t vox_audio_clock_block(struct vox_audio_clock *clock, int64_t measured_ns, size_t frames,
                              bool gap);

#endif
