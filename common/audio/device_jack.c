/*
 * JACK without PortAudio in between: its process callback comes with filtered times and with the
 * latency of the whole graph behind our ports, and a server that goes away is survived.
 */
#include "audio/device_driver.h"

#include "base/err.h"
#include "base/time.h"

#include <errno.h>
#include <jack/jack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BLOCK_FRAMES = 8192, /* the largest period of JACK2; larger ones are cut */
    OPEN_TRIES = 10,
};

struct jack_stream {
    jack_client_t *client;
    struct vox_device *device;
    jack_port_t *in[VOX_DEVICE_MAX_CHANNELS];
    jack_port_t *out[VOX_DEVICE_MAX_CHANNELS];
    atomic_bool connected; /* nothing is handed on before: latencies would be those of no graph */
    _Atomic unsigned xruns;
    unsigned seen_xruns;
    int64_t in_frames; /* latency of the port that start connected the first of ours to */
    int64_t out_frames;
    float *in_block; /* interleaved, BLOCK_FRAMES */
    float *out_block;
};

static void say_nothing(const char *message)
{
    (void)message;
}

static void say(const char *message)
{
    fprintf(stderr, "jack: %s\n", message);
}

/*
 * NULL if no server answers: it is never started by us. A running one now and then refuses a client
 * for a moment, when others come in or go at the same time.
 */
