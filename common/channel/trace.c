#include "channel/trace.h"

#include "base/err.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vox_trace {
    size_t count;
    int64_t interval_ns;
    struct vox_trace_packet packets[];
};

/* A piece of the text: lines and fields are cut from it, never copied. */
struct span {
    const char *at;
    size_t len;
};

enum { FRACTION_DIGITS = 6 }; /* of a millisecond that make a nanosecond */

/* Of a century; in ns it stays within int64_t. */
static const int64_t MAX_MS = INT64_C(3155760000000);
static const int64_t MAX_SEQ = INT64_MAX / 10 - 1;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool equals(struct span s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.at, word, s.len) == 0;
}

/* Cuts the next line off the text, without its newline. */
static struct span next_line(struct span *text)
{
    const char *end = memchr(text->at, '\n', text->len);
    struct span line = {.at = text->at, .len = end ? (size_t)(end - text->at) : text->len};
    size_t cut = line.len + (end ? 1 : 0);
    text->at += cut;
    text->len -= cut;
    return line;
}

/* Cuts the next blank-separated field off the line; empty at its end. */
static struct span next_field(struct span *line)
{
    while (line->len > 0 && is_blank(*line->at)) {
        line->at++;
        line->len--;
    }
    struct span field = {.at = line->at};
    while (line->len > 0 && !is_blank(*line->at)) {
        line->at++;
        line->len--;
        field.len++;
    }
    return field;
}

/* Digits at the front of s up to `max`; cuts them off. */
static bool cut_digits(struct span *s, int64_t max, int64_t *value)
{
    bool any = false;
    *value = 0;
    for (; s->len > 0 && is_digit(*s->at); s->at++, s->len--) {
        *value = *value * 10 + (*s->at - '0');
        if (*value > max)
            return false;
        any = true;
    }
    return any;
}

/*
 * "12.345678" ms to ns, exactly. Not strtod: that depends on the locale, needs a terminated string
 * and takes hexadecimals, infinities and NaN.
 */
static bool parse_ms(struct span s, int64_t *ns)
{
    bool negative = s.len > 0 && *s.at == '-';
    if (negative) {
        s.at++;
        s.len--;
    }
    int64_t whole = 0;
    if (!cut_digits(&s, MAX_MS, &whole))
        return false;
    int64_t fraction = 0;
    if (s.len > 1 && *s.at == '.') {
        int64_t unit = VOX_NS_PER_MS;
        for (s.at++, s.len--; s.len > 0 && is_digit(*s.at); s.at++, s.len--) {
            unit /= 10;
            fraction += unit * (*s.at - '0');
        }
    }
    *ns = (negative ? -1 : 1) * (whole * VOX_NS_PER_MS + fraction);
    return s.len == 0;
}

static bool parse_seq(struct span s, int64_t *seq)
{
    return cut_digits(&s, MAX_SEQ, seq) && s.len == 0;
}

/* `# interval_ms X`; other comments are for people. */
static const char *read_comment(struct span line, int64_t *interval_ns)
{
    line.at++;
    line.len--;
    if (!equals(next_field(&line), "interval_ms"))
        return NULL;
    if (!parse_ms(next_field(&line), interval_ns))
        return "interval_ms is not a number";
    return *interval_ns > 0 ? NULL : "interval_ms is not above 0";
}

/* Keeps the two earliest copies in order of arrival. */
static void add_copy(struct vox_trace_packet *packet, int64_t recv_ns)
{
    int at = packet->copies;
    while (at > 0 && packet->recv_ns[at - 1] > recv_ns)
        at--;
    if (at == 0 && packet->copies > 0)
        packet->recv_ns[1] = packet->recv_ns[0];
    if (at < 2)
        packet->recv_ns[at] = recv_ns;
    if (packet->copies < 2)
        packet->copies++;
}

static const char *add_packet(struct vox_trace *trace, int64_t seq, int64_t send_ns)
{
    const struct vox_trace_packet *last = trace->count ? &trace->packets[trace->count - 1] : NULL;
    if (last && seq < last->seq)
        return "sequence number goes backwards";
    if (last && send_ns < last->send_ns)
        return "send time goes backwards";
    if (!last || seq > last->seq)
        trace->packets[trace->count++] = (struct vox_trace_packet){.seq = seq, .send_ns = send_ns};
    return NULL;
}

