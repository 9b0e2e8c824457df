#include "audio/file.h"

#include "audio/sink.h"
#include "base/err.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reading ---- */

struct vox_file_reader {
    SNDFILE *snd;
    struct vox_file_info info;
    int64_t promised_frames; /* what the header says; -1: nothing */
    int64_t read_frames;
    bool at_end;
    bool is_complete; /* so far as can be told without reading it */
    char path[];
};

/* A stream of unknown length is marked by sizes around 2 or 4 GiB (arecord, ffmpeg). */
static bool is_real_size(uint32_t bytes)
{
    return bytes < 0x7ff00000U;
}

static uint32_t little_endian(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

enum { MAX_CHUNKS = 1000 /* looked at; a file of zeros is millions of empty ones */ };

/* Whether a RIFF file is shorter than its data chunk says. libsndfile adapts without a word. */
static bool is_cut_off_riff(int fd, int64_t file_bytes)
{
    unsigned char head[12];
    if (pread(fd, head, 12, 0) != 12 || memcmp(head, "RIFF", 4) != 0)
        return false;
    int64_t at = 12;
    for (int i = 0; i < MAX_CHUNKS && pread(fd, head, 8, (off_t)at) == 8; i++) {
        uint32_t bytes = little_endian(head + 4);
        at += 8;
        if (memcmp(head, "data", 4) == 0)
            return is_real_size(bytes) && bytes > file_bytes - at;
        at += (int64_t)bytes + (bytes & 1);
    }
    return false;
}

static int open_for_reading(const char *path, struct stat *st, struct vox_audio_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, st) != 0) {
        int number = errno;
        if (fd >= 0)
            close(fd);
        return vox_audio_fail(error, vox_audio_code_of_errno(number), "cannot open '%s': %s; %s",
                              path, strerror(number),
                              number == EACCES ? "ask its owner for the right to read it"
                                               : "check the name");
    }
    int code = 0;
    if (S_ISDIR(st->st_mode))
        code = vox_audio_fail(error, VOX_EIO, "cannot read '%s': it is a folder; name a file in it",
                              path);
    else if (S_ISREG(st->st_mode) && st->st_size == 0)
        code = vox_audio_fail(error, VOX_EFORMAT,
                              "cannot read '%s': it is empty; has its recording finished?", path);
    if (code < 0)
        close(fd);
    return code < 0 ? code : fd;
}

static void describe_format(SNDFILE *snd, int format, char *out, size_t size)
{
    SF_FORMAT_INFO major = {.format = format & SF_FORMAT_TYPEMASK};
    SF_FORMAT_INFO minor = {.format = format & SF_FORMAT_SUBMASK};
    bool known = sf_command(snd, SFC_GET_FORMAT_INFO, &major, sizeof major) == 0 && major.name;
    bool has_minor = sf_command(snd, SFC_GET_FORMAT_INFO, &minor, sizeof minor) == 0 && minor.name;
    snprintf(out, size, "%s%s%s", known ? major.name : "unknown format", has_minor ? ", " : "",
             has_minor ? minor.name : "");
}

static int significant_bits(int format)
{
    switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_16:
        return 16;
    default: /* more bits, or decoded to float */
        return 24;
    }
}

