#include "audio/ogg.h"

#include "audio/sink.h"
#include "base/err.h"

#include <ogg/ogg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* With the packet that is held back (120 ms at most) less than a second is in memory. */
    PAGE_TICKS = 38400,
    MAX_PAGE_BYTES = 27 + 255 + 255 * 255,
    MAX_GAP_TICKS_LOG2 = 32, /* a day has 2^31.9 ticks */
    HEAD_BYTES = 19,
    MAX_COMMENT = 200,
};

struct vox_ogg {
    ogg_stream_state stream;
    struct vox_sink sink;
    int failed; /* code of the first failure; 0 so far */
    char *path;
    int64_t packet_number;
    int64_t stream_ticks; /* granule position of the newest packet given to libogg */
    int64_t paged_ticks;  /* of these, in pages in the file */
    int64_t owed_ticks;   /* below 2.5 ms, of gaps */
    int last_toc;         /* of the newest real packet; -1: none yet */
    int held_ticks;       /* 0: none is held */
    size_t held_bytes;
    unsigned char held[VOX_OGG_MAX_PACKET_BYTES]; /* newest packet: may turn out to be the last */
    unsigned char page[MAX_PAGE_BYTES];
};

void vox_ogg_config_init(struct vox_ogg_config *config)
{
    *config = (struct vox_ogg_config){
        .channels = 2, .pre_skip_ticks = 312, .input_hz = 48000, .encoder = "voxgram"};
}

/* ---- pages ---- */

static int fail(struct vox_ogg *ogg, struct vox_audio_error *error)
{
    ogg->failed = ogg->sink.failed_errno != 0
                      ? vox_sink_explain(&ogg->sink, ogg->path, error)
                      : vox_audio_fail(error, VOX_ENOMEM,
                                       "cannot go on writing '%s': out of memory", ogg->path);
    return ogg->failed;
}

static int fail_again(const struct vox_ogg *ogg, struct vox_audio_error *error)
{
    return vox_audio_fail(error, ogg->failed, "recording to '%s' has failed before", ogg->path);
}

/* In one piece, so that a full disk leaves no half page. */
static int store_page(struct vox_ogg *ogg, const ogg_page *page, struct vox_audio_error *error)
{
    size_t head = (size_t)page->header_len;
    size_t body = (size_t)page->body_len;
    memcpy(ogg->page, page->header, head);
    memcpy(ogg->page + head, page->body, body);
    if (vox_sink_write(&ogg->sink, ogg->page, head + body) < 0)
        return fail(ogg, error);
    int64_t granule = ogg_page_granulepos(page);
    if (granule >= 0) /* -1: no packet ends in this page */
        ogg->paged_ticks = granule;
    return 0;
}

static int store_pages(struct vox_ogg *ogg, bool all, struct vox_audio_error *error)
{
    ogg_page page;
    while (all ? ogg_stream_flush(&ogg->stream, &page) : ogg_stream_pageout(&ogg->stream, &page)) {
        int err = store_page(ogg, &page, error);
        if (err < 0)
            return err;
    }
    return 0;
}

static int add_packet(struct vox_ogg *ogg, unsigned char *bytes, size_t len, bool is_last,
                      struct vox_audio_error *error)
{
    ogg_packet packet = {
        .packet = bytes,
        .bytes = (long)len,
        .b_o_s = ogg->packet_number == 0,
        .e_o_s = is_last,
        .granulepos = ogg->stream_ticks,
        .packetno = ogg->packet_number++,
    };
    return ogg_stream_packetin(&ogg->stream, &packet) == 0 ? 0 : fail(ogg, error);
}

static int add_held(struct vox_ogg *ogg, bool is_last, struct vox_audio_error *error)
{
    if (ogg->held_ticks == 0)
        return 0;
    ogg->stream_ticks += ogg->held_ticks;
    ogg->held_ticks = 0;
    int err = add_packet(ogg, ogg->held, ogg->held_bytes, is_last, error);
    if (err < 0)
        return err;
    return store_pages(ogg, is_last || ogg->stream_ticks - ogg->paged_ticks >= PAGE_TICKS, error);
}

