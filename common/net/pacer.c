#include "net/pacer.h"

#include "base/err.h"
#include "base/ring.h"
#include "base/time.h"
#include "net/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum {
    DEFAULT_CAPACITY = 1024,
    MAX_CAPACITY = 65536,
    DRAIN_STEP_NS = 1000000,
    TIMER_SLACK_NS = 1, /* the kernel's default of 50 us is a quarter of what we allow ourselves */
};

/* In wake_at: the thread is not asleep, nobody needs to wake it. Earlier than any due time. */
#define AWAKE INT64_MIN

/* A datagram, from push until its last copy has left. */
struct parcel {
    int64_t deliver_ns[VOX_PACER_COPIES];
    size_t destination;
    size_t len;
    int copies; /* still to be sent; the thread's once it is pushed */
    uint8_t bytes[VOX_PACER_DATAGRAM_BYTES];
};

/* One copy in the heap. order settles equal times: first pushed, first sent. */
struct delivery {
    int64_t due_ns;
    uint64_t order;
    uint32_t parcel;
};

struct vox_pacer {
    struct vox_transport *transport;
    struct vox_peer destinations[VOX_PACER_DESTINATIONS];
    size_t destination_count;
    bool realtime;

    struct parcel *parcels;
    struct vox_ring *free_parcels; /* uint32_t; thread -> owner */
    struct vox_ring *pushed;       /* uint32_t; owner -> thread */
    bool stopped;                  /* owner's, as is last_due_ns */
    int64_t last_due_ns;           /* of all pushed */

    /*
     * Until when the thread sleeps. Both sides touch it by read-modify-write only: of two such on
     * one variable, one is later and sees what the other did before. So either the thread, after
     * saying how long it will sleep, finds the parcel in the ring, or the owner, after putting it
     * there, finds how long the thread will sleep.
     */
    _Atomic int64_t wake_at_ns;
    sem_t wake;
    atomic_bool stopping;
    atomic_size_t pending;
    atomic_uint_fast64_t pushed_count, sent, failed, overflow;
    struct vox_net_error failure; /* the first, written once before has_failed is */
    atomic_bool has_failed;
    atomic_bool realtime_granted;

    /* The thread's own, until it has ended. */
    pthread_t thread;
    struct delivery *heap;
    size_t heap_count;
    uint64_t next_order;
    struct vox_histogram late;
};

/* ---- the heap: earliest first ---- */

