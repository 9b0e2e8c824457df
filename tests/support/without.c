/*
 * A command on a system that lacks something:
 *
 *     without packet COMMAND...     sockets of the family AF_PACKET, as where a service may not
 *                                   have them (RestrictAddressFamilies of systemd)
 *     without veth COMMAND...       requests to the kernel, of which virtual Ethernet is the first:
 *                                   every sendto is answered as one for an unknown device
 *
 * By a filter of system calls (seccomp(2)). Status 77: this system has no such filters.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { USAGE = 2, NONE = 77, NOT_STARTED = 126 };

/* The low half of the first argument. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { FIRST_AT = offsetof(struct seccomp_data, args) + 4 };
#else
enum { FIRST_AT = offsetof(struct seccomp_data, args) };
#endif

static int refuse_packet_sockets(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIRST_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_PACKET, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int refuse_requests(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return USAGE;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        (strcmp(argv[1], "veth") == 0 ? refuse_requests() : refuse_packet_sockets()) < 0)
        return NONE;
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return NOT_STARTED;
}
