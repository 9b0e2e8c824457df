#include "sender/feedback.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"
#include "wire/rtcp_xr.h"

enum { OURS = 0x01020304, PEER = 0x0A0B0C0D };

#define UNIX_NS (INT64_C(1700000000) * VOX_NS_PER_S)

static void init(struct vox_feedback *fb)
{
    vox_feedback_init(
        fb,
        &(struct vox_feedback_config){
            .ssrc = OURS, .cname = "c", .seed = 3, .first_seq = 65530, .wall_offset_ns = UNIX_NS});
}

static void send_first(struct vox_feedback *fb)
{
    vox_feedback_sent(fb, &(struct vox_feedback_packet){.timestamp = 4800,
                                                        .capture_ns = VOX_NS_PER_S,
                                                        .send_ns = VOX_NS_PER_S,
                                                        .payload_bytes = 80});
}

static void nothing_to_say_before_the_first_packet(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t out[256];
    init(&fb);
    assert_true(vox_feedback_next_deadline_ns(&fb) == VOX_NS_NEVER);
    assert_int_equal(vox_feedback_report(&fb, 0, true, out, sizeof out), 0);
    send_first(&fb);
    assert_true(vox_feedback_next_deadline_ns(&fb) == VOX_NS_PER_S);
    assert_int_equal(vox_feedback_report(&fb, VOX_NS_PER_S, false, out, 20), VOX_ENOSPC);
}

static void reports_are_about_a_second_apart(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t out[256];
    init(&fb);
    send_first(&fb);
    int64_t now_ns = VOX_NS_PER_S;
    double sum_s = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(vox_feedback_report(&fb, now_ns, false, out, sizeof out) > 0);
        double step_s = (double)(vox_feedback_next_deadline_ns(&fb) - now_ns) / 1e9;
        assert_true(step_s >= 0.5 / 1.21828 - 1e-6 && step_s < 1.5 / 1.21828);
        sum_s += step_s;
        now_ns = vox_feedback_next_deadline_ns(&fb);
    }
    /* mean 1 / 1.21828 = 0.8208; 5 sigma: 5 * 0.2887 / 1.21828 / sqrt(1000) = 0.038 */
    assert_true(sum_s / 1000 > 0.782 && sum_s / 1000 < 0.859);
}

static void a_goodbye_carries_report_name_and_bye(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t out[256];
    init(&fb);
    send_first(&fb);
    int len = vox_feedback_report(&fb, 3 * VOX_NS_PER_S, true, out, sizeof out);
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    assert_int_equal(vox_rtcp_begin(&reader, out, (size_t)len), 0);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_SR);
    assert_int_equal(packet.as.report.ssrc, OURS);
    assert_true(packet.as.report.ntp >> 32 == 1700000003 + VOX_NTP_UNIX_OFFSET_S);
    assert_int_equal(packet.as.report.rtp_timestamp, 4800 + 2 * 48000);
    assert_int_equal(packet.as.report.packet_count, 1);
    assert_int_equal(packet.as.report.octet_count, 80);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_SDES);
    assert_memory_equal(packet.as.sdes.chunks[0].cname, "c", 1);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_BYE);
    assert_int_equal(packet.as.bye.ssrcs[0], OURS);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 0);
    assert_true(vox_feedback_next_deadline_ns(&fb) == VOX_NS_NEVER);
}

/* A receiver report with one block about `about`. Returns its bytes. */
static size_t write_rr(uint8_t *out, size_t capacity, uint32_t about, uint32_t lsr, uint32_t dlsr)
{
    struct vox_writer w = vox_writer_of(out, capacity);
    struct vox_rtcp_report rr = {.ssrc = PEER,
                                 .block_count = 1,
                                 .blocks = {{.ssrc = about,
                                             .fraction_lost = 64,
                                             .cumulative_lost = -3,
                                             .highest_seq = 70000,
                                             .jitter = 480,
                                             .last_sr = lsr,
                                             .delay_since_sr = dlsr}}};
    vox_rtcp_write_rr(&w, &rr);
    vox_rtcp_write_sdes(&w, PEER, "peer");
    assert_false(w.failed);
    return w.size;
}

struct rtt_row {
    int64_t sr_ns;     /* when our report left */
    int64_t held_ns;   /* how long the receiver kept it */
    int64_t arrive_ns; /* when its report came back */
    int64_t expect_ns; /* -1: not taken */
};

