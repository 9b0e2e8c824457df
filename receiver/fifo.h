/*
 * Decoded audio of one source on its way out, interleaved, in one piece of memory, so that a
 * decoder writes to its end and a stretcher works on it in place.
 *
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
    /* What a stretcher looks at, a packet behind it, and what the stretcher puts in. */
    VOX_FIFO_FRAMES = VOX_STRETCH_NEED_FRAMES + VOX_OPUS_MAX_TICKS + VOX_STRETCH_LAG_MAX,
};

struct vox_fifo {
    int channels;
    int at; /* first frame */
    int frames;
    float pcm[VOX_FIFO_FRAMES * 2];
};

/* Empty. */
void vox_fifo_init(struct vox_fifo *fifo, int channels);
float *vox_fifo_front(struct vox_fifo *fifo);
/* Where to write more: room for a packet, if no more than VOX_STRETCH_NEED_FRAMES are inside and
 * they stand at the start. */
float *vox_fifo_end(struct vox_fifo *fifo);
/* Moves what is inside to the start of the memory. */
void vox_fifo_to_start(struct vox_fifo *fifo);
void vox_fifo_drop(struct vox_fifo *fifo, int frames);
/* Copies up to `frames` out and drops them. Returns how many. */
int vox_fifo_take(struct vox_fifo *fifo, float *pcm, int frames);
/* From one channel to two that are alike. */
void vox_fifo_widen(struct vox_fifo *fifo);

#endif
