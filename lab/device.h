/*
 * A sound card in virtual time: it asks for (or gives) blocks of audio by a clock of its own.
 *
 * Thread rule: value, one owner.
 */
#ifndef VOX_LAB_DEVICE_H
#define VOX_LAB_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The card stands still for so long. A microphone loses that audio, a speaker is silent. */
struct vox_lab_stall {
    int64_t at_ns; /* since the card started */
    int64_t length_ns;
};

struct vox_lab_device_config {
    int hz;
    int block_frames;                   /* 0: no card; a file, which has no clock */
    double ppm;                         /* by which its clock runs fast; -500..500 */
    int64_t latency_ns;                 /* between the call and the converter */
    const struct vox_lab_stall *stalls; /* borrowed, in order, apart; NULL for none */
    size_t stall_count;
};

struct vox_lab_device {
    struct vox_lab_device_config config;
    int64_t start_ns;
    int64_t blocks;     /* fetched so far, those lost in stalls included */
    int64_t stalled_ns; /* by stalls that are over */
    size_t next_stall;
};

/* The first block begins at start_ns. */
void vox_lab_device_init(struct vox_lab_device *device, const struct vox_lab_device_config *config,
                         int64_t start_ns);

/* When the next block begins, had nothing stood still since. */
int64_t vox_lab_device_next_ns(const struct vox_lab_device *device);
/* How long a block takes on the true clock. */
int64_t vox_lab_device_block_ns(const struct vox_lab_device *device);
/* One block is done. */
void vox_lab_device_advance(struct vox_lab_device *device);
/*
 * Whether the next block falls into a stall. A speaker then asks again when it is over
 * (vox_lab_device_wait, which says how long it was silent); a microphone's block is lost.
 */
bool vox_lab_device_stalls(const struct vox_lab_device *device);
int64_t vox_lab_device_wait(struct vox_lab_device *device);

#endif