static const char *read_packet(struct span line, struct vox_trace *trace)
{
    struct span seq_text = next_field(&line);
    struct span send_text = next_field(&line);
    struct span recv_text = next_field(&line);
    if (recv_text.len == 0 || next_field(&line).len > 0)
        return "not three fields";
    int64_t seq = 0;
    int64_t send_ns = 0;
    int64_t recv_ns = 0;
    if (!parse_seq(seq_text, &seq))
        return "sequence number is not a whole number";
    if (!parse_ms(send_text, &send_ns))
        return "send time is not a number";
    bool lost = equals(recv_text, "lost");
    if (!lost && !parse_ms(recv_text, &recv_ns))
        return "receive time is neither a number nor `lost`";
    if (!lost && recv_ns < send_ns)
        return "received before it was sent";
    const char *wrong = add_packet(trace, seq, send_ns);
    if (!wrong && !lost)
        add_copy(&trace->packets[trace->count - 1], recv_ns);
    return wrong;
}

static const char *read_line(struct span line, struct vox_trace *trace)
{
    struct span rest = line;
    struct span first = next_field(&rest);
    if (first.len == 0)
        return NULL;
    if (*first.at == '#')
        return read_comment((struct span){first.at, (size_t)(line.at + line.len - first.at)},
                            &trace->interval_ns);
    return read_packet(line, trace);
}

static int compare_ns(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* For traces without a header. Errors: VOX_ENOMEM, VOX_EFORMAT. */
static int take_median_interval(struct vox_trace *trace, const char **wrong)
{
    *wrong = "no `# interval_ms X`, and the send times do not tell it";
    if (trace->count < 2)
        return VOX_EFORMAT;
    size_t steps = trace->count - 1;
    int64_t *step_ns = malloc(steps * sizeof *step_ns);
    if (!step_ns)
        return VOX_ENOMEM;
    for (size_t i = 0; i < steps; i++)
        step_ns[i] = trace->packets[i + 1].send_ns - trace->packets[i].send_ns;
    qsort(step_ns, steps, sizeof *step_ns, compare_ns);
    trace->interval_ns = step_ns[steps / 2];
    free(step_ns);
    return trace->interval_ns > 0 ? 0 : VOX_EFORMAT;
}

static int complain(struct vox_trace_error *error, int err, int line, const char *reason)
{
    error->line = line;
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return err;
}

static int parse_lines(struct span text, struct vox_trace *trace, struct vox_trace_error *error)
{
    for (int line = 1; text.len > 0; line++) {
        const char *wrong = read_line(next_line(&text), trace);
        if (wrong)
            return complain(error, VOX_EFORMAT, line, wrong);
    }
    if (trace->count == 0)
        return complain(error, VOX_EFORMAT, 0, "no packets");
    if (trace->interval_ns > 0)
        return 0;
    const char *wrong = NULL;
    int err = take_median_interval(trace, &wrong);
    return err < 0 ? complain(error, err, 0, err == VOX_ENOMEM ? vox_err_text(err) : wrong) : 0;
}

/* An upper bound of the packets in it: one on each line, of at least six bytes ("0 1 2\n"). */
static size_t count_lines(struct span text)
{
    size_t lines = 0;
    while (text.len > 0)
        lines += next_line(&text).len >= 5 ? 1 : 0;
    return lines;
}

int vox_trace_parse(const char *text, size_t len, struct vox_trace **out,
                    struct vox_trace_error *error)
{
    struct span all = {.at = text, .len = len};
    size_t lines = count_lines(all);
    struct vox_trace *trace = calloc(1, sizeof *trace + lines * sizeof trace->packets[0]);
    if (!trace)
        return complain(error, VOX_ENOMEM, 0, vox_err_text(VOX_ENOMEM));
    int err = parse_lines(all, trace, error);
    if (err < 0) {
        vox_trace_destroy(trace);
        return err;
    }
    *out = trace;
    return 0;
}

void vox_trace_destroy(struct vox_trace *trace)
{
    free(trace);
}

size_t vox_trace_count(const struct vox_trace *trace)
{
    return trace->count;
}

const struct vox_trace_packet *vox_trace_at(const struct vox_trace *trace, size_t index)
{
    return &trace->packets[index];
}

int64_t vox_trace_interval_ns(const struct vox_trace *trace)
{
    return trace->interval_ns;
}

const struct vox_trace_packet *vox_trace_for_time(const struct vox_trace *trace,
                                                  int64_t since_start_ns)
{
    uint64_t index = since_start_ns > 0 ? (uint64_t)(since_start_ns / trace->interval_ns) : 0;
    return &trace->packets[index % trace->count];
}