static void fill_info(struct vox_file_reader *file, const SF_INFO *sf, bool is_regular)
{
    bool known = sf->frames >= 0 && sf->frames < SF_COUNT_MAX;
    file->info = (struct vox_file_info){
        .rate_hz = sf->samplerate,
        .channels = sf->channels,
        .bits = significant_bits(sf->format),
        .frames = known ? sf->frames : -1,
        .duration_ns = known ? vox_ticks_to_ns(sf->frames, sf->samplerate) : -1,
        .seekable = is_regular && sf->seekable,
    };
    file->promised_frames = file->info.frames;
    describe_format(file->snd, sf->format, file->info.format, sizeof file->info.format);
    /* The length of an Ogg file stands in its last page. None found: the end is missing. */
    if (is_regular && !known && (sf->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
        file->is_complete = false;
}

/* Takes fd over. */
static int start_reading(int fd, const char *path, const struct stat *st,
                         struct vox_file_reader **out, struct vox_audio_error *error)
{
    struct vox_file_reader *file = calloc(1, sizeof *file + strlen(path) + 1);
    if (!file) {
        close(fd);
        return vox_audio_fail(error, VOX_ENOMEM, "cannot read '%s': out of memory", path);
    }
    bool is_regular = S_ISREG(st->st_mode);
    file->is_complete = !is_regular || !is_cut_off_riff(fd, st->st_size);
    SF_INFO sf = {0};
    file->snd = sf_open_fd(fd, SFM_READ, &sf, SF_TRUE); /* closes fd on failure too */
    int code = 0;
    if (!file->snd)
        code = vox_audio_fail(error, VOX_EFORMAT,
                              "cannot read '%s' as audio: %s try: ffmpeg -i '%s' out.wav", path,
                              sf_strerror(NULL), path);
    else if (sf.channels < 1 || sf.channels > VOX_FILE_MAX_CHANNELS || sf.samplerate < 1)
        code = vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "cannot use '%s': it has %d channels at %d Hz; at most %d are read",
                              path, sf.channels, sf.samplerate, VOX_FILE_MAX_CHANNELS);
    if (code < 0) {
        vox_file_close(file);
        return code;
    }
    memcpy(file->path, path, strlen(path) + 1);
    fill_info(file, &sf, is_regular);
    *out = file;
    return 0;
}

int vox_file_open(const char *path, struct vox_file_reader **out, struct vox_audio_error *error)
{
    struct stat st = {0};
    int fd = open_for_reading(path, &st, error);
    return fd < 0 ? fd : start_reading(fd, path, &st, out, error);
}

void vox_file_close(struct vox_file_reader *file)
{
    if (!file)
        return;
    if (file->snd)
        sf_close(file->snd);
    free(file);
}

const struct vox_file_info *vox_file_info(const struct vox_file_reader *file)
{
    return &file->info;
}

static int end_of_file(struct vox_file_reader *file, struct vox_audio_error *error)
{
    file->at_end = true;
    double got_s = (double)file->read_frames / file->info.rate_hz;
    int sf_code = sf_error(file->snd);
    if (sf_code != SF_ERR_NO_ERROR)
        return vox_audio_fail(error, sf_code == SF_ERR_SYSTEM ? VOX_EIO : VOX_EFORMAT,
                              "'%s' cannot be read beyond %.3f s: %s", file->path, got_s,
                              sf_strerror(file->snd));
    if (file->read_frames < file->promised_frames)
        return vox_audio_fail(error, VOX_ETRUNCATED,
                              "'%s' is damaged or cut off: %.3f s of %.3f s could be read; get a "
                              "whole copy of it",
                              file->path, got_s,
                              (double)file->promised_frames / file->info.rate_hz);
    if (!file->is_complete)
        return vox_audio_fail(error, VOX_ETRUNCATED,
                              "'%s' is cut off: it ends after %.3f s, before its own header or "
                              "format says; get a whole copy of it",
                              file->path, got_s);
    return 0;
}

int vox_file_read(struct vox_file_reader *file, float *out, size_t frames,
                  struct vox_audio_error *error)
{
    if (file->at_end || frames == 0)
        return 0;
    if (frames > INT32_MAX)
        frames = INT32_MAX;
    sf_count_t got = sf_readf_float(file->snd, out, (sf_count_t)frames);
    if (got <= 0)
        return end_of_file(file, error);
    file->read_frames += got;
    return (int)got;
}

int vox_file_rewind(struct vox_file_reader *file, struct vox_audio_error *error)
{
    if (!file->info.seekable)
        return vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "cannot play '%s' again: it is a pipe; save it to a file first",
                              file->path);
    if (sf_seek(file->snd, 0, SEEK_SET) != 0)
        return vox_audio_fail(error, VOX_EIO, "cannot go back to the start of '%s': %s", file->path,
                              sf_strerror(file->snd));
    file->read_frames = 0;
    file->at_end = false;
    return 0;
}

/* ---- writing ---- */

enum {
    MAX_WRITE_CHANNELS = 8,
    MAX_WRITE_HZ = 655350,        /* of FLAC */
    BLOCKS_PER_S = 4,             /* libsndfile calls write(2) for every call, however small */
    HEADER_ROOM_BYTES = 64 * 1024 /* of a WAV: far more than its header takes */
};

static const int64_t wav_max_bytes = INT64_C(0xffffffff); /* its sizes have 32 bits */

struct vox_file_writer {
    SNDFILE *snd; /* NULL between parts */
    struct vox_sink sink;
    SF_INFO sf;
    int failed; /* code of the first failure; 0 so far */
    int part;   /* from 1 */
    int64_t max_part_frames;
    int64_t part_frames;   /* of this part, in the file */
    int64_t stored_frames; /* of all parts, in files */
    int64_t header_frames; /* of this part, of which the header knows */
    size_t block_frames;
    size_t buffered_frames;
    int16_t *buffer;
    char *path;
};

static sf_count_t sink_size(void *user)
{
    return ((struct vox_sink *)user)->size_bytes;
}

static sf_count_t sink_tell(void *user)
{
    return ((struct vox_sink *)user)->at_bytes;
}

