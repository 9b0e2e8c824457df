/*
 * Transports under test, each with what came out of it so far; pump() waits until something does.
 */
#ifndef VOX_TEST_ENDS_H
#define VOX_TEST_ENDS_H

#include "base/rt.h"
#include "net/transport.h"
#include "support/test.h"

#include <poll.h>

enum {
    PATIENCE_MS = 60000,
    INBOX_PACKETS = 4096,
    ENDS_MAX = 64,
    EVENT_KINDS = VOX_TRANSPORT_TROUBLE + 1,
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

static struct vox_address address_of(const char *text, bool listening)
{
    struct vox_address address;
    struct vox_net_error error;
    const struct vox_address_hints hints = {.listening = listening};
    if (vox_address_lookup(text, &hints, &address, &error) < 0)
        fail_msg("%s: %s", text, error.text);
    return address;
}

static struct end *end_open(const struct vox_transport_config *config)
{
    struct end *end = calloc(1, sizeof *end);
    struct vox_net_error error;
    assert_non_null(end);
    if (vox_transport_open(config, &end->transport, &error) < 0)
        fail_msg("%s", error.text);
    return end;
}

static void end_close(struct end *end)
{
    if (end)
        vox_transport_close(end->transport);
    free(end);
}

/* Datagrams are received without allocating. */
static int receive(struct end *end, const struct vox_transport_packet **out)
{
    if (vox_transport_is_stream(vox_transport_scheme(end->transport)))
        return vox_transport_receive(end->transport, out);
    vox_rt_enter();
    int count = vox_transport_receive(end->transport, out);
    vox_rt_leave();
    return count;
}

static void collect(struct end *end)
{
    const struct vox_transport_packet *got;
    int count;
    do {
        count = receive(end, &got);
        assert_in_range(count, 0, VOX_TRANSPORT_BATCH);
        for (int i = 0; i < count; i++) {
            assert_true(end->received < INBOX_PACKETS);
            end->inbox[end->received++] =
                (struct letter){.first = got[i].len ? got[i].bytes[0] : 0,
                                .last = got[i].len ? got[i].bytes[got[i].len - 1] : 0,
                                .len = got[i].len,
                                .truncated = got[i].truncated,
                                .from = got[i].from};
        }
    } while (count == VOX_TRANSPORT_BATCH);
    while (vox_transport_event(end->transport, &end->last_event))
        end->events[end->last_event.kind]++;
}

/* Waits for any of them to wake, and takes what there is. */
static void pump(struct end *const *ends, size_t count)
{
    struct pollfd fds[ENDS_MAX];
    assert_in_range(count, 1, ENDS_MAX);
    for (size_t i = 0; i < count; i++)
        fds[i] =
            (struct pollfd){.fd = vox_transport_fd(ends[i]->transport), .events = POLLIN | POLLPRI};
    if (poll(fds, count, PATIENCE_MS) < 1)
        fail_msg("nothing happens");
    for (size_t i = 0; i < count; i++)
        if (fds[i].revents)
            collect(ends[i]);
}

#define PUMP_UNTIL(condition, ...)                                                                 \
    do {                                                                                           \
        struct end *const pumped[] = {__VA_ARGS__};                                                \
        while (!(condition))                                                                       \
            pump(pumped, COUNT(pumped));                                                           \
    } while (0)

#endif
