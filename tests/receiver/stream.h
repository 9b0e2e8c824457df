/*
 * Streams and a listening host in virtual time, for the tests of the receiver.
 *
 *     struct stream s;
 *     stream_voice(VOX_PROFILE_VOICE, 960, 2000, &s);           // 2 s of speech, as datagrams
 *     player_init(&p, &config, 2 * 48000);
 *     for (size_t i = 0; i < s.count; i++)
 *         player_push(&p, &s.packets[i], s.packets[i].send_ns);
 *     player_run(&p, s.end_ns + VOX_NS_PER_S);
 *     assert_int_equal(player_source(&p)->packets.lost, 0);
 *
 * A player pulls as a host would: by the sender's clock (follow_source), or by that of a device of
 * its own. It calls the engine inside real-time sections, so an allocation anywhere aborts the
 * test.
 */
#ifndef VOX_TEST_STREAM_H
#define VOX_TEST_STREAM_H

#include "base/time.h"
#include "receiver/receiver.h"
#include "sender/sender.h"
#include "support/test.h"
#include "wire/rtp.h"

enum {
    STREAM_SSRC = 0x11223344,
    STREAM_FIRST_SEQ = 1000,
    STREAM_FIRST_TS = 5000,
    STREAM_PATH = 7,
    PLAYER_EVENTS = 1024,
    PLAYER_FRAMES = 4096, /* of one pull, at most */
};

#define STREAM_START_NS (100 * VOX_NS_PER_S)

struct stream_packet {
    bool rtcp;
    int64_t send_ns;
    size_t len;
    uint8_t bytes[VOX_RTP_MAX_BYTES];
};

struct stream {
    struct stream_packet *packets;
    size_t count, room;
    int64_t end_ns; /* when the last one is due */
    int lookahead;  /* the encoder's, in ticks */
};

/* A sender's configuration with the constants above. */
void stream_config(struct vox_sender_config *config, enum vox_profile profile, int frame_ticks,
                   int channels);
/* All datagrams that the sender makes of the PCM, which begins at STREAM_START_NS. */
void stream_record(const struct vox_sender_config *config, const float *pcm, size_t frames,
                   struct stream *out);
/* RTP only: mono speech-like sound. */
void stream_voice(enum vox_profile profile, int frame_ticks, int64_t ms, struct stream *out);
/* RTP only: a mono tone, for `profile` music. */
void stream_tone(double hz, int frame_ticks, int64_t ms, struct stream *out);
void stream_drop_rtcp(struct stream *s);
/* The i-th packet of the stream repeated for ever, with its numbers and times going on. */
struct stream_packet stream_at(const struct stream *s, size_t i);
void stream_free(struct stream *s);

/* Rewrites the header in place. */
void packet_set_seq(struct stream_packet *packet, uint16_t seq);
void packet_set_ts(struct stream_packet *packet, uint32_t ts);
void packet_set_ssrc(struct stream_packet *packet, uint32_t ssrc);
void packet_set_marker(struct stream_packet *packet, bool marker);
struct vox_rtp packet_rtp(const struct stream_packet *packet);

/* Tones, noise bursts and silence; different in both channels. `gain` 1 stays below full scale. */
void fill_mixture(float *pcm, size_t frames, int channels, double gain);
/* Something like speech: a harmonic sound of 140 Hz whose level comes and goes. */
void fill_speech(float *pcm, size_t frames);
void fill_tone(float *pcm, size_t frames, double hz, double level);
/* Amplitude of a tone in 48 kHz (or other) PCM with this many channels, first channel. */
double tone_level(const float *pcm, size_t frames, int channels, double hz, int rate_hz);

struct player {
    struct vox_receiver *receiver;
    bool follow;
    int hz, channels;
    int64_t now_ns;
    /* The device, if it is one: how its clock runs, how much it asks for, how far ahead. */
    double device_ppm;
    int device_frames;
    int64_t device_lead_ns;
    int64_t device_start_ns, device_pulled;
    /* What was heard: in memory as far as there is room, and told to `sink`. */
    float *pcm;
    size_t frames, room;
    void (*sink)(void *ctx, const float *pcm, int frames, int64_t playout_ns);
    void *sink_ctx;
    struct vox_event events[PLAYER_EVENTS];
    size_t event_count;
    size_t kinds[VOX_EVENT_KINDS];
    uint64_t played_packets;
    int64_t last_played_ts;
    struct stream_packet rtcp; /* the latest report it sent */
    uint32_t rtcp_path;
    size_t rtcp_count;
    struct vox_receiver_stats stats;
};

/* Defaults of a test: 48 kHz, follow_source, a fixed delay of 60 ms. */
void player_config(struct vox_receiver_config *config);
/* keep_frames: how much of the output is kept. The first pull of a device is due at start_ns. */
void player_init(struct player *p, const struct vox_receiver_config *config, size_t keep_frames);
void player_free(struct player *p);
/* All pulls and ticks that are due before until_ns. */
void player_run(struct player *p, int64_t until_ns);
/* Runs until then, then pushes. */
enum vox_push_result player_push(struct player *p, const struct stream_packet *packet,
                                 int64_t arrival_ns);
enum vox_push_result player_push_bytes(struct player *p, const void *bytes, size_t len,
                                       int64_t arrival_ns, uint32_t path);
const struct vox_receiver_stats *player_stats(struct player *p);
/* Statistics of the first source. */
const struct vox_source_stats *player_source(struct player *p);
/* The n-th event of that kind, from 0; NULL if there are fewer. */
const struct vox_event *player_event(const struct player *p, enum vox_event_kind kind, size_t n);

#endif
