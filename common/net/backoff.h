/*
 * When to try again: pauses that grow while it fails, so that whoever is in trouble is not beaten
 * further, with chance in them, so that a crowd that was lost at once does not come back at once.
 * A pure value; time is passed in.
 *
 *     struct vox_backoff backoff;
 *     vox_backoff_init(&backoff, seed);
 *     ...
 *     again_ns = vox_backoff_failed(&backoff, now_ns);      // 0.25 s, 0.5 s, ... 10 s
 *     vox_backoff_connected(&backoff, now_ns);
 *     again_ns = vox_backoff_failed(&backoff, now_ns);      // lost: if it lived, 0.25 s once more
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_NET_BACKOFF_H
#define VOX_NET_BACKOFF_H

#include "base/rng.h"
#include "base/time.h"

#define VOX_BACKOFF_FIRST_NS (250 * VOX_NS_PER_MS)
#define VOX_BACKOFF_LONGEST_NS (10 * VOX_NS_PER_S)
/* A connection that lived so long was one; a shorter one may be a peer that refuses by closing. */
#define VOX_BACKOFF_LIVED_NS (10 * VOX_NS_PER_S)

/* All private. */
struct vox_backoff {
    struct vox_rng rng;
    int64_t pause_ns;
    int64_t connected_ns; /* VOX_NS_NEVER: it is not */
};

void vox_backoff_init(struct vox_backoff *backoff, uint64_t seed);
void vox_backoff_connected(struct vox_backoff *backoff, int64_t now_ns);
/* It failed, or was lost. Returns when to try again: 75 to 100 % of the pause from now. */
int64_t vox_backoff_failed(struct vox_backoff *backoff, int64_t now_ns);

#endif
