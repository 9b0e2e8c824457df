#include "lab/run.h"

#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_NS (100 * VOX_NS_PER_MS)
#define REFERENCE_DELAY_NS (60 * VOX_NS_PER_MS)

struct recorder {
    const struct vox_run_config *config;
    struct vox_run *run;
    struct vox_receiver_stats stats; /* too large for the stack */
    int64_t next_sample_ns;
    int64_t held_frames; /* silence that counts only if sound follows */
    bool failed;
};

/* Room for one more element in a growing array. */
static bool grow(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 256;
    void *grown = realloc(*items, more * size);
    if (!grown)
        return false;
    *items = grown;
    *room = more;
    return true;
}

/* ---- packets ---- */

static void note_datagram(void *ctx, int sender, int64_t now_ns,
                          const struct vox_datagram *datagram)
{
    struct recorder *rec = ctx;
    struct vox_tape **tape = &rec->run->tapes[sender];
    if (!*tape && vox_tape_create(tape) < 0)
        rec->failed = true;
    else if (vox_tape_add(*tape, now_ns, datagram) < 0)
        rec->failed = true;
}

static void note_sent(void *ctx, const struct vox_sim_sent *sent)
{
    struct recorder *rec = ctx;
    struct vox_run_stream *stream = &rec->run->streams[sent->sender];
    void *packets = stream->packets;
    if (!grow(&packets, stream->count, &stream->room, sizeof *stream->packets)) {
        rec->failed = true;
        return;
    }
    stream->packets = packets;
    if (stream->count == 0) {
        stream->ssrc = sent->ssrc;
        stream->first_seq = sent->seq;
    }
    bool lost = sent->fate.copies == 0;
    stream->packets[stream->count++] = (struct vox_run_packet){
        .send_ns = sent->send_ns,
        .arrival_ns = lost ? VOX_RUN_NEVER : sent->fate.deliver_ns[0],
        .copy_ns = sent->fate.copies < 2 ? VOX_RUN_NEVER : sent->fate.deliver_ns[1],
        .play_ns = VOX_RUN_NEVER,
        .bytes = (int)sent->bytes,
        .fate = sent->fate.cause,
        .outcome = lost ? VOX_RUN_LOST : VOX_RUN_LATE,
    };
}

static struct vox_run_packet *find(struct recorder *rec, uint32_t ssrc, int64_t index)
{
    for (int i = 0; i < rec->run->stream_count; i++) {
        struct vox_run_stream *stream = &rec->run->streams[i];
        int64_t at = index - stream->first_seq;
        if (stream->ssrc == ssrc && at >= 0 && at < (int64_t)stream->count)
            return &stream->packets[at];
    }
    return NULL;
}

static void note_played(void *ctx, const struct vox_played_packet *packet)
{
    struct vox_run_packet *known = find(ctx, packet->ssrc, packet->index);
    if (!known)
        return;
    known->play_ns = packet->playout_ns;
    known->outcome = VOX_RUN_PLAYED;
}

static void note_event(void *ctx, const struct vox_event *event)
{
    struct recorder *rec = ctx;
    struct vox_run *run = rec->run;
    void *events = run->events;
    if (!grow(&events, run->event_count, &run->event_room, sizeof *event)) {
        rec->failed = true;
        return;
    }
    run->events = events;
    run->events[run->event_count++] = *event;
    if (event->kind != VOX_EVENT_RECOVERED)
        return;
    struct vox_run_packet *known = find(rec, event->ssrc, event->value);
    if (known && known->outcome == VOX_RUN_LOST) {
        known->outcome = VOX_RUN_RECOVERED;
        known->play_ns = event->t_ns;
    }
}

static void note_change(void *ctx, int sender, const struct vox_sender_event *event)
{
    struct recorder *rec = ctx;
    struct vox_run *run = rec->run;
    void *changes = run->changes;
    if (event->kind != VOX_SENDER_EVENT_ADAPTED)
        return;
    if (!grow(&changes, run->change_count, &run->change_room, sizeof *run->changes)) {
        rec->failed = true;
        return;
    }
    run->changes = changes;
    run->changes[run->change_count++] = (struct vox_run_change){.sender = sender, .event = *event};
}

/* ---- sound ---- */

static void note_sample(struct recorder *rec, struct vox_receiver *receiver, int64_t t_ns)
{
    struct vox_run *run = rec->run;
    void *samples = run->samples;
    vox_receiver_read_stats(receiver, &rec->stats);
    rec->next_sample_ns = t_ns + SAMPLE_NS;
    if (rec->config->on_progress)
        rec->config->on_progress(rec->config->ctx, vox_rtp_to_ns(run->frames));
    if (rec->stats.source_count == 0)
        return;
    if (!grow(&samples, run->sample_count, &run->sample_room, sizeof *run->samples)) {
        rec->failed = true;
        return;
    }
    run->samples = samples;
    const struct vox_source_stats *first = &rec->stats.sources[0];
    run->samples[run->sample_count++] = (struct vox_run_sample){
        .t_ns = t_ns, .delay_ns = first->current_ns, .target_ns = first->target_ns};
}

