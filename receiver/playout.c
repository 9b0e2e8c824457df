#include "receiver/playout.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/playout_delay.h"
#include "receiver/playout_head.h"
#include "receiver/playout_hole.h"
#include "receiver/playout_live.h"
#include "receiver/playout_state.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONCEAL_STEP = 480,  /* at once, while nobody knows how much is missing: SILK's concealment is
                            made of 10 ms */
    JITTER_SLOTS = 1024, /* 2.5 s of 2.5 ms packets */
    PIECE = 240,         /* between two decisions: 5 ms */
    USUAL_PACKET = 960,  /* until one has come: 20 ms */
};

/* After a silence up to this long what comes in a heap is played, faster; after a longer one, only
 * what is due. */
#define HEAP_NS (2 * VOX_NS_PER_S)
/* A goodbye is not waited upon for longer. */
#define MOST_OVERTAKEN_NS (100 * VOX_NS_PER_MS)

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
    vox_timing_init(&p->timing, p->config);
    vox_ledger_init(&p->ledger, p->emit);
    vox_latency_init(&p->latency);
    vox_noise_init(&p->noise, p->config->seed);
    p->phase = VOX_PLAYOUT_WAITING;
    p->started = false;
    p->draining = false;
    p->expanded = 0;
    p->spare = 0;
    p->all_late = false;
    p->catching_up = false;
    p->state_kept = false;
    p->fec_index = INT64_MIN;
    p->last_duration = USUAL_PACKET;
    p->next_splice_ns = INT64_MIN / 2;
    p->told_target_ns = 0;
    p->decoded_count = 0;
    vox_fifo_init(&p->fifo, 1);
}

/* ---- the delay ---- */

int64_t vox_playout_target_ns(const struct vox_playout *p)
{
    return vox_timing_target_ns(&p->timing);
}

int64_t vox_playout_current_ns(const struct vox_playout *p, int64_t playout_ns)
{
    return vox_playout_delay_current_ns(p, playout_ns);
}

int vox_playout_ready_frames(const struct vox_playout *p)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (p->fifo.frames > p->spare)
        return p->fifo.frames - p->spare;
    if (!p->started)
        return head ? head->info.duration_ticks : 0;
    /* Of a late packet, only the rest: what follows it must not be asked for before its time. */
    int64_t over = head ? p->play_ts + p->expanded - head->ts : -1;
    return over >= 0 && over < head->info.duration_ticks ? head->info.duration_ticks - (int)over
                                                         : 0;
}

bool vox_playout_is_steady(const struct vox_playout *p)
{
    return p->phase == VOX_PLAYOUT_PLAYING && !p->ledger.gap.open;
}

/* ---- the machine ---- */

/* Frames in the fifo that are to be heard; behind them lies what was made up to spare. */
static int audible(const struct vox_playout *p)
{
    return p->fifo.frames - p->spare;
}

static bool is_drained(const struct vox_playout *p, int64_t now_ns)
{
    return p->draining && now_ns >= p->drained_ns;
}

/* While nobody knows how much is missing. */
static int conceal_step(const struct vox_playout *p)
{
    return p->last_duration < CONCEAL_STEP ? p->last_duration : CONCEAL_STEP;
}

/* Puts audio for the next `frames`, whatever it is made of, into the fifo, in which nothing is to
 * be heard. False: phase changed. */
static bool refill(struct vox_playout *p, int frames, int64_t t_ns, int64_t lead_ns)
{
    const struct vox_packet *head;
    vox_playout_live_return(p, t_ns);
    while ((head = vox_jitter_head(p->jitter))) {
        int64_t remaining = head->ts - p->play_ts - p->expanded;
        if (remaining > VOX_PLAYOUT_IDLE_AFTER)
            break;
        remaining -= vox_playout_delay_leave_out(p, head, remaining, t_ns);
        if (remaining > 0)
            return vox_playout_hole_fill(p, head, remaining, t_ns);
        int64_t wait = vox_playout_delay_shortfall_ticks(p, head, t_ns);
        p->catching_up = wait > 0;
        if (wait > 0)
            return vox_playout_hole_make_up(p, conceal_step(p),
                                            (int)(wait < frames ? wait : frames), t_ns);
        int64_t skip = vox_playout_delay_over_ticks(p, head, t_ns);
        if (skip < head->info.duration_ticks) {
            p->all_late = false;
            return vox_playout_head_play(p, head, (int)skip, t_ns, lead_ns);
        }
        vox_playout_head_drop(p, head, t_ns);
    }
    if (!head && is_drained(p, t_ns - lead_ns))
        p->phase = VOX_PLAYOUT_ENDED;
    else if (head || p->expanded >= VOX_PLAYOUT_IDLE_AFTER)
        p->phase = VOX_PLAYOUT_WAITING;
    else
        return vox_playout_hole_make_up(p, conceal_step(p), frames, t_ns);
    p->fifo.frames = 0;
    p->spare = 0;
    return false;
}

