#include "base/err.h"
#include "base/rng.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/rtx.h"

enum { OPUS = 96, RTX = 98, RTX_SSRC = 0x40ee2a35 };

#define SOURCE 0xfbfd8d13U

/* What repeats packet 65535 of the source, with its marker, as number 7 of the retransmissions. */
static const uint8_t golden[] = {
    0x80, 0xe2, 0x00, 0x07, /* marker, type 98, number 7 */
    0x00, 0x01, 0x00, 0x00, /* timestamp of the original */
    0x40, 0xee, 0x2a, 0x35, /* SSRC of the retransmissions */
    0xff, 0xff,             /* original number */
    0x08, 0x11, 0x22,       /* original payload */
};

static const uint8_t original_golden[] = {
    0x80, 0xe0, 0xff, 0xff, 0x00, 0x01, 0x00, 0x00, 0xfb, 0xfd, 0x8d, 0x13, 0x08, 0x11, 0x22,
};

static void has_the_golden_bytes(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct vox_rtp rtp;
    assert_int_equal(vox_rtp_parse(original_golden, sizeof original_golden, &rtp), 0);
    assert_int_equal(vox_rtx_write(&rtp, RTX, RTX_SSRC, 7, bytes, sizeof bytes), sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);

    assert_int_equal(vox_rtp_parse(golden, sizeof golden, &rtp), 0);
    assert_int_equal(vox_rtx_parse(&rtp, OPUS, SOURCE, &rtp), 0);
    assert_int_equal(vox_rtp_write(&rtp, bytes, sizeof bytes), sizeof original_golden);
    assert_memory_equal(bytes, original_golden, sizeof original_golden);
}

static void payload_without_the_number_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t payload_bytes;
        int err;
    } rows[] = {{0, VOX_ETRUNCATED}, {1, VOX_ETRUNCATED}, {2, 0}, {3, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_rtp rtp, out = {.seq = 5};
        size_t len = VOX_RTP_HEADER_BYTES + rows[i].payload_bytes;
        assert_int_equal(vox_rtp_parse(golden, len, &rtp), 0);
        assert_int_equal(vox_rtx_parse(&rtp, OPUS, SOURCE, &out), rows[i].err);
        assert_int_equal(out.seq, rows[i].err < 0 ? 5 : 65535);
    }
}

static void refuses_types_that_no_field_holds(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct vox_rtp rtp;
    assert_int_equal(vox_rtp_parse(golden, sizeof golden, &rtp), 0);
    assert_int_equal(vox_rtx_write(&rtp, 128, 1, 1, bytes, sizeof bytes), VOX_EINVAL);
    assert_int_equal(vox_rtx_parse(&rtp, 128, 1, &rtp), VOX_EINVAL);
}

static void refuses_every_capacity_that_is_too_small(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct vox_rtp rtp;
    assert_int_equal(vox_rtp_parse(original_golden, sizeof original_golden, &rtp), 0);
    for (size_t capacity = 0; capacity < sizeof golden; capacity++)
        assert_int_equal(vox_rtx_write(&rtp, RTX, RTX_SSRC, 7, bytes, capacity), VOX_ENOSPC);
    assert_int_equal(vox_rtx_write(&rtp, RTX, RTX_SSRC, 7, bytes, sizeof golden), sizeof golden);
}

/* A packet that has all that a packet can have but padding. */
static size_t random_packet(struct vox_rng *rng, uint8_t *out, size_t capacity)
{
    uint8_t noise[600];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)vox_rng_u32(rng);
    struct vox_rtp rtp = {.marker = (noise[0] & 1) != 0,
                          .payload_type = OPUS,
                          .seq = (uint16_t)vox_rng_u32(rng),
                          .timestamp = vox_rng_u32(rng),
                          .ssrc = SOURCE,
                          .csrc_count = (uint8_t)(vox_rng_u32(rng) % (VOX_RTP_MAX_CSRC + 1)),
                          .has_extension = (noise[0] & 2) != 0,
                          .extension_profile = 0xbede,
                          .extension = noise,
                          .extension_bytes = vox_rng_u32(rng) % 5 * 4,
                          .payload = noise + 20,
                          .payload_bytes = vox_rng_u32(rng) % 500};
    for (int i = 0; i < rtp.csrc_count; i++)
        rtp.csrc[i] = vox_rng_u32(rng);
    int len = vox_rtp_write(&rtp, out, capacity);
    assert_true(len > 0);
    return (size_t)len;
}

static void random_packets_come_back_whole(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct vox_rng rng;
        uint8_t sent[1024], repeated[1024], back[1024];
        struct vox_rtp rtp;
        vox_rng_init(&rng, seed, 0);
        size_t len = random_packet(&rng, sent, sizeof sent);
        assert_int_equal(vox_rtp_parse(sent, len, &rtp), 0);
        uint16_t seq = (uint16_t)vox_rng_u32(&rng);
        int longer = vox_rtx_write(&rtp, RTX, RTX_SSRC, seq, repeated, sizeof repeated);
        assert_int_equal(longer, len + VOX_RTX_HEADER_BYTES);
        assert_int_equal(vox_rtp_parse(repeated, (size_t)longer, &rtp), 0);
        assert_int_equal(rtp.seq, seq);
        assert_int_equal(rtp.ssrc, RTX_SSRC);
        assert_int_equal(rtp.payload_type, RTX);
        assert_int_equal(vox_rtx_parse(&rtp, OPUS, SOURCE, &rtp), 0);
        if (vox_rtp_write(&rtp, back, sizeof back) != (int)len || memcmp(sent, back, len) != 0)
            fail_msg("seed %d", (int)seed);
    }
}

/* RFC 4588, section 4: padding of the original is taken off. */
static void padding_is_not_repeated(void **state)
{
    (void)state;
    uint8_t padded[] = {0xa0, 0xe0, 0xff, 0xff, 0x00, 0x01, 0x00, 0x00, 0xfb,
                        0xfd, 0x8d, 0x13, 0x08, 0x11, 0x22, 0x00, 0x00, 0x03};
    uint8_t bytes[64];
    struct vox_rtp rtp;
    assert_int_equal(vox_rtp_parse(padded, sizeof padded, &rtp), 0);
    assert_int_equal(vox_rtx_write(&rtp, RTX, RTX_SSRC, 7, bytes, sizeof bytes), sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void parse_and_rewrite(const uint8_t *bytes, size_t len)
{
    struct vox_rtp rtx, original;
    uint8_t again[2048];
    if (vox_rtp_parse(bytes, len, &rtx) < 0 || vox_rtx_parse(&rtx, OPUS, SOURCE, &original) < 0)
        return;
    int written =
        vox_rtx_write(&original, rtx.payload_type, rtx.ssrc, rtx.seq, again, sizeof again);
    assert_int_equal(written, len - rtx.padding_bytes);
    again[0] |= bytes[0] & 0x20; /* whether it was padded */
    assert_memory_equal(again, bytes, (size_t)written);
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(golden, sizeof golden, parse_and_rewrite);
    hostile_feed_mutations(golden, sizeof golden, 20000, parse_and_rewrite);
    hostile_feed_noise(20000, parse_and_rewrite);
}

RUN(cmocka_unit_test(has_the_golden_bytes), cmocka_unit_test(payload_without_the_number_is_refused),
    cmocka_unit_test(refuses_types_that_no_field_holds),
    cmocka_unit_test(refuses_every_capacity_that_is_too_small),
    cmocka_unit_test(random_packets_come_back_whole), cmocka_unit_test(padding_is_not_repeated),
    cmocka_unit_test(survives_hostile_bytes))
