/*
 * The figures on the page of `voxgram-lab versus`: when each frame could be played, the worst stall
 * from near, and how many frames miss which budget.
 *
 *     vox_versus_plot(&plots, result, &pictures, &error);
 *     ... put pictures.timeline[0] ...
 *
 * Pictures are of the first seed.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_VERSUS_PLOTS_H
#define VOX_LAB_VERSUS_PLOTS_H

#include "lab/report_gnuplot.h"
#include "lab/report_plots.h"
#include "lab/versus_result.h"
#include "lab/versus_stall.h"

/* The figures by number; each but the last for wide and for narrow screens. 0: not there. */
struct vox_versus_pictures {
    struct vox_lab_figure timeline[2];
    struct vox_lab_figure stall[2];
    struct vox_lab_figure loss[2]; /* the same stretch of plain UDP, beside it */
    struct vox_lab_figure curves[2];
};

/* Errors, with text: those of vox_lab_gnuplot_run. */
int vox_versus_plot(struct vox_lab_gnuplot *plots, const struct vox_versus_result *result,
                    struct vox_versus_pictures *out, struct vox_audio_error *error);

/* Colour of an arm in the curves, as a class of the page; whether its line is dashed. */
const char *vox_versus_class(enum vox_versus_link link, bool *dashed);
/* What a link is called where its arms are one. */
const char *vox_versus_link_title(enum vox_versus_link link);

#endif
