#include "lab/playable.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/hdrext.h"
#include "wire/opus_toc.h"
#include "wire/red.h"
#include "wire/rtp.h"
#include "wire/rtx.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FRAME_TICKS = 960, LOOKAHEAD_TICKS = 312, OPUS = 96, RED = 97, RTX = 98 };

void vox_playable_stream_init(struct vox_playable_stream *stream)
{
    *stream = (struct vox_playable_stream){
        .frame_ticks = FRAME_TICKS,
        .lookahead_ticks = LOOKAHEAD_TICKS,
        .payload_type = OPUS,
        .red_payload_type = RED,
        .rtx_payload_type = RTX,
        .capture_time_id = VOX_HDREXT_CAPTURE_TIME_ID,
    };
}

/* ---- what a packet carries ---- */

static bool frame_at(const struct vox_playable_stream *s, uint32_t timestamp, size_t *out)
{
    uint32_t ticks = timestamp - s->first_timestamp;
    *out = ticks / (uint32_t)s->frame_ticks;
    return ticks % (uint32_t)s->frame_ticks == 0 && *out < s->frames;
}

static int carry(const struct vox_playable_stream *s, uint32_t timestamp, enum vox_playable_way way,
                 struct vox_playable_carried *out)
{
    *out = (struct vox_playable_carried){.way = way};
    return frame_at(s, timestamp, &out->frame);
}

/* The audio of one Opus packet, and what its in-band FEC has of the one in front of it. */
static int carry_opus(const struct vox_playable_stream *s, uint32_t timestamp, const void *payload,
                      size_t bytes, struct vox_playable_carried *out)
{
    struct vox_opus_info info;
    if (vox_opus_parse(payload, bytes, &info) < 0 || info.duration_ticks != s->frame_ticks)
        return 0;
    int n = carry(s, timestamp, VOX_PLAYABLE_PACKET, out);
    if (n > 0 && info.has_lbrr && info.frame_ticks == s->frame_ticks)
        n += carry(s, timestamp - (uint32_t)s->frame_ticks, VOX_PLAYABLE_FEC, out + n);
    return n;
}

static int carry_red(const struct vox_playable_stream *s, const struct vox_rtp *rtp,
                     struct vox_playable_carried *out)
{
    struct vox_red red;
    if (vox_red_parse(rtp->payload, rtp->payload_bytes, &red) < 0)
        return 0;
    int n = carry_opus(s, rtp->timestamp, red.primary.data, red.primary.data_bytes, out);
    for (int i = 0; n > 0 && i < red.copy_count; i++)
        if (red.copies[i].block.data_bytes > 0)
            n += carry(s, rtp->timestamp - red.copies[i].offset_rtp_ts, VOX_PLAYABLE_RED, out + n);
    return n;
}

static int carry_repeat(const struct vox_playable_stream *s, const struct vox_rtp *rtp,
                        struct vox_playable_carried *out)
{
    struct vox_rtp original;
    if (vox_rtx_parse(rtp, s->payload_type, s->ssrc, &original) < 0)
        return 0;
    int n = carry_opus(s, original.timestamp, original.payload, original.payload_bytes, out);
    if (n > 0)
        out[0].way = VOX_PLAYABLE_RTX;
    return n;
}

int vox_playable_carried(const struct vox_playable_stream *stream,
                         const struct vox_playable_packet *packet,
                         struct vox_playable_carried out[VOX_PLAYABLE_MAX_CARRIED])
{
    struct vox_rtp rtp;
    if (vox_rtp_is_rtcp(packet->bytes, packet->len) ||
        vox_rtp_parse(packet->bytes, packet->len, &rtp) < 0)
        return 0;
    if (rtp.payload_type == stream->rtx_payload_type && rtp.ssrc != stream->ssrc)
        return carry_repeat(stream, &rtp, out);
    if (rtp.ssrc != stream->ssrc)
        return 0;
    if (rtp.payload_type == stream->red_payload_type)
        return carry_red(stream, &rtp, out);
    if (rtp.payload_type != stream->payload_type)
        return 0;
    return carry_opus(stream, rtp.timestamp, rtp.payload, rtp.payload_bytes, out);
}

/* ---- when ---- */

/* The end of the first frame's capture, by a packet that tells when its own began. The extension
 * counts from what is decoded, which the encoder's look-ahead holds back. */
static bool read_first_end(const struct vox_playable_stream *s,
                           const struct vox_playable_packet *packet, int64_t *out)
{
    struct vox_rtp rtp;
    struct vox_capture_time capture;
    const uint8_t *data;
    size_t len, frame;
    if (vox_rtp_is_rtcp(packet->bytes, packet->len) ||
        vox_rtp_parse(packet->bytes, packet->len, &rtp) < 0 || rtp.ssrc != s->ssrc ||
        !frame_at(s, rtp.timestamp, &frame))
        return false;
    if (vox_hdrext_find(&rtp, s->capture_time_id, &data, &len) <= 0 ||
        vox_capture_time_parse(data, len, &capture) < 0)
        return false;
    int64_t ticks = s->lookahead_ticks + s->frame_ticks - (int64_t)frame * s->frame_ticks;
    *out = vox_ntp_to_unix(capture.ntp) + vox_rtp_to_ns(ticks);
    return true;
}

