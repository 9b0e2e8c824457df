#include "lab/trial.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/opus_toc.h"
#include "wire/rtp.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBERS = 1 << 22 };

struct arrival {
    int64_t t_ns;
    size_t index; /* in the trace */
};

struct course {
    const struct vox_trial_config *config;
    struct vox_trial *trial;
    struct vox_receiver *receiver;
    const struct vox_tape_entry **speech; /* media packets only */
    size_t speech_count;
    int packet_ticks;
    struct arrival *arrivals;
    size_t arrival_count;
    uint32_t *index_of; /* sequence number from 0 -> index in the trace + 1; 0: not in it */
    int64_t number_count;
    struct vox_receiver_stats stats;
    struct vox_source_stats before, after; /* of the scored span */
    int64_t from_ns, to_ns;                /* that span, as sent and as heard */
    int64_t heard_from_ns, heard_to_ns;    /* pulls in it */
};

void vox_trial_config_init(struct vox_trial_config *config)
{
    *config = (struct vox_trial_config){
        .pull_ns = 10 * VOX_NS_PER_MS,
        .skip_head_ns = 10 * VOX_NS_PER_S,
        .skip_tail_ns = 2 * VOX_NS_PER_S,
    };
    vox_receiver_config_init(&config->receiver);
}

/* Fowler, Noll, Vo: FNV-1a, 32 bits. */
static uint32_t fnv1a(const char *text, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash;
}

int64_t vox_trial_phase_ns(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t len = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return (int64_t)((double)(fnv1a(base, len) % 997) / 99.7 * VOX_NS_PER_MS);
}

/* ---- what arrives ---- */

static int compare_arrivals(const void *a, const void *b)
{
    const struct arrival *x = a;
    const struct arrival *y = b;
    if (x->t_ns != y->t_ns)
        return x->t_ns < y->t_ns ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int list_arrivals(struct course *c)
{
    const struct vox_trace *trace = c->config->trace;
    size_t count = vox_trace_count(trace);
    int64_t first_seq = vox_trace_at(trace, 0)->seq;
    c->number_count = vox_trace_at(trace, count - 1)->seq - first_seq + 1;
    if (c->number_count > MAX_NUMBERS)
        return VOX_EINVAL;
    c->arrivals = calloc(2 * count, sizeof *c->arrivals);
    c->index_of = calloc((size_t)c->number_count, sizeof *c->index_of);
    if (!c->arrivals || !c->index_of)
        return VOX_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        c->index_of[p->seq - first_seq] = (uint32_t)i + 1;
        for (int k = 0; k < p->copies; k++)
            c->arrivals[c->arrival_count++] = (struct arrival){.t_ns = p->recv_ns[k], .index = i};
    }
    qsort(c->arrivals, c->arrival_count, sizeof *c->arrivals, compare_arrivals);
    return 0;
}

/* The packets of speech that are as long as the trace's interval: all, or it is the wrong speech.
 */
static int list_speech(struct course *c)
{
    size_t count = vox_tape_count(c->config->speech);
    c->packet_ticks = (int)vox_ns_to_rtp(vox_trace_interval_ns(c->config->trace));
    c->speech = calloc(count ? count : 1, sizeof *c->speech);
    if (!c->speech)
        return VOX_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct vox_tape_entry *entry = vox_tape_at(c->config->speech, i);
        struct vox_rtp rtp;
        struct vox_opus_info info;
        if (entry->datagram.kind != VOX_DATAGRAM_RTP)
            continue;
        if (vox_rtp_parse(entry->datagram.bytes, entry->datagram.len, &rtp) < 0 ||
            vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) < 0 ||
            info.duration_ticks != c->packet_ticks)
            return VOX_EINVAL;
        c->speech[c->speech_count++] = entry;
    }
    return c->speech_count > 0 ? 0 : VOX_EINVAL;
}

