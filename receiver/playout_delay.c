#include "receiver/playout_delay.h"

#include "base/time.h"
#include "receiver/playout_head.h"
#include "receiver/playout_live.h"
#include "receiver/playout_state.h"
#include "receiver/stretch.h"

#include <stdlib.h>

/* Frames which a shortening may look at. */
enum { STRETCH_AHEAD = VOX_STRETCH_LAG_MAX + VOX_STRETCH_FADE };

/* A fixed delay may stand this far off before audio is cut or repeated for it, and at what rate. */
#define TOO_LONG_NS (10 * VOX_NS_PER_MS)
#define TOO_SHORT_NS (5 * VOX_NS_PER_MS)
#define FIXED_RATE 0.15
#define TARGET_EVENT_NS (5 * VOX_NS_PER_MS)

/* Delay over the fastest packet if media time ts is played at playout_ns. */
static int64_t delay_of(const struct vox_playout *p, int64_t ts, int64_t playout_ns)
{
    return playout_ns - vox_timing_base_ns(&p->timing) - vox_rtp_to_ns(ts);
}

int64_t vox_playout_delay_current_ns(const struct vox_playout *p, int64_t playout_ns)
{
    return delay_of(p, p->play_ts - p->fifo.frames, playout_ns);
}

int64_t vox_playout_delay_leave_out(struct vox_playout *p, const struct vox_packet *head,
                                    int64_t remaining, int64_t t_ns)
{
    bool lost = vox_playout_lacks(p, head) && remaining > 0;
    if (vox_playout_is_fixed(p) || !lost || p->ledger.gap.left_out > 0)
        return 0;
    int64_t position_ns = vox_rtp_to_ns(p->play_ts + p->expanded);
    int64_t target_ns = vox_timing_base_ns(&p->timing) + vox_timing_target_ns(&p->timing);
    /* What in-band FEC brings is audio that came. */
    int64_t fec = head->info.has_lbrr ? head->info.frame_ticks : 0;
    int64_t cut_ns =
        vox_planner_leave_out(&p->timing.planner, vox_rtp_to_ns(head->ts - p->play_ts - fec),
                              t_ns - position_ns - target_ns);
    int64_t cut = vox_ns_to_rtp(cut_ns);
    cut = cut < remaining - fec ? cut : remaining - fec;
    if (cut <= 0)
        return 0;
    vox_gap_open(&p->ledger.gap, t_ns);
    p->ledger.gap.left_out = cut;
    p->expanded += cut;
    vox_ledger_stretched(&p->ledger, VOX_STRETCH_HOLE, -cut, t_ns);
    return cut;
}

int64_t vox_playout_delay_shortfall_ticks(const struct vox_playout *p,
                                          const struct vox_packet *head, int64_t t_ns)
{
    int64_t from = head->ts > p->play_ts ? head->ts : p->play_ts;
    int64_t short_ns = vox_timing_target_ns(&p->timing) - delay_of(p, from, t_ns);
    bool late = p->ledger.gap.open && p->play_ts + p->expanded > from;
    int64_t least_ns = p->catching_up ? 0 : TOO_SHORT_NS;
    return vox_playout_is_fixed(p) && late && short_ns > least_ns ? vox_ns_to_rtp(short_ns) : 0;
}

int64_t vox_playout_delay_over_ticks(const struct vox_playout *p, const struct vox_packet *head,
                                     int64_t t_ns)
{
    if (head->index == p->fec_index) /* that was heard, if coarsely */
        return head->info.duration_ticks;
    int64_t overlap = p->play_ts > head->ts ? p->play_ts - head->ts : 0;
    int64_t growth = p->play_ts + p->expanded - head->ts - overlap;
    if (growth <= 0)
        return overlap + growth;
    bool no_longer = vox_playout_is_fixed(p) || p->all_late;
    int64_t most_ns = no_longer ? vox_timing_target_ns(&p->timing) : p->config->max_delay_ns;
    int64_t ticks = vox_ns_to_rtp(delay_of(p, head->ts + overlap, t_ns) - most_ns);
    return overlap + (ticks < 0 ? 0 : ticks < growth ? ticks : growth);
}

/* ---- splices ---- */

