#include "receiver/planner.h"

#include "base/time.h"

#include <math.h>
#include <string.h>

/* ---- the constants; docs/playout.md says how they were found ---- */

/* Over which the least transit is sought: short follows ramps and steps of the path; not too short
 * for pulls that beat with the packets. */
#define WINDOW_MS 250.0
#define COARSE_WINDOW_MS 400.0
#define COARSE_PULL_NS (11 * VOX_NS_PER_MS)
/* Time constants of an expert's account, and of a second one for clusters of stalls. */
#define MEMORY_S 200.0F
#define RECENT_S 9.0F
#define RECENT_WEIGHT 0.6F
/* The most that one late packet is charged: one outage is weak evidence. */
#define CAP_MS 150.0F
/* Another expert must be cheaper by this share. */
#define HYSTERESIS 0.001F
/* In ms x s for each ms that is stretched: between equals, the one that stretches less. */
#define CHANGE_COST 0.1F
/* Steps between small targets, ratio between large ones, the largest. */
#define FIRST_STEP_MS 1.0
#define FIRST_STEPS_TO_MS 20.0
#define GROWTH 1.13
#define LARGEST_MS 500.0

/* Before anything is known, delays below so much are held to be dear, in ms x s for each ms. */
#define START_MS 20.0F
#define START_PRICE 10.0F

/* While a packet is overdue, each period is played twice. */
#define SLOW 1.0
/* Overdue by so much is no alarm: it is the grid of the pulls. */
#define TOLERANCE_MS 4.0
/* Chance that a wait outlasts the slowed buffer from which on it is slowed. */
#define RISK 0.06
/* So many waits of any length are assumed on top of those seen. */
#define PRIOR_WAITS 0.4
#define WAIT_MEMORY_PACKETS 4000.0F
#define WAIT_BUCKET_MS 10.0
/* With so much audio ready there is time to slow down later; it also bounds what slowing can do. */
#define ENOUGH_MS 120.0
/* Holes of at least that length, for one wait of it, from which on a missing packet is taken for
 * lost: to slow down would bring nothing. */
#define LOST 4
/* What an expert cannot stretch at the end of the buffer, and how much of the rest it is believed
 * to: splices are refused, or come late. */
#define RESERVE_MS 20.0F
#define TRUST 0.7F
/* By how much of what it has above its target an expert stays quiet for longer. */
#define SURPLUS_CALMS 0.1F
/* Share of holes that were filled late from which on a hole is waited for like a packet. */
#define REORDERING 0.08

/* Shortening: share of output time that is taken out; and when far above the target. */
#define FAST 0.4
#define HURRY 1.0
#define FAR_MS 50.0
/* Lengthening towards a target that rose. */
#define UP 0.4
/* Errors that are left to resampling. */
#define ABOVE_MS 9.0
#define BELOW_MS 5.0

/* So far above its target an expert skips, once what is live has come. */
#define SKIPPED_MS 1500.0F

/* Of a hole, so much is concealed in any case: two cross-fades need room. */
#define KEEP_MS 12.5
/* A hole so long is an outage: nothing of it can be covered. */
#define OUTAGE_MS 500.0

/* What accounts are worth once packets are seen in another way. */
#define SHIFTED 0.1F

/* A curve of less would be one of the guesses at the start. */
#define CURVE_FROM_S 10.0F
/* Less concealment by less than this is no other choice: so that VOX_CURVE_CHOICES of them reach
 * from a useless delay to one without glitches, and not only to the one in force. */
#define CURVE_STEP 0.75

void vox_planner_init(struct vox_planner *p, const struct vox_planner_config *config)
{
    memset(p, 0, sizeof *p);
    p->lambda = (float)(config->price_ms / 10); /* 1 % of a second is 10 ms */
    p->stretch = config->stretch;
    p->slow = config->stretch ? (float)SLOW * TRUST : 0;
    p->up = (float)(config->stretch ? UP : config->resample);
    p->fast = (float)(config->stretch ? FAST : config->resample);
    p->window = WINDOW_MS;
    p->wait_weight = 1;
    p->best = (int)((double)START_MS / FIRST_STEP_MS);
    for (double ms = 0; ms < LARGEST_MS && p->experts < VOX_PLANNER_EXPERTS; p->experts++) {
        p->target[p->experts] = (float)ms;
        p->quiet[p->experts] = (float)TOLERANCE_MS;
        p->offset[p->experts] = (float)ms;
        p->paid_recently[p->experts] =
            ms < (double)START_MS ? START_PRICE * (START_MS - (float)ms) : 0;
        ms = ms < FIRST_STEPS_TO_MS ? ms + FIRST_STEP_MS : ms * GROWTH;
    }
}

/* ---- where the path is ---- */

/* The least transit, by media time: packets that come in a heap after a stall still see the minimum
 * from before it. */
