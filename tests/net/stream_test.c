/* What only streams do: the other side of most of these is a bare socket that misbehaves. */
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
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
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

/* The first port that everybody may use (ip(7)). */
static long first_free_port(void)
{
    char line[16] = "1024";
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    if (!file)
        return 1024;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    return read ? strtol(line, NULL, 10) : 1024;
}

static int low_port_as_nobody(void)
{
    struct vox_transport_config config = tcp_config();
    struct vox_transport *transport;
    struct vox_net_error error = {""};
    vox_address_set_port(&config.address, 1);
    if (geteuid() == 0 && setuid(65534) < 0)
        return 77;
    if (first_free_port() <= 1)
        return 77;
    int err = vox_transport_open(&config, &transport, &error);
    return err == VOX_EPERMISSION && strstr(error.text, "below 1024") ? 0 : 1;
}

static void low_ports_are_for_root(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_return_code(child, errno);
    if (child == 0)
        _exit(low_port_as_nobody());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("             here everybody may use low ports\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The descriptor of this process at the other end of a connection. */
static int other_end_of(int fd)
{
    struct sockaddr_in own = {0}, peer = {0};
    socklen_t len = sizeof own;
    assert_return_code(getsockname(fd, (struct sockaddr *)&own, &len), errno);
    for (int other = 0; other < 1024; other++) {
        len = sizeof peer;
        if (getpeername(other, (struct sockaddr *)&peer, &len) == 0 && len == sizeof peer &&
            peer.sin_family == AF_INET && peer.sin_port == own.sin_port)
            return other;
    }
    fail_msg("nobody is connected to it");
    return -1;
}

static void connections_are_set_up_for_speech(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    config.congestion = "reno";
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    PUMP_UNTIL(stats_of(server).peers == 1, server);
    int accepted = other_end_of(fd);
    const struct {
        int level, option, value;
    } rows[] = {{IPPROTO_TCP, TCP_NODELAY, 1},  {SOL_SOCKET, SO_KEEPALIVE, 1},
                {IPPROTO_TCP, TCP_KEEPIDLE, 5}, {IPPROTO_TCP, TCP_KEEPINTVL, 2},
                {IPPROTO_TCP, TCP_KEEPCNT, 3},  {IPPROTO_TCP, TCP_USER_TIMEOUT, 10000},
                {IPPROTO_IP, IP_TOS, 46 << 2},  {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int value = 0;
        socklen_t len = sizeof value;
        assert_return_code(getsockopt(accepted, rows[i].level, rows[i].option, &value, &len),
                           errno);
        assert_int_equal(value, rows[i].value);
    }
    char name[16] = "";
    socklen_t len = sizeof name;
    assert_return_code(getsockopt(accepted, IPPROTO_TCP, TCP_CONGESTION, name, &len), errno);
    assert_string_equal(name, "reno");
    close(fd);
    end_close(server);
}

/* The kernel's word for it: no "pingpong", in which it would wait for more to send with them. */
static void answers_do_not_delay_acknowledgements(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct end *server = end_open(&config);
    int fd = bare_connect(server);
    for (size_t round = 1; round <= 8; round++) {
        char answer[3];
        int at_once = 0;
        socklen_t len = sizeof at_once;
        write_all(fd, (const uint8_t[]){0, 1, 'x'}, 3);
        PUMP_UNTIL(server->received == round, server);
        assert_int_equal(
            vox_transport_send(server->transport, "y", 1, &server->inbox[0].from, NULL), 0);
        assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
        assert_return_code(getsockopt(other_end_of(fd), IPPROTO_TCP, TCP_QUICKACK, &at_once, &len),
                           errno);
        assert_int_equal(at_once, 1);
    }
    close(fd);
    end_close(server);
}

RUN(cmocka_unit_test(frames_may_come_byte_by_byte),
    cmocka_unit_test(packets_of_one_who_has_left_come_first), cmocka_unit_test(garbage_is_let_go),
    cmocka_unit_test(a_torrent_leaves_room_for_others),
    cmocka_unit_test(the_slow_are_let_go_and_the_others_hear_all),
    cmocka_unit_test(what_waits_is_sent_when_there_is_room),
    cmocka_unit_test(gone_connections_cannot_be_answered), cmocka_unit_test(a_reset_is_told),
    cmocka_unit_test(a_reset_in_the_middle_of_sending_is_told),
    cmocka_unit_test(the_silent_are_let_go), cmocka_unit_test(half_open_peers_are_found),
    cmocka_unit_test(listeners_may_be_silent), cmocka_unit_test(bytes_are_no_sign_of_life),
    cmocka_unit_test(one_too_many_is_turned_away), cmocka_unit_test(the_silent_make_room),
    cmocka_unit_test(a_silent_crowd_keeps_nobody_out),
    cmocka_unit_test(half_of_the_files_are_for_others),
    cmocka_unit_test(a_shortage_of_files_passes), cmocka_unit_test(low_ports_are_for_root),
    cmocka_unit_test(connections_are_set_up_for_speech),
    cmocka_unit_test(answers_do_not_delay_acknowledgements))
