#include "net/backlog.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 2 /* the length, as it lies in memory */ };

int vox_backlog_init(struct vox_backlog *backlog, size_t capacity_bytes)
{
    *backlog = (struct vox_backlog){.ring = malloc(capacity_bytes), .capacity = capacity_bytes};
    return backlog->ring || capacity_bytes == 0 ? 0 : VOX_ENOMEM;
}

void vox_backlog_free(struct vox_backlog *backlog)
{
    free(backlog->ring);
    *backlog = (struct vox_backlog){0};
}

static void copy_in(struct vox_backlog *backlog, const void *bytes, size_t len)
{
    size_t end = (backlog->begin + backlog->bytes) % backlog->capacity;
    size_t to_the_edge = backlog->capacity - end;
    size_t first = len < to_the_edge ? len : to_the_edge;
    memcpy(backlog->ring + end, bytes, first);
    if (len > first)
        memcpy(backlog->ring, (const uint8_t *)bytes + first, len - first);
    backlog->bytes += len;
}

static void copy_out(const struct vox_backlog *backlog, size_t from, void *out, size_t len)
{
    size_t at = (backlog->begin + from) % backlog->capacity;
    size_t to_the_edge = backlog->capacity - at;
    size_t first = len < to_the_edge ? len : to_the_edge;
    memcpy(out, backlog->ring + at, first);
    if (len > first)
        memcpy((uint8_t *)out + first, backlog->ring, len - first);
}

static size_t oldest_len(const struct vox_backlog *backlog)
{
    uint16_t len;
    copy_out(backlog, 0, &len, HEADER_BYTES);
    return len;
}

size_t vox_backlog_push(struct vox_backlog *backlog, const void *bytes, size_t len)
{
    const uint16_t header = (uint16_t)len;
    size_t dropped = 0;
    if (HEADER_BYTES + len > backlog->capacity || len > VOX_BACKLOG_LONGEST_BYTES)
        return 1;
    for (; HEADER_BYTES + len > backlog->capacity - backlog->bytes; dropped++)
        vox_backlog_pop(backlog);
    copy_in(backlog, &header, HEADER_BYTES);
    if (len > 0)
        copy_in(backlog, bytes, len);
    return dropped;
}

int vox_backlog_peek(const struct vox_backlog *backlog, uint8_t *out)
{
    if (backlog->bytes == 0)
        return -1;
    size_t len = oldest_len(backlog);
    copy_out(backlog, HEADER_BYTES, out, len);
    return (int)len;
}

void vox_backlog_pop(struct vox_backlog *backlog)
{
    size_t len = HEADER_BYTES + oldest_len(backlog);
    backlog->bytes -= len;
    /* Begins anew, so that one that is never long touches no more memory than it needs. */
    backlog->begin = backlog->bytes == 0 ? 0 : (backlog->begin + len) % backlog->capacity;
}

size_t vox_backlog_clear(struct vox_backlog *backlog)
{
    size_t dropped = 0;
    for (; backlog->bytes > 0; dropped++)
        vox_backlog_pop(backlog);
    return dropped;
}
