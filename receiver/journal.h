/*
 * What voxgram-recv tells while it runs and at its end: the live line, statistics, events, the
 * summary; where to, and how often. How they read is in report.h.
 *
 * Thread rule: one owner, the main thread.
 */
#ifndef VOX_RECEIVER_JOURNAL_H
#define VOX_RECEIVER_JOURNAL_H

#include "cli/meter.h"
#include "cli/status.h"
#include "receiver/cli.h"
#include "receiver/receiver.h"
#include "receiver/report.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define VOX_JOURNAL_STATUS_NS INT64_C(100000000)

struct vox_journal {
    const struct vox_recv_options *options;
    struct vox_report_context context;
    FILE *stats, *events;
    struct vox_status status;
    struct vox_meter_style style;
    int64_t next_stats_ns;
    bool failed; /* a file could not be written; it was said */
};

/* options: borrowed. False: a file cannot be opened; it was said. */
bool vox_journal_open(struct vox_journal *journal, const struct vox_recv_options *options,
                      int64_t now_ns, int64_t now_unix_ns);
void vox_journal_close(struct vox_journal *journal);

/* Says it, where a person should know, and writes it to --events. */
void vox_journal_event(struct vox_journal *journal, const struct vox_event *event);

/* Whether a live line or a row of statistics is due: then read the statistics and show them. */
bool vox_journal_is_due(const struct vox_journal *journal, int64_t now_ns);
/* Whether a live line is wanted at all. */
bool vox_journal_is_live(const struct vox_journal *journal);
void vox_journal_show(struct vox_journal *journal, const struct vox_receiver_stats *stats,
                      int64_t now_ns);

/* The last statistics and the summary. recorded_ns: 0 if nothing is recorded. */
void vox_journal_end(struct vox_journal *journal, const struct vox_receiver_stats *stats,
                     int64_t now_ns, int64_t recorded_ns);

#endif
