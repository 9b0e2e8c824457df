/*
 * Sockets of TCP that are none of ours: the other side of a stream, to misbehave as it likes. What
 * fails, fails the test.
 */
#ifndef VOX_TEST_BARE_H
#define VOX_TEST_BARE_H

#include "ends.h"

#include <stddef.h>

int bare_socket(void);
int bare_connect(const struct end *server);

/*
 * A place at which nobody listens: bound, so that the system gives it to no other program. listen()
 * makes a server of it; a server of ours may have the same place beside it (SO_REUSEADDR). at: an
 * address with port 0, or the port that it has then.
 */
int closed_place(struct vox_address *at);

void write_all(int fd, const void *bytes, size_t len);
/* Closes, and the other side sees a reset. */
void reset(int fd);

#endif
