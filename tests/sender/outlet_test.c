#include "sender/outlet.h"

#include "base/err.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/transport.h"
#include "support/test.h"

#include <unistd.h>

enum { PACKETS = 400 };

static struct vox_net_error error;

struct peer {
    struct vox_transport *socket;
    char text[VOX_ADDRESS_TEXT_BYTES];
};

static void open_peer(struct peer *peer)
{
    struct vox_transport_config config;
    vox_transport_config_init(&config);
    assert_true(vox_transport_lookup("127.0.0.1:0", 0, &config, &error) >= 0);
    assert_int_equal(vox_transport_open(&config, &peer->socket, &error), 0);
    vox_address_format(vox_transport_local(peer->socket), peer->text);
}

static struct vox_send_options options_to(const struct peer *peer)
{
    return (struct vox_send_options){.destination = peer->text,
                                     .encoding.frame_ticks = 960,
                                     .network = {.burst_packets = 1, .seed = 1},
                                     .dscp = 46,
                                     .buffer_ns = VOX_BUFFER_DEFAULT};
}

static void nap(void)
{
    vox_clock_sleep_until(vox_clock_now_ns() + VOX_NS_PER_MS);
}

static int64_t in_a_minute(void)
{
    return vox_clock_now_ns() + 60 * VOX_NS_PER_S;
}

static void wait_until_left(struct vox_outlet *outlet, size_t pending)
{
    int64_t until_ns = in_a_minute();
    while (vox_outlet_pending(outlet) > pending && vox_clock_now_ns() < until_ns)
        nap();
    assert_int_equal(vox_outlet_pending(outlet), pending);
}

static void receive_all(struct peer *peer, bool arrived[PACKETS])
{
    const struct vox_transport_packet *got;
    int n;
    while ((n = vox_transport_receive(peer->socket, &got)) > 0)
        for (int i = 0; i < n; i++)
            if (got[i].len == 2)
                arrived[got[i].bytes[0] << 8 | got[i].bytes[1]] = true;
}

static size_t missing_of(const bool arrived[PACKETS])
{
    size_t missing = 0;
    for (int i = 0; i < PACKETS; i++)
        missing += !arrived[i];
    return missing;
}

static void send_one(struct vox_outlet *outlet, enum vox_datagram_kind kind, int number)
{
    uint8_t bytes[2] = {(uint8_t)(number >> 8), (uint8_t)number};
    struct vox_datagram datagram = {.kind = kind,
                                    .bytes = bytes,
                                    .len = kind == VOX_DATAGRAM_RTP ? 2 : 1,
                                    .send_ns = number * 20 * VOX_NS_PER_MS};
    vox_outlet_send(outlet, &datagram);
}

/*
 * Which of PACKETS arrive. All are due in the past, so they leave at once, some at a time, since
 * the receiver's buffer in the kernel may be small.
 */
static void run(const struct vox_send_options *options, struct peer *peer, bool reports_between,
                bool arrived[PACKETS])
{
    struct vox_outlet *outlet = NULL;
    assert_int_equal(vox_outlet_create(options, &outlet, &error), 0);
    memset(arrived, 0, PACKETS * sizeof *arrived);
    for (int i = 0; i < PACKETS; i++) {
        send_one(outlet, VOX_DATAGRAM_RTP, i);
        if (reports_between && i % 7 == 0)
            send_one(outlet, VOX_DATAGRAM_RTCP, i);
        if (i % 50 == 49) {
            wait_until_left(outlet, 0);
            receive_all(peer, arrived);
        }
    }
    struct vox_outlet_stats stats;
    vox_outlet_read_stats(outlet, &stats);
    /* What has left may be on its way yet: the kernel delivers in its own time. */
    for (int64_t until_ns = in_a_minute();
         missing_of(arrived) > stats.media_dropped && vox_clock_now_ns() < until_ns; nap())
        receive_all(peer, arrived);
    assert_int_equal(missing_of(arrived), stats.media_dropped);
    vox_outlet_destroy(outlet);
}

