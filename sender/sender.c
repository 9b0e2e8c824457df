#include "sender/sender.h"

#include "sender/sender_adapt.h"
#include "sender/sender_config.h"
#include "sender/sender_emit.h"
#include "sender/sender_repeat.h"
#include "sender/sender_state.h"

#include "base/err.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>

enum {
    GOODBYES = 3, /* nobody acknowledges a BYE */
};

/* Further apart than a burst of losses usually lasts. */
#define GOODBYE_SPACING_NS (100 * VOX_NS_PER_MS)

/*
 * A frame that would leave so much too late is left out: no live receiver waits for it, but all
 * would learn from it that this network is slow.
 */
#define STALE_NS (20 * VOX_NS_PER_MS)

/* The largest sample of 16-bit audio: what a clipped recording is full of. */
#define FULL_SCALE (32767.0F / 32768.0F)

/* When the resampler, if there is one, has given the frame's last sample. */
static int64_t due_ns(const struct vox_sender *s, const struct vox_frame *frame)
{
    return frame->capture_ns + s->frame_ns + vox_framer_delay_ns(s->framer);
}

/* Adds copies of earlier packets to what the encoder made, and keeps it for later ones. */
static void protect(struct vox_sender *s, struct vox_packetizer_frame *content)
{
    struct vox_protect_frame frame = {.position_ticks = content->position_ticks,
                                      .payload = content->payload,
                                      .payload_bytes = content->payload_bytes};
    int bytes = vox_protect_wrap(&s->protect, &frame, s->red, sizeof s->red);
    vox_protect_keep(&s->protect, &frame);
    if (bytes == 0)
        return;
    s->stats.red_packets++;
    s->stats.redundant_bytes += (size_t)bytes - content->payload_bytes;
    content->payload_type = s->config.red_payload_type;
    content->payload = s->red;
    content->payload_bytes = (size_t)bytes;
}

/* For the reports about it, ours and the receivers'. */
static void book(struct vox_sender *s, const struct vox_frame *frame,
                 const struct vox_packetizer_frame *content, size_t len)
{
    int64_t send_ns = due_ns(s, frame);
    if (s->stats.packets == 0 || send_ns > s->last_send_ns)
        s->last_send_ns = send_ns;
    s->stats.packets++;
    struct vox_feedback_packet sent = {
        .timestamp = vox_packetizer_timestamp(&s->packetizer, frame->position_ticks),
        .capture_ns = frame->capture_ns - s->lookahead_ns,
        .send_ns = s->last_send_ns,
        .payload_bytes = content->payload_bytes,
    };
    vox_feedback_sent(&s->feedback, &sent);
    if (s->config.adapt)
        vox_adapt_sent(&s->adapt, vox_feedback_newest_seq(&s->feedback),
                       (int64_t)len + VOX_SENDER_IP_UDP_BYTES, s->last_send_ns);
}

static void send_packet(struct vox_sender *s, const struct vox_frame *frame, size_t payload_bytes)
{
    struct vox_packetizer_frame content = {
        .position_ticks = frame->position_ticks,
        .capture_unix_ns = frame->capture_ns - s->lookahead_ns + s->config.wall_offset_ns,
        .payload_type = s->config.payload_type,
        .payload = s->payload,
        .payload_bytes = payload_bytes,
    };
    protect(s, &content);
    int len = vox_packetizer_write(&s->packetizer, &content, s->datagram, sizeof s->datagram);
    if (len < 0) {
        s->err = len;
        return;
    }
    book(s, frame, &content, (size_t)len);
    s->stats.payload_bytes += payload_bytes;
    vox_sender_repeat_keep(s, (size_t)len, payload_bytes);
    vox_sender_emit(s, VOX_DATAGRAM_RTP, (size_t)len, s->last_send_ns);
    if (s->stats.packets == 1)
        vox_sender_emit_report(s, s->last_send_ns, false);
}

static void on_frame(void *ctx, const struct vox_frame *frame)
{
    struct vox_sender *s = ctx;
    struct vox_encoded encoded;
    s->stats.frames_captured += (uint64_t)s->config.frame_ticks;
    if (due_ns(s, frame) + STALE_NS < s->reached_ns) {
        s->stats.stale_frames++;
        return;
    }
    int err = vox_encoder_encode(s->encoder, frame->pcm, s->payload, sizeof s->payload, &encoded);
    if (err < 0) {
        s->err = err;
        return;
    }
    if (encoded.silent) {
        s->stats.dtx_packets++;
        vox_packetizer_pause(&s->packetizer);
        return;
    }
    s->stats.lbrr_packets += encoded.has_lbrr;
    s->stats.stereo_packets += encoded.channels == 2;
    send_packet(s, frame, encoded.bytes);
}

