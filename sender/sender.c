#include "sender/sender.h"

#include "sender/adapt.h"
#include "sender/encoder.h"
#include "sender/feedback.h"
#include "sender/framer.h"
#include "sender/packetizer.h"
#include "sender/protect.h"
#include "sender/repeat.h"

#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"
#include "wire/hdrext.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    IP_UDP_BYTES = 28, /* IPv4 and UDP headers without options */
    DEFAULT_PAYLOAD_TYPE = 96,
    DEFAULT_RED_PAYLOAD_TYPE = 97,
    DEFAULT_RTX_PAYLOAD_TYPE = 98,
    FLOAT_BITS = 24, /* what libopus assumes of float samples */
    DEFAULT_EXPECTED_LOSS_PCT = 8,
    GOODBYES = 3, /* nobody acknowledges a BYE */
};

/* Further apart than a burst of losses usually lasts. */
#define GOODBYE_SPACING_NS (100 * VOX_NS_PER_MS)

/*
 * A frame that would leave so much too late is left out: no live receiver waits for it, but all
 * would learn from it that this network is slow.
 */
#define STALE_NS (20 * VOX_NS_PER_MS)

/* That repairs may cost: what a conversation bears beside a network's own delay (ITU-T G.114). */
#define DEFAULT_MAX_DELAY_NS (100 * VOX_NS_PER_MS)

/* The largest sample of 16-bit audio: what a clipped recording is full of. */
#define FULL_SCALE (32767.0F / 32768.0F)

_Static_assert((int)VOX_SENDER_MAX_COPIES == VOX_RED_MAX_COPIES, "a list of distances is one");

struct vox_sender {
    struct vox_sender_config config;
    struct vox_framer *framer;
    struct vox_encoder *encoder;
    struct vox_packetizer packetizer;
    struct vox_protect protect;
    struct vox_repeat *repeat; /* NULL: nothing is repeated */
    struct vox_feedback feedback;
    struct vox_adapt adapt; /* if that is wanted */
    struct vox_protection protection;
    struct vox_pcm_meter meter;
    struct vox_sender_stats stats;
    int64_t frame_ns;
    int64_t lookahead_ns;
    int64_t last_send_ns; /* of RTP; send times never decrease */
    int64_t reached_ns;   /* by capture, in the call that runs; INT64_MIN: nothing is overdue */
    bool finished;
    int err; /* of the encoder, from inside the framer's callback */
    uint8_t payload[VOX_ENCODER_MAX_BYTES];
    uint8_t red[VOX_ENCODER_MAX_BYTES];
    uint8_t datagram[VOX_RTP_MAX_BYTES];
};

void vox_sender_config_init(struct vox_sender_config *config, enum vox_profile profile)
{
    const struct vox_profile_settings *settings = vox_profile_settings(profile);
    *config = (struct vox_sender_config){
        .input_hz = VOX_RTP_HZ,
        .input_channels = 1,
        .input_bits = FLOAT_BITS,
        .channels = 1,
        .profile = profile,
        .frame_ticks = settings ? settings->frame_ticks : 960,
        .complexity = settings ? settings->complexity : 9,
        .expected_loss_pct = DEFAULT_EXPECTED_LOSS_PCT,
        .payload_type = DEFAULT_PAYLOAD_TYPE,
        .red_payload_type = DEFAULT_RED_PAYLOAD_TYPE,
        .max_delay_ns = DEFAULT_MAX_DELAY_NS,
        .prefer_ms = VOX_PREFER_BALANCED_MS,
        .rtx_payload_type = DEFAULT_RTX_PAYLOAD_TYPE,
        .capture_time_id = VOX_HDREXT_CAPTURE_TIME_ID,
        .cname = "voxgram",
    };
}

/* 64..95 would read as RTCP on a port that both share (RFC 5761, section 4). */
static bool is_payload_type(uint8_t type)
{
    return type < 64 || (type > 95 && type < 128);
}

