#include "receiver/playout.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/conceal.h"
#include "receiver/decoder.h"
#include "receiver/fifo.h"
#include "receiver/gap.h"
#include "receiver/glitches.h"
#include "receiver/latency.h"
#include "receiver/stretch.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONCEAL_STEP = 480,               /* while nobody knows how much is missing: 10 ms at a time */
    CONCEAL_MOST = 960,               /* of a known hole in one call */
    IDLE_AFTER = VOX_CONCEAL_FADE_TO, /* then the stream is idle, and what comes is seated anew */
    JITTER_SLOTS = 1024,              /* 2.5 s of 2.5 ms packets */
    STRETCH_AHEAD = VOX_STRETCH_LAG_MAX + VOX_STRETCH_FADE, /* which a shortening may look at */
};

/* The delay may stand this far off its target before audio is cut or repeated for it. */
#define TOO_LONG_NS (10 * VOX_NS_PER_MS)
#define TOO_SHORT_NS (5 * VOX_NS_PER_MS)
#define STRETCH_PAUSE_NS (60 * VOX_NS_PER_MS)
#define TARGET_EVENT_NS (5 * VOX_NS_PER_MS)
/* A goodbye is not waited upon for longer. */
#define MOST_OVERTAKEN_NS (100 * VOX_NS_PER_MS)
/* Two clocks are held together to within so much. */
#define CLOCK_MARGIN_NS VOX_NS_PER_MS

/* In-band FEC is waited for when most packets carry it and this share of packets is lost. */
#define FEC_PAYS_LOSS 0.002
#define SHARE_WINDOW 500.0

enum phase { WAITING, PLAYING, ENDED };

struct vox_playout {
    const struct vox_receiver_config *config;
    const struct vox_emit *emit;
    struct vox_jitter *jitter;
    struct vox_decoder *decoder;
    struct vox_delay delay;
    struct vox_glitches glitches;
    struct vox_latency latency;
    struct vox_playout_counts counts;
    enum phase phase;
    bool started;
    bool draining;
    int64_t drained_ns; /* if draining: nothing that was sent is under way any more */
    int64_t play_ts;    /* media time at which the received audio in the fifo ends */
    int64_t expanded;   /* ticks made up since then */
    struct vox_gap gap;
    int64_t last_index;
    int last_duration;
    int64_t lead_ns; /* how long before its playout a packet is asked for: recent maximum */
    int64_t last_stretch_ns;
    int64_t told_target_ns;
    double lbrr_share, loss_share;
    struct vox_fifo fifo;
};

int vox_playout_create(const struct vox_receiver_config *config, const struct vox_emit *emit,
                       struct vox_playout **out)
{
    struct vox_playout *p = calloc(1, sizeof *p);
    if (!p)
        return VOX_ENOMEM;
    p->config = config;
    p->emit = emit;
    if (vox_jitter_create(JITTER_SLOTS, &p->jitter) < 0 || vox_decoder_create(&p->decoder) < 0) {
        vox_playout_destroy(p);
        return VOX_ENOMEM;
    }
    vox_playout_reset(p);
    *out = p;
    return 0;
}

void vox_playout_destroy(struct vox_playout *p)
{
    if (!p)
        return;
    vox_jitter_destroy(p->jitter);
    vox_decoder_destroy(p->decoder);
    free(p);
}

void vox_playout_reset(struct vox_playout *p)
{
    vox_jitter_reset(p->jitter);
    vox_decoder_reset(p->decoder, 1);
    vox_delay_init(&p->delay);
    vox_glitches_init(&p->glitches);
    vox_latency_init(&p->latency);
    p->counts = (struct vox_playout_counts){0};
    p->phase = WAITING;
    p->started = false;
    p->draining = false;
    p->expanded = 0;
    p->gap = (struct vox_gap){0};
    p->last_duration = CONCEAL_MOST;
    p->lead_ns = 0;
    p->last_stretch_ns = INT64_MIN / 2;
    p->told_target_ns = 0;
    p->lbrr_share = 0;
    p->loss_share = 0;
    vox_fifo_init(&p->fifo, 1);
}

/* ---- the delay ---- */

static bool is_fixed(const struct vox_playout *p)
{
    return p->config->delay_ns >= 0;
}

static bool fec_pays(const struct vox_playout *p)
{
    return p->lbrr_share > 0.5 && p->loss_share > FEC_PAYS_LOSS;
}

