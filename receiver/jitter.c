#include "receiver/jitter.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    bool used;
    struct vox_packet packet;
    uint8_t bytes[VOX_RTP_MAX_BYTES];
};

struct vox_jitter {
    size_t mask;
    size_t count;
    bool popped;    /* whether `passed` means anything */
    int64_t passed; /* highest number played or passed over */
    int64_t lowest; /* of those inside, while count > 0 */
    int64_t highest;
    struct slot *slots;
};

int vox_jitter_create(size_t slots, struct vox_jitter **out)
{
    if (slots == 0 || (slots & (slots - 1)) != 0)
        return VOX_EINVAL;
    struct vox_jitter *jitter = calloc(1, sizeof *jitter);
    struct slot *memory = calloc(slots, sizeof *memory);
    if (!jitter || !memory) {
        free(jitter);
        free(memory);
        return VOX_ENOMEM;
    }
    jitter->mask = slots - 1;
    jitter->slots = memory;
    vox_jitter_reset(jitter);
    *out = jitter;
    return 0;
}

void vox_jitter_destroy(struct vox_jitter *jitter)
{
    if (!jitter)
        return;
    free(jitter->slots);
    free(jitter);
}

void vox_jitter_reset(struct vox_jitter *jitter)
{
    for (size_t i = 0; i <= jitter->mask; i++) {
        jitter->slots[i].used = false;
        jitter->slots[i].packet.index = INT64_MIN;
    }
    jitter->count = 0;
    jitter->popped = false;
}

static struct slot *slot_of(const struct vox_jitter *jitter, int64_t index)
{
    return &jitter->slots[(size_t)index & jitter->mask];
}

/* Whether index has a slot of its own beside all that is inside. */
static bool fits(const struct vox_jitter *jitter, int64_t index)
{
    int64_t span = (int64_t)jitter->mask;
    return jitter->count == 0 ||
           (index - jitter->lowest <= span && jitter->highest - index <= span);
}

static void note_bounds(struct vox_jitter *jitter, int64_t index)
{
    if (jitter->count == 0 || index < jitter->lowest)
        jitter->lowest = index;
    if (jitter->count == 0 || index > jitter->highest)
        jitter->highest = index;
}

enum vox_insert vox_jitter_insert(struct vox_jitter *jitter, const struct vox_packet *packet)
{
    int64_t index = packet->index;
    struct slot *slot = slot_of(jitter, index);
    if (slot->packet.index == index) /* inside, or been here and not yet overwritten */
        return VOX_INSERT_DUPLICATE;
    if (jitter->popped && index <= jitter->passed) {
        if (!slot->used && slot->packet.index < index)
            slot->packet.index = index; /* its copy is a duplicate then, not late once more */
        return VOX_INSERT_LATE;
    }
    if (!fits(jitter, index) || packet->payload_bytes > VOX_RTP_MAX_BYTES)
        return VOX_INSERT_FULL;
    note_bounds(jitter, index);
    slot->used = true;
    slot->packet = *packet;
    memcpy(slot->bytes, packet->payload, packet->payload_bytes);
    slot->packet.payload = slot->bytes;
    jitter->count++;
    return VOX_INSERT_STORED;
}

const struct vox_packet *vox_jitter_head(const struct vox_jitter *jitter)
{
    return jitter->count > 0 ? &slot_of(jitter, jitter->lowest)->packet : NULL;
}

void vox_jitter_pop(struct vox_jitter *jitter)
{
    if (jitter->count == 0)
        return;
    slot_of(jitter, jitter->lowest)->used = false;
    jitter->popped = true;
    jitter->passed = jitter->lowest;
    jitter->count--;
    if (jitter->count == 0)
        return;
    do {
        jitter->lowest++;
    } while (!slot_of(jitter, jitter->lowest)->used);
}

size_t vox_jitter_count(const struct vox_jitter *jitter)
{
    return jitter->count;
}

int64_t vox_jitter_newest(const struct vox_jitter *jitter)
{
    return jitter->highest;
}
