/* What a sender under test emits, kept: datagrams with their times, events. */
#ifndef VOX_TEST_CAPTURE_H
#define VOX_TEST_CAPTURE_H

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "sender/sender.h"
#include "support/test.h"
#include "wire/opus_toc.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

#include <math.h>

enum { CAPTURE_MAX = 4096, CAPTURE_EVENTS = 64, CAPTURE_SSRC = 0x11223344 };

struct kept {
    enum vox_datagram_kind kind;
    int64_t send_ns;
    size_t len;
    uint8_t bytes[VOX_RTP_MAX_BYTES];
};

struct capture {
    struct kept items[CAPTURE_MAX];
    size_t count;
    struct vox_sender_event events[CAPTURE_EVENTS];
    size_t event_count;
};

/* One for the process: it is large, and a test's sender must not allocate. */
static struct capture capture;

static inline void keep_datagram(void *ctx, const struct vox_datagram *datagram)
{
    struct capture *c = ctx;
    assert_true(c->count < CAPTURE_MAX);
    struct kept *item = &c->items[c->count++];
    item->kind = datagram->kind;
    item->send_ns = datagram->send_ns;
    item->len = datagram->len;
    memcpy(item->bytes, datagram->bytes, datagram->len);
}

static inline void keep_event(void *ctx, const struct vox_sender_event *event)
{
    struct capture *c = ctx;
    assert_true(c->event_count < CAPTURE_EVENTS);
    c->events[c->event_count++] = *event;
}

static inline void test_config(struct vox_sender_config *config, enum vox_profile profile)
{
    capture.count = 0;
    capture.event_count = 0;
    vox_sender_config_init(config, profile);
    config->ssrc = CAPTURE_SSRC;
    config->first_seq = 1000;
    config->first_timestamp = 5000;
    config->seed = 1;
    config->on_datagram = keep_datagram;
    config->on_event = keep_event;
    config->ctx = &capture;
}

/* The i-th datagram of that kind; NULL if there are fewer. */
static inline const struct kept *kept_at(enum vox_datagram_kind kind, size_t i)
{
    for (size_t n = 0; n < capture.count; n++)
        if (capture.items[n].kind == kind && i-- == 0)
            return &capture.items[n];
    return NULL;
}

static inline size_t kept_count(enum vox_datagram_kind kind)
{
    size_t count = 0;
    for (size_t n = 0; n < capture.count; n++)
        count += capture.items[n].kind == kind;
    return count;
}

static inline struct vox_rtp rtp_at(size_t i)
{
    struct vox_rtp rtp = {0};
    const struct kept *item = kept_at(VOX_DATAGRAM_RTP, i);
    assert_non_null(item);
    assert_true(vox_rtp_parse(item->bytes, item->len, &rtp) >= 0);
    return rtp;
}

static inline struct vox_rtcp_report sr_at(size_t i)
{
    const struct kept *item = kept_at(VOX_DATAGRAM_RTCP, i);
    assert_non_null(item);
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    assert_true(vox_rtcp_begin(&reader, item->bytes, item->len) >= 0);
    assert_int_equal(vox_rtcp_next(&reader, &packet), 1);
    assert_int_equal(packet.type, VOX_RTCP_SR);
    return packet.as.report;
}

/* Something like speech: a harmonic tone whose level comes and goes three times a second. */
static inline void fill_voice(float *pcm, size_t frames, int channels, int hz)
{
    for (size_t i = 0; i < frames; i++) {
        double t = (double)i / hz;
        double level = 0.15 + 0.15 * sin(2 * 3.14159265358979 * 3 * t);
        double x = 0;
        for (int harmonic = 1; harmonic <= 12; harmonic++)
            x += sin(2 * 3.14159265358979 * 140 * harmonic * t) / harmonic;
        for (int c = 0; c < channels; c++)
            pcm[i * (size_t)channels + (size_t)c] = (float)(level * x * (c == 0 ? 1.0 : 0.6));
    }
}

/* Pushes in real-time sections, `step` frames at a time, as a device would. */
static inline void push_all(struct vox_sender *sender, const float *pcm, size_t frames,
                            int channels, int hz, size_t step, int64_t start_ns)
{
    for (size_t at = 0; at < frames; at += step) {
        size_t n = frames - at < step ? frames - at : step;
        int64_t capture_ns = start_ns + vox_ticks_to_ns((int64_t)at, hz);
        vox_rt_enter();
        int err = vox_sender_push(sender, pcm + at * (size_t)channels, n, capture_ns);
        vox_rt_leave();
        assert_int_equal(err, 0);
    }
}

#endif
