/*
 * The configuration of the sending engine: its defaults (sender.h), what is valid, and what follows
 * from it.
 *
 * Thread rule: pure.
 */
#ifndef VOX_SENDER_SENDER_CONFIG_H
#define VOX_SENDER_SENDER_CONFIG_H

#include "sender/sender.h"

#include <stdbool.h>

enum { VOX_SENDER_FLOAT_BITS = 24 /* what libopus assumes of float samples */ };

/* Whether every value is in its range, and they go together. What the encoder is told, it checks
 * itself. */
bool vox_sender_config_is_valid(const struct vox_sender_config *config);

/* Of the audio: what is asked for, or else the profile's. */
int vox_sender_config_bitrate_bps(const struct vox_sender_config *config);

#endif
