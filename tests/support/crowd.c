/*
 * Many receivers of one stream over TCP, some of which never read:
 *
 *     crowd HOST PORT GOOD STALLED
 *
 * HOST is an address in numbers. All connect; the stalled ones first, then those that read. Ends
 * when every connection has ended, or is reset, and prints as JSON how many of the good ones heard
 * a whole stream to its goodbye, how many packets at the least and at the most, what is missing in
 * between, and how many connections the sender cut. Status 1: it could not connect.
 */
#include "net/transport.h"
#include "wire/framing.h"
#include "wire/rtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CROWD = 512, BUFFER_BYTES = 8192, SMALL_BUFFER_BYTES = 4096, RTCP_BYE = 203 };

struct listener {
    int fd;
    struct vox_framing framing;
    uint8_t buffer[BUFFER_BYTES];
    long packets, missing;
    uint16_t next_seq;
    bool heard_bye, cut;
};

static int connect_to(const char *host, int port, bool stalled)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int bytes = SMALL_BUFFER_BYTES;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && stalled) /* so that it does not take long until nothing more goes in */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (fd < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) < 0) {
        fprintf(stderr, "crowd: cannot connect to %s:%d: %s\n", host, port, strerror(errno));
        exit(1);
    }
    return fd;
}

static void take(struct listener *l, const uint8_t *bytes, size_t len)
{
    struct vox_rtp rtp;
    l->heard_bye |= len > 1 && bytes[1] == RTCP_BYE;
    for (size_t at = 0; len > 1 && bytes[1] >= 200 && bytes[1] <= 207 && at + 4 <= len;
         at += 4u * ((size_t)(bytes[at + 2] << 8 | bytes[at + 3]) + 1))
        l->heard_bye |= bytes[at + 1] == RTCP_BYE;
    if ((len > 1 && bytes[1] >= 200 && bytes[1] <= 207) || vox_rtp_parse(bytes, len, &rtp) < 0)
        return;
    if (l->packets++ > 0)
        l->missing += (uint16_t)(rtp.seq - l->next_seq);
    l->next_seq = (uint16_t)(rtp.seq + 1);
}

static void read_some(struct listener *l)
{
    size_t room;
    uint8_t *at = vox_framing_room(&l->framing, &room);
    ssize_t n = recv(l->fd, at, room, 0);
    if (n <= 0) {
        l->cut = n < 0;
        close(l->fd);
        l->fd = -1;
        return;
    }
    vox_framing_filled(&l->framing, (size_t)n);
    struct vox_framing_packet packet;
    while (vox_framing_next(&l->framing, &packet))
        take(l, packet.bytes, packet.len);
}

/* Who does not read learns of its end by this. */
static void look(struct listener *l, short events)
{
    if (!(events & (POLLERR | POLLHUP)))
        return;
    l->cut = true;
    close(l->fd);
    l->fd = -1;
}

static void listen_to_the_end(struct listener *crowd, int count, int stalled)
{
    struct pollfd fds[MAX_CROWD];
    int left = count;
    while (left > 0) {
        left = 0;
        for (int i = 0; i < count; i++) {
            /* A good one that is left waits for its sender, a stalled one only as long as they do.
             */
            left += crowd[i].fd >= 0 && i >= stalled;
            fds[i] = (struct pollfd){.fd = crowd[i].fd, .events = i < stalled ? 0 : POLLIN};
        }
        if (left == 0 || poll(fds, (nfds_t)count, -1) < 0)
            return;
        for (int i = 0; i < count; i++) {
            if (fds[i].revents == 0)
                continue;
            if (i < stalled)
                look(&crowd[i], fds[i].revents);
            else
                read_some(&crowd[i]);
        }
    }
}

static void print(const struct listener *crowd, int count, int stalled)
{
    long whole = 0, least = -1, most = 0, missing = 0, cut = 0;
    for (int i = 0; i < count; i++) {
        const struct listener *l = &crowd[i];
        cut += l->cut;
        if (i < stalled)
            continue;
        whole += l->heard_bye && l->missing == 0 && !l->cut;
        missing += l->missing;
        least = least < 0 || l->packets < least ? l->packets : least;
        most = l->packets > most ? l->packets : most;
    }
    printf("{\"whole\":%ld,\"least\":%ld,\"most\":%ld,\"missing\":%ld,\"cut\":%ld}\n", whole, least,
           most, missing, cut);
}

/* -1: no number of up to five digits. */
static int number_of(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *text && !*end && value >= 0 && value <= 99999 ? (int)value : -1;
}

int main(int argc, char **argv)
{
    static struct listener crowd[MAX_CROWD];
    int port = argc == 5 ? number_of(argv[2]) : -1;
    int good = argc == 5 ? number_of(argv[3]) : -1, stalled = argc == 5 ? number_of(argv[4]) : -1;
    int count = good + stalled;
    if (port < 0 || good < 1 || stalled < 0 || count > MAX_CROWD) {
        fprintf(stderr, "usage: crowd HOST PORT GOOD STALLED   (at most %d)\n", MAX_CROWD);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        crowd[i].fd = connect_to(argv[1], port, i < stalled);
        vox_framing_init(&crowd[i].framing, crowd[i].buffer, BUFFER_BYTES,
                         VOX_TRANSPORT_PACKET_BYTES);
    }
    listen_to_the_end(crowd, count, stalled);
    print(crowd, count, stalled);
    return 0;
}
