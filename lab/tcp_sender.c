#include "lab/tcp_sender.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/tcp_clock.h"
#include "lab/tcp_window.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SEGMENTS = 4096, REORDERING = 3 };

#define LEAST_TIMER_NS (2 * VOX_NS_PER_MS)

struct sent {
    struct vox_tcp_range range;
    int64_t sent_ns; /* the latest time */
    bool sacked;
    bool lost;
    bool again;    /* a repetition is under way */
    bool repeated; /* ever */
};

enum state { OPEN, DISORDER, RECOVERY, LOSS };
enum timer { NONE, TIMEOUT, PROBE, REORDER };

/* The latest sent of all that were delivered (RFC 8985, section 5.2). */
struct rack {
    int64_t sent_ns;
    int64_t end;
    int64_t rtt_ns;
    bool reordering_seen;
};

struct vox_tcp_sender {
    struct vox_tcp_sender_config config;
    struct vox_tcp_clock clock;
    struct vox_tcp_window window;
    struct vox_tcp_sender_stats stats;
    enum state state;
    struct rack rack;
    int64_t acked, next, written; /* bytes of the stream */
    int64_t recovery_end;         /* what was sent when it began */
    int64_t repair_ns;            /* when the first repetition of this recovery left; 0: none */
    int64_t probe_end;            /* what was sent when a probe left; 0: none is out */
    bool probe_repeated;          /* it was no new data */
    int64_t round_end;            /* of the window's use */
    enum timer timer;
    int64_t timer_ns;
    int count;
    struct sent sent[MAX_SEGMENTS];
};

