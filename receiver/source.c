#include "receiver/source.h"

#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"
#include "receiver/recover.h"
#include "receiver/repeats.h"
#include "wire/hdrext.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_FRAMES = 480,  /* while nothing plays */
    SHORT_BLOCK = 120,   /* while a packet is awaited, so that no more is concealed than need be */
    LARGEST_BLOCK = 960, /* where that much is at hand */
    UNSETTLED = 50,      /* packets after which a payload type stays what it is */
    RED_VOTES = 2,
    IP_UDP_BYTES = 28,
    FARTHEST_OTHER = 64, /* packets ahead, that one of another payload type is believed */
};

/* More than two clocks move the playout from one pull to the next. */
#define CUT_NS (VOX_NS_PER_MS / 4)

int vox_source_create(struct vox_source *source, const struct vox_receiver_config *config,
                      int index)
{
    *source = (struct vox_source){.config = config, .emit = {.config = config, .source = index}};
    int err = vox_playout_create(config, &source->emit, &source->playout);
    if (err < 0)
        return err;
    return vox_resample_create(&(struct vox_resample_config){.channels = config->output_channels,
                                                             .in_hz = VOX_RTP_HZ,
                                                             .out_hz = config->output_hz,
                                                             .variable = true},
                               &source->resample);
}

void vox_source_destroy(struct vox_source *source)
{
    vox_playout_destroy(source->playout);
    vox_resample_destroy(source->resample);
    *source = (struct vox_source){0};
}

void vox_source_begin(struct vox_source *source, uint32_t ssrc, int payload_type, uint32_t path,
                      int64_t now_ns)
{
    source->used = true;
    source->state = VOX_SOURCE_PROBATION;
    source->emit.ssrc = ssrc;
    source->path = path;
    source->rtcp_path = path;
    source->payload_type = payload_type;
    source->red_votes = 0;
    source->cname[0] = '\0';
    source->lbrr_packets = 0;
    source->red_packets = 0;
    source->wire_bytes = 0;
    source->copies_bytes = 0;
    source->repeats_bytes = 0;
    source->first_packet_ns = now_ns;
    source->received = 0;
    source->last_packet_ns = now_ns;
    source->replaced = false;
    source->said_bye = false;
    source->has_repeats = false;
    source->requests = 0;
    source->answered = 0;
    vox_missing_init(&source->missing);
    source->clocked = false;
    source->chunk_frames = 0;
    source->current_ns = 0;
    vox_depacketizer_init(&source->depacketizer);
    vox_reception_init(&source->reception);
    vox_rtt_init(&source->rtt);
    vox_drift_init(&source->drift, source->config->keep_tempo ? VOX_DRIFT_MOST : VOX_DRIFT_USUAL);
    vox_playout_reset(source->playout);
    vox_resample_reset(source->resample);
    vox_resample_set_ppm(source->resample, 0);
}

struct vox_source *vox_source_find(struct vox_source *sources, int count, uint32_t ssrc)
{
    for (int i = 0; i < count; i++) {
        struct vox_source *s = &sources[i];
        if (s->used && s->emit.ssrc == ssrc && s->state != VOX_SOURCE_ENDED)
            return s;
    }
    return NULL;
}

/* ---- from the network ---- */

static void take_notice(struct vox_source *source, const struct vox_depacketize_notice *notice,
                        int64_t t_ns)
{
    if (notice->sequence_jump)
        vox_emit_value(&source->emit, VOX_EVENT_SEQUENCE_JUMP, t_ns, notice->sequence_jump);
    if (notice->timestamp_jump_ticks)
        vox_emit_value(&source->emit, VOX_EVENT_TIMESTAMP_JUMP, t_ns, notice->timestamp_jump_ticks);
    if (notice->wrong_clock_hz) {
        vox_emit_value(&source->emit, VOX_EVENT_WRONG_CLOCK, t_ns, notice->wrong_clock_hz);
        vox_playout_new_timeline(source->playout);
    }
}

