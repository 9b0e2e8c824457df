#include "sender/feedback.h"

#include "base/err.h"
#include "base/time.h"
#include "support/test.h"

enum { OURS = 0x01020304, PEER = 0x0A0B0C0D };

#define UNIX_NS (INT64_C(1700000000) * VOX_NS_PER_S)

static void init(struct vox_feedback *fb)
{
    vox_feedback_init(fb, &(struct vox_feedback_config){
                              .ssrc = OURS, .cname = "c", .seed = 3, .wall_offset_ns = UNIX_NS});
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

RUN(cmocka_unit_test(nothing_to_say_before_the_first_packet),
    cmocka_unit_test(reports_are_about_a_second_apart),
    cmocka_unit_test(a_goodbye_carries_report_name_and_bye),
    cmocka_unit_test(round_trips_from_lsr_and_dlsr),
    cmocka_unit_test(reads_loss_and_jitter_of_us_only), cmocka_unit_test(knows_who_leaves),
    cmocka_unit_test(garbage_is_an_error_and_changes_nothing))
