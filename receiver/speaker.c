#include "receiver/speaker.h"

#include "base/err.h"
#include "base/ring.h"
#include "base/rt.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/transport.h"
#include "wire/rtcp.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    DATAGRAMS = 512, /* on their way to the callback: over a second of 2.5 ms packets */
    REPORTS = VOX_RECEIVER_MAX_SOURCES, /* at the end each source gets its BYE at once */
    EVENTS = 256,
    IDLE_FRAMES = 480,
};

#define RETRY_NS VOX_NS_PER_S
/* A device that has not called back for this long is lost, whatever its driver says. */
#define SILENT_DEVICE_NS (2 * VOX_NS_PER_S)

struct datagram {
    int64_t arrival_ns;
    uint32_t path;
    bool local;
    size_t len;
    uint8_t bytes[VOX_TRANSPORT_PACKET_BYTES];
};

struct report {
    uint32_t path;
    size_t len;
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
};

/* Who may touch the statistics: the network thread asks, the callback fills. */
enum stats_turn { STATS_IDLE, STATS_ASKED, STATS_FILLED };

struct vox_speaker {
    struct vox_speaker_config config;
    struct vox_receiver *engine;
    int engine_hz, engine_channels; /* what it was made for */
    struct vox_device *device;
    struct vox_ring *datagrams, *reports, *events;
    bool lost;
    int64_t idle_ns; /* while lost: how far the engine has been driven */
    int64_t retry_ns;
    int64_t started_ns;
    bool wake; /* callback's own: it has put something out */
    atomic_int stats_turn;
    bool all_ended; /* belongs to the statistics */
    struct vox_receiver_stats stats;
    bool all_ended_read; /* the network thread's copy */
    float idle_pcm[IDLE_FRAMES * 2];
};

/* ---- the device's thread ---- */

static void put_report(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct vox_speaker *speaker = ctx;
    struct report *slot = vox_ring_reserve(speaker->reports);
    if (!slot || len > sizeof slot->bytes)
        return; /* RTCP may be lost; the next report tells more */
    slot->path = path;
    slot->len = len;
    memcpy(slot->bytes, bytes, len);
    vox_ring_commit(speaker->reports);
    speaker->wake = true;
}

static void put_event(void *ctx, const struct vox_event *event)
{
    struct vox_speaker *speaker = ctx;
    struct vox_event *slot = vox_ring_reserve(speaker->events);
    if (!slot)
        return;
    *slot = *event;
    vox_ring_commit(speaker->events);
}

static void take_datagrams(struct vox_speaker *speaker)
{
    const struct datagram *next;
    while ((next = vox_ring_peek(speaker->datagrams))) {
        vox_receiver_set_path_local(speaker->engine, next->path, next->local);
        vox_receiver_push(speaker->engine, next->bytes, next->len, next->arrival_ns, next->path);
        vox_ring_release(speaker->datagrams);
    }
}

static void fill_stats(struct vox_speaker *speaker)
{
    if (atomic_load_explicit(&speaker->stats_turn, memory_order_acquire) != STATS_ASKED)
        return;
    vox_receiver_read_stats(speaker->engine, &speaker->stats);
    speaker->all_ended = vox_receiver_all_ended(speaker->engine);
    atomic_store_explicit(&speaker->stats_turn, STATS_FILLED, memory_order_release);
}

static void drive(struct vox_speaker *speaker, float *out, int frames, int64_t now_ns,
                  int64_t playout_ns)
{
    take_datagrams(speaker);
    if (now_ns >= vox_receiver_next_deadline_ns(speaker->engine))
        vox_receiver_tick(speaker->engine, now_ns);
    vox_receiver_pull(speaker->engine, out, frames, now_ns, playout_ns);
    fill_stats(speaker);
}

static void on_audio(void *ctx, const float *in, float *out, size_t frames, int64_t in_ns,
                     int64_t out_ns, unsigned flags)
{
    struct vox_speaker *speaker = ctx;
    (void)in;
    (void)in_ns;
    vox_rt_enter();
    int64_t block_ns = vox_ticks_to_ns((int64_t)frames, vox_device_info(speaker->device)->rate_hz);
    if (flags & VOX_DEVICE_UNDERRUN)
        vox_receiver_underrun(speaker->engine, out_ns, block_ns);
    drive(speaker, out, (int)frames, vox_clock_now_ns(), out_ns);
    bool wake = speaker->wake;
    speaker->wake = false;
    vox_rt_leave();
    if (wake)
        speaker->config.on_wake(speaker->config.ctx);
}

