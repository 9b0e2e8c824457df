/*
 * The options of the encoder and of what protects its packets, the same in every program that has
 * one: rows for its table of options, and the way from there to the engine (sender/sender.h).
 *
 *     struct vox_encoding_options encoding;
 *     vox_encoding_options_init(&encoding);
 *     count += vox_encoding_options_rows(&encoding, rows + count);
 *     ...                                                   // vox_options_parse
 *     if (!vox_encoding_options_settle(&encoding))
 *         return VOX_OPTIONS_WRONG;
 *     vox_encoding_options_apply(&encoding, source_channels, &config);
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_SENDER_ENCODING_OPTIONS_H
#define VOX_SENDER_ENCODING_OPTIONS_H

#include "cli/options.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_ENCODING_OPTIONS = 13, VOX_BUDGET_OPTIONS = 2 };

struct vox_encoding_options {
    int profile;      /* enum vox_profile */
    int bitrate_bps;  /* 0: the profile's */
    int64_t frame_ns; /* 0: the profile's; settled into frame_ticks */
    int frame_ticks;
    int channels;   /* 0: as the source has, at most 2 */
    int complexity; /* below 0: the profile's */
    bool dtx;
    bool fec;
    int red_depth, red_spacing;
    const char *red_at;                       /* distances instead, as 1,3; NULL: none */
    int red_distances[VOX_SENDER_MAX_COPIES]; /* settled */
    bool rtx;
    bool adapt;
    int max_wire_bps;     /* 0: the engine's default */
    int64_t max_delay_ns; /* below 0: likewise */
    int prefer;           /* enum vox_prefer */
};

/* The profile for voice, with its own settings. */
void vox_encoding_options_init(struct vox_encoding_options *options);

/* Writes VOX_ENCODING_OPTIONS rows that write into options, and returns how many that are. */
size_t vox_encoding_options_rows(struct vox_encoding_options *options, struct vox_option *rows);

/* What else --adapt may spend, where the receiver's playout does not ask for the same: writes
 * VOX_BUDGET_OPTIONS rows, and returns how many that are. */
size_t vox_budget_options_rows(struct vox_encoding_options *options, struct vox_option *rows);

/* Fills in what the profile decides. False: they do not go together; it was said why. */
bool vox_encoding_options_settle(struct vox_encoding_options *options);

/* How many channels are coded when the source has `source_channels`. */
int vox_encoding_options_channels(const struct vox_encoding_options *options, int source_channels);

/* Sets what they say in a config made by vox_sender_config_init for their profile. */
void vox_encoding_options_apply(const struct vox_encoding_options *options, int source_channels,
                                struct vox_sender_config *config);

#endif
