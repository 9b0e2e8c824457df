#include "receiver/jitter.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/rt.h"
#include "support/test.h"

enum { SLOTS = 64, STEPS = 200000 };

static struct vox_jitter *jitter;

static int setup(void **state)
{
    (void)state;
    return vox_jitter_create(SLOTS, &jitter);
}

static int teardown(void **state)
{
    (void)state;
    vox_jitter_destroy(jitter);
    return 0;
}

static enum vox_insert insert(int64_t index)
{
    uint8_t payload[16];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(index + (int64_t)i);
    vox_rt_enter();
    enum vox_insert result =
        vox_jitter_insert(jitter, &(struct vox_packet){.index = index,
                                                       .ts = 960 * index,
                                                       .payload = payload,
                                                       .payload_bytes = 1 + (size_t)(index & 7)});
    vox_rt_leave();
    return result;
}

static void expect_head(int64_t index)
{
    const struct vox_packet *head = vox_jitter_head(jitter);
    assert_non_null(head);
    assert_int_equal(head->index, index);
    assert_int_equal(head->ts, 960 * index);
    assert_int_equal(head->payload_bytes, 1 + (index & 7));
    for (size_t i = 0; i < head->payload_bytes; i++)
        assert_int_equal(head->payload[i], (uint8_t)(index + (int64_t)i));
}

static void orders_and_drops_copies(void **state)
{
    (void)state;
    assert_null(vox_jitter_head(jitter));
    assert_int_equal(insert(12), VOX_INSERT_STORED);
    assert_int_equal(insert(10), VOX_INSERT_STORED); /* any may lead before the first pop */
    assert_int_equal(insert(11), VOX_INSERT_STORED);
    assert_int_equal(insert(11), VOX_INSERT_DUPLICATE);
    assert_int_equal(vox_jitter_count(jitter), 3);
    assert_int_equal(vox_jitter_newest(jitter), 12);
    for (int64_t index = 10; index <= 12; index++) {
        expect_head(index);
        vox_jitter_pop(jitter);
    }
    assert_null(vox_jitter_head(jitter));
    assert_int_equal(insert(11), VOX_INSERT_DUPLICATE); /* played, and still known */
    assert_int_equal(insert(9), VOX_INSERT_LATE);
    assert_int_equal(insert(9), VOX_INSERT_DUPLICATE);
    assert_int_equal(insert(13), VOX_INSERT_STORED);
}

static void a_number_that_was_passed_over_is_late(void **state)
{
    (void)state;
    insert(0);
    insert(5);
    vox_jitter_pop(jitter);
    assert_int_equal(insert(3), VOX_INSERT_STORED); /* not yet passed over */
    expect_head(3);
    vox_jitter_pop(jitter);
    vox_jitter_pop(jitter);
    assert_int_equal(insert(4), VOX_INSERT_LATE);
}

static void refuses_what_is_a_ring_away(void **state)
{
    (void)state;
    insert(100);
    assert_int_equal(insert(100 + SLOTS), VOX_INSERT_FULL);
    assert_int_equal(insert(100 + SLOTS - 1), VOX_INSERT_STORED);
    assert_int_equal(insert(99), VOX_INSERT_FULL);
    expect_head(100);
    vox_jitter_pop(jitter);
    assert_int_equal(insert(100 + SLOTS), VOX_INSERT_STORED);
    expect_head(100 + SLOTS - 1);
    vox_jitter_pop(jitter);
    vox_jitter_pop(jitter);
    assert_int_equal(insert(1000000), VOX_INSERT_STORED); /* empty: no neighbour to collide with */
}

static void refuses_a_payload_too_long(void **state)
{
    (void)state;
    static uint8_t payload[VOX_RTP_MAX_BYTES + 1];
    struct vox_packet packet = {.payload = payload, .payload_bytes = sizeof payload};
    assert_int_equal(vox_jitter_insert(jitter, &packet), VOX_INSERT_FULL);
    packet.payload_bytes--;
    assert_int_equal(vox_jitter_insert(jitter, &packet), VOX_INSERT_STORED);
}

static void reset_forgets_all(void **state)
{
    (void)state;
    insert(7);
    insert(8);
    vox_jitter_pop(jitter);
    vox_jitter_reset(jitter);
    assert_null(vox_jitter_head(jitter));
    assert_int_equal(insert(7), VOX_INSERT_STORED);
    expect_head(7);
}

