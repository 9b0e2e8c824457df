#include "base/ring.h"

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define CACHE_LINE 64

/* head and tail count without bound and on lines of their own: no false sharing of the two. */
struct vox_ring {
    _Alignas(CACHE_LINE) atomic_size_t head; /* written by the producer */
    _Alignas(CACHE_LINE) atomic_size_t tail; /* written by the consumer */
    _Alignas(CACHE_LINE) size_t mask;
    size_t stride;
    uint8_t *elements;
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

int vox_ring_create(size_t count, size_t element_bytes, struct vox_ring **out)
{
    if (count == 0 || element_bytes == 0 || count > SIZE_MAX / 4 / element_bytes)
        return VOX_EINVAL;
    size_t capacity = 1;
    while (capacity < count)
        capacity *= 2;
    size_t stride = round_up(element_bytes, _Alignof(max_align_t));
    struct vox_ring *ring = aligned_alloc(CACHE_LINE, round_up(sizeof *ring, CACHE_LINE));
    uint8_t *elements = calloc(capacity, stride);
    if (!ring || !elements) {
        free(ring);
        free(elements);
        return VOX_ENOMEM;
    }
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    ring->mask = capacity - 1;
    ring->stride = stride;
    ring->elements = elements;
    *out = ring;
    return 0;
}

void vox_ring_destroy(struct vox_ring *ring)
{
    if (!ring)
        return;
    free(ring->elements);
    free(ring);
}

void *vox_ring_reserve(struct vox_ring *ring)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - tail > ring->mask)
        return NULL;
    return ring->elements + (head & ring->mask) * ring->stride;
}

void vox_ring_commit(struct vox_ring *ring)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

void *vox_ring_peek(struct vox_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (head == tail)
        return NULL;
    return ring->elements + (tail & ring->mask) * ring->stride;
}

void vox_ring_release(struct vox_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

size_t vox_ring_count(const struct vox_ring *ring)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    return head - tail;
}