static void push(struct course *c, const struct arrival *arrival)
{
    const struct vox_trace *trace = c->config->trace;
    int64_t number = vox_trace_at(trace, arrival->index)->seq - vox_trace_at(trace, 0)->seq;
    const struct vox_datagram *speech = &c->speech[(size_t)number % c->speech_count]->datagram;
    struct vox_rtp rtp;
    uint8_t bytes[VOX_RTP_MAX_BYTES];
    vox_rtp_parse(speech->bytes, speech->len, &rtp);
    rtp.seq = (uint16_t)number;
    rtp.timestamp = (uint32_t)(number * c->packet_ticks);
    rtp.marker = false;
    rtp.has_extension = false;
    int len = vox_rtp_write(&rtp, bytes, sizeof bytes);
    if (len > 0)
        vox_receiver_push(c->receiver, bytes, (size_t)len, arrival->t_ns, 0);
}

/* ---- what is heard ---- */

static void note_played(void *ctx, const struct vox_played_packet *packet)
{
    struct course *c = ctx;
    if (packet->index < 0 || packet->index >= c->number_count || !c->index_of[packet->index])
        return;
    c->trial->packets[c->index_of[packet->index] - 1] =
        (struct vox_trial_packet){.played = true, .play_ns = packet->playout_ns};
}

static void read_source(struct course *c, struct vox_source_stats *out)
{
    vox_receiver_read_stats(c->receiver, &c->stats);
    *out = c->stats.past;
    for (int i = 0; i < c->stats.source_count; i++)
        vox_source_stats_add(out, &c->stats.sources[i]);
}

/* Counts begin with the first pull of the span and end with the first one behind it. */
static void watch_span(struct course *c, int64_t t_ns)
{
    if (c->heard_from_ns == 0 && t_ns >= c->from_ns) {
        c->heard_from_ns = t_ns;
        read_source(c, &c->before);
    }
    if (c->heard_to_ns == 0 && t_ns >= c->to_ns) {
        c->heard_to_ns = t_ns;
        read_source(c, &c->after);
    }
}

static void pull(struct course *c, int64_t t_ns)
{
    enum { MOST = 4800 };
    float pcm[MOST];
    int frames = (int)vox_ns_to_rtp(c->config->pull_ns);
    watch_span(c, t_ns);
    vox_receiver_pull(c->receiver, pcm, frames < MOST ? frames : MOST, t_ns, t_ns);
}

/* The first pull at or after t_ns. */
static int64_t first_pull_ns(const struct vox_trial_config *config, int64_t t_ns)
{
    int64_t since_ns = (t_ns - config->phase_ns) % config->pull_ns;
    since_ns += since_ns < 0 ? config->pull_ns : 0;
    return since_ns == 0 ? t_ns : t_ns + config->pull_ns - since_ns;
}

/* Until two seconds after the last packet came: what is still to be played then never will be. */
static void play(struct course *c)
{
    int64_t end_ns = c->arrivals[c->arrival_count - 1].t_ns + 2 * VOX_NS_PER_S;
    end_ns = end_ns > c->to_ns + VOX_NS_PER_S ? end_ns : c->to_ns + VOX_NS_PER_S;
    int64_t pull_ns = first_pull_ns(c->config, c->arrivals[0].t_ns);
    for (size_t i = 0; pull_ns < end_ns; pull_ns += c->config->pull_ns) {
        for (; i < c->arrival_count && c->arrivals[i].t_ns <= pull_ns; i++)
            push(c, &c->arrivals[i]);
        if (vox_receiver_next_deadline_ns(c->receiver) <= pull_ns)
            vox_receiver_tick(c->receiver, pull_ns);
        pull(c, pull_ns);
    }
}

/* ---- the score ---- */

