#include "lab/report_facts.h"

#include "base/err.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Glitches closer than this are in the same picture. */
#define PICTURE_NS (150 * VOX_NS_PER_MS)
/* Below some -55 dBFS nobody misses anything. */
#define SILENT_PEAK 0.002f

/* ---- counts ---- */

static void add_up(struct vox_lab_facts *f)
{
    const struct vox_receiver_stats *stats = &f->input->run->result.receiver;
    const struct vox_source_stats *most = NULL;
    f->sum = stats->past;
    for (int i = 0; i < stats->source_count; i++) {
        const struct vox_source_stats *s = &stats->sources[i];
        vox_source_stats_add(&f->sum, s);
        if (!most || s->played_ns > most->played_ns)
            most = s;
    }
    if (!most)
        return;
    f->sum.delay = most->delay;
    f->sum.total_is_absolute = most->total_is_absolute;
    f->sum.jitter_ns = most->jitter_ns;
    f->sum.curve_count = most->curve_count;
    memcpy(f->sum.curve, most->curve, sizeof f->sum.curve);
}

static void add_up_stretches(struct vox_lab_facts *f)
{
    const struct vox_run *run = f->input->run;
    for (size_t i = 0; i < run->event_count; i++) {
        const struct vox_event *e = &run->events[i];
        if (e->kind != VOX_EVENT_STRETCH)
            continue;
        struct vox_lab_stretches *s = &f->stretches[e->reason];
        s->count++;
        *(e->value > 0 ? &s->put_in_ns : &s->left_out_ns) += llabs(e->value);
    }
}

static void count_packets(struct vox_lab_facts *f)
{
    const struct vox_run *run = f->input->run;
    f->origin_ns = INT64_MAX;
    for (int i = 0; i < run->stream_count; i++) {
        const struct vox_run_stream *stream = &run->streams[i];
        if (stream->count == 0)
            continue;
        if (stream->count > run->streams[f->main_stream].count)
            f->main_stream = i;
        int64_t first_ns = stream->packets[0].send_ns;
        int64_t last_ns = stream->packets[stream->count - 1].send_ns;
        f->origin_ns = first_ns < f->origin_ns ? first_ns : f->origin_ns;
        f->end_ns = last_ns > f->end_ns ? last_ns : f->end_ns;
        f->sent += stream->count;
        for (size_t k = 0; k < stream->count; k++)
            f->outcomes[stream->packets[k].outcome]++;
    }
}

/* ---- delays ---- */

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void add_delay(struct vox_lab_delays *delays, int64_t from_ns, int64_t to_ns)
{
    if (from_ns != VOX_RUN_NEVER && to_ns != VOX_RUN_NEVER)
        delays->ns[delays->count++] = to_ns - from_ns;
}

static int list_delays(struct vox_lab_facts *f)
{
    const struct vox_run *run = f->input->run;
    struct vox_lab_delays *const lists[] = {&f->network, &f->buffer, &f->total};
    for (size_t i = 0; i < 3; i++)
        if (!(lists[i]->ns = malloc(f->sent * sizeof *lists[i]->ns)))
            return VOX_ENOMEM;
    for (int i = 0; i < run->stream_count; i++)
        for (size_t k = 0; k < run->streams[i].count; k++) {
            const struct vox_run_packet *p = &run->streams[i].packets[k];
            add_delay(&f->network, p->send_ns, p->arrival_ns);
            if (p->outcome != VOX_RUN_PLAYED)
                continue;
            add_delay(&f->buffer, p->arrival_ns, p->play_ns);
            add_delay(&f->total, p->send_ns, p->play_ns);
        }
    for (size_t i = 0; i < 3; i++)
        qsort(lists[i]->ns, lists[i]->count, sizeof *lists[i]->ns, compare_ns);
    return 0;
}

int64_t vox_lab_delays_quantile_ns(const struct vox_lab_delays *delays, double q)
{
    if (delays->count == 0)
        return 0;
    double rank = ceil(q * (double)delays->count);
    return delays->ns[rank < 1.0 ? 0 : (size_t)rank - 1];
}

/* ---- moments ---- */

