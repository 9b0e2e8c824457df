/*
 * voxgram-recv: sockets and clocks around the receiving engine.
 *
 * One libuv loop on the main thread reads the sockets. With a file, stdout or nothing as output the
 * engine lives on this thread too, and time is taken from the packets: datagrams and the blocks
 * that are due between them are worked off in the order of their times, so a recording does not
 * depend on when the loop was scheduled. With a speaker the engine lives in the device's callback
 * (speaker.h).
 */
#include "audio/device.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "cli/meter.h"
#include "cli/status.h"
#include "net/clock.h"
#include "net/udp.h"
#include "receiver/cli.h"
#include "receiver/paths.h"
#include "receiver/receiver.h"
#include "receiver/recorder.h"
#include "receiver/report.h"
#include "receiver/speaker.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

enum {
    SOCKETS = 2, /* RTP (and RTCP, RFC 5761), and RTCP on the port above for those who don't mux */
    BLOCK_FRAMES = 480,
};

#define STATUS_NS (100 * VOX_NS_PER_MS)
#define STATS_NS VOX_NS_PER_S
#define SPEAKER_NS (20 * VOX_NS_PER_MS)
/* A file need not be written the moment that its audio is due: packets wake us often enough. */
#define FILE_SLACK_NS (100 * VOX_NS_PER_MS)
/* So many datagrams at once are a crowd that the kernel's buffer should not have to hold. */
#define CROWD (4 * VOX_UDP_BATCH)
/* Rows of statistics, the live line and events are read with this much of the clock at the most. */
#define LONGEST_SLEEP_NS (500 * VOX_NS_PER_MS)

struct program {
    struct vox_recv_options options;
    uv_loop_t loop;
    uv_poll_t polls[SOCKETS];
    uv_timer_t timer;
    uv_signal_t signals[3];
    uv_async_t wake;
    struct vox_udp *sockets[SOCKETS];
    struct vox_paths paths;
    struct vox_receiver *engine; /* ours; NULL with a speaker */
    struct vox_speaker *speaker;
    struct vox_recorder recorders[VOX_RECEIVER_MAX_SOURCES]; /* by source, or [0] for the mix */
    bool recording[VOX_RECEIVER_MAX_SOURCES];
    uint64_t dropped; /* datagrams that the speaker's ring had no room for */
    struct vox_receiver_stats stats;
    struct vox_report_context report;
    FILE *stats_file, *events_file;
    struct vox_status status;
    struct vox_meter_style style;
    int64_t next_stats_ns, next_status_ns;
    int64_t idle_since_ns; /* 0: a source plays, or none has yet */
    int64_t advanced_ns;   /* everything due until then is done */
    bool resting;          /* datagrams are fetched by the clock, see rest() */
    bool stopping;
    bool failed;
};

/* ---- what the engine puts out ---- */

static void send_rtcp(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct program *p = ctx;
    if (path >= p->paths.count)
        return;
    const struct vox_path *to = &p->paths.items[path];
    struct vox_net_error error;
    if (vox_udp_send(p->sockets[to->socket], bytes, len, &to->address, &error) < 0)
        vox_message_detail("%s", error.text);
}

static void say_event(const struct vox_event *event)
{
    switch (event->kind) {
    case VOX_EVENT_SOURCE_STARTED:
        vox_message_info("source %08x plays", event->ssrc);
        break;
    case VOX_EVENT_SOURCE_ENDED:
        vox_message_info("source %08x %s", event->ssrc,
                         event->value == VOX_END_BYE       ? "has said goodbye"
                         : event->value == VOX_END_TIMEOUT ? "has gone silent without a goodbye"
                                                           : "was replaced by a new one");
        break;
    case VOX_EVENT_WRONG_CLOCK:
        vox_message_warn("source %08x counts its timestamps at %lld Hz where Opus has 48000 "
                         "(RFC 7587): playing by the packets' durations; mend the sender",
                         event->ssrc, (long long)event->value);
        break;
    case VOX_EVENT_SEQUENCE_JUMP:
    case VOX_EVENT_TIMESTAMP_JUMP:
        vox_message_info("source %08x restarted its %s: playing on", event->ssrc,
                         event->kind == VOX_EVENT_SEQUENCE_JUMP ? "numbering" : "timestamps");
        break;
    case VOX_EVENT_GLITCH:
    case VOX_EVENT_TARGET:
    case VOX_EVENT_STRETCH:
    case VOX_EVENT_KINDS:
        break;
    }
}

