/*
 * Whether the system still gives file descriptors: asked before an event loop is made, since libuv
 * aborts where it finds none.
 *
 *     if (!vox_files_are_left())    // it was said
 *         return VOX_EXIT_FAILED;
 *
 * Thread rule: none.
 */
#ifndef VOX_CLI_FILES_H
#define VOX_CLI_FILES_H

#include <stdbool.h>

/* For a loop, its signals and its wake-ups; sockets and files say themselves what they lack. */
enum { VOX_FILES_OF_A_LOOP = 6 };

/* False: no, and an error message has said so. */
bool vox_files_are_left(void);

#endif
