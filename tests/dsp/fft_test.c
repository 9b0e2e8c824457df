#include "dsp/fft.h"

#include "base/err.h"
#include "base/rng.h"
#include "support/test.h"

#include <math.h>

enum { LARGEST = 256 };

static const double TURN = 6.283185307179586476925;

static void only_powers_of_two(void **state)
{
    (void)state;
    struct vox_fft fft;
    assert_int_equal(vox_fft_init(&fft, 0), VOX_EINVAL);
    assert_int_equal(vox_fft_init(&fft, 3), VOX_EINVAL);
    assert_int_equal(vox_fft_init(&fft, 1000), VOX_EINVAL);
}

/* Against the definition, term by term. */
static void agrees_with_the_plain_sum(void **state)
{
    (void)state;
    struct vox_rng rng;
    vox_rng_init(&rng, 7, 0);
    for (size_t size = 1; size <= LARGEST; size *= 2) {
        double re[LARGEST], im[LARGEST], x_re[LARGEST], x_im[LARGEST];
        for (size_t n = 0; n < size; n++) {
            x_re[n] = re[n] = vox_rng_uniform(&rng) - 0.5;
            x_im[n] = im[n] = vox_rng_uniform(&rng) - 0.5;
        }
        struct vox_fft fft;
        assert_int_equal(vox_fft_init(&fft, size), 0);
        vox_fft_forward(&fft, (struct vox_complex_array){re, im});
        vox_fft_clear(&fft);
        for (size_t k = 0; k < size; k++) {
            double sum_re = 0, sum_im = 0;
            for (size_t n = 0; n < size; n++) {
                double angle = -TURN * (double)(k * n % size) / (double)size;
                sum_re += x_re[n] * cos(angle) - x_im[n] * sin(angle);
                sum_im += x_re[n] * sin(angle) + x_im[n] * cos(angle);
            }
            assert_true(fabs(sum_re - re[k]) < 1e-11 && fabs(sum_im - im[k]) < 1e-11);
        }
    }
}

RUN(cmocka_unit_test(only_powers_of_two), cmocka_unit_test(agrees_with_the_plain_sum))