static void round_trips_from_lsr_and_dlsr(void **state)
{
    (void)state;
    static const struct rtt_row rows[] = {
        {1000000000, 0, 1000000000, 0},
        {1000000000, 500000000, 1540000000, 40000000},
        {1000000000, 5000000000, 6250000000, 250000000},
        {65535 * VOX_NS_PER_S, 1000000000, 65536 * VOX_NS_PER_S + 80000000, 80000000}, /* wraps */
        {1000000000, 500000000, 1400000000, -1}, /* before it can have been answered */
        {1000000000, 0, 62000000000, -1},        /* over a minute */
        {1000000000, 500000000, 1499990000, 0},  /* within rounding of zero */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct rtt_row *row = &rows[i];
        struct vox_feedback fb;
        uint8_t rr[256];
        init(&fb);
        send_first(&fb);
        uint32_t lsr = vox_ntp_middle(vox_unix_to_ntp(UNIX_NS + row->sr_ns));
        uint32_t dlsr = (uint32_t)vox_ns_to_ticks(row->held_ns, 65536);
        size_t len = write_rr(rr, sizeof rr, OURS, lsr, dlsr);
        assert_int_equal(vox_feedback_feed(&fb, rr, len, row->arrive_ns), VOX_FEEDBACK_REPORT);
        int64_t off_ns = fb.view.rtt_ns - row->expect_ns;
        if (row->expect_ns < 0 ? fb.view.rtt_ns != -1 : llabs(off_ns) > 50000)
            fail_msg("row %zu: %lld ns", i, (long long)fb.view.rtt_ns);
    }
}

static void reads_loss_and_jitter_of_us_only(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t rr[256];
    init(&fb);
    send_first(&fb);
    size_t len = write_rr(rr, sizeof rr, OURS + 1, 0, 0);
    assert_int_equal(vox_feedback_feed(&fb, rr, len, 0), 0);
    assert_true(fb.view.reports == 0);
    len = write_rr(rr, sizeof rr, OURS, 0, 0);
    assert_int_equal(vox_feedback_feed(&fb, rr, len, 0), VOX_FEEDBACK_REPORT);
    assert_true(fb.view.reports == 1);
    assert_true(fb.view.loss_pct == 25.0);
    assert_true(fb.view.lost == -3);
    assert_true(fb.view.jitter_ns == 10 * VOX_NS_PER_MS);
    assert_true(fb.view.rtt_ns == -1); /* it has not seen a report of ours */
}

static size_t write_bye(uint8_t *out, size_t capacity, uint32_t ssrc)
{
    struct vox_writer w = vox_writer_of(out, capacity);
    vox_rtcp_write_rr(&w, &(struct vox_rtcp_report){.ssrc = ssrc});
    vox_rtcp_write_bye(&w, ssrc, "done");
    return w.size;
}

static void knows_who_leaves(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t bytes[256];
    init(&fb);
    send_first(&fb);
    size_t len = write_bye(bytes, sizeof bytes, PEER);
    assert_int_equal(vox_feedback_feed(&fb, bytes, len, 0), 0); /* never reported on us */
    len = write_rr(bytes, sizeof bytes, OURS, 0, 0);
    vox_feedback_feed(&fb, bytes, len, 0);
    len = write_bye(bytes, sizeof bytes, PEER);
    assert_int_equal(vox_feedback_feed(&fb, bytes, len, 0), VOX_FEEDBACK_BYE);
}

static void garbage_is_an_error_and_changes_nothing(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t rr[256];
    init(&fb);
    send_first(&fb);
    size_t len = write_rr(rr, sizeof rr, OURS, 1, 1);
    for (size_t cut = 0; cut < len; cut++)
        vox_feedback_feed(&fb, rr, cut, 0);
    assert_true(vox_feedback_feed(&fb, rr, 3, 0) < 0);
    rr[0] = 0x41;
    assert_true(vox_feedback_feed(&fb, rr, len, 0) < 0);
}

/* ---- extended reports ---- */

