#include "lab/capture.h"

#include "base/err.h"
#include "support/folder.h"
#include "support/test.h"

#include <errno.h>

enum { PACKETS = 1000, PAYLOAD_BYTES = 200 };

/* The n-th packet's payload begins with n; sources take turns. */
static void write_capture(const char *path, size_t leave_out)
{
    static uint8_t bytes[VOX_PCAP_HEADER_BYTES + PACKETS * (VOX_PCAP_MAX_OVERHEAD + PAYLOAD_BYTES)];
    size_t len = (size_t)vox_pcap_write_header(bytes, sizeof bytes);
    for (int n = 0; n < PACKETS; n++) {
        uint8_t payload[PAYLOAD_BYTES] = {(uint8_t)(n >> 8), (uint8_t)n};
        struct vox_pcap_packet packet = {
            .unix_ns = INT64_C(1700000000000000001) + n,
            .ipv6 = n % 2 == 1,
            .from = {.ip = {10, 0, 0, 1}, .port = (uint16_t)(5000 + n % 2)},
            .payload = payload,
            .payload_bytes = sizeof payload,
        };
        len += (size_t)vox_pcap_write_packet(&packet, bytes + len, sizeof bytes - len);
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len - leave_out, file), len - leave_out);
    fclose(file);
}

static void assert_holds(const struct vox_capture *capture, size_t count)
{
    assert_int_equal(vox_capture_count(capture), count);
    for (size_t n = 0; n < count; n++) {
        const struct vox_capture_packet *packet = vox_capture_at(capture, n);
        assert_int_equal(packet->arrival_unix_ns, INT64_C(1700000000000000001) + (int64_t)n);
        assert_int_equal(packet->len, PAYLOAD_BYTES);
        assert_int_equal(packet->bytes[0] << 8 | packet->bytes[1], n);
        assert_int_equal(packet->ipv6, n % 2 == 1);
        assert_int_equal(packet->from.port, 5000 + n % 2);
        assert_int_equal(packet->from.ip[0], 10);
    }
}

static void reads_every_packet(void **state)
{
    (void)state;
    struct vox_capture *capture;
    write_capture(folder_file("whole.pcap"), 0);
    assert_int_equal(vox_capture_read(folder_file("whole.pcap"), &capture), 0);
    assert_holds(capture, PACKETS);
    vox_capture_destroy(capture);
    vox_capture_destroy(NULL);
}

static void a_cut_packet_is_left_out(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, PAYLOAD_BYTES + 20, PAYLOAD_BYTES + VOX_PCAP_MAX_OVERHEAD - 1};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        struct vox_capture *capture;
        write_capture(folder_file("cut.pcap"), cuts[i]);
        assert_int_equal(vox_capture_read(folder_file("cut.pcap"), &capture), 0);
        assert_holds(capture, PACKETS - 1);
        vox_capture_destroy(capture);
    }
}

static void write_text(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(folder_file(name), "wb");
    assert_non_null(file);
    fwrite(text, 1, len, file);
    fclose(file);
}

static void refuses_what_is_none(void **state)
{
    (void)state;
    struct vox_capture *capture = NULL;
    assert_int_equal(vox_capture_read(folder_file("none"), &capture), VOX_EIO);
    assert_int_equal(errno, ENOENT);
    write_text("text", "This is no capture, but long enough", 35);
    assert_int_equal(vox_capture_read(folder_file("text"), &capture), VOX_EFORMAT);
    write_text("short", "\xa1\xb2\x3c\x4d", 4);
    assert_int_equal(vox_capture_read(folder_file("short"), &capture), VOX_ETRUNCATED);
    write_text("empty", "", 0);
    assert_int_equal(vox_capture_read(folder_file("empty"), &capture), VOX_ETRUNCATED);
    assert_null(capture);
}

static void a_capture_of_nothing_is_one(void **state)
{
    (void)state;
    struct vox_capture *capture;
    uint8_t header[VOX_PCAP_HEADER_BYTES];
    vox_pcap_write_header(header, sizeof header);
    write_text("nothing", (const char *)header, sizeof header);
    assert_int_equal(vox_capture_read(folder_file("nothing"), &capture), 0);
    assert_int_equal(vox_capture_count(capture), 0);
    vox_capture_destroy(capture);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

RUN(FOLDER_TEST(reads_every_packet), FOLDER_TEST(a_cut_packet_is_left_out),
    FOLDER_TEST(refuses_what_is_none), FOLDER_TEST(a_capture_of_nothing_is_one))
