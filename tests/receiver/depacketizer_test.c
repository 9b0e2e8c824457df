#include "receiver/depacketizer.h"

#include "base/time.h"
#include "support/test.h"

enum { TICKS = 960 };

#define PACKET_NS (20 * VOX_NS_PER_MS)

static struct vox_depacketizer d;
static struct vox_packet packet;
static struct vox_depacketize_notice notice;

static int setup(void **state)
{
    (void)state;
    vox_depacketizer_init(&d);
    return 0;
}

static enum vox_depacketized take(uint16_t seq, uint32_t ts, int64_t arrival_ns)
{
    struct vox_rtp rtp = {.seq = seq, .timestamp = ts, .payload = (const uint8_t *)"x"};
    rtp.payload_bytes = 1;
    struct vox_opus_info info = {.duration_ticks = TICKS, .frame_ticks = TICKS, .channels = 1};
    return vox_depacketize(&d, &rtp, &info, arrival_ns, &packet, &notice);
}

static void expect(int64_t index, int64_t ts)
{
    assert_int_equal(packet.index, index);
    assert_int_equal(packet.ts, ts);
}

/* A steady stream from number and timestamp `seq`, `ts`. */
static void steady(int count, uint16_t seq, uint32_t ts, int64_t t_ns)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(
            take((uint16_t)(seq + i), ts + (uint32_t)(i * TICKS), t_ns + i * PACKET_NS),
            VOX_DEPACKETIZED);
        assert_int_equal(notice.sequence_jump, 0);
        assert_int_equal(notice.timestamp_jump_ticks, 0);
        assert_int_equal(notice.wrong_clock_hz, 0);
    }
}

static void numbers_go_on_across_the_wrap(void **state)
{
    (void)state;
    take(65534, 0xfffffc40, 0);
    expect(65534, 0xfffffc40);
    take(65535, 0, PACKET_NS);
    expect(65535, INT64_C(1) << 32);
    take(1, 1920, 3 * PACKET_NS);
    expect(65537, (INT64_C(1) << 32) + 1920);
    take(0, 960, 3 * PACKET_NS);
    expect(65536, (INT64_C(1) << 32) + 960);
    take(2, 2880, 4 * PACKET_NS);
    expect(65538, (INT64_C(1) << 32) + 2880);
}

static void everything_else_is_passed_on(void **state)
{
    (void)state;
    struct vox_rtp rtp = {.seq = 3, .timestamp = 4, .marker = true};
    rtp.payload = (const uint8_t *)"abc";
    rtp.payload_bytes = 3;
    struct vox_opus_info info = {.duration_ticks = 240, .frame_ticks = 120, .channels = 2};
    assert_int_equal(vox_depacketize(&d, &rtp, &info, 99, &packet, &notice), VOX_DEPACKETIZED);
    expect(3, 4);
    assert_true(packet.marker);
    assert_int_equal(packet.arrival_ns, 99);
    assert_int_equal(packet.info.channels, 2);
    assert_ptr_equal(packet.payload, rtp.payload);
    assert_int_equal(packet.payload_bytes, 3);
}

/* Exactly at the limits of what is loss and what is reordering. */
static void limits_of_a_jump(void **state)
{
    (void)state;
    steady(3, 5000, 0, 0);
    assert_int_equal(take(5002 + VOX_MAX_DROPOUT, 3001 * TICKS, 3001 * PACKET_NS),
                     VOX_DEPACKETIZED);
    assert_int_equal(packet.index, 5002 + VOX_MAX_DROPOUT);
    uint16_t newest = 5002 + VOX_MAX_DROPOUT;
    assert_int_equal(take((uint16_t)(newest - VOX_MAX_MISORDER), 2001 * TICKS, 3001 * PACKET_NS),
                     VOX_DEPACKETIZED);
    assert_int_equal(take((uint16_t)(newest - VOX_MAX_MISORDER - 1), 0, 3001 * PACKET_NS),
                     VOX_DEPACKETIZE_HELD);
    assert_int_equal(take((uint16_t)(newest + VOX_MAX_DROPOUT + 1), 0, 3001 * PACKET_NS),
                     VOX_DEPACKETIZE_HELD);
}

