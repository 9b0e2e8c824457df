#include "net/unix_path.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *file_of(const struct vox_address *address)
{
    return ((const struct sockaddr_un *)(const void *)&address->storage)->sun_path;
}

static bool is_abstract(const struct vox_address *address)
{
    return file_of(address)[0] == '\0';
}

/*
 * Asked as a datagram socket would: that disturbs no program, whatever it has there, and one that
 * takes connections is no less alive (EPROTOTYPE).
 */
static bool is_dead(const struct vox_address *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool dead = connect(fd, (const struct sockaddr *)&address->storage, address->len) < 0 &&
                errno == ECONNREFUSED;
    close(fd);
    return dead;
}

/* Between the question and the removal another may have come: what it brought is another file. */
static bool remove_dead(const struct vox_address *address)
{
    struct stat asked, now;
    const char *file = file_of(address);
    if (lstat(file, &asked) < 0 || !S_ISSOCK(asked.st_mode) || !is_dead(address))
        return false;
    return lstat(file, &now) == 0 && now.st_dev == asked.st_dev && now.st_ino == asked.st_ino &&
           unlink(file) == 0;
}

static bool is_other_file(const struct vox_address *address)
{
    struct stat there;
    return lstat(file_of(address), &there) == 0 && !S_ISSOCK(there.st_mode);
}

static int try_bind(int fd, const struct vox_address *address)
{
    return bind(fd, (const struct sockaddr *)&address->storage, address->len) < 0 ? -errno : 0;
}

int vox_unix_path_bind(int fd, const struct vox_address *address, struct vox_unix_path *out)
{
    struct stat made;
    *out = (struct vox_unix_path){.address = *address};
    int err = try_bind(fd, address);
    if (err == -EADDRINUSE && !is_abstract(address) && remove_dead(address))
        err = try_bind(fd, address);
    if (err == -EADDRINUSE && !is_abstract(address) && is_other_file(address))
        err = -EEXIST;
    if (err < 0 || is_abstract(address) || lstat(file_of(address), &made) < 0)
        return err;
    out->is_ours = true;
    out->device = made.st_dev;
    out->inode = made.st_ino;
    return 0;
}

void vox_unix_path_remove(const struct vox_unix_path *path)
{
    struct stat now;
    if (path->is_ours && lstat(file_of(&path->address), &now) == 0 && now.st_dev == path->device &&
        now.st_ino == path->inode)
        unlink(file_of(&path->address));
}
