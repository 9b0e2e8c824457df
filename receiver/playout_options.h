/*
 * The options of the playout, the same in every program that has one: rows for its table of
 * options, and the way from there to the engine (receiver/receiver.h).
 *
 *     struct vox_playout_options playout;
 *     vox_playout_options_init(&playout);
 *     count += vox_playout_options_rows(&playout, false, rows + count);
 *     ...                                                   // vox_options_parse
 *     if (!vox_playout_options_check(&playout))
 *         return VOX_OPTIONS_WRONG;
 *     vox_playout_options_apply(&playout, &config);
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_RECEIVER_PLAYOUT_OPTIONS_H
#define VOX_RECEIVER_PLAYOUT_OPTIONS_H

#include "cli/options.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_PLAYOUT_OPTIONS = 5 };

struct vox_playout_options {
    int64_t delay_ns; /* below 0: adaptive */
    int64_t min_delay_ns, max_delay_ns;
    int prefer; /* enum vox_prefer */
    int music;  /* bool: nothing is stretched */
};

/* The engine's defaults. */
void vox_playout_options_init(struct vox_playout_options *options);

/*
 * Writes VOX_PLAYOUT_OPTIONS rows that write into options, and returns how many that are.
 * prefixed: --playout-delay and --playout-profile, where --delay is the network's and --profile the
 * encoder's.
 */
size_t vox_playout_options_rows(struct vox_playout_options *options, bool prefixed,
                                struct vox_option *rows);

/* Whether they go together; says on stderr what does not. */
bool vox_playout_options_check(const struct vox_playout_options *options);

void vox_playout_options_apply(const struct vox_playout_options *options,
                               struct vox_receiver_config *config);

#endif
