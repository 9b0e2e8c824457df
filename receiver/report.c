#include "receiver/report.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/json.h"
#include "cli/peers.h"
#include "receiver/event_line.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const push_names[VOX_PUSH_RESULTS] = {
    [VOX_PUSH_TAKEN] = "taken",
    [VOX_PUSH_RTCP] = "rtcp",
    [VOX_PUSH_DUPLICATE] = "duplicate",
    [VOX_PUSH_LATE] = "late",
    [VOX_PUSH_REPEAT] = "repeat",
    [VOX_PUSH_NOT_RTP] = "not_rtp",
    [VOX_PUSH_NOT_OPUS] = "not_opus",
    [VOX_PUSH_FOREIGN_PAYLOAD] = "foreign_payload_type",
    [VOX_PUSH_SEQUENCE_JUMP] = "sequence_jump",
    [VOX_PUSH_TOO_MANY_SOURCES] = "too_many_sources",
    [VOX_PUSH_BUFFER_FULL] = "buffer_full",
    [VOX_PUSH_BAD_RTCP] = "bad_rtcp",
    [VOX_PUSH_UNASKED] = "unasked_repeat",
};

static const char *const state_names[] = {
    [VOX_SOURCE_PROBATION] = "probation",
    [VOX_SOURCE_ACTIVE] = "active",
    [VOX_SOURCE_ENDED] = "ended",
};

/* ---- sums ---- */

static const struct vox_source_stats *most_played(const struct vox_receiver_stats *stats)
{
    const struct vox_source_stats *best = NULL;
    for (int i = 0; i < stats->source_count; i++) {
        const struct vox_source_stats *s = &stats->sources[i];
        if (!best || s->played_ns > best->played_ns)
            best = s;
    }
    return best;
}

/* Sums over all sources that were heard; delays are of the one that played most. */
static void add_up(const struct vox_receiver_stats *stats, struct vox_source_stats *total)
{
    const struct vox_source_stats *main_source = most_played(stats);
    *total = stats->past;
    total->rtt_ns = -1;
    for (int i = 0; i < stats->source_count; i++)
        if (stats->sources[i].state != VOX_SOURCE_PROBATION)
            vox_source_stats_add(total, &stats->sources[i]);
    if (!main_source)
        return;
    total->channels = main_source->channels;
    total->packet_ticks = main_source->packet_ticks;
    total->delay = main_source->delay;
    total->total_is_absolute = main_source->total_is_absolute;
    total->target_ns = main_source->target_ns;
    total->current_ns = main_source->current_ns;
    total->jitter_ns = main_source->jitter_ns;
    total->rtt_ns = main_source->rtt_ns;
    total->clock_skew_ppm = main_source->clock_skew_ppm;
    total->resample_ppm = main_source->resample_ppm;
    total->curve_count = main_source->curve_count;
    memcpy(total->curve, main_source->curve, sizeof total->curve);
}

static uint64_t rejected(const struct vox_receiver_stats *stats)
{
    uint64_t sum = 0;
    for (int i = VOX_PUSH_NOT_RTP; i < VOX_PUSH_RESULTS; i++)
        sum += stats->pushed[i];
    return sum;
}

static double share(double part, double whole)
{
    return whole > 0 ? 100.0 * part / whole : 0;
}

/* ---- JSON ---- */

static json_t *curve(const struct vox_source_stats *s)
{
    json_t *array = json_array();
    for (int i = 0; i < s->curve_count; i++) {
        json_t *choice = json_object();
        json_object_set_new(choice, "delay_ms", json_real(round(s->curve[i].delay_ms * 10) / 10));
        json_object_set_new(choice, "late_pct", json_real(round(s->curve[i].late_pct * 1e3) / 1e3));
        json_object_set_new(choice, "chosen", json_boolean(s->curve[i].chosen));
        json_array_append_new(array, choice);
    }
    return array;
}

