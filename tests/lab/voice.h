/* Who talks in tests of the simulation: one second of something like speech, again and again. */
#ifndef VOX_TESTS_LAB_VOICE_H
#define VOX_TESTS_LAB_VOICE_H

#include "lab/sim.h"

#include "base/time.h"
#include "receiver/stream.h"

enum { VOICE_FRAMES = 48000 };

#define VOICE_START_NS VOX_NS_PER_S

static float voice[VOICE_FRAMES];

/* To be run before the tests. */
static inline int make_voice(void **state)
{
    (void)state;
    fill_speech(voice, VOICE_FRAMES);
    return 0;
}

/* Talks from VOICE_START_NS on; the numbers of its packets wrap within eleven seconds. */
static inline void voice_talker(enum vox_profile profile, int seconds,
                                struct vox_talker_config *talker)
{
    vox_sender_config_init(&talker->engine, profile);
    talker->engine.ssrc = 1;
    talker->engine.first_seq = 65000;
    talker->pcm = voice;
    talker->pcm_frames = VOICE_FRAMES;
    talker->frames = (int64_t)seconds * VOX_RTP_HZ;
    talker->start_ns = VOICE_START_NS;
}

#endif
