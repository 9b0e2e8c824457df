/* Packets sent into a simulated network, and what became of them. */
#ifndef VOX_TEST_SENDING_H
#define VOX_TEST_SENDING_H

#include "base/rt.h"
#include "base/time.h"
#include "channel/impair.h"
#include "support/test.h"

enum { PACKETS = 200000, INTERVAL_MS = 20 };
#define INTERVAL_NS (INTERVAL_MS * VOX_NS_PER_MS)

static struct vox_fate fates[PACKETS];

static inline struct vox_impair_config defaults(void)
{
    struct vox_impair_config config;
    vox_impair_config_init(&config);
    return config;
}

/* Sends `count` packets of `bytes` every step_ns from time 0. */
static inline struct vox_impair_stats run(const struct vox_impair_config *config, int64_t step_ns,
                                          size_t bytes, size_t count, struct vox_fate *out)
{
    struct vox_impair *impair = NULL;
    assert_int_equal(vox_impair_create(config, &impair), 0);
    vox_rt_enter();
    for (size_t i = 0; i < count; i++)
        vox_impair_packet(impair, (int64_t)i * step_ns, bytes, &out[i]);
    vox_rt_leave();
    struct vox_impair_stats stats = *vox_impair_stats(impair);
    vox_impair_destroy(impair);
    return stats;
}

#endif
