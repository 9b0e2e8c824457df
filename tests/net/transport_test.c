/* What every transport does, whatever is below: one suite, run for each. */
#include "net/transport.h"

#include "base/err.h"
#include "ends.h"
#include "support/folder.h"
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

struct row {
    const char *name;
    const char *listen; /* for Unix paths, a name in the test's folder */
    const char *host;   /* whom to call there; NULL: the listener's own address */
    const char *interface;
    size_t longest_bytes;
    bool sender_listens;
    bool is_stream;
    bool is_group;
};

static const struct row rows[] = {
    {.name = "UDP v4", .listen = "127.0.0.1:0", .longest_bytes = 65507},
    {.name = "UDP v6", .listen = "[::1]:0", .longest_bytes = 65507},
    {.name = "UDP v4 to both", .listen = ":0", .host = "127.0.0.1", .longest_bytes = 65507},
    {.name = "UDP group",
     .listen = "239.255.77.3:0",
     .interface = "lo",
     .longest_bytes = 65507,
     .is_group = true},
    {.name = "Unix datagrams", .listen = "unix:dgram", .longest_bytes = 65535},
    {.name = "Unix datagrams, abstract", .listen = "unix:@", .longest_bytes = 65535},
    {.name = "TCP v4", .listen = "tcp://127.0.0.1:0", .longest_bytes = 65535, .is_stream = true},
    {.name = "TCP v6", .listen = "tcp://[::1]:0", .longest_bytes = 65535, .is_stream = true},
    {.name = "TCP v4 to both",
     .listen = "tcp://:0",
     .host = "127.0.0.1",
     .longest_bytes = 65535,
     .is_stream = true},
    {.name = "TCP v4, the receiver calls",
     .listen = "tcp://127.0.0.1:0",
     .longest_bytes = 65535,
     .is_stream = true,
     .sender_listens = true},
    {.name = "TCP v6, the receiver calls",
     .listen = "tcp://[::1]:0",
     .longest_bytes = 65535,
     .is_stream = true,
     .sender_listens = true},
    {.name = "Unix stream",
     .listen = "unix-stream:stream",
     .longest_bytes = 65535,
     .is_stream = true},
    {.name = "Unix stream, abstract",
     .listen = "unix-stream:@",
     .longest_bytes = 65535,
     .is_stream = true},
    {.name = "Unix stream, the receiver calls",
     .listen = "unix-stream:stream",
     .longest_bytes = 65535,
     .is_stream = true,
     .sender_listens = true},
};

static bool has_v6(void)
{
    struct vox_transport_config config;
    struct vox_transport *transport;
    vox_transport_config_init(&config);
    config.address = address_of("[::1]:0", true);
    if (vox_transport_open(&config, &transport, NULL) < 0)
        return false;
    vox_transport_close(transport);
    return true;
}

static bool is_possible(const struct row *row)
{
    return !strstr(row->listen, "::1") || has_v6();
}

static void text_of(const struct row *row, char *out, size_t size)
{
    const char *colon = strchr(row->listen, ':');
    if (strncmp(row->listen, "unix", 4) != 0)
        snprintf(out, size, "%s", row->listen);
    else if (colon[1] == '@')
        snprintf(out, size, "%s%d-vox-test", row->listen, (int)getpid());
    else
        snprintf(out, size, "%.*s%s/%s", (int)(colon + 1 - row->listen), row->listen, folder_path,
                 colon + 1);
}

static void configure(const struct row *row, enum vox_transport_role role,
                      struct vox_transport_config *out)
{
    char text[128];
    struct vox_net_error error;
    text_of(row, text, sizeof text);
    vox_transport_config_init(out);
    out->role = VOX_TRANSPORT_LISTEN; /* port 0 is for listeners */
    out->interface = row->interface;
    if (vox_transport_lookup(text, 0, out, &error) < 0)
        fail_msg("%s: %s", text, error.text);
    out->role = role;
}

static struct end *listener(const struct row *row)
{
    struct vox_transport_config config;
    configure(row, VOX_TRANSPORT_LISTEN, &config);
    return end_open(&config);
}

static struct end *caller(const struct row *row, const struct end *to)
{
    struct vox_transport_config config;
    configure(row, VOX_TRANSPORT_CALL, &config);
    config.address = *vox_transport_local(to->transport);
    if (row->host) {
        config.address = address_of(row->host, false);
        vox_address_set_port(&config.address, vox_address_port(vox_transport_local(to->transport)));
    }
    return end_open(&config);
}

