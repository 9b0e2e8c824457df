#include "wire/rtx.h"

#include "base/bytes.h"
#include "base/err.h"

enum { MAX_PAYLOAD_TYPE = 127 };

int vox_rtx_write(const struct vox_rtp *original, uint8_t payload_type, uint32_t ssrc, uint16_t seq,
                  void *out, size_t capacity)
{
    struct vox_rtp rtx = *original;
    rtx.payload_type = payload_type;
    rtx.ssrc = ssrc;
    rtx.seq = seq;
    rtx.payload_bytes = 0; /* follows in two parts */
    int header_bytes = vox_rtp_write(&rtx, out, capacity);
    if (header_bytes < 0)
        return header_bytes;
    struct vox_writer w = vox_writer_of(out, capacity);
    w.size = (size_t)header_bytes;
    vox_write_u16(&w, original->seq);
    vox_write_bytes(&w, original->payload, original->payload_bytes);
    return w.failed ? VOX_ENOSPC : (int)w.size;
}

int vox_rtx_parse(const struct vox_rtp *rtx, uint8_t original_payload_type, uint32_t original_ssrc,
                  struct vox_rtp *out)
{
    if (original_payload_type > MAX_PAYLOAD_TYPE)
        return VOX_EINVAL;
    struct vox_reader r = vox_reader_of(rtx->payload, rtx->payload_bytes);
    uint16_t seq = vox_read_u16(&r);
    if (r.failed)
        return VOX_ETRUNCATED;
    struct vox_rtp original = *rtx;
    original.payload_type = original_payload_type;
    original.ssrc = original_ssrc;
    original.seq = seq;
    original.payload = r.at;
    original.payload_bytes = r.left;
    *out = original;
    return 0;
}