static void take_event(void *ctx, const struct vox_event *event)
{
    struct program *p = ctx;
    say_event(event);
    if (p->events_file && vox_report_event(event, &p->report, p->events_file) < 0) {
        vox_message_error("cannot write %s: %s; events end here", p->options.events_path,
                          strerror(errno));
        fclose(p->events_file);
        p->events_file = NULL;
        p->failed = true;
    }
}

/* ---- recording ---- */

static void stop(struct program *p);

static struct vox_recorder *recorder_of(struct program *p, int source, uint32_t ssrc)
{
    int slot = p->options.separate ? source : 0;
    struct vox_recorder *rec = &p->recorders[slot];
    if (!p->recording[slot]) {
        vox_recorder_init(rec, &p->options, p->options.separate, ssrc);
        p->recording[slot] = true;
    }
    return rec;
}

static void check_recorder(struct program *p, const struct vox_recorder *rec)
{
    if (!rec->failed || p->stopping)
        return;
    vox_message_error("%s", rec->error.text);
    p->failed = true;
    stop(p);
}

static void record_packet(void *ctx, const struct vox_played_packet *packet)
{
    struct program *p = ctx;
    struct vox_recorder *rec = recorder_of(p, packet->source, packet->ssrc);
    bool alone = rec->foreign_packets == 0;
    vox_recorder_packet(rec, packet);
    if (alone && rec->foreign_packets > 0)
        vox_message_warn("a second source speaks; one Ogg stream holds one source: add --separate "
                         "to keep all");
    check_recorder(p, rec);
}

/* Channels of the source, or of the widest in a mix; asked when a file is about to be opened. */
static int source_channels(struct program *p, int source)
{
    int most = 1;
    vox_receiver_read_stats(p->engine, &p->stats);
    for (int i = 0; i < p->stats.source_count; i++) {
        const struct vox_source_stats *s = &p->stats.sources[i];
        if ((source < 0 || s->index == source) && s->state == VOX_SOURCE_ACTIVE)
            most = s->channels > most ? s->channels : most;
    }
    return most;
}

static uint32_t source_ssrc(struct program *p, int source)
{
    vox_receiver_read_stats(p->engine, &p->stats);
    for (int i = 0; i < p->stats.source_count; i++)
        if (p->stats.sources[i].index == source)
            return p->stats.sources[i].ssrc;
    return 0;
}

static void record_pcm(struct program *p, int source, const float *pcm, int frames, bool was_idle)
{
    bool fresh = !p->recording[source < 0 ? 0 : source];
    struct vox_recorder *rec =
        recorder_of(p, source, fresh && source >= 0 ? source_ssrc(p, source) : 0);
    if (was_idle && vox_receiver_is_idle(p->engine, source) && rec->ticks > 0) {
        vox_recorder_hold(rec, frames);
    } else {
        bool opens = rec->kind == VOX_OUTPUT_FILE && rec->channels == 0;
        vox_recorder_pcm(rec, pcm, frames, opens ? source_channels(p, source) : rec->channels);
    }
    check_recorder(p, rec);
}

/* A source's place may be taken by another one: its file ends with it. */
static void finish_ended_recorders(struct program *p)
{
    for (int i = 0; p->options.separate && i < p->options.max_streams; i++) {
        if (!p->recording[i] || vox_receiver_source_next_pull_ns(p->engine, i) != VOX_NS_NEVER)
            continue;
        vox_recorder_finish(&p->recorders[i]);
        p->report.recorded_ns += vox_rtp_to_ns(p->recorders[i].ticks);
        check_recorder(p, &p->recorders[i]);
        p->recording[i] = false;
    }
}

/* ---- time, on this thread's engine ---- */

static void pull_block(struct program *p, int source, int64_t due_ns)
{
    float pcm[BLOCK_FRAMES * 2];
    int frames = vox_receiver_block_frames(p->engine);
    bool was_idle = vox_receiver_is_idle(p->engine, source);
    int valid = source < 0
                    ? vox_receiver_pull(p->engine, pcm, frames, due_ns, due_ns)
                    : vox_receiver_pull_source(p->engine, source, pcm, frames, due_ns, due_ns);
    if (valid > 0)
        record_pcm(p, source, pcm, valid, was_idle);
}

