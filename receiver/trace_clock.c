#include "receiver/trace_clock.h"

#include "base/time.h"

#include <math.h>
#include <stdbool.h>

#define FIRST_SLOT_NS (VOX_NS_PER_S / 2)
/* Below this the difference of two crystals is less than what the fastest packets differ by. */
#define SHORTEST_NS (10 * VOX_NS_PER_S)
/* Two crystals of 100 ppm, a warm laptop, and some more. */
#define MAX_SLOPE 500e-6
/* As far from the line are the fastest packets of a third, if it is a line of clocks. */
#define ON_LINE_NS 2e6

void vox_trace_clock_init(struct vox_trace_clock *clock)
{
    clock->slot_ns = FIRST_SLOT_NS;
    clock->count = 0;
}

static void keep_least(struct vox_trace_point *slot, struct vox_trace_point point)
{
    if (point.transit_ns < slot->transit_ns)
        *slot = point;
}

static void double_slots(struct vox_trace_clock *clock)
{
    int half = (clock->count + 1) / 2;
    for (int i = 0; i < half; i++) {
        struct vox_trace_point first = clock->least[2 * i];
        if (2 * i + 1 < clock->count)
            keep_least(&first, clock->least[2 * i + 1]);
        clock->least[i] = first;
    }
    clock->count = half;
    clock->slot_ns *= 2;
}

void vox_trace_clock_packet(struct vox_trace_clock *clock, int64_t media_ns, int64_t arrival_ns)
{
    if (media_ns < 0)
        return;
    while (media_ns / clock->slot_ns >= VOX_TRACE_CLOCK_SLOTS)
        double_slots(clock);
    int slot = (int)(media_ns / clock->slot_ns);
    for (; clock->count <= slot; clock->count++)
        clock->least[clock->count] = (struct vox_trace_point){.transit_ns = INT64_MAX};
    keep_least(&clock->least[slot], (struct vox_trace_point){media_ns, arrival_ns - media_ns});
}

int64_t vox_trace_line_at(const struct vox_trace_line *line, int64_t media_ns)
{
    return line->at_zero_ns + (int64_t)floor(line->slope * (double)media_ns);
}

/* Whether b lies on or above the line from a to c: no corner of the hull. */
static bool is_above(struct vox_trace_point a, struct vox_trace_point b, struct vox_trace_point c)
{
    double ab = (double)(b.media_ns - a.media_ns), ac = (double)(c.media_ns - a.media_ns);
    return (double)(b.transit_ns - a.transit_ns) * ac >= (double)(c.transit_ns - a.transit_ns) * ab;
}

/* Corners of the lower convex hull (Andrew's monotone chain), by media time. Returns how many. */
static int lower_hull(const struct vox_trace_clock *clock, struct vox_trace_point *hull)
{
    int n = 0;
    for (int i = 0; i < clock->count; i++) {
        struct vox_trace_point point = clock->least[i];
        if (point.transit_ns == INT64_MAX)
            continue;
        while (n >= 2 && is_above(hull[n - 2], hull[n - 1], point))
            n--;
        hull[n++] = point;
    }
    return n;
}

/* The hull's edge below the middle: of all lines below the packets the one closest to them. */
static struct vox_trace_line middle_edge(const struct vox_trace_point *hull, int n)
{
    int64_t middle_ns = hull[0].media_ns + (hull[n - 1].media_ns - hull[0].media_ns) / 2;
    int i = 0;
    while (i + 2 < n && hull[i + 1].media_ns <= middle_ns)
        i++;
    struct vox_trace_point a = hull[i], b = hull[i + 1];
    struct vox_trace_line line = {.slope = (double)(b.transit_ns - a.transit_ns) /
                                           (double)(b.media_ns - a.media_ns)};
    line.at_zero_ns = a.transit_ns - (int64_t)ceil(line.slope * (double)a.media_ns);
    return line;
}

/* In each third of the time some packet is on the line. */
static bool is_believable(const struct vox_trace_clock *clock, const struct vox_trace_line *line)
{
    bool on_line[3] = {false};
    double reach_ns = ON_LINE_NS + (double)clock->slot_ns * fabs(line->slope);
    for (int i = 0; i < clock->count; i++) {
        const struct vox_trace_point *point = &clock->least[i];
        if (point->transit_ns == INT64_MAX)
            continue;
        int64_t above_ns = point->transit_ns - vox_trace_line_at(line, point->media_ns);
        on_line[3 * i / clock->count] |= (double)above_ns <= reach_ns;
    }
    return fabs(line->slope) <= MAX_SLOPE && on_line[0] && on_line[1] && on_line[2];
}

/* The fastest packet of a slot need not be the lowest above a sloping line. */
static void lower(const struct vox_trace_clock *clock, struct vox_trace_line *line)
{
    line->at_zero_ns -= (int64_t)ceil((double)clock->slot_ns * fabs(line->slope));
}

struct vox_trace_line vox_trace_clock_line(const struct vox_trace_clock *clock)
{
    struct vox_trace_point hull[VOX_TRACE_CLOCK_SLOTS];
    int n = lower_hull(clock, hull);
    if (n == 0)
        return (struct vox_trace_line){0};
    if (hull[n - 1].media_ns - hull[0].media_ns >= SHORTEST_NS) {
        struct vox_trace_line line = middle_edge(hull, n);
        if (is_believable(clock, &line)) {
            lower(clock, &line);
            return line;
        }
    }
    struct vox_trace_line level = {.at_zero_ns = INT64_MAX};
    for (int i = 0; i < n; i++)
        if (hull[i].transit_ns < level.at_zero_ns)
            level.at_zero_ns = hull[i].transit_ns;
    return level;
}
