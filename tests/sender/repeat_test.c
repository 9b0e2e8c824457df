#include "sender/repeat.h"

#include "base/bytes.h"
#include "base/rng.h"
#include "base/rt.h"
#include "base/time.h"
#include "support/test.h"
#include "wire/rtx.h"

enum { MEDIA = 0x11, RTX = 0x22, RECEIVER = 0x33, FIRST_SEQ = 65000, RTX_FIRST_SEQ = 65534 };

#define PACKET_NS (20 * VOX_NS_PER_MS)
#define RTT_NS (40 * VOX_NS_PER_MS)

static struct vox_repeat *repeat;
static uint16_t next_seq;
static int64_t now_ns;
static uint8_t datagram[VOX_RTP_MAX_BYTES];
static size_t datagram_bytes;

static void begin_ahead(int64_t ahead_ns)
{
    const struct vox_repeat_config config = {.media_ssrc = MEDIA,
                                             .rtx_ssrc = RTX,
                                             .payload_type = 98,
                                             .first_seq = RTX_FIRST_SEQ,
                                             .packet_ns = PACKET_NS,
                                             .ahead_ns = ahead_ns};
    assert_int_equal(vox_repeat_create(&config, &repeat), 0);
    next_seq = FIRST_SEQ;
    now_ns = 5 * VOX_NS_PER_S;
}

static void begin(void)
{
    begin_ahead(0);
}

static struct vox_repeat_stats end(void)
{
    struct vox_repeat_stats stats;
    vox_repeat_read_stats(repeat, &stats);
    assert_true(stats.asked == stats.sent + stats.gone + stats.early + stats.excess);
    vox_repeat_destroy(repeat);
    return stats;
}

static void send(size_t payload_bytes)
{
    static const uint8_t extension[16] = {0x10, 1, 2, 3};
    static uint8_t payload[VOX_RTP_MAX_BYTES];
    struct vox_rtp rtp = {
        .marker = true,
        .payload_type = 96,
        .seq = next_seq,
        .timestamp = next_seq * 960U,
        .ssrc = MEDIA,
        .has_extension = true,
        .extension_profile = 0xBEDE,
        .extension = extension,
        .extension_bytes = sizeof extension,
        .payload = payload,
        .payload_bytes = payload_bytes,
    };
    payload[0] = (uint8_t)next_seq++;
    now_ns += PACKET_NS;
    vox_repeat_sent(repeat, &rtp, now_ns);
}

static void send_some(int count)
{
    for (int i = 0; i < count; i++)
        send(80);
}

/* Asks; returns how many repetitions come, the last of which stands in `datagram`. */
static int ask_of(uint32_t ssrc, const uint16_t *seqs, size_t count, int64_t rtt_ns)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    assert_int_equal(vox_nack_write(&w, RECEIVER, ssrc, seqs, count), count);
    int answers = 0;
    size_t n;
    vox_rt_enter();
    if (vox_repeat_ask(repeat, bytes, w.size))
        while ((n = vox_repeat_next(repeat, now_ns, rtt_ns, datagram, sizeof datagram)) > 0) {
            datagram_bytes = n;
            answers++;
        }
    vox_rt_leave();
    return answers;
}

static int ask(uint16_t seq)
{
    return ask_of(MEDIA, &seq, 1, RTT_NS);
}

static void a_repetition_is_the_packet_in_another_stream(void **state)
{
    (void)state;
    begin();
    send_some(3);
    assert_int_equal(ask(FIRST_SEQ + 1), 1);
    assert_int_equal(ask(FIRST_SEQ + 2), 1);
    struct vox_rtp rtx, rtp;
    assert_int_equal(vox_rtp_parse(datagram, datagram_bytes, &rtx), 0);
    assert_int_equal(rtx.ssrc, RTX);
    assert_int_equal(rtx.payload_type, 98);
    assert_int_equal(rtx.seq, (uint16_t)(RTX_FIRST_SEQ + 1));
    assert_int_equal(vox_rtx_parse(&rtx, 96, MEDIA, &rtp), 0);
    assert_int_equal(rtp.seq, FIRST_SEQ + 2);
    assert_int_equal(rtp.timestamp, (FIRST_SEQ + 2) * 960U);
    assert_true(rtp.marker && rtp.has_extension);
    assert_int_equal(rtp.payload_bytes, 80);
    assert_int_equal(rtp.payload[0], (uint8_t)(FIRST_SEQ + 2));
    struct vox_repeat_stats stats = end();
    assert_true(stats.nacks == 2 && stats.asked == 2 && stats.sent == 2);
    assert_true(stats.bytes == 2 * datagram_bytes);
}

static void one_of_full_size_goes_without_its_extension(void **state)
{
    (void)state;
    begin();
    send(VOX_RTP_MAX_BYTES - 12 - 20);
    assert_int_equal(ask(FIRST_SEQ), 1);
    struct vox_rtp rtx;
    assert_int_equal(vox_rtp_parse(datagram, datagram_bytes, &rtx), 0);
    assert_false(rtx.has_extension);
    assert_int_equal(rtx.payload_bytes, VOX_RTP_MAX_BYTES - 12 - 20 + 2);
    end();
}

