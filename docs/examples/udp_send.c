/*
 * Sends one datagram and wants it acknowledged. UDP does not tell whether it came: who needs to
 * know asks for an answer, waits for some time, and sends it again, with growing pauses.
 * docs/sockets.md, "Datagrams".
 *
 *     cc -std=c11 -o udp_send udp_send.c
 *     ./udp_send 127.0.0.1 7000 "good morning"
 *
 * Growing, since a network that loses because it is full gets worse from more.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TRIES = 5,
    FIRST_WAIT_MS = 200, /* some round trips; then 400, 800 .. */
};

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* the wall clock may be set while we wait */
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool look_up(const char *host, const char *port, struct sockaddr_in *out)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;
    int err = getaddrinfo(host, port, &hints, &found);
    if (err) {
        fprintf(stderr, "cannot look up %s port %s: %s; check the spelling\n", host, port,
                gai_strerror(err));
        return false;
    }
    memcpy(out, found->ai_addr, sizeof *out);
    freeaddrinfo(found);
    return true;
}

static bool is_from(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}

/* Anybody may send us anything: only the right number from the right address counts. */
static bool is_acknowledged(int fd, const struct sockaddr_in *to, unsigned long number)
{
    char text[32];
    struct sockaddr_in from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len =
        recvfrom(fd, text, sizeof text - 1, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
    if (len <= 0 || !is_from(&from, to))
        return false;
    text[len] = '\0';
    return strtoul(text, NULL, 10) == number;
}

static bool wait_for_answer(int fd, const struct sockaddr_in *to, unsigned long number, int wait_ms)
{
    long until_ms = now_ms() + wait_ms;
    for (long left_ms = wait_ms; left_ms > 0; left_ms = until_ms - now_ms()) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, (int)left_ms) > 0 && is_acknowledged(fd, to, number))
            return true;
    }
    return false;
}

static bool send_reliably(int fd, const struct sockaddr_in *to, const char *text)
{
    /* Another one each time, so that an old acknowledgement is not taken for ours. */
    unsigned long number = (unsigned long)now_ms() % 1000000 + 1;
    char datagram[1200]; /* fits everywhere in one piece: Ethernet takes 1500 with its headers */
    int len = snprintf(datagram, sizeof datagram, "%lu %s", number, text);
    if (len < 0 || (size_t)len >= sizeof datagram) {
        fprintf(stderr, "the text does not fit into a datagram of 1200 bytes; shorten it\n");
        return false;
    }
    int wait_ms = FIRST_WAIT_MS;
    for (int i = 1; i <= TRIES; i++, wait_ms *= 2) {
        long began_ms = now_ms();
        if (sendto(fd, datagram, (size_t)len, 0, (const struct sockaddr *)to, sizeof *to) < 0) {
            fprintf(stderr, "cannot send: %s; check the address and the network\n",
                    strerror(errno));
            return false;
        }
        if (wait_for_answer(fd, to, number, wait_ms)) {
            printf("try %d: acknowledged after %ld ms\n", i, now_ms() - began_ms);
            return true;
        }
        fprintf(stderr, "try %d: no answer within %d ms\n", i, wait_ms);
    }
    fprintf(stderr, "gave up: nobody listens there, or the network loses all; check both\n");
    return false;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to;
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST PORT TEXT\n", argv[0]);
        return 2;
    }
    if (!look_up(argv[1], argv[2], &to))
        return 1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) {
        fprintf(stderr, "cannot open a socket: %s; close other programs\n", strerror(errno));
        return 1;
    }
    bool done = send_reliably(fd, &to, argv[3]);
    close(fd);
    return done ? 0 : 1;
}