/* The earliest pull that is due, of the mix (-1) or of a source; VOX_NS_NEVER if none. */
static int64_t next_pull(const struct program *p, int *source)
{
    *source = -1;
    if (!p->options.separate)
        return vox_receiver_next_pull_ns(p->engine);
    int64_t first = VOX_NS_NEVER;
    for (int i = 0; i < p->options.max_streams; i++) {
        int64_t due = vox_receiver_source_next_pull_ns(p->engine, i);
        if (due < first) {
            first = due;
            *source = i;
        }
    }
    return first;
}

/* Does everything that is due until t_ns, in order. */
static void advance(struct program *p, int64_t t_ns)
{
    while (!p->stopping) {
        int source;
        int64_t pull_ns = next_pull(p, &source);
        int64_t tick_ns = vox_receiver_next_deadline_ns(p->engine);
        if (pull_ns > t_ns && tick_ns > t_ns)
            break;
        if (tick_ns <= pull_ns) /* a report leaves now, and says how long it has waited */
            vox_receiver_tick(p->engine, vox_clock_now_ns());
        else
            pull_block(p, source, pull_ns);
    }
    p->advanced_ns = t_ns;
    finish_ended_recorders(p);
}

static bool all_ended(const struct program *p)
{
    return p->speaker ? vox_speaker_all_ended(p->speaker) : vox_receiver_all_ended(p->engine);
}

static void look_for_the_end(struct program *p, int64_t now_ns)
{
    const struct vox_recv_options *o = &p->options;
    if (o->duration_ns > 0 && now_ns - p->report.start_ns >= o->duration_ns)
        stop(p);
    if (!all_ended(p))
        p->idle_since_ns = 0;
    else if (p->idle_since_ns == 0)
        p->idle_since_ns = now_ns;
    if (p->idle_since_ns != 0 && o->idle_exit_ns >= 0 &&
        now_ns - p->idle_since_ns >= o->idle_exit_ns)
        stop(p);
}

static void refresh_stats(struct program *p, int64_t now_ns)
{
    p->report.elapsed_ns = now_ns - p->report.start_ns;
    if (p->engine)
        vox_receiver_read_stats(p->engine, &p->stats);
    else
        vox_speaker_read_stats(p->speaker, &p->stats);
}

static void write_stats_line(struct program *p, bool final)
{
    if (p->stats_file && vox_report_json(&p->stats, &p->report, final, p->stats_file) < 0) {
        vox_message_error("cannot write statistics to %s: %s", p->options.stats_path,
                          strerror(errno));
        p->stats_file = NULL;
        p->failed = true;
    }
}

static void show(struct program *p, int64_t now_ns)
{
    bool line = p->stats_file == stdout && now_ns >= p->next_stats_ns;
    bool live = !p->options.quiet && vox_status_due(&p->status, now_ns);
    if (!line && !live && !p->speaker)
        return;
    refresh_stats(p, now_ns);
    if (line) {
        write_stats_line(p, false);
        p->next_stats_ns = now_ns + STATS_NS;
    }
    if (live) {
        char text[1024];
        vox_report_status(&p->stats, &p->report, p->style, text, sizeof text);
        vox_status_show(&p->status, text, now_ns);
    }
}

