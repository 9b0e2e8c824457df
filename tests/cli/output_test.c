/* The end of a program, in a child that has the standard output in question. */
#include "cli/output.h"

#include "cli/message.h"
#include "cli/options.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NO_STDOUT = -1 };

struct ending {
    const char *text; /* to be written; NULL: nothing */
    bool early;       /* the program has seen that it failed, and gone on */
    int status;
};

/* The exit status of a child; what it says goes to said. */
static int end_with(const struct ending *ending, int stdout_fd, char *said, size_t size)
{
    int pipe_fds[2], status;
    assert_return_code(pipe(pipe_fds), errno);
    fflush(NULL);
    pid_t child = fork();
    assert_return_code(child, errno);
    if (child == 0) {
        FILE *messages = fdopen(pipe_fds[1], "w");
        vox_message_init("it", messages);
        if (stdout_fd == NO_STDOUT)
            close(STDOUT_FILENO);
        else
            dup2(stdout_fd, STDOUT_FILENO);
        vox_output_prepare();
        if (ending->text)
            fputs(ending->text, stdout);
        if (ending->early)
            fflush(stdout);
        _exit(vox_output_close(ending->status));
    }
    close(pipe_fds[1]);
    ssize_t len = 0, more;
    while ((more = read(pipe_fds[0], said + len, size - 1 - (size_t)len)) > 0)
        len += more;
    said[len] = '\0';
    close(pipe_fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void what_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    static const struct {
        struct ending ending;
        int full, none, good; /* the status with each standard output */
    } rows[] = {
        {{"text", false, VOX_EXIT_DONE}, VOX_EXIT_FAILED, VOX_EXIT_FAILED, VOX_EXIT_DONE},
        {{"text", true, VOX_EXIT_DONE}, VOX_EXIT_FAILED, VOX_EXIT_FAILED, VOX_EXIT_DONE},
        {{NULL, false, VOX_EXIT_DONE}, VOX_EXIT_DONE, VOX_EXIT_DONE, VOX_EXIT_DONE},
        {{NULL, true, VOX_EXIT_USAGE}, VOX_EXIT_USAGE, VOX_EXIT_USAGE, VOX_EXIT_USAGE},
        {{"text", false, VOX_EXIT_USAGE}, VOX_EXIT_USAGE, VOX_EXIT_USAGE, VOX_EXIT_USAGE},
        {{"text", true, VOX_EXIT_FAILED}, VOX_EXIT_FAILED, VOX_EXIT_FAILED, VOX_EXIT_FAILED},
    };
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC),
        good = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_return_code(full, errno);
    assert_return_code(good, errno);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char said[500];
        const struct ending *ending = &rows[i].ending;
        bool fails = rows[i].full != ending->status;
        assert_int_equal(end_with(ending, full, said, sizeof said), rows[i].full);
        assert_int_equal(strstr(said, "it: cannot write to standard output: ") != NULL, fails);
        if (fails)
            assert_int_equal(strchr(said, '\n') - said, strlen(said) - 1);
        assert_int_equal(end_with(ending, NO_STDOUT, said, sizeof said), rows[i].none);
        assert_int_equal(end_with(ending, good, said, sizeof said), rows[i].good);
        assert_string_equal(said, "");
    }
    close(full);
    close(good);
}

RUN(cmocka_unit_test(what_cannot_be_written_is_a_failure))
