#include "receiver/report.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/peers.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const cause_names[VOX_GLITCH_CAUSES] = {
    [VOX_GLITCH_LOST] = "lost",
    [VOX_GLITCH_LATE] = "late",
    [VOX_GLITCH_SENDER_GAP] = "sender_gap",
    [VOX_GLITCH_UNDERRUN] = "device_underrun",
};

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

static const char *const end_names[] = {
    [VOX_END_BYE] = "bye",
    [VOX_END_TIMEOUT] = "timeout",
    [VOX_END_REPLACED] = "replaced",
};

static const char *const stretch_names[VOX_STRETCH_REASONS] = {
    [VOX_STRETCH_STALL] = "stall",
    [VOX_STRETCH_TARGET] = "target",
    [VOX_STRETCH_HOLE] = "hole",
};

static const char *const carrier_names[VOX_CARRIERS] = {
    [VOX_CARRIER_FEC] = "fec",
    [VOX_CARRIER_RED] = "red",
    [VOX_CARRIER_RTX] = "rtx",
};

static const char *const event_names[VOX_EVENT_KINDS] = {
    [VOX_EVENT_SOURCE_STARTED] = "source_started",
    [VOX_EVENT_SOURCE_ENDED] = "source_ended",
    [VOX_EVENT_GLITCH] = "glitch",
    [VOX_EVENT_TARGET] = "delay_target",
    [VOX_EVENT_STRETCH] = "stretch",
    [VOX_EVENT_SEQUENCE_JUMP] = "sequence_jump",
    [VOX_EVENT_TIMESTAMP_JUMP] = "timestamp_jump",
    [VOX_EVENT_WRONG_CLOCK] = "wrong_clock",
    [VOX_EVENT_RECOVERED] = "recovered",
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

static json_t *ms(int64_t ns)
{
    return json_real(round((double)ns / 1e3) / 1e3); /* whole microseconds */
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

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
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "p50", ms(q->p50_ns), "p95", ms(q->p95_ns), "p99",
                     ms(q->p99_ns), "max", ms(q->max_ns), "mean", ms(q->mean_ns));
}

static json_t *glitches(const struct vox_source_stats *s)
{
    json_t *list = json_array();
    for (int i = 0; i < VOX_GLITCH_CAUSES; i++)
        if (s->glitches[i].count > 0)
            json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "cause", cause_names[i],
                                                  "count", count(s->glitches[i].count), "ms",
                                                  ms(s->glitches[i].ns)));
    return list;
}

static json_t *packets(const struct vox_source_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "received", count(s->packets.received), "lost",
                     count(s->packets.lost), "late", count(s->packets.late), "duplicate",
                     count(s->packets.duplicate), "reordered", count(s->packets.reordered));
}

static json_t *frames(const struct vox_source_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "played", count(s->frames.played),
                     "decoded", count(s->frames.decoded), "concealed", count(s->frames.concealed),
                     "from_fec", count(s->frames.from_fec), "from_red", count(s->frames.from_red),
                     "from_rtx", count(s->frames.from_rtx), "stretched",
                     count(s->frames.stretched));
}

static json_t *retransmission(const struct vox_source_stats *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "nacks", count(s->retransmission.requests),
                     "asked", count(s->retransmission.asked), "asked_again",
                     count(s->retransmission.retried), "guessed", count(s->retransmission.guesses),
                     "guessed_in_vain", count(s->retransmission.vain_guesses), "answered",
                     count(s->retransmission.answered));
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
    json_object_set_new(object, "lbrr_packets", count(s->lbrr_packets));
    json_object_set_new(object, "red_packets", count(s->red_packets));
    json_object_set_new(object, "wire_kbps", hundredths(kbps(s, s->wire.bytes)));
    json_object_set_new(object, "redundancy", redundancy(s));
    json_object_set_new(object, "played_ms", ms(s->played_ns));
    json_object_set_new(object, "concealed_ms", ms(s->concealed_ns));
    json_object_set_new(object, "dtx_ms", ms(s->dtx_ns));
    json_object_set_new(object, "stretched_ms", ms(s->stretched_ns));
    json_object_set_new(object, "stretch_ops", count(s->stretch_ops));
    json_object_set_new(object, "delay_ms",
                        json_pack("{s:o, s:o, s:o}", "network", quantiles(&s->delay.network),
                                  "buffer", quantiles(&s->delay.buffer), "total",
                                  quantiles(&s->delay.total)));
    json_object_set_new(object, "delay_reference",
                        json_string(s->total_is_absolute ? "capture" : "fastest_packet"));
    json_object_set_new(object, "target_delay_ms", ms(s->target_ns));
    json_object_set_new(object, "current_delay_ms", ms(s->current_ns));
    json_object_set_new(object, "jitter_ms", ms(s->jitter_ns));
    json_object_set_new(object, "clock_skew_ppm", json_real(s->clock_skew_ppm));
    json_object_set_new(object, "delay_curve", curve(s));
    json_object_set_new(object, "correction_ppm", json_real(s->resample_ppm));
    json_object_set_new(object, "rtt_ms", s->rtt_ns < 0 ? json_null() : ms(s->rtt_ns));
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
            json_object_set_new(object, push_names[i], count(stats->pushed[i]));
    return object;
}

