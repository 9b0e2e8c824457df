#include "lab/sweep_cell.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/emodel.h"
#include "lab/quality.h"
#include "wire/rtp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A receiver that nobody says goodbye to gives up long before. */
#define MOST_AFTER_END_NS (600 * VOX_NS_PER_S)
/* Of the clean decode; what vox_run_reference has. */
#define CLEAN_DELAY_NS (60 * VOX_NS_PER_MS)

enum {
    IP_UDP_BYTES = 28,
    /* Where the sound may begin beside where the first packet that was played has it: before it, a
     * frame may have been recovered. */
    MAX_LAG_FRAMES = VOX_RTP_HZ / 10,
    MIN_COMPARED_FRAMES = VOX_RTP_HZ / 50,
};

/* What one simulation leaves behind; too large for a stack. */
struct recorder {
    struct vox_sim_config sim;
    struct vox_sim_result result;
    struct vox_impair_config network, back;
    int channels;
    float *pcm;
    int64_t frames, room, held_frames;
    int64_t first_ts; /* of what was played first */
    bool has_first;
    uint16_t first_seq;
    uint8_t *present; /* of each packet: played or recovered */
    size_t packets;
    struct vox_tape *sent; /* what a sender that adapts said; else NULL */
    bool failed;
};

/* What a recording is compared with. */
struct clean {
    float *pcm;
    int64_t frames, first_ts;
};

static bool make_room(struct recorder *rec, int64_t frames)
{
    if (rec->frames + frames <= rec->room)
        return true;
    int64_t room = 2 * rec->room + frames + VOX_RTP_HZ;
    float *pcm = realloc(rec->pcm, (size_t)(room * rec->channels) * sizeof *pcm);
    if (!pcm)
        return false;
    rec->pcm = pcm;
    rec->room = room;
    return true;
}

/* As voxgram-recv records: silence while nothing is to be played counts only if sound follows. */
static void keep_sound(void *ctx, struct vox_receiver *receiver, const float *pcm, int frames,
                       int valid, bool was_idle, int64_t playout_ns)
{
    struct recorder *rec = ctx;
    (void)frames;
    (void)playout_ns;
    if (valid == 0)
        return;
    if (was_idle && vox_receiver_is_idle(receiver, -1) && rec->frames > 0) {
        rec->held_frames += valid;
        return;
    }
    if (!make_room(rec, rec->held_frames + valid)) {
        rec->failed = true;
        return;
    }
    size_t channels = (size_t)rec->channels;
    float *end = rec->pcm + (size_t)rec->frames * channels;
    size_t held = (size_t)rec->held_frames * channels;
    memset(end, 0, held * sizeof *end);
    memcpy(end + held, pcm, (size_t)valid * channels * sizeof *end);
    rec->frames += rec->held_frames + valid;
    rec->held_frames = 0;
}

static void mark_present(struct recorder *rec, int64_t index)
{
    int64_t at = index - rec->first_seq;
    if (at >= 0 && at < (int64_t)rec->packets)
        rec->present[at] = 1;
}

static void note_played(void *ctx, const struct vox_played_packet *packet)
{
    struct recorder *rec = ctx;
    if (!rec->has_first)
        rec->first_ts = packet->ts;
    rec->has_first = true;
    mark_present(rec, packet->index);
}

static void note_event(void *ctx, const struct vox_event *event)
{
    if (event->kind == VOX_EVENT_RECOVERED)
        mark_present(ctx, event->value);
}

static void close_recorder(struct recorder *rec)
{
    if (!rec)
        return;
    vox_tape_destroy(rec->sent);
    free(rec->pcm);
    free(rec->present);
    free(rec);
}

static struct recorder *open_recorder(const struct vox_sweep_sound *sound, bool keeps_sound)
{
    struct recorder *rec = calloc(1, sizeof *rec);
    if (!rec)
        return NULL;
    rec->packets = (size_t)sound->packets;
    rec->present = calloc(rec->packets + 1, 1);
    if (!rec->present) {
        free(rec);
        return NULL;
    }
    rec->channels = sound->channels;
    rec->first_seq = sound->first_seq;
    vox_sim_config_init(&rec->sim);
    rec->sim.sender_count = 1;
    rec->sim.senders[0].talker.tape = sound->tape;
    rec->sim.end_ns = sound->duration_ns + MOST_AFTER_END_NS;
    rec->sim.observer = (struct vox_sim_observer){.on_pcm = keeps_sound ? keep_sound : NULL,
                                                  .on_event = note_event,
                                                  .on_played = note_played,
                                                  .ctx = rec};
    return rec;
}

/* rec->sim.receiver is set. */
static int simulate(struct recorder *rec)
{
    rec->sim.receiver.output_channels = rec->channels;
    rec->sim.receiver.max_sources = 1;
    int err = vox_sim_run(&rec->sim, &rec->result);
    return err >= 0 && rec->failed ? VOX_ENOMEM : err;
}

/* ---- the sound ---- */

/* All frames, also that which the last samples only begin: as the sender counts them. */
static double kbps_of(uint64_t bytes, uint64_t ticks)
{
    return ticks > 0 ? (double)bytes * 8e-3 * VOX_RTP_HZ / (double)ticks : 0;
}

