#include "sender/progress.h"

#include "sender/encoder.h"

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

static void tell_failure(struct vox_progress *p, const struct vox_send_report *r)
{
    if (r->outlet.failed == 0 || p->failure_told)
        return;
    vox_message_warn("cannot send to %s: %s; check the network, sending goes on", r->destination,
                     strerror(r->outlet.last_errno));
    p->failure_told = true;
}

/* At once where the codec never does it, else when enough packets were without. */
static void tell_no_fec(struct vox_progress *p, const struct vox_send_report *r)
{
    const struct vox_encoding_options *o = &p->options->encoding;
    int least_bps = vox_encoder_fec_bps((enum vox_profile)o->profile, o->frame_ticks);
    bool patient = least_bps > 0 && r->sent_ns <= FEC_PATIENCE_NS;
    if (!o->fec || p->fec_told || r->sender.lbrr_packets > 0 || patient)
        return;
    if (least_bps == 0)
        vox_message_warn("--fec: the codec puts in-band FEC into no packet of --profile lowdelay "
                         "or of less than 10 ms; choose --profile voice and --frame 10 or more");
    else
        vox_message_warn("--fec: the codec puts in-band FEC into no packet so far; silence needs "
                         "none, and frames of %g ms take --bitrate %d or more",
                         vox_ns_to_ms(vox_rtp_to_ns(o->frame_ticks)), least_bps / 1000);
    p->fec_told = true;
}

static void tell_mono(struct vox_progress *p, const struct vox_send_report *r)
{
    const struct vox_encoding_options *o = &p->options->encoding;
    if (r->channels < 2 || p->mono_told || r->sender.stereo_packets * 2 >= r->sender.packets)
        return;
    vox_message_warn("the codec makes mono of the two channels: at this bitrate, frames of %g ms "
                     "have too few bits for stereo; choose --bitrate %d%s",
                     vox_ns_to_ms(vox_rtp_to_ns(o->frame_ticks)),
                     vox_encoder_stereo_bps(o->frame_ticks) / 1000,
                     o->frame_ticks < 960 ? " or longer frames" : "");
    p->mono_told = true;
}

/* Says once what the user would otherwise look for in vain. */
static void tell_encoding(struct vox_progress *p, const struct vox_send_report *r)
{
    tell_no_fec(p, r);
    tell_mono(p, r);
}

void vox_progress_second(struct vox_progress *p, struct vox_send_report *report, int64_t now_ns)
{
    tell_failure(p, report);
    tell_encoding(p, report);
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
    tell_encoding(p, report); /* a short stream has seen no second */
    report->final = true;
    report->wire_kbps = kbps(report->sender.wire_bytes, packets_ns(p, report));
    report->rms_db = vox_pcm_meter_rms_db(&p->whole, &report->peak_db);
    int status = write_final(p, report);
    vox_report_summary(report);
    return status;
}
