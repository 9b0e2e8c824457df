#include "receiver/recording.h"

#include "base/time.h"

#include <string.h>

int vox_recording_open(struct vox_recording *recording, const struct vox_recv_options *options,
                       struct vox_audio_error *error)
{
    memset(recording, 0, sizeof *recording);
    recording->options = options;
    if (!options->separate) {
        vox_recorder_init(&recording->recorders[0], options, false, 0, 1);
        recording->used[0] = true;
    }
    return vox_recorder_check(options, error);
}

static void note_failure(struct vox_recording *recording, const struct vox_recorder *rec)
{
    if (!rec->failed || recording->failed)
        return;
    recording->failed = true;
    recording->error = rec->error;
}

/* ssrc: only asked for the name of a new file. */
static struct vox_recorder *recorder_of(struct vox_recording *recording, int source, uint32_t ssrc)
{
    int slot = recording->options->separate ? source : 0;
    struct vox_recorder *rec = &recording->recorders[slot];
    if (!recording->used[slot]) {
        bool returns = recording->parts[slot] > 0 && recording->ssrc[slot] == ssrc;
        recording->parts[slot] = returns ? recording->parts[slot] + 1 : 1;
        recording->ssrc[slot] = ssrc;
        vox_recorder_init(rec, recording->options, recording->options->separate, ssrc,
                          recording->parts[slot]);
        recording->used[slot] = true;
    }
    return rec;
}

static const struct vox_source_stats *find_source(struct vox_recording *recording,
                                                  struct vox_receiver *engine, int source)
{
    vox_receiver_read_stats(engine, &recording->scratch);
    for (int i = 0; i < recording->scratch.source_count; i++)
        if (recording->scratch.sources[i].index == source)
            return &recording->scratch.sources[i];
    return NULL;
}

/* Of the source, or of the widest in a mix. */
static int source_channels(struct vox_recording *recording, struct vox_receiver *engine, int source)
{
    int most = 1;
    vox_receiver_read_stats(engine, &recording->scratch);
    for (int i = 0; i < recording->scratch.source_count; i++) {
        const struct vox_source_stats *s = &recording->scratch.sources[i];
        if ((source < 0 || s->index == source) && s->state == VOX_SOURCE_ACTIVE)
            most = s->channels > most ? s->channels : most;
    }
    return most;
}

void vox_recording_pcm(struct vox_recording *recording, struct vox_receiver *engine, int source,
                       const float *pcm, int frames, bool was_idle)
{
    uint32_t ssrc = 0;
    if (source >= 0 && !recording->used[source]) {
        const struct vox_source_stats *stats = find_source(recording, engine, source);
        ssrc = stats ? stats->ssrc : 0;
    }
    struct vox_recorder *rec = recorder_of(recording, source, ssrc);
    if (was_idle && vox_receiver_is_idle(engine, source) && rec->ticks > 0) {
        vox_recorder_hold(rec, frames);
    } else {
        bool opens = rec->kind == VOX_OUTPUT_FILE && rec->channels == 0;
        vox_recorder_pcm(rec, pcm, frames,
                         opens ? source_channels(recording, engine, source) : rec->channels);
    }
    note_failure(recording, rec);
}

bool vox_recording_packet(struct vox_recording *recording, const struct vox_played_packet *packet)
{
    struct vox_recorder *rec = recorder_of(recording, packet->source, packet->ssrc);
    bool alone = rec->foreign_packets == 0;
    vox_recorder_packet(rec, packet);
    note_failure(recording, rec);
    return alone && rec->foreign_packets > 0;
}

static void finish(struct vox_recording *recording, int slot)
{
    struct vox_recorder *rec = &recording->recorders[slot];
    vox_recorder_finish(rec);
    note_failure(recording, rec);
    recording->finished_ticks += rec->ticks;
    recording->used[slot] = false;
}

void vox_recording_end_sources(struct vox_recording *recording, const struct vox_receiver *engine)
{
    for (int i = 0; recording->options->separate && i < recording->options->max_streams; i++)
        if (recording->used[i] && vox_receiver_source_next_pull_ns(engine, i) == VOX_NS_NEVER)
            finish(recording, i);
}

void vox_recording_finish(struct vox_recording *recording)
{
    for (int i = 0; i < VOX_RECEIVER_MAX_SOURCES; i++)
        if (recording->used[i])
            finish(recording, i);
}

int64_t vox_recording_ns(const struct vox_recording *recording)
{
    int64_t ticks = recording->finished_ticks;
    for (int i = 0; i < VOX_RECEIVER_MAX_SOURCES; i++)
        ticks += recording->used[i] ? recording->recorders[i].ticks : 0;
    return vox_rtp_to_ns(ticks);
}
