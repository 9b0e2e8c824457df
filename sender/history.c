#include "sender/history.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct vox_history {
    size_t count;    /* of packets that there is room for */
    uint64_t kept;   /* ever */
    uint16_t newest; /* sequence number, if any was kept */
    struct vox_history_packet packets[];
};

static int64_t at_most(int64_t packets, int64_t most)
{
    return packets < most ? packets : most;
}

/* What waits for its time takes no room from what can be asked for. */
static size_t room(const struct vox_history_config *c)
{
    int64_t sent = at_most(c->span_ns / c->packet_ns, VOX_HISTORY_MAX_PACKETS);
    int64_t waiting = at_most(c->ahead_ns / c->packet_ns, VOX_HISTORY_MAX_AHEAD);
    return (size_t)((sent > VOX_HISTORY_MIN_PACKETS ? sent : VOX_HISTORY_MIN_PACKETS) + waiting);
}

int vox_history_create(const struct vox_history_config *config, struct vox_history **out)
{
    if (config->packet_ns < 1 || config->span_ns < 1 || config->ahead_ns < 0)
        return VOX_EINVAL;
    size_t count = room(config);
    struct vox_history *history = calloc(1, sizeof *history + count * sizeof history->packets[0]);
    if (!history)
        return VOX_ENOMEM;
    history->count = count;
    *out = history;
    return 0;
}

void vox_history_destroy(struct vox_history *history)
{
    free(history);
}

static bool fits(const struct vox_rtp *rtp)
{
    return rtp->payload_bytes <= VOX_ENCODER_MAX_BYTES &&
           rtp->extension_bytes <= VOX_HDREXT_MAX_BYTES;
}

/* One that does not fit takes its place empty: where a number stands follows from `kept`. */
void vox_history_keep(struct vox_history *history, const struct vox_rtp *rtp, int64_t send_ns)
{
    struct vox_history_packet *packet = &history->packets[history->kept++ % history->count];
    history->newest = rtp->seq;
    packet->rtp = *rtp;
    packet->send_ns = send_ns;
    packet->repeats = 0;
    packet->rtp.payload = NULL;
    if (!fits(rtp))
        return;
    memcpy(packet->payload, rtp->payload, rtp->payload_bytes);
    packet->rtp.payload = packet->payload;
    if (rtp->has_extension)
        memcpy(packet->extension, rtp->extension, rtp->extension_bytes);
    packet->rtp.extension = packet->extension;
}

struct vox_history_packet *vox_history_find(struct vox_history *history, uint16_t seq)
{
    uint16_t back = (uint16_t)(history->newest - seq);
    if (back >= history->count || back >= history->kept)
        return NULL;
    struct vox_history_packet *packet =
        &history->packets[(history->kept - 1 - back) % history->count];
    return packet->rtp.seq == seq && packet->rtp.payload ? packet : NULL;
}