static void read_capture_time(struct vox_source *source, const struct vox_rtp *rtp,
                              const struct vox_packet *packet)
{
    const uint8_t *data;
    size_t len;
    struct vox_capture_time capture;
    int id = source->config->capture_time_id;
    if (id == 0 || !rtp->has_extension || vox_hdrext_find(rtp, (uint8_t)id, &data, &len) <= 0 ||
        vox_capture_time_parse(data, len, &capture) < 0)
        return;
    int64_t captured_ns = vox_ntp_to_unix(capture.ntp) - source->config->wall_offset_ns;
    vox_playout_set_capture_zero(source->playout, captured_ns - vox_rtp_to_ns(packet->ts));
}

static enum vox_push_result store(struct vox_source *source, const struct vox_packet *packet)
{
    enum vox_insert result = vox_playout_insert(source->playout, packet);
    /* The original may come behind its repair: the network delivered it all the same. */
    if (result == VOX_INSERT_DUPLICATE && !vox_reception_lacks(&source->reception, packet->index))
        return VOX_PUSH_DUPLICATE;
    vox_reception_packet(&source->reception, packet->index, packet->ts, packet->arrival_ns);
    vox_repeats_arrived(source, packet);
    source->lbrr_packets += packet->info.has_lbrr;
    switch (result) {
    case VOX_INSERT_LATE:
        return VOX_PUSH_LATE;
    case VOX_INSERT_FULL:
        return VOX_PUSH_BUFFER_FULL;
    case VOX_INSERT_STORED:
    case VOX_INSERT_REPLACED:
        break;
    case VOX_INSERT_DUPLICATE:
        return VOX_PUSH_DUPLICATE;
    }
    return VOX_PUSH_TAKEN;
}

static void store_copies(struct vox_source *source, const struct vox_red *red,
                         const struct vox_packet *packet)
{
    struct vox_packet copy;
    int64_t index;
    for (int i = 0; i < red->copy_count; i++) {
        if (!vox_recover_number(&red->copies[i], packet, &index))
            continue;
        index = vox_playout_back(source->playout, packet->index, packet->index - index);
        if (!vox_playout_knows(source->playout, index)) {
            if (!vox_recover_copy(red, i, packet, &copy))
                continue;
            copy.index = index;
            vox_playout_insert_copy(source->playout, &copy);
        }
        vox_missing_found(&source->missing, index);
    }
}

/*
 * A packet of another payload type has used up a number of this source: FEC as others send it
 * (RFC 5109), comfort noise (RFC 3389). It is no audio, and none is missing in its place.
 */
static void pass_over(struct vox_source *source, const struct vox_rtp *rtp)
{
    const struct vox_depacketizer *d = &source->depacketizer;
    int64_t index = vox_depacketizer_index(d, rtp->seq);
    uint16_t seq;
    if (source->received == 0 || index - d->newest_index > FARTHEST_OTHER ||
        d->newest_index - index > VOX_MAX_MISORDER || !vox_depacketizer_seq(d, index, &seq))
        return;
    vox_reception_other(&source->reception, index);
    vox_repeats_blank(source, index);
    vox_playout_blank(source->playout, index);
}

/*
 * A stream whose first packets hold no copies looks like Opus of RED's own payload type. Once
 * copies come it begins anew as what it is. A single Opus packet in some 100000 looks like RED, two
 * in a row do not.
 */
static void settle_type(struct vox_source *source, const struct vox_rtp *rtp)
{
    if (source->received > UNSETTLED || rtp->payload_type != source->payload_type)
        return;
    int inner = vox_recover_payload_type(rtp);
    source->red_votes = inner >= 0 ? source->red_votes + 1 : 0;
    if (source->red_votes < RED_VOTES)
        return;
    source->payload_type = inner;
    vox_depacketizer_init(&source->depacketizer);
    vox_reception_init(&source->reception);
    vox_missing_init(&source->missing);
    vox_playout_reset(source->playout);
}

