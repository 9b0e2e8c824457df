/* The controller inside the sending engine: reports in, other packets out, in real-time sections.
 */
#include "sender/sender.h"

#include "capture.h"
#include "wire/nack.h"
#include "wire/rtcp_xr.h"

#define START_NS (100 * VOX_NS_PER_S)

enum { SECONDS = 4, FRAMES = SECONDS * 48000 };

static float pcm[FRAMES];

static struct vox_sender *create(bool adapt)
{
    struct vox_sender_config config;
    struct vox_sender *sender = NULL;
    fill_voice(pcm, FRAMES, 1, 48000);
    test_config(&config, VOX_PROFILE_VOICE);
    config.adapt = adapt;
    config.max_wire_bps = 120000;
    config.rtx = true;
    config.rtx_ssrc = 99;
    assert_int_equal(vox_sender_create(&config, &sender), 0);
    return sender;
}

/* A loss report of so many packets up to the last one sent, each n-th lost; and a request for it.
 */
static void feed(struct vox_sender *sender, int count, int nth, int64_t now_ns)
{
    uint8_t bytes[512];
    struct vox_sender_stats stats;
    vox_sender_read_stats(sender, &stats);
    int64_t last = 1000 + (int64_t)stats.packets - 1;
    struct vox_rtcp_xr_loss loss = {.ssrc = CAPTURE_SSRC,
                                    .begin_seq = (uint16_t)(last - count + 1)};
    for (int i = 0; i < count; i++)
        vox_rtcp_xr_loss_push(&loss, nth == 0 || i % nth != 1);
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    vox_rtcp_write_rr(&w, &(struct vox_rtcp_report){.ssrc = 7});
    vox_rtcp_write_sdes(&w, 7, "receiver");
    size_t packet = vox_rtcp_xr_open(&w, 7);
    vox_rtcp_xr_write_loss(&w, &loss);
    vox_rtcp_close(&w, packet);
    if (nth > 0)
        vox_nack_write(&w, 7, CAPTURE_SSRC, &(uint16_t){(uint16_t)(last - 2)}, 1);
    assert_false(w.failed);
    vox_rt_enter();
    int taken = vox_sender_feed(sender, bytes, w.size, now_ns);
    vox_rt_leave();
    assert_int_equal(taken, 1);
}

/* Half a second of sound, then a report of it. */
static void talk(struct vox_sender *sender, int step, int nth)
{
    int64_t from_ns = START_NS + step * VOX_NS_PER_S / 2;
    push_all(sender, pcm + step % 8 * 24000, 24000, 1, 48000, 480, from_ns);
    feed(sender, 25, nth, from_ns + VOX_NS_PER_S / 2);
}

static void reports_change_what_is_sent(void **state)
{
    (void)state;
    struct vox_sender_stats stats;
    struct vox_sender *sender = create(true);
    for (int i = 0; i < 4; i++)
        talk(sender, i, 0);
    vox_sender_read_stats(sender, &stats);
    assert_int_equal(stats.protection.distances[0], 0);
    assert_int_equal(rtp_at(99).payload_type, 96);
    for (int i = 4; i < 8; i++)
        talk(sender, i, 5);
    vox_sender_read_stats(sender, &stats);
    assert_true(stats.protection.distances[0] > 0);
    assert_int_equal(rtp_at(199).payload_type, 97);
    assert_true(stats.rtx_packets > 0);
    size_t told = 0;
    for (size_t i = 0; i < capture.event_count; i++) {
        const struct vox_sender_event *event = &capture.events[i];
        if (event->kind != VOX_SENDER_EVENT_ADAPTED)
            continue;
        told++;
        assert_true(event->wire_bps <= 120000);
        assert_true(event->reason < VOX_ADAPT_REASONS);
        assert_true(event->loss_pct >= 0 && event->loss_pct <= 100);
    }
    assert_int_equal(told, stats.adaptations);
    for (int i = 8; i < 40; i++)
        talk(sender, i, 0);
    vox_sender_read_stats(sender, &stats);
    assert_int_equal(stats.protection.distances[0], 0);
    assert_int_equal(stats.protection.bitrate_bps, 32000);
    vox_sender_destroy(sender);
}

static void without_it_reports_change_nothing(void **state)
{
    (void)state;
    struct vox_sender_stats stats;
    struct vox_sender *sender = create(false);
    for (int i = 0; i < 8; i++)
        talk(sender, i, 3);
    vox_sender_read_stats(sender, &stats);
    assert_int_equal(stats.adaptations, 0);
    assert_int_equal(stats.red_packets, 0);
    assert_int_equal(stats.protection.bitrate_bps, 32000);
    vox_sender_destroy(sender);
}

static void payload_types_that_may_come_to_be_used_are_three(void **state)
{
    (void)state;
    struct vox_sender_config config;
    struct vox_sender *sender = NULL;
    test_config(&config, VOX_PROFILE_VOICE);
    config.adapt = true;
    config.red_payload_type = config.payload_type;
    assert_int_equal(vox_sender_create(&config, &sender), VOX_EINVAL);
    config.red_payload_type = 97;
    config.rtx = true;
    config.rtx_ssrc = 99;
    config.rtx_payload_type = 97;
    assert_int_equal(vox_sender_create(&config, &sender), VOX_EINVAL);
    config.adapt = false;
    assert_int_equal(vox_sender_create(&config, &sender), 0);
    vox_sender_destroy(sender);
}

RUN(cmocka_unit_test(reports_change_what_is_sent),
    cmocka_unit_test(without_it_reports_change_nothing),
    cmocka_unit_test(payload_types_that_may_come_to_be_used_are_three))
