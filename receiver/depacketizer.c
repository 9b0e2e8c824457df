#include "receiver/depacketizer.h"

#include "base/seq.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

/* A timestamp this far from both the packets' and the clock's idea of it is a jump. */
#define JUMP_TICKS ((int64_t)3 * VOX_RTP_HZ)

/* Packets in a row whose timestamps must disagree with their durations before we stop believing. */
enum { WRONG_CLOCK_PACKETS = 50 };

/* Half of the numbers: what lies further ahead looks as if it lay behind. */
enum { MOST_AHEAD = 0x7fff };
/* More packets than the time that passed holds: shorter ones than the newest, and chance. */
enum { SHORTER = 2, FOLLOWS_SLACK = 50 };

void vox_depacketizer_init(struct vox_depacketizer *d)
{
    memset(d, 0, sizeof *d);
    d->numbered_from = INT64_MIN;
}

static void forget_run(struct vox_depacketizer *d, int64_t arrival_ns)
{
    d->run_packets = 0;
    d->run_rtp_ticks = 0;
    d->run_audio_ticks = 0;
    d->run_start_ns = arrival_ns;
}

bool vox_depacketizer_follows(const struct vox_depacketizer *d, const struct vox_rtp *rtp,
                              int64_t arrival_ns)
{
    if (!d->started || d->newest_duration <= 0)
        return false;
    int64_t step = vox_seq16_diff(rtp->seq, d->newest_seq);
    int64_t ticks = vox_seq32_diff(rtp->timestamp, d->newest_rtp_ts);
    int64_t most_ticks = vox_ns_to_rtp(arrival_ns - d->newest_arrival_ns) + JUMP_TICKS;
    if (d->own_timeline)
        ticks = most_ticks;
    bool unambiguous = most_ticks / d->newest_duration <= MOST_AHEAD;
    return unambiguous && step > 0 && ticks > 0 && ticks <= most_ticks &&
           step <= SHORTER * (ticks / d->newest_duration) + FOLLOWS_SLACK;
}

/* Steps from the newest packet to this one; 0 and held if the number is out of the world. */
static bool sequence_step(struct vox_depacketizer *d, const struct vox_rtp *rtp, int64_t arrival_ns,
                          int32_t *step, struct vox_depacketize_notice *notice)
{
    uint16_t seq = rtp->seq;
    int32_t diff = vox_seq16_diff(seq, d->newest_seq);
    bool near = diff <= VOX_MAX_DROPOUT && diff >= -VOX_MAX_MISORDER;
    if (near || vox_depacketizer_follows(d, rtp, arrival_ns)) {
        d->has_suspect = false;
        *step = diff;
        return true;
    }
    if (!d->has_suspect || seq != d->suspect_seq) {
        d->has_suspect = true;
        d->suspect_seq = (uint16_t)(seq + 1);
        return false;
    }
    d->has_suspect = false;
    notice->sequence_jump = diff;
    d->numbered_from = d->newest_index + 1;
    *step = 1;
    return true;
}

/*
 * A run of consecutive packets none of whose timestamps advances by the audio in the packet before,
 * while the audio keeps pace with the clock on the wall. A pause of the sender or a jump is one
 * such step among many right ones, so it does not make a run.
 */
static int32_t wrong_clock_hz(struct vox_depacketizer *d, int64_t rtp_ticks, int64_t arrival_ns)
{
    if (rtp_ticks == d->newest_duration) {
        forget_run(d, arrival_ns);
        return 0;
    }
    d->run_packets++;
    d->run_rtp_ticks += rtp_ticks;
    d->run_audio_ticks += d->newest_duration;
    if (d->run_packets < WRONG_CLOCK_PACKETS)
        return 0;
    double audio = (double)d->run_audio_ticks;
    double ratio = (double)d->run_rtp_ticks / audio;
    double wall = (double)vox_ns_to_rtp(arrival_ns - d->run_start_ns) / audio;
    forget_run(d, arrival_ns);
    bool audio_keeps_pace = wall > 0.9 && wall < 1.1;
    bool rtp_does_not = ratio < 0.95 || ratio > 1.05;
    double hz = ratio * VOX_RTP_HZ + 0.5;
    int32_t told = hz < 1 ? 1 : hz < INT32_MAX ? (int32_t)hz : INT32_MAX; /* they may stand still */
    return audio_keeps_pace && rtp_does_not ? told : 0;
}

