#include "receiver/recorder.h"

#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BLOCK = 960,
    SSRC_CHARACTERS = 9,  /* put in before the extension: -1a2b3c4d */
    PART_CHARACTERS = 11, /* and -2 and so on */
};

static const char *extension_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot : path + strlen(path);
}

void vox_recorder_init(struct vox_recorder *rec, const struct vox_recv_options *options,
                       bool separate, uint32_t ssrc, int part)
{
    *rec = (struct vox_recorder){.kind = options->output, .channels = options->channels};
    const char *name = options->output_name ? options->output_name : "";
    if (options->output == VOX_OUTPUT_STDOUT && rec->channels == 0)
        rec->channels = 2;
    if (!separate) {
        snprintf(rec->path, sizeof rec->path, "%s", name);
        return;
    }
    const char *extension = extension_of(name);
    char again[PART_CHARACTERS + 1] = "";
    if (part > 1)
        snprintf(again, sizeof again, "-%d", part);
    snprintf(rec->path, sizeof rec->path, "%.*s-%08x%s%s", (int)(extension - name), name,
             (unsigned)ssrc, again, extension);
}

static int refuse(struct vox_audio_error *error, const char *path)
{
    return vox_audio_fail(error, vox_audio_code_of_errno(errno),
                          "cannot write %s: %s; choose another file or folder", path,
                          strerror(errno));
}

static int check_file(const char *path, struct vox_audio_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return refuse(error, path);
    close(fd);
    return 0;
}

/* Which files there will be is not known yet. */
static int check_folder_of(const char *path, struct vox_audio_error *error)
{
    char folder[VOX_RECORDER_PATH];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    return access(folder, W_OK | X_OK) == 0 ? 0 : refuse(error, path);
}

int vox_recorder_check(const struct vox_recv_options *options, struct vox_audio_error *error)
{
    const char *path = options->output_name;
    if (options->output != VOX_OUTPUT_FILE && options->output != VOX_OUTPUT_OGG)
        return 0;
    if (strlen(path) + SSRC_CHARACTERS + PART_CHARACTERS >= VOX_RECORDER_PATH)
        return vox_audio_fail(error, VOX_EINVAL,
                              "the name of the recording has %zu characters; choose a shorter one",
                              strlen(path));
    return options->separate ? check_folder_of(path, error) : check_file(path, error);
}

static void note(struct vox_recorder *rec, int err)
{
    if (err < 0)
        rec->failed = true;
}

/* ---- samples ---- */

static void open_file(struct vox_recorder *rec, int source_channels)
{
    if (rec->channels == 0)
        rec->channels = source_channels;
    note(rec, vox_file_create(rec->path, VOX_RTP_HZ, rec->channels, &rec->file, &rec->error));
}

static void explain_stdout(struct vox_recorder *rec, int number)
{
    note(rec, vox_audio_fail(&rec->error, vox_audio_code_of_errno(number),
                             "cannot write to standard output: %s; %s", strerror(number),
                             number == EPIPE ? "the program that read it has ended"
                                             : "check where it leads to"));
}

static void write_stdout(struct vox_recorder *rec, const int16_t *pcm, size_t bytes)
{
    const char *at = (const char *)pcm;
    while (bytes > 0) {
        ssize_t n = write(STDOUT_FILENO, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            explain_stdout(rec, errno);
            return;
        }
        at += n;
        bytes -= (size_t)n;
    }
}

static void write_block(struct vox_recorder *rec, const float *stereo, int frames)
{
    float mapped[BLOCK * 2];
    int16_t pcm[BLOCK * 2];
    size_t samples = (size_t)frames * (size_t)rec->channels;
    vox_pcm_remix(stereo, 2, (size_t)frames, mapped, rec->channels);
    vox_pcm_to_s16(mapped, samples, pcm);
    if (rec->kind == VOX_OUTPUT_STDOUT)
        write_stdout(rec, pcm, samples * sizeof *pcm);
    else
        note(rec, vox_file_write_s16(rec->file, pcm, (size_t)frames, &rec->error));
    rec->ticks += frames;
}

