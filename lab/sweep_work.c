#include "lab/sweep_work.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/sweep_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a power failure may cost. */
#define SYNC_EVERY_NS (2 * VOX_NS_PER_S)

enum { THREAD_STACK_BYTES = 1 << 20 };

/* A recording in memory. */
struct desk {
    bool used;
    bool ready; /* encoded */
    size_t sound;
    int64_t next, end; /* rows to hand out */
    int users;
    struct vox_sweep_sound recording;
};

struct vox_sweep_work {
    struct vox_sweep_work_config config;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct desk *desks; /* as many as threads */
    size_t next_sound;
    bool stop;
    int running;
    int err;
    char why[VOX_SWEEP_WHY_BYTES];
    struct vox_sweep_progress progress;
    int64_t next_sync_ns;
    pthread_t *threads;
    int started;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * VOX_NS_PER_S + t.tv_nsec;
}

/* ---- what is to be done; all with the lock held ---- */

static bool is_wanted(const struct vox_sweep_work *work, int64_t row)
{
    return row % work->config.shards == work->config.shard &&
           !vox_sweep_table_has(work->config.table, row);
}

/* The next wanted row in next..end; end if there is none. */
static int64_t find_row(const struct vox_sweep_work *work, int64_t next, int64_t end)
{
    while (next < end && !is_wanted(work, next))
        next++;
    return next;
}

static bool take_row(struct vox_sweep_work *work, struct desk *desk, int64_t *row)
{
    desk->next = find_row(work, desk->next, desk->end);
    if (desk->next >= desk->end)
        return false;
    *row = desk->next++;
    return true;
}

static struct desk *free_desk(struct vox_sweep_work *work)
{
    for (int i = 0; i < work->config.jobs; i++)
        if (!work->desks[i].used)
            return &work->desks[i];
    return NULL;
}

/* A recording that nobody has begun and of which a row is wanted. */
static struct desk *begin_sound(struct vox_sweep_work *work)
{
    const struct vox_sweep_plan *plan = work->config.plan;
    struct desk *desk = free_desk(work);
    while (desk && work->next_sound < plan->sound_count) {
        size_t sound = work->next_sound++;
        int64_t first = (int64_t)sound * plan->rows_per_sound;
        int64_t end = first + plan->rows_per_sound;
        int64_t next = find_row(work, first, end);
        if (next == end)
            continue;
        *desk = (struct desk){.used = true, .sound = sound, .next = next, .end = end, .users = 1};
        return desk;
    }
    return NULL;
}

/* The recording with most to do. */
static struct desk *join_sound(struct vox_sweep_work *work)
{
    struct desk *best = NULL;
    for (int i = 0; i < work->config.jobs; i++) {
        struct desk *desk = &work->desks[i];
        if (!desk->used || !desk->ready)
            continue;
        desk->next = find_row(work, desk->next, desk->end);
        if (desk->next < desk->end && (!best || desk->end - desk->next > best->end - best->next))
            best = desk;
    }
    if (best)
        best->users++;
    return best;
}

static bool is_encoding(const struct vox_sweep_work *work)
{
    for (int i = 0; i < work->config.jobs; i++)
        if (work->desks[i].used && !work->desks[i].ready)
            return true;
    return false;
}

static void leave_desk(struct desk *desk)
{
    if (--desk->users > 0)
        return;
    vox_sweep_sound_clear(&desk->recording);
    desk->used = false;
}

/* ---- doing it; the lock is given away meanwhile ---- */

static void fail(struct vox_sweep_work *work, int err, const char *why)
{
    if (work->err >= 0) {
        work->err = err;
        snprintf(work->why, sizeof work->why, "%s", why);
    }
    work->stop = true;
}

static void encode(struct vox_sweep_work *work, struct desk *desk)
{
    char why[VOX_SWEEP_WHY_BYTES];
    struct vox_sweep_sound recording = {0};
    pthread_mutex_unlock(&work->lock);
    int err = vox_sweep_plan_record(work->config.plan, desk->sound, &recording, why);
    pthread_mutex_lock(&work->lock);
    if (err < 0)
        fail(work, err, why);
    desk->recording = recording;
    desk->ready = true;
    work->progress.encoded++;
    pthread_cond_broadcast(&work->changed);
}

static void keep(struct vox_sweep_work *work, int64_t row, const struct desk *desk,
                 const char *line, size_t len)
{
    char why[VOX_SWEEP_WHY_BYTES];
    int64_t t_ns = now_ns();
    int err = vox_sweep_table_append(work->config.table, row, line, len);
    if (err >= 0 && t_ns >= work->next_sync_ns) {
        err = vox_sweep_table_sync(work->config.table);
        work->next_sync_ns = t_ns + SYNC_EVERY_NS;
    }
    if (err < 0) {
        snprintf(why, sizeof why,
                 "row %lld cannot be written: %s; when that is mended, the same command goes on",
                 (long long)row, vox_err_text(err));
        fail(work, err, why);
        return;
    }
    work->progress.rows++;
    work->progress.sound_ns += desk->recording.duration_ns;
}

