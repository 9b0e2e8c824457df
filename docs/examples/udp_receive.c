/*
 * Receives datagrams, tells who sent them, and acknowledges each. docs/sockets.md, "Datagrams".
 *
 *     cc -std=c11 -o udp_receive udp_receive.c
 *     ./udp_receive 7000          until nothing has come for a minute
 *     ./udp_receive 7000 2        throws the first 2 away, as a bad network would
 *     ./udp_receive 7000 0 5      gives up after 5 s of silence
 *
 * A datagram is "NUMBER TEXT", the acknowledgement "NUMBER". One number twice means that our
 * acknowledgement was lost: it is acknowledged again, and not shown again.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_BYTES = 65536 }; /* more than any UDP datagram has */

/* A UDP socket is only bound. There is no connection to listen for or to accept. */
static int open_receiver(uint16_t port)
{
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof local;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0) {
        fprintf(stderr, "cannot receive on port %u: %s; %s\n", port, strerror(errno),
                errno == EADDRINUSE ? "end the program that has it (`ss -ulnp`), or choose another"
                : errno == EACCES   ? "ports below 1024 are for root; choose one above"
                                    : "check the network");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    printf("receiving on port %u\n", ntohs(local.sin_port));
    return fd;
}

/* False after timeout_ms without a datagram, or if waiting fails. */
static bool wait_for_datagram(int fd, int timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&wait, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static void acknowledge(int fd, const struct sockaddr_in *to, unsigned long number)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%lu", number);
    if (sendto(fd, text, (size_t)len, 0, (const struct sockaddr *)to, sizeof *to) < 0)
        fprintf(stderr, "cannot acknowledge %lu: %s; it will come again\n", number,
                strerror(errno));
}

int main(int argc, char **argv)
{
    long port = argc > 1 ? strtol(argv[1], NULL, 10) : -1;
    double silence_s = argc > 3 ? strtod(argv[3], NULL) : 60;
    if (argc > 4 || port < 0 || port > 65535 || !(silence_s > 0 && silence_s <= 86400)) {
        fprintf(stderr, "usage: %s PORT [IGNORE [SILENCE_S]]\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    long ignore = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    int fd = open_receiver((uint16_t)port);
    if (fd < 0)
        return 1;

    static char datagram[DATAGRAM_BYTES];
    unsigned long last = 0;
    while (wait_for_datagram(fd, (int)(silence_s * 1000))) {
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        /* The whole datagram, or its beginning: what the buffer does not hold is gone. */
        ssize_t len = recvfrom(fd, datagram, sizeof datagram - 1, MSG_DONTWAIT,
                               (struct sockaddr *)&from, &from_len);
        if (len < 0)
            continue; /* poll announced one whose checksum turned out to be wrong */
        datagram[len] = '\0';
        char who[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &from.sin_addr, who, sizeof who);
        if (ignore > 0) {
            printf("%s:%u: %zd bytes, thrown away\n", who, ntohs(from.sin_port), len);
            ignore--;
            continue;
        }
        char *text;
        unsigned long number = strtoul(datagram, &text, 10);
        printf("%s:%u: %zd bytes:%s%s\n", who, ntohs(from.sin_port), len, text,
               number == last ? " (again)" : "");
        last = number;
        acknowledge(fd, &from, number);
    }
    printf("nothing for %g s: done\n", silence_s);
    close(fd);
    return 0;
}
