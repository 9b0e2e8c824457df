/*
 * A Fourier transform of a power of two, radix 2, in double precision: for measuring, where it is
 * a small part of the work and worth no library.
 *
 *     struct vox_fft fft;
 *     if (vox_fft_init(&fft, 1024) == 0) {
 *         vox_fft_forward(&fft, (struct vox_complex_array){re, im});
 *         vox_fft_clear(&fft);
 *     }
 *
 * The inverse is a forward transform between two conjugations, divided by the size.
 *
 * Thread rule: an initialised vox_fft is read only: many threads may use one. forward is RT-safe.
 */
#ifndef VOX_DSP_FFT_H
#define VOX_DSP_FFT_H

#include <stddef.h>

/* Real and imaginary parts apart: loops over them vectorise. */
struct vox_complex_array {
    double *re;
    double *im;
};

struct vox_fft {
    size_t size;
    struct vox_complex_array twiddle;
};

/* Errors: VOX_EINVAL (size is no power of two), VOX_ENOMEM. */
int vox_fft_init(struct vox_fft *fft, size_t size);
void vox_fft_clear(struct vox_fft *fft);

/* In place: X[k] = sum of x[n] exp(-2 pi i k n / size), not scaled. x holds `size` values. */
void vox_fft_forward(const struct vox_fft *fft, struct vox_complex_array x);

#endif
