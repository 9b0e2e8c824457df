#include "wire/red.h"

#include "base/bytes.h"
#include "base/err.h"

#include <stdbool.h>

enum {
    MORE_BIT = 0x80, /* F of RFC 2198, section 3: another header follows */
    LENGTH_BITS = 10,
    MAX_PAYLOAD_TYPE = 127,
};

/* Makes room behind the newest copies. Skipped ones are the first, so only their bytes matter. */
static void skip_first(struct vox_red *red, size_t *skipped_bytes)
{
    *skipped_bytes += red->copies[0].block.data_bytes;
    red->copies_skipped++;
    red->copy_count--;
    memmove(red->copies, red->copies + 1, red->copy_count * sizeof red->copies[0]);
}

/* All headers, the primary's too. */
static int read_headers(struct vox_reader *r, struct vox_red *red, size_t *skipped_bytes)
{
    uint8_t first;
    while ((first = vox_read_u8(r)) & MORE_BIT) {
        if (red->copies_skipped + red->copy_count == VOX_RED_MAX_READ_COPIES)
            return VOX_ELIMIT;
        uint32_t rest = (uint32_t)vox_read_uint(r, 3);
        if (red->copy_count == VOX_RED_MAX_COPIES)
            skip_first(red, skipped_bytes);
        red->copies[red->copy_count++] = (struct vox_red_copy){
            .block.payload_type = (uint8_t)(first & ~MORE_BIT),
            .block.data_bytes = rest & VOX_RED_MAX_COPY_BYTES,
            .offset_rtp_ts = (uint16_t)(rest >> LENGTH_BITS),
        };
    }
    red->primary.payload_type = first;
    return 0;
}

int vox_red_parse(const void *payload, size_t len, struct vox_red *out)
{
    struct vox_reader r = vox_reader_of(payload, len);
    struct vox_red red = {0};
    size_t skipped_bytes = 0;
    int err = read_headers(&r, &red, &skipped_bytes);
    if (err < 0)
        return err;
    vox_read_bytes(&r, skipped_bytes);
    for (uint8_t i = 0; i < red.copy_count; i++)
        red.copies[i].block.data = vox_read_bytes(&r, red.copies[i].block.data_bytes);
    if (r.failed)
        return VOX_ETRUNCATED;
    red.primary.data = r.at;
    red.primary.data_bytes = r.left;
    *out = red;
    return 0;
}

static bool is_writable(const struct vox_red *red)
{
    if (red->copy_count > VOX_RED_MAX_COPIES || red->primary.payload_type > MAX_PAYLOAD_TYPE)
        return false;
    for (uint8_t i = 0; i < red->copy_count; i++) {
        const struct vox_red_copy *copy = &red->copies[i];
        if (copy->block.payload_type > MAX_PAYLOAD_TYPE ||
            copy->block.data_bytes > VOX_RED_MAX_COPY_BYTES ||
            copy->offset_rtp_ts > VOX_RED_MAX_OFFSET_RTP_TS)
            return false;
    }
    return true;
}

static void write_copy_header(struct vox_writer *w, const struct vox_red_copy *copy)
{
    vox_write_u8(w, (uint8_t)(MORE_BIT | copy->block.payload_type));
    vox_write_uint(w, (uint32_t)copy->offset_rtp_ts << LENGTH_BITS | copy->block.data_bytes, 3);
}

int vox_red_write(const struct vox_red *red, void *out, size_t capacity)
{
    if (!is_writable(red))
        return VOX_EINVAL;
    struct vox_writer w = vox_writer_of(out, capacity);
    for (uint8_t i = 0; i < red->copy_count; i++)
        write_copy_header(&w, &red->copies[i]);
    vox_write_u8(&w, red->primary.payload_type);
    for (uint8_t i = 0; i < red->copy_count; i++)
        vox_write_bytes(&w, red->copies[i].block.data, red->copies[i].block.data_bytes);
    vox_write_bytes(&w, red->primary.data, red->primary.data_bytes);
    return w.failed ? VOX_ENOSPC : (int)w.size;
}
