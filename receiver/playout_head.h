/*
 * Received audio, packet by packet: from the head of the jitter buffer through the decoder into the
 * fifo and the books, and the host's being told when it is decoded and when it is heard.
 *
 *     vox_playout_head_play(p, head, skip, t_ns, lead_ns);    // behind silence or concealment too
 *     vox_playout_head_read_ahead(p, frames, t_ns);           // those that follow at once
 *     int change = splice(...);
 *     vox_playout_head_move(p, change);
 *     int n = vox_fifo_take(&p->fifo, pcm, frames);
 *     vox_playout_head_heard(p, n, t_ns);
 *
 * A head that is played or dropped has left the jitter buffer: the pointer is void.
 *
 * Thread rule: one owner. RT-safe if the host's callbacks are.
 */
#ifndef VOX_RECEIVER_PLAYOUT_HEAD_H
#define VOX_RECEIVER_PLAYOUT_HEAD_H

#include "receiver/jitter.h"
#include "receiver/playout.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Decodes the head into the fifo, in which nothing is audible, without its first `skip` ticks, and
 * closes the gap in front of it. lead_ns: how long before its playout it is asked for. False: there
 * is nothing to be heard of it.
 */
bool vox_playout_head_play(struct vox_playout *p, const struct vox_packet *head, int skip,
                           int64_t t_ns, int64_t lead_ns);

/*
 * A packet of which nothing can be played any more. The last ones still go through the decoder,
 * for its state. Where all come too late for half a second, the path has become slower.
 */
void vox_playout_head_drop(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns);

/* Decodes packets that follow at once until the fifo holds `frames`, so that the stretcher has
 * enough audio to look at. */
void vox_playout_head_read_ahead(struct vox_playout *p, int frames, int64_t t_ns);

/* What was decoded ahead begins to be heard later, or sooner, by what a splice at the front of the
 * fifo put in (> 0) or took out. */
void vox_playout_head_move(struct vox_playout *p, int change);

/* `frames` have left the front of the fifo, the first of them to be played at t_ns: tells the host
 * which packets began to be heard with them. */
void vox_playout_head_heard(struct vox_playout *p, int frames, int64_t t_ns);

#endif
