#include "sender/sender.h"

#include "capture.h"
#include "wire/hdrext.h"
#include "wire/nack.h"
#include "wire/rtx.h"

#include <opus.h>

#define START_NS (100 * VOX_NS_PER_S)
#define UNIX_OFFSET_NS (INT64_C(1700000000) * VOX_NS_PER_S)

static float pcm[8 * 192000];

static struct vox_sender *create(const struct vox_sender_config *config)
{
    struct vox_sender *sender = NULL;
    assert_int_equal(vox_sender_create(config, &sender), 0);
    return sender;
}

static int64_t capture_unix_ns(const struct vox_rtp *rtp)
{
    const uint8_t *data;
    size_t len;
    struct vox_capture_time capture_time;
    assert_int_equal(vox_hdrext_find(rtp, 1, &data, &len), 1);
    assert_true(vox_capture_time_parse(data, len, &capture_time) >= 0);
    return vox_ntp_to_unix(capture_time.ntp);
}

static void first_packet_says_who_when_and_what(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    config.wall_offset_ns = UNIX_OFFSET_NS;
    struct vox_sender *sender = create(&config);
    fill_voice(pcm, 960, 1, 48000);
    push_all(sender, pcm, 959, 1, 48000, 959, START_NS);
    assert_int_equal(capture.count, 0);
    push_all(sender, pcm + 959, 1, 1, 48000, 1, START_NS + vox_rtp_to_ns(959));
    assert_int_equal(capture.count, 2);

    struct vox_rtp rtp = rtp_at(0);
    assert_true(rtp.marker);
    assert_int_equal(rtp.payload_type, 96);
    assert_int_equal(rtp.seq, 1000);
    assert_int_equal(rtp.timestamp, 5000);
    assert_int_equal(rtp.ssrc, CAPTURE_SSRC);
    int64_t lookahead_ns = vox_rtp_to_ns(vox_sender_lookahead(sender));
    assert_true(lookahead_ns == 6500000);
    assert_true(llabs(capture_unix_ns(&rtp) - (UNIX_OFFSET_NS + START_NS - lookahead_ns)) < 100);
    assert_true(capture.items[0].send_ns == START_NS + 20 * VOX_NS_PER_MS);

    struct vox_rtcp_report sr = sr_at(0);
    assert_true(capture.items[1].send_ns == capture.items[0].send_ns);
    assert_int_equal(sr.ssrc, CAPTURE_SSRC);
    assert_int_equal(sr.packet_count, 1);
    assert_int_equal(sr.octet_count, rtp.payload_bytes);
    int64_t sr_ns = vox_ntp_to_unix(sr.ntp) - UNIX_OFFSET_NS;
    assert_true(llabs(sr_ns - capture.items[0].send_ns) < 100);
    /* 20 ms after the first input sample, which is 6.5 ms after the first decoded one */
    assert_int_equal(sr.rtp_timestamp, 5000 + 960 + 312);
    vox_sender_destroy(sender);
}

/* What one process without a network would make of the same input. */
struct reference {
    OpusEncoder *encoder;
    OpusDecoder *decoder;
    float pcm[2 * 5760];
};

/* The same packets are the same decoded audio; and they decode to their length. */
static void compare_packet(struct reference *ref, const struct vox_rtp *rtp, const float *in,
                           int frame_ticks)
{
    uint8_t packet[1424];
    int len = opus_encode_float(ref->encoder, in, frame_ticks, packet, sizeof packet);
    assert_int_equal(len, rtp->payload_bytes);
    assert_memory_equal(packet, rtp->payload, (size_t)len);
    int frames = opus_decode_float(ref->decoder, rtp->payload, (opus_int32)rtp->payload_bytes,
                                   ref->pcm, 5760, 0);
    assert_int_equal(frames, frame_ticks);
}

