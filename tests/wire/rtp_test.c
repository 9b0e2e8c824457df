#include "base/err.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/rtp.h"

/* FFmpeg 5.1: -c:a libopus -f rtp, silence. First packet's marker, payload type 97, no extension.
 */
static const uint8_t ffmpeg_packet[] = {
    0x80, 0xe1,             /* version 2; marker, payload type 97 */
    0x04, 0x77,             /* sequence number 1143 */
    0xbf, 0x2b, 0x9d, 0xd4, /* timestamp */
    0x40, 0xee, 0x2a, 0x34, /* SSRC */
    0x48, 0x07, 0xc9, 0x79, 0xc8, 0xc9, 0x57, 0xc0,
};

/* Every optional part at once. */
static const uint8_t full_packet[] = {
    0xb2, 0x60,                                     /* padding, extension, 2 CSRCs; type 96 */
    0xff, 0xff,                                     /* sequence number */
    0x00, 0x00, 0x03, 0xc0,                         /* timestamp */
    0x01, 0x02, 0x03, 0x04,                         /* SSRC */
    0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22, /* CSRCs */
    0xbe, 0xde, 0x00, 0x01,                         /* extension of one word */
    0x10, 0xaa, 0x00, 0x00,                         /* id 1, one byte; padding */
    0xf8, 0xff, 0xfe,                               /* payload */
    0x00, 0x00, 0x00, 0x00, 0x05,                   /* five bytes of padding */
};

static void reads_a_packet_of_ffmpeg(void **state)
{
    (void)state;
    struct vox_rtp rtp;
    assert_int_equal(vox_rtp_parse(ffmpeg_packet, sizeof ffmpeg_packet, &rtp), 0);
    assert_true(rtp.marker);
    assert_int_equal(rtp.payload_type, 97);
    assert_int_equal(rtp.seq, 1143);
    assert_int_equal(rtp.timestamp, 0xbf2b9dd4);
    assert_int_equal(rtp.ssrc, 0x40ee2a34);
    assert_int_equal(rtp.csrc_count, 0);
    assert_false(rtp.has_extension);
    assert_ptr_equal(rtp.payload, ffmpeg_packet + 12);
    assert_int_equal(rtp.payload_bytes, 8);
    assert_int_equal(rtp.padding_bytes, 0);
}

static void reads_every_optional_part(void **state)
{
    (void)state;
    struct vox_rtp rtp;
    assert_int_equal(vox_rtp_parse(full_packet, sizeof full_packet, &rtp), 0);
    assert_false(rtp.marker);
    assert_int_equal(rtp.payload_type, 96);
    assert_int_equal(rtp.seq, 65535);
    assert_int_equal(rtp.csrc_count, 2);
    assert_int_equal(rtp.csrc[0], 0x11111111);
    assert_int_equal(rtp.csrc[1], 0x22222222);
    assert_true(rtp.has_extension);
    assert_int_equal(rtp.extension_profile, 0xbede);
    assert_ptr_equal(rtp.extension, full_packet + 24);
    assert_int_equal(rtp.extension_bytes, 4);
    assert_ptr_equal(rtp.payload, full_packet + 28);
    assert_int_equal(rtp.payload_bytes, 3);
    assert_int_equal(rtp.padding_bytes, 5);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    uint8_t out[64];
    struct vox_rtp rtp;
    vox_rtp_parse(ffmpeg_packet, sizeof ffmpeg_packet, &rtp);
    assert_int_equal(vox_rtp_write(&rtp, out, sizeof out), sizeof ffmpeg_packet);
    assert_memory_equal(out, ffmpeg_packet, sizeof ffmpeg_packet);
    vox_rtp_parse(full_packet, sizeof full_packet, &rtp);
    assert_int_equal(vox_rtp_write(&rtp, out, sizeof out), sizeof full_packet - 5);
    assert_int_equal(out[0], 0x92); /* no padding */
    assert_memory_equal(out + 1, full_packet + 1, sizeof full_packet - 6);
}

static void writes_as_many_csrcs_as_the_field_can_count(void **state)
{
    (void)state;
    uint8_t out[128];
    struct vox_rtp rtp = {.csrc_count = VOX_RTP_MAX_CSRC}, back;
    for (uint32_t i = 0; i < VOX_RTP_MAX_CSRC; i++)
        rtp.csrc[i] = i * 0x01010101;
    assert_int_equal(vox_rtp_write(&rtp, out, sizeof out), 12 + 60);
    assert_int_equal(vox_rtp_parse(out, 12 + 60, &back), 0);
    assert_int_equal(back.csrc_count, VOX_RTP_MAX_CSRC);
    assert_memory_equal(back.csrc, rtp.csrc, sizeof rtp.csrc);
}

