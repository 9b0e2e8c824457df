/*
 * What a run of `voxgram-lab versus` has brought: the figures of each way with each seed, the
 * verdicts, and the packets of the first seed.
 *
 *     struct vox_versus_result *result;
 *     vox_versus_result_create(&options, &result);
 *     for each seed
 *         vox_versus_take(result, repeat, shots);
 *     vox_versus_sum_up(result);
 *     ... result->table, result->verdicts ...
 *     vox_versus_result_destroy(result);
 *
 * Thread rule: one owner; allocates.
 */
#ifndef VOX_LAB_VERSUS_RESULT_H
#define VOX_LAB_VERSUS_RESULT_H

#include "lab/render.h"
#include "lab/versus_figures.h"
#include "lab/versus_link.h"
#include "lab/versus_options.h"
#include "lab/versus_shot.h"
#include "lab/versus_verdict.h"

#include <stdint.h>

struct vox_versus_result {
    const struct vox_versus_options *options; /* borrowed */
    struct vox_versus_budgets budgets;
    double extra_ms; /* frame and look-ahead */
    double *values;  /* of each arm, each seed: VOX_VERSUS_FIGURES */
    struct vox_versus_table table;
    struct vox_versus_verdict verdicts[VOX_VERSUS_MAX_BUDGETS];
    char plain_text[VOX_VERSUS_TEXT_BYTES];
    struct vox_versus_shot first[VOX_VERSUS_LINKS]; /* of the first seed */
    uint64_t unwanted;
};

/* Errors: VOX_ENOMEM. */
int vox_versus_result_create(const struct vox_versus_options *options,
                             struct vox_versus_result **out);
void vox_versus_result_destroy(struct vox_versus_result *result);

/* One seed's shots become figures; those of the first are kept, the others cleared. Errors:
 * VOX_ENOMEM. */
int vox_versus_take(struct vox_versus_result *result, int repeat,
                    struct vox_versus_shot shots[VOX_VERSUS_LINKS]);

/* Once all seeds were taken: table and verdicts. Errors: VOX_ENOMEM. */
int vox_versus_sum_up(struct vox_versus_result *result);

/* The VOX_VERSUS_FIGURES of an arm with one seed. */
double *vox_versus_values(const struct vox_versus_result *result, enum vox_versus_arm arm,
                          int repeat);

/* What the listener of an arm heard, with the first seed. Errors: VOX_ENOMEM. */
int vox_versus_render(const struct vox_versus_result *result, enum vox_versus_arm arm,
                      struct vox_render *out);

#endif
