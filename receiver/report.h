/*
 * What voxgram-recv says of what it heard: statistics as JSON, events as JSON lines, the live line,
 * and the summary in plain words.
 *
 * Thread rule: pure but for the FILEs; the main thread.
 */
#ifndef VOX_RECEIVER_REPORT_H
#define VOX_RECEIVER_REPORT_H

#include "cli/meter.h"
#include "net/transport.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vox_report_context {
    const char *program;   /* that tells it */
    int64_t elapsed_ns;    /* since the program started */
    int64_t start_unix_ns; /* when that was */
    int64_t start_ns;      /* the same on the monotonic clock */
    const char *output;    /* in words: "out.wav", "speaker" */
    int64_t recorded_ns;   /* 0 if nothing is recorded */
    bool recording;
    bool separate; /* a file for each source, named after `output` */
    enum vox_scheme scheme;
    const struct vox_transport_stats *transport; /* NULL: there was none */
};

struct json_t; /* of jansson */

/* The statistics as a JSON object, owned by the caller; `final` marks the last. */
struct json_t *vox_report_object(const struct vox_receiver_stats *stats,
                                 const struct vox_report_context *context, bool final);

/* That object and a line end. Returns 0 or VOX_EIO. */
int vox_report_json(const struct vox_receiver_stats *stats,
                    const struct vox_report_context *context, bool final, FILE *out);

/* The live line: level, delay, loss, what was done about it. */
void vox_report_status(const struct vox_receiver_stats *stats,
                       const struct vox_report_context *context, struct vox_meter_style style,
                       char *out, size_t capacity);

/* The summary for people, several lines. */
void vox_report_summary(const struct vox_receiver_stats *stats,
                        const struct vox_report_context *context, FILE *out);

#endif
