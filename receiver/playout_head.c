#include "receiver/playout_head.h"

#include "base/time.h"
#include "receiver/playout_hole.h"
#include "receiver/playout_state.h"

#include <string.h>

static void take(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    int64_t last_index = vox_playout_lacks(p, head) ? p->last_index : head->index - 1;
    vox_ledger_take(&p->ledger, head, last_index, p->play_ts, t_ns);
    p->last_index = head->index;
}

/* The oldest packet that was decoded begins to be heard. */
static void tell_played(struct vox_playout *p, int64_t playout_ns)
{
    struct vox_played_packet *packet = &p->decoded[0].packet;
    packet->playout_ns = playout_ns;
    vox_latency_add(&p->latency, vox_timing_base_ns(&p->timing), packet->ts, packet->arrival_ns,
                    playout_ns);
    if (p->config->on_played)
        p->config->on_played(p->config->ctx, packet);
    p->decoded_count--;
    memmove(&p->decoded[0], &p->decoded[1], (size_t)p->decoded_count * sizeof p->decoded[0]);
}

/* Splices may still move what lies ahead: when it is heard is told when it is. */
static void note_decoded(struct vox_playout *p, const struct vox_packet *head, int64_t playout_ns)
{
    struct vox_played_packet packet = {
        .source = p->emit->source,
        .ssrc = p->emit->ssrc,
        .channels = head->info.channels,
        .index = head->index,
        .ts = head->ts,
        .duration_ticks = head->info.duration_ticks,
        .arrival_ns = head->arrival_ns,
        .playout_ns = playout_ns,
        .payload = head->payload,
        .payload_bytes = head->payload_bytes,
    };
    if (p->config->on_decoded)
        p->config->on_decoded(p->config->ctx, &packet);
    packet.payload = NULL;
    packet.payload_bytes = 0;
    if (p->decoded_count == VOX_PLAYOUT_DECODED)
        tell_played(p, playout_ns);
    p->decoded[p->decoded_count].packet = packet;
    p->decoded[p->decoded_count++].ahead = p->fifo.frames;
}

static void note_copy(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    if (!head->is_copy)
        return;
    p->ledger.from_rtx += head->is_repeat;
    p->ledger.from_red += !head->is_repeat;
    vox_emit_event(
        p->emit, (struct vox_event){.kind = VOX_EVENT_RECOVERED,
                                    .t_ns = t_ns + vox_rtp_to_ns(p->fifo.frames),
                                    .carrier = head->is_repeat ? VOX_CARRIER_RTX : VOX_CARRIER_RED,
                                    .value = head->index});
}

/* Decodes the head to the end of the fifo, which begins at t_ns, and takes it from the jitter
 * buffer. False: it could not be decoded and is concealed. */
static bool append_head(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    int duration = head->info.duration_ticks;
    vox_fifo_rewind(&p->fifo);
    float *end = vox_fifo_end(&p->fifo);
    int n = vox_decoder_decode(p->decoder, head->payload, head->payload_bytes, end);
    bool decoded = n == duration;
    if (!decoded) { /* framed like Opus, but no more */
        n = vox_decoder_conceal(p->decoder, duration, end) == duration ? duration : 0;
        p->ledger.concealed_ticks += n;
    } else {
        p->ledger.decoded++;
        p->ledger.played++;
        p->ledger.played_ticks += n;
        note_copy(p, head, t_ns);
        vox_noise_hear(&p->noise, end, n, p->fifo.channels);
    }
    note_decoded(p, head, t_ns + vox_rtp_to_ns(p->fifo.frames));
    p->fifo.frames += n;
    p->play_ts = head->ts + duration;
    p->last_duration = duration;
    vox_jitter_pop(p->jitter);
    return decoded;
}

bool vox_playout_head_play(struct vox_playout *p, const struct vox_packet *head, int skip,
                           int64_t t_ns, int64_t lead_ns)
{
    float tail[VOX_PLAYOUT_TAIL_SAMPLES];
    if (!vox_playout_lacks(p, head))
        vox_playout_hole_resync(p);
    int tail_frames = vox_playout_hole_take_tail(p, tail);
    if (skip > 0 && tail_frames == 0)
        tail_frames = vox_conceal_tail(p->decoder, tail);
    p->state_kept = false;
    vox_timing_asked(&p->timing, lead_ns);
    take(p, head, t_ns);
    vox_ledger_close(&p->ledger, head, vox_rtp_to_ns(p->last_duration), p->timing.lead_ns);
    p->expanded = 0;
    bool decoded = append_head(p, head, t_ns);
    if (skip > 0 && skip < p->fifo.frames) {
        vox_fifo_drop(&p->fifo, skip);
        p->decoded[p->decoded_count - 1].ahead -= skip;
        p->ledger.played_ticks -= decoded ? skip : 0; /* that time was heard already, concealed */
    }
    vox_conceal_fade_in(&p->fifo, tail, tail_frames);
    return p->fifo.frames > 0;
}

void vox_playout_head_drop(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    if (p->ledger.gap.made >= VOX_PLAYOUT_IDLE_AFTER)
        vox_timing_forget_fastest(&p->timing);
    int64_t position = p->play_ts + p->expanded;
    int64_t end = head->ts + head->info.duration_ticks;
    bool resynced = !vox_playout_lacks(p, head) && vox_playout_hole_resync(p);
    p->state_kept = false;
    take(p, head, t_ns);
    vox_gap_late(&p->ledger.gap, head, p->ledger.gap.made - (position - head->ts),
                 p->timing.lead_ns);
    p->ledger.late++;
    vox_fifo_rewind(&p->fifo);
    float *unheard = vox_fifo_end(&p->fifo);
    bool of_use = resynced || vox_jitter_count(p->jitter) <= 2;
    if (of_use && head->index != p->fec_index &&
        vox_decoder_decode(p->decoder, head->payload, head->payload_bytes, unheard) > 0)
        p->ledger.decoded++;
    if (end > p->play_ts)
        p->play_ts = end;
    p->expanded = position - p->play_ts;
    vox_jitter_pop(p->jitter);
}

void vox_playout_head_read_ahead(struct vox_playout *p, int frames, int64_t t_ns)
{
    const struct vox_packet *head;
    while (p->fifo.frames < frames && (head = vox_jitter_head(p->jitter)) &&
           !vox_playout_lacks(p, head) && head->ts == p->play_ts) {
        take(p, head, t_ns);
        append_head(p, head, t_ns);
    }
}

void vox_playout_head_move(struct vox_playout *p, int change)
{
    for (int i = 0; i < p->decoded_count; i++) {
        int *ahead = &p->decoded[i].ahead;
        if (*ahead >= 0)
            *ahead = *ahead + change > 0 ? *ahead + change : 0;
    }
}

void vox_playout_head_heard(struct vox_playout *p, int frames, int64_t t_ns)
{
    while (p->decoded_count > 0 && p->decoded[0].ahead < frames)
        tell_played(p, t_ns + vox_rtp_to_ns(p->decoded[0].ahead));
    for (int i = 0; i < p->decoded_count; i++)
        p->decoded[i].ahead -= frames;
}
