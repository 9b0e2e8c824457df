#include "sender/encoding_options.h"

#include "base/time.h"
#include "cli/message.h"
#include "cli/prefer.h"
#include "sender/encoder.h"
#include "sender/protect.h"

#include <stdlib.h>
#include <string.h>

static const char *const profiles[] = {"voice", "music", "lowdelay", NULL};

enum {
    FROM_PROFILE = -1,
    DEFAULT_DELAY = -1,
    MAX_SPACING = VOX_PROTECT_MAX_DISTANCE / VOX_RED_MAX_COPIES,
    /* Losses that retransmission leaves are few: more FEC would cost the audio more than it gives.
     */
    LOSS_BEHIND_RTX_PCT = 2,
    RTX_FEC_FROM_BPS = 32000, /* told so little, libopus begins with FEC at this rate */
};

void vox_encoding_options_init(struct vox_encoding_options *options)
{
    *options = (struct vox_encoding_options){.complexity = FROM_PROFILE,
                                             .red_spacing = 1,
                                             .max_delay_ns = DEFAULT_DELAY,
                                             .prefer = VOX_PREFER_BALANCED};
}

size_t vox_encoding_options_rows(struct vox_encoding_options *o, struct vox_option *rows)
{
    const struct vox_option table[VOX_ENCODING_OPTIONS] = {
        {.name = "profile",
         .argument = "NAME",
         .group = "Encoding",
         .kind = VOX_OPTION_CHOICE,
         .choices = profiles,
         .target.integer = &o->profile,
         .help = "what the codec is tuned for: voice (default; 20 ms, 32 kbit/s, stereo 48), music "
                 "(20 ms, 96, stereo 128), lowdelay (5 ms, 96, stereo 160)"},
        {.name = "bitrate",
         .argument = "KBPS",
         .group = "Encoding",
         .kind = VOX_OPTION_KBPS,
         .min = 6,
         .max = 510,
         .target.integer = &o->bitrate_bps,
         .help = "of the audio, without headers (default: the profile's)"},
        {.name = "frame",
         .argument = "MS",
         .group = "Encoding",
         .kind = VOX_OPTION_MS,
         .min = 2.5,
         .max = 60,
         .target.ns = &o->frame_ns,
         .help = "audio in a packet: 2.5, 5, 10, 20, 40 or 60 (default: the profile's)"},
        {.name = "channels",
         .argument = "N",
         .group = "Encoding",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = 2,
         .target.integer = &o->channels,
         .help = "coded: 1 or 2 (default: as the source, at most 2; a microphone 1); with raw PCM "
                 "also those of the input; where bits are few, the codec makes mono of 2"},
        {.name = "complexity",
         .argument = "N",
         .group = "Encoding",
         .kind = VOX_OPTION_INT,
         .min = 0,
         .max = 10,
         .target.integer = &o->complexity,
         .help = "more computing for more quality (default: the profile's)"},
        {.name = "dtx",
         .group = "Encoding",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->dtx,
         .help = "send nothing in silence"},
        {.name = "fec",
         .group = "Encoding",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->fec,
         .help = "in-band FEC: packets carry a coarse copy of the frame before them (profiles "
                 "voice and music, frames of 10 ms and more, 18 kbit/s and more)"},
        {.name = "red",
         .argument = "DEPTH",
         .group = "Encoding",
         .kind = VOX_OPTION_INT,
         .min = 0,
         .max = VOX_RED_MAX_COPIES,
         .target.integer = &o->red_depth,
         .help = "packets carry whole copies of so many before them (RFC 2198), each at the price "
                 "of another stream's bits; a lost one is back after DEPTH x N packets at most"},
        {.name = "red-spacing",
         .argument = "N",
         .group = "Encoding",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = MAX_SPACING,
         .target.integer = &o->red_spacing,
         .help = "packets between one copy and the next; more outlasts longer bursts and waits "
                 "longer (default 1)"},
        {.name = "red-at",
         .argument = "LIST",
         .group = "Encoding",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->red_at,
         .help = "copies of the packets so many before, up to four, instead of --red and "
                 "--red-spacing: 1,3 brings a lost one back at once, or after two more"},
        {.name = "rtx",
         .group = "Encoding",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->rtx,
         .help = "send again what a receiver misses and asks for (RFC 4588), at most half as much "
                 "as the stream itself"},
        {.name = "adapt",
         .group = "Encoding",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->adapt,
         .help = "choose bitrate (--bitrate is the most), in-band FEC and copies from what "
                 "receivers report, within --max-delay and --max-bitrate"},
        {.name = "max-bitrate",
         .argument = "KBPS",
         .group = "Encoding",
         .kind = VOX_OPTION_KBPS,
         .min = 12,
         .max = 3000,
         .target.integer = &o->max_wire_bps,
         .help = "with --adapt: of all that is on the wire, headers included (default: two and a "
                 "half times what the plain stream takes)"},
    };
    memcpy(rows, table, sizeof table);
    return VOX_ENCODING_OPTIONS;
}

size_t vox_budget_options_rows(struct vox_encoding_options *o, struct vox_option *rows)
{
    const struct vox_option table[VOX_BUDGET_OPTIONS] = {
        {.name = "max-delay",
         .argument = "MS",
         .group = "Encoding",
         .kind = VOX_OPTION_MS,
         .max = 10000,
         .target.ns = &o->max_delay_ns,
         .help = "with --adapt: that waiting for repairs may cost at the receiver (default 100)"},
        {.name = "prefer",
         .argument = "WHAT",
         .group = "Encoding",
         .kind = VOX_OPTION_CHOICE,
         .choices = vox_prefer_names,
         .target.integer = &o->prefer,
         .help = "with --adapt, what to spare: latency takes more glitches, smooth waits longer; "
                 "balanced (default) as listeners weigh both"},
    };
    memcpy(rows, table, sizeof table);
    return VOX_BUDGET_OPTIONS;
}

