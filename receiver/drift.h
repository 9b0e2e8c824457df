/*
 * Keeps the playout delay where it should be against two clocks that differ by some ppm: a
 * proportional-integral controller from the delay's error to a correction of speed. The integral
 * learns the skew; time constant 40 s, critically damped.
 *
 *     ppm = vox_drift_update(&drift, delay_ns - target_ns, dt_ns);   // > 0: play faster
 *
 * Large errors are the stretcher's work: they move the speed by no more than LIMIT, which nobody
 * hears, and leave the integral alone.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_DRIFT_H
#define VOX_RECEIVER_DRIFT_H

#include <stdint.h>

struct vox_drift {
    double skew_ppm; /* the integral */
    double ppm;      /* in force */
};

void vox_drift_init(struct vox_drift *drift);
/* error_ns: delay now minus wanted delay; dt_ns since the last update. Returns the correction. */
double vox_drift_update(struct vox_drift *drift, int64_t error_ns, int64_t dt_ns);

#endif
