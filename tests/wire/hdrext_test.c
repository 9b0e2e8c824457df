#include "base/err.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/hdrext.h"

/* An RTP packet with nothing but this extension. */
static struct vox_rtp rtp_with(uint16_t profile, const uint8_t *bytes, size_t len)
{
    return (struct vox_rtp){.has_extension = true,
                            .extension_profile = profile,
                            .extension = bytes,
                            .extension_bytes = len};
}

/* Returns the found element's length, 0 for none, or the error; its first byte in *first. */
static int look_up(uint16_t profile, const uint8_t *bytes, size_t len, uint8_t id, int *first)
{
    const uint8_t *data = NULL;
    size_t data_len = 0;
    struct vox_rtp rtp = rtp_with(profile, bytes, len);
    int got = vox_hdrext_find(&rtp, id, &data, &data_len);
    *first = got > 0 && data_len > 0 ? data[0] : -1;
    return got > 0 ? (int)data_len : got;
}

/* The example of RFC 8285, section 4.2: three elements, padding between and after. */
static void finds_elements_of_the_one_byte_form(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x10, 0xa1,                   /* id 1, one byte */
        0x21, 0xb1, 0xb2,             /* id 2, two bytes */
        0x00, 0x00,                   /* padding */
        0x33, 0xc1, 0xc2, 0xc3, 0xc4, /* id 3, four bytes */
        0xe0, 0xd1,                   /* id 14 */
        0x20, 0xff,                   /* id 2 again: the first one counts */
    };
    static const struct {
        uint8_t id;
        int len, first;
    } rows[] = {{1, 1, 0xa1}, {2, 2, 0xb1}, {3, 4, 0xc1}, {14, 1, 0xd1},
                {4, 0, -1},   {0, 0, -1},   {15, 0, -1},  {255, 0, -1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int first;
        assert_int_equal(look_up(0xbede, bytes, sizeof bytes, rows[i].id, &first), rows[i].len);
        assert_int_equal(first, rows[i].first);
    }
}

/* The example of RFC 8285, section 4.3: lengths of 0, 1 and 4; any application bits. */
static void finds_elements_of_the_two_byte_form(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x01, 0x00,                         /* id 1, empty */
        0x0f, 0x01, 0xb1,                   /* id 15 is an id like any other here */
        0x00,                               /* padding is one byte */
        0xff, 0x04, 0xc1, 0xc2, 0xc3, 0xc4, /* id 255 */
    };
    int first;
    for (uint16_t profile = 0x1000; profile <= 0x100f; profile++) {
        const uint8_t *data = NULL;
        size_t len = 9;
        struct vox_rtp rtp = rtp_with(profile, bytes, sizeof bytes);
        assert_int_equal(vox_hdrext_find(&rtp, 1, &data, &len), 1);
        assert_int_equal(len, 0);
        assert_int_equal(look_up(profile, bytes, sizeof bytes, 15, &first), 1);
        assert_int_equal(first, 0xb1);
        assert_int_equal(look_up(profile, bytes, sizeof bytes, 255, &first), 4);
        assert_int_equal(first, 0xc1);
        assert_int_equal(look_up(profile, bytes, sizeof bytes, 2, &first), 0);
    }
}

static void stops_where_the_rfc_says_stop(void **state)
{
    (void)state;
    static const uint8_t id_15[] = {0x10, 0xa1, 0xf0, 0x00, 0x20, 0xb1, 0x00, 0x00};
    static const uint8_t id_0_with_length[] = {0x10, 0xa1, 0x03, 0x20, 0x20, 0xb1, 0x20, 0xb1};
    int first;
    assert_int_equal(look_up(0xbede, id_15, sizeof id_15, 1, &first), 1);
    assert_int_equal(look_up(0xbede, id_15, sizeof id_15, 2, &first), 0);
    assert_int_equal(look_up(0xbede, id_0_with_length, 8, 1, &first), 1);
    assert_int_equal(look_up(0xbede, id_0_with_length, 8, 2, &first), 0);
}

static void an_element_past_the_end_is_malformed(void **state)
{
    (void)state;
    static const uint8_t one[] = {0x10, 0xa1, 0x22, 0xb1};
    static const uint8_t two[] = {0x01, 0x01, 0xa1, 0x02};
    int first;
    assert_int_equal(look_up(0xbede, one, sizeof one, 1, &first), 1);
    assert_int_equal(look_up(0xbede, one, sizeof one, 2, &first), VOX_EFORMAT);
    assert_int_equal(look_up(0x1000, two, sizeof two, 1, &first), 1);
    assert_int_equal(look_up(0x1000, two, sizeof two, 2, &first), VOX_EFORMAT);
}

static void other_profiles_and_no_extension_hold_nothing(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x10, 0xa1, 0x00, 0x00};
    int first;
    assert_int_equal(look_up(0x1234, bytes, sizeof bytes, 1, &first), 0);
    assert_int_equal(look_up(0xbede, NULL, 0, 1, &first), 0);
    struct vox_rtp rtp = {.extension_profile = 0xbede};
    const uint8_t *data;
    size_t len;
    assert_int_equal(vox_hdrext_find(&rtp, 1, &data, &len), 0);
}