struct pair {
    struct end *sender, *receiver;
};

static struct pair pair_of(const struct row *row)
{
    struct end *listens = listener(row), *calls = caller(row, listens);
    if (row->is_stream)
        PUMP_UNTIL(listens->events[VOX_TRANSPORT_CONNECTED] &&
                       calls->events[VOX_TRANSPORT_CONNECTED],
                   listens, calls);
    assert_true(vox_transport_is_connected(listens->transport));
    assert_true(vox_transport_is_connected(calls->transport));
    return row->sender_listens ? (struct pair){.sender = listens, .receiver = calls}
                               : (struct pair){.sender = calls, .receiver = listens};
}

static void close_pair(struct pair *pair)
{
    end_close(pair->sender);
    end_close(pair->receiver);
}

/* Bytes of a packet that tell it from the others. */
static const uint8_t *packet_bytes(uint8_t first, size_t len, uint8_t last)
{
    static uint8_t bytes[1 << 17];
    memset(bytes, 0x55, len);
    bytes[len - 1] = last;
    bytes[0] = first;
    return bytes;
}

/* ---- the suite ---- */

static void keeps_boundaries_and_order(const struct row *row)
{
    struct pair pair = pair_of(row);
    const size_t lens[] = {1,
                           2,
                           1400,
                           3,
                           VOX_TRANSPORT_PACKET_BYTES,
                           VOX_TRANSPORT_PACKET_BYTES + 1,
                           1400,
                           1,
                           row->longest_bytes,
                           160};
    for (size_t i = 0; i < COUNT(lens); i++)
        send_packet(pair.sender, pair.receiver,
                    packet_bytes((uint8_t)(i + 1), lens[i], (uint8_t)(i + 1)), lens[i]);
    PUMP_UNTIL(pair.receiver->received == COUNT(lens), pair.sender, pair.receiver);
    for (size_t i = 0; i < COUNT(lens); i++) {
        const struct letter *letter = &pair.receiver->inbox[i];
        bool cut = lens[i] > VOX_TRANSPORT_PACKET_BYTES;
        assert_int_equal(letter->first, i + 1);
        assert_int_equal(letter->last, cut ? 0x55 : i + 1);
        assert_int_equal(letter->len, cut ? VOX_TRANSPORT_PACKET_BYTES : lens[i]);
        assert_int_equal(letter->truncated, cut);
    }
    assert_int_equal(stats_of(pair.sender).sent_packets, COUNT(lens));
    close_pair(&pair);
}

static void refuses_what_is_too_long(const struct row *row)
{
    struct pair pair = pair_of(row);
    struct vox_net_error error = {""};
    char len[16];
    snprintf(len, sizeof len, "%zu", row->longest_bytes + 30);
    assert_int_equal(vox_transport_send(pair.sender->transport, packet_bytes(1, 70000, 1),
                                        row->longest_bytes + 30, NULL, &error),
                     VOX_ELIMIT);
    assert_non_null(strstr(error.text, len));
    send_packet(pair.sender, pair.receiver, "after", 5);
    PUMP_UNTIL(pair.receiver->received == 1, pair.sender, pair.receiver);
    assert_int_equal(pair.receiver->inbox[0].len, 5);
    close_pair(&pair);
}

static void answers_reach_whom_they_are_for(const struct row *row)
{
    enum { CALLERS = 5 };
    struct end *callers[CALLERS], *all[CALLERS + 1], *server = listener(row);
    all[CALLERS] = server;
    for (size_t i = 0; i < CALLERS; i++)
        all[i] = callers[i] = caller(row, server);
    for (size_t i = 0; i < CALLERS; i++) {
        while (!vox_transport_is_connected(callers[i]->transport))
            pump(all, CALLERS + 1);
        send_packet(callers[i], server, &(uint8_t){(uint8_t)i}, 1);
    }
    while (server->received < CALLERS)
        pump(all, CALLERS + 1);
    for (size_t i = 0; i < CALLERS; i++)
        assert_int_equal(vox_transport_send(server->transport,
                                            packet_bytes(server->inbox[i].first, 20, 7), 20,
                                            &server->inbox[i].from, NULL),
                         0);
    for (size_t i = 0; i < CALLERS; i++) {
        while (callers[i]->received == 0)
            pump(all, CALLERS + 1);
        assert_int_equal(callers[i]->inbox[0].first, i);
        assert_int_equal(callers[i]->inbox[0].len, 20);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(callers[i]->received, 1);
        end_close(callers[i]);
    }
    end_close(server);
}