static int print_line(json_t *object, FILE *out)
{
    int bad = json_dumpf(object, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(object);
    bad |= fputc('\n', out) == EOF || fflush(out) == EOF;
    return bad ? VOX_EIO : 0;
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
    json_object_set_new(json_object_get(object, "packets"), "rejected", count(rejected(stats)));
    json_object_set_new(object, "rejected", rejections(stats));
    if (context->transport)
        json_object_set_new(object, "transport",
                            vox_peers_json(context->scheme, context->transport));
    json_object_set_new(object, "underruns", count(stats->underruns));
    json_object_set_new(object, "underrun_ms", ms(stats->underrun_ns));
    json_object_set_new(object, "level_db",
                        json_pack("{s:f, s:f}", "rms", stats->rms_db, "peak", stats->peak_db));
    if (context->recording)
        json_object_set_new(object, "recorded_ms", ms(context->recorded_ns));
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
    return print_line(vox_report_object(stats, context, final), out);
}

static void put_event_details(json_t *object, const struct vox_event *event)
{
    switch (event->kind) {
    case VOX_EVENT_GLITCH:
        json_object_set_new(object, "cause", json_string(cause_names[event->cause]));
        json_object_set_new(object, "ms", ms(event->duration_ns));
        if (event->cause == VOX_GLITCH_LATE)
            json_object_set_new(object, "late_by_ms", ms(event->late_ns));
        break;
    case VOX_EVENT_SOURCE_ENDED:
        json_object_set_new(object, "reason", json_string(end_names[event->value]));
        break;
    case VOX_EVENT_STRETCH:
        json_object_set_new(object, "reason", json_string(stretch_names[event->reason]));
        json_object_set_new(object, "ms", ms(event->value));
        break;
    case VOX_EVENT_TARGET:
        json_object_set_new(object, "ms", ms(event->value));
        break;
    case VOX_EVENT_SEQUENCE_JUMP:
        json_object_set_new(object, "packets", json_integer(event->value));
        break;
    case VOX_EVENT_TIMESTAMP_JUMP:
        json_object_set_new(object, "ticks", json_integer(event->value));
        break;
    case VOX_EVENT_WRONG_CLOCK:
        json_object_set_new(object, "clock_hz", json_integer(event->value));
        break;
    case VOX_EVENT_RECOVERED:
        json_object_set_new(object, "from", json_string(carrier_names[event->carrier]));
        json_object_set_new(object, "packet", json_integer(event->value));
        break;
    case VOX_EVENT_SOURCE_STARTED:
    case VOX_EVENT_KINDS:
        break;
    }
}

int vox_report_event(const struct vox_event *event, const struct vox_report_context *context,
                     FILE *out)
{
    int64_t since_ns = event->t_ns - context->start_ns;
    json_t *object = json_object();
    json_object_set_new(object, "t_ms", ms(since_ns));
    json_object_set_new(object, "unix_ms", ms(context->start_unix_ns + since_ns));
    json_object_set_new(object, "event", json_string(event_names[event->kind]));
    json_object_set_new(object, "source", json_integer(event->source));
    json_object_set_new(object, "ssrc", json_integer(event->ssrc));
    put_event_details(object, event);
    return print_line(object, out);
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

void vox_report_summary(const struct vox_receiver_stats *stats,
                        const struct vox_report_context *context, FILE *out)
{
    struct vox_source_stats t;
    add_up(stats, &t);
    if (t.packets.received == 0) {
        fprintf(out, "Nothing was received in %.1f s.\n", (double)context->elapsed_ns / 1e9);
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
    print_redundancy(&t, out);
    print_glitches(&t, out);
    print_delay(&t, out);
    print_choices(&t, out);
    print_rejected(stats, out);
    if (context->recording)
        fprintf(out, "  recorded   %.1f s in %s%s\n", (double)context->recorded_ns / 1e9,
                context->output, context->separate ? ", one file for each source" : "");
}
