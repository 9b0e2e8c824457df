#include "lab/link_report.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/json.h"
#include "cli/message.h"
#include "lab/link_run.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { LINE_BYTES = 320, WORDS_BYTES = 160 };

static const char *const way_names[VOX_LINK_SIDES] = {"A -> B", "B -> A"};

__attribute__((format(printf, 3, 4))) static void add(char *out, size_t *used, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(out + *used, LINE_BYTES - *used, format, arguments);
    va_end(arguments);
    if (n > 0)
        *used = *used + (size_t)n < LINE_BYTES ? *used + (size_t)n : LINE_BYTES - 1;
}

static void add_count(char *out, size_t *used, uint64_t count, const char *what)
{
    if (count > 0)
        add(out, used, ", %" PRIu64 " %s", count, what);
}

static void summarize_way(const struct vox_link_result *r, enum vox_link_side from)
{
    const struct vox_link_path_stats *s = &r->paths[from];
    char line[LINE_BYTES];
    size_t used = 0;
    add(line, &used, "%s: %" PRIu64 " packets, %.1f kB", way_names[from], s->packets,
        (double)s->bytes / 1e3);
    if (s->lost > 0)
        add(line, &used, ", %" PRIu64 " lost (%.1f %%)", s->lost,
            100.0 * (double)s->lost / (double)s->packets);
    add_count(line, &used, s->queue_dropped, "dropped by the queue");
    add_count(line, &used, s->reordered, "held back");
    add_count(line, &used, s->duplicated, "twice");
    if (s->late.count > 0)
        add(line, &used, "; late by: median %.3f ms, 99 %% %.3f ms, most %.3f ms",
            vox_ns_to_ms(vox_histogram_quantile_ns(&s->late, 0.5)),
            vox_ns_to_ms(vox_histogram_quantile_ns(&s->late, 0.99)), vox_ns_to_ms(s->late.max_ns));
    vox_message_info("%s", line);
    if (s->overflow > 0)
        vox_message_warn("%s: %" PRIu64 " packets found no room here and were dropped, which no "
                         "option asked for; give the link a --rate-limit or a shorter --delay",
                         way_names[from], s->overflow);
    if (r->missed[from] > 0)
        vox_message_warn("%s: %" PRIu64 " packets came faster than this machine carries them and "
                         "were dropped, which no option asked for; give the link a --rate-limit",
                         way_names[from], r->missed[from]);
}

static void describe_end(const struct vox_link_end *end, char out[WORDS_BYTES])
{
    if (!end->started)
        snprintf(out, WORDS_BYTES, "was not started");
    else if (end->stopped)
        snprintf(out, WORDS_BYTES, "was stopped");
    else if (end->status > VOX_LINK_EXIT_SIGNAL)
        snprintf(out, WORDS_BYTES, "was ended by signal %d (%s)",
                 end->status - VOX_LINK_EXIT_SIGNAL, strsignal(end->status - VOX_LINK_EXIT_SIGNAL));
    else
        snprintf(out, WORDS_BYTES, "ended with status %d", end->status);
}

void vox_link_report_summary(const struct vox_link_result *r)
{
    char a[WORDS_BYTES], b[WORDS_BYTES];
    for (enum vox_link_side side = VOX_LINK_A; side < VOX_LINK_SIDES; side++)
        summarize_way(r, side);
    describe_end(&r->ends[VOX_LINK_A], a);
    describe_end(&r->ends[VOX_LINK_B], b);
    vox_message_info("after %.1f s: A %s, B %s", (double)r->lasted_ns / 1e9, a, b);
}

static json_t *late_us(int64_t ns)
{
    return json_real(round((double)ns / 1e2) / 10);
}

static json_t *way_json(const struct vox_link_result *r, enum vox_link_side from)
{
    const struct vox_link_path_stats *s = &r->paths[from];
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "packets",
        vox_json_count(s->packets), "bytes", vox_json_count(s->bytes), "delivered",
        vox_json_count(s->delivered), "lost", vox_json_count(s->lost), "queue_dropped",
        vox_json_count(s->queue_dropped), "reordered", vox_json_count(s->reordered), "duplicated",
        vox_json_count(s->duplicated), "waiting", vox_json_count(s->waiting), "overflow",
        vox_json_count(s->overflow), "missed", vox_json_count(r->missed[from]), "late_us", "p50",
        late_us(vox_histogram_quantile_ns(&s->late, 0.5)), "p99",
        late_us(vox_histogram_quantile_ns(&s->late, 0.99)), "max", late_us(s->late.max_ns));
}

static json_t *end_json(const struct vox_link_end *end)
{
    return json_pack("{s:b, s:b, s:o}", "started", (int)end->started, "stopped", (int)end->stopped,
                     "status", end->started ? json_integer(end->status) : json_null());
}

int vox_link_report_json(const struct vox_link_result *r, FILE *out)
{
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o}", "lasted_s",
                               json_real(round((double)r->lasted_ns / 1e6) / 1e3), "a_to_b",
                               way_json(r, VOX_LINK_A), "b_to_a", way_json(r, VOX_LINK_B), "a",
                               end_json(&r->ends[VOX_LINK_A]), "b", end_json(&r->ends[VOX_LINK_B]));
    if (!object)
        return VOX_ENOMEM;
    return vox_json_print_line(object, out);
}
