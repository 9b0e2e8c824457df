#include "sender/dial.h"

#include "base/prefer.h"
#include "base/time.h"
#include "sender/encoder.h"
#include "sender/protect.h"
#include "wire/red.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
    HEADER_BYTES = 40, /* IPv4, UDP, RTP */
    PLACES = 8,        /* distances among which copies are sought */
    MOST_TRIES = 16,   /* of retransmission that a receiver may wait for */
    LEAST_BPS = 6000,  /* of audio, where the network carries no more */
};

/* The quality without loss, by the audio's bitrate (PESQ-WB, voice, mono, libopus 1.3.1). */
struct point {
    double kbps, plain, fec;
};

static const struct point quality[] = {
    {6, 2.30, 2.30},  {8, 2.85, 2.85},  {10, 3.56, 3.56}, {12, 3.90, 3.90},  {16, 4.06, 3.99},
    {18, 4.19, 3.35}, {20, 4.23, 3.53}, {24, 4.32, 4.03}, {28, 4.37, 4.10},  {32, 4.41, 4.23},
    {40, 4.46, 4.37}, {48, 4.49, 4.43}, {64, 4.51, 4.48}, {510, 4.52, 4.52},
};

/* Audio's bitrates that are tried. */
static const int ladder_kbps[] = {6,  8,  10, 12, 14, 16,  18,  20,  24,  28,  32,  36, 40,
                                  48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 384, 510};

/* ITU-T G.107: up to 177 ms a millisecond is 0.024 of R, and around 80 that is 0.00085 of MOS. */
#define BALANCED_DELAY_PRICE 0.00085
/* Than the mean, packets are at times (constrained VBR). */
#define LARGER 1.2
/* Of the packets, are repeated at most: repeat.h. */
#define MOST_REPEATED 0.5
/* Of a kbit/s: enough to send nothing for nothing. */
#define BIT_PRICE 0.0005

void vox_dial_init(struct vox_dial *dial, const struct vox_dial_config *config)
{
    dial->config = *config;
    dial->delay_price = BALANCED_DELAY_PRICE * VOX_PREFER_BALANCED_MS / config->prefer_ms;
    dial->fec_bps = vox_encoder_fec_bps(config->profile, config->frame_ticks);
}

/* ---- what a protection is worth ---- */

/* Another profile's bitrates stand for those of voice that it is to its ear what they are to
 * speech. */
static double voice_kbps(const struct vox_dial *dial, int bitrate_bps)
{
    const struct vox_profile_settings *voice = vox_profile_settings(VOX_PROFILE_VOICE);
    const struct vox_profile_settings *own = vox_profile_settings(dial->config.profile);
    int usual_bps = own->bitrate_bps[dial->config.channels == 2];
    return bitrate_bps / 1000.0 * voice->bitrate_bps[0] / usual_bps;
}

static double quality_without_loss(double kbps, bool fec)
{
    const struct point *p = quality;
    const size_t count = sizeof quality / sizeof quality[0];
    size_t i = 1;
    while (i + 1 < count && kbps > p[i].kbps)
        i++;
    double share = (kbps - p[i - 1].kbps) / (p[i].kbps - p[i - 1].kbps);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return fec ? p[i - 1].fec + share * (p[i].fec - p[i - 1].fec)
               : p[i - 1].plain + share * (p[i].plain - p[i - 1].plain);
}

static int copies_of(const struct vox_protection *protection)
{
    int count = 0;
    while (count < VOX_SENDER_MAX_COPIES && protection->distances[count] > 0)
        count++;
    return count;
}

int vox_dial_wire_bps(const struct vox_dial *dial, const struct vox_protection *protection)
{
    int copies = copies_of(protection);
    int red = copies > 0 ? copies * VOX_RED_COPY_HEADER_BYTES + VOX_RED_PRIMARY_HEADER_BYTES : 0;
    int headers_bps = (HEADER_BYTES + red) * 8 * (VOX_RTP_HZ / dial->config.frame_ticks);
    return headers_bps + protection->bitrate_bps * (1 + copies);
}

