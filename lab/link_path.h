/*
 * One direction of a link: packets wait here until the model of the network (channel/impair.h) lets
 * them out. No I/O, no clock.
 *
 *     struct vox_link_path *path;
 *     vox_link_path_create(&network, 4096, &path);
 *     size_t len = vox_veth_read(&veth, vox_link_path_room(path), VOX_LINK_PACKET_BYTES, &now_ns);
 *     vox_link_path_push(path, len, now_ns);
 *     struct vox_link_packet packet;
 *     while (vox_link_path_take(path, now_ns, &packet)) {
 *         vox_veth_write(&other_veth, packet.bytes, packet.len);
 *         vox_link_path_sent(path, &packet, now_ns);
 *     }
 *
 * Thread rule: one owner. RT-safe but for create and destroy.
 */
#ifndef VOX_LAB_LINK_PATH_H
#define VOX_LAB_LINK_PATH_H

#include "base/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_impair_config;
struct vox_link_path;

enum { VOX_LINK_PACKET_BYTES = 2048 };

struct vox_link_packet {
    const uint8_t *bytes; /* borrowed until the next call */
    size_t len;
    int64_t due_ns;
};

struct vox_link_path_stats {
    uint64_t packets, bytes; /* sent into it */
    uint64_t lost;           /* by the model */
    uint64_t queue_dropped;  /* in front of a limited link */
    uint64_t reordered, duplicated;
    uint64_t overflow;  /* no room was left for them here: a limit of ours, not of the model */
    uint64_t delivered; /* copies of them, too */
    uint64_t waiting;   /* on the way; so many copies are */
    struct vox_histogram late; /* delivered later than the model wants, by so much */
};

/*
 * capacity: packets on the way at a time; their memory is touched only when it is used.
 * Errors: those of vox_impair_create, VOX_EINVAL (no capacity).
 */
int vox_link_path_create(const struct vox_impair_config *network, size_t capacity,
                         struct vox_link_path **out);
void vox_link_path_destroy(struct vox_link_path *path);

/* Where to put the next packet, VOX_LINK_PACKET_BYTES; then push it. */
uint8_t *vox_link_path_room(struct vox_link_path *path);
/* len: of the IP packet. now_ns must not go back. */
void vox_link_path_push(struct vox_link_path *path, size_t len, int64_t now_ns);

/* When the next packet comes out; VOX_NS_NEVER if none is on the way. */
int64_t vox_link_path_next_ns(const struct vox_link_path *path);
/* The earliest one that is due by now; false if there is none. */
bool vox_link_path_take(struct vox_link_path *path, int64_t now_ns, struct vox_link_packet *out);
/* It was delivered. */
void vox_link_path_sent(struct vox_link_path *path, const struct vox_link_packet *packet,
                        int64_t now_ns);

/* Borrowed; counts from then on change with the next call. */
const struct vox_link_path_stats *vox_link_path_stats(struct vox_link_path *path);

#endif
