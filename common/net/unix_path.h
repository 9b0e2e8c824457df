/*
 * Unix sockets that stand in the file system: bound with what a dead program left taken over, and
 * removed again if they are still ours. For this layer's own use.
 *
 *     struct vox_unix_path path;
 *     int err = vox_unix_path_bind(fd, &address, &path);
 *     ...
 *     vox_unix_path_remove(&path);
 *
 * Abstract names (unix(7)) have no file; all of this does nothing more than bind for them.
 *
 * Thread rule: values, one owner.
 */
#ifndef VOX_NET_UNIX_PATH_H
#define VOX_NET_UNIX_PATH_H

#include "net/address.h"

#include <stdbool.h>
#include <sys/stat.h>

/* All private; zeros: nothing to remove. */
struct vox_unix_path {
    struct vox_address address;
    bool is_ours;
    dev_t device;
    ino_t inode;
};

/*
 * Binds. A socket that no program has open is removed first; what is no socket never is.
 * Returns 0 or a negative errno: -EADDRINUSE (a program has it open), -EEXIST (it is no socket).
 */
int vox_unix_path_bind(int fd, const struct vox_address *address, struct vox_unix_path *out);

/* Removes the file, unless somebody else has put another in its place. */
void vox_unix_path_remove(const struct vox_unix_path *path);

#endif
