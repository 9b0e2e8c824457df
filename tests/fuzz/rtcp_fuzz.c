#include "fuzz.h"
#include "wire/rtcp.h"

/* The writer's bytes are those that were read, up to a profile's extension behind them. */
static void check_report(const struct vox_rtcp *packet)
{
    uint8_t out[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(out, sizeof out);
    if (packet->type == VOX_RTCP_SR)
        vox_rtcp_write_sr(&w, &packet->as.report);
    else
        vox_rtcp_write_rr(&w, &packet->as.report);
    FUZZ_CHECK(!w.failed && w.size - 4 <= packet->body_bytes);
    FUZZ_CHECK(memcmp(out + 4, packet->body, w.size - 4) == 0);
}

static void read_again(struct vox_writer *w, struct vox_rtcp *again)
{
    struct vox_rtcp_reader r;
    FUZZ_CHECK(!w->failed && vox_rtcp_begin(&r, w->begin, w->size) == 0);
    FUZZ_CHECK(vox_rtcp_next(&r, again) == 1);
}

/* The writers take C strings: the text up to its first zero. */
static void check_chunk(const struct vox_rtcp_chunk *chunk)
{
    uint8_t out[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(out, sizeof out);
    char cname[VOX_RTCP_MAX_TEXT + 1] = "";
    struct vox_rtcp again;
    FUZZ_CHECK(chunk->cname_bytes <= VOX_RTCP_MAX_TEXT);
    if (chunk->cname)
        memcpy(cname, chunk->cname, chunk->cname_bytes);
    vox_rtcp_write_sdes(&w, chunk->ssrc, cname);
    read_again(&w, &again);
    const struct vox_rtcp_chunk *read = &again.as.sdes.chunks[0];
    FUZZ_CHECK(again.as.sdes.chunk_count == 1 && read->ssrc == chunk->ssrc);
    FUZZ_CHECK(read->cname_bytes == strlen(cname));
    FUZZ_CHECK(memcmp(read->cname, cname, read->cname_bytes) == 0);
}

static void check_bye(const struct vox_rtcp_bye *bye)
{
    uint8_t out[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(out, sizeof out);
    char reason[VOX_RTCP_MAX_TEXT + 1] = "";
    struct vox_rtcp again;
    FUZZ_CHECK(bye->reason_bytes <= VOX_RTCP_MAX_TEXT);
    if (bye->reason)
        memcpy(reason, bye->reason, bye->reason_bytes);
    vox_rtcp_write_bye(&w, bye->ssrcs[0], bye->reason ? reason : NULL);
    read_again(&w, &again);
    const struct vox_rtcp_bye *read = &again.as.bye;
    FUZZ_CHECK(read->ssrc_count == 1 && read->ssrcs[0] == bye->ssrcs[0]);
    FUZZ_CHECK(!read->reason == !bye->reason && read->reason_bytes == strlen(reason));
}

static void check(const struct vox_rtcp *packet)
{
    if (packet->type == VOX_RTCP_SR || packet->type == VOX_RTCP_RR)
        check_report(packet);
    for (int i = 0; packet->type == VOX_RTCP_SDES && i < packet->as.sdes.chunk_count; i++)
        check_chunk(&packet->as.sdes.chunks[i]);
    if (packet->type == VOX_RTCP_BYE)
        check_bye(&packet->as.bye);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_rtcp_reader r;
    static struct vox_rtcp packet;
    if (vox_rtcp_begin(&r, data, size) < 0)
        return 0;
    int got;
    while ((got = vox_rtcp_next(&r, &packet)) != 0)
        if (got > 0)
            check(&packet);
    FUZZ_CHECK(r.bytes.left == 0);
    return 0;
}
