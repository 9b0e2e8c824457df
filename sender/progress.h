/*
 * When and where the program tells how it goes: the status line ten times a second, JSON lines each
 * second, warnings once, everything at the end. What is told is in report.h.
 *
 *     vox_progress_open(&progress, &options);
 *     vox_progress_add(&progress, pcm, samples);
 *     vox_progress_show(&progress, &report, now_ns);           // often
 *     vox_progress_second(&progress, &report, now_ns);         // once a second
 *     vox_progress_close(&progress, &report);
 *
 * Thread rule: value, one owner, the main thread; its address must not change while it is open.
 */
#ifndef VOX_SENDER_PROGRESS_H
#define VOX_SENDER_PROGRESS_H

#include "cli/meter.h"
#include "cli/status.h"
#include "dsp/pcm.h"
#include "sender/cli.h"
#include "sender/promises.h"
#include "sender/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vox_progress {
    const struct vox_send_options *options;
    struct vox_status status;
    struct vox_meter_style style;
    FILE *stats; /* NULL: not asked for */
    struct vox_pcm_meter second, whole;
    uint64_t wire_bytes; /* at the second before */
    int64_t second_ns;   /* when that was */
    bool failure_told;
    struct vox_promises promises;
};

/* Returns an exit status; a statistics file that cannot be written has been spoken of. */
int vox_progress_open(struct vox_progress *progress, const struct vox_send_options *options);

/* Whether there is a terminal to show a line on. */
bool vox_progress_is_live(const struct vox_progress *progress);

/* Samples of the source, for the levels. */
void vox_progress_add(struct vox_progress *progress, const float *pcm, size_t samples);

/* Both fill in the report's levels and rate. */
void vox_progress_show(struct vox_progress *progress, struct vox_send_report *report,
                       int64_t now_ns);
void vox_progress_second(struct vox_progress *progress, struct vox_send_report *report,
                         int64_t now_ns);

/* Final statistics and summary. Returns an exit status. */
int vox_progress_close(struct vox_progress *progress, struct vox_send_report *report);

#endif
