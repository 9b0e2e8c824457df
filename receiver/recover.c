#include "receiver/recover.h"

enum { FIRST_DYNAMIC_TYPE = 96, SHORTEST_TICKS = 120 };

static bool is_opus(const struct vox_red_block *block)
{
    struct vox_opus_info info;
    return vox_opus_parse(block->data, block->data_bytes, &info) >= 0;
}

int vox_recover_payload_type(const struct vox_rtp *rtp)
{
    struct vox_red red;
    if (vox_red_parse(rtp->payload, rtp->payload_bytes, &red) < 0 || red.copy_count == 0 ||
        red.primary.payload_type < FIRST_DYNAMIC_TYPE ||
        red.primary.payload_type == rtp->payload_type || !is_opus(&red.primary))
        return -1;
    for (int i = 0; i < red.copy_count; i++) {
        const struct vox_red_copy *copy = &red.copies[i];
        if (copy->block.payload_type != red.primary.payload_type ||
            copy->offset_rtp_ts % SHORTEST_TICKS != 0 ||
            (copy->block.data_bytes > 0 && !is_opus(&copy->block)))
            return -1;
    }
    return red.primary.payload_type;
}

bool vox_recover_unwrap(struct vox_rtp *rtp, int payload_type, struct vox_red *red,
                        struct vox_opus_info *info)
{
    if (vox_red_parse(rtp->payload, rtp->payload_bytes, red) < 0 ||
        red->primary.payload_type != payload_type ||
        vox_opus_parse(red->primary.data, red->primary.data_bytes, info) < 0)
        return false;
    rtp->payload_type = red->primary.payload_type;
    rtp->payload = red->primary.data;
    rtp->payload_bytes = red->primary.data_bytes;
    return true;
}

bool vox_recover_number(const struct vox_red_copy *copy, const struct vox_packet *packet,
                        int64_t *index)
{
    int ticks = packet->info.duration_ticks;
    *index = packet->index - copy->offset_rtp_ts / ticks;
    return copy->offset_rtp_ts >= ticks && copy->offset_rtp_ts % ticks == 0;
}

bool vox_recover_copy(const struct vox_red *red, int i, const struct vox_packet *packet,
                      struct vox_packet *out)
{
    const struct vox_red_copy *copy = &red->copies[i];
    *out = (struct vox_packet){
        .is_copy = true,
        .ts = packet->ts - copy->offset_rtp_ts,
        .arrival_ns = packet->arrival_ns,
        .payload = copy->block.data,
        .payload_bytes = copy->block.data_bytes,
    };
    return vox_recover_number(copy, packet, &out->index) &&
           copy->block.payload_type == red->primary.payload_type &&
           vox_opus_parse(out->payload, out->payload_bytes, &out->info) >= 0 &&
           out->info.duration_ticks == packet->info.duration_ticks;
}
