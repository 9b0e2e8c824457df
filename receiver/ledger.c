#include "receiver/ledger.h"

#include "base/time.h"

#include <stdlib.h>

void vox_ledger_init(struct vox_ledger *l, const struct vox_emit *emit)
{
    *l = (struct vox_ledger){.emit = emit};
    vox_glitches_init(&l->glitches);
}

void vox_ledger_take(struct vox_ledger *l, const struct vox_packet *packet, int64_t last_index,
                     int64_t play_ts, int64_t t_ns)
{
    if (packet->index > last_index + 1 || packet->ts > play_ts)
        vox_gap_open(&l->gap, t_ns);
    vox_gap_take(&l->gap, packet, last_index, play_ts);
}

static void book_lost(struct vox_ledger *l, int64_t ticks, int64_t packet_ns, int64_t ahead_ns)
{
    if (ticks <= 0)
        return;
    l->concealed_ticks += ticks;
    vox_glitches_open(&l->glitches, l->emit,
                      &(struct vox_open_glitch){
                          .first_index = l->gap.first_missing,
                          .count = l->gap.missing,
                          .start_ns = l->gap.start_ns - ahead_ns,
                          .packet_ns = packet_ns,
                          .duration_ns = vox_rtp_to_ns(ticks),
                      });
}

static void book_unsent(struct vox_ledger *l, const struct vox_packet *packet, int64_t ticks)
{
    if (ticks <= 0)
        return;
    /* RFC 3551, section 4.1: the marker opens a talkspurt, so what was in front of it was silence.
     */
    if (packet->marker) {
        l->dtx_ticks += ticks;
        return;
    }
    l->concealed_ticks += ticks;
    vox_glitches_add(&l->glitches, l->emit, VOX_GLITCH_SENDER_GAP, l->gap.start_ns,
                     vox_rtp_to_ns(ticks), 0);
}

static void book_late(struct vox_ledger *l, int64_t ticks)
{
    if (ticks <= 0)
        return;
    l->concealed_ticks += ticks;
    vox_glitches_add(&l->glitches, l->emit, VOX_GLITCH_LATE, l->gap.start_ns, vox_rtp_to_ns(ticks),
                     l->gap.late_ns);
}

void vox_ledger_close(struct vox_ledger *l, const struct vox_packet *packet, int64_t packet_ns,
                      int64_t ahead_ns)
{
    if (!l->gap.open)
        return;
    struct vox_gap_account account = vox_gap_close(&l->gap, packet, ahead_ns);
    book_lost(l, account.lost, packet_ns, ahead_ns);
    book_unsent(l, packet, account.unsent);
    book_late(l, account.late);
}

void vox_ledger_stretched(struct vox_ledger *l, enum vox_stretch_reason reason, int64_t ticks,
                          int64_t t_ns)
{
    l->stretch_ops++;
    l->stretched_ticks += llabs(ticks);
    vox_emit_event(l->emit, (struct vox_event){.kind = VOX_EVENT_STRETCH,
                                               .t_ns = t_ns,
                                               .reason = reason,
                                               .value = vox_rtp_to_ns(ticks)});
}

void vox_ledger_read(const struct vox_ledger *l, int packet_ticks, struct vox_source_stats *out)
{
    out->packets.late = l->late;
    out->packets.duplicate = l->duplicate;
    out->frames.played = l->played;
    out->frames.decoded = l->decoded;
    out->frames.concealed = (uint64_t)((l->concealed_ticks + packet_ticks / 2) / packet_ticks);
    out->frames.from_fec = l->from_fec;
    out->frames.from_red = l->from_red;
    out->frames.from_rtx = l->from_rtx;
    out->frames.stretched = l->stretch_ops;
    out->stretch_ops = l->stretch_ops;
    out->played_ns = vox_rtp_to_ns(l->played_ticks);
    out->concealed_ns = vox_rtp_to_ns(l->concealed_ticks);
    out->dtx_ns = vox_rtp_to_ns(l->dtx_ticks);
    out->stretched_ns = vox_rtp_to_ns(l->stretched_ticks);
    for (int i = 0; i < VOX_GLITCH_CAUSES; i++) {
        out->glitches[i].count = l->glitches.causes[i].count;
        out->glitches[i].ns = l->glitches.causes[i].ns;
    }
}
