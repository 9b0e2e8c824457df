/* Packets through streams, among peers that send and take them as they should not. */
#include "net/transport.h"

#include "bare.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "ends.h"
#include "net/clock.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* ---- what comes in ---- */

static void frames_may_come_byte_by_byte(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd', 0, 2, 'e', 'f'};
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED], server);
    for (size_t i = 0; i < sizeof bytes; i++) {
        write_all(fd, &bytes[i], 1);
        pump(&server, 1);
    }
    PUMP_UNTIL(server->received == 3, server);
    assert_int_equal(server->inbox[0].len, 3);
    assert_int_equal(server->inbox[0].first, 'a');
    assert_int_equal(server->inbox[1].first, 'd');
    assert_int_equal(server->inbox[2].last, 'f');
    close(fd);
    end_close(server);
}

static void packets_of_one_who_has_left_come_first(void **state)
{
    (void)state;
    enum { PACKETS = 3000 };
    static uint8_t bytes[PACKETS * 3 + 2];
    for (size_t i = 0; i < PACKETS; i++)
        memcpy(&bytes[3 * i], (const uint8_t[]){0, 1, (uint8_t)i}, 3);
    bytes[3 * PACKETS + 1] = 9; /* and a packet that never ends */
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    write_all(fd, bytes, sizeof bytes);
    close(fd);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_ENDED], server);
    assert_int_equal(server->received, PACKETS);
    for (size_t i = 0; i < PACKETS; i++)
        assert_int_equal(server->inbox[i].first, (uint8_t)i);
    end_close(server);
}

static void garbage_is_let_go(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config), *good = tcp_call(server);
    PUMP_UNTIL(good->events[VOX_TRANSPORT_CONNECTED], server, good);
    struct vox_rng rng;
    vox_rng_init(&rng, 1, 0);
    int fd = bare_connect(server);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (!server->events[VOX_TRANSPORT_MALFORMED]) {
        uint8_t noise[4096];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)vox_rng_u32(&rng);
        send(fd, noise, sizeof noise, MSG_NOSIGNAL);
        server->received = 0;
        pump(&server, 1);
    }
    expect_text(server, "4571");
    assert_int_equal(stats_of(server).malformed, 1);
    server->received = 0;
    assert_int_equal(vox_transport_send(good->transport, "fine", 4, NULL, NULL), 0);
    PUMP_UNTIL(server->received == 1, server, good);
    assert_int_equal(server->inbox[0].len, 4);
    close(fd);
    end_close(good);
    end_close(server);
}

/* One that pours bytes in does not keep the others waiting. */
static void a_torrent_leaves_room_for_others(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config), *quiet = tcp_call(server);
    static uint8_t torrent[1 << 16];
    for (size_t i = 0; i + 2 < sizeof torrent; i += 3)
        torrent[i + 1] = 1;
    int fd = bare_connect(server);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    PUMP_UNTIL(stats_of(server).peers == 2 && quiet->events[VOX_TRANSPORT_CONNECTED], server,
               quiet);
    send(fd, torrent, sizeof torrent - 1, MSG_NOSIGNAL);
    assert_int_equal(vox_transport_send(quiet->transport, "now", 3, NULL, NULL), 0);
    const struct vox_transport_packet *got;
    struct pollfd p = {.fd = vox_transport_fd(server->transport), .events = POLLIN};
    bool heard = false;
    for (int turns = 0; turns < 5 && !heard; turns++) {
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        int count = vox_transport_receive(server->transport, &got);
        for (int i = 0; i < count; i++)
            heard = heard || got[i].len == 3;
    }
    assert_true(heard);
    close(fd);
    end_close(quiet);
    end_close(server);
}

/* ---- what goes out ---- */