static void refuses_every_capacity_that_is_too_small(void **state)
{
    (void)state;
    uint8_t out[sizeof full_packet];
    struct vox_rtp rtp;
    vox_rtp_parse(full_packet, sizeof full_packet, &rtp);
    const size_t need = sizeof full_packet - 5;
    for (size_t capacity = 0; capacity < need; capacity++)
        assert_int_equal(vox_rtp_write(&rtp, out, capacity), VOX_ENOSPC);
    assert_int_equal(vox_rtp_write(&rtp, out, need), need);
}

static void refuses_to_write_what_no_header_can_say(void **state)
{
    (void)state;
    uint8_t out[256];
    uint8_t extension[6] = {0};
    const struct vox_rtp rows[] = {
        {.payload_type = 128},
        {.csrc_count = 16},
        {.has_extension = true, .extension = extension, .extension_bytes = 6},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(vox_rtp_write(&rows[i], out, sizeof out), VOX_EINVAL);
}

static void rejects_malformed_packets(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t byte;
        int err;
    } rows[] = {
        {0, 0x32, VOX_EFORMAT},     /* version 0 */
        {0, 0x72, VOX_EFORMAT},     /* version 1 */
        {0, 0xf2, VOX_EFORMAT},     /* version 3 */
        {0, 0xbf, VOX_ETRUNCATED},  /* 15 CSRCs: more than there are bytes */
        {23, 0x04, VOX_ETRUNCATED}, /* an extension longer than the packet */
        {35, 0x00, VOX_EFORMAT},    /* padding of 0 */
        {35, 0x09, VOX_EFORMAT},    /* padding that would reach into the header */
        {35, 0x08, 0},              /* nothing but padding */
        {35, 0xff, VOX_EFORMAT},
    };
    assert_int_equal(sizeof full_packet, 36);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[sizeof full_packet];
        struct vox_rtp rtp = {.seq = 7};
        memcpy(bytes, full_packet, sizeof bytes);
        bytes[rows[i].at] = rows[i].byte;
        assert_int_equal(vox_rtp_parse(bytes, sizeof bytes, &rtp), rows[i].err);
        assert_int_equal(rtp.seq, rows[i].err < 0 ? 7 : 65535);
    }
}

static void knows_when_a_header_is_cut_off(void **state)
{
    (void)state;
    struct vox_rtp rtp;
    for (size_t len = 0; len < 28; len++)
        assert_int_equal(vox_rtp_parse(full_packet, len, &rtp), VOX_ETRUNCATED);
    for (size_t len = 0; len < 12; len++)
        assert_int_equal(vox_rtp_parse(ffmpeg_packet, len, &rtp), VOX_ETRUNCATED);
    assert_int_equal(vox_rtp_parse(ffmpeg_packet, 12, &rtp), 0);
    assert_int_equal(rtp.payload_bytes, 0);
}

static void tells_rtcp_from_rtp_by_the_second_byte(void **state)
{
    (void)state;
    static const struct {
        uint8_t second;
        bool is_rtcp;
    } rows[] = {{96, false}, {191, false}, {192, true},  {200, true},
                {207, true}, {223, true},  {224, false}, {0x80 | 96, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t bytes[] = {0x80, rows[i].second};
        assert_int_equal(vox_rtp_is_rtcp(bytes, 2), rows[i].is_rtcp);
        assert_false(vox_rtp_is_rtcp(bytes, 1));
    }
}

/* Whatever is accepted lies inside the datagram and comes out of the writer as it went in. */
static void parse_and_check(const uint8_t *bytes, size_t len)
{
    uint8_t out[1024];
    struct vox_rtp rtp;
    if (vox_rtp_parse(bytes, len, &rtp) < 0)
        return;
    assert_true(rtp.payload >= bytes && rtp.payload + rtp.payload_bytes <= bytes + len);
    int written = vox_rtp_write(&rtp, out, sizeof out);
    assert_int_equal(written, len - rtp.padding_bytes);
    assert_memory_equal(out + 1, bytes + 1, (size_t)written - 1);
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(ffmpeg_packet, sizeof ffmpeg_packet, parse_and_check);
    hostile_feed_prefixes(full_packet, sizeof full_packet, parse_and_check);
    hostile_feed_mutations(full_packet, sizeof full_packet, 20000, parse_and_check);
    hostile_feed_noise(20000, parse_and_check);
}

RUN(cmocka_unit_test(reads_a_packet_of_ffmpeg), cmocka_unit_test(reads_every_optional_part),
    cmocka_unit_test(writes_what_it_read),
    cmocka_unit_test(writes_as_many_csrcs_as_the_field_can_count),
    cmocka_unit_test(refuses_every_capacity_that_is_too_small),
    cmocka_unit_test(refuses_to_write_what_no_header_can_say),
    cmocka_unit_test(rejects_malformed_packets), cmocka_unit_test(knows_when_a_header_is_cut_off),
    cmocka_unit_test(tells_rtcp_from_rtp_by_the_second_byte),
    cmocka_unit_test(survives_hostile_bytes))
