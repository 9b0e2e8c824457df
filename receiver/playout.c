#include "receiver/playout.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/conceal.h"
#include "receiver/decoder.h"
#include "receiver/fifo.h"
#include "receiver/latency.h"
#include "receiver/ledger.h"
#include "receiver/stretch.h"
#include "receiver/timing.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONCEAL_STEP = 480,               /* at once, while nobody knows how much is missing: SILK's
                                         concealment is made of 10 ms */
    CONCEAL_MOST = 960,               /* of a known hole in one call */
    IDLE_AFTER = VOX_CONCEAL_FADE_TO, /* then the stream is idle, and what comes is seated anew */
    JITTER_SLOTS = 1024,              /* 2.5 s of 2.5 ms packets */
    PIECE = 240,                      /* between two decisions: 5 ms */
    DECODED = 32,                     /* packets in the fifo whose playout has not begun */
    STRETCH_AHEAD = VOX_STRETCH_LAG_MAX + VOX_STRETCH_FADE, /* which a shortening may look at */
};

/* A fixed delay may stand this far off before audio is cut or repeated for it, and at what rate. */
#define TOO_LONG_NS (10 * VOX_NS_PER_MS)
#define TOO_SHORT_NS (5 * VOX_NS_PER_MS)
#define FIXED_RATE 0.15
/* After a silence up to this long what comes in a heap is played, faster; after a longer one, only
 * what is due. */
#define HEAP_NS (2 * VOX_NS_PER_S)
#define TARGET_EVENT_NS (5 * VOX_NS_PER_MS)
/* A goodbye is not waited upon for longer. */
#define MOST_OVERTAKEN_NS (100 * VOX_NS_PER_MS)
enum phase { WAITING, PLAYING, ENDED };

struct vox_playout {
    const struct vox_receiver_config *config;
    const struct vox_emit *emit;
    struct vox_jitter *jitter;
    struct vox_decoder *decoder;
    struct vox_timing timing;
    struct vox_ledger ledger;
    struct vox_latency latency;
    struct vox_noise noise;
    enum phase phase;
    bool started;
    bool draining;
    int64_t drained_ns; /* if draining: nothing that was sent is under way any more */
    int64_t play_ts;    /* media time at which the received audio in the fifo ends */
    int64_t expanded;   /* ticks made up since then */
    int spare;          /* frames made up, at the end of the fifo, that may not be needed */
    bool state_kept;    /* the decoder's, from before the concealment that goes on */
    bool catching_up;   /* what is made up brings a fixed delay back to where it should be */
    int64_t last_index;
    int64_t fec_index; /* the last packet that was heard from in-band FEC */
    int last_duration;
    int64_t next_splice_ns; /* none before this time of playout */
    int64_t told_target_ns;
    struct {
        struct vox_played_packet packet;
        int ahead;      /* frames in the fifo in front of it */
    } decoded[DECODED]; /* that are still to be heard */
    int decoded_count;
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
    vox_timing_init(&p->timing, p->config);
    vox_ledger_init(&p->ledger, p->emit);
    vox_latency_init(&p->latency);
    vox_noise_init(&p->noise, p->config->seed);
    p->phase = WAITING;
    p->started = false;
    p->draining = false;
    p->expanded = 0;
    p->spare = 0;
    p->catching_up = false;
    p->state_kept = false;
    p->fec_index = INT64_MIN;
    p->last_duration = CONCEAL_MOST;
    p->next_splice_ns = INT64_MIN / 2;
    p->told_target_ns = 0;
    p->decoded_count = 0;
    vox_fifo_init(&p->fifo, 1);
}

/* ---- the delay ---- */

static bool is_fixed(const struct vox_playout *p)
{
    return p->config->delay_ns >= 0;
}

int64_t vox_playout_target_ns(const struct vox_playout *p)
{
    return vox_timing_target_ns(&p->timing);
}

/* Delay over the fastest packet if media time ts is played at playout_ns. */
static int64_t delay_of(const struct vox_playout *p, int64_t ts, int64_t playout_ns)
{
    return playout_ns - vox_timing_base_ns(&p->timing) - vox_rtp_to_ns(ts);
}

