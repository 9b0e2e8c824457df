/* In namespaces of its own, which an unprivileged user may make; where he may not, left out. */
#include "lab/veth.h"

#include "base/rt.h"
#include "lab/netns.h"
#include "lab/rtnl.h"
#include "net/clock.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM = 2048,
    MTU = 1500,
    PORT = 7000,
    IP_BYTES = 20,
    UDP_BYTES = 8,
    TCP_PORT = 7001,
    PATIENCE_MS = 20000,
    IP_UDP = 17,
    DISCARD = 9,
};

static struct vox_net_error error;
static int hub = -1; /* the namespace with our ends */

static void enter(void)
{
    if (vox_netns_enter(&error) < 0) {
        print_message("left out: %s\n", error.text);
        skip();
    }
}

static void open_hub(void)
{
    enter();
    if (hub >= 0)
        close(hub);
    hub = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    assert_true(hub >= 0);
}

static struct vox_veth opened(void)
{
    struct vox_veth veth;
    if (vox_veth_open(&veth, &error) < 0)
        fail_msg("%s", error.text);
    return veth;
}

/* In a new namespace, which is the process's from then on. */
static void plug(struct vox_veth *veth, const char *name, const char *ipv4, const char *ipv6)
{
    const struct vox_veth_config config = {.name = name, .ipv4 = ipv4, .ipv6 = ipv6};
    enter();
    if (vox_veth_plug(veth, &config, &error) < 0)
        fail_msg("%s", error.text);
}

static struct vox_veth end_a(void)
{
    open_hub();
    struct vox_veth veth = opened();
    plug(&veth, "vox-a", "10.77.0.1", "fd77::1");
    return veth;
}

static struct sockaddr_in at(const char *ipv4, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, ipv4, &address.sin_addr), 1);
    return address;
}

static int udp_socket(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static void send_to(int fd, const char *ipv4, size_t len)
{
    static const uint8_t zeros[8192];
    struct sockaddr_in to = at(ipv4, DISCARD);
    assert_int_equal(sendto(fd, zeros, len, 0, (struct sockaddr *)&to, sizeof to), len);
}

static size_t take(struct vox_veth *veth, uint8_t packet[ROOM])
{
    int64_t sent_ns;
    vox_rt_enter();
    size_t len = vox_veth_read(veth, packet, ROOM, &sent_ns);
    vox_rt_leave();
    return len;
}

/* ---- checksums (RFC 1071): 0 over what holds a right one ---- */

static uint32_t sum_up(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Of UDP or TCP in a packet without IP options: the addresses, the protocol and the length, too. */
static uint16_t transport_sum(const uint8_t *packet, size_t len)
{
    uint32_t sum = packet[9] + (uint32_t)(len - IP_BYTES);
    sum = sum_up(packet + 12, 8, sum);
    return fold(sum_up(packet + IP_BYTES, len - IP_BYTES, sum));
}

static void is_good(const uint8_t *packet, size_t len)
{
    assert_in_range(len, IP_BYTES + UDP_BYTES, MTU);
    assert_int_equal(packet[0], 0x45);
    assert_int_equal(packet[2] << 8 | packet[3], len);
    assert_int_equal(fold(sum_up(packet, IP_BYTES, 0)), 0);
    assert_int_equal(transport_sum(packet, len), 0);
}

/* ---- tests ---- */

static void what_is_sent_is_read(void **state)
{
    (void)state;
    uint8_t packet[ROOM];
    int64_t before_ns = vox_clock_now_ns(), sent_ns = 0;
    struct vox_veth veth = end_a();
    int fd = udp_socket();
    assert_int_equal(take(&veth, packet), 0);
    send_to(fd, "10.77.0.2", 5);
    struct pollfd readable = {.fd = veth.fd, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
    assert_int_equal(vox_veth_read(&veth, packet, sizeof packet, &sent_ns),
                     IP_BYTES + UDP_BYTES + 5);
    is_good(packet, IP_BYTES + UDP_BYTES + 5);
    assert_true(sent_ns >= before_ns && sent_ns <= vox_clock_now_ns());
    assert_int_equal(take(&veth, packet), 0);
    close(fd);
    vox_veth_close(&veth);
    vox_veth_close(&veth);
}

/* A program that leaves the cutting to the device finds one that can't. */
static void large_sends_come_in_packets(void **state)
{
    (void)state;
    enum { SEGMENT = 1000, SEGMENTS = 5 };
    uint8_t packet[ROOM];
    struct vox_veth veth = end_a();
    int fd = udp_socket();
    static const uint8_t bytes[SEGMENT * SEGMENTS];
    const int segment = SEGMENT;
    struct sockaddr_in to = at("10.77.0.2", DISCARD);
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0 &&
        sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&to, sizeof to) > 0)
        for (int i = 0; i < SEGMENTS; i++) {
            size_t len = take(&veth, packet);
            assert_int_equal(len, IP_BYTES + UDP_BYTES + SEGMENT);
            is_good(packet, len);
        }
    assert_int_equal(take(&veth, packet), 0);
    close(fd);
    vox_veth_close(&veth);
}

/* As the link does it, but at once; every packet is looked at. */
static bool carry(struct vox_veth *from, struct vox_veth *to)
{
    uint8_t packet[ROOM];
    bool any = false;
    for (size_t len = take(from, packet); len > 0; len = take(from, packet)) {
        is_good(packet, len);
        assert_true(vox_veth_write(to, packet, len));
        any = true;
    }
    return any;
}

static bool carry_both(struct vox_veth *a, struct vox_veth *b)
{
    bool there = carry(a, b), back = carry(b, a);
    return there || back;
}

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    return fd;
}

