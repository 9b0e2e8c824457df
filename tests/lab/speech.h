/* The speech of tests/data in memory, and places in it. */
#ifndef VOX_TESTS_LAB_SPEECH_H
#define VOX_TESTS_LAB_SPEECH_H

#include "audio/file.h"
#include "lab/align.h"

#include <stdlib.h>

enum { SPEECH_ROOM = 20 * 48000, MS = 48 };

static float speech[SPEECH_ROOM];
static size_t speech_frames;

static inline int read_speech(void **state)
{
    (void)state;
    struct vox_file_reader *file;
    if (vox_file_open(VOX_TEST_DATA "/speech.flac", &file, NULL) < 0)
        return -1;
    int n = 1;
    for (speech_frames = 0; n > 0; speech_frames += n > 0 ? (size_t)n : 0)
        n = vox_file_read(file, speech + speech_frames, SPEECH_ROOM - speech_frames, NULL);
    vox_file_close(file);
    return speech_frames > 18 * 48000 ? 0 : -1;
}

static inline double power_at(size_t from, size_t frames)
{
    double sum = 0.0;
    for (size_t i = from; i < from + frames; i++)
        sum += (double)speech[i] * (double)speech[i];
    return sum / (double)frames;
}

/* The first place from `from` on where each 5 ms of the following `ms` are above -35 dBFS. */
static inline size_t loud_from(size_t from, size_t ms)
{
    for (size_t run = 0; from + 5 * MS < speech_frames; from += 5 * MS) {
        run = power_at(from, 5 * MS) > 3e-4 ? run + 5 : 0;
        if (run >= ms)
            return from + 5 * MS - run * MS;
    }
    abort();
}

/* The first place from `from` on where each 5 ms of the following `ms` are below -70 dBFS. */
static inline size_t quiet_from(size_t from, size_t ms)
{
    for (size_t run = 0; from + 5 * MS < speech_frames; from += 5 * MS) {
        run = power_at(from, 5 * MS) < 1e-7 ? run + 5 : 0;
        if (run >= ms)
            return from + 5 * MS - run * MS;
    }
    abort();
}

static inline struct vox_audio_view mono(const float *pcm, size_t frames)
{
    return (struct vox_audio_view){.pcm = pcm, .frames = frames, .channels = 1};
}

#endif