/* *rtp becomes the plain packet that it is or, as RED, holds. VOX_PUSH_TAKEN: it is one. */
static enum vox_push_result unwrap(const struct vox_source *source, struct vox_rtp *rtp,
                                   struct vox_red *red, struct vox_opus_info *info)
{
    red->copy_count = 0;
    if (rtp->payload_type != source->payload_type)
        return vox_recover_unwrap(rtp, source->payload_type, red, info) ? VOX_PUSH_TAKEN
                                                                        : VOX_PUSH_FOREIGN_PAYLOAD;
    return vox_opus_parse(rtp->payload, rtp->payload_bytes, info) < 0 ? VOX_PUSH_NOT_OPUS
                                                                      : VOX_PUSH_TAKEN;
}

enum vox_push_result vox_source_packet(struct vox_source *source, const struct vox_rtp *datagram,
                                       int64_t arrival_ns, bool absolute)
{
    struct vox_rtp rtp = *datagram;
    struct vox_red red;
    struct vox_opus_info info;
    struct vox_packet packet;
    struct vox_depacketize_notice notice;
    settle_type(source, &rtp);
    enum vox_push_result result = unwrap(source, &rtp, &red, &info);
    if (result == VOX_PUSH_FOREIGN_PAYLOAD)
        pass_over(source, datagram);
    if (result != VOX_PUSH_TAKEN)
        return result;
    source->last_packet_ns = arrival_ns;
    if (vox_depacketize(&source->depacketizer, &rtp, &info, arrival_ns, &packet, &notice) ==
        VOX_DEPACKETIZE_HELD)
        return VOX_PUSH_SEQUENCE_JUMP;
    if (source->state == VOX_SOURCE_PROBATION && source->received > 0)
        vox_source_confirm(source, arrival_ns);
    source->received++;
    take_notice(source, &notice, arrival_ns);
    if (absolute)
        read_capture_time(source, &rtp, &packet);
    result = store(source, &packet);
    store_copies(source, &red, &packet);
    source->red_packets += red.copy_count > 0;
    if (red.copy_count > 0)
        source->copies_bytes += datagram->payload_bytes - rtp.payload_bytes;
    return result;
}

void vox_source_count_bytes(struct vox_source *source, size_t datagram_bytes, bool repeat)
{
    source->wire_bytes += datagram_bytes + IP_UDP_BYTES;
    if (repeat)
        source->repeats_bytes += datagram_bytes + IP_UDP_BYTES;
}

void vox_source_confirm(struct vox_source *source, int64_t now_ns)
{
    if (source->state != VOX_SOURCE_PROBATION || source->received == 0)
        return;
    source->state = VOX_SOURCE_ACTIVE;
    vox_emit_value(&source->emit, VOX_EVENT_SOURCE_STARTED, now_ns, 0);
}

void vox_source_bye(struct vox_source *source, int64_t now_ns, bool replaced)
{
    source->replaced = replaced;
    source->said_bye = true;
    vox_playout_drain(source->playout, now_ns);
}

void vox_source_end(struct vox_source *source, int64_t now_ns, enum vox_source_end why)
{
    vox_playout_settle(source->playout, INT64_MAX);
    source->state = VOX_SOURCE_ENDED;
    source->timed_out = why == VOX_END_TIMEOUT;
    source->departed_ns = now_ns;
    vox_emit_value(&source->emit, VOX_EVENT_SOURCE_ENDED, now_ns, why);
}

bool vox_source_returns(const struct vox_source *source, const struct vox_rtp *rtp,
                        int64_t arrival_ns)
{
    return source->used && source->state == VOX_SOURCE_ENDED && source->timed_out &&
           source->emit.ssrc == rtp->ssrc &&
           vox_depacketizer_follows(&source->depacketizer, rtp, arrival_ns);
}