/* With what receivers will ask for again. */
static int needed_bps(const struct vox_dial *dial, const struct vox_dial_network *network,
                      const struct vox_protection *protection)
{
    int wire_bps = vox_dial_wire_bps(dial, protection);
    if (!protection->repeat || network->retry_ns <= 0)
        return wire_bps;
    struct vox_protection plain = {.bitrate_bps = protection->bitrate_bps};
    double share = fmin(network->loss.share, MOST_REPEATED);
    return wire_bps + (int)(share * vox_dial_wire_bps(dial, &plain));
}

/* Whether copies have room in a datagram (protect.h), also when a packet is larger than most. */
static bool fits(const struct vox_dial *dial, const struct vox_protection *protection)
{
    int copies = copies_of(protection);
    double payload = protection->bitrate_bps / 8.0 * dial->config.frame_ticks / VOX_RTP_HZ;
    double largest = LARGER * payload;
    return copies == 0 || (largest <= VOX_RED_MAX_COPY_BYTES &&
                           largest * (1 + copies) + copies * VOX_RED_COPY_HEADER_BYTES +
                                   VOX_RED_PRIMARY_HEADER_BYTES <=
                               VOX_ENCODER_MAX_BYTES);
}

/* Packets that there is time to wait for a repair. */
static int reach_of(const struct vox_dial *dial, const struct vox_dial_network *network)
{
    int64_t left_ns = dial->config.max_delay_ns - network->jitter_ns;
    return left_ns > 0 ? (int)(left_ns / vox_rtp_to_ns(dial->config.frame_ticks)) : 0;
}

/* Packets that the last of its copies takes, or its FEC. */
static int least_reach(const struct vox_protection *protection)
{
    int copies = copies_of(protection);
    return (copies > 0 ? protection->distances[copies - 1] : 0) + (protection->fec ? 1 : 0);
}

/* The quality that would be heard if harm were all that was lost of it, less what waiting costs. */
static double heard(const struct vox_dial *dial, const struct vox_protection *protection, int reach,
                    double harm)
{
    double reach_ms = vox_ns_to_ms(reach * vox_rtp_to_ns(dial->config.frame_ticks));
    double best = quality_without_loss(voice_kbps(dial, protection->bitrate_bps), protection->fec);
    return 1 + (best - 1) * exp(-harm) - dial->delay_price * reach_ms;
}

/* What is heard with a receiver that waits for so many packets. */
static double heard_at(const struct vox_dial *dial, const struct vox_dial_network *network,
                       const struct vox_protection *protection, int reach)
{
    double packet_ns = (double)vox_rtp_to_ns(dial->config.frame_ticks);
    struct vox_odds_means means = {
        .fec = protection->fec,
        .reach = reach,
        .retry_packets = protection->repeat ? (double)network->retry_ns / packet_ns : 0,
    };
    struct vox_odds left;
    memcpy(means.distances, protection->distances, sizeof means.distances);
    vox_odds_predict(&network->loss, &means, &left);
    double harm = 7.9 * pow(left.missing, 0.94) + 1.56 * pow(left.coarse, 1.13);
    return heard(dial, protection, reach, harm);
}

/* Less cannot be sent, whatever the network carries. */
static bool is_least(const struct vox_protection *protection)
{
    return protection->bitrate_bps <= LEAST_BPS && copies_of(protection) == 0;
}

