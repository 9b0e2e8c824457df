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
    int64_t repair_ns;            /* when the first repetition of this recovery left; 0: none */
    int64_t probe_end;            /* what was sent when a probe left; 0: none is out */
    bool probe_repeated;          /* it was no new data */
    int64_t round_end;            /* of the window's use */
    enum timer timer;
    int64_t timer_ns;
    struct vox_tcp_board board;
};

int vox_tcp_sender_create(const struct vox_tcp_sender_config *config, struct vox_tcp_sender **out)
{
    struct vox_tcp_sender *s = calloc(1, sizeof *s);
    if (!s)
        return VOX_ENOMEM;
    s->config = *config;
    s->timer_ns = VOX_NS_NEVER;
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

static void send_new(struct vox_tcp_sender *s, int64_t now_ns)
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
}

static void repeat(struct vox_tcp_sender *s, int i, int64_t now_ns)
{
    struct vox_tcp_sent *sent = &s->board.sent[i];
    vox_tcp_board_merge(&s->board, i, s->config.mss);
    sent->again = true;
    sent->repeated = true;
    s->repair_ns = s->repair_ns ? s->repair_ns : now_ns;
    s->stats.repeated++;
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
    int64_t quarter_ns = s->clock.least_ns / 4, eighth_ns = s->clock.smooth_ns / 8;
    return quarter_ns < eighth_ns ? quarter_ns : eighth_ns;
}

/* ---- recovery ---- */

static void begin_recovery(struct vox_tcp_sender *s)
{
    s->state = RECOVERY;
    s->recovery_end = s->next;
    s->repair_ns = 0;
    s->probe_end = 0;
    s->stats.recoveries++;
    vox_tcp_window_reduce(&s->window);
}

static void settle(struct vox_tcp_sender *s)
{
    if (s->state == RECOVERY)
        vox_tcp_window_settle(&s->window);
    s->state = vox_tcp_board_sacked(&s->board) > 0 ? DISORDER : OPEN;
    s->repair_ns = 0;
}

/* The answer is to what was sent before anything was repeated (RFC 4015). */
static bool was_in_vain(const struct vox_tcp_sender *s, const struct vox_tcp_ack *ack)
{
    return s->repair_ns > 0 && ack->echo_ns >= 0 && ack->echo_ns < s->repair_ns;
}

static void undo(struct vox_tcp_sender *s)
{
    vox_tcp_board_undo(&s->board);
    vox_tcp_window_undo(&s->window);
    s->stats.undone++;
    s->state = vox_tcp_board_sacked(&s->board) > 0 ? DISORDER : OPEN;
    s->repair_ns = 0;
}

/* Returns whether the timer was set for what may only have been overtaken. */
static bool look_for_losses(struct vox_tcp_sender *s, int64_t now_ns)
{
    int64_t wait_ns = vox_tcp_board_find_losses(&s->board, now_ns, reordering_ns(s));
    if (wait_ns > 0)
        set_timer(s, REORDER, now_ns + wait_ns + VOX_TCP_TIMER_NS);
    if (s->state == OPEN || s->state == DISORDER) {
        if (vox_tcp_board_lost(&s->board) > 0)
            begin_recovery(s);
        else
            s->state = vox_tcp_board_sacked(&s->board) > 0 ? DISORDER : OPEN;
    }
    return wait_ns > 0;
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
    s->probe_end = 0;
    if (!s->probe_repeated || ack->duplicate || s->state != OPEN)
        return;
    vox_tcp_window_reduce(&s->window);
    vox_tcp_window_settle(&s->window);
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
    vox_tcp_board_take(&s->board, ack, now_ns, s->clock.least_ns, &news);
    measure(s, ack, now_ns, &news);
    note_probe(s, ack);
    if (advanced && was_in_vain(s, ack))
        undo(s);
    else if ((s->state == RECOVERY || s->state == LOSS) && s->acked >= s->recovery_end)
        settle(s);
    bool reorder = look_for_losses(s, now_ns);
    if (advanced && !reorder && !arm_probe(s, true, now_ns)) {
        set_timer(s, NONE, VOX_NS_NEVER);
        arm_timeout(s, now_ns);
    }
    open_window(s, news.delivered, advanced, now_ns);
    if (s->state == RECOVERY || s->state == LOSS)
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
            last->again = true;
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
    s->stats.timeouts++;
    if (s->state == OPEN || s->state == DISORDER) {
        vox_tcp_window_reduce(&s->window);
        s->recovery_end = s->next;
        s->repair_ns = 0;
    }
    s->state = LOSS;
    s->probe_end = 0;
    vox_tcp_board_give_up(&s->board, now_ns);
    vox_tcp_window_collapse(&s->window, vox_tcp_board_in_flight(&s->board));
    repeat(s, 0, now_ns);
    vox_tcp_clock_back_off(&s->clock);
    set_timer(s, TIMEOUT, now_ns + s->clock.rto_ns);
}

static void reorder_over(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool was_lost = s->state == RECOVERY || s->state == LOSS;
    set_timer(s, NONE, VOX_NS_NEVER);
    vox_tcp_board_find_losses(&s->board, now_ns, reordering_ns(s));
    if (!was_lost && vox_tcp_board_lost(&s->board) > 0)
        begin_recovery(s);
    if (s->state == RECOVERY)
        vox_tcp_window_delivered(&s->window, 0, vox_tcp_board_in_flight(&s->board), false);
    if (s->state == RECOVERY || s->state == LOSS)
        repeat_lost(s, now_ns);
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