int64_t vox_playout_current_ns(const struct vox_playout *p, int64_t playout_ns)
{
    return delay_of(p, p->play_ts - p->fifo.frames, playout_ns);
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
    return p->phase == PLAYING && !p->ledger.gap.open;
}

static void tell_target(struct vox_playout *p, int64_t t_ns)
{
    int64_t target = vox_playout_target_ns(p);
    if (llabs(target - p->told_target_ns) < TARGET_EVENT_NS)
        return;
    p->told_target_ns = target;
    vox_emit_value(p->emit, VOX_EVENT_TARGET, t_ns, target);
}

/* ---- concealment ---- */

/* Frames in the fifo that are to be heard; behind them lies what was made up to spare. */
static int audible(const struct vox_playout *p)
{
    return p->fifo.frames - p->spare;
}

/* So much of what was made up is put out. */
static bool claim(struct vox_playout *p, int frames)
{
    frames = frames < p->spare ? frames : p->spare;
    p->spare -= frames;
    p->ledger.gap.made += frames;
    p->expanded += frames;
    return true;
}

/* Concealment, `most` at a time, of which `frames` are put out for now: what the next packet makes
 * needless is left out again. */
static bool make_up(struct vox_playout *p, int most, int frames, int64_t t_ns)
{
    vox_gap_open(&p->ledger.gap, t_ns);
    if (p->expanded == 0 && p->spare == 0) {
        vox_decoder_keep(p->decoder);
        p->state_kept = true;
    }
    if (p->spare == 0) {
        vox_conceal(p->decoder, &p->noise, &p->fifo, most, p->ledger.gap.made);
        p->spare = most;
    }
    return claim(p, frames);
}

/* Empties the fifo of what is to spare; its beginning is kept, to fade from. Returns the frames. */
static int take_tail(struct vox_playout *p, float *tail)
{
    int frames = p->spare < VOX_CONCEAL_GRAIN ? p->spare : VOX_CONCEAL_GRAIN;
    memcpy(tail, vox_fifo_front(&p->fifo), (size_t)(frames * p->fifo.channels) * sizeof *tail);
    p->fifo.frames = 0;
    p->spare = 0;
    return frames;
}

/*
 * What follows the last packet that was played comes after some of it was concealed: decoded from
 * the state before that, it is what it would have been, and so is all behind it. Some concealment
 * is kept to fade from. Returns whether it was so.
 */
static bool resync(struct vox_playout *p)
{
    if (!p->state_kept || p->expanded == 0)
        return false;
    if (p->spare == 0) {
        vox_conceal(p->decoder, &p->noise, &p->fifo, VOX_CONCEAL_GRAIN, p->ledger.gap.made);
        p->spare = VOX_CONCEAL_GRAIN;
    }
    vox_decoder_restore(p->decoder);
    p->state_kept = false;
    return true;
}

/* The last `frames` of the packet in front of head, from head's in-band FEC: that is of one frame,
 * however many the packets hold. */
static bool make_from_fec(struct vox_playout *p, const struct vox_packet *head, int frames,
                          int64_t t_ns)
{
    float tail[VOX_CONCEAL_GRAIN * 2];
    if (head->index == p->last_index + 2)
        resync(p);
    int tail_frames = take_tail(p, tail);
    vox_gap_open(&p->ledger.gap, t_ns);
    p->state_kept = false;
    if (!vox_conceal_from_fec(p->decoder, &p->fifo, head, frames))
        return make_up(p, frames, frames, t_ns);
    vox_conceal_fade_in(&p->fifo, tail, tail_frames);
    p->ledger.gap.from_fec += frames;
    p->ledger.from_fec++;
    p->fec_index = head->index - 1;
    vox_emit_value(p->emit, VOX_EVENT_RECOVERED, t_ns, head->index - 1);
    p->spare = frames;
    return claim(p, frames);
}