/* An RR about us, and an XR with a reference time and the fates of three packets. */
static size_t write_xr(uint8_t *out, size_t capacity, uint32_t peer, int64_t now_ns,
                       uint16_t begin_seq)
{
    struct vox_writer w = vox_writer_of(out, capacity);
    struct vox_rtcp_xr_loss loss = {.ssrc = OURS, .begin_seq = begin_seq};
    struct vox_rtcp_xr_loss others = {.ssrc = OURS + 1, .begin_seq = begin_seq};
    for (int i = 0; i < 3; i++)
        vox_rtcp_xr_loss_push(&loss, i != 1);
    vox_rtcp_xr_loss_push(&others, true);
    vox_rtcp_write_rr(
        &w, &(struct vox_rtcp_report){.ssrc = peer, .block_count = 1, .blocks = {{.ssrc = OURS}}});
    size_t packet = vox_rtcp_xr_open(&w, peer);
    vox_rtcp_xr_write_loss(&w, &others);
    vox_rtcp_xr_write_reference_time(&w, vox_unix_to_ntp(UNIX_NS + now_ns));
    vox_rtcp_xr_write_loss(&w, &loss);
    vox_rtcp_close(&w, packet);
    assert_false(w.failed);
    return w.size;
}

/* How many answers a report has; the first in *out. */
static int answers_in(const uint8_t *bytes, int len, struct vox_rtcp_xr_delay *out)
{
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    struct vox_rtcp_xr_reader blocks;
    struct vox_rtcp_xr block;
    int count = 0;
    assert_int_equal(vox_rtcp_begin(&reader, bytes, (size_t)len), 0);
    while (vox_rtcp_next(&reader, &packet) > 0) {
        if (packet.type != VOX_RTCP_XR)
            continue;
        assert_int_equal(vox_rtcp_xr_begin(&blocks, &packet), 0);
        assert_int_equal(blocks.ssrc, OURS);
        while (vox_rtcp_xr_next(&blocks, &block) > 0) {
            assert_int_equal(block.type, VOX_RTCP_XR_DELAYS);
            count += block.as.delays.count;
            *out = block.as.delays.of[0];
        }
    }
    return count;
}

static void send_more(struct vox_feedback *fb, int packets)
{
    for (int i = 0; i < packets; i++)
        send_first(fb);
}

static void answers_each_question_once(void **state)
{
    (void)state;
    struct vox_feedback fb;
    struct vox_rtcp_xr_delay answer;
    uint8_t bytes[512];
    int64_t asked_ns = 1300 * VOX_NS_PER_MS;
    init(&fb);
    send_more(&fb, 10);
    int len = vox_feedback_report(&fb, VOX_NS_PER_S, false, bytes, sizeof bytes);
    assert_int_equal(answers_in(bytes, len, &answer), 0);
    size_t xr = write_xr(bytes, sizeof bytes, PEER, asked_ns, 65530);
    assert_int_equal(vox_feedback_feed(&fb, bytes, xr, asked_ns + 50 * VOX_NS_PER_MS),
                     VOX_FEEDBACK_REPORT | VOX_FEEDBACK_TIME | VOX_FEEDBACK_FATES);
    assert_int_equal(vox_feedback_next_deadline_ns(&fb), asked_ns + 50 * VOX_NS_PER_MS);
    len = vox_feedback_report(&fb, asked_ns + 175 * VOX_NS_PER_MS, false, bytes, sizeof bytes);
    assert_int_equal(answers_in(bytes, len, &answer), 1);
    assert_int_equal(answer.ssrc, PEER);
    assert_int_equal(answer.last_rr, vox_ntp_middle(vox_unix_to_ntp(UNIX_NS + asked_ns)));
    assert_int_equal(answer.delay_since_rr, 65536 / 8);
    len = vox_feedback_report(&fb, asked_ns + VOX_NS_PER_S, false, bytes, sizeof bytes);
    assert_int_equal(answers_in(bytes, len, &answer), 0);
}

/* The first answer is hurried, but no flood of new receivers makes a flood of reports. */
static void many_questions_are_bounded(void **state)
{
    (void)state;
    struct vox_feedback fb;
    struct vox_rtcp_xr_delay answer;
    uint8_t bytes[1452];
    init(&fb);
    send_more(&fb, 10);
    int64_t now_ns = 2 * VOX_NS_PER_S;
    vox_feedback_report(&fb, now_ns, false, bytes, sizeof bytes);
    for (uint32_t i = 0; i < 1000; i++) {
        size_t xr = write_xr(bytes, sizeof bytes, PEER + i, now_ns, 65530);
        assert_true(vox_feedback_feed(&fb, bytes, xr, now_ns + (int64_t)i) > 0);
    }
    assert_int_equal(vox_feedback_next_deadline_ns(&fb), now_ns + 200 * VOX_NS_PER_MS);
    int len = vox_feedback_report(&fb, now_ns + VOX_NS_PER_S, false, bytes, sizeof bytes);
    assert_int_equal(answers_in(bytes, len, &answer), VOX_FEEDBACK_MAX_PEERS);
    /* One that has been answered waits for the regular report. */
    int64_t deadline_ns = vox_feedback_next_deadline_ns(&fb);
    size_t xr = write_xr(bytes, sizeof bytes, PEER + 999, now_ns, 65530);
    vox_feedback_feed(&fb, bytes, xr, now_ns + VOX_NS_PER_S);
    assert_int_equal(vox_feedback_next_deadline_ns(&fb), deadline_ns);
}

