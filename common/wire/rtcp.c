#include "wire/rtcp.h"

#include "base/err.h"
#include "base/seq.h"
#include "base/time.h"

#include <stdbool.h>

enum {
    VERSION = 2,
    PADDING_BIT = 0x20,
    COUNT_MASK = 0x1f,
    HEADER_BYTES = 4,
    LENGTH_AT = 2,
    SSRC_BYTES = 4,
    SENDER_INFO_BYTES = 20,
    BLOCK_BYTES = 24,
    WORD_BYTES = 4,
    ITEM_END = 0,
    ITEM_CNAME = 1,
    MAX_CUMULATIVE = 0x7fffff, /* signed 24 bits */
    DELAY_HZ = 65536,
    /* Both times are cut off at 1/65536 s: that much below zero is a round trip of zero. */
    ROUND_TRIP_ROUNDING = 2,
    /* Nobody waits longer for an answer; beyond it a report is forged, or its clock jumped. */
    MAX_ROUND_TRIP_S = 60,
};

/* One packet of a compound, its padding taken off. */
struct packet {
    uint8_t type;
    uint8_t count;
    bool is_padded;
    struct vox_reader body;
};

/* Errors: VOX_ETRUNCATED, VOX_EFORMAT (version, padding). */
static int read_packet(struct vox_reader *r, struct packet *p)
{
    uint8_t first = vox_read_u8(r);
    p->type = vox_read_u8(r);
    size_t body_bytes = (size_t)vox_read_u16(r) * WORD_BYTES;
    const uint8_t *body = vox_read_bytes(r, body_bytes);
    if (r->failed)
        return VOX_ETRUNCATED;
    if (first >> 6 != VERSION)
        return VOX_EFORMAT;
    p->count = first & COUNT_MASK;
    p->is_padded = (first & PADDING_BIT) != 0;
    if (p->is_padded) {
        size_t padding = body_bytes > 0 ? body[body_bytes - 1] : 0;
        if (padding == 0 || padding > body_bytes)
            return VOX_EFORMAT;
        body_bytes -= padding;
    }
    p->body = vox_reader_of(body, body_bytes);
    return 0;
}

int vox_rtcp_begin(struct vox_rtcp_reader *r, const void *datagram, size_t len)
{
    struct vox_reader all = vox_reader_of(datagram, len);
    struct packet p = {0};
    bool is_first = true;
    do {
        int err = read_packet(&all, &p);
        if (err < 0)
            return err;
        if (is_first && (p.type < VOX_RTCP_SR || p.type > VOX_RTCP_XR))
            return VOX_EFORMAT;
        if (p.is_padded && all.left > 0) /* section 6.4.1: only the last is padded */
            return VOX_EFORMAT;
        is_first = false;
    } while (all.left > 0);
    r->bytes = vox_reader_of(datagram, len);
    return 0;
}

/* Sign-extends 24 bits. */
static int32_t signed24_of(uint32_t value)
{
    return value <= MAX_CUMULATIVE ? (int32_t)value : (int32_t)value - (MAX_CUMULATIVE + 1) * 2;
}

static void read_block(struct vox_reader *r, struct vox_rtcp_block *block)
{
    block->ssrc = vox_read_u32(r);
    block->fraction_lost = vox_read_u8(r);
    block->cumulative_lost = signed24_of((uint32_t)vox_read_uint(r, 3));
    block->highest_seq = vox_read_u32(r);
    block->jitter = vox_read_u32(r);
    block->last_sr = vox_read_u32(r);
    block->delay_since_sr = vox_read_u32(r);
}

static int read_report(struct vox_reader *r, bool is_sender, uint8_t count,
                       struct vox_rtcp_report *report)
{
    *report = (struct vox_rtcp_report){.block_count = count};
    report->ssrc = vox_read_u32(r);
    if (is_sender) {
        report->ntp = vox_read_u64(r);
        report->rtp_timestamp = vox_read_u32(r);
        report->packet_count = vox_read_u32(r);
        report->octet_count = vox_read_u32(r);
    }
    for (uint8_t i = 0; i < count; i++)
        read_block(r, &report->blocks[i]);
    return r->failed ? VOX_EFORMAT : 0; /* what follows is a profile's extension: passed over */
}

