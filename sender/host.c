#include "sender/host.h"

#include "sender/feeder.h"
#include "sender/input.h"
#include "sender/mic.h"
#include "sender/outlet.h"
#include "sender/progress.h"
#include "sender/adapt_report.h"
#include "sender/report.h"
#include "sender/session_file.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "net/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

enum {
    STATUS_MS = 100,
    SECOND_MS = 1000,
    MIC_MS = 10, /* half of what makes a frame stale: see vox_sender_flush */
    DRAIN_MS = 10,
    CNAME_BYTES = 32,
    SIGNALS = 3,
};

/* A terminal that is closed ends the stream like Ctrl-C: receivers hear a goodbye. */
static const int end_signals[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

#define DEFAULT_LEAD_NS (100 * VOX_NS_PER_MS)

/*
 * How late a source may be before what comes next is moved on the clock, which is then a capture
 * gap. A pipe may be live: it has to follow. A file is only late when this computer was asleep.
 */
#define PIPE_LATE_NS (20 * VOX_NS_PER_MS)
#define FILE_LATE_NS VOX_NS_PER_S

/* What is still waiting when the stream has ended gets so long beyond its due time. */
#define DRAIN_NS VOX_NS_PER_S

struct vox_host {
    const struct vox_send_options *options;
    struct vox_sender_config stream;
    struct vox_sender *sender;
    struct vox_outlet *outlet;
    struct vox_input *input; /* one of these two */
    struct vox_mic *mic;
    struct vox_progress progress;
    char destination[VOX_ADDRESS_TEXT_BYTES];
    char cname[CNAME_BYTES];
    int exit_status;

    uv_loop_t loop;
    uv_timer_t pump_timer, report_timer, status_timer, second_timer, mic_timer, drain_timer;
    uv_poll_t socket_poll, input_poll;
    bool has_input_poll; /* a pipe to wait for */
    uv_async_t mic_async;
    uv_signal_t signals[SIGNALS];

    struct vox_feeder *feeder; /* of input */
    int64_t read_frames;       /* of the source so far */
    int64_t mic_lag_ns;        /* from capture to here, of the last block */
    bool finished;
    int64_t drain_until_ns;
};

/* ---- the end ---- */

static void on_drain(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    if (vox_outlet_pending(h->outlet) == 0 || vox_clock_now_ns() > h->drain_until_ns)
        uv_stop(&h->loop);
}

/* Last frame and BYE; what waits for its time still leaves. */
static void finish(struct vox_host *h)
{
    if (h->finished)
        return;
    h->finished = true;
    uv_timer_stop(&h->pump_timer);
    uv_timer_stop(&h->report_timer);
    uv_timer_stop(&h->mic_timer);
    if (h->has_input_poll)
        uv_poll_stop(&h->input_poll);
    int64_t now_ns = vox_clock_now_ns();
    if (vox_sender_finish(h->sender, now_ns) < 0)
        h->exit_status = VOX_EXIT_FAILED;
    int64_t due_ns = vox_outlet_last_due_ns(h->outlet);
    h->drain_until_ns = (due_ns > now_ns ? due_ns : now_ns) + DRAIN_NS;
    uv_timer_start(&h->drain_timer, on_drain, 0, DRAIN_MS);
}

static void fail(struct vox_host *h)
{
    h->exit_status = VOX_EXIT_FAILED;
    finish(h);
}

/* ---- RTCP ---- */

static void on_report_timer(uv_timer_t *timer);

static void arm_report(struct vox_host *h)
{
    int64_t deadline_ns = vox_sender_next_deadline_ns(h->sender);
    if (deadline_ns == VOX_NS_NEVER || h->finished)
        return;
    int64_t wait_ns = deadline_ns - vox_clock_now_ns();
    int64_t wait_ms = wait_ns > 0 ? (wait_ns + VOX_NS_PER_MS - 1) / VOX_NS_PER_MS : 0;
    uv_update_time(&h->loop);
    uv_timer_start(&h->report_timer, on_report_timer, (uint64_t)wait_ms, 0);
}

static void on_report_timer(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    vox_sender_tick(h->sender, vox_clock_now_ns());
    arm_report(h);
}

static void feed(void *ctx, const void *datagram, size_t len, int64_t arrival_ns)
{
    struct vox_host *h = ctx;
    if (vox_sender_feed(h->sender, datagram, len, arrival_ns) > 0)
        arm_report(h); /* an answer may be wanted sooner */
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct vox_host *h = poll->data;
    struct vox_transport_event event;
    vox_outlet_receive(h->outlet, feed, h);
    while (vox_outlet_event(h->outlet, &event))
        vox_message_warn("%s", event.text);
}

static void on_datagram(void *ctx, const struct vox_datagram *datagram)
{
    struct vox_host *h = ctx;
    vox_outlet_send(h->outlet, datagram);
}

static void on_event(void *ctx, const struct vox_sender_event *event)
{
    struct vox_host *h = ctx;
    char text[VOX_ADAPT_TEXT_BYTES];
    switch (event->kind) {
    case VOX_SENDER_EVENT_CAPTURE_GAP:
        vox_message_detail("%.0f ms of audio are missing at the source",
                           vox_ns_to_ms(event->value_ns));
        break;
    case VOX_SENDER_EVENT_REPORT:
        break;
    case VOX_SENDER_EVENT_ADAPTED:
        vox_message_detail("%s", vox_adapt_text(event, text));
        break;
    case VOX_SENDER_EVENT_RECEIVER_BYE:
        vox_message_info("the receiver has left; sending to %s goes on", h->destination);
        break;
    }
}

/* ---- audio ---- */

static bool push(struct vox_host *h, const float *pcm, size_t frames, int64_t capture_ns)
{
    bool first = vox_sender_next_deadline_ns(h->sender) == VOX_NS_NEVER;
    vox_progress_add(&h->progress, pcm, frames * (size_t)h->stream.input_channels);
    h->read_frames += (int64_t)frames;
    int err = vox_sender_push(h->sender, pcm, frames, capture_ns);
    if (err < 0) {
        vox_message_error("cannot encode the audio: %s", vox_err_text(err));
        fail(h);
        return false;
    }
    if (first)
        arm_report(h);
    return true;
}

static void pump(struct vox_host *h);

static void on_pump_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void on_input_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    pump(poll->data);
}

