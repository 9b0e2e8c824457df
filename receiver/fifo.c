#include "receiver/fifo.h"

#include <stddef.h>
#include <string.h>

void vox_fifo_init(struct vox_fifo *fifo, int channels)
{
    fifo->channels = channels;
    fifo->at = VOX_FIFO_PAST;
    fifo->frames = 0;
    memset(fifo->pcm, 0, VOX_FIFO_PAST * 2 * sizeof *fifo->pcm);
}

float *vox_fifo_front(struct vox_fifo *fifo)
{
    return fifo->pcm + fifo->at * fifo->channels;
}

float *vox_fifo_end(struct vox_fifo *fifo)
{
    return fifo->pcm + (fifo->at + fifo->frames) * fifo->channels;
}

void vox_fifo_rewind(struct vox_fifo *fifo)
{
    const float *from = fifo->pcm + (fifo->at - VOX_FIFO_PAST) * fifo->channels;
    size_t samples = (size_t)((VOX_FIFO_PAST + fifo->frames) * fifo->channels);
    if (fifo->at == VOX_FIFO_PAST)
        return;
    memmove(fifo->pcm, from, samples * sizeof *fifo->pcm);
    fifo->at = VOX_FIFO_PAST;
}

void vox_fifo_drop(struct vox_fifo *fifo, int frames)
{
    fifo->at += frames;
    fifo->frames -= frames;
}

int vox_fifo_take(struct vox_fifo *fifo, float *pcm, int frames)
{
    int n = fifo->frames < frames ? fifo->frames : frames;
    memcpy(pcm, vox_fifo_front(fifo), (size_t)(n * fifo->channels) * sizeof *pcm);
    vox_fifo_drop(fifo, n);
    return n;
}

void vox_fifo_widen(struct vox_fifo *fifo)
{
    vox_fifo_rewind(fifo);
    for (int i = fifo->at + fifo->frames - 1; i >= 0; i--) {
        float sample = fifo->pcm[i];
        fifo->pcm[2 * i] = sample;
        fifo->pcm[2 * i + 1] = sample;
    }
    fifo->channels = 2;
}
