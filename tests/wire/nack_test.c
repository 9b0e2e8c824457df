#include "base/err.h"
#include "base/rng.h"
#include "base/seq.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/nack.h"

enum { ASKER = 0x40ee2a34, MAX_SEQS = 4096 };

#define SOURCE 0xfbfd8d13U

/* RR, SDES and a NACK for 65533, 65534, 0, 3, 13 | 14 | 512; tshark reads it so. */
static const uint8_t golden_compound[] = {
    0x80, 0xc9, 0x00, 0x01, 0x40, 0xee, 0x2a, 0x34, /* RR without blocks */
    0x81, 0xca, 0x00, 0x04, 0x40, 0xee, 0x2a, 0x34, /* SDES */
    0x01, 0x07, 'm',  'e',  '@',  'h',  'e',  'r',
    'e',  0x00, 0x00, 0x00, 0x81, 0xcd, 0x00, 0x05, /* transport feedback, format 1 */
    0x40, 0xee, 0x2a, 0x34,                         /* SSRC of the one who asks */
    0xfb, 0xfd, 0x8d, 0x13,                         /* SSRC of the source */
    0xff, 0xfd, 0x80, 0x25,                         /* 65533 and, from it, +1 +3 +6 +16 */
    0x00, 0x0e, 0x00, 0x00,                         /* 14 */
    0x02, 0x00, 0x00, 0x00,                         /* 512 */
};

enum { NACK_AT = 28 /* in golden_compound */ };

static const uint16_t golden_seqs[] = {65533, 65534, 0, 3, 13, 14, 512};

/* Sequence numbers of the first NACK in a datagram; `count` is an error if there is none. */
static int read_seqs(const void *bytes, size_t len, uint16_t *seqs, struct vox_nack *nack)
{
    struct vox_rtcp_reader r;
    struct vox_rtcp packet;
    int err = vox_rtcp_begin(&r, bytes, len);
    if (err < 0)
        return err;
    while (vox_rtcp_next(&r, &packet) != 0) {
        if (packet.type != VOX_RTCP_RTPFB)
            continue;
        if ((err = vox_nack_parse(&packet, nack)) < 0)
            return err;
        int count = 0;
        while (vox_nack_next(nack, &seqs[count]))
            count++;
        return count;
    }
    return VOX_ENOTFOUND;
}

static void assert_golden(const void *bytes, size_t len)
{
    uint16_t seqs[VOX_NACK_MAX_SEQS + 1];
    struct vox_nack nack;
    assert_int_equal(read_seqs(bytes, len, seqs, &nack), COUNT(golden_seqs));
    assert_memory_equal(seqs, golden_seqs, sizeof golden_seqs);
    assert_int_equal(nack.ssrc, ASKER);
    assert_int_equal(nack.media_ssrc, SOURCE);
    assert_int_equal(nack.item_count, 3);
    assert_int_equal(nack.items_skipped, 0);
    assert_false(vox_nack_next(&nack, seqs));
}

static void compound_has_the_golden_bytes(void **state)
{
    (void)state;
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report rr = {.ssrc = ASKER};
    vox_rtcp_write_rr(&w, &rr);
    vox_rtcp_write_sdes(&w, ASKER, "me@here");
    assert_int_equal(vox_nack_write(&w, ASKER, SOURCE, golden_seqs, COUNT(golden_seqs)),
                     COUNT(golden_seqs));
    assert_false(w.failed);
    assert_int_equal(w.size, sizeof golden_compound);
    assert_memory_equal(bytes, golden_compound, sizeof golden_compound);
    assert_golden(golden_compound, sizeof golden_compound);
}

/* Reduced-size RTCP (RFC 5506): no report in front. */
static void is_read_alone_too(void **state)
{
    (void)state;
    assert_golden(golden_compound + NACK_AT, sizeof golden_compound - NACK_AT);
}

