#include "lab/tcp_sender.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/tcp_board.h"
#include "lab/tcp_clock.h"
#include "lab/tcp_window.h"

#include <stdlib.h>

enum { REORDERING = 3 /* segments known to be there beyond a gap: it is a loss */ };

enum state { OPEN, DISORDER, RECOVERY, LOSS }; /* as in Linux, tcp_ca_state */
enum timer { NONE, TIMEOUT, PROBE, REORDER };

struct vox_tcp_sender {
    struct vox_tcp_sender_config config;
    struct vox_tcp_clock clock;
    struct vox_tcp_window window;
    struct vox_tcp_sender_stats stats;
    enum state state;
    int64_t acked, next, written; /* bytes of the stream */
    int64_t recovery_end;         /* what was sent when it began */
    int64_t undo_begin;           /* the first byte of what it repeats; below 0: no undoing */
    int in_doubt;                 /* repetitions that may have been needed; below 0: none yet */
    int timeouts;                 /* since an answer was to something new */
    bool spurious;                /* the timeout may have been: F-RTO looks (RFC 5682) */
    int64_t repair_ns;            /* when the first repetition of this recovery left; 0: none */
    int64_t probe_end;            /* what was sent when a probe left; 0: none is out */
    bool probe_repeated;          /* it was no new data */
    int64_t round_end;            /* of the window's use */
    enum timer timer;
    int64_t timer_ns;
    bool reordering; /* this acknowledgement has set the timer for what was overtaken */
    struct vox_tcp_board board;
};

int vox_tcp_sender_create(const struct vox_tcp_sender_config *config, struct vox_tcp_sender **out)
{
    struct vox_tcp_sender *s = calloc(1, sizeof *s);
    if (!s)
        return VOX_ENOMEM;
    s->config = *config;
    s->timer_ns = VOX_NS_NEVER;
    s->undo_begin = -1;
    vox_tcp_clock_init(&s->clock, config->rto_min_ns);
    vox_tcp_window_init(&s->window);
    if (config->rtt_ns > 0)
        vox_tcp_clock_measure(&s->clock, config->rtt_ns, 0, 0);
    *out = s;
    return 0;
}

void vox_tcp_sender_destroy(struct vox_tcp_sender *sender)
{
    free(sender);
}

/* ---- timers: there is one at a time, as in Linux ---- */

static void set_timer(struct vox_tcp_sender *s, enum timer timer, int64_t at_ns)
{
    s->timer = timer;
    s->timer_ns = at_ns;
}

/* Counted from when the oldest was sent, where something else has used the timer meanwhile. */
static int64_t timeout_at(const struct vox_tcp_sender *s, int64_t now_ns)
{
    int64_t at_ns = s->board.sent[0].sent_ns + s->clock.rto_ns;
    return at_ns > now_ns ? at_ns : now_ns + 1;
}

static void arm_timeout(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool other = s->timer == PROBE || s->timer == REORDER;
    if (s->board.count == 0)
        set_timer(s, NONE, VOX_NS_NEVER);
    else
        set_timer(s, TIMEOUT, other ? timeout_at(s, now_ns) : now_ns + s->clock.rto_ns);
}

/* RFC 8985, section 7.2; not later than the timeout. */
static bool arm_probe(struct vox_tcp_sender *s, bool advanced, int64_t now_ns)
{
    if (s->board.count == 0 || s->state != OPEN)
        return false;
    int64_t at_ns = now_ns + vox_tcp_clock_probe_ns(&s->clock, s->board.count == 1);
    int64_t rto_ns = advanced ? now_ns + s->clock.rto_ns : timeout_at(s, now_ns);
    set_timer(s, PROBE, at_ns < rto_ns ? at_ns : rto_ns);
    return true;
}

/* ---- sending ---- */

static void transmit(struct vox_tcp_sender *s, struct vox_tcp_sent *sent, int64_t now_ns)
{
    sent->sent_ns = now_ns;
    s->stats.segments++;
    if (s->state == RECOVERY)
        vox_tcp_window_sent(&s->window);
    s->config.on_segment(s->config.ctx,
                         &(struct vox_tcp_segment){.range = sent->range, .sent_ns = now_ns});
}

static void note_use(struct vox_tcp_sender *s, bool limited)
{
    struct vox_tcp_window *w = &s->window;
    bool new_round = s->acked >= s->round_end;
    if (new_round || limited || (!w->limited && s->board.count > w->most_out)) {
        w->limited = limited;
        w->most_out = s->board.count;
        s->round_end = s->next;
    }
}

