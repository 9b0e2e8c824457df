/*
 * Audio for what is missing: concealment by the decoder (PLC), which fades out in the long run, and
 * the packet in front of another one from that one's in-band FEC (RFC 6716, section 4.2.5).
 *
 *     vox_conceal(decoder, &fifo, frames, made_before);
 *
 * The fifo must be empty; it then holds exactly `frames`.
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_CONCEAL_H
#define VOX_RECEIVER_CONCEAL_H

#include "receiver/decoder.h"
#include "receiver/fifo.h"
#include "receiver/jitter.h"
#include "receiver/noise.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_CONCEAL_GRAIN = 120,       /* libopus conceals in multiples of 2.5 ms */
    VOX_CONCEAL_FADE_FROM = 9600,  /* after 200 ms of concealment its level falls ... */
    VOX_CONCEAL_FADE_TO = 24000,   /* ... to comfort noise at 500 ms ... */
    VOX_CONCEAL_SILENT_AT = 48000, /* ... and that to silence at 1 s */
};

/* made_before: ticks that have been concealed in front of these. */
void vox_conceal(struct vox_decoder *decoder, struct vox_noise *noise, struct vox_fifo *fifo,
                 int frames, int64_t made_before);

/* What follows it from 500 ms on, while nothing comes: comfort noise that fades to silence. */
void vox_conceal_silence(struct vox_noise *noise, float *pcm, int frames, int channels,
                         int64_t made_before);

/*
 * The last `frames` (at most one frame of the packet) in front of a packet with in-band FEC. False:
 * it cannot be decoded, and the fifo is still empty.
 */
bool vox_conceal_from_fec(struct vox_decoder *decoder, struct vox_fifo *fifo,
                          const struct vox_packet *packet, int frames);

/* VOX_CONCEAL_GRAIN of concealment, to fade from where the beginning of a late packet is cut off.
 * Returns the frames. */
int vox_conceal_tail(struct vox_decoder *decoder, float *tail);
/* The cross-fade from up to so many frames into the front of the fifo. */
void vox_conceal_fade_in(struct vox_fifo *fifo, const float *tail, int tail_frames);

#endif