static jack_client_t *connect_to_server(const char *name, bool verbose)
{
    jack_set_error_function(verbose ? say : say_nothing);
    jack_set_info_function(verbose ? say : say_nothing);
    jack_status_t status = 0;
    for (int i = 0; i < OPEN_TRIES; i++) {
        jack_client_t *client = jack_client_open(name, JackNoStartServer, &status);
        if (client || status & JackServerFailed)
            return client;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return NULL;
}

/* ---- listing: every client with ports is a device ---- */

static size_t client_name_len(const char *port)
{
    const char *colon = strchr(port, ':');
    return colon ? (size_t)(colon - port) : strlen(port);
}

static struct vox_device_entry *entry_of_port(const char *port, int rate_hz,
                                              struct vox_device_entry *list, size_t first,
                                              size_t *count, size_t capacity)
{
    size_t len = client_name_len(port);
    for (size_t i = first; i < *count; i++)
        if (strlen(list[i].name) == len && strncmp(list[i].name, port, len) == 0)
            return &list[i];
    if (len > VOX_DEVICE_MAX_NAME || *count >= capacity)
        return NULL;
    struct vox_device_entry *entry = &list[(*count)++];
    *entry = (struct vox_device_entry){.host_api = "JACK", .default_hz = rate_hz};
    memcpy(entry->name, port, len);
    return entry;
}

static int list_devices(bool verbose, struct vox_device_entry *out, size_t count, size_t capacity,
                        struct vox_audio_error *error)
{
    (void)error;
    jack_client_t *client = connect_to_server("voxgram-list", verbose);
    if (!client)
        return (int)count;
    size_t first = count;
    int rate_hz = (int)jack_get_sample_rate(client);
    const char **ports = jack_get_ports(client, NULL, JACK_DEFAULT_AUDIO_TYPE, 0);
    for (size_t i = 0; ports && ports[i]; i++) {
        struct vox_device_entry *entry =
            entry_of_port(ports[i], rate_hz, out, first, &count, capacity);
        const jack_port_t *port = jack_port_by_name(client, ports[i]);
        if (!entry || !port)
            continue;
        int flags = jack_port_flags(port);
        bool is_source = (flags & JackPortIsOutput) != 0;
        bool is_hardware = (flags & JackPortIsPhysical) != 0;
        entry->in_channels += is_source;
        entry->out_channels += !is_source;
        entry->is_default_in = entry->is_default_in || (is_source && is_hardware);
        entry->is_default_out = entry->is_default_out || (!is_source && is_hardware);
    }
    jack_free(ports);
    jack_client_close(client);
    return (int)count;
}

/* ---- callbacks, on JACK's threads ---- */

static int64_t latency_frames(jack_port_t *port, jack_latency_callback_mode_t mode)
{
    jack_latency_range_t range = {0};
    if (port)
        jack_port_get_latency_range(port, mode, &range);
    return (int64_t)range.max;
}

/*
 * The latency behind our first port, wherever the user has connected it to by now; behind the port
 * of the start until the server has worked that out.
 */
static int64_t in_latency_frames(const struct jack_stream *stream)
{
    int64_t frames = latency_frames(stream->in[0], JackCaptureLatency);
    return frames > 0 ? frames : stream->in_frames;
}

static int64_t out_latency_frames(const struct jack_stream *stream)
{
    int64_t frames = latency_frames(stream->out[0], JackPlaybackLatency);
    return frames > 0 ? frames : stream->out_frames;
}

/* CLOCK_MONOTONIC time at which this cycle began, whatever clock the server was told to use. */
static int64_t cycle_start_ns(const struct jack_stream *stream)
{
    jack_nframes_t frames;
    jack_time_t now_us, next_us;
    float period_us;
    int64_t now_ns = vox_device_now_ns();
    int64_t jack_now_us = (int64_t)jack_get_time();
    if (jack_get_cycle_times(stream->client, &frames, &now_us, &next_us, &period_us) != 0)
        return now_ns;
    return now_ns - (jack_now_us - (int64_t)now_us) * VOX_NS_PER_US;
}

static void interleave(struct jack_stream *stream, jack_nframes_t total, size_t from, size_t frames)
{
    size_t channels = (size_t)stream->device->info.in_channels;
    for (size_t c = 0; c < channels; c++) {
        const float *port = jack_port_get_buffer(stream->in[c], total);
        for (size_t i = 0; i < frames; i++)
            stream->in_block[i * channels + c] = port[from + i];
    }
}

static void deinterleave(struct jack_stream *stream, jack_nframes_t total, size_t from,
                         size_t frames)
{
    size_t channels = (size_t)stream->device->info.out_channels;
    for (size_t c = 0; c < channels; c++) {
        float *port = jack_port_get_buffer(stream->out[c], total);
        for (size_t i = 0; i < frames; i++)
            port[from + i] = stream->out_block[i * channels + c];
    }
}

static void silence(struct jack_stream *stream, jack_nframes_t total)
{
    for (int c = 0; c < stream->device->info.out_channels; c++)
        memset(jack_port_get_buffer(stream->out[c], total), 0, total * sizeof(float));
}

static unsigned flags_of_cycle(struct jack_stream *stream)
{
    unsigned xruns = atomic_load_explicit(&stream->xruns, memory_order_relaxed);
    if (xruns == stream->seen_xruns)
        return 0;
    stream->seen_xruns = xruns;
    const struct vox_device_info *info = &stream->device->info;
    return (info->in_channels > 0 ? (unsigned)VOX_DEVICE_OVERRUN : 0U) |
           (info->out_channels > 0 ? (unsigned)VOX_DEVICE_UNDERRUN : 0U);
}

static int on_process(jack_nframes_t total, void *ctx)
{
    struct jack_stream *stream = ctx;
    const struct vox_device_info *info = &stream->device->info;
    bool has_in = info->in_channels > 0, has_out = info->out_channels > 0;
    if (!atomic_load(&stream->connected)) {
        silence(stream, total);
        return 0;
    }
    int64_t start_ns = cycle_start_ns(stream);
    int64_t in_frames = has_in ? in_latency_frames(stream) : 0;
    int64_t out_frames = has_out ? out_latency_frames(stream) : 0;
    unsigned flags = flags_of_cycle(stream);
    for (size_t from = 0; from < total;) {
        size_t left = total - from;
        size_t frames = left < BLOCK_FRAMES ? left : BLOCK_FRAMES;
        int64_t at = (int64_t)from;
        if (has_in)
            interleave(stream, total, from, frames);
        vox_device_block(stream->device, has_in ? stream->in_block : NULL,
                         has_out ? stream->out_block : NULL, frames,
                         start_ns + vox_ticks_to_ns(at - in_frames, info->rate_hz),
                         start_ns + vox_ticks_to_ns(at + out_frames, info->rate_hz), flags);
        if (has_out)
            deinterleave(stream, total, from, frames);
        from += frames;
        flags = 0;
    }
    return 0;
}

static int on_xrun(void *ctx)
{
    struct jack_stream *stream = ctx;
    atomic_fetch_add_explicit(&stream->xruns, 1, memory_order_relaxed);
    return 0;
}

static void on_shutdown(void *ctx)
{
    struct jack_stream *stream = ctx;
    atomic_store(&stream->device->lost, true);
}

/* ---- life ---- */

static void close_stream(struct vox_device *device)
{
    struct jack_stream *stream = device->stream;
    if (stream->client)
        jack_client_close(stream->client); /* deactivates; waits for the callback's thread */
    free(stream->in_block);
    free(stream->out_block);
    free(stream);
}

/* Ports are called as PortAudio would call them: in_0, out_0, ... */
static bool register_ports(jack_client_t *client, const char *prefix, unsigned long flags,
                           int count, jack_port_t **ports)
{
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s_%d", prefix, i);
        ports[i] = jack_port_register(client, name, JACK_DEFAULT_AUDIO_TYPE, flags, 0);
        if (!ports[i])
            return false;
    }
    return true;
}

