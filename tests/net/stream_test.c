/* Peers of a stream that are lost, that are silent, that are too many. */
#include "net/transport.h"

#include "bare.h"
#include "base/time.h"
#include "ends.h"
#include "support/test.h"

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- connections that break ---- */

static void a_reset_is_told(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    write_all(fd, (const uint8_t[]){0, 1, 'x'}, 3);
    PUMP_UNTIL(server->received == 1, server);
    reset(fd);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_BROKEN], server);
    expect_text(server, "reset");
    assert_int_equal(stats_of(server).broken, 1);
    assert_int_equal(stats_of(server).peers, 0);
    end_close(server);
}

static void a_reset_in_the_middle_of_sending_is_told(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    PUMP_UNTIL(stats_of(server).peers == 1, server);
    reset(fd);
    for (int i = 0; i < 20; i++)
        assert_int_equal(vox_transport_send(server->transport, "x", 1, NULL, NULL), 0);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_BROKEN], server);
    assert_int_equal(stats_of(server).peers, 0);
    end_close(server);
}

static void the_silent_are_let_go(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    config.idle_ns = 200 * VOX_NS_PER_MS;
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_IDLE], server);
    expect_text(server, "sent nothing for 0.2 s");
    assert_int_equal(stats_of(server).idle, 1);
    close(fd);
    end_close(server);
}

/* Players that only listen send nothing for as long as they like. */
static void listeners_may_be_silent(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    config.idle_ns = 100 * VOX_NS_PER_MS;
    struct end *server = end_open(&config);
    int listener = bare_connect(server);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED], server);
    const struct vox_peer who = server->last_event.peer;
    int other = -1;
    while (!server->events[VOX_TRANSPORT_IDLE]) {
        assert_int_equal(vox_transport_send(server->transport, "x", 1, &who, NULL), 0);
        if (other < 0)
            other = bare_connect(server);
        pump(&server, 1);
    }
    assert_int_equal(server->last_event.peer.connection, who.connection + 1);
    assert_int_equal(stats_of(server).peers, 1);
    close(other);
    close(listener);
    end_close(server);
}

/* A byte now and then, of a packet that is never whole. */
static void bytes_are_no_sign_of_life(void **state)
{
    (void)state;
    enum { ALL_BYTES = 1000 };
    struct vox_transport_config config = tcp_config();
    config.idle_ns = 100 * VOX_NS_PER_MS;
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    int written = 0;
    while (!server->events[VOX_TRANSPORT_IDLE] && written < ALL_BYTES) {
        write_all(fd, "\x07", 1);
        written++;
        pump(&server, 1);
        poll(NULL, 0, 1);
    }
    assert_true(written < ALL_BYTES);
    close(fd);
    end_close(server);
}

/* From now on the socket hears nothing, as if the wire were cut: it cannot even say so. */
static void cut_the_wire(int fd)
{
    struct sock_filter drop_all = {.code = BPF_RET | BPF_K, .k = 0};
    const struct sock_fprog program = {.len = 1, .filter = &drop_all};
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
                       errno);
}

static void half_open_peers_are_found(void **state)
{
    (void)state;
    for (int sends = 0; sends < 2; sends++) {
        struct vox_transport_config config = tcp_config();
        config.dead_ns = 500 * VOX_NS_PER_MS;
        struct end *server = end_open(&config);
        int fd = bare_connect(server);
        PUMP_UNTIL(stats_of(server).peers == 1, server);
        cut_the_wire(fd);
        if (sends)
            assert_int_equal(vox_transport_send(server->transport, "x", 1, NULL, NULL), 0);
        PUMP_UNTIL(server->events[VOX_TRANSPORT_BROKEN], server);
        expect_text(server, "took nothing");
        assert_int_equal(stats_of(server).broken, 1);
        close(fd);
        end_close(server);
    }
}

/* ---- limits ---- */

/* The least that looks like RTP, in its frame. */
static void say_something(int fd)
{
    static const uint8_t packet[14] = {0, 12, 0x80, 96};
    write_all(fd, packet, sizeof packet);
}

static void one_too_many_is_turned_away(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    config.max_peers = 2;
    struct end *server = end_open(&config);
    int first = bare_connect(server), second = bare_connect(server);
    say_something(first);
    say_something(second);
    PUMP_UNTIL(server->received == 2, server);
    for (int i = 0; i < 3; i++) {
        char byte;
        int third = bare_connect(server);
        PUMP_UNTIL(stats_of(server).refused == (uint64_t)i + 1, server);
        assert_int_equal(recv(third, &byte, 1, 0), 0);
        close(third);
    }
    assert_int_equal(server->events[VOX_TRANSPORT_REFUSED], 1);
    expect_text(server, "2 are connected");
    close(first);
    PUMP_UNTIL(stats_of(server).peers == 1, server);
    int again = bare_connect(server);
    PUMP_UNTIL(stats_of(server).peers == 2, server);
    assert_int_equal(stats_of(server).connected, 3);
    close(again);
    close(second);
    end_close(server);
}

