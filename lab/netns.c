#include "lab/netns.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_BYTES = 64, ERRNO_TOO_MANY = ENOSPC /* what unshare says at the limit */ };

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, strlen(text));
    int kept = errno;
    close(fd);
    errno = kept;
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

/* The same user and group inside as outside; no group may be given up, which could widen rights. */
static int map_user(unsigned uid, unsigned gid)
{
    char line[LINE_BYTES];
    if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
        return -1;
    snprintf(line, sizeof line, "%u %u 1\n", uid, uid);
    if (write_file("/proc/self/uid_map", line) < 0)
        return -1;
    snprintf(line, sizeof line, "%u %u 1\n", gid, gid);
    return write_file("/proc/self/gid_map", line);
}

static int refuse(int errno_value, struct vox_net_error *error)
{
    switch (errno_value) {
    case EPERM:
    case EACCES:
        return vox_net_error_set(
            error, VOX_EPERMISSION,
            "may not make a network namespace; run as root, or let users have namespaces (in a "
            "container: --privileged; sysctl kernel.unprivileged_userns_clone=1, on Ubuntu "
            "kernel.apparmor_restrict_unprivileged_userns=0)");
    case EINVAL:
    case ENOSYS:
        return vox_net_error_set(error, VOX_EUNSUPPORTED,
                                 "this kernel has no network namespaces (CONFIG_NET_NS, "
                                 "CONFIG_USER_NS); use another one");
    case ERRNO_TOO_MANY:
    case EUSERS:
        return vox_net_error_set(error, VOX_ELIMIT,
                                 "no more namespaces allowed here; see that "
                                 "user.max_user_namespaces and user.max_net_namespaces (sysctl) "
                                 "are not 0");
    default:
        return vox_net_error_set(error, VOX_EIO, "cannot make a network namespace: %s",
                                 strerror(errno_value));
    }
}

int vox_netns_enter(struct vox_net_error *error)
{
    if (unshare(CLONE_NEWNET) == 0)
        return 0;
    if (errno != EPERM)
        return refuse(errno, error);
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 || map_user(uid, gid) < 0)
        return refuse(errno, error);
    return 0;
}

void vox_netns_keep_rights(void)
{
    static const unsigned rights[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, data) < 0)
        return;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        data[0].inheritable |= data[0].permitted & (1U << rights[i]);
    if (syscall(SYS_capset, &header, data) < 0)
        return;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0);
}

/* These tables have a line of headings, then one for each socket that has a port. */
static bool has_entry(const char *path)
{
    FILE *table = fopen(path, "re");
    if (!table)
        return false;
    int lines = 0;
    for (int c = getc(table); c != EOF && lines < 2; c = getc(table))
        lines += c == '\n';
    fclose(table);
    return lines >= 2;
}

bool vox_netns_has_sockets(void)
{
    return has_entry("/proc/self/net/udp") || has_entry("/proc/self/net/udp6") ||
           has_entry("/proc/self/net/tcp") || has_entry("/proc/self/net/tcp6");
}