static int create_encoder(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    bool untouched = c->input_hz == VOX_RTP_HZ && c->input_channels == c->channels;
    struct vox_encoder_config encoder = {
        .profile = c->profile,
        .channels = c->channels,
        .frame_ticks = c->frame_ticks,
        .bitrate_bps = vox_sender_config_bitrate_bps(c),
        .complexity = c->complexity,
        .dtx = c->dtx,
        .fec = c->fec,
        .expected_loss_pct = c->expected_loss_pct,
        .input_bits = untouched ? c->input_bits : VOX_SENDER_FLOAT_BITS,
    };
    return vox_encoder_create(&encoder, &s->encoder);
}

static int create_repeat(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    struct vox_repeat_config repeat = {
        .media_ssrc = c->ssrc,
        .rtx_ssrc = c->rtx_ssrc,
        .payload_type = c->rtx_payload_type,
        .first_seq = c->rtx_first_seq,
        .packet_ns = vox_rtp_to_ns(c->frame_ticks),
        .ahead_ns = c->ahead_ns,
    };
    return c->rtx ? vox_repeat_create(&repeat, &s->repeat) : 0;
}

static int create_framer(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    struct vox_framer_config framer = {
        .in_hz = c->input_hz,
        .in_channels = c->input_channels,
        .channels = c->channels,
        .frame_ticks = c->frame_ticks,
        .on_frame = on_frame,
        .ctx = s,
    };
    return vox_framer_create(&framer, &s->framer);
}

static int create_stages(struct vox_sender *s)
{
    int err = create_encoder(s);
    if (err >= 0)
        err = create_repeat(s);
    return err >= 0 ? create_framer(s) : err;
}

static void init_stages(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    vox_packetizer_init(&s->packetizer, &(struct vox_packetizer_config){
                                            .ssrc = c->ssrc,
                                            .capture_time_id = c->capture_time_id,
                                            .first_seq = c->first_seq,
                                            .first_timestamp = c->first_timestamp,
                                            .frame_ticks = c->frame_ticks,
                                        });
    vox_protect_init(&s->protect, &(struct vox_protect_config){
                                      .payload_type = c->payload_type,
                                      .frame_ticks = c->frame_ticks,
                                  });
    vox_sender_adapt_begin(s);
    vox_feedback_init(&s->feedback, &(struct vox_feedback_config){
                                        .ssrc = c->ssrc,
                                        .cname = c->cname,
                                        .seed = c->seed,
                                        .first_seq = c->first_seq,
                                        .wall_offset_ns = c->wall_offset_ns,
                                    });
    s->config.cname = s->feedback.cname;
    s->frame_ns = vox_rtp_to_ns(c->frame_ticks);
    s->lookahead_ns = vox_rtp_to_ns(vox_encoder_lookahead(s->encoder));
}

int vox_sender_create(const struct vox_sender_config *config, struct vox_sender **out)
{
    if (!vox_sender_config_is_valid(config))
        return VOX_EINVAL;
    struct vox_sender *s = calloc(1, sizeof *s);
    if (!s)
        return VOX_ENOMEM;
    s->config = *config;
    int err = create_stages(s);
    if (err < 0) {
        vox_sender_destroy(s);
        return err;
    }
    init_stages(s);
    *out = s;
    return 0;
}

void vox_sender_destroy(struct vox_sender *s)
{
    if (!s)
        return;
    vox_framer_destroy(s->framer);
    vox_encoder_destroy(s->encoder);
    vox_repeat_destroy(s->repeat);
    free(s);
}

static void tell(const struct vox_sender *s, enum vox_sender_event_kind kind, int64_t t_ns,
                 int64_t value_ns)
{
    vox_sender_emit_event(
        s, &(struct vox_sender_event){.kind = kind, .t_ns = t_ns, .value_ns = value_ns});
}

static void measure_level(struct vox_sender *s, const float *pcm, size_t samples)
{
    vox_pcm_meter_add(&s->meter, pcm, samples);
    for (size_t i = 0; i < samples; i++)
        s->stats.clipped_samples += fabsf(pcm[i]) >= FULL_SCALE;
}

static int take_error(struct vox_sender *s)
{
    int err = s->err;
    s->err = 0;
    return err;
}

