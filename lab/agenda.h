/*
 * What is to happen when, in virtual time: a priority queue of (time, kind, object).
 *
 *     vox_agenda_add(&agenda, &(struct vox_appointment){.t_ns = due, .kind = PULL, .who = 0});
 *     while (vox_agenda_take(&agenda, &next))
 *         handle(&next);
 *
 * Appointments of the same time are kept in the order of their kinds, and within one kind in the
 * order in which they were made: the same calls give the same order on every machine.
 *
 * Thread rule: one owner. add may allocate.
 */
#ifndef VOX_LAB_AGENDA_H
#define VOX_LAB_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_appointment {
    int64_t t_ns;
    int kind;       /* of the owner's; a smaller one comes first */
    int who;        /* of the owner's */
    void *what;     /* of the owner's */
    uint64_t order; /* given by add */
};

struct vox_agenda {
    struct vox_appointment *heap;
    size_t count, room;
    uint64_t made;
};

void vox_agenda_init(struct vox_agenda *agenda);
/* Frees the queue; what the appointments point to is their owner's. */
void vox_agenda_clear(struct vox_agenda *agenda);

/* Errors: VOX_ENOMEM. */
int vox_agenda_add(struct vox_agenda *agenda, const struct vox_appointment *appointment);
/* The earliest one, taken out; false if there is none. */
bool vox_agenda_take(struct vox_agenda *agenda, struct vox_appointment *out);
/* When the earliest one is; VOX_NS_NEVER if there is none. */
int64_t vox_agenda_next_ns(const struct vox_agenda *agenda);

#endif