static void looks_at_a_bounded_number_of_elements(void **state)
{
    (void)state;
    uint8_t bytes[2 * (VOX_HDREXT_MAX_ELEMENTS + 1)];
    int first;
    for (size_t i = 0; i < sizeof bytes; i += 2) {
        bytes[i] = 0x10;
        bytes[i + 1] = 0;
    }
    bytes[2 * (VOX_HDREXT_MAX_ELEMENTS - 1)] = 0x20;
    bytes[2 * VOX_HDREXT_MAX_ELEMENTS] = 0x30;
    assert_int_equal(look_up(0xbede, bytes, sizeof bytes, 2, &first), 1);
    assert_int_equal(look_up(0xbede, bytes, sizeof bytes, 3, &first), 0);
}

static void capture_time_has_the_golden_bytes(void **state)
{
    (void)state;
    static const uint8_t golden[] = {
        0x17,                                           /* id 1, 8 bytes */
        0xee, 0xab, 0x61, 0x11, 0x2a, 0xc0, 0x83, 0x12, /* NTP */
        0x00, 0x00, 0x00,                               /* to 32 bits */
    };
    uint8_t bytes[VOX_HDREXT_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_capture_time capture = {.ntp = UINT64_C(0xeeab61112ac08312)};
    vox_hdrext_write_capture_time(&w, 1, &capture);
    assert_int_equal(vox_hdrext_finish(&w), sizeof golden);
    assert_memory_equal(bytes, golden, sizeof golden);
}

static void capture_time_round_trips(void **state)
{
    (void)state;
    static const struct vox_capture_time rows[] = {
        {.ntp = 0},
        {.ntp = UINT64_MAX},
        {.ntp = 1, .has_offset = true, .offset_ntp = 0},
        {.ntp = 2, .has_offset = true, .offset_ntp = -1},
        {.ntp = 3, .has_offset = true, .offset_ntp = INT64_MIN},
        {.ntp = 4, .has_offset = true, .offset_ntp = INT64_MAX},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[VOX_HDREXT_MAX_BYTES];
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        vox_hdrext_write(&w, 7, "abc", 3);
        vox_hdrext_write_capture_time(&w, 14, &rows[i]);
        int written = vox_hdrext_finish(&w);
        assert_true(written > 0 && written % 4 == 0);
        struct vox_rtp rtp = rtp_with(0xbede, bytes, (size_t)written);
        const uint8_t *data;
        size_t len;
        struct vox_capture_time back;
        assert_int_equal(vox_hdrext_find(&rtp, 14, &data, &len), 1);
        assert_int_equal(vox_capture_time_parse(data, len, &back), 0);
        assert_true(back.ntp == rows[i].ntp && back.offset_ntp == rows[i].offset_ntp);
        assert_int_equal(back.has_offset, rows[i].has_offset);
    }
}

static void capture_time_of_another_length_is_malformed(void **state)
{
    (void)state;
    static const uint8_t bytes[17];
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct vox_capture_time capture;
        int expect = len == 8 || len == 16 ? 0 : VOX_EFORMAT;
        assert_int_equal(vox_capture_time_parse(bytes, len, &capture), expect);
    }
}

static void refuses_to_write_what_the_form_cannot_say(void **state)
{
    (void)state;
    static const struct {
        uint8_t id;
        size_t len;
        bool is_ok;
    } rows[] = {{0, 1, false},  {15, 1, false}, {16, 1, false}, {1, 0, false},
                {1, 17, false}, {14, 16, true}, {1, 1, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[VOX_HDREXT_MAX_BYTES];
        const uint8_t data[17] = {0};
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        vox_hdrext_write(&w, rows[i].id, data, rows[i].len);
        assert_int_equal(w.failed, !rows[i].is_ok);
        assert_int_equal(vox_hdrext_finish(&w) > 0, rows[i].is_ok);
    }
    uint8_t small[6];
    struct vox_writer w = vox_writer_of(small, sizeof small);
    vox_hdrext_write(&w, 1, "abcd", 4);
    assert_int_equal(vox_hdrext_finish(&w), VOX_ENOSPC); /* 5 bytes, 8 with the padding */
}

static void find_every_id(const uint8_t *bytes, size_t len)
{
    static const uint16_t profiles[] = {0xbede, 0x1000};
    for (size_t p = 0; p < COUNT(profiles); p++) {
        struct vox_rtp rtp = rtp_with(profiles[p], bytes, len);
        for (int id = 0; id <= 16; id++) {
            const uint8_t *data;
            size_t data_len;
            if (vox_hdrext_find(&rtp, (uint8_t)id, &data, &data_len) > 0)
                assert_true(data >= bytes && data + data_len <= bytes + len);
        }
    }
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x10, 0xa1, 0x21, 0xb1, 0xb2, 0x00, 0x37, 1,
                                    2,    3,    4,    5,    6,    7,    8,    0x00};
    hostile_feed_prefixes(bytes, sizeof bytes, find_every_id);
    hostile_feed_mutations(bytes, sizeof bytes, 5000, find_every_id);
    hostile_feed_noise(5000, find_every_id);
}

RUN(cmocka_unit_test(finds_elements_of_the_one_byte_form),
    cmocka_unit_test(finds_elements_of_the_two_byte_form),
    cmocka_unit_test(stops_where_the_rfc_says_stop),
    cmocka_unit_test(an_element_past_the_end_is_malformed),
    cmocka_unit_test(other_profiles_and_no_extension_hold_nothing),
    cmocka_unit_test(looks_at_a_bounded_number_of_elements),
    cmocka_unit_test(capture_time_has_the_golden_bytes), cmocka_unit_test(capture_time_round_trips),
    cmocka_unit_test(capture_time_of_another_length_is_malformed),
    cmocka_unit_test(refuses_to_write_what_the_form_cannot_say),
    cmocka_unit_test(survives_hostile_bytes))