static int hold(struct vox_ogg *ogg, const void *packet, size_t len, int ticks,
                struct vox_audio_error *error)
{
    int err = add_held(ogg, false, error);
    if (err < 0)
        return err;
    memcpy(ogg->held, packet, len);
    ogg->held_bytes = len;
    ogg->held_ticks = ticks;
    return 0;
}

/* ---- headers (RFC 7845, section 5); little endian ---- */

static unsigned char *put(unsigned char *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *at++ = (unsigned char)(value >> (8 * i));
    return at;
}

static unsigned char *put_text(unsigned char *at, const char *text)
{
    size_t len = strlen(text);
    at = put(at, (uint32_t)len, 4);
    memcpy(at, text, len);
    return at + len;
}

static int add_head(struct vox_ogg *ogg, const struct vox_ogg_config *config,
                    struct vox_audio_error *error)
{
    unsigned char head[HEAD_BYTES] = "OpusHead";
    unsigned char *at = head + 8;
    at = put(at, 1, 1); /* version */
    at = put(at, (uint32_t)config->channels, 1);
    at = put(at, (uint32_t)config->pre_skip_ticks, 2);
    at = put(at, (uint32_t)config->input_hz, 4);
    put(at, 0, 3); /* output gain, mapping family 0: mono or stereo */
    int err = add_packet(ogg, head, sizeof head, false, error);
    return err < 0 ? err : store_pages(ogg, true, error);
}

static int add_tags(struct vox_ogg *ogg, const struct vox_ogg_config *config,
                    struct vox_audio_error *error)
{
    unsigned char tags[8 + 4 + 16 + 4 + 4 + MAX_COMMENT] = "OpusTags";
    unsigned char *at = put_text(tags + 8, "voxgram");
    at = put(at, config->encoder != NULL, 4);
    if (config->encoder) {
        char comment[MAX_COMMENT];
        snprintf(comment, sizeof comment, "ENCODER=%s", config->encoder);
        at = put_text(at, comment);
    }
    int err = add_packet(ogg, tags, (size_t)(at - tags), false, error);
    return err < 0 ? err : store_pages(ogg, true, error);
}

/* ---- gaps ---- */

/* Ticks of one frame of a configuration: table 2 of RFC 6716. */
static int ticks_of_config(int config)
{
    static const int silk[] = {480, 960, 1920, 2880};
    if (config < 12)
        return silk[config & 3];
    if (config < 16)
        return 480 << (config & 1);
    return 120 << (config & 3);
}

/*
 * The configuration with the next shorter frames, in the same mode and bandwidth. Below 10 ms there
 * is only CELT; it has no medium band, so wide band stands for it (RFC 7845, section 4.1).
 */
static int shorter_config(int config)
{
    static const int celt_5ms[] = {17, 21, 21}; /* of narrow, medium, wide band */
    bool hybrid = config >= 12 && config < 16;
    if (config & (hybrid ? 1 : 3))
        return config - 1;
    if (hybrid)
        return config < 14 ? 25 : 29; /* super-wide, full band */
    return celt_5ms[config / 4];
}

/* `count` frames without a byte: the decoder conceals each (RFC 6716, section 4.4). */
static int hold_concealment(struct vox_ogg *ogg, int config, int count,
                            struct vox_audio_error *error)
{
    int code = count == 1 ? 0 : count == 2 ? 1 : 3;
    unsigned char packet[2] = {(unsigned char)(config << 3 | (ogg->last_toc & 4) | code),
                               (unsigned char)count};
    return hold(ogg, packet, code == 3 ? 2 : 1, count * ticks_of_config(config), error);
}

