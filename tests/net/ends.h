/*
 * Transports under test, each with what came out of it so far; pump() waits until something does.
 * What fails, fails the test.
 */
#ifndef VOX_TEST_ENDS_H
#define VOX_TEST_ENDS_H

#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PATIENCE_MS = 60000, /* beyond it, something hangs */
    INBOX_PACKETS = 4096,
    EVENT_KINDS = VOX_TRANSPORT_OVERFLOW + 1,
};

struct letter {
    uint8_t first;
    uint8_t last;
    size_t len;
    bool truncated;
    struct vox_peer from;
};

struct end {
    struct vox_transport *transport;
    size_t received;
    struct letter inbox[INBOX_PACKETS];
    int events[EVENT_KINDS];
    struct vox_transport_event last_event;
};

struct vox_address address_of(const char *text, bool listening);

struct end *end_open(const struct vox_transport_config *config);
void end_close(struct end *end);
struct vox_transport_stats stats_of(const struct end *end);

/* To listen on a port of 127.0.0.1 that the system chooses. */
struct vox_transport_config tcp_config(void);
struct end *tcp_call(const struct end *server);

/* Takes what there is. */
void collect(struct end *end);
/* Waits for any of them to wake, and takes what there is. */
void pump(struct end *const *ends, size_t count);

#define PUMP_UNTIL(condition, ...)                                                                 \
    do {                                                                                           \
        struct end *const pumped[] = {__VA_ARGS__};                                                \
        while (!(condition))                                                                       \
            pump(pumped, sizeof pumped / sizeof pumped[0]);                                        \
    } while (0)

/* Without allocating. Where a queue is full, the other side is given time. */
void send_packet(struct end *from, struct end *to, const void *bytes, size_t len);

void expect_error(const struct vox_transport_config *config, int err, const char *says);
/* In the last event. */
void expect_text(const struct end *end, const char *says);

#endif