static bool fill_hole(struct vox_playout *p, const struct vox_packet *head, int64_t remaining,
                      int64_t t_ns)
{
    bool fec = head->info.has_lbrr && head->index > p->last_index + 1;
    int64_t concealed = remaining;
    vox_gap_open(&p->ledger.gap, t_ns);
    if (fec && remaining <= head->info.frame_ticks)
        return make_from_fec(p, head, (int)remaining, t_ns);
    if (fec)
        concealed -= head->info.frame_ticks;
    int frames = (int)(concealed < CONCEAL_MOST ? concealed : CONCEAL_MOST);
    return make_up(p, frames, frames, t_ns);
}

/* Shortens a hole that is about to be concealed, where the delay is longer than it should be. Once
 * a hole. Returns the ticks that are left out. */
static int64_t leave_out(struct vox_playout *p, const struct vox_packet *head, int64_t remaining,
                         int64_t t_ns)
{
    bool lost = head->index > p->last_index + 1 && remaining > 0;
    if (is_fixed(p) || !lost || p->ledger.gap.left_out > 0)
        return 0;
    int64_t position_ns = vox_rtp_to_ns(p->play_ts + p->expanded);
    int64_t target_ns = vox_timing_base_ns(&p->timing) + vox_playout_target_ns(p);
    /* What in-band FEC brings is audio that came. */
    int64_t fec = head->info.has_lbrr ? head->info.frame_ticks : 0;
    int64_t cut_ns =
        vox_planner_leave_out(&p->timing.planner, vox_rtp_to_ns(head->ts - p->play_ts - fec),
                              t_ns - position_ns - target_ns);
    int64_t cut = vox_ns_to_rtp(cut_ns);
    cut = cut < remaining - fec ? cut : remaining - fec;
    if (cut <= 0)
        return 0;
    vox_gap_open(&p->ledger.gap, t_ns);
    p->ledger.gap.left_out = cut;
    p->expanded += cut;
    vox_ledger_stretched(&p->ledger, VOX_STRETCH_HOLE, -cut, t_ns);
    return cut;
}

/* ---- received audio ---- */

static void take(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    vox_ledger_take(&p->ledger, head, p->last_index, p->play_ts, t_ns);
    p->last_index = head->index;
}

/* The oldest packet that was decoded begins to be heard. */
static void tell_played(struct vox_playout *p, int64_t playout_ns)
{
    struct vox_played_packet *packet = &p->decoded[0].packet;
    packet->playout_ns = playout_ns;
    vox_latency_add(&p->latency, vox_timing_base_ns(&p->timing), packet->ts, packet->arrival_ns,
                    playout_ns);
    if (p->config->on_played)
        p->config->on_played(p->config->ctx, packet);
    p->decoded_count--;
    memmove(&p->decoded[0], &p->decoded[1], (size_t)p->decoded_count * sizeof p->decoded[0]);
}

/* Splices may still move what lies ahead: when it is heard is told when it is. */
static void note_decoded(struct vox_playout *p, const struct vox_packet *head, int64_t playout_ns)
{
    struct vox_played_packet packet = {
        .source = p->emit->source,
        .ssrc = p->emit->ssrc,
        .channels = head->info.channels,
        .index = head->index,
        .ts = head->ts,
        .duration_ticks = head->info.duration_ticks,
        .arrival_ns = head->arrival_ns,
        .playout_ns = playout_ns,
        .payload = head->payload,
        .payload_bytes = head->payload_bytes,
    };
    if (p->config->on_decoded)
        p->config->on_decoded(p->config->ctx, &packet);
    packet.payload = NULL;
    packet.payload_bytes = 0;
    if (p->decoded_count == DECODED)
        tell_played(p, playout_ns);
    p->decoded[p->decoded_count].packet = packet;
    p->decoded[p->decoded_count++].ahead = p->fifo.frames;
}

static void note_copy(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    if (!head->is_copy)
        return;
    p->ledger.from_red++;
    vox_emit_event(p->emit, (struct vox_event){.kind = VOX_EVENT_RECOVERED,
                                               .t_ns = t_ns + vox_rtp_to_ns(p->fifo.frames),
                                               .carrier = VOX_CARRIER_RED,
                                               .value = head->index});
}

