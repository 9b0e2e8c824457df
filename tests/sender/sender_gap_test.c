/* What a sender makes of a source that stops and comes back. */
#include "sender/sender.h"

#include "capture.h"

#include <opus.h>

#define START_NS (100 * VOX_NS_PER_S)

static float pcm[2 * 48000];

static struct vox_sender *create(const struct vox_sender_config *config)
{
    struct vox_sender *sender = NULL;
    assert_int_equal(vox_sender_create(config, &sender), 0);
    return sender;
}

static void a_capture_gap_shows_in_the_timestamps(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    fill_voice(pcm, 48000, 1, 48000);
    push_all(sender, pcm, 4800, 1, 48000, 480, START_NS);
    push_all(sender, pcm, 4800, 1, 48000, 480, START_NS + 600 * VOX_NS_PER_MS);
    struct vox_rtp last = rtp_at(4), next = rtp_at(5);
    assert_int_equal(last.timestamp, 5000 + 4 * 960);
    assert_int_equal(next.timestamp, 5000 + 600 * 48);
    assert_int_equal(next.seq, last.seq + 1);
    assert_false(next.marker);
    assert_true(next.has_extension);
    assert_int_equal(capture.event_count, 1);
    assert_int_equal(capture.events[0].kind, VOX_SENDER_EVENT_CAPTURE_GAP);
    assert_true(capture.events[0].value_ns == 500 * VOX_NS_PER_MS);
    assert_true(capture.events[0].t_ns == START_NS + 600 * VOX_NS_PER_MS);
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.capture_gaps == 1 && stats.capture_gap_ns == 500 * VOX_NS_PER_MS);
    vox_sender_destroy(sender);
}

static void flush(struct vox_sender *sender, int64_t capture_ns)
{
    vox_rt_enter();
    int err = vox_sender_flush(sender, capture_ns);
    vox_rt_leave();
    assert_int_equal(err, 0);
}

static void a_flush_sends_what_there_is_of_a_frame(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_VOICE);
    struct vox_sender *sender = create(&config);
    fill_voice(pcm, 48000, 1, 48000);
    flush(sender, START_NS); /* nothing yet */
    push_all(sender, pcm, 4800 + 480, 1, 48000, 480, START_NS);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 5);
    flush(sender, START_NS + 110 * VOX_NS_PER_MS);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 6);
    assert_int_equal(rtp_at(5).timestamp, 5000 + 5 * 960);
    assert_true(kept_at(VOX_DATAGRAM_RTP, 5)->send_ns == START_NS + 120 * VOX_NS_PER_MS);
    assert_int_equal(capture.event_count, 0);

    push_all(sender, pcm, 4800, 1, 48000, 480, START_NS + 1003 * VOX_NS_PER_MS);
    struct vox_rtp next = rtp_at(6);
    assert_int_equal(next.timestamp, 5000 + 1003 * 48);
    assert_int_equal(next.seq, rtp_at(5).seq + 1);
    assert_false(next.marker);
    assert_true(next.has_extension);
    assert_int_equal(capture.event_count, 1);
    assert_true(capture.events[0].value_ns == 893 * VOX_NS_PER_MS);
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.capture_gaps == 1 && stats.stale_frames == 0);
    assert_int_equal(vox_sender_finish(sender, START_NS), 0);
    assert_int_equal(vox_sender_flush(sender, START_NS), VOX_EEND);
    vox_sender_destroy(sender);
}

