#include "receiver/rtt.h"

#include "base/time.h"

#include <string.h>

#define WINDOW_NS (10 * VOX_NS_PER_S)

/* RFC 6298, section 2: alpha 1/8, beta 1/4, K 4. */
enum { ALPHA_SHARE = 8, BETA_SHARE = 4, K = 4 };

void vox_rtt_init(struct vox_rtt *rtt)
{
    memset(rtt, 0, sizeof *rtt);
    rtt->latest_ns = -1;
    rtt->smoothed_ns = -1;
}

void vox_rtt_add(struct vox_rtt *rtt, int64_t rtt_ns, int64_t now_ns)
{
    if (rtt->count == 0) {
        rtt->smoothed_ns = rtt_ns;
        rtt->deviation_ns = rtt_ns / 2;
    } else {
        int64_t off_ns = rtt_ns - rtt->smoothed_ns;
        int64_t distance_ns = off_ns < 0 ? -off_ns : off_ns;
        rtt->deviation_ns += (distance_ns - rtt->deviation_ns) / BETA_SHARE;
        rtt->smoothed_ns += off_ns / ALPHA_SHARE;
    }
    rtt->latest_ns = rtt_ns;
    rtt->samples[rtt->count % VOX_RTT_SAMPLES].t_ns = now_ns;
    rtt->samples[rtt->count % VOX_RTT_SAMPLES].rtt_ns = rtt_ns;
    rtt->count++;
}

bool vox_rtt_is_known(const struct vox_rtt *rtt)
{
    return rtt->count > 0;
}

int64_t vox_rtt_least_ns(const struct vox_rtt *rtt, int64_t now_ns)
{
    int64_t least_ns = rtt->latest_ns;
    for (uint64_t i = 0; i < rtt->count && i < VOX_RTT_SAMPLES; i++)
        if (now_ns - rtt->samples[i].t_ns <= WINDOW_NS && rtt->samples[i].rtt_ns < least_ns)
            least_ns = rtt->samples[i].rtt_ns;
    return least_ns;
}

int64_t vox_rtt_bound_ns(const struct vox_rtt *rtt)
{
    return rtt->count > 0 ? rtt->smoothed_ns + K * rtt->deviation_ns : -1;
}
