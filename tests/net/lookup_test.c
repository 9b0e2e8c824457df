/* Names looked up on a thread of its own: what is asked answers as the test has it. */
#include "net/lookup.h"

#include "base/err.h"
#include "ends.h"
#include "support/test.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static struct {
    sem_t asked, may_answer, answered;
} gate;

static void init_gate(void)
{
    sem_init(&gate.asked, 0, 0);
    sem_init(&gate.may_answer, 0, 0);
    sem_init(&gate.answered, 0, 0);
}

static int answer_when_let(void *ctx, const struct vox_endpoint *endpoint,
                           const struct vox_address_hints *hints, struct vox_address *out,
                           size_t most)
{
    const int *outcome = ctx;
    assert_string_equal(endpoint->host, "studio");
    assert_int_equal(hints->family, AF_INET);
    assert_int_equal(most, VOX_ADDRESS_MAX_FOUND);
    sem_post(&gate.asked);
    sem_wait(&gate.may_answer);
    for (int i = 0; i < *outcome; i++)
        out[i] = address_of("192.0.2.7", false);
    sem_post(&gate.answered);
    return *outcome;
}

static struct vox_lookup *start(int *outcome)
{
    const struct vox_lookup_question question = {.endpoint = {.host = "studio"},
                                                 .hints = {.family = AF_INET},
                                                 .resolve = answer_when_let,
                                                 .ctx = outcome};
    struct vox_lookup *lookup;
    assert_int_equal(vox_lookup_start(&question, &lookup), 0);
    sem_wait(&gate.asked);
    return lookup;
}

static int readable(const struct vox_lookup *lookup, int timeout_ms)
{
    struct pollfd fd = {.fd = vox_lookup_fd(lookup), .events = POLLIN};
    return poll(&fd, 1, timeout_ms);
}

static void wakes_with_what_was_found(void **state)
{
    (void)state;
    static int outcomes[] = {3, VOX_EADDRESS, VOX_ADDRESS_MAX_FOUND, VOX_ENOTFOUND};
    init_gate();
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        struct vox_address found[VOX_ADDRESS_MAX_FOUND], expected = address_of("192.0.2.7", false);
        struct vox_lookup *lookup = start(&outcomes[i]);
        assert_int_equal(readable(lookup, 0), 0);
        sem_post(&gate.may_answer);
        assert_int_equal(readable(lookup, PATIENCE_MS), 1);
        assert_int_equal(vox_lookup_take(lookup, found), outcomes[i]);
        for (int f = 0; f < outcomes[i]; f++)
            assert_true(vox_address_equal(&found[f], &expected));
        vox_lookup_destroy(lookup);
        sem_wait(&gate.answered);
    }
    vox_lookup_destroy(NULL);
}

/* The name server takes its time; nobody waits for it any more, and nothing is left behind. */
static void may_be_left_while_it_asks(void **state)
{
    (void)state;
    static int outcome = 1;
    init_gate();
    vox_lookup_destroy(start(&outcome));
    sem_post(&gate.may_answer);
    sem_wait(&gate.answered);
}

static int tell_mask(void *ctx, const struct vox_endpoint *endpoint,
                     const struct vox_address_hints *hints, struct vox_address *out, size_t most)
{
    (void)endpoint, (void)hints, (void)out, (void)most;
    pthread_sigmask(SIG_SETMASK, NULL, ctx);
    return VOX_ENOTFOUND;
}

/* Else the one who waits for it, in poll, might sleep on. */
static void leaves_signals_to_the_program(void **state)
{
    (void)state;
    sigset_t inside, outside;
    const struct vox_lookup_question question = {.resolve = tell_mask, .ctx = &inside};
    struct vox_lookup *lookup;
    assert_int_equal(vox_lookup_start(&question, &lookup), 0);
    assert_int_equal(readable(lookup, PATIENCE_MS), 1);
    assert_int_equal(sigismember(&inside, SIGINT), 1);
    pthread_sigmask(SIG_SETMASK, NULL, &outside);
    assert_int_equal(sigismember(&outside, SIGINT), 0);
    vox_lookup_destroy(lookup);
}

static void asks_the_system(void **state)
{
    (void)state;
    struct vox_lookup_question question = {
        .endpoint = {.host = "localhost", .port = 77},
        .hints = {.family = AF_INET},
    };
    struct vox_address found[VOX_ADDRESS_MAX_FOUND];
    struct vox_lookup *lookup;
    assert_int_equal(vox_lookup_start(&question, &lookup), 0);
    assert_int_equal(readable(lookup, PATIENCE_MS), 1);
    assert_true(vox_lookup_take(lookup, found) >= 1);
    assert_true(vox_address_is_loopback(&found[0]));
    assert_int_equal(vox_address_port(&found[0]), 77);
    vox_lookup_destroy(lookup);
}

RUN(cmocka_unit_test(wakes_with_what_was_found), cmocka_unit_test(may_be_left_while_it_asks),
    cmocka_unit_test(leaves_signals_to_the_program), cmocka_unit_test(asks_the_system))
