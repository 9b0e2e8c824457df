#include "wire/pcap.h"

#include "base/err.h"
#include "base/time.h"
#include "hostile.h"

#define SECOND_NS (INT64_C(1700000000) * VOX_NS_PER_S)

static const uint8_t rtp[] = {0x80, 0x60, 0x00, 0x01, 0x00, 0x00, 0x03, 0xc0,
                              0x12, 0x34, 0x56, 0x78, 0xf8, 0xff, 0xfe};

/* 192.0.2.1:40000 to 192.0.2.2:5004, of an odd count of bytes. */
static const struct vox_pcap_packet v4 = {
    .unix_ns = SECOND_NS + 123456789,
    .from = {.ip = {192, 0, 2, 1}, .port = 40000},
    .to = {.ip = {192, 0, 2, 2}, .port = 5004},
    .payload = rtp,
    .payload_bytes = sizeof rtp,
};

/* [2001:db8::1]:40000 to [2001:db8::2]:5004, a second later. */
static const struct vox_pcap_packet v6 = {
    .unix_ns = SECOND_NS + VOX_NS_PER_S,
    .ipv6 = true,
    .from = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 40000},
    .to = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .port = 5004},
    .payload = rtp,
    .payload_bytes = sizeof rtp - 1,
};

/* Both, one after the other. Wireshark calls all three checksums right. */
static const uint8_t golden[] = {
    0xa1, 0xb2, 0x3c, 0x4d, 0x00, 0x02, 0x00, 0x04, /* nanoseconds, version 2.4 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* reserved */
    0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x65, /* 262144 bytes at most, type RAW */

    0x65, 0x53, 0xf1, 0x00, 0x07, 0x5b, 0xcd, 0x15, /* 1700000000.123456789 */
    0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x2b, /* 43 bytes of 43 */
    0x45, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x40, 0x00, /* IPv4, not to be fragmented */
    0x40, 0x11, 0xb6, 0xbe,                         /* hop limit, UDP, checksum */
    0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02, /* addresses */
    0x9c, 0x40, 0x13, 0x8c, 0x00, 0x17, 0xe8, 0x20, /* ports, length, checksum */
    0x80, 0x60, 0x00, 0x01, 0x00, 0x00, 0x03, 0xc0, 0x12, 0x34, 0x56, 0x78, 0xf8, 0xff, 0xfe,

    0x65, 0x53, 0xf1, 0x01, 0x00, 0x00, 0x00, 0x00, /* 1700000001 */
    0x00, 0x00, 0x00, 0x3e, 0x00, 0x00, 0x00, 0x3e, /* 62 bytes of 62 */
    0x60, 0x00, 0x00, 0x00, 0x00, 0x16, 0x11, 0x40, /* IPv6, 22 bytes of UDP */
    0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, /* addresses */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x9c, 0x40, 0x13, 0x8c, 0x00, 0x16, 0x0e, 0xb3,
    0x80, 0x60, 0x00, 0x01, 0x00, 0x00, 0x03, 0xc0, 0x12, 0x34, 0x56, 0x78, 0xf8, 0xff,
};

enum {
    V4_AT = VOX_PCAP_HEADER_BYTES,
    V4_IP_AT = V4_AT + 16,
    V4_UDP_AT = V4_IP_AT + 20,
    V4_BYTES = 16 + 43,
    V6_AT = V4_AT + V4_BYTES,
    V6_IP_AT = V6_AT + 16,
};

static void assert_same(const struct vox_pcap_packet *got, const struct vox_pcap_packet *want)
{
    assert_int_equal(got->unix_ns, want->unix_ns);
    assert_int_equal(got->ipv6, want->ipv6);
    assert_memory_equal(got->from.ip, want->from.ip, want->ipv6 ? 16 : 4);
    assert_memory_equal(got->to.ip, want->to.ip, want->ipv6 ? 16 : 4);
    assert_int_equal(got->from.port, want->from.port);
    assert_int_equal(got->to.port, want->to.port);
    assert_int_equal(got->payload_bytes, want->payload_bytes);
    assert_memory_equal(got->payload, want->payload, want->payload_bytes);
}

