#include "audio/device_driver.h"

#include "audio/clock.h"
#include "base/err.h"
#include "base/time.h"

#include <fcntl.h>
#include <math.h>
#include <pa_jack.h>
#include <portaudio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pa_stream {
    PaStream *pa; /* NULL: not open */
    struct vox_device *device;
    struct vox_audio_clock in_clock;
    struct vox_audio_clock out_clock;
    int64_t in_latency_ns; /* as told at open, where a block comes without times */
    int64_t out_latency_ns;
};

/* ---- the library's own life; it counts how often it was initialized ---- */

/* ALSA writes dozens of lines to stderr for every plugin without hardware. */
static int silence_stderr(void)
{
    int saved = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (saved >= 0 && null >= 0)
        dup2(null, STDERR_FILENO);
    if (null >= 0)
        close(null);
    return saved;
}

static void restore_stderr(int saved)
{
    if (saved < 0)
        return;
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static int fail(PaError err, const char *what, struct vox_audio_error *error)
{
    const PaHostErrorInfo *host = Pa_GetLastHostErrorInfo();
    bool has_host = err == paUnanticipatedHostError && host && host->errorText[0] != '\0';
    bool busy = err == paDeviceUnavailable;
    return vox_audio_fail(error,
                          busy                          ? VOX_EINUSE
                          : err == paInsufficientMemory ? VOX_ENOMEM
                                                        : VOX_EDEVICE,
                          "cannot %s: %s; %s", what,
                          has_host ? host->errorText : Pa_GetErrorText(err),
                          busy ? "close the program that uses it" : "see --list-devices");
}

static int initialize(bool verbose, struct vox_audio_error *error)
{
    /* Longer than JACK takes, as long as PortAudio takes: keeps it away from JACK, which it could
     * not leave again (see device.h). */
    PaJack_SetClientName("voxgram-keeps-portaudio-away-from-jack-by-a-name-that-is-too-long");
    int saved = verbose ? -1 : silence_stderr();
    PaError err = Pa_Initialize();
    restore_stderr(saved);
    return err == paNoError ? 0 : fail(err, "start PortAudio", error);
}

/* ---- listing ---- */

static const char *api_name(const PaDeviceInfo *info)
{
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    return api && api->name ? api->name : "PortAudio";
}

static bool is_jack(const PaDeviceInfo *info)
{
    const PaHostApiInfo *api = Pa_GetHostApiInfo(info->hostApi);
    return api && api->type == paJACK;
}

static void describe(int index, struct vox_device_entry *out)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(index);
    *out = (struct vox_device_entry){
        .in_channels = info->maxInputChannels,
        .out_channels = info->maxOutputChannels,
        .default_hz = (int)lrint(info->defaultSampleRate),
        .is_default_in = index == Pa_GetDefaultInputDevice(),
        .is_default_out = index == Pa_GetDefaultOutputDevice(),
    };
    snprintf(out->name, sizeof out->name, "%s", info->name);
    snprintf(out->host_api, sizeof out->host_api, "%s", api_name(info));
}

static int list_devices(bool verbose, struct vox_device_entry *out, size_t count, size_t capacity,
                        struct vox_audio_error *error)
{
    int err = initialize(verbose, error);
    if (err < 0)
        return err;
    for (int i = 0; i < Pa_GetDeviceCount() && count < capacity; i++)
        if (!is_jack(Pa_GetDeviceInfo(i)))
            describe(i, &out[count++]);
    Pa_Terminate();
    return (int)count;
}

/* ---- callbacks, on the driver's thread ---- */

static bool is_plausible(double ahead_s)
{
    return ahead_s >= 0 && ahead_s < 10;
}

/*
 * PortAudio's clock is the driver's own: CLOCK_REALTIME, JACK frames or nothing at all. Only the
 * distance between `at` and `current` means something, so it is laid onto our clock now.
 */
static int64_t converter_ns(int64_t now_ns, PaTime at, PaTime current, int direction,
                            int64_t latency_ns, unsigned *flags)
{
    double ahead_s = direction * (at - current);
    bool known = at > 0 && current > 0 && is_plausible(ahead_s);
    if (!known)
        *flags |= (unsigned)VOX_DEVICE_ESTIMATED;
    return now_ns + direction * (known ? (int64_t)(ahead_s * 1e9) : latency_ns);
}

static unsigned flags_of(PaStreamCallbackFlags flags)
{
    return (flags & paOutputUnderflow ? (unsigned)VOX_DEVICE_UNDERRUN : 0U) |
           (flags & paInputOverflow ? (unsigned)VOX_DEVICE_OVERRUN : 0U);
}

static int on_block(const void *in, void *out, unsigned long frames,
                    const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags pa_flags,
                    void *ctx)
{
    struct pa_stream *stream = ctx;
    int64_t now_ns = vox_device_now_ns();
    unsigned flags = flags_of(pa_flags);
    bool gap = flags != 0;
    int64_t in_ns = 0, out_ns = 0;
    if (in) {
        in_ns = converter_ns(now_ns, times->inputBufferAdcTime, times->currentTime, -1,
                             stream->in_latency_ns, &flags);
        in_ns = vox_audio_clock_block(&stream->in_clock, in_ns, frames, gap);
    }
    if (out) {
        out_ns = converter_ns(now_ns, times->outputBufferDacTime, times->currentTime, 1,
                              stream->out_latency_ns, &flags);
        out_ns = vox_audio_clock_block(&stream->out_clock, out_ns, frames, gap);
    }
    vox_device_block(stream->device, in, out, frames, in_ns, out_ns, flags);
    return paContinue;
}

