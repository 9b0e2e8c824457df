/*
 * Playout of one source: which audio leaves at which time. It takes packets from the jitter buffer
 * by their timestamps, decodes, conceals exactly what is missing, and moves the delay to its
 * target.
 *
 *     vox_playout_create(&config, &emit, &playout);
 *     vox_playout_insert(playout, &packet);                                // from the network
 *     int valid = vox_playout_produce(playout, pcm, frames, now_ns, playout_ns);
 *
 * Concealment does not use up the timeline. Output stands at play_ts + expanded: play_ts is where
 * the received audio ended, expanded what has been made up since. When the next packet is there, it
 * closes the gap: what is still missing in front of it is concealed (or decoded from its in-band
 * FEC); if more was made up than was missing, the packet was late, and either the delay has grown
 * by that (where the target agrees) or its first part is dropped.
 *
 * All frames are 48 kHz samples per channel.
 *
 * Thread rule: one owner. All but create and destroy are RT-safe.
 */
#ifndef VOX_RECEIVER_PLAYOUT_H
#define VOX_RECEIVER_PLAYOUT_H

#include "receiver/emit.h"
#include "receiver/jitter.h"
#include "receiver/timing.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_playout;

int vox_playout_create(const struct vox_receiver_config *config, const struct vox_emit *emit,
                       struct vox_playout **out);
void vox_playout_destroy(struct vox_playout *p);
void vox_playout_reset(struct vox_playout *p);

/* A packet from the network. */
enum vox_insert vox_playout_insert(struct vox_playout *p, const struct vox_packet *packet);

/* Whether a copy of this packet is of no use: it came, or its time is over. */
bool vox_playout_knows(const struct vox_playout *p, int64_t index);

/* A copy of one, brought by another. Returns whether it is of use. */
bool vox_playout_insert_copy(struct vox_playout *p, const struct vox_packet *copy);

/* This number holds no audio. */
void vox_playout_blank(struct vox_playout *p, int64_t index);
/* The number so many in front of this one, those without audio left out. */
int64_t vox_playout_back(const struct vox_playout *p, int64_t index, int64_t count);

/* Media times are made in another way from the next packet on: what was learned of delays is void.
 */
void vox_playout_new_timeline(struct vox_playout *p);

/*
 * A goodbye came at now_ns: play what is there and what it may have overtaken, then end instead of
 * concealing.
 */
void vox_playout_drain(struct vox_playout *p, int64_t now_ns);
bool vox_playout_ended(const struct vox_playout *p);

/*
 * Fills frames * channels samples, the first played at playout_ns. Returns how many frames from the
 * first on belong to the stream; the rest is silence.
 */
int vox_playout_produce(struct vox_playout *p, float *pcm, int frames, int64_t now_ns,
                        int64_t playout_ns);

/* For so long nothing was produced, and silence was heard. */
void vox_playout_pass(struct vox_playout *p, int64_t duration_ns);

/* Channels that produce writes: 1 until a stereo packet comes. */
int vox_playout_channels(const struct vox_playout *p);

/* When the first packet is due, once there is one; VOX_NS_NEVER before. Only until playing. */
int64_t vox_playout_start_ns(const struct vox_playout *p);
bool vox_playout_started(const struct vox_playout *p);
/* Whether it waits for audio: not begun yet, or nothing has come for half a second. */
bool vox_playout_is_idle(const struct vox_playout *p);

/* A pull begins at now_ns: what has come until now can be played from known_ns on. */
void vox_playout_look(struct vox_playout *p, int64_t now_ns, int64_t known_ns);

/* How much can be played in one piece without anything that is still to come. */
int vox_playout_ready_frames(const struct vox_playout *p);

/* Delay over the fastest packet: wanted, and of what plays at playout_ns next. */
int64_t vox_playout_target_ns(const struct vox_playout *p);
int64_t vox_playout_current_ns(const struct vox_playout *p, int64_t playout_ns);
/* Whether current_ns tells the truth: audio plays, nothing is being concealed. */
bool vox_playout_is_steady(const struct vox_playout *p);

const struct vox_timing *vox_playout_timing(const struct vox_playout *p);
struct vox_source_stats;
/* Fills what playout knows: frames, glitches, delays. */
void vox_playout_read_stats(const struct vox_playout *p, struct vox_source_stats *out);
/* Settles old glitches; all of them at the end (INT64_MAX). */
void vox_playout_settle(struct vox_playout *p, int64_t now_ns);
void vox_playout_underrun(struct vox_playout *p, int64_t t_ns, int64_t gap_ns);

/*
 * The sender's capture clock on our monotonic one: its media time 0 was captured at zero_ns. The
 * absolute total delay is counted from there.
 */
void vox_playout_set_capture_zero(struct vox_playout *p, int64_t zero_ns);

#endif
