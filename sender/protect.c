#include "sender/protect.h"

#include <string.h>

void vox_protect_init(struct vox_protect *p, const struct vox_protect_config *config)
{
    p->config = *config;
    p->count = 0;
}

/* The copy of the packet sent `back` packets before the one at `position`, or of none. */
static struct vox_red_copy copy_of(const struct vox_protect *p, int back, int64_t position)
{
    struct vox_red_copy copy = {.block.payload_type = p->config.payload_type};
    int64_t offset = (int64_t)back * p->config.frame_ticks;
    size_t at = (size_t)((p->count - (uint64_t)back) % VOX_PROTECT_HISTORY);
    /* Numbers and times must agree: between the two nothing was left out. */
    if ((uint64_t)back > p->count || p->history[at].position_ticks != position - offset)
        return copy;
    copy.block.data = p->history[at].payload;
    copy.block.data_bytes = p->history[at].bytes;
    copy.offset_rtp_ts = (uint16_t)offset;
    return copy;
}

int vox_protect_wrap(const struct vox_protect *p, const struct vox_protect_frame *frame,
                     uint8_t *out, size_t capacity)
{
    struct vox_red red = {.primary = {.payload_type = p->config.payload_type,
                                      .data = frame->payload,
                                      .data_bytes = frame->payload_bytes}};
    size_t bytes = VOX_RED_PRIMARY_HEADER_BYTES + frame->payload_bytes;
    struct vox_red_copy nearest_first[VOX_RED_MAX_COPIES];
    int count = 0;
    for (int i = 1; i <= p->config.depth; i++) {
        struct vox_red_copy copy = copy_of(p, i * p->config.spacing, frame->position_ticks);
        size_t more = VOX_RED_COPY_HEADER_BYTES + copy.block.data_bytes;
        if (copy.block.data_bytes == 0 || bytes + more > capacity)
            continue;
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
    if (p->config.depth == 0)
        return;
    size_t at = (size_t)(p->count % VOX_PROTECT_HISTORY);
    bool fits = frame->payload_bytes <= VOX_RED_MAX_COPY_BYTES;
    p->history[at].position_ticks = frame->position_ticks;
    p->history[at].bytes = fits ? frame->payload_bytes : 0;
    if (fits)
        memcpy(p->history[at].payload, frame->payload, frame->payload_bytes);
    p->count++;
}
