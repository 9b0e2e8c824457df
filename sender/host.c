#include "sender/host_state.h"

#include "sender/report.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "net/clock.h"

#include <signal.h>

enum {
    STATUS_MS = 100,
    SECOND_MS = 1000,
    MIC_MS = 10, /* half of what makes a frame stale: see vox_sender_flush */
    DRAIN_MS = 10,
};

/* A terminal that is closed ends the stream like Ctrl-C: receivers hear a goodbye. */
static const int end_signals[VOX_SEND_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

/* What is still waiting when the stream has ended gets so long beyond its due time. */
#define DRAIN_NS VOX_NS_PER_S
/* Streams repeat what the network has lost, and a goodbye that is lost is repeated, too. */
#define DRAIN_STREAM_NS (5 * VOX_NS_PER_S)

/* ---- the end ---- */

static void on_drain(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    int64_t now_ns = vox_clock_now_ns();
    size_t pending = vox_outlet_pending(h->outlet);
    if (pending == 0 || now_ns > h->drain_until_ns)
        uv_stop(&h->loop);
    else if (!h->told_drain && now_ns > h->tell_drain_ns) {
        vox_message_info("%zu bytes are not taken yet: waiting up to %.0f s more; Ctrl-C ends now",
                         pending, (double)(h->drain_until_ns - now_ns) / (double)VOX_NS_PER_S);
        h->told_drain = true;
    }
}

/* Last frame and BYE; what waits for its time still leaves. */
static void finish(struct vox_host *h)
{
    if (h->finished)
        return;
    h->finished = true;
    uv_timer_stop(&h->connect_timer);
    uv_timer_stop(&h->pump_timer);
    uv_timer_stop(&h->report_timer);
    uv_timer_stop(&h->mic_timer);
    if (h->has_input_poll)
        uv_poll_stop(&h->input_poll);
    int64_t now_ns = vox_clock_now_ns();
    if (vox_sender_finish(h->sender, now_ns) < 0)
        h->exit_status = VOX_EXIT_FAILED;
    int64_t due_ns = vox_outlet_last_due_ns(h->outlet);
    bool stream = vox_transport_is_stream(vox_outlet_scheme(h->outlet));
    int64_t last_ns = due_ns > now_ns ? due_ns : now_ns;
    h->drain_until_ns = last_ns + (stream ? DRAIN_STREAM_NS : DRAIN_NS);
    h->tell_drain_ns = last_ns + DRAIN_NS;
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

void vox_host_take_mic(struct vox_host *h)
{
    const struct vox_mic_block *block;
    int64_t limit_ns = h->options->duration_ns;
    while (!h->finished && (block = vox_mic_peek(h->mic)) != NULL) {
        if (h->begun && follow_mic(h, block))
            push(h, block->pcm, block->frames, block->capture_ns);
        int64_t taken_ns = vox_ticks_to_ns((int64_t)block->frames, block->rate_hz);
        h->mic_lag_ns = vox_clock_now_ns() - block->capture_ns - taken_ns;
        vox_mic_release(h->mic);
        if (limit_ns > 0 && vox_ticks_to_ns(h->read_frames, h->stream.input_hz) >= limit_ns)
            finish(h);
    }
}

/* The microphone is gone: what it gave so far leaves now, not when it is back. */
static void flush(struct vox_host *h)
{
    vox_host_take_mic(h);
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

/* ---- the beginning ---- */

/* Where there is a connection to be made, the audio waits for it: nobody would hear its beginning.
 */
static void begin(struct vox_host *h)
{
    h->begun = true;
    uv_timer_stop(&h->connect_timer);
    vox_message_info("sending %s to %s; Ctrl-C ends", h->options->source_text, h->destination);
    h->progress.second_ns = vox_clock_now_ns();
    if (h->input)
        pump(h);
    else
        uv_timer_start(&h->mic_timer, on_mic_timer, MIC_MS, MIC_MS);
}

static void on_connect_timer(uv_timer_t *timer)
{
    struct vox_host *h = timer->data;
    vox_peers_say_unanswered(h->destination, "receiver", h->options->connect_timeout_ns);
    fail(h);
}

static void wait_for_peer(struct vox_host *h)
{
    if (h->options->listen) {
        vox_message_info("listening on %s", h->destination);
        vox_message_info("%s starts when the first receiver connects; Ctrl-C ends",
                         h->options->source_text);
        return;
    }
    vox_message_info("connecting to %s; Ctrl-C ends", h->destination);
    int64_t patience_ns = h->options->connect_timeout_ns;
    if (patience_ns >= 0)
        uv_timer_start(&h->connect_timer, on_connect_timer, (uint64_t)(patience_ns / VOX_NS_PER_MS),
                       0);
}

static void tell_of_peers(struct vox_host *h)
{
    struct vox_transport_event event;
    while (vox_outlet_event(h->outlet, &event))
        vox_peers_say(&h->teller, &event, vox_clock_now_ns());
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct vox_host *h = poll->data;
    vox_outlet_receive(h->outlet, feed, h);
    tell_of_peers(h);
    if (!h->begun && !h->finished && vox_outlet_is_connected(h->outlet))
        begin(h);
}

/* ---- telling, and being told ---- */

static void fill_report(struct vox_host *h, struct vox_send_report *r)
{
    *r = (struct vox_send_report){
        .options = h->options,
        .destination = h->destination,
        .scheme = vox_outlet_scheme(h->outlet),
        .channels = h->stream.channels,
        .sent_ns = vox_ticks_to_ns(h->read_frames, h->stream.input_hz),
        .duration_ns = h->input ? vox_input_info(h->input)->duration_ns : -1,
        .mic_dropped_frames = h->mic ? vox_mic_dropped_frames(h->mic) : 0,
        .rtp = {.ssrc = h->stream.ssrc,
                .first_timestamp = h->stream.first_timestamp,
                .first_seq = h->stream.first_seq},
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
        vox_host_take_mic(h);
    }
    finish(h);
}

int vox_host_run(struct vox_host *h)
{
    struct vox_send_report report;
    signal(SIGPIPE, SIG_IGN); /* a reader of --stats that leaves is no reason to end */
    signal(SIGXFSZ, SIG_IGN); /* nor is a file that may not grow */
    for (int i = 0; i < VOX_SEND_SIGNALS; i++)
        uv_signal_start(&h->signals[i], on_signal, end_signals[i]);
    uv_poll_start(&h->socket_poll, UV_READABLE | UV_PRIORITIZED, on_socket);
    uv_timer_start(&h->second_timer, on_second, SECOND_MS, SECOND_MS);
    if (vox_progress_is_live(&h->progress))
        uv_timer_start(&h->status_timer, on_status_timer, STATUS_MS, STATUS_MS);
    tell_of_peers(h); /* on this machine, the call is answered by now */
    if (vox_outlet_is_connected(h->outlet))
        begin(h);
    else
        wait_for_peer(h);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    vox_outlet_stop(h->outlet);
    fill_report(h, &report);
    report.late = vox_outlet_late(h->outlet);
    report.untaken_bytes = vox_outlet_untaken_bytes(h->outlet);
    int status = vox_progress_close(&h->progress, &report);
    return status != VOX_EXIT_DONE ? status : h->exit_status;
}
