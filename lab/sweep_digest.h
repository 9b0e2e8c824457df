/*
 * A table of a sweep in brief: for each network, encoder and receiver what the rows of all files
 * and seeds come to.
 *
 *     vox_sweep_digest_make(&plan, "all.csv", &digest, why);
 *     const struct vox_sweep_group *g = vox_sweep_digest_group(&digest, network, encoder,
 * receiver); printf("%.2f\n", g->measures[VOX_SWEEP_MOS].mean); vox_sweep_digest_clear(&digest);
 *
 * Thread rule: one owner; allocates.
 */
#ifndef VOX_LAB_SWEEP_DIGEST_H
#define VOX_LAB_SWEEP_DIGEST_H

#include "lab/sweep_plan.h"

#include <stddef.h>
#include <stdint.h>

/* Of the results, those that are told; the columns of the table have their names. */
enum vox_sweep_measure_kind {
    VOX_SWEEP_DELAY, /* median, capture to playout, ms */
    VOX_SWEEP_DELAY_P95,
    VOX_SWEEP_CONCEALED, /* % */
    VOX_SWEEP_R,
    VOX_SWEEP_MOS,
    VOX_SWEEP_WIRE, /* kbit/s */
    VOX_SWEEP_SNR,  /* dB, if the scenario asks for quality */
    VOX_SWEEP_LSD,
    VOX_SWEEP_MEASURES
};

struct vox_sweep_measure {
    size_t count;           /* of rows that have it */
    double mean, low, high; /* low, high: a tenth of the rows is below, and above */
};

struct vox_sweep_group {
    size_t rows;
    struct vox_sweep_measure measures[VOX_SWEEP_MEASURES];
};

struct vox_sweep_digest {
    const struct vox_sweep_plan *plan;
    struct vox_sweep_group *groups;
    int64_t rows;
};

/* Errors, with a sentence: those of vox_sweep_table_read; VOX_ENOMEM. */
int vox_sweep_digest_make(const struct vox_sweep_plan *plan, const char *table,
                          struct vox_sweep_digest *out, char why[VOX_SWEEP_WHY_BYTES]);
void vox_sweep_digest_clear(struct vox_sweep_digest *digest);

const struct vox_sweep_group *vox_sweep_digest_group(const struct vox_sweep_digest *digest,
                                                     size_t network, size_t encoder,
                                                     size_t receiver);

#endif
