/*
 * Filling a hole in what was received: concealment, or the packet in front of another from that
 * one's in-band FEC (RFC 6716, section 4.2.5), and the way back to received audio behind it.
 *
 *     vox_playout_hole_fill(p, head, remaining, t_ns);    // so much is missing in front of head
 *     vox_playout_hole_make_up(p, 480, frames, t_ns);     // nobody knows yet how much is
 *     ...
 *     vox_playout_hole_resync(p);                         // the packet behind the last one came
 *     int frames = vox_playout_hole_take_tail(p, tail);   // then decode it, and fade from the tail
 *
 * Concealment is made in steps of the decoder's liking, of which only what is asked for is put out;
 * the rest is to spare. The decoder's state from before it is kept: a packet that is late, not
 * lost, is decoded from there.
 *
 * Thread rule: one owner. RT-safe if the host's callbacks are.
 */
#ifndef VOX_RECEIVER_PLAYOUT_HOLE_H
#define VOX_RECEIVER_PLAYOUT_HOLE_H

#include "receiver/conceal.h"
#include "receiver/jitter.h"
#include "receiver/playout.h"

#include <stdbool.h>
#include <stdint.h>

/* Room for the concealment to fade from, in stereo. */
enum { VOX_PLAYOUT_TAIL_SAMPLES = VOX_CONCEAL_GRAIN * 2 };

/*
 * Fills the `remaining` > 0 ticks that are missing in front of head, or the first of them: nothing
 * may be audible in the fifo, and something is then. Returns true.
 */
bool vox_playout_hole_fill(struct vox_playout *p, const struct vox_packet *head, int64_t remaining,
                           int64_t t_ns);

/*
 * Concealment, `most` at a time, of which `frames` are put out for now: what the next packet makes
 * needless is left out again. Returns true.
 */
bool vox_playout_hole_make_up(struct vox_playout *p, int most, int frames, int64_t t_ns);

/*
 * What follows the last packet that was played comes after some of it was concealed: decoded from
 * the state before that, it is what it would have been, and so is all behind it. Some concealment
 * is kept to fade from. Returns whether it was so.
 */
bool vox_playout_hole_resync(struct vox_playout *p);

/* Empties the fifo of what is to spare; its beginning is kept, to fade from. Returns the frames. */
int vox_playout_hole_take_tail(struct vox_playout *p, float tail[VOX_PLAYOUT_TAIL_SAMPLES]);

#endif
