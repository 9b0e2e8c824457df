#include "base/err.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/rtcp.h"

/* The last compound packet of a GStreamer 1.22 rtpbin: SR, SDES (CNAME and TOOL), BYE. */
static const uint8_t gstreamer_compound[] = {
    0x80, 0xc8, 0x00, 0x06,                         /* SR without blocks */
    0xfb, 0xfd, 0x8d, 0x13,                         /* SSRC */
    0xee, 0xab, 0x61, 0x21, 0x9f, 0xfd, 0x0d, 0x06, /* NTP */
    0x6f, 0x2a, 0x84, 0x71,                         /* RTP timestamp */
    0x00, 0x00, 0x01, 0xab, 0x00, 0x00, 0x1e, 0x00, /* 427 packets, 7680 bytes */
    0x81, 0xca, 0x00, 0x0c,                         /* SDES, one chunk */
    0xfb, 0xfd, 0x8d, 0x13, 0x01, 0x1c, 'u',  's',  'e',  'r',  '2',  '7',  '9',  '0',
    '8',  '0',  '5',  '2',  '7',  '4',  '@',  'h',  'o',  's',  't',  '-',  'a',  'd',
    '8',  '6',  '5',  '9',  '2',  '6',  0x06, 0x09, 'G',  'S',  't',  'r',  'e',  'a',
    'm',  'e',  'r',  0x00, 0x00, 0x00, 0x81, 0xcb, 0x00, 0x01, 0xfb, 0xfd, 0x8d, 0x13, /* BYE */
};

/* Receiver report of one block, every field different. */
static const uint8_t rr_golden[] = {
    0x81, 0xc9, 0x00, 0x07, /* RR, one block */
    0x40, 0xee, 0x2a, 0x34, /* SSRC of the receiver */
    0xfb, 0xfd, 0x8d, 0x13, /* SSRC of the source */
    0x20, 0xff, 0xff, 0xfe, /* 32/256 lost lately, -2 altogether (duplicates) */
    0x00, 0x01, 0x00, 0x11, /* sequence number 17 in the second cycle */
    0x00, 0x00, 0x01, 0x23, /* jitter */
    0x61, 0x20, 0x90, 0x29, /* last SR */
    0x00, 0x01, 0xaa, 0xbb, /* delay since */
};

static const struct vox_rtcp_report rr_values = {
    .ssrc = 0x40ee2a34,
    .block_count = 1,
    .blocks = {{.ssrc = 0xfbfd8d13,
                .fraction_lost = 0x20,
                .cumulative_lost = -2,
                .highest_seq = 0x10011,
                .jitter = 0x123,
                .last_sr = 0x61209029,
                .delay_since_sr = 0x1aabb}},
};

static void assert_text(const char *text, size_t len, const char *expect)
{
    assert_non_null(text);
    assert_int_equal(len, strlen(expect));
    assert_memory_equal(text, expect, len);
}

static void reads_a_compound_of_gstreamer(void **state)
{
    (void)state;
    struct vox_rtcp_reader r;
    struct vox_rtcp p;
    assert_int_equal(vox_rtcp_begin(&r, gstreamer_compound, sizeof gstreamer_compound), 0);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.type, VOX_RTCP_SR);
    assert_int_equal(p.as.report.ssrc, 0xfbfd8d13);
    assert_true(p.as.report.ntp == UINT64_C(0xeeab61219ffd0d06));
    assert_int_equal(p.as.report.rtp_timestamp, 0x6f2a8471);
    assert_int_equal(p.as.report.packet_count, 427);
    assert_int_equal(p.as.report.octet_count, 7680);
    assert_int_equal(p.as.report.block_count, 0);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.type, VOX_RTCP_SDES);
    assert_int_equal(p.as.sdes.chunk_count, 1);
    assert_int_equal(p.as.sdes.chunks[0].ssrc, 0xfbfd8d13);
    assert_text(p.as.sdes.chunks[0].cname, p.as.sdes.chunks[0].cname_bytes,
                "user2790805274@host-ad865926");
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.type, VOX_RTCP_BYE);
    assert_int_equal(p.as.bye.ssrc_count, 1);
    assert_int_equal(p.as.bye.ssrcs[0], 0xfbfd8d13);
    assert_null(p.as.bye.reason);
    assert_int_equal(vox_rtcp_next(&r, &p), 0);
}