static int64_t timeline_step(struct vox_depacketizer *d, int32_t step, const struct vox_rtp *rtp,
                             int64_t arrival_ns, struct vox_depacketize_notice *notice)
{
    int64_t by_packets = (int64_t)step * d->newest_duration;
    if (d->own_timeline)
        return by_packets;
    int64_t by_rtp = vox_seq32_diff(rtp->timestamp, d->newest_rtp_ts);
    if (step == 1) {
        notice->wrong_clock_hz = wrong_clock_hz(d, by_rtp, arrival_ns);
        d->own_timeline = notice->wrong_clock_hz != 0;
    } else {
        forget_run(d, arrival_ns);
    }
    int64_t by_clock = vox_ns_to_rtp(arrival_ns - d->newest_arrival_ns);
    bool backwards = step > 0 && by_rtp <= 0;
    bool far = llabs(by_rtp - by_packets) > JUMP_TICKS && llabs(by_rtp - by_clock) > JUMP_TICKS;
    if (!far && !backwards)
        return by_rtp;
    int64_t forward = by_clock > by_packets ? by_clock : by_packets;
    int64_t kept = step > 0 ? forward : by_packets;
    notice->timestamp_jump_ticks = by_rtp - kept;
    return kept;
}

static void remember_newest(struct vox_depacketizer *d, const struct vox_rtp *rtp,
                            const struct vox_packet *packet)
{
    d->newest_index = packet->index;
    d->newest_seq = rtp->seq;
    d->newest_ts = packet->ts;
    d->newest_rtp_ts = rtp->timestamp;
    d->newest_duration = packet->info.duration_ticks;
    d->newest_arrival_ns = packet->arrival_ns;
}

enum vox_depacketized vox_depacketize(struct vox_depacketizer *d, const struct vox_rtp *rtp,
                                      const struct vox_opus_info *info, int64_t arrival_ns,
                                      struct vox_packet *out, struct vox_depacketize_notice *notice)
{
    memset(notice, 0, sizeof *notice);
    struct vox_packet packet = {
        .index = rtp->seq,
        .ts = rtp->timestamp,
        .arrival_ns = arrival_ns,
        .marker = rtp->marker,
        .info = *info,
        .payload = rtp->payload,
        .payload_bytes = rtp->payload_bytes,
    };
    int32_t step = 1;
    if (d->started) {
        if (!sequence_step(d, rtp, arrival_ns, &step, notice))
            return VOX_DEPACKETIZE_HELD;
        packet.index = d->newest_index + step;
        packet.ts = d->newest_ts + timeline_step(d, step, rtp, arrival_ns, notice);
    } else {
        forget_run(d, arrival_ns);
    }
    d->started = true;
    if (step > 0)
        remember_newest(d, rtp, &packet);
    *out = packet;
    return VOX_DEPACKETIZED;
}

bool vox_depacketizer_seq(const struct vox_depacketizer *d, int64_t index, uint16_t *seq)
{
    if (index < d->numbered_from)
        return false;
    *seq = (uint16_t)(d->newest_seq + (index - d->newest_index));
    return true;
}

int64_t vox_depacketizer_index(const struct vox_depacketizer *d, uint16_t seq)
{
    return d->newest_index + vox_seq16_diff(seq, d->newest_seq);
}

bool vox_depacketize_repeat(const struct vox_depacketizer *d, const struct vox_rtp *rtp,
                            const struct vox_opus_info *info, int64_t arrival_ns,
                            struct vox_packet *out)
{
    int64_t index = vox_depacketizer_index(d, rtp->seq);
    int64_t step = index - d->newest_index;
    int64_t by_packets = step * d->newest_duration;
    int64_t ticks = d->own_timeline ? by_packets : vox_seq32_diff(rtp->timestamp, d->newest_rtp_ts);
    bool same_way = step > 0 ? ticks > 0 : step < 0 && ticks < 0;
    if (!d->started || !same_way || llabs(ticks - by_packets) > JUMP_TICKS)
        return false;
    *out = (struct vox_packet){
        .index = index,
        .ts = d->newest_ts + ticks,
        .arrival_ns = arrival_ns,
        .marker = rtp->marker,
        .is_copy = true,
        .is_repeat = true,
        .info = *info,
        .payload = rtp->payload,
        .payload_bytes = rtp->payload_bytes,
    };
    return true;
}
