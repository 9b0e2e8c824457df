#include "sender/framer.h"

#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"
#include "dsp/resample.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Device clocks and callbacks wander by some ms; nobody loses 20 ms of audio without a cause. */
#define GAP_NS (20 * VOX_NS_PER_MS)

/* Frames that are mapped or resampled at a time: small enough for the first-level cache. */
enum { CHUNK = 512 };

enum { DELAY_PROBES = 512, DELAY_PROBE_FRAMES = 32 };

/*
 * A run is input without a gap. Its output sample n shows its input at n / 48000 s: the resampler
 * is of zero phase, it only holds some input back.
 */
struct vox_framer {
    struct vox_framer_config config;
    struct vox_resample *resample; /* NULL at 48 kHz */
    int64_t delay_ns;
    float *frame;           /* the frame that is being filled */
    float *chunk;           /* CHUNK frames of mapped input */
    int fill;               /* ticks in frame */
    int64_t position_ticks; /* of frame's first sample */
    bool started;
    bool flushed;      /* the next push begins a run of its own */
    int64_t end_ticks; /* position at which the audio before the flush ended */
    int64_t end_ns;    /* where the last push ended */
    int64_t run_ns;    /* capture of the run's first sample, as seen from the last push */
    int64_t run_in;    /* input frames of the run */
    int64_t run_ticks; /* output of the run */
};

static void start_run(struct vox_framer *f)
{
    if (f->resample)
        vox_resample_reset(f->resample);
    f->run_in = 0;
    f->run_ticks = 0;
}

static float *frame_end(struct vox_framer *f)
{
    return f->frame + (size_t)f->fill * (size_t)f->config.channels;
}

/* The most input that the resampler holds back: it works in blocks, so that changes as it goes. */
static void measure_delay(struct vox_framer *f)
{
    double most_frames = 0;
    for (int i = 0; i < DELAY_PROBES; i++) {
        size_t left = DELAY_PROBE_FRAMES;
        size_t used = 0;
        size_t made = 0;
        do {
            made = vox_resample_process(f->resample, f->chunk, left, &used, frame_end(f),
                                        (size_t)(f->config.frame_ticks - f->fill));
            left -= used;
        } while (made > 0 || used > 0);
        double held = vox_resample_delay_frames(f->resample);
        most_frames = held > most_frames ? held : most_frames;
    }
    f->delay_ns = vox_ms_to_ns(most_frames * 1e3 / f->config.in_hz);
}

/* NULL at 48 kHz. */
static int create_resample(int channels, int in_hz, struct vox_resample **out)
{
    *out = NULL;
    if (in_hz == VOX_RTP_HZ)
        return 0;
    const struct vox_resample_config config = {
        .channels = channels, .in_hz = in_hz, .out_hz = VOX_RTP_HZ};
    return vox_resample_create(&config, out);
}

static void take_resample(struct vox_framer *f, struct vox_resample *resample)
{
    vox_resample_destroy(f->resample);
    f->resample = resample;
    f->delay_ns = 0;
    if (resample)
        measure_delay(f);
    start_run(f);
}

int vox_framer_create(const struct vox_framer_config *config, struct vox_framer **out)
{
    struct vox_framer *f = calloc(1, sizeof *f);
    if (!f)
        return VOX_ENOMEM;
    f->config = *config;
    size_t channels = (size_t)config->channels;
    f->frame = calloc((size_t)config->frame_ticks * channels, sizeof *f->frame);
    f->chunk = calloc(CHUNK * channels, sizeof *f->chunk);
    struct vox_resample *resample = NULL;
    int err = f->frame && f->chunk ? create_resample(config->channels, config->in_hz, &resample)
                                   : VOX_ENOMEM;
    if (err < 0) {
        vox_framer_destroy(f);
        return err;
    }
    take_resample(f, resample);
    *out = f;
    return 0;
}

void vox_framer_destroy(struct vox_framer *f)
{
    if (!f)
        return;
    vox_resample_destroy(f->resample);
    free(f->frame);
    free(f->chunk);
    free(f);
}

