#include "stream.h"

#include "base/rng.h"
#include "base/rt.h"

#include <math.h>

#define TWO_PI (2 * 3.14159265358979323846)

/* ---- signals ---- */

static double noise(struct vox_rng *rng)
{
    return 2 * vox_rng_uniform(rng) - 1;
}

/* Half a second of each: tones, noise bursts, silence. */
static double mixture(struct vox_rng *rng, size_t i, int channel)
{
    double t = (double)i / VOX_RTP_HZ;
    double detune = channel == 0 ? 1.0 : 1.26;
    switch (i / (VOX_RTP_HZ / 2) % 3) {
    case 0:
        return 0.2 * sin(TWO_PI * 220 * detune * t) + 0.2 * sin(TWO_PI * 1330 * t) +
               0.1 * sin(TWO_PI * 5100 * detune * t);
    case 1:
        return i / 2400 % 2 == 0 ? 0.5 * noise(rng) : 0.01 * noise(rng);
    default:
        return 0;
    }
}

void fill_mixture(float *pcm, size_t frames, int channels, double gain)
{
    struct vox_rng rng;
    vox_rng_init(&rng, 42, 0);
    for (size_t i = 0; i < frames; i++)
        for (int c = 0; c < channels; c++) {
            double x = gain * mixture(&rng, i, c);
            double clipped = x > 32767.0 / 32768 ? 32767.0 / 32768 : x < -1 ? -1 : x;
            pcm[i * (size_t)channels + (size_t)c] = (float)(floor(clipped * 32768) / 32768);
        }
}

void fill_speech(float *pcm, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        double t = (double)i / VOX_RTP_HZ;
        double level = 0.12 + 0.1 * sin(TWO_PI * 3 * t);
        double x = 0;
        for (int harmonic = 1; harmonic <= 12; harmonic++)
            x += sin(TWO_PI * 140 * harmonic * t + harmonic * harmonic) / harmonic;
        pcm[i] = (float)(level * x);
    }
}

void fill_tone(float *pcm, size_t frames, double hz, double level)
{
    for (size_t i = 0; i < frames; i++)
        pcm[i] = (float)(level * sin(TWO_PI * hz * (double)i / VOX_RTP_HZ));
}

double tone_level(const float *pcm, size_t frames, int channels, double hz, int rate_hz)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < frames; i++) {
        double x = (double)pcm[i * (size_t)channels];
        double window = 1 - cos(TWO_PI * (double)i / (double)frames);
        re += window * x * cos(TWO_PI * hz * (double)i / rate_hz);
        im += window * x * sin(TWO_PI * hz * (double)i / rate_hz);
    }
    return 2 * sqrt(re * re + im * im) / (double)frames;
}

/* ---- streams ---- */

void stream_config(struct vox_sender_config *config, enum vox_profile profile, int frame_ticks,
                   int channels)
{
    vox_sender_config_init(config, profile);
    config->frame_ticks = frame_ticks;
    config->channels = channels;
    config->input_channels = channels;
    config->ssrc = STREAM_SSRC;
    config->first_seq = STREAM_FIRST_SEQ;
    config->first_timestamp = STREAM_FIRST_TS;
    config->cname = "someone@somewhere";
}

static void keep_datagram(void *ctx, const struct vox_datagram *datagram)
{
    struct stream *s = ctx;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 256;
        s->packets = realloc(s->packets, s->room * sizeof *s->packets);
        assert_non_null(s->packets);
    }
    struct stream_packet *packet = &s->packets[s->count++];
    packet->rtcp = datagram->kind == VOX_DATAGRAM_RTCP;
    packet->send_ns = datagram->send_ns;
    packet->len = datagram->len;
    memcpy(packet->bytes, datagram->bytes, datagram->len);
    s->end_ns = datagram->send_ns;
}

void stream_record(const struct vox_sender_config *config, const float *pcm, size_t frames,
                   struct stream *out)
{
    struct vox_sender *sender = NULL;
    struct vox_sender_config with = *config;
    *out = (struct stream){0};
    with.on_datagram = keep_datagram;
    with.ctx = out;
    assert_int_equal(vox_sender_create(&with, &sender), 0);
    out->lookahead = vox_sender_lookahead(sender);
    for (size_t at = 0, n; at < frames; at += n) {
        n = frames - at < 4800 ? frames - at : 4800;
        int64_t now_ns = STREAM_START_NS + vox_rtp_to_ns((int64_t)at);
        assert_int_equal(vox_sender_push(sender, pcm + at * (size_t)with.input_channels, n, now_ns),
                         0);
        vox_sender_tick(sender, now_ns + vox_rtp_to_ns((int64_t)n));
    }
    assert_int_equal(vox_sender_finish(sender, STREAM_START_NS), 0);
    vox_sender_destroy(sender);
}