/* Reads ahead; comes back when half of that is used up, or when the pipe has more. */
static void pump(struct vox_host *h)
{
    struct vox_feeder_piece piece;
    struct vox_audio_error error;
    int outcome;
    while ((outcome = vox_feeder_next(h->feeder, vox_clock_now_ns(), &piece, &error)) ==
           VOX_FEEDER_PIECE)
        if (!push(h, piece.pcm, piece.frames, piece.capture_ns))
            return;
    if (outcome < 0) {
        vox_message_error("%s; what came before it is sent", error.text);
        fail(h);
    } else if (outcome == VOX_FEEDER_END) {
        finish(h);
    } else if (outcome == VOX_FEEDER_DRY && h->has_input_poll) {
        uv_poll_start(&h->input_poll, UV_READABLE | UV_DISCONNECT, on_input_readable);
    } else {
        int64_t wait_ns = vox_feeder_resume_ns(h->feeder) - vox_clock_now_ns();
        uint64_t wait_ms = wait_ns > VOX_NS_PER_MS ? (uint64_t)(wait_ns / VOX_NS_PER_MS) : 1;
        uv_update_time(&h->loop);
        uv_timer_start(&h->pump_timer, on_pump_timer, wait_ms, 0);
    }
}

/* A microphone that comes back may be another one: the stream goes on with it. */
static bool follow_mic(struct vox_host *h, const struct vox_mic_block *block)
{
    struct vox_sender_config *stream = &h->stream;
    if (block->rate_hz == stream->input_hz && block->channels == stream->input_channels)
        return true;
    int err = vox_sender_set_input(h->sender, block->rate_hz, block->channels);
    if (err < 0) {
        vox_message_error("cannot go on with the microphone at %d Hz: %s", block->rate_hz,
                          vox_err_text(err));
        fail(h);
        return false;
    }
    vox_message_info("the microphone now runs at %d Hz, %s", block->rate_hz,
                     block->channels == 1 ? "mono" : "stereo");
    int64_t read_ns = vox_ticks_to_ns(h->read_frames, stream->input_hz);
    h->read_frames = vox_ns_to_ticks(read_ns, block->rate_hz);
    stream->input_hz = block->rate_hz;
    stream->input_channels = block->channels;
    return true;
}

