#include "base/err.h"
#include "base/time.h"
#include "lab/talker.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct vox_tape {
    struct vox_tape_entry *entries;
    size_t count, room;
};

int vox_tape_create(struct vox_tape **out)
{
    struct vox_tape *tape = calloc(1, sizeof *tape);
    if (!tape)
        return VOX_ENOMEM;
    *out = tape;
    return 0;
}

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

int vox_tape_add(struct vox_tape *tape, int64_t made_ns, const struct vox_datagram *datagram)
{
    uint8_t *bytes = malloc(datagram->len);
    if (!bytes || !make_room(tape)) {
        free(bytes);
        return VOX_ENOMEM;
    }
    memcpy(bytes, datagram->bytes, datagram->len);
    struct vox_tape_entry *entry = &tape->entries[tape->count++];
    *entry = (struct vox_tape_entry){.made_ns = made_ns, .datagram = *datagram};
    entry->datagram.bytes = bytes;
    return 0;
}

/* ---- recording ---- */

struct deck {
    struct vox_tape *tape;
    int64_t now_ns;
    int err;
};

static void keep(void *ctx, const struct vox_datagram *datagram)
{
    struct deck *deck = ctx;
    if (vox_tape_add(deck->tape, deck->now_ns, datagram) < 0)
        deck->err = VOX_ENOMEM;
}

static int record(struct vox_talker *talker, struct deck *deck)
{
    int err = 0;
    while (err >= 0 && (deck->now_ns = vox_talker_next_ns(talker)) != VOX_NS_NEVER) {
        err = vox_talker_step(talker, deck->now_ns);
        err = deck->err < 0 ? deck->err : err;
    }
    return err;
}

int vox_tape_record(const struct vox_talker_config *config, struct vox_tape **out)
{
    struct deck deck = {0};
    struct vox_talker_config recorded = *config;
    struct vox_talker *talker = NULL;
    recorded.on_datagram = keep;
    recorded.ctx = &deck;
    int err = vox_tape_create(&deck.tape);
    if (err >= 0)
        err = vox_talker_create(&recorded, &talker);
    if (err >= 0)
        err = record(talker, &deck);
    vox_talker_destroy(talker);
    if (err < 0) {
        vox_tape_destroy(deck.tape);
        return err;
    }
    *out = deck.tape;
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