void stream_drop_rtcp(struct stream *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!s->packets[i].rtcp)
            s->packets[kept++] = s->packets[i];
    s->count = kept;
}

struct stream_packet stream_at(const struct stream *s, size_t i)
{
    struct stream_packet packet = s->packets[i % s->count];
    uint32_t ticks = packet_rtp(&s->packets[1]).timestamp - packet_rtp(&s->packets[0]).timestamp;
    packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + i));
    packet_set_ts(&packet, packet_rtp(&s->packets[0]).timestamp + ticks * (uint32_t)i);
    packet.send_ns = s->packets[0].send_ns + vox_rtp_to_ns((int64_t)ticks * (int64_t)i);
    return packet;
}

static void record_mono(struct vox_sender_config *config, float *pcm, size_t frames,
                        struct stream *out)
{
    stream_record(config, pcm, frames, out);
    stream_drop_rtcp(out);
    free(pcm);
}

void stream_voice(enum vox_profile profile, int frame_ticks, int64_t ms, struct stream *out)
{
    struct vox_sender_config config;
    size_t frames = (size_t)ms * 48;
    float *pcm = malloc(frames * sizeof *pcm);
    assert_non_null(pcm);
    fill_speech(pcm, frames);
    stream_config(&config, profile, frame_ticks, 1);
    config.fec = profile == VOX_PROFILE_VOICE;
    record_mono(&config, pcm, frames, out);
}

void stream_tone(double hz, int frame_ticks, int64_t ms, struct stream *out)
{
    struct vox_sender_config config;
    size_t frames = (size_t)ms * 48;
    float *pcm = malloc(frames * sizeof *pcm);
    assert_non_null(pcm);
    fill_tone(pcm, frames, hz, 0.3);
    stream_config(&config, VOX_PROFILE_MUSIC, frame_ticks, 1);
    record_mono(&config, pcm, frames, out);
}

void stream_free(struct stream *s)
{
    free(s->packets);
    *s = (struct stream){0};
}