static bool make_room(struct vox_run *run, int64_t frames)
{
    if (run->frames + frames <= run->room_frames)
        return true;
    int64_t room = 2 * run->room_frames + frames + VOX_RTP_HZ;
    float *pcm = realloc(run->pcm, (size_t)room * 2 * sizeof *pcm);
    if (!pcm)
        return false;
    run->pcm = pcm;
    run->room_frames = room;
    return true;
}

static void keep_stereo(struct recorder *rec, const float *pcm, int frames)
{
    struct vox_run *run = rec->run;
    if (!make_room(run, rec->held_frames + frames)) {
        rec->failed = true;
        return;
    }
    memset(run->pcm + 2 * run->frames, 0, (size_t)rec->held_frames * 2 * sizeof *run->pcm);
    run->frames += rec->held_frames;
    rec->held_frames = 0;
    memcpy(run->pcm + 2 * run->frames, pcm, (size_t)frames * 2 * sizeof *run->pcm);
    run->frames += frames;
}

/* As voxgram-recv records: silence while nothing is to be played counts only if sound follows. */
static void hear(void *ctx, struct vox_receiver *receiver, const float *pcm, int frames, int valid,
                 bool was_idle, int64_t playout_ns)
{
    struct recorder *rec = ctx;
    bool is_idle = was_idle && vox_receiver_is_idle(receiver, -1);
    (void)frames;
    if (playout_ns >= rec->next_sample_ns)
        note_sample(rec, receiver, playout_ns);
    if (valid == 0)
        return;
    if (rec->run->frames == 0)
        rec->run->pcm_start_ns = playout_ns;
    if (is_idle && rec->run->frames > 0)
        rec->held_frames += valid;
    else
        keep_stereo(rec, pcm, valid);
}

/* Mono where every source was. */
static void fold(struct vox_run *run)
{
    run->channels = 1;
    for (int i = 0; i < run->result.receiver.source_count; i++)
        if (run->result.receiver.sources[i].channels == 2)
            run->channels = 2;
    for (int64_t i = 0; run->channels == 1 && i < run->frames; i++)
        run->pcm[i] = run->pcm[2 * i];
}

int vox_run_simulate(const struct vox_run_config *config, struct vox_run *out)
{
    struct recorder *rec = calloc(1, sizeof *rec);
    struct vox_sim_config *sim = malloc(sizeof *sim);
    int err = VOX_ENOMEM;
    memset(out, 0, sizeof *out);
    if (rec && sim) {
        *sim = config->sim;
        sim->observer = (struct vox_sim_observer){.on_sent = note_sent,
                                                  .on_pcm = hear,
                                                  .on_event = note_event,
                                                  .on_played = note_played,
                                                  .on_sender_event = note_change,
                                                  .ctx = rec};
        if (config->keep_tapes)
            sim->observer.on_datagram = note_datagram;
        *rec = (struct recorder){.config = config, .run = out};
        out->stream_count = sim->sender_count;
        err = vox_sim_run(sim, &out->result);
        if (err >= 0 && rec->failed)
            err = VOX_ENOMEM;
    }
    free(sim);
    free(rec);
    if (err < 0)
        vox_run_clear(out);
    else
        fold(out);
    return err;
}

int vox_run_reference(const struct vox_run *run, struct vox_run *out)
{
    struct vox_run_config *config = calloc(1, sizeof *config);
    if (!config)
        return VOX_ENOMEM;
    vox_sim_config_init(&config->sim);
    config->sim.sender_count = run->stream_count;
    config->sim.receiver.delay_ns = REFERENCE_DELAY_NS;
    config->sim.receiver.max_sources = VOX_SIM_MAX_SENDERS;
    bool complete = run->stream_count > 0;
    for (int i = 0; i < run->stream_count; i++) {
        config->sim.senders[i].talker.tape = run->tapes[i];
        complete &= run->tapes[i] != NULL;
    }
    int err = complete ? vox_run_simulate(config, out) : VOX_EINVAL;
    free(config);
    return err;
}

void vox_run_clear(struct vox_run *run)
{
    for (int i = 0; i < VOX_SIM_MAX_SENDERS; i++) {
        free(run->streams[i].packets);
        vox_tape_destroy(run->tapes[i]);
    }
    free(run->events);
    free(run->changes);
    free(run->samples);
    free(run->pcm);
    memset(run, 0, sizeof *run);
}

size_t vox_run_count(const struct vox_run *run, enum vox_run_outcome outcome)
{
    size_t sum = 0;
    for (int i = 0; i < run->stream_count; i++)
        for (size_t k = 0; k < run->streams[i].count; k++)
            sum += run->streams[i].packets[k].outcome == outcome;
    return sum;
}