/* Decodes the head to the end of the fifo, which begins at t_ns, and takes it from the jitter
 * buffer. False: it could not be decoded and is concealed. */
static bool append_head(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    int duration = head->info.duration_ticks;
    vox_fifo_rewind(&p->fifo);
    float *end = vox_fifo_end(&p->fifo);
    int n = vox_decoder_decode(p->decoder, head->payload, head->payload_bytes, end);
    bool decoded = n == duration;
    if (!decoded) { /* framed like Opus, but no more */
        n = vox_decoder_conceal(p->decoder, duration, end) == duration ? duration : 0;
        p->ledger.concealed_ticks += n;
    } else {
        p->ledger.decoded++;
        p->ledger.played++;
        p->ledger.played_ticks += n;
        note_copy(p, head, t_ns);
        vox_noise_hear(&p->noise, end, n, p->fifo.channels);
    }
    note_decoded(p, head, t_ns + vox_rtp_to_ns(p->fifo.frames));
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
    if (head->index == p->fec_index) /* that was heard, if coarsely */
        return head->info.duration_ticks;
    int64_t overlap = p->play_ts > head->ts ? p->play_ts - head->ts : 0;
    int64_t growth = p->play_ts + p->expanded - head->ts - overlap;
    if (growth <= 0)
        return overlap + growth;
    int64_t most_ns = is_fixed(p) ? vox_playout_target_ns(p) : p->config->max_delay_ns;
    int64_t ticks = vox_ns_to_rtp(delay_of(p, head->ts + overlap, t_ns) - most_ns);
    return overlap + (ticks < 0 ? 0 : ticks < growth ? ticks : growth);
}

/* A packet of which nothing can be played any more. The last ones still go through the decoder,
 * for its state. Where all come too late for a second, the path has become slower. */
static void drop_head(struct vox_playout *p, const struct vox_packet *head, int64_t t_ns)
{
    if (p->ledger.gap.made >= IDLE_AFTER)
        vox_timing_forget_fastest(&p->timing);
    int64_t position = p->play_ts + p->expanded;
    int64_t end = head->ts + head->info.duration_ticks;
    bool resynced = head->index == p->last_index + 1 && resync(p);
    p->state_kept = false;
    take(p, head, t_ns);
    vox_gap_late(&p->ledger.gap, head, p->ledger.gap.made - (position - head->ts),
                 p->timing.lead_ns);
    p->ledger.late++;
    vox_fifo_rewind(&p->fifo);
    float *unheard = vox_fifo_end(&p->fifo);
    bool of_use = resynced || vox_jitter_count(p->jitter) <= 2;
    if (of_use && head->index != p->fec_index &&
        vox_decoder_decode(p->decoder, head->payload, head->payload_bytes, unheard) > 0)
        p->ledger.decoded++;
    if (end > p->play_ts)
        p->play_ts = end;
    p->expanded = position - p->play_ts;
    vox_jitter_pop(p->jitter);
}

/* Makes sure that the stretcher has enough audio to look at, from packets that follow at once. */
static void read_ahead(struct vox_playout *p, int frames, int64_t t_ns)
{
    const struct vox_packet *head;
    while (p->fifo.frames < frames && (head = vox_jitter_head(p->jitter)) &&
           head->index == p->last_index + 1 && head->ts == p->play_ts) {
        take(p, head, t_ns);
        append_head(p, head, t_ns);
    }
}

