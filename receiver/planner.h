/*
 * When to play at normal speed, slower or faster, and how much of a hole to conceal: the decisions
 * of an adaptive playout, from media times and arrivals alone. docs/playout.md has the reasons and
 * the figures.
 *
 *     vox_planner_init(&planner, &(struct vox_planner_config){.price_ms = 190, .stretch = true});
 *     vox_planner_packet(&planner, VOX_PLANNER_NEXT, ts, duration, seen_ns);   // no duplicates
 *     order = vox_planner_decide(&planner, &view);    // before each piece of audio is put out
 *     cut_ns = vox_planner_leave_out(&planner, hole_ns, surplus_ns);
 *
 * Shadow players: some fifty experts hold one constant delay each over the fastest packet of the
 * last quarter of a second. Arrivals do not depend on what is played, so all of them meet every
 * packet, and each keeps an account of its delay and its concealment, priced as by the E-model
 * (ITU-T G.107). The target is that of the cheapest.
 *
 * Stalls: a packet that is overdue for longer than usual is waited for at half the speed, as soon
 * as the wait is likely to outlast the audio that is left; how likely, a histogram of waits says.
 * Not where packets are lost more often than late for so long: what does not come, or comes in a
 * copy at its own time, is not worth the stretching.
 *
 * offset: playout time minus media time. seen_ns: the time of the pull from which on a packet could
 * be played, so that what the grid of the pulls costs is learned with the rest.
 *
 * Thread rule: value, one owner. RT-safe: no loop over more than VOX_PLANNER_EXPERTS.
 */
#ifndef VOX_RECEIVER_PLANNER_H
#define VOX_RECEIVER_PLANNER_H

#include "receiver/receiver.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_PLANNER_EXPERTS = 64, /* room for; a multiple of 16, so that their loop vectorises */
    VOX_PLANNER_MINIMA = 256, /* packets in the base window: 0.4 s of 2.5 ms packets and more */
    VOX_PLANNER_WAITS = 64,   /* buckets of 10 ms */
};

enum vox_planner_kind {
    VOX_PLANNER_NEXT,        /* newer than all before it */
    VOX_PLANNER_AFTER_PAUSE, /* the same; between it and the one before it nothing was sent */
    VOX_PLANNER_OVERTAKEN,   /* a newer one came before it */
    VOX_PLANNER_REPAIRED,    /* another one brought what it held: here is when */
};

enum vox_planner_action { VOX_PLANNER_KEEP, VOX_PLANNER_LENGTHEN, VOX_PLANNER_SHORTEN };

struct vox_planner_view {
    int64_t known_ns;   /* all that came until now is known: the time of the pull */
    int64_t offset_ns;  /* of what is played next */
    int64_t target_ns;  /* that it should have: vox_planner_target_ns, within the user's limits */
    int64_t ready_ns;   /* received audio in one piece, decoded or not */
    int64_t missing_ts; /* media time where that ends: the packet that is waited for */
    bool later_came;    /* one behind it is there */
};

struct vox_planner_order {
    enum vox_planner_action action;
    bool is_stall;     /* the alternative is to invent audio soon */
    double rate;       /* share of output time that splices should make up; 1: each period twice */
    int64_t amount_ns; /* in all */
};

struct vox_planner_config {
    double price_ms; /* of one per cent of concealment; more of it: smoother and later */
    bool stretch;    /* else the delay is moved by resampling alone ... */
    double resample; /* ... by this share of output time */
};

struct vox_planner {
    int experts, best, turn;
    float lambda; /* price of 1 ms of concealment, in ms x s of delay */
    bool stretch;
    float slow, up, fast; /* shares of output time, as the experts play */
    /* In ms, over base: what expert k wants, after how long a wait it slows down, where it stands;
     * what it has paid, in ms x s; and what for: delay in ms x s, concealment in ms. */
    float target[VOX_PLANNER_EXPERTS], quiet[VOX_PLANNER_EXPERTS], offset[VOX_PLANNER_EXPERTS];
    float paid[VOX_PLANNER_EXPERTS], paid_recently[VOX_PLANNER_EXPERTS];
    float delayed[VOX_PLANNER_EXPERTS], concealed[VOX_PLANNER_EXPERTS];
    float played; /* s, of media, that these accounts are about */
    bool started;
    int64_t newest_ts; /* end of the newest packet */
    int64_t origin_ns; /* of the times below */
    double window;     /* ms in which the least transit is sought */
    double base;       /* that */
    double seen;       /* ms: pull that last saw a packet */
    double minimum_media[VOX_PLANNER_MINIMA], minimum[VOX_PLANNER_MINIMA]; /* monotone queue */
    unsigned minima_head, minima_tail;
    float waited[VOX_PLANNER_WAITS]; /* [b]: weight of waits of at least b buckets */
    float wait_weight;
    float holed[VOX_PLANNER_WAITS]; /* [b]: the same of holes, by their length */
    double reordered;               /* share of holes that were filled late */
};

void vox_planner_init(struct vox_planner *planner, const struct vox_planner_config *config);
void vox_planner_packet(struct vox_planner *planner, enum vox_planner_kind kind, int64_t ts,
                        int duration_ticks, int64_t seen_ns);
/* From now on every packet is seen by so much later than it would have been. */
void vox_planner_shift(struct vox_planner *planner, int64_t by_ns);
/* How long it is from one pull to the next; at first 10 ms or less. */
void vox_planner_set_pull(struct vox_planner *planner, int64_t pull_ns);
/* The offset wanted. Only after the first packet. */
int64_t vox_planner_target_ns(const struct vox_planner *planner);
struct vox_planner_order vox_planner_decide(const struct vox_planner *planner,
                                            const struct vox_planner_view *view);
/*
 * How much of a hole whose end is there need not be concealed: no more than the surplus, by which
 * what follows would stand above the target if all of it were.
 */
int64_t vox_planner_leave_out(const struct vox_planner *planner, int64_t hole_ns,
                              int64_t surplus_ns);

/*
 * What other targets would have cost lately: those that have less concealment than any that costs
 * less delay, thinned out, and the one in force. Writes up to VOX_CURVE_CHOICES of them, by delay.
 * Returns how many; 0: too little was heard.
 */
int vox_planner_curve(const struct vox_planner *planner, struct vox_choice *out);

#endif
