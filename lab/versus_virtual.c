#include "lab/versus_virtual.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/trace.h"
#include "cli/message.h"
#include "lab/sim.h"
#include "lab/tcp_model.h"
#include "lab/versus_result.h"
#include "wire/framing.h"

#include <stdlib.h>
#include <string.h>

/* As in a replay: any moment will do that is always the same, 2026-01-01; clocks that run since
 * some time; numbers that are not 0. */
#define START_UNIX_NS (INT64_C(1767225600) * VOX_NS_PER_S)
#define START_NS (100 * VOX_NS_PER_MS)

/* As long as a kernel's TCP has after the last packet: what voxgram-send waits for what the network
 * has not taken (5 s), and the --grace of the link. What is not there then is lost in both. */
#define TCP_PATIENCE_NS (8 * VOX_NS_PER_S)

enum { SSRC = 0x566f7801, RECEIVER_SSRC = 0x566f7800, RTX_SSRC = 0x566f7901 };
enum { FIRST_TIMESTAMP = 0x566f7802, UDP_IP_BYTES = 28 };

struct studio {
    struct vox_versus_result *result;
    const struct vox_versus_options *options;
    struct vox_clip clip;
    struct vox_trace *trace;
    struct vox_impair_config there, back; /* of this seed */
};

/* What comes out of one run. */
struct recorder {
    struct vox_versus_shot *shot;
    size_t sent;
    bool failed;
};

static void note_sent(void *ctx, int sender, int64_t now_ns, const struct vox_datagram *datagram)
{
    struct recorder *rec = ctx;
    (void)sender;
    (void)now_ns;
    rec->shot->bytes_there += datagram->len + UDP_IP_BYTES;
    rec->sent += datagram->kind == VOX_DATAGRAM_RTP;
}

static void note_returned(void *ctx, int sender, int64_t now_ns, size_t len)
{
    struct recorder *rec = ctx;
    (void)sender;
    (void)now_ns;
    rec->shot->bytes_back += len + UDP_IP_BYTES;
}

static void note_arrived(void *ctx, int sender, int64_t now_ns, const uint8_t *bytes, size_t len)
{
    struct recorder *rec = ctx;
    (void)sender;
    if (vox_tape_add(rec->shot->tape, now_ns + START_UNIX_NS,
                     &(struct vox_datagram){.bytes = bytes, .len = len}) < 0)
        rec->failed = true;
}

/* ---- the stage ---- */

static void set_networks(struct studio *studio, int repeat)
{
    const struct vox_versus_options *o = studio->options;
    vox_network_options_impair(&o->network, &studio->there);
    studio->there.packet_ns = vox_rtp_to_ns(o->encoding.frame_ticks);
    studio->there.trace = studio->trace;
    studio->there.seed = o->network.seed + (uint64_t)repeat;
    studio->back = studio->there;
    if (o->one_way)
        vox_impair_config_init(&studio->back);
    studio->back.seed = studio->there.seed ^ VOX_SIM_BACK_SEED;
}

static void set_talker(const struct studio *studio, enum vox_versus_link link,
                       struct vox_talker_config *talker)
{
    const struct vox_versus_options *o = studio->options;
    struct vox_sender_config *engine = &talker->engine;
    vox_sender_config_init(engine, (enum vox_profile)o->encoding.profile);
    engine->input_hz = studio->clip.hz;
    engine->input_channels = studio->clip.channels;
    engine->input_bits = studio->clip.bits;
    vox_encoding_options_apply(&o->encoding, studio->clip.channels, engine);
    if (link != VOX_VERSUS_LINK_RED)
        memset(engine->red_distances, 0, sizeof engine->red_distances);
    engine->fec = link == VOX_VERSUS_LINK_FEC;
    engine->rtx = link == VOX_VERSUS_LINK_RTX;
    engine->ssrc = SSRC;
    engine->rtx_ssrc = RTX_SSRC;
    engine->first_timestamp = FIRST_TIMESTAMP;
    engine->seed = studio->there.seed;
    engine->cname = vox_clip_name(o->path);
    engine->wall_offset_ns = START_UNIX_NS;
    talker->pcm = studio->clip.pcm;
    talker->pcm_frames = studio->clip.frames;
    talker->frames = studio->clip.frames;
    if (o->duration_ns > 0)
        talker->frames = vox_ns_to_ticks(o->duration_ns, studio->clip.hz);
    talker->start_ns = START_NS;
}