/* Items up to the end mark, then zeros up to the next word (section 6.5). */
static void read_chunk(struct vox_reader *r, struct vox_rtcp_chunk *chunk)
{
    chunk->ssrc = vox_read_u32(r);
    uint8_t item;
    while ((item = vox_read_u8(r)) != ITEM_END) {
        size_t len = vox_read_u8(r);
        const uint8_t *text = vox_read_bytes(r, len);
        if (item == ITEM_CNAME && text && !chunk->cname) {
            chunk->cname = (const char *)text;
            chunk->cname_bytes = len;
        }
    }
    vox_read_bytes(r, r->left % WORD_BYTES);
}

static int read_sdes(struct vox_reader *r, uint8_t count, struct vox_rtcp_sdes *sdes)
{
    *sdes = (struct vox_rtcp_sdes){.chunk_count = count};
    for (uint8_t i = 0; i < count; i++)
        read_chunk(r, &sdes->chunks[i]);
    return r->failed ? VOX_EFORMAT : 0;
}

static int read_bye(struct vox_reader *r, uint8_t count, struct vox_rtcp_bye *bye)
{
    *bye = (struct vox_rtcp_bye){.ssrc_count = count};
    for (uint8_t i = 0; i < count; i++)
        bye->ssrcs[i] = vox_read_u32(r);
    if (!r->failed && r->left > 0) {
        bye->reason_bytes = vox_read_u8(r);
        bye->reason = (const char *)vox_read_bytes(r, bye->reason_bytes);
    }
    return r->failed ? VOX_EFORMAT : 0;
}

int vox_rtcp_next(struct vox_rtcp_reader *r, struct vox_rtcp *out)
{
    struct packet p = {0};
    if (r->bytes.left == 0)
        return 0;
    int err = read_packet(&r->bytes, &p);
    if (err < 0)
        return 0; /* begin has seen to it that this does not happen */
    out->type = p.type;
    out->count = p.count;
    out->body = p.body.at;
    out->body_bytes = p.body.left;
    switch (p.type) {
    case VOX_RTCP_SR:
    case VOX_RTCP_RR:
        err = read_report(&p.body, p.type == VOX_RTCP_SR, p.count, &out->as.report);
        break;
    case VOX_RTCP_SDES:
        err = read_sdes(&p.body, p.count, &out->as.sdes);
        break;
    case VOX_RTCP_BYE:
        err = read_bye(&p.body, p.count, &out->as.bye);
        break;
    }
    return err < 0 ? err : 1;
}

static void write_header(struct vox_writer *w, uint8_t type, uint8_t count, size_t body_bytes)
{
    vox_write_u8(w, (uint8_t)(VERSION << 6 | count));
    vox_write_u8(w, type);
    vox_write_u16(w, (uint16_t)(body_bytes / WORD_BYTES));
}

static void write_block(struct vox_writer *w, const struct vox_rtcp_block *block)
{
    int32_t lost = block->cumulative_lost;
    lost = lost > MAX_CUMULATIVE ? MAX_CUMULATIVE : lost;
    lost = lost < -MAX_CUMULATIVE - 1 ? -MAX_CUMULATIVE - 1 : lost;
    vox_write_u32(w, block->ssrc);
    vox_write_u8(w, block->fraction_lost);
    vox_write_uint(w, (uint32_t)lost, 3);
    vox_write_u32(w, block->highest_seq);
    vox_write_u32(w, block->jitter);
    vox_write_u32(w, block->last_sr);
    vox_write_u32(w, block->delay_since_sr);
}

