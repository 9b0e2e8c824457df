#include "dsp/resample.h"

#include "base/err.h"
#include "dsp/fractional.h"

#include <math.h>
#include <samplerate.h>
#include <soxr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * libsoxr for fixed ratios, libsamplerate for those that move (docs/decisions/0003-resampler.md),
 * our own filter where they move around 1 (0008-drift-resampler.md). All are zero phase: output
 * frame 0 is input frame 0.
 */
enum {
    MAX_CHANNELS = 8,
    STEP_FRAMES = 512,    /* work in pieces of this, so that what the libraries hold is bounded */
    SETTLE_FRAMES = 4096, /* see settle_frames */
    GROW_FRAMES = 16384,  /* see grow_fixed */
    HELD_FRAMES = 128,    /* see measure_held */
    MAX_ALIGN_TRIES = 16384, /* see aligned_input */
    DFT_LOG2 = 8, /* libsoxr's blocks: its shortest hold back half as much for 10 % more CPU */
};

static const double MIN_HZ = 1000.0;
static const double MAX_HZ = 768000.0;
static const double MAX_PPM = 50000.0;
/* From here on the cheaper filter of libsamplerate passes what an ear can hear. */
static const double FAST_FILTER_HZ = 48000.0;
/* Below, libsoxr's blocks are long: 64 ms at 8 kHz, where libsamplerate's filter takes 6. */
static const double SHORT_BLOCKS_HZ = 32000.0;

