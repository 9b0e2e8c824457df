#include "receiver/host_state.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "net/clock.h"

#include <sys/random.h>

void vox_recv_host_stop(struct vox_recv_host *h)
{
    h->stopping = true;
    uv_stop(&h->loop);
}

void vox_recv_host_check_recording(struct vox_recv_host *h)
{
    if (!h->recording.failed || h->failed)
        return;
    vox_message_error("%s", h->recording.error.text);
    h->failed = true;
    vox_recv_host_stop(h);
}

/* ---- what the engine puts out ---- */

/*
 * Over a connection only who reports to us gets reports. GStreamer's tcpclientsink and a pipe
 * through socat never read: what we sent would fill the connection within minutes, until it breaks,
 * and at its end the kernel throws away the audio that is still under way (a reset, since something
 * is unread). A sender that knows RTCP begins with it.
 */
static bool wants_rtcp(const struct vox_path *path)
{
    return path->peer.connection == 0 || path->reports;
}

static void send_rtcp(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct vox_recv_host *h = ctx;
    if (path >= h->paths.count)
        return;
    const struct vox_path *to = &h->paths.items[path];
    struct vox_net_error error;
    if (!wants_rtcp(to))
        return;
    if (vox_transport_send(h->sockets[to->socket], bytes, len, &to->peer, &error) < 0)
        vox_message_detail("%s", error.text);
}

static void take_event(void *ctx, const struct vox_event *event)
{
    struct vox_recv_host *h = ctx;
    vox_journal_event(&h->journal, event);
}

static void record_packet(void *ctx, const struct vox_played_packet *packet)
{
    struct vox_recv_host *h = ctx;
    if (vox_recording_packet(&h->recording, packet))
        vox_message_warn("a second source speaks; one Ogg stream holds one source: add --separate "
                         "to keep all");
    vox_recv_host_check_recording(h);
}

static void wake_loop(void *ctx)
{
    struct vox_recv_host *h = ctx;
    uv_async_send(&h->wake);
}

/* ---- beginning and end ---- */

/* RTCP of those who do not send it to the port of their RTP (RFC 3550, section 11). */
static void open_rtcp_socket(struct vox_recv_host *h)
{
    struct vox_transport_config config = h->options->transport;
    struct vox_net_error error;
    config.address = *vox_transport_local(h->sockets[0]);
    uint16_t port = vox_address_port(&config.address);
    vox_address_set_port(&config.address, (uint16_t)(port + 1));
    if (port < UINT16_MAX && vox_transport_open(&config, &h->sockets[1], &error) < 0)
        vox_message_detail("RTCP is heard on port %u only: %s", port, error.text);
}

static bool open_sockets(struct vox_recv_host *h)
{
    struct vox_net_error error;
    char text[VOX_ADDRESS_TEXT_BYTES];
    bool calls = h->options->transport.role == VOX_TRANSPORT_CALL;
    int err = vox_transport_open(&h->options->transport, &h->sockets[0], &error);
    if (err < 0) {
        bool elsewhere = err == VOX_EADDRESS && !calls &&
                         vox_transport_is_stream(h->options->transport.scheme) &&
                         !vox_address_is_multicast(&h->options->transport.address) &&
                         !vox_address_lacks_interface(&h->options->transport.address);
        vox_message_error("%s%s", error.text,
                          elsewhere ? ", or add --connect to call a sender there" : "");
        return false;
    }
    enum vox_scheme scheme = vox_transport_scheme(h->sockets[0]);
    h->journal.context.scheme = scheme;
    h->journal.context.transport = &h->transport_stats;
    vox_message_info("%s %s", calls ? "connecting to" : "listening on",
                     vox_transport_format(scheme, vox_transport_local(h->sockets[0]), text));
    if (scheme == VOX_SCHEME_UDP)
        open_rtcp_socket(h);
    return true;
}

static struct vox_receiver_config engine_config(struct vox_recv_host *h)
{
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.follow_source = true;
    config.max_sources = h->options->max_streams;
    config.payload_type = h->options->payload_type;
    config.red_payload_type = h->options->red_payload_type;
    config.rtx = h->options->rtx;
    config.rtx_payload_type = h->options->rtx_payload_type;
    config.capture_time_id = h->options->capture_time_id;
    vox_playout_options_apply(&h->options->playout, &config);
    config.clock_synced = h->options->clock_synced;
    config.wall_offset_ns = vox_clock_wall_offset_ns();
    if (getrandom(&config.ssrc, sizeof config.ssrc, 0) != sizeof config.ssrc ||
        getrandom(&config.seed, sizeof config.seed, 0) != sizeof config.seed)
        config.seed = (uint64_t)vox_clock_now_ns();
    config.on_rtcp = send_rtcp;
    config.on_event = take_event;
    config.on_decoded = h->options->output == VOX_OUTPUT_OGG ? record_packet : NULL;
    config.ctx = h;
    return config;
}

static bool open_trace(struct vox_recv_host *h)
{
    struct vox_tracer_config config;
    vox_tracer_config_init(&config);
    config.payload_type = h->options->payload_type;
    config.capture_time_id = h->options->capture_time_id;
    config.wall_offset_ns = vox_clock_wall_offset_ns();
    return vox_trace_file_open(&h->trace, &config, h->options->trace_path);
}

static bool open_speaker(struct vox_recv_host *h, const struct vox_receiver_config *engine)
{
    struct vox_audio_error error;
    struct vox_speaker_config config = {
        .device = h->options->output_name,
        .buffer_ms = h->options->buffer_ms,
        .channels = h->options->channels ? h->options->channels : 2,
        .verbose = h->options->verbose,
        .engine = *engine,
        .on_wake = wake_loop,
        .ctx = h,
    };
    if (vox_speaker_create(&config, &h->speaker, &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    const struct vox_device_info *info = vox_speaker_info(h->speaker);
    vox_message_info("playing on %s (%s, %d Hz, %.1f ms latency)", info->out_name, info->host_api,
                     info->rate_hz, vox_ns_to_ms(info->out_latency_ns));
    return true;
}

static bool open_output(struct vox_recv_host *h)
{
    struct vox_audio_error error;
    struct vox_receiver_config config = engine_config(h);
    if (h->options->output == VOX_OUTPUT_SPEAKER)
        return open_speaker(h, &config);
    if (vox_recording_open(&h->recording, h->options, &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    int err = vox_receiver_create(&config, &h->engine);
    if (err < 0)
        vox_message_error("cannot start: %s", vox_err_text(err));
    return err == 0;
}

bool vox_recv_host_open(struct vox_recv_host *h)
{
    h->start_ns = vox_clock_now_ns();
    int64_t unix_ns = h->start_ns + vox_clock_wall_offset_ns();
    return vox_journal_open(&h->journal, h->options, h->start_ns, unix_ns) && open_sockets(h) &&
           open_trace(h) &&
           vox_pcap_file_open(&h->pcap, h->options->pcap_path, vox_clock_wall_offset_ns()) &&
           open_output(h);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void vox_recv_host_close(struct vox_recv_host *h)
{
    uv_walk(&h->loop, close_handle, NULL);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    uv_loop_close(&h->loop);
    vox_speaker_destroy(h->speaker);
    vox_receiver_destroy(h->engine);
    for (int i = 0; i < VOX_RECV_SOCKETS; i++)
        vox_transport_close(h->sockets[i]);
    vox_trace_file_close(&h->trace);
    vox_pcap_file_close(&h->pcap);
    vox_journal_close(&h->journal);
}