static void check_frame_size(enum vox_profile profile, int application, int frame_ticks,
                             int channels)
{
    struct vox_sender_config config;
    struct reference ref;
    test_config(&config, profile);
    config.frame_ticks = frame_ticks;
    config.input_channels = channels;
    config.channels = channels;
    config.bitrate_bps = 40000 * channels;
    struct vox_sender *sender = create(&config);
    ref.encoder = opus_encoder_create(48000, channels, application, NULL);
    ref.decoder = opus_decoder_create(48000, channels, NULL);
    opus_encoder_ctl(ref.encoder, OPUS_SET_BITRATE(config.bitrate_bps));
    opus_encoder_ctl(ref.encoder, OPUS_SET_COMPLEXITY(config.complexity));

    const size_t total = 48000;
    memset(pcm, 0, sizeof pcm);
    fill_voice(pcm, total, channels, 48000);
    push_all(sender, pcm, total, channels, 48000, 441, START_NS);
    assert_int_equal(vox_sender_finish(sender, START_NS), 0);
    size_t expect = (total + (size_t)frame_ticks - 1) / (size_t)frame_ticks;
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), expect);
    for (size_t i = 0; i < expect; i++) {
        struct vox_rtp rtp = rtp_at(i);
        struct vox_opus_info info;
        assert_true(vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) >= 0);
        assert_int_equal(info.duration_ticks, frame_ticks);
        assert_int_equal(rtp.seq, 1000 + i);
        assert_int_equal(rtp.timestamp, 5000 + i * (size_t)frame_ticks);
        assert_int_equal(rtp.marker, i == 0);
        int64_t due_ns = START_NS + vox_rtp_to_ns((int64_t)(i + 1) * frame_ticks);
        assert_true(llabs(kept_at(VOX_DATAGRAM_RTP, i)->send_ns - due_ns) <= 2);
        compare_packet(&ref, &rtp, pcm + i * (size_t)frame_ticks * (size_t)channels, frame_ticks);
    }
    opus_encoder_destroy(ref.encoder);
    opus_decoder_destroy(ref.decoder);
    vox_sender_destroy(sender);
}

static void every_frame_size_is_exactly_what_opus_makes_of_the_input(void **state)
{
    (void)state;
    static const int sizes[] = {120, 240, 480, 960, 1920, 2880};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int channels = 1; channels <= 2; channels++) {
            check_frame_size(VOX_PROFILE_VOICE, OPUS_APPLICATION_VOIP, sizes[i], channels);
            check_frame_size(VOX_PROFILE_MUSIC, OPUS_APPLICATION_AUDIO, sizes[i], channels);
            check_frame_size(VOX_PROFILE_LOWDELAY, OPUS_APPLICATION_RESTRICTED_LOWDELAY, sizes[i],
                             channels);
        }
}

static void sequence_and_timestamp_wrap_around(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_LOWDELAY);
    config.first_seq = 65530;
    config.first_timestamp = UINT32_MAX - 1000;
    struct vox_sender *sender = create(&config);
    memset(pcm, 0, sizeof pcm);
    push_all(sender, pcm, 48000 / 4, 1, 48000, 480, START_NS);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 50);
    for (size_t i = 0; i < 50; i++) {
        struct vox_rtp rtp = rtp_at(i);
        assert_int_equal(rtp.seq, (uint16_t)(65530 + i));
        assert_true(rtp.timestamp == UINT32_MAX - 1000 + (uint32_t)(i * 240));
    }
    vox_sender_destroy(sender);
}

static void silence_is_not_sent_with_dtx(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    config.dtx = true;
    struct vox_sender *sender = create(&config);
    memset(pcm, 0, sizeof pcm);
    fill_voice(pcm, 48000, 1, 48000);
    fill_voice(pcm + 3 * 48000, 48000, 1, 48000);
    push_all(sender, pcm, 4 * 48000, 1, 48000, 480, START_NS);
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.dtx_packets > 70); /* of 100 in the pause */
    assert_true(stats.packets + stats.dtx_packets == 200);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), stats.packets);
    int pauses = 0;
    struct vox_rtp before = rtp_at(0);
    for (size_t i = 1; i < stats.packets; i++) {
        struct vox_rtp rtp = rtp_at(i);
        bool paused = rtp.timestamp - before.timestamp != 960;
        assert_int_equal(rtp.seq, before.seq + 1);
        assert_int_equal(rtp.marker, paused);
        assert_true(rtp.payload_bytes > 2);
        pauses += paused;
        before = rtp;
    }
    assert_true(pauses > 0);
    assert_int_equal(before.timestamp, 5000 + 199 * 960);
    vox_sender_destroy(sender);
}