int64_t vox_playout_start_ns(const struct vox_playout *p)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (p->phase != VOX_PLAYOUT_WAITING || !head)
        return VOX_NS_NEVER;
    return vox_timing_base_ns(&p->timing) + vox_rtp_to_ns(head->ts) + vox_playout_target_ns(p);
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
        vox_gap_open(&p->ledger.gap, t_ns);
        p->ledger.gap.reseated = true;
        int64_t late_ns = t_ns - vox_playout_start_ns(p);
        if (!vox_playout_is_fixed(p) && late_ns < HEAP_NS && !vox_playout_live_is_far(p, t_ns))
            late_ns = 0;
        p->expanded = head->ts - p->play_ts + vox_ns_to_rtp(late_ns);
    }
    p->started = true;
    p->phase = VOX_PLAYOUT_PLAYING;
}

/* How much of `frames` is silence because the next audio is not due yet. Begins when none is. */
static int wait_frames(struct vox_playout *p, int frames, int64_t t_ns, int64_t lead_ns)
{
    if (!vox_jitter_head(p->jitter)) {
        if (!is_drained(p, t_ns - lead_ns))
            return frames;
        p->phase = VOX_PLAYOUT_ENDED;
        return 0;
    }
    vox_timing_asked(&p->timing, lead_ns);
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
    int channels = vox_decoder_channels(p->decoder);
    if (p->started)
        vox_conceal_silence(&p->noise, pcm, n, channels, p->ledger.gap.made);
    else
        memset(pcm, 0, (size_t)(n * channels) * sizeof *pcm);
    if (p->started && n > 0) {
        vox_gap_open(&p->ledger.gap, t_ns);
        p->ledger.gap.made += n;
    }
    return n;
}

static int put_audio(struct vox_playout *p, float *pcm, int frames, int64_t t_ns, int64_t lead_ns)
{
    if (audible(p) == 0 && !refill(p, frames, t_ns, lead_ns))
        return 0;
    vox_playout_delay_adapt(p, t_ns);
    int most = frames < PIECE ? frames : PIECE;
    int n = vox_fifo_take(&p->fifo, pcm, audible(p) < most ? audible(p) : most);
    vox_playout_head_heard(p, n, t_ns);
    return n;
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
    while (made < frames && p->phase != VOX_PLAYOUT_ENDED) {
        int64_t t_ns = playout_ns + vox_rtp_to_ns(made);
        float *at = pcm + made * channels;
        if (p->phase == VOX_PLAYOUT_WAITING)
            made += put_silence(p, at, frames - made, t_ns, t_ns - now_ns);
        else
            made += put_audio(p, at, frames - made, t_ns, t_ns - now_ns);
    }
    memset(pcm + made * channels, 0, (size_t)((frames - made) * channels) * sizeof *pcm);
    return p->started ? made : 0;
}

void vox_playout_pass(struct vox_playout *p, int64_t duration_ns)
{
    if (p->ledger.gap.open)
        p->ledger.gap.made += vox_ns_to_rtp(duration_ns);
}

/* ---- arrivals ---- */

void vox_playout_look(struct vox_playout *p, int64_t now_ns, int64_t known_ns)
{
    vox_timing_look(&p->timing, now_ns, known_ns);
}

static void drop_oldest(struct vox_playout *p, int64_t t_ns)
{
    if (p->started) {
        vox_playout_head_drop(p, vox_jitter_head(p->jitter), t_ns);
    } else {
        vox_jitter_pop(p->jitter);
        p->ledger.late++;
    }
}

/* Of a heap that is longer than the buffer, what came last is what is live. */
static enum vox_insert insert(struct vox_playout *p, const struct vox_packet *packet)
{
    enum vox_insert result = vox_jitter_insert(p->jitter, packet);
    bool live = result == VOX_INSERT_FULL && p->phase == VOX_PLAYOUT_WAITING &&
                packet->index > vox_jitter_newest(p->jitter) &&
                packet->payload_bytes <= VOX_RTP_MAX_BYTES;
    while (live && result == VOX_INSERT_FULL && vox_playout_live_is_over(p, packet->arrival_ns)) {
        drop_oldest(p, packet->arrival_ns);
        result = vox_jitter_insert(p->jitter, packet);
    }
    return result;
}