static void assert_reports_equal(const struct vox_rtcp_report *a, const struct vox_rtcp_report *b)
{
    assert_int_equal(a->ssrc, b->ssrc);
    assert_true(a->ntp == b->ntp);
    assert_int_equal(a->rtp_timestamp, b->rtp_timestamp);
    assert_int_equal(a->packet_count, b->packet_count);
    assert_int_equal(a->octet_count, b->octet_count);
    assert_int_equal(a->block_count, b->block_count);
    for (int i = 0; i < a->block_count; i++) {
        assert_int_equal(a->blocks[i].ssrc, b->blocks[i].ssrc);
        assert_int_equal(a->blocks[i].fraction_lost, b->blocks[i].fraction_lost);
        assert_int_equal(a->blocks[i].cumulative_lost, b->blocks[i].cumulative_lost);
        assert_int_equal(a->blocks[i].highest_seq, b->blocks[i].highest_seq);
        assert_int_equal(a->blocks[i].jitter, b->blocks[i].jitter);
        assert_int_equal(a->blocks[i].last_sr, b->blocks[i].last_sr);
        assert_int_equal(a->blocks[i].delay_since_sr, b->blocks[i].delay_since_sr);
    }
}

static void receiver_report_has_the_golden_bytes(void **state)
{
    (void)state;
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_reader r;
    struct vox_rtcp p;
    vox_rtcp_write_rr(&w, &rr_values);
    assert_false(w.failed);
    assert_int_equal(w.size, sizeof rr_golden);
    assert_memory_equal(bytes, rr_golden, sizeof rr_golden);
    assert_int_equal(vox_rtcp_begin(&r, rr_golden, sizeof rr_golden), 0);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.type, VOX_RTCP_RR);
    assert_reports_equal(&p.as.report, &rr_values);
}

static void compound_of_all_writers_round_trips(void **state)
{
    (void)state;
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report sr = rr_values;
    sr.ntp = UINT64_C(0x0123456789abcdef);
    sr.rtp_timestamp = 960;
    sr.packet_count = 0xffffffff;
    sr.octet_count = 5;
    sr.block_count = VOX_RTCP_MAX_BLOCKS;
    for (uint8_t i = 0; i < VOX_RTCP_MAX_BLOCKS; i++)
        sr.blocks[i] = (struct vox_rtcp_block){.ssrc = i, .cumulative_lost = i - 15, .jitter = 3};
    vox_rtcp_write_sr(&w, &sr);
    vox_rtcp_write_sdes(&w, 9, "me@here");
    vox_rtcp_write_bye(&w, 9, "file ended");
    assert_false(w.failed);

    struct vox_rtcp_reader r;
    struct vox_rtcp p;
    assert_int_equal(vox_rtcp_begin(&r, bytes, w.size), 0);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_reports_equal(&p.as.report, &sr);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_text(p.as.sdes.chunks[0].cname, p.as.sdes.chunks[0].cname_bytes, "me@here");
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_text(p.as.bye.reason, p.as.bye.reason_bytes, "file ended");
    assert_int_equal(vox_rtcp_next(&r, &p), 0);
}

