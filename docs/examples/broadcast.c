/*
 * One datagram to every machine of the local network. That disturbs them all, so a program must say
 * that it means it: without SO_BROADCAST the kernel refuses. docs/sockets.md, "One to many".
 *
 *     cc -std=c11 -o broadcast broadcast.c
 *     ./broadcast 255.255.255.255 7000 "is anybody there?"           refused
 *     ./broadcast 255.255.255.255 7000 "is anybody there?" permit
 *
 * udp_receive.c hears it. IPv6 has no broadcast, only groups: multicast.c.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool broadcast(int fd, const struct sockaddr_in *to, const char *text, bool permit)
{
    const int on = 1;
    if (permit && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0)
        return false;
    return sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof *to) >= 0;
}

static const char *advice(int reason)
{
    switch (reason) {
    case EACCES:
        return "that is a broadcast address; add the word permit if everybody is meant";
    case ENETUNREACH:
        return "no interface leads there; `ip address` shows yours, after \"brd\"";
    default:
        return "check the address and the network";
    }
}

int main(int argc, char **argv)
{
    bool permit = argc == 5 && strcmp(argv[4], "permit") == 0;
    long port = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    if ((argc != 4 && !permit) || port < 1 || port > 65535) {
        fprintf(stderr, "usage: %s ADDRESS PORT TEXT [permit]\n", argv[0]);
        return 2;
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
        fprintf(stderr, "%s is no IPv4 address; write it in numbers, as 192.0.2.255\n", argv[1]);
        return 1;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool done = fd >= 0 && broadcast(fd, &to, argv[3], permit);
    if (!done)
        fprintf(stderr, "cannot send to %s: %s; %s\n", argv[1], strerror(errno), advice(errno));
    if (fd >= 0)
        close(fd);
    return done ? 0 : 1;
}
