#include "lab/clip.h"

#include "audio/file.h"
#include "base/err.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_FRAMES = 48000, MAX_CHANNELS = 8 };

static bool make_room(struct vox_clip *clip, int64_t *room)
{
    if (clip->frames + PIECE_FRAMES <= *room)
        return true;
    *room = *room * 2 + PIECE_FRAMES;
    float *pcm = realloc(clip->pcm, (size_t)*room * (size_t)clip->channels * sizeof *pcm);
    if (!pcm)
        return false;
    clip->pcm = pcm;
    return true;
}

static int read_all(struct vox_file_reader *file, struct vox_clip *clip,
                    struct vox_audio_error *error)
{
    int64_t room = 0;
    int n = 1;
    while (n > 0) {
        if (!make_room(clip, &room))
            return vox_audio_fail(error, VOX_ENOMEM, "out of memory");
        float *end = clip->pcm + clip->frames * clip->channels;
        n = vox_file_read(file, end, PIECE_FRAMES, error);
        clip->frames += n > 0 ? n : 0;
    }
    return clip->frames > 0 ? 0 : n;
}

int vox_clip_load(const char *path, struct vox_clip *out, struct vox_audio_error *error)
{
    struct vox_file_reader *file;
    int err = vox_file_open(path, &file, error);
    if (err < 0)
        return err;
    const struct vox_file_info *info = vox_file_info(file);
    struct vox_clip clip = {.channels = info->channels, .hz = info->rate_hz, .bits = info->bits};
    if (info->channels > MAX_CHANNELS)
        err = vox_audio_fail(error, VOX_EUNSUPPORTED, "%s has %d channels; at most %d work", path,
                             info->channels, MAX_CHANNELS);
    else
        err = read_all(file, &clip, error);
    vox_file_close(file);
    if (err >= 0 && clip.frames == 0)
        err = vox_audio_fail(error, VOX_EEND, "%s holds no sound", path);
    if (err < 0) {
        vox_clip_clear(&clip);
        return err;
    }
    *out = clip;
    return 0;
}

void vox_clip_clear(struct vox_clip *clip)
{
    free(clip->pcm);
    *clip = (struct vox_clip){0};
}

const char *vox_clip_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

int vox_clip_find_speech(char path[VOX_CLIP_PATH_BYTES])
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0)
        return VOX_ENOTFOUND;
    program[len] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    int n = snprintf(path, VOX_CLIP_PATH_BYTES, "%s/../share/voxgram/speech.flac", program);
    return n > 0 && n < VOX_CLIP_PATH_BYTES && access(path, R_OK) == 0 ? 0 : VOX_ENOTFOUND;
}
