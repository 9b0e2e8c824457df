#include "net/backlog.h"

#include "base/rng.h"
#include "support/test.h"

static void keeps_order_and_lengths(void **state)
{
    (void)state;
    static const char *const words[] = {"one", "", "three", "4"};
    static uint8_t out[VOX_BACKLOG_LONGEST_BYTES];
    struct vox_backlog backlog;
    assert_int_equal(vox_backlog_init(&backlog, 100), 0);
    assert_int_equal(vox_backlog_peek(&backlog, out), -1);
    for (size_t i = 0; i < COUNT(words); i++)
        assert_int_equal(vox_backlog_push(&backlog, words[i], strlen(words[i])), 0);
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_int_equal(vox_backlog_peek(&backlog, out), strlen(words[i]));
        assert_memory_equal(out, words[i], strlen(words[i]));
        vox_backlog_pop(&backlog);
    }
    assert_int_equal(vox_backlog_peek(&backlog, out), -1);
    vox_backlog_free(&backlog);
}

static void the_oldest_go(void **state)
{
    (void)state;
    static uint8_t out[VOX_BACKLOG_LONGEST_BYTES];
    struct vox_backlog backlog;
    assert_int_equal(vox_backlog_init(&backlog, 10), 0);
    assert_int_equal(vox_backlog_push(&backlog, "ab", 2), 0);
    assert_int_equal(vox_backlog_push(&backlog, "cd", 2), 0);
    assert_int_equal(vox_backlog_push(&backlog, "e", 1), 1);
    assert_int_equal(vox_backlog_peek(&backlog, out), 2);
    assert_memory_equal(out, "cd", 2);
    assert_int_equal(vox_backlog_push(&backlog, "12345678", 8), 2);
    assert_int_equal(vox_backlog_push(&backlog, "123456789", 9), 1); /* itself */
    assert_int_equal(vox_backlog_peek(&backlog, out), 8);
    assert_int_equal(vox_backlog_clear(&backlog), 1);
    assert_int_equal(backlog.bytes, 0);
    vox_backlog_free(&backlog);
}

/* Against numbers that say where each begins and ends, over many turns of the ring. */
static void nothing_is_torn(void **state)
{
    (void)state;
    enum { CAPACITY = 997, ROUNDS = 20000 };
    static uint8_t bytes[300], out[VOX_BACKLOG_LONGEST_BYTES];
    struct vox_backlog backlog;
    struct vox_rng rng;
    size_t in = 0, next = 0;
    vox_rng_init(&rng, 1, 0);
    assert_int_equal(vox_backlog_init(&backlog, CAPACITY), 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (vox_rng_u32(&rng) % 2) {
            size_t len = in * 7 % sizeof bytes;
            memset(bytes, (int)(in % 251), len);
            next += vox_backlog_push(&backlog, bytes, len);
            in++;
        } else if (next < in) {
            int len = vox_backlog_peek(&backlog, out);
            assert_int_equal(len, next * 7 % sizeof bytes);
            for (int b = 0; b < len; b++)
                assert_int_equal(out[b], next % 251);
            vox_backlog_pop(&backlog);
            next++;
        }
    }
    assert_int_equal(vox_backlog_clear(&backlog), in - next);
    vox_backlog_free(&backlog);
}

RUN(cmocka_unit_test(keeps_order_and_lengths), cmocka_unit_test(the_oldest_go),
    cmocka_unit_test(nothing_is_torn))
