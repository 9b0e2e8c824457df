#include "net/lookup.h"

#include "base/err.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct vox_lookup {
    struct vox_lookup_question question;
    /* getaddrinfo cannot be interrupted: of the thread and its owner, who leaves last frees. */
    atomic_int holders;
    int wake_fd;
    atomic_bool has_answer;
    int outcome;
    struct vox_address found[VOX_ADDRESS_MAX_FOUND];
};

static void leave(struct vox_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) > 1)
        return;
    close(lookup->wake_fd);
    free(lookup);
}

static int ask_system(void *ctx, const struct vox_endpoint *endpoint,
                      const struct vox_address_hints *hints, struct vox_address *out, size_t most)
{
    (void)ctx;
    return vox_address_resolve_all(endpoint, hints, out, most, NULL);
}

static void *run(void *arg)
{
    struct vox_lookup *lookup = arg;
    const struct vox_lookup_question *q = &lookup->question;
    const uint64_t one = 1;
    lookup->outcome =
        q->resolve(q->ctx, &q->endpoint, &q->hints, lookup->found, VOX_ADDRESS_MAX_FOUND);
    atomic_store(&lookup->has_answer, true);
    /* Cannot fail: it is the first and only one. */
    ssize_t len = write(lookup->wake_fd, &one, sizeof one);
    (void)len;
    leave(lookup);
    return NULL;
}

/* Without signals: a program that waits to be interrupted by one would wait on. */
static int start_thread(struct vox_lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&thread, &attributes, run, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return err ? VOX_ELIMIT : 0;
}

int vox_lookup_start(const struct vox_lookup_question *question, struct vox_lookup **out)
{
    struct vox_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return VOX_ENOMEM;
    lookup->question = *question;
    if (!question->resolve)
        lookup->question.resolve = ask_system;
    lookup->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    atomic_init(&lookup->holders, 2);
    atomic_init(&lookup->has_answer, false);
    int err = lookup->wake_fd < 0 ? VOX_ELIMIT : start_thread(lookup);
    if (err < 0) {
        if (lookup->wake_fd >= 0)
            close(lookup->wake_fd);
        free(lookup);
        return err;
    }
    *out = lookup;
    return 0;
}

void vox_lookup_destroy(struct vox_lookup *lookup)
{
    if (lookup)
        leave(lookup);
}

int vox_lookup_fd(const struct vox_lookup *lookup)
{
    return lookup->wake_fd;
}

int vox_lookup_take(const struct vox_lookup *lookup, struct vox_address out[VOX_ADDRESS_MAX_FOUND])
{
    if (!atomic_load(&lookup->has_answer))
        return VOX_EADDRESS;
    for (int i = 0; i < lookup->outcome; i++)
        out[i] = lookup->found[i];
    return lookup->outcome;
}
