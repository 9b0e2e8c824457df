/*
 * A row of a sweep as a line of CSV (RFC 4180, but lines end with \n alone): its number, its id,
 * its settings, its results.
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_SWEEP_LINE_H
#define VOX_LAB_SWEEP_LINE_H

#include "lab/sweep_cell.h"
#include "lab/sweep_plan.h"

#include <stddef.h>
#include <stdint.h>

enum { VOX_SWEEP_LINE_BYTES = VOX_SWEEP_SETTINGS_BYTES + 4096 };

/* The header, with its line end. Returns the length, as the next one. */
size_t vox_sweep_line_header(char out[VOX_SWEEP_LINE_BYTES]);

size_t vox_sweep_line_write(const struct vox_sweep_plan *plan, int64_t row,
                            const struct vox_sweep_sound *sound, const struct vox_sweep_cell *cell,
                            char out[VOX_SWEEP_LINE_BYTES]);

/*
 * Which row of the plan a line is, from its number and id. `len` counts no line end. Errors:
 * VOX_EFORMAT (it is no row), VOX_ENOTFOUND (a row, but not one of this plan).
 */
int vox_sweep_line_row(const struct vox_sweep_plan *plan, const char *line, size_t len,
                       int64_t *row);

#endif
