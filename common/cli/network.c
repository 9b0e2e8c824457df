#include "cli/network.h"

#include "base/err.h"
#include "channel/impair.h"
#include "channel/trace.h"
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TRACE_BYTES = 256 << 20 };

void vox_network_options_init(struct vox_network_options *options)
{
    *options = (struct vox_network_options){.burst_packets = 1, .seed = 1};
}

size_t vox_network_options_rows(struct vox_network_options *o, const char *group,
                                struct vox_option *rows)
{
    const struct vox_option table[VOX_NETWORK_OPTIONS] = {
        {.name = "loss",
         .argument = "PCT",
         .kind = VOX_OPTION_PERCENT,
         .target.number = &o->loss,
         .help = "share of the packets that is lost, 0..100"},
        {.name = "burst",
         .argument = "PACKETS",
         .kind = VOX_OPTION_NUMBER,
         .min = 1,
         .max = 10000,
         .target.number = &o->burst_packets,
         .help = "mean length of a loss burst, counted in packets of 20 ms whatever their real "
                 "spacing is: 3 are 60 ms (default 1: each loss on its own)"},
        {.name = "delay",
         .argument = "MS",
         .kind = VOX_OPTION_MS,
         .max = 60000,
         .target.ns = &o->delay_ns,
         .help = "one-way delay"},
        {.name = "jitter",
         .argument = "MS",
         .kind = VOX_OPTION_MS,
         .max = 10000,
         .target.ns = &o->jitter_ns,
         .help = "delay varies by up to so much up and down"},
        {.name = "reorder",
         .argument = "PCT",
         .kind = VOX_OPTION_PERCENT,
         .target.number = &o->reorder,
         .help = "share of the packets that is overtaken by later ones, 0..100"},
        {.name = "duplicate",
         .argument = "PCT",
         .kind = VOX_OPTION_PERCENT,
         .target.number = &o->duplicate,
         .help = "share of the packets that arrives twice, 0..100"},
        {.name = "rate-limit",
         .argument = "KBPS",
         .kind = VOX_OPTION_KBPS,
         .min = 1,
         .max = 1e6,
         .target.integer = &o->rate_limit_bps,
         .help = "of the link, headers included, with a queue of half a second"},
        {.name = "trace",
         .argument = "FILE",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->trace,
         .help =
             "delays and losses of a recorded network: lines `seq send_ms recv_ms`, or `lost` for "
             "recv_ms"},
        {.name = "seed",
         .argument = "N",
         .kind = VOX_OPTION_UINT64,
         .target.number64 = &o->seed,
         .help = "another seed, other packets; the same seed, the same (default 1)"},
    };
    for (size_t i = 0; i < VOX_NETWORK_OPTIONS; i++) {
        rows[i] = table[i];
        rows[i].group = group;
    }
    return VOX_NETWORK_OPTIONS;
}

bool vox_network_options_check(const struct vox_network_options *o)
{
    if (o->loss < 1 || o->burst_packets <= 1)
        return true;
    vox_message_error("--loss 100 has no bursts; leave --burst out");
    return false;
}

bool vox_network_options_any(const struct vox_network_options *o)
{
    return o->loss > 0 || o->delay_ns > 0 || o->jitter_ns > 0 || o->reorder > 0 ||
           o->duplicate > 0 || o->rate_limit_bps > 0 || o->trace;
}

void vox_network_options_impair(const struct vox_network_options *o, struct vox_impair_config *out)
{
    vox_impair_config_init(out);
    out->loss = o->loss;
    out->burst_packets = o->burst_packets;
    out->delay_ns = o->delay_ns;
    out->jitter_ns = o->jitter_ns;
    out->reorder = o->reorder;
    out->duplicate = o->duplicate;
    out->rate_bps = o->rate_limit_bps;
    out->seed = o->seed;
}

/* The whole file, terminated; NULL with errno set. The caller frees it. */
static char *read_text(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = NULL;
    size_t size = 0, capacity = 0;
    for (;;) {
        if (capacity - size < 2) {
            capacity = capacity ? 2 * capacity : 1 << 16;
            char *larger = capacity <= MAX_TRACE_BYTES ? realloc(text, capacity) : NULL;
            if (!larger) {
                errno = capacity <= MAX_TRACE_BYTES ? ENOMEM : EFBIG;
                break;
            }
            text = larger;
        }
        size_t n = fread(text + size, 1, capacity - size - 1, file);
        size += n;
        if (n == 0) {
            if (ferror(file))
                break;
            text[size] = '\0';
            *len = size;
            fclose(file);
            return text;
        }
    }
    int kept = errno;
    free(text);
    fclose(file);
    errno = kept;
    return NULL;
}

int vox_network_trace_read(const char *path, struct vox_trace **out,
                           char why[VOX_NETWORK_ERROR_BYTES])
{
    size_t len = 0;
    char *text = read_text(path, &len);
    if (!text) {
        snprintf(why, VOX_NETWORK_ERROR_BYTES, "cannot read the trace %s: %s; check its name", path,
                 strerror(errno));
        return VOX_EIO;
    }
    struct vox_trace_error where = {0};
    int err = vox_trace_parse(text, len, out, &where);
    free(text);
    if (err < 0)
        snprintf(why, VOX_NETWORK_ERROR_BYTES,
                 "cannot use the trace %s: line %d: %s; write lines of `seq send_ms recv_ms|lost`",
                 path, where.line, where.reason);
    return err;
}