static void set_receiver(const struct studio *studio, enum vox_versus_link link,
                         struct vox_receiver_config *receiver)
{
    receiver->delay_ns = vox_ms_to_ns(vox_versus_largest_ms(&studio->result->budgets));
    receiver->rtx = link == VOX_VERSUS_LINK_RTX;
    receiver->ssrc = RECEIVER_SSRC;
    receiver->seed = studio->there.seed;
    receiver->wall_offset_ns = START_UNIX_NS;
}

/* ---- runs ---- */

static int run_udp(struct studio *studio, enum vox_versus_link link, struct recorder *rec)
{
    struct vox_sim_config *sim = calloc(1, sizeof *sim);
    struct vox_sim_result *out = calloc(1, sizeof *out);
    int err = sim && out ? 0 : VOX_ENOMEM;
    if (err >= 0) {
        vox_sim_config_init(sim);
        sim->sender_count = 1;
        set_talker(studio, link, &sim->senders[0].talker);
        sim->senders[0].there = &studio->there;
        sim->senders[0].back = &studio->back;
        set_receiver(studio, link, &sim->receiver);
        sim->observer = (struct vox_sim_observer){.on_datagram = note_sent,
                                                  .on_arrived = note_arrived,
                                                  .on_returned = note_returned,
                                                  .ctx = rec};
        err = vox_sim_run(sim, out);
        rec->shot->lost_there = out->there[0].lost + out->there[0].queue_dropped;
    }
    free(out);
    free(sim);
    return err >= 0 && rec->failed ? VOX_ENOMEM : err;
}

/* What the sender says, as messages of a stream. Reports are due a little before the packet that
 * was told of first. */
static int write_tape(const struct vox_tape *sent, struct vox_tcp_model *tcp, struct recorder *rec)
{
    int err = 0;
    int64_t now_ns = 0;
    for (size_t i = 0; err >= 0 && i < vox_tape_count(sent); i++) {
        const struct vox_tape_entry *entry = vox_tape_at(sent, i);
        now_ns = entry->datagram.send_ns > now_ns ? entry->datagram.send_ns : now_ns;
        rec->sent += entry->datagram.kind == VOX_DATAGRAM_RTP;
        err = vox_tcp_model_write(tcp, now_ns, entry->datagram.len + VOX_FRAMING_HEADER_BYTES);
    }
    return err;
}

static int read_messages(const struct vox_tape *sent, struct vox_tcp_model *tcp,
                         struct recorder *rec)
{
    struct vox_tcp_message message;
    struct vox_tcp_model_stats stats;
    size_t count = vox_tape_count(sent);
    int64_t last_ns = count > 0 ? vox_tape_at(sent, count - 1)->datagram.send_ns : 0;
    while (vox_tcp_model_read(tcp, last_ns + TCP_PATIENCE_NS, &message)) {
        const struct vox_datagram *d = &vox_tape_at(sent, (size_t)message.index)->datagram;
        note_arrived(rec, 0, message.readable_ns, d->bytes, d->len);
    }
    vox_tcp_model_read_stats(tcp, &stats);
    rec->shot->bytes_there = stats.bytes_there;
    rec->shot->bytes_back = stats.bytes_back;
    rec->shot->lost_there = stats.sender.repeated + stats.sender.probes;
    return rec->failed ? VOX_ENOMEM : 0;
}

/* Nothing that comes back changes what the sender says. */
static int run_tcp(struct studio *studio, enum vox_versus_link link, struct recorder *rec)
{
    struct vox_talker_config talker = {0};
    struct vox_tcp_model_config config;
    struct vox_tcp_model *tcp = NULL;
    struct vox_tape *sent = NULL;
    set_talker(studio, link, &talker);
    vox_tcp_model_config_init(&config);
    config.there = studio->there;
    config.back = studio->back;
    int err = vox_tape_record(&talker, &sent);
    if (err >= 0)
        err = vox_tcp_model_create(&config, &tcp);
    if (err >= 0)
        err = write_tape(sent, tcp, rec);
    if (err >= 0)
        err = read_messages(sent, tcp, rec);
    vox_tcp_model_destroy(tcp);
    vox_tape_destroy(sent);
    return err;
}