static void count_tape(struct vox_sweep_sound *sound)
{
    uint64_t bytes = 0;
    int64_t whole = sound->frame_ticks;
    int64_t ticks = (vox_ns_to_ticks(sound->duration_ns, VOX_RTP_HZ) + whole - 1) / whole * whole;
    size_t count = vox_tape_count(sound->tape);
    for (size_t i = 0; i < count; i++) {
        const struct vox_datagram *datagram = &vox_tape_at(sound->tape, i)->datagram;
        struct vox_rtp rtp;
        bytes += datagram->len + IP_UDP_BYTES;
        if (datagram->kind != VOX_DATAGRAM_RTP)
            continue;
        if (sound->packets++ == 0 && vox_rtp_parse(datagram->bytes, datagram->len, &rtp) >= 0)
            sound->first_seq = rtp.seq;
    }
    sound->wire_kbps = kbps_of(bytes, (uint64_t)ticks);
}

/* The same packets, all in time. The tape is that of the sound, or what was sent instead. */
static int decode_clean(const struct vox_sweep_sound *sound, const struct vox_tape *tape,
                        struct clean *out)
{
    struct recorder *rec = open_recorder(sound, true);
    if (!rec)
        return VOX_ENOMEM;
    rec->sim.senders[0].talker.tape = tape;
    rec->sim.receiver.delay_ns = CLEAN_DELAY_NS;
    int err = simulate(rec);
    if (err >= 0) {
        *out = (struct clean){rec->pcm, rec->frames, rec->first_ts};
        rec->pcm = NULL;
    }
    close_recorder(rec);
    return err;
}

static int keep_clean(struct vox_sweep_sound *sound)
{
    struct clean clean;
    int err = decode_clean(sound, sound->tape, &clean);
    if (err < 0)
        return err;
    sound->clean = clean.pcm;
    sound->clean_frames = clean.frames;
    sound->clean_ts = clean.first_ts;
    return 0;
}

static int keep_talker(const struct vox_talker_config *talker, struct vox_sweep_sound *sound)
{
    size_t samples = (size_t)talker->pcm_frames * (size_t)talker->engine.input_channels;
    sound->pcm = malloc(samples * sizeof *sound->pcm);
    if (!sound->pcm)
        return VOX_ENOMEM;
    memcpy(sound->pcm, talker->pcm, samples * sizeof *sound->pcm);
    sound->talker = *talker;
    sound->talker.pcm = sound->pcm;
    return 0;
}

int vox_sweep_sound_make(const struct vox_talker_config *talker, bool clean,
                         struct vox_sweep_sound *out)
{
    struct vox_sweep_sound sound = {
        .channels = talker->engine.channels,
        .frame_ticks = talker->engine.frame_ticks,
        .duration_ns = vox_ticks_to_ns(talker->frames, talker->engine.input_hz),
    };
    int err = vox_tape_record(talker, &sound.tape);
    if (err >= 0 && (talker->engine.rtx || talker->engine.adapt))
        err = keep_talker(talker, &sound);
    if (err >= 0) {
        count_tape(&sound);
        err = clean ? keep_clean(&sound) : 0;
    }
    if (err < 0)
        vox_sweep_sound_clear(&sound);
    else
        *out = sound;
    return err;
}

void vox_sweep_sound_clear(struct vox_sweep_sound *sound)
{
    vox_tape_destroy(sound->tape);
    free(sound->clean);
    free(sound->pcm);
    *sound = (struct vox_sweep_sound){0};
}

/* ---- a cell ---- */

/* Sums over what became of the one sender: after a long outage it begins again. */
static void take_stats(const struct vox_receiver_stats *stats, struct vox_sweep_cell *cell)
{
    for (int i = VOX_PUSH_NOT_RTP; i < VOX_PUSH_RESULTS; i++)
        cell->rejected += stats->pushed[i];
    cell->source = stats->past;
    if (stats->source_count == 0 || stats->sources[0].state == VOX_SOURCE_PROBATION)
        return;
    cell->source = stats->sources[0];
    vox_source_stats_add(&cell->source, &stats->past);
}

/* How much longer bursts of missing packets are than chance would have them (G.107, 7.5). */
static double burst_ratio(const struct recorder *rec)
{
    size_t missing = 0;
    size_t bursts = 0;
    for (size_t i = 0; i < rec->packets; i++) {
        missing += !rec->present[i];
        bursts += !rec->present[i] && (i == 0 || rec->present[i - 1]);
    }
    if (missing == 0 || missing == rec->packets)
        return 1;
    double mean = (double)missing / (double)bursts;
    return fmax(1, mean * (1 - (double)missing / (double)rec->packets));
}

