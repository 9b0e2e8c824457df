#include "receiver/tracer.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/depacketizer.h"
#include "receiver/recover.h"
#include "receiver/trace_clock.h"
#include "wire/hdrext.h"
#include "wire/opus_toc.h"
#include "wire/rtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 4096,  /* packets held back at most: 10 s of 2.5 ms */
    MAX_COPIES = 2, /* that a trace tells of */
    TEXT_BYTES = 8192,
    LINE_BYTES = 160,
    FIRST_DYNAMIC_TYPE = 96, /* RFC 3551, section 6 */
    /* A sender whose numbers leap fills a disk with `lost`: so many at once, and for each packet.
     */
    MAX_LOST_AT_ONCE = 6000,
    MAX_LOST_PER_PACKET = 20,
};

#define WINDOW_NS (5 * VOX_NS_PER_S)
#define FLUSH_NS VOX_NS_PER_S
/* A single packet that nothing follows is not the source to follow. */
#define STALE_NS (100 * VOX_NS_PER_MS)
/* What the encoder looks ahead (libopus, but for its low-delay mode): the capture time tells of
 * sound that went in so much before the packet's own. */
#define LOOKAHEAD_TICKS 312

struct slot {
    bool used;
    int64_t media_ns;
    int duration_ticks;
    int copies;
    int64_t arrival_ns[MAX_COPIES];
};

struct vox_tracer {
    struct vox_tracer_config config;
    struct vox_tracer_stats stats;
    struct vox_depacketizer depacketizer;
    struct vox_trace_clock clock;
    int payload_type;
    uint64_t heard;                     /* packets of the source that came */
    int64_t last_arrival_ns;            /* of them */
    int64_t first_ts, first_arrival_ns; /* zeros of media and arrival times */
    bool absolute;                      /* capture times are known: */
    int64_t capture_zero_ns;            /* arrival clock at which media time 0 was captured */
    int64_t head, newest;               /* indices: of the next line, and the highest seen */
    int64_t newest_media_ns;
    struct slot slots[WINDOW]; /* by index */
    bool begun;                /* lines are written: */
    int64_t base_ns;           /* transit that counts as none */
    int64_t shift_ns;          /* since then */
    int64_t last_send_ns;
    int last_duration_ticks;
    int64_t flushed_ns;
    size_t used;
    char text[TEXT_BYTES];
};

void vox_tracer_config_init(struct vox_tracer_config *config)
{
    *config = (struct vox_tracer_config){.payload_type = -1};
}

int vox_tracer_create(const struct vox_tracer_config *config, struct vox_tracer **out)
{
    if (!config->on_text)
        return VOX_EINVAL;
    struct vox_tracer *t = calloc(1, sizeof *t);
    if (!t)
        return VOX_ENOMEM;
    t->config = *config;
    *out = t;
    return 0;
}

void vox_tracer_destroy(struct vox_tracer *t)
{
    free(t);
}

/* ---- text ---- */

static void flush(struct vox_tracer *t)
{
    if (t->used > 0)
        t->config.on_text(t->config.ctx, t->text, t->used);
    t->used = 0;
}

/* A whole line; on_text never gets a part of one. */
static void put_line(struct vox_tracer *t, const char *line)
{
    size_t len = strlen(line);
    if (t->used + len > sizeof t->text)
        flush(t);
    memcpy(t->text + t->used, line, len);
    t->used += len;
}

const char *vox_tracer_time(int64_t ns, char text[VOX_TRACER_TIME_BYTES])
{
    int64_t half = VOX_NS_PER_US / 2;
    int64_t us = (ns < 0 ? ns - half : ns + half) / VOX_NS_PER_US;
    int64_t size = us < 0 ? -us : us;
    snprintf(text, VOX_TRACER_TIME_BYTES, "%s%lld.%03lld", us < 0 ? "-" : "",
             (long long)(size / 1000), (long long)(size % 1000));
    return text;
}

static void put_packet(struct vox_tracer *t, int64_t index, int64_t send_ns, const char *recv)
{
    char line[LINE_BYTES], send[VOX_TRACER_TIME_BYTES];
    snprintf(line, sizeof line, "%lld %s %s\n", (long long)index, vox_tracer_time(send_ns, send),
             recv);
    put_line(t, line);
}

/* Time that the fastest packet took, as far as capture times tell. */
static int64_t least_one_way(const struct vox_tracer *t, int64_t least_transit_ns)
{
    int64_t sound_ns = vox_rtp_to_ns(t->last_duration_ticks + LOOKAHEAD_TICKS);
    int64_t one_way_ns = least_transit_ns + t->first_arrival_ns - t->capture_zero_ns - sound_ns;
    return t->absolute && one_way_ns > 0 ? one_way_ns : 0;
}

