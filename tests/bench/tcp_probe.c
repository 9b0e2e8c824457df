/*
 * What TCP and UDP do to messages of 160 bytes, one each 20 ms, that carry the time they were sent:
 *
 *     tcp_probe receive cubic|udp            a row `index sent_us came_us` for each, when it came
 *     tcp_probe send cubic|udp ADDRESS COUNT    over TCP with that congestion control, or UDP
 *     tcp_probe summary COUNT <ROWS          a line of figures
 *
 * Both ends are on one machine, so that there is one clock. TCP's messages have two bytes of length
 * in front (RFC 4571) and are not held back (TCP_NODELAY).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 160, FRAME_BYTES = MESSAGE_BYTES + 2, INTERVAL_US = 20000, PORT = 5004 };

struct message {
    int64_t index; /* -1: the end */
    int64_t sent_us;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t us)
{
    struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- sending ---- */

static void send_message(int fd, bool tcp, struct message message)
{
    uint8_t frame[FRAME_BYTES] = {0, MESSAGE_BYTES};
    memcpy(frame + 2, &message, sizeof message);
    const uint8_t *bytes = tcp ? frame : frame + 2;
    size_t len = tcp ? FRAME_BYTES : MESSAGE_BYTES;
    if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len && tcp)
        fail("send");
}

static int connected(const char *control, const char *address)
{
    socklen_t len = control ? (socklen_t)strlen(control) : 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, address, &to.sin_addr);
    for (int tries = 0; tries < 100; tries++) {
        int fd = socket(AF_INET, control ? SOCK_STREAM : SOCK_DGRAM, 0);
        int on = 1;
        if (control && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control, len) < 0)
            fail(control);
        if (connect(fd, (const void *)&to, sizeof to) == 0) {
            if (control)
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return fd;
        }
        close(fd);
        usleep(50000);
    }
    fail("connect");
    return -1;
}

static int run_sender(const char *control, const char *address, int64_t count)
{
    bool tcp = control != NULL;
    int fd = connected(control, address);
    int64_t start_us = now_us() + 2 * INTERVAL_US;
    for (int64_t i = 0; i < count; i++) {
        sleep_until(start_us + i * INTERVAL_US);
        send_message(fd, tcp, (struct message){.index = i, .sent_us = now_us()});
    }
    for (int i = 0; i < (tcp ? 1 : 50); i++) { /* one of them gets there */
        usleep(20000);
        send_message(fd, tcp, (struct message){.index = -1});
    }
    if (tcp) { /* until the other end has all and ends */
        char byte;
        shutdown(fd, SHUT_WR);
        while (recv(fd, &byte, 1, 0) > 0)
            continue;
    }
    return 0;
}

/* ---- receiving ---- */

/* False: it was the last. */
static bool take(const uint8_t *bytes, int64_t came_us)
{
    struct message message;
    memcpy(&message, bytes, sizeof message);
    if (message.index >= 0)
        printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", message.index, message.sent_us, came_us);
    return message.index >= 0;
}

static int run_tcp_receiver(int listener)
{
    static uint8_t bytes[1 << 16];
    size_t have = 0;
    bool more = true;
    if (listen(listener, 1) < 0)
        fail("listen");
    int fd = accept(listener, NULL, NULL);
    while (more) {
        ssize_t n = recv(fd, bytes + have, sizeof bytes - have, 0);
        int64_t came_us = now_us();
        if (n <= 0)
            break;
        have += (size_t)n;
        size_t at = 0;
        for (; more && have - at >= FRAME_BYTES; at += FRAME_BYTES)
            more = take(bytes + at + 2, came_us);
        memmove(bytes, bytes + at, have - at);
        have -= at;
    }
    close(fd);
    return 0;
}

static int run_receiver(bool tcp)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (bind(fd, (const void *)&any, sizeof any) < 0)
        fail("bind");
    if (tcp)
        return run_tcp_receiver(fd);
    uint8_t bytes[2048];
    while (recv(fd, bytes, sizeof bytes, 0) >= MESSAGE_BYTES && take(bytes, now_us()))
        continue;
    return 0;
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int64_t count, double q)
{
    return count > 0 ? sorted[(int64_t)(q * (double)(count - 1) + 0.5)] : 0;
}

/* Of those that came: p50, p95, p99, most, longest gap between arrivals (ms); of those that were
 * sent: lost, later than 60, 100, 200 and 400 ms (%). */
static int run_summary(int64_t sent)
{
    double *delays = calloc((size_t)sent, sizeof *delays);
    int64_t index, sent_us, came_us, last_us = 0, count = 0;
    double gap_ms = 0;
    static const double budgets_ms[] = {60, 100, 200, 400};
    int64_t late[4] = {0};
    while (delays && count < sent &&
           scanf("%" SCNd64 " %" SCNd64 " %" SCNd64, &index, &sent_us, &came_us) == 3) {
        double ms = (double)(came_us - sent_us) / 1e3, since_ms = (double)(came_us - last_us) / 1e3;
        gap_ms = count > 0 && since_ms > gap_ms ? since_ms : gap_ms;
        last_us = came_us;
        delays[count++] = ms;
        for (int i = 0; i < 4; i++)
            late[i] += ms > budgets_ms[i];
    }
    if (!delays)
        fail("summary");
    qsort(delays, (size_t)count, sizeof *delays, compare);
    printf("%7.1f %7.1f %7.1f %7.1f %7.1f   %6.2f", quantile(delays, count, 0.5),
           quantile(delays, count, 0.95), quantile(delays, count, 0.99), quantile(delays, count, 1),
           gap_ms, 100.0 * (double)(sent - count) / (double)sent);
    for (int i = 0; i < 4; i++)
        printf(" %6.2f", 100.0 * (double)late[i] / (double)sent);
    printf("\n");
    free(delays);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool tcp = argc > 2 && strcmp(argv[2], "udp") != 0;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (strcmp(what, "receive") == 0 && argc == 3)
        return run_receiver(tcp);
    if (strcmp(what, "send") == 0 && argc == 5)
        return run_sender(tcp ? argv[2] : NULL, argv[3], atoll(argv[4]));
    if (strcmp(what, "summary") == 0 && argc == 3)
        return run_summary(atoll(argv[2]));
    fprintf(
        stderr,
        "usage: tcp_probe receive udp|CONTROL | send udp|CONTROL ADDRESS COUNT | summary COUNT\n");
    return 2;
}
