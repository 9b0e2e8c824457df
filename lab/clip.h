/*
 * A whole sound file in memory.
 *
 *     struct vox_clip clip;
 *     if (vox_clip_load(path, &clip, &error) < 0)
 *         vox_message_error("%s", error.text);
 *     vox_clip_clear(&clip);
 *
 * Thread rule: value, one owner. load does I/O.
 */
#ifndef VOX_LAB_CLIP_H
#define VOX_LAB_CLIP_H

#include "audio/error.h"

#include <stdint.h>

struct vox_clip {
    float *pcm; /* interleaved, full scale +-1 */
    int64_t frames;
    int channels; /* 1..8 */
    int hz;
    int bits; /* that count in a sample */
};

enum { VOX_CLIP_PATH_BYTES = 4096 };

/*
 * Errors, with text: those of vox_file_open; VOX_EUNSUPPORTED (more than eight channels), VOX_EEND
 * (no samples in it), VOX_ENOMEM. Of a damaged file, what is in front of the damage counts.
 */
int vox_clip_load(const char *path, struct vox_clip *out, struct vox_audio_error *error);
void vox_clip_clear(struct vox_clip *clip);

/* Without the folders: what a sender calls itself. How long that is decides on when reports are
 * due, so it must not hang on from where the lab was started. */
const char *vox_clip_name(const char *path);

/*
 * The clip of speech that comes with the program: beside it in share/voxgram, where an installation
 * and a build folder keep it. Errors: VOX_ENOTFOUND.
 */
int vox_clip_find_speech(char path[VOX_CLIP_PATH_BYTES]);

#endif