static void writes_the_golden_bytes(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t n = (size_t)vox_pcap_write_header(bytes, sizeof bytes);
    assert_int_equal(n, VOX_PCAP_HEADER_BYTES);
    n += (size_t)vox_pcap_write_packet(&v4, bytes + n, sizeof bytes - n);
    n += (size_t)vox_pcap_write_packet(&v6, bytes + n, sizeof bytes - n);
    assert_int_equal(n, sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void reads_the_golden_bytes(void **state)
{
    (void)state;
    struct vox_pcap_reader reader;
    struct vox_pcap_packet packet;
    assert_int_equal(vox_pcap_open(golden, sizeof golden, &reader), 0);
    assert_int_equal(vox_pcap_next(&reader, &packet), 1);
    assert_same(&packet, &v4);
    assert_int_equal(vox_pcap_next(&reader, &packet), 1);
    assert_same(&packet, &v6);
    assert_int_equal(vox_pcap_next(&reader, &packet), 0);
    assert_int_equal(vox_pcap_next(&reader, &packet), 0);
    assert_int_equal(reader.others, 0);
}

/* What a machine of the other order, and an older program, would have written. */
static void reads_both_orders_and_resolutions(void **state)
{
    (void)state;
    static const struct {
        uint8_t magic[4];
        int64_t unix_ns;
    } rows[] = {
        {{0x4d, 0x3c, 0xb2, 0xa1}, SECOND_NS + 456789},
        {{0xd4, 0xc3, 0xb2, 0xa1}, SECOND_NS + 456789000},
    };
    static const uint8_t rest[] = {
        0x02, 0x00, 0x04, 0x00, 0,    0,    0,    0,    0,    0,
        0,    0,    0xff, 0xff, 0x00, 0x00, 0x65, 0,    0,    0, /* the first record */
        0x00, 0xf1, 0x53, 0x65, 0x55, 0xf8, 0x06, 0x00, 0x2b, 0x00,
        0x00, 0x00, 0x2b, 0x00, 0x00, 0x00};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[4 + sizeof rest + 43];
        struct vox_pcap_reader reader;
        struct vox_pcap_packet packet, want = v4;
        memcpy(bytes, rows[i].magic, 4);
        memcpy(bytes + 4, rest, sizeof rest);
        memcpy(bytes + 4 + sizeof rest, golden + V4_IP_AT, 43);
        want.unix_ns = rows[i].unix_ns;
        assert_int_equal(vox_pcap_open(bytes, sizeof bytes, &reader), 0);
        assert_int_equal(vox_pcap_next(&reader, &packet), 1);
        assert_same(&packet, &want);
        assert_int_equal(vox_pcap_next(&reader, &packet), 0);
    }
}

static void refuses_what_is_no_such_capture(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        int err;
    } rows[] = {
        {0, 0x0a, VOX_EFORMAT},
        {3, 0xd4, VOX_EFORMAT},
        {5, 3, VOX_EUNSUPPORTED},
        {7, 3, VOX_EUNSUPPORTED},
        {23, 1, VOX_EUNSUPPORTED},
        {22, 1, VOX_EUNSUPPORTED},
        {20, 0x14, 0} /* bytes of a frame check sequence */,
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[sizeof golden];
        struct vox_pcap_reader reader;
        memcpy(bytes, golden, sizeof golden);
        bytes[rows[i].at] = rows[i].value;
        assert_int_equal(vox_pcap_open(bytes, sizeof bytes, &reader), rows[i].err);
    }
}

/* Each changed record is passed over, and the next one is read. */
static void passes_over_what_is_no_whole_datagram(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {
        {V4_IP_AT, 0x55},     /* of no known version */
        {V4_IP_AT, 0x44},     /* a header too short */
        {V4_IP_AT, 0x4f},     /* options beyond the datagram */
        {V4_IP_AT + 3, 19},   /* shorter than its header */
        {V4_IP_AT + 6, 0x20}, /* the first of several fragments */
        {V4_IP_AT + 7, 1},    /* a later one */
        {V4_IP_AT + 9, 6},    /* TCP */
        {V4_UDP_AT + 4, 1},   /* cut */
        {V4_UDP_AT + 5, 7},   /* shorter than its header */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[sizeof golden];
        struct vox_pcap_reader reader;
        struct vox_pcap_packet packet;
        memcpy(bytes, golden, sizeof golden);
        bytes[rows[i].at] = rows[i].value;
        assert_int_equal(vox_pcap_open(bytes, sizeof bytes, &reader), 0);
        assert_int_equal(vox_pcap_next(&reader, &packet), 1);
        assert_same(&packet, &v6);
        assert_int_equal(reader.others, 1);
    }
}

static void passes_over_ipv6_with_extensions(void **state)
{
    (void)state;
    uint8_t bytes[sizeof golden];
    struct vox_pcap_reader reader;
    struct vox_pcap_packet packet;
    memcpy(bytes, golden, sizeof golden);
    bytes[V6_IP_AT + 6] = 0; /* hop-by-hop options */
    assert_int_equal(vox_pcap_open(bytes, sizeof bytes, &reader), 0);
    assert_int_equal(vox_pcap_next(&reader, &packet), 1);
    assert_int_equal(vox_pcap_next(&reader, &packet), 0);
    assert_int_equal(reader.others, 1);
}

/* As a killed program or a full disk of others leaves it: what is whole is read. */
static void a_cut_file_gives_its_whole_records(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof golden; len++) {
        struct vox_pcap_reader reader;
        struct vox_pcap_packet packet;
        int err = vox_pcap_open(golden, len, &reader);
        assert_int_equal(err, len < VOX_PCAP_HEADER_BYTES ? VOX_ETRUNCATED : 0);
        int whole = 0;
        while (err >= 0 && (err = vox_pcap_next(&reader, &packet)) > 0)
            whole++;
        assert_int_equal(whole, len >= V6_AT);
        assert_int_equal(err, len == V4_AT || len == V6_AT ? 0 : VOX_ETRUNCATED);
    }
}

