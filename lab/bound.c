#include "lab/bound.h"

#include "base/err.h"
#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { LOST = -1 };

/* Cells of a pass above which the resolution is made coarser: half a second or so each. */
static const int64_t MAX_CELLS = INT64_C(1) << 27;

/* Longest time of a config; with the century of a trace it stays within int64_t. */
static const int64_t MAX_TIME_NS = INT64_C(1000000000000000000);

struct packet {
    int64_t delay_ns; /* n[i], or LOST */
    int32_t reach;    /* steps by which the delay can differ from that of the packet before */
    int32_t need;     /* n[i] in steps, or LOST */
    int32_t limit;    /* steps: no course needs to be above, see take_limits */
};

/* The cheapest course to one delay at one packet. */
struct cell {
    int64_t cost;
    int32_t late;
};

/* What a course comes to: late packets, and the delays of all that arrived, in steps. */
struct corner {
    int64_t late;
    int64_t sum;
};

struct work {
    struct packet *packets;
    size_t count;
    size_t arrived;
    int64_t resolution_ns;
    int64_t slope; /* steps by which the delay can change in one packet interval */
    struct cell *now;
    struct cell *next;
    int32_t *queue;
    int passes;
};

void vox_bound_config_init(struct vox_bound_config *config)
{
    *config = (struct vox_bound_config){
        .stretch = 0.25,
        .late_share = 0.005,
        .skip_head_ns = 10 * VOX_NS_PER_S,
        .skip_tail_ns = 2 * VOX_NS_PER_S,
        .pull_ns = 10 * VOX_NS_PER_MS,
        .resolution_ns = VOX_NS_PER_MS / 2,
    };
}

static bool within(int64_t ns, int64_t least_ns)
{
    return ns >= least_ns && ns <= MAX_TIME_NS;
}

static bool is_share(double x)
{
    return x >= 0 && x <= 1; /* false for NaN */
}

static bool is_valid(const struct vox_bound_config *c)
{
    return is_share(c->stretch) && is_share(c->late_share) && within(c->skip_head_ns, 0) &&
           within(c->skip_tail_ns, 0) && within(c->pull_ns, 0) && within(c->phase_ns, 0) &&
           within(c->resolution_ns, VOX_NS_PER_US) &&
           (c->pull_ns > 0 ? c->phase_ns < c->pull_ns : c->phase_ns == 0);
}

/* LOST if nothing arrived. */
static int64_t fastest_transit_ns(const struct vox_trace *trace)
{
    int64_t least_ns = LOST;
    for (size_t i = 0; i < vox_trace_count(trace); i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        if (p->copies > 0 && (least_ns == LOST || p->recv_ns[0] - p->send_ns < least_ns))
            least_ns = p->recv_ns[0] - p->send_ns;
    }
    return least_ns;
}

/* The first pull at or after t_ns. */
static int64_t next_pull_ns(const struct vox_bound_config *c, int64_t t_ns)
{
    if (c->pull_ns == 0)
        return t_ns;
    int64_t past_ns = (t_ns - c->phase_ns) % c->pull_ns;
    if (past_ns < 0)
        past_ns += c->pull_ns;
    return past_ns == 0 ? t_ns : t_ns - past_ns + c->pull_ns;
}

/* The scored packets are one run of the trace, because send times do not go backwards. */
static size_t find_scored(const struct vox_trace *trace, const struct vox_bound_config *c,
                          size_t *first)
{
    size_t count = vox_trace_count(trace);
    int64_t from_ns = vox_trace_at(trace, 0)->send_ns + c->skip_head_ns;
    int64_t to_ns = vox_trace_at(trace, count - 1)->send_ns - c->skip_tail_ns;
    size_t begin = 0;
    while (begin < count && vox_trace_at(trace, begin)->send_ns < from_ns)
        begin++;
    size_t end = count;
    while (end > begin && vox_trace_at(trace, end - 1)->send_ns > to_ns)
        end--;
    *first = begin;
    return end - begin;
}

static void take_delays(struct work *w, const struct vox_trace *trace,
                        const struct vox_bound_config *c, size_t first)
{
    int64_t fastest_ns = fastest_transit_ns(trace);
    for (size_t i = 0; i < w->count; i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, first + i);
        w->packets[i].delay_ns = LOST;
        if (p->copies == 0)
            continue;
        w->packets[i].delay_ns = next_pull_ns(c, p->recv_ns[0]) - p->send_ns - fastest_ns;
        w->arrived++;
    }
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* A quantile of the delays. Errors: VOX_ENOMEM. */
static int find_fixed(const struct work *w, double late_share, struct vox_bound *out)
{
    int64_t *sorted_ns = malloc(w->arrived * sizeof *sorted_ns);
    if (!sorted_ns)
        return VOX_ENOMEM;
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->packets[i].delay_ns != LOST)
            sorted_ns[n++] = w->packets[i].delay_ns;
    qsort(sorted_ns, n, sizeof *sorted_ns, compare_ns);
    /* A product that is whole must not come out a hair below. */
    size_t allowed = (size_t)(late_share * (double)w->count + 1e-9);
    if (allowed >= n) {
        out->fixed_ns = 0;
        out->fixed_late = n;
        while (out->fixed_late > 0 && sorted_ns[n - out->fixed_late] == 0)
            out->fixed_late--;
    } else {
        out->fixed_ns = sorted_ns[n - 1 - allowed];
        out->fixed_late = 0;
        while (sorted_ns[n - 1 - out->fixed_late] > out->fixed_ns)
            out->fixed_late++;
    }
    free(sorted_ns);
    return 0;
}

