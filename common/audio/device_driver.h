/*
 * What a sound system gives to device.c, and what device.c gives back to its callbacks. Internal.
 */
#ifndef VOX_AUDIO_DEVICE_DRIVER_H
#define VOX_AUDIO_DEVICE_DRIVER_H

#include "audio/device.h"

#include <stdatomic.h>

struct vox_device_driver {
    /* Appends to the `count` entries in out[0..capacity). Returns how many are in it then. */
    int (*list)(bool verbose, struct vox_device_entry *out, size_t count, size_t capacity,
                struct vox_audio_error *error);
    /* Fills device->info and device->stream. in, out: NULL for a direction that is not used. */
    int (*open)(struct vox_device *device, const struct vox_device_entry *in,
                const struct vox_device_entry *out, struct vox_audio_error *error);
    int (*start)(struct vox_device *device, struct vox_audio_error *error);
    /* Frees device->stream, whether its sound system still lives or not. */
    void (*close)(struct vox_device *device);
};

struct vox_device {
    struct vox_device_config config; /* its strings point below */
    char in_name[VOX_DEVICE_MAX_NAME + 1];
    char out_name[VOX_DEVICE_MAX_NAME + 1];
    char client_name[32];
    struct vox_device_info info;
    const struct vox_device_driver *driver;
    void *stream; /* of the driver; NULL: not open */
    atomic_bool lost;
    _Atomic uint64_t blocks, frames, underruns, overruns;
    _Atomic int64_t last_block_ns;
    int64_t last_in_ns, last_out_ns; /* of the callback's thread */
};

extern const struct vox_device_driver vox_device_jack;
extern const struct vox_device_driver vox_device_portaudio;

int64_t vox_device_now_ns(void);

/* Counts the block and hands it on; what a driver's callback ends in. RT-safe. */
void vox_device_block(struct vox_device *device, const float *in, float *out, size_t frames,
                      int64_t in_ns, int64_t out_ns, unsigned flags);

#endif
