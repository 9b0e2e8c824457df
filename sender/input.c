#include "sender/input.h"

#include "audio/file.h"
#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"
#include "dsp/signal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Loud enough to hear, quiet enough for headphones. */
#define TONE_DB (-12.0)

enum { RAW_BYTES = 16384 };

struct vox_input {
    enum vox_source_kind kind;
    struct vox_input_info info;
    bool loop;
    bool at_end;
    struct vox_file_reader *file;
    bool heard; /* frames came since the last rewind: an empty file must not loop for ever */
    struct vox_signal signal;
    int fd;
    size_t held; /* bytes of a frame that is not complete yet */
    uint8_t raw[RAW_BYTES];
};

static int open_file(struct vox_input *input, const char *path, struct vox_audio_error *error)
{
    int err = vox_file_open(path, &input->file, error);
    if (err < 0)
        return err;
    const struct vox_file_info *info = vox_file_info(input->file);
    input->info.rate_hz = info->rate_hz;
    input->info.channels = info->channels;
    input->info.bits = info->bits;
    input->info.duration_ns = info->duration_ns;
    if (info->channels > VOX_INPUT_MAX_CHANNELS)
        return vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "%s has %d channels; at most %d can be mixed down, so make a file "
                              "with fewer",
                              path, info->channels, VOX_INPUT_MAX_CHANNELS);
    if (info->rate_hz < 1000 || info->rate_hz > 768000)
        return vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "%s says that it has %d samples a second; 1000 to 768000 can be "
                              "played, so convert it first",
                              path, info->rate_hz);
    if (input->loop && !info->seekable)
        return vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "%s cannot be rewound, so not with --loop; leave --loop out", path);
    if (input->loop)
        input->info.duration_ns = -1;
    return 0;
}

static int open_signal(struct vox_input *input, const struct vox_source_spec *spec,
                       struct vox_audio_error *error)
{
    input->info.rate_hz = VOX_RTP_HZ;
    input->info.channels = 1;
    input->info.bits = 24;
    if (spec->kind == VOX_SOURCE_MARKER)
        return vox_signal_init_marker(&input->signal, VOX_RTP_HZ);
    if (vox_signal_init_tone(&input->signal, spec->tone_hz, VOX_RTP_HZ, TONE_DB) < 0)
        return vox_audio_fail(error, VOX_EINVAL,
                              "tone:%g is no tone that 48 kHz can carry; choose less than 24000",
                              spec->tone_hz);
    return 0;
}

static struct vox_input *allocate(enum vox_source_kind kind, struct vox_audio_error *error)
{
    struct vox_input *input = calloc(1, sizeof *input);
    if (!input) {
        vox_audio_fail(error, VOX_ENOMEM, "out of memory");
        return NULL;
    }
    input->kind = kind;
    input->info.duration_ns = -1;
    input->fd = -1;
    return input;
}

int vox_input_open_raw(int fd, int rate_hz, int channels, struct vox_input **out,
                       struct vox_audio_error *error)
{
    if (isatty(fd))
        return vox_audio_fail(error, VOX_EINVAL,
                              "standard input is a terminal; pipe raw 16-bit PCM into it, or name "
                              "a file instead of -");
    struct vox_input *input = allocate(VOX_SOURCE_RAW, error);
    if (!input)
        return VOX_ENOMEM;
    input->fd = fd;
    input->info.rate_hz = rate_hz;
    input->info.channels = channels;
    input->info.bits = 16;
    *out = input;
    return 0;
}

int vox_input_open(const struct vox_send_options *options, struct vox_input **out,
                   struct vox_audio_error *error)
{
    if (options->source.kind == VOX_SOURCE_RAW)
        return vox_input_open_raw(STDIN_FILENO, options->rate_hz,
                                  vox_encoding_options_channels(&options->encoding, 1), out, error);
    struct vox_input *input = allocate(options->source.kind, error);
    if (!input)
        return VOX_ENOMEM;
    input->loop = options->loop;
    int err = options->source.kind == VOX_SOURCE_FILE
                  ? open_file(input, options->source.name, error)
                  : open_signal(input, &options->source, error);
    if (err < 0) {
        vox_input_close(input);
        return err;
    }
    *out = input;
    return 0;
}

void vox_input_close(struct vox_input *input)
{
    if (!input)
        return;
    vox_file_close(input->file);
    free(input);
}

const struct vox_input_info *vox_input_info(const struct vox_input *input)
{
    return &input->info;
}

bool vox_input_at_end(const struct vox_input *input)
{
    return input->at_end;
}

int vox_input_fd(const struct vox_input *input)
{
    return input->fd;
}

static int read_file(struct vox_input *input, float *out, size_t frames,
                     struct vox_audio_error *error)
{
    int n = vox_file_read(input->file, out, frames, error);
    if (n == 0 && input->loop && input->heard) {
        input->heard = false;
        int err = vox_file_rewind(input->file, error);
        n = err < 0 ? err : vox_file_read(input->file, out, frames, error);
    }
    input->heard = input->heard || n > 0;
    input->at_end = n <= 0;
    return n;
}

/* A read that does not wait: poll says first whether there is anything. Returns bytes, 0 for none.
 */
static ssize_t read_some(struct vox_input *input, size_t want, struct vox_audio_error *error)
{
    struct pollfd ready = {.fd = input->fd, .events = POLLIN};
    if (poll(&ready, 1, 0) == 0)
        return 0;
    ssize_t n = read(input->fd, input->raw + input->held, want);
    if (n > 0)
        return n;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    input->at_end = true;
    if (n < 0)
        return vox_audio_fail(error, VOX_EIO, "cannot read standard input: %s", strerror(errno));
    return 0;
}

static float sample_at(const uint8_t *at)
{
    uint16_t bits = (uint16_t)(at[0] | at[1] << 8);
    return (float)(bits < 0x8000 ? (int)bits : (int)bits - 0x10000) / 32768.0F;
}

static int read_raw(struct vox_input *input, float *out, size_t frames,
                    struct vox_audio_error *error)
{
    size_t frame_bytes = 2 * (size_t)input->info.channels;
    size_t want = frames * frame_bytes;
    if (want > RAW_BYTES - RAW_BYTES % frame_bytes)
        want = RAW_BYTES - RAW_BYTES % frame_bytes;
    ssize_t n = read_some(input, want - input->held, error);
    if (n <= 0)
        return (int)n;
    size_t bytes = input->held + (size_t)n;
    size_t whole = bytes / frame_bytes;
    for (size_t i = 0; i < whole * (size_t)input->info.channels; i++)
        out[i] = sample_at(input->raw + 2 * i);
    input->held = bytes - whole * frame_bytes;
    memmove(input->raw, input->raw + whole * frame_bytes, input->held);
    return (int)whole;
}

int vox_input_read(struct vox_input *input, float *out, size_t frames,
                   struct vox_audio_error *error)
{
    if (input->at_end || frames == 0)
        return 0;
    switch (input->kind) {
    case VOX_SOURCE_FILE:
        return read_file(input, out, frames, error);
    case VOX_SOURCE_RAW:
        return read_raw(input, out, frames, error);
    case VOX_SOURCE_TONE:
    case VOX_SOURCE_MARKER:
        vox_signal_read(&input->signal, out, frames);
        return (int)frames;
    case VOX_SOURCE_MIC:
        break;
    }
    return 0;
}
