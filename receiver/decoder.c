#include "receiver/decoder.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/opus_toc.h"

#include <opus.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct vox_decoder {
    int channels;
    bool fresh; /* opus is to be initialised for `channels`: one that is never used costs nothing */
    float clip_memory[2];
    OpusDecoder *opus; /* memory for two channels */
    void *kept;        /* a copy of it */
    float kept_clip_memory[2];
    bool has_kept;
};

int vox_decoder_create(struct vox_decoder **out)
{
    struct vox_decoder *decoder = calloc(1, sizeof *decoder);
    OpusDecoder *opus = malloc((size_t)opus_decoder_get_size(2));
    void *kept = malloc((size_t)opus_decoder_get_size(2));
    if (!decoder || !opus || !kept) {
        free(decoder);
        free(opus);
        free(kept);
        return VOX_ENOMEM;
    }
    decoder->opus = opus;
    decoder->kept = kept;
    vox_decoder_reset(decoder, 1);
    *out = decoder;
    return 0;
}

void vox_decoder_destroy(struct vox_decoder *decoder)
{
    if (!decoder)
        return;
    free(decoder->opus);
    free(decoder->kept);
    free(decoder);
}

void vox_decoder_reset(struct vox_decoder *decoder, int channels)
{
    decoder->channels = channels;
    decoder->clip_memory[0] = 0;
    decoder->clip_memory[1] = 0;
    decoder->fresh = true;
    decoder->has_kept = false;
}

int vox_decoder_channels(const struct vox_decoder *decoder)
{
    return decoder->channels;
}

static int decode(struct vox_decoder *decoder, const void *packet, size_t len, int frames, int fec,
                  float *pcm)
{
    if (decoder->fresh)
        opus_decoder_init(decoder->opus, VOX_RTP_HZ, decoder->channels);
    decoder->fresh = false;
    int n = opus_decode_float(decoder->opus, packet, (opus_int32)len, pcm, frames, fec);
    return n > 0 ? n : VOX_ECODEC;
}

int vox_decoder_decode(struct vox_decoder *decoder, const void *packet, size_t len, float *pcm)
{
    int n = decode(decoder, packet, len, VOX_OPUS_MAX_TICKS, 0, pcm);
    if (n > 0)
        opus_pcm_soft_clip(pcm, n, decoder->channels, decoder->clip_memory);
    return n;
}

/* What libopus makes up it does not clip softly either: from hostile packets it may be anything. */
static int clamp(const struct vox_decoder *decoder, float *pcm, int frames)
{
    for (int i = 0; i < frames * decoder->channels; i++)
        pcm[i] = pcm[i] > 1 ? 1 : pcm[i] < -1 ? -1 : pcm[i];
    return frames;
}

int vox_decoder_conceal(struct vox_decoder *decoder, int frames, float *pcm)
{
    return clamp(decoder, pcm, decode(decoder, NULL, 0, frames, 0, pcm));
}

int vox_decoder_fec(struct vox_decoder *decoder, const void *packet, size_t len, int frames,
                    float *pcm)
{
    return clamp(decoder, pcm, decode(decoder, packet, len, frames, 1, pcm));
}

/* An OpusDecoder is one piece of memory without pointers into itself (opus.h: it may be copied). */
void vox_decoder_keep(struct vox_decoder *decoder)
{
    decoder->has_kept = !decoder->fresh;
    if (!decoder->has_kept)
        return;
    memcpy(decoder->kept, decoder->opus, (size_t)opus_decoder_get_size(decoder->channels));
    memcpy(decoder->kept_clip_memory, decoder->clip_memory, sizeof decoder->clip_memory);
}

void vox_decoder_restore(struct vox_decoder *decoder)
{
    if (!decoder->has_kept)
        return;
    memcpy(decoder->opus, decoder->kept, (size_t)opus_decoder_get_size(decoder->channels));
    memcpy(decoder->clip_memory, decoder->kept_clip_memory, sizeof decoder->clip_memory);
}
