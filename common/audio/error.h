/*
 * What went wrong with a file or a device, as one sentence for people: what was tried, why it
 * failed, what to do next. Functions of this layer that can fail fill one in beside their code of
 * base/err.h.
 *
 * Thread rule: value, one owner.
 */
#ifndef VOX_AUDIO_ERROR_H
#define VOX_AUDIO_ERROR_H

struct vox_audio_error {
    char text[400]; /* terminated, no newline; "" if there was no error */
};

#endif
