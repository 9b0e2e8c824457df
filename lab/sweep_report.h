/*
 * A sweep as a page to look at: for each network, what each encoder and receiver cost in delay and
 * in concealed sound, and the mean opinion score that comes of it. A self-contained HTML file,
 * figures by gnuplot, in the style of lab/report.h.
 *
 *     if (vox_lab_gnuplot_check(&error) < 0 || ... sweep ...
 *         vox_sweep_digest_make(&plan, "all.csv", &digest, why) < 0 ||
 *         vox_sweep_report_write("report.html", &digest, &error) < 0)
 *
 * Thread rule: one owner; starts a child process; writes to a temporary folder.
 */
#ifndef VOX_LAB_SWEEP_REPORT_H
#define VOX_LAB_SWEEP_REPORT_H

#include "audio/error.h"
#include "lab/sweep_digest.h"

/* What a page can show; of more, the first ones, and it says so. */
enum {
    VOX_SWEEP_REPORT_NETWORKS = 50,
    VOX_SWEEP_REPORT_ENCODERS = 6,
    VOX_SWEEP_REPORT_RECEIVERS = 8
};

/*
 * Errors, with text: VOX_ENOTFOUND (no gnuplot), VOX_EEND (no rows), VOX_EIO (gnuplot failed; the
 * file cannot be written), VOX_ENOSPC, VOX_EPERMISSION.
 */
int vox_sweep_report_write(const char *path, const struct vox_sweep_digest *digest,
                           struct vox_audio_error *error);

#endif