static void take_mic(struct vox_host *h)
{
    const struct vox_mic_block *block;
    int64_t limit_ns = h->options->duration_ns;
    while (!h->finished && (block = vox_mic_peek(h->mic)) != NULL) {
        if (follow_mic(h, block))
            push(h, block->pcm, block->frames, block->capture_ns);
        int64_t taken_ns = vox_ticks_to_ns((int64_t)block->frames, block->rate_hz);
        h->mic_lag_ns = vox_clock_now_ns() - block->capture_ns - taken_ns;
        vox_mic_release(h->mic);
        if (limit_ns > 0 && vox_ticks_to_ns(h->read_frames, h->stream.input_hz) >= limit_ns)
            finish(h);
    }
}

static void on_mic_async(uv_async_t *async)
{
    take_mic(async->data);
}

static void wake_for_mic(void *ctx)
{
    struct vox_host *h = ctx;
    uv_async_send(&h->mic_async);
}

/* The microphone is gone: what it gave so far leaves now, not when it is back. */
static void flush(struct vox_host *h)
{
    take_mic(h);
    int64_t capture_ns = vox_clock_now_ns() - h->mic_lag_ns;
    int err = h->finished ? 0 : vox_sender_flush(h->sender, capture_ns);
    if (err >= 0)
        return;
    vox_message_error("cannot encode the audio: %s", vox_err_text(err));
    fail(h);
}

static void on_mic_timer(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    struct vox_audio_error error;
    switch (vox_mic_watch(h->mic, vox_clock_now_ns(), &error)) {
    case VOX_MIC_SAME:
        break;
    case VOX_MIC_LOST:
        flush(h);
        vox_message_warn("the microphone is gone; plug it in again: it is tried every second");
        break;
    case VOX_MIC_BACK:
        vox_message_info("the microphone is back");
        break;
    }
}

/* ---- telling, and being told ---- */

static void fill_report(struct vox_host *h, struct vox_send_report *r)
{
    *r = (struct vox_send_report){
        .options = h->options,
        .destination = h->destination,
        .channels = h->stream.channels,
        .sent_ns = vox_ticks_to_ns(h->read_frames, h->stream.input_hz),
        .duration_ns = h->input ? vox_input_info(h->input)->duration_ns : -1,
        .mic_dropped_frames = h->mic ? vox_mic_dropped_frames(h->mic) : 0,
    };
    int64_t limit_ns = h->options->duration_ns;
    if (limit_ns > 0 && (r->duration_ns < 0 || limit_ns < r->duration_ns))
        r->duration_ns = limit_ns;
    vox_sender_read_stats(h->sender, &r->sender);
    vox_outlet_read_stats(h->outlet, &r->outlet);
}

static void on_status_timer(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    struct vox_send_report report;
    fill_report(h, &report);
    vox_progress_show(&h->progress, &report, vox_clock_now_ns());
}

static void on_second(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    struct vox_send_report report;
    fill_report(h, &report);
    vox_progress_second(&h->progress, &report, vox_clock_now_ns());
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    struct vox_host *h = signal->data;
    if (h->finished) {
        uv_stop(&h->loop); /* asked twice: don't wait for the rest */
        return;
    }
    if (h->mic) {
        vox_mic_stop(h->mic);
        take_mic(h);
    }
    finish(h);
}

/* ---- opening ---- */