static void a_fraction_of_a_second_is_less_than_one(void **state)
{
    (void)state;
    uint8_t bytes[sizeof golden];
    struct vox_pcap_reader reader;
    struct vox_pcap_packet packet;
    memcpy(bytes, golden, sizeof golden);
    bytes[V4_AT + 4] = 0x40; /* 1.07 s of nanoseconds */
    assert_int_equal(vox_pcap_open(bytes, sizeof bytes, &reader), 0);
    assert_int_equal(vox_pcap_next(&reader, &packet), VOX_EFORMAT);
}

static void refuses_what_no_field_holds(void **state)
{
    (void)state;
    static uint8_t noise[VOX_PCAP_MAX_PAYLOAD + 1], bytes[VOX_PCAP_MAX_PAYLOAD + 128];
    struct vox_pcap_packet packet = v4;
    packet.payload = noise;
    packet.payload_bytes = VOX_PCAP_MAX_PAYLOAD;
    assert_int_equal(vox_pcap_write_packet(&packet, bytes, sizeof bytes), 16 + 65535);
    packet.payload_bytes++;
    assert_int_equal(vox_pcap_write_packet(&packet, bytes, sizeof bytes), VOX_EINVAL);
    packet = v4;
    packet.unix_ns = -1;
    assert_int_equal(vox_pcap_write_packet(&packet, bytes, sizeof bytes), VOX_EINVAL);
    packet.unix_ns = (INT64_C(1) << 32) * VOX_NS_PER_S;
    assert_int_equal(vox_pcap_write_packet(&packet, bytes, sizeof bytes), VOX_EINVAL);
    packet.unix_ns--;
    assert_int_equal(vox_pcap_write_packet(&packet, bytes, sizeof bytes), V4_BYTES);
}

static void refuses_every_capacity_that_is_too_small(void **state)
{
    (void)state;
    uint8_t bytes[128];
    for (size_t capacity = 0; capacity < VOX_PCAP_HEADER_BYTES; capacity++)
        assert_int_equal(vox_pcap_write_header(bytes, capacity), VOX_ENOSPC);
    for (size_t capacity = 0; capacity < V4_BYTES; capacity++)
        assert_int_equal(vox_pcap_write_packet(&v4, bytes, capacity), VOX_ENOSPC);
    for (size_t capacity = 0; capacity < sizeof golden - V6_AT; capacity++)
        assert_int_equal(vox_pcap_write_packet(&v6, bytes, capacity), VOX_ENOSPC);
}

/* RFC 768: a sum of zero is sent as its other form, since zero says that there is none. */
static void no_checksum_is_zero(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= UINT16_MAX; i++) {
        uint8_t payload[2] = {(uint8_t)(i >> 8), (uint8_t)i}, bytes[64];
        struct vox_pcap_packet packet = v4;
        packet.payload = payload;
        packet.payload_bytes = sizeof payload;
        assert_true(vox_pcap_write_packet(&packet, bytes, sizeof bytes) > 0);
        size_t at = 16 + 20 + 6;
        assert_false(bytes[at] == 0 && bytes[at + 1] == 0);
    }
}

static void read_all(const uint8_t *bytes, size_t len)
{
    struct vox_pcap_reader reader;
    struct vox_pcap_packet packet;
    uint32_t sum = 0;
    if (vox_pcap_open(bytes, len, &reader) < 0)
        return;
    while (vox_pcap_next(&reader, &packet) > 0)
        for (size_t i = 0; i < packet.payload_bytes; i++)
            sum += packet.payload[i]; /* the sanitizers see where it lies */
    assert_true(sum <= 255 * len);
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(golden, sizeof golden, read_all);
    hostile_feed_mutations(golden, sizeof golden, 20000, read_all);
    hostile_feed_noise(20000, read_all);
}

RUN(cmocka_unit_test(writes_the_golden_bytes), cmocka_unit_test(reads_the_golden_bytes),
    cmocka_unit_test(reads_both_orders_and_resolutions),
    cmocka_unit_test(refuses_what_is_no_such_capture),
    cmocka_unit_test(passes_over_what_is_no_whole_datagram),
    cmocka_unit_test(passes_over_ipv6_with_extensions),
    cmocka_unit_test(a_cut_file_gives_its_whole_records),
    cmocka_unit_test(a_fraction_of_a_second_is_less_than_one),
    cmocka_unit_test(refuses_what_no_field_holds),
    cmocka_unit_test(refuses_every_capacity_that_is_too_small),
    cmocka_unit_test(no_checksum_is_zero), cmocka_unit_test(survives_hostile_bytes))
