#include "receiver/glitches.h"

#include "base/time.h"

#include <string.h>

#define SETTLE_NS (2 * VOX_NS_PER_S)

void vox_glitches_init(struct vox_glitches *log)
{
    memset(log, 0, sizeof *log);
}

void vox_glitches_add(struct vox_glitches *log, const struct vox_emit *emit,
                      enum vox_glitch_cause cause, int64_t t_ns, int64_t duration_ns,
                      int64_t late_ns)
{
    log->causes[cause].count++;
    log->causes[cause].ns += duration_ns;
    vox_emit_event(emit, (struct vox_event){.kind = VOX_EVENT_GLITCH,
                                            .t_ns = t_ns,
                                            .cause = cause,
                                            .duration_ns = duration_ns,
                                            .late_ns = late_ns});
}

static void settle_oldest(struct vox_glitches *log, const struct vox_emit *emit)
{
    const struct vox_open_glitch *g = &log->open[0];
    vox_glitches_add(log, emit, g->late_ns > 0 ? VOX_GLITCH_LATE : VOX_GLITCH_LOST, g->start_ns,
                     g->duration_ns, g->late_ns);
    log->open_count--;
    memmove(&log->open[0], &log->open[1], (size_t)log->open_count * sizeof log->open[0]);
}

void vox_glitches_open(struct vox_glitches *log, const struct vox_emit *emit,
                       const struct vox_open_glitch *glitch)
{
    if (log->open_count == VOX_GLITCHES_OPEN)
        settle_oldest(log, emit);
    log->open[log->open_count++] = *glitch;
}

void vox_glitches_late_packet(struct vox_glitches *log, int64_t index, int64_t arrival_ns)
{
    for (int i = 0; i < log->open_count; i++) {
        struct vox_open_glitch *g = &log->open[i];
        int64_t place = index - g->first_index;
        if (place < 0 || place >= g->count)
            continue;
        int64_t late_ns = arrival_ns - (g->start_ns + place * g->packet_ns);
        if (late_ns > g->late_ns)
            g->late_ns = late_ns;
        return;
    }
}

void vox_glitches_settle(struct vox_glitches *log, const struct vox_emit *emit, int64_t now_ns)
{
    while (log->open_count > 0 && now_ns - SETTLE_NS > log->open[0].start_ns)
        settle_oldest(log, emit);
}
