#include "net/backoff.h"

#include "support/test.h"

static void expect_pause(struct vox_backoff *backoff, int64_t now_ns, int64_t pause_ns)
{
    int64_t waits_ns = vox_backoff_failed(backoff, now_ns) - now_ns;
    if (waits_ns < pause_ns * 3 / 4 || waits_ns > pause_ns)
        fail_msg("%d ms is not 75..100 %% of %d ms", (int)(waits_ns / VOX_NS_PER_MS),
                 (int)(pause_ns / VOX_NS_PER_MS));
}

static void pauses_double_up_to_the_longest(void **state)
{
    (void)state;
    struct vox_backoff backoff;
    vox_backoff_init(&backoff, 1);
    static const int pauses_ms[] = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000, 10000};
    int64_t now_ns = 0;
    for (size_t i = 0; i < COUNT(pauses_ms); i++) {
        expect_pause(&backoff, now_ns, pauses_ms[i] * VOX_NS_PER_MS);
        now_ns += VOX_NS_PER_S;
    }
}

static void a_connection_that_lived_starts_anew(void **state)
{
    (void)state;
    struct vox_backoff backoff;
    vox_backoff_init(&backoff, 2);
    expect_pause(&backoff, 0, VOX_BACKOFF_FIRST_NS);
    expect_pause(&backoff, 0, 2 * VOX_BACKOFF_FIRST_NS);
    vox_backoff_connected(&backoff, 5);
    expect_pause(&backoff, 5 + VOX_BACKOFF_LIVED_NS, VOX_BACKOFF_FIRST_NS);
    expect_pause(&backoff, 5 + 9 * VOX_BACKOFF_LIVED_NS, 2 * VOX_BACKOFF_FIRST_NS);
}

static void one_that_ended_at_once_does_not(void **state)
{
    (void)state;
    struct vox_backoff backoff;
    vox_backoff_init(&backoff, 3);
    expect_pause(&backoff, 0, VOX_BACKOFF_FIRST_NS);
    vox_backoff_connected(&backoff, 5);
    expect_pause(&backoff, 4 + VOX_BACKOFF_LIVED_NS, 2 * VOX_BACKOFF_FIRST_NS);
}

static void a_crowd_comes_back_apart(void **state)
{
    (void)state;
    int first_half = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct vox_backoff backoff;
        vox_backoff_init(&backoff, seed);
        first_half += vox_backoff_failed(&backoff, 0) < VOX_BACKOFF_FIRST_NS * 7 / 8;
    }
    assert_in_range(first_half, 400, 600);
}

RUN(cmocka_unit_test(pauses_double_up_to_the_longest),
    cmocka_unit_test(a_connection_that_lived_starts_anew),
    cmocka_unit_test(one_that_ended_at_once_does_not), cmocka_unit_test(a_crowd_comes_back_apart))
