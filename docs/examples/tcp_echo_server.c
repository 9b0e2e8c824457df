/*
 * A TCP server in its plainest form: socket, bind, listen, accept; then one client after the other
 * gets back what it sends. docs/sockets.md, "A server".
 *
 *     cc -std=c11 -o tcp_echo_server tcp_echo_server.c
 *     ./tcp_echo_server 7000              every address of this machine
 *     ./tcp_echo_server 7000 127.0.0.1    this machine's own programs only
 *     ./tcp_echo_server 0                 any free port; it is printed
 *
 * While it serves one client the next ones wait in the kernel: poll_server.c does better.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 16, /* connections that the kernel keeps until we accept them */
    NAME_BYTES = 80,
};

/* "127.0.0.1:7000", "[::1]:7000": numbers only, so that nobody waits for a name server. */
static const char *name_of(const struct sockaddr_storage *address, socklen_t len, char *out)
{
    char host[64] = "?", port[8] = "?";
    getnameinfo((const struct sockaddr *)address, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, NAME_BYTES, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return out;
}

static const char *advice(int reason)
{
    switch (reason) {
    case EADDRINUSE:
        return "another program has this port; end it (`ss -tlnp` shows it) or choose another";
    case EACCES:
        return "ports below 1024 are for root; choose one above";
    case EADDRNOTAVAIL:
        return "this machine has no such address; leave it out to use all that it has";
    default:
        return "check the address and the network";
    }
}

/* A listening socket, or -1 and errno. */
static int listen_on(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0)
        return -1;
    /* Connections of a server that has just ended keep its port busy for a minute (TIME_WAIT).
     * This lets us have it all the same; a port that somebody listens on stays theirs. */
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno; /* close may change it */
    close(fd);
    errno = reason;
    return -1;
}

static int open_server(const char *host, const char *port)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    int err = getaddrinfo(host, port, &hints, &found);
    if (err) {
        fprintf(stderr, "cannot look up %s port %s: %s; check both\n", host ? host : "any address",
                port, gai_strerror(err));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
        fd = listen_on(a);
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0)
        fprintf(stderr, "cannot listen on port %s: %s; %s\n", port, strerror(reason),
                advice(reason));
    return fd;
}

/* send may take less than it is given; this goes on until all is gone. */
static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL); /* an error, not the signal SIGPIPE */
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Until the client has said that it is done: recv then gives 0. */
static void serve(int fd, const char *who)
{
    char buffer[4096];
    size_t total = 0;
    ssize_t got;
    while ((got = recv(fd, buffer, sizeof buffer, 0)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || !send_all(fd, buffer, (size_t)got)) {
            fprintf(stderr, "%s is lost: %s; going on with the next\n", who, strerror(errno));
            return;
        }
        total += (size_t)got;
    }
    printf("%s has ended: %zu bytes\n", who, total);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s PORT [ADDRESS]\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line at once, into a file too */
    int server = open_server(argv[2], argv[1]);
    if (server < 0)
        return 1;

    char name[NAME_BYTES];
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(server, (struct sockaddr *)&address, &len) == 0)
        printf("listening on %s\n", name_of(&address, len, name));
    for (;;) {
        len = sizeof address;
        int client = accept(server, (struct sockaddr *)&address, &len);
        if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue; /* a signal; a client that left while it waited */
        if (client < 0)
            break;
        printf("%s has come\n", name_of(&address, len, name));
        serve(client, name);
        close(client);
    }
    fprintf(stderr, "cannot accept: %s; start the server again\n", strerror(errno));
    close(server);
    return 1;
}