static bool is_red_valid(const struct vox_sender_config *c)
{
    return vox_protect_can(c->red_distances, c->frame_ticks) &&
           ((c->red_distances[0] == 0 && !c->adapt) ||
            (is_payload_type(c->red_payload_type) && c->red_payload_type != c->payload_type));
}

static bool is_budget_valid(const struct vox_sender_config *c)
{
    return c->max_delay_ns >= 0 && c->max_wire_bps >= 0 && c->prefer_ms >= VOX_PREFER_LEAST_MS &&
           c->prefer_ms <= VOX_PREFER_MOST_MS;
}

static bool is_rtx_valid(const struct vox_sender_config *c)
{
    return !c->rtx || (is_payload_type(c->rtx_payload_type) && c->rtx_ssrc != c->ssrc &&
                       c->rtx_payload_type != c->payload_type &&
                       (c->red_distances[0] == 0 || c->rtx_payload_type != c->red_payload_type));
}

/* The encoder checks its own part. */
static bool is_valid(const struct vox_sender_config *c)
{
    return c->on_datagram && c->input_hz >= 1000 && c->input_hz <= 768000 && c->input_bits >= 8 &&
           c->input_bits <= FLOAT_BITS && c->input_channels >= 1 && c->input_channels <= 8 &&
           is_payload_type(c->payload_type) && is_red_valid(c) && is_rtx_valid(c) &&
           is_budget_valid(c) && c->capture_time_id <= 14 && c->cname && c->cname[0] != '\0' &&
           strlen(c->cname) <= VOX_RTCP_MAX_TEXT;
}

static int bitrate_of(const struct vox_sender_config *c)
{
    const struct vox_profile_settings *settings = vox_profile_settings(c->profile);
    if (c->bitrate_bps != 0 || !settings)
        return c->bitrate_bps;
    return settings->bitrate_bps[c->channels == 2];
}

static void emit(struct vox_sender *s, enum vox_datagram_kind kind, size_t len, int64_t send_ns)
{
    s->stats.wire_bytes += len + IP_UDP_BYTES;
    struct vox_datagram datagram = {
        .kind = kind, .bytes = s->datagram, .len = len, .send_ns = send_ns};
    s->config.on_datagram(s->config.ctx, &datagram);
}

/* Another protection from the next frame on. */
static void set_protection(struct vox_sender *s, const struct vox_protection *protection)
{
    s->protection = *protection;
    vox_protect_set(&s->protect, protection->distances);
    int err = vox_encoder_set(s->encoder, protection->bitrate_bps, protection->fec);
    if (err < 0)
        s->err = err;
}

static bool is_asked(const struct vox_sender *s)
{
    struct vox_repeat_stats repeats;
    if (!s->repeat)
        return false;
    vox_repeat_read_stats(s->repeat, &repeats);
    return repeats.asked > 0;
}

static void adapt(struct vox_sender *s, int64_t now_ns)
{
    enum vox_adapt_reason reason;
    struct vox_adapt_view view = {
        .now_ns = now_ns,
        .rtt_ns = s->feedback.view.rtt_ns,
        .jitter_ns = s->feedback.view.jitter_ns,
        .is_asked = is_asked(s),
    };
    if (!vox_adapt_report(&s->adapt, &s->feedback.fates, &view, &reason))
        return;
    set_protection(s, &s->adapt.protection);
    s->stats.adaptations++;
    s->stats.adapt_reason = reason;
    const struct vox_odds_loss *loss = &s->adapt.network.loss;
    struct vox_sender_event event = {
        .kind = VOX_SENDER_EVENT_ADAPTED,
        .t_ns = now_ns,
        .reason = reason,
        .protection = s->protection,
        .loss_pct = 100 * loss->share,
        .burst_packets = loss->burst,
        .wire_bps = vox_dial_wire_bps(&s->adapt.dial, &s->protection),
    };
    if (s->config.on_event)
        s->config.on_event(s->config.ctx, &event);
}