double vox_dial_worth(const struct vox_dial *dial, const struct vox_dial_network *network,
                      int wire_bps, const struct vox_protection *protection)
{
    int needs_bps = needed_bps(dial, network, protection);
    int copies = copies_of(protection);
    int most = reach_of(dial, network);
    int least = least_reach(protection);
    if ((copies > 0 && protection->distances[copies - 1] > most) || !fits(dial, protection) ||
        (needs_bps > wire_bps && !is_least(protection)))
        return -1;
    least = least < most ? least : most;
    double best = heard_at(dial, network, protection, least);
    double retry = (double)network->retry_ns / (double)vox_rtp_to_ns(dial->config.frame_ticks);
    if (protection->repeat && retry > 0)
        for (double tries = 1; tries <= MOST_TRIES && tries * retry <= most; tries *= 2) {
            int reach = (int)ceil(tries * retry);
            if (reach > least && reach <= most)
                best = fmax(best, heard_at(dial, network, protection, reach));
        }
    return best - BIT_PRICE * needs_bps / 1000;
}

/* ---- the search ---- */

struct search {
    const struct vox_dial *dial;
    const struct vox_dial_network *network;
    int wire_bps;
    int places[PLACES];
    int place_count;
    double best_worth;
    struct vox_protection best;
};

/* The highest bitrate that leaves room for the copies, and for what is repeated. */
static int bitrate_for(const struct search *s, struct vox_protection tried)
{
    int best_bps = LEAST_BPS;
    int most_bps = s->dial->config.bitrate_bps;
    for (size_t i = 0; i < sizeof ladder_kbps / sizeof ladder_kbps[0]; i++) {
        int bps = ladder_kbps[i] * 1000;
        tried.bitrate_bps = bps < most_bps ? bps : most_bps;
        if (needed_bps(s->dial, s->network, &tried) > s->wire_bps || !fits(s->dial, &tried))
            break;
        best_bps = tried.bitrate_bps;
        if (bps >= most_bps)
            break;
    }
    return best_bps;
}

static void consider(struct search *s, struct vox_protection tried)
{
    for (int k = 0; k < 4; k++) {
        tried.fec = (k & 1) != 0;
        tried.repeat = (k & 2) != 0;
        if (tried.repeat && s->network->retry_ns <= 0)
            continue;
        tried.bitrate_bps = bitrate_for(s, tried);
        if (tried.fec && (s->dial->fec_bps == 0 || tried.bitrate_bps < s->dial->fec_bps))
            continue;
        if (heard(s->dial, &tried, least_reach(&tried) - 1, 0) <= s->best_worth)
            continue; /* not even if it brought everything, FEC beyond the delay aside: most end
                         here */
        double worth = vox_dial_worth(s->dial, s->network, s->wire_bps, &tried);
        if (worth > s->best_worth) {
            s->best_worth = worth;
            s->best = tried;
        }
    }
}

/* Each set of up to VOX_SENDER_MAX_COPIES places. */
static void try_sets(struct search *s)
{
    for (unsigned set = 0; set < 1U << s->place_count; set++) {
        struct vox_protection tried = {.fec = false};
        int copies = 0;
        for (int i = 0; i < s->place_count; i++) {
            if ((set >> i & 1) != 0 && copies < VOX_SENDER_MAX_COPIES)
                tried.distances[copies] = s->places[i];
            copies += (int)(set >> i & 1);
        }
        if (copies <= VOX_SENDER_MAX_COPIES)
            consider(s, tried);
    }
}

/* All distances if they are few, else some that are spread evenly. */
static void lay_out_places(struct search *s)
{
    int farthest = VOX_RED_MAX_OFFSET_RTP_TS / s->dial->config.frame_ticks;
    int reach = reach_of(s->dial, s->network);
    reach = reach < farthest ? reach : farthest;
    reach = reach < VOX_PROTECT_MAX_DISTANCE ? reach : VOX_PROTECT_MAX_DISTANCE;
    s->place_count = reach < PLACES ? reach : PLACES;
    for (int i = 0; i < s->place_count; i++)
        s->places[i] = (i + 1) * reach / s->place_count;
}

void vox_dial_choose(const struct vox_dial *dial, const struct vox_dial_network *network,
                     int wire_bps, struct vox_protection *out)
{
    struct search s = {
        .dial = dial, .network = network, .wire_bps = wire_bps, .best_worth = -HUGE_VAL};
    lay_out_places(&s);
    try_sets(&s);
    *out = s.best;
}
