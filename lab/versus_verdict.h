/*
 * Which way to choose, by what was measured: the best rating R for each budget, and of those within
 * 1 of it the one with the fewest bytes. In words, with the reason.
 *
 *     struct vox_versus_verdict verdict;
 *     vox_versus_judge(&budgets, figures, has, i, &verdict);
 *     puts(verdict.text);       // With a budget of 100 ms choose UDP with RED, because ...
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_VERSUS_VERDICT_H
#define VOX_LAB_VERSUS_VERDICT_H

#include "lab/versus_figures.h"

#include <stdbool.h>

enum { VOX_VERSUS_TEXT_BYTES = 800 };

/* Ratings this close are the same to the ear. */
#define VOX_VERSUS_SAME_R 1.0
/* Below this "nearly all users are dissatisfied" (G.107, Annex B). */
#define VOX_VERSUS_POOR_R 50.0

/* Medians of all arms; those that did not run have has[arm] false. */
struct vox_versus_table {
    struct vox_versus_spread figures[VOX_VERSUS_ARMS][VOX_VERSUS_FIGURES];
    bool has[VOX_VERSUS_ARMS];
    double link_kbps; /* that the link carries; 0: any */
};

struct vox_versus_verdict {
    double budget_ms;
    int choice; /* enum vox_versus_arm; -1: nothing is good */
    int best;   /* of R; -1: nothing ran */
    char text[VOX_VERSUS_TEXT_BYTES];
};

void vox_versus_judge(const struct vox_versus_budgets *budgets,
                      const struct vox_versus_table *table, int budget,
                      struct vox_versus_verdict *out);

/* Where plain UDP does worse than TCP, or that it does not; "" if one of them did not run. */
void vox_versus_judge_plain(const struct vox_versus_budgets *budgets,
                            const struct vox_versus_table *table, char out[VOX_VERSUS_TEXT_BYTES]);

#endif
