/*
 * --prefer: what is spared where delay and glitches weigh against each other, by receiver's playout
 * and sender's protection alike (base/prefer.h).
 *
 * Thread rule: constants.
 */
#ifndef VOX_CLI_PREFER_H
#define VOX_CLI_PREFER_H

enum vox_prefer { VOX_PREFER_LATENCY, VOX_PREFER_BALANCED, VOX_PREFER_SMOOTH };

/* Names of the choices, as struct vox_option wants them. */
extern const char *const vox_prefer_names[];

/* What one per cent of concealed audio is worth, in ms of delay. */
double vox_prefer_ms(enum vox_prefer prefer);

#endif