int64_t vox_playout_target_ns(const struct vox_playout *p)
{
    int64_t ahead = p->lead_ns + (p->config->follow_source ? 0 : CLOCK_MARGIN_NS);
    if (is_fixed(p))
        return p->config->delay_ns > ahead ? p->config->delay_ns : ahead;
    int64_t target = vox_delay_target_ns(&p->delay) + ahead;
    int64_t fec = vox_delay_p90_ns(&p->delay) + ahead + vox_rtp_to_ns(p->last_duration);
    if (fec_pays(p) && fec > target)
        target = fec;
    if (target < p->config->min_delay_ns)
        target = p->config->min_delay_ns;
    return target < p->config->max_delay_ns ? target : p->config->max_delay_ns;
}

/* Delay over the fastest packet if media time ts is played at playout_ns. */
static int64_t delay_of(const struct vox_playout *p, int64_t ts, int64_t playout_ns)
{
    return playout_ns - vox_delay_base_ns(&p->delay) - vox_rtp_to_ns(ts);
}

int64_t vox_playout_current_ns(const struct vox_playout *p, int64_t playout_ns)
{
    return delay_of(p, p->play_ts - p->fifo.frames, playout_ns);
}

int vox_playout_ready_frames(const struct vox_playout *p)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (p->fifo.frames > 0)
        return p->fifo.frames;
    if (!p->started)
        return head ? head->info.duration_ticks : 0;
    /* Of a late packet, only the rest: what follows it must not be asked for before its time. */
    int64_t over = head ? p->play_ts + p->expanded - head->ts : -1;
    return over >= 0 && over < head->info.duration_ticks ? head->info.duration_ticks - (int)over
                                                         : 0;
}

bool vox_playout_is_steady(const struct vox_playout *p)
{
    return p->phase == PLAYING && !p->gap.open;
}

static void note_lead(struct vox_playout *p, int64_t lead_ns)
{
    if (lead_ns > p->lead_ns)
        p->lead_ns = lead_ns;
    else
        p->lead_ns -= (p->lead_ns - lead_ns) / 64;
}

static void tell_target(struct vox_playout *p, int64_t t_ns)
{
    int64_t target = vox_playout_target_ns(p);
    if (llabs(target - p->told_target_ns) < TARGET_EVENT_NS)
        return;
    p->told_target_ns = target;
    vox_emit_value(p->emit, VOX_EVENT_TARGET, t_ns, target);
}

/* ---- gaps and their accounts ---- */

/* Books the hole in front of a packet that is being taken from the jitter buffer. */
static void take_stock(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    int64_t missing = head->index - p->last_index - 1;
    p->loss_share += ((double)missing / (double)(missing + 1) - p->loss_share) / SHARE_WINDOW;
    p->lbrr_share += ((double)head->info.has_lbrr - p->lbrr_share) / SHARE_WINDOW;
    if (missing > 0 || head->ts > p->play_ts)
        vox_gap_open(&p->gap, t_ns);
    vox_gap_take(&p->gap, head, p->last_index, p->play_ts);
    p->last_index = head->index;
}

static void book_lost(struct vox_playout *p, int64_t lost_ticks)
{
    if (lost_ticks <= 0)
        return;
    p->counts.concealed_ticks += lost_ticks;
    vox_glitches_open(&p->glitches, p->emit,
                      &(struct vox_open_glitch){
                          .first_index = p->gap.first_missing,
                          .count = p->gap.missing,
                          .start_ns = p->gap.start_ns - p->lead_ns,
                          .packet_ns = vox_rtp_to_ns(p->last_duration),
                          .duration_ns = vox_rtp_to_ns(lost_ticks),
                      });
}

static void book_unsent(struct vox_playout *p, const struct vox_packet *head, int64_t ticks)
{
    if (ticks <= 0)
        return;
    /* RFC 3551, section 4.1: the marker opens a talkspurt, so what was in front of it was silence.
     */
    if (head->marker) {
        p->counts.dtx_ticks += ticks;
        return;
    }
    p->counts.concealed_ticks += ticks;
    vox_glitches_add(&p->glitches, p->emit, VOX_GLITCH_SENDER_GAP, p->gap.start_ns,
                     vox_rtp_to_ns(ticks), 0);
}

static void book_late(struct vox_playout *p, int64_t ticks)
{
    if (ticks <= 0)
        return;
    p->counts.concealed_ticks += ticks;
    vox_glitches_add(&p->glitches, p->emit, VOX_GLITCH_LATE, p->gap.start_ns, vox_rtp_to_ns(ticks),
                     p->gap.late_ns);
}