/* Steps between two packets sent dt_ns apart. */
static int32_t reach_of(const struct work *w, int64_t dt_ns, int64_t interval_ns)
{
    int64_t intervals = (dt_ns + interval_ns / 2) / interval_ns;
    if (intervals < 1)
        intervals = 1;
    if (w->slope > VOX_BOUND_MAX_STEPS || intervals > VOX_BOUND_MAX_STEPS)
        return w->slope == 0 ? 0 : VOX_BOUND_MAX_STEPS;
    int64_t reach = intervals * w->slope;
    return (int32_t)(reach < VOX_BOUND_MAX_STEPS ? reach : VOX_BOUND_MAX_STEPS);
}

static void take_reaches(struct work *w, const struct vox_trace *trace, size_t first)
{
    int64_t interval_ns = vox_trace_interval_ns(trace);
    for (size_t i = 1; i < w->count; i++)
        w->packets[i].reach = reach_of(w,
                                       vox_trace_at(trace, first + i)->send_ns -
                                           vox_trace_at(trace, first + i - 1)->send_ns,
                                       interval_ns);
}

/* Errors: VOX_ELIMIT. */
static int take_needs(struct work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct packet *p = &w->packets[i];
        p->need = LOST;
        if (p->delay_ns == LOST)
            continue;
        int64_t steps = (p->delay_ns + w->resolution_ns / 2) / w->resolution_ns;
        if (steps > VOX_BOUND_MAX_STEPS)
            return VOX_ELIMIT;
        p->need = (int32_t)steps;
    }
    return 0;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/*
 * The lowest course on which nothing is late: the envelope of slopes that fall from each packet to
 * both sides. Any course cut off at it keeps to the slope, has no packet late that was not, and is
 * no longer. Returns its cells.
 */
static int64_t take_limits(struct work *w)
{
    int32_t limit = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct packet *p = &w->packets[i];
        limit = larger(larger(limit - p->reach, p->need), 0);
        p->limit = limit;
    }
    int64_t cells = 0;
    for (size_t i = w->count; i-- > 0;) {
        struct packet *p = &w->packets[i];
        limit = larger(limit, p->limit);
        p->limit = limit;
        limit = larger(limit - p->reach, 0);
        cells += p->limit + 1;
    }
    return cells;
}

/*
 * Quantises. The slope is a whole number of steps, halved until the work is bearable. Errors:
 * VOX_ELIMIT.
 */
static int take_steps(struct work *w, const struct vox_trace *trace,
                      const struct vox_bound_config *c, size_t first)
{
    int64_t change_ns = (int64_t)(c->stretch * (double)vox_trace_interval_ns(trace));
    w->slope = (change_ns + c->resolution_ns - 1) / c->resolution_ns;
    w->resolution_ns = w->slope > 0 ? change_ns / w->slope : c->resolution_ns;
    for (;;) {
        take_reaches(w, trace, first);
        int err = take_needs(w);
        if (err < 0 || take_limits(w) <= MAX_CELLS || w->slope <= 1)
            return err;
        w->slope = (w->slope + 1) / 2;
        w->resolution_ns = change_ns / w->slope;
    }
}

static bool is_cheaper(const struct cell *a, const struct cell *b)
{
    return a->cost < b->cost || (a->cost == b->cost && a->late < b->late);
}

/*
 * For each delay at packet `to` the cheapest way there from `from`: a minimum over a window that
 * slides along the delays. The queue holds those that are cheaper than all behind them.
 */
static void slide(struct work *w, const struct packet *from, const struct packet *to)
{
    int32_t head = 0;
    int32_t tail = 0;
    int32_t seen = 0;
    for (int32_t d = 0; d <= to->limit; d++) {
        for (; seen <= from->limit && seen <= d + to->reach; seen++) {
            while (tail > head && is_cheaper(&w->now[seen], &w->now[w->queue[tail - 1]]))
                tail--;
            w->queue[tail++] = seen;
        }
        while (w->queue[head] < d - to->reach)
            head++;
        w->next[d] = w->now[w->queue[head]];
    }
    struct cell *spent = w->now;
    w->now = w->next;
    w->next = spent;
}

