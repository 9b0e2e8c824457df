/*
 * A whole clip at another speed by receiver/stretch.c, spliced as playout does it: one splice of up
 * to 15 ms at a time, tried every 5 ms while the clip is behind its time line, strict at first, and
 * less so where it falls behind by 60 ms.
 *
 *     struct sound in = sound_load("speech-mono.flac");
 *     struct stretched out = stretch_clip(&in, 1.25);   // a quarter longer
 *     stretched_free(&out);
 *
 * Memory that is missing and files that cannot be read end the program.
 */
#ifndef VOX_TEST_STRETCH_CLIP_H
#define VOX_TEST_STRETCH_CLIP_H

#include <stddef.h>
#include <stdint.h>

struct sound {
    float *pcm; /* interleaved, 48 kHz */
    size_t frames;
    int channels;
};

struct sound sound_alloc(size_t frames, int channels);
/* Of 48 kHz; the path is taken as it is. */
struct sound sound_load(const char *path);
void sound_free(struct sound *sound);

enum { STRETCH_PIECE = 240 }; /* between two decisions, as in playout */

struct stretched {
    struct sound sound;
    int64_t *places; /* of each STRETCH_PIECE of it in the input */
    size_t count;
    size_t splices, refused; /* refused: tried in vain */
};

/* ratio: output time over input time, 0.5 to 2. */
struct stretched stretch_clip(const struct sound *in, double ratio);
/* The same, but never less strict. */
struct stretched stretch_strictly(const struct sound *in, double ratio);
void stretched_free(struct stretched *stretched);

#endif