static double least_transit(struct vox_planner *p, double media, double transit)
{
    while (p->minima_tail != p->minima_head &&
           p->minimum[(p->minima_tail - 1) % VOX_PLANNER_MINIMA] >= transit)
        p->minima_tail--;
    p->minimum_media[p->minima_tail % VOX_PLANNER_MINIMA] = media;
    p->minimum[p->minima_tail++ % VOX_PLANNER_MINIMA] = transit;
    while (p->minima_tail - p->minima_head > 1 &&
           (p->minima_tail - p->minima_head > VOX_PLANNER_MINIMA ||
            p->minimum_media[p->minima_head % VOX_PLANNER_MINIMA] < media - p->window))
        p->minima_head++;
    return p->minimum[p->minima_head % VOX_PLANNER_MINIMA];
}

/* The experts play on where they were. */
static void move_base(struct vox_planner *p, double base)
{
    float moved = (float)(p->base - base);
    p->base = base;
    if (moved == 0)
        return;
    for (int k = 0; k < p->experts; k++)
        p->offset[k] += moved;
}

void vox_planner_set_pull(struct vox_planner *p, int64_t pull_ns)
{
    p->window = pull_ns > COARSE_PULL_NS ? COARSE_WINDOW_MS : WINDOW_MS;
}

/* ---- waits: for how long an awaited packet was overdue ---- */

static int bucket_of(double ms)
{
    double bucket = (ms + WAIT_BUCKET_MS / 2) / WAIT_BUCKET_MS;
    if (bucket < 0)
        return 0;
    return bucket > VOX_PLANNER_WAITS ? VOX_PLANNER_WAITS : (int)bucket;
}

/* That one more was at least so long. */
static void count(const struct vox_planner *p, float longer[VOX_PLANNER_WAITS], double ms)
{
    int longest = bucket_of(ms);
    longest = longest < VOX_PLANNER_WAITS ? longest : VOX_PLANNER_WAITS - 1;
    for (int b = 0; b <= longest; b++)
        longer[b] += p->wait_weight;
}

/* Older waits and holes fade because newer ones weigh more. */
static void note_wait(struct vox_planner *p, double ms)
{
    p->wait_weight *= 1 + 1 / WAIT_MEMORY_PACKETS;
    count(p, p->waited, ms);
    if (p->wait_weight < 1e6F)
        return;
    for (int b = 0; b < VOX_PLANNER_WAITS; b++) {
        p->waited[b] /= p->wait_weight;
        p->holed[b] /= p->wait_weight;
    }
    p->wait_weight = 1;
}

static double counted(const struct vox_planner *p, const float longer[VOX_PLANNER_WAITS],
                      int bucket)
{
    return bucket < VOX_PLANNER_WAITS ? (double)longer[bucket] / (double)p->wait_weight : 0;
}

static double waits_longer_than(const struct vox_planner *p, double ms)
{
    return PRIOR_WAITS + counted(p, p->waited, bucket_of(ms) + 1);
}

/* Whether a packet that is overdue for so long is rather lost than late. */
static bool is_lost(const struct vox_planner *p, double overdue)
{
    return counted(p, p->holed, bucket_of(overdue)) > LOST * waits_longer_than(p, overdue);
}

/*
 * Whether it is time to slow down: a wait that has lasted `overdue` exhausts the audio that is
 * ready, slowed, with a certain chance. To slow down costs stretching twice, whether or not it was
 * needed; so with little audio it is done at once, with much of it and short waits as a rule never.
 */
static bool is_alarming(const struct vox_planner *p, double overdue, double ready)
{
    double until = overdue + (ready > 0 ? ready * (1 + SLOW) : 0);
    return overdue >= TOLERANCE_MS && ready < ENOUGH_MS && !is_lost(p, overdue) &&
           waits_longer_than(p, until) > RISK * waits_longer_than(p, overdue);
}

/* One expert a packet learns anew how long it stays quiet. */
static void learn_quiet(struct vox_planner *p)
{
    p->turn = (p->turn + 1) % p->experts;
    double target = (double)p->target[p->turn];
    double overdue = TOLERANCE_MS;
    while (overdue < target && !is_alarming(p, overdue, target - overdue))
        overdue += WAIT_BUCKET_MS;
    p->quiet[p->turn] = (float)overdue;
}

/* ---- experts ---- */

/* A packet as they meet it; ms, over base. */
struct meeting {
    float transit;
    float length;    /* 0: it came out of order, and media time does not advance */
    float wait_from; /* it was awaited while overdue by so much ... */
    float wait_to;   /* ... to so much */
    float elapsed;   /* since the packet before */
    float cut_most;  /* so much of the hole in front of it need not be concealed */
    float unplayed;  /* 0: if it is late the delay grows; else what its absence costs */
    float alarm;     /* 1: it was waited for; 0 */
};