static void watch_speaker(struct program *p, int64_t now_ns)
{
    struct vox_audio_error error;
    switch (vox_speaker_watch(p->speaker, now_ns, &error)) {
    case VOX_SPEAKER_LOST:
        vox_message_warn("the sound card is gone (%s): trying again each second, playing on when "
                         "it is back",
                         error.text);
        break;
    case VOX_SPEAKER_BACK:
        vox_message_info("the sound card is back");
        break;
    case VOX_SPEAKER_SAME:
        break;
    }
    vox_speaker_drain(p->speaker);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct program *p, int64_t now_ns)
{
    int source;
    int64_t at = now_ns + LONGEST_SLEEP_NS;
    if (p->stopping)
        return;
    if (p->speaker) {
        at = now_ns + SPEAKER_NS;
    } else {
        int64_t slack = p->options.output == VOX_OUTPUT_STDOUT ? 0 : FILE_SLACK_NS;
        int64_t pull = next_pull(p, &source);
        at = earlier(at, vox_receiver_next_deadline_ns(p->engine));
        at = pull == VOX_NS_NEVER ? at : earlier(at, pull + slack);
    }
    if (p->resting)
        at = earlier(at, now_ns + FILE_SLACK_NS);
    if (p->options.duration_ns > 0)
        at = earlier(at, p->report.start_ns + p->options.duration_ns);
    if (p->idle_since_ns != 0 && p->options.idle_exit_ns >= 0)
        at = earlier(at, p->idle_since_ns + p->options.idle_exit_ns);
    if (p->status.terminal && !p->options.quiet)
        at = earlier(at, now_ns + STATUS_NS);
    int64_t ms = (at - now_ns + VOX_NS_PER_MS - 1) / VOX_NS_PER_MS;
    uv_update_time(&p->loop);
    uv_timer_start(&p->timer, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

/* Everything that is not a datagram: until now_ns all sockets are read. */
static void keep_house(struct program *p, int64_t now_ns)
{
    if (p->engine)
        advance(p, now_ns);
    else
        watch_speaker(p, now_ns);
    show(p, now_ns);
    look_for_the_end(p, now_ns);
    arm(p, now_ns);
}

static void push(struct program *p, const struct vox_udp_datagram *datagram, int socket)
{
    uint32_t number = vox_paths_number(&p->paths, &datagram->from, socket);
    bool local = p->paths.items[number].local;
    if (p->speaker) {
        p->dropped += !vox_speaker_push(p->speaker, datagram->bytes, datagram->len,
                                        datagram->arrival_ns, number, local);
        return;
    }
    int64_t arrival_ns = datagram->arrival_ns;
    if (arrival_ns > p->advanced_ns)
        advance(p, arrival_ns);
    vox_receiver_set_path_local(p->engine, number, local);
    vox_receiver_push(p->engine, datagram->bytes, datagram->len, arrival_ns, number);
}

static void on_readable(uv_poll_t *poll, int status, int events);

/*
 * Nobody waits for a file. While packets come, and the kernel notes when, they are fetched by the
 * clock, several at once: to wake up for each costs as much as to decode it. When none came, the
 * next one wakes us again.
 */
static void rest(struct program *p, int datagrams, bool all_timed)
{
    bool in_time = p->speaker || p->options.output == VOX_OUTPUT_STDOUT;
    bool resting = !in_time && all_timed && datagrams > 0 && datagrams < CROWD;
    if (resting == p->resting)
        return;
    p->resting = resting;
    if (resting)
        uv_poll_stop(&p->polls[0]);
    else
        uv_poll_start(&p->polls[0], UV_READABLE, on_readable);
}

static void read_socket(struct program *p, int socket)
{
    const struct vox_udp_datagram *got;
    int n, sum = 0;
    bool all_timed = true;
    do {
        n = vox_udp_receive(p->sockets[socket], &got);
        for (int i = 0; i < n; i++) {
            push(p, &got[i], socket);
            all_timed &= got[i].kernel_time;
        }
        sum += n > 0 ? n : 0;
    } while (n == VOX_UDP_BATCH && !p->stopping);
    if (socket == 0 && !p->stopping)
        rest(p, sum, all_timed);
}

static void catch_up(struct program *p)
{
    int64_t now_ns = vox_clock_now_ns();
    for (int i = 0; i < SOCKETS; i++)
        if (p->sockets[i])
            read_socket(p, i); /* what came before now counts as before now */
    keep_house(p, now_ns);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct program *p = poll->data;
    (void)status;
    (void)events;
    if (p->resting) { /* RTCP, before whose time there may be audio to be fetched */
        catch_up(p);
        return;
    }
    int64_t now_ns = vox_clock_now_ns();
    read_socket(p, (int)(poll - p->polls));
    keep_house(p, now_ns);
}

static void on_timer(uv_timer_t *timer)
{
    catch_up(timer->data);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    catch_up(signal->data); /* what has come is not lost */
    stop(signal->data);
}

static void on_wake(uv_async_t *wake)
{
    struct program *p = wake->data;
    if (p->speaker)
        vox_speaker_drain(p->speaker);
}

static void wake_loop(void *ctx)
{
    struct program *p = ctx;
    uv_async_send(&p->wake);
}

static void stop(struct program *p)
{
    p->stopping = true;
    uv_stop(&p->loop);
}

/* ---- beginning and end ---- */

static bool open_sockets(struct program *p)
{
    struct vox_udp_receiver_config config;
    struct vox_net_error error;
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_udp_receiver_config_init(&config);
    config.local = p->options.listen;
    config.source = p->options.multicast_source;
    config.interface = p->options.interface;
    if (vox_udp_open_receiver(&config, &p->sockets[0], &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    const struct vox_address *local = vox_udp_local(p->sockets[0]);
    uint16_t port = vox_address_port(local);
    vox_message_info("listening on %s", vox_address_format(local, text));
    config.local = *local;
    vox_address_set_port(&config.local, (uint16_t)(port + 1));
    if (port < 65535 && vox_udp_open_receiver(&config, &p->sockets[1], &error) < 0)
        vox_message_detail("RTCP is heard on port %u only: %s", port, error.text);
    return true;
}

static struct vox_receiver_config engine_config(struct program *p)
{
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.follow_source = true;
    config.max_sources = p->options.max_streams;
    config.payload_type = p->options.payload_type;
    config.capture_time_id = p->options.capture_time_id;
    config.delay_ns = p->options.delay_ns;
    config.min_delay_ns = p->options.min_delay_ns;
    config.max_delay_ns = p->options.max_delay_ns;
    config.clock_synced = p->options.clock_synced;
    config.wall_offset_ns = vox_clock_wall_offset_ns();
    if (getrandom(&config.ssrc, sizeof config.ssrc, 0) != sizeof config.ssrc ||
        getrandom(&config.seed, sizeof config.seed, 0) != sizeof config.seed)
        config.seed = (uint64_t)vox_clock_now_ns();
    config.on_rtcp = send_rtcp;
    config.on_event = take_event;
    config.on_played = p->options.output == VOX_OUTPUT_OGG ? record_packet : NULL;
    config.ctx = p;
    return config;
}

static bool open_speaker(struct program *p, const struct vox_receiver_config *engine)
{
    struct vox_audio_error error;
    struct vox_speaker_config config = {
        .device = p->options.output_name,
        .buffer_ms = p->options.buffer_ms,
        .channels = p->options.channels ? p->options.channels : 2,
        .verbose = p->options.verbose,
        .engine = *engine,
        .on_wake = wake_loop,
        .ctx = p,
    };
    if (vox_speaker_create(&config, &p->speaker, &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    const struct vox_device_info *info = vox_speaker_info(p->speaker);
    vox_message_info("playing on %s (%s, %d Hz, %.1f ms latency)", info->out_name, info->host_api,
                     info->rate_hz, vox_ns_to_ms(info->out_latency_ns));
    return true;
}

static bool open_output(struct program *p)
{
    struct vox_audio_error error;
    struct vox_receiver_config config = engine_config(p);
    if (p->options.output == VOX_OUTPUT_SPEAKER)
        return open_speaker(p, &config);
    if (!p->options.separate) {
        vox_recorder_init(&p->recorders[0], &p->options, false, 0);
        p->recording[0] = true;
        if (vox_recorder_check(&p->recorders[0], &error) < 0) {
            vox_message_error("%s", error.text);
            return false;
        }
    }
    int err = vox_receiver_create(&config, &p->engine);
    if (err < 0)
        vox_message_error("cannot start: %s", vox_err_text(err));
    return err == 0;
}

static FILE *open_report(const char *path, bool *failed)
{
    if (!path)
        return NULL;
    if (strcmp(path, "-") == 0)
        return stdout;
    FILE *file = fopen(path, "w");
    if (!file) {
        vox_message_error("cannot write %s: %s; choose another file or folder", path,
                          strerror(errno));
        *failed = true;
    }
    return file;
}

static bool open_reports(struct program *p)
{
    bool failed = false;
    p->stats_file = open_report(p->options.stats_path, &failed);
    p->events_file = open_report(p->options.events_path, &failed);
    p->report.start_ns = vox_clock_now_ns();
    p->report.start_unix_ns = p->report.start_ns + vox_clock_wall_offset_ns();
    p->report.output = p->options.output_name;
    p->report.separate = p->options.separate;
    p->report.recording =
        p->options.output == VOX_OUTPUT_FILE || p->options.output == VOX_OUTPUT_OGG;
    p->next_stats_ns = p->report.start_ns + STATS_NS;
    return !failed;
}

static void start_loop(struct program *p)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < SOCKETS; i++) {
        if (!p->sockets[i])
            continue;
        uv_poll_init(&p->loop, &p->polls[i], vox_udp_fd(p->sockets[i]));
        p->polls[i].data = p;
        uv_poll_start(&p->polls[i], UV_READABLE, on_readable);
    }
    uv_timer_init(&p->loop, &p->timer);
    p->timer.data = p;
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&p->loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], on_signal, numbers[i]);
    }
    p->advanced_ns = p->report.start_ns;
    arm(p, p->report.start_ns);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void finish_recorders(struct program *p)
{
    for (int i = 0; i < VOX_RECEIVER_MAX_SOURCES; i++) {
        struct vox_recorder *rec = &p->recorders[i];
        if (!p->recording[i])
            continue;
        bool told = rec->failed;
        vox_recorder_finish(rec);
        p->report.recorded_ns += vox_rtp_to_ns(rec->ticks);
        if (rec->failed && !told) {
            vox_message_error("%s", rec->error.text);
            p->failed = true;
        }
    }
}

/* Files become whole, peers hear a goodbye, people a summary: on every way out. */
static void finish(struct program *p)
{
    int64_t now_ns = vox_clock_now_ns();
    vox_status_clear(&p->status);
    if (p->engine)
        vox_receiver_finish(p->engine, now_ns);
    if (p->speaker) {
        vox_speaker_stop(p->speaker, now_ns);
        vox_speaker_drain(p->speaker);
    }
    finish_recorders(p);
    refresh_stats(p, now_ns);
    write_stats_line(p, true);
    if (!p->options.quiet)
        vox_report_summary(&p->stats, &p->report, stderr);
    if (p->dropped > 0)
        vox_message_warn("%llu datagrams came while the sound card stood still and were dropped",
                         (unsigned long long)p->dropped);
}

static void close_program(struct program *p)
{
    uv_walk(&p->loop, close_handle, NULL);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    uv_loop_close(&p->loop);
    vox_speaker_destroy(p->speaker);
    vox_receiver_destroy(p->engine);
    for (int i = 0; i < SOCKETS; i++)
        vox_udp_close(p->sockets[i]);
    if (p->stats_file && p->stats_file != stdout)
        fclose(p->stats_file);
    if (p->events_file && p->events_file != stdout)
        fclose(p->events_file);
}

static int list_devices(bool verbose)
{
    static struct vox_device_entry list[VOX_DEVICE_MAX_LISTED];
    struct vox_audio_error error;
    int n = vox_device_list(verbose, list, VOX_DEVICE_MAX_LISTED, &error);
    if (n < 0) {
        vox_message_error("%s", error.text);
        return VOX_EXIT_FAILED;
    }
    for (int i = 0; i < n && i < VOX_DEVICE_MAX_LISTED; i++)
        if (list[i].out_channels > 0)
            printf("%c %s:%s  %d out, %d Hz\n", list[i].is_default_out ? '*' : ' ',
                   list[i].host_api, list[i].name, list[i].out_channels, list[i].default_hz);
    if (n == 0)
        puts("no sound devices");
    return VOX_EXIT_DONE;
}

static void say_quietly(const struct vox_recv_options *options)
{
    vox_message_set_level(options->quiet     ? VOX_MESSAGE_QUIET
                          : options->verbose ? VOX_MESSAGE_VERBOSE
                                             : VOX_MESSAGE_NORMAL);
}

static int run(struct program *p)
{
    uv_loop_init(&p->loop);
    uv_async_init(&p->loop, &p->wake, on_wake);
    p->wake.data = p;
    vox_status_init(&p->status, STDERR_FILENO, STATUS_NS);
    vox_message_set_status(&p->status);
    p->style = vox_meter_style(STDERR_FILENO);
    bool ready =
        vox_recv_find_listen(&p->options) && open_reports(p) && open_sockets(p) && open_output(p);
    if (ready) {
        start_loop(p);
        uv_run(&p->loop, UV_RUN_DEFAULT);
        finish(p);
    }
    close_program(p);
    vox_message_set_status(NULL);
    return ready && !p->failed ? VOX_EXIT_DONE : VOX_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a reader of stdout that goes away is an error, not our end */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that has grown to its limit */
    vox_message_init("voxgram-recv", stderr);
    struct program *p = calloc(1, sizeof *p); /* statistics and recorders: too large for a stack */
    if (!p)
        return VOX_EXIT_FAILED;
    enum vox_options_outcome outcome = vox_recv_parse(argc, argv, &p->options);
    int status = outcome == VOX_OPTIONS_DONE ? VOX_EXIT_DONE : VOX_EXIT_USAGE;
    if (outcome == VOX_OPTIONS_RUN) {
        say_quietly(&p->options);
        status = p->options.list_devices ? list_devices(p->options.verbose) : run(p);
    }
    free(p);
    return status;
}
