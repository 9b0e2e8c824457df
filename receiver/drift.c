#include "receiver/drift.h"

/* ppm for each ms of error: 50 ppm take 20 s to work off 1 ms. */
#define PROPORTIONAL_PPM_PER_MS 50.0
/* Proportional^2 / 4, in ppm per ms and s, for critical damping. */
#define INTEGRAL_PPM_PER_MS_S 0.625
/* Reached where the error becomes no business of the clocks; 1.3 cents, which nobody hears. */
#define PROPORTIONAL_LIMIT_PPM 750.0
#define SKEW_LIMIT_PPM 1000.0
/*
 * Beyond this the error is a change of target or of path, not of clocks. A skew of 1000 ppm strays
 * by 14.7 ms (skew * 40 s / e) until it is learned: a lower limit would stop the learning there,
 * and the delay would creep for ever.
 */
#define SKEW_ERROR_LIMIT_MS 15.0

static double clamp(double x, double limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

void vox_drift_init(struct vox_drift *drift)
{
    drift->skew_ppm = 0;
    drift->ppm = 0;
}

double vox_drift_update(struct vox_drift *drift, int64_t error_ns, int64_t dt_ns)
{
    double error_ms = (double)error_ns / 1e6;
    double dt_s = (double)dt_ns / 1e9;
    if (error_ms < SKEW_ERROR_LIMIT_MS && error_ms > -SKEW_ERROR_LIMIT_MS) {
        double step = INTEGRAL_PPM_PER_MS_S * error_ms * dt_s;
        drift->skew_ppm = clamp(drift->skew_ppm + step, SKEW_LIMIT_PPM);
    }
    double now = clamp(PROPORTIONAL_PPM_PER_MS * error_ms, PROPORTIONAL_LIMIT_PPM);
    drift->ppm = drift->skew_ppm + now;
    return drift->ppm;
}