static bool find_first_end(const struct vox_playable_stream *s,
                           const struct vox_playable_packet *packets, size_t count, int64_t *out)
{
    for (size_t i = 0; i < count; i++)
        if (read_first_end(s, &packets[i], out))
            return true;
    return false;
}

static void note(struct vox_playable *p, const struct vox_playable_carried *carried,
                 int64_t arrival_ns, size_t packet)
{
    struct vox_playable_frame *frame = &p->frames[carried->frame];
    int64_t delay_ns = arrival_ns - p->first_end_ns - (int64_t)carried->frame * p->frame_ns;
    if (frame->way != VOX_PLAYABLE_LOST && frame->delay_ns <= delay_ns)
        return;
    *frame =
        (struct vox_playable_frame){.delay_ns = delay_ns, .way = carried->way, .packet = packet};
}

static size_t note_all(struct vox_playable *p, const struct vox_playable_stream *stream,
                       const struct vox_playable_packet *packets, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct vox_playable_carried carried[VOX_PLAYABLE_MAX_CARRIED];
        int n = vox_playable_carried(stream, &packets[i], carried);
        for (int k = 0; k < n; k++)
            note(p, &carried[k], packets[i].arrival_ns, i);
        found += n > 0;
    }
    return found;
}

int vox_playable_find(const struct vox_playable_stream *stream,
                      const struct vox_playable_packet *packets, size_t count,
                      struct vox_playable *out)
{
    struct vox_playable p = {.count = stream->frames};
    if (stream->frames == 0 || stream->frame_ticks <= 0)
        return VOX_EINVAL;
    if (!find_first_end(stream, packets, count, &p.first_end_ns))
        return VOX_EEND;
    p.frame_ns = vox_rtp_to_ns(stream->frame_ticks);
    p.frames = malloc(p.count * sizeof *p.frames);
    if (!p.frames)
        return VOX_ENOMEM;
    for (size_t i = 0; i < p.count; i++)
        p.frames[i] = (struct vox_playable_frame){.delay_ns = VOX_PLAYABLE_NEVER_NS};
    if (note_all(&p, stream, packets, count) == 0) {
        vox_playable_clear(&p);
        return VOX_EEND;
    }
    *out = p;
    return 0;
}

void vox_playable_clear(struct vox_playable *playable)
{
    free(playable->frames);
    *playable = (struct vox_playable){0};
}

/* ---- figures ---- */

static double burst_ratio(size_t missing, size_t bursts, size_t count)
{
    if (missing == 0 || missing == count)
        return 1;
    double ratio = (double)missing / (double)bursts * (1 - (double)missing / (double)count);
    return ratio > 1 ? ratio : 1;
}

void vox_playable_at(const struct vox_playable *playable, int64_t budget_ns,
                     struct vox_playable_missing *out)
{
    size_t missing = 0, bursts = 0, burst = 0, longest = 0;
    for (size_t i = 0; i < playable->count; i++) {
        if (playable->frames[i].delay_ns <= budget_ns) {
            burst = 0;
            continue;
        }
        bursts += burst == 0;
        burst++;
        missing++;
        longest = burst > longest ? burst : longest;
    }
    *out = (struct vox_playable_missing){
        .frames = missing,
        .pct = 100.0 * (double)missing / (double)playable->count,
        .burst_ratio = burst_ratio(missing, bursts, playable->count),
        .longest_ns = (int64_t)longest * playable->frame_ns,
    };
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The least value that at least this share of them do not exceed. */
static int64_t quantile(const int64_t *sorted, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return sorted[rank > 0 ? rank - 1 : 0];
}

/* Of moments in order. */
static int64_t longest_pause(const int64_t *sorted, size_t count)
{
    int64_t longest = 0;
    for (size_t i = 1; i < count; i++)
        longest = sorted[i] - sorted[i - 1] > longest ? sorted[i] - sorted[i - 1] : longest;
    return longest;
}

/* Of each frame that came, in order of size: its delay, and step_ns more for each frame in front.
 */
static size_t sort_delays(const struct vox_playable *playable, int64_t step_ns, int64_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < playable->count; i++)
        if (playable->frames[i].way != VOX_PLAYABLE_LOST)
            out[n++] = playable->frames[i].delay_ns + (int64_t)i * step_ns;
    qsort(out, n, sizeof *out, by_size);
    return n;
}

int vox_playable_delays(const struct vox_playable *playable, struct vox_playable_delays *out)
{
    int64_t *values = malloc(playable->count * sizeof *values);
    if (!values)
        return VOX_ENOMEM;
    *out = (struct vox_playable_delays){.lost_pct = 100};
    size_t n = sort_delays(playable, playable->frame_ns, values); /* moments of arrival */
    if (n > 0) {
        out->longest_wait_ns = longest_pause(values, n);
        out->lost_pct = 100.0 * (double)(playable->count - n) / (double)playable->count;
        sort_delays(playable, 0, values);
        out->p50_ns = quantile(values, n, 50);
        out->p95_ns = quantile(values, n, 95);
        out->p99_ns = quantile(values, n, 99);
        out->max_ns = values[n - 1];
    }
    free(values);
    return 0;
}

size_t vox_playable_count(const struct vox_playable *playable, enum vox_playable_way way)
{
    size_t n = 0;
    for (size_t i = 0; i < playable->count; i++)
        n += playable->frames[i].way == way;
    return n;
}