/* The last packet of a stream that played at or before t_ns, else the first one that played. */
static const struct vox_run_packet *playing_at(const struct vox_run_stream *stream, int64_t t_ns)
{
    const struct vox_run_packet *found = NULL;
    for (size_t k = 0; k < stream->count; k++) {
        const struct vox_run_packet *p = &stream->packets[k];
        if (p->outcome != VOX_RUN_PLAYED)
            continue;
        if (p->play_ns > t_ns && found)
            break;
        found = p;
    }
    return found;
}

static int64_t lag_at(const struct vox_alignment *alignment, int64_t reference_frame)
{
    size_t i = 0;
    while (i + 1 < alignment->count && alignment->pieces[i + 1].reference_frame <= reference_frame)
        i++;
    return alignment->pieces[i].lag_frames;
}

/* By the clock of the simulation; the output stands still while the device does. */
static int64_t frame_by_clock(const struct vox_lab_facts *f, int64_t t_ns)
{
    const struct vox_run *run = f->input->run;
    uint32_t ssrc = run->streams[f->main_stream].ssrc; /* every source tells of it */
    int64_t since_ns = t_ns - run->pcm_start_ns;
    for (size_t i = 0; i < run->event_count; i++) {
        const struct vox_event *e = &run->events[i];
        if (e->kind == VOX_EVENT_GLITCH && e->cause == VOX_GLITCH_UNDERRUN && e->ssrc == ssrc &&
            e->t_ns < t_ns)
            since_ns -= e->duration_ns;
    }
    return vox_ns_to_rtp(since_ns);
}

/* Where alignment was measured, it knows better: a device's clock is not that of the simulation. */
static int64_t output_frame_of(const struct vox_lab_facts *f, const struct vox_run_packet *packet)
{
    const struct vox_quality *q = f->input->quality;
    if (!q || q->alignment.count == 0)
        return frame_by_clock(f, packet->play_ns);
    int64_t reference_frame = vox_ns_to_rtp(packet->send_ns - f->origin_ns);
    return reference_frame + lag_at(&q->alignment, reference_frame);
}

int64_t vox_lab_facts_output_frame(const struct vox_lab_facts *f, int stream, int64_t t_ns)
{
    const struct vox_run_packet *packet = playing_at(&f->input->run->streams[stream], t_ns);
    if (!packet)
        return frame_by_clock(f, t_ns);
    return output_frame_of(f, packet) + vox_ns_to_rtp(t_ns - packet->play_ns);
}

static int64_t lag_frames(const struct vox_lab_facts *f, int stream, int64_t t_ns)
{
    const struct vox_run_packet *packet = playing_at(&f->input->run->streams[stream], t_ns);
    if (!packet)
        return 0;
    return output_frame_of(f, packet) - vox_ns_to_rtp(packet->send_ns - f->origin_ns);
}

/* ---- glitches ---- */

static int stream_of(const struct vox_run *run, uint32_t ssrc)
{
    for (int i = 0; i < run->stream_count; i++)
        if (run->streams[i].ssrc == ssrc)
            return i;
    return -1;
}

static bool is_silent(const struct vox_lab_report_input *input, int64_t frame, int64_t frames)
{
    int64_t end = frame + frames;
    end = end < input->reference_frames ? end : input->reference_frames;
    for (int64_t i = (frame > 0 ? frame : 0) * input->channels; i < end * input->channels; i++)
        if (fabsf(input->reference[i]) > SILENT_PEAK)
            return false;
    return true;
}

/*
 * Packets whose turn was in the glitch: those not played from the last one that was played on,
 * which fill its time.
 */
static void count_missing(const struct vox_run_stream *stream, struct vox_lab_glitch *g)
{
    const struct vox_run_packet *before = playing_at(stream, g->t_ns);
    if (!before || g->cause == VOX_GLITCH_SENDER_GAP || g->cause == VOX_GLITCH_UNDERRUN)
        return;
    const struct vox_run_packet *end = stream->packets + stream->count;
    for (const struct vox_run_packet *p = before + 1; p < end; p++) {
        if (p->outcome == VOX_RUN_PLAYED || p->outcome == VOX_RUN_RECOVERED)
            break;
        g->packets++;
        g->dropped += p->fate == VOX_FATE_QUEUE_FULL;
    }
}

