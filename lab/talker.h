/*
 * One sender in virtual time: a source of audio, a sound card that gives it in blocks (or a file),
 * and the sending engine; or a tape of what such a one had sent.
 *
 *     vox_talker_create(&config, &talker);
 *     while ((t_ns = vox_talker_next_ns(talker)) != VOX_NS_NEVER)
 *         vox_talker_step(talker, t_ns);              // calls config.on_datagram
 *
 * A file is pushed in pieces of 10 ms at their capture times, a microphone's blocks when they are
 * full. After the last one comes the goodbye.
 *
 * A tape spares the encoder when the same stream crosses many networks. It cannot listen: reports
 * and requests of receivers change nothing.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_TALKER_H
#define VOX_LAB_TALKER_H

#include "lab/device.h"
#include "sender/sender.h"

#include <stddef.h>
#include <stdint.h>

struct vox_talker;
struct vox_tape;

struct vox_talker_config {
    struct vox_sender_config engine; /* its callbacks and ctx are set by the talker */
    const float *pcm;                /* borrowed, engine.input_channels interleaved */
    int64_t pcm_frames;
    int64_t frames;                    /* to send: beyond pcm_frames it begins again */
    struct vox_lab_device_config card; /* block_frames 0: a file; hz is engine.input_hz */
    int64_t start_ns;                  /* capture of the first sample */
    const struct vox_tape *tape;       /* borrowed; instead of all the above if not NULL */
    void (*on_datagram)(void *ctx, const struct vox_datagram *datagram);
    void (*on_event)(void *ctx, const struct vox_sender_event *event); /* may be NULL */
    void *ctx;
};

/* Errors: those of vox_sender_create. */
int vox_talker_create(const struct vox_talker_config *config, struct vox_talker **out);
void vox_talker_destroy(struct vox_talker *talker);

/* When step wants to be called; VOX_NS_NEVER once everything is sent. */
int64_t vox_talker_next_ns(const struct vox_talker *talker);
/* Errors: VOX_ECODEC. */
int vox_talker_step(struct vox_talker *talker, int64_t now_ns);
/* RTCP from a receiver. */
void vox_talker_feed(struct vox_talker *talker, const void *datagram, size_t len,
                     int64_t arrival_ns);
/* Zeros for a tape. */
void vox_talker_read_stats(struct vox_talker *talker, struct vox_sender_stats *out);

/* An empty tape. Errors: VOX_ENOMEM. */
int vox_tape_create(struct vox_tape **out);
/* Copies the datagram, handed over at made_ns, to the end. Errors: VOX_ENOMEM. */
int vox_tape_add(struct vox_tape *tape, int64_t made_ns, const struct vox_datagram *datagram);

/*
 * Everything that the talker of this config would say with nobody answering.
 * Errors: those of vox_talker_create and step, VOX_ENOMEM.
 */
int vox_tape_record(const struct vox_talker_config *config, struct vox_tape **out);
void vox_tape_destroy(struct vox_tape *tape);

struct vox_tape_entry {
    int64_t made_ns; /* when it was handed over; send_ns is in the datagram */
    struct vox_datagram datagram;
};

size_t vox_tape_count(const struct vox_tape *tape);
/* Borrowed. */
const struct vox_tape_entry *vox_tape_at(const struct vox_tape *tape, size_t index);

#endif
