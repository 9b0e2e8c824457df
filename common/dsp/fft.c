#include "dsp/fft.h"

#include "base/err.h"

#include <math.h>
#include <stdlib.h>

static const double TURN = 6.283185307179586476925;

int vox_fft_init(struct vox_fft *fft, size_t size)
{
    if (size == 0 || (size & (size - 1)) != 0)
        return VOX_EINVAL;
    double *memory = calloc(size + 1, sizeof *memory); /* size 1 has no factors */
    if (!memory)
        return VOX_ENOMEM;
    *fft = (struct vox_fft){.size = size, .twiddle = {.re = memory, .im = memory + size / 2}};
    for (size_t k = 0; k < size / 2; k++) {
        fft->twiddle.re[k] = cos(TURN * (double)k / (double)size);
        fft->twiddle.im[k] = -sin(TURN * (double)k / (double)size);
    }
    return 0;
}

void vox_fft_clear(struct vox_fft *fft)
{
    free(fft->twiddle.re);
    *fft = (struct vox_fft){0};
}

static void swap(double *a, double *b)
{
    double keep = *a;
    *a = *b;
    *b = keep;
}

static void reverse_bits(struct vox_complex_array x, size_t size)
{
    for (size_t i = 1, j = 0; i < size; i++) {
        size_t bit = size >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            swap(&x.re[i], &x.re[j]);
            swap(&x.im[i], &x.im[j]);
        }
    }
}

void vox_fft_forward(const struct vox_fft *fft, struct vox_complex_array x)
{
    reverse_bits(x, fft->size);
    for (size_t half = 1; half < fft->size; half *= 2) {
        size_t stride = fft->size / (2 * half);
        for (size_t start = 0; start < fft->size; start += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                size_t p = start + k;
                size_t q = p + half;
                double w_re = fft->twiddle.re[k * stride];
                double w_im = fft->twiddle.im[k * stride];
                double re = x.re[q] * w_re - x.im[q] * w_im;
                double im = x.re[q] * w_im + x.im[q] * w_re;
                x.re[q] = x.re[p] - re;
                x.im[q] = x.im[p] - im;
                x.re[p] += re;
                x.im[p] += im;
            }
        }
    }
}
