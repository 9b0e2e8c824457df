/*
 * Figures by gnuplot: one script in a temporary folder, one run, one SVG for each figure.
 *
 *     struct vox_lab_gnuplot plots;
 *     if (vox_lab_gnuplot_open(&plots, &error) == 0) {
 *         int number = vox_lab_gnuplot_begin(&plots, 800, 300);
 *         fputs("plot sin(x) lc rgb '" VOX_LAB_INK "'\n", plots.script);
 *         if (vox_lab_gnuplot_run(&plots, &error) == 0)
 *             vox_lab_gnuplot_put(&plots, number, "", "Sine", page);
 *     }
 *     vox_lab_gnuplot_close(&plots);
 *
 * Colours are roles, which the page's style gives a colour each, one in light and one in dark.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_REPORT_GNUPLOT_H
#define VOX_LAB_REPORT_GNUPLOT_H

#include "audio/error.h"

#include <stdio.h>

/* lab/report_svg.c has what becomes of them. */
#define VOX_LAB_INK "#010101"
#define VOX_LAB_MUTED "#010102"
#define VOX_LAB_GRID "#010103"
#define VOX_LAB_PLAYED "#010104"
#define VOX_LAB_RECOVERED "#010105"
#define VOX_LAB_LATE "#010106"
#define VOX_LAB_LOST "#010107"
#define VOX_LAB_BUFFER "#010108"

struct vox_lab_gnuplot {
    char folder[256]; /* "": none */
    FILE *script;
    int figures;
};

/* Errors, with text: VOX_ENOTFOUND. */
int vox_lab_gnuplot_check(struct vox_audio_error *error);

/* Errors, with text: VOX_EIO and others of the folder. close is allowed after a failure. */
int vox_lab_gnuplot_open(struct vox_lab_gnuplot *plots, struct vox_audio_error *error);
/* Starts the next figure, with everything as it is by default, and returns its number. */
int vox_lab_gnuplot_begin(struct vox_lab_gnuplot *plots, int width_px, int height_px);
/* A panel of the figure between these distances from its edges. */
struct vox_lab_panel {
    int width_px, height_px; /* of the figure */
    int left_px, right_px, top_px, bottom_px;
};
void vox_lab_gnuplot_panel(struct vox_lab_gnuplot *plots, const struct vox_lab_panel *panel);
/* What the panel's values are, above its left edge. No apostrophe. */
void vox_lab_gnuplot_heading(struct vox_lab_gnuplot *plots, const char *text);
/* 1, 2 or 5 times a power of ten, so that no more than `count` of them cover the range. */
double vox_lab_gnuplot_step(double range, int count);
/* A file in the folder; NULL if it cannot be opened. */
FILE *vox_lab_gnuplot_file(const struct vox_lab_gnuplot *plots, const char *name, const char *mode);
/* Path of such a file, of `capacity` bytes. */
void vox_lab_gnuplot_path(const struct vox_lab_gnuplot *plots, const char *name, char *out,
                          size_t capacity);
/* Errors, with text: VOX_ENOTFOUND (no gnuplot), VOX_EIO (it failed), VOX_ENOSPC. */
int vox_lab_gnuplot_run(struct vox_lab_gnuplot *plots, struct vox_audio_error *error);
/* Removes the folder. */
void vox_lab_gnuplot_close(struct vox_lab_gnuplot *plots);

#endif
