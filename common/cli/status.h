/*
 * The line at the bottom of the terminal that is rewritten in place. Elsewhere than on a terminal
 * it shows nothing. It never blocks: a terminal that takes no bytes (stopped by Ctrl-S, a slow
 * link) misses a line, the sound does not.
 *
 *     struct vox_status status;
 *     vox_status_init(&status, STDERR_FILENO, 100 * VOX_NS_PER_MS);
 *     vox_message_set_status(&status);             // messages clear it first
 *     if (vox_status_due(&status, now_ns))
 *         vox_status_show(&status, text, now_ns);
 *     vox_status_clear(&status);
 *
 * Thread rule: value, one owner.
 */
#ifndef VOX_CLI_STATUS_H
#define VOX_CLI_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct vox_status {
    int fd;
    bool terminal;
    bool shown;
    int64_t interval_ns;
    int64_t next_ns;
};

/* interval_ns: the least time between two lines. */
void vox_status_init(struct vox_status *status, int fd, int64_t interval_ns);
/* Whether show would write now: build the text only then. */
bool vox_status_due(const struct vox_status *status, int64_t now_ns);
/* Rewrites the line, cut to the terminal's width, unless it is too early or would block. */
void vox_status_show(struct vox_status *status, const char *text, int64_t now_ns);
/* Takes the line away, if one is there. */
void vox_status_clear(struct vox_status *status);

#endif