/* Every alignment of the text behind it, and lengths beyond what the field can say. */
static void texts_of_every_length_round_trip(void **state)
{
    (void)state;
    char text[300];
    for (size_t len = 0; len < sizeof text; len++) {
        memset(text, 'x', len);
        text[len] = '\0';
        uint8_t bytes[VOX_RTCP_MAX_BYTES];
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        vox_rtcp_write_sdes(&w, 1, text);
        assert_int_equal(w.size % 4, 0);
        vox_rtcp_write_bye(&w, 2, text);
        struct vox_rtcp_reader r;
        struct vox_rtcp p;
        size_t expect = len < VOX_RTCP_MAX_TEXT ? len : VOX_RTCP_MAX_TEXT;
        assert_int_equal(vox_rtcp_begin(&r, bytes, w.size), 0);
        assert_int_equal(vox_rtcp_next(&r, &p), 1);
        assert_non_null(p.as.sdes.chunks[0].cname);
        assert_int_equal(p.as.sdes.chunks[0].cname_bytes, expect);
        assert_int_equal(vox_rtcp_next(&r, &p), 1);
        assert_non_null(p.as.bye.reason);
        assert_int_equal(p.as.bye.reason_bytes, expect);
        assert_int_equal(vox_rtcp_next(&r, &p), 0);
    }
}

static void cumulative_loss_is_clamped_to_24_bits(void **state)
{
    (void)state;
    static const struct {
        int32_t lost, expect;
    } rows[] = {{0, 0},
                {-1, -1},
                {0x7fffff, 0x7fffff},
                {0x800000, 0x7fffff},
                {INT32_MAX, 0x7fffff},
                {-0x800000, -0x800000},
                {-0x800001, -0x800000},
                {INT32_MIN, -0x800000}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[64];
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        struct vox_rtcp_report rr = rr_values;
        struct vox_rtcp_reader r;
        struct vox_rtcp p;
        rr.blocks[0].cumulative_lost = rows[i].lost;
        vox_rtcp_write_rr(&w, &rr);
        assert_int_equal(vox_rtcp_begin(&r, bytes, w.size), 0);
        assert_int_equal(vox_rtcp_next(&r, &p), 1);
        assert_int_equal(p.as.report.blocks[0].cumulative_lost, rows[i].expect);
        assert_int_equal(p.as.report.blocks[0].fraction_lost, 0x20);
    }
}

static void checks_the_whole_compound_before_reading(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[20];
        size_t len;
        int err;
    } rows[] = {
        {"nothing", {0}, 0, VOX_ETRUNCATED},
        {"half a header", {0x80, 0xc9}, 2, VOX_ETRUNCATED},
        {"empty RR", {0x80, 0xc9, 0, 1, 1, 2, 3, 4}, 8, 0},
        {"version 1", {0x40, 0xc9, 0, 1, 1, 2, 3, 4}, 8, VOX_EFORMAT},
        {"type 199 first", {0x80, 0xc7, 0, 1, 1, 2, 3, 4}, 8, VOX_EFORMAT},
        {"type 208 first", {0x80, 0xd0, 0, 1, 1, 2, 3, 4}, 8, VOX_EFORMAT},
        {"feedback alone (RFC 5506)", {0x81, 0xcd, 0, 1, 1, 2, 3, 4}, 8, 0},
        {"XR alone", {0x80, 0xcf, 0, 1, 1, 2, 3, 4}, 8, 0},
        {"an unknown type later", {0x80, 0xc9, 0, 1, 1, 2, 3, 4, 0x80, 0xd0, 0, 0}, 12, 0},
        {"too long by its own word", {0x80, 0xc9, 0, 2, 1, 2, 3, 4}, 8, VOX_ETRUNCATED},
        {"one byte behind", {0x80, 0xc9, 0, 1, 1, 2, 3, 4, 0x80}, 9, VOX_ETRUNCATED},
        {"version 0 behind", {0x80, 0xc9, 0, 1, 1, 2, 3, 4, 0, 0xca, 0, 0}, 12, VOX_EFORMAT},
        {"padding, last", {0xa0, 0xc9, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4}, 12, 0},
        {"nothing but padding", {0xa0, 0xc9, 0, 1, 0, 0, 0, 4}, 8, 0},
        {"padding of 0", {0xa0, 0xc9, 0, 2, 1, 2, 3, 4, 0, 0, 0, 0}, 12, VOX_EFORMAT},
        {"padding into the header", {0xa0, 0xc9, 0, 2, 1, 2, 3, 4, 0, 0, 0, 9}, 12, VOX_EFORMAT},
        {"padding without room", {0xa0, 0xc9, 0, 0}, 4, VOX_EFORMAT},
        {"padding, not last",
         {0xa0, 0xc9, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4, 0x80, 0xca, 0, 0},
         16,
         VOX_EFORMAT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_rtcp_reader r;
        int err = vox_rtcp_begin(&r, rows[i].bytes, rows[i].len);
        if (err != rows[i].err)
            fail_msg("%s: %d instead of %d", rows[i].what, err, rows[i].err);
    }
}