static void reports_tell_the_capture_clock(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    config.wall_offset_ns = UNIX_OFFSET_NS;
    struct vox_sender *sender = create(&config);
    assert_true(vox_sender_next_deadline_ns(sender) == VOX_NS_NEVER);
    vox_sender_tick(sender, START_NS);
    assert_int_equal(capture.count, 0);
    fill_voice(pcm, 4 * 48000, 1, 48000);
    int64_t at_ns = START_NS;
    for (size_t i = 0; i < 400; i++, at_ns += 10 * VOX_NS_PER_MS) {
        push_all(sender, pcm + i * 480, 480, 1, 48000, 480, at_ns);
        int64_t now_ns = at_ns + 10 * VOX_NS_PER_MS;
        vox_rt_enter();
        vox_sender_tick(sender, now_ns);
        vox_rt_leave();
        assert_true(vox_sender_next_deadline_ns(sender) > now_ns || i == 0);
    }
    size_t reports = kept_count(VOX_DATAGRAM_RTCP);
    assert_true(reports >= 4 && reports <= 11); /* 4 s / 1.23 s .. 4 s / 0.41 s, and the first */
    for (size_t i = 0; i < reports; i++) {
        struct vox_rtcp_report sr = sr_at(i);
        int64_t since_ns = vox_ntp_to_unix(sr.ntp) - UNIX_OFFSET_NS - START_NS;
        assert_true(llabs((int64_t)(sr.rtp_timestamp - 5000) - (vox_ns_to_rtp(since_ns) + 312)) <=
                    1);
    }
    vox_sender_destroy(sender);
}

static void finish_pads_and_says_goodbye_with_the_last_packet(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    fill_voice(pcm, 2000, 1, 48000);
    push_all(sender, pcm, 2000, 1, 48000, 500, START_NS);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 2);
    assert_int_equal(vox_sender_finish(sender, START_NS), 0);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 3);
    for (int i = 0; i < 3; i++) {
        const struct kept *bye = &capture.items[capture.count - 3 + (size_t)i];
        assert_int_equal(bye->kind, VOX_DATAGRAM_RTCP);
        assert_true(bye->send_ns == START_NS + (60 + 100 * i) * VOX_NS_PER_MS);
        assert_int_equal(bye->bytes[bye->len - 8 + 1], VOX_RTCP_BYE);
    }
    assert_true(vox_sender_next_deadline_ns(sender) == VOX_NS_NEVER);
    assert_int_equal(vox_sender_push(sender, pcm, 960, START_NS + VOX_NS_PER_S), VOX_EEND);
    assert_int_equal(vox_sender_finish(sender, START_NS), VOX_EEND);
    vox_sender_destroy(sender);
}

static void who_never_spoke_does_not_say_goodbye(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    assert_int_equal(vox_sender_finish(sender, START_NS), 0);
    assert_int_equal(capture.count, 0);
    vox_sender_destroy(sender);
}

static void surround_at_44100_lasts_the_right_time(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_MUSIC);
    config.input_hz = 44100;
    config.input_channels = 6;
    config.channels = 2;
    struct vox_sender *sender = create(&config);
    fill_voice(pcm, 3 * 44100, 6, 44100);
    push_all(sender, pcm, 3 * 44100, 6, 44100, 512, START_NS);
    assert_int_equal(vox_sender_finish(sender, START_NS), 0);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 150);
    for (size_t i = 0; i < 150; i++) {
        struct vox_opus_info info;
        struct vox_rtp rtp = rtp_at(i);
        assert_true(vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) >= 0);
        assert_int_equal(info.channels, 2);
        assert_int_equal(rtp.timestamp, 5000 + i * 960);
    }
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.frames_captured == 3 * 48000);
    vox_sender_destroy(sender);
}