/* Who comes takes the place of one that has long been silent, not of one that speaks. */
static void the_silent_make_room(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    config.max_peers = 2;
    config.idle_ns = 3 * VOX_NS_PER_S;
    struct end *server = end_open(&config);
    int silent = bare_connect(server), speaking = bare_connect(server);
    PUMP_UNTIL(stats_of(server).peers == 2, server);
    int third = -1;
    while (stats_of(server).connected == 2) {
        uint64_t refused = stats_of(server).refused;
        close(third);
        write_all(speaking, "\0\1x", 3);
        PUMP_UNTIL(server->received > refused, server);
        third = bare_connect(server);
        PUMP_UNTIL(stats_of(server).refused > refused || stats_of(server).connected > 2, server);
        poll(NULL, 0, 5);
    }
    struct pollfd still = {.fd = speaking, .events = POLLIN};
    char byte;
    assert_int_equal(recv(silent, &byte, 1, 0), -1); /* reset */
    assert_int_equal(poll(&still, 1, 0), 0);
    assert_int_equal(stats_of(server).idle, 1);
    close(third);
    close(speaking);
    close(silent);
    end_close(server);
}

/* As many as there are places, who say nothing, or nothing of use: who speaks gets in at once, and
 * stays, however many come behind it. */
static void a_silent_crowd_keeps_nobody_out(void **state)
{
    (void)state;
    enum { PLACES = 8, CROWD = 40 };
    struct vox_transport_config config = tcp_config();
    config.max_peers = PLACES;
    struct end *server = end_open(&config);
    int crowd[CROWD];
    for (int i = 0; i < CROWD; i++) {
        if (i == PLACES) {
            int speaker = bare_connect(server);
            PUMP_UNTIL(stats_of(server).connected == PLACES + 1, server);
            say_something(speaker);
            PUMP_UNTIL(server->inbox[server->received - (server->received > 0)].len == 12, server);
            crowd[i] = speaker;
            continue;
        }
        crowd[i] = bare_connect(server);
        PUMP_UNTIL(stats_of(server).connected == (uint64_t)i + 1, server);
        if (i % 4 == 0)
            write_all(crowd[i], "\0\1x", 3); /* framed well, but no RTP */
    }
    size_t heard = server->received;
    say_something(crowd[PLACES]);
    PUMP_UNTIL(server->received > heard && server->inbox[server->received - 1].len == 12, server);
    assert_int_equal(stats_of(server).peers, PLACES);
    assert_int_equal(stats_of(server).refused, 0);
    assert_int_equal(stats_of(server).idle, CROWD - PLACES);
    assert_int_equal(server->events[VOX_TRANSPORT_IDLE], 1);
    for (int i = 0; i < CROWD; i++)
        close(crowd[i]);
    end_close(server);
}

static void half_of_the_files_are_for_others(void **state)
{
    (void)state;
    enum { FILES = 32 };
    struct rlimit before, few;
    assert_return_code(getrlimit(RLIMIT_NOFILE, &before), errno);
    few = before;
    few.rlim_cur = FILES;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &few), errno);
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
    int fds[FILES / 2 + 1];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = bare_connect(server);
        say_something(fds[i]);
    }
    PUMP_UNTIL(server->events[VOX_TRANSPORT_REFUSED], server);
    expect_text(server, "16 are connected");
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    end_close(server);
}

static void a_shortage_of_files_passes(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    struct rlimit before, none;
    assert_return_code(getrlimit(RLIMIT_NOFILE, &before), errno);
    none = before;
    none.rlim_cur = (rlim_t)fd + 1;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_REFUSED], server);
    /* It rests, instead of being woken for what it cannot change. */
    struct pollfd quiet = {.fd = vox_transport_fd(server->transport), .events = POLLIN};
    assert_int_equal(poll(&quiet, 1, 0), 0);
    pump(&server, 1); /* tries again, and says nothing more */
    assert_int_equal(server->events[VOX_TRANSPORT_REFUSED], 1);
    expect_text(server, "ulimit -n");
    assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
    PUMP_UNTIL(server->events[VOX_TRANSPORT_CONNECTED], server);
    close(fd);
    end_close(server);
}

RUN(cmocka_unit_test(a_reset_is_told), cmocka_unit_test(a_reset_in_the_middle_of_sending_is_told),
    cmocka_unit_test(the_silent_are_let_go), cmocka_unit_test(listeners_may_be_silent),
    cmocka_unit_test(bytes_are_no_sign_of_life), cmocka_unit_test(half_open_peers_are_found),
    cmocka_unit_test(one_too_many_is_turned_away), cmocka_unit_test(the_silent_make_room),
    cmocka_unit_test(a_silent_crowd_keeps_nobody_out),
    cmocka_unit_test(half_of_the_files_are_for_others),
    cmocka_unit_test(a_shortage_of_files_passes))
