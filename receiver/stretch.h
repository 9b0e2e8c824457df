/*
 * Takes out or puts in one pitch period of audio: the splice of WSOLA (Verhelst, Roelands, ICASSP
 * 1993) at the lag of best correlation, cross-faded. A splice that would be heard is refused.
 *
 * Both work in place on interleaved frames from the first one on and look at no more than
 * VOX_STRETCH_NEED_FRAMES of them.
 *
 *     frames -= vox_stretch_shorten(pcm, frames, channels);
 *     frames += vox_stretch_lengthen(pcm, frames, channels);   // room for LAG_MAX more
 *
 * Thread rule: pure. RT-safe: bounded, about 20 us.
 */
#ifndef VOX_RECEIVER_STRETCH_H
#define VOX_RECEIVER_STRETCH_H

enum {
    VOX_STRETCH_LAG_MIN = 120, /* 2.5 ms: 400 Hz */
    VOX_STRETCH_LAG_MAX = 720, /* 15 ms: 67 Hz */
    VOX_STRETCH_FADE = 240,    /* 5 ms */
    VOX_STRETCH_NEED_FRAMES = VOX_STRETCH_LAG_MAX + VOX_STRETCH_FADE,
};

/* Returns the frames taken out, 0 if there are too few or no lag fits well enough. */
int vox_stretch_shorten(float *pcm, int frames, int channels);

/* Returns the frames put in, or 0. */
int vox_stretch_lengthen(float *pcm, int frames, int channels);

#endif