static sf_count_t sink_seek(sf_count_t offset, int whence, void *user)
{
    struct vox_sink *sink = user;
    int64_t base = whence == SEEK_END ? sink->size_bytes : whence == SEEK_CUR ? sink->at_bytes : 0;
    sink->at_bytes = base + offset;
    return sink->at_bytes;
}

static sf_count_t sink_read(void *bytes, sf_count_t len, void *user)
{
    struct vox_sink *sink = user;
    ssize_t n = pread(sink->fd, bytes, (size_t)len, (off_t)sink->at_bytes);
    sink->at_bytes += n > 0 ? n : 0;
    return n > 0 ? n : 0;
}

static sf_count_t sink_write(const void *bytes, sf_count_t len, void *user)
{
    return vox_sink_write(user, bytes, (size_t)len) < 0 ? 0 : len;
}

/* out.wav, out-2.wav, out-3.wav */
static void name_of_part(const struct vox_file_writer *file, char *out, size_t size)
{
    const char *dot = strrchr(file->path, '.');
    if (file->part == 1)
        snprintf(out, size, "%s", file->path);
    else
        snprintf(out, size, "%.*s-%d%s", (int)(dot - file->path), file->path, file->part, dot);
}

static int open_part(struct vox_file_writer *file, struct vox_audio_error *error)
{
    char name[4096];
    name_of_part(file, name, sizeof name);
    int err = vox_sink_open(&file->sink, name, error);
    if (err < 0)
        return err;
    static SF_VIRTUAL_IO io = {.get_filelen = sink_size,
                               .seek = sink_seek,
                               .read = sink_read,
                               .write = sink_write,
                               .tell = sink_tell};
    SF_INFO sf = file->sf;
    file->snd = sf_open_virtual(&io, SFM_WRITE, &sf, &file->sink);
    file->part_frames = file->header_frames = 0;
    if (file->snd && file->sink.failed_errno == 0)
        return 0;
    err = file->sink.failed_errno != 0
              ? vox_sink_explain(&file->sink, name, error)
              : vox_audio_fail(error, VOX_EUNSUPPORTED, "cannot record to '%s': %s", name,
                               sf_strerror(NULL));
    if (file->snd)
        sf_close(file->snd);
    file->snd = NULL;
    vox_sink_close(&file->sink);
    return err;
}

static int fail_writing(struct vox_file_writer *file, struct vox_audio_error *error)
{
    char name[4096];
    name_of_part(file, name, sizeof name);
    file->failed = file->sink.failed_errno != 0
                       ? vox_sink_explain(&file->sink, name, error)
                       : vox_audio_fail(error, VOX_EIO, "cannot go on writing '%s': %s", name,
                                        file->snd ? sf_strerror(file->snd) : "closed");
    return file->failed;
}

static int close_part(struct vox_file_writer *file, struct vox_audio_error *error)
{
    if (!file->snd)
        return file->failed;
    int sf_code = sf_close(file->snd); /* completes the header */
    file->snd = NULL;
    int err = vox_sink_close(&file->sink);
    if (sf_code != SF_ERR_NO_ERROR || err < 0 || file->sink.failed_errno != 0)
        return fail_writing(file, error);
    return file->failed;
}

static int update_header(struct vox_file_writer *file, struct vox_audio_error *error)
{
    file->header_frames = file->part_frames;
    /* FLAC ignores this: its header is completed at the end, its frames stand for themselves. */
    sf_command(file->snd, SFC_UPDATE_HEADER_NOW, NULL, 0);
    return file->sink.failed_errno != 0 && file->failed == 0 ? fail_writing(file, error) : 0;
}

static int store(struct vox_file_writer *file, const int16_t *pcm, int64_t frames,
                 struct vox_audio_error *error)
{
    sf_count_t done = sf_writef_short(file->snd, pcm, frames);
    /* WAV writes in whole blocks of its own; the sink knows what really got in. */
    if (done != frames || file->sink.failed_errno != 0) {
        int err = fail_writing(file, error);
        update_header(file, NULL);
        return err;
    }
    file->part_frames += frames;
    file->stored_frames += frames;
    return 0;
}

/* Sends the buffer to the file, beginning new parts where the format's limit asks for it. */
static int spill(struct vox_file_writer *file, struct vox_audio_error *error)
{
    const int16_t *pcm = file->buffer;
    int64_t left = (int64_t)file->buffered_frames;
    file->buffered_frames = 0;
    while (left > 0) {
        if (file->part_frames >= file->max_part_frames) {
            int err = close_part(file, error);
            file->part++;
            if (err < 0 || (err = open_part(file, error)) < 0)
                return file->failed = err;
        }
        int64_t room = file->max_part_frames - file->part_frames;
        int64_t frames = left < room ? left : room;
        int err = store(file, pcm, frames, error);
        if (err < 0)
            return err;
        pcm += frames * file->sf.channels;
        left -= frames;
    }
    if (file->part_frames - file->header_frames >= file->sf.samplerate)
        return update_header(file, error);
    return 0;
}

