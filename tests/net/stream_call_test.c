/* Who calls a stream, and calls again: the other side is a bare socket where it must misbehave. */
#include "net/transport.h"

#include "bare.h"
#include "base/time.h"
#include "ends.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void calls_again_when_the_server_comes_back(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    int guard = closed_place(&config.address);
    struct end *server = end_open(&config), *client = tcp_call(server);
    for (int round = 1; round <= 2; round++) {
        PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED] == round, server, client);
        expect_text(client, "connected to tcp://127.0.0.1:");
        end_close(server);
        PUMP_UNTIL(!vox_transport_is_connected(client->transport), client);
        assert_int_equal(vox_transport_send(client->transport, "x", 1, NULL, NULL), 0);
        server = end_open(&config);
    }
    assert_int_equal(stats_of(client).unsent, 2);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED] == 3, server, client);
    assert_int_equal(vox_transport_send(client->transport, "x", 1, NULL, NULL), 0);
    PUMP_UNTIL(server->received == 1, server, client);
    end_close(client);
    end_close(server);
    close(guard);
}

static void refusals_are_told_once_each_cause(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    int fd = closed_place(&config.address), guard = closed_place(&config.address);
    config.role = VOX_TRANSPORT_CALL;
    struct end *client = end_open(&config);
    PUMP_UNTIL(stats_of(client).refused == 2, client);
    assert_int_equal(client->events[VOX_TRANSPORT_REFUSED], 1);
    expect_text(client, "refused");
    expect_text(client, "calling again");
    assert_false(vox_transport_is_connected(client->transport));
    assert_return_code(listen(fd, 8), errno);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED], client);
    close(fd); /* resets whom it has not let in yet */
    PUMP_UNTIL(stats_of(client).refused == 3, client);
    assert_int_equal(client->events[VOX_TRANSPORT_REFUSED], 2);
    close(guard);
    end_close(client);
}

static void a_path_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    config.scheme = VOX_SCHEME_UNIX_STREAM;
    config.role = VOX_TRANSPORT_CALL;
    config.address = address_of("unix-stream:/no-such-folder/socket", false);
    struct end *client = end_open(&config);
    PUMP_UNTIL(stats_of(client).refused == 2, client);
    assert_int_equal(client->events[VOX_TRANSPORT_REFUSED], 1);
    expect_text(client, "unix-stream:/no-such-folder/socket: there is no such socket");
    end_close(client);
}

/* A server whose queue of callers is full drops the handshake: nothing comes back at all. */
static void silence_times_out(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct vox_address at = config.address;
    int server = closed_place(&at), first = bare_socket(), second = bare_socket();
    assert_return_code(listen(server, 0), errno);
    assert_return_code(connect(first, (const struct sockaddr *)&at.storage, at.len), errno);
    fcntl(second, F_SETFL, O_NONBLOCK);
    assert_int_equal(connect(second, (const struct sockaddr *)&at.storage, at.len), -1);
    assert_int_equal(errno, EINPROGRESS);
    config.role = VOX_TRANSPORT_CALL;
    config.address = at;
    config.dead_ns = 300 * VOX_NS_PER_MS;
    struct end *client = end_open(&config);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_REFUSED], client);
    expect_text(client, "does not answer");
    end_close(client);
    close(second);
    close(first);
    close(server);
}

RUN(cmocka_unit_test(calls_again_when_the_server_comes_back),
    cmocka_unit_test(refusals_are_told_once_each_cause),
    cmocka_unit_test(a_path_that_is_not_there_is_told), cmocka_unit_test(silence_times_out))