void vox_source_resume(struct vox_source *source, uint32_t path, int64_t now_ns)
{
    source->state = VOX_SOURCE_ACTIVE;
    source->path = path;
    source->rtcp_path = path;
    /* Nobody has pulled since. */
    if (source->clocked && source->next_pull_ns < now_ns) {
        vox_playout_pass(source->playout, now_ns - source->next_pull_ns);
        source->next_pull_ns = now_ns;
    }
    vox_emit_value(&source->emit, VOX_EVENT_SOURCE_STARTED, now_ns, 0);
}

/* ---- to the converter ---- */

static int64_t filter_ns(const struct vox_source *source)
{
    return (int64_t)(vox_resample_delay_frames(source->resample) * 1e9 / VOX_RTP_HZ);
}

/*
 * The clock follows the delay's error; a gap says nothing about clocks. held_ns: audio that has
 * left playout and is not heard yet. Its amount beats with the length of the pulls, in time with
 * the skew: uncounted, it would move the delay by milliseconds.
 */
static void steer(struct vox_source *source, int64_t playout_ns, int64_t held_ns)
{
    if (!vox_playout_is_steady(source->playout))
        return;
    int64_t dt_ns = playout_ns - source->steered_ns;
    source->steered_ns = playout_ns;
    source->current_ns = vox_playout_current_ns(source->playout, playout_ns + held_ns);
    int64_t base_ns = vox_timing_base_ns(vox_playout_timing(source->playout));
    int64_t moved_ns = source->current_ns + base_ns - source->zero_ns;
    source->zero_ns += moved_ns;
    if (dt_ns <= 0 || dt_ns > VOX_NS_PER_S)
        vox_drift_anchor(&source->drift);
    else if (llabs(moved_ns) > CUT_NS)
        vox_drift_moved(&source->drift, moved_ns);
    const struct vox_delay *delay = &vox_playout_timing(source->playout)->delay;
    if (vox_delay_skew_is_sure(delay))
        vox_drift_learn(&source->drift, vox_delay_skew_ppm(delay));
    vox_drift_update(&source->drift, source->current_ns, vox_playout_target_ns(source->playout),
                     dt_ns);
}

/* At most CHUNK frames at 48 kHz, mapped to the output's channels. Returns those that count. */
static int produce(struct vox_source *source, float *pcm, int frames, int64_t now_ns,
                   int64_t playout_ns)
{
    float raw[VOX_SOURCE_CHUNK * 2];
    int valid = vox_playout_produce(source->playout, raw, frames, now_ns, playout_ns);
    vox_pcm_remix(raw, vox_playout_channels(source->playout), (size_t)frames, pcm,
                  source->config->output_channels);
    return valid;
}

/* What is left on its way into the resampler, when the source has just become the one to follow. */
static int take_chunk(struct vox_source *source, float *pcm, int frames)
{
    int channels = source->config->output_channels;
    int n = source->chunk_frames < frames ? source->chunk_frames : frames;
    memcpy(pcm, source->chunk + source->chunk_at * channels, (size_t)(n * channels) * sizeof *pcm);
    source->chunk_at += n;
    source->chunk_frames -= n;
    return n;
}

static int pull_direct(struct vox_source *source, float *pcm, int frames, int64_t now_ns,
                       int64_t playout_ns)
{
    int made = take_chunk(source, pcm, frames);
    int valid = made;
    while (made < frames) {
        int n = frames - made < VOX_SOURCE_CHUNK ? frames - made : VOX_SOURCE_CHUNK;
        int got = produce(source, pcm + made * source->config->output_channels, n, now_ns,
                          playout_ns + vox_rtp_to_ns(made));
        if (got > 0)
            valid = made + got;
        made += n;
    }
    return valid;
}

/* What so many frames of output need, and no more than a frame or two: what waits in front of the
 * resampler is delay. */