static int format_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot && strcasecmp(dot, ".wav") == 0)
        return SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    if (dot && strcasecmp(dot, ".flac") == 0)
        return SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
    return 0;
}

static int check_create(const char *path, int rate_hz, int channels, struct vox_audio_error *error)
{
    if (rate_hz < 1 || rate_hz > MAX_WRITE_HZ || channels < 1 || channels > MAX_WRITE_CHANNELS)
        return vox_audio_fail(error, VOX_EINVAL, "cannot record %d channels at %d Hz to '%s'",
                              channels, rate_hz, path);
    if (format_of(path) == 0)
        return vox_audio_fail(error, VOX_EUNSUPPORTED,
                              "cannot record to '%s': its name must end in .wav or .flac", path);
    if (strlen(path) > 4000)
        return vox_audio_fail(error, VOX_EINVAL, "cannot record: the file's name is too long");
    return 0;
}

int vox_file_create(const char *path, int rate_hz, int channels, struct vox_file_writer **out,
                    struct vox_audio_error *error)
{
    int err = check_create(path, rate_hz, channels, error);
    if (err < 0)
        return err;
    struct vox_file_writer *file = calloc(1, sizeof *file);
    if (!file)
        return vox_audio_fail(error, VOX_ENOMEM, "cannot record to '%s': out of memory", path);
    file->sf = (SF_INFO){.samplerate = rate_hz, .channels = channels, .format = format_of(path)};
    file->part = 1;
    file->max_part_frames = INT64_MAX;
    vox_file_limit_bytes(file, wav_max_bytes);
    file->block_frames = (size_t)rate_hz / BLOCKS_PER_S + 1;
    file->buffer = calloc(file->block_frames * (size_t)channels, sizeof *file->buffer);
    file->path = strdup(path);
    err = file->buffer && file->path
              ? open_part(file, error)
              : vox_audio_fail(error, VOX_ENOMEM, "cannot record to '%s': out of memory", path);
    if (err < 0) {
        vox_file_finish(file, NULL);
        return err;
    }
    *out = file;
    return 0;
}

void vox_file_limit_bytes(struct vox_file_writer *file, int64_t max_bytes)
{
    if ((file->sf.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_WAV)
        return;
    int64_t least = HEADER_ROOM_BYTES + 2 * MAX_WRITE_CHANNELS;
    int64_t bytes = max_bytes < least ? least : max_bytes;
    file->max_part_frames = (bytes - HEADER_ROOM_BYTES) / (2 * file->sf.channels);
}

int vox_file_write_s16(struct vox_file_writer *file, const int16_t *pcm, size_t frames,
                       struct vox_audio_error *error)
{
    size_t channels = (size_t)file->sf.channels;
    while (frames > 0) {
        if (file->failed < 0)
            return vox_audio_fail(error, file->failed, "recording to '%s' has failed before",
                                  file->path);
        size_t room = file->block_frames - file->buffered_frames;
        size_t n = frames < room ? frames : room;
        memcpy(file->buffer + file->buffered_frames * channels, pcm, n * channels * sizeof *pcm);
        file->buffered_frames += n;
        pcm += n * channels;
        frames -= n;
        int err = file->buffered_frames == file->block_frames ? spill(file, error) : 0;
        if (err < 0)
            return err;
    }
    return 0;
}

int vox_file_flush(struct vox_file_writer *file, struct vox_audio_error *error)
{
    if (file->failed < 0)
        return vox_audio_fail(error, file->failed, "recording to '%s' has failed before",
                              file->path);
    int err = spill(file, error);
    return err < 0 ? err : update_header(file, error);
}

int64_t vox_file_written_frames(const struct vox_file_writer *file)
{
    return file->stored_frames + (int64_t)file->buffered_frames;
}

int vox_file_finish(struct vox_file_writer *file, struct vox_audio_error *error)
{
    if (!file)
        return 0;
    int err = file->failed;
    if (err < 0)
        vox_audio_fail(error, err, "recording to '%s' has failed before", file->path);
    else if (file->snd)
        err = spill(file, error);
    int closed = close_part(file, err < 0 ? NULL : error);
    free(file->buffer);
    free(file->path);
    free(file);
    return err < 0 ? err : closed;
}
