#include "receiver/reception.h"

#include "base/time.h"

#include <string.h>

void vox_reception_init(struct vox_reception *r)
{
    memset(r, 0, sizeof *r);
}

static uint64_t *word_of(struct vox_reception *r, int64_t index)
{
    return &r->came[(uint64_t)index % VOX_RECEPTION_PACKETS / 64];
}

static uint64_t bit_of(int64_t index)
{
    return UINT64_C(1) << ((uint64_t)index % 64);
}

/* The ring moves on: what is newer than the highest so far has not come yet. */
static void advance(struct vox_reception *r, int64_t index)
{
    int64_t oldest = index - VOX_RECEPTION_PACKETS + 1;
    int64_t from = r->highest_index + 1 > oldest ? r->highest_index + 1 : oldest;
    for (int64_t i = from; i <= index; i++)
        *word_of(r, i) &= ~bit_of(i);
    r->highest_index = index;
}

static void remember(struct vox_reception *r, int64_t index)
{
    if (index > r->highest_index - VOX_RECEPTION_PACKETS)
        *word_of(r, index) |= bit_of(index);
}

static bool came(const struct vox_reception *r, int64_t index)
{
    return (r->came[(uint64_t)index % VOX_RECEPTION_PACKETS / 64] & bit_of(index)) != 0;
}

/* It came, lately. */
static bool is_remembered(const struct vox_reception *r, int64_t index)
{
    return index <= r->highest_index && index > r->highest_index - VOX_RECEPTION_PACKETS &&
           came(r, index);
}

bool vox_reception_lacks(const struct vox_reception *r, int64_t index)
{
    if (!r->started || index > r->highest_index)
        return true;
    return index > r->highest_index - VOX_RECEPTION_PACKETS && !came(r, index);
}

/* A number that is new. */
static void count(struct vox_reception *r, int64_t index)
{
    r->unique++;
    if (index < r->highest_index)
        r->reordered++;
    else
        advance(r, index);
    remember(r, index);
    if (index < r->first_index)
        r->first_index = index;
}

void vox_reception_other(struct vox_reception *r, int64_t index)
{
    if (r->started && vox_reception_lacks(r, index))
        count(r, index);
}

void vox_reception_packet(struct vox_reception *r, int64_t index, int64_t ts, int64_t arrival_ns)
{
    int64_t transit_ns = arrival_ns - vox_rtp_to_ns(ts);
    if (!r->started) {
        r->started = true;
        r->first_index = index;
        r->highest_index = index;
        r->last_transit_ns = transit_ns;
    }
    if (!is_remembered(r, index))
        count(r, index);
    int64_t d = transit_ns - r->last_transit_ns;
    r->last_transit_ns = transit_ns;
    r->jitter_ns += ((double)(d < 0 ? -d : d) - r->jitter_ns) / 16;
}

void vox_reception_sender_report(struct vox_reception *r, uint64_t ntp, int64_t arrival_ns)
{
    r->last_sr = vox_ntp_middle(ntp);
    r->last_sr_arrival_ns = arrival_ns;
}

static int64_t expected(const struct vox_reception *r)
{
    return r->started ? r->highest_index - r->first_index + 1 : 0;
}

uint64_t vox_reception_lost(const struct vox_reception *r)
{
    int64_t lost = expected(r) - (int64_t)r->unique;
    return lost > 0 ? (uint64_t)lost : 0;
}

int64_t vox_reception_lost_since(const struct vox_reception *r, int64_t *expected_step)
{
    *expected_step = expected(r) - r->expected_before;
    int64_t lost = *expected_step - ((int64_t)r->unique - r->received_before);
    return lost > 0 ? lost : 0;
}

int64_t vox_reception_run(const struct vox_reception *r, int64_t from, int count,
                          struct vox_rtcp_xr_loss *loss)
{
    int64_t first = r->highest_index - count + 1;
    first = first > r->first_index ? first : r->first_index;
    first = first > from ? first : from;
    for (int64_t i = first; r->started && i <= r->highest_index; i++)
        vox_rtcp_xr_loss_push(loss, came(r, i));
    return first;
}

void vox_reception_report(struct vox_reception *r, uint32_t ssrc, int64_t now_ns,
                          struct vox_rtcp_block *out)
{
    int64_t expected_step;
    int64_t expected_now = expected(r);
    int64_t lost_step = vox_reception_lost_since(r, &expected_step);
    r->expected_before = expected_now;
    r->received_before = (int64_t)r->unique;
    bool any = expected_step > 0 && lost_step > 0;
    int64_t fraction = any ? lost_step * 256 / expected_step : 0;
    int64_t since_sr_ns = now_ns - r->last_sr_arrival_ns;
    *out = (struct vox_rtcp_block){
        .ssrc = ssrc,
        .fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction),
        .cumulative_lost = (int32_t)(expected_now - (int64_t)r->unique),
        .highest_seq = (uint32_t)r->highest_index,
        .jitter = (uint32_t)vox_ns_to_rtp((int64_t)r->jitter_ns),
        .last_sr = r->last_sr,
        .delay_since_sr = r->last_sr ? (uint32_t)vox_ns_to_ticks(since_sr_ns, 65536) : 0,
    };
}
