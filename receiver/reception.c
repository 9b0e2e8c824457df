#include "receiver/reception.h"

#include "base/time.h"

#include <string.h>

void vox_reception_init(struct vox_reception *r)
{
    memset(r, 0, sizeof *r);
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
    r->unique++;
    if (index < r->highest_index)
        r->reordered++;
    else
        r->highest_index = index;
    if (index < r->first_index)
        r->first_index = index;
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

void vox_reception_report(struct vox_reception *r, uint32_t ssrc, int64_t now_ns,
                          struct vox_rtcp_block *out)
{
    int64_t expected_now = expected(r);
    int64_t expected_step = expected_now - r->expected_before;
    int64_t lost_step = expected_step - ((int64_t)r->unique - r->received_before);
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