/* ---- the network thread ---- */

static int make_engine(struct vox_speaker *speaker, struct vox_audio_error *error)
{
    const struct vox_device_info *info = vox_device_info(speaker->device);
    struct vox_receiver_config config = speaker->config.engine;
    config.follow_source = false;
    config.output_hz = info->rate_hz;
    config.output_channels = info->out_channels;
    config.on_rtcp = put_report;
    config.on_event = put_event;
    config.on_decoded = NULL;
    config.on_played = NULL;
    config.ctx = speaker;
    struct vox_receiver *engine;
    int err = vox_receiver_create(&config, &engine);
    if (err < 0)
        return vox_audio_fail(error, err, "cannot play at %d Hz in %d channels: %s", info->rate_hz,
                              info->out_channels, vox_err_text(err));
    vox_receiver_destroy(speaker->engine);
    speaker->engine = engine;
    speaker->engine_hz = info->rate_hz;
    speaker->engine_channels = info->out_channels;
    return 0;
}

static int make_rings(struct vox_speaker *speaker, struct vox_audio_error *error)
{
    int err = vox_ring_create(DATAGRAMS, sizeof(struct datagram), &speaker->datagrams);
    if (err == 0)
        err = vox_ring_create(REPORTS, sizeof(struct report), &speaker->reports);
    if (err == 0)
        err = vox_ring_create(EVENTS, sizeof(struct vox_event), &speaker->events);
    return err < 0 ? vox_audio_fail(error, err, "cannot play: %s", vox_err_text(err)) : 0;
}

static int open_device(struct vox_speaker *speaker, struct vox_audio_error *error)
{
    struct vox_device_config config;
    vox_device_config_init(&config);
    config.out_name = speaker->config.device;
    config.out_channels = speaker->config.channels;
    config.buffer_ms = speaker->config.buffer_ms;
    config.client_name = "voxgram-recv";
    config.verbose = speaker->config.verbose;
    config.on_audio = on_audio;
    config.ctx = speaker;
    return vox_device_open(&config, &speaker->device, error);
}

int vox_speaker_create(const struct vox_speaker_config *config, struct vox_speaker **out,
                       struct vox_audio_error *error)
{
    struct vox_speaker *speaker = calloc(1, sizeof *speaker);
    if (!speaker)
        return vox_audio_fail(error, VOX_ENOMEM, "%s", vox_err_text(VOX_ENOMEM));
    speaker->config = *config;
    atomic_init(&speaker->stats_turn, STATS_ASKED);
    int err = open_device(speaker, error);
    if (err == 0 && (err = make_rings(speaker, error)) == 0)
        err = make_engine(speaker, error);
    if (err == 0) {
        speaker->started_ns = vox_clock_now_ns();
        err = vox_device_start(speaker->device, error);
    }
    if (err < 0) {
        vox_speaker_destroy(speaker);
        return err;
    }
    *out = speaker;
    return 0;
}

void vox_speaker_destroy(struct vox_speaker *speaker)
{
    if (!speaker)
        return;
    vox_device_close(speaker->device);
    vox_receiver_destroy(speaker->engine);
    vox_ring_destroy(speaker->datagrams);
    vox_ring_destroy(speaker->reports);
    vox_ring_destroy(speaker->events);
    free(speaker);
}

bool vox_speaker_push(struct vox_speaker *speaker, const void *datagram, size_t len,
                      int64_t arrival_ns, uint32_t path, bool local)
{
    struct datagram *slot = vox_ring_reserve(speaker->datagrams);
    if (!slot)
        return false;
    *slot = (struct datagram){.arrival_ns = arrival_ns, .path = path, .local = local};
    slot->len = len < sizeof slot->bytes ? len : sizeof slot->bytes;
    memcpy(slot->bytes, datagram, slot->len);
    vox_ring_commit(speaker->datagrams);
    return true;
}

