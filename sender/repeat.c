#include "sender/repeat.h"

#include "sender/history.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/rtcp.h"
#include "wire/rtx.h"

#include <stdlib.h>

/*
 * Who may not report at any time asks late: GStreamer, bound to its share of the bandwidth (RFC
 * 4585, section 3.5), every 600 ms. So much lets it ask again for what was lost twice.
 */
#define HISTORY_NS (2 * VOX_NS_PER_S)
#define UNKNOWN_RTT_PAUSE_NS (10 * VOX_NS_PER_MS)
#define RESERVE_NS (100 * VOX_NS_PER_MS)

struct vox_repeat {
    struct vox_repeat_config config;
    struct vox_repeat_stats stats;
    struct vox_history *history;
    /* the datagram that is being answered */
    struct vox_rtcp_reader reader;
    struct vox_nack nack;
    bool has_nack;
    uint16_t next_seq; /* of repetitions */
    /* Each packet of the stream adds a half, up to `reserve`; each repetition takes a whole. */
    int halves, reserve_halves;
};

int vox_repeat_create(const struct vox_repeat_config *config, struct vox_repeat **out)
{
    struct vox_repeat *repeat = calloc(1, sizeof *repeat);
    if (!repeat)
        return VOX_ENOMEM;
    struct vox_history_config history = {
        .packet_ns = config->packet_ns, .span_ns = HISTORY_NS, .ahead_ns = config->ahead_ns};
    int err = vox_history_create(&history, &repeat->history);
    if (err < 0) {
        free(repeat);
        return err;
    }
    int64_t reserve = RESERVE_NS / config->packet_ns;
    repeat->config = *config;
    repeat->next_seq = config->first_seq;
    repeat->reserve_halves =
        2 * (int)(reserve > VOX_REPEAT_MIN_RESERVE ? reserve : VOX_REPEAT_MIN_RESERVE);
    repeat->halves = repeat->reserve_halves;
    *out = repeat;
    return 0;
}

void vox_repeat_destroy(struct vox_repeat *repeat)
{
    if (!repeat)
        return;
    vox_history_destroy(repeat->history);
    free(repeat);
}

void vox_repeat_sent(struct vox_repeat *repeat, const struct vox_rtp *rtp, int64_t send_ns)
{
    vox_history_keep(repeat->history, rtp, send_ns);
    if (repeat->halves < repeat->reserve_halves)
        repeat->halves++;
}

/* Goes on to the next request about us. */
static bool next_nack(struct vox_repeat *repeat)
{
    struct vox_rtcp packet;
    int n;
    repeat->has_nack = false;
    while (!repeat->has_nack && (n = vox_rtcp_next(&repeat->reader, &packet)) != 0)
        repeat->has_nack = n > 0 && vox_nack_parse(&packet, &repeat->nack) >= 0 &&
                           repeat->nack.media_ssrc == repeat->config.media_ssrc;
    repeat->stats.nacks += repeat->has_nack;
    return repeat->has_nack;
}

bool vox_repeat_ask(struct vox_repeat *repeat, const void *datagram, size_t len)
{
    repeat->has_nack = false;
    return vox_rtcp_begin(&repeat->reader, datagram, len) >= 0 && next_nack(repeat);
}

static bool next_seq(struct vox_repeat *repeat, uint16_t *seq)
{
    while (repeat->has_nack) {
        if (vox_nack_next(&repeat->nack, seq))
            return true;
        next_nack(repeat);
    }
    return false;
}

static bool is_early(const struct vox_history_packet *packet, int64_t now_ns, int64_t rtt_ns)
{
    int64_t pause_ns = rtt_ns < 0 ? UNKNOWN_RTT_PAUSE_NS : rtt_ns / 4 * 3;
    return packet->repeats >= VOX_REPEAT_MAX_TIMES ||
           (packet->repeats > 0 && now_ns - packet->repeat_ns < pause_ns);
}

/* The packet, if it may be sent again now. */
static struct vox_history_packet *admit(struct vox_repeat *repeat, uint16_t seq, int64_t now_ns,
                                        int64_t rtt_ns)
{
    struct vox_history_packet *packet = vox_history_find(repeat->history, seq);
    repeat->stats.asked++;
    if (!packet || packet->send_ns > now_ns) {
        repeat->stats.gone++;
        return NULL;
    }
    if (is_early(packet, now_ns, rtt_ns)) {
        repeat->stats.early++;
        return NULL;
    }
    if (repeat->halves < 2) {
        repeat->stats.excess++;
        return NULL;
    }
    return packet;
}

static int write(struct vox_repeat *repeat, struct vox_history_packet *packet, uint8_t *out,
                 size_t capacity)
{
    const struct vox_repeat_config *c = &repeat->config;
    int bytes =
        vox_rtx_write(&packet->rtp, c->payload_type, c->rtx_ssrc, repeat->next_seq, out, capacity);
    if (bytes != VOX_ENOSPC)
        return bytes;
    packet->rtp.has_extension = false;
    return vox_rtx_write(&packet->rtp, c->payload_type, c->rtx_ssrc, repeat->next_seq, out,
                         capacity);
}

size_t vox_repeat_next(struct vox_repeat *repeat, int64_t now_ns, int64_t rtt_ns, uint8_t *out,
                       size_t capacity)
{
    uint16_t seq;
    while (next_seq(repeat, &seq)) {
        struct vox_history_packet *packet = admit(repeat, seq, now_ns, rtt_ns);
        int bytes = packet ? write(repeat, packet, out, capacity) : 0;
        if (bytes <= 0)
            continue;
        packet->repeats++;
        packet->repeat_ns = now_ns;
        repeat->next_seq++;
        repeat->halves -= 2;
        repeat->stats.sent++;
        repeat->stats.bytes += (size_t)bytes;
        return (size_t)bytes;
    }
    return 0;
}

void vox_repeat_read_stats(const struct vox_repeat *repeat, struct vox_repeat_stats *out)
{
    *out = repeat->stats;
}
