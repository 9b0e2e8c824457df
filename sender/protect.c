#include "sender/protect.h"

#include <string.h>

void vox_protect_init(struct vox_protect *p, const struct vox_protect_config *config)
{
    p->config = *config;
    p->count = 0;
    p->carried = p->too_long = p->absent = 0;
    memset(p->distances, 0, sizeof p->distances);
}

bool vox_protect_can(const int distances[VOX_RED_MAX_COPIES], int frame_ticks)
{
    int before = 0;
    bool ended = false;
    for (int i = 0; i < VOX_RED_MAX_COPIES; i++) {
        ended |= distances[i] == 0;
        if (ended ? distances[i] != 0 : distances[i] <= before)
            return false;
        before = ended ? before : distances[i];
    }
    return before <= VOX_PROTECT_MAX_DISTANCE && before * frame_ticks <= VOX_RED_MAX_OFFSET_RTP_TS;
}

void vox_protect_set(struct vox_protect *p, const int distances[VOX_RED_MAX_COPIES])
{
    memcpy(p->distances, distances, sizeof p->distances);
}

/* The copy of the packet sent `back` packets before the one at `position`; false: there is none. */
static bool find_copy(const struct vox_protect *p, int back, int64_t position,
                      struct vox_red_copy *copy)
{
    int64_t offset = (int64_t)back * p->config.frame_ticks;
    size_t at = (size_t)((p->count - (uint64_t)back) % VOX_PROTECT_MAX_DISTANCE);
    /* Numbers and times must agree: between the two nothing was left out. */
    if ((uint64_t)back > p->count || p->history[at].position_ticks != position - offset)
        return false;
    *copy = (struct vox_red_copy){.block = {.payload_type = p->config.payload_type,
                                            .data = p->history[at].payload,
                                            .data_bytes = p->history[at].bytes},
                                  .offset_rtp_ts = (uint16_t)offset};
    return true;
}

int vox_protect_wrap(struct vox_protect *p, const struct vox_protect_frame *frame, uint8_t *out,
                     size_t capacity)
{
    struct vox_red red = {.primary = {.payload_type = p->config.payload_type,
                                      .data = frame->payload,
                                      .data_bytes = frame->payload_bytes}};
    size_t bytes = VOX_RED_PRIMARY_HEADER_BYTES + frame->payload_bytes;
    struct vox_red_copy nearest_first[VOX_RED_MAX_COPIES];
    int count = 0;
    for (int i = 0; i < VOX_RED_MAX_COPIES && p->distances[i] > 0; i++) {
        struct vox_red_copy copy;
        if (!find_copy(p, p->distances[i], frame->position_ticks, &copy)) {
            p->absent++;
            continue;
        }
        size_t more = VOX_RED_COPY_HEADER_BYTES + copy.block.data_bytes;
        if (copy.block.data_bytes == 0 || bytes + more > capacity) {
            p->too_long++;
            continue;
        }
        p->carried++;
        bytes += more;
        nearest_first[count++] = copy;
    }
    if (count == 0)
        return 0;
    red.copy_count = (uint8_t)count;
    for (int i = 0; i < count; i++)
        red.copies[i] = nearest_first[count - 1 - i];
    int written = vox_red_write(&red, out, capacity);
    return written > 0 ? written : 0;
}

void vox_protect_keep(struct vox_protect *p, const struct vox_protect_frame *frame)
{
    size_t at = (size_t)(p->count % VOX_PROTECT_MAX_DISTANCE);
    bool fits = frame->payload_bytes <= VOX_RED_MAX_COPY_BYTES;
    p->history[at].position_ticks = frame->position_ticks;
    p->history[at].bytes = fits ? frame->payload_bytes : 0;
    if (fits)
        memcpy(p->history[at].payload, frame->payload, frame->payload_bytes);
    p->count++;
}
