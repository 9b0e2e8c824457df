#include "wire/framing.h"

#include "base/err.h"

#include <string.h>

void vox_framing_init(struct vox_framing *framing, void *buffer, size_t capacity, size_t keep_bytes)
{
    *framing =
        (struct vox_framing){.bytes = buffer, .capacity = capacity, .keep_bytes = keep_bytes};
}

uint8_t *vox_framing_room(struct vox_framing *framing, size_t *room_bytes)
{
    size_t left = framing->end - framing->begin;
    if (left > 0 && framing->begin > 0)
        memmove(framing->bytes, framing->bytes + framing->begin, left);
    framing->begin = 0;
    framing->end = left;
    *room_bytes = framing->capacity - left;
    return framing->bytes + left;
}

void vox_framing_filled(struct vox_framing *framing, size_t len)
{
    framing->end += len;
}

static void skip(struct vox_framing *framing)
{
    size_t there = framing->end - framing->begin;
    size_t skipped = there < framing->skip_bytes ? there : framing->skip_bytes;
    framing->begin += skipped;
    framing->skip_bytes -= skipped;
}

bool vox_framing_next(struct vox_framing *framing, struct vox_framing_packet *out)
{
    for (;;) {
        skip(framing);
        const uint8_t *at = framing->bytes + framing->begin;
        size_t there = framing->end - framing->begin;
        if (there < VOX_FRAMING_HEADER_BYTES)
            return false;
        size_t len = (size_t)at[0] << 8 | at[1];
        size_t kept = len < framing->keep_bytes ? len : framing->keep_bytes;
        if (there - VOX_FRAMING_HEADER_BYTES < kept)
            return false;
        framing->begin += VOX_FRAMING_HEADER_BYTES + kept;
        framing->skip_bytes = len - kept;
        if (len == 0)
            continue;
        *out = (struct vox_framing_packet){
            .bytes = at + VOX_FRAMING_HEADER_BYTES, .len = kept, .truncated = kept < len};
        return true;
    }
}

int vox_framing_write_header(size_t len, uint8_t out[VOX_FRAMING_HEADER_BYTES])
{
    if (len > VOX_FRAMING_MAX_BYTES)
        return VOX_ELIMIT;
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
    return 0;
}
