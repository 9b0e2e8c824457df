#include "wire/hdrext.h"

#include "base/err.h"

enum {
    PAD_ID = 0,
    STOP_ID = 15, /* one-byte form only */
    TWO_BYTE_MASK = 0xfff0,
    MAX_ONE_BYTE_LEN = 16,
    SHORT_CAPTURE_BYTES = 8,
    LONG_CAPTURE_BYTES = 16,
};

struct element {
    uint8_t id;
    size_t len;
    const uint8_t *data;
};

enum step { STEP_ELEMENT, STEP_PAD, STEP_STOP };

/*
 * RFC 8285, section 4.2: a zero byte is padding; id 0 with a length, and id 15, end the processing,
 * and what came before them stays valid.
 */
static enum step read_one_byte(struct vox_reader *r, struct element *e)
{
    uint8_t head = vox_read_u8(r);
    if (head == 0)
        return STEP_PAD;
    e->id = head >> 4;
    if (e->id == PAD_ID || e->id == STOP_ID)
        return STEP_STOP;
    e->len = (size_t)(head & 0x0f) + 1;
    e->data = vox_read_bytes(r, e->len);
    return STEP_ELEMENT;
}

/* Section 4.3: padding is an id of 0 without a length byte. */
static enum step read_two_byte(struct vox_reader *r, struct element *e)
{
    e->id = vox_read_u8(r);
    if (e->id == PAD_ID)
        return STEP_PAD;
    e->len = vox_read_u8(r);
    e->data = vox_read_bytes(r, e->len);
    return STEP_ELEMENT;
}

int vox_hdrext_find(const struct vox_rtp *rtp, uint8_t id, const uint8_t **data, size_t *len)
{
    bool one_byte = rtp->extension_profile == VOX_HDREXT_PROFILE_ONE_BYTE;
    bool two_byte = (rtp->extension_profile & TWO_BYTE_MASK) == VOX_HDREXT_PROFILE_TWO_BYTE;
    if (!rtp->has_extension || (!one_byte && !two_byte) || id == PAD_ID)
        return 0;
    struct vox_reader r = vox_reader_of(rtp->extension, rtp->extension_bytes);
    for (int elements = 0; r.left > 0 && elements < VOX_HDREXT_MAX_ELEMENTS;) {
        struct element e = {0};
        enum step step = one_byte ? read_one_byte(&r, &e) : read_two_byte(&r, &e);
        if (r.failed)
            return VOX_EFORMAT;
        if (step == STEP_STOP)
            return 0;
        if (step == STEP_PAD)
            continue;
        if (e.id == id) {
            *data = e.data;
            *len = e.len;
            return 1;
        }
        elements++;
    }
    return 0;
}

void vox_hdrext_write(struct vox_writer *w, uint8_t id, const void *data, size_t len)
{
    if (id == PAD_ID || id >= STOP_ID || len == 0 || len > MAX_ONE_BYTE_LEN) {
        w->failed = true;
        return;
    }
    vox_write_u8(w, (uint8_t)((unsigned)id << 4 | (unsigned)(len - 1)));
    vox_write_bytes(w, data, len);
}

int vox_hdrext_finish(struct vox_writer *w)
{
    while (!w->failed && w->size % 4 != 0)
        vox_write_u8(w, 0);
    return w->failed ? VOX_ENOSPC : (int)w->size;
}

/* Two's complement without a conversion that C leaves to the implementation. */
static int64_t signed_of(uint64_t value)
{
    return value <= INT64_MAX ? (int64_t)value : -(int64_t)~value - 1;
}

int vox_capture_time_parse(const uint8_t *data, size_t len, struct vox_capture_time *out)
{
    if (len != SHORT_CAPTURE_BYTES && len != LONG_CAPTURE_BYTES)
        return VOX_EFORMAT;
    struct vox_reader r = vox_reader_of(data, len);
    *out =
        (struct vox_capture_time){.ntp = vox_read_u64(&r), .has_offset = len == LONG_CAPTURE_BYTES};
    if (out->has_offset)
        out->offset_ntp = signed_of(vox_read_u64(&r));
    return 0;
}

void vox_hdrext_write_capture_time(struct vox_writer *w, uint8_t id,
                                   const struct vox_capture_time *capture)
{
    uint8_t data[LONG_CAPTURE_BYTES];
    struct vox_writer element = vox_writer_of(data, sizeof data);
    vox_write_u64(&element, capture->ntp);
    if (capture->has_offset)
        vox_write_u64(&element, (uint64_t)capture->offset_ntp);
    vox_hdrext_write(w, id, data, element.size);
}
