/*
 * Keeps the playout delay where it should be against two clocks that differ by some ppm. The skew
 * is learned from how the delay moves while it is left alone (an observer, time constant 40 s); the
 * correction of speed is the skew, and 50 ppm for each ms that the delay is too long. So neither a
 * target that moves nor audio that is cut out or put in is mistaken for a skew.
 *
 *     ppm = vox_drift_update(&drift, delay_ns, target_ns, dt_ns);   // > 0: play faster
 *     vox_drift_moved(&drift, -cut_ns);                             // by other means than speed
 *     vox_drift_learn(&drift, skew_ppm);                            // another measure of it
 *
 * Large errors are the stretcher's work: they move the speed by no more than `most`.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_DRIFT_H
#define VOX_RECEIVER_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

/* The most by which the speed is changed for the delay's sake: 750 ppm are 1.3 cents, which nobody
 * hears; 2000 ppm, 3.5 cents, are heard by few, and are for where nothing else may move it. */
#define VOX_DRIFT_USUAL 750e-6
#define VOX_DRIFT_MOST 2000e-6

struct vox_drift {
    double most_ppm;
    bool anchored;
    double delay_ms; /* as the skew and the corrections would have it */
    double skew_ppm; /* learned: how much faster the sender's clock is */
    double ppm;      /* in force */
};

void vox_drift_init(struct vox_drift *drift, double most);
/* The delay now and the one wanted; dt_ns since the last update. Returns the correction. */
double vox_drift_update(struct vox_drift *drift, int64_t delay_ns, int64_t target_ns,
                        int64_t dt_ns);
/* The skew as arrivals alone tell it, beyond doubt: taken at once where the observer is far off, as
 * it is in the first minute. */
void vox_drift_learn(struct vox_drift *drift, double skew_ppm);
/* Since the last update audio was cut out (< 0) or put in (> 0): the clocks did not do that. */
void vox_drift_moved(struct vox_drift *drift, int64_t by_ns);
/* Whatever moved the delay since the last update says nothing of the clocks. */
void vox_drift_anchor(struct vox_drift *drift);

#endif
