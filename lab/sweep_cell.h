/*
 * One cell of a sweep's matrix: an encoded recording across one network into one receiver, and what
 * came of it in numbers. The recording is encoded once and kept as a tape (lab/talker.h).
 *
 *     struct vox_sweep_sound sound;
 *     if (vox_sweep_sound_make(&talker, true, &sound) == 0) {
 *         const struct vox_sweep_cell_config config = {&sound, network, receiver, speaker};
 *         vox_sweep_cell_run(&config, &cell);              // again and again, from any thread
 *         vox_sweep_sound_clear(&sound);
 *     }
 *
 * A row is what voxgram-lab replay would find with the same settings and seed. Only the RTCP of a
 * tape knows of no receiver, so that wire_kbps is less by a few tenths.
 *
 * Thread rule: make a sound in one thread; then it is read only. A cell has one owner.
 */
#ifndef VOX_LAB_SWEEP_CELL_H
#define VOX_LAB_SWEEP_CELL_H

#include "channel/impair.h"
#include "lab/sim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_sweep_sound {
    struct vox_tape *tape;
    int channels;        /* as coded */
    int frame_ticks;     /* of a packet */
    int64_t duration_ns; /* of the audio */
    uint64_t packets;    /* of media */
    double wire_kbps;    /* all datagrams, with 28 bytes of headers each */
    uint16_t first_seq;
    /* A sender that listens to its receiver, to repeat or to adapt, cannot be a tape: it encodes
     * again in each cell. Else NULL. */
    float *pcm;
    struct vox_talker_config talker; /* of that PCM */
    /* The clean decode, which sound is compared with; NULL: not wanted. */
    float *clean;
    int64_t clean_frames;
    int64_t clean_ts; /* of its first sample, in the ticks of the receiver */
};

/* Encodes; `clean`: whether to decode, too. Errors: those of vox_tape_record and vox_sim_run. */
int vox_sweep_sound_make(const struct vox_talker_config *talker, bool clean,
                         struct vox_sweep_sound *out);
void vox_sweep_sound_clear(struct vox_sweep_sound *sound);

struct vox_sweep_cell_config {
    const struct vox_sweep_sound *sound;
    struct vox_impair_config network;
    struct vox_receiver_config receiver;  /* delays and the like; channels and sources are set */
    struct vox_lab_device_config speaker; /* block_frames 0: a file */
    int64_t max_delay_ns; /* that repairs may take, of a sender that adapts; below 0: its default */
};

struct vox_sweep_cell {
    struct vox_source_stats source; /* as the receiver tells it at the end */
    uint64_t rejected;
    double wire_kbps; /* of the sound, or of what a sender that listens really sent */
    bool heard;       /* something was: there are delays and a rating */
    double concealed_pct;
    double burst_ratio; /* as in lab/emodel.h, of packets neither played nor recovered */
    double r_factor, mos;
    bool compared; /* with the clean decode */
    double segmental_snr_db, log_spectral_distance_db;
    size_t dropouts, clicks;
    int64_t dropout_ns;
};

/* Errors: VOX_EINVAL (network or receiver out of range), VOX_ENOMEM, VOX_ECODEC. */
int vox_sweep_cell_run(const struct vox_sweep_cell_config *config, struct vox_sweep_cell *out);

#endif
