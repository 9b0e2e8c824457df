/*
 * The rows of a sweep, done by several threads, each with engines of its own. What they share is
 * read only: the plan, and recordings that are encoded once.
 *
 *     vox_sweep_work_start(&config, &work);
 *     while (vox_sweep_work_wait(work, 100 * VOX_NS_PER_MS, &progress))
 *         show(&progress);
 *     int err = vox_sweep_work_end(work, why);
 *
 * A thread takes a recording that nobody has begun and does its rows; when there is none it helps
 * another. So no more recordings are in memory than there are threads. In which order rows come
 * depends on the threads; what is in them does not.
 *
 * Thread rule: the functions here belong to one thread. The table belongs to the work until end.
 */
#ifndef VOX_LAB_SWEEP_WORK_H
#define VOX_LAB_SWEEP_WORK_H

#include "lab/sweep_table.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_SWEEP_MAX_JOBS = 1024 };

struct vox_sweep_work;

struct vox_sweep_work_config {
    const struct vox_sweep_plan *plan;
    struct vox_sweep_table *table;
    int jobs;              /* threads: 1..VOX_SWEEP_MAX_JOBS */
    int64_t shard, shards; /* rows with number % shards == shard */
};

struct vox_sweep_progress {
    int64_t rows;     /* done since start */
    int64_t sound_ns; /* of audio in them */
    int64_t encoded;  /* recordings, since start */
};

/* Errors: VOX_EINVAL, VOX_ENOMEM, VOX_ELIMIT (no more threads are to be had). */
int vox_sweep_work_start(const struct vox_sweep_work_config *config, struct vox_sweep_work **out);
/* Waits up to that long; false: nothing is left to do. */
bool vox_sweep_work_wait(struct vox_sweep_work *work, int64_t timeout_ns,
                         struct vox_sweep_progress *progress);
/* The rows that have begun are the last. */
void vox_sweep_work_stop(struct vox_sweep_work *work);
/* Waits for the threads and frees all. Returns the first error of any row, with a sentence. */
int vox_sweep_work_end(struct vox_sweep_work *work, char why[VOX_SWEEP_WHY_BYTES]);

#endif