static int chunk_frames(const struct vox_source *source, int frames)
{
    int64_t needed = (int64_t)frames * VOX_RTP_HZ / source->config->output_hz + 1;
    return needed < VOX_SOURCE_CHUNK ? (int)needed : VOX_SOURCE_CHUNK;
}

/*
 * Chunks wander through the pulls, in time with the skew. Each is said to be asked for as early as
 * the earliest: a lead that wanders would take the delay's target with it.
 */
static int pull_resampled(struct vox_source *source, float *pcm, int frames, int64_t now_ns,
                          int64_t playout_ns)
{
    int channels = source->config->output_channels;
    int64_t end_ns = playout_ns + vox_ticks_to_ns(frames, source->config->output_hz);
    int64_t lead_ns = end_ns + filter_ns(source) - now_ns;
    int valid = 0;
    vox_resample_set_ppm(source->resample, -source->drift.ppm);
    for (int made = 0; made < frames;) {
        size_t used;
        made += (int)vox_resample_process(
            source->resample, source->chunk + source->chunk_at * channels,
            (size_t)source->chunk_frames, &used, pcm + made * channels, (size_t)(frames - made));
        source->chunk_at += (int)used;
        source->chunk_frames -= (int)used;
        if (made == frames || source->chunk_frames > 0)
            continue;
        int64_t t_ns =
            playout_ns + vox_ticks_to_ns(made, source->config->output_hz) + filter_ns(source);
        int n = chunk_frames(source, frames - made);
        valid |= produce(source, source->chunk, n, t_ns - lead_ns, t_ns);
        source->chunk_at = 0;
        source->chunk_frames = n;
    }
    return valid || vox_playout_started(source->playout) ? frames : 0;
}

/* When a file's next pull is due. One pull may come in pieces, at the same now_ns: the correction
 * is of all of it. */
static int64_t after(struct vox_source *source, int frames, int64_t now_ns, int64_t playout_ns)
{
    if (now_ns != source->pull_now_ns)
        source->pull_start_ns = playout_ns;
    source->pull_now_ns = now_ns;
    int64_t end_ns = playout_ns + vox_ticks_to_ns(frames, source->config->output_hz);
    return end_ns - (int64_t)((double)(end_ns - source->pull_start_ns) * source->drift.ppm * 1e-6);
}

int vox_source_pull(struct vox_source *source, float *pcm, int frames, int64_t now_ns,
                    int64_t playout_ns, bool resampled)
{
    int64_t held_ns = resampled ? vox_rtp_to_ns(source->chunk_frames) + filter_ns(source) : 0;
    vox_playout_look(source->playout, now_ns, playout_ns + (resampled ? filter_ns(source) : 0));
    steer(source, playout_ns, held_ns);
    int valid = resampled ? pull_resampled(source, pcm, frames, now_ns, playout_ns)
                          : pull_direct(source, pcm, frames, now_ns, playout_ns);
    source->clocked = vox_playout_started(source->playout);
    source->next_pull_ns = after(source, frames, now_ns, playout_ns);
    if (vox_playout_ended(source->playout) && source->chunk_frames < VOX_SOURCE_CHUNK)
        vox_source_end(source, playout_ns, source->replaced ? VOX_END_REPLACED : VOX_END_BYE);
    return valid;
}

int64_t vox_source_next_pull_ns(const struct vox_source *source)
{
    if (!source->used || source->state != VOX_SOURCE_ACTIVE)
        return VOX_NS_NEVER;
    return source->clocked ? source->next_pull_ns : vox_playout_start_ns(source->playout);
}

int vox_source_block_frames(const struct vox_source *source)
{
    return vox_playout_is_idle(source->playout) ? BLOCK_FRAMES : SHORT_BLOCK;
}

int vox_source_ready_frames(const struct vox_source *source)
{
    int ready = vox_playout_ready_frames(source->playout);
    int block = vox_source_block_frames(source);
    return ready < block ? block : ready < LARGEST_BLOCK ? ready : LARGEST_BLOCK;
}

