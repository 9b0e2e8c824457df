#include "receiver/latency.h"

#include "base/time.h"

void vox_latency_init(struct vox_latency *latency)
{
    vox_histogram_init(&latency->network);
    vox_histogram_init(&latency->buffer);
    vox_histogram_init(&latency->total);
    latency->has_capture_zero = false;
}

void vox_latency_set_capture_zero(struct vox_latency *latency, int64_t zero_ns)
{
    if (!latency->has_capture_zero)
        vox_histogram_init(&latency->total);
    latency->has_capture_zero = true;
    latency->capture_zero_ns = zero_ns;
}

void vox_latency_add(struct vox_latency *latency, int64_t base_ns, int64_t ts, int64_t arrival_ns,
                     int64_t playout_ns)
{
    int64_t media_ns = vox_rtp_to_ns(ts);
    int64_t zero_ns = latency->has_capture_zero ? latency->capture_zero_ns : base_ns;
    vox_histogram_add(&latency->network, arrival_ns - base_ns - media_ns);
    vox_histogram_add(&latency->buffer, playout_ns - arrival_ns);
    vox_histogram_add(&latency->total, playout_ns - zero_ns - media_ns);
}

static struct vox_quantiles quantiles(const struct vox_histogram *h)
{
    return (struct vox_quantiles){
        .p50_ns = vox_histogram_quantile_ns(h, 0.50),
        .p95_ns = vox_histogram_quantile_ns(h, 0.95),
        .p99_ns = vox_histogram_quantile_ns(h, 0.99),
        .max_ns = h->max_ns,
        .mean_ns = vox_histogram_mean_ns(h),
    };
}

void vox_latency_read(const struct vox_latency *latency, struct vox_source_stats *out)
{
    out->delay.network = quantiles(&latency->network);
    out->delay.buffer = quantiles(&latency->buffer);
    out->delay.total = quantiles(&latency->total);
    out->total_is_absolute = latency->has_capture_zero;
}
