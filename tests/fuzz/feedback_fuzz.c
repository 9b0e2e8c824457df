/*
 * What the sender makes of RTCP. The input is a series of datagrams, each with two bytes of length
 * (big endian) before it; between them time goes on, and more is sent. Its SSRC is OURS.
 */
#include "fuzz.h"

#include "base/time.h"
#include "sender/feedback.h"
#include "wire/rtcp.h"

enum { OURS = 0x11223344, FIRST_SEQ = 65000, PACKETS = 50 };

static void send_some(struct vox_feedback *fb, int64_t now_ns)
{
    for (int i = 0; i < PACKETS; i++)
        vox_feedback_sent(fb, &(struct vox_feedback_packet){
                                  .capture_ns = now_ns, .send_ns = now_ns, .payload_bytes = 80});
}

static void check(const struct vox_feedback *fb, int64_t now_ns)
{
    struct vox_fates_count count;
    vox_fates_count(&fb->fates, 0, &count);
    FUZZ_CHECK(vox_fates_newest(&fb->fates) <= vox_feedback_newest_seq(fb));
    FUZZ_CHECK(count.known <= VOX_FATES_PACKETS && count.lost <= count.known);
    FUZZ_CHECK(count.bursts <= count.lost);
    FUZZ_CHECK(fb->view.burst_packets >= 0 && fb->view.burst_packets <= VOX_FATES_PACKETS);
    FUZZ_CHECK(fb->view.rtt_ns >= -1 && fb->view.rtt_ns <= 60 * VOX_NS_PER_S);
    FUZZ_CHECK(fb->question_count <= VOX_FEEDBACK_MAX_PEERS);
    FUZZ_CHECK(vox_feedback_next_deadline_ns(fb) > now_ns - 2 * VOX_NS_PER_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vox_feedback fb;
    uint8_t out[VOX_RTCP_MAX_BYTES];
    int64_t now_ns = VOX_NS_PER_S;
    vox_feedback_init(
        &fb, &(struct vox_feedback_config){.ssrc = OURS, .cname = "c", .first_seq = FIRST_SEQ});
    for (size_t at = 0; size - at >= 2;) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];
        at += 2;
        len = len < size - at ? len : size - at;
        send_some(&fb, now_ns);
        vox_feedback_feed(&fb, data + at, len, now_ns);
        check(&fb, now_ns);
        now_ns += VOX_NS_PER_S;
        if (now_ns >= vox_feedback_next_deadline_ns(&fb))
            FUZZ_CHECK(vox_feedback_report(&fb, now_ns, false, out, sizeof out) > 0);
        at += len;
    }
    return 0;
}