/* What one acknowledgement has told. */
struct news {
    int delivered;
    int acked; /* segments */
    bool advanced;
    bool reordered;
    int64_t rtt_ns; /* below 0: none measured */
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

/* ---- counts ---- */

static int in_flight(const struct vox_tcp_sender *s)
{
    int n = 0;
    for (int i = 0; i < s->count; i++)
        n += (!s->sent[i].sacked && !s->sent[i].lost) + s->sent[i].again;
    return n;
}

static int count_sacked(const struct vox_tcp_sender *s)
{
    int n = 0;
    for (int i = 0; i < s->count; i++)
        n += s->sent[i].sacked;
    return n;
}

static int count_lost(const struct vox_tcp_sender *s)
{
    int n = 0;
    for (int i = 0; i < s->count; i++)
        n += s->sent[i].lost && !s->sent[i].again;
    return n;
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
    int64_t at_ns = s->sent[0].sent_ns + s->clock.rto_ns;
    return at_ns > now_ns ? at_ns : now_ns + 1;
}

static void arm_timeout(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool other = s->timer == PROBE || s->timer == REORDER;
    if (s->count == 0)
        set_timer(s, NONE, VOX_NS_NEVER);
    else
        set_timer(s, TIMEOUT, other ? timeout_at(s, now_ns) : now_ns + s->clock.rto_ns);
}

/* RFC 8985, section 7.2; not later than the timeout. */
static bool arm_probe(struct vox_tcp_sender *s, bool advanced, int64_t now_ns)
{
    if (s->count == 0 || s->state != OPEN)
        return false;
    int64_t at_ns = now_ns + vox_tcp_clock_probe_ns(&s->clock, s->count == 1);
    int64_t rto_ns = advanced ? now_ns + s->clock.rto_ns : timeout_at(s, now_ns);
    set_timer(s, PROBE, at_ns < rto_ns ? at_ns : rto_ns);
    return true;
}

/* ---- sending ---- */

static void transmit(struct vox_tcp_sender *s, struct sent *sent, int64_t now_ns)
{
    sent->sent_ns = now_ns;
    s->stats.segments++;
    if (s->state == RECOVERY)
        vox_tcp_window_sent(&s->window);
    s->config.on_segment(s->config.ctx,
                         &(struct vox_tcp_segment){.range = sent->range, .sent_ns = now_ns},
                         sent->repeated);
}

static void note_use(struct vox_tcp_sender *s, bool limited)
{
    struct vox_tcp_window *w = &s->window;
    bool new_round = s->acked >= s->round_end;
    if (new_round || limited || (!w->limited && s->count > w->most_out)) {
        w->limited = limited;
        w->most_out = s->count;
        s->round_end = s->next;
    }
}

static bool send_next(struct vox_tcp_sender *s, int64_t now_ns)
{
    int64_t len = s->written - s->next < s->config.mss ? s->written - s->next : s->config.mss;
    if (len == 0 || s->count == MAX_SEGMENTS)
        return false;
    bool first = s->count == 0;
    struct sent *sent = &s->sent[s->count++];
    *sent = (struct sent){.range = {s->next, s->next + len}};
    s->next += len;
    transmit(s, sent, now_ns);
    if (first || s->timer == PROBE)
        arm_timeout(s, now_ns);
    return true;
}

static void send_new(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool any = false;
    while (s->written > s->next && in_flight(s) < s->window.size && send_next(s, now_ns))
        any = true;
    bool limited = in_flight(s) >= s->window.size;
    if (any || (limited && s->written > s->next))
        note_use(s, limited);
    if (any)
        arm_probe(s, false, now_ns);
}

/* What follows in the stream goes along, if it is not known to be there (tcp_retrans_try_collapse
 * of Linux). */
static void collapse(struct vox_tcp_sender *s, int i)
{
    struct sent *head = &s->sent[i];
    while (i + 1 < s->count) {
        const struct sent *next = &s->sent[i + 1];
        if (next->sacked || next->range.end - head->range.begin > s->config.mss)
            break;
        head->range.end = next->range.end;
        s->count--;
        memmove(&s->sent[i + 1], &s->sent[i + 2], (size_t)(s->count - i - 1) * sizeof *head);
    }
}

static void repeat(struct vox_tcp_sender *s, int i, int64_t now_ns)
{
    struct sent *sent = &s->sent[i];
    collapse(s, i);
    sent->again = true;
    sent->repeated = true;
    s->repair_ns = s->repair_ns ? s->repair_ns : now_ns;
    transmit(s, sent, now_ns);
}

static void repeat_lost(struct vox_tcp_sender *s, int64_t now_ns)
{
    for (int i = 0; i < s->count && in_flight(s) < s->window.size; i++) {
        const struct sent *sent = &s->sent[i];
        if (sent->sacked || !sent->lost || sent->again)
            continue;
        s->stats.repeated++;
        repeat(s, i, now_ns);
        if (i == 0 && s->timer != REORDER)
            set_timer(s, TIMEOUT, now_ns + s->clock.rto_ns);
    }
}

/* ---- RACK (RFC 8985, section 6) ---- */

static bool sent_after(int64_t a_ns, int64_t a_end, int64_t b_ns, int64_t b_end)
{
    return a_ns > b_ns || (a_ns == b_ns && a_end > b_end);
}

static void note_delivery(struct vox_tcp_sender *s, const struct sent *sent, int64_t now_ns)
{
    struct rack *rack = &s->rack;
    int64_t rtt_ns = now_ns - sent->sent_ns;
    if (sent->repeated && rtt_ns < s->clock.least_ns)
        return; /* it answers an earlier transmission */
    rack->rtt_ns = rtt_ns;
    if (sent_after(sent->sent_ns, sent->range.end, rack->sent_ns, rack->end)) {
        rack->sent_ns = sent->sent_ns;
        rack->end = sent->range.end;
    }
}

static int64_t reordering_ns(const struct vox_tcp_sender *s)
{
    bool impatient = s->state == RECOVERY || s->state == LOSS || count_sacked(s) >= REORDERING;
    if ((!s->rack.reordering_seen && impatient) || s->clock.least_ns == VOX_NS_NEVER)
        return 0;
    int64_t quarter_ns = s->clock.least_ns / 4, eighth_ns = s->clock.smooth_ns / 8;
    return quarter_ns < eighth_ns ? quarter_ns : eighth_ns;
}

/* How long one that was sent then must still be waited for; 0 or less: it is lost. */
static int64_t patience_ns(const struct vox_tcp_sender *s, const struct sent *sent, int64_t now_ns,
                           int64_t window_ns)
{
    return s->rack.rtt_ns + window_ns - (now_ns - sent->sent_ns);
}

static void mark_lost(struct sent *sent)
{
    sent->lost = true;
    sent->again = false;
}

/* Returns how long to wait for those that are overdue but may only have been overtaken; 0: none. */
static int64_t find_losses(struct vox_tcp_sender *s, int64_t now_ns)
{
    int64_t window_ns = reordering_ns(s), longest_ns = 0;
    for (int i = 0; i < s->count; i++) {
        struct sent *sent = &s->sent[i];
        if (sent->sacked || (sent->lost && !sent->again) ||
            !sent_after(s->rack.sent_ns, s->rack.end, sent->sent_ns, sent->range.end))
            continue;
        int64_t left_ns = patience_ns(s, sent, now_ns, window_ns);
        if (left_ns <= 0)
            mark_lost(sent);
        else
            longest_ns = left_ns > longest_ns ? left_ns : longest_ns;
    }
    return longest_ns;
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
    s->state = count_sacked(s) > 0 ? DISORDER : OPEN;
    s->repair_ns = 0;
}

/* The answer is to what was sent before anything was repeated (RFC 4015). */
static bool was_in_vain(const struct vox_tcp_sender *s, const struct vox_tcp_ack *ack,
                        const struct news *news)
{
    return news->advanced && s->repair_ns > 0 && ack->echo_ns >= 0 && ack->echo_ns < s->repair_ns;
}

static void undo(struct vox_tcp_sender *s)
{
    for (int i = 0; i < s->count; i++)
        s->sent[i].lost = false;
    vox_tcp_window_undo(&s->window);
    s->stats.undone++;
    s->state = count_sacked(s) > 0 ? DISORDER : OPEN;
    s->repair_ns = 0;
}

/* Returns whether the timer was set for what may only have been overtaken. */
static bool look_for_losses(struct vox_tcp_sender *s, int64_t now_ns)
{
    int64_t wait_ns = find_losses(s, now_ns);
    if (wait_ns > 0)
        set_timer(s, REORDER, now_ns + wait_ns + LEAST_TIMER_NS);
    if (s->state == OPEN || s->state == DISORDER) {
        if (count_lost(s) > 0)
            begin_recovery(s);
        else
            s->state = count_sacked(s) > 0 ? DISORDER : OPEN;
    }
    return wait_ns > 0;
}

/* ---- acknowledgements ---- */

static void note_sacked(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, int64_t now_ns,
                        struct news *news)
{
    int64_t highest = 0;
    for (int i = 0; i < s->count; i++)
        highest = s->sent[i].sacked ? s->sent[i].range.end : highest;
    for (int i = 0; i < s->count; i++) {
        struct sent *sent = &s->sent[i];
        bool has = false;
        for (int k = 0; k < ack->blocks; k++)
            has |=
                ack->sacked[k].begin <= sent->range.begin && sent->range.end <= ack->sacked[k].end;
        if (!has || sent->sacked)
            continue;
        if (!sent->repeated) {
            news->reordered |= sent->range.end <= highest;
            news->rtt_ns = now_ns - sent->sent_ns;
        }
        note_delivery(s, sent, now_ns);
        sent->sacked = true;
        sent->lost = false;
        sent->again = false;
        news->delivered++;
    }
}

static void note_acked(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, int64_t now_ns,
                       struct news *news)
{
    bool sacked_beyond = false, measured = false;
    int gone = 0;
    for (int i = 0; i < s->count; i++)
        sacked_beyond |= s->sent[i].sacked;
    for (; gone < s->count && s->sent[gone].range.end <= ack->next; gone++) {
        const struct sent *sent = &s->sent[gone];
        if (sent->sacked)
            continue;
        if (!sent->repeated && !measured) { /* the oldest: with all that an answer may wait */
            news->rtt_ns = now_ns - sent->sent_ns;
            measured = true;
        }
        news->reordered |= sacked_beyond && !sent->repeated;
        note_delivery(s, sent, now_ns);
        news->delivered++;
    }
    news->acked = gone;
    s->count -= gone;
    memmove(s->sent, s->sent + gone, (size_t)s->count * sizeof s->sent[0]);
    if (s->count > 0 && s->sent[0].range.begin < ack->next)
        s->sent[0].range.begin = ack->next;
}

/* Where only what was repeated has been answered, the timestamps tell of which one. */
static void measure(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, int64_t now_ns,
                    const struct news *news)
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

static void open_window(struct vox_tcp_sender *s, const struct news *news, int64_t now_ns)
{
    if (s->state == RECOVERY)
        vox_tcp_window_delivered(&s->window, news->delivered, in_flight(s), news->advanced);
    else if (news->advanced)
        vox_tcp_window_grow(&s->window, news->delivered, now_ns,
                            s->clock.least_ns == VOX_NS_NEVER ? 0 : s->clock.least_ns);
}

void vox_tcp_sender_ack(struct vox_tcp_sender *s, const struct vox_tcp_ack *ack, int64_t now_ns)
{
    if (ack->next < s->acked)
        return; /* an old one */
    struct news news = {.advanced = ack->next > s->acked, .rtt_ns = -1};
    s->acked = ack->next;
    note_sacked(s, ack, now_ns, &news);
    note_acked(s, ack, now_ns, &news);
    measure(s, ack, now_ns, &news);
    s->rack.reordering_seen |= news.reordered;
    note_probe(s, ack);
    if (was_in_vain(s, ack, &news))
        undo(s);
    else if ((s->state == RECOVERY || s->state == LOSS) && s->acked >= s->recovery_end)
        settle(s);
    bool reorder = look_for_losses(s, now_ns);
    if (news.advanced && !reorder && !arm_probe(s, true, now_ns)) {
        set_timer(s, NONE, VOX_NS_NEVER);
        arm_timeout(s, now_ns);
    }
    open_window(s, &news, now_ns);
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
            struct sent *last = &s->sent[s->count - 1];
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
    for (int i = 0; i < s->count; i++) {
        struct sent *sent = &s->sent[i];
        if (!sent->sacked && (i == 0 || patience_ns(s, sent, now_ns, 0) <= 0))
            mark_lost(sent);
    }
    vox_tcp_window_collapse(&s->window, in_flight(s));
    s->stats.repeated++;
    repeat(s, 0, now_ns);
    vox_tcp_clock_back_off(&s->clock);
    set_timer(s, TIMEOUT, now_ns + s->clock.rto_ns);
}

static void reorder_over(struct vox_tcp_sender *s, int64_t now_ns)
{
    bool was_lost = s->state == RECOVERY || s->state == LOSS;
    set_timer(s, NONE, VOX_NS_NEVER);
    find_losses(s, now_ns);
    if (!was_lost && count_lost(s) > 0)
        begin_recovery(s);
    if (s->state == RECOVERY)
        vox_tcp_window_delivered(&s->window, 0, in_flight(s), false);
    if (s->state == RECOVERY || s->state == LOSS)
        repeat_lost(s, now_ns);
    if (s->timer != TIMEOUT) {
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