int vox_ogg_gap(struct vox_ogg *ogg, int64_t ticks, struct vox_audio_error *error)
{
    if (ogg->failed < 0)
        return fail_again(ogg, error);
    if (ticks < 0 || ticks >= INT64_C(1) << MAX_GAP_TICKS_LOG2)
        return vox_audio_fail(error, VOX_EINVAL, "a gap of %lld samples cannot be recorded",
                              (long long)ticks);
    if (ogg->last_toc < 0)
        return 0;
    int config = ogg->last_toc >> 3;
    int64_t left = ticks + ogg->owed_ticks;
    while (left >= VOX_OGG_STEP_TICKS) {
        int frame = ticks_of_config(config);
        if (left < frame) {
            config = shorter_config(config);
            continue;
        }
        int64_t longest = left < VOX_OGG_MAX_TICKS ? left : VOX_OGG_MAX_TICKS;
        int count = (int)(longest / frame);
        int err = hold_concealment(ogg, config, count, error);
        if (err < 0)
            return err;
        left -= (int64_t)count * frame;
    }
    ogg->owed_ticks = left;
    return 0;
}

/* ---- life ---- */

static int start(struct vox_ogg *ogg, const struct vox_ogg_config *config,
                 struct vox_audio_error *error)
{
    ogg->path = strdup(config->path);
    if (!ogg->path)
        return vox_audio_fail(error, VOX_ENOMEM, "cannot record to '%s': out of memory",
                              config->path);
    int err = vox_sink_open(&ogg->sink, ogg->path, error);
    if (err < 0)
        return err;
    err = add_head(ogg, config, error);
    if (err == 0)
        err = add_tags(ogg, config, error);
    if (err < 0)
        vox_sink_close(&ogg->sink);
    return err;
}

static void release(struct vox_ogg *ogg)
{
    ogg_stream_clear(&ogg->stream);
    free(ogg->path);
    free(ogg);
}

int vox_ogg_create(const struct vox_ogg_config *config, struct vox_ogg **out,
                   struct vox_audio_error *error)
{
    if (!config->path || config->channels < 1 || config->channels > 2 ||
        config->pre_skip_ticks < 0 || config->pre_skip_ticks > 65535 || config->input_hz < 0 ||
        (config->encoder && strlen(config->encoder) > 100))
        return vox_audio_fail(error, VOX_EINVAL, "cannot record Ogg Opus with these settings");
    struct vox_ogg *ogg = calloc(1, sizeof *ogg);
    if (!ogg || ogg_stream_init(&ogg->stream, (int)config->serial) != 0) {
        free(ogg);
        return vox_audio_fail(error, VOX_ENOMEM, "cannot record to '%s': out of memory",
                              config->path);
    }
    ogg->last_toc = -1;
    int err = start(ogg, config, error);
    if (err < 0) {
        release(ogg);
        return err;
    }
    *out = ogg;
    return 0;
}

int vox_ogg_write(struct vox_ogg *ogg, const void *packet, size_t len, int duration_ticks,
                  struct vox_audio_error *error)
{
    if (ogg->failed < 0)
        return fail_again(ogg, error);
    if (len < 1 || len > VOX_OGG_MAX_PACKET_BYTES || duration_ticks < VOX_OGG_STEP_TICKS ||
        duration_ticks > VOX_OGG_MAX_TICKS || duration_ticks % VOX_OGG_STEP_TICKS != 0)
        return vox_audio_fail(error, VOX_EINVAL, "not an Opus packet: %zu bytes for %d samples",
                              len, duration_ticks);
    ogg->last_toc = *(const unsigned char *)packet;
    return hold(ogg, packet, len, duration_ticks, error);
}

int64_t vox_ogg_ticks(const struct vox_ogg *ogg)
{
    return ogg->failed < 0 ? ogg->paged_ticks : ogg->stream_ticks + ogg->held_ticks;
}

int vox_ogg_finish(struct vox_ogg *ogg, struct vox_audio_error *error)
{
    if (!ogg)
        return 0;
    int err = ogg->failed < 0 ? fail_again(ogg, error) : add_held(ogg, true, error);
    if (vox_sink_close(&ogg->sink) < 0 && err == 0)
        err = fail(ogg, error);
    release(ogg);
    return err;
}
