#include "lab/device.h"

#include "base/time.h"

void vox_lab_device_init(struct vox_lab_device *device, const struct vox_lab_device_config *config,
                         int64_t start_ns)
{
    *device = (struct vox_lab_device){.config = *config, .start_ns = start_ns};
}

/* True time in which the card counts so many frames. */
static int64_t true_ns(const struct vox_lab_device *device, int64_t frames)
{
    int64_t nominal_ns = vox_ticks_to_ns(frames, device->config.hz);
    return nominal_ns - (int64_t)((double)nominal_ns * device->config.ppm * 1e-6);
}

int64_t vox_lab_device_next_ns(const struct vox_lab_device *device)
{
    int64_t frames = device->blocks * device->config.block_frames;
    return device->start_ns + true_ns(device, frames) + device->stalled_ns;
}

int64_t vox_lab_device_block_ns(const struct vox_lab_device *device)
{
    return true_ns(device, device->config.block_frames);
}

/* The stall that is not over yet at the next block. */
static const struct vox_lab_stall *next_stall(const struct vox_lab_device *device)
{
    const struct vox_lab_device_config *c = &device->config;
    return device->next_stall < c->stall_count ? &c->stalls[device->next_stall] : NULL;
}

static int64_t since_start_ns(const struct vox_lab_device *device)
{
    return vox_lab_device_next_ns(device) - device->start_ns;
}

void vox_lab_device_advance(struct vox_lab_device *device)
{
    const struct vox_lab_stall *stall;
    device->blocks++;
    while ((stall = next_stall(device)) &&
           since_start_ns(device) >= stall->at_ns + stall->length_ns)
        device->next_stall++;
}

bool vox_lab_device_stalls(const struct vox_lab_device *device)
{
    const struct vox_lab_stall *stall = next_stall(device);
    return stall && since_start_ns(device) >= stall->at_ns;
}

int64_t vox_lab_device_wait(struct vox_lab_device *device)
{
    const struct vox_lab_stall *stall = next_stall(device);
    int64_t silent_ns = stall->at_ns + stall->length_ns - since_start_ns(device);
    device->stalled_ns += silent_ns;
    device->next_stall++;
    return silent_ns;
}
