#include "base/err.h"
#include "base/ring.h"
#include "support/test.h"

#include <pthread.h>
#include <sched.h>

static void refuses_nothing_to_hold(void **state)
{
    (void)state;
    struct vox_ring *ring = NULL;
    assert_int_equal(vox_ring_create(0, 8, &ring), VOX_EINVAL);
    assert_int_equal(vox_ring_create(8, 0, &ring), VOX_EINVAL);
    assert_null(ring);
}

static void gives_back_in_order_and_refuses_when_full(void **state)
{
    (void)state;
    struct vox_ring *ring;
    assert_int_equal(vox_ring_create(3, sizeof(int), &ring), 0);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++) {
            int *slot = vox_ring_reserve(ring);
            assert_non_null(slot);
            *slot = round + i;
            vox_ring_commit(ring);
        }
        assert_null(vox_ring_reserve(ring));
        assert_int_equal(vox_ring_count(ring), 4);
        for (int i = 0; i < 4; i++) {
            const int *slot = vox_ring_peek(ring);
            assert_int_equal(*slot, round + i);
            vox_ring_release(ring);
        }
        assert_null(vox_ring_peek(ring));
    }
    vox_ring_destroy(ring);
}

enum { CROSSINGS = 200000 };

static void *produce(void *arg)
{
    struct vox_ring *ring = arg;
    for (uint64_t i = 0; i < CROSSINGS;) {
        uint64_t *slot = vox_ring_reserve(ring);
        if (!slot) {
            sched_yield();
            continue;
        }
        slot[0] = i;
        slot[1] = ~i;
        vox_ring_commit(ring);
        i++;
    }
    return NULL;
}

static void two_threads_lose_nothing(void **state)
{
    (void)state;
    struct vox_ring *ring;
    assert_int_equal(vox_ring_create(64, 2 * sizeof(uint64_t), &ring), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
    for (uint64_t i = 0; i < CROSSINGS;) {
        const uint64_t *slot = vox_ring_peek(ring);
        if (!slot) {
            sched_yield();
            continue;
        }
        assert_true(slot[0] == i && slot[1] == ~i);
        vox_ring_release(ring);
        i++;
    }
    pthread_join(thread, NULL);
    vox_ring_destroy(ring);
}

RUN(cmocka_unit_test(refuses_nothing_to_hold),
    cmocka_unit_test(gives_back_in_order_and_refuses_when_full),
    cmocka_unit_test(two_threads_lose_nothing))
