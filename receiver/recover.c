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

bool vox_recover_unwrap(struct vox_rtp *rtp, int payload_type, struct vox_red *red)
{
    if (vox_red_parse(rtp->payload, rtp->payload_bytes, red) < 0 ||
        red->primary.payload_type != payload_type || !is_opus(&red->primary))
        return false;
    rtp->payload_type = red->primary.payload_type;
    rtp->payload = red->primary.data;
    rtp->payload_bytes = red->primary.data_bytes;
    return true;
}

static bool take_copy(const struct vox_red_copy *copy, int payload_type,
                      const struct vox_packet *packet, struct vox_packet *out)
{
    int ticks = packet->info.duration_ticks;
    *out = (struct vox_packet){
        .is_copy = true,
        .index = packet->index - copy->offset_rtp_ts / ticks,
        .ts = packet->ts - copy->offset_rtp_ts,
        .arrival_ns = packet->arrival_ns,
        .payload = copy->block.data,
        .payload_bytes = copy->block.data_bytes,
    };
    return copy->block.payload_type == payload_type && copy->offset_rtp_ts >= ticks &&
           copy->offset_rtp_ts % ticks == 0 &&
           vox_opus_parse(out->payload, out->payload_bytes, &out->info) >= 0 &&
           out->info.duration_ticks == ticks;
}

int vox_recover_copies(const struct vox_red *red, const struct vox_packet *packet,
                       struct vox_packet out[VOX_RED_MAX_COPIES])
{
    int n = 0;
    for (int i = 0; i < red->copy_count; i++)
        n += take_copy(&red->copies[i], red->primary.payload_type, packet, &out[n]);
    return n;
}
