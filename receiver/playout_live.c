#include "receiver/playout_live.h"

#include "base/time.h"
#include "receiver/playout_state.h"

/* Stretching goes at twice the speed at best: more would take longer than a second or two. */
#define FAR_NS (3 * VOX_NS_PER_S / 2)

/* Media time that follows the fifo. */
static int64_t next_ts(const struct vox_playout *p, const struct vox_packet *head)
{
    return head->ts > p->play_ts ? head->ts : p->play_ts;
}

/* Over the fastest packet, of what comes behind the fifo. */
static int64_t delay_ns(const struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    int64_t played_ns = t_ns + vox_rtp_to_ns(p->fifo.frames - p->spare);
    return played_ns - vox_timing_base_ns(&p->timing) - vox_rtp_to_ns(next_ts(p, head));
}

/* So much was received. Not the media time from the first to the last, which a sender may let jump:
 * nothing has to be played for that. */
static int64_t stock_ns(const struct vox_playout *p, const struct vox_packet *newest)
{
    return vox_rtp_to_ns((int64_t)vox_jitter_count(p->jitter) * newest->info.duration_ticks);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * By how much to skip; 0: not at all. A delay alone may be that of a single packet of a slower
 * path; a stock alone, that of a sender ahead of its time.
 */
static int64_t behind_ns(const struct vox_playout *p, int64_t t_ns)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (!head)
        return 0;
    const struct vox_packet *newest = vox_jitter_find(p->jitter, vox_jitter_newest(p->jitter));
    int64_t span = newest->ts + newest->info.duration_ticks - next_ts(p, head);
    int64_t target_ns = vox_timing_target_ns(&p->timing);
    int64_t most_ns = lesser(delay_ns(p, head, t_ns), vox_rtp_to_ns(span)) - target_ns;
    int64_t least_ns = lesser(most_ns, stock_ns(p, newest) - target_ns);
    return least_ns > FAR_NS ? most_ns : 0;
}

bool vox_playout_live_is_far(const struct vox_playout *p, int64_t t_ns)
{
    return behind_ns(p, t_ns) > 0;
}

bool vox_playout_live_is_over(const struct vox_playout *p, int64_t now_ns)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    int64_t wanted_ns = vox_playout_is_fixed(p) ? vox_timing_target_ns(&p->timing) : 0;
    return head && delay_ns(p, head, now_ns) - wanted_ns > FAR_NS;
}

/* Something to fade from, if anything was heard. */
static void keep_tail(struct vox_playout *p)
{
    if (p->ledger.played == 0 || p->spare > 0)
        return;
    vox_conceal(p->decoder, &p->noise, &p->fifo, VOX_CONCEAL_GRAIN, 0);
    p->spare = VOX_CONCEAL_GRAIN;
}

/* The packet in front of the one that is played next: the decoder predicts from it. */
static void decode_unheard(struct vox_playout *p, const struct vox_packet *packet)
{
    vox_fifo_rewind(&p->fifo);
    float *unheard = vox_fifo_end(&p->fifo);
    if (vox_decoder_decode(p->decoder, packet->payload, packet->payload_bytes, unheard) > 0)
        p->ledger.decoded++;
}

static void skip(struct vox_playout *p, int64_t t_ns, int64_t ticks)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    int64_t from = next_ts(p, head);
    keep_tail(p);
    while (vox_jitter_count(p->jitter) > 1 &&
           head->ts + head->info.duration_ticks <= from + ticks) {
        const struct vox_packet *next = vox_jitter_find(p->jitter, head->index + 1);
        if (next && next->ts + next->info.duration_ticks > from + ticks)
            decode_unheard(p, head);
        vox_jitter_pop(p->jitter);
        head = vox_jitter_head(p->jitter);
    }
    p->last_index = head->index - 1;
    p->play_ts = head->ts;
    p->expanded = 0;
    p->state_kept = false;
    vox_glitches_add(&p->ledger.glitches, p->emit, VOX_GLITCH_SKIPPED, t_ns,
                     vox_rtp_to_ns(head->ts - from), 0);
}

void vox_playout_live_return(struct vox_playout *p, int64_t t_ns)
{
    int64_t by_ns = behind_ns(p, t_ns);
    if (by_ns == 0)
        return;
    if (p->ledger.gap.open)
        p->all_late = true;
    else
        skip(p, t_ns, vox_ns_to_rtp(by_ns));
}
