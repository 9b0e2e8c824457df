/*
 * What the ways to carry one sound over one network cost and bring: figures of each arm, of one
 * run or over several.
 *
 *     double values[VOX_VERSUS_FIGURES];
 *     vox_versus_measure(&budgets, VOX_VERSUS_RED, &run, values);
 *     ...                                                        // once for each seed
 *     vox_versus_spread(values, runs, VOX_VERSUS_FIGURES, VOX_VERSUS_P99, &spread);
 *
 * A budget is what a listener lets pass between the end of a frame's capture and its playing. To
 * the E-model (lab/emodel.h) the frame's own length and the codec's look-ahead are added: that is
 * mouth to ear.
 *
 * Thread rule: pure; measure and spread allocate.
 */
#ifndef VOX_LAB_VERSUS_FIGURES_H
#define VOX_LAB_VERSUS_FIGURES_H

#include "lab/playable.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vox_versus_arm {
    VOX_VERSUS_PLAIN, /* UDP; what is missing is silence */
    VOX_VERSUS_CONCEAL,
    VOX_VERSUS_FEC,
    VOX_VERSUS_RED,
    VOX_VERSUS_RTX,
    VOX_VERSUS_CUBIC, /* TCP */
    VOX_VERSUS_BBR,
    VOX_VERSUS_ARMS
};

/* As in the statistics: "plain"; and in words: "plain UDP", "UDP with retransmission". */
const char *vox_versus_name(enum vox_versus_arm arm);
const char *vox_versus_title(enum vox_versus_arm arm);
/* For those who know nothing of it; continues "it does the following:". */
const char *vox_versus_explanation(enum vox_versus_arm arm);
bool vox_versus_is_tcp(enum vox_versus_arm arm);

enum { VOX_VERSUS_MAX_BUDGETS = 5 };

/* In ascending order; one of them is the listener's. */
struct vox_versus_budgets {
    double ms[VOX_VERSUS_MAX_BUDGETS];
    int count;
    int chosen;
};

/* 60, 100, 200, 400 ms, and this one. */
void vox_versus_budgets_init(struct vox_versus_budgets *budgets, double chosen_ms);
double vox_versus_largest_ms(const struct vox_versus_budgets *budgets);

/* Those of LATE_PCT and R follow one another, a budget each. */
enum vox_versus_figure {
    VOX_VERSUS_P50, /* ms, of the frames that came */
    VOX_VERSUS_P95,
    VOX_VERSUS_P99,
    VOX_VERSUS_MAX,
    VOX_VERSUS_LOST_PCT,      /* for good */
    VOX_VERSUS_SILENCE_MS,    /* longest time in which nothing new could be played, by anybody */
    VOX_VERSUS_GAP_MS,        /* longest stretch that the listener with the budget misses */
    VOX_VERSUS_WIRE_KB,       /* per minute, IP packets both ways, 1000 bytes each */
    VOX_VERSUS_THERE_KB,      /* of that, with the sound */
    VOX_VERSUS_BACK_KB,       /* against it */
    VOX_VERSUS_CONCEALED_PCT, /* with the listener's budget, by the receiver's own statistics */
    VOX_VERSUS_R,             /* with the listener's budget */
    VOX_VERSUS_LATE_PCT,      /* not there within the budget, lost ones included */
    VOX_VERSUS_R_AT = VOX_VERSUS_LATE_PCT + VOX_VERSUS_MAX_BUDGETS,
    VOX_VERSUS_FIGURES = VOX_VERSUS_R_AT + VOX_VERSUS_MAX_BUDGETS
};

/* One run of one arm. */
struct vox_versus_run {
    const struct vox_playable *playable;
    double extra_ms; /* frame and look-ahead */
    double concealed_pct;
    uint64_t bytes_there, bytes_back;
};

/* Errors: VOX_ENOMEM. */
int vox_versus_measure(const struct vox_versus_budgets *budgets, enum vox_versus_arm arm,
                       const struct vox_versus_run *run, double out[VOX_VERSUS_FIGURES]);

struct vox_versus_spread {
    double median, min, max;
};

/*
 * Of `count` values that stand `stride` apart from values[0] on.
 * Errors: VOX_ENOMEM, VOX_EINVAL (none).
 */
int vox_versus_spread(const double *values, size_t count, size_t stride,
                      struct vox_versus_spread *out);

#endif
