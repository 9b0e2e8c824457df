#include "receiver/conceal.h"

#include <string.h>

enum {
    FADE_FRAMES = VOX_CONCEAL_FADE_TO - VOX_CONCEAL_FADE_FROM,
    NOISE_FRAMES = VOX_CONCEAL_SILENT_AT - VOX_CONCEAL_FADE_TO,
};

/* What is left of the level at that many ticks of concealment. */
static float level_at(int64_t made)
{
    float left = (float)(VOX_CONCEAL_FADE_TO - made) / (float)FADE_FRAMES;
    return left > 1 ? 1 : left > 0 ? left : 0;
}

/* From the concealment into comfort noise. */
static void fade_out(struct vox_fifo *fifo, struct vox_noise *noise, int64_t made_before)
{
    float *pcm = vox_fifo_front(fifo);
    for (int i = 0; i < fifo->frames; i++)
        for (int c = 0; c < fifo->channels; c++)
            pcm[i * fifo->channels + c] *= level_at(made_before + i);
    vox_noise_add(noise, pcm, fifo->frames, fifo->channels, 1 - level_at(made_before),
                  1 - level_at(made_before + fifo->frames));
}

void vox_conceal(struct vox_decoder *decoder, struct vox_noise *noise, struct vox_fifo *fifo,
                 int frames, int64_t made_before)
{
    int rounded = (frames + VOX_CONCEAL_GRAIN - 1) / VOX_CONCEAL_GRAIN * VOX_CONCEAL_GRAIN;
    vox_fifo_rewind(fifo);
    fifo->frames = frames;
    if (vox_decoder_conceal(decoder, rounded, vox_fifo_front(fifo)) < rounded)
        memset(vox_fifo_front(fifo), 0, (size_t)(frames * fifo->channels) * sizeof *fifo->pcm);
    if (made_before + frames > VOX_CONCEAL_FADE_FROM)
        fade_out(fifo, noise, made_before);
}

void vox_conceal_silence(struct vox_noise *noise, float *pcm, int frames, int channels,
                         int64_t made_before)
{
    memset(pcm, 0, (size_t)(frames * channels) * sizeof *pcm);
    float from = (float)(VOX_CONCEAL_SILENT_AT - made_before) / (float)NOISE_FRAMES;
    float to = (float)(VOX_CONCEAL_SILENT_AT - made_before - frames) / (float)NOISE_FRAMES;
    if (from > 0)
        vox_noise_add(noise, pcm, frames, channels, from < 1 ? from : 1, to > 0 ? to : 0);
}

bool vox_conceal_from_fec(struct vox_decoder *decoder, struct vox_fifo *fifo,
                          const struct vox_packet *packet, int frames)
{
    int whole = packet->info.frame_ticks;
    vox_fifo_rewind(fifo);
    float *pcm = vox_fifo_front(fifo);
    if (vox_decoder_fec(decoder, packet->payload, packet->payload_bytes, whole, pcm) < whole)
        return false;
    fifo->frames = whole;
    vox_fifo_drop(fifo, whole - frames);
    return true;
}

int vox_conceal_tail(struct vox_decoder *decoder, float *tail)
{
    size_t samples = (size_t)(VOX_CONCEAL_GRAIN * vox_decoder_channels(decoder));
    if (vox_decoder_conceal(decoder, VOX_CONCEAL_GRAIN, tail) != VOX_CONCEAL_GRAIN)
        memset(tail, 0, samples * sizeof *tail);
    return VOX_CONCEAL_GRAIN;
}

void vox_conceal_fade_in(struct vox_fifo *fifo, const float *tail, int tail_frames)
{
    int frames = fifo->frames < tail_frames ? fifo->frames : tail_frames;
    float *pcm = vox_fifo_front(fifo);
    for (int i = 0; i < frames * fifo->channels; i++) {
        int frame = i / fifo->channels;
        float in = (float)(frame + 1) / (float)(frames + 1);
        pcm[i] = tail[i] * (1 - in) + pcm[i] * in;
    }
}
