#include "lab/link_path.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/impair.h"

#include <stdlib.h>

enum {
    IP_UDP_BYTES = 28, /* the model counts payloads of UDP over IPv4 */
    MAX_COPIES = 2,
    MAX_CAPACITY = 1 << 20,
    NO_SLOT = -1,
};

struct slot {
    size_t len;
    int copies; /* still to come out */
    int next_free;
    uint8_t bytes[VOX_LINK_PACKET_BYTES];
};

/* One copy in the heap. order settles equal times: first in, first out. */
struct delivery {
    int64_t due_ns;
    uint64_t order;
    int slot;
};

struct vox_link_path {
    struct vox_impair *network;
    struct vox_link_path_stats stats;
    struct slot *slots;
    int used; /* slots that have ever been; the memory of others is untouched */
    int capacity;
    int first_free; /* of those used */
    int taken;      /* slot of the packet that the owner looks at */
    struct delivery *heap;
    size_t heap_count;
    uint64_t order;
    uint8_t spare[VOX_LINK_PACKET_BYTES]; /* for a packet without a slot */
};

/* ---- the heap: earliest first ---- */

static bool comes_before(const struct delivery *a, const struct delivery *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_add(struct vox_link_path *path, struct delivery added)
{
    struct delivery *heap = path->heap;
    size_t at = path->heap_count++;
    while (at > 0 && comes_before(&added, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = added;
}

static struct delivery heap_take(struct vox_link_path *path)
{
    struct delivery *heap = path->heap;
    struct delivery first = heap[0];
    struct delivery moved = heap[--path->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= path->heap_count)
            break;
        if (child + 1 < path->heap_count && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
    return first;
}

/* ---- slots ---- */

/* The slot that the next packet is to be put into; NO_SLOT if all are on the way. */
static int next_slot(const struct vox_link_path *path)
{
    if (path->first_free != NO_SLOT)
        return path->first_free;
    return path->used < path->capacity ? path->used : NO_SLOT;
}

static void occupy(struct vox_link_path *path, int slot)
{
    if (slot == path->first_free)
        path->first_free = path->slots[slot].next_free;
    else
        path->used++;
}

/* What was taken last is no longer looked at. */
static void release_taken(struct vox_link_path *path)
{
    if (path->taken == NO_SLOT)
        return;
    struct slot *slot = &path->slots[path->taken];
    if (slot->copies == 0) {
        slot->next_free = path->first_free;
        path->first_free = path->taken;
    }
    path->taken = NO_SLOT;
}

/* ---- the path ---- */

int vox_link_path_create(const struct vox_impair_config *network, size_t capacity,
                         struct vox_link_path **out)
{
    if (capacity == 0 || capacity > MAX_CAPACITY)
        return VOX_EINVAL;
    struct vox_link_path *path = calloc(1, sizeof *path);
    if (!path)
        return VOX_ENOMEM;
    path->capacity = (int)capacity;
    path->first_free = path->taken = NO_SLOT;
    vox_histogram_init(&path->stats.late);
    path->slots = malloc(capacity * sizeof *path->slots);
    path->heap = malloc(MAX_COPIES * capacity * sizeof *path->heap);
    int err = path->slots && path->heap ? vox_impair_create(network, &path->network) : VOX_ENOMEM;
    if (err < 0) {
        vox_link_path_destroy(path);
        return err;
    }
    *out = path;
    return 0;
}

void vox_link_path_destroy(struct vox_link_path *path)
{
    if (!path)
        return;
    vox_impair_destroy(path->network);
    free(path->heap);
    free(path->slots);
    free(path);
}

uint8_t *vox_link_path_room(struct vox_link_path *path)
{
    release_taken(path);
    int slot = next_slot(path);
    return slot == NO_SLOT ? path->spare : path->slots[slot].bytes;
}

void vox_link_path_push(struct vox_link_path *path, size_t len, int64_t now_ns)
{
    int slot = next_slot(path);
    struct vox_fate fate;
    path->stats.packets++;
    path->stats.bytes += len;
    vox_impair_packet(path->network, now_ns, len > IP_UDP_BYTES ? len - IP_UDP_BYTES : 0, &fate);
    if (fate.copies == 0)
        return;
    if (slot == NO_SLOT) {
        path->stats.overflow++;
        return;
    }
    occupy(path, slot);
    path->slots[slot].len = len;
    path->slots[slot].copies = fate.copies;
    for (int i = 0; i < fate.copies; i++)
        heap_add(path, (struct delivery){
                           .due_ns = fate.deliver_ns[i], .order = path->order++, .slot = slot});
}

int64_t vox_link_path_next_ns(const struct vox_link_path *path)
{
    return path->heap_count > 0 ? path->heap[0].due_ns : VOX_NS_NEVER;
}

bool vox_link_path_take(struct vox_link_path *path, int64_t now_ns, struct vox_link_packet *out)
{
    release_taken(path);
    if (vox_link_path_next_ns(path) > now_ns)
        return false;
    struct delivery next = heap_take(path);
    struct slot *slot = &path->slots[next.slot];
    slot->copies--;
    path->taken = next.slot;
    *out = (struct vox_link_packet){.bytes = slot->bytes, .len = slot->len, .due_ns = next.due_ns};
    return true;
}

void vox_link_path_sent(struct vox_link_path *path, const struct vox_link_packet *packet,
                        int64_t now_ns)
{
    path->stats.delivered++;
    vox_histogram_add(&path->stats.late, now_ns - packet->due_ns);
}

const struct vox_link_path_stats *vox_link_path_stats(struct vox_link_path *path)
{
    const struct vox_impair_stats *network = vox_impair_stats(path->network);
    path->stats.lost = network->lost;
    path->stats.queue_dropped = network->queue_dropped;
    path->stats.reordered = network->reordered;
    path->stats.duplicated = network->duplicated;
    path->stats.waiting = path->heap_count;
    return &path->stats;
}
