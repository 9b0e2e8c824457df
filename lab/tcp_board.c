#include "lab/tcp_board.h"

#include <string.h>

struct vox_tcp_sent *vox_tcp_board_add(struct vox_tcp_board *b, struct vox_tcp_range range)
{
    if (b->count == VOX_TCP_BOARD_SEGMENTS)
        return NULL;
    b->sent[b->count] = (struct vox_tcp_sent){.range = range};
    return &b->sent[b->count++];
}

/* ---- counts ---- */

int vox_tcp_board_in_flight(const struct vox_tcp_board *b)
{
    int n = 0;
    for (int i = 0; i < b->count; i++)
        n += (!b->sent[i].sacked && !b->sent[i].lost) + b->sent[i].again;
    return n;
}

int vox_tcp_board_sacked(const struct vox_tcp_board *b)
{
    int n = 0;
    for (int i = 0; i < b->count; i++)
        n += b->sent[i].sacked;
    return n;
}

int vox_tcp_board_lost(const struct vox_tcp_board *b)
{
    int n = 0;
    for (int i = 0; i < b->count; i++)
        n += b->sent[i].lost && !b->sent[i].again;
    return n;
}

int vox_tcp_board_repeating(const struct vox_tcp_board *b)
{
    int n = 0;
    for (int i = 0; i < b->count; i++)
        n += b->sent[i].again;
    return n;
}

/* ---- what was delivered ---- */

static bool sent_after(int64_t a_ns, int64_t a_end, int64_t b_ns, int64_t b_end)
{
    return a_ns > b_ns || (a_ns == b_ns && a_end > b_end);
}

static void note_delivery(struct vox_tcp_board *b, const struct vox_tcp_sent *sent, int64_t now_ns,
                          int64_t least_rtt_ns)
{
    int64_t rtt_ns = now_ns - sent->sent_ns;
    if (sent->repeated && rtt_ns < least_rtt_ns)
        return;
    b->rtt_ns = rtt_ns;
    if (sent_after(sent->sent_ns, sent->range.end, b->latest_ns, b->latest_end)) {
        b->latest_ns = sent->sent_ns;
        b->latest_end = sent->range.end;
    }
}

static bool is_told(const struct vox_tcp_ack *ack, const struct vox_tcp_range *range)
{
    bool told = false;
    for (int i = 0; i < ack->blocks; i++)
        told |= ack->sacked[i].begin <= range->begin && range->end <= ack->sacked[i].end;
    return told;
}

static int64_t highest_sacked(const struct vox_tcp_board *b)
{
    int64_t highest = 0;
    for (int i = 0; i < b->count; i++)
        highest = b->sent[i].sacked ? b->sent[i].range.end : highest;
    return highest;
}

static void note_original(struct vox_tcp_news *news, const struct vox_tcp_sent *sent)
{
    if (sent->range.end < news->original_end)
        news->original_end = sent->range.end;
}

static void take_sacked(struct vox_tcp_board *b, const struct vox_tcp_ack *ack, int64_t now_ns,
                        int64_t least_rtt_ns, struct vox_tcp_news *news)
{
    int64_t highest = highest_sacked(b);
    for (int i = 0; i < b->count; i++) {
        struct vox_tcp_sent *sent = &b->sent[i];
        if (sent->sacked || !is_told(ack, &sent->range))
            continue;
        if (!sent->repeated) {
            b->reordering_seen |= sent->range.end <= highest;
            news->rtt_ns = news->rtt_ns < 0 ? now_ns - sent->sent_ns : news->rtt_ns;
            note_original(news, sent);
        }
        note_delivery(b, sent, now_ns, least_rtt_ns);
        sent->sacked = true;
        sent->lost = false;
        sent->again = false;
        news->delivered++;
        news->sacked++;
    }
}

/*
 * highest: of what had been told selectively before. Of what has waited behind a gap that was
 * mended nobody knows how long that was: no measurement (Karn's algorithm; RFC 6298, section 3).
 */
