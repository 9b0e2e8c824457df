#include "sender/packetizer.h"

#include "base/err.h"
#include "base/time.h"
#include "support/test.h"
#include "wire/hdrext.h"

static const uint8_t payload[] = {0xDE, 0xAD};

static void init(struct vox_packetizer *p, uint8_t capture_time_id)
{
    vox_packetizer_init(p, &(struct vox_packetizer_config){.ssrc = 0x11223344,
                                                           .capture_time_id = capture_time_id,
                                                           .first_seq = 65535,
                                                           .first_timestamp = 0xFFFFFF00,
                                                           .frame_ticks = 960});
}

static int write_at(struct vox_packetizer *p, int64_t position, struct vox_rtp *rtp)
{
    static uint8_t out[VOX_RTP_MAX_BYTES];
    struct vox_packetizer_frame frame = {.position_ticks = position,
                                         .capture_unix_ns =
                                             1700000000 * VOX_NS_PER_S + VOX_NS_PER_S / 2,
                                         .payload_type = 96,
                                         .payload = payload,
                                         .payload_bytes = sizeof payload};
    int len = vox_packetizer_write(p, &frame, out, sizeof out);
    assert_true(vox_rtp_parse(out, (size_t)len, rtp) >= 0);
    return len;
}

/*
 * Version 2, extension; marker, payload type 96; seq 65535; timestamp 0xFFFFFF00; SSRC; 0xBEDE, 3
 * words; element id 1 of 8 bytes; NTP time 1700000000.5 s of Unix + 2208988800; 3 bytes of padding.
 */
static void first_packet_byte_for_byte(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        0x90, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x11, 0x22, 0x33, 0x44, 0xBE, 0xDE, 0x00,
        0x03, 0x17, 0xE8, 0xFE, 0x6F, 0x80, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xDE, 0xAD,
    };
    struct vox_packetizer p;
    init(&p, 1);
    uint8_t out[64];
    struct vox_packetizer_frame frame = {.capture_unix_ns =
                                             1700000000 * VOX_NS_PER_S + VOX_NS_PER_S / 2,
                                         .payload_type = 96,
                                         .payload = payload,
                                         .payload_bytes = sizeof payload};
    assert_int_equal(vox_packetizer_write(&p, &frame, out, sizeof out), (int)sizeof golden);
    assert_memory_equal(out, golden, sizeof golden);
}

static void sequence_and_timestamp_wrap(void **state)
{
    (void)state;
    struct vox_packetizer p;
    struct vox_rtp rtp;
    init(&p, 0);
    write_at(&p, 0, &rtp);
    assert_int_equal(rtp.seq, 65535);
    assert_true(rtp.marker && !rtp.has_extension);
    write_at(&p, 960, &rtp);
    assert_int_equal(rtp.seq, 0);
    assert_int_equal(rtp.timestamp, 960 - 256);
    assert_false(rtp.marker);
}

static void marker_after_a_pause_but_not_after_a_gap(void **state)
{
    (void)state;
    struct vox_packetizer p;
    struct vox_rtp rtp;
    init(&p, 1);
    write_at(&p, 0, &rtp);
    vox_packetizer_pause(&p);
    vox_packetizer_pause(&p);
    write_at(&p, 3 * 960, &rtp);
    assert_true(rtp.marker);
    assert_int_equal(rtp.seq, 0);
    write_at(&p, 100 * 960, &rtp);
    assert_false(rtp.marker);
    assert_int_equal(rtp.seq, 1);
    assert_int_equal(rtp.timestamp, 100 * 960 - 256);
}

static void capture_time_at_first_then_now_and_then(void **state)
{
    (void)state;
    struct vox_packetizer p;
    struct vox_rtp rtp;
    init(&p, 1);
    int64_t position = 0;
    for (int i = 0; i < 200; i++, position += 960) {
        write_at(&p, position, &rtp);
        bool expect = i < 10 || (i - 9) % 25 == 0; /* 500 ms are 25 packets */
        assert_int_equal(rtp.has_extension, expect);
    }
    write_at(&p, position + 1, &rtp); /* one sample off is a jump */
    assert_true(rtp.has_extension);
    write_at(&p, position + 961, &rtp);
    assert_false(rtp.has_extension);
}

static void a_failed_write_uses_no_number(void **state)
{
    (void)state;
    struct vox_packetizer p;
    struct vox_rtp rtp;
    init(&p, 1);
    uint8_t small[20];
    struct vox_packetizer_frame frame = {.payload = payload, .payload_bytes = sizeof payload};
    assert_int_equal(vox_packetizer_write(&p, &frame, small, sizeof small), VOX_ENOSPC);
    write_at(&p, 0, &rtp);
    assert_int_equal(rtp.seq, 65535);
    assert_true(rtp.marker);
}

RUN(cmocka_unit_test(first_packet_byte_for_byte), cmocka_unit_test(sequence_and_timestamp_wrap),
    cmocka_unit_test(marker_after_a_pause_but_not_after_a_gap),
    cmocka_unit_test(capture_time_at_first_then_now_and_then),
    cmocka_unit_test(a_failed_write_uses_no_number))