static bool comes_before(const struct delivery *a, const struct delivery *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_add(struct vox_pacer *pacer, struct delivery added)
{
    struct delivery *heap = pacer->heap;
    size_t at = pacer->heap_count++;
    while (at > 0 && comes_before(&added, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = added;
}

static struct delivery heap_take(struct vox_pacer *pacer)
{
    struct delivery *heap = pacer->heap;
    struct delivery first = heap[0];
    struct delivery moved = heap[--pacer->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= pacer->heap_count)
            break;
        if (child + 1 < pacer->heap_count && comes_before(&heap[child + 1], &heap[child]))
            child++;
        if (!comes_before(&heap[child], &moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
    return first;
}

/* ---- the thread ---- */

static void take_pushed(struct vox_pacer *pacer)
{
    const uint32_t *index;
    while ((index = vox_ring_peek(pacer->pushed)) != NULL) {
        const struct parcel *parcel = &pacer->parcels[*index];
        for (int i = 0; i < parcel->copies; i++)
            heap_add(pacer, (struct delivery){.due_ns = parcel->deliver_ns[i],
                                              .order = pacer->next_order++,
                                              .parcel = *index});
        vox_ring_release(pacer->pushed);
    }
}

/* The ring of free parcels has room for all of them, so it never refuses one. */
static void give_back(struct vox_pacer *pacer, uint32_t index)
{
    uint32_t *slot = vox_ring_reserve(pacer->free_parcels);
    if (!slot)
        return;
    *slot = index;
    vox_ring_commit(pacer->free_parcels);
    atomic_fetch_sub_explicit(&pacer->pending, 1, memory_order_release);
}

static int send_parcel(struct vox_pacer *pacer, const struct parcel *parcel)
{
    const struct vox_peer *to = &pacer->destinations[parcel->destination];
    bool first = !atomic_load_explicit(&pacer->has_failed, memory_order_relaxed);
    int err = vox_transport_send(pacer->transport, parcel->bytes, parcel->len,
                                 to->address.len > 0 ? to : NULL, first ? &pacer->failure : NULL);
    if (err < 0 && first)
        atomic_store_explicit(&pacer->has_failed, true, memory_order_release);
    return err;
}

static void send_first(struct vox_pacer *pacer, int64_t now_ns)
{
    struct delivery delivery = heap_take(pacer);
    struct parcel *parcel = &pacer->parcels[delivery.parcel];
    int err = send_parcel(pacer, parcel);
    vox_histogram_add(&pacer->late, now_ns - delivery.due_ns);
    atomic_fetch_add_explicit(err < 0 ? &pacer->failed : &pacer->sent, 1, memory_order_relaxed);
    if (--parcel->copies == 0)
        give_back(pacer, delivery.parcel);
}

/* Sends what is due. Returns when the next is; VOX_NS_NEVER if nothing waits. */
static int64_t send_due(struct vox_pacer *pacer)
{
    while (pacer->heap_count > 0) {
        int64_t now_ns = vox_clock_now_ns();
        if (pacer->heap[0].due_ns > now_ns)
            return pacer->heap[0].due_ns;
        send_first(pacer, now_ns);
        take_pushed(pacer);
    }
    return VOX_NS_NEVER;
}

static void sleep_until(struct vox_pacer *pacer, int64_t until_ns)
{
    if (until_ns == VOX_NS_NEVER) {
        sem_wait(&pacer->wake);
        return;
    }
    const struct timespec t = {.tv_sec = until_ns / VOX_NS_PER_S,
                               .tv_nsec = until_ns % VOX_NS_PER_S};
    sem_clockwait(&pacer->wake, CLOCK_MONOTONIC, &t);
}

/* A wish: without the right to it (RLIMIT_RTPRIO, CAP_SYS_NICE) the thread stays ordinary. */
static void ask_for_realtime(struct vox_pacer *pacer)
{
    const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    bool granted =
        pacer->realtime && pthread_setschedparam(pthread_self(), SCHED_FIFO, &lowest) == 0;
    atomic_store_explicit(&pacer->realtime_granted, granted, memory_order_relaxed);
}

static void *run(void *arg)
{
    struct vox_pacer *pacer = arg;
    prctl(PR_SET_NAME, "vox-pacer");
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    ask_for_realtime(pacer);
    while (!atomic_load_explicit(&pacer->stopping, memory_order_acquire)) {
        take_pushed(pacer);
        int64_t next_ns = send_due(pacer);
        atomic_exchange_explicit(&pacer->wake_at_ns, next_ns, memory_order_acq_rel);
        if (!vox_ring_peek(pacer->pushed))
            sleep_until(pacer, next_ns);
        atomic_exchange_explicit(&pacer->wake_at_ns, AWAKE, memory_order_acq_rel);
    }
    return NULL;
}

/* ---- the owner ---- */

void vox_pacer_config_init(struct vox_pacer_config *config)
{
    *config = (struct vox_pacer_config){
        .destination_count = 1, .capacity = DEFAULT_CAPACITY, .realtime = true};
}

static int check(const struct vox_pacer_config *config, struct vox_net_error *error)
{
    if (config->destination_count == 0 || config->destination_count > VOX_PACER_DESTINATIONS)
        return vox_net_error_set(error, VOX_EINVAL, "a pacer sends to 1..%d destinations, not %zu",
                                 VOX_PACER_DESTINATIONS, config->destination_count);
    if (config->capacity == 0 || config->capacity > MAX_CAPACITY)
        return vox_net_error_set(error, VOX_EINVAL, "a pacer holds 1..%d datagrams, not %zu",
                                 MAX_CAPACITY, config->capacity);
    return 0;
}

static int allocate(struct vox_pacer *pacer, size_t capacity)
{
    pacer->parcels = calloc(capacity, sizeof *pacer->parcels);
    pacer->heap = calloc(capacity * VOX_PACER_COPIES, sizeof *pacer->heap);
    if (!pacer->parcels || !pacer->heap ||
        vox_ring_create(capacity, sizeof(uint32_t), &pacer->free_parcels) < 0 ||
        vox_ring_create(capacity, sizeof(uint32_t), &pacer->pushed) < 0)
        return VOX_ENOMEM;
    for (size_t i = 0; i < capacity; i++) {
        uint32_t *slot = vox_ring_reserve(pacer->free_parcels);
        *slot = (uint32_t)i;
        vox_ring_commit(pacer->free_parcels);
    }
    return 0;
}

static void release(struct vox_pacer *pacer)
{
    sem_destroy(&pacer->wake);
    vox_ring_destroy(pacer->pushed);
    vox_ring_destroy(pacer->free_parcels);
    free(pacer->heap);
    free(pacer->parcels);
    free(pacer);
}

int vox_pacer_create(const struct vox_pacer_config *config, struct vox_pacer **out,
                     struct vox_net_error *error)
{
    int err = check(config, error);
    if (err < 0)
        return err;
    struct vox_pacer *pacer = calloc(1, sizeof *pacer);
    if (!pacer)
        return vox_net_error_set(error, VOX_ENOMEM, "no memory for sending");
    pacer->transport = config->transport;
    pacer->destination_count = config->destination_count;
    for (size_t i = 0; i < config->destination_count; i++)
        pacer->destinations[i].address = config->destinations[i];
    pacer->realtime = config->realtime;
    atomic_init(&pacer->wake_at_ns, AWAKE);
    sem_init(&pacer->wake, 0, 0);
    vox_histogram_init(&pacer->late);
    if (allocate(pacer, config->capacity) < 0)
        err = vox_net_error_set(error, VOX_ENOMEM, "no memory for %zu datagrams to be sent",
                                config->capacity);
    int thread_err = err < 0 ? 0 : pthread_create(&pacer->thread, NULL, run, pacer);
    if (thread_err)
        err = vox_net_error_set(error, VOX_ELIMIT, "cannot start the thread that sends: %s",
                                strerror(thread_err));
    if (err < 0)
        release(pacer);
    else
        *out = pacer;
    return err;
}

void vox_pacer_destroy(struct vox_pacer *pacer)
{
    if (!pacer)
        return;
    vox_pacer_stop(pacer);
    release(pacer);
}

static void wake_if_later(struct vox_pacer *pacer, int64_t due_ns)
{
    int64_t planned_ns = atomic_fetch_add_explicit(&pacer->wake_at_ns, 0, memory_order_acq_rel);
    if (due_ns >= planned_ns)
        return;
    /* Lost to the thread, which is waking by itself: it looks into the ring before it sleeps. */
    if (atomic_compare_exchange_strong_explicit(&pacer->wake_at_ns, &planned_ns, AWAKE,
                                                memory_order_acq_rel, memory_order_relaxed))
        sem_post(&pacer->wake);
}

static void fill(struct parcel *parcel, const void *bytes, size_t len, size_t destination,
                 const int64_t *deliver_ns, int copies)
{
    memcpy(parcel->bytes, bytes, len);
    parcel->len = len;
    parcel->destination = destination;
    parcel->copies = copies;
    for (int i = 0; i < copies; i++)
        parcel->deliver_ns[i] = deliver_ns[i];
}

int vox_pacer_push(struct vox_pacer *pacer, const void *bytes, size_t len, size_t destination,
                   const int64_t *deliver_ns, int copies)
{
    if (pacer->stopped)
        return VOX_EEND;
    if (len == 0 || len > VOX_PACER_DATAGRAM_BYTES || destination >= pacer->destination_count ||
        copies < 0 || copies > VOX_PACER_COPIES)
        return VOX_EINVAL;
    if (copies == 0)
        return 0;
    const uint32_t *unused = vox_ring_peek(pacer->free_parcels);
    uint32_t *slot = unused ? vox_ring_reserve(pacer->pushed) : NULL;
    if (!slot) {
        atomic_fetch_add_explicit(&pacer->overflow, 1, memory_order_relaxed);
        return VOX_ELIMIT;
    }
    *slot = *unused;
    vox_ring_release(pacer->free_parcels);
    fill(&pacer->parcels[*slot], bytes, len, destination, deliver_ns, copies);
    int64_t earliest_ns = deliver_ns[0];
    for (int i = 0; i < copies; i++) {
        if (deliver_ns[i] < earliest_ns)
            earliest_ns = deliver_ns[i];
        if (deliver_ns[i] > pacer->last_due_ns)
            pacer->last_due_ns = deliver_ns[i];
    }
    atomic_fetch_add_explicit(&pacer->pending, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&pacer->pushed_count, 1, memory_order_relaxed);
    vox_ring_commit(pacer->pushed);
    wake_if_later(pacer, earliest_ns);
    return 0;
}

size_t vox_pacer_pending(const struct vox_pacer *pacer)
{
    return atomic_load_explicit(&pacer->pending, memory_order_acquire);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

size_t vox_pacer_drain(struct vox_pacer *pacer, int64_t until_ns)
{
    size_t left = vox_pacer_pending(pacer);
    if (left > 0 && !pacer->stopped)
        vox_clock_sleep_until(earlier(pacer->last_due_ns, until_ns));
    while ((left = vox_pacer_pending(pacer)) > 0 && !pacer->stopped) {
        int64_t now_ns = vox_clock_now_ns();
        if (now_ns >= until_ns)
            break;
        vox_clock_sleep_until(earlier(now_ns + DRAIN_STEP_NS, until_ns));
    }
    return left;
}

void vox_pacer_stop(struct vox_pacer *pacer)
{
    if (pacer->stopped)
        return;
    pacer->stopped = true;
    atomic_store_explicit(&pacer->stopping, true, memory_order_release);
    sem_post(&pacer->wake);
    pthread_join(pacer->thread, NULL);
}

void vox_pacer_read_stats(const struct vox_pacer *pacer, struct vox_pacer_stats *out)
{
    bool has_failed = atomic_load_explicit(&pacer->has_failed, memory_order_acquire);
    *out = (struct vox_pacer_stats){
        .pushed = atomic_load_explicit(&pacer->pushed_count, memory_order_relaxed),
        .sent = atomic_load_explicit(&pacer->sent, memory_order_relaxed),
        .failed = atomic_load_explicit(&pacer->failed, memory_order_relaxed),
        .overflow = atomic_load_explicit(&pacer->overflow, memory_order_relaxed),
        .failure = has_failed ? pacer->failure.text : NULL,
        .realtime = atomic_load_explicit(&pacer->realtime_granted, memory_order_relaxed),
    };
}

const struct vox_histogram *vox_pacer_late(const struct vox_pacer *pacer)
{
    return &pacer->late;
}
