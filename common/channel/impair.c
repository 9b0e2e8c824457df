#include "channel/impair.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "channel/trace.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* One sequence of random numbers for each question, and the same draws for every packet whatever
 * becomes of it: so that an option does not change what the others do to a packet. */
enum stream { STREAM_LOSS, STREAM_JITTER, STREAM_REORDER, STREAM_DUPLICATE, STREAM_COUNT };

enum {
    RECALLED =
        64, /* of the first stream, around the time of one aside: read ahead, they are many */
    IP_UDP_BYTES = 28,
    MAX_PACKET_BYTES = 1 << 20, /* keeps the serialisation time within int64_t */
};

/* Sums of a few of these and of a clock's time stay within int64_t. */
static const int64_t MAX_TIME_NS = 3600 * VOX_NS_PER_S;
static const double MAX_HOLD_INTERVALS = 3.0;

/* How the loss chain stood when a packet was sent. */
struct moment {
    int64_t send_ns;
    bool bad;
};

/* What is random for one of the streams, and what is behind its latest packet. */
struct stream_state {
    struct vox_rng rng[STREAM_COUNT];
    int64_t horizon_ns; /* nothing is delivered before this, unless held back or by a trace */
};

struct vox_impair {
    struct vox_impair_config config;
    struct vox_impair_stats stats;
    struct stream_state first, aside;
    struct moment moments[RECALLED]; /* of the first stream */
    uint64_t moment_count;           /* ever */
    double lambda; /* of the loss chain over one interval; 0: packets are independent */
    bool bad;
    bool started;
    int64_t start_ns;
    int64_t last_send_ns;
    int64_t link_free_ns; /* when the limited link has sent all that is queued */
};

void vox_impair_config_init(struct vox_impair_config *config)
{
    *config = (struct vox_impair_config){
        .burst_packets = 1.0,
        .burst_unit_ns = 20 * VOX_NS_PER_MS,
        .packet_ns = 20 * VOX_NS_PER_MS,
        .queue_ns = 500 * VOX_NS_PER_MS,
        .seed = 1,
    };
}

static bool is_share(double x)
{
    return x >= 0.0 && x <= 1.0; /* false for NaN */
}

static bool is_time(int64_t ns)
{
    return ns >= 0 && ns <= MAX_TIME_NS;
}

static bool valid(const struct vox_impair_config *c)
{
    if (!is_share(c->loss) || !is_share(c->reorder) || !is_share(c->duplicate))
        return false;
    if (!(c->burst_packets >= 1.0) || (c->loss >= 1.0 && c->burst_packets > 1.0))
        return false;
    return is_time(c->delay_ns) && is_time(c->jitter_ns) && is_time(c->queue_ns) &&
           is_time(c->burst_unit_ns) && c->burst_unit_ns > 0 && is_time(c->packet_ns) &&
           c->packet_ns > 0 && c->rate_bps >= 0;
}

/*
 * Gilbert's chain leaves the bad state with r = 1 / burst and enters it with p = r L / (1 - L), so
 * that the share of time in it is L. lambda = 1 - p - r is how much of a state is remembered after
 * one interval. A mean burst of up to 1 / (1 - L) is what independent losses have anyway.
 */
static double memory_of(double loss, double burst_packets)
{
    if (burst_packets * (1.0 - loss) <= 1.0)
        return 0.0;
    double r = 1.0 / burst_packets;
    return 1.0 - r * loss / (1.0 - loss) - r;
}

int vox_impair_create(const struct vox_impair_config *config, struct vox_impair **out)
{
    if (!valid(config))
        return VOX_EINVAL;
    struct vox_impair *impair = calloc(1, sizeof *impair);
    if (!impair)
        return VOX_ENOMEM;
    impair->config = *config;
    impair->lambda = memory_of(config->loss, config->burst_packets);
    for (uint64_t s = 0; s < STREAM_COUNT; s++) {
        vox_rng_init(&impair->first.rng[s], config->seed, s);
        vox_rng_init(&impair->aside.rng[s], config->seed, STREAM_COUNT + s);
    }
    *out = impair;
    return 0;
}

void vox_impair_destroy(struct vox_impair *impair)
{
    free(impair);
}

const struct vox_impair_stats *vox_impair_stats(const struct vox_impair *impair)
{
    return &impair->stats;
}

