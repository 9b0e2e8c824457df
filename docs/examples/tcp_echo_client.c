/*
 * A TCP client: look the name up, try its addresses one after the other, each with a time limit;
 * send, say that this was all, receive until the other side is done too. docs/sockets.md, "A
 * client".
 *
 *     cc -std=c11 -o tcp_echo_client tcp_echo_client.c
 *     ./tcp_echo_client localhost 7000 "good morning"
 *     ./tcp_echo_client localhost 7000 - <FILE        what comes from standard input
 *     ./tcp_echo_client localhost 7000 hello 1.5      wait 1.5 s at the most, not 10
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *advice(int reason)
{
    switch (reason) {
    case ECONNREFUSED:
        return "nobody listens there; start the server, or check the port";
    case ETIMEDOUT:
        return "no answer came; check the address, and firewalls on the way";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "no way leads there; check the address and the network (`ip route`)";
    default:
        return "check the address and the network";
    }
}

/* connect cannot be told how long to wait (two minutes are usual). So it is only begun, and poll
 * waits for the outcome. 0, or -1 and errno. */
static int connect_within(int fd, const struct addrinfo *to, int timeout_ms)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    if (connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
        if (errno != EINPROGRESS)
            return -1;
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        int ready;
        do
            ready = poll(&wait, 1, timeout_ms);
        while (ready < 0 && errno == EINTR); /* which begins the time anew: good enough here */
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready <= 0)
            return -1;
        int reason = 0;
        socklen_t len = sizeof reason;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len);
        if (reason) {
            errno = reason;
            return -1;
        }
    }
    return fcntl(fd, F_SETFL, flags);
}

/* From here on send and recv give up after so long without progress: EAGAIN. */
static void limit_waiting(int fd, int timeout_ms)
{
    const struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* A name may have several addresses, of IPv6 and of IPv4. */
static int connect_to(const char *host, const char *port, int timeout_ms)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int err = getaddrinfo(host, port, &hints, &found);
    if (err) {
        fprintf(stderr, "cannot look up %s port %s: %s; check the spelling\n", host, port,
                gai_strerror(err));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        char number[64] = "?";
        getnameinfo(a->ai_addr, a->ai_addrlen, number, sizeof number, NULL, 0, NI_NUMERICHOST);
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect_within(fd, a, timeout_ms) == 0)
            break;
        fprintf(stderr, "cannot connect to %s (%s) port %s: %s; %s\n", host, number, port,
                strerror(errno), advice(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool send_input(int fd)
{
    char buffer[4096];
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        if (!send_all(fd, buffer, got))
            return false;
    return true;
}

/* One recv gives what is there: half a line, or three. Only 0 says that no more will come. */
static bool print_answer(int fd)
{
    char buffer[4096];
    ssize_t got;
    while ((got = recv(fd, buffer, sizeof buffer, 0)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        fwrite(buffer, 1, (size_t)got, stdout);
    }
    return fflush(stdout) == 0;
}

static bool talk(int fd, const char *text)
{
    bool input = strcmp(text, "-") == 0;
    bool sent = input ? send_input(fd) : send_all(fd, text, strlen(text));
    /* Our half is done, theirs is not: with close we could not hear the answer. */
    if (sent && shutdown(fd, SHUT_WR) == 0 && print_answer(fd)) {
        if (!input)
            putchar('\n');
        return true;
    }
    const char *why = errno == EAGAIN ? "it does not answer in time" : strerror(errno);
    fprintf(stderr, "the server is lost: %s; try again later, or look what it says\n", why);
    return false;
}

int main(int argc, char **argv)
{
    double timeout_s = argc == 5 ? strtod(argv[4], NULL) : 10;
    if (argc < 4 || argc > 5 || !(timeout_s >= 0.001 && timeout_s <= 3600)) {
        fprintf(stderr, "usage: %s HOST PORT TEXT|- [TIMEOUT_S]\n", argv[0]);
        return 2;
    }
    int timeout_ms = (int)(timeout_s * 1000);
    int fd = connect_to(argv[1], argv[2], timeout_ms);
    if (fd < 0)
        return 1;
    limit_waiting(fd, timeout_ms);
    bool done = talk(fd, argv[3]);
    close(fd);
    return done ? 0 : 1;
}