static void note_glitch(struct vox_lab_facts *f, const struct vox_event *e)
{
    const struct vox_run *run = f->input->run;
    int stream = stream_of(run, e->ssrc);
    struct vox_lab_glitch *g = &f->glitches[f->glitch_count++];
    *g = (struct vox_lab_glitch){.cause = e->cause,
                                 .stream = stream >= 0 ? stream : f->main_stream,
                                 .t_ns = e->t_ns,
                                 .duration_ns = e->duration_ns,
                                 .late_ns = e->late_ns};
    count_missing(&run->streams[g->stream], g);
    g->output_frame = vox_lab_facts_output_frame(f, g->stream, g->t_ns);
    g->lag_frames = lag_frames(f, g->stream, g->t_ns);
    g->is_silent =
        is_silent(f->input, g->output_frame - g->lag_frames, vox_ns_to_rtp(g->duration_ns));
}

static int compare_glitches(const void *a, const void *b)
{
    const struct vox_lab_glitch *x = a;
    const struct vox_lab_glitch *y = b;
    if (x->t_ns != y->t_ns)
        return x->t_ns < y->t_ns ? -1 : 1;
    return (x->stream > y->stream) - (x->stream < y->stream);
}

static int list_glitches(struct vox_lab_facts *f)
{
    const struct vox_run *run = f->input->run;
    f->glitches = calloc(run->event_count + 1, sizeof *f->glitches);
    if (!f->glitches)
        return VOX_ENOMEM;
    for (size_t i = 0; i < run->event_count; i++)
        if (run->events[i].kind == VOX_EVENT_GLITCH)
            note_glitch(f, &run->events[i]);
    qsort(f->glitches, f->glitch_count, sizeof *f->glitches, compare_glitches);
    return 0;
}

/* ---- the worst ---- */

static bool is_pictured(const struct vox_lab_facts *f, const struct vox_lab_glitch *g)
{
    for (int i = 0; i < f->worst_count; i++) {
        const struct vox_lab_glitch *w = f->worst[i];
        if (g->t_ns < w->t_ns + w->duration_ns + PICTURE_NS &&
            w->t_ns < g->t_ns + g->duration_ns + PICTURE_NS)
            return true;
    }
    return false;
}

/* A glitch in speech is worse than any in a pause. */
static bool is_worse(const struct vox_lab_glitch *a, const struct vox_lab_glitch *b)
{
    if (!b || a->is_silent != b->is_silent)
        return !b || b->is_silent;
    return a->duration_ns > b->duration_ns;
}

static void choose_worst(struct vox_lab_facts *f)
{
    while (f->worst_count < VOX_LAB_WORST_GLITCHES) {
        const struct vox_lab_glitch *worst = NULL;
        for (size_t i = 0; i < f->glitch_count; i++)
            if (!is_pictured(f, &f->glitches[i]) && is_worse(&f->glitches[i], worst))
                worst = &f->glitches[i];
        if (!worst)
            break;
        int at = f->worst_count++;
        for (; at > 0 && f->worst[at - 1] > worst; at--)
            f->worst[at] = f->worst[at - 1];
        f->worst[at] = worst;
    }
}

/* ---- beginning and end ---- */

static int check(const struct vox_lab_report_input *input)
{
    if (input->channels != input->run->channels || input->channels < 1 || input->channels > 2)
        return VOX_EINVAL;
    return input->run->frames > 0 && input->reference_frames > 0 && input->reference ? 0
                                                                                     : VOX_EINVAL;
}

int vox_lab_facts_init(struct vox_lab_facts *f, const struct vox_lab_report_input *input)
{
    *f = (struct vox_lab_facts){.input = input};
    int err = check(input);
    if (err < 0)
        return err;
    add_up(f);
    add_up_stretches(f);
    count_packets(f);
    err = f->sent > 0 ? list_delays(f) : VOX_EINVAL;
    if (err >= 0)
        err = list_glitches(f);
    if (err >= 0)
        choose_worst(f);
    else
        vox_lab_facts_clear(f);
    return err;
}

void vox_lab_facts_clear(struct vox_lab_facts *f)
{
    free(f->network.ns);
    free(f->buffer.ns);
    free(f->total.ns);
    free(f->glitches);
    *f = (struct vox_lab_facts){0};
}
