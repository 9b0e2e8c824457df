/*
 * The sound of each way on the page of `voxgram-lab versus`, with the first seed: the same stretch
 * of all, which is everything while that stays within VOX_LAB_REPORT_MAX_AUDIO_NS in sum, else what
 * lies around the worst stall.
 *
 *     err = vox_versus_players_put(&plots, result, &stall, page, &error);
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_VERSUS_PLAYERS_H
#define VOX_LAB_VERSUS_PLAYERS_H

#include "lab/versus_plots.h"

#include <stdio.h>

/* Writes the section. Errors: those of vox_lab_clip_put, with text; VOX_ENOMEM. */
int vox_versus_players_put(struct vox_lab_gnuplot *plots, const struct vox_versus_result *result,
                           const struct vox_versus_stall *stall, FILE *page,
                           struct vox_audio_error *error);

#endif