static int64_t fastest_transit_ns(const struct vox_trace *trace)
{
    int64_t fastest_ns = INT64_MAX;
    for (size_t i = 0; i < vox_trace_count(trace); i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        if (p->copies > 0 && p->recv_ns[0] - p->send_ns < fastest_ns)
            fastest_ns = p->recv_ns[0] - p->send_ns;
    }
    return fastest_ns;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void score_delays(struct vox_trial *trial, int64_t *delays_ns)
{
    double sum_ns = 0;
    for (size_t i = 0; i < trial->played; i++)
        sum_ns += (double)delays_ns[i];
    if (trial->played == 0)
        return;
    qsort(delays_ns, trial->played, sizeof *delays_ns, compare_times);
    trial->mean_ns = (int64_t)(sum_ns / (double)trial->played);
    trial->p95_ns = delays_ns[(size_t)(0.95 * (double)(trial->played - 1))];
}

static int score_packets(struct course *c)
{
    const struct vox_trace *trace = c->config->trace;
    struct vox_trial *trial = c->trial;
    int64_t fastest_ns = fastest_transit_ns(trace);
    int64_t *delays_ns = calloc(trial->count, sizeof *delays_ns);
    if (!delays_ns)
        return VOX_ENOMEM;
    for (size_t i = 0; i < trial->count; i++) {
        const struct vox_trace_packet *p = vox_trace_at(trace, i);
        if (p->send_ns < c->from_ns || p->send_ns > c->to_ns)
            continue;
        trial->sent++;
        trial->lost += p->copies == 0;
        if (trial->packets[i].played)
            delays_ns[trial->played++] = trial->packets[i].play_ns - p->send_ns - fastest_ns;
    }
    score_delays(trial, delays_ns);
    free(delays_ns);
    return 0;
}

static void score_output(struct course *c)
{
    struct vox_trial *t = c->trial;
    t->output_ns = c->heard_to_ns - c->heard_from_ns;
    t->concealed_ns = c->after.concealed_ns - c->before.concealed_ns;
    t->stretched_ns = c->after.stretched_ns - c->before.stretched_ns;
    t->stretch_ops = c->after.stretch_ops - c->before.stretch_ops;
    double output = (double)t->output_ns;
    double lost_pct = 100.0 * (double)t->lost / (double)t->sent;
    t->extra_concealment_pct = 100.0 * (double)t->concealed_ns / output - lost_pct;
    t->stretched_pct = 100.0 * (double)t->stretched_ns / output;
    t->ops_per_min = (double)t->stretch_ops * 60e9 / output;
    t->unplayed_pct = 100.0 * (double)(t->sent - t->lost - t->played) / (double)t->sent;
    t->j = vox_ns_to_ms(t->mean_ns) + VOX_TRIAL_MS_PER_PCT * t->extra_concealment_pct;
}

/* ---- beginning and end ---- */

static int open_receiver(struct course *c)
{
    struct vox_receiver_config receiver = c->config->receiver;
    receiver.output_hz = VOX_RTP_HZ;
    receiver.output_channels = 1;
    receiver.follow_source = false;
    receiver.max_sources = 1;
    receiver.on_played = note_played;
    receiver.ctx = c;
    return vox_receiver_create(&receiver, &c->receiver);
}

static int prepare(struct course *c)
{
    const struct vox_trace *trace = c->config->trace;
    struct vox_trial *trial = c->trial;
    trial->count = vox_trace_count(trace);
    c->from_ns = vox_trace_at(trace, 0)->send_ns + c->config->skip_head_ns;
    c->to_ns = vox_trace_at(trace, trial->count - 1)->send_ns - c->config->skip_tail_ns;
    if (c->from_ns >= c->to_ns)
        return VOX_EINVAL;
    trial->packets = calloc(trial->count, sizeof *trial->packets);
    if (!trial->packets)
        return VOX_ENOMEM;
    int err = list_speech(c);
    if (err >= 0)
        err = list_arrivals(c);
    if (err >= 0 && c->arrival_count == 0)
        err = VOX_EINVAL;
    return err < 0 ? err : open_receiver(c);
}

int vox_trial_run(const struct vox_trial_config *config, struct vox_trial *out)
{
    struct course *c = calloc(1, sizeof *c);
    if (!c)
        return VOX_ENOMEM;
    *out = (struct vox_trial){0};
    c->config = config;
    c->trial = out;
    int err = prepare(c);
    if (err >= 0) {
        play(c);
        err = score_packets(c);
    }
    if (err >= 0)
        score_output(c);
    else
        vox_trial_clear(out);
    vox_receiver_destroy(c->receiver);
    free(c->speech);
    free(c->arrivals);
    free(c->index_of);
    free(c);
    return err;
}

void vox_trial_clear(struct vox_trial *trial)
{
    free(trial->packets);
    *trial = (struct vox_trial){0};
}
