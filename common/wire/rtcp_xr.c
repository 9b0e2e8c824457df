#include "wire/rtcp_xr.h"

#include "base/err.h"

enum {
    WORD_BYTES = 4,
    LOSS_FIELDS_BYTES = 8, /* SSRC, begin, end */
    DELAY_BYTES = 12,
    REFERENCE_TIME_BYTES = 8,
    THINNING_MASK = 0x0f,
    /* Chunks (RFC 3611, section 4.1): a run of one fate, or the fates of 15 packets one by one. */
    VECTOR_BIT = 0x8000,
    VECTOR_PACKETS = 15,
    RUN_CAME_BIT = 0x4000,
    RUN_LENGTH_MASK = 0x3fff,
    NULL_CHUNK = 0, /* fills the last word */
};

size_t vox_rtcp_xr_loss_run(const struct vox_rtcp_xr_loss *loss, size_t from)
{
    size_t end = from;
    while (end < loss->count &&
           vox_rtcp_xr_loss_came(loss, end) == vox_rtcp_xr_loss_came(loss, from))
        end++;
    return end - from;
}

int vox_rtcp_xr_loss_push(struct vox_rtcp_xr_loss *loss, bool came)
{
    if (loss->count >= VOX_RTCP_XR_MAX_PACKETS)
        return VOX_ELIMIT;
    loss->came[loss->count / 64] |= (uint64_t)came << loss->count % 64;
    loss->count++;
    return 0;
}

/* ---- reading ---- */

static struct vox_reader read_block(struct vox_reader *r, uint8_t *type, uint8_t *specific)
{
    *type = vox_read_u8(r);
    *specific = vox_read_u8(r);
    size_t body_bytes = (size_t)vox_read_u16(r) * WORD_BYTES;
    return vox_reader_of(vox_read_bytes(r, body_bytes), body_bytes);
}

int vox_rtcp_xr_begin(struct vox_rtcp_xr_reader *r, const struct vox_rtcp *packet)
{
    if (packet->type != VOX_RTCP_XR)
        return VOX_EUNSUPPORTED;
    struct vox_reader bytes = vox_reader_of(packet->body, packet->body_bytes);
    uint32_t ssrc = vox_read_u32(&bytes);
    struct vox_reader ahead = bytes;
    while (!ahead.failed && ahead.left > 0) {
        uint8_t type, specific;
        read_block(&ahead, &type, &specific);
    }
    if (ahead.failed)
        return VOX_EFORMAT;
    *r = (struct vox_rtcp_xr_reader){.ssrc = ssrc, .bytes = bytes};
    return 0;
}

/* Appends what is newer than the first *skip packets, of which there is no end but 16 bits. */
static void append(struct vox_rtcp_xr_loss *loss, size_t *skip, size_t packets, bool came)
{
    size_t skipped = packets < *skip ? packets : *skip;
    *skip -= skipped;
    for (size_t i = skipped; i < packets; i++)
        vox_rtcp_xr_loss_push(loss, came);
}

/* Of at most `left` packets; what a chunk says beyond them is to be ignored. Returns how many. */
static size_t read_chunk(uint16_t chunk, size_t left, struct vox_rtcp_xr_loss *loss, size_t *skip)
{
    bool is_vector = (chunk & VECTOR_BIT) != 0;
    size_t packets = is_vector ? VECTOR_PACKETS : chunk & RUN_LENGTH_MASK;
    packets = packets < left ? packets : left;
    if (!is_vector)
        append(loss, skip, packets, (chunk & RUN_CAME_BIT) != 0);
    for (size_t i = 0; is_vector && i < packets; i++)
        append(loss, skip, 1, (chunk >> (VECTOR_PACKETS - 1 - i) & 1) != 0);
    return packets;
}

/* Errors: VOX_EFORMAT (chunks end before the packets do, or go on behind them). */
static int read_chunks(struct vox_reader *r, size_t packets, struct vox_rtcp_xr_loss *loss)
{
    size_t skip = loss->skipped;
    while (packets > 0) {
        uint16_t chunk = vox_read_u16(r);
        if (r->failed || chunk == NULL_CHUNK)
            return VOX_EFORMAT;
        packets -= read_chunk(chunk, packets, loss, &skip);
    }
    while (r->left > 0)
        if (vox_read_u16(r) != NULL_CHUNK)
            return VOX_EFORMAT;
    return 0;
}

static int read_loss(struct vox_reader *r, uint8_t specific, struct vox_rtcp_xr_loss *loss)
{
    *loss = (struct vox_rtcp_xr_loss){.ssrc = vox_read_u32(r)};
    uint16_t begin = vox_read_u16(r);
    uint16_t packets = (uint16_t)(vox_read_u16(r) - begin);
    if (r->failed)
        return VOX_EFORMAT;
    if ((specific & THINNING_MASK) != 0)
        return VOX_EUNSUPPORTED;
    if (packets > VOX_RTCP_XR_MAX_PACKETS)
        loss->skipped = (uint16_t)(packets - VOX_RTCP_XR_MAX_PACKETS);
    loss->begin_seq = (uint16_t)(begin + loss->skipped);
    return read_chunks(r, packets, loss);
}