static bool send_next(struct vox_tcp_sender *s, int64_t now_ns)
{
    int64_t len = s->written - s->next < s->config.mss ? s->written - s->next : s->config.mss;
    if (len == 0 || s->board.count == VOX_TCP_BOARD_SEGMENTS)
        return false;
    bool first = s->board.count == 0;
    struct vox_tcp_sent *sent =
        vox_tcp_board_add(&s->board, (struct vox_tcp_range){s->next, s->next + len});
    s->next += len;
    transmit(s, sent, now_ns);
    if (first || s->timer == PROBE)
        arm_timeout(s, now_ns);
    return true;
}

static bool send_new(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool any = false;
    while (s->written > s->next && vox_tcp_board_in_flight(&s->board) < s->window.size &&
           send_next(s, now_ns))
        any = true;
    bool limited = vox_tcp_board_in_flight(&s->board) >= s->window.size;
    if (any || (limited && s->written > s->next))
        note_use(s, limited);
    if (any)
        arm_probe(s, false, now_ns);
    return any;
}

static void repeat(struct vox_tcp_sender *s, int i, int64_t now_ns)
{
    struct vox_tcp_sent *sent = &s->board.sent[i];
    vox_tcp_board_merge(&s->board, i, s->config.mss);
    sent->again = true;
    sent->repeated = true;
    s->repair_ns = s->repair_ns ? s->repair_ns : now_ns;
    s->stats.repeated++;
    s->in_doubt = s->in_doubt < 0 ? 1 : s->in_doubt + 1;
    transmit(s, sent, now_ns);
}

static void repeat_lost(struct vox_tcp_sender *s, int64_t now_ns)
{
    for (int i = 0; i < s->board.count && vox_tcp_board_in_flight(&s->board) < s->window.size;
         i++) {
        const struct vox_tcp_sent *sent = &s->board.sent[i];
        if (sent->sacked || !sent->lost || sent->again)
            continue;
        repeat(s, i, now_ns);
        if (i == 0 && s->timer != REORDER)
            set_timer(s, TIMEOUT, now_ns + s->clock.rto_ns);
    }
}

/* ---- RACK (RFC 8985, section 6) ---- */

static int64_t reordering_ns(const struct vox_tcp_sender *s)
{
    bool impatient =
        s->state == RECOVERY || s->state == LOSS || vox_tcp_board_sacked(&s->board) >= REORDERING;
    if ((!s->board.reordering_seen && impatient) || s->clock.least_ns == VOX_NS_NEVER)
        return 0;
    int64_t quarter_ns = s->clock.least_ns / 4;
    return quarter_ns < s->clock.smooth_ns ? quarter_ns : s->clock.smooth_ns;
}

/* ---- recovery ---- */

static void prepare_undo(struct vox_tcp_sender *s)
{
    int repeating = vox_tcp_board_repeating(&s->board);
    s->undo_begin = s->acked;
    s->in_doubt = repeating > 0 ? repeating : -1;
}

static void begin_recovery(struct vox_tcp_sender *s)
{
    s->state = RECOVERY;
    s->recovery_end = s->next;
    s->probe_end = 0;
    s->stats.recoveries++;
    prepare_undo(s);
    vox_tcp_window_reduce(&s->window);
}

/* The state where neither recovery nor a timeout rules. */
static void keep_open(struct vox_tcp_sender *s)
{
    const struct vox_tcp_board *b = &s->board;
    bool repairing = vox_tcp_board_repeating(b) > 0 || (b->count > 0 && b->sent[0].repeated);
    bool gaps = vox_tcp_board_sacked(b) > 0 || vox_tcp_board_lost(b) > 0;
    s->state = repairing || gaps ? DISORDER : OPEN;
    s->repair_ns = repairing ? s->repair_ns : 0;
}

/* The answer is to what was sent before anything was repeated (RFC 4015). */
static bool was_overtaken(const struct vox_tcp_sender *s, const struct vox_tcp_ack *ack)
{
    return s->repair_ns > 0 && ack->echo_ns >= 0 && ack->echo_ns < s->repair_ns;
}

/* Of all that was repeated the receiver has said that it was there before (RFC 3708). */
static bool was_in_vain(const struct vox_tcp_sender *s)
{
    return s->undo_begin >= 0 && s->in_doubt == 0;
}

static bool may_undo(const struct vox_tcp_sender *s, const struct vox_tcp_ack *ack)
{
    return was_in_vain(s) || (s->undo_begin >= 0 && was_overtaken(s, ack));
}

static void undo(struct vox_tcp_sender *s, bool nothing_lost)
{
    if (nothing_lost)
        vox_tcp_board_undo(&s->board);
    vox_tcp_window_undo(&s->window);
    s->undo_begin = -1;
    s->stats.undone++;
}

