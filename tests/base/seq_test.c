#include "base/seq.h"
#include "support/test.h"

static void sixteen_bits_wrap(void **state)
{
    (void)state;
    static const struct {
        uint16_t a, b;
        int32_t diff;
    } rows[] = {
        {1, 0, 1},           {0, 65535, 1},        {65535, 0, -1},
        {0x7fff, 0, 0x7fff}, {0x8000, 0, -0x8000}, {5, 5, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(vox_seq16_diff(rows[i].a, rows[i].b), rows[i].diff);
}

static void near_extends_across_wraps_both_ways(void **state)
{
    (void)state;
    assert_int_equal(vox_seq16_near(0, 65535), 65536);
    assert_int_equal(vox_seq16_near(65535, 65536), 65535);
    assert_int_equal(vox_seq16_near(65535, 0), -1);
    assert_true(vox_seq32_near(0, 0xffffffffLL) == 0x100000000LL);
    assert_true(vox_seq32_near(0xffffffffU, 0x100000000LL) == 0xffffffffLL);
}

static void every_sequence_number_counts_up_over_many_cycles(void **state)
{
    (void)state;
    int64_t index = 65000;
    for (int64_t expect = 65001; expect < 65000 + 5 * 65536; expect++) {
        index = vox_seq16_near((uint16_t)expect, index);
        assert_true(index == expect);
    }
}

RUN(cmocka_unit_test(sixteen_bits_wrap), cmocka_unit_test(near_extends_across_wraps_both_ways),
    cmocka_unit_test(every_sequence_number_counts_up_over_many_cycles))