static void refuses_odd_sizes(void **state)
{
    (void)state;
    struct vox_jitter *none = NULL;
    assert_int_equal(vox_jitter_create(0, &none), VOX_EINVAL);
    assert_int_equal(vox_jitter_create(48, &none), VOX_EINVAL);
    assert_null(none);
    vox_jitter_destroy(NULL);
}

/* ---- against a model: a plain array of what is inside ---- */

struct model {
    int64_t inside[SLOTS];
    size_t count;
    bool popped;
    int64_t passed;
    int64_t seen[SLOTS]; /* the highest number that was there, by its remainder */
};

static size_t place(int64_t index)
{
    return (size_t)(((index % SLOTS) + SLOTS) % SLOTS);
}

static bool is_inside(const struct model *m, int64_t index)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->inside[i] == index)
            return true;
    return false;
}

static size_t lowest(const struct model *m)
{
    size_t at = 0;
    for (size_t i = 1; i < m->count; i++)
        if (m->inside[i] < m->inside[at])
            at = i;
    return at;
}

static bool collides(const struct model *m, int64_t index)
{
    for (size_t i = 0; i < m->count; i++)
        if (llabs(m->inside[i] - index) >= SLOTS)
            return true;
    return false;
}

static bool model_knows(const struct model *m, int64_t index)
{
    return is_inside(m, index) || m->seen[place(index)] == index ||
           (m->popped && index <= m->passed);
}

static enum vox_insert model_insert(struct model *m, int64_t index)
{
    if (is_inside(m, index) || m->seen[place(index)] == index)
        return VOX_INSERT_DUPLICATE;
    if (m->popped && index <= m->passed) {
        if (m->seen[place(index)] < index)
            m->seen[place(index)] = index;
        return VOX_INSERT_LATE;
    }
    if (collides(m, index))
        return VOX_INSERT_FULL;
    m->inside[m->count++] = index;
    m->seen[place(index)] = index;
    return VOX_INSERT_STORED;
}

static void model_pop(struct model *m)
{
    if (m->count == 0)
        return;
    size_t at = lowest(m);
    m->popped = true;
    m->passed = m->inside[at];
    m->inside[at] = m->inside[--m->count];
}

static void compare(const struct model *m, uint64_t seed, int step)
{
    if (vox_jitter_count(jitter) != m->count)
        fail_msg("seed %llu, step %d: %zu packets instead of %zu", (unsigned long long)seed, step,
                 vox_jitter_count(jitter), m->count);
    if (m->count == 0)
        assert_null(vox_jitter_head(jitter));
    else
        expect_head(m->inside[lowest(m)]);
}

static void one_walk(uint64_t seed, int64_t start)
{
    struct vox_rng rng;
    struct model m = {.count = 0};
    int64_t around = start;
    vox_rng_init(&rng, seed, 0);
    for (size_t i = 0; i < SLOTS; i++)
        m.seen[i] = INT64_MIN;
    vox_jitter_reset(jitter);
    for (int step = 0; step < STEPS; step++) {
        if (vox_rng_uniform(&rng) < 0.55) {
            around += vox_rng_uniform(&rng) < 0.001 ? 500 : vox_rng_uniform(&rng) < 0.4;
            int64_t index = around + (int64_t)(vox_rng_uniform(&rng) * 100) - 60;
            if (vox_jitter_knows(jitter, index) != model_knows(&m, index))
                fail_msg("seed %llu, step %d: %d", (unsigned long long)seed, step, (int)index);
            enum vox_insert wanted = model_insert(&m, index), got = insert(index);
            if (got != wanted)
                fail_msg("seed %llu, step %d: %d became %d instead of %d", (unsigned long long)seed,
                         step, (int)index, got, wanted);
        } else {
            model_pop(&m);
            vox_jitter_pop(jitter);
        }
        compare(&m, seed, step);
    }
}

static void behaves_like_a_plain_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        one_walk(seed, seed % 2 ? -30 : 65500); /* across 0 and across 2^16 */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(orders_and_drops_copies), TEST(a_number_that_was_passed_over_is_late),
    TEST(refuses_what_is_a_ring_away), TEST(refuses_a_payload_too_long), TEST(reset_forgets_all),
    TEST(refuses_odd_sizes), TEST(behaves_like_a_plain_array))