void vox_speaker_drain(struct vox_speaker *speaker)
{
    const struct vox_receiver_config *host = &speaker->config.engine;
    const struct report *report;
    const struct vox_event *event;
    while ((report = vox_ring_peek(speaker->reports))) {
        host->on_rtcp(host->ctx, report->path, report->bytes, report->len);
        vox_ring_release(speaker->reports);
    }
    while ((event = vox_ring_peek(speaker->events))) {
        host->on_event(host->ctx, event);
        vox_ring_release(speaker->events);
    }
}

/* The engine goes on without its device, so that sources, reports and statistics stay alive. */
static void drive_to_nowhere(struct vox_speaker *speaker, int64_t now_ns)
{
    int64_t block_ns = vox_ticks_to_ns(IDLE_FRAMES, speaker->engine_hz);
    if (now_ns - speaker->idle_ns > VOX_NS_PER_S)
        speaker->idle_ns = now_ns - VOX_NS_PER_S;
    while (speaker->idle_ns <= now_ns) {
        drive(speaker, speaker->idle_pcm, IDLE_FRAMES, speaker->idle_ns, speaker->idle_ns);
        speaker->idle_ns += block_ns;
    }
}

static bool has_fallen_silent(const struct vox_speaker *speaker, int64_t now_ns)
{
    struct vox_device_stats stats;
    vox_device_read_stats(speaker->device, &stats);
    int64_t last_ns =
        stats.last_block_ns > speaker->started_ns ? stats.last_block_ns : speaker->started_ns;
    return now_ns - last_ns > SILENT_DEVICE_NS;
}

/* A device that came back with another rate or channel count needs another engine. */
static int refit_engine(struct vox_speaker *speaker, struct vox_audio_error *error)
{
    const struct vox_device_info *info = vox_device_info(speaker->device);
    if (info->rate_hz == speaker->engine_hz && info->out_channels == speaker->engine_channels)
        return 0;
    return make_engine(speaker, error);
}

static bool try_again(struct vox_speaker *speaker, int64_t now_ns, struct vox_audio_error *error)
{
    speaker->retry_ns = now_ns + RETRY_NS;
    if (vox_device_reopen(speaker->device, error) < 0 || refit_engine(speaker, error) < 0)
        return false;
    speaker->started_ns = vox_clock_now_ns();
    return vox_device_start(speaker->device, error) == 0;
}

enum vox_speaker_change vox_speaker_watch(struct vox_speaker *speaker, int64_t now_ns,
                                          struct vox_audio_error *error)
{
    if (!speaker->lost) {
        if (!vox_device_is_lost(speaker->device) && !has_fallen_silent(speaker, now_ns))
            return VOX_SPEAKER_SAME;
        speaker->lost = true;
        speaker->idle_ns = now_ns;
        if (!try_again(speaker, now_ns, error)) /* closes it: from here on no callback runs */
            return VOX_SPEAKER_LOST;
        speaker->lost = false;
        return VOX_SPEAKER_BACK;
    }
    if (now_ns >= speaker->retry_ns && try_again(speaker, now_ns, error)) {
        speaker->lost = false;
        return VOX_SPEAKER_BACK;
    }
    drive_to_nowhere(speaker, now_ns);
    return VOX_SPEAKER_SAME;
}

void vox_speaker_stop(struct vox_speaker *speaker, int64_t now_ns)
{
    vox_device_close(speaker->device);
    speaker->device = NULL;
    take_datagrams(speaker);
    vox_receiver_finish(speaker->engine, now_ns);
    atomic_store(&speaker->stats_turn, STATS_ASKED);
    fill_stats(speaker);
}

bool vox_speaker_read_stats(struct vox_speaker *speaker, struct vox_receiver_stats *out)
{
    if (atomic_load_explicit(&speaker->stats_turn, memory_order_acquire) != STATS_FILLED)
        return false;
    *out = speaker->stats;
    speaker->all_ended_read = speaker->all_ended;
    atomic_store_explicit(&speaker->stats_turn, STATS_ASKED, memory_order_release);
    return true;
}

bool vox_speaker_all_ended(const struct vox_speaker *speaker)
{
    return speaker->all_ended_read;
}

const struct vox_device_info *vox_speaker_info(const struct vox_speaker *speaker)
{
    return vox_device_info(speaker->device);
}
