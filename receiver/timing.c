#include "receiver/timing.h"

#include "base/time.h"
#include "receiver/drift.h"

#include <math.h>

/* Two clocks are held together to within so much; to within more until their skew is known, or must
 * be small since nothing is known after so long. The margin goes with a time constant. */
#define CLOCK_MARGIN_NS (VOX_NS_PER_MS / 4)
#define SKEW_MARGIN_NS (6 * VOX_NS_PER_MS)
#define SKEW_LEARNED_NS (30 * VOX_NS_PER_S)
#define MARGIN_GOES_NS (5 * VOX_NS_PER_S)
/* A packet that comes this shortly in front of a pull is held to have missed it: a grid that slips
 * announces itself so, some time before. */
#define SLIP_SOON_S 20.0
#define LEAST_GUARD_NS (VOX_NS_PER_MS / 20)
#define MOST_GUARD_NS (VOX_NS_PER_MS / 2)
#define LONGEST_PULL_NS (100 * VOX_NS_PER_MS)
/* Packets last a whole number of pulls, to within so much. */
#define BEAT_NS (VOX_NS_PER_MS / 50)

static bool is_fixed(const struct vox_timing *t)
{
    return t->config->delay_ns >= 0;
}

/* A fixed delay is the user's business; a file has no clock. */
static int64_t first_margin_ns(const struct vox_timing *t)
{
    return CLOCK_MARGIN_NS + (t->config->follow_source || is_fixed(t) ? 0 : SKEW_MARGIN_NS);
}

void vox_timing_init(struct vox_timing *t, const struct vox_receiver_config *config)
{
    *t = (struct vox_timing){
        .config = config,
        .newest_index = INT64_MIN / 2,
        .repaired_ts = INT64_MIN / 2,
        .looked_ns = INT64_MIN / 2,
        .known_ns = INT64_MIN / 2,
    };
    t->margin_ns = first_margin_ns(t);
    vox_timing_new_timeline(t);
}

void vox_timing_new_timeline(struct vox_timing *t)
{
    vox_delay_init(&t->delay);
    vox_planner_init(&t->planner, &(struct vox_planner_config){
                                      .price_ms = t->config->prefer_ms,
                                      .stretch = !t->config->keep_tempo,
                                      .resample = t->config->follow_source ? 0 : VOX_DRIFT_MOST,
                                  });
    t->unseen_count = 0;
}

/* ---- pulls ---- */

static bool grid_stands(const struct vox_timing *t)
{
    int64_t packet_ns = vox_rtp_to_ns(t->packet_ticks);
    bool divides = t->pull_ns > 0 && (packet_ns + BEAT_NS / 2) % t->pull_ns < BEAT_NS;
    return divides && vox_delay_clocks_agree(&t->delay);
}

static int64_t guard_ns(const struct vox_timing *t)
{
    double slip_ns = fabs(vox_delay_skew_ppm(&t->delay)) * 1e3 * SLIP_SOON_S;
    if (!vox_delay_skew_is_sure(&t->delay) || slip_ns > MOST_GUARD_NS)
        return MOST_GUARD_NS;
    return slip_ns > LEAST_GUARD_NS ? (int64_t)slip_ns : LEAST_GUARD_NS;
}

/* When a packet can be played, as the pull saw it that was made last. */
static int64_t playable_ns(struct vox_timing *t, int64_t arrival_ns)
{
    if (t->config->follow_source)
        return arrival_ns;
    int64_t missed_ns = arrival_ns + t->known_ns - t->looked_ns + t->pull_ns;
    if (arrival_ns > t->looked_ns) /* nobody fetches anything */
        return missed_ns;
    bool missed = t->looked_ns - arrival_ns < guard_ns(t);
    int64_t seen_ns = t->known_ns + (missed ? t->pull_ns : 0);
    t->grid_gain_ns = missed_ns - seen_ns;
    return t->grid_stands ? seen_ns : missed_ns;
}

static void meet_unseen(struct vox_timing *t)
{
    for (int i = 0; i < t->unseen_count; i++) {
        const struct vox_timing_arrival *a = &t->unseen[i];
        vox_planner_packet(&t->planner, a->kind, a->ts, a->duration_ticks,
                           playable_ns(t, a->arrival_ns));
    }
    t->unseen_count = 0;
}

/* Packets are seen sooner or later than before by this rule: that is no news of the network. */
static void settle_grid(struct vox_timing *t)
{
    bool stands = grid_stands(t);
    if (stands != t->grid_stands)
        vox_planner_shift(&t->planner, stands ? -t->grid_gain_ns : t->grid_gain_ns);
    t->grid_stands = stands;
}

