#include "wire/nack.h"

#include "base/err.h"
#include "base/seq.h"

int vox_nack_parse(const struct vox_rtcp *packet, struct vox_nack *out)
{
    if (packet->type != VOX_RTCP_RTPFB || packet->count != VOX_NACK_FORMAT)
        return VOX_EUNSUPPORTED;
    struct vox_reader r = vox_reader_of(packet->body, packet->body_bytes);
    struct vox_nack nack = {.ssrc = vox_read_u32(&r), .media_ssrc = vox_read_u32(&r)};
    if (r.failed || r.left == 0 || r.left % VOX_NACK_ITEM_BYTES != 0)
        return VOX_EFORMAT;
    size_t items = r.left / VOX_NACK_ITEM_BYTES;
    nack.item_count = items < VOX_NACK_MAX_ITEMS ? items : VOX_NACK_MAX_ITEMS;
    nack.items_skipped = items - nack.item_count;
    nack.items = vox_reader_of(r.at, nack.item_count * VOX_NACK_ITEM_BYTES);
    *out = nack;
    return 0;
}

/* The numbers that follow one are the bits of `more`, the nearest lowest (BLP). */
bool vox_nack_next(struct vox_nack *nack, uint16_t *seq)
{
    if (!nack->has_seq || nack->more == 0) {
        nack->seq = vox_read_u16(&nack->items);
        nack->more = vox_read_u16(&nack->items);
        nack->has_seq = !nack->items.failed;
    } else {
        do {
            nack->seq++;
            nack->has_seq = (nack->more & 1) != 0;
            nack->more >>= 1;
        } while (!nack->has_seq);
    }
    *seq = nack->seq;
    return nack->has_seq;
}

/* Takes all that the item of the first number reaches. Returns how many those are, the first too.
 */
static size_t fill_item(const uint16_t *seqs, size_t count, uint16_t *following)
{
    *following = 0;
    size_t taken = 1;
    for (; taken < count; taken++) {
        int32_t distance = vox_seq16_diff(seqs[taken], seqs[0]);
        if (distance < 0 || distance >= VOX_NACK_ITEM_SPAN)
            break;
        if (distance > 0)
            *following = (uint16_t)(*following | 1U << (distance - 1));
    }
    return taken;
}

/*
 * Each item begins at the first number that the one before does not reach. No other choice reaches
 * further, so no other needs fewer.
 */
static size_t write_items(struct vox_writer *w, const uint16_t *seqs, size_t count)
{
    size_t taken = 0;
    for (int items = 0; taken < count && items < VOX_NACK_MAX_ITEMS; items++) {
        uint16_t following;
        size_t reached = fill_item(seqs + taken, count - taken, &following);
        vox_write_u16(w, seqs[taken]);
        vox_write_u16(w, following);
        taken += reached;
    }
    return taken;
}

size_t vox_nack_write(struct vox_writer *w, uint32_t ssrc, uint32_t media_ssrc,
                      const uint16_t *seqs, size_t count)
{
    if (count == 0)
        return 0;
    size_t packet = vox_rtcp_open(w, VOX_RTCP_RTPFB, VOX_NACK_FORMAT);
    vox_write_u32(w, ssrc);
    vox_write_u32(w, media_ssrc);
    size_t taken = write_items(w, seqs, count);
    vox_rtcp_close(w, packet);
    return taken;
}