static void a_burst_comes_through(const struct row *row)
{
    enum { PACKETS = 5 * VOX_TRANSPORT_BATCH + 3 };
    struct pair pair = pair_of(row);
    for (int i = 0; i < PACKETS; i++)
        send_packet(pair.sender, pair.receiver, packet_bytes((uint8_t)i, 50, 1), 50);
    PUMP_UNTIL(pair.receiver->received == PACKETS, pair.sender, pair.receiver);
    for (int i = 0; i < PACKETS; i++)
        assert_int_equal(pair.receiver->inbox[i].first, (uint8_t)i);
    close_pair(&pair);
}

static void nothing_there_is_no_error(const struct row *row)
{
    struct pair pair = pair_of(row);
    const struct vox_transport_packet *none;
    struct vox_transport_event event;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(vox_transport_receive(pair.sender->transport, &none), 0);
        assert_int_equal(vox_transport_receive(pair.receiver->transport, &none), 0);
        assert_false(vox_transport_event(pair.sender->transport, &event));
        assert_false(vox_transport_event(pair.receiver->transport, &event));
    }
    struct pollfd quiet[] = {
        {.fd = vox_transport_fd(pair.sender->transport), .events = POLLIN | POLLPRI},
        {.fd = vox_transport_fd(pair.receiver->transport), .events = POLLIN | POLLPRI}};
    assert_int_equal(poll(quiet, 2, 0), 0);
    close_pair(&pair);
}

static void says_where_it_is(const struct row *row)
{
    struct pair pair = pair_of(row);
    const struct end *listens = row->sender_listens ? pair.sender : pair.receiver;
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(vox_transport_local(listens->transport), text);
    if (strncmp(row->listen, "unix", 4) == 0)
        assert_memory_equal(text, "unix:", 5);
    else
        assert_int_not_equal(vox_address_port(vox_transport_local(listens->transport)), 0);
    close_pair(&pair);
}

static void tells_of_connections(const struct row *row)
{
    struct pair pair = pair_of(row);
    struct vox_transport_stats sender = stats_of(pair.sender), receiver = stats_of(pair.receiver);
    assert_int_equal(sender.peers, row->is_stream);
    assert_int_equal(receiver.connected, row->is_stream);
    assert_int_equal(pair.sender->events[VOX_TRANSPORT_CONNECTED], row->is_stream);
    assert_int_equal(pair.receiver->events[VOX_TRANSPORT_CONNECTED], row->is_stream);
    end_close(pair.sender);
    pair.sender = NULL;
    if (row->is_stream) {
        PUMP_UNTIL(pair.receiver->events[VOX_TRANSPORT_ENDED] == 1, pair.receiver);
        assert_false(vox_transport_is_connected(pair.receiver->transport));
        assert_int_equal(stats_of(pair.receiver).peers, 0);
        assert_non_null(strstr(pair.receiver->last_event.text, "ended the connection"));
        assert_int_equal(stats_of(pair.receiver).broken, 0);
        assert_int_equal(vox_transport_send(pair.receiver->transport, "x", 1, NULL, NULL), 0);
        assert_int_equal(stats_of(pair.receiver).unsent, 1);
    }
    close_pair(&pair);
}

/* The packets of a peer that has ended come out before the end is told. */
static void what_was_sent_before_the_end_arrives(const struct row *row)
{
    enum { PACKETS = 8 };
    struct pair pair = pair_of(row);
    for (int i = 0; i < PACKETS; i++)
        send_packet(pair.sender, pair.receiver, packet_bytes(1, 1000, 1), 1000);
    end_close(pair.sender);
    pair.sender = NULL;
    size_t before = pair.receiver->received;
    PUMP_UNTIL(pair.receiver->received == PACKETS, pair.receiver);
    assert_true(before <= PACKETS);
    close_pair(&pair);
}

static void closes_with_things_waiting(const struct row *row)
{
    struct pair pair = pair_of(row);
    for (int i = 0; i < 8; i++)
        assert_int_equal(
            vox_transport_send(pair.sender->transport, packet_bytes(1, 1000, 1), 1000, NULL, NULL),
            0);
    close_pair(&pair);
    pair = pair_of(row); /* and the name is free again */
    close_pair(&pair);
    vox_transport_close(NULL);
}

