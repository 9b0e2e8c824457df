/*
 * Single-producer single-consumer ring of fixed-size elements, lock-free (C11 atomics). The only
 * way data crosses from one thread to another.
 *
 *     vox_ring_create(256, sizeof(struct item), &ring);
 *     struct item *slot = vox_ring_reserve(ring);      // producer; NULL when full
 *     fill(slot); vox_ring_commit(ring);
 *     const struct item *next = vox_ring_peek(ring);   // consumer; NULL when empty
 *     use(next);  vox_ring_release(ring);
 *
 * Thread rule: one producer thread (reserve, commit), one consumer thread (peek, release); create
 * and destroy while neither runs. All but create and destroy are RT-safe and wait-free.
 */
#ifndef VOX_BASE_RING_H
#define VOX_BASE_RING_H

#include <stddef.h>

struct vox_ring;

/*
 * Room for `count` elements (rounded up to a power of two) of element_bytes each, aligned for any
 * type. Errors: VOX_EINVAL (a zero), VOX_ENOMEM.
 */
int vox_ring_create(size_t count, size_t element_bytes, struct vox_ring **out);
void vox_ring_destroy(struct vox_ring *ring);

/* The slot to fill next, or NULL when the ring is full. Nothing is visible before commit. */
void *vox_ring_reserve(struct vox_ring *ring);
void vox_ring_commit(struct vox_ring *ring);

/* The oldest element, or NULL when the ring is empty. Valid until release. */
void *vox_ring_peek(struct vox_ring *ring);
void vox_ring_release(struct vox_ring *ring);

/* Elements inside now; the other side may change it at once. */
size_t vox_ring_count(const struct vox_ring *ring);

#endif
