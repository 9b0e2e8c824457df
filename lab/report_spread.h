/*
 * The figures of a report that have the delay on their axis: how packets were spread over it, and
 * what another delay would have cost.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_REPORT_SPREAD_H
#define VOX_LAB_REPORT_SPREAD_H

#include "lab/report_plots.h"

/* How many packets had which delay; and the share of them above each delay. */
int vox_lab_plot_histogram(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                           struct vox_lab_figure *out);
int vox_lab_plot_tail(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                      struct vox_lab_figure *out);

/*
 * How much had to be made up in each minute, had the playout held another delay; the one in force
 * is marked. For facts with a curve.
 */
void vox_lab_plot_curve(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                        bool is_narrow, struct vox_lab_figure *out);

#endif