/* Audio goes on with `head`: says what the made-up output stood for. */
static void close_gap(struct vox_playout *p, const struct vox_packet *head)
{
    if (!p->gap.open)
        return;
    struct vox_gap_account account = vox_gap_close(&p->gap, head, p->lead_ns);
    book_lost(p, account.lost);
    book_unsent(p, head, account.unsent);
    book_late(p, account.late);
}

/* ---- concealment ---- */

/* Books what now stands in the fifo and was not received. */
static bool made_up(struct vox_playout *p)
{
    p->gap.made += p->fifo.frames;
    p->expanded += p->fifo.frames;
    return true;
}

/* `frames` of concealment into the empty fifo. */
static bool make_up(struct vox_playout *p, int frames, int64_t t_ns)
{
    vox_gap_open(&p->gap, t_ns);
    vox_conceal(p->decoder, &p->fifo, frames, p->expanded);
    return made_up(p);
}

/* The last `frames` of the packet in front of head, from head's in-band FEC: that is of one frame,
 * however many the packets hold. */
static bool make_from_fec(struct vox_playout *p, const struct vox_packet *head, int frames,
                          int64_t t_ns)
{
    vox_gap_open(&p->gap, t_ns);
    if (!vox_conceal_from_fec(p->decoder, &p->fifo, head, frames))
        return make_up(p, frames, t_ns);
    p->gap.from_fec += frames;
    p->counts.from_fec++;
    vox_emit_value(p->emit, VOX_EVENT_RECOVERED, t_ns, head->index - 1);
    return made_up(p);
}

static bool fill_hole(struct vox_playout *p, const struct vox_packet *head, int64_t remaining,
                      int64_t t_ns)
{
    bool fec = head->info.has_lbrr && head->index > p->last_index + 1;
    int64_t concealed = remaining;
    vox_gap_open(&p->gap, t_ns);
    if (fec && remaining <= head->info.frame_ticks)
        return make_from_fec(p, head, (int)remaining, t_ns);
    if (fec)
        concealed -= head->info.frame_ticks;
    return make_up(p, (int)(concealed < CONCEAL_MOST ? concealed : CONCEAL_MOST), t_ns);
}

/* ---- received audio ---- */

/* Decodes the head to the end of the fifo and takes it from the jitter buffer. False: it could not
 * be decoded and is concealed. */
static bool append_head(struct vox_playout *p, const struct vox_packet *head, int64_t playout_ns)
{
    int duration = head->info.duration_ticks;
    vox_fifo_rewind(&p->fifo);
    float *end = vox_fifo_end(&p->fifo);
    int n = vox_decoder_decode(p->decoder, head->payload, head->payload_bytes, end);
    bool decoded = n == duration;
    if (!decoded) { /* framed like Opus, but no more */
        n = vox_decoder_conceal(p->decoder, duration, end) == duration ? duration : 0;
        p->counts.concealed_ticks += n;
    } else {
        p->counts.decoded++;
        p->counts.played++;
        p->counts.played_ticks += n;
    }
    if (p->config->on_played)
        p->config->on_played(p->config->ctx, &(struct vox_played_packet){
                                                 .source = p->emit->source,
                                                 .ssrc = p->emit->ssrc,
                                                 .channels = head->info.channels,
                                                 .index = head->index,
                                                 .ts = head->ts,
                                                 .duration_ticks = duration,
                                                 .arrival_ns = head->arrival_ns,
                                                 .playout_ns = playout_ns,
                                                 .payload = head->payload,
                                                 .payload_bytes = head->payload_bytes,
                                             });
    vox_latency_add(&p->latency, vox_delay_base_ns(&p->delay), head->ts, head->arrival_ns,
                    playout_ns);
    p->fifo.frames += n;
    p->play_ts = head->ts + duration;
    p->last_duration = duration;
    vox_jitter_pop(p->jitter);
    return decoded;
}

/* Ticks of the head that are over: what was played already, and the part of its lateness by which
 * the delay shall not grow. A fixed delay grows too where the fastest packet has become slower. */