static void take_acked(struct vox_tcp_board *b, const struct vox_tcp_ack *ack, int64_t now_ns,
                       int64_t least_rtt_ns, int64_t highest, struct vox_tcp_news *news)
{
    int64_t rtt_ns = -1;
    bool any_repeated = false;
    int gone = 0;
    for (; gone < b->count && b->sent[gone].range.end <= ack->next; gone++) {
        const struct vox_tcp_sent *sent = &b->sent[gone];
        any_repeated |= sent->repeated;
        if (sent->sacked)
            continue;
        if (!sent->repeated) { /* the oldest: with all that an answer may wait */
            rtt_ns = rtt_ns < 0 ? now_ns - sent->sent_ns : rtt_ns;
            b->reordering_seen |= sent->range.end <= highest;
            note_original(news, sent);
        }
        if (!sent->repeated || ack->echo_ns < 0 || ack->echo_ns >= sent->sent_ns)
            note_delivery(b, sent, now_ns, least_rtt_ns);
        news->delivered++;
    }
    if (rtt_ns >= 0 && !any_repeated)
        news->rtt_ns = rtt_ns;
    news->acked = gone;
    b->count -= gone;
    memmove(b->sent, b->sent + gone, (size_t)b->count * sizeof b->sent[0]);
    if (b->count > 0 && b->sent[0].range.begin < ack->next)
        b->sent[0].range.begin = ack->next;
}

void vox_tcp_board_take(struct vox_tcp_board *b, const struct vox_tcp_ack *ack, int64_t now_ns,
                        int64_t least_rtt_ns, struct vox_tcp_news *news)
{
    int64_t highest = highest_sacked(b);
    *news = (struct vox_tcp_news){.rtt_ns = -1, .original_end = INT64_MAX};
    take_sacked(b, ack, now_ns, least_rtt_ns, news);
    take_acked(b, ack, now_ns, least_rtt_ns, highest, news);
}

/* ---- what was not (RFC 8985, section 6.2) ---- */

/* How long one must still be waited for; 0 or less: it is lost. */
static int64_t patience_ns(const struct vox_tcp_board *b, const struct vox_tcp_sent *sent,
                           int64_t now_ns, int64_t window_ns)
{
    return b->rtt_ns + window_ns - (now_ns - sent->sent_ns);
}

static void mark_lost(struct vox_tcp_sent *sent)
{
    sent->lost = true;
    sent->again = false;
}

int64_t vox_tcp_board_find_losses(struct vox_tcp_board *b, int64_t now_ns, int64_t window_ns,
                                  bool *again)
{
    int64_t longest_ns = 0;
    *again = false;
    for (int i = 0; i < b->count; i++) {
        struct vox_tcp_sent *sent = &b->sent[i];
        if (sent->sacked || (sent->lost && !sent->again) ||
            !sent_after(b->latest_ns, b->latest_end, sent->sent_ns, sent->range.end))
            continue;
        int64_t left_ns = patience_ns(b, sent, now_ns, window_ns);
        if (left_ns <= 0) {
            *again |= sent->again;
            mark_lost(sent);
        } else {
            longest_ns = left_ns > longest_ns ? left_ns : longest_ns;
        }
    }
    return longest_ns;
}

void vox_tcp_board_give_up(struct vox_tcp_board *b, int64_t now_ns)
{
    for (int i = 0; i < b->count; i++) {
        struct vox_tcp_sent *sent = &b->sent[i];
        if (!sent->sacked && (i == 0 || patience_ns(b, sent, now_ns, 0) <= 0))
            mark_lost(sent);
    }
}

void vox_tcp_board_undo(struct vox_tcp_board *b)
{
    for (int i = 0; i < b->count; i++)
        b->sent[i].lost = false;
}

void vox_tcp_board_merge(struct vox_tcp_board *b, int i, int mss)
{
    struct vox_tcp_sent *head = &b->sent[i];
    while (i + 1 < b->count) {
        const struct vox_tcp_sent *next = &b->sent[i + 1];
        if (next->sacked || next->range.end - head->range.begin > mss)
            break;
        head->range.end = next->range.end;
        b->count--;
        memmove(&b->sent[i + 1], &b->sent[i + 2], (size_t)(b->count - i - 1) * sizeof *head);
    }
}
