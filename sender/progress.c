#include "sender/progress.h"

#include "base/time.h"
#include "cli/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SHOW_INTERVAL_NS (100 * VOX_NS_PER_MS)

/* So long without a single packet with FEC is not the luck of a pause in speech. */
#define FEC_PATIENCE_NS (5 * VOX_NS_PER_S)

int vox_progress_open(struct vox_progress *p, const struct vox_send_options *options)
{
    *p = (struct vox_progress){.options = options, .style = vox_meter_style(STDERR_FILENO)};
    vox_status_init(&p->status, STDERR_FILENO, SHOW_INTERVAL_NS);
    if (!options->stats)
        return VOX_EXIT_DONE;
    p->stats = strcmp(options->stats, "-") == 0 ? stdout : fopen(options->stats, "w");
    if (p->stats)
        return VOX_EXIT_DONE;
    vox_message_error("cannot write the statistics to %s: %s; choose another place for --stats",
                      options->stats, strerror(errno));
    return VOX_EXIT_FAILED;
}

bool vox_progress_is_live(const struct vox_progress *p)
{
    return p->status.terminal && !p->options->quiet;
}

void vox_progress_add(struct vox_progress *p, const float *pcm, size_t samples)
{
    vox_pcm_meter_add(&p->second, pcm, samples);
    vox_pcm_meter_add(&p->whole, pcm, samples);
}

static double kbps(uint64_t bytes, int64_t ns)
{
    return ns > 0 ? (double)bytes * 8e6 / (double)ns : 0;
}

void vox_progress_show(struct vox_progress *p, struct vox_send_report *report, int64_t now_ns)
{
    if (!vox_progress_is_live(p) || !vox_status_due(&p->status, now_ns))
        return;
    char text[4 * VOX_METER_BYTES];
    vox_message_set_status(&p->status);
    report->rms_db = report->sender.rms_db;
    report->peak_db = report->sender.peak_db;
    vox_report_status(report, p->style, text, sizeof text);
    vox_status_show(&p->status, text, now_ns);
}

/* Says once what the user would otherwise look for in vain. */
static void tell_trouble(struct vox_progress *p, const struct vox_send_report *r)
{
    if (r->outlet.failed > 0 && !p->failure_told) {
        vox_message_warn("cannot send to %s: %s; check the network, sending goes on",
                         r->destination, strerror(r->outlet.last_errno));
        p->failure_told = true;
    }
    if (p->options->encoding.fec && r->sender.lbrr_packets == 0 && !p->fec_told &&
        r->sent_ns > FEC_PATIENCE_NS) {
        vox_message_warn("--fec: the codec puts in-band FEC into no packet so far; it does so for "
                         "voice only, in frames of 10 ms and more, from 24 kbit/s on");
        p->fec_told = true;
    }
}

void vox_progress_second(struct vox_progress *p, struct vox_send_report *report, int64_t now_ns)
{
    tell_trouble(p, report);
    report->wire_kbps = kbps(report->sender.wire_bytes - p->wire_bytes, now_ns - p->second_ns);
    report->rms_db = vox_pcm_meter_rms_db(&p->second, &report->peak_db);
    p->wire_bytes = report->sender.wire_bytes;
    p->second_ns = now_ns;
    if (p->stats == stdout)
        vox_report_json(report, p->stats);
}

static int write_final(struct vox_progress *p, const struct vox_send_report *report)
{
    if (!p->stats)
        return VOX_EXIT_DONE;
    int err = vox_report_json(report, p->stats);
    int kept = errno;
    if (p->stats != stdout && fclose(p->stats) != 0 && err >= 0) {
        kept = errno;
        err = -1;
    }
    p->stats = NULL;
    if (err >= 0)
        return VOX_EXIT_DONE;
    vox_message_error("cannot write the statistics to %s: %s", p->options->stats, strerror(kept));
    return VOX_EXIT_FAILED;
}

int vox_progress_close(struct vox_progress *p, struct vox_send_report *report)
{
    vox_status_clear(&p->status);
    vox_message_set_status(NULL);
    report->final = true;
    report->wire_kbps = kbps(report->sender.wire_bytes, report->sent_ns);
    report->rms_db = vox_pcm_meter_rms_db(&p->whole, &report->peak_db);
    int status = write_final(p, report);
    vox_report_summary(report);
    return status;
}
