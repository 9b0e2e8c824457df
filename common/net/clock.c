#include "net/clock.h"

#include "base/time.h"

#include <errno.h>
#include <time.h>

enum {
    TRIES = 3,
    GOOD_GAP_NS = 500, /* closer than half of this nobody needs it: no more tries */
};

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * VOX_NS_PER_S + t.tv_nsec;
}

int64_t vox_clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t vox_clock_wall_offset_ns(void)
{
    int64_t best_gap_ns = INT64_MAX;
    int64_t offset_ns = 0;
    for (int i = 0; i < TRIES && best_gap_ns > GOOD_GAP_NS; i++) {
        int64_t before_ns = vox_clock_now_ns();
        int64_t wall_ns = read_clock(CLOCK_REALTIME);
        int64_t gap_ns = vox_clock_now_ns() - before_ns;
        if (gap_ns < best_gap_ns) {
            best_gap_ns = gap_ns;
            offset_ns = wall_ns - (before_ns + gap_ns / 2);
        }
    }
    return offset_ns;
}

void vox_clock_sleep_until(int64_t when_ns)
{
    if (when_ns <= 0)
        return;
    struct timespec t = {.tv_sec = when_ns / VOX_NS_PER_S, .tv_nsec = when_ns % VOX_NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        continue;
}
