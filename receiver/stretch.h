/*
 * Takes out or puts in one pitch period of audio: the splice of WSOLA (Verhelst, Roelands, ICASSP
 * 1993) at the lag of best correlation, cross-faded. A splice that would be heard is refused.
 *
 * To shorten, audio is left out that is still to come. To lengthen, what was played last is played
 * again: that needs a fade's length of audio to come and no more, so that it also helps when the
 * buffer is running empty.
 *
 *     frames -= vox_stretch_shorten(next, frames, most, channels, VOX_STRETCH_UNHEARD);
 *     frames += vox_stretch_lengthen(next, past, frames, channels, VOX_STRETCH_UNHEARD);
 *
 * next: the next frame to be played, in place, interleaved; `past` frames in front of it have been
 * played, `frames` from it on are to be, with room for VOX_STRETCH_LAG_MAX more behind them.
 *
 * Thread rule: pure. RT-safe: bounded, about 3 us, 5 us in stereo; 10 KiB of stack.
 */
#ifndef VOX_RECEIVER_STRETCH_H
#define VOX_RECEIVER_STRETCH_H

enum {
    VOX_STRETCH_LAG_MIN = 120, /* 2.5 ms: 400 Hz */
    VOX_STRETCH_LAG_MAX = 720, /* 15 ms: 67 Hz */
    VOX_STRETCH_FADE = 240,    /* 5 ms */
};

/*
 * The least similarity of the two sides of a splice, where there is time to wait for a better
 * place, and where the alternative is to invent audio: 1 for the same waveform at the same level, 0
 * for two that have nothing in common (1 - energy of the difference / energy of both, with the
 * highs raised). Near silence any splice will do.
 */
#define VOX_STRETCH_UNHEARD 0.8
#define VOX_STRETCH_BETTER_THAN_NOTHING 0.2

/* Returns the frames taken out, at most `most`; 0: there are fewer than LAG_MIN + FADE, or no lag
 * fits. */
int vox_stretch_shorten(float *next, int frames, int most, int channels, double least_similarity);

/* Returns the frames put in; 0: fewer than FADE to come or LAG_MIN past, or no lag fits. */
int vox_stretch_lengthen(float *next, int past, int frames, int channels, double least_similarity);

#endif