static void put_be(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

void packet_set_seq(struct stream_packet *packet, uint16_t seq)
{
    put_be(packet->bytes + 2, seq, 2);
}

void packet_set_ts(struct stream_packet *packet, uint32_t ts)
{
    put_be(packet->bytes + 4, ts, 4);
}

void packet_set_ssrc(struct stream_packet *packet, uint32_t ssrc)
{
    put_be(packet->bytes + 8, ssrc, 4);
}

void packet_set_marker(struct stream_packet *packet, bool marker)
{
    packet->bytes[1] = (uint8_t)((packet->bytes[1] & 0x7f) | (marker ? 0x80 : 0));
}

struct vox_rtp packet_rtp(const struct stream_packet *packet)
{
    struct vox_rtp rtp = {0};
    assert_true(vox_rtp_parse(packet->bytes, packet->len, &rtp) >= 0);
    return rtp;
}

/* ---- the player ---- */

static void note_event(void *ctx, const struct vox_event *event)
{
    struct player *p = ctx;
    p->kinds[event->kind]++;
    if (p->event_count < PLAYER_EVENTS)
        p->events[p->event_count++] = *event;
}

static void note_rtcp(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct player *p = ctx;
    p->rtcp_count++;
    p->rtcp_path = path;
    p->rtcp.rtcp = true;
    p->rtcp.send_ns = p->now_ns;
    p->rtcp.len = len;
    memcpy(p->rtcp.bytes, bytes, len);
}

static void note_played(void *ctx, const struct vox_played_packet *packet)
{
    struct player *p = ctx;
    p->played_packets++;
    p->last_played_ts = packet->ts;
}

void player_config(struct vox_receiver_config *config)
{
    vox_receiver_config_init(config);
    config->follow_source = true;
    config->delay_ns = 60 * VOX_NS_PER_MS;
    config->ssrc = 0x99887766;
    config->cname = "player";
}

void player_init(struct player *p, const struct vox_receiver_config *config, size_t keep_frames)
{
    struct vox_receiver_config with = *config;
    memset(p, 0, sizeof *p);
    with.on_event = note_event;
    with.on_rtcp = note_rtcp;
    with.on_played = note_played;
    with.ctx = p;
    p->follow = config->follow_source;
    p->hz = config->output_hz;
    p->channels = config->output_channels;
    p->now_ns = STREAM_START_NS;
    p->device_start_ns = STREAM_START_NS;
    p->device_frames = p->hz / 100;
    p->device_lead_ns = 10 * VOX_NS_PER_MS;
    p->room = keep_frames;
    p->pcm = calloc(keep_frames + 1, (size_t)p->channels * sizeof *p->pcm);
    assert_non_null(p->pcm);
    assert_int_equal(vox_receiver_create(&with, &p->receiver), 0);
}

void player_free(struct player *p)
{
    vox_receiver_destroy(p->receiver);
    free(p->pcm);
    p->receiver = NULL;
    p->pcm = NULL;
}

static int64_t next_pull_ns(const struct player *p)
{
    if (p->follow)
        return vox_receiver_next_pull_ns(p->receiver);
    int64_t nominal_ns = vox_ticks_to_ns(p->device_pulled, p->hz);
    return p->device_start_ns + nominal_ns - (int64_t)((double)nominal_ns * p->device_ppm * 1e-6);
}

static void hear(struct player *p, const float *pcm, int frames, int64_t playout_ns)
{
    size_t left = p->room - p->frames;
    size_t n = (size_t)frames < left ? (size_t)frames : left;
    size_t channels = (size_t)p->channels;
    memcpy(p->pcm + p->frames * channels, pcm, n * channels * sizeof *pcm);
    p->frames += n;
    if (p->sink)
        p->sink(p->sink_ctx, pcm, frames, playout_ns);
}

static void pull(struct player *p, int64_t due_ns)
{
    float pcm[PLAYER_FRAMES * 2];
    int frames = p->follow ? vox_receiver_block_frames(p->receiver) : p->device_frames;
    int64_t playout_ns = p->follow ? due_ns : due_ns + p->device_lead_ns;
    assert_in_range(frames, 1, PLAYER_FRAMES);
    vox_rt_enter();
    int valid = vox_receiver_pull(p->receiver, pcm, frames, p->now_ns, playout_ns);
    vox_rt_leave();
    assert_in_range(valid, 0, frames);
    p->device_pulled += frames;
    hear(p, pcm, p->follow ? valid : frames, playout_ns);
}

void player_run(struct player *p, int64_t until_ns)
{
    for (;;) {
        int64_t pull_ns = next_pull_ns(p);
        int64_t tick_ns = vox_receiver_next_deadline_ns(p->receiver);
        int64_t next_ns = pull_ns < tick_ns ? pull_ns : tick_ns;
        if (next_ns >= until_ns)
            break;
        p->now_ns = next_ns > p->now_ns ? next_ns : p->now_ns;
        if (pull_ns <= tick_ns) {
            pull(p, pull_ns);
        } else {
            vox_rt_enter();
            vox_receiver_tick(p->receiver, p->now_ns);
            vox_rt_leave();
        }
    }
    p->now_ns = until_ns > p->now_ns ? until_ns : p->now_ns;
}

enum vox_push_result player_push_bytes(struct player *p, const void *bytes, size_t len,
                                       int64_t arrival_ns, uint32_t path)
{
    player_run(p, arrival_ns);
    vox_rt_enter();
    enum vox_push_result result = vox_receiver_push(p->receiver, bytes, len, arrival_ns, path);
    vox_rt_leave();
    return result;
}

enum vox_push_result player_push(struct player *p, const struct stream_packet *packet,
                                 int64_t arrival_ns)
{
    return player_push_bytes(p, packet->bytes, packet->len, arrival_ns, STREAM_PATH);
}

const struct vox_receiver_stats *player_stats(struct player *p)
{
    vox_receiver_read_stats(p->receiver, &p->stats);
    return &p->stats;
}

const struct vox_source_stats *player_source(struct player *p)
{
    player_stats(p);
    assert_true(p->stats.source_count > 0);
    return &p->stats.sources[0];
}

const struct vox_event *player_event(const struct player *p, enum vox_event_kind kind, size_t n)
{
    for (size_t i = 0; i < p->event_count; i++)
        if (p->events[i].kind == kind && n-- == 0)
            return &p->events[i];
    return NULL;
}
