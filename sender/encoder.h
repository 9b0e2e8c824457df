/*
 * The Opus encoder (libopus; RFC 6716) with our profiles, and an honest look at what it made.
 *
 *     vox_encoder_create(&config, &encoder);
 *     struct vox_encoded packet;
 *     int err = vox_encoder_encode(encoder, pcm, out, sizeof out, &packet);
 *
 * What is set, so that a comparison can encode the same way: application, bitrate, complexity, DTX,
 * in-band FEC, packet loss percentage, depth of the input (as opus_encode does for 16-bit samples).
 * All else is libopus's default (constrained VBR, automatic bandwidth, signal type and forced
 * channels).
 *
 * What was asked for is not always what is made, so look at the packet, not at the setting:
 *
 * - In-band FEC (LBRR) lives in SILK frames of 10 ms and more. libopus 1.3.1 puts it into no packet
 *   at 2.5 and 5 ms, in restricted-lowdelay, with an expected loss of 0, or below 18 kbit/s; with
 * an expected loss of 1..5 %, below some 30 kbit/s. Silence has none. With FEC on, the music
 * profile codes like the voice profile wherever libopus is not sure that it hears music.
 * - Two channels are coded as their mono sum where bits are few: vox_encoder_stereo_bps. To force
 *   stereo there (OPUS_SET_FORCE_CHANNELS) brings none: at 48 kbit/s in frames of 2.5 ms the
 *   difference of the channels is 15 dB too low and their sum 6 dB noisier.
 *
 * Thread rule: one owner. encode is RT-safe.
 */
#ifndef VOX_SENDER_ENCODER_H
#define VOX_SENDER_ENCODER_H

#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_encoder;

enum {
    /* What is left of VOX_RTP_MAX_BYTES after the RTP header and the capture time extension. */
    VOX_ENCODER_MAX_BYTES = 1424,
    VOX_ENCODER_MIN_BPS = 6000,
    VOX_ENCODER_MAX_BPS = 510000,
};

/* The defaults of a profile. */
struct vox_profile_settings {
    const char *name;
    int application; /* OPUS_APPLICATION_... */
    int frame_ticks;
    int bitrate_bps[2]; /* of mono and of stereo */
    int complexity;
};

struct vox_encoder_config {
    enum vox_profile profile;
    int channels; /* 1 or 2 */
    int frame_ticks;
    int bitrate_bps;
    int complexity;
    bool dtx;
    bool fec;
    int expected_loss_pct; /* used with fec only; see vox_encoder_told_loss_pct */
    int input_bits;        /* that count in a sample, 8..24: what is below is no signal */
};

struct vox_encoded {
    size_t bytes;
    bool silent;   /* DTX: nothing that need be sent */
    bool has_lbrr; /* carries in-band FEC for the frame before it */
    int channels;  /* as coded */
};

/* NULL for a value that is no profile. */
const struct vox_profile_settings *vox_profile_settings(enum vox_profile profile);

/*
 * Errors: VOX_EINVAL (outside the ranges of sender.h, or a bitrate of which one frame does not fit
 * into VOX_ENCODER_MAX_BYTES), VOX_ENOMEM, VOX_ECODEC.
 */
int vox_encoder_create(const struct vox_encoder_config *config, struct vox_encoder **out);
void vox_encoder_destroy(struct vox_encoder *encoder);

/*
 * From the next frame on. Those and the frame length are to be in the ranges of create. Errors,
 * nothing changed: VOX_EINVAL, VOX_ECODEC.
 */
int vox_encoder_set(struct vox_encoder *encoder, int bitrate_bps, bool fec);

/* One frame of frame_ticks x channels samples. Errors: VOX_ECODEC. */
int vox_encoder_encode(struct vox_encoder *encoder, const float *pcm, uint8_t *out, size_t capacity,
                       struct vox_encoded *result);

/* Encoder's delay in 48 kHz samples (OPUS_GET_LOOKAHEAD). */
int vox_encoder_lookahead(const struct vox_encoder *encoder);

/*
 * What libopus 1.3.1 does, as measured; the tests hold it to that.
 *
 * The bitrate from which on packets of sound carry in-band FEC, with an expected loss of 8 % and
 * the profile's complexity (more with complexity 0 or 1); 0: they never do.
 */
int vox_encoder_fec_bps(enum vox_profile profile, int frame_ticks);

/* The bitrate from which on two channels are coded as such, whatever else is set. */
int vox_encoder_stereo_bps(int frame_ticks);

/*
 * What libopus is told of an expected loss: at most 8 %, 10 % up to 24 kbit/s. More makes it spend
 * so much on LBRR that the loss-free quality falls by half a point of PESQ (measured with 1.3.1:
 * 4.43 becomes 3.88 at 15 %), for little more repair.
 */
int vox_encoder_told_loss_pct(int expected_loss_pct, int bitrate_bps);

#endif