struct other_thread {
    struct vox_transport *transport;
    atomic_int received;
};

enum { THREAD_PACKETS = 1000, THREAD_WINDOW = 32 };

static void *send_many(void *argument)
{
    struct other_thread *other = argument;
    for (int i = 0; i < THREAD_PACKETS;) {
        if (i - atomic_load(&other->received) < THREAD_WINDOW &&
            vox_transport_send(other->transport, packet_bytes((uint8_t)i, 120, 1), 120, NULL,
                               NULL) == 0)
            i++;
    }
    return NULL;
}

static void another_thread_may_send(const struct row *row)
{
    struct pair pair = pair_of(row);
    struct other_thread other = {.transport = pair.sender->transport};
    pthread_t thread;
    atomic_init(&other.received, 0);
    assert_int_equal(pthread_create(&thread, NULL, send_many, &other), 0);
    while (pair.receiver->received < THREAD_PACKETS) {
        struct end *const both[] = {pair.sender, pair.receiver};
        pump(both, 2);
        atomic_store(&other.received, (int)pair.receiver->received);
        vox_transport_pending(pair.sender->transport);
        collect(pair.sender);
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < THREAD_PACKETS; i++)
        assert_int_equal(pair.receiver->inbox[i].first, (uint8_t)i);
    close_pair(&pair);
}

#define FOR_EACH_ROW(check)                                                                        \
    static void check##_everywhere(void **state)                                                   \
    {                                                                                              \
        (void)state;                                                                               \
        for (size_t i = 0; i < COUNT(rows); i++) {                                                 \
            if (!is_possible(&rows[i]))                                                            \
                continue;                                                                          \
            print_message("             %s\n", rows[i].name);                                      \
            check(&rows[i]);                                                                       \
        }                                                                                          \
    }

FOR_EACH_ROW(keeps_boundaries_and_order)
FOR_EACH_ROW(refuses_what_is_too_long)
FOR_EACH_ROW(answers_reach_whom_they_are_for)
FOR_EACH_ROW(a_burst_comes_through)
FOR_EACH_ROW(nothing_there_is_no_error)
FOR_EACH_ROW(says_where_it_is)
FOR_EACH_ROW(tells_of_connections)
FOR_EACH_ROW(what_was_sent_before_the_end_arrives)
FOR_EACH_ROW(closes_with_things_waiting)
FOR_EACH_ROW(another_thread_may_send)

/* ---- broadcast: in a network of our own, since it is for all of them ---- */

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    bool written = file && fputs(text, file) >= 0;
    return file && fclose(file) == 0 && written;
}

static bool enter_new_network(void)
{
    char map[32];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWNET) < 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
            return false;
        snprintf(map, sizeof map, "0 %u 1", uid);
        if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map))
            return false;
        snprintf(map, sizeof map, "0 %u 1", gid);
        if (!write_file("/proc/self/gid_map", map))
            return false;
    }
    return system("{ ip link set lo up && ip link add v0 type veth peer name v1 && "
                  "ip address add 10.77.0.1/24 broadcast + dev v0 && "
                  "ip link set v0 up && ip link set v1 up; } >/dev/null 2>&1") == 0;
}

/* The last of all: what came before has another network. */
static void broadcast_carries_too(void **state)
{
    (void)state;
    static const struct row row = {.name = "UDP broadcast",
                                   .listen = "0.0.0.0:0",
                                   .host = "10.77.0.255",
                                   .longest_bytes = 65507};
    if (!enter_new_network()) {
        print_message("             no network of our own may be made here\n");
        skip();
    }
    keeps_boundaries_and_order(&row);
    answers_reach_whom_they_are_for(&row);
    a_burst_comes_through(&row);
    another_thread_may_send(&row);
}

/* ---- opening ---- */