struct vox_resample {
    struct vox_resample_config config;
    size_t (*step)(struct vox_resample *rs, const float *in, size_t in_frames, size_t *used,
                   float *out, size_t out_frames);
    soxr_t fixed;
    SRC_STATE *sinc;
    struct vox_fractional *near_one;
    double ratio;       /* output frames per input frame, with ppm */
    double held_frames; /* not of libsoxr: measured once */
    uint64_t in_total;  /* since create or reset */
    uint64_t out_total;
    uint64_t fixed_in; /* of libsoxr since create */
    uint64_t fixed_out;
    uint64_t skip_frames; /* output that stands for the time before a reset: to be thrown away */
    float *silence;       /* STEP_FRAMES */
    float *bin;           /* STEP_FRAMES: output to throw away */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t skip_room(const struct vox_resample *rs)
{
    return rs->skip_frames < STEP_FRAMES ? (size_t)rs->skip_frames : STEP_FRAMES;
}

static size_t copy_step(struct vox_resample *rs, const float *in, size_t in_frames, size_t *used,
                        float *out, size_t out_frames)
{
    *used = smaller(in_frames, out_frames);
    if (*used > 0)
        memcpy(out, in, *used * (size_t)rs->config.channels * sizeof *out);
    return *used;
}

static size_t fixed_step(struct vox_resample *rs, const float *in, size_t in_frames, size_t *used,
                         float *out, size_t out_frames)
{
    size_t made = 0;
    soxr_error_t failed = soxr_process(rs->fixed, in, smaller(in_frames, STEP_FRAMES), used, out,
                                       smaller(out_frames, STEP_FRAMES), &made);
    if (failed) {
        *used = 0;
        return 0;
    }
    rs->fixed_in += *used;
    rs->fixed_out += made;
    return made;
}

/*
 * libsamplerate spreads a change of ratio over the output room that it is offered, and reads as
 * much input as it can store: so it is offered what belongs together.
 */
static size_t sinc_step(struct vox_resample *rs, const float *in, size_t in_frames, size_t *used,
                        float *out, size_t out_frames)
{
    size_t for_room = (size_t)((double)out_frames / rs->ratio);
    size_t take = smaller(smaller(in_frames, STEP_FRAMES), for_room > 0 ? for_room : 1);
    size_t room = (size_t)ceil((double)take * rs->ratio) + 1;
    SRC_DATA data = {.data_in = in,
                     .input_frames = (long)take,
                     .data_out = out,
                     .output_frames = (long)smaller(out_frames, room),
                     .src_ratio = rs->ratio};
    if (src_process(rs->sinc, &data) != 0) {
        *used = 0;
        return 0;
    }
    *used = (size_t)data.input_frames_used;
    return (size_t)data.output_frames_gen;
}

static size_t near_one_step(struct vox_resample *rs, const float *in, size_t in_frames,
                            size_t *used, float *out, size_t out_frames)
{
    return vox_fractional_process(rs->near_one, rs->ratio, in, in_frames, used, out, out_frames);
}

/* One step; its output goes to the bin while there is some to skip. Says whether anything moved. */
static bool step(struct vox_resample *rs, const float *in, size_t in_frames, float *out,
                 size_t out_frames, size_t *used, size_t *made)
{
    bool skip = rs->skip_frames > 0;
    size_t given = skip ? rs->step(rs, in, in_frames, used, rs->bin, skip_room(rs))
                        : rs->step(rs, in, in_frames, used, out, out_frames);
    if (skip)
        rs->skip_frames -= given;
    *made = skip ? 0 : given;
    return *used > 0 || given > 0;
}

size_t vox_resample_process(struct vox_resample *rs, const float *in, size_t in_frames,
                            size_t *used, float *out, size_t out_frames)
{
    size_t channels = (size_t)rs->config.channels;
    /* To libsoxr a NULL input means that the stream has ended. */
    const float *from = in ? in : rs->silence;
    size_t read = 0;
    size_t made = 0;
    bool moved = true;
    while (moved && made < out_frames) {
        size_t taken = 0;
        size_t given = 0;
        moved = step(rs, from + read * channels, in_frames - read, out + made * channels,
                     out_frames - made, &taken, &given);
        read += taken;
        made += given;
    }
    rs->in_total += read;
    rs->out_total += made;
    *used = read;
    return made;
}

/*
 * The first input index from `start` on whose output index is whole, so that input frame 0 of what
 * follows falls on an output frame. For ratios that are not rational, the most nearly whole.
 */
static uint64_t aligned_input(const struct vox_resample *rs, uint64_t start)
{
    uint64_t best = start;
    double best_error = 1.0;
    for (uint64_t n = start; n < start + MAX_ALIGN_TRIES && best_error > 1e-6; n++) {
        double at = (double)n * rs->config.out_hz / rs->config.in_hz;
        double error = fabs(at - round(at));
        if (error < best_error) {
            best_error = error;
            best = n;
        }
    }
    return best;
}

/* Silence after which no filter remembers what came before: they lengthen with the step down. */
static uint64_t settle_frames(const struct vox_resample *rs)
{
    double step_down = rs->config.in_hz / rs->config.out_hz;
    return (uint64_t)(SETTLE_FRAMES * fmax(1.0, step_down / 8.0));
}

/*
 * libsoxr's own clear allocates. Instead, silence is pushed until the past is forgotten, and all
 * output that stands for the time before the next input is dropped.
 */
static void forget_fixed(struct vox_resample *rs)
{
    uint64_t restart_in = aligned_input(rs, rs->fixed_in + settle_frames(rs));
    double restart_out = (double)restart_in * rs->config.out_hz / rs->config.in_hz;
    rs->skip_frames = (uint64_t)llround(restart_out) - rs->fixed_out;
    while (rs->fixed_in < restart_in) {
        uint64_t left = restart_in - rs->fixed_in;
        size_t used = 0;
        size_t made = fixed_step(rs, rs->silence, left < STEP_FRAMES ? (size_t)left : STEP_FRAMES,
                                 &used, rs->bin, skip_room(rs));
        rs->skip_frames -= made;
        if (used == 0 && made == 0)
            break;
    }
}

void vox_resample_reset(struct vox_resample *rs)
{
    if (rs->fixed)
        forget_fixed(rs);
    if (rs->sinc)
        src_reset(rs->sinc);
    if (rs->near_one)
        vox_fractional_reset(rs->near_one);
    rs->in_total = 0;
    rs->out_total = 0;
}

/*
 * Constant for libsamplerate: half the length of its filter, at most 46 frames of the lower rate.
 * No more than a few times this is pushed: a receiver does it for each source that may come.
 */
static void measure_held(struct vox_resample *rs)
{
    double step_down = fmax(1.0, rs->config.in_hz / rs->config.out_hz);
    size_t enough = (size_t)(HELD_FRAMES * step_down);
    size_t in = 0;
    size_t out = 0;
    while (in < enough) {
        size_t used = 0;
        out += sinc_step(rs, rs->silence, STEP_FRAMES, &used, rs->bin, STEP_FRAMES);
        in += used;
    }
    rs->held_frames = (double)in - (double)out / rs->ratio;
    src_reset(rs->sinc);
}

double vox_resample_delay_frames(const struct vox_resample *rs)
{
    if (!rs->fixed)
        return rs->held_frames;
    return (double)rs->in_total - (double)rs->out_total * rs->config.in_hz / rs->config.out_hz;
}

void vox_resample_set_ppm(struct vox_resample *rs, double ppm)
{
    if (!rs->config.variable || isnan(ppm))
        return;
    double bounded = fmax(-MAX_PPM, fmin(MAX_PPM, ppm));
    rs->ratio = rs->config.out_hz / rs->config.in_hz * (1.0 + bounded * 1e-6);
}

/*
 * Between libsoxr's stages stand queues of float samples that move their content to the front once
 * 16 KiB in front of it are free, and else grow by what does not fit behind it: how far, hangs on
 * the sizes of the pieces that come. To have no growth later, they are made to hold 16 KiB and the
 * largest pieces at once.
 */
static int grow_fixed(struct vox_resample *rs)
{
    size_t channels = (size_t)rs->config.channels;
    size_t in_frames = (size_t)(GROW_FRAMES * fmax(1.0, rs->config.in_hz / rs->config.out_hz));
    size_t out_frames = (size_t)(GROW_FRAMES * fmax(1.0, rs->config.out_hz / rs->config.in_hz));
    float *in = calloc(in_frames * channels, sizeof *in);
    float *out = malloc(out_frames * channels * sizeof *out);
    size_t used = 0;
    size_t made = 0;
    soxr_error_t failed =
        in && out ? soxr_process(rs->fixed, in, in_frames, &used, out, out_frames, &made)
                  : "out of memory";
    rs->fixed_in += used;
    rs->fixed_out += made;
    free(in);
    free(out);
    return failed ? VOX_ENOMEM : 0;
}

static int open_fixed(struct vox_resample *rs)
{
    soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    runtime.log2_min_dft_size = DFT_LOG2;
    runtime.log2_large_dft_size = DFT_LOG2;
    soxr_error_t failed = NULL;
    rs->fixed = soxr_create(rs->config.in_hz, rs->config.out_hz, (unsigned)rs->config.channels,
                            &failed, &io, &quality, &runtime);
    if (!rs->fixed || failed)
        return VOX_ENOMEM;
    rs->step = fixed_step;
    int err = grow_fixed(rs);
    forget_fixed(rs);
    return err;
}

static int open_sinc(struct vox_resample *rs)
{
    double lower_hz = fmin(rs->config.in_hz, rs->config.out_hz);
    int filter = lower_hz >= FAST_FILTER_HZ ? SRC_SINC_FASTEST : SRC_SINC_MEDIUM_QUALITY;
    double margin = rs->config.variable ? MAX_PPM * 1e-6 : 0;
    if (!src_is_valid_ratio(rs->ratio * (1.0 + margin)) ||
        !src_is_valid_ratio(rs->ratio * (1.0 - margin)))
        return VOX_EINVAL;
    int ignored = 0;
    rs->sinc = src_new(filter, rs->config.channels, &ignored);
    if (!rs->sinc)
        return VOX_ENOMEM;
    rs->step = sinc_step;
    measure_held(rs);
    return 0;
}

static bool suits_sinc(const struct vox_resample *rs)
{
    return rs->config.variable ||
           (rs->config.in_hz < SHORT_BLOCKS_HZ && src_is_valid_ratio(rs->ratio));
}

static int open_near_one(struct vox_resample *rs)
{
    rs->step = near_one_step;
    rs->held_frames = VOX_FRACTIONAL_HELD;
    return vox_fractional_create(rs->config.channels, &rs->near_one);
}

static int open_engine(struct vox_resample *rs)
{
    size_t scratch = STEP_FRAMES * (size_t)rs->config.channels;
    rs->silence = calloc(scratch, sizeof *rs->silence);
    rs->bin = calloc(scratch, sizeof *rs->bin);
    if (!rs->silence || !rs->bin)
        return VOX_ENOMEM;
    if (rs->config.in_hz != rs->config.out_hz)
        return suits_sinc(rs) ? open_sinc(rs) : open_fixed(rs);
    if (rs->config.variable)
        return open_near_one(rs);
    rs->step = copy_step;
    return 0;
}

static bool valid_rate(double hz)
{
    return hz >= MIN_HZ && hz <= MAX_HZ; /* false for NaN */
}

int vox_resample_create(const struct vox_resample_config *config, struct vox_resample **out)
{
    if (!valid_rate(config->in_hz) || !valid_rate(config->out_hz) || config->channels < 1 ||
        config->channels > MAX_CHANNELS)
        return VOX_EINVAL;
    struct vox_resample *rs = calloc(1, sizeof *rs);
    if (!rs)
        return VOX_ENOMEM;
    rs->config = *config;
    rs->ratio = config->out_hz / config->in_hz;
    int err = open_engine(rs);
    if (err < 0) {
        vox_resample_destroy(rs);
        return err;
    }
    *out = rs;
    return 0;
}

void vox_resample_destroy(struct vox_resample *rs)
{
    if (!rs)
        return;
    if (rs->fixed)
        soxr_delete(rs->fixed);
    if (rs->sinc)
        src_delete(rs->sinc);
    vox_fractional_destroy(rs->near_one);
    free(rs->silence);
    free(rs->bin);
    free(rs);
}
