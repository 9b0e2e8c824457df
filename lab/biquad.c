#include "lab/biquad.h"

#include <math.h>

static const double HALF_TURN = 3.14159265358979323846;

/* The analogue prototype by the bilinear transform, k = its warped cutoff. */
static double set_poles(struct vox_biquad *f, double k)
{
    double norm = 1.0 / (1.0 + sqrt(2.0) * k + k * k);
    *f = (struct vox_biquad){.a1 = 2.0 * (k * k - 1.0) * norm,
                             .a2 = (1.0 - sqrt(2.0) * k + k * k) * norm};
    return norm;
}

void vox_biquad_highpass(struct vox_biquad *f, double cutoff_hz, double rate_hz)
{
    double norm = set_poles(f, tan(HALF_TURN * cutoff_hz / rate_hz));
    f->b0 = f->b2 = norm;
    f->b1 = -2.0 * norm;
}

void vox_biquad_lowpass(struct vox_biquad *f, double cutoff_hz, double rate_hz)
{
    double k = tan(HALF_TURN * cutoff_hz / rate_hz);
    double norm = set_poles(f, k);
    f->b0 = f->b2 = k * k * norm;
    f->b1 = 2.0 * k * k * norm;
}
