#include "lab/render.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/receiver.h"
#include "wire/opus_toc.h"
#include "wire/red.h"
#include "wire/rtp.h"
#include "wire/rtx.h"

#include <stdlib.h>
#include <string.h>

/* Silent packets in front of the stream: the receiver gets to know it, and its fastest packet. */
enum { LEAD_PACKETS = 4, SILENT_BYTES = 16, MOST_FRAMES = VOX_RECEIVER_MAX_BLOCK_FRAMES };

/* In front of the deadline: too late for anything in front of it. */
#define JUST_IN_TIME_NS (VOX_NS_PER_MS / 2)
/* Virtual time in which the capture of the first frame ends. */
#define BEGIN_NS (10 * VOX_NS_PER_S)

/* One packet handed to the receiver. */
struct hand {
    int64_t t_ns; /* virtual */
    uint16_t seq;
    size_t packet;
    bool repeat; /* to be made into what it repeats */
};

struct stage {
    const struct vox_render_config *config;
    struct vox_receiver *receiver;
    struct vox_render *out;
    struct hand *hands;
    size_t hand_count;
    int64_t floor_ns; /* delay of the fastest */
    uint16_t first_seq;
    bool *heard; /* by sample; NULL: nobody asks */
};

static int64_t frame_end_ns(const struct stage *s, int64_t frame)
{
    return BEGIN_NS + frame * s->config->playable->frame_ns;
}

static int64_t deadline_ns(const struct stage *s, int64_t frame)
{
    return frame_end_ns(s, frame) + s->config->budget_ns;
}

static bool is_in_time(const struct stage *s, size_t frame)
{
    return s->config->playable->frames[frame].delay_ns <= s->config->budget_ns;
}

/* ---- which packets, and when ---- */

static int64_t delay_of(const struct stage *s, size_t packet, size_t frame)
{
    const struct vox_playable *p = s->config->playable;
    return s->config->packets[packet].arrival_ns - p->first_end_ns - (int64_t)frame * p->frame_ns;
}

/* As early as the fastest, unless that would bring something that came too late. */
static int64_t hand_time_ns(const struct stage *s, size_t packet,
                            const struct vox_playable_carried *carried, int n)
{
    bool needed = false, missed = false;
    int64_t frame = (int64_t)carried[0].frame;
    int64_t true_ns = frame_end_ns(s, frame) + delay_of(s, packet, carried[0].frame);
    int64_t last_ns = deadline_ns(s, frame) - JUST_IN_TIME_NS;
    for (int i = 1; i < n; i++) {
        const struct vox_playable_frame *aided = &s->config->playable->frames[carried[i].frame];
        needed |= aided->packet == packet && is_in_time(s, carried[i].frame);
        missed |= !is_in_time(s, carried[i].frame);
    }
    if (needed)
        return true_ns;
    if (missed)
        return true_ns > last_ns ? true_ns : last_ns;
    return frame_end_ns(s, frame) + s->floor_ns;
}

static void find_floor(struct stage *s)
{
    s->floor_ns = INT64_MAX;
    for (size_t i = 0; i < s->config->playable->count; i++) {
        const struct vox_playable_frame *frame = &s->config->playable->frames[i];
        if (frame->way == VOX_PLAYABLE_PACKET && frame->delay_ns < s->floor_ns)
            s->floor_ns = frame->delay_ns;
    }
    if (s->floor_ns > s->config->budget_ns) /* only others brought something in time */
        s->floor_ns = s->config->budget_ns;
}

static void add_hand(struct stage *s, size_t packet)
{
    struct vox_playable_carried carried[VOX_PLAYABLE_MAX_CARRIED];
    struct vox_rtp rtp;
    int n = vox_playable_carried(s->config->stream, &s->config->packets[packet], carried);
    if (n == 0 || delay_of(s, packet, carried[0].frame) > s->config->budget_ns)
        return;
    const struct vox_playable_packet *p = &s->config->packets[packet];
    bool repeat = carried[0].way == VOX_PLAYABLE_RTX;
    if (vox_rtp_parse(p->bytes, p->len, &rtp) < 0 ||
        (repeat &&
         vox_rtx_parse(&rtp, s->config->stream->payload_type, s->config->stream->ssrc, &rtp) < 0))
        return;
    s->hands[s->hand_count++] = (struct hand){.t_ns = hand_time_ns(s, packet, carried, n),
                                              .seq = rtp.seq,
                                              .packet = packet,
                                              .repeat = repeat};
    /* The number of the first frame, whether its packet came or not. */
    s->first_seq = (uint16_t)(rtp.seq - carried[0].frame);
}

