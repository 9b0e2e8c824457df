#include "recording.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tape {
    struct packet *packets;
    int count, room;
};

void check(int err, const char *what)
{
    if (err >= 0)
        return;
    fprintf(stderr, "bench: %s failed (%d)\n", what, err);
    exit(1);
}

static void keep(void *ctx, const struct vox_datagram *datagram)
{
    struct tape *tape = ctx;
    if (datagram->kind != VOX_DATAGRAM_RTP || tape->count == tape->room)
        return;
    struct packet *packet = &tape->packets[tape->count++];
    packet->len = datagram->len;
    memcpy(packet->bytes, datagram->bytes, datagram->len);
}

void record(struct vox_sender_config *config, const float *(*sound)(int64_t i, int ticks),
            struct packet *packets, int count)
{
    struct tape tape = {.packets = packets, .room = count};
    struct vox_sender *sender;
    int ticks = config->frame_ticks;
    config->on_datagram = keep;
    config->ctx = &tape;
    check(vox_sender_create(config, &sender), "sender");
    for (int64_t i = 0; tape.count < count; i++)
        vox_sender_push(sender, sound(i, ticks), (size_t)ticks, vox_rtp_to_ns(i * ticks));
    vox_sender_destroy(sender);
}