static json_t *quantiles(const struct vox_quantiles *q)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "p50", vox_json_ms(q->p50_ns), "p95",
                     vox_json_ms(q->p95_ns), "p99", vox_json_ms(q->p99_ns), "max",
                     vox_json_ms(q->max_ns), "mean", vox_json_ms(q->mean_ns));
}

static json_t *glitches(const struct vox_source_stats *s)
{
    json_t *list = json_array();
    for (enum vox_glitch_cause i = 0; i < VOX_GLITCH_CAUSES; i++)
        if (s->glitches[i].count > 0)
            json_array_append_new(list,
                                  json_pack("{s:s, s:o, s:o}", "cause", vox_glitch_cause_name(i),
                                            "count", vox_json_count(s->glitches[i].count), "ms",
                                            vox_json_ms(s->glitches[i].ns)));
    return list;
}

static json_t *packets(const struct vox_source_stats *s)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "received", vox_json_count(s->packets.received), "lost",
        vox_json_count(s->packets.lost), "late", vox_json_count(s->packets.late), "duplicate",
        vox_json_count(s->packets.duplicate), "reordered", vox_json_count(s->packets.reordered));
}

static json_t *frames(const struct vox_source_stats *s)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "played", vox_json_count(s->frames.played),
        "decoded", vox_json_count(s->frames.decoded), "concealed",
        vox_json_count(s->frames.concealed), "from_fec", vox_json_count(s->frames.from_fec),
        "from_red", vox_json_count(s->frames.from_red), "from_rtx",
        vox_json_count(s->frames.from_rtx), "stretched", vox_json_count(s->frames.stretched));
}

static json_t *retransmission(const struct vox_source_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "nacks",
                     vox_json_count(s->retransmission.requests), "asked",
                     vox_json_count(s->retransmission.asked), "asked_again",
                     vox_json_count(s->retransmission.retried), "guessed",
                     vox_json_count(s->retransmission.guesses), "guessed_in_vain",
                     vox_json_count(s->retransmission.vain_guesses), "answered",
                     vox_json_count(s->retransmission.answered));
}

static double kbps(const struct vox_source_stats *s, uint64_t bytes)
{
    int64_t ns = s->wire.last_ns - s->wire.first_ns;
    return ns > 0 ? (double)bytes * 8e6 / (double)ns : 0;
}

static uint64_t redundant_bytes(const struct vox_source_stats *s)
{
    return s->wire.copies_bytes + s->wire.repeats_bytes;
}

/* Beside all else. */
static double redundant_pct(const struct vox_source_stats *s)
{
    return share((double)redundant_bytes(s), (double)(s->wire.bytes - redundant_bytes(s)));
}

static json_t *hundredths(double x)
{
    return json_real(round(x * 100) / 100);
}

static json_t *redundancy(const struct vox_source_stats *s)
{
    return json_pack("{s:o, s:o}", "kbps", hundredths(kbps(s, redundant_bytes(s))), "pct",
                     hundredths(redundant_pct(s)));
}

