#include "lab/agenda.h"

#include "base/err.h"
#include "base/time.h"

#include <stdlib.h>

void vox_agenda_init(struct vox_agenda *agenda)
{
    *agenda = (struct vox_agenda){0};
}

void vox_agenda_clear(struct vox_agenda *agenda)
{
    free(agenda->heap);
    vox_agenda_init(agenda);
}

static bool before(const struct vox_appointment *a, const struct vox_appointment *b)
{
    if (a->t_ns != b->t_ns)
        return a->t_ns < b->t_ns;
    return a->kind != b->kind ? a->kind < b->kind : a->order < b->order;
}

static int make_room(struct vox_agenda *agenda)
{
    if (agenda->count < agenda->room)
        return 0;
    size_t room = agenda->room ? agenda->room * 2 : 64;
    struct vox_appointment *heap = realloc(agenda->heap, room * sizeof *heap);
    if (!heap)
        return VOX_ENOMEM;
    agenda->heap = heap;
    agenda->room = room;
    return 0;
}

int vox_agenda_add(struct vox_agenda *agenda, const struct vox_appointment *appointment)
{
    if (make_room(agenda) < 0)
        return VOX_ENOMEM;
    struct vox_appointment one = *appointment;
    size_t at = agenda->count++;
    one.order = agenda->made++;
    while (at > 0 && before(&one, &agenda->heap[(at - 1) / 2])) {
        agenda->heap[at] = agenda->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    agenda->heap[at] = one;
    return 0;
}

/* The last one sinks from the top to its place. */
static void sink(struct vox_agenda *agenda)
{
    struct vox_appointment one = agenda->heap[agenda->count];
    size_t at = 0;
    for (size_t child = 1; child < agenda->count; child = 2 * at + 1) {
        if (child + 1 < agenda->count && before(&agenda->heap[child + 1], &agenda->heap[child]))
            child++;
        if (!before(&agenda->heap[child], &one))
            break;
        agenda->heap[at] = agenda->heap[child];
        at = child;
    }
    agenda->heap[at] = one;
}

bool vox_agenda_take(struct vox_agenda *agenda, struct vox_appointment *out)
{
    if (agenda->count == 0)
        return false;
    *out = agenda->heap[0];
    agenda->count--;
    sink(agenda);
    return true;
}

int64_t vox_agenda_next_ns(const struct vox_agenda *agenda)
{
    return agenda->count > 0 ? agenda->heap[0].t_ns : VOX_NS_NEVER;
}
