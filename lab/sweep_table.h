/*
 * The CSV file of a sweep. Rows are appended as they come, a line by one write(2), and put in order
 * at the end; so a sweep that is killed leaves all its rows but those under way, and a line that
 * was cut off, which the next one drops.
 *
 *     vox_sweep_table_open(&plan, "out.csv", false, &table, why);
 *     if (!vox_sweep_table_has(table, row))
 *         vox_sweep_table_append(table, row, line, len);
 *     vox_sweep_table_finish(table, why);
 *     vox_sweep_table_close(table);
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_SWEEP_TABLE_H
#define VOX_LAB_SWEEP_TABLE_H

#include "lab/sweep_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_sweep_table;

/*
 * Opens what is there, or makes it; for itself alone, by a lock. `restart`: what is there goes.
 * Errors, with a sentence: VOX_EINUSE (another sweep writes it), VOX_EFORMAT (it is no table of a
 * sweep, or of another scenario), VOX_EIO, VOX_ENOSPC, VOX_EPERMISSION, VOX_ENOMEM.
 */
int vox_sweep_table_open(const struct vox_sweep_plan *plan, const char *path, bool restart,
                         struct vox_sweep_table **out, char why[VOX_SWEEP_WHY_BYTES]);
struct vox_sweep_visitor {
    /* line: with its end, valid during the call. < 0 ends the reading. */
    int (*visit)(void *ctx, int64_t row, const char *line, size_t len);
    void *ctx;
};

/* Each row of a table, as it stands there. Errors as for open, and those of visit. */
int vox_sweep_table_read(const struct vox_sweep_plan *plan, const char *path,
                         const struct vox_sweep_visitor *visitor, char why[VOX_SWEEP_WHY_BYTES]);

/* What was appended stays. */
void vox_sweep_table_close(struct vox_sweep_table *table);

bool vox_sweep_table_has(const struct vox_sweep_table *table, int64_t row);
/* How many rows are in it. */
int64_t vox_sweep_table_count(const struct vox_sweep_table *table);
/* Whether open dropped a line that was cut off. */
bool vox_sweep_table_was_torn(const struct vox_sweep_table *table);

/* A whole line with its end. Errors: VOX_EIO, VOX_ENOSPC. */
int vox_sweep_table_append(struct vox_sweep_table *table, int64_t row, const char *line,
                           size_t len);
/* Brings what was appended to the disk. */
int vox_sweep_table_sync(struct vox_sweep_table *table);
/* Puts the rows in order: a new file in place of the old one. Errors as for merge. */
int vox_sweep_table_finish(struct vox_sweep_table *table, char why[VOX_SWEEP_WHY_BYTES]);

struct vox_sweep_merge {
    int64_t rows;    /* written */
    int64_t twice;   /* found in two tables, with the same results */
    int64_t missing; /* of the plan */
    int64_t first_missing;
};

/*
 * Writes the rows of several tables in order into a new one, which is put at `path` when it is
 * whole. Errors, with a sentence: VOX_EFORMAT (as for open; a row is there twice with different
 * results), VOX_ENOTFOUND and others of the files.
 */
int vox_sweep_table_merge(const struct vox_sweep_plan *plan, char *const *tables, int count,
                          const char *path, struct vox_sweep_merge *out,
                          char why[VOX_SWEEP_WHY_BYTES]);

#endif
