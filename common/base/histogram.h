/*
 * Histogram of non-negative times with bounded relative error (log-linear buckets, as in
 * HdrHistogram): 1 us below 128 us, then under 0.8 % of the value, up to 68 s. Fixed memory.
 *
 *     struct vox_histogram h;
 *     vox_histogram_init(&h);
 *     vox_histogram_add(&h, delay_ns);
 *     int64_t p95_ns = vox_histogram_quantile_ns(&h, 0.95);
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_BASE_HISTOGRAM_H
#define VOX_BASE_HISTOGRAM_H

#include <stdint.h>

enum {
    VOX_HISTOGRAM_SUB_BITS = 7, /* 128 buckets to an octave */
    VOX_HISTOGRAM_OCTAVES = 20, /* 128 us .. 2^26 us */
    VOX_HISTOGRAM_BUCKETS = (VOX_HISTOGRAM_OCTAVES) << VOX_HISTOGRAM_SUB_BITS,
};

struct vox_histogram {
    uint64_t count;
    int64_t min_ns; /* of all values added; 0 when empty */
    int64_t max_ns;
    double sum_ns;
    uint32_t buckets[VOX_HISTOGRAM_BUCKETS];
};

void vox_histogram_init(struct vox_histogram *h);
/* Values below 0 count as 0, beyond the range as its end (min, max and mean stay exact). */
void vox_histogram_add(struct vox_histogram *h, int64_t value_ns);
/* Smallest bucket middle that at least q (0..1) of the values do not exceed; 0 when empty. */
int64_t vox_histogram_quantile_ns(const struct vox_histogram *h, double q);
int64_t vox_histogram_mean_ns(const struct vox_histogram *h);

#endif
