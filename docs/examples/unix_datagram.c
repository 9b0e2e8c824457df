/*
 * Datagrams between programs of one machine. A path takes the place of address and port; nothing is
 * lost, and a receiver that is slow makes the sender wait. docs/sockets.md, "Within one machine".
 *
 *     cc -std=c11 -o unix_datagram unix_datagram.c
 *     ./unix_datagram receive /tmp/x.sock 2     until 2 datagrams have come
 *     ./unix_datagram send /tmp/x.sock "good morning"
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool from_path(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path) {
        fprintf(stderr, "\"%s\" is too long: a socket's path has at most %zu bytes; shorten it\n",
                path, sizeof out->sun_path - 1);
        return false;
    }
    memcpy(out->sun_path, path, strlen(path));
    return true;
}

static const char *advice(int reason)
{
    switch (reason) {
    case ENOENT:
        return "there is no such file; start the receiver first, or check the path";
    case ECONNREFUSED:
        return "whoever made this socket has ended; start the receiver";
    case EADDRINUSE:
        return "another receiver has it; end that one, or choose another path";
    case EACCES:
        return "the file or folder is not yours to use; choose another path";
    case EMSGSIZE:
        return "a datagram has to fit into the socket's buffer; send less";
    default:
        return "check the path";
    }
}

static void complain(const char *what, const char *path)
{
    int reason = errno;
    fprintf(stderr, "cannot %s %s: %s; %s\n", what, path, strerror(reason), advice(reason));
}

/* The file outlives a program that was killed, and would keep its path busy for ever. Nobody is
 * there any more if a connect is refused. */
static bool is_left_over(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0)
        return false;
    bool dead =
        connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    close(fd);
    return dead;
}

static int bind_to(int fd, const struct sockaddr_un *address)
{
    int err = bind(fd, (const struct sockaddr *)address, sizeof *address);
    if (err < 0 && errno == EADDRINUSE) {
        if (is_left_over(address) && unlink(address->sun_path) == 0)
            return bind(fd, (const struct sockaddr *)address, sizeof *address);
        errno = EADDRINUSE;
    }
    return err;
}

static bool receive(int fd, const struct sockaddr_un *address, long count)
{
    if (bind_to(fd, address) < 0) {
        complain("receive at", address->sun_path);
        return false;
    }
    printf("receiving at %s\n", address->sun_path);
    char text[1024];
    while (count > 0) {
        ssize_t len = recv(fd, text, sizeof text, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            break;
        printf("%zd bytes: %.*s\n", len, (int)len, text);
        count--;
    }
    if (count > 0)
        complain("receive at", address->sun_path);
    unlink(address->sun_path);
    return count == 0;
}

/* Not bound: whoever receives this cannot answer, as it has no name to answer to. */
static bool send_to(int fd, const struct sockaddr_un *address, const char *text)
{
    ssize_t sent;
    do
        sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)address,
                      sizeof *address);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        complain("send to", address->sun_path);
    return sent >= 0;
}

int main(int argc, char **argv)
{
    bool receives = argc >= 3 && argc <= 4 && strcmp(argv[1], "receive") == 0;
    if (!receives && (argc != 4 || strcmp(argv[1], "send") != 0)) {
        fprintf(stderr, "usage: %s receive PATH [COUNT] | send PATH TEXT\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sockaddr_un address;
    if (!from_path(argv[2], &address))
        return 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) {
        fprintf(stderr, "cannot open a socket: %s; close other programs\n", strerror(errno));
        return 1;
    }
    bool done = receives ? receive(fd, &address, argc == 4 ? strtol(argv[3], NULL, 10) : 1)
                         : send_to(fd, &address, argv[3]);
    close(fd);
    return done ? 0 : 1;
}
