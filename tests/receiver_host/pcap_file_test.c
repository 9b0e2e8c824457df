#include "receiver/pcap_file.h"

#include "base/time.h"
#include "cli/message.h"
#include "support/folder.h"
#include "support/test.h"
#include "wire/pcap.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t payload[] = {0x80, 0x60, 0x00, 0x01};

static struct vox_address address_of(const char *text)
{
    struct vox_address address = {.len = 0};
    struct vox_address_hints hints = {.listening = true};
    if (text)
        assert_int_equal(vox_address_lookup(text, &hints, &address, NULL), 0);
    return address;
}

static struct vox_transport_packet packet_from(const char *text, uint32_t connection)
{
    return (struct vox_transport_packet){
        .bytes = payload,
        .len = sizeof payload,
        .from = {.address = address_of(text), .connection = connection},
        .arrival_ns = 5,
    };
}

static size_t read_file(const char *path, uint8_t *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, capacity, file);
    fclose(file);
    return len;
}

static void assert_ip(const struct vox_pcap_end *end, bool ipv6, const char *text)
{
    uint8_t ip[16];
    assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ip), 1);
    assert_memory_equal(end->ip, ip, ipv6 ? 16 : 4);
}

/* Whatever carries the packets, a capture holds datagrams. */
static void both_ends_of_every_transport_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        uint32_t connection;
        const char *local;
        bool ipv6;
        const char *from_ip;
        uint16_t from_port;
        const char *to_ip;
        uint16_t to_port;
    } rows[] = {
        {"192.0.2.1:9", 0, "192.0.2.2:5004", false, "192.0.2.1", 9, "192.0.2.2", 5004},
        {"192.0.2.1:9", 0, "[::]:5004", false, "192.0.2.1", 9, "0.0.0.0", 5004},
        {"192.0.2.1:9", 0, "0.0.0.0:5004", false, "192.0.2.1", 9, "0.0.0.0", 5004},
        {"[2001:db8::1]:9", 0, "[::]:5004", true, "2001:db8::1", 9, "::", 5004},
        {"[2001:db8::1]:9", 0, "[::1]:7", true, "2001:db8::1", 9, "::1", 7},
        {"tcp://192.0.2.1:9", 3, "tcp://[::]:5004", false, "192.0.2.1", 9, "0.0.0.0", 5004},
        {"tcp://192.0.2.1:9", 1, "tcp://192.0.2.1:9", false, "192.0.2.1", 9, "0.0.0.0", 9},
        {NULL, 7, "unix-stream:/run/x", false, "127.0.0.1", 49159, "127.0.0.1", 5004},
        {NULL, 0, "unix:/run/x", false, "127.0.0.1", 49152, "127.0.0.1", 5004},
        {"unix:@peer", 16385, "unix:/run/x", false, "127.0.0.1", 49153, "127.0.0.1", 5004},
    };
    static struct vox_pcap_file file;
    assert_true(vox_pcap_file_open(&file, folder_file("ends"), 1000));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_transport_packet packet = packet_from(rows[i].from, rows[i].connection);
        struct vox_address local = address_of(rows[i].local);
        vox_pcap_file_push(&file, &packet, &local);
    }
    vox_pcap_file_finish(&file);
    vox_pcap_file_close(&file);

    uint8_t bytes[4096];
    struct vox_pcap_reader reader;
    struct vox_pcap_packet got;
    size_t len = read_file(folder_file("ends"), bytes, sizeof bytes);
    assert_int_equal(vox_pcap_open(bytes, len, &reader), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(vox_pcap_next(&reader, &got), 1);
        assert_int_equal(got.unix_ns, 1005);
        assert_int_equal(got.ipv6, rows[i].ipv6);
        assert_ip(&got.from, rows[i].ipv6, rows[i].from_ip);
        assert_ip(&got.to, rows[i].ipv6, rows[i].to_ip);
        assert_int_equal(got.from.port, rows[i].from_port);
        assert_int_equal(got.to.port, rows[i].to_port);
        assert_int_equal(got.payload_bytes, sizeof payload);
        assert_memory_equal(got.payload, payload, sizeof payload);
    }
    assert_int_equal(vox_pcap_next(&reader, &got), 0);
}

static int count_packets(const char *path)
{
    static uint8_t bytes[1 << 20];
    struct vox_pcap_reader reader;
    struct vox_pcap_packet packet;
    size_t len = read_file(path, bytes, sizeof bytes);
    int count = 0, got = vox_pcap_open(bytes, len, &reader);
    while (got >= 0 && (got = vox_pcap_next(&reader, &packet)) > 0)
        count++;
    assert_int_equal(got, 0);
    return count;
}

/* The file is a whole one at any time, and has what came a second ago. */
static void it_can_be_read_while_it_grows(void **state)
{
    (void)state;
    static struct vox_pcap_file file;
    struct vox_transport_packet packet = packet_from("127.0.0.1:9", 0);
    struct vox_address local = address_of("127.0.0.1:5004");
    assert_true(vox_pcap_file_open(&file, folder_file("live"), 0));
    assert_int_equal(count_packets(folder_file("live")), 0);
    for (int n = 1; n <= 300; n++) {
        int64_t now_ns = 20 * n * VOX_NS_PER_MS;
        vox_pcap_file_push(&file, &packet, &local);
        vox_pcap_file_tick(&file, now_ns);
        assert_in_range(count_packets(folder_file("live")), n > 50 ? n - 50 : 0, n);
    }
    for (int n = 0; n < 3000; n++) /* more than the buffer holds, at once */
        vox_pcap_file_push(&file, &packet, &local);
    assert_true(count_packets(folder_file("live")) > 300 + 1000);
    vox_pcap_file_finish(&file);
    assert_int_equal(count_packets(folder_file("live")), 3300);
    vox_pcap_file_close(&file);
}

static void without_a_path_nothing_happens(void **state)
{
    (void)state;
    static struct vox_pcap_file file;
    struct vox_transport_packet packet = packet_from("127.0.0.1:9", 0);
    assert_true(vox_pcap_file_open(&file, NULL, 0));
    vox_pcap_file_push(&file, &packet, &packet.from.address);
    vox_pcap_file_tick(&file, INT64_MAX);
    vox_pcap_file_finish(&file);
    vox_pcap_file_close(&file);
}

static void a_full_disk_ends_it_and_nothing_else(void **state)
{
    (void)state;
    static struct vox_pcap_file file;
    struct vox_transport_packet packet = packet_from("127.0.0.1:9", 0);
    FILE *said = tmpfile();
    vox_message_init("test", said);
    assert_true(vox_pcap_file_open(&file, "/dev/full", 0));
    vox_pcap_file_push(&file, &packet, &packet.from.address);
    vox_pcap_file_tick(&file, 0);
    vox_pcap_file_finish(&file);
    assert_true(file.failed);
    vox_pcap_file_close(&file);
    assert_false(vox_pcap_file_open(&file, folder_file("no/such/folder"), 0));
    vox_pcap_file_close(&file);
    vox_message_init("test", stderr);
    fclose(said);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

RUN(FOLDER_TEST(both_ends_of_every_transport_are_told), FOLDER_TEST(it_can_be_read_while_it_grows),
    FOLDER_TEST(without_a_path_nothing_happens), FOLDER_TEST(a_full_disk_ends_it_and_nothing_else))