static void takes_the_fewest_items(void **state)
{
    (void)state;
    static const struct {
        uint16_t seqs[6];
        size_t count, items;
    } rows[] = {
        {{5}, 1, 1},
        {{5, 21}, 2, 1},     /* the last that one item reaches */
        {{5, 22}, 2, 2},     /* one more */
        {{65535, 15}, 2, 1}, /* the same across the wrap */
        {{65535, 16}, 2, 2},
        {{5, 5, 5, 6, 6}, 5, 1},         /* repetitions */
        {{5, 20, 22, 38, 40, 56}, 6, 3}, /* each reaches as far as it can */
        {{6, 5}, 2, 2},                  /* out of order: not the fewest, but all */
        {{0, 0x8000}, 2, 2},             /* as far apart as can be */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[64];
        uint16_t back[64];
        struct vox_nack nack;
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        assert_int_equal(vox_nack_write(&w, 1, 2, rows[i].seqs, rows[i].count), rows[i].count);
        assert_true(read_seqs(bytes, w.size, back, &nack) > 0);
        if (nack.item_count != rows[i].items)
            fail_msg("row %d: %d items", (int)i, (int)nack.item_count);
    }
}

static void asks_for_nothing_with_nothing(void **state)
{
    (void)state;
    uint8_t bytes[16];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    assert_int_equal(vox_nack_write(&w, 1, 2, golden_seqs, 0), 0);
    assert_int_equal(w.size, 0);
    assert_false(w.failed);
}

static void fails_in_every_room_that_is_too_small(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t need = sizeof golden_compound - NACK_AT;
    for (size_t capacity = 0; capacity <= need; capacity++) {
        struct vox_writer w = vox_writer_of(bytes, capacity);
        vox_nack_write(&w, ASKER, SOURCE, golden_seqs, COUNT(golden_seqs));
        assert_int_equal(w.failed, capacity < need);
    }
}

/* An outage of more than a packet can name: the oldest are asked for, the rest next time. */
static void is_bounded(void **state)
{
    (void)state;
    static uint16_t seqs[MAX_SEQS], back[VOX_NACK_MAX_SEQS + 1];
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_nack nack;
    for (size_t i = 0; i < COUNT(seqs); i++)
        seqs[i] = (uint16_t)(65000 + i);
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    assert_int_equal(vox_nack_write(&w, 1, 2, seqs, COUNT(seqs)), VOX_NACK_MAX_SEQS);
    assert_int_equal(w.size, VOX_NACK_HEADER_BYTES + VOX_NACK_MAX_ITEMS * VOX_NACK_ITEM_BYTES);
    assert_int_equal(read_seqs(bytes, w.size, back, &nack), VOX_NACK_MAX_SEQS);
    assert_memory_equal(back, seqs, VOX_NACK_MAX_SEQS * sizeof seqs[0]);
}

/* Others may write more items; what is behind ours is counted and not looked at. */
static void reads_no_more_than_its_limit(void **state)
{
    (void)state;
    static uint16_t back[VOX_NACK_MAX_SEQS + 1];
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_nack nack;
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    size_t packet = vox_rtcp_open(&w, VOX_RTCP_RTPFB, VOX_NACK_FORMAT);
    vox_write_u64(&w, 0);
    for (uint16_t item = 0; item < 300; item++) {
        vox_write_u16(&w, (uint16_t)(item * 17));
        vox_write_u16(&w, 0xffff);
    }
    vox_rtcp_close(&w, packet);
    assert_false(w.failed);
    assert_int_equal(read_seqs(bytes, w.size, back, &nack), VOX_NACK_MAX_SEQS);
    assert_int_equal(nack.items_skipped, 300 - VOX_NACK_MAX_ITEMS);
    for (size_t i = 0; i < VOX_NACK_MAX_SEQS; i++)
        assert_int_equal(back[i], i);
}

