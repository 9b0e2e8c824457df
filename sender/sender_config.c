#include "sender/sender_config.h"

#include "sender/encoder.h"
#include "sender/protect.h"

#include "base/time.h"
#include "wire/hdrext.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

#include <string.h>

enum {
    DEFAULT_PAYLOAD_TYPE = 96,
    DEFAULT_RED_PAYLOAD_TYPE = 97,
    DEFAULT_RTX_PAYLOAD_TYPE = 98,
    DEFAULT_EXPECTED_LOSS_PCT = 8,
};

/* That repairs may cost: what a conversation bears beside a network's own delay (ITU-T G.114). */
#define DEFAULT_MAX_DELAY_NS (100 * VOX_NS_PER_MS)

_Static_assert((int)VOX_SENDER_MAX_COPIES == VOX_RED_MAX_COPIES, "a list of distances is one");

void vox_sender_config_init(struct vox_sender_config *config, enum vox_profile profile)
{
    const struct vox_profile_settings *settings = vox_profile_settings(profile);
    *config = (struct vox_sender_config){
        .input_hz = VOX_RTP_HZ,
        .input_channels = 1,
        .input_bits = VOX_SENDER_FLOAT_BITS,
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
                       c->ahead_ns >= 0 && c->rtx_payload_type != c->payload_type &&
                       ((c->red_distances[0] == 0 && !c->adapt) ||
                        c->rtx_payload_type != c->red_payload_type));
}

bool vox_sender_config_is_valid(const struct vox_sender_config *c)
{
    return c->on_datagram && c->input_hz >= 1000 && c->input_hz <= 768000 && c->input_bits >= 8 &&
           c->input_bits <= VOX_SENDER_FLOAT_BITS && c->input_channels >= 1 &&
           c->input_channels <= 8 && is_payload_type(c->payload_type) && is_red_valid(c) &&
           is_rtx_valid(c) && is_budget_valid(c) && c->capture_time_id <= 14 && c->cname &&
           c->cname[0] != '\0' && strlen(c->cname) <= VOX_RTCP_MAX_TEXT;
}

int vox_sender_config_bitrate_bps(const struct vox_sender_config *c)
{
    const struct vox_profile_settings *settings = vox_profile_settings(c->profile);
    if (c->bitrate_bps != 0 || !settings)
        return c->bitrate_bps;
    return settings->bitrate_bps[c->channels == 2];
}