static void emit_report(struct vox_sender *s, int64_t now_ns, bool bye)
{
    int len = vox_feedback_report(&s->feedback, now_ns, bye, s->datagram, sizeof s->datagram);
    if (len <= 0)
        return;
    s->stats.rtcp_sent++;
    emit(s, VOX_DATAGRAM_RTCP, (size_t)len, now_ns);
}

static void emit_event(struct vox_sender *s, enum vox_sender_event_kind kind, int64_t t_ns,
                       int64_t value_ns)
{
    struct vox_sender_event event = {.kind = kind, .t_ns = t_ns, .value_ns = value_ns};
    if (s->config.on_event)
        s->config.on_event(s->config.ctx, &event);
}

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

/* Of a packet with copies, what was coded for it alone. */
static void keep_for_repeats(struct vox_sender *s, size_t len, size_t payload_bytes)
{
    struct vox_rtp rtp;
    if (!s->repeat || vox_rtp_parse(s->datagram, len, &rtp) < 0)
        return;
    rtp.payload_type = s->config.payload_type;
    rtp.payload = s->payload;
    rtp.payload_bytes = payload_bytes;
    vox_repeat_sent(s->repeat, &rtp, s->last_send_ns);
}

static bool repeat_what_is_missed(struct vox_sender *s, const void *request, size_t request_bytes,
                                  int64_t now_ns)
{
    if (!s->repeat || !vox_repeat_ask(s->repeat, request, request_bytes))
        return false;
    size_t len;
    int64_t rtt_ns = s->feedback.view.rtt_ns;
    while (s->protection.repeat &&
           (len = vox_repeat_next(s->repeat, now_ns, rtt_ns, s->datagram, sizeof s->datagram)) > 0)
        emit(s, VOX_DATAGRAM_RTX, len, now_ns);
    return true;
}