static void wrong_options_are_refused(const struct row *row)
{
    struct vox_transport_config good, config;
    configure(row, row->is_stream ? VOX_TRANSPORT_LISTEN : VOX_TRANSPORT_CALL, &good);
    if (strncmp(row->listen, "unix:", 5) == 0)
        return;
    config = good;
    config.dscp = 64;
    expect_error(&config, VOX_EINVAL, "DSCP 64");
    config = good;
    config.ttl = 256;
    expect_error(&config, VOX_EINVAL, "TTL 256");
    if (!row->is_stream)
        return;
    config = good;
    config.queue_bytes = 0;
    expect_error(&config, VOX_EINVAL, "queue of 0 bytes");
    config = good;
    config.max_peers = 0;
    expect_error(&config, VOX_EINVAL, "0 peers");
    config = good;
    config.idle_ns = -1;
    expect_error(&config, VOX_EINVAL, "negative");
}

static void a_place_is_taken_once(const struct row *row)
{
    struct vox_transport_config config;
    if (row->is_group) /* many may hear a group */
        return;
    struct end *first = listener(row);
    configure(row, VOX_TRANSPORT_LISTEN, &config);
    config.address = *vox_transport_local(first->transport);
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_transport_format(config.scheme, &config.address, text);
    expect_error(&config, VOX_EINUSE, text);
    expect_error(&config, VOX_EINUSE, "another program");
    collect(first); /* nobody was let in to find out */
    assert_int_equal(first->events[VOX_TRANSPORT_CONNECTED], 0);
    end_close(first);
    struct end *second = end_open(&config);
    end_close(second);
}

static void no_file_is_left(const struct row *row)
{
    struct rlimit before, none;
    struct vox_transport_config config;
    if (row->is_group) /* the interface's name takes a socket to look up, and fails first */
        return;
    configure(row, VOX_TRANSPORT_LISTEN, &config);
    int next = dup(STDIN_FILENO);
    assert_return_code(next, errno);
    close(next);
    assert_return_code(getrlimit(RLIMIT_NOFILE, &before), errno);
    none = before;
    none.rlim_cur = (rlim_t)next;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &none), errno);
    expect_error(&config, VOX_ELIMIT, "raise the limit (ulimit -n)");
    assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
}

FOR_EACH_ROW(wrong_options_are_refused)
FOR_EACH_ROW(no_file_is_left)
FOR_EACH_ROW(a_place_is_taken_once)

static void says_why_it_cannot_open(void **state)
{
    (void)state;
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.scheme = VOX_SCHEME_TCP;
    config.address = address_of("198.51.100.77:0", true);
    expect_error(&config, VOX_EADDRESS, "no such address");
    config.address = address_of("239.1.2.3:0", true);
    expect_error(&config, VOX_EADDRESS, "group");
    config.address = address_of("127.0.0.1:0", true);
    config.congestion = "no-such";
    expect_error(&config, VOX_ENOTFOUND, "\"no-such\"; it has: ");
    config.congestion = NULL;
    static const enum vox_scheme schemes[] = {VOX_SCHEME_UNIX, VOX_SCHEME_UNIX_STREAM};
    for (size_t i = 0; i < COUNT(schemes); i++) {
        config.scheme = schemes[i];
        config.address = address_of("unix:/no-such-folder/socket", true);
        expect_error(&config, VOX_ENOTFOUND, "no such folder");
    }
}

static void reno_is_everywhere(void **state)
{
    (void)state;
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.scheme = VOX_SCHEME_TCP;
    config.address = address_of("127.0.0.1:0", true);
    config.congestion = "reno";
    struct end *end = end_open(&config);
    end_close(end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_boundaries_and_order_everywhere),
        cmocka_unit_test(refuses_what_is_too_long_everywhere),
        cmocka_unit_test(answers_reach_whom_they_are_for_everywhere),
        cmocka_unit_test(a_burst_comes_through_everywhere),
        cmocka_unit_test(nothing_there_is_no_error_everywhere),
        cmocka_unit_test(says_where_it_is_everywhere),
        cmocka_unit_test(tells_of_connections_everywhere),
        cmocka_unit_test(what_was_sent_before_the_end_arrives_everywhere),
        cmocka_unit_test(closes_with_things_waiting_everywhere),
        cmocka_unit_test(another_thread_may_send_everywhere),
        cmocka_unit_test(wrong_options_are_refused_everywhere),
        cmocka_unit_test(no_file_is_left_everywhere),
        cmocka_unit_test(a_place_is_taken_once_everywhere),
        cmocka_unit_test(says_why_it_cannot_open),
        cmocka_unit_test(reno_is_everywhere),
        cmocka_unit_test(broadcast_carries_too),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown_empty);
}
