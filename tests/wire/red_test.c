#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/red.h"

/* Two copies of Opus, 40 and 20 ms old, and the primary; tshark reads it so. */
static const uint8_t golden[] = {
    0xe0, 0x1e, 0x00, 0x04,       /* more follows, type 96, offset 1920, 4 bytes */
    0xe0, 0x0f, 0x00, 0x03,       /* more follows, type 96, offset 960, 3 bytes */
    0x60,                         /* last, type 96 */
    0x08, 0xaa, 0xbb, 0xcc,       /* first copy */
    0x08, 0xdd, 0xee,             /* second copy */
    0x08, 0x11, 0x22, 0x33, 0x44, /* primary */
};

static struct vox_red golden_values(void)
{
    return (struct vox_red){
        .copy_count = 2,
        .copies = {{.block = {.payload_type = 96, .data = golden + 9, .data_bytes = 4},
                    .offset_rtp_ts = 1920},
                   {.block = {.payload_type = 96, .data = golden + 13, .data_bytes = 3},
                    .offset_rtp_ts = 960}},
        .primary = {.payload_type = 96, .data = golden + 16, .data_bytes = 5},
    };
}

static bool blocks_equal(const struct vox_red_block *a, const struct vox_red_block *b)
{
    return a->payload_type == b->payload_type && a->data_bytes == b->data_bytes &&
           memcmp(a->data, b->data, a->data_bytes) == 0;
}

static bool reds_equal(const struct vox_red *a, const struct vox_red *b)
{
    if (a->copy_count != b->copy_count || a->copies_skipped != b->copies_skipped)
        return false;
    for (int i = 0; i < a->copy_count; i++)
        if (a->copies[i].offset_rtp_ts != b->copies[i].offset_rtp_ts ||
            !blocks_equal(&a->copies[i].block, &b->copies[i].block))
            return false;
    return blocks_equal(&a->primary, &b->primary);
}

static void has_the_golden_bytes(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct vox_red red, values = golden_values();
    assert_int_equal(vox_red_write(&values, bytes, sizeof bytes), sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
    assert_int_equal(vox_red_parse(golden, sizeof golden, &red), 0);
    assert_true(reds_equal(&red, &values));
    assert_ptr_equal(red.primary.data, golden + 16);
}

/* The third packet of GStreamer 1.22: opusenc ! rtpopuspay ! rtpredenc pt=97 distance=2. */
static void reads_a_payload_of_gstreamer(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xe0, 0x19, 0x20, 0x07, 0x60, 0x08, 0x0b, 0xe6, 0x3b,
                                    0x23, 0xab, 0x60, 0x08, 0x08, 0xac, 0xb3, 0x0e, 0xc6};
    struct vox_red red;
    assert_int_equal(vox_red_parse(bytes, sizeof bytes, &red), 0);
    assert_int_equal(red.copy_count, 1);
    assert_int_equal(red.copies[0].block.payload_type, 96);
    assert_int_equal(red.copies[0].offset_rtp_ts, 1608); /* its first packet is short of preskip */
    assert_ptr_equal(red.copies[0].block.data, bytes + 5);
    assert_int_equal(red.copies[0].block.data_bytes, 7);
    assert_int_equal(red.primary.payload_type, 96);
    assert_int_equal(red.primary.data_bytes, 6);
}

static void without_copies_is_one_byte_longer(void **state)
{
    (void)state;
    uint8_t bytes[8];
    struct vox_red red = golden_values(), back;
    red.copy_count = 0;
    assert_int_equal(vox_red_write(&red, bytes, sizeof bytes), VOX_RED_PRIMARY_HEADER_BYTES + 5);
    assert_int_equal(vox_red_parse(bytes, 6, &back), 0);
    assert_true(reds_equal(&back, &red));
}

/* As in WebRTC: a copy that does not exist yet is sent empty; so is a primary, in theory. */
static void empty_blocks_are_valid(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xe0, 0x0f, 0x00, 0x00, 0x60};
    struct vox_red red;
    assert_int_equal(vox_red_parse(bytes, sizeof bytes, &red), 0);
    assert_int_equal(red.copy_count, 1);
    assert_int_equal(red.copies[0].offset_rtp_ts, 960);
    assert_int_equal(red.copies[0].block.data_bytes, 0);
    assert_int_equal(red.primary.data_bytes, 0);
}

