#include "net/clock.h"

#include "base/time.h"
#include "support/test.h"

#include <time.h>

static void never_runs_backwards(void **state)
{
    (void)state;
    int64_t before_ns = vox_clock_now_ns();
    for (int i = 0; i < 10000; i++) {
        int64_t now_ns = vox_clock_now_ns();
        assert_true(now_ns >= before_ns);
        before_ns = now_ns;
    }
}

static void offset_leads_to_the_wall_clock(void **state)
{
    (void)state;
    struct timespec t;
    int64_t offset_ns = vox_clock_wall_offset_ns();
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t wall_ns = (int64_t)t.tv_sec * VOX_NS_PER_S + t.tv_nsec;
    int64_t error_ns = vox_clock_now_ns() + offset_ns - wall_ns;
    /* Ahead by the time between the two readings: anything below a second tells it from a mix-up.
     */
    assert_true(error_ns > -VOX_NS_PER_MS && error_ns < VOX_NS_PER_S);
}

static void sleeps_not_less_than_asked(void **state)
{
    (void)state;
    int64_t when_ns = vox_clock_now_ns() + 3 * VOX_NS_PER_MS;
    vox_clock_sleep_until(when_ns);
    assert_true(vox_clock_now_ns() >= when_ns);
    vox_clock_sleep_until(when_ns);
    vox_clock_sleep_until(-1);
}

RUN(cmocka_unit_test(never_runs_backwards), cmocka_unit_test(offset_leads_to_the_wall_clock),
    cmocka_unit_test(sleeps_not_less_than_asked))
