/*
 * Ogg Opus recordings (RFC 7845) that keep every packet exactly as it was received: nothing is
 * decoded or encoded. Missing audio becomes packets that ask the player's decoder to conceal
 * (section 4.1), so that granule positions, and with them the duration, stay right.
 *
 *     struct vox_ogg_config config;
 *     vox_ogg_config_init(&config);
 *     config.path = "out.opus"; config.channels = 2; config.serial = random;
 *     vox_ogg_create(&config, &ogg, &error);
 *     vox_ogg_write(ogg, payload, len, duration_ticks, &error);
 *     vox_ogg_gap(ogg, lost_ticks, &error);
 *     vox_ogg_finish(ogg, &error);
 *
 * Ticks are 48 kHz samples per channel. `error` may be NULL everywhere; it is written only on
 * failure.
 *
 * Thread rule: one owner. Nothing here is RT-safe: it touches the disk.
 */
#ifndef VOX_AUDIO_OGG_H
#define VOX_AUDIO_OGG_H

#include "audio/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    VOX_OGG_MAX_PACKET_BYTES = 61440, /* more than 48 frames of 1275 bytes need: any Opus packet */
    VOX_OGG_STEP_TICKS = 120,         /* 2.5 ms: durations are multiples of it */
    VOX_OGG_MAX_TICKS = 5760,         /* 120 ms: longest packet (RFC 6716, R5) */
};

struct vox_ogg;

struct vox_ogg_config {
    const char *path;
    int channels;        /* 1 or 2: how players show it; default 2 */
    int pre_skip_ticks;  /* 0..65535, what the decoder throws away at the start; default 312 */
    int input_hz;        /* of the original, informative; default 48000 */
    uint32_t serial;     /* of the logical stream: random from the host */
    const char *encoder; /* ENCODER comment; default "voxgram"; NULL for none */
};

void vox_ogg_config_init(struct vox_ogg_config *config);

/*
 * Creates or overwrites the file and writes its two headers. Errors: VOX_EINVAL, VOX_EPERMISSION,
 * VOX_ENOTFOUND (no such folder), VOX_ENOSPC, VOX_EIO, VOX_ENOMEM.
 */
int vox_ogg_create(const struct vox_ogg_config *config, struct vox_ogg **out,
                   struct vox_audio_error *error);

/*
 * Appends one Opus packet, copied, that plays for duration_ticks (of its TOC and frame count).
 * Pages go to the file at least once a second of audio, so that a killed process leaves a valid
 * file. Errors: VOX_EINVAL (no bytes or too many, a duration that Opus does not have), VOX_ENOSPC,
 * VOX_EIO. After the last two the file holds the pages written until then and every further call
 * gives the same error at once.
 */
int vox_ogg_write(struct vox_ogg *ogg, const void *packet, size_t len, int duration_ticks,
                  struct vox_audio_error *error);

/*
 * `ticks` of audio are missing here (lost, or not sent in silence). Filled with zero-length frames
 * in the mode and frame size of the packet before; what is left below 2.5 ms is added to the next
 * gap. Nothing happens in front of the first packet: the recording starts with it. Errors:
 * VOX_EINVAL (negative, more than a day), VOX_ENOSPC, VOX_EIO.
 */
int vox_ogg_gap(struct vox_ogg *ogg, int64_t ticks, struct vox_audio_error *error);

/* Duration so far, gaps included, pre-skip included; after an error, of what the file holds. */
int64_t vox_ogg_ticks(const struct vox_ogg *ogg);

/* Ends the stream, closes, frees; the object is gone in any case. Errors as for write. */
int vox_ogg_finish(struct vox_ogg *ogg, struct vox_audio_error *error);

#endif