static void rate(const struct recorder *rec, const struct vox_sweep_sound *sound,
                 struct vox_sweep_cell *cell)
{
    const struct vox_source_stats *s = &cell->source;
    int64_t from_fec_ns = (int64_t)s->frames.from_fec * vox_rtp_to_ns(sound->frame_ticks);
    double heard_ns = (double)(s->played_ns + from_fec_ns + s->concealed_ns + s->dtx_ns);
    struct vox_emodel e;
    struct vox_emodel_rating rating;
    cell->burst_ratio = burst_ratio(rec);
    if (heard_ns <= 0)
        return;
    cell->concealed_pct = 100.0 * (double)s->concealed_ns / heard_ns;
    vox_emodel_init(&e);
    e.delay_ms = vox_ns_to_ms(s->delay.total.p50_ns);
    e.loss_pct = cell->concealed_pct;
    e.burst_ratio = cell->burst_ratio;
    cell->heard = vox_emodel_rate(&e, &rating) >= 0;
    if (!cell->heard)
        return;
    cell->r_factor = rating.r;
    cell->mos = rating.mos;
}

/* A recording that is silent or too short has nothing to compare: no error. */
static int compare_with(const struct recorder *rec, const struct clean *clean, int channels,
                        struct vox_sweep_cell *cell)
{
    struct vox_quality q;
    if (!rec->has_first || rec->frames < MIN_COMPARED_FRAMES)
        return 0;
    int64_t lag = clean->first_ts - rec->first_ts;
    const struct vox_quality_input input = {
        .reference = {clean->pcm, (size_t)clean->frames, channels},
        .output = {rec->pcm, (size_t)rec->frames, channels},
        .min_lag_frames = lag - MAX_LAG_FRAMES,
        .max_lag_frames = lag + MAX_LAG_FRAMES,
    };
    int err = vox_quality_compare(&input, &q);
    if (err < 0)
        return err == VOX_EINVAL ? 0 : err;
    cell->compared = q.active_frames > 0;
    cell->segmental_snr_db = q.segmental_snr_db;
    cell->log_spectral_distance_db = q.log_spectral_distance_db;
    cell->dropouts = q.damage.dropouts;
    cell->clicks = q.damage.clicks;
    cell->dropout_ns = vox_rtp_to_ns(q.damage.dropout_frames);
    vox_quality_clear(&q);
    return 0;
}

/* Who adapts has sent other packets than those of the tape. */
static int compare(const struct recorder *rec, const struct vox_sweep_sound *sound,
                   struct vox_sweep_cell *cell)
{
    struct clean clean = {sound->clean, sound->clean_frames, sound->clean_ts};
    int err = rec->sent ? decode_clean(sound, rec->sent, &clean) : 0;
    if (err >= 0)
        err = compare_with(rec, &clean, sound->channels, cell);
    if (clean.pcm != sound->clean)
        free(clean.pcm);
    return err;
}

static void keep_sent(void *ctx, int sender, int64_t now_ns, const struct vox_datagram *datagram)
{
    struct recorder *rec = ctx;
    (void)sender;
    if (vox_tape_add(rec->sent, now_ns, datagram) < 0)
        rec->failed = true;
}

/* As in vox_replay: what the receiver says crosses a network like the one there. */
static int listen_to_receiver(struct recorder *rec, const struct vox_sweep_cell_config *config)
{
    struct vox_sim_sender *sender = &rec->sim.senders[0];
    rec->back = rec->network;
    rec->back.seed ^= VOX_SIM_BACK_SEED;
    sender->talker = config->sound->talker;
    sender->talker.engine.seed = rec->network.seed;
    sender->talker.engine.prefer_ms = config->receiver.prefer_ms;
    if (config->max_delay_ns >= 0)
        sender->talker.engine.max_delay_ns = config->max_delay_ns;
    sender->back = &rec->back;
    if (!sender->talker.engine.adapt || !config->sound->clean)
        return 0;
    rec->sim.observer.on_datagram = keep_sent;
    return vox_tape_create(&rec->sent);
}

static double wire_kbps(const struct recorder *rec, const struct vox_sweep_sound *sound)
{
    const struct vox_sender_stats *sent = &rec->result.senders[0];
    return sound->pcm ? kbps_of(sent->wire_bytes, sent->frames_captured) : sound->wire_kbps;
}

static int run_cell(struct recorder *rec, const struct vox_sweep_cell_config *config,
                    struct vox_sweep_cell *cell)
{
    const struct vox_sweep_sound *sound = config->sound;
    rec->network = config->network;
    rec->sim.senders[0].there = &rec->network;
    rec->sim.receiver = config->receiver;
    rec->sim.speaker = config->speaker;
    int err = sound->pcm ? listen_to_receiver(rec, config) : 0;
    if (err >= 0)
        err = simulate(rec);
    if (err < 0)
        return err;
    cell->wire_kbps = wire_kbps(rec, sound);
    take_stats(&rec->result.receiver, cell);
    rate(rec, sound, cell);
    return sound->clean ? compare(rec, sound, cell) : 0;
}

int vox_sweep_cell_run(const struct vox_sweep_cell_config *config, struct vox_sweep_cell *out)
{
    struct vox_sweep_cell cell = {0};
    struct recorder *rec = open_recorder(config->sound, config->sound->clean != NULL);
    if (!rec)
        return VOX_ENOMEM;
    int err = run_cell(rec, config, &cell);
    close_recorder(rec);
    if (err >= 0)
        *out = cell;
    return err;
}
