#include "lab/playable.h"

#include "base/err.h"
#include "base/time.h"
#include "support/test.h"
#include "wire/hdrext.h"
#include "wire/red.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"
#include "wire/rtx.h"

#include <math.h>

#define MS VOX_NS_PER_MS
#define UNIX_NS (INT64_C(1767225600) * VOX_NS_PER_S)

#define FIRST_TS UINT32_C(0xfffffc00)

enum { SSRC = 0xcafe, FRAMES = 8, MOST = 32, BYTES = 200 };

static uint8_t store[MOST][BYTES];
static struct vox_playable_packet packets[MOST];
static size_t count;

/* SILK, 20 ms, mono; the second bit of the next byte says whether there is LBRR. */
static const uint8_t plain_opus[] = {0x48, 0x80, 1, 2, 3};
static const uint8_t lbrr_opus[] = {0x48, 0xc0, 1, 2, 3};

static int reset(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static struct vox_playable_stream stream_of(size_t frames)
{
    struct vox_playable_stream stream;
    vox_playable_stream_init(&stream);
    stream.ssrc = SSRC;
    stream.first_timestamp = FIRST_TS;
    stream.frames = frames;
    return stream;
}

/* The end of a frame's capture. */
static int64_t end_ns(int frame)
{
    return UNIX_NS + (frame + 1) * 20 * MS;
}

static void arrive(int len, int frame, int64_t delay_ns)
{
    assert_true(len > 0 && count < MOST);
    packets[count].bytes = store[count];
    packets[count].len = (size_t)len;
    packets[count].arrival_ns = end_ns(frame) + delay_ns;
    count++;
}

static struct vox_rtp rtp_of(int frame, const void *payload, size_t bytes)
{
    return (struct vox_rtp){.payload_type = 96,
                            .seq = (uint16_t)(65533 + frame),
                            .timestamp = FIRST_TS + (uint32_t)frame * 960,
                            .ssrc = SSRC,
                            .payload = payload,
                            .payload_bytes = bytes};
}

/* The n-th packet comes after so many ms; with its capture time, which is 6.5 ms early. */
static void come(int frame, double delay_ms, const uint8_t opus[5])
{
    uint8_t ext[VOX_HDREXT_MAX_BYTES];
    struct vox_rtp rtp = rtp_of(frame, opus, 5);
    struct vox_writer w = vox_writer_of(ext, sizeof ext);
    struct vox_capture_time capture = {.ntp =
                                           vox_unix_to_ntp(end_ns(frame) - 20 * MS - 13 * MS / 2)};
    vox_hdrext_write_capture_time(&w, 1, &capture);
    int bytes = vox_hdrext_finish(&w);
    assert_true(bytes > 0);
    rtp.has_extension = true;
    rtp.extension_profile = VOX_HDREXT_PROFILE_ONE_BYTE;
    rtp.extension = ext;
    rtp.extension_bytes = (size_t)bytes;
    arrive(vox_rtp_write(&rtp, store[count], BYTES), frame, vox_ms_to_ns(delay_ms));
}

static void come_with_copy(int frame, int distance, double delay_ms)
{
    uint8_t payload[64];
    struct vox_red red = {.copy_count = 1,
                          .primary = {.payload_type = 96, .data = plain_opus, .data_bytes = 5}};
    red.copies[0] =
        (struct vox_red_copy){.block = {.payload_type = 96, .data = plain_opus, .data_bytes = 5},
                              .offset_rtp_ts = (uint16_t)(960 * distance)};
    int bytes = vox_red_write(&red, payload, sizeof payload);
    assert_true(bytes > 0);
    struct vox_rtp rtp = rtp_of(frame, payload, (size_t)bytes);
    rtp.payload_type = 97;
    arrive(vox_rtp_write(&rtp, store[count], BYTES), frame, vox_ms_to_ns(delay_ms));
}

static void come_again(int frame, double delay_ms)
{
    struct vox_rtp rtp = rtp_of(frame, plain_opus, 5);
    arrive(vox_rtx_write(&rtp, 98, 0xbeef, 7, store[count], BYTES), frame, vox_ms_to_ns(delay_ms));
}

static struct vox_playable found(size_t frames)
{
    struct vox_playable playable = {0};
    struct vox_playable_stream stream = stream_of(frames);
    assert_int_equal(vox_playable_find(&stream, packets, count, &playable), 0);
    assert_int_equal(playable.count, frames);
    return playable;
}

/* The clock of NTP has 2^-32 s. */
static void expect(const struct vox_playable *p, int frame, enum vox_playable_way way,
                   double delay_ms)
{
    assert_int_equal(p->frames[frame].way, way);
    int64_t off_ns = p->frames[frame].delay_ns - vox_ms_to_ns(delay_ms);
    assert_true(off_ns >= -2 && off_ns <= 2);
}

static void delays_count_from_the_end_of_capture(void **state)
{
    (void)state;
    come(0, 20, plain_opus);
    come(2, 21.5, plain_opus);
    struct vox_playable p = found(3);
    expect(&p, 0, VOX_PLAYABLE_PACKET, 20);
    expect(&p, 2, VOX_PLAYABLE_PACKET, 21.5);
    assert_int_equal(p.frames[1].way, VOX_PLAYABLE_LOST);
    assert_int_equal(p.frames[1].delay_ns, VOX_PLAYABLE_NEVER_NS);
    vox_playable_clear(&p);
}

static void in_band_fec_brings_the_frame_before(void **state)
{
    (void)state;
    come(0, 20, lbrr_opus); /* of a frame in front of the first */
    come(2, 20, lbrr_opus);
    come(4, 20, plain_opus);
    struct vox_playable p = found(5);
    expect(&p, 1, VOX_PLAYABLE_FEC, 40);
    assert_int_equal(p.frames[3].way, VOX_PLAYABLE_LOST);
    assert_int_equal(vox_playable_count(&p, VOX_PLAYABLE_FEC), 1);
    vox_playable_clear(&p);
}

static void copies_come_with_a_later_packet(void **state)
{
    (void)state;
    come(0, 20, plain_opus);
    come_with_copy(3, 2, 25);
    struct vox_playable p = found(4);
    expect(&p, 1, VOX_PLAYABLE_RED, 65);
    expect(&p, 3, VOX_PLAYABLE_PACKET, 25);
    assert_int_equal(p.frames[2].way, VOX_PLAYABLE_LOST);
    vox_playable_clear(&p);
}

static void what_is_sent_again_counts_from_its_capture(void **state)
{
    (void)state;
    come(0, 20, plain_opus);
    come_again(1, 83);
    struct vox_playable p = found(2);
    expect(&p, 1, VOX_PLAYABLE_RTX, 83);
    vox_playable_clear(&p);
}

/* Whichever comes first, in whatever order they are listed; a duplicate changes nothing. */
static void the_first_way_wins(void **state)
{
    (void)state;
    come_again(1, 90);
    come_with_copy(2, 1, 20);
    come(1, 45, plain_opus);
    come(1, 30, plain_opus);
    come(0, 20, plain_opus);
    come(0, 25, plain_opus);
    struct vox_playable p = found(3);
    expect(&p, 1, VOX_PLAYABLE_PACKET, 30);
    expect(&p, 0, VOX_PLAYABLE_PACKET, 20);
    vox_playable_clear(&p);
}

static void others_are_no_part_of_it(void **state)
{
    (void)state;
    struct vox_rtp rtp = rtp_of(1, plain_opus, 5);
    come(0, 20, plain_opus);
    rtp.ssrc = 1;
    arrive(vox_rtp_write(&rtp, store[count], BYTES), 1, 20 * MS);
    rtp = rtp_of(1, plain_opus, 5);
    rtp.timestamp += 7;
    arrive(vox_rtp_write(&rtp, store[count], BYTES), 1, 20 * MS);
    rtp = rtp_of(-1, plain_opus, 5);
    arrive(vox_rtp_write(&rtp, store[count], BYTES), 1, 20 * MS);
    rtp = rtp_of(1, "\x4b", 1); /* no Opus */
    arrive(vox_rtp_write(&rtp, store[count], BYTES), 1, 20 * MS);
    rtp = rtp_of(1, "", 0);
    rtp.payload_type = 97; /* no RED */
    arrive(vox_rtp_write(&rtp, store[count], BYTES), 1, 20 * MS);
    memcpy(store[count], "\x80\xc8\x00\x01\x00\x00\x00\x00", 8); /* RTCP */
    arrive(8, 1, 20 * MS);
    arrive(1, 1, 20 * MS);
    struct vox_playable p = found(2);
    assert_int_equal(p.frames[1].way, VOX_PLAYABLE_LOST);
    vox_playable_clear(&p);
}

static void without_packets_there_is_nothing(void **state)
{
    (void)state;
    struct vox_playable p;
    struct vox_playable_stream stream = stream_of(3);
    assert_int_equal(vox_playable_find(&stream, packets, 0, &p), VOX_EEND);
    come_again(1, 30); /* tells no capture time */
    assert_int_equal(vox_playable_find(&stream, packets, count, &p), VOX_EEND);
    stream.frames = 0;
    assert_int_equal(vox_playable_find(&stream, packets, count, &p), VOX_EINVAL);
}

/* 0 in time, 1 2 3 late together, 4 in time, 5 lost, 6 7 in time. */
static void budgets_split_late_from_in_time(void **state)
{
    (void)state;
    static const double delays_ms[FRAMES] = {20, 180, 160, 140, 20, -1, 30, 100};
    for (int i = 0; i < FRAMES; i++)
        if (delays_ms[i] >= 0)
            come(i, delays_ms[i], plain_opus);
    struct vox_playable p = found(FRAMES);
    struct vox_playable_missing m;
    vox_playable_at(&p, 100 * MS + 2, &m);
    assert_int_equal(m.frames, 4);
    assert_float_equal(m.pct, 50, 1e-9);
    assert_int_equal(m.longest_ns, 60 * MS);
    assert_float_equal(m.burst_ratio, 1, 1e-9); /* two bursts of 2: as chance has it at a half */
    vox_playable_at(&p, 99 * MS, &m);
    assert_int_equal(m.frames, 5);
    vox_playable_at(&p, 400 * MS, &m);
    assert_int_equal(m.frames, 1);
    assert_int_equal(m.longest_ns, 20 * MS);
    vox_playable_at(&p, 0, &m);
    assert_int_equal(m.frames, FRAMES);
    assert_float_equal(m.burst_ratio, 1, 1e-9);
    vox_playable_clear(&p);
}

static void quantiles_are_of_what_came(void **state)
{
    (void)state;
    static const double delays_ms[FRAMES] = {20, 180, 160, 140, 20, -1, 30, 100};
    for (int i = 0; i < FRAMES; i++)
        if (delays_ms[i] >= 0)
            come(i, delays_ms[i], plain_opus);
    struct vox_playable p = found(FRAMES);
    struct vox_playable_delays d;
    assert_int_equal(vox_playable_delays(&p, &d), 0);
    assert_true(llabs(d.p50_ns - 100 * MS) < 3);
    assert_true(llabs(d.p95_ns - 180 * MS) < 3);
    assert_true(llabs(d.max_ns - 180 * MS) < 3);
    assert_float_equal(d.lost_pct, 12.5, 1e-9);
    /* Frame 0 at 40 ms; frame 4 is next, at 120. 1, 2, 3 come at 220, 220, 220, 6 at 170, 7 at
     * 260. */
    assert_true(llabs(d.longest_wait_ns - 80 * MS) < 3);
    vox_playable_clear(&p);
}

static void bursts_are_longer_than_chance(void **state)
{
    (void)state;
    come(0, 20, plain_opus);
    for (int i = 4; i < 20; i++)
        come(i, 20, plain_opus);
    struct vox_playable p = found(20);
    struct vox_playable_missing m;
    vox_playable_at(&p, 30 * MS, &m);
    assert_int_equal(m.frames, 3);
    assert_true(fabs(m.burst_ratio - 2.55) < 1e-9);
    vox_playable_clear(&p);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

RUN(TEST(delays_count_from_the_end_of_capture), TEST(in_band_fec_brings_the_frame_before),
    TEST(copies_come_with_a_later_packet), TEST(what_is_sent_again_counts_from_its_capture),
    TEST(the_first_way_wins), TEST(others_are_no_part_of_it),
    TEST(without_packets_there_is_nothing), TEST(budgets_split_late_from_in_time),
    TEST(quantiles_are_of_what_came), TEST(bursts_are_longer_than_chance))
