/*
 * What `voxgram-lab versus` says and writes, but for the page: a table with the verdicts for
 * people, statistics for programs, and the sounds.
 *
 *     vox_versus_summary(result);
 *     if (vox_versus_json(result, stdout) < 0)
 *         ...
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_VERSUS_OUTPUT_H
#define VOX_LAB_VERSUS_OUTPUT_H

#include "audio/error.h"

#include <stdio.h>

struct vox_versus_result;

/* To stderr. */
void vox_versus_summary(const struct vox_versus_result *result);
/* Errors: VOX_EIO with errno set, VOX_ENOMEM. */
int vox_versus_json(const struct vox_versus_result *result, FILE *out);
/* What the listener of an arm heard, as NAME.wav in a folder, for each arm. Errors, with text:
 * those of vox_file_create and vox_versus_render. */
int vox_versus_write_sounds(const struct vox_versus_result *result, const char *folder,
                            struct vox_audio_error *error);

#endif