static int64_t over_ticks(const struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    int64_t overlap = p->play_ts > head->ts ? p->play_ts - head->ts : 0;
    int64_t growth = p->play_ts + p->expanded - head->ts - overlap;
    if (growth <= 0)
        return overlap + growth;
    int64_t most_ns = vox_playout_target_ns(p) + (is_fixed(p) ? 0 : TOO_LONG_NS);
    int64_t ticks = vox_ns_to_rtp(delay_of(p, head->ts + overlap, t_ns) - most_ns);
    return overlap + (ticks < 0 ? 0 : ticks < growth ? ticks : growth);
}

/* A packet of which nothing can be played any more. The last ones still go through the decoder,
 * for its state. Where all come too late for a second, the path has become slower. */
static void drop_head(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    if (p->gap.made >= IDLE_AFTER)
        vox_delay_forget_fastest(&p->delay);
    int64_t position = p->play_ts + p->expanded;
    int64_t end = head->ts + head->info.duration_ticks;
    take_stock(p, head, t_ns);
    vox_gap_late(&p->gap, head, p->gap.made - (position - head->ts), p->lead_ns);
    p->counts.late++;
    vox_fifo_rewind(&p->fifo);
    float *unheard = vox_fifo_end(&p->fifo);
    if (vox_jitter_count(p->jitter) <= 2 &&
        vox_decoder_decode(p->decoder, head->payload, head->payload_bytes, unheard) > 0)
        p->counts.decoded++;
    if (end > p->play_ts)
        p->play_ts = end;
    p->expanded = position - p->play_ts;
    vox_jitter_pop(p->jitter);
}

/* Makes sure that the stretcher has enough audio to look at, from packets that follow at once. */
static void read_ahead(struct vox_playout *p, int64_t t_ns)
{
    const struct vox_packet *head;
    while (p->fifo.frames < STRETCH_AHEAD && (head = vox_jitter_head(p->jitter)) &&
           head->index == p->last_index + 1 && head->ts == p->play_ts) {
        take_stock(p, head, t_ns);
        append_head(p, head, t_ns + vox_rtp_to_ns(p->fifo.frames));
    }
}

static void stretch(struct vox_playout *p, int64_t t_ns, bool shorter)
{
    int channels = vox_decoder_channels(p->decoder);
    read_ahead(p, t_ns);
    float *next = vox_fifo_front(&p->fifo);
    int change = shorter ? -vox_stretch_shorten(next, p->fifo.frames, channels, VOX_STRETCH_UNHEARD)
                         : vox_stretch_lengthen(next, VOX_FIFO_PAST, p->fifo.frames, channels,
                                                VOX_STRETCH_UNHEARD);
    if (change == 0)
        return;
    p->fifo.frames += change;
    p->last_stretch_ns = t_ns;
    p->counts.stretch_ops++;
    p->counts.stretched++;
    p->counts.stretched_ticks += abs(change);
    vox_emit_value(p->emit, VOX_EVENT_STRETCH, t_ns, vox_rtp_to_ns(change));
}

/* Moves the delay towards its target, where it is far off and not too often. */
static void adapt(struct vox_playout *p, int64_t t_ns)
{
    if ((is_fixed(p) && p->config->follow_source) || t_ns - p->last_stretch_ns < STRETCH_PAUSE_NS)
        return;
    int64_t error_ns = vox_playout_current_ns(p, t_ns) - vox_playout_target_ns(p);
    if (error_ns > TOO_LONG_NS || error_ns < -TOO_SHORT_NS)
        stretch(p, t_ns, error_ns > 0);
    tell_target(p, t_ns);
}

static bool play_head(struct vox_playout *p, const struct vox_packet *head, int skip, int64_t t_ns,
                      int64_t lead_ns)
{
    float tail[VOX_CONCEAL_GRAIN * 2];
    if (skip > 0)
        vox_conceal_tail(p->decoder, tail);
    note_lead(p, lead_ns);
    take_stock(p, head, t_ns);
    close_gap(p, head);
    p->expanded = 0;
    bool decoded = append_head(p, head, t_ns - vox_rtp_to_ns(skip));
    if (skip > 0 && skip < p->fifo.frames) {
        vox_fifo_drop(&p->fifo, skip);
        p->counts.played_ticks -= decoded ? skip : 0; /* that time was heard already, concealed */
        vox_conceal_fade_in(&p->fifo, tail);
    }
    adapt(p, t_ns);
    return p->fifo.frames > 0;
}

/* By how much the delay would still fall short of a fixed one if the head, which is late, played
 * now: the path has become slower. */