static void only_what_was_sent_by_us_and_is_still_known_is_repeated(void **state)
{
    (void)state;
    begin();
    assert_int_equal(ask(FIRST_SEQ), 0);
    send_some(101);
    assert_int_equal(ask(FIRST_SEQ), 0);       /* 2 s ago */
    assert_int_equal(ask(FIRST_SEQ + 101), 0); /* not sent yet */
    now_ns -= PACKET_NS / 2;
    assert_int_equal(ask(FIRST_SEQ + 100), 0); /* made, but waits for its time */
    assert_int_equal(ask(FIRST_SEQ + 99), 1);
    uint16_t seq = FIRST_SEQ + 98;
    assert_int_equal(ask_of(RTX, &seq, 1, RTT_NS), 0);
    assert_false(vox_repeat_ask(repeat, "no", 2));
    struct vox_repeat_stats stats = end();
    assert_true(stats.nacks == 5 && stats.gone == 4);
}

/* However much of a file is read ahead, what was sent is asked for as long after. */
static void what_waits_takes_no_room_from_what_was_sent(void **state)
{
    static const int64_t ahead_ms[] = {0, 20, 100, 2000};
    (void)state;
    for (size_t i = 0; i < COUNT(ahead_ms); i++) {
        begin_ahead(ahead_ms[i] * VOX_NS_PER_MS);
        send_some(300);
        now_ns -= ahead_ms[i] * VOX_NS_PER_MS;
        uint16_t newest = (uint16_t)(next_seq - 1 - ahead_ms[i] / 20);
        assert_int_equal(ask((uint16_t)(newest + 1)), 0);
        assert_int_equal(ask(newest), 1);
        assert_int_equal(ask((uint16_t)(newest - 99)), 1);
        assert_int_equal(ask((uint16_t)(newest - 100)), 0);
        assert_int_equal(end().gone, 2);
    }
}

static void not_again_while_one_is_under_way_and_not_for_ever(void **state)
{
    static const struct {
        int64_t after_ms;
        int64_t rtt_ms; /* -1: not known */
        int answers;
    } rows[] = {{0, 40, 1}, {20, 40, 0}, {29, 40, 0}, {30, 40, 1},
                {35, 4, 1}, {40, 4, 1},  {45, 4, 1},  {100, 4, 0}};
    (void)state;
    begin();
    send_some(10);
    int64_t start_ns = now_ns;
    uint16_t seq = FIRST_SEQ + 5;
    for (size_t i = 0; i < COUNT(rows); i++) {
        now_ns = start_ns + rows[i].after_ms * VOX_NS_PER_MS;
        assert_int_equal(ask_of(MEDIA, &seq, 1, rows[i].rtt_ms * VOX_NS_PER_MS), rows[i].answers);
    }
    uint16_t other = FIRST_SEQ + 6;
    assert_int_equal(ask_of(MEDIA, &other, 1, -1), 1);
    now_ns += 9 * VOX_NS_PER_MS;
    assert_int_equal(ask_of(MEDIA, &other, 1, -1), 0);
    now_ns += VOX_NS_PER_MS;
    assert_int_equal(ask_of(MEDIA, &other, 1, -1), 1);
    assert_int_equal(end().early, 4);
}

/* Every packet is asked for all the time, by valid requests and by whatever else fits. */
static void a_flood_of_requests_is_not_amplified(void **state)
{
    (void)state;
    struct vox_rng rng;
    begin();
    vox_rng_init(&rng, 7, 0);
    uint64_t answers = 0, packets = 0;
    for (int i = 0; i < 1000; i++, packets++) {
        send(80);
        for (int n = 0; n < 20; n++) {
            uint16_t seqs[50];
            uint16_t first = (uint16_t)(next_seq - 50 - (n == 0 ? 0 : vox_rng_u64(&rng) % 100));
            for (uint16_t k = 0; k < 50; k++)
                seqs[k] = (uint16_t)(first + k);
            answers += (uint64_t)ask_of(MEDIA, seqs, 50, 0);
        }
    }
    assert_in_range(answers, packets / 2, packets / 2 + VOX_REPEAT_MIN_RESERVE);
    struct vox_repeat_stats stats = end();
    assert_true(stats.nacks == 20000 && stats.asked == 20000 * 50 && stats.excess > 0);
}

RUN(cmocka_unit_test(a_repetition_is_the_packet_in_another_stream),
    cmocka_unit_test(one_of_full_size_goes_without_its_extension),
    cmocka_unit_test(only_what_was_sent_by_us_and_is_still_known_is_repeated),
    cmocka_unit_test(what_waits_takes_no_room_from_what_was_sent),
    cmocka_unit_test(not_again_while_one_is_under_way_and_not_for_ever),
    cmocka_unit_test(a_flood_of_requests_is_not_amplified))