static void fields_reach_their_limits(void **state)
{
    (void)state;
    static uint8_t bytes[1200], data[VOX_RED_MAX_COPY_BYTES + 1];
    static const uint8_t head[] = {0xff, 0xff, 0xff, 0xff, 0x7f};
    struct vox_red back;
    struct vox_red red = {.copy_count = 1,
                          .copies = {{.block = {.payload_type = 127,
                                                .data = data,
                                                .data_bytes = VOX_RED_MAX_COPY_BYTES},
                                      .offset_rtp_ts = VOX_RED_MAX_OFFSET_RTP_TS}},
                          .primary = {.payload_type = 127, .data = data, .data_bytes = 9}};
    int written = vox_red_write(&red, bytes, sizeof bytes);
    assert_int_equal(written, VOX_RED_COPY_HEADER_BYTES + VOX_RED_PRIMARY_HEADER_BYTES + 1023 + 9);
    assert_memory_equal(bytes, head, sizeof head);
    assert_int_equal(vox_red_parse(bytes, (size_t)written, &back), 0);
    assert_true(reds_equal(&back, &red));
}

static void refuses_to_write_what_no_field_holds(void **state)
{
    (void)state;
    static const uint8_t data[VOX_RED_MAX_COPY_BYTES + 1];
    struct vox_red rows[5];
    uint8_t bytes[2048];
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = golden_values();
    rows[0].copy_count = VOX_RED_MAX_COPIES + 1;
    rows[1].primary.payload_type = 128;
    rows[2].copies[1].block.payload_type = 128;
    rows[3].copies[0].offset_rtp_ts = VOX_RED_MAX_OFFSET_RTP_TS + 1;
    rows[4].copies[1].block.data = data;
    rows[4].copies[1].block.data_bytes = sizeof data;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (vox_red_write(&rows[i], bytes, sizeof bytes) != VOX_EINVAL)
            fail_msg("row %d was written", (int)i);
}

static void refuses_every_capacity_that_is_too_small(void **state)
{
    (void)state;
    uint8_t bytes[sizeof golden];
    struct vox_red red = golden_values();
    for (size_t capacity = 0; capacity < sizeof golden; capacity++)
        assert_int_equal(vox_red_write(&red, bytes, capacity), VOX_ENOSPC);
    assert_int_equal(vox_red_write(&red, bytes, sizeof golden), sizeof golden);
}

/* What is cut off within headers or copies; the primary has no length of its own. */
static void refuses_payloads_that_end_too_early(void **state)
{
    (void)state;
    struct vox_red red = {.copy_count = 77};
    for (size_t len = 0; len < 16; len++)
        assert_int_equal(vox_red_parse(golden, len, &red), VOX_ETRUNCATED);
    assert_int_equal(red.copy_count, 77);
    assert_int_equal(vox_red_parse(golden, 16, &red), 0);
    assert_int_equal(red.primary.data_bytes, 0);
}

/* `copies` copies of one byte each, the number of the copy; then a primary of one. */
static size_t write_many(int copies, uint8_t *bytes, size_t capacity)
{
    struct vox_writer w = vox_writer_of(bytes, capacity);
    for (int i = 0; i < copies; i++)
        vox_write_u32(&w, 0xe0000000U | (uint32_t)(copies - i) * 120 << 10 | 1);
    vox_write_u8(&w, 96);
    for (int i = 0; i <= copies; i++)
        vox_write_u8(&w, (uint8_t)i);
    assert_false(w.failed);
    return w.size;
}