static void fill_info(struct vox_device *device, const struct vox_device_entry *in,
                      const struct vox_device_entry *out)
{
    const struct vox_device_config *config = &device->config;
    struct vox_device_info *info = &device->info;
    *info = (struct vox_device_info){.host_api = "JACK"};
    if (in) {
        memcpy(info->in_name, in->name, sizeof info->in_name);
        info->in_channels =
            config->in_channels < in->in_channels ? config->in_channels : in->in_channels;
    }
    if (out) {
        memcpy(info->out_name, out->name, sizeof info->out_name);
        info->out_channels =
            config->out_channels < out->out_channels ? config->out_channels : out->out_channels;
    }
}

static bool prepare(struct jack_stream *stream)
{
    struct vox_device_info *info = &stream->device->info;
    jack_client_t *client = stream->client;
    info->rate_hz = (int)jack_get_sample_rate(client);
    info->period_frames = (int)jack_get_buffer_size(client);
    stream->in_block = calloc((size_t)BLOCK_FRAMES * VOX_DEVICE_MAX_CHANNELS, sizeof(float));
    stream->out_block = calloc((size_t)BLOCK_FRAMES * VOX_DEVICE_MAX_CHANNELS, sizeof(float));
    jack_on_shutdown(client, on_shutdown, stream);
    return stream->in_block && stream->out_block &&
           jack_set_xrun_callback(client, on_xrun, stream) == 0 &&
           jack_set_process_callback(client, on_process, stream) == 0 &&
           register_ports(client, "in", JackPortIsInput, info->in_channels, stream->in) &&
           register_ports(client, "out", JackPortIsOutput, info->out_channels, stream->out);
}

static int open_stream(struct vox_device *device, const struct vox_device_entry *in,
                       const struct vox_device_entry *out, struct vox_audio_error *error)
{
    struct jack_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return vox_audio_fail(error, VOX_ENOMEM, "cannot open a JACK client: out of memory");
    stream->device = device;
    device->stream = stream;
    fill_info(device, in, out);
    stream->client = connect_to_server(device->config.client_name, device->config.verbose);
    if (stream->client && prepare(stream))
        return 0;
    close_stream(device);
    device->stream = NULL;
    return vox_audio_fail(error, VOX_EDEVICE,
                          "the JACK server does not let us in as '%s'; is it still running?",
                          device->config.client_name);
}

/*
 * Our ports to (from) the first ones of the client called `name`. Returns the latency of the first
 * of these, or a negative code.
 */
static int64_t connect_ports(const struct jack_stream *stream, const char *name, bool capture,
                             jack_port_t *const *ours, int count)
{
    unsigned long theirs_flags = capture ? JackPortIsOutput : JackPortIsInput;
    const char **theirs =
        jack_get_ports(stream->client, NULL, JACK_DEFAULT_AUDIO_TYPE, theirs_flags);
    int64_t latency = 0;
    int err = 0;
    int done = 0;
    for (size_t i = 0; theirs && theirs[i] && done < count && err == 0; i++) {
        size_t len = client_name_len(theirs[i]);
        if (strlen(name) != len || strncmp(name, theirs[i], len) != 0)
            continue;
        if (done == 0)
            latency = latency_frames(jack_port_by_name(stream->client, theirs[i]),
                                     capture ? JackCaptureLatency : JackPlaybackLatency);
        const char *our_name = jack_port_name(ours[done++]);
        err = capture ? jack_connect(stream->client, theirs[i], our_name)
                      : jack_connect(stream->client, our_name, theirs[i]);
        err = err == EEXIST ? 0 : err;
    }
    jack_free(theirs);
    return err == 0 && done == count ? latency : VOX_EDEVICE;
}

static int start(struct vox_device *device, struct vox_audio_error *error)
{
    struct jack_stream *stream = device->stream;
    struct vox_device_info *info = &device->info;
    if (jack_activate(stream->client) == 0) {
        stream->in_frames =
            connect_ports(stream, info->in_name, true, stream->in, info->in_channels);
        stream->out_frames =
            connect_ports(stream, info->out_name, false, stream->out, info->out_channels);
    } else {
        stream->in_frames = VOX_EDEVICE;
    }
    if (stream->in_frames < 0 || stream->out_frames < 0)
        return vox_audio_fail(error, VOX_EDEVICE, "cannot connect to the ports of '%s' in JACK",
                              info->in_channels > 0 ? info->in_name : info->out_name);
    info->in_latency_ns = vox_ticks_to_ns(stream->in_frames, info->rate_hz);
    info->out_latency_ns = vox_ticks_to_ns(stream->out_frames, info->rate_hz);
    atomic_store(&stream->connected, true);
    return 0;
}

const struct vox_device_driver vox_device_jack = {
    .list = list_devices, .open = open_stream, .start = start, .close = close_stream};
