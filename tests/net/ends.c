#include "ends.h"

#include "base/err.h"
#include "base/rt.h"
#include "support/test.h"

#include <poll.h>

enum { ENDS_MAX = 64 };

struct vox_address address_of(const char *text, bool listening)
{
    struct vox_address address;
    struct vox_net_error error;
    const struct vox_address_hints hints = {.listening = listening};
    if (vox_address_lookup(text, &hints, &address, &error) < 0)
        fail_msg("%s: %s", text, error.text);
    return address;
}

struct end *end_open(const struct vox_transport_config *config)
{
    struct end *end = calloc(1, sizeof *end);
    struct vox_net_error error;
    assert_non_null(end);
    if (vox_transport_open(config, &end->transport, &error) < 0)
        fail_msg("%s", error.text);
    return end;
}

void end_close(struct end *end)
{
    if (end)
        vox_transport_close(end->transport);
    free(end);
}

struct vox_transport_stats stats_of(const struct end *end)
{
    struct vox_transport_stats stats;
    vox_transport_read_stats(end->transport, &stats);
    return stats;
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

void collect(struct end *end)
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

void pump(struct end *const *ends, size_t count)
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

static bool is_waiting(const struct end *end)
{
    return !vox_transport_is_stream(vox_transport_scheme(end->transport)) &&
           vox_transport_pending(end->transport) > 0;
}

void send_packet(struct end *from, struct end *to, const void *bytes, size_t len)
{
    struct vox_net_error error = {""};
    int err;
    do {
        vox_rt_enter();
        err = vox_transport_send(from->transport, bytes, len, NULL, &error);
        vox_rt_leave();
        if (err == VOX_ENOSPC || is_waiting(from))
            collect(to);
    } while (err == VOX_ENOSPC);
    if (err < 0)
        fail_msg("%s", error.text);
}

void expect_error(const struct vox_transport_config *config, int err, const char *says)
{
    struct vox_transport *transport = NULL;
    struct vox_net_error error = {""};
    assert_int_equal(vox_transport_open(config, &transport, &error), err);
    assert_null(transport);
    if (!strstr(error.text, says))
        fail_msg("\"%s\" does not say \"%s\"", error.text, says);
}

struct vox_transport_config tcp_config(void)
{
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.scheme = VOX_SCHEME_TCP;
    config.address = address_of("127.0.0.1:0", true);
    return config;
}

struct end *tcp_call(const struct end *server)
{
    struct vox_transport_config config = tcp_config();
    config.role = VOX_TRANSPORT_CALL;
    config.address = *vox_transport_local(server->transport);
    return end_open(&config);
}

void expect_text(const struct end *end, const char *says)
{
    if (!strstr(end->last_event.text, says))
        fail_msg("\"%s\" does not say \"%s\"", end->last_event.text, says);
}
