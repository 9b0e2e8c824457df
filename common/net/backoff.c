#include "net/backoff.h"

static const double JITTER = 0.25;

void vox_backoff_init(struct vox_backoff *backoff, uint64_t seed)
{
    vox_rng_init(&backoff->rng, seed, 0);
    backoff->pause_ns = VOX_BACKOFF_FIRST_NS;
    backoff->connected_ns = VOX_NS_NEVER;
}

void vox_backoff_connected(struct vox_backoff *backoff, int64_t now_ns)
{
    backoff->connected_ns = now_ns;
}

int64_t vox_backoff_failed(struct vox_backoff *backoff, int64_t now_ns)
{
    if (backoff->connected_ns != VOX_NS_NEVER &&
        now_ns - backoff->connected_ns >= VOX_BACKOFF_LIVED_NS)
        backoff->pause_ns = VOX_BACKOFF_FIRST_NS;
    backoff->connected_ns = VOX_NS_NEVER;
    double share = 1.0 - JITTER * vox_rng_uniform(&backoff->rng);
    int64_t again_ns = now_ns + (int64_t)(share * (double)backoff->pause_ns);
    backoff->pause_ns *= 2;
    if (backoff->pause_ns > VOX_BACKOFF_LONGEST_NS)
        backoff->pause_ns = VOX_BACKOFF_LONGEST_NS;
    return again_ns;
}
