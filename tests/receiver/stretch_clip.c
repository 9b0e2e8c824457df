#include "stretch_clip.h"

#include "audio/file.h"
#include "receiver/stretch.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AHEAD = VOX_STRETCH_LAG_MAX + VOX_STRETCH_FADE, /* that a splice may look at */
    FAR_BEHIND = 2880,                              /* 60 ms */
    READ_FRAMES = 4800,
};

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

struct sound sound_alloc(size_t frames, int channels)
{
    struct sound sound = {.frames = frames, .channels = channels};
    sound.pcm = calloc(frames * (size_t)channels, sizeof *sound.pcm);
    if (!sound.pcm)
        fail("no memory for a sound");
    return sound;
}

void sound_free(struct sound *sound)
{
    free(sound->pcm);
    *sound = (struct sound){0};
}

struct sound sound_load(const char *path)
{
    struct vox_audio_error error;
    struct vox_file_reader *file;
    if (vox_file_open(path, &file, &error) < 0)
        fail(error.text);
    const struct vox_file_info *info = vox_file_info(file);
    if (info->rate_hz != 48000 || info->frames <= 0)
        fail("not a clip of 48 kHz");
    struct sound sound = sound_alloc((size_t)info->frames, info->channels);
    size_t at = 0;
    while (at < sound.frames) {
        size_t most = sound.frames - at < READ_FRAMES ? sound.frames - at : READ_FRAMES;
        int n = vox_file_read(file, sound.pcm + at * (size_t)sound.channels, most, &error);
        if (n <= 0)
            fail("a clip ends before its end");
        at += (size_t)n;
    }
    vox_file_close(file);
    return sound;
}

/* What was played, and behind it what is to be. */
struct tape {
    const struct sound *in;
    struct sound out;
    struct stretched *told;
    size_t read;   /* frames of the input that are on the tape */
    size_t played; /* frames of the output */
    size_t ahead;  /* frames on the tape behind them */
};

static float *front(struct tape *t)
{
    return t->out.pcm + t->played * (size_t)t->out.channels;
}

static void read_ahead(struct tape *t)
{
    size_t channels = (size_t)t->in->channels;
    size_t wanted = t->ahead < AHEAD ? AHEAD - t->ahead : 0;
    size_t left = t->in->frames - t->read;
    size_t n = wanted < left ? wanted : left;
    memcpy(front(t) + t->ahead * channels, t->in->pcm + t->read * channels,
           n * channels * sizeof(float));
    t->read += n;
    t->ahead += n;
}

/* Frames put in (> 0) or taken out. */
static int splice(struct tape *t, bool longer, double least)
{
    int past = t->played < VOX_STRETCH_LAG_MAX ? (int)t->played : VOX_STRETCH_LAG_MAX;
    int change = longer
                     ? vox_stretch_lengthen(front(t), past, (int)t->ahead, t->in->channels, least)
                     : -vox_stretch_shorten(front(t), (int)t->ahead, VOX_STRETCH_LAG_MAX,
                                            t->in->channels, least);
    t->ahead = (size_t)((int)t->ahead + change);
    return change;
}

static void run(struct tape *t, double ratio, double least, double least_far)
{
    bool longer = ratio > 1;
    size_t next_splice = 0;
    for (;;) {
        read_ahead(t);
        if (t->ahead == 0)
            return;
        double due = (double)(t->read - t->ahead) * ratio;
        double behind = longer ? due - (double)t->played : (double)t->played - due;
        if (behind > 0 && t->played >= next_splice) {
            int change = splice(t, longer, behind < FAR_BEHIND ? least : least_far);
            t->told->splices += change != 0;
            t->told->refused += change == 0;
            /* as in a hurry: half the speed, or twice */
            next_splice = t->played + (size_t)(change > 0 ? 2 * change : -change);
        }
        t->told->places[t->told->count++] = (int64_t)(t->read - t->ahead);
        size_t n = t->ahead < STRETCH_PIECE ? t->ahead : STRETCH_PIECE;
        t->played += n;
        t->ahead -= n;
    }
}

static struct stretched stretch(const struct sound *in, double ratio, double least,
                                double least_far)
{
    size_t room = (size_t)((double)in->frames * fmax(ratio, 1)) + 8 * AHEAD;
    struct stretched out = {.sound = sound_alloc(room, in->channels)};
    struct tape t = {.in = in, .out = out.sound, .told = &out};
    out.places = calloc(room / STRETCH_PIECE, sizeof *out.places);
    if (!out.places)
        fail("no memory for a stretched clip");
    run(&t, ratio, least, least_far);
    out.sound.frames = t.played;
    return out;
}

struct stretched stretch_clip(const struct sound *in, double ratio)
{
    return stretch(in, ratio, VOX_STRETCH_UNHEARD, VOX_STRETCH_BETTER_THAN_NOTHING);
}

struct stretched stretch_strictly(const struct sound *in, double ratio)
{
    return stretch(in, ratio, VOX_STRETCH_UNHEARD, VOX_STRETCH_UNHEARD);
}

void stretched_free(struct stretched *stretched)
{
    sound_free(&stretched->sound);
    free(stretched->places);
}
