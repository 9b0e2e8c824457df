/*
 * All that voxgram-recv records: the mix, or with --separate a file for each source.
 *
 * Thread rule: one owner. Nothing here is RT-safe.
 */
#ifndef VOX_RECEIVER_RECORDING_H
#define VOX_RECEIVER_RECORDING_H

#include "receiver/cli.h"
#include "receiver/receiver.h"
#include "receiver/recorder.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_recording {
    const struct vox_recv_options *options;
    struct vox_recorder recorders[VOX_RECEIVER_MAX_SOURCES]; /* by source, or [0] for the mix */
    bool used[VOX_RECEIVER_MAX_SOURCES];
    uint32_t ssrc[VOX_RECEIVER_MAX_SOURCES]; /* of the last file, if there was one ... */
    int parts[VOX_RECEIVER_MAX_SOURCES];     /* ... and how many of it in a row */
    int64_t finished_ticks;
    bool failed;
    struct vox_audio_error error; /* the first, if failed */
    struct vox_receiver_stats scratch;
};

/* options: borrowed. Errors, with text: a file that cannot be written. */
int vox_recording_open(struct vox_recording *recording, const struct vox_recv_options *options,
                       struct vox_audio_error *error);

/*
 * One block, of the mix (source -1) or of a source. was_idle: the engine had nothing to play when
 * the block began. The engine is asked for channels and SSRC when a file is about to be opened.
 */
void vox_recording_pcm(struct vox_recording *recording, struct vox_receiver *engine, int source,
                       const float *pcm, int frames, bool was_idle);

/* A packet as it is played. True the first time that one is left out: an Ogg stream holds one
 * source. */
bool vox_recording_packet(struct vox_recording *recording, const struct vox_played_packet *packet);

/* Completes the files of sources that have ended: their places may be taken by others. */
void vox_recording_end_sources(struct vox_recording *recording, const struct vox_receiver *engine);

/* Completes all files. */
void vox_recording_finish(struct vox_recording *recording);

/* How much is recorded, of all files together. */
int64_t vox_recording_ns(const struct vox_recording *recording);

#endif