static void put_source(json_t *object, const struct vox_source_stats *s)
{
    json_object_set_new(object, "packets", packets(s));
    json_object_set_new(object, "frames", frames(s));
    json_object_set_new(object, "retransmission", retransmission(s));
    json_object_set_new(object, "lbrr_packets", vox_json_count(s->lbrr_packets));
    json_object_set_new(object, "red_packets", vox_json_count(s->red_packets));
    json_object_set_new(object, "wire_kbps", hundredths(kbps(s, s->wire.bytes)));
    json_object_set_new(object, "redundancy", redundancy(s));
    json_object_set_new(object, "played_ms", vox_json_ms(s->played_ns));
    json_object_set_new(object, "concealed_ms", vox_json_ms(s->concealed_ns));
    json_object_set_new(object, "dtx_ms", vox_json_ms(s->dtx_ns));
    json_object_set_new(object, "stretched_ms", vox_json_ms(s->stretched_ns));
    json_object_set_new(object, "stretch_ops", vox_json_count(s->stretch_ops));
    json_object_set_new(object, "delay_ms",
                        json_pack("{s:o, s:o, s:o}", "network", quantiles(&s->delay.network),
                                  "buffer", quantiles(&s->delay.buffer), "total",
                                  quantiles(&s->delay.total)));
    json_object_set_new(object, "delay_reference",
                        json_string(s->total_is_absolute ? "capture" : "fastest_packet"));
    json_object_set_new(object, "target_delay_ms", vox_json_ms(s->target_ns));
    json_object_set_new(object, "current_delay_ms", vox_json_ms(s->current_ns));
    json_object_set_new(object, "jitter_ms", vox_json_ms(s->jitter_ns));
    json_object_set_new(object, "clock_skew_ppm", json_real(s->clock_skew_ppm));
    json_object_set_new(object, "delay_curve", curve(s));
    json_object_set_new(object, "correction_ppm", json_real(s->resample_ppm));
    json_object_set_new(object, "rtt_ms", s->rtt_ns < 0 ? json_null() : vox_json_ms(s->rtt_ns));
    json_object_set_new(object, "glitches", glitches(s));
    json_object_set_new(object, "channels", json_integer(s->channels));
    json_object_set_new(object, "frame_ms",
                        json_real(vox_ns_to_ms(vox_rtp_to_ns(s->packet_ticks))));
}

static json_t *source_object(const struct vox_source_stats *s)
{
    json_t *object = json_object();
    json_object_set_new(object, "index", json_integer(s->index));
    json_object_set_new(object, "ssrc", json_integer(s->ssrc));
    json_object_set_new(object, "cname", json_string(s->cname));
    json_object_set_new(object, "state", json_string(state_names[s->state]));
    json_object_set_new(object, "payload_type", json_integer(s->payload_type));
    put_source(object, s);
    return object;
}

static json_t *rejections(const struct vox_receiver_stats *stats)
{
    json_t *object = json_object();
    for (int i = VOX_PUSH_NOT_RTP; i < VOX_PUSH_RESULTS; i++)
        if (stats->pushed[i] > 0)
            json_object_set_new(object, push_names[i], vox_json_count(stats->pushed[i]));
    return object;
}

struct json_t *vox_report_object(const struct vox_receiver_stats *stats,
                                 const struct vox_report_context *context, bool final)
{
    struct vox_source_stats total;
    add_up(stats, &total);
    json_t *object = json_object();
    json_object_set_new(object, "program", json_string(context->program));
    json_object_set_new(object, "final", json_boolean(final));
    json_object_set_new(object, "elapsed_s",
                        json_real(round((double)context->elapsed_ns / 1e3) / 1e6));
    put_source(object, &total);
    json_object_set_new(json_object_get(object, "packets"), "rejected",
                        vox_json_count(rejected(stats)));
    json_object_set_new(object, "rejected", rejections(stats));
    if (context->transport)
        json_object_set_new(object, "transport",
                            vox_peers_json(context->scheme, context->transport));
    json_object_set_new(object, "underruns", vox_json_count(stats->underruns));
    json_object_set_new(object, "underrun_ms", vox_json_ms(stats->underrun_ns));
    json_object_set_new(object, "level_db",
                        json_pack("{s:f, s:f}", "rms", stats->rms_db, "peak", stats->peak_db));
    if (context->recording)
        json_object_set_new(object, "recorded_ms", vox_json_ms(context->recorded_ns));
    json_t *sources = json_array();
    for (int i = 0; i < stats->source_count; i++)
        if (stats->sources[i].state != VOX_SOURCE_PROBATION)
            json_array_append_new(sources, source_object(&stats->sources[i]));
    json_object_set_new(object, "sources", sources);
    return object;
}

int vox_report_json(const struct vox_receiver_stats *stats,
                    const struct vox_report_context *context, bool final, FILE *out)
{
    return vox_json_print_line(vox_report_object(stats, context, final), out);
}

/* ---- words ---- */

static double loss_pct(const struct vox_source_stats *t)
{
    return share((double)t->packets.lost, (double)(t->packets.received + t->packets.lost));
}

