/*
 * What became of a run of `voxgram-lab link`: a line for each direction and one for the commands,
 * for people; all counts, for programs.
 *
 *     vox_link_report_summary(&result);
 *     if (vox_link_report_json(&result, stdout) < 0)
 *         ...
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_LINK_REPORT_H
#define VOX_LAB_LINK_REPORT_H

#include <stdio.h>

struct vox_link_result;

/* To stderr. */
void vox_link_report_summary(const struct vox_link_result *result);
/* Errors: VOX_EIO with errno set, VOX_ENOMEM. */
int vox_link_report_json(const struct vox_link_result *result, FILE *out);

#endif
