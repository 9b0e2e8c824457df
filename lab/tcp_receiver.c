#include "lab/tcp_receiver.h"

#include "base/time.h"

#include <string.h>

/* As Linux begins, so that a window that is still small opens fast. */
enum { QUICK_ACKS = 16 };

void vox_tcp_receiver_init(struct vox_tcp_receiver *receiver, int64_t delayed_ack_ns)
{
    *receiver = (struct vox_tcp_receiver){
        .echo_ns = -1,
        .ack_due_ns = VOX_NS_NEVER,
        .delayed_ack_ns = delayed_ack_ns,
        .quick = QUICK_ACKS,
    };
}

static void drop_range(struct vox_tcp_receiver *r, int i)
{
    r->held--;
    memmove(&r->ranges[i], &r->ranges[i + 1], (size_t)(r->held - i) * sizeof r->ranges[0]);
}

/* Joined with what it touches, and the latest. Of too many gaps the oldest range is forgotten, as a
 * receiver may (RFC 2018, section 8): it comes again. */
static void hold(struct vox_tcp_receiver *r, struct vox_tcp_range range)
{
    for (int i = 0; i < r->held;) {
        struct vox_tcp_range *other = &r->ranges[i];
        if (other->begin > range.end || other->end < range.begin) {
            i++;
            continue;
        }
        r->duplicate |= other->begin <= range.begin && range.end <= other->end;
        range.begin = other->begin < range.begin ? other->begin : range.begin;
        range.end = other->end > range.end ? other->end : range.end;
        drop_range(r, i);
    }
    if (r->held == VOX_TCP_HELD_RANGES)
        r->held--;
    memmove(&r->ranges[1], &r->ranges[0], (size_t)r->held * sizeof r->ranges[0]);
    r->ranges[0] = range;
    r->held++;
}

static void advance(struct vox_tcp_receiver *r, int64_t end)
{
    r->next = end;
    for (int i = 0; i < r->held;) {
        if (r->ranges[i].begin > r->next) {
            i++;
            continue;
        }
        r->next = r->ranges[i].end > r->next ? r->ranges[i].end : r->next;
        drop_range(r, i);
        i = 0;
    }
}

void vox_tcp_receiver_take(struct vox_tcp_receiver *r, const struct vox_tcp_segment *segment,
                           int64_t now_ns)
{
    bool gap_before = r->held > 0;
    r->duplicate = segment->range.end <= r->next;
    if (segment->range.begin <= r->acked && segment->sent_ns > r->echo_ns)
        r->echo_ns = segment->sent_ns; /* RFC 7323, section 4.3 */
    if (segment->range.begin > r->next)
        hold(r, segment->range);
    else if (!r->duplicate)
        advance(r, segment->range.end);
    r->unacked++;
    bool at_once = gap_before || r->held > 0 || r->duplicate || r->unacked >= 2 || r->quick > 0;
    int64_t due_ns = at_once ? now_ns : now_ns + r->delayed_ack_ns;
    r->ack_due_ns = due_ns < r->ack_due_ns ? due_ns : r->ack_due_ns;
}

void vox_tcp_receiver_ack(struct vox_tcp_receiver *r, struct vox_tcp_ack *out)
{
    *out = (struct vox_tcp_ack){
        .next = r->next,
        .echo_ns = r->echo_ns,
        .duplicate = r->duplicate,
        .blocks = r->held < VOX_TCP_SACK_BLOCKS ? r->held : VOX_TCP_SACK_BLOCKS,
    };
    if (out->duplicate && out->blocks == VOX_TCP_SACK_BLOCKS)
        out->blocks--; /* what is told of the duplicate takes a block */
    memcpy(out->sacked, r->ranges, (size_t)out->blocks * sizeof r->ranges[0]);
    r->acked = r->next;
    r->ack_due_ns = VOX_NS_NEVER;
    r->unacked = 0;
    r->duplicate = false;
    r->quick -= r->quick > 0;
}