static void receivers_reports_come_back_as_events_and_statistics(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    fill_voice(pcm, 960, 1, 48000);
    push_all(sender, pcm, 960, 1, 48000, 960, START_NS);
    uint8_t rr[128];
    struct vox_writer w = vox_writer_of(rr, sizeof rr);
    uint32_t lsr = vox_ntp_middle(sr_at(0).ntp);
    struct vox_rtcp_report report = {
        .ssrc = 7,
        .block_count = 1,
        .blocks = {{.ssrc = CAPTURE_SSRC, .fraction_lost = 128, .last_sr = lsr}}};
    vox_rtcp_write_rr(&w, &report);
    int64_t arrival_ns = START_NS + 70 * VOX_NS_PER_MS;
    vox_rt_enter();
    int taken = vox_sender_feed(sender, rr, w.size, arrival_ns);
    vox_rt_leave();
    assert_int_equal(taken, 1);
    assert_int_equal(vox_sender_feed(sender, "no", 2, arrival_ns), 0);
    assert_int_equal(capture.event_count, 1);
    assert_int_equal(capture.events[0].kind, VOX_SENDER_EVENT_REPORT);
    assert_true(llabs(capture.events[0].value_ns - 50 * VOX_NS_PER_MS) < 50000);
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.reports == 1 && stats.reported_loss_pct == 50.0);
    assert_true(stats.rtcp_received == 1 && stats.rtcp_rejected == 1 && stats.rtcp_sent == 1);
    vox_sender_destroy(sender);
}

/* Of packets with copies the primary alone: what a sender without copies would have sent. */
static void what_is_asked_for_again_is_sent_again(void **state)
{
    (void)state;
    static struct vox_rtp rtx, original;
    struct vox_sender_config config;
    uint8_t plain[VOX_RTP_MAX_BYTES];
    fill_voice(pcm, 10 * 960, 1, 48000);
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    push_all(sender, pcm, 9600, 1, 48000, 480, START_NS);
    struct vox_rtp expected = rtp_at(6);
    memcpy(plain, expected.payload, expected.payload_bytes);
    vox_sender_destroy(sender);

    test_config(&config, VOX_PROFILE_VOICE);
    config.rtx = true;
    config.rtx_ssrc = CAPTURE_SSRC;
    assert_int_equal(vox_sender_create(&config, &sender), VOX_EINVAL);
    config.rtx_ssrc = 99;
    config.rtx_first_seq = 500;
    config.red_distances[0] = 1;
    sender = create(&config);
    push_all(sender, pcm, 9600, 1, 48000, 480, START_NS);
    uint8_t nack[64];
    struct vox_writer w = vox_writer_of(nack, sizeof nack);
    vox_nack_write(&w, 7, CAPTURE_SSRC, &(uint16_t){1006}, 1);
    int64_t arrival_ns = START_NS + 300 * VOX_NS_PER_MS;
    vox_rt_enter();
    assert_int_equal(vox_sender_feed(sender, nack, w.size, arrival_ns), 1);
    vox_rt_leave();
    const struct kept *item = kept_at(VOX_DATAGRAM_RTX, 0);
    assert_non_null(item);
    assert_true(item->send_ns == arrival_ns);
    assert_int_equal(vox_rtp_parse(item->bytes, item->len, &rtx), 0);
    assert_true(rtx.ssrc == 99 && rtx.seq == 500 && rtx.payload_type == 98);
    assert_int_equal(vox_rtx_parse(&rtx, 96, CAPTURE_SSRC, &original), 0);
    assert_true(original.seq == 1006 && original.timestamp == expected.timestamp);
    assert_int_equal(original.payload_bytes, expected.payload_bytes);
    assert_memory_equal(original.payload, plain, original.payload_bytes);
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.nacks_received == 1 && stats.rtx_asked == 1 && stats.rtx_packets == 1);
    assert_true(stats.rtx_bytes == item->len + 28 && stats.packets == 10);
    vox_sender_destroy(sender);
}

