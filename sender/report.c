#include "sender/report.h"

#include "sender/adapt_report.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/peers.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { PROGRESS_CELLS = 16, LEVEL_CELLS = 16, TIME_BYTES = 32 };

/* 1:02:03 or 2:03 */
static const char *clock_text(int64_t ns, char out[TIME_BYTES])
{
    int64_t s = ns / VOX_NS_PER_S;
    if (s >= 3600)
        snprintf(out, TIME_BYTES, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
                 (int)(s % 60));
    else
        snprintf(out, TIME_BYTES, "%d:%02d", (int)(s / 60), (int)(s % 60));
    return out;
}

/* Appends; keeps *used within capacity. */
__attribute__((format(printf, 4, 5))) static void add(char *out, size_t capacity, size_t *used,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(out + *used, capacity - *used, format, arguments);
    va_end(arguments);
    if (n > 0)
        *used = *used + (size_t)n < capacity ? *used + (size_t)n : capacity - 1;
}

size_t vox_report_status(const struct vox_send_report *r, struct vox_meter_style style, char *out,
                         size_t capacity)
{
    char bar[VOX_METER_BYTES], at[TIME_BYTES], end[TIME_BYTES];
    size_t used = 0;
    out[0] = '\0';
    if (r->duration_ns > 0) {
        double share = (double)r->sent_ns / (double)r->duration_ns;
        vox_meter_progress(share, PROGRESS_CELLS, style, bar, sizeof bar);
        add(out, capacity, &used, "%s %s/%s", bar, clock_text(r->sent_ns, at),
            clock_text(r->duration_ns, end));
    } else {
        add(out, capacity, &used, "%s", clock_text(r->sent_ns, at));
    }
    vox_meter_level(r->rms_db, r->peak_db, LEVEL_CELLS, style, bar, sizeof bar);
    add(out, capacity, &used, "  %s  %llu packets", bar, (unsigned long long)r->sender.packets);
    if (r->outlet.media_dropped > 0)
        add(out, capacity, &used, ", %llu dropped", (unsigned long long)r->outlet.media_dropped);
    if (r->sender.reports > 0)
        add(out, capacity, &used, "  loss %.1f %%", r->sender.reported_loss_pct);
    if (r->sender.rtt_ns >= 0)
        add(out, capacity, &used, "  rtt %.1f ms", vox_ns_to_ms(r->sender.rtt_ns));
    return used;
}

static json_t *number(double value, double unit)
{
    return isfinite(value) ? json_real(round(value / unit) * unit) : json_null();
}

static json_t *packets_json(const struct vox_send_report *r)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sent", vox_json_count(r->sender.packets),
        "dropped_by_simulation", vox_json_count(r->outlet.media_dropped),
        "duplicated_by_simulation", vox_json_count(r->outlet.media_duplicated), "failed",
        vox_json_count(r->outlet.failed), "overflow", vox_json_count(r->outlet.overflow),
        "not_sent_in_silence", vox_json_count(r->sender.dtx_packets), "with_fec",
        vox_json_count(r->sender.lbrr_packets), "with_copies",
        vox_json_count(r->sender.red_packets), "coded_stereo",
        vox_json_count(r->sender.stereo_packets));
}

static double copies_kbps(const struct vox_sender_stats *s)
{
    double seconds = (double)s->frames_captured / VOX_RTP_HZ;
    return seconds > 0 ? (double)s->redundant_bytes * 8e-3 / seconds : 0;
}

/* What the copies cost, and that beside all else on the wire. */
static json_t *redundancy_json(const struct vox_sender_stats *s)
{
    double rest = (double)(s->wire_bytes - s->redundant_bytes);
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "kbps", number(copies_kbps(s), 0.01), "pct",
                     number(rest > 0 ? 100 * (double)s->redundant_bytes / rest : 0, 0.01), "copies",
                     vox_json_count(s->copies), "too_long", vox_json_count(s->copies_too_long),
                     "absent", vox_json_count(s->copies_absent));
}

static double repeats_kbps(const struct vox_sender_stats *s)
{
    double seconds = (double)s->frames_captured / VOX_RTP_HZ;
    return seconds > 0 ? (double)s->rtx_bytes * 8e-3 / seconds : 0;
}

/* What receivers asked for again; kbps with headers. */
static json_t *retransmission_json(const struct vox_sender_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "nacks", vox_json_count(s->nacks_received),
                     "asked", vox_json_count(s->rtx_asked), "sent", vox_json_count(s->rtx_packets),
                     "refused", vox_json_count(s->rtx_refused), "kbps",
                     number(repeats_kbps(s), 0.01));
}

