#include "wire/rtp.h"

#include "base/bytes.h"
#include "base/err.h"

enum {
    VERSION = 2,
    PADDING_BIT = 0x20,
    EXTENSION_BIT = 0x10,
    CSRC_COUNT_MASK = 0x0f,
    MARKER_BIT = 0x80,
    EXTENSION_UNIT_BYTES = 4,
};

static void read_extension(struct vox_reader *r, struct vox_rtp *rtp)
{
    rtp->has_extension = true;
    rtp->extension_profile = vox_read_u16(r);
    rtp->extension_bytes = (size_t)vox_read_u16(r) * EXTENSION_UNIT_BYTES;
    rtp->extension = vox_read_bytes(r, rtp->extension_bytes);
}

static void read_header(struct vox_reader *r, struct vox_rtp *rtp)
{
    uint8_t first = vox_read_u8(r);
    uint8_t second = vox_read_u8(r);
    rtp->marker = (second & MARKER_BIT) != 0;
    rtp->payload_type = (uint8_t)(second & ~MARKER_BIT);
    rtp->seq = vox_read_u16(r);
    rtp->timestamp = vox_read_u32(r);
    rtp->ssrc = vox_read_u32(r);
    rtp->csrc_count = first & CSRC_COUNT_MASK;
    for (uint8_t i = 0; i < rtp->csrc_count; i++)
        rtp->csrc[i] = vox_read_u32(r);
    if (first & EXTENSION_BIT)
        read_extension(r, rtp);
}

int vox_rtp_parse(const void *datagram, size_t len, struct vox_rtp *out)
{
    const uint8_t *bytes = datagram;
    if (len == 0)
        return VOX_ETRUNCATED;
    if (bytes[0] >> 6 != VERSION)
        return VOX_EFORMAT;
    struct vox_reader r = vox_reader_of(bytes, len);
    struct vox_rtp rtp = {0};
    read_header(&r, &rtp);
    if (r.failed)
        return VOX_ETRUNCATED;
    if (bytes[0] & PADDING_BIT) {
        /* The last byte counts the padding, itself included (RFC 3550, section 5.1). */
        rtp.padding_bytes = bytes[len - 1];
        if (rtp.padding_bytes == 0 || rtp.padding_bytes > r.left)
            return VOX_EFORMAT;
    }
    rtp.payload = r.at;
    rtp.payload_bytes = r.left - rtp.padding_bytes;
    *out = rtp;
    return 0;
}

static bool is_writable(const struct vox_rtp *rtp)
{
    if (rtp->payload_type >= MARKER_BIT || rtp->csrc_count > VOX_RTP_MAX_CSRC)
        return false;
    return !rtp->has_extension || (rtp->extension_bytes % EXTENSION_UNIT_BYTES == 0 &&
                                   rtp->extension_bytes / EXTENSION_UNIT_BYTES <= UINT16_MAX);
}

int vox_rtp_write(const struct vox_rtp *rtp, void *out, size_t capacity)
{
    if (!is_writable(rtp))
        return VOX_EINVAL;
    struct vox_writer w = vox_writer_of(out, capacity);
    int first = VERSION << 6 | (rtp->has_extension ? EXTENSION_BIT : 0) | rtp->csrc_count;
    vox_write_u8(&w, (uint8_t)first);
    vox_write_u8(&w, (uint8_t)((rtp->marker ? MARKER_BIT : 0) | rtp->payload_type));
    vox_write_u16(&w, rtp->seq);
    vox_write_u32(&w, rtp->timestamp);
    vox_write_u32(&w, rtp->ssrc);
    for (uint8_t i = 0; i < rtp->csrc_count; i++)
        vox_write_u32(&w, rtp->csrc[i]);
    if (rtp->has_extension) {
        vox_write_u16(&w, rtp->extension_profile);
        vox_write_u16(&w, (uint16_t)(rtp->extension_bytes / EXTENSION_UNIT_BYTES));
        vox_write_bytes(&w, rtp->extension, rtp->extension_bytes);
    }
    vox_write_bytes(&w, rtp->payload, rtp->payload_bytes);
    return w.failed ? VOX_ENOSPC : (int)w.size;
}

bool vox_rtp_is_rtcp(const void *datagram, size_t len)
{
    const uint8_t *bytes = datagram;
    return len >= 2 && bytes[1] >= 192 && bytes[1] <= 223;
}