int64_t vox_framer_delay_ns(const struct vox_framer *f)
{
    return f->delay_ns;
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* `ticks` more samples of the run stand in the frame; emits it when it is full. */
static void advance(struct vox_framer *f, int64_t ticks)
{
    f->fill += (int)ticks;
    f->run_ticks += ticks;
    if (f->fill < f->config.frame_ticks)
        return;
    struct vox_frame frame = {
        .pcm = f->frame,
        .position_ticks = f->position_ticks,
        .capture_ns = f->run_ns + vox_rtp_to_ns(f->run_ticks - f->fill),
    };
    f->fill = 0;
    f->position_ticks += f->config.frame_ticks;
    f->config.on_frame(f->config.ctx, &frame);
}

/* At most up to the end of the frame. */
static void add_silence(struct vox_framer *f, int64_t ticks)
{
    memset(frame_end(f), 0, (size_t)ticks * (size_t)f->config.channels * sizeof *f->frame);
    advance(f, ticks);
}

static void add_as_is(struct vox_framer *f, const float *pcm, size_t ticks)
{
    size_t channels = (size_t)f->config.channels;
    while (ticks > 0) {
        size_t n = (size_t)min_i64((int64_t)ticks, f->config.frame_ticks - f->fill);
        memcpy(frame_end(f), pcm, n * channels * sizeof *pcm);
        pcm += n * channels;
        ticks -= n;
        advance(f, (int64_t)n);
    }
}

/* One step of the resampler, at most max_ticks out. Returns whether anything moved. */
static bool resample_step(struct vox_framer *f, const float *pcm, size_t frames, int64_t max_ticks,
                          size_t *used)
{
    size_t room = (size_t)min_i64(f->config.frame_ticks - f->fill, max_ticks);
    size_t made = vox_resample_process(f->resample, pcm, frames, used, frame_end(f), room);
    advance(f, (int64_t)made);
    return made > 0 || *used > 0;
}

static void add_resampled(struct vox_framer *f, const float *pcm, size_t frames)
{
    size_t used = 0;
    while (resample_step(f, pcm, frames, INT64_MAX, &used)) {
        pcm += used * (size_t)f->config.channels;
        frames -= used;
    }
}

/* Draws the end of the run out of the resampler, so that as much comes out as went in. */
static void end_run(struct vox_framer *f)
{
    if (!f->resample)
        return;
    int64_t in_hz = f->config.in_hz;
    int64_t whole_s = f->run_in / in_hz;
    int64_t rest = f->run_in % in_hz;
    int64_t end = whole_s * VOX_RTP_HZ + (rest * VOX_RTP_HZ + in_hz - 1) / in_hz;
    size_t used = 0;
    memset(f->chunk, 0, CHUNK * (size_t)f->config.channels * sizeof *f->chunk);
    while (f->run_ticks < end && resample_step(f, f->chunk, CHUNK, end - f->run_ticks, &used)) {
    }
}

/* What is missing is silence up to the end of the frame; the rest was never captured. */
static void pass_gap(struct vox_framer *f, int64_t gap_ns)
{
    int64_t ticks = vox_ns_to_rtp(gap_ns);
    end_run(f);
    if (f->fill > 0) {
        int64_t n = min_i64(ticks, f->config.frame_ticks - f->fill);
        add_silence(f, n);
        ticks -= n;
    }
    f->position_ticks += ticks;
    start_run(f);
}

static int64_t find_gap(struct vox_framer *f, int64_t capture_ns)
{
    int64_t gap_ns = f->started ? capture_ns - f->end_ns : 0;
    if (gap_ns <= GAP_NS)
        return 0;
    pass_gap(f, gap_ns);
    return gap_ns;
}

/*
 * Audio again after a flush. What falls on the silence that filled up the frame then is to be
 * skipped, since positions never go back: `skip` input frames, or all if it is more. Returns the
 * gap, 0 as long as all is skipped.
 */
static int64_t resume(struct vox_framer *f, size_t frames, int64_t capture_ns, size_t *skip)
{
    if (capture_ns < f->end_ns) /* time went back */
        f->end_ns = capture_ns;
    int64_t gap_ns = capture_ns - f->end_ns;
    int64_t at = f->end_ticks + vox_ns_to_rtp(gap_ns);
    int64_t over = at < f->position_ticks ? f->position_ticks - at : 0;
    *skip = (size_t)vox_ns_to_ticks(vox_rtp_to_ns(over), f->config.in_hz);
    if (*skip >= frames) {
        *skip = frames;
        return 0;
    }
    f->flushed = false;
    f->position_ticks = at + over;
    return over > 0 ? vox_rtp_to_ns(f->position_ticks - f->end_ticks) : gap_ns;
}

static void add(struct vox_framer *f, const float *pcm, size_t frames)
{
    while (frames > 0) {
        size_t n = frames < CHUNK ? frames : CHUNK;
        const float *mapped = pcm;
        if (f->config.in_channels != f->config.channels) {
            vox_pcm_remix(pcm, f->config.in_channels, n, f->chunk, f->config.channels);
            mapped = f->chunk;
        }
        if (f->resample)
            add_resampled(f, mapped, n);
        else
            add_as_is(f, mapped, n);
        pcm += n * (size_t)f->config.in_channels;
        frames -= n;
    }
}

int64_t vox_framer_push(struct vox_framer *f, const float *pcm, size_t frames, int64_t capture_ns)
{
    if (frames == 0)
        return 0;
    int64_t in_hz = f->config.in_hz;
    size_t skip = 0;
    int64_t gap_ns = f->flushed ? resume(f, frames, capture_ns, &skip) : find_gap(f, capture_ns);
    if (skip == frames)
        return 0;
    frames -= skip;
    capture_ns += vox_ticks_to_ns((int64_t)skip, in_hz);
    f->started = true;
    f->end_ns = capture_ns + vox_ticks_to_ns((int64_t)frames, in_hz);
    f->run_ns = capture_ns - vox_ticks_to_ns(f->run_in, in_hz);
    f->run_in += (int64_t)frames;
    add(f, pcm + skip * (size_t)f->config.in_channels, frames);
    return gap_ns;
}

void vox_framer_flush(struct vox_framer *f)
{
    if (!f->started || f->flushed)
        return;
    end_run(f);
    f->end_ticks = f->position_ticks + f->fill;
    if (f->fill > 0)
        add_silence(f, f->config.frame_ticks - f->fill);
    start_run(f);
    f->flushed = true;
}

int vox_framer_set_input(struct vox_framer *f, int in_hz, int in_channels)
{
    struct vox_resample *resample;
    int err = create_resample(f->config.channels, in_hz, &resample);
    if (err < 0)
        return err;
    end_run(f);
    f->config.in_hz = in_hz;
    f->config.in_channels = in_channels;
    take_resample(f, resample);
    return 0;
}