/* Charges each delay at packet p for itself, and for the packet where that is late. */
static void charge(struct work *w, const struct packet *p, int64_t step_price, int64_t late_price)
{
    if (p->need == LOST)
        return;
    for (int32_t d = 0; d <= p->limit; d++) {
        bool late = d < p->need;
        w->now[d].cost += d * step_price + (late ? late_price : 0);
        w->now[d].late += late ? 1 : 0;
    }
}

/* The course of least late_price * late + step_price * sum, and that price. */
static struct corner cheapest(struct work *w, int64_t step_price, int64_t late_price, int64_t *cost)
{
    for (int32_t d = 0; d <= w->packets[0].limit; d++)
        w->now[d] = (struct cell){0};
    charge(w, &w->packets[0], step_price, late_price);
    for (size_t i = 1; i < w->count; i++) {
        slide(w, &w->packets[i - 1], &w->packets[i]);
        charge(w, &w->packets[i], step_price, late_price);
    }
    struct cell best = w->now[0];
    for (int32_t d = 1; d <= w->packets[w->count - 1].limit; d++)
        if (is_cheaper(&w->now[d], &best))
            best = w->now[d];
    w->passes++;
    *cost = best.cost;
    return (struct corner){best.late, (best.cost - late_price * best.late) / step_price};
}

/* Nothing late, and all late that can be: the ends of the hull. */
static void take_ends(const struct work *w, struct corner *kept, struct corner *given_up)
{
    *kept = *given_up = (struct corner){0};
    for (size_t i = 0; i < w->count; i++) {
        if (w->packets[i].need == LOST)
            continue;
        kept->sum += w->packets[i].limit;
        given_up->late += w->packets[i].need > 0 ? 1 : 0;
    }
}

/*
 * The sum of delays on the hull where `late` are late. Prices are the sides of the chord between
 * two corners of the hull, so they are whole numbers, at most 2^21 and 2^38; no cost is above 2^60.
 * A course that is cheaper than the chord's ends is a corner between them; if there is none, the
 * chord is a side of the hull.
 */
static double sum_at(struct work *w, double late)
{
    struct corner left;
    struct corner right;
    take_ends(w, &left, &right);
    if (late >= (double)right.late)
        return 0;
    while ((double)left.late < late) {
        int64_t step_price = right.late - left.late;
        int64_t late_price = left.sum - right.sum;
        assert(step_price > 0); /* left.late < late < right.late */
        int64_t cost = 0;
        struct corner found = cheapest(w, step_price, late_price, &cost);
        if (cost == step_price * left.sum + late_price * left.late)
            break;
        if ((double)found.late <= late)
            left = found;
        else
            right = found;
    }
    double along = (late - (double)left.late) / (double)(right.late - left.late);
    return (double)left.sum + along * (double)(right.sum - left.sum);
}

/* Errors: VOX_ENOMEM. */
static int find_bound(struct work *w, double late_share, struct vox_bound *out)
{
    int32_t most = 0;
    for (size_t i = 0; i < w->count; i++)
        most = larger(most, w->packets[i].limit);
    size_t cells = (size_t)most + 1;
    w->now = malloc(cells * sizeof *w->now);
    w->next = malloc(cells * sizeof *w->next);
    w->queue = malloc(cells * sizeof *w->queue);
    if (!w->now || !w->next || !w->queue)
        return VOX_ENOMEM;
    struct corner kept;
    struct corner given_up;
    take_ends(w, &kept, &given_up);
    double late = late_share * (double)w->count;
    double mean = sum_at(w, late) / (double)w->arrived;
    out->bound_ns = llround(mean * (double)w->resolution_ns);
    out->bound_late = fmin(late, (double)given_up.late);
    out->resolution_ns = w->resolution_ns;
    out->passes = w->passes;
    return 0;
}

static int compute(struct work *w, const struct vox_trace *trace,
                   const struct vox_bound_config *config, size_t first, struct vox_bound *out)
{
    w->packets = calloc(w->count, sizeof *w->packets);
    if (!w->packets)
        return VOX_ENOMEM;
    take_delays(w, trace, config, first);
    if (w->arrived == 0)
        return VOX_ENOTFOUND;
    out->sent = w->count;
    out->arrived = w->arrived;
    int err = find_fixed(w, config->late_share, out);
    if (err < 0)
        return err;
    err = take_steps(w, trace, config, first);
    return err < 0 ? err : find_bound(w, config->late_share, out);
}

int vox_bound_compute(const struct vox_trace *trace, const struct vox_bound_config *config,
                      struct vox_bound *out)
{
    if (!is_valid(config))
        return VOX_EINVAL;
    size_t first = 0;
    struct work w = {.count = find_scored(trace, config, &first)};
    if (w.count == 0)
        return VOX_ENOTFOUND;
    if (w.count > VOX_BOUND_MAX_PACKETS)
        return VOX_ELIMIT;
    struct vox_bound bound = {0};
    int err = compute(&w, trace, config, first, &bound);
    free(w.packets);
    free(w.now);
    free(w.next);
    free(w.queue);
    if (err < 0)
        return err;
    *out = bound;
    return 0;
}