static json_t *receiver_json(const struct vox_send_report *r)
{
    if (r->sender.reports == 0)
        return json_null();
    bool bursts = r->sender.burst_packets > 0;
    return json_pack("{s:o, s:o, s:o, s:I, s:o}", "reports", vox_json_count(r->sender.reports),
                     "loss_pct", number(r->sender.reported_loss_pct, 0.001), "burst_packets",
                     bursts ? number(r->sender.burst_packets, 0.01) : json_null(), "lost",
                     (json_int_t)r->sender.reported_lost, "jitter_ms",
                     number(vox_ns_to_ms(r->sender.reported_jitter_ns), 0.001));
}

static json_t *capture_json(const struct vox_send_report *r)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "gaps", vox_json_count(r->sender.capture_gaps),
                     "gap_ms", number(vox_ns_to_ms(r->sender.capture_gap_ns), 0.001),
                     "stale_packets", vox_json_count(r->sender.stale_frames), "dropped_frames",
                     vox_json_count(r->mic_dropped_frames), "clipped_samples",
                     vox_json_count(r->sender.clipped_samples));
}

static json_t *pacing_json(const struct vox_histogram *late)
{
    return json_pack("{s:o, s:o, s:o}", "p50",
                     number((double)vox_histogram_quantile_ns(late, 0.5) / 1e3, 0.1), "p99",
                     number((double)vox_histogram_quantile_ns(late, 0.99) / 1e3, 0.1), "max",
                     number((double)late->max_ns / 1e3, 0.1));
}

/* Where the stream began: what came of it can be counted against what was sent. */
static json_t *rtp_json(const struct vox_send_report *r)
{
    return json_pack("{s:o, s:o, s:o}", "ssrc", vox_json_count(r->rtp.ssrc), "first_seq",
                     vox_json_count(r->rtp.first_seq), "first_timestamp",
                     vox_json_count(r->rtp.first_timestamp));
}

static json_t *report_json(const struct vox_send_report *r)
{
    json_t *rtt =
        r->sender.rtt_ns < 0 ? json_null() : number(vox_ns_to_ms(r->sender.rtt_ns), 0.001);
    json_t *object = json_pack(
        "{s:b, s:o?, s:s, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "final",
        (int)r->final, "source", json_string(r->options->source_text), "destination",
        r->destination, "sent_s", number((double)r->sent_ns / 1e9, 0.0001), "packets",
        packets_json(r), "wire_kbps", number(r->wire_kbps, 0.01), "level", "rms_db",
        number(r->rms_db, 0.01), "peak_db", number(r->peak_db, 0.01), "rtt_ms", rtt, "receiver",
        receiver_json(r), "capture", capture_json(r), "rtcp", "sent",
        vox_json_count(r->sender.rtcp_sent), "received", vox_json_count(r->sender.rtcp_received),
        "rejected", vox_json_count(r->sender.rtcp_rejected));
    if (object)
        json_object_set_new(object, "rtp", rtp_json(r));
    if (object)
        json_object_set_new(object, "redundancy", redundancy_json(&r->sender));
    if (object && r->options->encoding.adapt)
        json_object_set_new(object, "adapt", vox_adapt_json(&r->sender));
    if (object)
        json_object_set_new(object, "retransmission", retransmission_json(&r->sender));
    if (object)
        json_object_set_new(object, "transport", vox_peers_json(r->scheme, &r->outlet.transport));
    if (object && r->late)
        json_object_set_new(object, "pacing_us", pacing_json(r->late));
    return object;
}

int vox_report_json(const struct vox_send_report *r, FILE *out)
{
    json_t *object = report_json(r);
    if (!object)
        return VOX_EIO;
    bool failed = json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(12)) != 0;
    failed = fputc('\n', out) == EOF || failed;
    failed = fflush(out) != 0 || failed;
    json_decref(object);
    return failed ? VOX_EIO : 0;
}

static void summarize_network(const struct vox_send_report *r)
{
    const struct vox_sender_stats *s = &r->sender;
    if (vox_network_options_any(&r->options->network))
        vox_message_info("The simulated network dropped %llu (%.1f %%) and doubled %llu of them.",
                         (unsigned long long)r->outlet.media_dropped,
                         s->packets ? 100.0 * (double)r->outlet.media_dropped / (double)s->packets
                                    : 0.0,
                         (unsigned long long)r->outlet.media_duplicated);
    if (r->outlet.transport.unsent > 0)
        vox_message_info("%llu packets, reports included, went nowhere: %s.",
                         (unsigned long long)r->outlet.transport.unsent,
                         vox_transport_is_stream(r->scheme) ? "nobody was connected"
                                                            : "nobody received there");
    if (r->untaken_bytes > 0)
        vox_message_info(
            "%zu bytes had not been taken when it ended, and were dropped: the receiver "
            "does not keep up, is its program stopped?",
            r->untaken_bytes);
    if (s->reports == 0)
        vox_message_info("No receiver sent a report: it may not speak RTCP, or not be there.");
    else if (s->rtt_ns >= 0)
        vox_message_info("The receiver last reported %lld lost in all, jitter %.1f ms; to it and "
                         "back takes %.1f ms.",
                         (long long)s->reported_lost, vox_ns_to_ms(s->reported_jitter_ns),
                         vox_ns_to_ms(s->rtt_ns));
    else
        vox_message_info("The receiver last reported %lld lost in all, jitter %.1f ms.",
                         (long long)s->reported_lost, vox_ns_to_ms(s->reported_jitter_ns));
    if (r->outlet.failed > 0)
        vox_message_info("%llu packets could not be sent (the first: %s).",
                         (unsigned long long)r->outlet.failed, r->outlet.failure);
}