static float clamp(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static float positive(float x)
{
    return x > 0 ? x : 0;
}

/* One expert plays on until it has the packet. Returns what that cost. */
static float play_on(struct vox_planner *p, int k, const struct meeting *m)
{
    float at = p->offset[k], target = p->target[k], quiet = p->quiet[k];
    /* What stands above the target delays the alarm. */
    quiet += SURPLUS_CALMS * positive(at - target);
    quiet = quiet > at - (float)ENOUGH_MS ? quiet : at - (float)ENOUGH_MS;
    float from = quiet > m->wait_from ? quiet : m->wait_from;
    float slowed = m->alarm * positive(m->wait_to - from);
    float calm = positive(m->elapsed - slowed);
    float move = clamp(target - at, 0, p->up * calm) - clamp(at - target, 0, p->fast * calm);
    at += move;
    float stretch = p->slow * positive(at - from - RESERVE_MS);
    float most = slowed * p->slow / (1 + p->slow);
    stretch = stretch < most ? stretch : most;
    at += stretch;
    float late = positive(m->transit - at);
    float grows = m->unplayed > 0 ? 0 : late;
    at += grows;
    late = grows + (late > 0 ? m->unplayed : 0);
    float cut = clamp(at - target, 0, m->cut_most);
    at -= cut;
    /* Nobody plays off so much: see playout_live.h. */
    float live = target > m->transit ? target : m->transit;
    at = at - live > SKIPPED_MS ? live : at;
    p->offset[k] = at;
    p->delayed[k] += at * m->length / 1000;
    p->concealed[k] += late;
    late = late < CAP_MS ? late : CAP_MS;
    return at * m->length / 1000 + p->lambda * late + CHANGE_COST * (fabsf(move) + stretch);
}

static void meet(struct vox_planner *p, const struct meeting *m)
{
    float forget = expf(-m->length / 1000 / MEMORY_S);
    float forget_soon = expf(-m->length / 1000 / RECENT_S);
    p->played = p->played * forget + m->length / 1000;
    for (int k = 0; k < p->experts; k++) {
        p->delayed[k] *= forget;
        p->concealed[k] *= forget;
        float pay = play_on(p, k, m);
        p->paid[k] = p->paid[k] * forget + pay;
        p->paid_recently[k] = p->paid_recently[k] * forget_soon + pay;
    }
}

/* After so long a hole the playout had ended and begins anew, at its target. */
static void reseat(struct vox_planner *p)
{
    memcpy(p->offset, p->target, sizeof p->offset);
}

static float account(const struct vox_planner *p, int k)
{
    return p->paid[k] + RECENT_WEIGHT * p->paid_recently[k];
}

static void choose(struct vox_planner *p)
{
    float least = account(p, p->best) * (1 - HYSTERESIS);
    for (int k = 0; k < p->experts; k++) {
        float cost = account(p, k);
        if (cost >= least)
            continue;
        least = cost;
        p->best = k;
    }
}

/* ---- holes ---- */

static void note_hole(struct vox_planner *p, double hole)
{
    if (hole <= 0)
        return;
    count(p, p->holed, hole);
    p->reordered -= p->reordered * 0.03;
}

int64_t vox_planner_leave_out(const struct vox_planner *p, int64_t hole_ns, int64_t surplus_ns)
{
    int64_t most_ns = hole_ns - (int64_t)(KEEP_MS * VOX_NS_PER_MS);
    if (!p->stretch || surplus_ns < 0 || most_ns < 0)
        return 0;
    return surplus_ns < most_ns ? surplus_ns : most_ns;
}

/* ---- packets and decisions ---- */

static double to_ms(int64_t ns)
{
    return (double)ns / VOX_NS_PER_MS;
}

static double media_ms(int64_t ts)
{
    return (double)ts / 48;
}

/* The origin makes the numbers small: doubles then resolve nanoseconds for years. */
static void start(struct vox_planner *p, int64_t ts, int64_t seen_ns)
{
    p->started = true;
    p->origin_ns = seen_ns - vox_rtp_to_ns(ts);
    p->newest_ts = ts;
    p->seen = media_ms(ts);
}

void vox_planner_packet(struct vox_planner *p, enum vox_planner_kind kind, int64_t ts,
                        int duration_ticks, int64_t seen_ns)
{
    if (!p->started)
        start(p, ts, seen_ns);
    double media = media_ms(ts);
    double length = media_ms(duration_ticks);
    double seen = to_ms(seen_ns - p->origin_ns);
    bool is_old = kind == VOX_PLANNER_OVERTAKEN || kind == VOX_PLANNER_REPAIRED;
    bool in_order = !is_old && ts >= p->newest_ts;
    bool awaited_late = kind == VOX_PLANNER_OVERTAKEN && p->reordered >= REORDERING;
    double hole = in_order && kind != VOX_PLANNER_AFTER_PAUSE ? media_ms(ts - p->newest_ts) : 0;
    double awaited = media - hole; /* the first that was missing */
    move_base(p, least_transit(p, media, seen - media));
    double due = media + p->base;
    if (in_order)
        note_wait(p, hole > 0 ? 0 : seen - (p->seen > due ? p->seen : due));
    else if (awaited_late)
        note_wait(p, seen - due);
    note_hole(p, hole);
    p->reordered += kind == VOX_PLANNER_OVERTAKEN ? (1 - p->reordered) * 0.1 : 0;
    learn_quiet(p);
    if (hole > OUTAGE_MS)
        reseat(p);
    meet(p, &(struct meeting){
                .transit = (float)(seen - media - p->base),
                .length = in_order ? (float)length : 0,
                .wait_from = (float)(p->seen - awaited - p->base),
                .wait_to = (float)(seen - awaited - p->base),
                .elapsed = (float)(seen - p->seen),
                .cut_most =
                    p->stretch && hole > KEEP_MS && hole < OUTAGE_MS ? (float)(hole - KEEP_MS) : 0,
                .unplayed = in_order ? 0 : (float)length,
                .alarm = hole < OUTAGE_MS && (in_order || awaited_late) ? 1 : 0,
            });
    choose(p);
    p->newest_ts = in_order ? ts + duration_ticks : p->newest_ts;
    p->seen = seen;
}

void vox_planner_shift(struct vox_planner *p, int64_t by_ns)
{
    double by = to_ms(by_ns);
    p->base += by;
    p->seen += by;
    for (unsigned i = p->minima_head; i != p->minima_tail; i++)
        p->minimum[i % VOX_PLANNER_MINIMA] += by;
    p->played *= SHIFTED;
    for (int k = 0; k < p->experts; k++) {
        p->paid[k] *= SHIFTED;
        p->paid_recently[k] *= SHIFTED;
        p->delayed[k] *= SHIFTED;
        p->concealed[k] *= SHIFTED;
    }
}

int64_t vox_planner_target_ns(const struct vox_planner *p)
{
    double ms = p->base + (double)p->target[p->best];
    return p->origin_ns + (int64_t)(ms * VOX_NS_PER_MS);
}

static bool is_stalled(const struct vox_planner *p, const struct vox_planner_view *view)
{
    double overdue = to_ms(view->known_ns - p->origin_ns) - media_ms(view->missing_ts) - p->base;
    bool awaited = !view->later_came || p->reordered >= REORDERING;
    return awaited && is_alarming(p, overdue, to_ms(view->ready_ns));
}

struct vox_planner_order vox_planner_decide(const struct vox_planner *p,
                                            const struct vox_planner_view *view)
{
    double error = to_ms(view->offset_ns - view->target_ns);
    struct vox_planner_order order = {.action = VOX_PLANNER_KEEP};
    if (!p->stretch)
        return order;
    if (is_stalled(p, view)) {
        order.action = VOX_PLANNER_LENGTHEN;
        order.is_stall = true;
        order.rate = SLOW;
        order.amount_ns = (int64_t)((double)view->ready_ns * SLOW);
    } else if (error > ABOVE_MS) {
        order.action = VOX_PLANNER_SHORTEN;
        order.rate = error > FAR_MS ? HURRY : FAST;
        order.amount_ns = (int64_t)(error * VOX_NS_PER_MS);
    } else if (error < -BELOW_MS) {
        order.action = VOX_PLANNER_LENGTHEN;
        order.rate = UP;
        order.amount_ns = (int64_t)(-error * VOX_NS_PER_MS);
    }
    return order;
}

static struct vox_choice choice_of(const struct vox_planner *p, int k)
{
    return (struct vox_choice){
        .delay_ms = (double)(p->delayed[k] / p->played),
        .late_pct = (double)(p->concealed[k] / p->played / 10),
        .chosen = k == p->best,
    };
}

/* Whether some expert has both less delay and no more concealment. */
static bool is_dominated(const struct vox_planner *p, int k)
{
    for (int j = 0; j < p->experts; j++)
        if (p->delayed[j] < p->delayed[k] && p->concealed[j] <= p->concealed[k])
            return true;
    return false;
}

int vox_planner_curve(const struct vox_planner *p, struct vox_choice *out)
{
    int n = 0;
    for (int k = 0; p->played >= CURVE_FROM_S && k < p->experts; k++) {
        struct vox_choice choice = choice_of(p, k);
        bool better = n == 0 || choice.late_pct < CURVE_STEP * out[n - 1].late_pct;
        /* The last place is kept for the one in force. */
        bool room = n < VOX_CURVE_CHOICES - (k < p->best);
        if (choice.chosen || (better && room && !is_dominated(p, k)))
            out[n++] = choice;
    }
    return n;
}