/* Before the first line: the fastest of the packets so far sets recv_ms off. */
static void begin_text(struct vox_tracer *t, int duration_ticks)
{
    char line[LINE_BYTES], interval[VOX_TRACER_TIME_BYTES];
    t->begun = true;
    t->last_duration_ticks = duration_ticks;
    int64_t least_ns = vox_trace_clock_line(&t->clock).at_zero_ns;
    t->base_ns = least_ns - least_one_way(t, least_ns);
    snprintf(line, sizeof line, "# interval_ms %s\n# a call heard by voxgram-recv, source %08x\n",
             vox_tracer_time(vox_rtp_to_ns(duration_ticks), interval), t->stats.ssrc);
    put_line(t, line);
    put_line(t, "# cut short: send_ms is on the sender's own clock\n");
}

/* Moves all that is received from here on, so that nothing is received before it was sent. */
static void shift(struct vox_tracer *t, int64_t by_ns)
{
    char line[LINE_BYTES], text[VOX_TRACER_TIME_BYTES];
    int64_t whole_ms = (by_ns + VOX_NS_PER_MS - 1) / VOX_NS_PER_MS;
    t->shift_ns += whole_ms * VOX_NS_PER_MS;
    snprintf(line, sizeof line, "# shift_ms %s\n", vox_tracer_time(t->shift_ns, text));
    put_line(t, line);
}

static void write_received(struct vox_tracer *t, int64_t index, const struct slot *slot)
{
    if (!t->begun)
        begin_text(t, slot->duration_ticks);
    int64_t send_ns = slot->media_ns > t->last_send_ns || t->stats.packets + t->stats.lost == 0
                          ? slot->media_ns
                          : t->last_send_ns;
    for (int i = 0; i < slot->copies; i++) {
        char text[VOX_TRACER_TIME_BYTES];
        int64_t recv_ns = slot->arrival_ns[i] - t->base_ns;
        if (recv_ns + t->shift_ns < send_ns)
            shift(t, send_ns - recv_ns - t->shift_ns);
        put_packet(t, index, send_ns, vox_tracer_time(recv_ns + t->shift_ns, text));
    }
    t->stats.packets++;
    t->stats.duplicates += slot->copies > 1;
    t->last_send_ns = send_ns;
    t->last_duration_ticks = slot->duration_ticks;
}

/* Packets head..next - 1 never came. They were sent evenly, and before the one that did. */
static void write_lost(struct vox_tracer *t, int64_t next, int64_t next_media_ns)
{
    for (; t->head < next; t->head++) {
        int64_t send_ns = t->last_send_ns + vox_rtp_to_ns(t->last_duration_ticks);
        if (send_ns > next_media_ns)
            send_ns = next_media_ns > t->last_send_ns ? next_media_ns : t->last_send_ns;
        put_packet(t, t->head, send_ns, "lost");
        t->stats.lost++;
        t->last_send_ns = send_ns;
    }
    t->stats.ended |=
        t->stats.lost > MAX_LOST_AT_ONCE + MAX_LOST_PER_PACKET * (t->stats.packets + 1);
}

/* ---- the window ---- */

/* The first packet from head on that has come; there is one, the newest. */
static int64_t next_received(const struct vox_tracer *t)
{
    int64_t index = t->head;
    while (!t->slots[index % WINDOW].used)
        index++;
    return index;
}

/* Writes up to and with the next packet that has come, if its media time is before `until_ns`. */
static bool write_next(struct vox_tracer *t, int64_t until_ns)
{
    if (t->head > t->newest || t->stats.ended)
        return false;
    int64_t index = next_received(t);
    struct slot *slot = &t->slots[index % WINDOW];
    if (slot->media_ns > until_ns)
        return false;
    if (index > t->head)
        write_lost(t, index, slot->media_ns);
    if (!t->stats.ended)
        write_received(t, index, slot);
    slot->used = false;
    t->head = index + 1;
    return true;
}

static void add_copy(struct vox_tracer *t, struct slot *slot, int64_t arrival_ns)
{
    if (slot->copies < MAX_COPIES)
        slot->arrival_ns[slot->copies++] = arrival_ns;
    else
        t->stats.duplicates++;
}

static void keep(struct vox_tracer *t, const struct vox_packet *packet, int64_t arrival_ns)
{
    int64_t media_ns = vox_rtp_to_ns(packet->ts - t->first_ts);
    if (media_ns > t->newest_media_ns)
        t->newest_media_ns = media_ns;
    if (!t->begun && packet->index < t->head && packet->index >= 0 &&
        t->newest - packet->index < WINDOW)
        t->head = packet->index; /* overtaken by the very first */
    if (packet->index < t->head) {
        t->stats.too_late++;
        return;
    }
    while (packet->index - t->head >= WINDOW && write_next(t, INT64_MAX))
        continue;
    struct slot *slot = &t->slots[packet->index % WINDOW];
    if (slot->used) {
        add_copy(t, slot, arrival_ns);
        return;
    }
    *slot = (struct slot){.used = true,
                          .media_ns = media_ns,
                          .duration_ticks = packet->info.duration_ticks,
                          .copies = 1,
                          .arrival_ns = {arrival_ns}};
    if (packet->index > t->newest)
        t->newest = packet->index;
    vox_trace_clock_packet(&t->clock, media_ns, arrival_ns);
}