static void the_same_seed_gives_the_same_fates_whatever_rtcp_does(void **state)
{
    (void)state;
    static bool first[PACKETS], second[PACKETS], other[PACKETS];
    struct peer peer;
    open_peer(&peer);
    struct vox_send_options options = options_to(&peer);
    options.network.loss = 0.2;
    options.network.burst_packets = 3;
    run(&options, &peer, false, first);
    run(&options, &peer, true, second);
    options.network.seed = 2;
    run(&options, &peer, false, other);
    assert_memory_equal(first, second, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    vox_transport_close(peer.socket);
}

static void without_a_network_everything_arrives(void **state)
{
    (void)state;
    static bool arrived[PACKETS];
    struct peer peer;
    open_peer(&peer);
    struct vox_send_options options = options_to(&peer);
    run(&options, &peer, true, arrived);
    for (int i = 0; i < PACKETS; i++)
        assert_true(arrived[i]);
    vox_transport_close(peer.socket);
}

static void datagrams_wait_for_their_time(void **state)
{
    (void)state;
    struct peer peer;
    struct vox_outlet *outlet = NULL;
    open_peer(&peer);
    struct vox_send_options options = options_to(&peer);
    options.network.delay_ns = 3600 * VOX_NS_PER_S;
    assert_int_equal(vox_outlet_create(&options, &outlet, &error), 0);
    int64_t now_ns = vox_clock_now_ns();
    struct vox_datagram datagram = {
        .kind = VOX_DATAGRAM_RTP, .bytes = (const uint8_t *)"x", .len = 1, .send_ns = now_ns};
    vox_outlet_send(outlet, &datagram);
    assert_int_equal(vox_outlet_pending(outlet), 1);
    assert_true(vox_outlet_last_due_ns(outlet) == now_ns + 3600 * VOX_NS_PER_S);
    vox_outlet_stop(outlet);
    vox_outlet_destroy(outlet);
    vox_transport_close(peer.socket);
}

/* A stream from a file is read ahead of its time; the times in reports must stay true. */
static void reports_do_not_wait_for_media_that_is_not_due(void **state)
{
    (void)state;
    struct peer peer;
    struct vox_outlet *outlet = NULL;
    open_peer(&peer);
    struct vox_send_options options = options_to(&peer);
    options.network.jitter_ns = VOX_NS_PER_MS;
    assert_int_equal(vox_outlet_create(&options, &outlet, &error), 0);
    int64_t now_ns = vox_clock_now_ns(), hour_ns = 3600 * VOX_NS_PER_S;
    struct vox_datagram datagram = {.kind = VOX_DATAGRAM_RTP,
                                    .bytes = (const uint8_t *)"x",
                                    .len = 1,
                                    .send_ns = now_ns + hour_ns};
    vox_outlet_send(outlet, &datagram);
    datagram.kind = VOX_DATAGRAM_RTCP;
    datagram.send_ns = now_ns;
    vox_outlet_send(outlet, &datagram);
    wait_until_left(outlet, 1);
    datagram.send_ns = now_ns + hour_ns;
    vox_outlet_send(outlet, &datagram); /* the goodbye */
    assert_int_equal(vox_outlet_pending(outlet), 2);
    assert_true(vox_outlet_last_due_ns(outlet) >= now_ns + hour_ns);
    vox_outlet_stop(outlet);
    vox_outlet_destroy(outlet);
    vox_transport_close(peer.socket);
}

static void open_neighbours(struct peer *peer, struct vox_transport **above)
{
    for (int tries = 0; tries < 50; tries++) {
        open_peer(peer);
        struct vox_transport_config config;
        vox_transport_config_init(&config);
        config.address = *vox_transport_local(peer->socket);
        vox_address_set_port(&config.address, (uint16_t)(vox_address_port(&config.address) + 1));
        if (vox_transport_open(&config, above, &error) == 0)
            return;
        vox_transport_close(peer->socket);
    }
    fail_msg("no two free ports in a row: %s", error.text);
}

/* In all that is there, once something is. */
static int count_received(struct vox_transport *socket, const char *text)
{
    const struct vox_transport_packet *got;
    int n, count = 0;
    int64_t until_ns = in_a_minute();
    while ((n = vox_transport_receive(socket, &got)) <= 0 && vox_clock_now_ns() < until_ns)
        nap();
    for (; n > 0; n = vox_transport_receive(socket, &got))
        for (int i = 0; i < n; i++)
            count += got[i].len == 1 && got[i].bytes[0] == (uint8_t)text[0];
    return count;
}

static void without_mux_reports_go_to_the_port_above(void **state)
{
    (void)state;
    struct peer peer;
    struct vox_transport *above = NULL;
    struct vox_outlet *outlet = NULL;
    open_neighbours(&peer, &above);
    struct vox_send_options options = options_to(&peer);
    options.no_rtcp_mux = true;
    assert_int_equal(vox_outlet_create(&options, &outlet, &error), 0);
    struct vox_datagram datagram = {
        .kind = VOX_DATAGRAM_RTP, .bytes = (const uint8_t *)"m", .len = 1};
    vox_outlet_send(outlet, &datagram);
    datagram =
        (struct vox_datagram){.kind = VOX_DATAGRAM_RTCP, .bytes = (const uint8_t *)"r", .len = 1};
    vox_outlet_send(outlet, &datagram);
    wait_until_left(outlet, 0);
    vox_outlet_stop(outlet);
    assert_int_equal(count_received(peer.socket, "m"), 1);
    assert_int_equal(count_received(above, "r"), 1);
    vox_outlet_destroy(outlet);
    outlet = NULL;
    options.destination = "127.0.0.1:65535";
    assert_int_equal(vox_outlet_create(&options, &outlet, &error), VOX_EINVAL);
    assert_non_null(strstr(error.text, "65535"));
    vox_transport_close(peer.socket);
    vox_transport_close(above);
}

static void bad_traces_are_told_with_their_line(void **state)
{
    (void)state;
    struct peer peer;
    struct vox_outlet *outlet = NULL;
    char path[64];
    open_peer(&peer);
    struct vox_send_options options = options_to(&peer);
    options.network.trace = "/tmp/voxgram-no-such-trace.txt";
    assert_true(vox_outlet_create(&options, &outlet, &error) < 0);
    assert_non_null(strstr(error.text, options.network.trace));
    snprintf(path, sizeof path, "/tmp/voxgram-trace-%d.txt", (int)getpid());
    FILE *file = fopen(path, "w");
    fputs("# a trace\n0 0 10\n1 20 nonsense\n", file);
    fclose(file);
    options.network.trace = path;
    assert_int_equal(vox_outlet_create(&options, &outlet, &error), VOX_EFORMAT);
    assert_non_null(strstr(error.text, "line 3"));
    assert_null(outlet);
    unlink(path);
    vox_transport_close(peer.socket);
}

RUN(cmocka_unit_test(the_same_seed_gives_the_same_fates_whatever_rtcp_does),
    cmocka_unit_test(without_a_network_everything_arrives),
    cmocka_unit_test(datagrams_wait_for_their_time),
    cmocka_unit_test(reports_do_not_wait_for_media_that_is_not_due),
    cmocka_unit_test(without_mux_reports_go_to_the_port_above),
    cmocka_unit_test(bad_traces_are_told_with_their_line))