/* One splice as ordered, in 48 kHz frames: > 0 put in, < 0 taken out, 0 refused. */
static int splice(struct vox_playout *p, const struct vox_planner_order *order, int64_t t_ns)
{
    bool shorter = order->action == VOX_PLANNER_SHORTEN;
    bool hurry = order->is_stall || order->rate >= 1;
    double least = hurry ? VOX_STRETCH_BETTER_THAN_NOTHING : VOX_STRETCH_UNHEARD;
    /* Too long by half a period does less harm than too short, which the next packet would be late
     * for. */
    int64_t wanted = vox_ns_to_rtp(order->amount_ns);
    wanted += shorter ? 0 : wanted / 2;
    int most = wanted < VOX_STRETCH_LAG_MAX ? (int)wanted : VOX_STRETCH_LAG_MAX;
    read_ahead(p, shorter ? STRETCH_AHEAD : VOX_STRETCH_FADE, t_ns);
    vox_fifo_rewind(&p->fifo);
    int channels = vox_decoder_channels(p->decoder);
    float *next = vox_fifo_front(&p->fifo);
    if (!shorter)
        return vox_stretch_lengthen(next, most, p->fifo.frames, channels, least);
    return -vox_stretch_shorten(next, p->fifo.frames, most, channels, least);
}

/* What was decoded ahead begins to be heard later, or sooner, by what the splice at the front of
 * the fifo put in or took out. */
static void move_ahead(struct vox_playout *p, int change)
{
    for (int i = 0; i < p->decoded_count; i++) {
        int *ahead = &p->decoded[i].ahead;
        if (*ahead >= 0)
            *ahead = *ahead + change > 0 ? *ahead + change : 0;
    }
}

static void stretch(struct vox_playout *p, const struct vox_planner_order *order, int64_t t_ns)
{
    int change = splice(p, order, t_ns);
    if (change == 0)
        return;
    int64_t lag_ns = vox_rtp_to_ns(abs(change));
    p->fifo.frames += change;
    p->next_splice_ns = t_ns + (int64_t)((double)lag_ns / order->rate) + (change > 0 ? lag_ns : 0);
    vox_ledger_stretched(&p->ledger, order->is_stall ? VOX_STRETCH_STALL : VOX_STRETCH_TARGET,
                         change, t_ns);
    move_ahead(p, change);
}

static struct vox_planner_order keep_fixed(int64_t error_ns)
{
    return (struct vox_planner_order){
        .action = error_ns > TOO_LONG_NS     ? VOX_PLANNER_SHORTEN
                  : error_ns < -TOO_SHORT_NS ? VOX_PLANNER_LENGTHEN
                                             : VOX_PLANNER_KEEP,
        .rate = FIXED_RATE,
        .amount_ns = llabs(error_ns),
    };
}

static struct vox_planner_order plan(const struct vox_playout *p, int64_t t_ns)
{
    int64_t current_ns = vox_playout_current_ns(p, t_ns);
    int64_t target_ns = vox_playout_target_ns(p);
    int64_t base_ns = vox_timing_base_ns(&p->timing);
    int64_t run;
    size_t ready = vox_jitter_run(p->jitter, p->last_index + 1, p->play_ts, &run);
    if (is_fixed(p))
        return keep_fixed(current_ns - target_ns);
    return vox_planner_decide(&p->timing.planner,
                              &(struct vox_planner_view){
                                  .known_ns = p->timing.known_ns,
                                  .offset_ns = base_ns + current_ns,
                                  .target_ns = base_ns + target_ns,
                                  .ready_ns = vox_rtp_to_ns(p->fifo.frames + run),
                                  .missing_ts = p->play_ts + run,
                                  .later_came = ready < vox_jitter_count(p->jitter),
                              });
}

/* Moves the delay towards its target, or stretches what there is where a packet is overdue. */
static void adapt(struct vox_playout *p, int64_t t_ns)
{
    if ((is_fixed(p) && (p->config->follow_source || p->config->keep_tempo)) ||
        p->ledger.gap.open || t_ns < p->next_splice_ns)
        return;
    const struct vox_planner_order order = plan(p, t_ns);
    /* After a goodbye nothing is overdue. */
    if (order.action != VOX_PLANNER_KEEP && !(order.is_stall && p->draining))
        stretch(p, &order, t_ns);
    if (!is_fixed(p))
        tell_target(p, t_ns);
}

