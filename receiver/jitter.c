#include "receiver/jitter.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { NOTHING = -1 };

/* A stored packet. The one freed last is taken first: while few wait, few stay in the cache. */
struct entry {
    struct vox_packet packet;
    int32_t next_free;
    uint8_t bytes[VOX_RTP_MAX_BYTES];
};

struct slot {
    int64_t index; /* of the packet that is here or was last */
    int32_t entry; /* NOTHING: it is not here any more */
    bool by_copy;  /* only a copy of it came */
    bool is_blank; /* that number holds no audio */
};

struct vox_jitter {
    size_t mask;
    size_t count;
    bool popped;    /* whether `passed` means anything */
    int64_t passed; /* highest number played or passed over */
    int64_t lowest; /* of those inside, while count > 0 */
    int64_t highest;
    struct slot *slots;
    struct entry *entries; /* as many as slots */
    int32_t first_free;    /* NOTHING: take an entry that never was used */
    int32_t used_ever;
};

int vox_jitter_create(size_t slots, struct vox_jitter **out)
{
    if (slots == 0 || (slots & (slots - 1)) != 0 || slots > INT32_MAX)
        return VOX_EINVAL;
    struct vox_jitter *jitter = calloc(1, sizeof *jitter);
    struct slot *table = calloc(slots, sizeof *table);
    struct entry *entries = calloc(slots, sizeof *entries);
    if (!jitter || !table || !entries) {
        free(jitter);
        free(table);
        free(entries);
        return VOX_ENOMEM;
    }
    jitter->mask = slots - 1;
    jitter->slots = table;
    jitter->entries = entries;
    vox_jitter_reset(jitter);
    *out = jitter;
    return 0;
}

void vox_jitter_destroy(struct vox_jitter *jitter)
{
    if (!jitter)
        return;
    free(jitter->slots);
    free(jitter->entries);
    free(jitter);
}

void vox_jitter_reset(struct vox_jitter *jitter)
{
    for (size_t i = 0; i <= jitter->mask; i++)
        jitter->slots[i] = (struct slot){.index = INT64_MIN, .entry = NOTHING};
    jitter->first_free = NOTHING;
    jitter->used_ever = 0;
    jitter->count = 0;
    jitter->popped = false;
}

static struct slot *slot_of(const struct vox_jitter *jitter, int64_t index)
{
    return &jitter->slots[(size_t)index & jitter->mask];
}

/* There is always one: a slot that is free has no entry. */
static int32_t take_entry(struct vox_jitter *jitter)
{
    int32_t entry = jitter->first_free;
    if (entry == NOTHING)
        return jitter->used_ever++;
    jitter->first_free = jitter->entries[entry].next_free;
    return entry;
}

static void give_back(struct vox_jitter *jitter, struct slot *slot)
{
    jitter->entries[slot->entry].next_free = jitter->first_free;
    jitter->first_free = slot->entry;
    slot->entry = NOTHING;
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

static enum vox_insert meet_again(struct slot *slot, const struct vox_packet *packet)
{
    if (packet->is_copy || !slot->by_copy)
        return VOX_INSERT_DUPLICATE;
    slot->by_copy = false;
    return VOX_INSERT_REPLACED;
}

static bool is_blank(const struct slot *slot, int64_t index)
{
    return slot->index == index && slot->is_blank;
}

bool vox_jitter_knows(const struct vox_jitter *jitter, int64_t index)
{
    return slot_of(jitter, index)->index == index || (jitter->popped && index <= jitter->passed);
}

enum vox_insert vox_jitter_insert(struct vox_jitter *jitter, const struct vox_packet *packet)
{
    int64_t index = packet->index;
    struct slot *slot = slot_of(jitter, index);
    bool blank = is_blank(slot, index);
    if (slot->index == index && !blank) /* inside, or been here and not yet overwritten */
        return meet_again(slot, packet);
    if (blank && packet->is_copy)
        return VOX_INSERT_DUPLICATE;
    if (jitter->popped && index <= jitter->passed) {
        if (packet->is_copy)
            return VOX_INSERT_DUPLICATE;
        if (slot->entry == NOTHING && slot->index <= index)
            *slot = (struct slot){.index = index, .entry = NOTHING}; /* a second one: a duplicate */
        return VOX_INSERT_LATE;
    }
    if (!fits(jitter, index) || packet->payload_bytes > VOX_RTP_MAX_BYTES)
        return VOX_INSERT_FULL;
    note_bounds(jitter, index);
    *slot = (struct slot){.index = index, .entry = take_entry(jitter), .by_copy = packet->is_copy};
    struct entry *entry = &jitter->entries[slot->entry];
    entry->packet = *packet;
    memcpy(entry->bytes, packet->payload, packet->payload_bytes);
    entry->packet.payload = entry->bytes;
    jitter->count++;
    return VOX_INSERT_STORED;
}

void vox_jitter_blank(struct vox_jitter *jitter, int64_t index)
{
    struct slot *slot = slot_of(jitter, index);
    if (slot->entry == NOTHING && slot->index < index)
        *slot = (struct slot){.index = index, .entry = NOTHING, .is_blank = true};
}

int64_t vox_jitter_before(const struct vox_jitter *jitter, int64_t index)
{
    do {
        index--;
    } while (is_blank(slot_of(jitter, index), index));
    return index;
}

const struct vox_packet *vox_jitter_head(const struct vox_jitter *jitter)
{
    if (jitter->count == 0)
        return NULL;
    return &jitter->entries[slot_of(jitter, jitter->lowest)->entry].packet;
}

const struct vox_packet *vox_jitter_find(const struct vox_jitter *jitter, int64_t index)
{
    const struct slot *slot = slot_of(jitter, index);
    bool inside = slot->index == index && slot->entry != NOTHING;
    return inside ? &jitter->entries[slot->entry].packet : NULL;
}

void vox_jitter_pop(struct vox_jitter *jitter)
{
    if (jitter->count == 0)
        return;
    give_back(jitter, slot_of(jitter, jitter->lowest));
    jitter->popped = true;
    jitter->passed = jitter->lowest;
    jitter->count--;
    if (jitter->count == 0)
        return;
    do {
        jitter->lowest++;
    } while (slot_of(jitter, jitter->lowest)->entry == NOTHING);
}

size_t vox_jitter_run(const struct vox_jitter *jitter, int64_t index, int64_t ts, int64_t *ticks)
{
    int64_t end = ts;
    size_t count = 0;
    for (; count < jitter->count; index++) {
        const struct slot *slot = slot_of(jitter, index);
        if (is_blank(slot, index))
            continue;
        if (slot->index != index || slot->entry == NOTHING)
            break;
        const struct vox_packet *packet = &jitter->entries[slot->entry].packet;
        if (packet->ts != end)
            break;
        end += packet->info.duration_ticks;
        count++;
    }
    *ticks = end - ts;
    return count;
}

size_t vox_jitter_count(const struct vox_jitter *jitter)
{
    return jitter->count;
}

int64_t vox_jitter_newest(const struct vox_jitter *jitter)
{
    return jitter->highest;
}