/* How much of the chain's state is remembered after dt. */
static double kept_after(const struct vox_impair *impair, int64_t dt_ns)
{
    if (impair->lambda <= 0.0)
        return 0.0;
    /* The usual spacing needs no pow(), whose last bit differs from one libm to another. */
    return dt_ns == impair->config.burst_unit_ns
               ? impair->lambda
               : pow(impair->lambda, (double)dt_ns / (double)impair->config.burst_unit_ns);
}

/* P(bad | state, dt) = L + (state - L) lambda^(dt / interval). */
static double chance_after(const struct vox_impair *impair, bool was_bad, int64_t dt_ns)
{
    double loss = impair->config.loss;
    return loss + ((was_bad ? 1.0 : 0.0) - loss) * kept_after(impair, dt_ns);
}

static bool loses(struct vox_impair *impair, int64_t send_ns)
{
    int64_t dt_ns = send_ns > impair->last_send_ns ? send_ns - impair->last_send_ns : 0;
    /* at the first packet just L */
    double chance =
        impair->started ? chance_after(impair, impair->bad, dt_ns) : impair->config.loss;
    impair->bad = vox_rng_uniform(&impair->first.rng[STREAM_LOSS]) < chance;
    impair->moments[impair->moment_count++ % RECALLED] =
        (struct moment){.send_ns = send_ns, .bad = impair->bad};
    return impair->bad;
}

/* The latest moment at t or before, and the earliest after it; NULL: none is known. */
static void recall(const struct vox_impair *impair, int64_t t_ns, const struct moment **before,
                   const struct moment **after)
{
    *before = NULL;
    *after = NULL;
    for (uint64_t back = 1; back <= RECALLED && back <= impair->moment_count; back++) {
        const struct moment *moment = &impair->moments[(impair->moment_count - back) % RECALLED];
        if (moment->send_ns <= t_ns) {
            *before = moment;
            return;
        }
        *after = moment;
    }
}

/* Bayes: what was before makes a state likely, and so does what came of it after. */
static double chance_aside(const struct vox_impair *impair, int64_t t_ns)
{
    const struct moment *before, *after;
    recall(impair, t_ns, &before, &after);
    double bad =
        before ? chance_after(impair, before->bad, t_ns - before->send_ns) : impair->config.loss;
    if (!after)
        return bad;
    double from_bad = chance_after(impair, true, after->send_ns - t_ns);
    double from_good = chance_after(impair, false, after->send_ns - t_ns);
    double as_bad = bad * (after->bad ? from_bad : 1.0 - from_bad);
    double as_good = (1.0 - bad) * (after->bad ? from_good : 1.0 - from_good);
    return as_bad + as_good > 0.0 ? as_bad / (as_bad + as_good) : bad;
}

static void keep_time(struct vox_impair *impair, int64_t send_ns)
{
    if (!impair->started) {
        impair->start_ns = send_ns;
        impair->last_send_ns = send_ns;
        impair->link_free_ns = send_ns;
        impair->first.horizon_ns = send_ns;
        impair->aside.horizon_ns = send_ns;
        impair->started = true;
    }
    if (send_ns > impair->last_send_ns)
        impair->last_send_ns = send_ns;
}

/* When the packet's last bit has left the limited link; false when the queue is full. */
static bool pass_link(struct vox_impair *impair, int64_t send_ns, size_t bytes, int64_t *left_ns)
{
    *left_ns = send_ns;
    if (impair->config.rate_bps == 0)
        return true;
    int64_t begin_ns = send_ns > impair->link_free_ns ? send_ns : impair->link_free_ns;
    if (begin_ns - send_ns > impair->config.queue_ns)
        return false;
    int64_t bits =
        8 * ((int64_t)(bytes < MAX_PACKET_BYTES ? bytes : MAX_PACKET_BYTES) + IP_UDP_BYTES);
    *left_ns = begin_ns + bits * VOX_NS_PER_S / impair->config.rate_bps;
    impair->link_free_ns = *left_ns;
    return true;
}

/* The random part of a packet's way, drawn for lost ones too. */
struct luck {
    int64_t delay_ns;
    int64_t hold_ns; /* 0: not held back */
    int64_t copy_ns; /* second copy this much later; < 0: no second copy */
};

