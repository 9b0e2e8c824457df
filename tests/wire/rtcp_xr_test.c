#include "base/err.h"
#include "base/rng.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/rtcp_xr.h"

enum { REPORTER = 0x40ee2a34 };

#define SOURCE 0xfbfd8d13U
#define REFERENCE_NTP UINT64_C(0xeeab61219ffd0d06)

/* Loss, reference time and delays; tshark reads it so. */
static const uint8_t golden[] = {
    0x80, 0xcf, 0x00, 0x11, 0x40, 0xee, 0x2a, 0x34, /* XR of this receiver */
    0x01, 0x00, 0x00, 0x05, 0xfb, 0xfd, 0x8d, 0x13, /* loss of this source, not thinned */
    0xff, 0xf0, 0x00, 0x3d,                         /* from 65520 up to, and without, 61 */
    0x40, 0x16,                                     /* 22 came */
    0x8f, 0x7f,                                     /* one by one 000111101111111 */
    0x00, 0x14,                                     /* 20 did not */
    0x40, 0x10,                                     /* 16 came */
    0xb0, 0x00,                                     /* 0110, the rest lies behind the end */
    0x00, 0x00,                                     /* fills the word */
    0x04, 0x00, 0x00, 0x02, 0xee, 0xab, 0x61, 0x21, 0x9f, 0xfd, 0x0d, 0x06, /* reference time */
    0x05, 0x00, 0x00, 0x06,                                                 /* two delays */
    0x11, 0x11, 0x11, 0x11, 0x61, 0x21, 0x9f, 0xfd, 0x00, 0x00, 0x80, 0x00, /* half a second */
    0x22, 0x22, 0x22, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* none came yet */
};

static const char golden_pattern[] = "1111111111111111111111"
                                     "000111101111111"
                                     "00000000000000000000"
                                     "1111111111111111"
                                     "0110";

static const struct vox_rtcp_xr_delays golden_delays = {
    .count = 2,
    .of = {{.ssrc = 0x11111111, .last_rr = 0x61219ffd, .delay_since_rr = 0x8000},
           {.ssrc = 0x22222222}},
};

static struct vox_rtcp_xr_loss loss_of(uint16_t begin_seq, const char *pattern)
{
    struct vox_rtcp_xr_loss loss = {.ssrc = SOURCE, .begin_seq = begin_seq};
    for (; *pattern; pattern++)
        assert_int_equal(vox_rtcp_xr_loss_push(&loss, *pattern == '1'), 0);
    return loss;
}

static bool losses_equal(const struct vox_rtcp_xr_loss *a, const struct vox_rtcp_xr_loss *b)
{
    return a->ssrc == b->ssrc && a->begin_seq == b->begin_seq && a->count == b->count &&
           a->skipped == b->skipped && memcmp(a->came, b->came, sizeof a->came) == 0;
}

static int begin(struct vox_rtcp_xr_reader *r, const void *bytes, size_t len)
{
    struct vox_rtcp_reader compound;
    struct vox_rtcp packet;
    int err = vox_rtcp_begin(&compound, bytes, len);
    if (err < 0)
        return err;
    assert_int_equal(vox_rtcp_next(&compound, &packet), 1);
    return vox_rtcp_xr_begin(r, &packet);
}

