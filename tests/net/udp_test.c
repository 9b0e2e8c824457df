#include "net/transport.h"

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "ends.h"
#include "net/clock.h"
#include "support/test.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static struct vox_transport *open_it(const struct vox_transport_config *config)
{
    struct vox_transport *udp;
    struct vox_net_error error;
    if (vox_transport_open(config, &udp, &error) < 0)
        fail_msg("%s", error.text);
    return udp;
}

static struct vox_transport_config listen_on(const char *text)
{
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.address = address_of(text, true);
    return config;
}

static struct vox_transport *receiver_on(const char *text)
{
    struct vox_transport_config config = listen_on(text);
    return open_it(&config);
}

static struct vox_transport_config call(const struct vox_address *to)
{
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.role = VOX_TRANSPORT_CALL;
    config.address = *to;
    return config;
}

static struct vox_transport *sender_to(const struct vox_address *to, const char *interface)
{
    struct vox_transport_config config = call(to);
    config.interface = interface;
    return open_it(&config);
}

static void wait_for(struct vox_transport *udp, short events)
{
    struct pollfd p = {.fd = vox_transport_fd(udp), .events = events};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static void send_text(struct vox_transport *udp, const struct vox_address *to, const char *text)
{
    struct vox_net_error error;
    const struct vox_peer peer = {.address = *to};
    vox_rt_enter();
    int err = vox_transport_send(udp, text, strlen(text), &peer, &error);
    vox_rt_leave();
    if (err < 0)
        fail_msg("%s", error.text);
}

static struct vox_transport_packet receive_one(struct vox_transport *udp)
{
    const struct vox_transport_packet *got;
    wait_for(udp, POLLIN);
    vox_rt_enter();
    int count = vox_transport_receive(udp, &got);
    vox_rt_leave();
    assert_int_equal(count, 1);
    return got[0];
}

/* The receiver's port at another of its addresses. */
static struct vox_address port_of(const struct vox_transport *receiver, const char *host)
{
    struct vox_address to = address_of(host, false);
    vox_address_set_port(&to, vox_address_port(vox_transport_local(receiver)));
    return to;
}

static void exchange(const char *listen, const char *host)
{
    struct vox_transport *receiver = receiver_on(listen);
    struct vox_address to = port_of(receiver, host);
    struct vox_transport *sender = sender_to(&to, NULL);
    int64_t before_ns = vox_clock_now_ns();
    send_text(sender, &to, "there");
    struct vox_transport_packet got = receive_one(receiver);
    assert_int_equal(got.len, 5);
    assert_memory_equal(got.bytes, "there", 5);
    assert_false(got.truncated);
    assert_true(got.kernel_time);
    /* The offset between the clocks is sampled twice, each time within microseconds. */
    assert_true(got.arrival_ns > before_ns - VOX_NS_PER_MS);
    assert_true(got.arrival_ns <= vox_clock_now_ns());
    assert_int_equal(vox_address_family(&got.from.address), vox_address_family(&to));
    assert_true(vox_address_is_loopback(&got.from.address));
    assert_int_equal(vox_address_port(&got.from.address),
                     vox_address_port(vox_transport_local(sender)));
    struct vox_address back = got.from.address;
    send_text(receiver, &back, "back");
    got = receive_one(sender);
    assert_memory_equal(got.bytes, "back", 4);
    assert_true(vox_address_equal(&got.from.address, &to));
    vox_transport_close(sender);
    vox_transport_close(receiver);
}

static bool has_v6(void)
{
    struct vox_transport_config config = listen_on("[::1]:0");
    struct vox_transport *udp;
    if (vox_transport_open(&config, &udp, NULL) < 0)
        return false;
    vox_transport_close(udp);
    return true;
}

static void exchanges_over_both_families(void **state)
{
    (void)state;
    exchange("127.0.0.1:0", "127.0.0.1");
    if (has_v6())
        exchange("[::1]:0", "::1");
}

static void one_socket_hears_both_families(void **state)
{
    (void)state;
    exchange(":0", "127.0.0.1");
    if (has_v6())
        exchange(":0", "::1");
}

static void takes_batches_in_order(void **state)
{
    (void)state;
    struct vox_transport *receiver = receiver_on("127.0.0.1:0");
    struct vox_transport *sender = sender_to(vox_transport_local(receiver), NULL);
    const struct vox_transport_packet *got;
    assert_int_equal(vox_transport_receive(receiver, &got), 0);
    for (uint8_t i = 0; i < VOX_TRANSPORT_BATCH + 3; i++)
        assert_int_equal(vox_transport_send(sender, &i, 1, NULL, NULL), 0);
    int64_t last_ns = 0;
    int taken = 0;
    for (int batch = 0; batch < 2; batch++) {
        wait_for(receiver, POLLIN);
        int count = vox_transport_receive(receiver, &got);
        assert_int_equal(count, batch == 0 ? VOX_TRANSPORT_BATCH : 3);
        for (int i = 0; i < count; i++) {
            assert_int_equal(got[i].bytes[0], taken++);
            if (i > 0) /* within a batch one offset turns wall clock into monotonic */
                assert_true(got[i].arrival_ns >= last_ns);
            last_ns = got[i].arrival_ns;
        }
    }
    assert_int_equal(vox_transport_receive(receiver, &got), 0);
    vox_transport_close(sender);
    vox_transport_close(receiver);
}

static void flags_what_is_too_long(void **state)
{
    (void)state;
    struct vox_transport *receiver = receiver_on("127.0.0.1:0");
    struct vox_transport *sender = sender_to(vox_transport_local(receiver), NULL);
    static const uint8_t bytes[VOX_TRANSPORT_PACKET_BYTES + 1];
    static const struct {
        size_t sent, kept;
        bool truncated;
    } rows[] = {{0, 0, false},
                {VOX_TRANSPORT_PACKET_BYTES, VOX_TRANSPORT_PACKET_BYTES, false},
                {VOX_TRANSPORT_PACKET_BYTES + 1, VOX_TRANSPORT_PACKET_BYTES, true},
                {1, 1, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(vox_transport_send(sender, bytes, rows[i].sent, NULL, NULL), 0);
        struct vox_transport_packet got = receive_one(receiver);
        assert_int_equal(got.len, rows[i].kept);
        assert_int_equal(got.truncated, rows[i].truncated);
    }
    vox_transport_close(sender);
    vox_transport_close(receiver);
}

static struct vox_transport *join(const struct vox_address *group, const struct vox_address *source,
                                  const char *interface)
{
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    config.address = *group;
    config.interface = interface;
    if (source)
        config.source = *source;
    return open_it(&config);
}

static void multicast_reaches_all_who_joined(const char *group, const char *interface)
{
    struct vox_address any_port = address_of(group, true);
    struct vox_transport *first = join(&any_port, NULL, interface);
    struct vox_address to = *vox_transport_local(first);
    struct vox_transport *second = join(&to, NULL, interface);
    struct vox_transport *sender = sender_to(&to, interface);
    send_text(sender, &to, "all");
    assert_memory_equal(receive_one(first).bytes, "all", 3);
    assert_memory_equal(receive_one(second).bytes, "all", 3);
    vox_transport_close(sender);
    vox_transport_close(second);
    vox_transport_close(first);
}

static void joins_a_group(void **state)
{
    (void)state;
    multicast_reaches_all_who_joined("239.255.77.1:0", "lo");
    multicast_reaches_all_who_joined("239.255.77.1:0", "1");
}

/* IPv6 routes groups over interfaces that do multicast only, which `lo` does not. */
static bool find_v6_multicast_interface(char name[IF_NAMESIZE])
{
    struct ifaddrs *all;
    bool found = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        const unsigned needed = IFF_UP | IFF_RUNNING | IFF_MULTICAST;
        found =
            i->ifa_addr && i->ifa_addr->sa_family == AF_INET6 && (i->ifa_flags & needed) == needed;
        if (found)
            snprintf(name, IF_NAMESIZE, "%s", i->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

static void joins_a_group_of_v6(void **state)
{
    (void)state;
    char interface[IF_NAMESIZE];
    if (!find_v6_multicast_interface(interface))
        skip();
    /* Interface-local scope (RFC 4291, section 2.7): looped back, never put on the wire. */
    multicast_reaches_all_who_joined("[ff11::7701]:0", interface);
}

static void hears_one_source_of_a_group(void **state)
{
    (void)state;
    struct vox_address group = address_of("232.255.77.2:0", true);
    struct vox_transport *all = join(&group, NULL, "lo");
    group = *vox_transport_local(all);
    struct vox_transport *sender = sender_to(&group, "lo");
    send_text(sender, &group, "who am I?");
    struct vox_address self = receive_one(all).from.address,
                       other = address_of("198.51.100.77", false);
    struct vox_transport *wanted = join(&group, &self, "lo"),
                         *unwanted = join(&group, &other, "lo");
    send_text(sender, &group, "one");
    assert_memory_equal(receive_one(wanted).bytes, "one", 3);
    /* Loopback hands one datagram to all sockets before the next. */
    const struct vox_transport_packet *none;
    assert_int_equal(vox_transport_receive(unwanted, &none), 0);
    vox_transport_close(sender);
    vox_transport_close(unwanted);
    vox_transport_close(wanted);
    vox_transport_close(all);
}

static void marks_datagrams_for_priority(void **state)
{
    (void)state;
    struct vox_address v4 = address_of("127.0.0.1:5004", false), v6 = address_of("::1", false);
    struct vox_transport_config config = call(&v4);
    struct vox_transport *udp;
    int value = 0;
    socklen_t len = sizeof value;
    config.ttl = 7;
    assert_int_equal(vox_transport_open(&config, &udp, NULL), 0);
    assert_int_equal(getsockopt(vox_transport_fd(udp), IPPROTO_IP, IP_TOS, &value, &len), 0);
    assert_int_equal(value, 46 << 2);
    assert_int_equal(getsockopt(vox_transport_fd(udp), IPPROTO_IP, IP_TTL, &value, &len), 0);
    assert_int_equal(value, 7);
    assert_int_equal(getsockopt(vox_transport_fd(udp), SOL_SOCKET, SO_BROADCAST, &value, &len), 0);
    assert_int_equal(value, 0);
    vox_transport_close(udp);
    config.address = v6;
    assert_int_equal(vox_transport_open(&config, &udp, NULL), 0);
    assert_int_equal(getsockopt(vox_transport_fd(udp), IPPROTO_IPV6, IPV6_TCLASS, &value, &len), 0);
    assert_int_equal(value, 46 << 2);
    vox_transport_close(udp);
    config.address = address_of("255.255.255.255", false);
    assert_int_equal(vox_transport_open(&config, &udp, NULL), 0);
    assert_int_equal(getsockopt(vox_transport_fd(udp), SOL_SOCKET, SO_BROADCAST, &value, &len), 0);
    assert_int_equal(value, 1);
    vox_transport_close(udp);
}

static void expect_refusal(const char *listen, const char *interface, int err, const char *says)
{
    struct vox_transport_config config = listen_on(listen);
    config.interface = interface;
    struct vox_transport *udp = NULL;
    struct vox_net_error error = {""};
    assert_int_equal(vox_transport_open(&config, &udp, &error), err);
    assert_null(udp);
    assert_non_null(strstr(error.text, says));
}

static void says_why_it_cannot_listen(void **state)
{
    (void)state;
    struct vox_transport *first = receiver_on(":0");
    char text[VOX_ADDRESS_TEXT_BYTES];
    expect_refusal(vox_address_format(vox_transport_local(first), text), NULL, VOX_EINUSE, text);
    expect_refusal(text, NULL, VOX_EINUSE, "another program uses this port");
    vox_transport_close(first);
    expect_refusal("198.51.100.77:0", NULL, VOX_EADDRESS, "no such address");
    expect_refusal("239.1.2.3:0", "no-such-if", VOX_ENOTFOUND, "\"no-such-if\"");
    expect_refusal("239.1.2.3:0", "999999", VOX_ENOTFOUND, "ip link");
    expect_refusal("239.1.2.3:0", "0", VOX_ENOTFOUND, "ip link");
}

static void says_why_it_cannot_send(void **state)
{
    (void)state;
    struct vox_address to = address_of("127.0.0.1:5004", false);
    const struct vox_peer v6 = {.address = address_of("[::1]:5004", false)};
    struct vox_transport_config config = call(&to);
    struct vox_transport *udp = NULL;
    struct vox_net_error error = {""};
    config.dscp = 64;
    assert_int_equal(vox_transport_open(&config, &udp, &error), VOX_EINVAL);
    assert_non_null(strstr(error.text, "64"));
    config.dscp = 0;
    config.ttl = 256;
    assert_int_equal(vox_transport_open(&config, &udp, &error), VOX_EINVAL);
    assert_non_null(strstr(error.text, "256"));
    assert_null(udp);
    udp = sender_to(&to, NULL);
    static const uint8_t bytes[70000];
    assert_int_equal(vox_transport_send(udp, bytes, sizeof bytes, NULL, &error), VOX_ELIMIT);
    assert_non_null(strstr(error.text, "70000"));
    assert_int_equal(vox_transport_send(udp, bytes, 1, &v6, &error), VOX_EADDRESS);
    assert_non_null(strstr(error.text, "[::1]:5004"));
    const struct vox_peer all = {.address = address_of("255.255.255.255:5004", false)};
    int err = vox_transport_send(udp, bytes, 1, &all, &error);
    /* Where there is no network but loopback, there is no way to broadcast on either. */
    assert_true(err == VOX_EPERMISSION || err == VOX_EADDRESS);
    assert_non_null(strstr(error.text, err == VOX_EPERMISSION ? "broadcast" : "no route"));
    vox_transport_close(udp);
}

/*
 * A port that refuses what comes to it, until the guard is closed: that is bound to it, so that the
 * kernel gives it to no other socket (not to the sender either, which happened), but hears only a
 * peer that sends nothing.
 */
static struct vox_address closed_port(const char *host, struct vox_transport **guard)
{
    char listen[64];
    snprintf(listen, sizeof listen, "[%s]:0", host);
    *guard = receiver_on(strchr(host, ':') ? listen : "127.0.0.1:0");
    struct vox_address to = port_of(*guard, host), nobody = to;
    vox_address_set_port(&nobody, 9);
    assert_return_code(
        connect(vox_transport_fd(*guard), (const struct sockaddr *)&nobody.storage, nobody.len),
        errno);
    return to;
}

static void tells_of_refusal_once_and_keeps_sending(const char *host)
{
    struct vox_transport *guard;
    struct vox_address to = closed_port(host, &guard);
    struct vox_transport *sender = sender_to(&to, NULL);
    struct vox_transport_event event;
    assert_false(vox_transport_event(sender, &event));
    for (int i = 0; i < 5; i++)
        send_text(sender, &to, "anybody?");
    wait_for(sender, POLLPRI);
    assert_true(vox_transport_event(sender, &event));
    assert_int_equal(event.kind, VOX_TRANSPORT_TROUBLE);
    assert_true(vox_address_equal(&event.peer.address, &to));
    char text[VOX_ADDRESS_TEXT_BYTES];
    assert_non_null(strstr(event.text, vox_address_format(&to, text)));
    assert_non_null(strstr(event.text, "refused"));
    assert_false(vox_transport_event(sender, &event));
    /* The receiver starts; not one datagram is spent on hearing of the refusals before. */
    send_text(sender, &to, "lost");
    vox_transport_close(guard);
    struct vox_transport *receiver = receiver_on(text);
    send_text(sender, &to, "here");
    assert_memory_equal(receive_one(receiver).bytes, "here", 4);
    const struct vox_transport_packet *none;
    assert_int_equal(vox_transport_receive(sender, &none), 0);
    vox_transport_close(receiver);
    vox_transport_close(sender);
}

static void refusals_are_told_once(void **state)
{
    (void)state;
    tells_of_refusal_once_and_keeps_sending("127.0.0.1");
    if (has_v6())
        tells_of_refusal_once_and_keeps_sending("::1");
}

struct watch {
    struct vox_transport *udp;
    int calls, status, events;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    watch->calls++;
    watch->status = status;
    watch->events = events;
    struct vox_transport_event event;
    while (vox_transport_event(watch->udp, &event))
        continue;
    uv_poll_stop(poll);
}

static void trouble_wakes_libuv_without_an_error(void **state)
{
    (void)state;
    struct vox_transport *guard;
    struct vox_address to = closed_port("127.0.0.1", &guard);
    struct watch watch = {.udp = sender_to(&to, NULL)};
    struct vox_address self = port_of(watch.udp, "127.0.0.1");
    send_text(watch.udp, &to, "anybody?");
    send_text(watch.udp, &self, "both at once");
    uv_loop_t loop;
    uv_poll_t poll;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_poll_init(&loop, &poll, vox_transport_fd(watch.udp)), 0);
    poll.data = &watch;
    assert_int_equal(uv_poll_start(&poll, UV_READABLE | UV_PRIORITIZED, on_poll), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(watch.calls, 1);
    assert_int_equal(watch.status, 0);
    assert_int_equal(watch.events, UV_READABLE | UV_PRIORITIZED);
    uv_close((uv_handle_t *)&poll, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    vox_transport_close(watch.udp);
    vox_transport_close(guard);
    vox_transport_close(NULL);
}

/* The kernel says so with the next datagram that it has room for. */
static void what_the_kernel_drops_is_counted_and_told_once(void **state)
{
    (void)state;
    enum { SENT = 500 };
    struct vox_transport_config config = listen_on("127.0.0.1:0");
    config.buffer_bytes = 1; /* it gives the least that it can */
    struct vox_transport *receiver = open_it(&config);
    struct vox_transport *sender = sender_to(vox_transport_local(receiver), NULL);
    const struct vox_transport_packet *got;
    struct vox_transport_stats stats;
    struct vox_transport_event event;
    static const uint8_t bytes[1000];
    uint64_t received = 0;
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < SENT; i++)
            assert_int_equal(vox_transport_send(sender, bytes, sizeof bytes, NULL, NULL), 0);
        for (int count; (count = vox_transport_receive(receiver, &got)) > 0;)
            received += (uint64_t)count;
        assert_int_equal(vox_transport_send(sender, bytes, 1, NULL, NULL), 0);
        wait_for(receiver, POLLIN);
        received += (uint64_t)vox_transport_receive(receiver, &got);
        vox_transport_read_stats(receiver, &stats);
        assert_true(stats.kernel_dropped > 0);
        assert_int_equal(received + stats.kernel_dropped, round * (SENT + 1));
        assert_int_equal(vox_transport_event(receiver, &event), round == 1);
    }
    assert_int_equal(event.kind, VOX_TRANSPORT_OVERFLOW);
    assert_non_null(strstr(event.text, "the system dropped"));
    vox_transport_close(sender);
    vox_transport_close(receiver);
}

RUN(cmocka_unit_test(exchanges_over_both_families),
    cmocka_unit_test(one_socket_hears_both_families), cmocka_unit_test(takes_batches_in_order),
    cmocka_unit_test(flags_what_is_too_long), cmocka_unit_test(joins_a_group),
    cmocka_unit_test(joins_a_group_of_v6), cmocka_unit_test(hears_one_source_of_a_group),
    cmocka_unit_test(marks_datagrams_for_priority), cmocka_unit_test(says_why_it_cannot_listen),
    cmocka_unit_test(says_why_it_cannot_send), cmocka_unit_test(refusals_are_told_once),
    cmocka_unit_test(what_the_kernel_drops_is_counted_and_told_once),
    cmocka_unit_test(trouble_wakes_libuv_without_an_error))
