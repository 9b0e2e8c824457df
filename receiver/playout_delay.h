/*
 * The delay of what is played: where it stands, and the four ways in which it is moved. What it
 * should be is said by the timing; how urgent that is, by the planner.
 *
 *     remaining -= vox_playout_delay_leave_out(p, head, remaining, t_ns);    // a hole: shorter
 *     wait = vox_playout_delay_shortfall_ticks(p, head, t_ns);       // a late head: longer yet
 *     skip = vox_playout_delay_over_ticks(p, head, t_ns);            // a late head: not longer
 *     vox_playout_delay_adapt(p, t_ns);                              // audio goes on: a splice
 *
 * Delays are over the fastest packet.
 *
 * Thread rule: one owner. RT-safe if the host's callbacks are.
 */
#ifndef VOX_RECEIVER_PLAYOUT_DELAY_H
#define VOX_RECEIVER_PLAYOUT_DELAY_H

#include "receiver/jitter.h"
#include "receiver/playout.h"

#include <stdint.h>

/* Of the front of the fifo, if it is played at playout_ns. */
int64_t vox_playout_delay_current_ns(const struct vox_playout *p, int64_t playout_ns);

/*
 * Shortens the hole of `remaining` ticks in front of head that is about to be concealed, where the
 * delay is longer than it should be. Once a hole. Returns the ticks that are left out.
 */
int64_t vox_playout_delay_leave_out(struct vox_playout *p, const struct vox_packet *head,
                                    int64_t remaining, int64_t t_ns);

/* By how much the delay would still fall short of a fixed one if the head, which is late, played
 * now: the path has become slower. */
int64_t vox_playout_delay_shortfall_ticks(const struct vox_playout *p,
                                          const struct vox_packet *head, int64_t t_ns);

/* Ticks of the head that are over: what was played already, and the part of its lateness by which
 * the delay shall not grow. A fixed delay grows too where the fastest packet has become slower. */
int64_t vox_playout_delay_over_ticks(const struct vox_playout *p, const struct vox_packet *head,
                                     int64_t t_ns);

/* Moves the delay towards its target, or stretches what there is where a packet is overdue: by one
 * splice at the front of the fifo at most. */
void vox_playout_delay_adapt(struct vox_playout *p, int64_t t_ns);

#endif
