#include "sender/congestion.h"

#include "base/time.h"

#include <math.h>

/* The round trip may be longer than the shortest by this, and by so much of the jitter. */
#define QUEUE_NS (80 * VOX_NS_PER_MS)
#define JITTERS 3
#define SPREAD_SHARE 8
/* By so many times that, one round is enough. */
#define CLEARLY 2
#define HALF_MINUTE_NS (30 * VOX_NS_PER_S)
#define DRAIN_NS (2 * VOX_NS_PER_S)

/* Of what comes through, so much is sent where there was a queue; while it drains, it is less by
 * the share of a second that the queue is long, up to a bound. */
#define BACK_OFF 0.9
#define MOST_DRAIN 0.4
/* Of what comes through, where it is not known, of what is sent. */
#define THROUGH 0.7

#define HOLD_NS (15 * VOX_NS_PER_S)
#define LONGEST_HOLD_NS (120 * VOX_NS_PER_S)
/* A step upwards, and how long it takes to see what comes of it. */
#define RAISE 1.15
#define STEP_NS (3 * VOX_NS_PER_S)
/* A cap may be so much more than what is sent before that is taken for not used: protections come
 * in steps, too. It is raised nevertheless if nothing happened for so long. */
#define UNUSED 1.5
#define FORGOTTEN_NS (60 * VOX_NS_PER_S)

/* Loss is judged by at least so many packets, and where that is not clear by so many at most. */
#define TRIAL_PACKETS 50
#define MOST_TRIAL_PACKETS 200
/* Standard deviations by which loss must be more than what is known to be random; and from the
 * line between the two verdicts. */
#define SURE 3.0
#define VERDICT 2.0
/* Nobody is suspected for less. (Google's congestion control for WebRTC answers loss from 10 % on,
 * draft-ietf-rmcat-gcc, section 6.) */
#define HARMLESS_LOSS 0.05
/* Loss that lasts so long is tried in any case. */
#define PERSISTS_NS (2 * VOX_NS_PER_S)
/* Of what a raise should have brought through, so much must be missing. */
#define GAIN 0.8
/* On trial is so much of what is sent, or of what came through where that is less. Where loss goes
 * with the rate little would be left. */
#define TRIAL 0.7
#define TRIAL_THROUGH 0.85
#define LEFT 0.6
/* How long a verdict holds; twice as long each time that it is the same, for it may err. */
#define TRUST_NS (30 * VOX_NS_PER_S)
#define LONGEST_TRUST_NS (240 * VOX_NS_PER_S)

