#include "sender/progress.h"

#include "base/time.h"
#include "cli/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SHOW_INTERVAL_NS (100 * VOX_NS_PER_MS)

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

static void tell_failure(struct vox_progress *p, const struct vox_send_report *r)
{
    if (!r->outlet.failure || p->failure_told)
        return;
    vox_message_warn("%s; sending goes on", r->outlet.failure);
    p->failure_told = true;
}

/* Says once what the user would otherwise look for in vain. */
static void tell_promises(struct vox_progress *p, const struct vox_send_report *r)
{
    vox_promises_tell(&p->promises, &(struct vox_promises_view){.options = &p->options->encoding,
                                                                .stats = &r->sender,
                                                                .channels = r->channels,
                                                                .sent_ns = r->sent_ns});
}

void vox_progress_second(struct vox_progress *p, struct vox_send_report *report, int64_t now_ns)
{
    tell_failure(p, report);
    tell_promises(p, report);
    report->wire_kbps = kbps(report->sender.wire_bytes - p->wire_bytes, now_ns - p->second_ns);
    report->rms_db = vox_pcm_meter_rms_db(&p->second, &report->peak_db);
    p->wire_bytes = report->sender.wire_bytes;
    p->second_ns = now_ns;
    if (p->stats == stdout)
        vox_report_json(report, p->stats);
}

/* How long the packets last, in which the last one is padded. */
static int64_t packets_ns(const struct vox_progress *p, const struct vox_send_report *report)
{
    uint64_t packets = report->sender.packets + report->sender.dtx_packets;
    return (int64_t)packets * vox_rtp_to_ns(p->options->encoding.frame_ticks);
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
    vox_message_error("cannot write the statistics to %s: %s",
                      strcmp(p->options->stats, "-") == 0 ? "standard output" : p->options->stats,
                      strerror(kept));
    return VOX_EXIT_FAILED;
}

int vox_progress_close(struct vox_progress *p, struct vox_send_report *report)
{
    vox_status_clear(&p->status);
    vox_message_set_status(NULL);
    tell_promises(p, report); /* a short stream has seen no second */
    report->final = true;
    report->wire_kbps = kbps(report->sender.wire_bytes, packets_ns(p, report));
    report->rms_db = vox_pcm_meter_rms_db(&p->whole, &report->peak_db);
    int status = write_final(p, report);
    vox_report_summary(report);
    return status;
}