/* We never end a stream from inside, so when it ends, its device did. */
static void on_finished(void *ctx)
{
    struct pa_stream *stream = ctx;
    atomic_store(&stream->device->lost, true);
}

/* ---- life ---- */

static void close_stream(struct vox_device *device)
{
    struct pa_stream *stream = device->stream;
    if (stream->pa)
        Pa_CloseStream(stream->pa); /* aborts it first */
    Pa_Terminate();
    free(stream);
}

static int index_of(const struct vox_device_entry *entry)
{
    for (int i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (strcmp(api_name(info), entry->host_api) == 0 &&
            strncmp(info->name, entry->name, VOX_DEVICE_MAX_NAME) == 0)
            return i;
    }
    return paNoDevice;
}

static PaStreamParameters parameters(const struct vox_device_entry *entry, bool capture,
                                     int wanted_channels, double buffer_ms)
{
    int index = index_of(entry);
    const PaDeviceInfo *info = index == paNoDevice ? NULL : Pa_GetDeviceInfo(index);
    int channels = capture ? entry->in_channels : entry->out_channels;
    double lowest_s = !info     ? 0
                      : capture ? info->defaultLowInputLatency
                                : info->defaultLowOutputLatency;
    return (PaStreamParameters){
        .device = index,
        .channelCount = wanted_channels < channels ? wanted_channels : channels,
        .sampleFormat = paFloat32,
        .suggestedLatency = buffer_ms > 0 ? buffer_ms / 1000 : lowest_s,
    };
}

static PaError open_at(struct pa_stream *stream, const PaStreamParameters *in,
                       const PaStreamParameters *out, double rate_hz)
{
    return Pa_OpenStream(&stream->pa, in, out, rate_hz, paFramesPerBufferUnspecified, paNoFlag,
                         on_block, stream);
}

static void fill_info(struct pa_stream *stream, const struct vox_device_entry *in,
                      const struct vox_device_entry *out, int in_channels, int out_channels)
{
    struct vox_device_info *info = &stream->device->info;
    const PaStreamInfo *opened = Pa_GetStreamInfo(stream->pa);
    *info = (struct vox_device_info){
        .rate_hz = (int)lrint(opened->sampleRate),
        .in_channels = in_channels,
        .out_channels = out_channels,
        .in_latency_ns = (int64_t)(opened->inputLatency * 1e9),
        .out_latency_ns = (int64_t)(opened->outputLatency * 1e9),
    };
    memcpy(info->host_api, (in ? in : out)->host_api, sizeof info->host_api);
    if (in)
        memcpy(info->in_name, in->name, sizeof info->in_name);
    if (out)
        memcpy(info->out_name, out->name, sizeof info->out_name);
    stream->in_latency_ns = info->in_latency_ns;
    stream->out_latency_ns = info->out_latency_ns;
    vox_audio_clock_init(&stream->in_clock, info->rate_hz);
    vox_audio_clock_init(&stream->out_clock, info->rate_hz);
}

static PaError open_pa(struct pa_stream *stream, const struct vox_device_entry *in,
                       const struct vox_device_entry *out)
{
    const struct vox_device_config *config = &stream->device->config;
    PaStreamParameters in_params, out_params;
    if (in)
        in_params = parameters(in, true, config->in_channels, config->buffer_ms);
    if (out)
        out_params = parameters(out, false, config->out_channels, config->buffer_ms);
    const PaStreamParameters *from = in ? &in_params : NULL;
    const PaStreamParameters *to = out ? &out_params : NULL;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): at least one of them is there */
    double own_hz = (in ? in : out)->default_hz;
    PaError err = open_at(stream, from, to, config->rate_hz);
    if (err == paInvalidSampleRate)
        err = open_at(stream, from, to, own_hz);
    if (err == paNoError)
        fill_info(stream, in, out, from ? from->channelCount : 0, to ? to->channelCount : 0);
    return err;
}

static int open_stream(struct vox_device *device, const struct vox_device_entry *in,
                       const struct vox_device_entry *out, struct vox_audio_error *error)
{
    struct pa_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return vox_audio_fail(error, VOX_ENOMEM, "cannot open an audio device: out of memory");
    int err = initialize(device->config.verbose, error);
    if (err < 0) {
        free(stream);
        return err;
    }
    stream->device = device;
    device->stream = stream;
    int saved = device->config.verbose ? -1 : silence_stderr();
    PaError pa_err = open_pa(stream, in, out);
    restore_stderr(saved);
    if (pa_err == paNoError) {
        Pa_SetStreamFinishedCallback(stream->pa, on_finished);
        return 0;
    }
    char what[VOX_DEVICE_MAX_NAME + 32];
    snprintf(what, sizeof what, "open '%s'", (in ? in : out)->name);
    err = fail(pa_err, what, error);
    stream->pa = NULL;
    close_stream(device);
    device->stream = NULL;
    return err;
}

static int start(struct vox_device *device, struct vox_audio_error *error)
{
    struct pa_stream *stream = device->stream;
    PaError err = Pa_StartStream(stream->pa);
    if (err == paNoError)
        return 0;
    char what[VOX_DEVICE_MAX_NAME + 32];
    snprintf(what, sizeof what, "start '%s'",
             device->info.in_channels > 0 ? device->info.in_name : device->info.out_name);
    return fail(err, what, error);
}

const struct vox_device_driver vox_device_portaudio = {
    .list = list_devices, .open = open_stream, .start = start, .close = close_stream};
