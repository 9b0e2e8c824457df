#include "base/err.h"
#include "base/time.h"
#include "lab/talker.h"

#include <stdlib.h>
#include <string.h>

struct vox_tape {
    struct vox_tape_entry *entries;
    size_t count, room;
    int64_t now_ns;
    bool failed;
};

static bool make_room(struct vox_tape *tape)
{
    if (tape->count < tape->room)
        return true;
    size_t room = tape->room ? tape->room * 2 : 256;
    struct vox_tape_entry *entries = realloc(tape->entries, room * sizeof *entries);
    if (!entries)
        return false;
    tape->entries = entries;
    tape->room = room;
    return true;
}

static void keep(void *ctx, const struct vox_datagram *datagram)
{
    struct vox_tape *tape = ctx;
    uint8_t *bytes = malloc(datagram->len);
    if (!bytes || !make_room(tape)) {
        free(bytes);
        tape->failed = true;
        return;
    }
    memcpy(bytes, datagram->bytes, datagram->len);
    struct vox_tape_entry *entry = &tape->entries[tape->count++];
    *entry = (struct vox_tape_entry){.made_ns = tape->now_ns, .datagram = *datagram};
    entry->datagram.bytes = bytes;
}

static int run(struct vox_talker *talker, struct vox_tape *tape)
{
    int err = 0;
    while (err >= 0 && (tape->now_ns = vox_talker_next_ns(talker)) != VOX_NS_NEVER) {
        err = vox_talker_step(talker, tape->now_ns);
        if (tape->failed)
            err = VOX_ENOMEM;
    }
    return err;
}

int vox_tape_record(const struct vox_talker_config *config, struct vox_tape **out)
{
    struct vox_tape *tape = calloc(1, sizeof *tape);
    if (!tape)
        return VOX_ENOMEM;
    struct vox_talker_config recorded = *config;
    struct vox_talker *talker = NULL;
    recorded.on_datagram = keep;
    recorded.ctx = tape;
    int err = vox_talker_create(&recorded, &talker);
    if (err >= 0)
        err = run(talker, tape);
    vox_talker_destroy(talker);
    if (err < 0) {
        vox_tape_destroy(tape);
        return err;
    }
    *out = tape;
    return 0;
}

/* The bytes belong to the tape; only readers see them as const. */
static void free_bytes(const uint8_t *bytes)
{
    free((void *)(uintptr_t)bytes);
}

void vox_tape_destroy(struct vox_tape *tape)
{
    if (!tape)
        return;
    for (size_t i = 0; i < tape->count; i++)
        free_bytes(tape->entries[i].datagram.bytes);
    free(tape->entries);
    free(tape);
}

size_t vox_tape_count(const struct vox_tape *tape)
{
    return tape->count;
}

const struct vox_tape_entry *vox_tape_at(const struct vox_tape *tape, size_t index)
{
    return &tape->entries[index];
}