static void writes_the_golden_bytes(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct vox_rtcp_xr_loss loss = loss_of(65520, golden_pattern);
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    size_t packet = vox_rtcp_xr_open(&w, REPORTER);
    vox_rtcp_xr_write_loss(&w, &loss);
    vox_rtcp_xr_write_reference_time(&w, REFERENCE_NTP);
    vox_rtcp_xr_write_delays(&w, &golden_delays);
    vox_rtcp_close(&w, packet);
    assert_false(w.failed);
    assert_int_equal(w.size, sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void reads_the_golden_bytes(void **state)
{
    (void)state;
    struct vox_rtcp_xr_reader r;
    struct vox_rtcp_xr block;
    struct vox_rtcp_xr_loss loss = loss_of(65520, golden_pattern);
    assert_int_equal(begin(&r, golden, sizeof golden), 0);
    assert_int_equal(r.ssrc, REPORTER);
    assert_int_equal(vox_rtcp_xr_next(&r, &block), 1);
    assert_int_equal(block.type, VOX_RTCP_XR_LOSS);
    assert_true(losses_equal(&block.as.loss, &loss));
    assert_int_equal(vox_rtcp_xr_next(&r, &block), 1);
    assert_int_equal(block.type, VOX_RTCP_XR_REFERENCE_TIME);
    assert_true(block.as.reference_ntp == REFERENCE_NTP);
    assert_int_equal(vox_rtcp_xr_next(&r, &block), 1);
    assert_int_equal(block.type, VOX_RTCP_XR_DELAYS);
    assert_memory_equal(&block.as.delays, &golden_delays, sizeof golden_delays);
    assert_int_equal(vox_rtcp_xr_next(&r, &block), 0);
}

static void runs_tell_the_bursts(void **state)
{
    (void)state;
    static const size_t runs[] = {22, 3, 4, 1, 7, 20, 16, 1, 2, 1};
    struct vox_rtcp_xr_loss loss = loss_of(65520, golden_pattern);
    size_t at = 0;
    for (size_t i = 0; i < COUNT(runs); i++) {
        assert_int_equal(vox_rtcp_xr_loss_came(&loss, at), i % 2 == 0);
        assert_int_equal(vox_rtcp_xr_loss_run(&loss, at), runs[i]);
        at += runs[i];
    }
    assert_int_equal(at, loss.count);
    assert_int_equal(vox_rtcp_xr_loss_run(&loss, at), 0);
    assert_int_equal(vox_rtcp_xr_loss_run(&loss, SIZE_MAX), 0);
}

static size_t written_bytes(const struct vox_rtcp_xr_loss *loss)
{
    uint8_t bytes[VOX_RTCP_XR_MAX_LOSS_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    vox_rtcp_xr_write_loss(&w, loss);
    assert_false(w.failed);
    return w.size;
}

/* 12 bytes of header and fields, 2 for each chunk, whole words. */
static void takes_the_fewest_chunks(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        size_t bytes;
    } rows[] = {
        {"", 12},
        {"0", 16},
        {"010101010101010", 16},                  /* one vector */
        {"0101010101010101", 16},                 /* and a run of one */
        {"1111111111111110000000000000000", 16},  /* 15 came, 16 did not: two runs */
        {"11111111111111100000000000000001", 20}, /* a third chunk, and one to fill up */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_rtcp_xr_loss loss = loss_of(1, rows[i].pattern);
        assert_int_equal(written_bytes(&loss), rows[i].bytes);
    }
}

/* The pattern that needs most: no run anywhere. */
static void the_largest_report_is_as_large_as_said(void **state)
{
    (void)state;
    struct vox_rtcp_xr_loss loss = {0};
    for (int i = 0; i < VOX_RTCP_XR_MAX_PACKETS; i++)
        assert_int_equal(vox_rtcp_xr_loss_push(&loss, i % 2 == 0), 0);
    assert_int_equal(written_bytes(&loss), VOX_RTCP_XR_MAX_LOSS_BYTES);
    assert_int_equal(vox_rtcp_xr_loss_push(&loss, true), VOX_ELIMIT);
    assert_int_equal(loss.count, VOX_RTCP_XR_MAX_PACKETS);
}

static void refuses_to_write_more_than_there_is_room_for(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_xr_loss loss = {.count = VOX_RTCP_XR_MAX_PACKETS + 1};
    vox_rtcp_xr_write_loss(&w, &loss);
    assert_true(w.failed);
    w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_xr_delays delays = {.count = VOX_RTCP_XR_MAX_DELAYS + 1};
    vox_rtcp_xr_write_delays(&w, &delays);
    assert_true(w.failed);
    for (size_t capacity = 0; capacity <= sizeof golden; capacity++) {
        struct vox_rtcp_xr_loss fits = loss_of(65520, golden_pattern);
        w = vox_writer_of(bytes, capacity);
        size_t packet = vox_rtcp_xr_open(&w, REPORTER);
        vox_rtcp_xr_write_loss(&w, &fits);
        vox_rtcp_xr_write_reference_time(&w, REFERENCE_NTP);
        vox_rtcp_xr_write_delays(&w, &golden_delays);
        vox_rtcp_close(&w, packet);
        assert_int_equal(w.failed, capacity < sizeof golden);
    }
}

static void blocks_must_add_up(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[20];
        size_t len;
        int err;
    } rows[] = {
        {"no block", {0x80, 0xcf, 0, 1, 0, 0, 0, 1}, 8, 0},
        {"no SSRC", {0x80, 0xcf, 0, 0}, 4, VOX_EFORMAT},
        {"an unknown block", {0x80, 0xcf, 0, 3, 0, 0, 0, 1, 9, 0, 0, 1, 1, 2, 3, 4}, 16, 0},
        {"a block too long", {0x80, 0xcf, 0, 2, 0, 0, 0, 1, 9, 0, 0, 1}, 12, VOX_EFORMAT},
        {"half a header, by padding", {0xa0, 0xcf, 0, 2, 0, 0, 0, 1, 9, 0, 0, 2}, 12, VOX_EFORMAT},
        {"not XR", {0x80, 0xc9, 0, 1, 0, 0, 0, 1}, 8, VOX_EUNSUPPORTED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_rtcp_xr_reader r;
        int err = begin(&r, rows[i].bytes, rows[i].len);
        if (err != rows[i].err)
            fail_msg("%s: %d instead of %d", rows[i].what, err, rows[i].err);
    }
}

static void goes_on_after_a_malformed_block(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[24];
        size_t len;
        int expect;
        const char *pattern;
    } rows[] = {
        {"a run", {1, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 12, 0x40, 3, 0, 0}, 16, 1, "111"},
        {"no packets", {1, 0, 0, 2, 0, 0, 0, 0, 0, 9, 0, 9}, 12, 1, ""},
        {"a run beyond the end", {1, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 11, 0x40, 9, 0, 0}, 16, 1, "11"},
        {"a run of nothing", {1, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 11, 0x40, 0, 0, 2}, 16, 1, "00"},
        {"reserved bits", {1, 0xf0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 11, 0x40, 2, 0, 0}, 16, 1, "11"},
        {"thinned",
         {1, 1, 0, 3, 0, 0, 0, 0, 0, 9, 0, 11, 0x40, 2, 0, 0},
         16,
         VOX_EUNSUPPORTED,
         NULL},
        {"no fields", {1, 0, 0, 1, 0, 0, 0, 0}, 8, VOX_EFORMAT, NULL},
        {"no chunks", {1, 0, 0, 2, 0, 0, 0, 0, 0, 9, 0, 10}, 12, VOX_EFORMAT, NULL},
        {"too few", {1, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 12, 0x40, 1, 0x40, 1}, 16, VOX_EFORMAT, NULL},
        {"null too early",
         {1, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 12, 0, 0, 0x40, 3},
         16,
         VOX_EFORMAT,
         NULL},
        {"more behind",
         {1, 0, 0, 3, 0, 0, 0, 0, 0, 9, 0, 12, 0x40, 3, 0x40, 1},
         16,
         VOX_EFORMAT,
         NULL},
        {"short time", {4, 0, 0, 1, 0, 0, 0, 0}, 8, VOX_EFORMAT, NULL},
        {"long time", {4, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 16, VOX_EFORMAT, NULL},
        {"half a delay", {5, 0, 0, 1, 0, 0, 0, 0}, 8, VOX_EFORMAT, NULL},
        {"no delays", {5, 0, 0, 0}, 4, 1, NULL},
        {"an unknown type", {255, 0, 0, 1, 1, 2, 3, 4}, 8, 1, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[64];
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        struct vox_rtcp_xr_reader r;
        struct vox_rtcp_xr block;
        size_t packet = vox_rtcp_xr_open(&w, REPORTER);
        vox_write_bytes(&w, rows[i].bytes, rows[i].len);
        vox_rtcp_xr_write_reference_time(&w, REFERENCE_NTP);
        vox_rtcp_close(&w, packet);
        assert_int_equal(begin(&r, bytes, w.size), 0);
        int got = vox_rtcp_xr_next(&r, &block);
        if (got != rows[i].expect)
            fail_msg("%s: %d instead of %d", rows[i].what, got, rows[i].expect);
        if (rows[i].pattern) {
            struct vox_rtcp_xr_loss loss = loss_of(9, rows[i].pattern);
            loss.ssrc = 0;
            if (!losses_equal(&block.as.loss, &loss))
                fail_msg("%s", rows[i].what);
        }
        assert_int_equal(vox_rtcp_xr_next(&r, &block), 1);
        assert_true(block.as.reference_ntp == REFERENCE_NTP);
        assert_int_equal(vox_rtcp_xr_next(&r, &block), 0);
    }
}

/* Reports of 65535 packets exist; what is newest is kept. */
static void keeps_the_newest_of_a_long_report(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_xr_reader r;
    struct vox_rtcp_xr block;
    static const uint8_t report[] = {
        1,    0,    0,    6,    0,    0,    0, 1, 0, 5, 0, 4, /* 65535 packets from 5 on */
        0x7f, 0xff, 0x3f, 0xff, 0x7f, 0xff,                   /* 3 * 16383 of them */
        0x3c, 0x00,                                           /* 15360 lost */
        0x84, 0x00,                                           /* 15, the fifth came */
        0x44, 0x00,                                           /* 1024 came: 1011 are left */
        0,    0,    0,    0,
    };
    size_t packet = vox_rtcp_xr_open(&w, REPORTER);
    vox_write_bytes(&w, report, sizeof report);
    vox_rtcp_close(&w, packet);
    assert_int_equal(begin(&r, bytes, w.size), 0);
    assert_int_equal(vox_rtcp_xr_next(&r, &block), 1);
    const struct vox_rtcp_xr_loss *loss = &block.as.loss;
    assert_int_equal(loss->skipped, 65535 - VOX_RTCP_XR_MAX_PACKETS);
    assert_int_equal(loss->begin_seq, 5 + 65535 - VOX_RTCP_XR_MAX_PACKETS);
    assert_int_equal(loss->count, VOX_RTCP_XR_MAX_PACKETS);
    /* Behind the last chunk lies 1011, in front of it 15, of which the newest 13 are kept. */
    assert_int_equal(vox_rtcp_xr_loss_run(loss, 0), 2);
    assert_true(vox_rtcp_xr_loss_came(loss, 2));
    assert_int_equal(vox_rtcp_xr_loss_run(loss, 2), 1);
    assert_int_equal(vox_rtcp_xr_loss_run(loss, 3), 10);
    assert_int_equal(vox_rtcp_xr_loss_run(loss, 13), 1011);
}

static void delays_are_bounded(void **state)
{
    (void)state;
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_xr_reader r;
    struct vox_rtcp_xr block;
    size_t packet = vox_rtcp_xr_open(&w, REPORTER);
    vox_write_u32(&w, 0x05000000 | 3 * 40);
    for (uint32_t i = 0; i < 3 * 40; i++)
        vox_write_u32(&w, i);
    vox_rtcp_close(&w, packet);
    assert_int_equal(begin(&r, bytes, w.size), 0);
    assert_int_equal(vox_rtcp_xr_next(&r, &block), 1);
    assert_int_equal(block.as.delays.count, VOX_RTCP_XR_MAX_DELAYS);
    assert_int_equal(block.as.delays.skipped, 40 - VOX_RTCP_XR_MAX_DELAYS);
    assert_int_equal(block.as.delays.of[30].delay_since_rr, 92);
}

static void random_losses_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct vox_rng rng;
        uint8_t bytes[512];
        struct vox_rtcp_xr_reader r;
        struct vox_rtcp_xr block;
        vox_rng_init(&rng, seed, 0);
        struct vox_rtcp_xr_loss loss = {.ssrc = vox_rng_u32(&rng),
                                        .begin_seq = (uint16_t)vox_rng_u32(&rng)};
        uint32_t count = vox_rng_u32(&rng) % (VOX_RTCP_XR_MAX_PACKETS + 1);
        double change = vox_rng_uniform(&rng); /* from long runs to none */
        bool came = true;
        for (uint32_t i = 0; i < count; i++) {
            came = vox_rng_uniform(&rng) < change * change ? !came : came;
            vox_rtcp_xr_loss_push(&loss, came);
        }
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        size_t packet = vox_rtcp_xr_open(&w, REPORTER);
        vox_rtcp_xr_write_loss(&w, &loss);
        vox_rtcp_close(&w, packet);
        if (w.failed || begin(&r, bytes, w.size) < 0 || vox_rtcp_xr_next(&r, &block) != 1 ||
            !losses_equal(&block.as.loss, &loss))
            fail_msg("seed %d", (int)seed);
    }
}

static void read_all(const uint8_t *bytes, size_t len)
{
    struct vox_rtcp_reader compound;
    struct vox_rtcp packet;
    if (vox_rtcp_begin(&compound, bytes, len) < 0)
        return;
    while (vox_rtcp_next(&compound, &packet) != 0) {
        struct vox_rtcp_xr_reader r;
        struct vox_rtcp_xr block;
        if (vox_rtcp_xr_begin(&r, &packet) < 0)
            continue;
        size_t blocks = 0;
        for (int got; (got = vox_rtcp_xr_next(&r, &block)) != 0; blocks++) {
            assert_true(block.body >= bytes && block.body + block.body_bytes <= bytes + len);
            assert_true(got != 1 || block.type != VOX_RTCP_XR_LOSS ||
                        block.as.loss.count <= VOX_RTCP_XR_MAX_PACKETS);
        }
        assert_true(blocks <= len / 4);
    }
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(golden, sizeof golden, read_all);
    hostile_feed_mutations(golden, sizeof golden, 20000, read_all);
    hostile_feed_noise(20000, read_all);
}

RUN(cmocka_unit_test(writes_the_golden_bytes), cmocka_unit_test(reads_the_golden_bytes),
    cmocka_unit_test(runs_tell_the_bursts), cmocka_unit_test(takes_the_fewest_chunks),
    cmocka_unit_test(the_largest_report_is_as_large_as_said),
    cmocka_unit_test(refuses_to_write_more_than_there_is_room_for),
    cmocka_unit_test(blocks_must_add_up), cmocka_unit_test(goes_on_after_a_malformed_block),
    cmocka_unit_test(keeps_the_newest_of_a_long_report), cmocka_unit_test(delays_are_bounded),
    cmocka_unit_test(random_losses_round_trip), cmocka_unit_test(survives_hostile_bytes))