int vox_sender_push(struct vox_sender *s, const float *pcm, size_t frames, int64_t capture_ns)
{
    if (s->finished)
        return VOX_EEND;
    measure_level(s, pcm, frames * (size_t)s->config.input_channels);
    s->reached_ns = capture_ns;
    int64_t gap_ns = vox_framer_push(s->framer, pcm, frames, capture_ns);
    if (gap_ns > 0) {
        s->stats.capture_gaps++;
        s->stats.capture_gap_ns += gap_ns;
        tell(s, VOX_SENDER_EVENT_CAPTURE_GAP, capture_ns, gap_ns);
    }
    return take_error(s);
}

int vox_sender_flush(struct vox_sender *s, int64_t capture_ns)
{
    if (s->finished)
        return VOX_EEND;
    s->reached_ns = capture_ns;
    vox_framer_flush(s->framer);
    return take_error(s);
}

int vox_sender_set_input(struct vox_sender *s, int input_hz, int input_channels)
{
    struct vox_sender_config config = s->config;
    config.input_hz = input_hz;
    config.input_channels = input_channels;
    if (!vox_sender_config_is_valid(&config))
        return VOX_EINVAL;
    if (s->finished)
        return VOX_EEND;
    s->reached_ns = INT64_MIN;
    int err = vox_framer_set_input(s->framer, input_hz, input_channels);
    if (err < 0)
        return err;
    s->config = config;
    return take_error(s);
}

int vox_sender_finish(struct vox_sender *s, int64_t now_ns)
{
    if (s->finished)
        return VOX_EEND;
    s->reached_ns = INT64_MIN;
    vox_framer_flush(s->framer);
    s->finished = true;
    int64_t end_ns = now_ns > s->last_send_ns ? now_ns : s->last_send_ns;
    for (int i = 0; i < GOODBYES && s->stats.packets > 0; i++)
        vox_sender_emit_report(s, end_ns + i * GOODBYE_SPACING_NS, true);
    return take_error(s);
}

int vox_sender_feed(struct vox_sender *s, const void *datagram, size_t len, int64_t arrival_ns)
{
    int news = vox_feedback_feed(&s->feedback, datagram, len, arrival_ns);
    if (news < 0) {
        s->stats.rtcp_rejected++;
        return 0;
    }
    s->stats.rtcp_received++;
    if (news & VOX_FEEDBACK_REPORT)
        tell(s, VOX_SENDER_EVENT_REPORT, arrival_ns, s->feedback.view.rtt_ns);
    if ((news & VOX_FEEDBACK_FATES) && s->config.adapt)
        vox_sender_adapt_report(s, arrival_ns);
    if (news & VOX_FEEDBACK_BYE)
        tell(s, VOX_SENDER_EVENT_RECEIVER_BYE, arrival_ns, 0);
    bool asks = vox_sender_repeat_answer(s, datagram, len, arrival_ns);
    return news != 0 || asks;
}

int64_t vox_sender_next_deadline_ns(const struct vox_sender *s)
{
    return vox_feedback_next_deadline_ns(&s->feedback);
}

void vox_sender_tick(struct vox_sender *s, int64_t now_ns)
{
    if (now_ns >= vox_feedback_next_deadline_ns(&s->feedback))
        vox_sender_emit_report(s, now_ns, false);
}

int vox_sender_lookahead(const struct vox_sender *s)
{
    return vox_encoder_lookahead(s->encoder);
}

void vox_sender_read_stats(struct vox_sender *s, struct vox_sender_stats *out)
{
    const struct vox_feedback_view *view = &s->feedback.view;
    *out = s->stats;
    vox_sender_repeat_read_stats(s, out);
    out->reports = view->reports;
    out->reported_loss_pct = view->loss_pct;
    out->reported_lost = view->lost;
    out->reported_jitter_ns = view->jitter_ns;
    out->rtt_ns = view->rtt_ns;
    out->protection = s->protection;
    out->copies = s->protect.carried;
    out->copies_too_long = s->protect.too_long;
    out->copies_absent = s->protect.absent;
    out->adapt_loss_pct = 100 * s->adapt.network.loss.share;
    out->adapt_burst_packets = s->adapt.network.loss.burst;
    out->wire_cap_bps = s->adapt.congestion.cap_bps;
    out->burst_packets = view->burst_packets;
    out->rms_db = vox_pcm_meter_rms_db(&s->meter, &out->peak_db);
}
