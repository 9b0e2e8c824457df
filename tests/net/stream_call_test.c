/* Who calls a stream, and calls again: the other side is a bare socket where it must misbehave. */
#include "net/transport.h"

#include "bare.h"
#include "base/err.h"
#include "base/time.h"
#include "ends.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
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

/* ---- by name ---- */

/* What a name means at present, or why it means nothing; read on another thread. */
static struct {
    pthread_mutex_t lock;
    int outcome;
    struct vox_address found[2];
    int asked;
    atomic_int began;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int look_up_here(void *ctx, const struct vox_endpoint *endpoint,
                        const struct vox_address_hints *hints, struct vox_address *out, size_t most)
{
    (void)ctx, (void)hints, (void)most;
    assert_string_equal(endpoint->host, "studio");
    atomic_fetch_add(&names.began, 1);
    pthread_mutex_lock(&names.lock);
    int outcome = names.outcome;
    for (int i = 0; i < outcome; i++)
        out[i] = names.found[i];
    names.asked++;
    pthread_mutex_unlock(&names.lock);
    return outcome;
}

static void set_names(int outcome, const struct vox_address *first,
                      const struct vox_address *second)
{
    pthread_mutex_lock(&names.lock);
    names.outcome = outcome;
    if (first)
        names.found[0] = *first;
    if (second)
        names.found[1] = *second;
    pthread_mutex_unlock(&names.lock);
}

static int times_asked(void)
{
    pthread_mutex_lock(&names.lock);
    int asked = names.asked;
    pthread_mutex_unlock(&names.lock);
    return asked;
}

static struct vox_transport_config studio(const struct vox_address *address)
{
    struct vox_transport_config config = tcp_config();
    config.role = VOX_TRANSPORT_CALL;
    config.address = *address;
    config.name = (struct vox_transport_name){
        .endpoint = {.scheme = VOX_SCHEME_TCP, .host = "studio"}, .resolve = look_up_here};
    return config;
}

static void finds_who_has_moved(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct vox_address nobody = config.address;
    int guard = closed_place(&nobody);
    struct end *old = end_open(&config), *other = end_open(&config);
    const struct vox_address *moved_to = vox_transport_local(other->transport);
    struct vox_transport_config call = studio(vox_transport_local(old->transport));
    set_names(2, &nobody, moved_to);
    struct end *client = end_open(&call);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED] == 1, old, client);
    assert_int_equal(times_asked(), 0);
    end_close(old);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED] == 2, other, client);
    assert_int_equal(times_asked(), 1);
    /* The first of the two addresses refused, which is no failure of the round. */
    assert_int_equal(stats_of(client).refused, 0);
    assert_true(vox_address_equal(vox_transport_local(client->transport), moved_to));
    assert_int_equal(vox_transport_send(client->transport, "x", 1, NULL, NULL), 0);
    PUMP_UNTIL(other->received == 1, other, client);
    end_close(client);
    end_close(other);
    close(guard);
}

static void every_address_is_called_at_first(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    struct vox_address nobody = config.address;
    int guard = closed_place(&nobody);
    struct end *server = end_open(&config);
    struct vox_transport_config call = studio(&nobody);
    call.name.others[0] = nobody;
    call.name.others[1] = *vox_transport_local(server->transport);
    call.name.other_count = 2;
    struct end *client = end_open(&call);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED], server, client);
    assert_int_equal(client->events[VOX_TRANSPORT_REFUSED], 0);
    end_close(client);
    end_close(server);
    close(guard);
}

static void a_name_that_is_lost_is_told_once(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    int guard = closed_place(&config.address);
    struct vox_transport_config call = studio(&config.address);
    set_names(VOX_EADDRESS, NULL, NULL);
    struct end *client = end_open(&call);
    PUMP_UNTIL(stats_of(client).refused == 3, client);
    assert_int_equal(client->events[VOX_TRANSPORT_REFUSED], 2); /* and that nobody is there */
    struct end *server = end_open(&config);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED], server, client);
    set_names(VOX_ENOTFOUND, NULL, NULL);
    end_close(server);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_REFUSED] == 4, client);
    end_close(client);
    close(guard);
}

static void a_lookup_under_way_does_not_keep_it_open(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    int guard = closed_place(&config.address), before = times_asked();
    int began = atomic_load(&names.began);
    struct vox_transport_config call = studio(&config.address);
    set_names(VOX_EADDRESS, NULL, NULL);
    struct end *client = end_open(&call);
    pthread_mutex_lock(&names.lock); /* the name server does not answer */
    while (atomic_load(&names.began) == began)
        collect(client);
    end_close(client);
    pthread_mutex_unlock(&names.lock);
    while (times_asked() == before)
        continue;
    close(guard);
}

/* The addresses known from before are called while a name server says nothing. */
static void a_silent_name_server_is_not_waited_for(void **state)
{
    (void)state;
    struct vox_transport_config config = tcp_config();
    int guard = closed_place(&config.address), before = times_asked();
    struct vox_transport_config call = studio(&config.address);
    set_names(VOX_EADDRESS, NULL, NULL);
    struct end *client = end_open(&call);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_REFUSED], client);
    pthread_mutex_lock(&names.lock);
    struct end *server = end_open(&config);
    PUMP_UNTIL(client->events[VOX_TRANSPORT_CONNECTED], server, client);
    assert_int_equal(names.asked, before);
    pthread_mutex_unlock(&names.lock);
    while (times_asked() == before)
        pump(&client, 1);
    PUMP_UNTIL(stats_of(server).peers == 1, server, client);
    assert_int_equal(stats_of(client).connected, 1);
    end_close(client);
    end_close(server);
    close(guard);
}

RUN(cmocka_unit_test(calls_again_when_the_server_comes_back),
    cmocka_unit_test(refusals_are_told_once_each_cause),
    cmocka_unit_test(a_path_that_is_not_there_is_told), cmocka_unit_test(silence_times_out),
    cmocka_unit_test(finds_who_has_moved), cmocka_unit_test(every_address_is_called_at_first),
    cmocka_unit_test(a_name_that_is_lost_is_told_once),
    cmocka_unit_test(a_silent_name_server_is_not_waited_for),
    cmocka_unit_test(a_lookup_under_way_does_not_keep_it_open))
