/* A call of made-up packets, for tests of what records it. */
#ifndef VOX_TEST_CALL_H
#define VOX_TEST_CALL_H

#include "base/time.h"
#include "receiver/tracer.h"
#include "support/test.h"
#include "wire/hdrext.h"
#include "wire/rtp.h"

#include <stdbool.h>

enum { CALL_SSRC = 0x11223344, CALL_TYPE = 96 };
enum { TOC_20_MS = 0x48, TOC_2_5_MS = 0xe0, TOC_60_MS = 0x58 };
#define CALL_INTERVAL_NS (20 * VOX_NS_PER_MS)
#define CALL_START_NS (12345 * VOX_NS_PER_S)

struct call {
    struct vox_tracer *tracer;
    uint32_t ssrc;
    int payload_type;
    uint8_t toc; /* first byte of each Opus packet: its duration (RFC 6716, section 3.1) */
    uint16_t first_seq;
    uint32_t first_timestamp;
    bool same_clock;
    int64_t capture_ns; /* of packet 0, in Unix time; 0: not sent */
};

static const struct call usual_call = {.ssrc = CALL_SSRC,
                                       .payload_type = CALL_TYPE,
                                       .toc = TOC_20_MS,
                                       .first_seq = 1000,
                                       .first_timestamp = 777};

/* The n-th packet with a media time of its own, coming arrival_ns after CALL_START_NS. */
static inline void call_packet_at(const struct call *call, int64_t n, int64_t media_ns,
                                  int64_t arrival_ns)
{
    const uint8_t opus[] = {call->toc, 1, 2, 3};
    uint8_t datagram[128], extension[VOX_HDREXT_MAX_BYTES];
    struct vox_rtp rtp = {.payload_type = (uint8_t)call->payload_type,
                          .seq = (uint16_t)(call->first_seq + n),
                          .timestamp =
                              (uint32_t)(call->first_timestamp + (uint64_t)vox_ns_to_rtp(media_ns)),
                          .ssrc = call->ssrc,
                          .payload = opus,
                          .payload_bytes = sizeof opus};
    if (call->capture_ns != 0) {
        struct vox_writer w = vox_writer_of(extension, sizeof extension);
        struct vox_capture_time capture = {.ntp = vox_unix_to_ntp(call->capture_ns + media_ns)};
        vox_hdrext_write_capture_time(&w, VOX_HDREXT_CAPTURE_TIME_ID, &capture);
        rtp.has_extension = true;
        rtp.extension_profile = VOX_HDREXT_PROFILE_ONE_BYTE;
        rtp.extension = extension;
        rtp.extension_bytes = (size_t)vox_hdrext_finish(&w);
    }
    int len = vox_rtp_write(&rtp, datagram, sizeof datagram);
    assert_true(len > 0);
    vox_tracer_push(call->tracer, datagram, (size_t)len, CALL_START_NS + arrival_ns,
                    call->same_clock);
}

/* The n-th packet of 20 ms, after delay_ms in the network. */
static inline void call_packet(const struct call *call, int64_t n, double delay_ms)
{
    call_packet_at(call, n, n * CALL_INTERVAL_NS, n * CALL_INTERVAL_NS + vox_ms_to_ns(delay_ms));
}

#endif
