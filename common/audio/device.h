/*
 * Sound cards: listing, finding by name, capture and playback streams. JACK is spoken to directly
 * when its server runs, everything else goes through PortAudio. (PortAudio 19.6 cannot lose a JACK
 * server: closing the stream waits ten minutes, then terminating aborts the process.)
 *
 *     struct vox_device_config config;
 *     vox_device_config_init(&config);
 *     config.out_channels = 2; config.on_audio = play; config.ctx = me;
 *     if (vox_device_open(&config, &device, &error) < 0)
 *         fail("%s", error.text);
 *     make_engine(vox_device_info(device)->rate_hz);       // may differ from what was asked for
 *     vox_device_start(device, &error);
 *     ...
 *     if (vox_device_is_lost(device))                      // unplugged: try once a second
 *         if (vox_device_reopen(device, &error) == 0)
 *             vox_device_start(device, &error);
 *
 * Times are CLOCK_MONOTONIC nanoseconds.
 *
 * Thread rule: one owner, except for on_audio, which runs on the device's own thread, and the
 * getters marked "any thread". Of all devices of a process, open, start, reopen, close and list
 * must not run at the same time. `error` may be NULL; it is written only on failure.
 */
#ifndef VOX_AUDIO_DEVICE_H
#define VOX_AUDIO_DEVICE_H

#include "audio/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_DEVICE_MAX_NAME = 127, VOX_DEVICE_MAX_LISTED = 128, VOX_DEVICE_MAX_CHANNELS = 8 };

struct vox_device;

/* One line of the list. */
struct vox_device_entry {
    char name[VOX_DEVICE_MAX_NAME + 1];
    char host_api[32]; /* "JACK", "ALSA", "OSS", ... */
    int in_channels;   /* 0: cannot capture */
    int out_channels;  /* 0: cannot play */
    int default_hz;
    bool is_default_in;
    bool is_default_out;
};

enum vox_device_flags {
    VOX_DEVICE_UNDERRUN = 1,  /* playback ran dry in front of this block */
    VOX_DEVICE_OVERRUN = 2,   /* captured audio was lost in front of this block */
    VOX_DEVICE_ESTIMATED = 4, /* no times from the driver: made from callback and latency */
};

/*
 * One block of interleaved audio, +-1.0. `in` is NULL without capture, `out` without playback;
 * `out` is to be filled wholly. in_ns (out_ns) is when the first sample of `in` (`out`) was (will
 * be) at the converter; 0 when there is no such direction; they increase from block to block.
 * `flags`: of enum vox_device_flags. Must be RT-safe.
 */
typedef void (*vox_device_fn)(void *ctx, const float *in, float *out, size_t frames, int64_t in_ns,
                              int64_t out_ns, unsigned flags);

struct vox_device_config {
    const char *in_name; /* copied; as vox_device_find takes it; NULL: the default */
    const char *out_name;
    int in_channels;  /* wanted, 0..8; 0: no capture; default 0 */
    int out_channels; /* wanted, 0..8; 0: no playback; default 0 */
    int rate_hz;      /* wanted; default 48000 */
    double buffer_ms; /* latency asked of the driver; 0: the lowest it offers. JACK: its own */
    const char *client_name; /* how we appear in JACK; copied; default "voxgram" */
    bool verbose;            /* let the sound libraries write to stderr while they start */
    vox_device_fn on_audio;
    void *ctx;
};

/* What was opened. */
struct vox_device_info {
    char in_name[VOX_DEVICE_MAX_NAME + 1];  /* "" without capture */
    char out_name[VOX_DEVICE_MAX_NAME + 1]; /* "" without playback */
    char host_api[32];
    int rate_hz;     /* the device's own where it refuses the one wanted */
    int in_channels; /* at most what was wanted: fewer where the device has fewer */
    int out_channels;
    int period_frames; /* usual block; 0: not known, it may change */
    int64_t in_latency_ns;
    int64_t out_latency_ns;
};

struct vox_device_stats {
    uint64_t blocks;
    uint64_t frames;
    uint64_t underruns;
    uint64_t overruns;
    int64_t last_block_ns; /* when on_audio last began; 0: never */
};

/*
 * Lists the devices there are now, JACK's first, as many as there is room for. Returns how many.
 * While a PortAudio stream is open, devices plugged in since are not seen.
 * Errors: VOX_EDEVICE (a sound system that fails to start), VOX_ENOMEM.
 */
int vox_device_list(bool verbose, struct vox_device_entry *out, size_t capacity,
                    struct vox_audio_error *error);

/*
 * Index of the device called `name` (NULL or "": the default) that can capture, or else play. An
 * exact match of "NAME" or "API:NAME" wins, then the only one whose name holds `name`, without
 * regard to case. Pure. Errors: VOX_ENOTFOUND and VOX_EINVAL (several), with the candidates in
 * error.
 */
int vox_device_find(const struct vox_device_entry *list, size_t count, const char *name,
                    bool capture, struct vox_audio_error *error);

void vox_device_config_init(struct vox_device_config *config);

/*
 * Opens, does not start: on_audio is not called before start.
 * Errors: VOX_EINVAL, VOX_ENOMEM, those of find, VOX_EINUSE (busy), VOX_EPERMISSION,
 * VOX_EUNSUPPORTED (capture and playback on different sound systems), VOX_EDEVICE.
 */
int vox_device_open(const struct vox_device_config *config, struct vox_device **out,
                    struct vox_audio_error *error);
/* Stops first; on_audio has returned for the last time when close returns. */
void vox_device_close(struct vox_device *device);

/* Errors: VOX_EDEVICE. */
int vox_device_start(struct vox_device *device, struct vox_audio_error *error);

const struct vox_device_info *vox_device_info(const struct vox_device *device);

/*
 * Whether a started stream has come to an end by itself: unplugged, server gone. Some drivers
 * notice nothing and just stop calling: watch stats.last_block_ns as well. Any thread.
 */
bool vox_device_is_lost(const struct vox_device *device);

/*
 * Closes what is left, looks for the devices anew and opens by the same config, not started. On an
 * error (as for open; VOX_ENOTFOUND while unplugged) the object stays, lost, with the info it had,
 * and may be tried again. Read info again after success: rate and channels may have changed.
 */
int vox_device_reopen(struct vox_device *device, struct vox_audio_error *error);

/* Any thread. Each number is right; together they may be from either side of a block. */
void vox_device_read_stats(const struct vox_device *device, struct vox_device_stats *out);

#endif
