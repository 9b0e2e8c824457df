#include "sender/adapt.h"

#include "base/time.h"
#include "sender/encoder.h"

#include <math.h>
#include <string.h>

/* Reckoned with until somebody reports. */
#define LOSS_ASSUMED 0.1
/* Points of quality for which it is worth a change; and where next to nothing is lost any more, so
 * that the last copy goes, too. */
#define WORTH_IT 0.05
#define WORTH_CALM 0.02
#define CALM_LOSS 0.005
#define STAYS_NS (8 * VOX_NS_PER_S)
/* Interarrival jitter is a mean deviation (RFC 3550, section A.8): packets are late by twice as
 * much now and then. */
#define JITTERS 2
/* Of a retransmission: noticing that the packet is missing. */
#define NOTICE_NS (5 * VOX_NS_PER_MS)
#define USUAL_BUDGET 2.5
#define FIRST_BUDGET 1.75
/* By which share or more loss or bursts must differ to be the reason of a change. */
#define OTHER 0.2
#define OTHER_RATE 0.1
/* By which congestion is judged, and a raise of the rate: those are the last before it, which saw
 * the loss that it answered. */
enum { JUDGED_PACKETS = 150, BEFORE_PACKETS = 20 };

static int plain_wire_bps(const struct vox_adapt *a, int bitrate_bps)
{
    return vox_dial_wire_bps(&a->dial, &(struct vox_protection){.bitrate_bps = bitrate_bps});
}

static int usual_wire_bps(const struct vox_adapt *a)
{
    return (int)(USUAL_BUDGET * plain_wire_bps(a, a->dial.config.bitrate_bps));
}

/* To begin with: nobody knows whether there is room for all of the budget. */
static int first_wire_bps(const struct vox_adapt *a)
{
    double first_bps = FIRST_BUDGET * plain_wire_bps(a, a->dial.config.bitrate_bps);
    return first_bps < a->congestion.cap_bps ? (int)first_bps : a->congestion.cap_bps;
}

/* As long as nobody has asked for a packet, it costs nothing to be ready to repeat it. */
static void choose(const struct vox_adapt *a, const struct vox_dial_network *network,
                   struct vox_protection *out)
{
    vox_dial_choose(&a->dial, network, a->congestion.cap_bps, out);
    if (network->retry_ns == 0)
        out->repeat = a->may_repeat;
}

void vox_adapt_init(struct vox_adapt *a, const struct vox_adapt_config *config)
{
    *a = (struct vox_adapt){.raised_ns = INT64_MIN / 2,
                            .may_repeat = config->may_repeat,
                            .network.loss.share = LOSS_ASSUMED};
    vox_dial_init(&a->dial, &config->dial);
    vox_weather_init(&a->weather);
    int most_bps = config->max_wire_bps > 0 ? config->max_wire_bps : usual_wire_bps(a);
    vox_congestion_init(&a->congestion, most_bps, plain_wire_bps(a, VOX_ENCODER_MIN_BPS));
    vox_dial_choose(&a->dial, &a->network, first_wire_bps(a), &a->protection);
    a->protection.repeat = a->may_repeat;
}

void vox_adapt_sent(struct vox_adapt *a, int64_t seq, int64_t wire_bytes, int64_t send_ns)
{
    vox_weather_sent(&a->weather, seq, wire_bytes, send_ns);
}

static struct vox_dial_network look(const struct vox_adapt *a, const struct vox_fates *fates,
                                    const struct vox_adapt_view *view)
{
    struct vox_dial_network network = {.jitter_ns = JITTERS * view->jitter_ns};
    vox_weather_loss(&a->weather, fates, &network.loss);
    if (view->is_asked && a->may_repeat && view->rtt_ns >= 0)
        network.retry_ns = view->rtt_ns + NOTICE_NS;
    return network;
}

static enum vox_congestion_news look_for_congestion(struct vox_adapt *a,
                                                    const struct vox_fates *fates,
                                                    const struct vox_adapt_view *view, double burst)
{
    bool is_trial = a->congestion.state == VOX_CONGESTION_ON_TRIAL;
    int64_t lately = a->weather.told - JUDGED_PACKETS + 1;
    int64_t since = is_trial || lately < a->changed_seq ? a->changed_seq : lately;
    int64_t least_ns, most_ns;
    struct vox_fates_count count, whole, before;
    vox_fates_count(fates, since, &count);
    vox_fates_count(fates, a->changed_seq, &whole);
    vox_fates_count(fates, a->changed_seq - BEFORE_PACKETS, &before);
    vox_weather_round(&a->weather, &least_ns, &most_ns);
    if (view->rtt_ns >= 0 && view->rtt_ns < most_ns)
        most_ns = view->rtt_ns;
    return vox_congestion_report(&a->congestion,
                                 &(struct vox_congestion_view){
                                     .now_ns = view->now_ns,
                                     .round_least_ns = least_ns,
                                     .round_most_ns = most_ns,
                                     .jitter_ns = view->jitter_ns,
                                     .delivered_bps = vox_weather_delivered_bps(&a->weather),
                                     .sent_bps = vox_dial_wire_bps(&a->dial, &a->protection),
                                     .known = count.known,
                                     .lost = count.lost,
                                     .burst = burst,
                                     .raised_from_bps = a->raised_from_bps,
                                     .before_known = before.known - whole.known,
                                     .before_lost = before.lost - whole.lost,
                                 });
}

