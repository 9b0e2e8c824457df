#include "receiver/delay.h"

#include "base/time.h"

#include <math.h>
#include <string.h>

#define FINE_NS (VOX_NS_PER_MS / 2)
#define COARSE_NS (5 * VOX_NS_PER_MS)
#define FINE_END_NS (VOX_DELAY_FINE * FINE_NS)
#define BASE_SLOT_NS (VOX_NS_PER_S / 2)
#define SKEW_SLOT_NS (4 * VOX_NS_PER_S)
#define DECISION_NS (50 * VOX_NS_PER_MS)

/* 190 ms for a per cent: 19 s for the whole (ITU-T G.107: 158..198). */
#define LAMBDA_NS (19.0 * 1e9)

/* Packets after which evidence has faded to 1/e: a minute of 20 ms packets. */
#define FORGET_PACKETS 3000.0

/* Belief before the first packet: so many packets, of exponential lateness with this mean. It makes
 * the start cautious (75 ms) and is outweighed within some seconds. */
#define PRIOR_PACKETS 1.0
#define PRIOR_MEAN_NS (10.0 * 1e6)

static int bucket_of(int64_t late_ns)
{
    if (late_ns < FINE_END_NS)
        return (int)(late_ns / FINE_NS);
    int64_t coarse = (late_ns - FINE_END_NS) / COARSE_NS;
    return coarse < VOX_DELAY_COARSE ? VOX_DELAY_FINE + (int)coarse : VOX_DELAY_BUCKETS - 1;
}

/* A delay that all packets of the bucket meet. */
static int64_t bucket_end_ns(int bucket)
{
    if (bucket < VOX_DELAY_FINE)
        return (bucket + 1) * FINE_NS;
    return FINE_END_NS + (bucket - VOX_DELAY_FINE + 1) * COARSE_NS;
}

static void decide(struct vox_delay *d, int64_t now_ns)
{
    double tail = d->total;
    double best = HUGE_VAL;
    bool have_p90 = false;
    for (int i = 0; i < VOX_DELAY_BUCKETS && tail > 0; i++) {
        tail -= d->buckets[i];
        double share = tail > 0 ? tail / d->total : 0;
        double cost = (double)bucket_end_ns(i) + LAMBDA_NS * share;
        if (cost < best) {
            best = cost;
            d->target_ns = bucket_end_ns(i);
        }
        if (!have_p90 && share <= 0.1) {
            have_p90 = true;
            d->p90_ns = bucket_end_ns(i);
        }
    }
    d->last_decision_ns = now_ns;
}

void vox_delay_init(struct vox_delay *d)
{
    memset(d, 0, sizeof *d);
    d->weight = 1;
    d->total = PRIOR_PACKETS;
    double below = 0;
    for (int i = 0; i < VOX_DELAY_BUCKETS; i++) {
        double upto = 1 - exp(-(double)bucket_end_ns(i) / PRIOR_MEAN_NS);
        d->buckets[i] = PRIOR_PACKETS * (upto - below);
        below = upto;
    }
    decide(d, 0);
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

/* Scaling all down now and then is what lets `weight` grow for ever. */
static void keep_in_range(struct vox_delay *d)
{
    if (d->weight < 1e9)
        return;
    for (int i = 0; i < VOX_DELAY_BUCKETS; i++)
        d->buckets[i] /= d->weight;
    d->total /= d->weight;
    d->weight = 1;
}

int64_t vox_delay_packet(struct vox_delay *d, int64_t ts, int64_t arrival_ns)
{
    int64_t transit_ns = arrival_ns - vox_rtp_to_ns(ts);
    bool first = !d->started;
    if (first)
        d->origin_ns = arrival_ns;
    /* The same arrivals make the same decisions, whatever the host's clock shows. */
    int64_t now_ns = arrival_ns > d->origin_ns ? arrival_ns - d->origin_ns : 0;
    note_least(&d->recent, VOX_DELAY_MINIMA, now_ns / BASE_SLOT_NS, transit_ns);
    note_least(&d->longer, VOX_DELAY_SKEW_POINTS, now_ns / SKEW_SLOT_NS, transit_ns);
    d->base_ns = least_of(&d->recent, VOX_DELAY_MINIMA);
    d->started = true;
    /* below 0 only if the host's clock went back by more than the ring remembers */
    int64_t late_ns = transit_ns > d->base_ns ? transit_ns - d->base_ns : 0;
    d->weight *= 1 + 1 / FORGET_PACKETS;
    d->buckets[bucket_of(late_ns)] += d->weight;
    d->total += d->weight;
    keep_in_range(d);
    if (first || late_ns > d->target_ns || now_ns - d->last_decision_ns >= DECISION_NS)
        decide(d, now_ns);
    return late_ns;
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

int64_t vox_delay_target_ns(const struct vox_delay *d)
{
    return d->target_ns;
}

int64_t vox_delay_p90_ns(const struct vox_delay *d)
{
    return d->p90_ns;
}

/* Least-squares slope through (slot, least transit). */
double vox_delay_skew_ppm(const struct vox_delay *d)
{
    const struct vox_delay_minima *m = &d->longer;
    int64_t reference = least_of(m, VOX_DELAY_SKEW_POINTS);
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < m->count; i++) {
        int64_t least = m->least_ns[(m->slot - i) % VOX_DELAY_SKEW_POINTS];
        if (least == INT64_MAX)
            continue;
        double x = -i, y = (double)(least - reference);
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    double spread = n * sxx - sx * sx;
    if (n < 4 || spread <= 0)
        return 0;
    double ns_per_slot = (n * sxy - sx * sy) / spread;
    return -ns_per_slot / (double)SKEW_SLOT_NS * 1e6;
}
