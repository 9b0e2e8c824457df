/*
 * The worst stall of a TCP link of `voxgram-lab versus`, and what it takes to find it: how long
 * frames took.
 *
 *     struct vox_versus_stall stall;
 *     vox_versus_find_stall(result, &stall);
 *     if (stall.link < VOX_VERSUS_LINKS)
 *         ... stall.waited frames waited for stall.frame ...
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_VERSUS_STALL_H
#define VOX_LAB_VERSUS_STALL_H

#include "lab/versus_result.h"

#include <stdbool.h>
#include <stddef.h>

bool vox_versus_has_come(const struct vox_playable_frame *frame);
double vox_versus_delay_ms(const struct vox_playable_frame *frame);
/* Of the fastest frame; infinite: none has come. */
double vox_versus_least_ms(const struct vox_playable *playable);
/* The slowest frame that has come; some other if none has. */
size_t vox_versus_slowest(const struct vox_playable *playable);

/* The worst wait behind one lost packet of a TCP link. */
struct vox_versus_stall {
    enum vox_versus_link link; /* VOX_VERSUS_LINKS: TCP did not run, or nothing waited */
    size_t frame;              /* that was lost, and repeated */
    size_t waited;             /* frames behind it that would have come before it */
    double wait_ms;            /* of the frame itself, over the fastest one */
};

void vox_versus_find_stall(const struct vox_versus_result *result, struct vox_versus_stall *out);

#endif