enum vox_insert vox_playout_insert(struct vox_playout *p, const struct vox_packet *packet)
{
    enum vox_insert result = insert(p, packet);
    switch (result) {
    case VOX_INSERT_STORED:
    case VOX_INSERT_FULL:
        vox_timing_arrived(&p->timing, packet);
        break;
    case VOX_INSERT_LATE:
        vox_timing_arrived(&p->timing, packet);
        vox_glitches_late_packet(&p->ledger.glitches, packet->index, packet->arrival_ns);
        p->ledger.late++;
        break;
    case VOX_INSERT_DUPLICATE:
        p->ledger.duplicate++;
        break;
    case VOX_INSERT_REPLACED:
        break;
    }
    return result;
}

bool vox_playout_knows(const struct vox_playout *p, int64_t index)
{
    return vox_jitter_knows(p->jitter, index);
}

/* Copies are numbered by counting packets of audio. Where a number that held none was lost, nobody
 * knows, and the copy of a packet that is here, or was played, has the number behind that. */
static bool is_known(const struct vox_playout *p, const struct vox_packet *copy)
{
    int64_t before = vox_jitter_before(p->jitter, copy->index);
    const struct vox_packet *packet = vox_jitter_find(p->jitter, before);
    return (packet && packet->ts >= copy->ts) || (p->started && copy->ts < p->play_ts);
}

bool vox_playout_insert_copy(struct vox_playout *p, const struct vox_packet *copy)
{
    if (is_known(p, copy) || vox_jitter_insert(p->jitter, copy) != VOX_INSERT_STORED)
        return false;
    vox_timing_repaired(&p->timing, copy);
    return true;
}

void vox_playout_blank(struct vox_playout *p, int64_t index)
{
    vox_jitter_blank(p->jitter, index);
    vox_timing_blank(&p->timing, index);
}

int64_t vox_playout_back(const struct vox_playout *p, int64_t index, int64_t count)
{
    for (; count > 0; count--)
        index = vox_jitter_before(p->jitter, index);
    return index;
}

void vox_playout_new_timeline(struct vox_playout *p)
{
    vox_timing_new_timeline(&p->timing);
}

void vox_playout_drain(struct vox_playout *p, int64_t now_ns)
{
    int64_t late_ns = vox_playout_target_ns(p);
    if (!p->draining)
        p->drained_ns = now_ns + (late_ns < MOST_OVERTAKEN_NS ? late_ns : MOST_OVERTAKEN_NS);
    p->draining = true;
}

bool vox_playout_ended(const struct vox_playout *p)
{
    return p->phase == VOX_PLAYOUT_ENDED;
}

bool vox_playout_started(const struct vox_playout *p)
{
    return p->started;
}

bool vox_playout_is_idle(const struct vox_playout *p)
{
    return p->phase == VOX_PLAYOUT_WAITING;
}

int vox_playout_channels(const struct vox_playout *p)
{
    return vox_decoder_channels(p->decoder);
}

const struct vox_timing *vox_playout_timing(const struct vox_playout *p)
{
    return &p->timing;
}

void vox_playout_settle(struct vox_playout *p, int64_t now_ns)
{
    vox_glitches_settle(&p->ledger.glitches, p->emit, now_ns);
}

void vox_playout_underrun(struct vox_playout *p, int64_t t_ns, int64_t gap_ns)
{
    vox_glitches_add(&p->ledger.glitches, p->emit, VOX_GLITCH_UNDERRUN, t_ns, gap_ns, 0);
}

void vox_playout_set_capture_zero(struct vox_playout *p, int64_t zero_ns)
{
    vox_latency_set_capture_zero(&p->latency, zero_ns);
}

void vox_playout_read_stats(const struct vox_playout *p, struct vox_source_stats *out)
{
    out->channels = vox_decoder_channels(p->decoder);
    out->packet_ticks = p->last_duration;
    vox_ledger_read(&p->ledger, p->last_duration, out);
    out->target_ns = vox_playout_target_ns(p);
    out->curve_count =
        vox_playout_is_fixed(p) ? 0 : vox_planner_curve(&p->timing.planner, out->curve);
    vox_latency_read(&p->latency, out);
}
