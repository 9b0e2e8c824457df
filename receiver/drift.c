#include "receiver/drift.h"

#include <math.h>

/* ppm for each ms of error: 50 ppm take 20 s to work off 1 ms. */
#define PROPORTIONAL_PPM_PER_MS 50.0
#define SKEW_LIMIT_PPM 1000.0
/* The observer's gains, for two poles at 1 / 40 s. */
#define DELAY_GAIN_PER_S 0.05
#define SKEW_GAIN_PPM_PER_MS_S 0.625
/* A delay this far from where the skew would have it was moved by a change of path. */
#define ANCHOR_MS 5.0
/* By which the observer may differ from another measure of the skew. */
#define FAR_OFF_PPM 40.0
/* One ppm for one second, in ms. */
#define MS_PER_PPM_S 1e-3

static double clamp(double x, double limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

void vox_drift_init(struct vox_drift *drift, double most)
{
    *drift = (struct vox_drift){.most_ppm = most * 1e6};
}

void vox_drift_anchor(struct vox_drift *drift)
{
    drift->anchored = false;
}

void vox_drift_moved(struct vox_drift *drift, int64_t by_ns)
{
    drift->delay_ms += (double)by_ns / 1e6;
}

void vox_drift_learn(struct vox_drift *drift, double skew_ppm)
{
    if (fabs(drift->skew_ppm - skew_ppm) < FAR_OFF_PPM)
        return;
    drift->skew_ppm = skew_ppm;
    drift->anchored = false;
}

static void observe(struct vox_drift *drift, double delay_ms, double dt_s)
{
    if (!drift->anchored || fabs(delay_ms - drift->delay_ms) > ANCHOR_MS) {
        drift->anchored = true;
        drift->delay_ms = delay_ms;
        return;
    }
    drift->delay_ms += (drift->skew_ppm - drift->ppm) * MS_PER_PPM_S * dt_s;
    double surprise_ms = delay_ms - drift->delay_ms;
    double skew_ppm = drift->skew_ppm + SKEW_GAIN_PPM_PER_MS_S * surprise_ms * dt_s;
    drift->delay_ms += DELAY_GAIN_PER_S * surprise_ms * dt_s;
    drift->skew_ppm = clamp(skew_ppm, SKEW_LIMIT_PPM);
}

double vox_drift_update(struct vox_drift *drift, int64_t delay_ns, int64_t target_ns, int64_t dt_ns)
{
    double error_ms = (double)(delay_ns - target_ns) / 1e6;
    observe(drift, (double)delay_ns / 1e6, (double)dt_ns / 1e9);
    drift->ppm = drift->skew_ppm + clamp(PROPORTIONAL_PPM_PER_MS * error_ms, drift->most_ppm);
    return drift->ppm;
}
