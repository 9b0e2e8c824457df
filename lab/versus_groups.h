/*
 * Verdicts for people: where those of several budgets are the same, one sentence tells them all.
 *
 *     With a budget of 60, 100 or 200 ms nothing can be played: half of what came ...
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_VERSUS_GROUPS_H
#define VOX_LAB_VERSUS_GROUPS_H

#include "lab/versus_verdict.h"

enum { VOX_VERSUS_GROUP_BYTES = VOX_VERSUS_TEXT_BYTES + 64 }; /* for more budgets */

struct vox_versus_group {
    int first, last; /* budgets */
    char text[VOX_VERSUS_GROUP_BYTES];
};

/* Of so many verdicts, in the order of their budgets. Returns how many groups there are. */
int vox_versus_group(const struct vox_versus_verdict *verdicts, int count,
                     struct vox_versus_group out[VOX_VERSUS_MAX_BUDGETS]);

#endif
