#include "sender/congestion.h"

#include "base/time.h"

#include <math.h>
#include <string.h>

enum {
    LEAST_CAP_BPS = 22000, /* 6 kbit/s of audio in 20 ms packets */
    TRIAL_PACKETS = 50,    /* after which a trial is judged */
};

/* The round trip may be longer than the shortest by this. Jitter does not lift the shortest of
 * two so far, a queue does. */
#define QUEUE_NS (80 * VOX_NS_PER_MS)
#define HALF_MINUTE_NS (30 * VOX_NS_PER_S)
#define DRAIN_NS (3 * VOX_NS_PER_S / 2)
#define HOLD_NS (5 * VOX_NS_PER_S)
#define LONGEST_HOLD_NS (60 * VOX_NS_PER_S)
#define TRUST_NS (60 * VOX_NS_PER_S)

/* Lowered to that share of what comes through: the rest is what drains the queue. */
#define BACK_OFF 0.85
#define RAISE 1.15
/* A change by less is no trial: too little would be seen of it. */
#define TRIAL_CHANGE 1.1
/* Of what a raise should bring through, a bottleneck lets through less. */
#define GAIN 0.4
/* Standard deviations by which loss must have grown. */
#define SURE 3.0
/* Of the loss, where it goes with the rate, so much at most is left at the lower one. */
#define LEFT 0.5

void vox_congestion_init(struct vox_congestion *c, int most_bps)
{
    *c = (struct vox_congestion){
        .most_bps = most_bps,
        .cap_bps = most_bps,
        .shortest_ns = {INT64_MAX, INT64_MAX},
        .half_minute_ns = INT64_MIN,
        .hold_ns = HOLD_NS,
        .hold_until_ns = INT64_MIN / 2,
        .drain_until_ns = INT64_MIN,
        .trusted_until_ns = INT64_MIN,
    };
}

void vox_congestion_changed(struct vox_congestion *c, int from_bps, int to_bps, double loss_before)
{
    if (to_bps < from_bps && c->trial == VOX_CONGESTION_LOWERED)
        return; /* that is what is on trial */
    c->trial = to_bps > from_bps * TRIAL_CHANGE ? VOX_CONGESTION_RAISED : VOX_CONGESTION_NO_TRIAL;
    c->from_bps = from_bps;
    c->to_bps = to_bps;
    c->loss_before = loss_before;
}

/* ---- the round trip ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void note_round(struct vox_congestion *c, const struct vox_congestion_view *view)
{
    if (view->rtt_ns < 0)
        return;
    if (view->now_ns - HALF_MINUTE_NS >= c->half_minute_ns) {
        c->half_minute_ns = view->now_ns;
        c->shortest_ns[1] = c->shortest_ns[0];
        c->shortest_ns[0] = INT64_MAX;
    }
    c->shortest_ns[0] = least(c->shortest_ns[0], view->rtt_ns);
    c->rounds_ns[c->round_count++ % VOX_CONGESTION_ROUNDS] = view->rtt_ns;
}

/* Whether the shortest of the latest `rounds` is longer than it should be. */
static bool is_long(const struct vox_congestion *c, int rounds)
{
    int64_t lately_ns = INT64_MAX;
    if (c->round_count < rounds)
        return false;
    for (int i = 1; i <= rounds; i++)
        lately_ns = least(lately_ns, c->rounds_ns[(c->round_count - i) % VOX_CONGESTION_ROUNDS]);
    return lately_ns - least(c->shortest_ns[0], c->shortest_ns[1]) > QUEUE_NS;
}

bool vox_congestion_is_suspected(const struct vox_congestion *c)
{
    return is_long(c, 1);
}

/* ---- the cap ---- */

static void lower(struct vox_congestion *c, double to_bps, int64_t now_ns)
{
    bool again = now_ns < c->hold_until_ns + c->hold_ns;
    c->hold_ns = again ? least(2 * c->hold_ns, LONGEST_HOLD_NS) : HOLD_NS;
    c->hold_until_ns = now_ns + c->hold_ns;
    c->cap_bps = to_bps < LEAST_CAP_BPS ? LEAST_CAP_BPS : (int)to_bps;
}

static enum vox_congestion_news queue(struct vox_congestion *c,
                                      const struct vox_congestion_view *view)
{
    double through_bps = view->delivered_bps > 0 ? (double)view->delivered_bps : c->cap_bps;
    lower(c, fmin(through_bps, c->cap_bps) * BACK_OFF, view->now_ns);
    c->drain_until_ns = view->now_ns + DRAIN_NS;
    c->trial = VOX_CONGESTION_NO_TRIAL;
    c->round_count = 0;
    return VOX_CONGESTION_QUEUE;
}

/* Deviation of a share of packets lost in bursts. */
static double deviation(double share, const struct vox_congestion_view *view)
{
    double variance = fmax(share * (1 - share), 0.01) / view->known;
    return sqrt(variance * fmax(2 * view->burst - 1, 1));
}

static enum vox_congestion_news judge_raise(struct vox_congestion *c,
                                            const struct vox_congestion_view *view, double loss)
{
    double before_bps = c->from_bps * (1 - c->loss_before);
    double after_bps = c->to_bps * (1 - loss);
    double wanted_bps = (c->to_bps - c->from_bps) * (1 - c->loss_before);
    bool grew = loss > c->loss_before + SURE * deviation(c->loss_before, view);
    c->trial = VOX_CONGESTION_NO_TRIAL;
    if (!grew || after_bps - before_bps > GAIN * wanted_bps || view->now_ns < c->trusted_until_ns)
        return VOX_CONGESTION_NOTHING;
    lower(c, after_bps * BACK_OFF, view->now_ns);
    c->loss_before = loss;
    c->trial = VOX_CONGESTION_LOWERED;
    return VOX_CONGESTION_RATE;
}

static enum vox_congestion_news judge_lowering(struct vox_congestion *c,
                                               const struct vox_congestion_view *view, double loss)
{
    c->trial = VOX_CONGESTION_NO_TRIAL;
    if (loss < LEFT * c->loss_before)
        return VOX_CONGESTION_NOTHING;
    c->cap_bps = c->most_bps;
    c->trusted_until_ns = view->now_ns + TRUST_NS;
    return VOX_CONGESTION_RANDOM;
}

static enum vox_congestion_news judge(struct vox_congestion *c,
                                      const struct vox_congestion_view *view)
{
    double loss = view->known > 0 ? (double)view->lost / view->known : 0;
    if (view->known < TRIAL_PACKETS || c->trial == VOX_CONGESTION_NO_TRIAL)
        return VOX_CONGESTION_NOTHING;
    return c->trial == VOX_CONGESTION_RAISED ? judge_raise(c, view, loss)
                                             : judge_lowering(c, view, loss);
}

enum vox_congestion_news vox_congestion_report(struct vox_congestion *c,
                                               const struct vox_congestion_view *view)
{
    note_round(c, view);
    if (is_long(c, VOX_CONGESTION_ROUNDS) && view->now_ns >= c->drain_until_ns)
        return queue(c, view);
    enum vox_congestion_news news = judge(c, view);
    if (news != VOX_CONGESTION_NOTHING || c->cap_bps == c->most_bps ||
        c->trial != VOX_CONGESTION_NO_TRIAL || view->now_ns < c->hold_until_ns)
        return news;
    double raised = c->cap_bps * RAISE;
    c->cap_bps = raised < c->most_bps ? (int)raised : c->most_bps;
    c->hold_until_ns = view->now_ns + VOX_NS_PER_S;
    return VOX_CONGESTION_ROOM;
}
