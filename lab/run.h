/*
 * One simulation with everything kept: what was heard, what became of each packet, events, delays.
 * What files, statistics and reports are made of.
 *
 *     struct vox_run run;
 *     if (vox_run_simulate(&config, &run) == 0)
 *         ... run.pcm, run.streams[0].packets, run.result.receiver ...
 *     vox_run_clear(&run);
 *
 * Thread rule: one owner. Holds the output in memory: 11.5 MB per minute and channel.
 */
#ifndef VOX_LAB_RUN_H
#define VOX_LAB_RUN_H

#include "lab/sim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The moments of packets that never came or never played. */
#define VOX_RUN_NEVER INT64_MAX

enum vox_run_outcome {
    VOX_RUN_PLAYED,
    VOX_RUN_RECOVERED, /* lost, but heard: a later packet carried it */
    VOX_RUN_LATE,      /* came, too late to be played */
    VOX_RUN_LOST,
};

/* A media packet; the n-th of its stream is n-th in the list. */
struct vox_run_packet {
    int64_t send_ns;
    int64_t arrival_ns; /* of the first copy; VOX_RUN_NEVER: lost by the network */
    int64_t copy_ns;    /* of the second copy; VOX_RUN_NEVER: there is none */
    int64_t play_ns;    /* of its first sample; VOX_RUN_NEVER: not played */
    int bytes;          /* UDP payload */
    enum vox_fate_cause fate;
    enum vox_run_outcome outcome;
};

struct vox_run_stream {
    uint32_t ssrc;
    uint16_t first_seq;
    struct vox_run_packet *packets;
    size_t count, room;
};

/* State of the first source, ten times a second. */
struct vox_run_sample {
    int64_t t_ns;
    int64_t delay_ns; /* over the fastest packet */
    int64_t target_ns;
};

struct vox_run_change {
    int sender;
    struct vox_sender_event event; /* VOX_SENDER_EVENT_ADAPTED */
};

struct vox_run {
    struct vox_sim_result result;
    struct vox_run_stream streams[VOX_SIM_MAX_SENDERS];
    int stream_count;
    struct vox_event *events; /* as told, which for glitches is when their cause was known */
    size_t event_count, event_room;
    struct vox_run_change *changes; /* of protection */
    size_t change_count, change_room;
    struct vox_run_sample *samples;
    size_t sample_count, sample_room;
    /* What was heard, without silence after the last sound that was due: */
    float *pcm;
    int64_t frames, room_frames;
    int channels; /* 1, or 2 if a source was stereo */
    int64_t pcm_start_ns;
    struct vox_tape *tapes[VOX_SIM_MAX_SENDERS]; /* all that was sent, if config.keep_tapes */
};

struct vox_run_config {
    struct vox_sim_config sim; /* its observer is set */
    bool keep_tapes;
    void (*on_progress)(void *ctx, int64_t heard_ns); /* ten times a second of sound; may be NULL */
    void *ctx;
};

/* Errors: those of vox_sim_run; VOX_ENOMEM. */
int vox_run_simulate(const struct vox_run_config *config, struct vox_run *out);
void vox_run_clear(struct vox_run *run);

/*
 * What would have been heard without any network: the same packets, decoded in time and in order,
 * by a file, after 60 ms. The clean decode that quality is measured against. Needs the tapes of the
 * run. Errors: VOX_EINVAL (no tapes), those of vox_run_simulate.
 */
int vox_run_reference(const struct vox_run *run, struct vox_run *out);

/* How many packets of all streams had that outcome. */
size_t vox_run_count(const struct vox_run *run, enum vox_run_outcome outcome);

#endif