static void refuses_what_is_no_nack(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[20];
        size_t len;
        int err;
    } rows[] = {
        {"a NACK", {0x81, 0xcd, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0, 0}, 16, 1},
        {"no item", {0x81, 0xcd, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, 12, VOX_EFORMAT},
        {"no source", {0x81, 0xcd, 0, 1, 0, 0, 0, 1}, 8, VOX_EFORMAT},
        {"nothing", {0x81, 0xcd, 0, 0}, 4, VOX_EFORMAT},
        {"half an item", {0xa1, 0xcd, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0, 2}, 16, VOX_EFORMAT},
        {"padding behind",
         {0xa1, 0xcd, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0, 0, 4},
         20,
         1},
        {"transport-wide CC",
         {0x8f, 0xcd, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0, 0},
         16,
         VOX_EUNSUPPORTED},
        {"picture loss", {0x81, 0xce, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, 12, VOX_ENOTFOUND},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint16_t seqs[VOX_NACK_MAX_SEQS + 1];
        struct vox_nack nack;
        int err = read_seqs(rows[i].bytes, rows[i].len, seqs, &nack);
        if (err != rows[i].err)
            fail_msg("%s: %d instead of %d", rows[i].what, err, rows[i].err);
    }
    struct vox_nack nack;
    struct vox_rtcp psfb = {.type = VOX_RTCP_PSFB, .count = 1};
    assert_int_equal(vox_nack_parse(&psfb, &nack), VOX_EUNSUPPORTED);
}

/* Sorted, no two alike, gaps short and long, over the wrap now and then. */
static size_t random_seqs(struct vox_rng *rng, uint16_t *seqs, size_t max)
{
    size_t count = vox_rng_u32(rng) % max + 1;
    uint32_t longest = vox_rng_u32(rng) % 60 + 1;
    uint16_t seq = (uint16_t)vox_rng_u32(rng);
    for (size_t i = 0; i < count; i++) {
        seqs[i] = seq;
        seq = (uint16_t)(seq + 1 + vox_rng_u32(rng) % longest);
    }
    return count;
}

static void random_losses_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct vox_rng rng;
        uint16_t seqs[VOX_NACK_MAX_ITEMS], back[VOX_NACK_MAX_SEQS + 1];
        uint8_t bytes[VOX_RTCP_MAX_BYTES];
        struct vox_nack nack;
        vox_rng_init(&rng, seed, 0);
        size_t count = random_seqs(&rng, seqs, COUNT(seqs));
        struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
        size_t taken = vox_nack_write(&w, ASKER, SOURCE, seqs, count);
        if (w.failed || taken != count || read_seqs(bytes, w.size, back, &nack) != (int)count ||
            memcmp(seqs, back, count * sizeof seqs[0]) != 0)
            fail_msg("seed %d", (int)seed);
    }
}

static void read_all(const uint8_t *bytes, size_t len)
{
    uint16_t seqs[VOX_NACK_MAX_SEQS + 1];
    struct vox_nack nack;
    int count = read_seqs(bytes, len, seqs, &nack);
    if (count < 0)
        return;
    assert_true(count >= 1 && (size_t)count >= nack.item_count && count <= VOX_NACK_MAX_SEQS);
    assert_true((nack.item_count + nack.items_skipped) * VOX_NACK_ITEM_BYTES +
                    VOX_NACK_HEADER_BYTES <=
                len);
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(golden_compound, sizeof golden_compound, read_all);
    hostile_feed_mutations(golden_compound, sizeof golden_compound, 20000, read_all);
    hostile_feed_mutations(golden_compound + NACK_AT, sizeof golden_compound - NACK_AT, 20000,
                           read_all);
    hostile_feed_noise(20000, read_all);
}

RUN(cmocka_unit_test(compound_has_the_golden_bytes), cmocka_unit_test(is_read_alone_too),
    cmocka_unit_test(takes_the_fewest_items), cmocka_unit_test(asks_for_nothing_with_nothing),
    cmocka_unit_test(fails_in_every_room_that_is_too_small), cmocka_unit_test(is_bounded),
    cmocka_unit_test(reads_no_more_than_its_limit), cmocka_unit_test(refuses_what_is_no_nack),
    cmocka_unit_test(random_losses_round_trip), cmocka_unit_test(survives_hostile_bytes))
