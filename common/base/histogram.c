#include "base/histogram.h"

#include "base/time.h"

#include <string.h>

enum { SUB = 1 << VOX_HISTOGRAM_SUB_BITS };

static int log2_floor(uint64_t x)
{
    int bits = 0;
    while (x >>= 1)
        bits++;
    return bits;
}

/* Bucket of a time in us: linear below SUB, then SUB buckets to each octave. */
static int bucket_of(uint64_t us)
{
    if (us < SUB)
        return (int)us;
    int octave = log2_floor(us) - VOX_HISTOGRAM_SUB_BITS;
    int index = octave * SUB + (int)(us >> octave);
    return index < VOX_HISTOGRAM_BUCKETS ? index : VOX_HISTOGRAM_BUCKETS - 1;
}

static int64_t bucket_middle_ns(int index)
{
    if (index < SUB)
        return index * VOX_NS_PER_US;
    int octave = (index >> VOX_HISTOGRAM_SUB_BITS) - 1;
    int64_t low_us = (int64_t)(SUB + (index & (SUB - 1))) << octave;
    return low_us * VOX_NS_PER_US + ((VOX_NS_PER_US << octave) - VOX_NS_PER_US) / 2;
}

void vox_histogram_init(struct vox_histogram *h)
{
    memset(h, 0, sizeof *h);
}

void vox_histogram_add(struct vox_histogram *h, int64_t value_ns)
{
    int64_t value = value_ns < 0 ? 0 : value_ns;
    if (h->count == 0 || value < h->min_ns)
        h->min_ns = value;
    if (value > h->max_ns)
        h->max_ns = value;
    h->count++;
    h->sum_ns += (double)value;
    h->buckets[bucket_of((uint64_t)(value + VOX_NS_PER_US / 2) / (uint64_t)VOX_NS_PER_US)]++;
}

int64_t vox_histogram_quantile_ns(const struct vox_histogram *h, double q)
{
    if (h->count == 0)
        return 0;
    double need = q * (double)h->count;
    uint64_t seen = 0;
    for (int i = 0; i < VOX_HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && (double)seen >= need) {
            int64_t middle = bucket_middle_ns(i);
            return middle > h->max_ns ? h->max_ns : middle < h->min_ns ? h->min_ns : middle;
        }
    }
    return h->max_ns;
}

int64_t vox_histogram_mean_ns(const struct vox_histogram *h)
{
    return h->count ? (int64_t)(h->sum_ns / (double)h->count) : 0;
}
