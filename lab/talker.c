#include "lab/talker.h"

#include "base/err.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECES_PER_S = 100, /* of a file, as the live program reads it */
    MAX_BLOCK_SAMPLES = 8192 * 8,
};

struct vox_talker {
    struct vox_talker_config config;
    struct vox_sender *engine; /* NULL: a tape */
    struct vox_lab_device card;
    bool is_file;
    int64_t at_frame; /* of the audio */
    bool finished;
    size_t at_entry; /* of the tape */
    float *block;
};

static void count_blocks(struct vox_talker *talker)
{
    struct vox_talker_config *c = &talker->config;
    c->card.hz = c->engine.input_hz;
    talker->is_file = c->card.block_frames == 0;
    if (talker->is_file)
        c->card.block_frames = c->engine.input_hz / PIECES_PER_S;
}

static int create_engine(struct vox_talker *talker)
{
    struct vox_talker_config *c = &talker->config;
    count_blocks(talker);
    size_t samples = (size_t)c->card.block_frames * (size_t)c->engine.input_channels;
    if (c->card.block_frames < 1 || samples > MAX_BLOCK_SAMPLES || c->pcm_frames < 1)
        return VOX_EINVAL;
    vox_lab_device_init(&talker->card, &c->card, c->start_ns);
    talker->block = calloc(samples, sizeof *talker->block);
    if (!talker->block)
        return VOX_ENOMEM;
    c->engine.on_datagram = c->on_datagram;
    c->engine.on_event = c->on_event;
    c->engine.ctx = c->ctx;
    return vox_sender_create(&c->engine, &talker->engine);
}

int vox_talker_create(const struct vox_talker_config *config, struct vox_talker **out)
{
    struct vox_talker *talker = calloc(1, sizeof *talker);
    if (!talker)
        return VOX_ENOMEM;
    talker->config = *config;
    int err = config->tape ? 0 : create_engine(talker);
    if (err < 0) {
        vox_talker_destroy(talker);
        return err;
    }
    *out = talker;
    return 0;
}

void vox_talker_destroy(struct vox_talker *talker)
{
    if (!talker)
        return;
    vox_sender_destroy(talker->engine);
    free(talker->block);
    free(talker);
}

/* ---- what comes next ---- */

static int64_t next_push_ns(const struct vox_talker *talker)
{
    if (talker->finished)
        return VOX_NS_NEVER;
    int64_t begin_ns = vox_lab_device_next_ns(&talker->card);
    bool over = talker->at_frame >= talker->config.frames;
    return talker->is_file || over ? begin_ns : begin_ns + vox_lab_device_block_ns(&talker->card);
}

static int64_t next_entry_ns(const struct vox_talker *talker)
{
    const struct vox_tape *tape = talker->config.tape;
    return talker->at_entry < vox_tape_count(tape) ? vox_tape_at(tape, talker->at_entry)->made_ns
                                                   : VOX_NS_NEVER;
}

int64_t vox_talker_next_ns(const struct vox_talker *talker)
{
    if (!talker->engine)
        return next_entry_ns(talker);
    int64_t push_ns = next_push_ns(talker);
    int64_t tick_ns = vox_sender_next_deadline_ns(talker->engine);
    return push_ns < tick_ns ? push_ns : tick_ns;
}

/* ---- and doing it ---- */

/* The next `frames`, from the beginning again after the end. */
static void read_block(struct vox_talker *talker, int64_t frames)
{
    const struct vox_talker_config *c = &talker->config;
    size_t channels = (size_t)c->engine.input_channels;
    for (int64_t made = 0; made < frames;) {
        int64_t from = (talker->at_frame + made) % c->pcm_frames;
        int64_t n = frames - made < c->pcm_frames - from ? frames - made : c->pcm_frames - from;
        memcpy(talker->block + (size_t)made * channels, c->pcm + (size_t)from * channels,
               (size_t)n * channels * sizeof *talker->block);
        made += n;
    }
}

static int push_block(struct vox_talker *talker)
{
    int64_t left = talker->config.frames - talker->at_frame;
    int64_t frames = talker->card.config.block_frames;
    frames = left < frames ? left : frames;
    bool lost = !talker->is_file && vox_lab_device_stalls(&talker->card);
    int64_t capture_ns = vox_lab_device_next_ns(&talker->card);
    read_block(talker, frames);
    talker->at_frame += frames;
    vox_lab_device_advance(&talker->card);
    return lost ? 0 : vox_sender_push(talker->engine, talker->block, (size_t)frames, capture_ns);
}

static int play_entry(struct vox_talker *talker)
{
    const struct vox_tape_entry *entry = vox_tape_at(talker->config.tape, talker->at_entry++);
    talker->config.on_datagram(talker->config.ctx, &entry->datagram);
    return 0;
}

int vox_talker_step(struct vox_talker *talker, int64_t now_ns)
{
    if (!talker->engine)
        return play_entry(talker);
    if (next_push_ns(talker) > now_ns) {
        vox_sender_tick(talker->engine, now_ns);
        return 0;
    }
    if (talker->at_frame < talker->config.frames)
        return push_block(talker);
    talker->finished = true;
    return vox_sender_finish(talker->engine, now_ns);
}

void vox_talker_feed(struct vox_talker *talker, const void *datagram, size_t len,
                     int64_t arrival_ns)
{
    if (talker->engine)
        vox_sender_feed(talker->engine, datagram, len, arrival_ns);
}

void vox_talker_read_stats(struct vox_talker *talker, struct vox_sender_stats *out)
{
    *out = (struct vox_sender_stats){.rtt_ns = -1};
    if (talker->engine)
        vox_sender_read_stats(talker->engine, out);
}