/* ---- from the network ---- */

static void begin_source(struct vox_tracer *t, const struct vox_rtp *rtp, int64_t arrival_ns)
{
    t->stats.others += t->heard; /* of one that was given up */
    t->stats.started = true;
    t->stats.ssrc = rtp->ssrc;
    t->payload_type = rtp->payload_type;
    t->heard = 0;
    t->first_ts = rtp->timestamp;
    t->first_arrival_ns = arrival_ns;
    t->flushed_ns = 0;
    t->absolute = false;
    t->head = rtp->seq;
    t->newest = rtp->seq;
    t->newest_media_ns = 0;
    memset(t->slots, 0, sizeof t->slots);
    vox_depacketizer_init(&t->depacketizer);
    vox_trace_clock_init(&t->clock);
}

static bool type_fits(const struct vox_tracer *t, uint8_t payload_type)
{
    return t->config.payload_type >= 0 ? payload_type == t->config.payload_type
                                       : payload_type >= FIRST_DYNAMIC_TYPE;
}

/* Whether the packet is of the source that is followed, which may be from now on. */
static bool is_followed(struct vox_tracer *t, const struct vox_rtp *rtp, int64_t arrival_ns)
{
    bool stale = t->heard == 1 && arrival_ns - t->last_arrival_ns > STALE_NS;
    bool same = t->stats.started && rtp->ssrc == t->stats.ssrc;
    if (!t->stats.started || (stale && !same && type_fits(t, rtp->payload_type))) {
        if (!type_fits(t, rtp->payload_type))
            return false;
        begin_source(t, rtp, arrival_ns);
        return true;
    }
    if (!same)
        t->stats.others++;
    return same && rtp->payload_type == t->payload_type;
}

static void read_capture_time(struct vox_tracer *t, const struct vox_rtp *rtp, int64_t ts)
{
    const uint8_t *data;
    size_t len;
    struct vox_capture_time capture;
    int id = t->config.capture_time_id;
    if (id == 0 || !rtp->has_extension || vox_hdrext_find(rtp, (uint8_t)id, &data, &len) <= 0 ||
        vox_capture_time_parse(data, len, &capture) < 0)
        return;
    int64_t captured_ns = vox_ntp_to_unix(capture.ntp) - t->config.wall_offset_ns;
    t->absolute = true;
    t->capture_zero_ns = captured_ns - vox_rtp_to_ns(ts - t->first_ts);
}

static void take_packet(struct vox_tracer *t, const struct vox_rtp *rtp,
                        const struct vox_opus_info *info, int64_t arrival_ns, bool same_clock)
{
    struct vox_packet packet;
    struct vox_depacketize_notice notice;
    t->heard++;
    t->last_arrival_ns = arrival_ns;
    if (vox_depacketize(&t->depacketizer, rtp, info, arrival_ns, &packet, &notice) ==
        VOX_DEPACKETIZE_HELD)
        return;
    if (same_clock)
        read_capture_time(t, rtp, packet.ts);
    int64_t since_ns = arrival_ns - t->first_arrival_ns;
    keep(t, &packet, since_ns);
    while (write_next(t, t->newest_media_ns - WINDOW_NS))
        continue;
    if (since_ns - t->flushed_ns < FLUSH_NS)
        return;
    flush(t);
    t->flushed_ns = since_ns;
}

void vox_tracer_push(struct vox_tracer *t, const void *datagram, size_t len, int64_t arrival_ns,
                     bool same_clock)
{
    struct vox_rtp rtp;
    struct vox_red red;
    struct vox_opus_info info;
    if (t->stats.ended || vox_rtp_is_rtcp(datagram, len) || vox_rtp_parse(datagram, len, &rtp) < 0)
        return;
    int inner = vox_recover_payload_type(&rtp); /* of a packet with copies its own part counts */
    if (inner >= 0)
        vox_recover_unwrap(&rtp, inner, &red, &info);
    if (vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) < 0)
        return;
    if (is_followed(t, &rtp, arrival_ns))
        take_packet(t, &rtp, &info, arrival_ns, same_clock);
}

void vox_tracer_finish(struct vox_tracer *t)
{
    while (t->stats.started && write_next(t, INT64_MAX))
        continue;
    flush(t);
}

void vox_tracer_read_stats(const struct vox_tracer *t, struct vox_tracer_stats *out)
{
    *out = t->stats;
}

void vox_tracer_correction(const struct vox_tracer *t, struct vox_tracer_correction *out)
{
    struct vox_trace_line line = vox_trace_clock_line(&t->clock);
    int64_t least_ns = least_one_way(t, line.at_zero_ns);
    *out = (struct vox_tracer_correction){
        .slope = line.slope,
        .offset_ns = t->base_ns - line.at_zero_ns + least_ns,
        .absolute = t->absolute,
        .least_ns = least_ns,
    };
}