static void keeps_the_fates_by_extended_number(void **state)
{
    (void)state;
    struct vox_feedback fb;
    uint8_t bytes[512];
    init(&fb);
    assert_int_equal(vox_feedback_newest_seq(&fb), 65529);
    size_t xr = write_xr(bytes, sizeof bytes, PEER, 0, 65535);
    assert_int_equal(vox_feedback_feed(&fb, bytes, xr, 0) & VOX_FEEDBACK_FATES, 0);
    send_more(&fb, 10);
    assert_int_equal(vox_feedback_newest_seq(&fb), 65539);
    assert_true(vox_feedback_feed(&fb, bytes, xr, 0) & VOX_FEEDBACK_FATES);
    assert_int_equal(vox_fates_newest(&fb.fates), 65537);
    assert_int_equal(vox_fates_at(&fb.fates, 65535), VOX_FATE_CAME);
    assert_int_equal(vox_fates_at(&fb.fates, 65536), VOX_FATE_LOST);
    assert_int_equal(vox_fates_at(&fb.fates, 65537), VOX_FATE_CAME);
    assert_true(fb.view.burst_packets == 1);
    xr = write_xr(bytes, sizeof bytes, PEER, 0, 10); /* not sent yet */
    assert_int_equal(vox_feedback_feed(&fb, bytes, xr, 0) & VOX_FEEDBACK_FATES, 0);
}

/* Whatever the bytes: bounded answers, fates of sent packets only, a deadline that stays. */
static void survives_hostile_extended_reports(void **state)
{
    (void)state;
    enum { ROUNDS = 100000 };
    struct vox_feedback fb;
    struct vox_rng rng;
    struct vox_rtcp_xr_delay answer;
    uint8_t bytes[1452];
    init(&fb);
    send_more(&fb, 2000);
    vox_rng_init(&rng, 21, 0);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t now_ns = (i / 10 + 10) * VOX_NS_PER_S;
        uint16_t begin = (uint16_t)(vox_rng_uniform(&rng) * 65536);
        size_t len = write_xr(bytes, sizeof bytes, PEER + (uint32_t)(i % 40), now_ns, begin);
        for (int k = i % 4; k > 0; k--)
            bytes[(size_t)(vox_rng_uniform(&rng) * (double)len)] =
                (uint8_t)(vox_rng_uniform(&rng) * 256);
        size_t cut = i % 3 == 0 ? (size_t)(vox_rng_uniform(&rng) * (double)len) : 0;
        vox_feedback_feed(&fb, bytes, len - cut, now_ns);
        assert_true(vox_fates_newest(&fb.fates) <= vox_feedback_newest_seq(&fb));
        assert_true(fb.view.burst_packets >= 0 && fb.view.burst_packets <= VOX_FATES_PACKETS);
        if (i % 10 != 9)
            continue;
        int report = vox_feedback_report(&fb, now_ns, false, bytes, sizeof bytes);
        assert_true(report > 0);
        assert_true(answers_in(bytes, report, &answer) <= VOX_FEEDBACK_MAX_PEERS);
        assert_true(vox_feedback_next_deadline_ns(&fb) > now_ns + 400 * VOX_NS_PER_MS);
    }
}

RUN(cmocka_unit_test(nothing_to_say_before_the_first_packet),
    cmocka_unit_test(reports_are_about_a_second_apart),
    cmocka_unit_test(a_goodbye_carries_report_name_and_bye),
    cmocka_unit_test(round_trips_from_lsr_and_dlsr),
    cmocka_unit_test(reads_loss_and_jitter_of_us_only), cmocka_unit_test(knows_who_leaves),
    cmocka_unit_test(garbage_is_an_error_and_changes_nothing),
    cmocka_unit_test(answers_each_question_once), cmocka_unit_test(many_questions_are_bounded),
    cmocka_unit_test(keeps_the_fates_by_extended_number),
    cmocka_unit_test(survives_hostile_extended_reports))
