#include "sender/feeder.h"

#include "base/err.h"
#include "base/time.h"

#include <stdlib.h>

enum { STEPS_PER_S = 100 };

/* Between reading the first samples and their place on the clock: encoding takes some time. */
#define START_NS (10 * VOX_NS_PER_MS)

struct vox_feeder {
    struct vox_feeder_config config;
    int rate_hz;
    int64_t limit_frames;
    int64_t read_frames;
    int64_t base_ns; /* capture time of the source's first frame */
    bool started;    /* base_ns is set */
    float *pcm;
};

int vox_feeder_create(const struct vox_feeder_config *config, struct vox_feeder **out)
{
    const struct vox_input_info *info = vox_input_info(config->input);
    struct vox_feeder *f = calloc(1, sizeof *f);
    size_t samples = (size_t)(info->rate_hz / STEPS_PER_S) * (size_t)info->channels;
    float *pcm = calloc(samples, sizeof *pcm);
    if (!f || !pcm) {
        free(f);
        free(pcm);
        return VOX_ENOMEM;
    }
    f->config = *config;
    f->rate_hz = info->rate_hz;
    f->limit_frames =
        config->duration_ns > 0 ? vox_ns_to_ticks(config->duration_ns, info->rate_hz) : INT64_MAX;
    f->pcm = pcm;
    *out = f;
    return 0;
}

void vox_feeder_destroy(struct vox_feeder *f)
{
    if (!f)
        return;
    free(f->pcm);
    free(f);
}

static int64_t next_capture_ns(const struct vox_feeder *f)
{
    return f->base_ns + vox_ticks_to_ns(f->read_frames, f->rate_hz);
}

/* Sets the source's place on the clock, and moves it when the source did not keep up. */
static void place(struct vox_feeder *f, int64_t now_ns, size_t frames)
{
    if (!f->started) {
        f->started = true;
        f->base_ns = now_ns + START_NS;
        return;
    }
    int64_t end_ns = next_capture_ns(f) + vox_ticks_to_ns((int64_t)frames, f->rate_hz);
    if (now_ns - end_ns > f->config.patience_ns)
        f->base_ns += now_ns - end_ns;
}

int vox_feeder_next(struct vox_feeder *f, int64_t now_ns, struct vox_feeder_piece *piece,
                    struct vox_audio_error *error)
{
    if (f->started && next_capture_ns(f) >= now_ns + f->config.lead_ns)
        return VOX_FEEDER_AHEAD;
    int64_t left = f->limit_frames - f->read_frames;
    size_t step = (size_t)(f->rate_hz / STEPS_PER_S);
    size_t want = left < (int64_t)step ? (size_t)left : step;
    if (want == 0)
        return VOX_FEEDER_END;
    int n = vox_input_read(f->config.input, f->pcm, want, error);
    if (n < 0)
        return n;
    if (n == 0)
        return vox_input_at_end(f->config.input) ? VOX_FEEDER_END : VOX_FEEDER_DRY;
    place(f, now_ns, (size_t)n);
    *piece = (struct vox_feeder_piece){
        .pcm = f->pcm, .frames = (size_t)n, .capture_ns = next_capture_ns(f)};
    f->read_frames += n;
    return VOX_FEEDER_PIECE;
}

int64_t vox_feeder_resume_ns(const struct vox_feeder *f)
{
    return next_capture_ns(f) - f->config.lead_ns / 2;
}
