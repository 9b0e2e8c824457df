#include "lab/agenda.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"

static void add(struct vox_agenda *agenda, int64_t t_ns, int kind, int who)
{
    assert_int_equal(
        vox_agenda_add(agenda, &(struct vox_appointment){.t_ns = t_ns, .kind = kind, .who = who}),
        0);
}

static void the_earliest_comes_first(void **state)
{
    (void)state;
    struct vox_agenda agenda;
    struct vox_appointment next;
    vox_agenda_init(&agenda);
    assert_true(vox_agenda_next_ns(&agenda) == VOX_NS_NEVER);
    assert_false(vox_agenda_take(&agenda, &next));
    add(&agenda, 30, 0, 1);
    add(&agenda, 10, 0, 2);
    add(&agenda, 20, 0, 3);
    assert_true(vox_agenda_next_ns(&agenda) == 10);
    for (int i = 0; i < 3; i++) {
        static const int expected[] = {2, 3, 1};
        assert_true(vox_agenda_take(&agenda, &next));
        assert_int_equal(next.who, expected[i]);
    }
    vox_agenda_clear(&agenda);
}

static void at_the_same_time_kinds_and_then_their_order_decide(void **state)
{
    (void)state;
    struct vox_agenda agenda;
    struct vox_appointment next;
    vox_agenda_init(&agenda);
    for (int who = 0; who < 100; who++)
        add(&agenda, 5, who % 2, who);
    for (int i = 0; i < 100; i++) {
        assert_true(vox_agenda_take(&agenda, &next));
        assert_int_equal(next.who, i < 50 ? 2 * i : 2 * (i - 50) + 1);
    }
    vox_agenda_clear(&agenda);
}

/* Against the plainest model: the smallest of an unsorted list. */
static void random_use_never_goes_back_in_time(void **state)
{
    (void)state;
    struct vox_agenda agenda;
    struct vox_appointment next;
    struct vox_rng rng;
    int64_t now = 0;
    size_t held = 0;
    vox_agenda_init(&agenda);
    vox_rng_init(&rng, 11, 0);
    for (int i = 0; i < 20000; i++) {
        if (vox_rng_u32(&rng) % 3) {
            add(&agenda, now + vox_rng_u32(&rng) % 1000, 0, i);
            held++;
        } else if (vox_agenda_take(&agenda, &next)) {
            assert_true(next.t_ns >= now);
            now = next.t_ns;
            held--;
        }
        assert_int_equal(agenda.count, held);
    }
    while (vox_agenda_take(&agenda, &next)) {
        assert_true(next.t_ns >= now);
        now = next.t_ns;
        held--;
    }
    assert_int_equal(held, 0);
    vox_agenda_clear(&agenda);
}

RUN(cmocka_unit_test(the_earliest_comes_first),
    cmocka_unit_test(at_the_same_time_kinds_and_then_their_order_decide),
    cmocka_unit_test(random_use_never_goes_back_in_time))