/* Handles that are never started are initialised too, so that all close alike. */
static void open_loop(struct vox_host *h)
{
    uv_timer_t *timers[] = {&h->pump_timer,   &h->report_timer, &h->status_timer,
                            &h->second_timer, &h->mic_timer,    &h->drain_timer};
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        uv_timer_init(&h->loop, timers[i]);
        timers[i]->data = h;
    }
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&h->loop, &h->signals[i]);
        h->signals[i].data = h;
    }
    uv_async_init(&h->loop, &h->mic_async, on_mic_async);
    h->mic_async.data = h;
}

static int open_source(struct vox_host *h)
{
    struct vox_audio_error error;
    if (vox_input_open(h->options, &h->input, &error) < 0) {
        vox_message_error("%s", error.text);
        return VOX_EXIT_FAILED;
    }
    h->stream.input_hz = vox_input_info(h->input)->rate_hz;
    h->stream.input_channels = vox_input_info(h->input)->channels;
    h->stream.input_bits = vox_input_info(h->input)->bits;
    int fd = vox_input_fd(h->input);
    /* A regular file on standard input cannot be polled and need not be. */
    h->has_input_poll = fd >= 0 && uv_poll_init(&h->loop, &h->input_poll, fd) == 0;
    h->input_poll.data = h;
    int64_t buffer_ns = h->options->buffer_ns;
    const struct vox_feeder_config config = {
        .input = h->input,
        .lead_ns = buffer_ns == VOX_BUFFER_DEFAULT ? DEFAULT_LEAD_NS : buffer_ns,
        .duration_ns = h->options->duration_ns,
        .patience_ns = h->has_input_poll ? PIPE_LATE_NS : FILE_LATE_NS,
    };
    int err = vox_feeder_create(&config, &h->feeder);
    if (err < 0)
        vox_message_error("cannot read %s: %s", h->options->source_text, vox_err_text(err));
    return err < 0 ? VOX_EXIT_FAILED : VOX_EXIT_DONE;
}

static int open_mic(struct vox_host *h)
{
    struct vox_audio_error error;
    const struct vox_mic_config config = {.options = h->options, .wake = wake_for_mic, .ctx = h};
    if (vox_mic_open(&config, &h->mic, &error) < 0) {
        vox_message_error("%s", error.text);
        return VOX_EXIT_FAILED;
    }
    const struct vox_device_info *info = vox_mic_info(h->mic);
    h->stream.input_hz = info->rate_hz;
    h->stream.input_channels = info->in_channels;
    vox_message_info("listening to %s (%s, %d Hz)", info->in_name, info->host_api, info->rate_hz);
    return VOX_EXIT_DONE;
}

/* What RFC 3550 wants random, and a CNAME that no other stream has (RFC 7022, section 4.2). */
static int throw_dice(struct vox_host *h)
{
    struct {
        uint64_t seed, name;
        uint32_t ssrc, timestamp, rtx_ssrc;
        uint16_t seq, rtx_seq;
    } dice;
    if (getrandom(&dice, sizeof dice, 0) != (ssize_t)sizeof dice) {
        vox_message_error("cannot get random numbers: %s", strerror(errno));
        return VOX_EXIT_FAILED;
    }
    struct vox_sender_config *stream = &h->stream;
    snprintf(h->cname, sizeof h->cname, "voxgram-%016llx", (unsigned long long)dice.name);
    stream->cname = h->cname;
    stream->seed = dice.seed;
    stream->ssrc = dice.ssrc;
    stream->first_timestamp = dice.timestamp;
    stream->first_seq = dice.seq;
    stream->rtx_ssrc = dice.rtx_ssrc != dice.ssrc ? dice.rtx_ssrc : ~dice.ssrc;
    stream->rtx_first_seq = dice.rtx_seq;
    return VOX_EXIT_DONE;
}

