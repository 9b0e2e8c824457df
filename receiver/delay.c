#include "receiver/delay.h"

#include "base/time.h"

#include <string.h>

enum {
    /* Slots between two points whose slope counts: a step of the path spoils only the few pairs
     * that lie across it. */
    SHORT_LAG = 4,
    LONG_LAG = 16,
    LAG_STEP = 2,
    PAIRS = VOX_DELAY_SKEW_POINTS * ((LONG_LAG - SHORT_LAG) / LAG_STEP + 1),
    SURE_SLOPES = 3,
    BISECTIONS = 20,
};

#define BASE_SLOT_NS (VOX_NS_PER_S / 2)
#define SKEW_SLOT_NS (2 * VOX_NS_PER_S)

/* Clocks differ where so many of the slopes exceed this on the same side. */
#define DIFFER_PPM 25.0F
#define DIFFER_SHARE 0.8
/* Half of the slopes lie this close together where the skew is beyond doubt. */
#define SURE_PPM 50.0
/* No clock is so wrong. */
#define MOST_PPM 4000.0F

void vox_delay_init(struct vox_delay *d)
{
    memset(d, 0, sizeof *d);
    d->clocks_agree = true;
}

/* Puts a transit into its slot of time; the ring keeps the last `slots` of them. */
static void note_least(struct vox_delay_minima *m, int slots, int64_t slot, int64_t transit_ns)
{
    if (m->count == 0 || slot - m->slot >= slots) {
        m->count = 0;
        m->slot = slot - 1;
    }
    while (m->slot < slot) {
        m->slot++;
        m->least_ns[m->slot % slots] = INT64_MAX;
        m->count += m->count < slots;
    }
    int64_t *least = &m->least_ns[slot % slots];
    if (m->slot - slot < slots && transit_ns < *least)
        *least = transit_ns;
}

static int64_t least_of(const struct vox_delay_minima *m, int slots)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < m->count; i++) {
        int64_t at = m->least_ns[(m->slot - i) % slots];
        least = at < least ? at : least;
    }
    return least;
}

/* Slopes in ppm between points. Returns how many. */
static int find_slopes(const struct vox_delay_minima *m, float *slopes)
{
    int n = 0;
    for (int i = 0; i < m->count; i++)
        for (int lag = SHORT_LAG; lag <= LONG_LAG && i + lag < m->count; lag += LAG_STEP) {
            int64_t newer = m->least_ns[(m->slot - i) % VOX_DELAY_SKEW_POINTS];
            int64_t older = m->least_ns[(m->slot - i - lag) % VOX_DELAY_SKEW_POINTS];
            /* A clock that runs fast sends the same media time sooner. */
            if (newer != INT64_MAX && older != INT64_MAX)
                slopes[n++] = (float)((double)(older - newer) * 1e6 / (double)(lag * SKEW_SLOT_NS));
        }
    return n;
}

static int count_below(const float *values, int n, float limit)
{
    int below = 0;
    for (int i = 0; i < n; i++)
        below += values[i] < limit;
    return below;
}

/* Which a share of them lies below. By bisection: qsort may allocate. */
static double quantile(const float *values, int n, double share)
{
    float low = -MOST_PPM, high = MOST_PPM;
    for (int i = 0; i < BISECTIONS; i++) {
        float middle = (low + high) / 2;
        if (count_below(values, n, middle) < share * n)
            low = middle;
        else
            high = middle;
    }
    return (double)(low + high) / 2;
}

/* When a slot of time is complete. */
static void measure_skew(struct vox_delay *d)
{
    float slopes[PAIRS];
    int n = find_slopes(&d->longer, slopes);
    if (n == 0)
        return;
    d->skew_ppm = quantile(slopes, n, 0.5);
    d->skew_is_sure =
        n >= SURE_SLOPES && quantile(slopes, n, 0.75) - quantile(slopes, n, 0.25) < SURE_PPM;
    int slow = count_below(slopes, n, -DIFFER_PPM);
    int fast = n - count_below(slopes, n, DIFFER_PPM);
    d->clocks_agree = slow < DIFFER_SHARE * n && fast < DIFFER_SHARE * n;
}

int64_t vox_delay_packet(struct vox_delay *d, int64_t ts, int64_t arrival_ns)
{
    int64_t transit_ns = arrival_ns - vox_rtp_to_ns(ts);
    if (!d->started)
        d->origin_ns = arrival_ns;
    /* The same arrivals make the same decisions, whatever the host's clock shows. */
    int64_t now_ns = arrival_ns > d->origin_ns ? arrival_ns - d->origin_ns : 0;
    int64_t slot = now_ns / SKEW_SLOT_NS;
    if (d->started && slot > d->longer.slot)
        measure_skew(d);
    note_least(&d->longer, VOX_DELAY_SKEW_POINTS, slot, transit_ns);
    note_least(&d->recent, VOX_DELAY_MINIMA, now_ns / BASE_SLOT_NS, transit_ns);
    d->base_ns = least_of(&d->recent, VOX_DELAY_MINIMA);
    d->started = true;
    /* below 0 only if the host's clock went back by more than the ring remembers */
    return transit_ns > d->base_ns ? transit_ns - d->base_ns : 0;
}

void vox_delay_forget_fastest(struct vox_delay *d)
{
    int slots = (int)(VOX_NS_PER_S / BASE_SLOT_NS);
    if (d->recent.count > slots)
        d->recent.count = slots;
    d->base_ns = least_of(&d->recent, VOX_DELAY_MINIMA);
}

int64_t vox_delay_base_ns(const struct vox_delay *d)
{
    return d->base_ns;
}

double vox_delay_skew_ppm(const struct vox_delay *d)
{
    return d->skew_ppm;
}

bool vox_delay_skew_is_sure(const struct vox_delay *d)
{
    return d->skew_is_sure;
}

bool vox_delay_clocks_agree(const struct vox_delay *d)
{
    return d->clocks_agree;
}
