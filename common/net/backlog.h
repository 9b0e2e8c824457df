/*
 * Datagrams that wait until they are taken, the oldest first; where they get too many, the oldest
 * go: what is new is worth more. For this layer's own use.
 *
 *     vox_backlog_init(&backlog, 128 << 10);
 *     dropped += vox_backlog_push(&backlog, bytes, len);
 *     while ((len = vox_backlog_peek(&backlog, bytes)) >= 0 && send(bytes, len))
 *         vox_backlog_pop(&backlog);
 *     vox_backlog_free(&backlog);
 *
 * Thread rule: value, one owner. RT-safe but for init and free.
 */
#ifndef VOX_NET_BACKLOG_H
#define VOX_NET_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

enum { VOX_BACKLOG_LONGEST_BYTES = 65535 };

/* All private but `bytes`, the lengths in front of each included; zeros: nothing fits. */
struct vox_backlog {
    uint8_t *ring;
    size_t capacity, begin, bytes;
};

/* Errors: VOX_ENOMEM. */
int vox_backlog_init(struct vox_backlog *backlog, size_t capacity_bytes);
void vox_backlog_free(struct vox_backlog *backlog);

/* Copies in, up to LONGEST_BYTES. Returns how many were dropped: older ones, or, if it is longer
 * than all the room there is, itself. */
size_t vox_backlog_push(struct vox_backlog *backlog, const void *bytes, size_t len);

/* Copies the oldest out, for which there is room for LONGEST_BYTES. Returns its length; -1: none.
 */
int vox_backlog_peek(const struct vox_backlog *backlog, uint8_t *out);
void vox_backlog_pop(struct vox_backlog *backlog);
/* Drops all. Returns how many. */
size_t vox_backlog_clear(struct vox_backlog *backlog);

#endif
