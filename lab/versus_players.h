/*
 * The sound of each way on the page of `voxgram-lab versus`, with the first seed: the same stretch
 * of all, so that they can be compared, which is everything while that stays within
 * VOX_LAB_REPORT_MAX_AUDIO_NS in sum, else what lies around the worst stall of TCP.
 *
 * It is FLAC, some 46 kB of page for a second of speech. Opus would take less, but it would be a
 * second coding, which puts its own faults on those that are to be heard.
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
