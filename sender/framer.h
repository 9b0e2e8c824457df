/*
 * Input PCM to frames for the encoder: maps channels, resamples to 48 kHz, cuts into frames of one
 * length and knows when each was captured.
 *
 *     struct vox_framer_config config = {.in_hz = 44100, .in_channels = 2, .channels = 1,
 *                                        .frame_ticks = 960, .on_frame = encode, .ctx = me};
 *     vox_framer_create(&config, &framer);
 *     int64_t gap_ns = vox_framer_push(framer, pcm, frames, capture_ns);
 *     vox_framer_flush(framer);                  // the source ends or is interrupted
 *
 * At 48 kHz with the coded channel count, the frames are exactly the input samples.
 *
 * The resampler's delay is taken out: the frames that it puts in front of the first input sample
 * are dropped, those it still holds at the end are drawn out. So a second of input is a second of
 * frames.
 *
 * Thread rule: one owner. push and flush are RT-safe.
 */
#ifndef VOX_SENDER_FRAMER_H
#define VOX_SENDER_FRAMER_H

#include <stddef.h>
#include <stdint.h>

struct vox_framer;

struct vox_frame {
    const float *pcm;       /* frame_ticks x channels, interleaved; valid during the callback */
    int64_t position_ticks; /* of its first sample since the stream began, gaps included */
    int64_t capture_ns;     /* of its first sample */
};

struct vox_framer_config {
    int in_hz;
    int in_channels; /* 1..8 */
    int channels;    /* 1 or 2 */
    int frame_ticks;
    void (*on_frame)(void *ctx, const struct vox_frame *frame);
    void *ctx;
};

/* Errors: VOX_EINVAL (from the resampler), VOX_ENOMEM. */
int vox_framer_create(const struct vox_framer_config *config, struct vox_framer **out);
void vox_framer_destroy(struct vox_framer *framer);

/*
 * Takes frames of interleaved input, the first captured at capture_ns. Returns the ns of audio that
 * are missing in front of it, 0 if it follows within 20 ms.
 *
 * A gap first fills up the frame that has begun with silence, then advances position_ticks, so that
 * positions stay on the capture clock. A capture_ns more than 20 ms too early moves the capture
 * times of what follows and nothing else: positions never go back.
 */
int64_t vox_framer_push(struct vox_framer *framer, const float *pcm, size_t frames,
                        int64_t capture_ns);

/*
 * Fills up the frame that has begun with silence and emits it. The next push begins a frame of its
 * own, at the position of its capture time: a gap of any length counts. What was captured while
 * that silence lasts is left out.
 */
void vox_framer_flush(struct vox_framer *framer);

/*
 * What is pushed from now on has this rate and this many channels; a frame that has begun goes on.
 * Not RT-safe. Errors, nothing changed: VOX_EINVAL (from the resampler), VOX_ENOMEM.
 */
int vox_framer_set_input(struct vox_framer *framer, int in_hz, int in_channels);

/* How much input after a frame's last sample must have come before the frame is emitted, at most.
 */
int64_t vox_framer_delay_ns(const struct vox_framer *framer);

#endif