/* One splice as ordered, in 48 kHz frames: > 0 put in, < 0 taken out, 0 refused. */
static int splice(struct vox_playout *p, const struct vox_planner_order *order, int64_t t_ns)
{
    bool shorter = order->action == VOX_PLANNER_SHORTEN;
    bool hurry = order->is_stall || order->rate >= 1;
    double least = hurry ? VOX_STRETCH_BETTER_THAN_NOTHING : VOX_STRETCH_UNHEARD;
    /* Too long by half a period does less harm than too short, which the next packet would be late
     * for. */
    int64_t wanted = vox_ns_to_rtp(order->amount_ns);
    wanted += shorter ? 0 : wanted / 2;
    int most = wanted < VOX_STRETCH_LAG_MAX ? (int)wanted : VOX_STRETCH_LAG_MAX;
    vox_playout_head_read_ahead(p, shorter ? STRETCH_AHEAD : VOX_STRETCH_FADE, t_ns);
    vox_fifo_rewind(&p->fifo);
    int channels = vox_decoder_channels(p->decoder);
    float *next = vox_fifo_front(&p->fifo);
    if (!shorter)
        return vox_stretch_lengthen(next, most, p->fifo.frames, channels, least);
    return -vox_stretch_shorten(next, p->fifo.frames, most, channels, least);
}

static void stretch(struct vox_playout *p, const struct vox_planner_order *order, int64_t t_ns)
{
    int change = splice(p, order, t_ns);
    if (change == 0)
        return;
    int64_t lag_ns = vox_rtp_to_ns(abs(change));
    p->fifo.frames += change;
    p->next_splice_ns = t_ns + (int64_t)((double)lag_ns / order->rate) + (change > 0 ? lag_ns : 0);
    vox_ledger_stretched(&p->ledger, order->is_stall ? VOX_STRETCH_STALL : VOX_STRETCH_TARGET,
                         change, t_ns);
    vox_playout_head_move(p, change);
}

static struct vox_planner_order keep_fixed(int64_t error_ns)
{
    return (struct vox_planner_order){
        .action = error_ns > TOO_LONG_NS     ? VOX_PLANNER_SHORTEN
                  : error_ns < -TOO_SHORT_NS ? VOX_PLANNER_LENGTHEN
                                             : VOX_PLANNER_KEEP,
        .rate = FIXED_RATE,
        .amount_ns = llabs(error_ns),
    };
}

static struct vox_planner_order plan(const struct vox_playout *p, int64_t t_ns)
{
    int64_t current_ns = vox_playout_delay_current_ns(p, t_ns);
    int64_t target_ns = vox_timing_target_ns(&p->timing);
    int64_t base_ns = vox_timing_base_ns(&p->timing);
    int64_t run;
    size_t ready = vox_jitter_run(p->jitter, p->last_index + 1, p->play_ts, &run);
    if (vox_playout_is_fixed(p))
        return keep_fixed(current_ns - target_ns);
    return vox_planner_decide(&p->timing.planner,
                              &(struct vox_planner_view){
                                  .known_ns = p->timing.known_ns,
                                  .offset_ns = base_ns + current_ns,
                                  .target_ns = base_ns + target_ns,
                                  .ready_ns = vox_rtp_to_ns(p->fifo.frames + run),
                                  .missing_ts = p->play_ts + run,
                                  .later_came = ready < vox_jitter_count(p->jitter),
                              });
}

static void tell_target(struct vox_playout *p, int64_t t_ns)
{
    int64_t target = vox_timing_target_ns(&p->timing);
    if (llabs(target - p->told_target_ns) < TARGET_EVENT_NS)
        return;
    p->told_target_ns = target;
    vox_emit_value(p->emit, VOX_EVENT_TARGET, t_ns, target);
}

void vox_playout_delay_adapt(struct vox_playout *p, int64_t t_ns)
{
    if ((vox_playout_is_fixed(p) && (p->config->follow_source || p->config->keep_tempo)) ||
        p->ledger.gap.open || t_ns < p->next_splice_ns || vox_playout_live_is_far(p, t_ns))
        return;
    const struct vox_planner_order order = plan(p, t_ns);
    /* After a goodbye nothing is overdue. */
    if (order.action != VOX_PLANNER_KEEP && !(order.is_stall && p->draining))
        stretch(p, &order, t_ns);
    if (!vox_playout_is_fixed(p))
        tell_target(p, t_ns);
}
