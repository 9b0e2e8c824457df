#include "receiver/missing.h"

#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEADY = 3,          /* packets in a row after which the next one is expected */
    NOBODY_ANSWERS = 32, /* packets in a row that were given up */
    FAST_TRIES = 2,
    SHARES = 5,
};

/* What the round trip is taken for before the first answer. */
#define UNKNOWN_RTT_NS (20 * VOX_NS_PER_MS)
/* An answer takes so much longer than the round trip now and then, however steady that is. */
#define LEAST_DEVIATIONS_NS (2 * VOX_NS_PER_MS)
/* A packet is overdue when it is so much later than they usually are. */
#define LEAST_PATIENCE_NS (2 * VOX_NS_PER_MS)
#define MOST_PATIENCE_NS (100 * VOX_NS_PER_MS)
#define MOST_REORDER_NS (50 * VOX_NS_PER_MS)
#define PROBE_NS VOX_NS_PER_S

/* Shares by which what is seen with each packet counts, and is forgotten. */
static const double LATE_GAIN = 1.0 / 16;
static const int FORGET = 128;

void vox_missing_init(struct vox_missing *m)
{
    memset(m, 0, sizeof *m);
    m->patience_ns = LEAST_PATIENCE_NS;
    vox_rtt_init(&m->rtt);
    for (int i = 0; i < VOX_MISSING_KEPT; i++)
        m->packets[i].index = INT64_MIN;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct vox_missing_packet *slot_of(struct vox_missing *m, int64_t index)
{
    return &m->packets[(uint64_t)index % VOX_MISSING_KEPT];
}

static struct vox_missing_packet *find(struct vox_missing *m, int64_t index)
{
    struct vox_missing_packet *packet = slot_of(m, index);
    return packet->index == index ? packet : NULL;
}

static bool is_blank(struct vox_missing *m, int64_t index)
{
    const struct vox_missing_packet *packet = find(m, index);
    return packet && packet->is_blank;
}

static void want_no_more(struct vox_missing *m, struct vox_missing_packet *packet)
{
    m->wanted -= packet->state == VOX_MISSING_WANTED;
    packet->state = VOX_MISSING_NOTHING;
}

static void want(struct vox_missing *m, int64_t index, int64_t ts, int64_t now_ns, bool is_guess)
{
    struct vox_missing_packet *packet = slot_of(m, index);
    want_no_more(m, packet);
    *packet = (struct vox_missing_packet){
        .index = index,
        .state = VOX_MISSING_WANTED,
        .ts = ts,
        .noticed_ns = now_ns,
        .due_ns = now_ns + (is_guess ? 0 : m->reorder_ns),
        .is_guess = is_guess,
    };
    m->wanted++;
}

/* What leaves the span is not missed any more. */
static void set_frontier(struct vox_missing *m, int64_t frontier)
{
    int64_t index = m->frontier - VOX_MISSING_SPAN + 1;
    int64_t end = frontier - VOX_MISSING_SPAN + 1;
    for (; m->wanted > 0 && index < end && index <= m->frontier; index++) {
        struct vox_missing_packet *packet = find(m, index);
        if (packet)
            want_no_more(m, packet);
    }
    m->frontier = frontier;
}

/* ---- arrivals ---- */

/* How late packets are, and how far that varies. */
static void learn_lateness(struct vox_missing *m, const struct vox_packet *packet,
                           const struct vox_missing_view *view)
{
    double late_ns = (double)(packet->arrival_ns - view->base_ns - vox_rtp_to_ns(packet->ts));
    late_ns = late_ns > 0 ? late_ns : 0;
    late_ns = late_ns < MOST_PATIENCE_NS ? late_ns : MOST_PATIENCE_NS;
    m->late_deviation_ns += (fabs(late_ns - m->late_ns) - m->late_deviation_ns) * LATE_GAIN;
    m->late_ns += (late_ns - m->late_ns) * LATE_GAIN;
    m->patience_ns -= (m->patience_ns - LEAST_PATIENCE_NS) / FORGET;
    m->reorder_ns -= m->reorder_ns / FORGET;
}

/* A packet that was missed came by itself. One that stands elsewhere than was guessed was not late:
 * the sender had paused. */
static void learn_from_late(struct vox_missing *m, struct vox_missing_packet *missed,
                            const struct vox_packet *packet)
{
    int64_t lag_ns = packet->arrival_ns - missed->noticed_ns;
    if (!missed->is_guess)
        m->reorder_ns = larger(m->reorder_ns, smaller(lag_ns, MOST_REORDER_NS));
    else if (packet->ts == missed->ts)
        m->patience_ns = smaller(2 * m->patience_ns, MOST_PATIENCE_NS);
    m->guessed_wrong += missed->is_guess && missed->tries > 0;
    want_no_more(m, missed);
    missed->answered = true;
}

/* Guesses in front of the packet are none any more; those behind it hold if it stands where it
 * should. */
static void settle_guesses(struct vox_missing *m, const struct vox_packet *packet, bool follows)
{
    for (int64_t index = m->newest + 1; index <= m->frontier; index++) {
        struct vox_missing_packet *guess = find(m, index);
        if (guess && index < packet->index)
            guess->is_guess = false;
        else if (guess && !follows)
            want_no_more(m, guess);
    }
    if (!follows && m->frontier > packet->index)
        m->frontier = packet->index;
}

/* Packets of audio between the newest and this one; of those too far back nothing is known. */
static int64_t count_gap(struct vox_missing *m, int64_t index)
{
    int64_t oldest = larger(m->newest + 1, index - VOX_MISSING_SPAN + 1);
    int64_t count = oldest - m->newest - 1;
    for (int64_t i = oldest; i < index; i++)
        count += !is_blank(m, i);
    return count;
}

/* What they are in front of is the next to come. */
static void pass_blanks(struct vox_missing *m)
{
    while (is_blank(m, m->newest + 1))
        m->newest++;
    m->frontier = larger(m->frontier, m->newest);
}

/* A packet newer than all before it. What lies between is missing, as far back as it matters. */
static void advance(struct vox_missing *m, const struct vox_packet *packet)
{
    int ticks = packet->info.duration_ticks;
    int64_t gap = count_gap(m, packet->index);
    int64_t ts = packet->ts;
    bool follows = packet->ts - m->newest_end_ts == gap * ticks && ticks == m->ticks;
    int64_t first = larger(m->frontier + 1, packet->index - VOX_MISSING_SPAN + 1);
    settle_guesses(m, packet, follows);
    if (packet->index > m->frontier)
        set_frontier(m, packet->index);
    for (int64_t index = packet->index - 1; index >= first; index--)
        if (!is_blank(m, index))
            want(m, index, ts -= ticks, packet->arrival_ns, false);
    m->steady = follows ? m->steady + 1 : 0;
}

void vox_missing_arrived(struct vox_missing *m, const struct vox_packet *packet,
                         const struct vox_missing_view *view)
{
    struct vox_missing_packet *missed = find(m, packet->index);
    learn_lateness(m, packet, view);
    if (missed)
        learn_from_late(m, missed, packet);
    if (m->started && packet->index <= m->newest)
        return;
    if (m->started)
        advance(m, packet);
    else
        m->frontier = packet->index;
    m->started = true;
    m->newest = packet->index;
    m->newest_end_ts = packet->ts + packet->info.duration_ticks;
    m->ticks = packet->info.duration_ticks;
    pass_blanks(m);
}

/* What was guessed to be missing has other numbers than that: it is guessed anew. */
static void forget_guesses(struct vox_missing *m)
{
    for (int64_t index = m->newest + 1; index <= m->frontier; index++) {
        struct vox_missing_packet *guess = find(m, index);
        if (guess && !guess->is_blank)
            want_no_more(m, guess);
    }
    m->frontier = m->newest;
}

void vox_missing_blank(struct vox_missing *m, int64_t index)
{
    if (!m->started || index <= m->newest - VOX_MISSING_KEPT)
        return;
    struct vox_missing_packet *packet = slot_of(m, index);
    if (packet->index > index)
        return;
    want_no_more(m, packet);
    *packet = (struct vox_missing_packet){.index = index, .answered = true, .is_blank = true};
    if (index != m->newest + 1)
        return;
    pass_blanks(m);
    forget_guesses(m);
}

void vox_missing_found(struct vox_missing *m, int64_t index)
{
    struct vox_missing_packet *packet = find(m, index);
    if (packet)
        want_no_more(m, packet);
}

bool vox_missing_was_asked(const struct vox_missing *m, int64_t index)
{
    const struct vox_missing_packet *packet = &m->packets[(uint64_t)index % VOX_MISSING_KEPT];
    return packet->index == index && packet->tries > 0;
}

bool vox_missing_answered(struct vox_missing *m, int64_t index, int64_t now_ns)
{
    struct vox_missing_packet *packet = find(m, index);
    if (!packet || packet->tries == 0 || packet->answered)
        return false;
    if (packet->tries == 1 && now_ns >= packet->asked_ns)
        vox_rtt_add(&m->rtt, now_ns - packet->asked_ns, now_ns);
    m->unanswered = 0;
    packet->answered = true;
    want_no_more(m, packet);
    return true;
}

/* ---- requests ---- */

static const struct vox_rtt *rtt_of(const struct vox_missing *m,
                                    const struct vox_missing_view *view)
{
    return vox_rtt_is_known(&m->rtt) ? &m->rtt : view->reported_rtt;
}

static int64_t rtt_ns(const struct vox_missing *m, const struct vox_missing_view *view)
{
    const struct vox_rtt *rtt = rtt_of(m, view);
    return vox_rtt_is_known(rtt) ? rtt->smoothed_ns : UNKNOWN_RTT_NS;
}

static int64_t retry_ns(const struct vox_missing *m, const struct vox_missing_view *view)
{
    return larger(rtt_ns(m, view) + LEAST_DEVIATIONS_NS, vox_rtt_bound_ns(rtt_of(m, view)));
}

/* From now until it is to be played. */
static int64_t left_ns(const struct vox_missing_packet *packet, const struct vox_missing_view *view)
{
    return view->play_ns + vox_rtp_to_ns(packet->ts) - view->now_ns;
}

/* An answer that comes late by less than the packet lasts is heard in part, and brings the decoder
 * up to date. That is worth one try; more are better spent on the packets behind it. */
static bool is_worth_it(const struct vox_missing *m, const struct vox_missing_packet *packet,
                        const struct vox_missing_view *view)
{
    int64_t late_ns = packet->tries == 0 ? vox_rtp_to_ns(m->ticks) : 0;
    return rtt_ns(m, view) < left_ns(packet, view) + late_ns;
}

static bool is_exhausted(const struct vox_missing_packet *packet)
{
    return packet->tries >= (packet->is_guess ? VOX_MISSING_GUESSES : VOX_MISSING_TRIES);
}

static int64_t overdue_ns(const struct vox_missing *m, const struct vox_missing_view *view)
{
    int64_t ahead = m->frontier - m->newest;
    int64_t ts = m->newest_end_ts + ahead * m->ticks;
    bool expected = m->started && m->steady >= STEADY && ahead < VOX_MISSING_AHEAD;
    if (!expected || view->is_ending)
        return VOX_NS_NEVER;
    return view->base_ns + vox_rtp_to_ns(ts) + m->patience_ns +
           (int64_t)(m->late_ns + 4 * m->late_deviation_ns);
}

static int64_t first_of_span(const struct vox_missing *m)
{
    return m->frontier - VOX_MISSING_SPAN + 1;
}

int64_t vox_missing_next_ns(const struct vox_missing *m, const struct vox_missing_view *view)
{
    int64_t next_ns = overdue_ns(m, view);
    int left = m->wanted;
    for (int64_t index = m->frontier; left > 0 && index >= first_of_span(m); index--) {
        const struct vox_missing_packet *packet = &m->packets[(uint64_t)index % VOX_MISSING_KEPT];
        if (packet->index != index || packet->state != VOX_MISSING_WANTED)
            continue;
        left--;
        if (!is_exhausted(packet) && packet->due_ns < next_ns)
            next_ns = packet->due_ns;
    }
    return next_ns;
}

static void guess(struct vox_missing *m, const struct vox_missing_view *view)
{
    while (overdue_ns(m, view) <= view->now_ns) {
        int64_t ts = m->newest_end_ts + (m->frontier - m->newest) * m->ticks;
        set_frontier(m, m->frontier + 1);
        if (!is_blank(m, m->frontier))
            want(m, m->frontier, ts, view->now_ns, true);
    }
}

/* Where nobody answers, it is tried now and then. */
static bool may_ask(struct vox_missing *m, int64_t now_ns)
{
    if (m->unanswered < NOBODY_ANSWERS)
        return true;
    if (now_ns - m->probed_ns < PROBE_NS)
        return false;
    m->probed_ns = now_ns;
    return true;
}

static void give_up(struct vox_missing *m, struct vox_missing_packet *packet)
{
    m->unanswered += packet->tries > 0 && !packet->is_guess && m->unanswered < NOBODY_ANSWERS;
    want_no_more(m, packet);
}

/* The first tries follow each other as fast as they can; the others share the time that is left,
 * since what loses several in a row lasts. */
static int64_t spread_ns(const struct vox_missing_packet *packet,
                         const struct vox_missing_view *view)
{
    return packet->tries <= FAST_TRIES ? 0 : left_ns(packet, view) / SHARES;
}

static bool ask_for(struct vox_missing *m, struct vox_missing_packet *packet,
                    const struct vox_missing_view *view)
{
    if (packet->due_ns > view->now_ns || (is_exhausted(packet) && packet->is_guess))
        return false;
    if (is_exhausted(packet) || !is_worth_it(m, packet, view) || !may_ask(m, view->now_ns)) {
        give_up(m, packet);
        return false;
    }
    m->asked += packet->tries == 0;
    m->retried += packet->tries > 0;
    m->guessed += packet->tries == 0 && packet->is_guess;
    packet->tries++;
    packet->asked_ns = view->now_ns;
    packet->due_ns = view->now_ns + larger(retry_ns(m, view), spread_ns(packet, view));
    return true;
}

int vox_missing_ask(struct vox_missing *m, const struct vox_missing_view *view,
                    int64_t indices[VOX_MISSING_SPAN])
{
    int count = 0;
    guess(m, view);
    for (int64_t index = first_of_span(m); m->wanted > 0 && index <= m->frontier; index++) {
        struct vox_missing_packet *packet = find(m, index);
        if (packet && packet->state == VOX_MISSING_WANTED && ask_for(m, packet, view))
            indices[count++] = index;
    }
    return count;
}