static void keeps_the_last_copies_of_many(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (int copies = 0; copies <= VOX_RED_MAX_READ_COPIES; copies++) {
        size_t len = write_many(copies, bytes, sizeof bytes);
        struct vox_red red;
        assert_int_equal(vox_red_parse(bytes, len, &red), 0);
        assert_int_equal(red.copy_count + red.copies_skipped, copies);
        assert_true(red.copies_skipped == 0 || red.copy_count == VOX_RED_MAX_COPIES);
        for (int i = 0; i < red.copy_count; i++) {
            assert_int_equal(red.copies[i].offset_rtp_ts, (red.copy_count - i) * 120);
            assert_int_equal(red.copies[i].block.data[0], red.copies_skipped + i);
        }
        assert_int_equal(red.primary.data[0], copies);
        assert_int_equal(red.primary.data_bytes, 1);
    }
    struct vox_red red;
    size_t len = write_many(VOX_RED_MAX_READ_COPIES + 1, bytes, sizeof bytes);
    assert_int_equal(vox_red_parse(bytes, len, &red), VOX_ELIMIT);
}

static struct vox_red_block random_block(struct vox_rng *rng, const uint8_t *pool, size_t max)
{
    return (struct vox_red_block){.payload_type = (uint8_t)(vox_rng_u32(rng) % 128),
                                  .data = pool + vox_rng_u32(rng) % 64,
                                  .data_bytes = vox_rng_u32(rng) % (max + 1)};
}

static void random_payloads_round_trip(void **state)
{
    (void)state;
    static uint8_t pool[VOX_RED_MAX_COPY_BYTES + 64], bytes[8192];
    for (size_t i = 0; i < sizeof pool; i++)
        pool[i] = (uint8_t)(i * 7);
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct vox_rng rng;
        vox_rng_init(&rng, seed, 0);
        struct vox_red back, red = {.primary = random_block(&rng, pool, VOX_RED_MAX_COPY_BYTES)};
        red.copy_count = (uint8_t)(vox_rng_u32(&rng) % (VOX_RED_MAX_COPIES + 1));
        for (int i = 0; i < red.copy_count; i++)
            red.copies[i] = (struct vox_red_copy){
                .block = random_block(&rng, pool, VOX_RED_MAX_COPY_BYTES),
                .offset_rtp_ts = (uint16_t)(vox_rng_u32(&rng) % (VOX_RED_MAX_OFFSET_RTP_TS + 1))};
        int len = vox_red_write(&red, bytes, sizeof bytes);
        if (len < 0 || vox_red_parse(bytes, (size_t)len, &back) < 0 || !reds_equal(&back, &red))
            fail_msg("seed %d", (int)seed);
    }
}

static void parse_and_rewrite(const uint8_t *bytes, size_t len)
{
    struct vox_red red;
    uint8_t again[2048];
    int err = vox_red_parse(bytes, len, &red);
    if (err < 0) {
        assert_true(err == VOX_ETRUNCATED || err == VOX_ELIMIT);
        return;
    }
    assert_ptr_equal(red.primary.data + red.primary.data_bytes, bytes + len);
    int written = vox_red_write(&red, again, sizeof again);
    if (red.copies_skipped == 0) {
        assert_int_equal(written, len);
        assert_memory_equal(again, bytes, len);
    }
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    uint8_t many[256];
    size_t len = write_many(6, many, sizeof many);
    hostile_feed_prefixes(golden, sizeof golden, parse_and_rewrite);
    hostile_feed_mutations(golden, sizeof golden, 20000, parse_and_rewrite);
    hostile_feed_mutations(many, len, 20000, parse_and_rewrite);
    hostile_feed_noise(20000, parse_and_rewrite);
}

RUN(cmocka_unit_test(has_the_golden_bytes), cmocka_unit_test(reads_a_payload_of_gstreamer),
    cmocka_unit_test(without_copies_is_one_byte_longer), cmocka_unit_test(empty_blocks_are_valid),
    cmocka_unit_test(fields_reach_their_limits),
    cmocka_unit_test(refuses_to_write_what_no_field_holds),
    cmocka_unit_test(refuses_every_capacity_that_is_too_small),
    cmocka_unit_test(refuses_payloads_that_end_too_early),
    cmocka_unit_test(keeps_the_last_copies_of_many), cmocka_unit_test(random_payloads_round_trip),
    cmocka_unit_test(survives_hostile_bytes))