static void the_slow_are_let_go_and_the_others_hear_all(void **state)
{
    (void)state;
    enum { GOOD = 6, STALLED = 3, PACKETS = 4000, BYTES = 1000 };
    static uint8_t packet[BYTES];
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config), *all[GOOD + 1];
    int stalled[STALLED];
    for (int i = 0; i < STALLED; i++) {
        /* Little room at the other side, so that it takes less to fill it. */
        const int small = 4096;
        stalled[i] = bare_socket();
        setsockopt(stalled[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        const struct vox_address *to = vox_transport_local(server->transport);
        assert_return_code(connect(stalled[i], (const struct sockaddr *)&to->storage, to->len),
                           errno);
    }
    for (int i = 0; i < GOOD; i++)
        all[i] = tcp_call(server);
    all[GOOD] = server;
    while (stats_of(server).peers < GOOD + STALLED)
        pump(all, GOOD + 1);
    for (int i = 0; i < PACKETS; i++) {
        packet[0] = (uint8_t)i;
        assert_int_equal(vox_transport_send(server->transport, packet, BYTES, NULL, NULL), 0);
        for (int g = 0; g < GOOD; g++)
            while (all[g]->received < (size_t)i + 1)
                pump(all, GOOD + 1);
    }
    while (server->events[VOX_TRANSPORT_TOO_SLOW] < STALLED)
        pump(all, GOOD + 1);
    expect_text(server, "did not keep up");
    assert_int_equal(stats_of(server).too_slow, STALLED);
    assert_int_equal(stats_of(server).peers, GOOD);
    for (int g = 0; g < GOOD; g++) {
        assert_int_equal(all[g]->events[VOX_TRANSPORT_BROKEN], 0);
        for (int i = 0; i < PACKETS; i++)
            assert_int_equal(all[g]->inbox[i].first, (uint8_t)i);
        end_close(all[g]);
    }
    for (int i = 0; i < STALLED; i++)
        close(stalled[i]);
    end_close(server);
}

/* What waited comes out whole when the other side takes it at last, and pending tells of it. */
static void what_waits_is_sent_when_there_is_room(void **state)
{
    (void)state;
    enum { BYTES = 1400 };
    static uint8_t packet[BYTES];
    struct vox_transport_config config = tcp_config();
    config.queue_bytes = 4 << 20;
    struct end *server = end_open(&config), *client = tcp_call(server);
    PUMP_UNTIL(stats_of(server).peers && client->events[VOX_TRANSPORT_CONNECTED], server, client);
    size_t sent = 0;
    for (; sent < INBOX_PACKETS / 4; sent++) {
        packet[0] = packet[BYTES - 1] = (uint8_t)sent;
        assert_int_equal(vox_transport_send(server->transport, packet, BYTES, NULL, NULL), 0);
    }
    assert_true(vox_transport_pending(server->transport) > 0);
    PUMP_UNTIL(client->received == sent, server, client);
    for (size_t i = 0; i < sent; i++) {
        assert_int_equal(client->inbox[i].len, BYTES);
        assert_int_equal(client->inbox[i].first, (uint8_t)i);
        assert_int_equal(client->inbox[i].last, (uint8_t)i);
    }
    assert_int_equal(stats_of(server).too_slow, 0);
    /* Acknowledged soon after it was read; nobody wakes for that. */
    int64_t until_ns = vox_clock_now_ns() + PATIENCE_MS * VOX_NS_PER_MS;
    while (vox_transport_pending(server->transport) > 0 && vox_clock_now_ns() < until_ns)
        collect(server);
    assert_int_equal(vox_transport_pending(server->transport), 0);
    end_close(client);
    end_close(server);
}

static void gone_connections_cannot_be_answered(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct vox_net_error error = {""};
    struct end *server = end_open(&config), *client = tcp_call(server);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED], client);
    assert_int_equal(vox_transport_send(client->transport, "x", 1, NULL, NULL), 0);
    end_close(client);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_ENDED], server);
    assert_int_equal(server->received, 1);
    assert_int_equal(vox_transport_send(server->transport, "x", 1, &server->inbox[0].from, &error),
                     VOX_EADDRESS);
    assert_non_null(strstr(error.text, "gone"));
    client = tcp_call(server);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED] == 2, server);
    assert_int_equal(vox_transport_send(server->transport, "x", 1, &server->inbox[0].from, NULL),
                     VOX_EADDRESS);
    end_close(client);
    end_close(server);
}

RUN(cmocka_unit_test(frames_may_come_byte_by_byte),
    cmocka_unit_test(packets_of_one_who_has_left_come_first), cmocka_unit_test(garbage_is_let_go),
    cmocka_unit_test(a_torrent_leaves_room_for_others),
    cmocka_unit_test(the_slow_are_let_go_and_the_others_hear_all),
    cmocka_unit_test(what_waits_is_sent_when_there_is_room),
    cmocka_unit_test(gone_connections_cannot_be_answered))