static bool take_frame(struct vox_encoding_options *o)
{
    static const int sizes[] = {120, 240, 480, 960, 1920, 2880};
    if (o->frame_ns == 0)
        return true;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (vox_rtp_to_ns(sizes[i]) == o->frame_ns) {
            o->frame_ticks = sizes[i];
            return true;
        }
    vox_message_error("--frame %g: Opus has frames of 2.5, 5, 10, 20, 40 and 60 ms; choose one of "
                      "these",
                      vox_ns_to_ms(o->frame_ns));
    return false;
}

static bool fits_a_datagram(const struct vox_encoding_options *o)
{
    int64_t bytes = (int64_t)o->bitrate_bps * o->frame_ticks / VOX_RTP_HZ / 8;
    if (bytes <= VOX_ENCODER_MAX_BYTES)
        return true;
    vox_message_error("--bitrate %d with --frame %g: %lld bytes do not fit into one datagram (%d); "
                      "choose shorter frames or less than %lld kbit/s",
                      o->bitrate_bps / 1000, vox_ns_to_ms(vox_rtp_to_ns(o->frame_ticks)),
                      (long long)bytes, VOX_ENCODER_MAX_BYTES,
                      (long long)VOX_ENCODER_MAX_BYTES * 8 * VOX_RTP_HZ / o->frame_ticks / 1000);
    return false;
}

static bool read_distances(struct vox_encoding_options *o)
{
    const char *at = o->red_at;
    int count = 0;
    for (char *end; count < VOX_SENDER_MAX_COPIES; at = end + 1) {
        long distance = strtol(at, &end, 10);
        bool ascending = distance > (count > 0 ? o->red_distances[count - 1] : 0);
        if (end == at || !ascending || distance > VOX_PROTECT_MAX_DISTANCE)
            break;
        o->red_distances[count++] = (int)distance;
        if (*end == '\0')
            return true;
        if (*end != ',')
            break;
    }
    vox_message_error("--red-at %s: give up to %d ascending numbers from 1 to %d, parted by commas",
                      o->red_at, VOX_SENDER_MAX_COPIES, VOX_PROTECT_MAX_DISTANCE);
    return false;
}

static bool has_one_master(const struct vox_encoding_options *o)
{
    const char *other = o->fec             ? "--fec"
                        : o->red_at        ? "--red-at"
                        : o->red_depth > 0 ? "--red"
                                           : NULL;
    if (o->adapt && other)
        vox_message_error("--adapt chooses that itself: leave out %s", other);
    if (!o->adapt && o->max_wire_bps > 0)
        vox_message_error("--max-bitrate is what --adapt may spend; add --adapt, or say --bitrate");
    return o->adapt ? !other : o->max_wire_bps == 0;
}

static bool take_distances(struct vox_encoding_options *o)
{
    if (o->red_at && o->red_depth > 0) {
        vox_message_error("--red-at %s and --red %d say different things; choose one", o->red_at,
                          o->red_depth);
        return false;
    }
    for (int i = 0; i < o->red_depth; i++)
        o->red_distances[i] = (i + 1) * o->red_spacing;
    return !o->red_at || read_distances(o);
}

/* 14 bits of timestamp (RFC 2198, section 3). */
static bool red_reaches(const struct vox_encoding_options *o)
{
    int farthest = 0;
    for (int i = 0; i < VOX_SENDER_MAX_COPIES && o->red_distances[i] > 0; i++)
        farthest = o->red_distances[i] * o->frame_ticks;
    if (farthest <= VOX_RED_MAX_OFFSET_RTP_TS)
        return true;
    vox_message_error("copies of the packet %d before, of %g ms each: that one is %g ms old, and "
                      "RED can say 341 at most; choose less of --red, --red-spacing or --frame",
                      farthest / o->frame_ticks, vox_ns_to_ms(vox_rtp_to_ns(o->frame_ticks)),
                      vox_ns_to_ms(vox_rtp_to_ns(farthest)));
    return false;
}

bool vox_encoding_options_settle(struct vox_encoding_options *o)
{
    const struct vox_profile_settings *settings =
        vox_profile_settings((enum vox_profile)o->profile);
    o->frame_ticks = settings->frame_ticks;
    if (o->complexity == FROM_PROFILE)
        o->complexity = settings->complexity;
    return take_frame(o) && fits_a_datagram(o) && has_one_master(o) && take_distances(o) &&
           red_reaches(o);
}

int vox_encoding_options_channels(const struct vox_encoding_options *o, int source_channels)
{
    if (o->channels != 0)
        return o->channels;
    return source_channels >= 2 ? 2 : 1;
}

void vox_encoding_options_apply(const struct vox_encoding_options *o, int source_channels,
                                struct vox_sender_config *config)
{
    config->channels = vox_encoding_options_channels(o, source_channels);
    config->frame_ticks = o->frame_ticks;
    config->bitrate_bps = o->bitrate_bps;
    config->complexity = o->complexity;
    config->dtx = o->dtx;
    config->fec = o->fec;
    memcpy(config->red_distances, o->red_distances, sizeof config->red_distances);
    config->adapt = o->adapt;
    config->max_wire_bps = o->max_wire_bps;
    if (o->max_delay_ns >= 0)
        config->max_delay_ns = o->max_delay_ns;
    config->prefer_ms = vox_prefer_ms((enum vox_prefer)o->prefer);
    config->rtx = o->rtx;
    if (o->rtx && !o->adapt && (o->bitrate_bps == 0 || o->bitrate_bps >= RTX_FEC_FROM_BPS))
        config->expected_loss_pct = LOSS_BEHIND_RTX_PCT;
}
