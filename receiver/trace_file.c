#include "receiver/trace_file.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 256 };

/* ---- while the call lasts ---- */

/* What did not get in whole is taken out, so that the file ends with a line. */
static void give_up(struct vox_trace_file *trace)
{
    vox_message_error("cannot write the trace %s: %s; it ends here, all else goes on", trace->path,
                      strerror(errno));
    if (ftruncate(fileno(trace->file), (off_t)trace->bytes) < 0)
        vox_message_detail("%s may end with half a line: %s", trace->path, strerror(errno));
    fclose(trace->file);
    trace->file = NULL;
    trace->failed = true;
}

static void write_text(void *ctx, const char *text, size_t len)
{
    struct vox_trace_file *trace = ctx;
    if (!trace->file)
        return;
    if (fwrite(text, 1, len, trace->file) == len)
        trace->bytes += (int64_t)len;
    else
        give_up(trace);
}

bool vox_trace_file_open(struct vox_trace_file *trace, const struct vox_tracer_config *config,
                         const char *path)
{
    *trace = (struct vox_trace_file){.path = path};
    if (!path)
        return true;
    struct vox_tracer_config own = *config;
    own.on_text = write_text;
    own.ctx = trace;
    int err = vox_tracer_create(&own, &trace->tracer);
    if (err < 0)
        vox_message_error("cannot make the trace %s: %s", path, vox_err_text(err));
    else if (!(trace->file = fopen(path, "w")))
        vox_message_error("cannot write the trace %s: %s; choose another file or folder", path,
                          strerror(errno));
    else
        setvbuf(trace->file, NULL, _IONBF, 0); /* a killed program leaves whole lines */
    trace->failed = !trace->file;
    return !trace->failed;
}

void vox_trace_file_push(struct vox_trace_file *trace, const void *datagram, size_t len,
                         int64_t arrival_ns, bool same_clock)
{
    if (trace->file)
        vox_tracer_push(trace->tracer, datagram, len, arrival_ns, same_clock);
}

void vox_trace_file_close(struct vox_trace_file *trace)
{
    if (trace->file)
        fclose(trace->file);
    vox_tracer_destroy(trace->tracer);
    *trace = (struct vox_trace_file){0};
}

/* ---- in hindsight ---- */

static int64_t ms_to_ns(double ms)
{
    return (int64_t)llround(ms * 1e6);
}

static void write_comments(const struct vox_tracer_correction *c, FILE *out)
{
    fprintf(out, "# sender's clock %+.1f ppm, taken out\n", 0 - c->slope * 1e6);
    if (c->absolute)
        fprintf(out, "# one-way times from capture times: least %.3f ms, true to some ms\n",
                vox_ns_to_ms(c->least_ns));
    else
        fprintf(out, "# one-way times over the fastest packet, whose own is not known\n");
}

static int correct_packet(const char *line, const struct vox_tracer_correction *c, int64_t shift_ns,
                          FILE *out)
{
    long long seq;
    double send_ms, recv_ms;
    char send[VOX_TRACER_TIME_BYTES], recv[VOX_TRACER_TIME_BYTES] = "lost";
    int fields = sscanf(line, "%lld %lf %lf", &seq, &send_ms, &recv_ms);
    if (fields < 2)
        return VOX_EFORMAT;
    int64_t send_ns = ms_to_ns(send_ms);
    send_ns += (int64_t)floor(c->slope * (double)send_ns);
    if (fields == 3) {
        int64_t recv_ns = ms_to_ns(recv_ms) - shift_ns + c->offset_ns;
        vox_tracer_time(recv_ns > send_ns ? recv_ns : send_ns, recv);
    }
    fprintf(out, "%lld %s %s\n", seq, vox_tracer_time(send_ns, send), recv);
    return 0;
}

int vox_trace_file_correct(FILE *in, const struct vox_tracer_correction *correction, FILE *out)
{
    char line[LINE_BYTES];
    int64_t shift_ns = 0;
    bool told = false;
    int err = 0;
    while (err >= 0 && fgets(line, sizeof line, in)) {
        double shift_ms;
        if (sscanf(line, "# shift_ms %lf", &shift_ms) == 1)
            shift_ns = ms_to_ns(shift_ms);
        else if (strncmp(line, "# cut short", 11) == 0)
            continue;
        else if (line[0] == '#')
            fputs(line, out);
        else {
            if (!told)
                write_comments(correction, out);
            told = true;
            err = correct_packet(line, correction, shift_ns, out);
        }
    }
    if (err >= 0 && (ferror(in) || fflush(out) != 0 || ferror(out)))
        return VOX_EIO;
    return err;
}

/* A device or a pipe cannot be set right, nor is a link to be replaced by a file. */
static bool is_plain_file(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* A new file in the place of the old one: whoever is killed meanwhile leaves one of them. */
static bool replace(const struct vox_trace_file *trace, const char *temporary)
{
    struct vox_tracer_correction correction;
    vox_tracer_correction(trace->tracer, &correction);
    FILE *in = fopen(trace->path, "r");
    FILE *out = fopen(temporary, "wx");
    bool done = in && out && vox_trace_file_correct(in, &correction, out) == 0;
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        done = false;
    if (done && rename(temporary, trace->path) == 0)
        return true;
    int cause = errno;
    if (out)
        unlink(temporary);
    errno = cause;
    return false;
}

static void set_right(struct vox_trace_file *trace)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.%ld", trace->path, (long)getpid());
    if (n >= (int)sizeof temporary || !is_plain_file(trace->path))
        return;
    if (!replace(trace, temporary))
        vox_message_warn("the trace %s stays on the sender's own clock, a little less exact: %s",
                         trace->path, strerror(errno));
}

static void tell(const struct vox_trace_file *trace)
{
    struct vox_tracer_stats s;
    vox_tracer_read_stats(trace->tracer, &s);
    if (s.packets == 0) {
        vox_message_warn("the trace %s is empty: no Opus came", trace->path);
        return;
    }
    vox_message_info("trace %s: %llu packets of source %08x, %llu of them lost", trace->path,
                     (unsigned long long)(s.packets + s.lost), s.ssrc, (unsigned long long)s.lost);
    if (s.ended)
        vox_message_warn("the trace ends where the numbers of the packets leap beyond measure");
    if (s.others > 0)
        vox_message_info("%llu packets of other sources are not in it: a trace is of one",
                         (unsigned long long)s.others);
    if (s.too_late > 0)
        vox_message_info("%llu of the lost came after more than 5 s",
                         (unsigned long long)s.too_late);
}

void vox_trace_file_finish(struct vox_trace_file *trace)
{
    if (!trace->file)
        return;
    vox_tracer_finish(trace->tracer);
    if (!trace->file) /* given up over the last lines */
        return;
    if (trace->bytes > 0)
        set_right(trace);
    tell(trace);
}