static struct luck draw(const struct vox_impair_config *c, struct stream_state *stream)
{
    double swing = 2.0 * vox_rng_uniform(&stream->rng[STREAM_JITTER]) - 1.0;
    bool held = vox_rng_uniform(&stream->rng[STREAM_REORDER]) < c->reorder;
    double hold = 1.0 + (MAX_HOLD_INTERVALS - 1.0) * vox_rng_uniform(&stream->rng[STREAM_REORDER]);
    bool twice = vox_rng_uniform(&stream->rng[STREAM_DUPLICATE]) < c->duplicate;
    double copy = vox_rng_uniform(&stream->rng[STREAM_DUPLICATE]);
    int64_t delay_ns = c->delay_ns + (int64_t)(swing * (double)c->jitter_ns);
    return (struct luck){
        .delay_ns = delay_ns > 0 ? delay_ns : 0,
        .hold_ns = held ? (int64_t)(hold * (double)c->packet_ns) : 0,
        .copy_ns = twice ? (int64_t)(copy * (double)c->packet_ns) : -1,
    };
}

/* Packets that are held back do not hold up those behind them. */
static int64_t arrival(struct stream_state *stream, int64_t left_ns, const struct luck *luck)
{
    int64_t at_ns = left_ns + luck->delay_ns;
    if (at_ns < stream->horizon_ns)
        at_ns = stream->horizon_ns;
    if (luck->hold_ns == 0)
        stream->horizon_ns = at_ns;
    return at_ns + luck->hold_ns;
}

static void deliver(int64_t at_ns, const struct luck *luck, const struct vox_trace_packet *recorded,
                    struct vox_fate *fate)
{
    fate->cause = VOX_FATE_DELIVERED;
    fate->copies = recorded ? recorded->copies : 1;
    for (int i = 0; i < fate->copies; i++)
        fate->deliver_ns[i] = at_ns + (recorded ? recorded->recv_ns[i] - recorded->send_ns : 0);
    if (luck->copy_ns >= 0 && fate->copies == 1) {
        fate->deliver_ns[1] = fate->deliver_ns[0] + luck->copy_ns;
        fate->copies = 2;
    }
}

static const struct vox_trace_packet *recording_of(const struct vox_impair *impair, int64_t send_ns)
{
    const struct vox_trace *trace = impair->config.trace;
    int64_t since_ns = impair->started ? send_ns - impair->start_ns : 0;
    return trace ? vox_trace_for_time(trace, since_ns > 0 ? since_ns : 0) : NULL;
}

static enum vox_fate_cause decide(struct vox_impair *impair, int64_t send_ns,
                                  const struct vox_trace_packet *recorded)
{
    bool lost = loses(impair, send_ns);
    keep_time(impair, send_ns);
    if (lost)
        return VOX_FATE_LOST;
    return recorded && recorded->copies == 0 ? VOX_FATE_TRACE_LOST : VOX_FATE_DELIVERED;
}

void vox_impair_packet(struct vox_impair *impair, int64_t send_ns, size_t bytes,
                       struct vox_fate *fate)
{
    *fate = (struct vox_fate){0};
    const struct vox_trace_packet *recorded = recording_of(impair, send_ns);
    struct luck luck = draw(&impair->config, &impair->first);
    impair->stats.packets++;
    fate->cause = decide(impair, send_ns, recorded);
    if (fate->cause != VOX_FATE_DELIVERED) {
        impair->stats.lost++;
        return;
    }
    int64_t left_ns = 0;
    if (!pass_link(impair, send_ns, bytes, &left_ns)) {
        impair->stats.queue_dropped++;
        fate->cause = VOX_FATE_QUEUE_FULL;
        return;
    }
    deliver(arrival(&impair->first, left_ns, &luck), &luck, recorded, fate);
    impair->stats.reordered += luck.hold_ns > 0 ? 1 : 0;
    impair->stats.duplicated += fate->copies == 2 ? 1 : 0;
}

void vox_impair_aside(struct vox_impair *impair, int64_t send_ns, size_t bytes,
                      struct vox_fate *fate)
{
    *fate = (struct vox_fate){0};
    const struct vox_trace_packet *recorded = recording_of(impair, send_ns);
    struct luck luck = draw(&impair->config, &impair->aside);
    double chance = chance_aside(impair, send_ns);
    bool lost = vox_rng_uniform(&impair->aside.rng[STREAM_LOSS]) < chance;
    int64_t left_ns = 0;
    impair->stats.aside++;
    if (lost)
        fate->cause = VOX_FATE_LOST;
    else if (recorded && recorded->copies == 0)
        fate->cause = VOX_FATE_TRACE_LOST;
    else if (!pass_link(impair, send_ns, bytes, &left_ns))
        fate->cause = VOX_FATE_QUEUE_FULL;
    else
        deliver(arrival(&impair->aside, left_ns, &luck), &luck, recorded, fate);
    impair->stats.aside_lost += fate->cause != VOX_FATE_DELIVERED;
}
