#include "lab/replay.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/trace.h"
#include "cli/message.h"
#include "lab/clip.h"
#include "lab/replay_output.h"
#include "lab/report.h"
#include "net/clock.h"

#include <stdlib.h>

/* Any moment will do that is always the same: 2026-01-01. */
#define START_UNIX_NS (INT64_C(1767225600) * VOX_NS_PER_S)
/* Real clocks run long since: near its zero the receiver would decide its first delay later. */
#define START_NS (100 * VOX_NS_PER_MS)

/* Any numbers will do, as long as no two networks see the same random numbers. */
#define SENDER_SEED UINT64_C(0x9E3779B97F4A7C15)

/* No more than in a live stream does the RTP clock begin at 0. */
enum {
    FIRST_SSRC = 0x566f7801,
    RECEIVER_SSRC = 0x566f7800,
    FIRST_RTX_SSRC = 0x566f7901,
    FIRST_TIMESTAMP = 0x566f7802
};

struct stage {
    const struct vox_replay_options *options;
    struct vox_clip clips[VOX_SIM_MAX_SENDERS];
    struct vox_trace *trace;
    struct vox_impair_config there[VOX_SIM_MAX_SENDERS], back[VOX_SIM_MAX_SENDERS];
    struct vox_run_config config;
    struct vox_replay_progress progress;
};

static int load_files(struct stage *stage)
{
    const struct vox_replay_options *o = stage->options;
    struct vox_audio_error error = {0};
    if (o->file_count > VOX_SIM_MAX_SENDERS) {
        vox_message_error("%d files are too many senders; %d can be heard at once", o->file_count,
                          VOX_SIM_MAX_SENDERS);
        return VOX_EXIT_USAGE;
    }
    for (int i = 0; i < o->file_count; i++)
        if (vox_clip_load(o->files[i], &stage->clips[i], &error) < 0) {
            vox_message_error("%s", error.text);
            return VOX_EXIT_FAILED;
        } else if (error.text[0]) {
            vox_message_warn("%s; what is in front of that is played", error.text);
            error.text[0] = '\0';
        }
    return VOX_EXIT_DONE;
}

static int load_trace(struct stage *stage)
{
    char why[VOX_NETWORK_ERROR_BYTES];
    const char *path = stage->options->network.trace;
    if (!path || vox_network_trace_read(path, &stage->trace, why) >= 0)
        return VOX_EXIT_DONE;
    vox_message_error("%s", why);
    return VOX_EXIT_FAILED;
}

static struct vox_lab_device_config card_config(const struct vox_replay_card *card, int hz)
{
    int frames = (int)(card->block_ms * hz / 1000 + 0.5);
    return (struct vox_lab_device_config){
        .block_frames = card->block_ms > 0 && frames < 1 ? 1 : frames,
        .ppm = card->skew_ppm,
        .latency_ns = card->latency_ns,
        .stalls = card->stalls,
        .stall_count = card->stall_count,
    };
}

static void set_talker(const struct vox_replay_options *o, const struct vox_clip *clip, int number,
                       struct vox_talker_config *talker)
{
    struct vox_sender_config *engine = &talker->engine;
    vox_sender_config_init(engine, (enum vox_profile)o->encoding.profile);
    engine->input_hz = clip->hz;
    engine->input_channels = clip->channels;
    engine->input_bits = clip->bits;
    vox_encoding_options_apply(&o->encoding, clip->channels, engine);
    engine->ssrc = FIRST_SSRC + (uint32_t)number;
    engine->rtx_ssrc = FIRST_RTX_SSRC + (uint32_t)number;
    engine->first_timestamp = FIRST_TIMESTAMP;
    engine->seed = o->network.seed + (uint64_t)number;
    engine->cname = vox_clip_name(o->files[number]);
    engine->wall_offset_ns = START_UNIX_NS;
    talker->pcm = clip->pcm;
    talker->pcm_frames = clip->frames;
    talker->frames = clip->frames;
    int64_t limit = vox_ns_to_ticks(o->duration_ns, clip->hz);
    if (o->duration_ns > 0 && (o->loop || limit < clip->frames))
        talker->frames = limit;
    talker->card = card_config(&o->microphone, clip->hz);
    talker->start_ns = START_NS;
}

