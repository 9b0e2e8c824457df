/*
 * The file of voxgram-recv --trace-out: written while the call lasts, so that a killed program
 * leaves a trace too, and at the end set right with what is then known of the clocks (tracer.h).
 * What goes wrong is said, once, and ends the trace; all else goes on.
 *
 *     if (!vox_trace_file_open(&trace, &config, path))
 *         return;                                     // it was said why
 *     vox_trace_file_push(&trace, bytes, len, arrival_ns, same_clock);
 *     vox_trace_file_finish(&trace);
 *
 * Thread rule: one owner, the main thread. Without a path (NULL) every call does nothing.
 */
#ifndef VOX_RECEIVER_TRACE_FILE_H
#define VOX_RECEIVER_TRACE_FILE_H

#include "receiver/tracer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vox_trace_file {
    const char *path; /* borrowed */
    FILE *file;       /* NULL: none, or it was given up */
    struct vox_tracer *tracer;
    int64_t bytes; /* whole lines in the file */
    bool failed;   /* it could not be written; it was said */
};

/* The config's on_text and ctx are set; so trace must stay where it is. */
bool vox_trace_file_open(struct vox_trace_file *trace, const struct vox_tracer_config *config,
                         const char *path);
void vox_trace_file_push(struct vox_trace_file *trace, const void *datagram, size_t len,
                         int64_t arrival_ns, bool same_clock);
/* Writes the rest, sets right what was written, says what there is. */
void vox_trace_file_finish(struct vox_trace_file *trace);
void vox_trace_file_close(struct vox_trace_file *trace);

/*
 * Copies a trace as the tracer writes it, corrected, with new comments. Returns 0; VOX_EIO: see
 * errno; VOX_EFORMAT: a line is none of the tracer's.
 */
int vox_trace_file_correct(FILE *in, const struct vox_tracer_correction *correction, FILE *out);

#endif
