/*
 * Decoded audio of one source on its way out, interleaved, in one piece of memory, so that a
 * decoder writes to its end and a stretcher works on it in place. What was played last stays in
 * front of it.
 *
 *     vox_fifo_rewind(&fifo);
 *     int n = vox_decoder_decode(decoder, packet, len, vox_fifo_end(&fifo));
 *     fifo.frames += n;
 *     vox_fifo_take(&fifo, pcm, frames);
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_FIFO_H
#define VOX_RECEIVER_FIFO_H

#include "receiver/stretch.h"
#include "wire/opus_toc.h"

enum {
    VOX_FIFO_PAST = VOX_STRETCH_LAG_MAX, /* that are kept */
    VOX_FIFO_AHEAD = 1920,               /* to which packets are decoded ahead of time, at most */
    /* Those, a packet behind them, and what a stretcher puts in. */
    VOX_FIFO_FRAMES = VOX_FIFO_PAST + VOX_FIFO_AHEAD + VOX_OPUS_MAX_TICKS + VOX_STRETCH_LAG_MAX,
};

struct vox_fifo {
    int channels;
    int at; /* next frame; what is in front of it was played */
    int frames;
    float pcm[VOX_FIFO_FRAMES * 2];
};

/* Empty, after silence. */
void vox_fifo_init(struct vox_fifo *fifo, int channels);
float *vox_fifo_front(struct vox_fifo *fifo);
/* Moves what is inside to the start of the memory, behind VOX_FIFO_PAST frames that were played. */
void vox_fifo_rewind(struct vox_fifo *fifo);
/* Where to write more: after rewind, and with no more than VOX_FIFO_AHEAD inside, room for a packet
 * and for what a stretcher puts in. */
float *vox_fifo_end(struct vox_fifo *fifo);
void vox_fifo_drop(struct vox_fifo *fifo, int frames);
/* Copies up to `frames` out and drops them. Returns how many. */
int vox_fifo_take(struct vox_fifo *fifo, float *pcm, int frames);
/* From one channel to two that are alike. */
void vox_fifo_widen(struct vox_fifo *fifo);

#endif
