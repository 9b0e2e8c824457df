/*
 * Verdicts for people: where those of several budgets differ in their figures only, one sentence
 * tells them all, with the range of each figure.
 *
 *     With a budget of 100, 200 or 400 ms choose UDP with RED, because it misses 0.2 to 0.8 % ...
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_VERSUS_GROUPS_H
#define VOX_LAB_VERSUS_GROUPS_H

#include "lab/versus_verdict.h"

enum { VOX_VERSUS_GROUP_BYTES = 2 * VOX_VERSUS_TEXT_BYTES }; /* ranges take more room */

struct vox_versus_group {
    int first, last; /* budgets */
    char text[VOX_VERSUS_GROUP_BYTES];
};

/* Of so many verdicts, in the order of their budgets. Returns how many groups there are. */
int vox_versus_group(const struct vox_versus_verdict *verdicts, int count,
                     struct vox_versus_group out[VOX_VERSUS_MAX_BUDGETS]);

#endif