/* The tape is what a capture would have been. */
static int develop(const struct studio *studio, const struct recorder *rec)
{
    struct vox_versus_shot *shot = rec->shot;
    shot->count = vox_tape_count(shot->tape);
    shot->packets = calloc(shot->count + 1, sizeof *shot->packets);
    if (!shot->packets)
        return VOX_ENOMEM;
    for (size_t i = 0; i < shot->count; i++) {
        const struct vox_tape_entry *entry = vox_tape_at(shot->tape, i);
        shot->packets[i] = (struct vox_playable_packet){.arrival_ns = entry->made_ns,
                                                        .bytes = entry->datagram.bytes,
                                                        .len = entry->datagram.len};
    }
    vox_versus_stream_init(&shot->stream, studio->options);
    shot->stream.ssrc = SSRC;
    shot->stream.first_timestamp = FIRST_TIMESTAMP;
    shot->stream.frames = rec->sent;
    return vox_playable_find(&shot->stream, shot->packets, shot->count, &shot->playable);
}

static int shoot(struct studio *studio, enum vox_versus_link link, struct vox_versus_shot *shot)
{
    struct recorder rec = {.shot = shot};
    bool is_tcp = *vox_versus_congestion(link) != '\0';
    int err = vox_tape_create(&shot->tape);
    if (err >= 0)
        err = is_tcp ? run_tcp(studio, link, &rec) : run_udp(studio, link, &rec);
    return err >= 0 ? develop(studio, &rec) : err;
}

static int shoot_all(struct studio *studio, int repeat)
{
    struct vox_versus_shot shots[VOX_VERSUS_LINKS] = {0};
    int err = 0;
    set_networks(studio, repeat);
    for (int link = 0; err >= 0 && link < VOX_VERSUS_LINKS; link++)
        if (vox_versus_link_is_wanted((enum vox_versus_link)link, studio->options->has))
            err = shoot(studio, (enum vox_versus_link)link, &shots[link]);
    if (err >= 0)
        return vox_versus_take(studio->result, repeat, shots);
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        vox_versus_shot_clear(&shots[link]);
    return err;
}

/* ---- how far the model is known ---- */

/* Where tests/bench/tcp_model.sh has compared it, and versus itself. */
static bool is_compared(const struct vox_network_options *n)
{
    int64_t far_ms = n->loss <= 0.01 ? 500 : 150;
    return n->loss <= 0.3 && n->burst_packets <= 3 && n->delay_ns <= far_ms * VOX_NS_PER_MS &&
           n->jitter_ns <= 15 * VOX_NS_PER_MS && n->reorder <= 0 && n->duplicate <= 0 &&
           n->rate_limit_bps == 0 && !n->trace;
}

const char *vox_versus_doubt(const struct vox_versus_options *options)
{
    static const double STALLS = 0.15; /* from there on half of what is sent may be behind one */
    static const int MANY_SEEDS = 9;
    if (!options->has[VOX_VERSUS_CUBIC] && !options->has[VOX_VERSUS_BBR])
        return NULL;
    if (options->is_virtual && !is_compared(&options->network))
        return "The model of TCP was compared with a kernel for losses of up to 30 %, in bursts "
               "of up to 3, delays of up to 150 ms (500 with 1 % lost) and jitter of up to 15; "
               "this network lies beyond that, so TCP's figures are a guess.";
    if (options->network.loss >= STALLS && options->repeat < MANY_SEEDS)
        return "With so much lost a few stalls decide how TCP does, and one seed differs from "
               "another tenfold; --repeat 9 tells more.";
    return NULL;
}

/* ---- the whole ---- */

static bool open_studio(struct studio *studio)
{
    struct vox_audio_error error = {0};
    char why[VOX_NETWORK_ERROR_BYTES];
    const struct vox_versus_options *o = studio->options;
    if (vox_clip_load(o->path, &studio->clip, &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    if (!o->network.trace || vox_network_trace_read(o->network.trace, &studio->trace, why) >= 0)
        return true;
    vox_message_error("%s", why);
    return false;
}

int vox_versus_run_virtual(struct vox_versus_result *result)
{
    struct studio studio = {.result = result, .options = result->options};
    bool ok = open_studio(&studio);
    int err = 0;
    for (int repeat = 0; ok && err >= 0 && repeat < studio.options->repeat; repeat++)
        err = shoot_all(&studio, repeat);
    if (err == VOX_EEND)
        vox_message_error("nothing arrived that could be timed; the network loses too much");
    else if (err < 0)
        vox_message_error("the simulation failed: %s", vox_err_text(err));
    vox_clip_clear(&studio.clip);
    vox_trace_destroy(studio.trace);
    return ok && err >= 0 ? VOX_EXIT_DONE : VOX_EXIT_FAILED;
}
