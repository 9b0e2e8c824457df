/*
 * Names looked up while the program goes on: getaddrinfo may wait for a name server for many
 * seconds, so a thread of its own asks. For this layer's own use.
 *
 *     vox_lookup_start(&question, &lookup);
 *     ... when vox_lookup_fd(lookup) is readable:
 *     int count = vox_lookup_take(lookup, addresses);
 *     vox_lookup_destroy(lookup);
 *
 * Thread rule: one owner; the thread inside is the lookup's own, and takes no signals.
 */
#ifndef VOX_NET_LOOKUP_H
#define VOX_NET_LOOKUP_H

#include "net/address.h"

/* As vox_address_resolve_all, on another thread; ctx must outlive it, which destroy does not wait
 * for. */
typedef int vox_lookup_resolve(void *ctx, const struct vox_endpoint *endpoint,
                               const struct vox_address_hints *hints, struct vox_address *out,
                               size_t most);

struct vox_lookup_question {
    struct vox_endpoint endpoint;
    struct vox_address_hints hints;
    vox_lookup_resolve *resolve; /* NULL: the system */
    void *ctx;
};

struct vox_lookup;

/* Errors: VOX_ENOMEM, VOX_ELIMIT (the system gives no thread or descriptor). */
int vox_lookup_start(const struct vox_lookup_question *question, struct vox_lookup **out);

/* NULL-safe, and does not wait: a thread that still asks frees what is left when it has heard. */
void vox_lookup_destroy(struct vox_lookup *lookup);

/* Readable when there is an answer. */
int vox_lookup_fd(const struct vox_lookup *lookup);

/* Then: how many addresses were found, best first, or the error of vox_address_resolve. */
int vox_lookup_take(const struct vox_lookup *lookup, struct vox_address out[VOX_ADDRESS_MAX_FOUND]);

#endif