static void wait_for(struct vox_veth *a, struct vox_veth *b)
{
    if (carry_both(a, b))
        return;
    struct pollfd fds[] = {{.fd = a->fd, .events = POLLIN}, {.fd = b->fd, .events = POLLIN}};
    assert_true(poll(fds, COUNT(fds), PATIENCE_MS) > 0);
}

static void tcp_crosses(void **state)
{
    (void)state;
    enum { STREAM_BYTES = 300000 };
    static uint8_t sent[STREAM_BYTES], heard[STREAM_BYTES];
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    open_hub();
    struct vox_veth a = opened(), b = opened();
    plug(&a, "vox-a", "10.77.0.1", "fd77::1");
    int caller = tcp_socket();
    plug(&b, "vox-b", "10.77.0.2", "fd77::2");
    int listener = tcp_socket(), heard_fd = -1;
    struct sockaddr_in address = at("10.77.0.2", TCP_PORT);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(connect(caller, (struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, EINPROGRESS);
    for (; heard_fd < 0; heard_fd = accept(listener, NULL, NULL))
        wait_for(&a, &b);
    size_t in = 0, out = 0;
    while (out < sizeof heard) {
        ssize_t n = in < sizeof sent ? send(caller, sent + in, sizeof sent - in, 0) : 0;
        in += n > 0 ? (size_t)n : 0;
        bool any = carry_both(&a, &b);
        n = recv(heard_fd, heard + out, sizeof heard - out, MSG_DONTWAIT);
        out += n > 0 ? (size_t)n : 0;
        if (n <= 0 && !any && out < sizeof heard)
            wait_for(&a, &b);
    }
    assert_memory_equal(sent, heard, sizeof heard);
    assert_int_equal(vox_veth_missed(&a) + vox_veth_missed(&b), 0);
    close(caller);
    close(listener);
    close(heard_fd);
    vox_veth_close(&a);
    vox_veth_close(&b);
}

/* A datagram from B to A's PORT with one byte. */
static size_t make_datagram(uint8_t packet[ROOM], uint8_t byte)
{
    enum { LEN = IP_BYTES + UDP_BYTES + 1 };
    const uint8_t bytes[LEN] = {
        0x45, 0,  0, LEN, 0,  0,  0,         0,           64, IP_UDP,        0, 0, 10,  77, 0, 2,
        10,   77, 0, 1,   27, 88, PORT >> 8, PORT & 0xff, 0,  UDP_BYTES + 1, 0, 0, byte};
    memcpy(packet, bytes, LEN);
    uint16_t sum = fold(sum_up(packet, IP_BYTES, 0));
    packet[10] = (uint8_t)(sum >> 8), packet[11] = (uint8_t)sum;
    sum = transport_sum(packet, LEN);
    packet[26] = (uint8_t)(sum >> 8), packet[27] = (uint8_t)sum;
    return LEN;
}

static void a_wrong_checksum_is_noticed(void **state)
{
    (void)state;
    uint8_t packet[ROOM], heard = 0;
    struct vox_veth veth = end_a();
    int fd = udp_socket();
    struct sockaddr_in here = at("10.77.0.1", PORT);
    assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
    size_t len = make_datagram(packet, 'w');
    packet[27] ^= 1;
    assert_true(vox_veth_write(&veth, packet, len));
    len = make_datagram(packet, 'r');
    assert_true(vox_veth_write(&veth, packet, len));
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
    assert_int_equal(recv(fd, &heard, 1, 0), 1);
    assert_int_equal(heard, 'r');
    assert_int_equal(take(&veth, packet), 0);
    close(fd);
    vox_veth_close(&veth);
}

/* What nobody reads in time is counted. */
static void what_is_missed_is_counted(void **state)
{
    (void)state;
    enum { SENT = 5000 };
    uint8_t packet[ROOM];
    uint64_t heard = 0;
    struct vox_veth veth = end_a();
    int fd = udp_socket();
    for (int i = 0; i < SENT; i++)
        send_to(fd, "10.77.0.2", 100);
    while (take(&veth, packet) > 0)
        heard++;
    assert_in_range(heard, 1000, SENT - 1);
    assert_int_equal(heard + vox_veth_missed(&veth), SENT);
    assert_int_equal(heard + vox_veth_missed(&veth), SENT);
    send_to(fd, "10.77.0.2", 100);
    assert_int_equal(take(&veth, packet), IP_BYTES + UDP_BYTES + 100);
    close(fd);
    vox_veth_close(&veth);
}

/* The first number behind a device's name in the namespace's /proc/net/dev is bytes, then packets.
 */
static long received_by_vox0(void)
{
    char line[512];
    long packets = -1;
    FILE *devices = fopen("/proc/self/net/dev", "re");
    assert_non_null(devices);
    while (fgets(line, sizeof line, devices)) {
        char *row = strstr(line, "vox0:");
        if (row) {
            strtol(row + strlen("vox0:"), &row, 10);
            packets = strtol(row, NULL, 10);
        }
    }
    fclose(devices);
    return packets;
}

static bool has_link_local(void)
{
    char line[512];
    bool has = false;
    FILE *addresses = fopen("/proc/self/net/if_inet6", "re");
    while (addresses && fgets(line, sizeof line, addresses))
        has |= strncmp(line, "fe80", 4) == 0;
    if (addresses)
        fclose(addresses);
    return has;
}

/* Nobody answers there, or says anything at all. */
static void our_end_is_silent(void **state)
{
    (void)state;
    uint8_t packet[ROOM];
    struct vox_veth veth = end_a();
    int fd = udp_socket();
    assert_false(has_link_local());
    send_to(fd, "10.77.0.2", 10);
    send_to(fd, "224.0.0.1", 10);
    send_to(fd, "239.1.2.3", 10);
    for (int i = 0; i < 3; i++)
        is_good(packet, take(&veth, packet));
    assert_int_equal(take(&veth, packet), 0);
    assert_int_equal(received_by_vox0(), 0);
    assert_int_equal(setns(hub, CLONE_NEWNET), 0);
    assert_false(has_link_local());
    close(fd);
    vox_veth_close(&veth);
}

static void what_is_not_ip_is_left_out(void **state)
{
    (void)state;
    uint8_t packet[ROOM], small[100];
    int64_t sent_ns;
    struct vox_veth veth = end_a();
    int fd = udp_socket(), arp = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ARP),
                             .sll_ifindex = (int)if_nametoindex("vox0"),
                             .sll_halen = 6,
                             .sll_addr = {255, 255, 255, 255, 255, 255}};
    const uint8_t request[28] = {0, 1, 8, 0, 6, 4, 0, ARPOP_REQUEST};
    assert_true(arp >= 0);
    assert_int_equal(sendto(arp, request, sizeof request, 0, (struct sockaddr *)&to, sizeof to),
                     sizeof request);
    send_to(fd, "10.77.0.2", 200);
    send_to(fd, "10.77.0.2", 10);
    /* Nor what has no place. */
    assert_int_equal(vox_veth_read(&veth, small, sizeof small, &sent_ns),
                     IP_BYTES + UDP_BYTES + 10);
    assert_int_equal(take(&veth, packet), 0);
    close(arp);
    close(fd);
    vox_veth_close(&veth);
}

