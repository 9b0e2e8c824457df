#include "lab/tcp_clock.h"

#define FIRST_RTO_NS VOX_NS_PER_S           /* RFC 6298, section 2.1 */
#define LONGEST_RTO_NS (120 * VOX_NS_PER_S) /* Linux */

void vox_tcp_clock_init(struct vox_tcp_clock *clock, int64_t rto_min_ns)
{
    *clock = (struct vox_tcp_clock){
        .rto_min_ns = rto_min_ns, .least_ns = VOX_NS_NEVER, .rto_ns = FIRST_RTO_NS};
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void begin(struct vox_tcp_clock *c, int64_t rtt_ns, int64_t sent)
{
    c->smooth_ns = rtt_ns;
    c->deviation_ns = 2 * rtt_ns;
    c->variation_ns = larger(c->deviation_ns, c->rto_min_ns);
    c->most_deviation_ns = c->variation_ns;
    c->round_end = sent;
}

/* Of a deviation that becomes smaller because the way has become faster, less is believed: else the
 * timeout would grow with it (Linux, tcp_rtt_estimator). */
static void smooth(struct vox_tcp_clock *c, int64_t rtt_ns)
{
    int64_t error_ns = rtt_ns - c->smooth_ns;
    c->smooth_ns = larger(c->smooth_ns + error_ns / 8, 1);
    int64_t step_ns = (error_ns < 0 ? -error_ns : error_ns) - c->deviation_ns / 4;
    if (error_ns < 0 && step_ns > 0)
        step_ns /= 8;
    c->deviation_ns += step_ns;
    c->most_deviation_ns = larger(c->most_deviation_ns, c->deviation_ns);
    c->variation_ns = larger(c->variation_ns, c->most_deviation_ns);
}

void vox_tcp_clock_measure(struct vox_tcp_clock *c, int64_t rtt_ns, int64_t acked, int64_t sent)
{
    rtt_ns = larger(rtt_ns, 1);
    c->least_ns = rtt_ns < c->least_ns ? rtt_ns : c->least_ns;
    if (c->smooth_ns == 0)
        begin(c, rtt_ns, sent);
    else
        smooth(c, rtt_ns);
    if (acked > c->round_end) {
        if (c->most_deviation_ns < c->variation_ns)
            c->variation_ns -= (c->variation_ns - c->most_deviation_ns) / 4;
        c->round_end = sent;
        c->most_deviation_ns = c->rto_min_ns;
    }
    c->rto_ns = smaller(c->smooth_ns + c->variation_ns, LONGEST_RTO_NS);
}

void vox_tcp_clock_back_off(struct vox_tcp_clock *c)
{
    c->rto_ns = smaller(2 * c->rto_ns, LONGEST_RTO_NS);
}

int64_t vox_tcp_clock_probe_ns(const struct vox_tcp_clock *c, bool alone)
{
    if (c->smooth_ns == 0)
        return FIRST_RTO_NS;
    return 2 * c->smooth_ns + (alone ? c->rto_min_ns : VOX_TCP_TIMER_NS);
}
