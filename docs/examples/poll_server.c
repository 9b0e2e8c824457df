/*
 * An echo server for many clients at once with one thread: nothing blocks, poll says who is ready.
 * What a client does not take waits in a queue of its own; when that is full the client is let go,
 * and nobody else has waited for it. docs/sockets.md, "Many at once".
 *
 *     cc -std=c11 -o poll_server poll_server.c
 *     ./poll_server 7000       0: any free port; it is printed
 *
 * libuv_echo.c is the same with libuv.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS = 64, /* at once: every count that others decide has a limit */
    QUEUE_BYTES = 64 * 1024,
};

struct client {
    uint16_t port;  /* of the client, to tell them apart */
    bool has_ended; /* it sends no more; what waits still goes out */
    size_t len;     /* bytes that wait */
    char *queue;
};

/* polls[0] is the listening socket; polls[i] belongs to clients[i]. */
struct server {
    struct pollfd polls[1 + CLIENTS];
    struct client clients[1 + CLIENTS];
    nfds_t count;
    bool is_short; /* of descriptors: nobody is let in for a second */
};

static int open_server(uint16_t port)
{
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof local;
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&local, sizeof local) < 0 || listen(fd, 128) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0) {
        fprintf(stderr,
                "cannot listen on port %u: %s; end the program that has it, or choose "
                "another port, above 1023\n",
                port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    printf("listening on port %u\n", ntohs(local.sin_port));
    return fd;
}

static void let_in(struct server *s)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int fd = accept(s->polls[0].fd, (struct sockaddr *)&from, &len);
    /* Too many files: poll would say "ready" again at once, and we would be busy with that. */
    s->is_short = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd < 0)
        return; /* or it left while it waited */
    char *queue = s->count <= CLIENTS ? malloc(QUEUE_BYTES) : NULL;
    if (!queue || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        printf("%u refused: %d clients are enough\n", ntohs(from.sin_port), CLIENTS);
        free(queue);
        close(fd);
        return;
    }
    s->polls[s->count] = (struct pollfd){.fd = fd};
    s->clients[s->count] = (struct client){.port = ntohs(from.sin_port), .queue = queue};
    printf("%u has come\n", s->clients[s->count++].port);
}

/* The last one takes the place of the one that goes. */
static void let_go(struct server *s, nfds_t i, const char *why)
{
    printf("%u let go: %s\n", s->clients[i].port, why);
    close(s->polls[i].fd);
    free(s->clients[i].queue);
    s->count--;
    s->polls[i] = s->polls[s->count];
    s->clients[i] = s->clients[s->count];
}

/* As much as the socket takes now. The rest moves to the front. False: the connection is broken. */
static bool flush(int fd, struct client *c)
{
    ssize_t sent = send(fd, c->queue, c->len, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    c->len -= (size_t)sent;
    memmove(c->queue, c->queue + sent, c->len);
    return true;
}

static bool take(int fd, struct client *c)
{
    ssize_t got = recv(fd, c->queue + c->len, QUEUE_BYTES - c->len, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    c->has_ended = got == 0;
    c->len += (size_t)got;
    return true;
}

/*
 * NULL, or why this client must go. An echo could also leave POLLIN out while the queue is full, so
 * that a sender who does not read waits for itself. A server that sends the same to many cannot:
 * none of them shall wait for the slowest.
 */
static const char *serve(struct pollfd *p, struct client *c)
{
    /* An error (POLLERR) or a hangup (POLLHUP) shows itself by what recv or send say. */
    if (!c->has_ended && !take(p->fd, c))
        return strerror(errno);
    if (c->len > 0 && !flush(p->fd, c))
        return strerror(errno);
    if (c->len == QUEUE_BYTES)
        return "too slow, its queue is full";
    return c->has_ended && c->len == 0 ? "it has ended" : NULL;
}

/* Returns when waiting fails. */
static void run(struct server *s)
{
    for (;;) {
        for (nfds_t i = 1; i < s->count; i++)
            /* To be told "can send" while nothing waits would keep us busy for nothing. */
            s->polls[i].events = (short)((s->clients[i].has_ended ? 0 : POLLIN) |
                                         (s->clients[i].len > 0 ? POLLOUT : 0));
        int timeout_ms = s->is_short ? 1000 : -1;
        s->polls[0].events = s->is_short ? 0 : POLLIN;
        s->is_short = false;
        if (poll(s->polls, s->count, timeout_ms) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        /* From the end, since one that is let go is replaced by one behind it. */
        for (nfds_t i = s->count - 1; i > 0; i--) {
            const char *why = s->polls[i].revents ? serve(&s->polls[i], &s->clients[i]) : NULL;
            if (why)
                let_go(s, i, why);
        }
        if (s->polls[0].revents)
            let_in(s);
    }
}

int main(int argc, char **argv)
{
    long port = argc == 2 ? strtol(argv[1], NULL, 10) : -1;
    if (port < 0 || port > 65535) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    static struct server server;
    server.polls[0] = (struct pollfd){.fd = open_server((uint16_t)port), .events = POLLIN};
    if (server.polls[0].fd < 0)
        return 1;
    server.count = 1;
    run(&server);
    fprintf(stderr, "cannot wait for clients: %s; start the server again\n", strerror(errno));
    while (server.count > 1)
        let_go(&server, server.count - 1, "the server ends");
    close(server.polls[0].fd);
    return 1;
}
