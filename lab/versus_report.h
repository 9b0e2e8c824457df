/*
 * The page of `voxgram-lab versus`: a self-contained HTML file, without scripts, without network.
 *
 *     if (vox_versus_report_write("versus.html", result, &error) < 0)
 *         vox_message_error("%s", error.text);
 *
 * On it: the verdicts, when each frame could be played and the worst stall from near
 * (versus_plots.h), each way to listen to (versus_players.h), who misses which budget, what it
 * costs, the commands, what was assumed. In virtual time equal options give equal bytes.
 *
 * Thread rule: one call at a time per path; starts a child process; writes to a temporary folder.
 */
#ifndef VOX_LAB_VERSUS_REPORT_H
#define VOX_LAB_VERSUS_REPORT_H

#include "audio/error.h"

struct vox_versus_result;

/* Errors, with text: those of vox_lab_report_write. */
int vox_versus_report_write(const char *path, const struct vox_versus_result *result,
                            struct vox_audio_error *error);

#endif