static int open_engine(struct vox_host *h)
{
    const struct vox_send_options *options = h->options;
    struct vox_sender_config *stream = &h->stream;
    vox_encoding_options_apply(&options->encoding, stream->input_channels, stream);
    stream->wall_offset_ns = vox_clock_wall_offset_ns();
    stream->on_datagram = on_datagram;
    stream->on_event = on_event;
    stream->ctx = h;
    if (throw_dice(h) != VOX_EXIT_DONE)
        return VOX_EXIT_FAILED;
    int err = vox_sender_create(stream, &h->sender);
    if (err >= 0)
        return VOX_EXIT_DONE;
    vox_message_error("cannot start the encoder: %s", vox_err_text(err));
    return VOX_EXIT_FAILED;
}

static int open_network(struct vox_host *h)
{
    struct vox_net_error error;
    int err = vox_outlet_create(h->options, &h->outlet, &error);
    if (err >= 0 && h->options->sdp)
        err = vox_session_file_write(h->options, &h->stream, vox_outlet_destination(h->outlet),
                                     &error);
    if (err < 0) {
        vox_message_error("%s", error.text);
        return VOX_EXIT_FAILED;
    }
    vox_address_format(vox_outlet_destination(h->outlet), h->destination);
    uv_poll_init(&h->loop, &h->socket_poll, vox_outlet_fd(h->outlet));
    h->socket_poll.data = h;
    return VOX_EXIT_DONE;
}

int vox_host_create(const struct vox_send_options *options, struct vox_host **out)
{
    struct vox_host *h = calloc(1, sizeof *h);
    if (!h || uv_loop_init(&h->loop) != 0) {
        vox_message_error("out of memory or file descriptors");
        free(h);
        return VOX_EXIT_FAILED;
    }
    h->options = options;
    vox_sender_config_init(&h->stream, (enum vox_profile)options->encoding.profile);
    open_loop(h);
    int status = vox_progress_open(&h->progress, options);
    if (status == VOX_EXIT_DONE)
        status = options->source.kind == VOX_SOURCE_MIC ? open_mic(h) : open_source(h);
    if (status == VOX_EXIT_DONE)
        status = open_engine(h);
    if (status == VOX_EXIT_DONE)
        status = open_network(h);
    if (status != VOX_EXIT_DONE) {
        vox_host_destroy(h);
        return status;
    }
    *out = h;
    return VOX_EXIT_DONE;
}

static void close_handle(uv_handle_t *handle, void *ignored)
{
    (void)ignored;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void vox_host_destroy(struct vox_host *h)
{
    if (!h)
        return;
    vox_mic_close(h->mic); /* first: its thread wakes the loop */
    uv_walk(&h->loop, close_handle, NULL);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    uv_loop_close(&h->loop);
    vox_outlet_destroy(h->outlet);
    vox_sender_destroy(h->sender);
    vox_feeder_destroy(h->feeder);
    vox_input_close(h->input);
    free(h);
}

int vox_host_run(struct vox_host *h)
{
    struct vox_send_report report;
    signal(SIGPIPE, SIG_IGN); /* a reader of --stats that leaves is no reason to end */
    signal(SIGXFSZ, SIG_IGN); /* nor is a file that may not grow */
    for (int i = 0; i < SIGNALS; i++)
        uv_signal_start(&h->signals[i], on_signal, end_signals[i]);
    uv_poll_start(&h->socket_poll, UV_READABLE | UV_PRIORITIZED, on_socket);
    uv_timer_start(&h->second_timer, on_second, SECOND_MS, SECOND_MS);
    if (vox_progress_is_live(&h->progress))
        uv_timer_start(&h->status_timer, on_status_timer, STATUS_MS, STATUS_MS);
    vox_message_info("sending %s to %s; Ctrl-C ends", h->options->source_text, h->destination);
    h->progress.second_ns = vox_clock_now_ns();
    if (h->input)
        pump(h);
    else
        uv_timer_start(&h->mic_timer, on_mic_timer, MIC_MS, MIC_MS);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    vox_outlet_stop(h->outlet);
    fill_report(h, &report);
    report.late = vox_outlet_late(h->outlet);
    int status = vox_progress_close(&h->progress, &report);
    return status != VOX_EXIT_DONE ? status : h->exit_status;
}