/* Returns whether a repetition was lost. */
static bool look_for_losses(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool again;
    int64_t wait_ns = vox_tcp_board_find_losses(&s->board, now_ns, reordering_ns(s), &again);
    if (wait_ns > 0)
        set_timer(s, REORDER, now_ns + wait_ns + VOX_TCP_TIMER_NS);
    s->reordering = wait_ns > 0;
    return again;
}

/* ---- what an acknowledgement does, state by state (as tcp_fastretrans_alert of Linux) ---- */

/* All that had been sent when it began is there. */
static void end_recovery(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack)
{
    if (may_undo(s, ack))
        undo(s, false);
    if (s->state == RECOVERY && s->undo_begin >= 0)
        vox_tcp_window_settle(&s->window);
    s->state = OPEN;
}

/* Returns whether nothing more is to be sent again now. */
static bool go_on_recovering(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, bool advanced)
{
    if (advanced && s->undo_begin >= 0 && was_overtaken(s, ack)) {
        s->board.reordering_seen = true;
        if (vox_tcp_board_repeating(&s->board) > 0)
            return true;
        undo(s, true);
        keep_open(s);
    } else if (was_in_vain(s)) {
        undo(s, false);
        keep_open(s);
    }
    return false;
}

static void undo_timeout(struct vox_tcp_sender *s)
{
    undo(s, true);
    s->timeouts = 0;
    s->state = OPEN;
}

/* F-RTO (RFC 5682, section 3.1): before more is sent again, new data show whether it must be.
 * Returns whether they are to be sent. */
static bool go_on_after_timeout(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack,
                                const struct vox_tcp_news *news, bool advanced)
{
    bool recovered = s->acked >= s->recovery_end;
    if ((advanced && may_undo(s, ack)) || (s->spurious && news->original_end <= s->recovery_end)) {
        undo_timeout(s);
        return false;
    }
    if (s->spurious && s->next > s->recovery_end) {
        s->spurious = news->sacked == 0 && advanced;
    } else if (s->spurious && advanced && !recovered) {
        s->recovery_end = s->next;
        s->spurious = s->written > s->next;
        if (s->spurious)
            return true;
    }
    if (recovered)
        end_recovery(s, ack);
    return false;
}

static void begin_recovery_if_lost(struct vox_tcp_sender *s)
{
    if (vox_tcp_board_lost(&s->board) > 0)
        begin_recovery(s);
    else
        keep_open(s);
}

enum repair { NOTHING, LOST, NEW /* to see whether the others are lost at all */ };

/* Returns what is to be sent for repair. */
static enum repair react(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack,
                         const struct vox_tcp_news *news, bool advanced, int64_t now_ns)
{
    if (s->state == OPEN)
        s->repair_ns = 0;
    if (s->state == RECOVERY && s->acked >= s->recovery_end)
        end_recovery(s, ack);
    if (s->state == RECOVERY) {
        if (go_on_recovering(s, ack, advanced))
            return NOTHING;
        look_for_losses(s, now_ns);
        if (s->state != RECOVERY)
            begin_recovery_if_lost(s);
        return s->state == RECOVERY ? LOST : NOTHING;
    }
    if (s->state == LOSS) {
        bool try_new = go_on_after_timeout(s, ack, news, advanced);
        bool lost_again = look_for_losses(s, now_ns);
        if (s->state == LOSS && !lost_again)
            return try_new ? NEW : LOST;
    } else if (was_in_vain(s)) {
        undo(s, false);
    }
    look_for_losses(s, now_ns);
    begin_recovery_if_lost(s);
    return s->state == RECOVERY ? LOST : NOTHING;
}

/* ---- acknowledgements ---- */

/* Where only what was repeated has been answered, the timestamps tell of which one. */
static void measure(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, int64_t now_ns,
                    const struct vox_tcp_news *news)
{
    int64_t rtt_ns = news->rtt_ns;
    if (rtt_ns < 0 && news->acked > 0 && ack->echo_ns >= 0)
        rtt_ns = now_ns - ack->echo_ns;
    if (rtt_ns >= 0)
        vox_tcp_clock_measure(&s->clock, rtt_ns, s->acked, s->next);
}

/* A probe that was needed has repaired a loss, which counts as one (RFC 8985, section 7.4). */
static void note_probe(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack)
{
    if (s->probe_end == 0 || ack->next < s->probe_end)
        return;
    bool settled = !s->probe_repeated || ack->duplicate;
    if (!settled && ack->next == s->probe_end)
        return; /* the other one's answer may still come */
    s->probe_end = 0;
    if (settled)
        return;
    vox_tcp_window_reduce(&s->window);
    vox_tcp_window_settle(&s->window);
    keep_open(s);
}