/* The first sender meets what voxgram-send would with the same seed. */
static void set_network(struct stage *stage, int number)
{
    const struct vox_replay_options *o = stage->options;
    struct vox_sim_sender *sender = &stage->config.sim.senders[number];
    struct vox_impair_config *there = &stage->there[number];
    struct vox_impair_config *back = &stage->back[number];
    if (!vox_network_options_any(&o->network))
        return;
    vox_network_options_impair(&o->network, there);
    there->packet_ns = vox_rtp_to_ns(o->encoding.frame_ticks);
    there->trace = stage->trace;
    there->seed += (uint64_t)number * SENDER_SEED;
    sender->there = there;
    if (o->one_way)
        return;
    *back = *there;
    back->seed ^= VOX_SIM_BACK_SEED;
    sender->back = back;
}

static void set_receiver(const struct vox_replay_options *o, struct vox_sim_config *sim)
{
    vox_playout_options_apply(&o->playout, &sim->receiver);
    sim->receiver.max_sources =
        VOX_SIM_MAX_SENDERS > o->file_count ? o->file_count + 1 : VOX_SIM_MAX_SENDERS;
    sim->receiver.rtx = o->encoding.rtx;
    sim->receiver.ssrc = RECEIVER_SSRC;
    sim->receiver.seed = o->network.seed;
    sim->receiver.wall_offset_ns = START_UNIX_NS;
    sim->speaker = card_config(&o->speaker, sim->receiver.output_hz);
}

static void set_stage(struct stage *stage)
{
    const struct vox_replay_options *o = stage->options;
    struct vox_sim_config *sim = &stage->config.sim;
    vox_sim_config_init(sim);
    sim->sender_count = o->file_count;
    for (int i = 0; i < o->file_count; i++) {
        set_talker(o, &stage->clips[i], i, &sim->senders[i].talker);
        set_network(stage, i);
    }
    set_receiver(o, sim);
    stage->config.keep_tapes = vox_replay_needs_reference(o);
    vox_replay_progress_init(&stage->progress, o, sim);
    stage->config.on_progress = vox_replay_progress_show;
    stage->config.ctx = &stage->progress;
}

static void tell_loop(const struct stage *stage)
{
    const struct vox_talker_config *talker = &stage->config.sim.senders[0].talker;
    if (!stage->trace || !talker->engine.input_hz)
        return;
    size_t count = vox_trace_count(stage->trace);
    int64_t trace_ns = (int64_t)count * vox_trace_interval_ns(stage->trace);
    int64_t sound_ns = vox_ticks_to_ns(talker->frames, talker->engine.input_hz);
    if (trace_ns < sound_ns)
        vox_message_info("the trace lasts %.1f s and begins again %.0f times in the %.1f s of "
                         "sound",
                         (double)trace_ns / 1e9, (double)(sound_ns / trace_ns),
                         (double)sound_ns / 1e9);
}

static int simulate(struct stage *stage)
{
    struct vox_run *run = calloc(1, sizeof *run);
    int64_t begin_ns = vox_clock_now_ns();
    int err = run ? vox_run_simulate(&stage->config, run) : VOX_ENOMEM;
    int64_t took_ns = vox_clock_now_ns() - begin_ns;
    vox_replay_progress_end(&stage->progress);
    int status = VOX_EXIT_FAILED;
    if (err < 0) {
        vox_message_error("the simulation failed: %s", vox_err_text(err));
    } else {
        status = vox_replay_output(stage->options, run, took_ns);
        vox_run_clear(run);
    }
    free(run);
    return status;
}

static void close_stage(struct stage *stage)
{
    for (int i = 0; i < VOX_SIM_MAX_SENDERS; i++)
        vox_clip_clear(&stage->clips[i]);
    vox_trace_destroy(stage->trace);
    free(stage);
}

int vox_replay_main(int argc, char **argv)
{
    struct vox_replay_options options;
    enum vox_options_outcome outcome = vox_replay_options_parse(argc, argv, &options);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome == VOX_OPTIONS_DONE ? VOX_EXIT_DONE : VOX_EXIT_USAGE;
    vox_message_set_level(options.quiet     ? VOX_MESSAGE_QUIET
                          : options.verbose ? VOX_MESSAGE_VERBOSE
                                            : VOX_MESSAGE_NORMAL);
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return VOX_EXIT_FAILED;
    stage->options = &options;
    struct vox_audio_error error;
    int status = VOX_EXIT_DONE;
    if (options.report && vox_lab_report_check(&error) < 0) {
        vox_message_error("%s", error.text);
        status = VOX_EXIT_FAILED;
    }
    if (status == VOX_EXIT_DONE)
        status = load_files(stage);
    if (status == VOX_EXIT_DONE)
        status = load_trace(stage);
    if (status == VOX_EXIT_DONE) {
        set_stage(stage);
        tell_loop(stage);
        status = simulate(stage);
    }
    close_stage(stage);
    return status;
}
