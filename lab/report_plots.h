/*
 * The figures of a report that show the whole run.
 *
 * Each comes in two sizes, one for wide pages and one for telephones, since text that shrinks with
 * the page cannot be read. Long runs are thinned to what a column of pixels can show, from its
 * least to its greatest value; lost, late and recovered packets are marked in each column that has
 * one.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_REPORT_PLOTS_H
#define VOX_LAB_REPORT_PLOTS_H

#include "lab/report_facts.h"
#include "lab/report_gnuplot.h"

#include <stdbool.h>

struct vox_lab_figure {
    int number; /* 0: none */
    int width_px, height_px;
};

/* Delay of each packet of a stream against its sending, and rows for those that did not play. */
int vox_lab_plot_timeline(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                          int stream, bool is_narrow, struct vox_lab_figure *out);

/* The greatest delay that plot_timeline shows; those above are drawn at its edge. */
int64_t vox_lab_timeline_top_ns(const struct vox_lab_facts *facts);

/*
 * Delay of the network, target, delay of the playout; below, how long packets waited, and where
 * audio was put in or left out, in a row for each reason.
 */
int vox_lab_plot_delay(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                       bool is_narrow, struct vox_lab_figure *out);

#endif
