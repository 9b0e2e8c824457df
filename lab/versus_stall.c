#include "lab/versus_stall.h"

#include "base/time.h"

#include <math.h>

bool vox_versus_has_come(const struct vox_playable_frame *frame)
{
    return frame->way != VOX_PLAYABLE_LOST;
}

double vox_versus_delay_ms(const struct vox_playable_frame *frame)
{
    return vox_ns_to_ms(frame->delay_ns);
}

double vox_versus_least_ms(const struct vox_playable *p)
{
    double least = HUGE_VAL;
    for (size_t i = 0; i < p->count; i++)
        if (vox_versus_has_come(&p->frames[i]))
            least = fmin(least, vox_versus_delay_ms(&p->frames[i]));
    return least;
}

size_t vox_versus_slowest(const struct vox_playable *p)
{
    size_t at = 0;
    for (size_t i = 0; i < p->count; i++)
        if (vox_versus_has_come(&p->frames[i]) && (!vox_versus_has_come(&p->frames[at]) ||
                                                   p->frames[i].delay_ns > p->frames[at].delay_ns))
            at = i;
    return at;
}

/* How many behind it would have been there before it came. */
static size_t count_waiting(const struct vox_playable *p, size_t frame, double least)
{
    double wait_ms = vox_versus_delay_ms(&p->frames[frame]) - least;
    size_t behind = (size_t)(wait_ms / vox_ns_to_ms(p->frame_ns));
    return behind < p->count - 1 - frame ? behind : p->count - 1 - frame;
}

void vox_versus_find_stall(const struct vox_versus_result *result, struct vox_versus_stall *out)
{
    static const enum vox_versus_link tcp[] = {VOX_VERSUS_LINK_CUBIC, VOX_VERSUS_LINK_BBR};
    *out = (struct vox_versus_stall){.link = VOX_VERSUS_LINKS};
    for (size_t i = 0; i < 2 && out->link == VOX_VERSUS_LINKS; i++) {
        const struct vox_playable *p = &result->first[tcp[i]].playable;
        if (p->count == 0 || result->first[tcp[i]].lost_there == 0)
            continue;
        size_t frame = vox_versus_slowest(p);
        double wait_ms = vox_versus_delay_ms(&p->frames[frame]) - vox_versus_least_ms(p);
        size_t waited = count_waiting(p, frame, vox_versus_least_ms(p));
        if (waited > 0 && wait_ms > 2 * vox_ns_to_ms(result->options->network.jitter_ns))
            *out = (struct vox_versus_stall){
                .link = tcp[i], .frame = frame, .waited = waited, .wait_ms = wait_ms};
    }
}
