/*
 * Audio files by libsndfile: reading (WAV, FLAC, Ogg Vorbis, Ogg Opus, MP3, AIFF, ...) and
 * recording (WAV and FLAC, 16 bits).
 *
 *     struct vox_audio_error error;
 *     struct vox_file_reader *file;
 *     if (vox_file_open("speech.flac", &file, &error) < 0)
 *         fail("%s", error.text);
 *     while ((n = vox_file_read(file, pcm, frames, &error)) > 0)
 *         use(pcm, n);
 *     vox_file_close(file);
 *
 *     vox_file_create("out.wav", 48000, 2, &recording, &error);
 *     vox_file_write_s16(recording, pcm, frames, &error);
 *     vox_file_finish(recording, &error);
 *
 * `error` may be NULL everywhere. It is written only on failure.
 *
 * Thread rule: one owner. Nothing here is RT-safe: it touches the disk.
 */
#ifndef VOX_AUDIO_FILE_H
#define VOX_AUDIO_FILE_H

#include "audio/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_FILE_MAX_CHANNELS = 64 };

struct vox_file_reader;
struct vox_file_writer;

struct vox_file_info {
    int rate_hz;
    int channels;
    int bits;            /* that count in a sample: 16 for 8 and 16-bit PCM, else 24 */
    int64_t frames;      /* samples per channel; -1: not known before the end is read */
    int64_t duration_ns; /* -1: not known */
    bool seekable;       /* rewind works */
    char format[80];     /* for people: "FLAC (Free Lossless Audio Codec), Signed 16 bit PCM" */
};

/*
 * Opens for reading. Errors: VOX_ENOTFOUND, VOX_EPERMISSION, VOX_EIO (a directory, a failing disk),
 * VOX_EFORMAT (empty, not audio, damaged header), VOX_EUNSUPPORTED (more than
 * VOX_FILE_MAX_CHANNELS channels), VOX_ENOMEM.
 */
int vox_file_open(const char *path, struct vox_file_reader **out, struct vox_audio_error *error);
void vox_file_close(struct vox_file_reader *file);
const struct vox_file_info *vox_file_info(const struct vox_file_reader *file);

/*
 * Reads up to `frames` interleaved frames, full scale +-1.0. Returns how many; 0 at the end.
 * Everything in front of damage is given out first; the call after that says once VOX_ETRUNCATED
 * (fewer frames than the header says: cut off, or damaged in the middle), VOX_EFORMAT or VOX_EIO,
 * and then the file is at its end. Damage that the format cannot show (a WAV has no checksum) is
 * played.
 */
int vox_file_read(struct vox_file_reader *file, float *out, size_t frames,
                  struct vox_audio_error *error);

/* Back to the first frame, to play in a loop. Errors: VOX_EUNSUPPORTED (a pipe), VOX_EIO. */
int vox_file_rewind(struct vox_file_reader *file, struct vox_audio_error *error);

/*
 * Creates or overwrites a recording; the name's ending chooses the format: .wav or .flac, 16 bits.
 * A WAV file ends at 4 GiB (6.2 hours of 48 kHz stereo). The recording then goes on in a new file:
 * out.wav, out-2.wav, out-3.wav.
 * Errors: VOX_EINVAL (rate outside 1..655350 Hz, channels outside 1..8), VOX_EUNSUPPORTED (another
 * ending), VOX_EPERMISSION, VOX_ENOTFOUND (no such folder), VOX_ENOSPC, VOX_EIO, VOX_ENOMEM.
 */
int vox_file_create(const char *path, int rate_hz, int channels, struct vox_file_writer **out,
                    struct vox_audio_error *error);

/*
 * Appends interleaved frames. Copies into memory; a quarter of a second at a time goes to the file,
 * whose header is made to match once a second, so that what a killed process leaves is valid.
 * Errors: VOX_ENOSPC (disk full or the size limit reached), VOX_EIO. After one, the file holds what
 * was written until then, valid to read, and every further call gives the same error at once.
 */
int vox_file_write_s16(struct vox_file_writer *file, const int16_t *pcm, size_t frames,
                       struct vox_audio_error *error);

/* Starts a new part at this size instead of at 4 GiB; for WAV only, at least 64 KiB. */
void vox_file_limit_bytes(struct vox_file_writer *file, int64_t max_bytes);

/* Sends what is in memory to the file and makes the header match. Errors as for write. */
int vox_file_flush(struct vox_file_writer *file, struct vox_audio_error *error);

/* Frames that the recording holds, those in memory included, those lost to an error not. */
int64_t vox_file_written_frames(const struct vox_file_writer *file);

/* Flushes, completes the header, closes, frees; the object is gone in any case. Errors as for
 * write. */
int vox_file_finish(struct vox_file_writer *file, struct vox_audio_error *error);

#endif
