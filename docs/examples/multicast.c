/*
 * One datagram to everybody who has joined a group (224.0.0.0 to 239.255.255.255). The sender needs
 * to know nobody; routers and the kernel make the copies. docs/sockets.md, "One to many".
 *
 *     cc -std=c11 -o multicast multicast.c
 *     ./multicast join 239.1.2.3 7000 [INTERFACE]            until nothing has come for a minute
 *     ./multicast send 239.1.2.3 7000 "good morning" [INTERFACE [TTL]]
 *
 * INTERFACE is a name of `ip link`, "lo" to try it on one machine. TTL 1 stays in the local
 * network, each router on the way takes one off.
 */
#define _DEFAULT_SOURCE /* struct ip_mreqn is Linux's, not POSIX */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SILENCE_MS = 60000 };

static bool complain(const char *what, const struct sockaddr_in *group)
{
    int reason = errno;
    char text[INET_ADDRSTRLEN] = "?";
    inet_ntop(AF_INET, &group->sin_addr, text, sizeof text);
    fprintf(stderr, "cannot %s %s: %s; %s\n", what, text, strerror(reason),
            reason == EADDRINUSE ? "a program that does not share it has the port; choose another"
            : reason == ENODEV || reason == ENETUNREACH
                ? "no interface is known for groups; name one (`ip link` lists them)"
                : "check group and interface");
    return false;
}

static bool joined(int fd, const struct sockaddr_in *group, unsigned interface)
{
    /* Others on this machine may hear the same group; with multicast each gets a copy. */
    const int on = 1;
    const struct ip_mreqn request = {.imr_multiaddr = group->sin_addr,
                                     .imr_ifindex = (int)interface};
    /* Bound to the group, not to every address: else whatever is sent to this port comes in too. */
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(fd, (const struct sockaddr *)group, sizeof *group) == 0 &&
           setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
}

static bool join(int fd, const struct sockaddr_in *group, unsigned interface)
{
    if (!joined(fd, group, interface))
        return complain("join", group);
    printf("joined\n");
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    for (int ready = 1; ready != 0;) {
        ready = poll(&wait, 1, SILENCE_MS);
        char text[1500], who[INET_ADDRSTRLEN];
        struct sockaddr_in from = {0};
        socklen_t from_len = sizeof from;
        ssize_t len = ready > 0 ? recvfrom(fd, text, sizeof text, MSG_DONTWAIT,
                                           (struct sockaddr *)&from, &from_len)
                                : -1;
        if (len >= 0)
            printf("%s: %.*s\n", inet_ntop(AF_INET, &from.sin_addr, who, sizeof who), (int)len,
                   text);
    }
    printf("nothing for %d s: done\n", SILENCE_MS / 1000);
    return true; /* close leaves the group */
}

static bool send_to(int fd, const struct sockaddr_in *group, const char *text, unsigned interface,
                    int ttl)
{
    const int loop = 1; /* members on this machine hear it as well; the default, said aloud */
    const struct ip_mreqn out = {.imr_ifindex = (int)interface};
    if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof loop) < 0 ||
        (interface && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out) < 0) ||
        sendto(fd, text, strlen(text), 0, (const struct sockaddr *)group, sizeof *group) < 0)
        return complain("send to", group);
    return true; /* whether anybody has heard it, nobody says */
}

static int usage(const char *name)
{
    fprintf(stderr,
            "usage: %s join GROUP PORT [INTERFACE] | send GROUP PORT TEXT [INTERFACE [TTL]]\n",
            name);
    return 2;
}

int main(int argc, char **argv)
{
    bool joins = argc >= 4 && argc <= 5 && strcmp(argv[1], "join") == 0;
    long port = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    bool sends = argc >= 5 && argc <= 7 && strcmp(argv[1], "send") == 0;
    if ((!joins && !sends) || port < 1 || port > 65535)
        return usage(argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, argv[2], &group.sin_addr) != 1 ||
        !IN_MULTICAST(ntohl(group.sin_addr.s_addr))) {
        fprintf(stderr, "%s is no group: 224.0.0.0 to 239.255.255.255 are; 239... is for you\n",
                argv[2]);
        return 1;
    }
    const char *name = joins ? argv[4] : argc > 5 ? argv[5] : NULL;
    unsigned interface = name ? if_nametoindex(name) : 0; /* 0: the system chooses */
    if (name && interface == 0) {
        fprintf(stderr, "no interface is called \"%s\"; `ip link` lists them\n", name);
        return 1;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        return !complain("open a socket for", &group);
    bool done = joins ? join(fd, &group, interface)
                      : send_to(fd, &group, argv[4], interface,
                                argc > 6 ? (int)strtol(argv[6], NULL, 10) : 1);
    close(fd);
    return done ? 0 : 1;
}
