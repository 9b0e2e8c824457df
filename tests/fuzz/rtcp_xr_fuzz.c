#include "base/err.h"
#include "fuzz.h"
#include "wire/rtcp_xr.h"

enum { REPORTER = 0x12345678 };

static void write(struct vox_writer *w, const struct vox_rtcp_xr *block)
{
    size_t packet = vox_rtcp_xr_open(w, REPORTER);
    if (block->type == VOX_RTCP_XR_LOSS)
        vox_rtcp_xr_write_loss(w, &block->as.loss);
    else if (block->type == VOX_RTCP_XR_REFERENCE_TIME)
        vox_rtcp_xr_write_reference_time(w, block->as.reference_ntp);
    else
        vox_rtcp_xr_write_delays(w, &block->as.delays);
    vox_rtcp_close(w, packet);
}

static void check_losses(const struct vox_rtcp_xr_loss *a, const struct vox_rtcp_xr_loss *b)
{
    FUZZ_CHECK(a->ssrc == b->ssrc && a->begin_seq == b->begin_seq && a->count == b->count);
    FUZZ_CHECK(b->skipped == 0 && memcmp(a->came, b->came, sizeof a->came) == 0);
    size_t at = 0;
    while (at < a->count)
        at += vox_rtcp_xr_loss_run(a, at);
    FUZZ_CHECK(at == a->count);
}

static void check_delays(const struct vox_rtcp_xr_delays *a, const struct vox_rtcp_xr_delays *b)
{
    FUZZ_CHECK(a->count == b->count && b->skipped == 0);
    FUZZ_CHECK(memcmp(a->of, b->of, a->count * sizeof a->of[0]) == 0);
}

/* What was read can be written, and reads as the same again. */
static void check(const struct vox_rtcp_xr *block)
{
    uint8_t out[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(out, sizeof out);
    struct vox_rtcp_reader compound;
    static struct vox_rtcp packet;
    struct vox_rtcp_xr_reader r;
    struct vox_rtcp_xr again;
    write(&w, block);
    FUZZ_CHECK(!w.failed && vox_rtcp_begin(&compound, out, w.size) == 0);
    FUZZ_CHECK(vox_rtcp_next(&compound, &packet) == 1);
    FUZZ_CHECK(vox_rtcp_xr_begin(&r, &packet) == 0 && r.ssrc == REPORTER);
    FUZZ_CHECK(vox_rtcp_xr_next(&r, &again) == 1 && again.type == block->type);
    if (block->type == VOX_RTCP_XR_LOSS)
        check_losses(&block->as.loss, &again.as.loss);
    else if (block->type == VOX_RTCP_XR_REFERENCE_TIME)
        FUZZ_CHECK(block->as.reference_ntp == again.as.reference_ntp);
    else
        check_delays(&block->as.delays, &again.as.delays);
    FUZZ_CHECK(vox_rtcp_xr_next(&r, &again) == 0);
}

static void read_blocks(const struct vox_rtcp *packet)
{
    struct vox_rtcp_xr_reader r;
    struct vox_rtcp_xr block;
    if (vox_rtcp_xr_begin(&r, packet) < 0)
        return;
    for (int got; (got = vox_rtcp_xr_next(&r, &block)) != 0;) {
        FUZZ_CHECK(got == 1 || got == VOX_EFORMAT || got == VOX_EUNSUPPORTED);
        FUZZ_CHECK(block.body >= packet->body);
        FUZZ_CHECK(block.body + block.body_bytes <= packet->body + packet->body_bytes);
        if (got == 1 && (block.type == VOX_RTCP_XR_LOSS || block.type == VOX_RTCP_XR_DELAYS ||
                         block.type == VOX_RTCP_XR_REFERENCE_TIME))
            check(&block);
    }
    FUZZ_CHECK(r.bytes.left == 0);
}

/* Input: a compound packet, as it comes from the network. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_rtcp_reader compound;
    static struct vox_rtcp packet;
    if (vox_rtcp_begin(&compound, data, size) < 0)
        return 0;
    while (vox_rtcp_next(&compound, &packet) != 0)
        read_blocks(&packet);
    return 0;
}
