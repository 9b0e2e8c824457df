/*
 * Every glitch has a cause. The log counts them, and keeps those whose cause is still open: a
 * missing packet is late if it comes within two seconds, and lost if it does not.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_GLITCHES_H
#define VOX_RECEIVER_GLITCHES_H

#include "receiver/emit.h"

#include <stdint.h>

enum { VOX_GLITCHES_OPEN = 32 }; /* the oldest is settled as lost when there are more */

struct vox_open_glitch {
    int64_t first_index, count; /* of the missing packets */
    int64_t start_ns;           /* when the first was to be played */
    int64_t packet_ns;          /* duration of one */
    int64_t duration_ns;        /* concealed output */
    int64_t late_ns;            /* of the latest to come; 0: none came */
};

struct vox_glitches {
    struct {
        uint64_t count;
        int64_t ns;
    } causes[VOX_GLITCH_CAUSES];
    int open_count;
    struct vox_open_glitch open[VOX_GLITCHES_OPEN]; /* oldest first */
};

void vox_glitches_init(struct vox_glitches *log);

/* One whose cause is known. */
void vox_glitches_add(struct vox_glitches *log, const struct vox_emit *emit,
                      enum vox_glitch_cause cause, int64_t t_ns, int64_t duration_ns,
                      int64_t late_ns);

/* One made by missing packets. */
void vox_glitches_open(struct vox_glitches *log, const struct vox_emit *emit,
                       const struct vox_open_glitch *glitch);

/* A packet that came after its time. */
void vox_glitches_late_packet(struct vox_glitches *log, int64_t index, int64_t arrival_ns);

/* Settles those older than two seconds; all of them with now_ns = INT64_MAX. */
void vox_glitches_settle(struct vox_glitches *log, const struct vox_emit *emit, int64_t now_ns);

#endif
