/*
 * The settings of a replay in words, for its report.
 *
 * Thread rule: value, one owner.
 */
#ifndef VOX_LAB_REPLAY_SETTINGS_H
#define VOX_LAB_REPLAY_SETTINGS_H

#include "lab/replay.h"

enum { VOX_REPLAY_SETTINGS = 12, VOX_REPLAY_SETTING_BYTES = 160 };

struct vox_replay_settings {
    char values[VOX_REPLAY_SETTINGS][VOX_REPLAY_SETTING_BYTES];
    const char *words[2 * VOX_REPLAY_SETTINGS + 1]; /* name, value, ..., NULL */
    int count;
};

/* Points into itself: not to be copied. */
void vox_replay_settings_describe(const struct vox_replay_options *options,
                                  struct vox_replay_settings *out);

#endif