static void write_report(struct vox_writer *w, bool is_sender, const struct vox_rtcp_report *report)
{
    if (report->block_count > VOX_RTCP_MAX_BLOCKS) {
        w->failed = true;
        return;
    }
    size_t body_bytes = SSRC_BYTES + (size_t)report->block_count * BLOCK_BYTES;
    if (is_sender)
        body_bytes += SENDER_INFO_BYTES;
    write_header(w, is_sender ? VOX_RTCP_SR : VOX_RTCP_RR, report->block_count, body_bytes);
    vox_write_u32(w, report->ssrc);
    if (is_sender) {
        vox_write_u64(w, report->ntp);
        vox_write_u32(w, report->rtp_timestamp);
        vox_write_u32(w, report->packet_count);
        vox_write_u32(w, report->octet_count);
    }
    for (uint8_t i = 0; i < report->block_count; i++)
        write_block(w, &report->blocks[i]);
}

void vox_rtcp_write_sr(struct vox_writer *w, const struct vox_rtcp_report *report)
{
    write_report(w, true, report);
}

void vox_rtcp_write_rr(struct vox_writer *w, const struct vox_rtcp_report *report)
{
    write_report(w, false, report);
}

static size_t text_bytes_of(const char *text)
{
    size_t len = strlen(text);
    return len < VOX_RTCP_MAX_TEXT ? len : VOX_RTCP_MAX_TEXT;
}

static void write_zeros(struct vox_writer *w, size_t count)
{
    vox_write_uint(w, 0, count);
}

void vox_rtcp_write_sdes(struct vox_writer *w, uint32_t ssrc, const char *cname)
{
    size_t len = text_bytes_of(cname);
    size_t used = SSRC_BYTES + 2 + len;
    size_t zeros = WORD_BYTES - used % WORD_BYTES; /* 1..4: the first is the end mark */
    write_header(w, VOX_RTCP_SDES, 1, used + zeros);
    vox_write_u32(w, ssrc);
    vox_write_u8(w, ITEM_CNAME);
    vox_write_u8(w, (uint8_t)len);
    vox_write_bytes(w, cname, len);
    write_zeros(w, zeros);
}

void vox_rtcp_write_bye(struct vox_writer *w, uint32_t ssrc, const char *reason)
{
    size_t len = reason ? text_bytes_of(reason) : 0;
    size_t used = reason ? SSRC_BYTES + 1 + len : SSRC_BYTES;
    size_t zeros = (WORD_BYTES - used % WORD_BYTES) % WORD_BYTES;
    write_header(w, VOX_RTCP_BYE, 1, used + zeros);
    vox_write_u32(w, ssrc);
    if (reason) {
        vox_write_u8(w, (uint8_t)len);
        vox_write_bytes(w, reason, len);
    }
    write_zeros(w, zeros);
}

size_t vox_rtcp_open(struct vox_writer *w, uint8_t type, uint8_t count)
{
    size_t packet = w->size;
    write_header(w, type, count & COUNT_MASK, 0);
    return packet;
}

void vox_rtcp_close(struct vox_writer *w, size_t packet)
{
    if (w->failed)
        return;
    size_t body_bytes = w->size - packet - HEADER_BYTES;
    struct vox_writer length = vox_writer_of(w->begin + packet + LENGTH_AT, 2);
    vox_write_u16(&length, (uint16_t)(body_bytes / WORD_BYTES));
}

/* ---- what they tell ---- */

int64_t vox_rtcp_round_trip_ns(uint64_t arrival_ntp, uint32_t last, uint32_t delay)
{
    int64_t ticks = vox_seq32_diff(vox_ntp_middle(arrival_ntp), last + delay);
    if (last == 0 || ticks < -ROUND_TRIP_ROUNDING || ticks > MAX_ROUND_TRIP_S * DELAY_HZ)
        return -1;
    return ticks < 0 ? 0 : vox_ticks_to_ns(ticks, DELAY_HZ);
}
