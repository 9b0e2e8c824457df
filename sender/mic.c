#include "sender/mic.h"

#include "base/err.h"
#include "base/ring.h"
#include "base/time.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING_BLOCKS = 1024, /* over a second at 64 frames a block */
};

/* A driver that has given nothing for so long is gone, even if it does not say so. */
#define SILENT_NS (2 * VOX_NS_PER_S)

#define RETRY_NS VOX_NS_PER_S

/*
 * Estimated times jump about with the scheduler. Below this they are smoothed, since losses that
 * are shorter show as an overrun.
 */
#define ESTIMATE_NS (100 * VOX_NS_PER_MS)

struct vox_mic {
    struct vox_mic_config config;
    struct vox_device *device;
    struct vox_ring *ring;
    int rate_hz; /* of the device; both are written while its thread does not run */
    int channels;
    bool lost;
    int64_t retry_ns;   /* when it is lost: when to try again */
    int64_t started_ns; /* first watched after start; 0: not yet */
    int64_t next_ns;    /* the device's thread: where the last block ended; 0: none */
    atomic_uint_fast64_t dropped;
};

static int64_t smooth(struct vox_mic *mic, int64_t in_ns, unsigned flags)
{
    int64_t off_ns = in_ns - mic->next_ns;
    bool near = mic->next_ns != 0 && llabs(off_ns) < ESTIMATE_NS;
    if (!(flags & VOX_DEVICE_ESTIMATED) || (flags & VOX_DEVICE_OVERRUN) || !near)
        return in_ns;
    return mic->next_ns + off_ns / 64;
}

static void put(struct vox_mic *mic, const float *pcm, size_t frames, int64_t capture_ns)
{
    struct vox_mic_block *block = vox_ring_reserve(mic->ring);
    if (!block) {
        atomic_fetch_add_explicit(&mic->dropped, frames, memory_order_relaxed);
        return;
    }
    block->capture_ns = capture_ns;
    block->rate_hz = mic->rate_hz;
    block->channels = mic->channels;
    block->frames = frames;
    memcpy(block->pcm, pcm, frames * (size_t)mic->channels * sizeof *pcm);
    vox_ring_commit(mic->ring);
}

static void on_audio(void *ctx, const float *in, float *out, size_t frames, int64_t in_ns,
                     int64_t out_ns, unsigned flags)
{
    (void)out;
    (void)out_ns;
    struct vox_mic *mic = ctx;
    if (!in)
        return;
    int64_t capture_ns = smooth(mic, in_ns, flags);
    for (size_t at = 0; at < frames; at += VOX_MIC_BLOCK_FRAMES) {
        size_t n = frames - at < VOX_MIC_BLOCK_FRAMES ? frames - at : VOX_MIC_BLOCK_FRAMES;
        put(mic, in + at * (size_t)mic->channels, n,
            capture_ns + vox_ticks_to_ns((int64_t)at, mic->rate_hz));
    }
    mic->next_ns = capture_ns + vox_ticks_to_ns((int64_t)frames, mic->rate_hz);
    mic->config.wake(mic->config.ctx);
}

static void device_config(struct vox_mic *mic, struct vox_device_config *device)
{
    const struct vox_send_options *options = mic->config.options;
    vox_device_config_init(device);
    device->in_name = options->source.name;
    device->in_channels = vox_encoding_options_channels(&options->encoding, 1);
    device->rate_hz = options->rate_hz;
    device->buffer_ms =
        options->buffer_ns == VOX_BUFFER_DEFAULT ? 0 : vox_ns_to_ms(options->buffer_ns);
    device->client_name = "voxgram-send";
    device->verbose = options->verbose;
    device->on_audio = on_audio;
    device->ctx = mic;
}

static int start(struct vox_mic *mic, struct vox_audio_error *error)
{
    const struct vox_device_info *info = vox_device_info(mic->device);
    mic->rate_hz = info->rate_hz;
    mic->channels = info->in_channels;
    mic->next_ns = 0;
    mic->started_ns = 0;
    return vox_device_start(mic->device, error);
}

/* Blocks have room for all channels asked for, so that any device that is opened later fits. */
static int create_ring(struct vox_mic *mic, int channels, struct vox_audio_error *error)
{
    size_t block_bytes =
        sizeof(struct vox_mic_block) + VOX_MIC_BLOCK_FRAMES * (size_t)channels * sizeof(float);
    int err = vox_ring_create(RING_BLOCKS, block_bytes, &mic->ring);
    return err < 0 ? vox_audio_fail(error, err, "out of memory") : 0;
}

int vox_mic_open(const struct vox_mic_config *config, struct vox_mic **out,
                 struct vox_audio_error *error)
{
    struct vox_mic *mic = calloc(1, sizeof *mic);
    if (!mic)
        return vox_audio_fail(error, VOX_ENOMEM, "out of memory");
    mic->config = *config;
    atomic_init(&mic->dropped, 0);
    struct vox_device_config device;
    device_config(mic, &device);
    int err = vox_device_open(&device, &mic->device, error);
    if (err >= 0)
        err = create_ring(mic, device.in_channels, error);
    if (err >= 0)
        err = start(mic, error);
    if (err < 0) {
        vox_mic_close(mic);
        return err;
    }
    *out = mic;
    return 0;
}

void vox_mic_stop(struct vox_mic *mic)
{
    vox_device_close(mic->device);
    mic->device = NULL;
}

void vox_mic_close(struct vox_mic *mic)
{
    if (!mic)
        return;
    if (mic->device)
        vox_device_close(mic->device);
    vox_ring_destroy(mic->ring);
    free(mic);
}

const struct vox_device_info *vox_mic_info(const struct vox_mic *mic)
{
    return vox_device_info(mic->device);
}

const struct vox_mic_block *vox_mic_peek(struct vox_mic *mic)
{
    return vox_ring_peek(mic->ring);
}

void vox_mic_release(struct vox_mic *mic)
{
    vox_ring_release(mic->ring);
}

uint64_t vox_mic_dropped_frames(const struct vox_mic *mic)
{
    return atomic_load_explicit(&mic->dropped, memory_order_relaxed);
}

static bool is_silent(struct vox_mic *mic, int64_t now_ns)
{
    struct vox_device_stats stats;
    vox_device_read_stats(mic->device, &stats);
    if (mic->started_ns == 0)
        mic->started_ns = now_ns;
    int64_t last_ns = stats.last_block_ns > mic->started_ns ? stats.last_block_ns : mic->started_ns;
    return now_ns - last_ns > SILENT_NS;
}

static enum vox_mic_change try_again(struct vox_mic *mic, int64_t now_ns,
                                     struct vox_audio_error *error)
{
    if (now_ns < mic->retry_ns)
        return VOX_MIC_SAME;
    mic->retry_ns = now_ns + RETRY_NS;
    if (vox_device_reopen(mic->device, error) < 0 || start(mic, error) < 0)
        return VOX_MIC_SAME;
    mic->lost = false;
    return VOX_MIC_BACK;
}

enum vox_mic_change vox_mic_watch(struct vox_mic *mic, int64_t now_ns,
                                  struct vox_audio_error *error)
{
    if (mic->lost)
        return try_again(mic, now_ns, error);
    if (!vox_device_is_lost(mic->device) && !is_silent(mic, now_ns))
        return VOX_MIC_SAME;
    mic->lost = true;
    mic->retry_ns = now_ns + RETRY_NS;
    return VOX_MIC_LOST;
}
