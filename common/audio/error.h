/*
 * What went wrong with a file or a device, as one sentence for people: what was tried, why it
 * failed, what to do next. Functions of this layer that can fail fill one in beside their code of
 * base/err.h.
 *
 * Thread rule: value, one owner.
 */
#ifndef VOX_AUDIO_ERROR_H
#define VOX_AUDIO_ERROR_H

#define VOX_AUDIO_PRINTF(at, args) __attribute__((format(printf, at, args)))

struct vox_audio_error {
    char text[400]; /* terminated, no newline; "" if there was no error */
};

/* Formats the text, cut off where it is full, unless error is NULL. Returns code. */
int vox_audio_fail(struct vox_audio_error *error, int code, const char *format, ...)
    VOX_AUDIO_PRINTF(3, 4);

/* The code of base/err.h for an errno of open, read or write; VOX_EIO where there is no better. */
int vox_audio_code_of_errno(int number);

#endif
