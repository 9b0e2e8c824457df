/*
 * Butterworth filters of second order, to compare two recordings where every codec carries sound.
 *
 *     struct vox_biquad hp;
 *     vox_biquad_highpass(&hp, 200.0, 48000.0);
 *     y = vox_biquad_next(&hp, x);
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_LAB_BIQUAD_H
#define VOX_LAB_BIQUAD_H

struct vox_biquad {
    double b0, b1, b2, a1, a2;
    double s1, s2; /* transposed direct form II */
};

/* 0 < cutoff_hz < rate_hz / 2. */
void vox_biquad_highpass(struct vox_biquad *f, double cutoff_hz, double rate_hz);
void vox_biquad_lowpass(struct vox_biquad *f, double cutoff_hz, double rate_hz);

static inline double vox_biquad_next(struct vox_biquad *f, double x)
{
    double y = f->b0 * x + f->s1;
    f->s1 = f->b1 * x - f->a1 * y + f->s2;
    f->s2 = f->b2 * x - f->a2 * y;
    return y;
}

#endif
