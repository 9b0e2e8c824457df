/*
 * What a run amounts to, for its report: counts, delays in order, glitches in order, the worst
 * ones, and which moment of the output and of the reference a moment of the simulation is.
 *
 * Thread rule: one owner; init allocates.
 */
#ifndef VOX_LAB_REPORT_FACTS_H
#define VOX_LAB_REPORT_FACTS_H

#include "lab/report.h"

enum { VOX_LAB_WORST_GLITCHES = 6 };

struct vox_lab_delays {
    int64_t *ns; /* ascending */
    size_t count;
};

struct vox_lab_glitch {
    enum vox_glitch_cause cause;
    int stream;
    int64_t t_ns; /* of the simulation */
    int64_t duration_ns;
    int64_t late_ns;
    size_t packets;       /* that were not played in it; */
    size_t dropped;       /* of these, how many a full queue dropped */
    int64_t output_frame; /* where it is heard */
    int64_t lag_frames;   /* of the output against the reference, just before it */
    bool is_silent;       /* the reference has nothing to hear there */
};

/* What was put in or left out for one reason. */
struct vox_lab_stretches {
    size_t count;
    int64_t put_in_ns, left_out_ns;
};

struct vox_lab_facts {
    const struct vox_lab_report_input *input;
    /* Of all sources; its delays, and the curve of other delays, are of the one that played most.
     */
    struct vox_source_stats sum;
    int main_stream;   /* with the most packets */
    int64_t origin_ns; /* first sending */
    int64_t end_ns;    /* last sending */
    size_t sent, outcomes[VOX_RUN_LOST + 1];
    struct vox_lab_delays network; /* sent to arrived */
    struct vox_lab_delays buffer;  /* arrived to played */
    struct vox_lab_delays total;   /* sent to played */
    struct vox_lab_stretches stretches[VOX_STRETCH_REASONS];
    struct vox_lab_glitch *glitches;
    size_t glitch_count;
    const struct vox_lab_glitch *worst[VOX_LAB_WORST_GLITCHES]; /* in the order of time */
    int worst_count;
};

/* Errors: VOX_EINVAL, VOX_ENOMEM. input is borrowed. */
int vox_lab_facts_init(struct vox_lab_facts *facts, const struct vox_lab_report_input *input);
void vox_lab_facts_clear(struct vox_lab_facts *facts);

/* The delay that a share q of them do not exceed; 0 if there are none. */
int64_t vox_lab_delays_quantile_ns(const struct vox_lab_delays *delays, double q);

/* Where in the output a moment is heard. */
int64_t vox_lab_facts_output_frame(const struct vox_lab_facts *facts, int stream, int64_t t_ns);

#endif