/* A command with rights over its network takes vox0 away. */
static void devices_that_are_gone_are_an_error(void **state)
{
    (void)state;
    uint8_t packet[ROOM];
    struct vox_rtnl_request request;
    struct vox_veth veth = end_a();
    const uint16_t remove = RTM_DELLINK;
    int rtnl = vox_rtnl_open();
    vox_rtnl_link(&request, 0, (int)if_nametoindex("vox0"));
    memcpy(request.bytes + offsetof(struct nlmsghdr, nlmsg_type), &remove, sizeof remove);
    assert_int_equal(vox_rtnl_ask(rtnl, &request), 0);
    struct pollfd gone = {.fd = veth.fd, .events = POLLIN};
    assert_int_equal(poll(&gone, 1, PATIENCE_MS), 1);
    assert_int_equal(gone.revents & POLLERR, POLLERR);
    assert_int_equal(take(&veth, packet), 0);
    assert_false(vox_veth_write(&veth, packet, make_datagram(packet, 'x')));
    assert_int_equal(vox_veth_missed(&veth), 0);
    close(rtnl);
    vox_veth_close(&veth);
}

static void a_name_is_there_once(void **state)
{
    (void)state;
    struct vox_veth a = end_a();
    const struct vox_veth_config config = {.name = "vox-a", .ipv4 = "10.77.0.2", .ipv6 = "fd77::2"};
    assert_int_equal(setns(hub, CLONE_NEWNET), 0);
    struct vox_veth b = opened();
    enter();
    assert_true(vox_veth_plug(&b, &config, &error) < 0);
    assert_string_equal(error.text, "cannot set up an end of the link: File exists");
    vox_veth_close(&b);
    vox_veth_close(&a);
}

RUN(cmocka_unit_test(what_is_sent_is_read), cmocka_unit_test(large_sends_come_in_packets),
    cmocka_unit_test(tcp_crosses), cmocka_unit_test(a_wrong_checksum_is_noticed),
    cmocka_unit_test(what_is_missed_is_counted), cmocka_unit_test(our_end_is_silent),
    cmocka_unit_test(what_is_not_ip_is_left_out),
    cmocka_unit_test(devices_that_are_gone_are_an_error), cmocka_unit_test(a_name_is_there_once))