static void write_held(struct vox_recorder *rec)
{
    static const float zeros[BLOCK * 2];
    while (rec->held > 0 && !rec->failed) {
        int n = rec->held < BLOCK ? (int)rec->held : BLOCK;
        write_block(rec, zeros, n);
        rec->held -= n;
    }
}

void vox_recorder_hold(struct vox_recorder *rec, int frames)
{
    rec->held += frames;
    if (rec->kind == VOX_OUTPUT_STDOUT) /* somebody listens to it now */
        write_held(rec);
}

void vox_recorder_pcm(struct vox_recorder *rec, const float *stereo, int frames,
                      int source_channels)
{
    if (rec->kind != VOX_OUTPUT_FILE && rec->kind != VOX_OUTPUT_STDOUT)
        return;
    if (rec->kind == VOX_OUTPUT_FILE && !rec->file && !rec->failed)
        open_file(rec, source_channels);
    write_held(rec);
    for (int at = 0; at < frames && !rec->failed; at += BLOCK)
        write_block(rec, stereo + (size_t)at * 2, frames - at < BLOCK ? frames - at : BLOCK);
}

/* ---- packets ---- */

static void open_ogg(struct vox_recorder *rec, const struct vox_played_packet *packet)
{
    struct vox_ogg_config config;
    vox_ogg_config_init(&config);
    config.path = rec->path;
    config.channels = rec->channels ? rec->channels : packet->channels;
    config.serial = packet->ssrc;
    note(rec, vox_ogg_create(&config, &rec->ogg, &rec->error));
    rec->ogg_started = true;
    rec->ogg_ssrc = packet->ssrc;
    rec->ogg_next_ts = packet->ts;
}

void vox_recorder_packet(struct vox_recorder *rec, const struct vox_played_packet *packet)
{
    if (rec->kind != VOX_OUTPUT_OGG || rec->failed)
        return;
    if (!rec->ogg_started)
        open_ogg(rec, packet);
    if (packet->ssrc != rec->ogg_ssrc) {
        rec->foreign_packets++;
        return;
    }
    if (rec->failed || packet->ts < rec->ogg_next_ts)
        return;
    if (packet->ts > rec->ogg_next_ts)
        note(rec, vox_ogg_gap(rec->ogg, packet->ts - rec->ogg_next_ts, &rec->error));
    if (!rec->failed)
        note(rec, vox_ogg_write(rec->ogg, packet->payload, packet->payload_bytes,
                                packet->duration_ticks, &rec->error));
    rec->ticks += packet->ts - rec->ogg_next_ts + packet->duration_ticks;
    rec->ogg_next_ts = packet->ts + packet->duration_ticks;
}

/* ---- the end ---- */

static void make_empty(struct vox_recorder *rec)
{
    struct vox_ogg_config config;
    int channels = rec->channels ? rec->channels : 1;
    if (rec->kind == VOX_OUTPUT_FILE)
        note(rec, vox_file_create(rec->path, VOX_RTP_HZ, channels, &rec->file, &rec->error));
    if (rec->kind != VOX_OUTPUT_OGG)
        return;
    vox_ogg_config_init(&config);
    config.path = rec->path;
    config.channels = channels;
    note(rec, vox_ogg_create(&config, &rec->ogg, &rec->error));
}

/* Leaves in `ticks` what the file really holds: on a full disk not all of it. */
static int finish_file(struct vox_recorder *rec, struct vox_audio_error *error)
{
    int flushed = vox_file_flush(rec->file, error);
    rec->ticks = vox_file_written_frames(rec->file);
    int closed = vox_file_finish(rec->file, flushed < 0 ? NULL : error);
    return flushed < 0 ? flushed : closed;
}

void vox_recorder_finish(struct vox_recorder *rec)
{
    struct vox_audio_error last = {{0}};
    int err = 0;
    if (!rec->file && !rec->ogg && !rec->failed)
        make_empty(rec);
    if (rec->file)
        err = finish_file(rec, &last);
    if (rec->ogg && rec->failed)
        rec->ticks = vox_ogg_ticks(rec->ogg);
    if (rec->ogg)
        err = vox_ogg_finish(rec->ogg, &last);
    rec->file = NULL;
    rec->ogg = NULL;
    if (err < 0 && !rec->failed) {
        rec->failed = true;
        rec->error = last;
    }
}
