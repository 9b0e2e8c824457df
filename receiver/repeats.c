#include "receiver/repeats.h"

#include "base/bytes.h"
#include "base/time.h"
#include "receiver/missing.h"
#include "wire/nack.h"
#include "wire/rtcp.h"
#include "wire/rtx.h"

enum { FIRST_DYNAMIC_TYPE = 96 /* RFC 3551, section 6 */ };

static struct vox_missing_view view_of(const struct vox_source *source, int64_t now_ns)
{
    const struct vox_timing *timing = vox_playout_timing(source->playout);
    int64_t base_ns = vox_timing_base_ns(timing);
    return (struct vox_missing_view){
        .now_ns = now_ns,
        .base_ns = base_ns,
        .play_ns = base_ns + vox_timing_target_ns(timing) - timing->lead_ns,
        .reported_rtt = &source->rtt,
        .is_ending = source->said_bye,
    };
}

void vox_repeats_arrived(struct vox_source *source, const struct vox_packet *packet)
{
    const struct vox_missing_view view = view_of(source, packet->arrival_ns);
    if (source->config->rtx)
        vox_missing_arrived(&source->missing, packet, &view);
}

void vox_repeats_blank(struct vox_source *source, int64_t index)
{
    if (source->config->rtx)
        vox_missing_blank(&source->missing, index);
}

/* ---- answers ---- */

static int64_t index_of(const struct vox_source *source, const struct vox_rtp *rtx)
{
    struct vox_reader r = vox_reader_of(rtx->payload, rtx->payload_bytes);
    return vox_depacketizer_index(&source->depacketizer, vox_read_u16(&r));
}

static bool is_of_repeats(const struct vox_source *source, int payload_type)
{
    const struct vox_receiver_config *c = source->config;
    if (c->rtx_payload_type > 0)
        return payload_type == c->rtx_payload_type;
    return payload_type >= FIRST_DYNAMIC_TYPE && payload_type != source->payload_type &&
           payload_type != c->red_payload_type && payload_type != c->payload_type;
}

enum vox_repeats_claim vox_repeats_recognise(const struct vox_source *source,
                                             const struct vox_rtp *rtp, uint32_t path)
{
    if (!source->used || source->received == 0)
        return VOX_REPEATS_NOT_OURS;
    if (source->has_repeats && source->repeats_ssrc == rtp->ssrc)
        return VOX_REPEATS_OURS;
    if (source->path != path || !is_of_repeats(source, rtp->payload_type) ||
        rtp->payload_bytes <= VOX_RTX_HEADER_BYTES)
        return VOX_REPEATS_NOT_OURS;
    int64_t index = index_of(source, rtp);
    if (vox_missing_was_asked(&source->missing, index))
        return VOX_REPEATS_OURS;
    int64_t back = source->depacketizer.newest_index - index;
    return back >= 0 && back < VOX_MISSING_KEPT ? VOX_REPEATS_UNASKED : VOX_REPEATS_NOT_OURS;
}

static enum vox_push_result take_original(struct vox_source *source, const struct vox_rtp *rtp,
                                          int64_t arrival_ns)
{
    struct vox_opus_info info;
    struct vox_packet packet;
    if (vox_opus_parse(rtp->payload, rtp->payload_bytes, &info) < 0)
        return VOX_PUSH_NOT_OPUS;
    if (!vox_depacketize_repeat(&source->depacketizer, rtp, &info, arrival_ns, &packet))
        return VOX_PUSH_UNASKED;
    if (!vox_missing_answered(&source->missing, packet.index, arrival_ns))
        return vox_missing_was_asked(&source->missing, packet.index) ? VOX_PUSH_DUPLICATE
                                                                     : VOX_PUSH_UNASKED;
    source->answered++;
    return vox_playout_insert_copy(source->playout, &packet) ? VOX_PUSH_REPEAT : VOX_PUSH_LATE;
}

enum vox_push_result vox_repeats_take(struct vox_source *source, const struct vox_rtp *rtp,
                                      int64_t arrival_ns)
{
    struct vox_rtp original;
    if (source->state == VOX_SOURCE_ENDED)
        return VOX_PUSH_LATE;
    if (!is_of_repeats(source, rtp->payload_type))
        return VOX_PUSH_FOREIGN_PAYLOAD;
    if (vox_rtx_parse(rtp, (uint8_t)source->payload_type, source->emit.ssrc, &original) < 0)
        return VOX_PUSH_NOT_OPUS;
    enum vox_push_result result = take_original(source, &original, arrival_ns);
    if (result == VOX_PUSH_REPEAT || result == VOX_PUSH_LATE) {
        source->has_repeats = true;
        source->repeats_ssrc = rtp->ssrc;
    }
    return result;
}

/* ---- requests ---- */

int64_t vox_repeats_next_ns(const struct vox_source *source)
{
    if (!source->config->rtx || !source->config->on_rtcp || !vox_source_plays(source))
        return VOX_NS_NEVER;
    const struct vox_missing_view view = view_of(source, 0);
    return vox_missing_next_ns(&source->missing, &view);
}

/*
 * The least that goes with it (RFC 4585, section 3.1): an RR without blocks, since those count from
 * one to the next, and the CNAME.
 */
size_t vox_repeats_request(struct vox_source *source, int64_t now_ns, uint8_t *out, size_t capacity)
{
    const struct vox_receiver_config *c = source->config;
    const struct vox_missing_view view = view_of(source, now_ns);
    int64_t indices[VOX_MISSING_SPAN];
    uint16_t seqs[VOX_MISSING_SPAN];
    int count = vox_missing_ask(&source->missing, &view, indices);
    size_t named = 0;
    for (int i = 0; i < count; i++)
        named += vox_depacketizer_seq(&source->depacketizer, indices[i], &seqs[named]);
    if (named == 0)
        return 0;
    struct vox_rtcp_report report = {.ssrc = c->ssrc};
    struct vox_writer w = vox_writer_of(out, capacity);
    vox_rtcp_write_rr(&w, &report);
    vox_rtcp_write_sdes(&w, c->ssrc, c->cname);
    vox_nack_write(&w, c->ssrc, source->emit.ssrc, seqs, named);
    source->requests++;
    return w.failed ? 0 : w.size;
}