static int64_t shortfall_ticks(const struct vox_playout *p, const struct vox_packet *head,
                               int64_t t_ns)
{
    int64_t from = head->ts > p->play_ts ? head->ts : p->play_ts;
    int64_t short_ns = vox_playout_target_ns(p) - delay_of(p, from, t_ns);
    bool late = p->gap.open && p->play_ts + p->expanded > from;
    return is_fixed(p) && late && short_ns > TOO_SHORT_NS ? vox_ns_to_rtp(short_ns) : 0;
}

/* ---- the machine ---- */

static bool is_drained(const struct vox_playout *p, int64_t now_ns)
{
    return p->draining && now_ns >= p->drained_ns;
}

/* Puts the next piece of audio, whatever it is made of, into the empty fifo. False: phase changed.
 */
static bool refill(struct vox_playout *p, int64_t t_ns, int64_t lead_ns)
{
    const struct vox_packet *head;
    while ((head = vox_jitter_head(p->jitter))) {
        int64_t remaining = head->ts - p->play_ts - p->expanded;
        if (remaining > IDLE_AFTER)
            break;
        if (remaining > 0)
            return fill_hole(p, head, remaining, t_ns);
        int64_t wait = shortfall_ticks(p, head, t_ns);
        if (wait > 0)
            return make_up(p, (int)(wait < CONCEAL_MOST ? wait : CONCEAL_MOST), t_ns);
        int64_t skip = over_ticks(p, head, t_ns);
        if (skip < head->info.duration_ticks)
            return play_head(p, head, (int)skip, t_ns, lead_ns);
        drop_head(p, head, t_ns);
    }
    if (!head && is_drained(p, t_ns - lead_ns))
        p->phase = ENDED;
    else if (head || p->expanded >= IDLE_AFTER)
        p->phase = WAITING;
    else
        return make_up(p, p->last_duration < CONCEAL_STEP ? p->last_duration : CONCEAL_STEP, t_ns);
    return false;
}

int64_t vox_playout_start_ns(const struct vox_playout *p)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (p->phase != WAITING || !head)
        return VOX_NS_NEVER;
    return vox_delay_base_ns(&p->delay) + vox_rtp_to_ns(head->ts) + vox_playout_target_ns(p);
}

/* Audio begins with the head at the very first; after the stream was idle, where it should be by
 * now, so that packets that come in a heap then do not make the delay long. */
static void begin(struct vox_playout *p, int64_t t_ns)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (!p->started) {
        p->last_index = head->index - 1;
        p->play_ts = head->ts;
        p->expanded = 0;
    } else {
        vox_gap_open(&p->gap, t_ns);
        p->gap.reseated = true;
        p->expanded = head->ts - p->play_ts + vox_ns_to_rtp(t_ns - vox_playout_start_ns(p));
    }
    p->started = true;
    p->phase = PLAYING;
}

/* How much of `frames` is silence because the next audio is not due yet. Begins when none is. */
static int wait_frames(struct vox_playout *p, int frames, int64_t t_ns, int64_t lead_ns)
{
    if (!vox_jitter_head(p->jitter)) {
        if (!is_drained(p, t_ns - lead_ns))
            return frames;
        p->phase = ENDED;
        return 0;
    }
    note_lead(p, lead_ns);
    int64_t ticks = vox_ns_to_rtp(vox_playout_start_ns(p) - t_ns);
    if (ticks > 0)
        return ticks < frames ? (int)ticks : frames;
    begin(p, t_ns);
    return 0;
}

/* Up to `frames` of waiting silence. */
static int put_silence(struct vox_playout *p, float *pcm, int frames, int64_t t_ns, int64_t lead_ns)
{
    int n = wait_frames(p, frames, t_ns, lead_ns);
    memset(pcm, 0, (size_t)(n * vox_decoder_channels(p->decoder)) * sizeof *pcm);
    if (p->started && n > 0) {
        vox_gap_open(&p->gap, t_ns);
        p->gap.made += n;
    }
    return n;
}

static int put_audio(struct vox_playout *p, float *pcm, int frames, int64_t t_ns, int64_t lead_ns)
{
    if (p->fifo.frames == 0 && !refill(p, t_ns, lead_ns))
        return 0;
    return vox_fifo_take(&p->fifo, pcm, frames);
}

/* A source that turns out to be stereo: at the beginning of a call, so that it has one layout. */
static void follow_channels(struct vox_playout *p)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (!head || head->info.channels <= vox_decoder_channels(p->decoder) ||
        p->config->output_channels != 2)
        return;
    vox_fifo_widen(&p->fifo);
    vox_decoder_reset(p->decoder, 2);
}