/* What a packet's own count promises and its length does not hold is malformed, and passed over. */
static void goes_on_after_a_malformed_packet(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t len;
    } rows[] = {
        {"SR without sender info", {0x80, 0xc8, 0, 1, 1, 2, 3, 4}, 8},
        {"RR with a block missing", {0x81, 0xc9, 0, 1, 1, 2, 3, 4}, 8},
        {"SDES item past the end", {0x81, 0xca, 0, 2, 1, 2, 3, 4, 1, 3, 'a', 'b'}, 12},
        {"SDES without end mark", {0x81, 0xca, 0, 2, 1, 2, 3, 4, 1, 2, 'a', 'b'}, 12},
        {"SDES with a chunk missing", {0x82, 0xca, 0, 2, 1, 2, 3, 4, 1, 1, 'a', 0}, 12},
        {"BYE with a source missing", {0x82, 0xcb, 0, 1, 1, 2, 3, 4}, 8},
        {"BYE reason past the end", {0x81, 0xcb, 0, 2, 1, 2, 3, 4, 4, 'a', 'b', 'c'}, 12},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[64];
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        struct vox_rtcp_reader r;
        struct vox_rtcp p;
        vox_write_bytes(&w, rows[i].bytes, rows[i].len);
        vox_rtcp_write_rr(&w, &rr_values);
        assert_int_equal(vox_rtcp_begin(&r, bytes, w.size), 0);
        if (vox_rtcp_next(&r, &p) != VOX_EFORMAT)
            fail_msg("accepted: %s", rows[i].what);
        assert_int_equal(vox_rtcp_next(&r, &p), 1);
        assert_reports_equal(&p.as.report, &rr_values);
        assert_int_equal(vox_rtcp_next(&r, &p), 0);
    }
}

static void reads_several_chunks_and_sources(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x83, 0xca, 0x00, 0x0a, /* SDES, three chunks */
        0,    0,    0,    1,    2, 1, 'n', 1,   1, 'a', 1, 1,
        'z',  2,    1,    'n',  0, 0, 0,   0,                 /* the first CNAME counts */
        0,    0,    0,    2,    2, 1, 'n', 0,                 /* NAME only */
        0,    0,    0,    3,    1, 2, 'b', 'c', 0, 0,   0, 0, /* the end mark fills a word */
        0x82, 0xcb, 0x00, 0x02, 0, 0, 0,   1,   0, 0,   0, 3, /* BYE of two */
        0x80, 0xcb, 0x00, 0x00,                               /* BYE of none is useless but valid */
    };
    struct vox_rtcp_reader r;
    struct vox_rtcp p;
    assert_int_equal(vox_rtcp_begin(&r, bytes, sizeof bytes), 0);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.as.sdes.chunk_count, 3);
    assert_text(p.as.sdes.chunks[0].cname, p.as.sdes.chunks[0].cname_bytes, "a");
    assert_null(p.as.sdes.chunks[1].cname);
    assert_int_equal(p.as.sdes.chunks[2].ssrc, 3);
    assert_text(p.as.sdes.chunks[2].cname, p.as.sdes.chunks[2].cname_bytes, "bc");
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.as.bye.ssrc_count, 2);
    assert_int_equal(p.as.bye.ssrcs[1], 3);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.as.bye.ssrc_count, 0);
}

