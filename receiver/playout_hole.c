#include "receiver/playout_hole.h"

#include "receiver/playout_state.h"

#include <string.h>

enum { CONCEAL_MOST = 960 }; /* of a known hole in one call */

/* So much of what was made up is put out. */
static bool claim(struct vox_playout *p, int frames)
{
    frames = frames < p->spare ? frames : p->spare;
    p->spare -= frames;
    p->ledger.gap.made += frames;
    p->expanded += frames;
    return true;
}

int vox_playout_hole_take_tail(struct vox_playout *p, float tail[VOX_PLAYOUT_TAIL_SAMPLES])
{
    int frames = p->spare < VOX_CONCEAL_GRAIN ? p->spare : VOX_CONCEAL_GRAIN;
    memcpy(tail, vox_fifo_front(&p->fifo), (size_t)(frames * p->fifo.channels) * sizeof *tail);
    p->fifo.frames = 0;
    p->spare = 0;
    return frames;
}

/* Behind a packet, also one that came too late to be heard: the state is worth coming back to, and
 * what was made up in front of it is faded from. */
static void begin_hole(struct vox_playout *p, int most)
{
    float tail[VOX_PLAYOUT_TAIL_SAMPLES];
    int tail_frames = vox_playout_hole_take_tail(p, tail);
    vox_decoder_keep(p->decoder);
    p->state_kept = true;
    vox_conceal(p->decoder, &p->noise, &p->fifo, most, p->ledger.gap.made);
    vox_conceal_fade_in(&p->fifo, tail, tail_frames);
    p->spare = most;
}

bool vox_playout_hole_make_up(struct vox_playout *p, int most, int frames, int64_t t_ns)
{
    vox_gap_open(&p->ledger.gap, t_ns);
    if (p->expanded == 0) {
        begin_hole(p, most);
    } else if (p->spare == 0) {
        vox_conceal(p->decoder, &p->noise, &p->fifo, most, p->ledger.gap.made);
        p->spare = most;
    }
    return claim(p, frames);
}

bool vox_playout_hole_resync(struct vox_playout *p)
{
    if (!p->state_kept || p->expanded == 0)
        return false;
    if (p->spare == 0) {
        vox_conceal(p->decoder, &p->noise, &p->fifo, VOX_CONCEAL_GRAIN, p->ledger.gap.made);
        p->spare = VOX_CONCEAL_GRAIN;
    }
    vox_decoder_restore(p->decoder);
    p->state_kept = false;
    return true;
}

/* The last `frames` of the packet in front of head, from head's in-band FEC: that is of one frame,
 * however many the packets hold. */
static bool make_from_fec(struct vox_playout *p, const struct vox_packet *head, int frames,
                          int64_t t_ns)
{
    float tail[VOX_PLAYOUT_TAIL_SAMPLES];
    int64_t index = vox_jitter_before(p->jitter, head->index);
    if (vox_jitter_before(p->jitter, index) == p->last_index)
        vox_playout_hole_resync(p);
    int tail_frames = vox_playout_hole_take_tail(p, tail);
    vox_gap_open(&p->ledger.gap, t_ns);
    p->state_kept = false;
    if (!vox_conceal_from_fec(p->decoder, &p->fifo, head, frames))
        return vox_playout_hole_make_up(p, frames, frames, t_ns);
    vox_conceal_fade_in(&p->fifo, tail, tail_frames);
    p->ledger.gap.from_fec += frames;
    p->ledger.from_fec++;
    p->fec_index = index;
    vox_emit_value(p->emit, VOX_EVENT_RECOVERED, t_ns, index);
    p->spare = frames;
    return claim(p, frames);
}

bool vox_playout_hole_fill(struct vox_playout *p, const struct vox_packet *head, int64_t remaining,
                           int64_t t_ns)
{
    bool fec = head->info.has_lbrr && vox_playout_lacks(p, head);
    int64_t concealed = remaining;
    vox_gap_open(&p->ledger.gap, t_ns);
    if (fec && remaining <= head->info.frame_ticks)
        return make_from_fec(p, head, (int)remaining, t_ns);
    if (fec)
        concealed -= head->info.frame_ticks;
    int frames = (int)(concealed < CONCEAL_MOST ? concealed : CONCEAL_MOST);
    return vox_playout_hole_make_up(p, frames, frames, t_ns);
}