static bool differs(double now, double then)
{
    return fabs(now - then) > OTHER * fmax(now, then);
}

static enum vox_adapt_reason reason_of(enum vox_congestion_news news,
                                       const struct vox_dial_network *now,
                                       const struct vox_dial_network *then)
{
    switch (news) {
    case VOX_CONGESTION_QUEUE:
        return VOX_ADAPT_QUEUE;
    case VOX_CONGESTION_RATE:
        return VOX_ADAPT_RATE;
    case VOX_CONGESTION_RANDOM:
        return VOX_ADAPT_RANDOM_LOSS;
    case VOX_CONGESTION_ROOM:
        return VOX_ADAPT_ROOM;
    case VOX_CONGESTION_NOTHING:
        break;
    }
    if ((now->retry_ns > 0) != (then->retry_ns > 0))
        return VOX_ADAPT_ASKED;
    if (differs(now->loss.share, then->loss.share))
        return now->loss.share > then->loss.share ? VOX_ADAPT_LOSS_ROSE : VOX_ADAPT_LOSS_FELL;
    if (now->jitter_ns / VOX_NS_PER_MS != then->jitter_ns / VOX_NS_PER_MS)
        return VOX_ADAPT_DELAY;
    return VOX_ADAPT_BURSTS;
}

/*
 * Whether `best` shall take the place of what is in force. What speaks for it at once is more loss
 * than that was chosen for, and another cap; bits do not tell what is more, since many copies of
 * little audio protect better than few of much.
 */
static bool is_better(struct vox_adapt *a, const struct vox_dial_network *network,
                      enum vox_congestion_news news, const struct vox_protection *best,
                      int64_t now_ns)
{
    int cap_bps = a->congestion.cap_bps;
    double worth = vox_dial_worth(&a->dial, network, cap_bps, &a->protection);
    double gain = vox_dial_worth(&a->dial, network, cap_bps, best) - worth;
    bool is_urgent = network->loss.share > a->network.loss.share || news != VOX_CONGESTION_NOTHING;
    bool sends_more =
        vox_dial_wire_bps(&a->dial, best) > vox_dial_wire_bps(&a->dial, &a->protection);
    if (worth < 0) /* it is beyond the budget */
        return memcmp(best, &a->protection, sizeof *best) != 0;
    if (gain < (is_urgent || network->loss.share > CALM_LOSS ? WORTH_IT : WORTH_CALM) ||
        (sends_more && vox_congestion_is_suspected(&a->congestion)))
        return false;
    if (is_urgent)
        a->raised_ns = now_ns;
    return is_urgent || now_ns - a->raised_ns >= STAYS_NS;
}

/* Whether the loss from now on is another matter. While a rate is on trial it is not. */
static bool is_other_rate(const struct vox_adapt *a, const struct vox_protection *best)
{
    double now_bps = vox_dial_wire_bps(&a->dial, best);
    double then_bps = vox_dial_wire_bps(&a->dial, &a->protection);
    return a->congestion.state != VOX_CONGESTION_ON_TRIAL &&
           fabs(now_bps - then_bps) > OTHER_RATE * then_bps;
}

static void change_rate(struct vox_adapt *a, const struct vox_protection *best)
{
    int then_bps = vox_dial_wire_bps(&a->dial, &a->protection);
    a->raised_from_bps = vox_dial_wire_bps(&a->dial, best) > then_bps ? then_bps : 0;
    a->changed_seq = a->weather.newest + 1;
}

bool vox_adapt_report(struct vox_adapt *a, const struct vox_fates *fates,
                      const struct vox_adapt_view *view, enum vox_adapt_reason *reason)
{
    if (!vox_weather_told(&a->weather, fates, view->now_ns))
        return false;
    struct vox_dial_network network = look(a, fates, view);
    enum vox_congestion_news news = look_for_congestion(a, fates, view, network.loss.burst);
    struct vox_protection best;
    choose(a, &network, &best);
    if (!is_better(a, &network, news, &best, view->now_ns))
        return false;
    *reason = reason_of(news, &network, &a->network);
    if (news == VOX_CONGESTION_RATE || is_other_rate(a, &best))
        change_rate(a, &best);
    a->protection = best;
    a->network = network;
    return true;
}
