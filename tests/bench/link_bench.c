/*
 * Both ends of a measurement of `voxgram-lab link`; see link.sh.
 *
 *     bench_link send ADDRESS SPACING_MS COUNT
 *     bench_link receive WANTED_MS COUNT       prints packets, p1, p50, p99, p99.9, max, share
 *
 * A packet carries the time of its sendto, the kernel notes that of its arrival (SO_TIMESTAMPNS,
 * the same clock on one machine), so the receiver's own scheduling does not count. What is printed
 * is the difference less the wanted delay, in us, and the share of packets that it keeps within 200
 * us.
 */
#include "base/time.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 9177, MAX_COUNT = 1 << 20, PATIENCE_MS = 3000, GOOD_US = 200 };

static int64_t to_ns(struct timespec t)
{
    return (int64_t)t.tv_sec * VOX_NS_PER_S + t.tv_nsec;
}

static int64_t wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return to_ns(t);
}

static int send_all(const char *address, double spacing_ms, int count)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return 2;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        return 1;
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    int64_t begin_ns = to_ns(due);
    for (int i = 0; i < count; i++) {
        int64_t at_ns = begin_ns + vox_ms_to_ns(spacing_ms * i);
        due = (struct timespec){.tv_sec = at_ns / VOX_NS_PER_S, .tv_nsec = at_ns % VOX_NS_PER_S};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        int64_t stamp = wall_ns();
        if (sendto(fd, &stamp, sizeof stamp, 0, (const struct sockaddr *)&to, sizeof to) < 0)
            return 1;
    }
    close(fd);
    return 0;
}

/* The time of arrival less that of sending, or -1 for a message that tells neither. */
static int64_t receive_one(int fd)
{
    int64_t stamp;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec part = {.iov_base = &stamp, .iov_len = sizeof stamp};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (recvmsg(fd, &message, 0) != (ssize_t)sizeof stamp)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS)
        return -1;
    struct timespec arrival;
    memcpy(&arrival, CMSG_DATA(header), sizeof arrival);
    return to_ns(arrival) - stamp;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print(double *us, int count)
{
    qsort(us, (size_t)count, sizeof *us, compare);
    int good = 0;
    for (int i = 0; i < count; i++)
        good += us[i] > -GOOD_US && us[i] < GOOD_US;
    printf("%7d %7.0f %7.0f %7.0f %7.0f %7.0f %8.2f\n", count, us[count / 100], us[count / 2],
           us[count - 1 - count / 100], us[count - 1 - count / 1000], us[count - 1],
           100.0 * good / count);
}

static int receive_all(double wanted_ms, int count)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, received = 0;
    double *us = malloc((size_t)count * sizeof *us);
    if (fd < 0 || !us || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&here, sizeof here) < 0)
        return 1;
    struct pollfd event = {.fd = fd, .events = POLLIN};
    while (received < count && poll(&event, 1, PATIENCE_MS) == 1) {
        int64_t took_ns = receive_one(fd);
        if (took_ns >= 0)
            us[received++] = (double)took_ns / 1e3 - wanted_ms * 1e3;
    }
    if (received > 0)
        print(us, received);
    free(us);
    close(fd);
    return received > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[argc - 1]) : 0;
    if (argc == 5 && strcmp(argv[1], "send") == 0 && count > 0)
        return send_all(argv[2], atof(argv[3]), count);
    if (argc == 4 && strcmp(argv[1], "receive") == 0 && count > 0 && count <= MAX_COUNT)
        return receive_all(atof(argv[2]), count);
    fprintf(stderr, "usage: bench_link send ADDRESS SPACING_MS COUNT | receive WANTED_MS COUNT\n");
    return 2;
}
