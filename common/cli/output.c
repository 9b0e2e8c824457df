#include "cli/output.h"

#include "cli/message.h"
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void vox_output_prepare(void)
{
    /* In their order, since open takes the lowest number that is free. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* Returns 0 or a positive errno. */
static int close_stdout(void)
{
    int errno_value = 0;
    if (fflush(stdout) != 0)
        errno_value = errno;
    else if (ferror(stdout)) /* some time before, for a reason that is not known any more */
        errno_value = EIO;
    if (fclose(stdout) != 0 && errno_value == 0)
        errno_value = errno;
    return errno_value;
}

int vox_output_close(int status)
{
    int errno_value = close_stdout();
    if (errno_value == 0 || status != VOX_EXIT_DONE)
        return status;
    vox_message_error("cannot write to standard output: %s; %s", strerror(errno_value),
                      errno_value == EPIPE ? "the program that read it has ended"
                                           : "check where it leads to");
    return VOX_EXIT_FAILED;
}