static void open_window(struct vox_tcp_sender *s, int delivered, bool advanced, int64_t now_ns)
{
    if (s->state == RECOVERY)
        vox_tcp_window_delivered(&s->window, delivered, vox_tcp_board_in_flight(&s->board),
                                 advanced);
    else if (advanced)
        vox_tcp_window_grow(&s->window, delivered, now_ns,
                            s->clock.least_ns == VOX_NS_NEVER ? 0 : s->clock.least_ns);
}

void vox_tcp_sender_ack(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, int64_t now_ns)
{
    if (ack->next < s->acked)
        return; /* an old one */
    bool advanced = ack->next > s->acked;
    struct vox_tcp_news news;
    s->acked = ack->next;
    s->timeouts = advanced ? 0 : s->timeouts;
    s->in_doubt -= ack->duplicate && s->in_doubt > 0;
    vox_tcp_board_take(&s->board, ack, now_ns, s->clock.least_ns, &news);
    measure(s, ack, now_ns, &news);
    note_probe(s, ack);
    s->reordering = false;
    enum repair repair = react(s, ack, &news, advanced, now_ns);
    if (advanced && !s->reordering && !arm_probe(s, true, now_ns)) {
        set_timer(s, NONE, VOX_NS_NEVER);
        arm_timeout(s, now_ns);
    }
    open_window(s, news.delivered, advanced, now_ns);
    if (repair == NEW && !send_new(s, now_ns)) {
        s->spurious = false;
        repair = LOST;
    }
    if (repair == LOST)
        repeat_lost(s, now_ns);
    send_new(s, now_ns);
}

void vox_tcp_sender_write(struct vox_tcp_sender *s, int64_t bytes, int64_t now_ns)
{
    s->written += bytes;
    send_new(s, now_ns);
}

/* ---- timers that have run out ---- */

/* One at a time: new data if there is any, else the last segment once more. */
static void probe(struct vox_tcp_sender *s, int64_t now_ns)
{
    if (s->probe_end == 0) {
        bool new_data = s->written > s->next && send_next(s, now_ns);
        if (!new_data) {
            struct vox_tcp_sent *last = &s->board.sent[s->board.count - 1];
            last->repeated = true;
            transmit(s, last, now_ns);
        }
        s->probe_end = s->next;
        s->probe_repeated = !new_data;
        s->stats.probes++;
        set_timer(s, NONE, VOX_NS_NEVER); /* the timeout is counted from now */
    }
    arm_timeout(s, now_ns);
}

static void time_out(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool first = s->state == OPEN || s->state == DISORDER;
    bool anew = s->acked >= s->recovery_end || (s->state == LOSS && s->timeouts == 0);
    s->stats.timeouts++;
    vox_tcp_board_give_up(&s->board, now_ns);
    if (first || anew) {
        prepare_undo(s);
        vox_tcp_window_reduce(&s->window);
    }
    s->spurious = first || s->timeouts > 0;
    s->timeouts++;
    s->state = LOSS;
    s->recovery_end = s->next;
    s->probe_end = 0;
    vox_tcp_window_collapse(&s->window, vox_tcp_board_in_flight(&s->board));
    repeat(s, 0, now_ns);
    vox_tcp_clock_back_off(&s->clock);
    set_timer(s, TIMEOUT, now_ns + s->clock.rto_ns);
}

static void reorder_over(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool again;
    int before = vox_tcp_board_in_flight(&s->board);
    set_timer(s, NONE, VOX_NS_NEVER);
    vox_tcp_board_find_losses(&s->board, now_ns, reordering_ns(s), &again);
    if (vox_tcp_board_in_flight(&s->board) != before) {
        if (s->state != RECOVERY) {
            begin_recovery(s);
            vox_tcp_window_delivered(&s->window, 1, vox_tcp_board_in_flight(&s->board), false);
        }
        repeat_lost(s, now_ns);
    }
    if (s->timer != TIMEOUT) { /* it was this timer that ran: the oldest has waited meanwhile */
        set_timer(s, REORDER, now_ns);
        arm_timeout(s, now_ns);
    }
}

int64_t vox_tcp_sender_deadline_ns(const struct vox_tcp_sender *s)
{
    return s->timer_ns;
}

void vox_tcp_sender_fire(struct vox_tcp_sender *s, int64_t now_ns)
{
    switch (s->timer) {
    case NONE:
        break;
    case TIMEOUT:
        time_out(s, now_ns);
        break;
    case PROBE:
        probe(s, now_ns);
        break;
    case REORDER:
        reorder_over(s, now_ns);
        break;
    }
}

const struct vox_tcp_sender_stats *vox_tcp_sender_stats(const struct vox_tcp_sender *s)
{
    return &s->stats;
}
