/*
 * Back to live: what stands in the buffer beyond all measure is left out in one step, instead of
 * being played off little by little.
 *
 * A receiver that stood still (stopped, swapped out, its disk blocked), or a stream whose link was
 * cut, finds everything that was sent meanwhile in front of it at once. Played faster, it would
 * take as long again as it lasts, and nobody is live until then. So where it lies further behind
 * the wanted delay than a second and a half, and that much more has come, playing goes on where it
 * should be by now. NetEQ likewise flushes a packet buffer that runs over.
 *
 *     vox_playout_live_return(p, t_ns);          // nothing audible is in the fifo
 *     if (vox_playout_live_is_far(p, t_ns))      // no use in stretching
 *
 * Where silence was heard for it, the packets were late, and are booked so (playout_delay.h);
 * where they would go on being played, the step is a glitch of its own, VOX_GLITCH_SKIPPED.
 *
 * Thread rule: one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_PLAYOUT_LIVE_H
#define VOX_RECEIVER_PLAYOUT_LIVE_H

#include "receiver/playout.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether what comes behind the fifo, whose front is played at t_ns, is that far behind. */
bool vox_playout_live_is_far(const struct vox_playout *p, int64_t t_ns);

/* Whether the time of the head is over by as much at now_ns, while a heap is coming: what is wanted
 * of an adaptive delay is not known before it has come. */
bool vox_playout_live_is_over(const struct vox_playout *p, int64_t now_ns);

/*
 * If it is far behind: skips to what should be played by now; in a hole, has it taken for late,
 * until audio goes on. Nothing audible may be in the fifo.
 */
void vox_playout_live_return(struct vox_playout *p, int64_t t_ns);

#endif