static void send_packet(struct vox_sender *s, const struct vox_frame *frame, size_t payload_bytes)
{
    int64_t decoded_ns = frame->capture_ns - s->lookahead_ns;
    struct vox_packetizer_frame content = {
        .position_ticks = frame->position_ticks,
        .capture_unix_ns = decoded_ns + s->config.wall_offset_ns,
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
    int64_t send_ns = due_ns(s, frame);
    if (s->stats.packets == 0 || send_ns > s->last_send_ns)
        s->last_send_ns = send_ns;
    s->stats.packets++;
    s->stats.payload_bytes += payload_bytes;
    struct vox_feedback_packet sent = {
        .timestamp = vox_packetizer_timestamp(&s->packetizer, frame->position_ticks),
        .capture_ns = decoded_ns,
        .send_ns = s->last_send_ns,
        .payload_bytes = content.payload_bytes,
    };
    vox_feedback_sent(&s->feedback, &sent);
    if (s->config.adapt)
        vox_adapt_sent(&s->adapt, vox_feedback_newest_seq(&s->feedback), len + IP_UDP_BYTES,
                       s->last_send_ns);
    keep_for_repeats(s, (size_t)len, payload_bytes);
    emit(s, VOX_DATAGRAM_RTP, (size_t)len, s->last_send_ns);
    if (s->stats.packets == 1)
        emit_report(s, s->last_send_ns, false);
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

static int create_stages(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    bool untouched = c->input_hz == VOX_RTP_HZ && c->input_channels == c->channels;
    struct vox_encoder_config encoder = {
        .profile = c->profile,
        .channels = c->channels,
        .frame_ticks = c->frame_ticks,
        .bitrate_bps = bitrate_of(c),
        .complexity = c->complexity,
        .dtx = c->dtx,
        .fec = c->fec,
        .expected_loss_pct = c->expected_loss_pct,
        .input_bits = untouched ? c->input_bits : FLOAT_BITS,
    };
    int err = vox_encoder_create(&encoder, &s->encoder);
    if (err < 0)
        return err;
    struct vox_repeat_config repeat = {
        .media_ssrc = c->ssrc,
        .rtx_ssrc = c->rtx_ssrc,
        .payload_type = c->rtx_payload_type,
        .first_seq = c->rtx_first_seq,
        .packet_ns = vox_rtp_to_ns(c->frame_ticks),
    };
    if (c->rtx && (err = vox_repeat_create(&repeat, &s->repeat)) < 0)
        return err;
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

static struct vox_protection begin_adapt(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    vox_adapt_init(&s->adapt, &(struct vox_adapt_config){
                                  .dial = {.profile = c->profile,
                                           .channels = c->channels,
                                           .frame_ticks = c->frame_ticks,
                                           .bitrate_bps = bitrate_of(c),
                                           .max_delay_ns = c->max_delay_ns,
                                           .prefer_ms = c->prefer_ms},
                                  .max_wire_bps = c->max_wire_bps,
                                  .may_repeat = c->rtx,
                              });
    return s->adapt.protection;
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
    struct vox_protection protection = {
        .bitrate_bps = bitrate_of(c), .fec = c->fec, .repeat = c->rtx};
    memcpy(protection.distances, c->red_distances, sizeof protection.distances);
    if (c->adapt)
        protection = begin_adapt(s);
    set_protection(s, &protection);
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
    if (!is_valid(config))
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
        emit_event(s, VOX_SENDER_EVENT_CAPTURE_GAP, capture_ns, gap_ns);
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
    if (!is_valid(&config))
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
        emit_report(s, end_ns + i * GOODBYE_SPACING_NS, true);
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
        emit_event(s, VOX_SENDER_EVENT_REPORT, arrival_ns, s->feedback.view.rtt_ns);
    if ((news & VOX_FEEDBACK_FATES) && s->config.adapt)
        adapt(s, arrival_ns);
    if (news & VOX_FEEDBACK_BYE)
        emit_event(s, VOX_SENDER_EVENT_RECEIVER_BYE, arrival_ns, 0);
    bool asks = repeat_what_is_missed(s, datagram, len, arrival_ns);
    return news != 0 || asks;
}

int64_t vox_sender_next_deadline_ns(const struct vox_sender *s)
{
    return vox_feedback_next_deadline_ns(&s->feedback);
}

void vox_sender_tick(struct vox_sender *s, int64_t now_ns)
{
    if (now_ns >= vox_feedback_next_deadline_ns(&s->feedback))
        emit_report(s, now_ns, false);
}

int vox_sender_lookahead(const struct vox_sender *s)
{
    return vox_encoder_lookahead(s->encoder);
}

static void read_repeats(const struct vox_sender *s, struct vox_sender_stats *out)
{
    struct vox_repeat_stats repeats;
    if (!s->repeat)
        return;
    vox_repeat_read_stats(s->repeat, &repeats);
    out->nacks_received = repeats.nacks;
    out->rtx_asked = repeats.asked;
    out->rtx_packets = repeats.sent;
    out->rtx_refused = repeats.gone + repeats.early + repeats.excess;
    out->rtx_bytes = repeats.bytes + repeats.sent * IP_UDP_BYTES;
}

void vox_sender_read_stats(struct vox_sender *s, struct vox_sender_stats *out)
{
    const struct vox_feedback_view *view = &s->feedback.view;
    *out = s->stats;
    read_repeats(s, out);
    out->reports = view->reports;
    out->reported_loss_pct = view->loss_pct;
    out->reported_lost = view->lost;
    out->reported_jitter_ns = view->jitter_ns;
    out->rtt_ns = view->rtt_ns;
    out->protection = s->protection;
    out->adapt_loss_pct = 100 * s->adapt.network.loss.share;
    out->adapt_burst_packets = s->adapt.network.loss.burst;
    out->wire_cap_bps = s->adapt.congestion.cap_bps;
    out->burst_packets = view->burst_packets;
    out->rms_db = vox_pcm_meter_rms_db(&s->meter, &out->peak_db);
}
