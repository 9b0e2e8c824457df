/*
 * Recorded networks: text of lines `seq send_ms recv_ms|lost`, one a packet copy, `#` comments
 * before; `# interval_ms X` gives the packet spacing (else the median of the send times' steps).
 *
 *     struct vox_trace_error error;
 *     if (vox_trace_parse(text, len, &trace, &error) < 0)
 *         fail("line %d: %s", error.line, error.reason);
 *
 * Thread rule: parse once, then read from any thread. Reading is RT-safe.
 */
#ifndef VOX_CHANNEL_TRACE_H
#define VOX_CHANNEL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_trace;

struct vox_trace_error {
    int line; /* from 1; 0: the trace as a whole */
    char reason[96];
};

/* What happened to one sequence number of the trace. */
struct vox_trace_packet {
    int64_t seq;
    int64_t send_ns;    /* on the trace's one true clock, from its own zero */
    int copies;         /* 0: lost; at most 2 are kept */
    int64_t recv_ns[2]; /* same clock, in order of arrival */
};

/*
 * Errors, with line and reason: VOX_EFORMAT (not three fields, not a number, NaN or infinite, a
 * time beyond a century, a sequence number or send time that goes backwards, received before it was
 * sent, an empty trace, interval not above 0), VOX_ENOMEM.
 */
int vox_trace_parse(const char *text, size_t len, struct vox_trace **out,
                    struct vox_trace_error *error);
void vox_trace_destroy(struct vox_trace *trace);

size_t vox_trace_count(const struct vox_trace *trace);
/* index: below the count. */
const struct vox_trace_packet *vox_trace_at(const struct vox_trace *trace, size_t index);
int64_t vox_trace_interval_ns(const struct vox_trace *trace);

/*
 * The packet of the trace that stands for the time since_start_ns into a stream: index
 * since_start / interval, beginning again at the end.
 */
const struct vox_trace_packet *vox_trace_for_time(const struct vox_trace *trace,
                                                  int64_t since_start_ns);

#endif
