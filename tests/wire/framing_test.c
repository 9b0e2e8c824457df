#include "wire/framing.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/rt.h"
#include "support/test.h"

enum { KEEP = 8, BUFFER = 16 };

/* An empty packet, one of 3 bytes, one of 1, one of 10 (two too long), one of 2. */
static const uint8_t golden[] = {0x00, 0x00, 0x00, 0x03, 'a',  'b',  'c', 0x00, 0x01,
                                 'd',  0x00, 0x0a, '0',  '1',  '2',  '3', '4',  '5',
                                 '6',  '7',  '8',  '9',  0x00, 0x02, 'e', 'f',  0x00};

static const struct {
    const char *text;
    bool truncated;
} expected[] = {{"abc", false}, {"d", false}, {"01234567", true}, {"ef", false}};

static size_t feed(struct vox_framing *framing, const uint8_t *bytes, size_t len, size_t piece)
{
    size_t room;
    uint8_t *at = vox_framing_room(framing, &room);
    assert_true(room > 0);
    size_t fed = len < piece ? len : piece;
    fed = fed < room ? fed : room;
    memcpy(at, bytes, fed);
    vox_framing_filled(framing, fed);
    return fed;
}

static void golden_bytes_come_out_for_every_piece_length(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof golden; piece++) {
        uint8_t buffer[BUFFER];
        struct vox_framing framing;
        struct vox_framing_packet packet;
        vox_framing_init(&framing, buffer, sizeof buffer, KEEP);
        size_t taken = 0;
        for (size_t at = 0; at < sizeof golden;) {
            at += feed(&framing, golden + at, sizeof golden - at, piece);
            while (vox_framing_next(&framing, &packet)) {
                assert_true(taken < COUNT(expected));
                assert_int_equal(packet.len, strlen(expected[taken].text));
                assert_memory_equal(packet.bytes, expected[taken].text, packet.len);
                assert_int_equal(packet.truncated, expected[taken].truncated);
                taken++;
            }
        }
        assert_int_equal(taken, COUNT(expected));
    }
}

static void packets_of_one_piece_stay_valid_together(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 2, 'a', 'b', 0, 1, 'c', 0, 3, 'd', 'e', 'f', 0, 9};
    uint8_t buffer[BUFFER];
    struct vox_framing framing;
    struct vox_framing_packet packets[3], none;
    vox_framing_init(&framing, buffer, sizeof buffer, KEEP);
    assert_int_equal(feed(&framing, bytes, sizeof bytes, sizeof bytes), sizeof bytes);
    for (int i = 0; i < 3; i++)
        assert_true(vox_framing_next(&framing, &packets[i]));
    assert_false(vox_framing_next(&framing, &none));
    assert_memory_equal(packets[0].bytes, "ab", 2);
    assert_memory_equal(packets[1].bytes, "c", 1);
    assert_memory_equal(packets[2].bytes, "def", 3);
}

static void headers_are_big_endian(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint8_t bytes[2];
    } rows[] = {
        {0, {0x00, 0x00}}, {1, {0x00, 0x01}}, {0x1234, {0x12, 0x34}}, {65535, {0xff, 0xff}}};
    uint8_t header[2];
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(vox_framing_write_header(rows[i].len, header), 0);
        assert_memory_equal(header, rows[i].bytes, 2);
    }
    assert_int_equal(vox_framing_write_header(65536, header), VOX_ELIMIT);
}

static void the_longest_packet_is_cut_and_the_stream_stays_in_step(void **state)
{
    (void)state;
    static uint8_t bytes[2 + VOX_FRAMING_MAX_BYTES + 3] = {0xff, 0xff};
    memcpy(bytes + 2 + VOX_FRAMING_MAX_BYTES, (const uint8_t[]){0, 1, 'x'}, 3);
    uint8_t buffer[BUFFER];
    struct vox_framing framing;
    struct vox_framing_packet packet;
    vox_framing_init(&framing, buffer, sizeof buffer, KEEP);
    int taken = 0;
    for (size_t at = 0; at < sizeof bytes;) {
        at += feed(&framing, bytes + at, sizeof bytes - at, BUFFER);
        while (vox_framing_next(&framing, &packet)) {
            assert_int_equal(packet.truncated, taken == 0);
            assert_int_equal(packet.len, taken == 0 ? KEEP : 1);
            taken++;
        }
    }
    assert_int_equal(taken, 2);
    assert_int_equal(packet.bytes[0], 'x');
}

/* Packet i holds its own number in every byte. */
static size_t write_packets(struct vox_rng *rng, uint8_t *out, size_t count, size_t *lens)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        lens[i] = vox_rng_u32(rng) % 3000;
        assert_int_equal(vox_framing_write_header(lens[i], out + size), 0);
        memset(out + size + 2, (int)i, lens[i]);
        size += 2 + lens[i];
    }
    return size;
}

static void random_packets_come_back_from_random_pieces(void **state)
{
    (void)state;
    enum { PACKETS = 200, KEPT = 2048 };
    static uint8_t bytes[PACKETS * 3002], buffer[4096];
    for (uint64_t seed = 0; seed < 20; seed++) {
        size_t lens[PACKETS], at = 0, taken = 0;
        struct vox_rng rng;
        struct vox_framing framing;
        struct vox_framing_packet packet;
        vox_rng_init(&rng, seed, 0);
        size_t size = write_packets(&rng, bytes, PACKETS, lens);
        vox_framing_init(&framing, buffer, sizeof buffer, KEPT);
        while (at < size) {
            at += feed(&framing, bytes + at, size - at, 1 + vox_rng_u32(&rng) % 5000);
            vox_rt_enter();
            while (vox_framing_next(&framing, &packet)) {
                while (lens[taken] == 0)
                    taken++;
                if (packet.len != (lens[taken] < KEPT ? lens[taken] : KEPT) ||
                    packet.truncated != (lens[taken] > KEPT) ||
                    packet.bytes[packet.len - 1] != (uint8_t)taken)
                    fail_msg("seed %d, packet %d", (int)seed, (int)taken);
                taken++;
            }
            vox_rt_leave();
        }
        assert_int_equal(taken, PACKETS);
    }
}

RUN(cmocka_unit_test(golden_bytes_come_out_for_every_piece_length),
    cmocka_unit_test(packets_of_one_piece_stay_valid_together),
    cmocka_unit_test(headers_are_big_endian),
    cmocka_unit_test(the_longest_packet_is_cut_and_the_stream_stays_in_step),
    cmocka_unit_test(random_packets_come_back_from_random_pieces))