/* Generic NACK (RFC 4585): the body without its padding is for others to read. */
static void hands_out_bodies_of_other_types(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xa1, 0xcd, 0,    4,    1,    2,    3, 4, 5, 6,
                                    7,    8,    0x00, 0x11, 0x00, 0x03, 0, 0, 0, 4};
    struct vox_rtcp_reader r;
    struct vox_rtcp p;
    assert_int_equal(vox_rtcp_begin(&r, bytes, sizeof bytes), 0);
    assert_int_equal(vox_rtcp_next(&r, &p), 1);
    assert_int_equal(p.type, VOX_RTCP_RTPFB);
    assert_int_equal(p.count, 1);
    assert_ptr_equal(p.body, bytes + 4);
    assert_int_equal(p.body_bytes, 12);
}

static void refuses_to_write_beyond_its_room(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (size_t capacity = 0; capacity < sizeof rr_golden; capacity++) {
        struct vox_writer w = vox_writer_of(bytes, capacity);
        vox_rtcp_write_rr(&w, &rr_values);
        assert_true(w.failed);
    }
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report many = {.block_count = VOX_RTCP_MAX_BLOCKS + 1};
    vox_rtcp_write_rr(&w, &many);
    assert_true(w.failed);
}

static void read_all(const uint8_t *bytes, size_t len)
{
    struct vox_rtcp_reader r;
    struct vox_rtcp p;
    if (vox_rtcp_begin(&r, bytes, len) < 0)
        return;
    int packets = 0;
    for (int got; (got = vox_rtcp_next(&r, &p)) != 0; packets++) {
        assert_true(got == 1 || got == VOX_EFORMAT);
        assert_true(p.body >= bytes && p.body + p.body_bytes <= bytes + len);
    }
    assert_true(packets > 0 && (size_t)packets <= len / 4);
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(gstreamer_compound, sizeof gstreamer_compound, read_all);
    hostile_feed_prefixes(rr_golden, sizeof rr_golden, read_all);
    hostile_feed_mutations(gstreamer_compound, sizeof gstreamer_compound, 20000, read_all);
    hostile_feed_mutations(rr_golden, sizeof rr_golden, 20000, read_all);
    hostile_feed_noise(20000, read_all);
}

struct round_trip_row {
    uint64_t arrival_ntp;
    uint32_t last, delay;
    int64_t expect_ns;
};

static void round_trips(void **state)
{
    (void)state;
    static const struct round_trip_row rows[] = {
        /* the example of RFC 3550, section 6.4.1 */
        {UINT64_C(0xb44db710) << 32 | 0x80000000, 0xb7052000, 0x00054000, 6125000000},
        {UINT64_C(0x10002) << 32, 0xffff0000, 0x10000, 2000000000}, /* wraps */
        {UINT64_C(0x10002) << 32, 0, 0x10000, -1},                  /* nothing to answer */
        {UINT64_C(7) << 32, 0x50000, 0x20002, 0},                   /* within rounding of zero */
        {UINT64_C(7) << 32, 0x50000, 0x20003, -1},
        {UINT64_C(65) << 32, 0x50000, 0, INT64_C(60000000000)},
        {UINT64_C(65) << 32 | 1 << 16, 0x50000, 0, -1}, /* over a minute */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(vox_rtcp_round_trip_ns(rows[i].arrival_ntp, rows[i].last, rows[i].delay),
                         rows[i].expect_ns);
}

RUN(cmocka_unit_test(round_trips), cmocka_unit_test(reads_a_compound_of_gstreamer),
    cmocka_unit_test(receiver_report_has_the_golden_bytes),
    cmocka_unit_test(compound_of_all_writers_round_trips),
    cmocka_unit_test(texts_of_every_length_round_trip),
    cmocka_unit_test(cumulative_loss_is_clamped_to_24_bits),
    cmocka_unit_test(checks_the_whole_compound_before_reading),
    cmocka_unit_test(goes_on_after_a_malformed_packet),
    cmocka_unit_test(reads_several_chunks_and_sources),
    cmocka_unit_test(hands_out_bodies_of_other_types),
    cmocka_unit_test(refuses_to_write_beyond_its_room), cmocka_unit_test(survives_hostile_bytes))