/* After a hole: numbers, timestamps and the time that passed must agree. In packets of 20 ms. */
static void what_follows_after_a_hole(void **state)
{
    static const struct {
        const char *name;
        int64_t passed, seq, ts;
        bool follows;
    } rows[] = {
        {"a cut of 20 s", 1000, 1000, 1000, true},
        {"a cut of ten minutes", 30000, 30000, 30000, true},
        {"half of all numbers", 33000, 32000, 33000, false},
        {"a pause of 20 s, as DTX makes it", 1000, 1, 1000, true},
        {"20 s that waited meanwhile", 1000, 1, 1, true},
        {"the same packet", 1000, 0, 0, false},
        {"one from before", 1000, -1, -1, false},
        {"numbers that began anew", 1000, 20000, 1000, false},
        {"timestamps that began anew", 1000, 1000, -50000, false},
        {"timestamps ahead of the time", 1000, 1000, 1200, false},
        {"shorter packets", 1000, 2000, 1000, true},
        {"packets that nobody had the time to send", 1, 5000, 1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        setup(state);
        steady(3, 5000, 0, 0);
        const struct vox_rtp rtp = {.seq = (uint16_t)(5002 + rows[i].seq),
                                    .timestamp = (uint32_t)((2 + rows[i].ts) * TICKS)};
        if (vox_depacketizer_follows(&d, &rtp, (2 + rows[i].passed) * PACKET_NS) != rows[i].follows)
            fail_msg("%s", rows[i].name);
        if (!rows[i].follows || rows[i].seq <= VOX_MAX_DROPOUT)
            continue;
        assert_int_equal(take(rtp.seq, rtp.timestamp, (2 + rows[i].passed) * PACKET_NS),
                         VOX_DEPACKETIZED);
        assert_int_equal(packet.index, 5002 + rows[i].seq);
    }
}

static void a_jump_needs_its_successor(void **state)
{
    (void)state;
    steady(3, 5000, 0, 0);
    assert_int_equal(take(30000, 777, 3 * PACKET_NS), VOX_DEPACKETIZE_HELD);
    assert_int_equal(take(40000, 777, 4 * PACKET_NS), VOX_DEPACKETIZE_HELD);
    assert_int_equal(take(40001, 777 + TICKS, 5 * PACKET_NS), VOX_DEPACKETIZED);
    assert_int_equal(notice.sequence_jump, 40001 - 5002 - 65536);
    assert_int_equal(packet.index, 5003); /* numbering goes on */
    take(40002, 777 + 2 * TICKS, 6 * PACKET_NS);
    assert_int_equal(packet.index, 5004);
    assert_int_equal(notice.sequence_jump, 0);
}

/* A stray number between good ones confirms nothing. */
static void a_suspicion_ends_with_a_good_packet(void **state)
{
    (void)state;
    steady(3, 5000, 0, 0);
    assert_int_equal(take(30000, 0, 3 * PACKET_NS), VOX_DEPACKETIZE_HELD);
    assert_int_equal(take(5003, 3 * TICKS, 3 * PACKET_NS), VOX_DEPACKETIZED);
    assert_int_equal(take(30001, 0, 4 * PACKET_NS), VOX_DEPACKETIZE_HELD);
}

static void a_timestamp_jump_keeps_the_timeline(void **state)
{
    (void)state;
    steady(3, 0, 0, 0);
    take(3, 1000000, 3 * PACKET_NS);
    expect(3, 3 * TICKS);
    assert_int_equal(notice.timestamp_jump_ticks, 1000000 - 3 * TICKS);
    take(4, 1000000 + TICKS, 4 * PACKET_NS);
    expect(4, 4 * TICKS);
    assert_int_equal(notice.timestamp_jump_ticks, 0);
    /* with a pause of a second before it */
    take(5, 10, 4 * PACKET_NS + VOX_NS_PER_S);
    expect(5, 4 * TICKS + 48000);
}

static void a_pause_is_no_jump(void **state)
{
    (void)state;
    steady(3, 0, 0, 0);
    take(3, 2 * TICKS + 480000, 2 * PACKET_NS + 10 * VOX_NS_PER_S);
    expect(3, 2 * TICKS + 480000);
    assert_int_equal(notice.timestamp_jump_ticks, 0);
}

/* One that was overtaken does not become the newest. */
static void an_old_packet_moves_nothing(void **state)
{
    (void)state;
    steady(5, 0, 0, 0);
    take(6, 6 * TICKS, 6 * PACKET_NS);
    take(5, 5 * TICKS, 7 * PACKET_NS);
    expect(5, 5 * TICKS);
    take(7, 7 * TICKS, 7 * PACKET_NS);
    expect(7, 7 * TICKS);
    assert_int_equal(notice.timestamp_jump_ticks, 0);
}

static int32_t clock_told(int rate_hz, int packets)
{
    int32_t told = 0;
    for (int i = 0; i < packets; i++) {
        take((uint16_t)i, (uint32_t)((int64_t)i * TICKS * rate_hz / 48000), i * PACKET_NS);
        if (notice.wrong_clock_hz) {
            assert_int_equal(told, 0); /* once */
            told = notice.wrong_clock_hz;
        }
    }
    return told;
}

static void wrong_clocks_are_measured(void **state)
{
    static const int rates[] = {8000, 16000, 24000, 44100, 90000};
    for (size_t i = 0; i < COUNT(rates); i++) {
        setup(state);
        assert_in_range(clock_told(rates[i], 120), rates[i] - 20, rates[i] + 20);
        int64_t ts = packet.ts;
        take(120, 7, 120 * PACKET_NS);
        assert_int_equal(packet.ts - ts, TICKS); /* from now on by durations */
    }
    setup(state);
    assert_int_equal(clock_told(48000, 500), 0);
    setup(state);
    assert_int_equal(clock_told(48100, 500), 0); /* a clock of poor quality is no other clock */
}

/* What reports and requests say of a packet must be its number on the wire. */
static void names_packets_as_the_wire_does(void **state)
{
    (void)state;
    uint16_t seq = 7;
    steady(3, 65535, 0, 0);
    assert_true(vox_depacketizer_seq(&d, 65535, &seq));
    assert_int_equal(seq, 65535);
    assert_true(vox_depacketizer_seq(&d, 65537, &seq));
    assert_int_equal(seq, 1);
    assert_true(vox_depacketizer_seq(&d, 65534, &seq)); /* one that may still come */
    assert_int_equal(seq, 65534);
    assert_int_equal(vox_depacketizer_index(&d, 65534), 65534);
    assert_int_equal(vox_depacketizer_index(&d, 5), 65541);
    take(40000, 3 * TICKS, 3 * PACKET_NS);
    take(40001, 4 * TICKS, 4 * PACKET_NS);
    expect(65538, 4 * TICKS);
    assert_true(vox_depacketizer_seq(&d, 65538, &seq));
    assert_int_equal(seq, 40001);
    assert_true(vox_depacketizer_seq(&d, 65540, &seq));
    assert_int_equal(seq, 40003);
    assert_int_equal(vox_depacketizer_index(&d, 40003), 65540);
    assert_false(vox_depacketizer_seq(&d, 65537, &seq)); /* another sequence */
    assert_int_equal(seq, 40003);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(numbers_go_on_across_the_wrap), TEST(everything_else_is_passed_on), TEST(limits_of_a_jump),
    TEST(what_follows_after_a_hole), TEST(a_jump_needs_its_successor),
    TEST(a_suspicion_ends_with_a_good_packet), TEST(a_timestamp_jump_keeps_the_timeline),
    TEST(a_pause_is_no_jump), TEST(an_old_packet_moves_nothing), TEST(wrong_clocks_are_measured),
    TEST(names_packets_as_the_wire_does))