static int by_time(const void *a, const void *b)
{
    const struct hand *x = a, *y = b;
    if (x->t_ns != y->t_ns)
        return x->t_ns < y->t_ns ? -1 : 1;
    return (x->packet > y->packet) - (x->packet < y->packet);
}

static int plan(struct stage *s)
{
    size_t room = s->config->count > 0 ? s->config->count : 1;
    s->hands = malloc(room * sizeof *s->hands);
    if (!s->hands)
        return VOX_ENOMEM;
    find_floor(s);
    for (size_t i = 0; i < s->config->count; i++)
        add_hand(s, i);
    qsort(s->hands, s->hand_count, sizeof *s->hands, by_time);
    return 0;
}

/* ---- packets into the receiver ---- */

/* Opus of digital silence, of one packet's length: CELT in frames of 20 ms or less. */
static size_t silent_payload(int frame_ticks, bool stereo, uint8_t out[SILENT_BYTES])
{
    enum { CELT_FULLBAND_2_5_MS = 28, TWENTY_MS = 960 };
    int config = CELT_FULLBAND_2_5_MS;
    int count = frame_ticks > TWENTY_MS ? frame_ticks / TWENTY_MS : 1;
    size_t n = 0;
    for (int ticks = 120; ticks < frame_ticks && ticks < TWENTY_MS; ticks *= 2)
        config++;
    out[n++] = (uint8_t)(config << 3 | (stereo ? 4 : 0) | (count > 1 ? 3 : 0));
    if (count > 1)
        out[n++] = (uint8_t)count; /* RFC 6716, section 3.2.5: so many of one size */
    for (int i = 0; i < count; i++) {
        out[n++] = 0xff;
        out[n++] = 0xfe;
    }
    return n;
}

static void push_rtp(struct stage *s, const struct vox_rtp *rtp, int64_t t_ns)
{
    uint8_t bytes[VOX_RTP_MAX_BYTES];
    int len = vox_rtp_write(rtp, bytes, sizeof bytes);
    if (len > 0)
        vox_receiver_push(s->receiver, bytes, (size_t)len, t_ns, 0);
}

static void push_lead(struct stage *s)
{
    const struct vox_playable_stream *stream = s->config->stream;
    uint8_t payload[SILENT_BYTES];
    size_t bytes = silent_payload(stream->frame_ticks, s->out->channels == 2, payload);
    for (int i = -LEAD_PACKETS; i < 0; i++) {
        const struct vox_rtp rtp = {
            .payload_type = stream->payload_type,
            .seq = (uint16_t)(s->first_seq + i),
            .timestamp = stream->first_timestamp + (uint32_t)(i * stream->frame_ticks),
            .ssrc = stream->ssrc,
            .payload = payload,
            .payload_bytes = bytes,
        };
        push_rtp(s, &rtp, frame_end_ns(s, i) + s->floor_ns);
    }
}

static void push(struct stage *s, const struct hand *hand)
{
    const struct vox_playable_packet *packet = &s->config->packets[hand->packet];
    struct vox_rtp rtp;
    if (!hand->repeat) {
        vox_receiver_push(s->receiver, packet->bytes, packet->len, hand->t_ns, 0);
        return;
    }
    /* The receiver takes repeats for which it asked itself; this one is overtaken, to it. */
    if (vox_rtp_parse(packet->bytes, packet->len, &rtp) >= 0 &&
        vox_rtx_parse(&rtp, s->config->stream->payload_type, s->config->stream->ssrc, &rtp) >= 0)
        push_rtp(s, &rtp, hand->t_ns);
}

/* ---- sound out of it ---- */

static int64_t place(const struct stage *s, int64_t t_ns)
{
    return vox_ns_to_rtp(t_ns - deadline_ns(s, 0));
}

static void note_heard(struct stage *s, int64_t t_ns, int ticks)
{
    int64_t from = place(s, t_ns);
    for (int64_t i = from; s->heard && i < from + ticks; i++)
        if (i >= 0 && i < s->out->frames)
            s->heard[i] = true;
}

static void on_played(void *ctx, const struct vox_played_packet *packet)
{
    note_heard(ctx, packet->playout_ns, packet->duration_ticks);
}

static void pull(struct stage *s, int64_t t_ns)
{
    float pcm[2 * MOST_FRAMES];
    int frames = vox_receiver_block_frames(s->receiver);
    int channels = s->out->channels;
    int64_t at = place(s, t_ns);
    vox_receiver_pull(s->receiver, pcm, frames, t_ns, t_ns);
    for (int i = 0; i < frames; i++)
        if (at + i >= 0 && at + i < s->out->frames)
            memcpy(s->out->pcm + (at + i) * channels, pcm + i * channels,
                   (size_t)channels * sizeof *pcm);
}

