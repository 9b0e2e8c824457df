#include "sender/host_state.h"

#include "sender/adapt_report.h"
#include "sender/session_file.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/files.h"
#include "cli/message.h"
#include "net/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DEFAULT_LEAD_NS (100 * VOX_NS_PER_MS)

/*
 * How late a source may be before what comes next is moved on the clock, which is then a capture
 * gap. A pipe may be live: it has to follow. A file is only late when this computer was asleep.
 */
#define PIPE_LATE_NS (20 * VOX_NS_PER_MS)
#define FILE_LATE_NS VOX_NS_PER_S

/* ---- what the engine and the microphone call ---- */

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

static void wake_for_mic(void *ctx)
{
    struct vox_host *h = ctx;
    uv_async_send(&h->mic_async);
}

static void on_mic_async(uv_async_t *async)
{
    vox_host_take_mic(async->data);
}

/* ---- opening ---- */

/* Handles that are never started are initialised too, so that all close alike. */
static void open_loop(struct vox_host *h)
{
    uv_timer_t *timers[] = {&h->connect_timer, &h->pump_timer, &h->report_timer, &h->status_timer,
                            &h->second_timer,  &h->mic_timer,  &h->drain_timer};
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        uv_timer_init(&h->loop, timers[i]);
        timers[i]->data = h;
    }
    for (int i = 0; i < VOX_SEND_SIGNALS; i++) {
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
    h->stream.ahead_ns = buffer_ns == VOX_BUFFER_DEFAULT ? DEFAULT_LEAD_NS : buffer_ns;
    const struct vox_feeder_config config = {
        .input = h->input,
        .lead_ns = h->stream.ahead_ns,
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
    vox_transport_format(vox_outlet_scheme(h->outlet), vox_outlet_destination(h->outlet),
                         h->destination);
    uv_poll_init(&h->loop, &h->socket_poll, vox_outlet_fd(h->outlet));
    h->socket_poll.data = h;
    return VOX_EXIT_DONE;
}

int vox_host_create(const struct vox_send_options *options, struct vox_host **out)
{
    if (!vox_files_are_left())
        return VOX_EXIT_FAILED;
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
