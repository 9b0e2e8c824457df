#include "cli/status.h"

#include "cli/meter.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_BYTES = 1024, DEFAULT_COLUMNS = 80 };

#define ERASE_TO_END "\033[K"
#define PLAIN "\033[0m"

void vox_status_init(struct vox_status *status, int fd, int64_t interval_ns)
{
    const char *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;
    *status = (struct vox_status){.fd = fd,
                                  .terminal = isatty(fd) && !dumb,
                                  .interval_ns = interval_ns,
                                  .next_ns = INT64_MIN};
}

bool vox_status_due(const struct vox_status *status, int64_t now_ns)
{
    return status->terminal && now_ns >= status->next_ns;
}

static size_t terminal_columns(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return DEFAULT_COLUMNS;
    return size.ws_col;
}

/* A stopped terminal has no room; the line is lost then, and the next one replaces it anyway. */
static bool write_if_room(int fd, const char *bytes, size_t len)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) && write(fd, bytes, len) > 0;
}

void vox_status_show(struct vox_status *status, const char *text, int64_t now_ns)
{
    if (!vox_status_due(status, now_ns))
        return;
    status->next_ns = now_ns + status->interval_ns;
    /* The last column stays free: some terminals go to the next line when it is written. */
    size_t bytes = vox_meter_cut(text, terminal_columns(status->fd) - 1);
    char line[LINE_BYTES];
    int len = snprintf(line, sizeof line, "\r%.*s%s" ERASE_TO_END, (int)bytes, text,
                       text[bytes] ? PLAIN : "");
    if (len > 0 && (size_t)len < sizeof line && write_if_room(status->fd, line, (size_t)len))
        status->shown = true;
}

void vox_status_clear(struct vox_status *status)
{
    static const char erase[] = "\r" ERASE_TO_END;
    if (!status->shown)
        return;
    write_if_room(status->fd, erase, sizeof erase - 1);
    status->shown = false;
    /* What was taken away may come back with the next show, without waiting for its turn. */
    status->next_ns = INT64_MIN;
}