static void level_and_clipping_are_of_the_input(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    for (size_t i = 0; i < 960; i++)
        pcm[i] = i % 2 ? 0.5F : -0.5F;
    pcm[0] = -1.0F;
    pcm[1] = 32767.0F / 32768.0F;
    push_all(sender, pcm, 960, 1, 48000, 960, START_NS);
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(fabs(stats.rms_db + 6.0) < 0.1);
    assert_true(fabs(stats.peak_db) < 0.01);
    assert_true(stats.clipped_samples == 2);
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.rms_db < -100);
    vox_sender_destroy(sender);
}

static void same_seeds_same_bytes(void **state)
{
    (void)state;
    static struct capture first;
    fill_voice(pcm, 48000, 1, 48000);
    for (int round = 0; round < 2; round++) {
        struct vox_sender_config config;
        test_config(&config, VOX_PROFILE_VOICE);
        struct vox_sender *sender = create(&config);
        push_all(sender, pcm, 48000, 1, 48000, round == 0 ? 480 : 77, START_NS);
        vox_sender_tick(sender, START_NS + 2 * VOX_NS_PER_S);
        vox_sender_destroy(sender);
        if (round == 0)
            first = capture;
    }
    assert_int_equal(first.count, capture.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_int_equal(first.items[i].len, capture.items[i].len);
        assert_memory_equal(first.items[i].bytes, capture.items[i].bytes, first.items[i].len);
    }
}

static void refuses_impossible_configurations(void **state)
{
    (void)state;
    struct vox_sender_config bad[16];
    for (size_t i = 0; i < COUNT(bad); i++)
        test_config(&bad[i], VOX_PROFILE_VOICE);
    static char long_name[300];
    memset(long_name, 'x', sizeof long_name - 1);
    bad[0].on_datagram = NULL;
    bad[1].input_hz = 999;
    bad[2].input_hz = 768001;
    bad[3].input_channels = 0;
    bad[4].input_channels = 9;
    bad[5].channels = 3;
    bad[6].frame_ticks = 961;
    bad[7].bitrate_bps = 5999;
    bad[8].complexity = 11;
    bad[9].payload_type = 72; /* would be taken for RTCP */
    bad[10].payload_type = 128;
    bad[11].capture_time_id = 15;
    bad[12].cname = NULL;
    bad[13].cname = "";
    bad[14].cname = long_name;
    bad[15].profile = (enum vox_profile)9;
    struct vox_sender *sender = NULL;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (vox_sender_create(&bad[i], &sender) != VOX_EINVAL)
            fail_msg("row %zu is accepted", i);
    assert_null(sender);
    vox_sender_destroy(NULL);
}

RUN(cmocka_unit_test(first_packet_says_who_when_and_what),
    cmocka_unit_test(every_frame_size_is_exactly_what_opus_makes_of_the_input),
    cmocka_unit_test(sequence_and_timestamp_wrap_around),
    cmocka_unit_test(silence_is_not_sent_with_dtx),
    cmocka_unit_test(reports_tell_the_capture_clock),
    cmocka_unit_test(finish_pads_and_says_goodbye_with_the_last_packet),
    cmocka_unit_test(who_never_spoke_does_not_say_goodbye),
    cmocka_unit_test(surround_at_44100_lasts_the_right_time),
    cmocka_unit_test(receivers_reports_come_back_as_events_and_statistics),
    cmocka_unit_test(what_is_asked_for_again_is_sent_again),
    cmocka_unit_test(level_and_clipping_are_of_the_input), cmocka_unit_test(same_seeds_same_bytes),
    cmocka_unit_test(refuses_impossible_configurations))
