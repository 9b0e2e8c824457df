#include "lab/versus_shot.h"

#include "base/err.h"
#include "lab/capture.h"
#include "lab/talker.h"
#include "lab/versus_options.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 2 * PATH_MAX };

/* Encoder's look-ahead at 48 kHz (OPUS_GET_LOOKAHEAD): less only where it takes no speech. */
enum { LOOKAHEAD_TICKS = 312, LOW_DELAY_LOOKAHEAD_TICKS = 120 };

static void path_of(const char *folder, const char *name, const char *ending, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%s/%s.%s", folder, name, ending);
}

/* ---- statistics ---- */

static json_t *read_json(const char *folder, const char *name, const char *ending,
                         struct vox_audio_error *error)
{
    char path[NAME_BYTES];
    json_error_t why;
    path_of(folder, name, ending, path);
    json_t *object = json_load_file(path, 0, &why);
    if (!object)
        vox_audio_fail(error, VOX_EFORMAT, "cannot read the statistics %.300s: %s", path, why.text);
    return object;
}

/* "there.bytes" of {"there": {"bytes": 1}}. */
static bool read_count(const json_t *object, const char *group, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(json_object_get(object, group), key);
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

void vox_versus_stream_init(struct vox_playable_stream *stream,
                            const struct vox_versus_options *options)
{
    vox_playable_stream_init(stream);
    stream->frame_ticks = options->encoding.frame_ticks;
    stream->lookahead_ticks = options->encoding.profile == VOX_PROFILE_LOWDELAY
                                  ? LOW_DELAY_LOOKAHEAD_TICKS
                                  : LOOKAHEAD_TICKS;
}

static int read_sender(const char *folder, const char *name,
                       const struct vox_versus_options *options, struct vox_playable_stream *stream,
                       struct vox_audio_error *error)
{
    uint64_t ssrc, timestamp, sent;
    json_t *object = read_json(folder, name, "send.json", error);
    if (!object)
        return VOX_EFORMAT;
    bool ok = read_count(object, "rtp", "ssrc", &ssrc) &&
              read_count(object, "rtp", "first_timestamp", &timestamp) &&
              read_count(object, "packets", "sent", &sent);
    json_decref(object);
    if (!ok)
        return vox_audio_fail(error, VOX_EFORMAT,
                              "the statistics of voxgram-send do not tell where its stream began; "
                              "it is of another version than voxgram-lab");
    vox_versus_stream_init(stream, options);
    stream->ssrc = (uint32_t)ssrc;
    stream->first_timestamp = (uint32_t)timestamp;
    stream->frames = (size_t)sent;
    return 0;
}

static int read_link(const char *folder, const char *name, struct vox_versus_shot *shot,
                     struct vox_audio_error *error)
{
    static const char *const ways[] = {"a_to_b", "b_to_a"};
    json_t *object = read_json(folder, name, "link.json", error);
    if (!object)
        return VOX_EFORMAT;
    bool ok = true;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint64_t overflow, missed;
        ok &=
            read_count(object, ways[i], "bytes", i == 0 ? &shot->bytes_there : &shot->bytes_back) &&
            read_count(object, ways[i], "overflow", &overflow) &&
            read_count(object, ways[i], "missed", &missed);
        shot->unwanted += ok ? overflow + missed : 0;
    }
    uint64_t lost, dropped;
    ok &= read_count(object, ways[0], "lost", &lost) &&
          read_count(object, ways[0], "queue_dropped", &dropped);
    shot->lost_there = ok ? lost + dropped : 0;
    json_decref(object);
    return ok ? 0
              : vox_audio_fail(error, VOX_EFORMAT, "the statistics of the link are not complete");
}

/* ---- packets ---- */

static int fail_capture(const char *path, int err, struct vox_audio_error *error)
{
    return vox_audio_fail(error, err, "cannot read the capture %.300s: %s", path,
                          err == VOX_EIO ? strerror(errno) : vox_err_text(err));
}

static int read_capture(const char *folder, const char *name, struct vox_versus_shot *shot,
                        struct vox_audio_error *error)
{
    char path[NAME_BYTES];
    path_of(folder, name, "pcap", path);
    int err = vox_capture_read(path, &shot->capture);
    if (err < 0)
        return fail_capture(path, err, error);
    shot->count = vox_capture_count(shot->capture);
    shot->packets = calloc(shot->count + 1, sizeof *shot->packets);
    if (!shot->packets)
        return fail_capture(path, VOX_ENOMEM, error);
    for (size_t i = 0; i < shot->count; i++) {
        const struct vox_capture_packet *packet = vox_capture_at(shot->capture, i);
        shot->packets[i] = (struct vox_playable_packet){
            .arrival_ns = packet->arrival_unix_ns, .bytes = packet->bytes, .len = packet->len};
    }
    return 0;
}

int vox_versus_shot_read(const char *folder, const char *name,
                         const struct vox_versus_options *options, struct vox_versus_shot *out,
                         struct vox_audio_error *error)
{
    struct vox_versus_shot shot = {0};
    int err = read_sender(folder, name, options, &shot.stream, error);
    if (err >= 0)
        err = read_link(folder, name, &shot, error);
    if (err >= 0)
        err = read_capture(folder, name, &shot, error);
    if (err >= 0) {
        err = vox_playable_find(&shot.stream, shot.packets, shot.count, &shot.playable);
        if (err < 0)
            vox_audio_fail(error, err,
                           "of %zu frames sent by %s nothing arrived that could be "
                           "timed; the network loses or delays too much",
                           shot.stream.frames, name);
    }
    if (err < 0)
        vox_versus_shot_clear(&shot);
    else
        *out = shot;
    return err;
}

void vox_versus_shot_clear(struct vox_versus_shot *shot)
{
    vox_playable_clear(&shot->playable);
    free(shot->packets);
    vox_capture_destroy(shot->capture);
    vox_tape_destroy(shot->tape);
    *shot = (struct vox_versus_shot){0};
}
