/* Peers that have ended their half of a connection: bare sockets that only listen. */
#include "net/transport.h"

#include "bare.h"
#include "ends.h"
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static int connect_to(const struct end *server)
{
    const struct vox_address *to = vox_transport_local(server->transport);
    int fd = socket(vox_address_family(to), SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(fd, errno);
    assert_return_code(connect(fd, (const struct sockaddr *)&to->storage, to->len), errno);
    return fd;
}

/* Nothing to do, so nothing wakes the owner. */
static void expect_rest(const struct end *end)
{
    struct pollfd fd = {.fd = vox_transport_fd(end->transport), .events = POLLIN | POLLPRI};
    assert_int_equal(poll(&fd, 1, 50), 0);
}

/* One that has nothing to send, to a sender: its end has been read. */
static int half_closed(struct end *server)
{
    int fd = connect_to(server);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED], server);
    write_all(fd, (const uint8_t[]){0, 1, 'x'}, 3);
    assert_return_code(shutdown(fd, SHUT_WR), errno);
    PUMP_UNTIL(server->received == 1, server);
    pump(&server, 1);
    return fd;
}

static void hears_to_the_end(struct vox_transport_config config)
{
    config.half_close = true;
    struct end *server = end_open(&config);
    int fd = half_closed(server);
    uint8_t bytes[3];
    for (int i = 0; i < 3; i++) {
        expect_rest(server);
        assert_int_equal(vox_transport_send(server->transport, "y", 1, NULL, NULL), 0);
        assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_WAITALL), 3);
        assert_int_equal(bytes[2], 'y');
    }
    assert_int_equal(stats_of(server).peers, 1);
    close(fd);
    if (config.scheme == VOX_SCHEME_TCP)
        expect_rest(server); /* that could be told by sending only */
    assert_int_equal(vox_transport_send(server->transport, "y", 1, NULL, NULL), 0);
    PUMP_UNTIL(stats_of(server).peers == 0, server);
    assert_int_equal(server->events[VOX_TRANSPORT_ENDED], 1);
    assert_int_equal(server->events[VOX_TRANSPORT_BROKEN], 0);
    expect_text(server, "has ended the connection");
    expect_rest(server);
    end_close(server);
}

static struct vox_transport_config unix_stream_config(void)
{
    struct vox_transport_config config = tcp_config();
    char name[64];
    snprintf(name, sizeof name, "unix-stream:@voxgram-half-%d", (int)getpid());
    config.scheme = VOX_SCHEME_UNIX_STREAM;
    config.address = address_of(name, true);
    return config;
}

static void who_only_listens_is_sent_to(void **state)
{
    (void)state;
    hears_to_the_end(tcp_config());
    hears_to_the_end(unix_stream_config());
}

/* Its last packets come first; one whose packets are all we want may be as deaf as it likes. */
static void who_listens_no_more_is_at_its_end(void **state)
{
    (void)state;
    enum { PACKETS = 3000 };
    static uint8_t bytes[3 * PACKETS];
    for (size_t i = 0; i < PACKETS; i++)
        memcpy(&bytes[3 * i], (const uint8_t[]){0, 1, (uint8_t)i}, 3);
    for (int half_close = 0; half_close < 2; half_close++) {
        struct vox_transport_config config = unix_stream_config();
        config.half_close = half_close;
        struct end *server = end_open(&config);
        int fd = connect_to(server);
        PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED], server);
        write_all(fd, bytes, sizeof bytes);
        assert_return_code(shutdown(fd, SHUT_RD), errno);
        assert_int_equal(vox_transport_send(server->transport, "y", 1, NULL, NULL), 0);
        PUMP_UNTIL(server->received == PACKETS, server);
        if (half_close)
            PUMP_UNTIL(server->events[VOX_TRANSPORT_ENDED], server);
        expect_rest(server);
        assert_int_equal(stats_of(server).peers, !half_close);
        assert_int_equal(stats_of(server).sent_packets, 0);
        close(fd);
        end_close(server);
    }
}

/* The queue's bound is theirs as well, and what waited in it comes out whole. */
static void who_only_listens_must_keep_up(void **state)
{
    (void)state;
    static const uint8_t packet[1400];
    struct vox_transport_config config = tcp_config();
    config.half_close = true;
    struct end *server = end_open(&config);
    int fd = half_closed(server);
    while (server->events[VOX_TRANSPORT_TOO_SLOW] == 0) {
        assert_int_equal(vox_transport_send(server->transport, packet, sizeof packet, NULL, NULL),
                         0);
        collect(server);
    }
    assert_int_equal(stats_of(server).peers, 0);
    close(fd);
    end_close(server);
}

static void what_waits_for_who_only_listens_is_sent(void **state)
{
    (void)state;
    enum { BYTES = 1400, PACKETS = 2000 };
    static uint8_t packet[BYTES], got[BYTES + 2];
    struct vox_transport_config config = tcp_config();
    config.half_close = true;
    config.queue_bytes = 2 * PACKETS * BYTES;
    struct end *server = end_open(&config);
    int fd = half_closed(server);
    for (size_t i = 0; i < PACKETS; i++) {
        packet[0] = (uint8_t)i;
        assert_int_equal(vox_transport_send(server->transport, packet, BYTES, NULL, NULL), 0);
    }
    for (size_t i = 0; i < PACKETS; i++) {
        for (size_t at = 0; at < sizeof got;) {
            ssize_t len = recv(fd, got + at, sizeof got - at, MSG_DONTWAIT);
            assert_true(len > 0 || errno == EAGAIN);
            at += len > 0 ? (size_t)len : 0;
            collect(server);
        }
        assert_int_equal(got[2], (uint8_t)i);
    }
    close(fd);
    end_close(server);
}

static void the_end_of_the_other_half_is_the_end_unless_we_send(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED], server);
    assert_return_code(shutdown(fd, SHUT_WR), errno);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_ENDED], server);
    assert_int_equal(stats_of(server).peers, 0);
    close(fd);
    end_close(server);
}

/* Who called one that only listens, and finds it gone, calls it again. */
static void who_called_one_that_only_listens_calls_again(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    int fd = closed_place(&config.address);
    assert_return_code(listen(fd, 1), errno);
    config.role = VOX_TRANSPORT_CALL;
    config.half_close = true;
    struct end *client = end_open(&config);
    for (int round = 1; round <= 2; round++) {
        uint8_t bytes[3];
        PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED] == round, client);
        int peer = accept(fd, NULL, NULL);
        assert_return_code(peer, errno);
        assert_return_code(shutdown(peer, SHUT_WR), errno);
        pump(&client, 1);
        assert_int_equal(vox_transport_send(client->transport, "y", 1, NULL, NULL), 0);
        assert_int_equal(recv(peer, bytes, sizeof bytes, MSG_WAITALL), 3);
        close(peer);
        assert_int_equal(vox_transport_send(client->transport, "y", 1, NULL, NULL), 0);
        PUMP_UNTIL(client->events[VOX_TRANSPORT_ENDED] == round, client);
    }
    assert_int_equal(stats_of(client).broken, 0);
    end_close(client);
    close(fd);
}

RUN(cmocka_unit_test(who_only_listens_is_sent_to),
    cmocka_unit_test(who_listens_no_more_is_at_its_end),
    cmocka_unit_test(who_only_listens_must_keep_up),
    cmocka_unit_test(what_waits_for_who_only_listens_is_sent),
    cmocka_unit_test(the_end_of_the_other_half_is_the_end_unless_we_send),
    cmocka_unit_test(who_called_one_that_only_listens_calls_again))
