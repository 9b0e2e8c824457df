#include "base/histogram.h"
#include "base/time.h"
#include "support/test.h"

static struct vox_histogram h;

static void empty_answers_zero(void **state)
{
    (void)state;
    vox_histogram_init(&h);
    assert_int_equal(vox_histogram_quantile_ns(&h, 0.5), 0);
    assert_int_equal(vox_histogram_mean_ns(&h), 0);
}

static void quantiles_of_a_ramp_are_within_a_bucket(void **state)
{
    (void)state;
    vox_histogram_init(&h);
    for (int64_t us = 1; us <= 100000; us++)
        vox_histogram_add(&h, us * VOX_NS_PER_US);
    static const double qs[] = {0.001, 0.01, 0.5, 0.95, 0.99, 1.0};
    for (size_t i = 0; i < COUNT(qs); i++) {
        double expect_us = qs[i] * 100000;
        double got_us = (double)vox_histogram_quantile_ns(&h, qs[i]) / 1000;
        assert_true(got_us > expect_us * 0.992 - 1 && got_us < expect_us * 1.008 + 1);
    }
    assert_true(h.max_ns == 100000 * VOX_NS_PER_US);
    assert_true(vox_histogram_mean_ns(&h) == 50000500);
}

static void values_outside_the_range_are_kept_at_its_ends(void **state)
{
    (void)state;
    vox_histogram_init(&h);
    vox_histogram_add(&h, -5);
    vox_histogram_add(&h, 1000 * VOX_NS_PER_S);
    assert_int_equal(h.min_ns, 0);
    assert_true(h.max_ns == 1000 * VOX_NS_PER_S);
    assert_int_equal(vox_histogram_quantile_ns(&h, 0.5), 0);
    assert_true(vox_histogram_quantile_ns(&h, 1.0) >= 60 * VOX_NS_PER_S);
}

RUN(cmocka_unit_test(empty_answers_zero), cmocka_unit_test(quantiles_of_a_ramp_are_within_a_bucket),
    cmocka_unit_test(values_outside_the_range_are_kept_at_its_ends))