static int sources_in(const struct vox_receiver_stats *stats, enum vox_source_state state)
{
    int n = 0;
    for (int i = 0; i < stats->source_count; i++)
        n += stats->sources[i].state == state;
    return n;
}

void vox_report_status(const struct vox_receiver_stats *stats,
                       const struct vox_report_context *context, struct vox_meter_style style,
                       char *out, size_t capacity)
{
    char bar[VOX_METER_BYTES];
    struct vox_source_stats t;
    int sources = sources_in(stats, VOX_SOURCE_ACTIVE);
    int seconds = (int)(context->elapsed_ns / VOX_NS_PER_S);
    add_up(stats, &t);
    vox_meter_level(stats->rms_db, stats->peak_db, 12, style, bar, sizeof bar);
    if (sources == 0) {
        snprintf(out, capacity, "%02d:%02d %s waiting for a sender", seconds / 60, seconds % 60,
                 bar);
        return;
    }
    snprintf(out, capacity,
             "%02d:%02d %s %5.1f dB  delay %.0f ms  lost %.1f %%  FEC %llu  concealed %.0f ms%s",
             seconds / 60, seconds % 60, bar, stats->rms_db, vox_ns_to_ms(t.current_ns),
             loss_pct(&t), (unsigned long long)t.frames.from_fec, vox_ns_to_ms(t.concealed_ns),
             sources > 1 ? "  (several sources)" : "");
}

static void print_glitches(const struct vox_source_stats *t, FILE *out)
{
    static const char *const words[VOX_GLITCH_CAUSES] = {
        [VOX_GLITCH_LOST] = "lost in the network",
        [VOX_GLITCH_LATE] = "came too late",
        [VOX_GLITCH_SENDER_GAP] = "gap at the sender",
        [VOX_GLITCH_UNDERRUN] = "sound card ran dry",
        [VOX_GLITCH_SKIPPED] = "left out, since too old, to be live again",
    };
    const char *separator = "  glitches   ";
    for (int i = 0; i < VOX_GLITCH_CAUSES; i++) {
        if (t->glitches[i].count == 0)
            continue;
        fprintf(out, "%s%llu %s (%.0f ms)", separator, (unsigned long long)t->glitches[i].count,
                words[i], vox_ns_to_ms(t->glitches[i].ns));
        separator = ", ";
    }
    fputs(*separator == ',' ? "\n" : "  glitches   none\n", out);
}

/* What came beside the packets themselves, and what it cost. */
static void print_redundancy(const struct vox_source_stats *t, FILE *out)
{
    if (t->lbrr_packets + redundant_bytes(t) == 0)
        return;
    fprintf(out,
            "  carried    in-band FEC in %llu packets, copies in %llu; copies and what was sent "
            "again took %.1f kbit/s (%.0f %% more)\n",
            (unsigned long long)t->lbrr_packets, (unsigned long long)t->red_packets,
            kbps(t, redundant_bytes(t)), redundant_pct(t));
}

static void print_delay(const struct vox_source_stats *t, FILE *out)
{
    fprintf(
        out,
        "  delay      %.1f ms chosen over the fastest packet, %.1f ms at last; network jitter p95 "
        "%.1f ms\n",
        vox_ns_to_ms(t->target_ns), vox_ns_to_ms(t->current_ns),
        vox_ns_to_ms(t->delay.network.p95_ns));
    fprintf(out, "             %s: median %.1f ms, p95 %.1f ms, most %.1f ms\n",
            t->total_is_absolute ? "capture to playout (one clock)"
                                 : "playout after the fastest packet (no common clock)",
            vox_ns_to_ms(t->delay.total.p50_ns), vox_ns_to_ms(t->delay.total.p95_ns),
            vox_ns_to_ms(t->delay.total.max_ns));
}

