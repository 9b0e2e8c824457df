/*
 * Sources that give audio as fast as it is asked for: audio files, raw PCM on standard input, test
 * signals. Microphones, which have a time of their own, are in mic.h.
 *
 *     vox_input_open(&options, &input, &error);
 *     int n = vox_input_read(input, pcm, frames, &error);
 *     if (n == 0 && !vox_input_at_end(input))
 *         wait_until_readable(vox_input_fd(input));
 *
 * Thread rule: one owner. Not RT-safe: it touches the disk.
 */
#ifndef VOX_SENDER_INPUT_H
#define VOX_SENDER_INPUT_H

#include "audio/error.h"
#include "sender/cli.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_input;

enum { VOX_INPUT_MAX_CHANNELS = 8 };

struct vox_input_info {
    int rate_hz;
    int channels;
    int bits;            /* that count in a sample, at most 24 */
    int64_t duration_ns; /* -1: not known, or without end */
};

/*
 * Errors, with text: those of vox_file_open; VOX_EUNSUPPORTED (more than 8 channels, a rate outside
 * 1..768 kHz), VOX_EINVAL (a tone too high for 48 kHz, standard input is a terminal), VOX_ENOMEM.
 */
int vox_input_open(const struct vox_send_options *options, struct vox_input **out,
                   struct vox_audio_error *error);

/* The same from a descriptor instead of standard input; the descriptor is borrowed. */
int vox_input_open_raw(int fd, int rate_hz, int channels, struct vox_input **out,
                       struct vox_audio_error *error);

void vox_input_close(struct vox_input *input);
const struct vox_input_info *vox_input_info(const struct vox_input *input);

/*
 * Up to `frames` interleaved frames. Returns how many; 0 at the end, and when a pipe holds nothing
 * now. Never waits for a pipe. With --loop a file begins again.
 * Errors, with text: VOX_ETRUNCATED, VOX_EFORMAT, VOX_EIO; then it is at its end.
 */
int vox_input_read(struct vox_input *input, float *out, size_t frames,
                   struct vox_audio_error *error);

bool vox_input_at_end(const struct vox_input *input);

/* The descriptor to wait on when a pipe holds nothing now; -1 for sources that never need that. */
int vox_input_fd(const struct vox_input *input);

#endif
