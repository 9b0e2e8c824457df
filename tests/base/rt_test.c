#include "base/rt.h"
#include "support/test.h"

static void depth_counts_nested_sections(void **state)
{
    (void)state;
    assert_int_equal(vox_rt_depth(), 0);
    vox_rt_enter();
    vox_rt_enter();
    assert_int_equal(vox_rt_depth(), 2);
    vox_rt_leave();
    vox_rt_leave();
    assert_int_equal(vox_rt_depth(), 0);
}

RUN(cmocka_unit_test(depth_counts_nested_sections))
