/*
 * One Opus decoder (RFC 6716) whose channel count may grow while it runs.
 *
 * Output is what opus_decode() would give, as float: overshoots of received audio are soft-clipped
 * with the same function, those of concealment and FEC are left to saturate, so that conversion to
 * 16 bits is bit-identical to the reference decoder's own.
 *
 * Thread rule: one owner. All but create and destroy are RT-safe (libopus decodes without malloc).
 */
#ifndef VOX_RECEIVER_DECODER_H
#define VOX_RECEIVER_DECODER_H

#include <stddef.h>
#include <stdint.h>

struct vox_decoder;

/* Errors: VOX_ENOMEM. */
int vox_decoder_create(struct vox_decoder **out);
void vox_decoder_destroy(struct vox_decoder *decoder);

/* Fresh state for 1 or 2 channels. */
void vox_decoder_reset(struct vox_decoder *decoder, int channels);
int vox_decoder_channels(const struct vox_decoder *decoder);

/*
 * Decodes a packet to pcm, which has room for 5760 frames. Returns its frames.
 * Errors: VOX_ECODEC (corrupted beyond decoding; the state is as after a loss).
 */
int vox_decoder_decode(struct vox_decoder *decoder, const void *packet, size_t len, float *pcm);

/* Conceals `frames` (a multiple of 120, at most 5760) of missing audio. Returns frames. */
int vox_decoder_conceal(struct vox_decoder *decoder, int frames, float *pcm);

/* Decodes the in-band FEC that `packet` holds of the frames in front of it. As conceal. */
int vox_decoder_fec(struct vox_decoder *decoder, const void *packet, size_t len, int frames,
                    float *pcm);

/*
 * Keeps the state, and goes back to it: what was concealed since then has not been. keep costs a
 * copy of some 30 kB. restore without keep since the last reset does nothing.
 */
void vox_decoder_keep(struct vox_decoder *decoder);
void vox_decoder_restore(struct vox_decoder *decoder);

#endif
