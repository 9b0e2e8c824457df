/*
 * What the files of the sending engine share, and nobody else sees: its state.
 *
 *     sender.c          its life, from audio to packets, statistics
 *     sender_config.c   defaults, and what is valid
 *     sender_adapt.c    which protection is in force
 *     sender_repeat.c   what receivers ask for again
 *     sender_emit.c     what goes out: datagrams, reports, events
 *
 * sender.c calls the others, all may call sender_emit.c.
 *
 * Thread rule: one owner. All functions on it are RT-safe if the host's callbacks are.
 */
#ifndef VOX_SENDER_SENDER_STATE_H
#define VOX_SENDER_SENDER_STATE_H

#include "sender/adapt.h"
#include "sender/encoder.h"
#include "sender/feedback.h"
#include "sender/framer.h"
#include "sender/packetizer.h"
#include "sender/protect.h"
#include "sender/repeat.h"
#include "sender/sender.h"

#include "dsp/pcm.h"
#include "wire/rtp.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_SENDER_IP_UDP_BYTES = 28 /* IPv4 and UDP headers without options */ };

struct vox_sender {
    struct vox_sender_config config;
    struct vox_framer *framer;
    struct vox_encoder *encoder;
    struct vox_packetizer packetizer;
    struct vox_protect protect;
    struct vox_repeat *repeat; /* NULL: nothing is repeated */
    struct vox_feedback feedback;
    struct vox_adapt adapt; /* if that is wanted */
    struct vox_protection protection;
    struct vox_pcm_meter meter;
    struct vox_sender_stats stats;
    int64_t frame_ns;
    int64_t lookahead_ns;
    int64_t last_send_ns; /* of RTP; send times never decrease */
    int64_t reached_ns;   /* by capture, in the call that runs; INT64_MIN: nothing is overdue */
    bool finished;
    int err; /* of the encoder, from inside the framer's callback */
    uint8_t payload[VOX_ENCODER_MAX_BYTES];
    uint8_t red[VOX_ENCODER_MAX_BYTES];
    uint8_t datagram[VOX_RTP_MAX_BYTES];
};

#endif