void vox_source_read_stats(const struct vox_source *source, struct vox_source_stats *out)
{
    memset(out, 0, sizeof *out);
    vox_playout_read_stats(source->playout, out);
    out->index = source->emit.source;
    out->state = source->state;
    out->ssrc = source->emit.ssrc;
    out->path = source->path;
    memcpy(out->cname, source->cname, sizeof out->cname);
    out->payload_type = source->payload_type;
    out->packets.received = source->received;
    out->packets.lost = vox_reception_lost(&source->reception);
    out->packets.reordered = source->reception.reordered;
    out->lbrr_packets = source->lbrr_packets;
    out->red_packets = source->red_packets;
    out->wire.bytes = source->wire_bytes;
    out->wire.copies_bytes = source->copies_bytes;
    out->wire.repeats_bytes = source->repeats_bytes;
    out->wire.first_ns = source->first_packet_ns;
    out->wire.last_ns = source->last_packet_ns;
    out->retransmission.requests = source->requests;
    out->retransmission.asked = source->missing.asked;
    out->retransmission.retried = source->missing.retried;
    out->retransmission.guesses = source->missing.guessed;
    out->retransmission.vain_guesses = source->missing.guessed_wrong;
    out->retransmission.answered = source->answered;
    out->rtt_ns = source->rtt.latest_ns;
    out->jitter_ns = (int64_t)source->reception.jitter_ns;
    out->clock_skew_ppm = vox_delay_skew_ppm(&vox_playout_timing(source->playout)->delay);
    out->resample_ppm = source->drift.ppm;
    out->current_ns = source->current_ns;
}

static void add_wire(struct vox_source_stats *sum, const struct vox_source_stats *one)
{
    bool first = sum->wire.bytes == 0;
    if (one->wire.bytes == 0)
        return;
    if (first || one->wire.first_ns < sum->wire.first_ns)
        sum->wire.first_ns = one->wire.first_ns;
    if (first || one->wire.last_ns > sum->wire.last_ns)
        sum->wire.last_ns = one->wire.last_ns;
    sum->wire.bytes += one->wire.bytes;
    sum->wire.copies_bytes += one->wire.copies_bytes;
    sum->wire.repeats_bytes += one->wire.repeats_bytes;
}

void vox_source_stats_add(struct vox_source_stats *sum, const struct vox_source_stats *one)
{
    sum->packets.received += one->packets.received;
    sum->packets.lost += one->packets.lost;
    sum->packets.late += one->packets.late;
    sum->packets.duplicate += one->packets.duplicate;
    sum->packets.reordered += one->packets.reordered;
    sum->frames.played += one->frames.played;
    sum->frames.decoded += one->frames.decoded;
    sum->frames.concealed += one->frames.concealed;
    sum->frames.from_fec += one->frames.from_fec;
    sum->frames.from_red += one->frames.from_red;
    sum->frames.from_rtx += one->frames.from_rtx;
    sum->retransmission.requests += one->retransmission.requests;
    sum->retransmission.asked += one->retransmission.asked;
    sum->retransmission.retried += one->retransmission.retried;
    sum->retransmission.guesses += one->retransmission.guesses;
    sum->retransmission.vain_guesses += one->retransmission.vain_guesses;
    sum->retransmission.answered += one->retransmission.answered;
    sum->frames.stretched += one->frames.stretched;
    sum->lbrr_packets += one->lbrr_packets;
    sum->red_packets += one->red_packets;
    add_wire(sum, one);
    sum->played_ns += one->played_ns;
    sum->concealed_ns += one->concealed_ns;
    sum->dtx_ns += one->dtx_ns;
    sum->stretched_ns += one->stretched_ns;
    sum->stretch_ops += one->stretch_ops;
    for (int i = 0; i < VOX_GLITCH_CAUSES; i++) {
        sum->glitches[i].count += one->glitches[i].count;
        sum->glitches[i].ns += one->glitches[i].ns;
    }
}