static bool play_head(struct vox_playout *p, const struct vox_packet *head, int skip, int64_t t_ns,
                      int64_t lead_ns)
{
    float tail[VOX_CONCEAL_GRAIN * 2];
    if (head->index == p->last_index + 1)
        resync(p);
    int tail_frames = take_tail(p, tail);
    if (skip > 0 && tail_frames == 0)
        tail_frames = vox_conceal_tail(p->decoder, tail);
    p->state_kept = false;
    vox_timing_asked(&p->timing, lead_ns);
    take(p, head, t_ns);
    vox_ledger_close(&p->ledger, head, vox_rtp_to_ns(p->last_duration), p->timing.lead_ns);
    p->expanded = 0;
    bool decoded = append_head(p, head, t_ns);
    if (skip > 0 && skip < p->fifo.frames) {
        vox_fifo_drop(&p->fifo, skip);
        p->decoded[p->decoded_count - 1].ahead -= skip;
        p->ledger.played_ticks -= decoded ? skip : 0; /* that time was heard already, concealed */
    }
    vox_conceal_fade_in(&p->fifo, tail, tail_frames);
    return p->fifo.frames > 0;
}

/* By how much the delay would still fall short of a fixed one if the head, which is late, played
 * now: the path has become slower. */
static int64_t shortfall_ticks(const struct vox_playout *p, const struct vox_packet *head,
                               int64_t t_ns)
{
    int64_t from = head->ts > p->play_ts ? head->ts : p->play_ts;
    int64_t short_ns = vox_playout_target_ns(p) - delay_of(p, from, t_ns);
    bool late = p->ledger.gap.open && p->play_ts + p->expanded > from;
    int64_t least_ns = p->catching_up ? 0 : TOO_SHORT_NS;
    return is_fixed(p) && late && short_ns > least_ns ? vox_ns_to_rtp(short_ns) : 0;
}

/* ---- the machine ---- */

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
    while ((head = vox_jitter_head(p->jitter))) {
        int64_t remaining = head->ts - p->play_ts - p->expanded;
        if (remaining > IDLE_AFTER)
            break;
        remaining -= leave_out(p, head, remaining, t_ns);
        if (remaining > 0)
            return fill_hole(p, head, remaining, t_ns);
        int64_t wait = shortfall_ticks(p, head, t_ns);
        p->catching_up = wait > 0;
        if (wait > 0)
            return make_up(p, conceal_step(p), (int)(wait < frames ? wait : frames), t_ns);
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
        return make_up(p, conceal_step(p), frames, t_ns);
    p->fifo.frames = 0;
    p->spare = 0;
    return false;
}

int64_t vox_playout_start_ns(const struct vox_playout *p)
{
    const struct vox_packet *head = vox_jitter_head(p->jitter);
    if (p->phase != WAITING || !head)
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
        if (!is_fixed(p) && late_ns < HEAP_NS)
            late_ns = 0;
        p->expanded = head->ts - p->play_ts + vox_ns_to_rtp(late_ns);
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
    adapt(p, t_ns);
    int most = frames < PIECE ? frames : PIECE;
    int n = vox_fifo_take(&p->fifo, pcm, audible(p) < most ? audible(p) : most);
    while (p->decoded_count > 0 && p->decoded[0].ahead < n)
        tell_played(p, t_ns + vox_rtp_to_ns(p->decoded[0].ahead));
    for (int i = 0; i < p->decoded_count; i++)
        p->decoded[i].ahead -= n;
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

/* ---- arrivals ---- */

void vox_playout_look(struct vox_playout *p, int64_t now_ns, int64_t known_ns)
{
    vox_timing_look(&p->timing, now_ns, known_ns);
}

enum vox_insert vox_playout_insert(struct vox_playout *p, const struct vox_packet *packet)
{
    enum vox_insert result = vox_jitter_insert(p->jitter, packet);
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

bool vox_playout_insert_copy(struct vox_playout *p, const struct vox_packet *copy)
{
    if (vox_jitter_insert(p->jitter, copy) != VOX_INSERT_STORED)
        return false;
    vox_timing_repaired(&p->timing, copy);
    return true;
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
    out->curve_count = is_fixed(p) ? 0 : vox_planner_curve(&p->timing.planner, out->curve);
    vox_latency_read(&p->latency, out);
}
