/*
 * A file under construction that stays valid when the disk fills up: a write at its end goes in
 * whole or not at all. Internal to this layer.
 *
 * Thread rule: value, one owner. Not RT-safe.
 */
#ifndef VOX_AUDIO_SINK_H
#define VOX_AUDIO_SINK_H

#include "audio/error.h"

#include <stddef.h>
#include <stdint.h>

struct vox_sink {
    int fd;
    int64_t at_bytes;
    int64_t size_bytes;
    int failed_errno; /* of the first write that failed; 0 so far */
};

/* Creates or overwrites. Errors: as vox_audio_code_of_errno. */
int vox_sink_open(struct vox_sink *sink, const char *path, struct vox_audio_error *error);

/*
 * Writes len bytes at at_bytes and moves on. On failure the file keeps the size it had,
 * failed_errno says why, and from then on only what is already there can be overwritten. Returns 0
 * or the code.
 */
int vox_sink_write(struct vox_sink *sink, const void *bytes, size_t len);

/* The sentence for failed_errno, about the file called path. Returns its code. */
int vox_sink_explain(const struct vox_sink *sink, const char *path, struct vox_audio_error *error);

/* Once; 0 or the code: some file systems report a full disk only here. */
int vox_sink_close(struct vox_sink *sink);

#endif