static void do_row(struct vox_sweep_work *work, const struct desk *desk, int64_t row)
{
    char line[VOX_SWEEP_LINE_BYTES];
    char why[VOX_SWEEP_WHY_BYTES];
    struct vox_sweep_cell_config config = {.sound = &desk->recording};
    struct vox_sweep_cell cell;
    size_t len = 0;
    pthread_mutex_unlock(&work->lock);
    vox_sweep_plan_cell(work->config.plan, row, &config);
    int err = vox_sweep_cell_run(&config, &cell);
    if (err >= 0)
        len = vox_sweep_line_write(work->config.plan, row, &desk->recording, &cell, line);
    else
        snprintf(why, sizeof why, "row %lld failed: %s", (long long)row, vox_err_text(err));
    pthread_mutex_lock(&work->lock);
    if (err < 0)
        fail(work, err, why);
    else
        keep(work, row, desk, line, len);
}

/* The desk to work at next; NULL: nothing is left for this thread. */
static struct desk *find_desk(struct vox_sweep_work *work)
{
    while (!work->stop) {
        struct desk *desk = begin_sound(work);
        if (desk) {
            encode(work, desk);
            return desk;
        }
        desk = join_sound(work);
        if (desk || !is_encoding(work))
            return desk;
        pthread_cond_wait(&work->changed, &work->lock);
    }
    return NULL;
}

static void *run(void *ctx)
{
    struct vox_sweep_work *work = ctx;
    struct desk *desk;
    int64_t row;
    pthread_mutex_lock(&work->lock);
    while ((desk = find_desk(work)) != NULL) {
        while (!work->stop && take_row(work, desk, &row))
            do_row(work, desk, row);
        leave_desk(desk);
    }
    work->running--;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* ---- from outside ---- */

static bool make_locks(struct vox_sweep_work *work)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool made = pthread_mutex_init(&work->lock, NULL) == 0 &&
                pthread_cond_init(&work->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

/* With fewer threads than asked for, things still get done. */
static int start_threads(struct vox_sweep_work *work)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    pthread_mutex_lock(&work->lock);
    while (work->started < work->config.jobs &&
           pthread_create(&work->threads[work->started], &attributes, run, work) == 0) {
        work->started++;
        work->running++;
    }
    pthread_mutex_unlock(&work->lock);
    pthread_attr_destroy(&attributes);
    return work->started > 0 ? 0 : VOX_ELIMIT;
}

static void destroy(struct vox_sweep_work *work)
{
    free(work->desks);
    free(work->threads);
    free(work);
}

int vox_sweep_work_start(const struct vox_sweep_work_config *config, struct vox_sweep_work **out)
{
    if (config->jobs < 1 || config->jobs > VOX_SWEEP_MAX_JOBS || config->shards < 1 ||
        config->shard < 0 || config->shard >= config->shards)
        return VOX_EINVAL;
    struct vox_sweep_work *work = calloc(1, sizeof *work);
    if (!work)
        return VOX_ENOMEM;
    work->config = *config;
    work->desks = calloc((size_t)config->jobs, sizeof *work->desks);
    work->threads = calloc((size_t)config->jobs, sizeof *work->threads);
    int err = work->desks && work->threads && make_locks(work) ? start_threads(work) : VOX_ENOMEM;
    if (err < 0)
        destroy(work);
    else
        *out = work;
    return err;
}

bool vox_sweep_work_wait(struct vox_sweep_work *work, int64_t timeout_ns,
                         struct vox_sweep_progress *progress)
{
    int64_t until_ns = now_ns() + timeout_ns;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / VOX_NS_PER_S),
                                   .tv_nsec = (long)(until_ns % VOX_NS_PER_S)};
    pthread_mutex_lock(&work->lock);
    int expired = 0;
    while (work->running > 0 && expired == 0)
        expired = pthread_cond_timedwait(&work->changed, &work->lock, &until);
    bool goes_on = work->running > 0;
    *progress = work->progress;
    pthread_mutex_unlock(&work->lock);
    return goes_on;
}

void vox_sweep_work_stop(struct vox_sweep_work *work)
{
    pthread_mutex_lock(&work->lock);
    work->stop = true;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->lock);
}

int vox_sweep_work_end(struct vox_sweep_work *work, char why[VOX_SWEEP_WHY_BYTES])
{
    for (int i = 0; i < work->started; i++)
        pthread_join(work->threads[i], NULL);
    int err = work->err;
    if (err < 0)
        snprintf(why, VOX_SWEEP_WHY_BYTES, "%s", work->why);
    pthread_mutex_destroy(&work->lock);
    pthread_cond_destroy(&work->changed);
    destroy(work);
    return err;
}