int vox_playout_produce(struct vox_playout *p, float *pcm, int frames, int64_t now_ns,
                        int64_t playout_ns)
{
    follow_channels(p);
    int channels = vox_decoder_channels(p->decoder);
    int made = 0;
    while (made < frames && p->phase != ENDED) {
        int64_t t_ns = playout_ns + vox_rtp_to_ns(made);
        float *at = pcm + made * channels;
        if (p->phase == WAITING)
            made += put_silence(p, at, frames - made, t_ns, t_ns - now_ns);
        else
            made += put_audio(p, at, frames - made, t_ns, t_ns - now_ns);
    }
    memset(pcm + made * channels, 0, (size_t)((frames - made) * channels) * sizeof *pcm);
    return p->started ? made : 0;
}

enum vox_insert vox_playout_insert(struct vox_playout *p, const struct vox_packet *packet)
{
    enum vox_insert result = vox_jitter_insert(p->jitter, packet);
    switch (result) {
    case VOX_INSERT_STORED:
    case VOX_INSERT_FULL:
        vox_delay_packet(&p->delay, packet->ts, packet->arrival_ns);
        break;
    case VOX_INSERT_LATE:
        vox_delay_packet(&p->delay, packet->ts, packet->arrival_ns);
        vox_glitches_late_packet(&p->glitches, packet->index, packet->arrival_ns);
        p->counts.late++;
        break;
    case VOX_INSERT_DUPLICATE:
        p->counts.duplicate++;
        break;
    }
    return result;
}

void vox_playout_new_timeline(struct vox_playout *p)
{
    vox_delay_init(&p->delay);
}

void vox_playout_drain(struct vox_playout *p, int64_t now_ns)
{
    int64_t late_ns = vox_delay_p90_ns(&p->delay);
    if (!p->draining)
        p->drained_ns = now_ns + (late_ns < MOST_OVERTAKEN_NS ? late_ns : MOST_OVERTAKEN_NS);
    p->draining = true;
}

bool vox_playout_ended(const struct vox_playout *p)
{
    return p->phase == ENDED;
}

bool vox_playout_started(const struct vox_playout *p)
{
    return p->started;
}

bool vox_playout_is_idle(const struct vox_playout *p)
{
    return p->phase == WAITING;
}

int vox_playout_channels(const struct vox_playout *p)
{
    return vox_decoder_channels(p->decoder);
}

const struct vox_delay *vox_playout_delay(const struct vox_playout *p)
{
    return &p->delay;
}

void vox_playout_settle(struct vox_playout *p, int64_t now_ns)
{
    vox_glitches_settle(&p->glitches, p->emit, now_ns);
}

void vox_playout_underrun(struct vox_playout *p, int64_t t_ns, int64_t gap_ns)
{
    vox_glitches_add(&p->glitches, p->emit, VOX_GLITCH_UNDERRUN, t_ns, gap_ns, 0);
}

void vox_playout_set_capture_zero(struct vox_playout *p, int64_t zero_ns)
{
    vox_latency_set_capture_zero(&p->latency, zero_ns);
}

void vox_playout_read_stats(const struct vox_playout *p, struct vox_source_stats *out)
{
    const struct vox_playout_counts *c = &p->counts;
    out->channels = vox_decoder_channels(p->decoder);
    out->packet_ticks = p->last_duration;
    out->packets.late = c->late;
    out->packets.duplicate = c->duplicate;
    out->frames.played = c->played;
    out->frames.decoded = c->decoded;
    out->frames.concealed =
        (uint64_t)((c->concealed_ticks + p->last_duration / 2) / p->last_duration);
    out->frames.from_fec = c->from_fec;
    out->frames.stretched = c->stretched;
    out->stretch_ops = c->stretch_ops;
    out->played_ns = vox_rtp_to_ns(c->played_ticks);
    out->concealed_ns = vox_rtp_to_ns(c->concealed_ticks);
    out->dtx_ns = vox_rtp_to_ns(c->dtx_ticks);
    out->stretched_ns = vox_rtp_to_ns(c->stretched_ticks);
    for (int i = 0; i < VOX_GLITCH_CAUSES; i++) {
        out->glitches[i].count = p->glitches.causes[i].count;
        out->glitches[i].ns = p->glitches.causes[i].ns;
    }
    out->target_ns = vox_playout_target_ns(p);
    vox_latency_read(&p->latency, out);
}