static int read_reference_time(struct vox_reader *r, uint64_t *ntp)
{
    *ntp = vox_read_u64(r);
    return r->failed || r->left > 0 ? VOX_EFORMAT : 0;
}

static int read_delays(struct vox_reader *r, struct vox_rtcp_xr_delays *delays)
{
    if (r->left % DELAY_BYTES != 0)
        return VOX_EFORMAT;
    size_t count = r->left / DELAY_BYTES;
    *delays = (struct vox_rtcp_xr_delays){0};
    for (; count > 0 && delays->count < VOX_RTCP_XR_MAX_DELAYS; count--) {
        struct vox_rtcp_xr_delay *delay = &delays->of[delays->count++];
        delay->ssrc = vox_read_u32(r);
        delay->last_rr = vox_read_u32(r);
        delay->delay_since_rr = vox_read_u32(r);
    }
    delays->skipped = count;
    return 0;
}

int vox_rtcp_xr_next(struct vox_rtcp_xr_reader *r, struct vox_rtcp_xr *out)
{
    if (r->bytes.left == 0)
        return 0;
    struct vox_reader body = read_block(&r->bytes, &out->type, &out->specific);
    out->body = body.at;
    out->body_bytes = body.left;
    int err = 0;
    switch (out->type) {
    case VOX_RTCP_XR_LOSS:
        err = read_loss(&body, out->specific, &out->as.loss);
        break;
    case VOX_RTCP_XR_REFERENCE_TIME:
        err = read_reference_time(&body, &out->as.reference_ntp);
        break;
    case VOX_RTCP_XR_DELAYS:
        err = read_delays(&body, &out->as.delays);
        break;
    }
    return err < 0 ? err : 1;
}

/* ---- writing ---- */

size_t vox_rtcp_xr_open(struct vox_writer *w, uint32_t ssrc)
{
    size_t packet = vox_rtcp_open(w, VOX_RTCP_XR, 0);
    vox_write_u32(w, ssrc);
    return packet;
}

static void write_header(struct vox_writer *w, uint8_t type, size_t body_bytes)
{
    vox_write_u8(w, type);
    vox_write_u8(w, 0);
    vox_write_u16(w, (uint16_t)(body_bytes / WORD_BYTES));
}

/*
 * The chunk that says most from `at` on. Whatever begins later reaches at least as far, so that no
 * other choice needs fewer chunks.
 */
static uint16_t chunk_of(const struct vox_rtcp_xr_loss *loss, size_t at, size_t *packets)
{
    size_t run = vox_rtcp_xr_loss_run(loss, at);
    if (run >= VECTOR_PACKETS || at + run == loss->count) {
        *packets = run;
        return (uint16_t)(run | (vox_rtcp_xr_loss_came(loss, at) ? RUN_CAME_BIT : 0));
    }
    unsigned bits = VECTOR_BIT;
    size_t left = loss->count - at;
    *packets = left < VECTOR_PACKETS ? left : VECTOR_PACKETS;
    for (size_t i = 0; i < *packets; i++)
        if (vox_rtcp_xr_loss_came(loss, at + i))
            bits |= 1U << (VECTOR_PACKETS - 1 - i);
    return (uint16_t)bits;
}

void vox_rtcp_xr_write_loss(struct vox_writer *w, const struct vox_rtcp_xr_loss *loss)
{
    if (loss->count > VOX_RTCP_XR_MAX_PACKETS) {
        w->failed = true;
        return;
    }
    uint8_t chunks[VOX_RTCP_XR_MAX_LOSS_BYTES];
    struct vox_writer c = vox_writer_of(chunks, sizeof chunks);
    for (size_t at = 0, packets = 0; at < loss->count; at += packets)
        vox_write_u16(&c, chunk_of(loss, at, &packets));
    if (c.size % WORD_BYTES != 0)
        vox_write_u16(&c, NULL_CHUNK);
    write_header(w, VOX_RTCP_XR_LOSS, LOSS_FIELDS_BYTES + c.size);
    vox_write_u32(w, loss->ssrc);
    vox_write_u16(w, loss->begin_seq);
    vox_write_u16(w, (uint16_t)(loss->begin_seq + loss->count));
    vox_write_bytes(w, chunks, c.size);
}

void vox_rtcp_xr_write_reference_time(struct vox_writer *w, uint64_t ntp)
{
    write_header(w, VOX_RTCP_XR_REFERENCE_TIME, REFERENCE_TIME_BYTES);
    vox_write_u64(w, ntp);
}

void vox_rtcp_xr_write_delays(struct vox_writer *w, const struct vox_rtcp_xr_delays *delays)
{
    if (delays->count > VOX_RTCP_XR_MAX_DELAYS) {
        w->failed = true;
        return;
    }
    write_header(w, VOX_RTCP_XR_DELAYS, (size_t)delays->count * DELAY_BYTES);
    for (uint8_t i = 0; i < delays->count; i++) {
        vox_write_u32(w, delays->of[i].ssrc);
        vox_write_u32(w, delays->of[i].last_rr);
        vox_write_u32(w, delays->of[i].delay_since_rr);
    }
}
