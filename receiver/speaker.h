/*
 * The receiving engine behind a sound card. The engine belongs to the device's callback: datagrams
 * cross to it by one ring, RTCP and events come back by two others; there is no lock and no malloc
 * on that side.
 *
 *     network thread                              device's thread
 *     push ---------> [datagrams] ------------->  push, tick, pull -> converter
 *     on_wake <------ [RTCP], [events] <--------
 *     read_stats ---- asks; the callback fills ---'
 *
 * While the device is lost (unplugged) nobody calls back: the network thread then drives the engine
 * itself, to nowhere, and looks for the device once a second.
 *
 * Thread rule: the network thread owns the object; only the callback runs elsewhere.
 */
#ifndef VOX_RECEIVER_SPEAKER_H
#define VOX_RECEIVER_SPEAKER_H

#include "audio/device.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_speaker;

struct vox_speaker_config {
    const char *device; /* as vox_device_find takes it; "" for the default */
    double buffer_ms;
    int channels; /* wanted: 1 or 2 */
    bool verbose;
    struct vox_receiver_config engine; /* its callbacks and output format are the speaker's own */
    void (*on_wake)(void *ctx); /* from the device's thread: something waits for drain; RT-safe */
    void *ctx;
};

enum vox_speaker_change { VOX_SPEAKER_SAME, VOX_SPEAKER_LOST, VOX_SPEAKER_BACK };

/* Opens and starts the device. Errors, with text: as vox_device_open and vox_receiver_create. */
int vox_speaker_create(const struct vox_speaker_config *config, struct vox_speaker **out,
                       struct vox_audio_error *error);
/* Says BYE by the callbacks of drain, stops and frees. */
void vox_speaker_destroy(struct vox_speaker *speaker);

/* A datagram from the network. False: the ring is full (the device stands still); it is dropped. */
bool vox_speaker_push(struct vox_speaker *speaker, const void *datagram, size_t len,
                      int64_t arrival_ns, uint32_t path, bool local);

/* Gives what the engine put out to the engine config's own on_rtcp and on_event. */
void vox_speaker_drain(struct vox_speaker *speaker);

/* To be called every 10..50 ms: notices a lost device, drives the engine meanwhile, reopens. */
enum vox_speaker_change vox_speaker_watch(struct vox_speaker *speaker, int64_t now_ns,
                                          struct vox_audio_error *error);

/* Stops the device and ends the engine: the last BYE and events are there to drain. */
void vox_speaker_stop(struct vox_speaker *speaker, int64_t now_ns);

/*
 * The latest statistics that the callback has filled in, and asks for newer ones. False: there are
 * none newer than those of the last call.
 */
bool vox_speaker_read_stats(struct vox_speaker *speaker, struct vox_receiver_stats *out);
/* Whether all sources have ended, as of the last statistics. */
bool vox_speaker_all_ended(const struct vox_speaker *speaker);

const struct vox_device_info *vox_speaker_info(const struct vox_speaker *speaker);

#endif