static void summarize_sound(const struct vox_send_report *r)
{
    const struct vox_sender_stats *s = &r->sender;
    if (r->options->encoding.fec)
        vox_message_info("In-band FEC was in %llu of %llu packets.",
                         (unsigned long long)s->lbrr_packets, (unsigned long long)s->packets);
    if (s->red_packets > 0)
        vox_message_info("Copies of earlier ones were in %llu packets, for %.1f kbit/s more.",
                         (unsigned long long)s->red_packets, copies_kbps(s));
    char text[VOX_ADAPT_TEXT_BYTES];
    if (r->options->encoding.adapt)
        vox_message_info("The protection was changed %llu time%s; at the end it was %s.",
                         (unsigned long long)s->adaptations, s->adaptations == 1 ? "" : "s",
                         vox_protection_text(&s->protection, text));
    if (s->rtx_asked > 0)
        vox_message_info("Receivers asked for %llu packets again; %llu were sent again, for "
                         "%.1f kbit/s more, and %llu were refused: too late or too many.",
                         (unsigned long long)s->rtx_asked, (unsigned long long)s->rtx_packets,
                         repeats_kbps(s), (unsigned long long)s->rtx_refused);
    if (r->channels == 2 && s->stereo_packets > 0 && s->stereo_packets < s->packets)
        vox_message_info("Of these packets, %llu are stereo; for the others there were too few "
                         "bits.",
                         (unsigned long long)s->stereo_packets);
    if (r->options->encoding.dtx)
        vox_message_info("Silence spared %llu packets.", (unsigned long long)s->dtx_packets);
    if (s->capture_gaps > 0)
        vox_message_info("Gaps in the audio of the source: %llu, together %.0f ms.",
                         (unsigned long long)s->capture_gaps, vox_ns_to_ms(s->capture_gap_ns));
    if (s->clipped_samples > 0)
        vox_message_info("%llu samples are at full scale: the source may be too loud.",
                         (unsigned long long)s->clipped_samples);
}

/* A file is due when its time has come; a microphone is due when it was heard, so latency counts.
 */
static void summarize_pacing(const struct vox_send_report *r)
{
    double median_ms = vox_ns_to_ms(vox_histogram_quantile_ns(r->late, 0.5));
    double p99_ms = vox_ns_to_ms(vox_histogram_quantile_ns(r->late, 0.99));
    if (r->options->source.kind == VOX_SOURCE_MIC)
        vox_message_info(
            "From the last sample of a packet at the microphone to the network it took "
            "%.2f ms (median), 99 %% took less than %.2f ms.",
            median_ms, p99_ms);
    else
        vox_message_info("99 %% left within %.2f ms of their time, the latest after %.2f ms.",
                         p99_ms, vox_ns_to_ms(r->late->max_ns));
}

void vox_report_summary(const struct vox_send_report *r)
{
    char time[TIME_BYTES];
    const struct vox_sender_stats *s = &r->sender;
    if (s->packets == 0) {
        if (vox_transport_is_stream(r->scheme) && r->outlet.transport.connected == 0)
            vox_message_info("Nothing was sent to %s: nobody connected.", r->destination);
        else
            vox_message_warn("there was no audio in %s: nothing was sent to %s",
                             r->options->source_text, r->destination);
        return;
    }
    vox_message_info("Sent %s of %s to %s: %llu packets of %g ms, %s, %.0f kbit/s with headers.",
                     clock_text(r->sent_ns, time), r->options->source_text, r->destination,
                     (unsigned long long)s->packets,
                     vox_ns_to_ms(vox_rtp_to_ns(r->options->encoding.frame_ticks)),
                     s->stereo_packets > 0 ? "stereo" : "mono", r->wire_kbps);
    summarize_network(r);
    summarize_sound(r);
    if (r->late && r->late->count > 0)
        summarize_pacing(r);
}
