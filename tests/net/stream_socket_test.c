/* How sockets of streams are set up, by what the kernel says of them. */
#include "net/transport.h"

#include "bare.h"
#include "base/err.h"
#include "ends.h"
#include "support/test.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/wait.h>
#include <unistd.h>

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

RUN(cmocka_unit_test(low_ports_are_for_root), cmocka_unit_test(connections_are_set_up_for_speech),
    cmocka_unit_test(answers_do_not_delay_acknowledgements))
