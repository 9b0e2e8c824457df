#include "cli/files.h"

#include "cli/message.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool vox_files_are_left(void)
{
    int fds[VOX_FILES_OF_A_LOOP];
    int count = 0, errno_value = 0;
    while (count < VOX_FILES_OF_A_LOOP && errno_value == 0) {
        fds[count] = eventfd(0, EFD_CLOEXEC);
        if (fds[count] < 0)
            errno_value = errno;
        else
            count++;
    }
    while (count > 0)
        close(fds[--count]);
    bool none = errno_value == EMFILE || errno_value == ENFILE;
    if (none)
        vox_message_error("cannot start: %s; raise the limit (ulimit -n), or close other programs",
                          strerror(errno_value));
    return !none;
}
