#include "base/rt.h"
#include "support/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void depth_counts_nested_sections(void **state)
{
    (void)state;
    assert_int_equal(vox_rt_depth(), 0);
    vox_rt_enter();
    vox_rt_enter();
    assert_int_equal(vox_rt_depth(), 2);
    vox_rt_leave();
    vox_rt_leave();
    assert_int_equal(vox_rt_depth(), 0);
}

#ifdef VOX_TEST_RT_GUARD

/* Where the compiler cannot see that they are not needed. */
static void *volatile block;
static char *(*volatile library_copies)(const char *) = strdup;

static void allocate(void)
{
    block = malloc(100);
}

static void allocate_cleared(void)
{
    block = calloc(10, 10);
}

static void allocate_more(void)
{
    block = realloc(block, 100000);
}

static void allocate_aligned(void)
{
    block = aligned_alloc(64, 128);
}

static void give_back(void)
{
    free(block);
}

/* Inside the C library, so that the call does not come from an object of ours. */
static void let_a_library_allocate(void)
{
    block = library_copies("text");
}

static void free_nothing(void)
{
    free(NULL);
}

/* How a child ends that does this between enter and leave: 0, or the number of a signal. */
static int end_of(void (*act)(void))
{
    block = malloc(10);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        close(STDERR_FILENO);     /* the guard says what it caught */
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        vox_rt_enter();
        act();
        vox_rt_leave();
        _exit(0);
    }
    int status = -1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    free(block);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void the_guard_aborts_who_allocates(void **state)
{
    (void)state;
    assert_int_equal(end_of(allocate), SIGABRT);
    assert_int_equal(end_of(allocate_cleared), SIGABRT);
    assert_int_equal(end_of(allocate_more), SIGABRT);
    assert_int_equal(end_of(allocate_aligned), SIGABRT);
    assert_int_equal(end_of(give_back), SIGABRT);
    assert_int_equal(end_of(let_a_library_allocate), SIGABRT);
    assert_int_equal(end_of(free_nothing), 0);
}

RUN(cmocka_unit_test(depth_counts_nested_sections),
    cmocka_unit_test(the_guard_aborts_who_allocates))

#else /* sanitizers have an allocator of their own */

RUN(cmocka_unit_test(depth_counts_nested_sections))

#endif
