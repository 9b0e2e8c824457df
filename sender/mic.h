/*
 * A microphone as a source: blocks with their capture times, from the device's thread by a ring.
 *
 *     struct vox_mic_config config = {.options = &options, .wake = wake_the_loop, .ctx = me};
 *     vox_mic_open(&config, &mic, &error);
 *     while ((block = vox_mic_peek(mic)) != NULL) {
 *         if (block->rate_hz != rate_hz || block->channels != channels)
 *             ...                                       // it is another microphone now
 *         vox_sender_push(sender, block->pcm, block->frames, block->capture_ns);
 *         vox_mic_release(mic);
 *     }
 *     if (vox_mic_watch(mic, now_ns, &error) == VOX_MIC_LOST)       // every 10 ms
 *         vox_sender_flush(sender, now_ns - lag_ns);
 *
 * Thread rule: one owner; wake runs on the device's thread and must be RT-safe.
 */
#ifndef VOX_SENDER_MIC_H
#define VOX_SENDER_MIC_H

#include "audio/device.h"
#include "sender/cli.h"

#include <stddef.h>
#include <stdint.h>

struct vox_mic;

enum { VOX_MIC_BLOCK_FRAMES = 256 };

struct vox_mic_block {
    int64_t capture_ns; /* of its first sample */
    int rate_hz;        /* a device that comes back may have others */
    int channels;       /* at most those asked for in the options */
    size_t frames;
    float pcm[]; /* interleaved */
};

struct vox_mic_config {
    const struct vox_send_options *options;
    void (*wake)(void *ctx); /* there are blocks */
    void *ctx;
};

enum vox_mic_change {
    VOX_MIC_SAME,
    VOX_MIC_LOST, /* unplugged; no blocks come until it is back */
    VOX_MIC_BACK, /* it is there again; info may have changed */
};

/* Opens and starts. Errors, with text: those of vox_device_open and vox_device_start. */
int vox_mic_open(const struct vox_mic_config *config, struct vox_mic **out,
                 struct vox_audio_error *error);

/* No more blocks come; those in the ring stay. */
void vox_mic_stop(struct vox_mic *mic);
void vox_mic_close(struct vox_mic *mic);

const struct vox_device_info *vox_mic_info(const struct vox_mic *mic);

/* The oldest block, or NULL; valid until release. */
const struct vox_mic_block *vox_mic_peek(struct vox_mic *mic);
void vox_mic_release(struct vox_mic *mic);

/*
 * Looks after the device; the sooner after a loss, the sooner LOST is told. While it is lost, tries
 * once a second to open it again, which may take some hundred ms; error says why it fails.
 */
enum vox_mic_change vox_mic_watch(struct vox_mic *mic, int64_t now_ns,
                                  struct vox_audio_error *error);

/* Frames that the device gave and the owner was too slow to take. Any thread. */
uint64_t vox_mic_dropped_frames(const struct vox_mic *mic);

#endif
