#include "sender/encoder.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/opus_toc.h"

#include <opus.h>
#include <stdlib.h>

/* A packet of at most so many bytes holds no audio: TOC, and at most a frame count (RFC 6716, 3.2).
 */
enum { SILENT_BYTES = 2 };

struct vox_encoder {
    OpusEncoder *opus;
    struct vox_encoder_config config;
    int lookahead;
};

/*
 * Frames: 20 ms is where Opus is most efficient; 5 ms is as short as packet overhead (64 kbit/s of
 * headers) still makes sense. Bitrates: where more is hardly heard. Complexity: libopus's default,
 * and its best for music.
 */
static const struct vox_profile_settings profiles[] = {
    [VOX_PROFILE_VOICE] = {"voice", OPUS_APPLICATION_VOIP, 960, {32000, 48000}, 9},
    [VOX_PROFILE_MUSIC] = {"music", OPUS_APPLICATION_AUDIO, 960, {96000, 128000}, 10},
    [VOX_PROFILE_LOWDELAY] =
        {"lowdelay", OPUS_APPLICATION_RESTRICTED_LOWDELAY, 240, {96000, 160000}, 9},
};

const struct vox_profile_settings *vox_profile_settings(enum vox_profile profile)
{
    size_t index = (size_t)profile;
    return index < sizeof profiles / sizeof profiles[0] ? &profiles[index] : NULL;
}

int vox_encoder_told_loss_pct(int expected_loss_pct, int bitrate_bps)
{
    int cap = bitrate_bps <= 24000 ? 10 : 8;
    return expected_loss_pct < cap ? expected_loss_pct : cap;
}

int vox_encoder_fec_bps(enum vox_profile profile, int frame_ticks)
{
    if (profile == VOX_PROFILE_LOWDELAY || frame_ticks < 480)
        return 0;
    return frame_ticks < 960 ? 21000 : 18000;
}

/* libopus takes off the bitrate what short frames cost: 100 bits each beyond 50 in a second. */
int vox_encoder_stereo_bps(int frame_ticks)
{
    int in_a_second = VOX_RTP_HZ / frame_ticks;
    return 22000 + (in_a_second > 50 ? 100 * (in_a_second - 50) : 0);
}

static bool is_frame_length(int ticks)
{
    return ticks == 120 || ticks == 240 || ticks == 480 || ticks == 960 || ticks == 1920 ||
           ticks == 2880;
}

static bool is_valid(const struct vox_encoder_config *c)
{
    int64_t frame_bytes = (int64_t)c->bitrate_bps * c->frame_ticks / VOX_RTP_HZ / 8;
    return vox_profile_settings(c->profile) && (c->channels == 1 || c->channels == 2) &&
           is_frame_length(c->frame_ticks) && c->bitrate_bps >= VOX_ENCODER_MIN_BPS &&
           c->bitrate_bps <= VOX_ENCODER_MAX_BPS && frame_bytes <= VOX_ENCODER_MAX_BYTES &&
           c->complexity >= 0 && c->complexity <= 10 && c->expected_loss_pct >= 0 &&
           c->expected_loss_pct <= 100 && c->input_bits >= 8 && c->input_bits <= 24;
}

static int configure(OpusEncoder *opus, const struct vox_encoder_config *c)
{
    int loss_pct = c->fec ? vox_encoder_told_loss_pct(c->expected_loss_pct, c->bitrate_bps) : 0;
    if (opus_encoder_ctl(opus, OPUS_SET_BITRATE(c->bitrate_bps)) != OPUS_OK ||
        opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(c->complexity)) != OPUS_OK ||
        opus_encoder_ctl(opus, OPUS_SET_DTX(c->dtx)) != OPUS_OK ||
        opus_encoder_ctl(opus, OPUS_SET_INBAND_FEC(c->fec)) != OPUS_OK ||
        opus_encoder_ctl(opus, OPUS_SET_PACKET_LOSS_PERC(loss_pct)) != OPUS_OK ||
        opus_encoder_ctl(opus, OPUS_SET_LSB_DEPTH(c->input_bits)) != OPUS_OK)
        return VOX_ECODEC;
    return 0;
}

int vox_encoder_create(const struct vox_encoder_config *config, struct vox_encoder **out)
{
    if (!is_valid(config))
        return VOX_EINVAL;
    struct vox_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return VOX_ENOMEM;
    int application = vox_profile_settings(config->profile)->application;
    int opus_err = OPUS_OK;
    e->opus = opus_encoder_create(VOX_RTP_HZ, config->channels, application, &opus_err);
    e->config = *config;
    int err = 0;
    if (!e->opus)
        err = opus_err == OPUS_ALLOC_FAIL ? VOX_ENOMEM : VOX_ECODEC;
    else if (opus_encoder_ctl(e->opus, OPUS_GET_LOOKAHEAD(&e->lookahead)) != OPUS_OK)
        err = VOX_ECODEC;
    else
        err = configure(e->opus, config);
    if (err < 0) {
        vox_encoder_destroy(e);
        return err;
    }
    *out = e;
    return 0;
}

void vox_encoder_destroy(struct vox_encoder *e)
{
    if (!e)
        return;
    if (e->opus)
        opus_encoder_destroy(e->opus);
    free(e);
}

int vox_encoder_set(struct vox_encoder *e, int bitrate_bps, bool fec)
{
    struct vox_encoder_config config = e->config;
    config.bitrate_bps = bitrate_bps;
    config.fec = fec;
    if (!is_valid(&config))
        return VOX_EINVAL;
    int err = configure(e->opus, &config);
    if (err < 0)
        return err;
    e->config = config;
    return 0;
}

int vox_encoder_encode(struct vox_encoder *e, const float *pcm, uint8_t *out, size_t capacity,
                       struct vox_encoded *result)
{
    int bytes = opus_encode_float(e->opus, pcm, e->config.frame_ticks, out, (opus_int32)capacity);
    if (bytes <= 0)
        return VOX_ECODEC;
    struct vox_opus_info info;
    bool parsed = vox_opus_parse(out, (size_t)bytes, &info) >= 0;
    *result = (struct vox_encoded){
        .bytes = (size_t)bytes,
        .silent = e->config.dtx && bytes <= SILENT_BYTES,
        .has_lbrr = parsed && info.has_lbrr,
        .channels = parsed ? info.channels : 0,
    };
    return 0;
}

int vox_encoder_lookahead(const struct vox_encoder *e)
{
    return e->lookahead;
}
