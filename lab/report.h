/*
 * One run as a page to look at: a self-contained HTML file, without scripts, without network.
 *
 *     struct vox_lab_report_input input = {.title = "speech.flac", .settings = settings, .run =
 * &run, .reference = clean, .reference_frames = n, .channels = run.channels, .r_factor = NAN, .mos
 * = NAN}; if (vox_lab_report_check(&error) < 0 || ... simulate ...
 *         vox_lab_report_write("report.html", &input, &error) < 0)
 *         vox_message_error("%s", error.text);
 *
 * On it: the outcome in words, the settings, what became of each packet, delay and buffer against
 * time, their distribution, the worst glitches beside the reference as packets, waveforms and
 * spectrograms, a table of all glitches with causes, and what was heard, to listen to.
 *
 * Figures are drawn by gnuplot as SVG. Equal input gives equal bytes, with the same gnuplot and
 * libsndfile.
 *
 * Thread rule: one call at a time per path; starts a child process; writes to a temporary folder.
 */
#ifndef VOX_LAB_REPORT_H
#define VOX_LAB_REPORT_H

#include "audio/error.h"
#include "lab/quality.h"
#include "lab/run.h"

#include <stdint.h>

/* Recordings up to here are put in whole; of longer ones only what is around the worst glitches. */
#define VOX_LAB_REPORT_MAX_AUDIO_NS (180 * VOX_NS_PER_S)

struct vox_lab_report_input {
    const char *title;
    const char *const *settings; /* name, value, name, value, ..., NULL; in words */
    const struct vox_run *run;
    const float *reference;   /* the same packets decoded without a network, 48 kHz, interleaved; */
    int64_t reference_frames; /* its first sample is that of the first packet sent */
    int channels;             /* of the reference and of the run's PCM */
    const struct vox_quality *quality; /* of the two; NULL: not measured */
    double r_factor, mos;              /* NAN: not known */
};

/*
 * Whether reports can be made here: before a long simulation.
 * Errors: VOX_ENOTFOUND (no gnuplot; the text says what to install).
 */
int vox_lab_report_check(struct vox_audio_error *error);

/*
 * Writes the file; on failure there is none, or what was there before.
 * Errors: VOX_ENOTFOUND (no gnuplot), VOX_EINVAL (no packets or no audio; channels not 1 or 2, or
 * other than the run's), VOX_EIO (gnuplot failed; a file cannot be written), VOX_ENOSPC,
 * VOX_EPERMISSION, VOX_ENOMEM.
 */
int vox_lab_report_write(const char *path, const struct vox_lab_report_input *input,
                         struct vox_audio_error *error);

#endif