void vox_congestion_init(struct vox_congestion *c, int most_bps, int least_bps)
{
    *c = (struct vox_congestion){
        .most_bps = most_bps,
        .least_bps = least_bps < most_bps ? least_bps : most_bps,
        .cap_bps = most_bps,
        .shortest_ns = {INT64_MAX, INT64_MAX},
        .half_minute_ns = INT64_MIN / 2,
        .hold_ns = HOLD_NS,
        .hold_until_ns = INT64_MIN / 2,
        .lowered_ns = INT64_MIN / 2,
        .lossy_since_ns = VOX_NS_NEVER,
        .trust_ns = TRUST_NS,
        .trusted_until_ns = INT64_MIN / 2,
    };
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int bounded(const struct vox_congestion *c, double bps)
{
    return bps < c->least_bps ? c->least_bps : bps > c->most_bps ? c->most_bps : (int)bps;
}

/* ---- the round trip ---- */

/*
 * As the interarrival jitter of RFC 3550, section A.8, but over both ways and from report to
 * report: where packets do not overtake each other, neighbours tell little of it. Only steps down
 * count, twice, for a queue that grows is none.
 */
static void note_spread(struct vox_congestion *c, int64_t round_ns)
{
    int64_t down_ns = round_ns < c->round_ns ? least(c->round_ns - round_ns, QUEUE_NS) : 0;
    if (round_ns == 0) /* a bound that says nothing */
        return;
    if (c->round_ns > 0 && c->state != VOX_CONGESTION_DRAINS)
        c->spread_ns += (2 * down_ns - c->spread_ns) / SPREAD_SHARE;
    c->round_ns = round_ns;
}

static void note_round(struct vox_congestion *c, const struct vox_congestion_view *view)
{
    if (view->now_ns - HALF_MINUTE_NS >= c->half_minute_ns) {
        c->half_minute_ns = view->now_ns;
        c->shortest_ns[1] = c->shortest_ns[0];
        c->shortest_ns[0] = INT64_MAX;
    }
    c->shortest_ns[0] = least(c->shortest_ns[0], view->round_most_ns);
    int64_t shortest_ns = least(c->shortest_ns[0], c->shortest_ns[1]);
    if (view->round_least_ns < 0 || shortest_ns == INT64_MAX)
        return;
    note_spread(c, view->round_least_ns);
    int64_t jitter_ns = view->jitter_ns > c->spread_ns ? view->jitter_ns : c->spread_ns;
    c->excess_ns[c->round_count++ % VOX_CONGESTION_ROUNDS] =
        view->round_least_ns - shortest_ns - JITTERS * jitter_ns;
}

/* Of the latest round trips, that one which is least so; 0: not so many are known. */
static int64_t excess_of(const struct vox_congestion *c, int rounds)
{
    int64_t excess_ns = INT64_MAX;
    if (c->round_count < rounds)
        return 0;
    for (int i = 1; i <= rounds; i++)
        excess_ns = least(excess_ns, c->excess_ns[(c->round_count - i) % VOX_CONGESTION_ROUNDS]);
    return excess_ns;
}

bool vox_congestion_is_suspected(const struct vox_congestion *c)
{
    return (double)excess_of(c, 1) > (1 + fmax(c->burst, 1)) * QUEUE_NS / 2;
}

/* ---- a queue ---- */

/*
 * Packets that are lost behind the newest make one round look long; a burst of that many would be a
 * rare one. Where a cap is being raised the next queue is expected, and half of it will do. Where
 * round trips vary by themselves nothing is expected, and another round is waited for.
 */
static bool is_queue(const struct vox_congestion *c, const struct vox_congestion_view *view)
{
    bool is_steady = c->spread_ns < QUEUE_NS / 4;
    int rounds = is_steady ? VOX_CONGESTION_ROUNDS - 1 : VOX_CONGESTION_ROUNDS;
    int64_t queue_ns = is_steady && c->cap_bps < c->most_bps ? QUEUE_NS / 2 : QUEUE_NS;
    return excess_of(c, rounds) > queue_ns ||
           (double)excess_of(c, 1) > CLEARLY * fmax(view->burst, 1) * (double)queue_ns;
}

static void lower(struct vox_congestion *c, double to_bps, int64_t now_ns)
{
    c->cap_bps = bounded(c, to_bps);
    c->lowered_ns = now_ns;
}

/* It has turned out to be too much. */
static void hold(struct vox_congestion *c, int64_t now_ns)
{
    bool is_soon = now_ns < c->hold_until_ns + c->hold_ns;
    c->hold_ns = is_soon ? least(2 * c->hold_ns, LONGEST_HOLD_NS) : HOLD_NS;
    c->hold_until_ns = now_ns + c->hold_ns;
}

static enum vox_congestion_news queue(struct vox_congestion *c,
                                      const struct vox_congestion_view *view)
{
    double through_bps = fmin(view->sent_bps, c->cap_bps);
    if (view->delivered_bps > 0)
        through_bps = fmin(through_bps, fmax((double)view->delivered_bps, through_bps / 2));
    else
        through_bps *= THROUGH;
    double queue_s = (double)excess_of(c, 1) / VOX_NS_PER_S;
    if (c->state != VOX_CONGESTION_DRAINS)
        hold(c, view->now_ns);
    c->state = VOX_CONGESTION_DRAINS;
    c->then_bps = bounded(c, through_bps * BACK_OFF);
    c->drain_until_ns = view->now_ns + DRAIN_NS;
    c->round_count = 0;
    lower(c, through_bps * (BACK_OFF - fmin(queue_s, MOST_DRAIN)), view->now_ns);
    return VOX_CONGESTION_QUEUE;
}

static enum vox_congestion_news drain(struct vox_congestion *c,
                                      const struct vox_congestion_view *view)
{
    bool is_empty = c->round_count > 0 && excess_of(c, 1) <= QUEUE_NS / 2;
    if (view->now_ns >= c->drain_until_ns && is_queue(c, view))
        return queue(c, view);
    if (!is_empty)
        return VOX_CONGESTION_NOTHING;
    c->state = VOX_CONGESTION_FREE;
    c->cap_bps = c->then_bps;
    return VOX_CONGESTION_ROOM;
}

/* ---- loss ---- */

static double share_lost(const struct vox_congestion_view *view)
{
    return view->known > 0 ? (double)view->lost / view->known : 0;
}

/* Deviation of a share of packets lost in bursts. */
static double deviation(double share, const struct vox_congestion_view *view)
{
    double variance = fmax(share * (1 - share), 0.01) / view->known;
    return sqrt(variance * fmax(2 * view->burst - 1, 1));
}

/* Whether a raise of the rate has brought loss instead of packets. */
static bool was_raise_in_vain(const struct vox_congestion_view *view)
{
    if (view->raised_from_bps == 0 || view->before_known == 0)
        return false;
    double before = (double)view->before_lost / view->before_known;
    double loss = share_lost(view);
    double pooled = (double)(view->before_lost + view->lost) / (view->before_known + view->known);
    double both = deviation(pooled, view) * sqrt(1 + (double)view->known / view->before_known);
    double wanted_bps = (view->sent_bps - view->raised_from_bps) * (1 - before);
    double gained_bps = view->sent_bps * (1 - loss) - view->raised_from_bps * (1 - before);
    return loss - before > VERDICT * both && gained_bps < GAIN * wanted_bps;
}

static bool is_suspicious(struct vox_congestion *c, const struct vox_congestion_view *view)
{
    double random = view->now_ns < c->trusted_until_ns ? c->random_loss : 0;
    random = fmax(random, HARMLESS_LOSS);
    if (view->known < TRIAL_PACKETS ||
        share_lost(view) <= random + SURE * deviation(random, view)) {
        c->lossy_since_ns = VOX_NS_NEVER;
        return false;
    }
    c->lossy_since_ns = least(c->lossy_since_ns, view->now_ns);
    return was_raise_in_vain(view) || view->now_ns - c->lossy_since_ns >= PERSISTS_NS;
}

/* Nothing comes of it where there is nothing to lower. */
static enum vox_congestion_news put_on_trial(struct vox_congestion *c,
                                             const struct vox_congestion_view *view)
{
    double loss = share_lost(view);
    double tried_bps = fmin(TRIAL, TRIAL_THROUGH * (1 - loss)) * fmin(view->sent_bps, c->cap_bps);
    if (tried_bps < c->least_bps)
        return VOX_CONGESTION_NOTHING;
    c->state = VOX_CONGESTION_ON_TRIAL;
    c->lossy_since_ns = VOX_NS_NEVER;
    c->then_bps = c->cap_bps;
    /* It is looked at because it is high: in part that is chance. */
    c->loss_before = fmax(loss - deviation(loss, view), HARMLESS_LOSS);
    lower(c, tried_bps, view->now_ns);
    return VOX_CONGESTION_RATE;
}

static enum vox_congestion_news judge(struct vox_congestion *c,
                                      const struct vox_congestion_view *view)
{
    double loss = share_lost(view);
    double line = LEFT * c->loss_before;
    if (view->known < TRIAL_PACKETS)
        return VOX_CONGESTION_NOTHING;
    if (view->known < MOST_TRIAL_PACKETS && fabs(loss - line) < VERDICT * deviation(line, view))
        return VOX_CONGESTION_NOTHING;
    c->state = VOX_CONGESTION_FREE;
    c->trusted_until_ns = view->now_ns + c->trust_ns;
    c->trust_ns = least(2 * c->trust_ns, LONGEST_TRUST_NS);
    if (loss < line) {
        c->trust_ns = TRUST_NS;
        c->random_loss = loss;
        hold(c, view->now_ns);
        return VOX_CONGESTION_NOTHING;
    }
    c->random_loss = fmax(loss, c->loss_before);
    c->cap_bps = c->then_bps;
    return VOX_CONGESTION_RANDOM;
}

/* ---- room ---- */

static enum vox_congestion_news raise(struct vox_congestion *c,
                                      const struct vox_congestion_view *view)
{
    bool is_used = c->cap_bps < UNUSED * view->sent_bps;
    if (c->cap_bps == c->most_bps || view->now_ns < c->hold_until_ns ||
        c->lossy_since_ns != VOX_NS_NEVER || vox_congestion_is_suspected(c) ||
        (!is_used && view->now_ns < c->lowered_ns + FORGOTTEN_NS))
        return VOX_CONGESTION_NOTHING;
    c->cap_bps = bounded(c, c->cap_bps * RAISE);
    c->hold_until_ns = view->now_ns + STEP_NS;
    return VOX_CONGESTION_ROOM;
}

enum vox_congestion_news vox_congestion_report(struct vox_congestion *c,
                                               const struct vox_congestion_view *view)
{
    c->burst = view->burst;
    note_round(c, view);
    if (c->state == VOX_CONGESTION_DRAINS)
        return drain(c, view);
    if (is_queue(c, view))
        return queue(c, view);
    if (c->state == VOX_CONGESTION_ON_TRIAL)
        return judge(c, view);
    if (is_suspicious(c, view))
        return put_on_trial(c, view);
    return raise(c, view);
}
