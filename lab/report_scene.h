/*
 * One glitch from near: its packets on their way, waveform and spectrogram of what should have been
 * heard and of what was, and both as sound.
 *
 * The reference is shifted by the lag just before the glitch. If the playout moves on in it, the
 * two differ by that from there on.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_REPORT_SCENE_H
#define VOX_LAB_REPORT_SCENE_H

#include "lab/report_plots.h"

/* Errors: VOX_ENOMEM, VOX_EIO. */
int vox_lab_scene_plot(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                       const struct vox_lab_glitch *glitch, struct vox_lab_figure *out);

/* A stretch of sound. */
struct vox_lab_clip {
    const float *pcm;
    int channels;
    int64_t frames; /* of the whole */
    int64_t from_frame, to_frame;
};

/* A second before the glitch to a second behind it, in the output and in the reference. */
struct vox_lab_clip vox_lab_scene_heard(const struct vox_lab_facts *facts,
                                        const struct vox_lab_glitch *glitch);
struct vox_lab_clip vox_lab_scene_meant(const struct vox_lab_facts *facts,
                                        const struct vox_lab_glitch *glitch);

/*
 * Writes it as FLAC in base 64; silence where it is outside of the recording. FLAC is played by
 * every browser and loses nothing. Errors, with text: those of vox_file_create; VOX_EIO.
 */
int vox_lab_clip_put(const struct vox_lab_gnuplot *folder, const struct vox_lab_clip *clip,
                     FILE *page, struct vox_audio_error *error);

#endif