static void learn_pull(struct vox_timing *t, int64_t now_ns, int64_t known_ns)
{
    int64_t passed_ns = known_ns - t->known_ns;
    t->pull_ns = passed_ns > 0 && passed_ns < LONGEST_PULL_NS ? passed_ns : 0;
    t->known_ns = known_ns;
    t->looked_ns = now_ns;
    vox_planner_set_pull(&t->planner, t->pull_ns);
    bool known = vox_delay_skew_is_sure(&t->delay) || now_ns - t->delay.origin_ns > SKEW_LEARNED_NS;
    if (t->delay.started && known && t->margin_ns > CLOCK_MARGIN_NS)
        t->margin_ns -= (t->margin_ns - CLOCK_MARGIN_NS) * t->pull_ns / MARGIN_GOES_NS;
}

void vox_timing_look(struct vox_timing *t, int64_t now_ns, int64_t known_ns)
{
    if (t->config->follow_source) {
        t->known_ns = known_ns;
        return;
    }
    if (now_ns == t->looked_ns)
        return; /* the same pull, in pieces */
    learn_pull(t, now_ns, known_ns);
    if (t->pull_ns == 0)
        return; /* what came is judged by the next one */
    settle_grid(t);
    meet_unseen(t);
}

void vox_timing_asked(struct vox_timing *t, int64_t lead_ns)
{
    if (lead_ns > t->lead_ns)
        t->lead_ns = lead_ns;
    else
        t->lead_ns -= (t->lead_ns - lead_ns) / 64;
}

/* ---- packets ---- */

static void keep_unseen(struct vox_timing *t, enum vox_planner_kind kind, int64_t ts,
                        int duration_ticks, int64_t arrival_ns)
{
    if (t->unseen_count == VOX_TIMING_UNSEEN)
        meet_unseen(t);
    t->unseen[t->unseen_count++] = (struct vox_timing_arrival){
        .kind = kind, .ts = ts, .duration_ticks = duration_ticks, .arrival_ns = arrival_ns};
    if (t->config->follow_source)
        meet_unseen(t);
}

static enum vox_planner_kind kind_of(const struct vox_timing *t, const struct vox_packet *packet)
{
    if (packet->index < t->newest_index)
        return VOX_PLANNER_OVERTAKEN;
    bool next = packet->index == t->newest_index + 1;
    return next && packet->ts > t->newest_end_ts ? VOX_PLANNER_AFTER_PAUSE : VOX_PLANNER_NEXT;
}

void vox_timing_arrived(struct vox_timing *t, const struct vox_packet *packet)
{
    int64_t arrival_ns = packet->arrival_ns;
    int frame = packet->info.frame_ticks;
    vox_delay_packet(&t->delay, packet->ts, arrival_ns);
    enum vox_planner_kind kind = kind_of(t, packet);
    keep_unseen(t, kind, packet->ts, packet->info.duration_ticks, arrival_ns);
    if (kind == VOX_PLANNER_OVERTAKEN)
        return;
    /* Its in-band FEC brings the frame in front of it. */
    if (packet->info.has_lbrr && packet->index > t->newest_index + 1 &&
        packet->ts - frame >= t->newest_end_ts && t->packet_ticks > 0) {
        keep_unseen(t, VOX_PLANNER_REPAIRED, packet->ts - frame, frame, arrival_ns);
        t->repaired_ts = packet->ts - frame;
    }
    t->newest_index = packet->index;
    t->newest_end_ts = packet->ts + packet->info.duration_ticks;
    t->packet_ticks = packet->info.duration_ticks;
}

void vox_timing_blank(struct vox_timing *t, int64_t index)
{
    if (index == t->newest_index + 1)
        t->newest_index = index;
}

/* Newer than all that came: it was asked for before it was known to be lost. */
static void meet_newer(struct vox_timing *t, const struct vox_packet *copy)
{
    keep_unseen(t, kind_of(t, copy), copy->ts, copy->info.duration_ticks, copy->arrival_ns);
    t->newest_index = copy->index;
    t->newest_end_ts = copy->ts + copy->info.duration_ticks;
}

void vox_timing_repaired(struct vox_timing *t, const struct vox_packet *copy)
{
    if (copy->index > t->newest_index) {
        meet_newer(t, copy);
        return;
    }
    if (copy->ts != t->repaired_ts) /* better than FEC, but no sooner */
        keep_unseen(t, VOX_PLANNER_REPAIRED, copy->ts, copy->info.duration_ticks, copy->arrival_ns);
}

void vox_timing_forget_fastest(struct vox_timing *t)
{
    vox_delay_forget_fastest(&t->delay);
}

/* ---- the delay ---- */

int64_t vox_timing_base_ns(const struct vox_timing *t)
{
    return vox_delay_base_ns(&t->delay);
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

int64_t vox_timing_target_ns(const struct vox_timing *t)
{
    int64_t ahead_ns = t->lead_ns + t->margin_ns;
    if (is_fixed(t))
        return t->config->delay_ns > ahead_ns ? t->config->delay_ns : ahead_ns;
    int64_t target_ns = ahead_ns;
    if (t->planner.started)
        target_ns = vox_planner_target_ns(&t->planner) - vox_timing_base_ns(t) + t->margin_ns;
    return clamp(target_ns, t->config->min_delay_ns, t->config->max_delay_ns);
}