/* What two other delays, a shorter and a longer one, would have cost. */
static void print_choices(const struct vox_source_stats *t, FILE *out)
{
    int chosen = 0;
    while (chosen < t->curve_count && !t->curve[chosen].chosen)
        chosen++;
    if (chosen == t->curve_count)
        return;
    int last = t->curve_count - 1;
    const int shown[] = {chosen > 2 ? chosen - 2 : 0, chosen,
                         chosen + 2 < last ? chosen + 2 : last};
    fprintf(out, "  choices    too late lately:");
    for (int i = 0; i < 3; i++) {
        const struct vox_choice *c = &t->curve[shown[i]];
        if (i == 1 || shown[i] != chosen)
            fprintf(out, "%s %.2g %% at %.0f ms%s", i > 0 && shown[0] != chosen ? "," : "",
                    c->late_pct, c->delay_ms, c->chosen ? " (chosen)" : "");
    }
    fputc('\n', out);
}

static void print_rejected(const struct vox_receiver_stats *stats, FILE *out)
{
    const char *separator = "  rejected   ";
    for (int i = VOX_PUSH_NOT_RTP; i < VOX_PUSH_RESULTS; i++) {
        if (stats->pushed[i] == 0)
            continue;
        fprintf(out, "%s%llu %s", separator, (unsigned long long)stats->pushed[i], push_names[i]);
        separator = ", ";
    }
    if (*separator == ',')
        fputc('\n', out);
}

/* The network cannot be blamed for these, which are among the lost. */
static void print_dropped(const struct vox_report_context *context, FILE *out)
{
    if (context->transport && context->transport->kernel_dropped > 0)
        fprintf(out,
                "  dropped    %llu packets that had come, by the system: its buffer was full; the "
                "machine is too busy, or net.core.rmem_max (sysctl) below %d\n",
                (unsigned long long)context->transport->kernel_dropped, VOX_TRANSPORT_BUFFER_BYTES);
}

void vox_report_summary(const struct vox_receiver_stats *stats,
                        const struct vox_report_context *context, FILE *out)
{
    struct vox_source_stats t;
    add_up(stats, &t);
    if (t.packets.received == 0) {
        fprintf(out, "Nothing was received in %.1f s.\n", (double)context->elapsed_ns / 1e9);
        print_dropped(context, out);
        print_rejected(stats, out);
        return;
    }
    int64_t from_fec_ns = (int64_t)t.frames.from_fec * vox_rtp_to_ns(t.packet_ticks);
    /* Single packets of strangers are on probation: not heard. */
    int sources = stats->source_count - sources_in(stats, VOX_SOURCE_PROBATION);
    double heard_ns = (double)(t.played_ns + from_fec_ns + t.concealed_ns + t.dtx_ns);
    fprintf(out, "Heard %.1f s of audio from %d source%s (%s, %g ms packets).\n", heard_ns / 1e9,
            sources, sources == 1 ? "" : "s", t.channels == 2 ? "stereo" : "mono",
            vox_ns_to_ms(vox_rtp_to_ns(t.packet_ticks)));
    fprintf(out,
            "  network    %llu packets received, %llu lost (%.1f %%), %llu too late, "
            "%llu reordered, %llu duplicate\n",
            (unsigned long long)t.packets.received, (unsigned long long)t.packets.lost,
            loss_pct(&t), (unsigned long long)t.packets.late,
            (unsigned long long)t.packets.reordered, (unsigned long long)t.packets.duplicate);
    fprintf(out,
            "  repaired   %llu from in-band FEC, %llu from copies, %llu sent again; concealed %.0f "
            "ms (%.1f %% of what "
            "was heard)\n",
            (unsigned long long)t.frames.from_fec, (unsigned long long)t.frames.from_red,
            (unsigned long long)t.frames.from_rtx, vox_ns_to_ms(t.concealed_ns),
            share((double)t.concealed_ns, heard_ns));
    print_dropped(context, out);
    print_redundancy(&t, out);
    print_glitches(&t, out);
    print_delay(&t, out);
    print_choices(&t, out);
    print_rejected(stats, out);
    if (context->recording)
        fprintf(out, "  recorded   %.1f s in %s%s\n", (double)context->recorded_ns / 1e9,
                context->output, context->separate ? ", one file for each source" : "");
}