static void play(struct stage *s)
{
    size_t next = 0;
    int64_t end_ns = deadline_ns(s, (int64_t)s->config->playable->count);
    push_lead(s);
    for (;;) {
        int64_t pull_ns = vox_receiver_next_pull_ns(s->receiver);
        int64_t hand_ns = next < s->hand_count ? s->hands[next].t_ns : VOX_NS_NEVER;
        if ((pull_ns < hand_ns ? pull_ns : hand_ns) >= end_ns)
            return;
        if (hand_ns <= pull_ns)
            push(s, &s->hands[next++]);
        else
            pull(s, pull_ns);
    }
}

/* Nothing is made up for what did not come in time. */
static void silence(struct stage *s)
{
    for (int64_t i = 0; s->heard && i < s->out->frames; i++)
        for (int c = 0; !s->heard[i] && c < s->out->channels; c++)
            s->out->pcm[i * s->out->channels + c] = 0;
}

static void judge(struct stage *s)
{
    static const double all_pct = 100.0;
    struct vox_receiver_stats *stats = calloc(1, sizeof *stats);
    int64_t frame_ns = s->config->playable->frame_ns;
    double sent_ns = (double)frame_ns * (double)s->config->playable->count;
    s->out->concealed_pct = all_pct;
    if (!stats)
        return;
    vox_receiver_read_stats(s->receiver, stats);
    if (stats->source_count > 0) {
        const struct vox_source_stats *source = &stats->sources[0];
        int64_t heard_ns = source->played_ns + (int64_t)source->frames.from_fec * frame_ns -
                           LEAD_PACKETS * frame_ns;
        double pct = all_pct * (1 - (double)heard_ns / sent_ns);
        s->out->concealed_pct = pct < 0 ? 0 : pct > all_pct ? all_pct : pct;
    }
    free(stats);
}

/* ---- the whole ---- */

/* 2 if this packet's own audio is coded in stereo, else 1. */
static int channels_of(const struct stage *s, const struct vox_playable_packet *packet)
{
    struct vox_rtp rtp;
    struct vox_red red;
    struct vox_opus_info info;
    if (vox_rtp_is_rtcp(packet->bytes, packet->len) ||
        vox_rtp_parse(packet->bytes, packet->len, &rtp) < 0 || rtp.ssrc != s->config->stream->ssrc)
        return 1;
    if (rtp.payload_type == s->config->stream->red_payload_type &&
        vox_red_parse(rtp.payload, rtp.payload_bytes, &red) >= 0) {
        rtp.payload = red.primary.data;
        rtp.payload_bytes = red.primary.data_bytes;
    }
    return vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) >= 0 ? info.channels : 1;
}

static int find_channels(const struct stage *s)
{
    for (size_t i = 0; i < s->config->count; i++)
        if (channels_of(s, &s->config->packets[i]) == 2)
            return 2;
    return 1;
}

static int open_receiver(struct stage *s)
{
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.follow_source = true;
    config.output_channels = s->out->channels;
    config.payload_type = s->config->stream->payload_type;
    config.red_payload_type = s->config->stream->red_payload_type;
    config.keep_tempo = true;
    config.delay_ns = s->config->budget_ns - s->floor_ns;
    config.on_played = on_played;
    config.ctx = s;
    return vox_receiver_create(&config, &s->receiver);
}

static int make(struct stage *s)
{
    struct vox_render *out = s->out;
    out->channels = find_channels(s);
    out->frames = (int64_t)s->config->playable->count * s->config->stream->frame_ticks;
    out->pcm = calloc((size_t)(out->frames * out->channels), sizeof *out->pcm);
    if (s->config->silent)
        s->heard = calloc((size_t)out->frames, sizeof *s->heard);
    if (!out->pcm || (s->config->silent && !s->heard))
        return VOX_ENOMEM;
    int err = plan(s);
    out->concealed_pct = 100;
    if (err < 0 || s->hand_count == 0) /* all of it too late: silence */
        return err;
    err = open_receiver(s);
    if (err < 0)
        return err;
    play(s);
    judge(s);
    silence(s);
    return 0;
}

int vox_render(const struct vox_render_config *config, struct vox_render *out)
{
    struct vox_render made = {0};
    struct stage s = {.config = config, .out = &made};
    if (config->budget_ns < 0)
        return VOX_EINVAL;
    int err = make(&s);
    vox_receiver_destroy(s.receiver);
    free(s.hands);
    free(s.heard);
    if (err < 0)
        vox_render_clear(&made);
    else
        *out = made;
    return err;
}

void vox_render_clear(struct vox_render *render)
{
    free(render->pcm);
    *render = (struct vox_render){0};
}