/* Half a frame is there, due 10 ms after its last sample. */
static void what_is_overdue_at_a_gap_is_left_out(void **state)
{
    (void)state;
    static const struct {
        int64_t flush_ms; /* after the last sample; -1: no flush, the next push finds the gap */
        int64_t gap_ms;
        bool sent;
    } rows[] = {{0, 500, true}, {30, 500, true}, {31, 500, false},
                {-1, 30, true}, {-1, 31, false}, {-1, 500, false}};
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct vox_sender_config config;
        struct vox_sender_stats stats;
        test_config(&config, VOX_PROFILE_VOICE);
        struct vox_sender *sender = create(&config);
        fill_voice(pcm, 48000, 1, 48000);
        push_all(sender, pcm, 4800 + 480, 1, 48000, 480, START_NS);
        int64_t end_ns = START_NS + 110 * VOX_NS_PER_MS;
        if (rows[r].flush_ms >= 0)
            flush(sender, end_ns + rows[r].flush_ms * VOX_NS_PER_MS);
        push_all(sender, pcm, 4800, 1, 48000, 480, end_ns + rows[r].gap_ms * VOX_NS_PER_MS);
        vox_sender_read_stats(sender, &stats);
        assert_int_equal(stats.packets, 10 + rows[r].sent);
        assert_int_equal(stats.stale_frames, !rows[r].sent);
        assert_int_equal(stats.capture_gaps, 1);
        assert_true(stats.capture_gap_ns == rows[r].gap_ms * VOX_NS_PER_MS);
        struct vox_rtp next = rtp_at(5 + rows[r].sent);
        assert_int_equal(next.seq, 1005 + rows[r].sent);
        assert_int_equal(next.timestamp, 5000 + (110 + rows[r].gap_ms) * 48);
        vox_sender_destroy(sender);
    }
}

/* The level of a tone in what the packets [first, end) decode to, second half. */
static double decoded_level(size_t first, size_t end)
{
    static float out[960 * 200];
    OpusDecoder *decoder = opus_decoder_create(48000, 1, NULL);
    size_t frames = 0;
    double sum = 0;
    for (size_t i = first; i < end; i++) {
        struct vox_rtp rtp = rtp_at(i);
        frames += (size_t)opus_decode_float(decoder, rtp.payload, (opus_int32)rtp.payload_bytes,
                                            out + frames, 960, 0);
    }
    opus_decoder_destroy(decoder);
    for (size_t i = frames / 2; i < frames; i++)
        sum += (double)out[i] * (double)out[i];
    return sqrt(2 * sum / (double)(frames - frames / 2));
}

static void fill_sine(size_t frames, int channels, int hz)
{
    for (size_t i = 0; i < frames; i++)
        for (int c = 0; c < channels; c++)
            pcm[i * (size_t)channels + (size_t)c] =
                (float)(0.25 * sin(2 * 3.14159265358979 * 440 * (double)i / hz));
}

static void a_device_that_comes_back_with_another_format_goes_on(void **state)
{
    (void)state;
    struct vox_sender_config config;
    test_config(&config, VOX_PROFILE_MUSIC);
    struct vox_sender *sender = create(&config);
    fill_sine(48000, 1, 48000);
    push_all(sender, pcm, 48000, 1, 48000, 480, START_NS);
    flush(sender, START_NS + VOX_NS_PER_S);
    assert_int_equal(vox_sender_set_input(sender, 44100, 0), VOX_EINVAL);
    assert_int_equal(vox_sender_set_input(sender, 999, 1), VOX_EINVAL);
    assert_int_equal(vox_sender_set_input(sender, 44100, 2), 0);
    fill_sine(44100, 2, 44100);
    push_all(sender, pcm, 44100, 2, 44100, 441, START_NS + 3 * VOX_NS_PER_S);
    assert_int_equal(vox_sender_finish(sender, START_NS), 0);
    assert_int_equal(kept_count(VOX_DATAGRAM_RTP), 100);
    for (size_t i = 0; i < 100; i++) {
        struct vox_rtp rtp = rtp_at(i);
        assert_int_equal(rtp.ssrc, CAPTURE_SSRC);
        assert_int_equal(rtp.seq, 1000 + i);
        assert_int_equal(rtp.timestamp, 5000 + i * 960 + (i < 50 ? 0 : 2 * 48000));
    }
    assert_true(fabs(decoded_level(0, 50) - 0.25) < 0.01);
    assert_true(fabs(decoded_level(50, 100) - 0.25) < 0.01);
    assert_int_equal(vox_sender_set_input(sender, 48000, 1), VOX_EEND);
    vox_sender_destroy(sender);
}

RUN(cmocka_unit_test(a_capture_gap_shows_in_the_timestamps),
    cmocka_unit_test(a_flush_sends_what_there_is_of_a_frame),
    cmocka_unit_test(what_is_overdue_at_a_gap_is_left_out),
    cmocka_unit_test(a_device_that_comes_back_with_another_format_goes_on))
