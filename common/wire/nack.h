/*
 * Generic negative acknowledgements (RFC 4585, section 6.2.1): a receiver names the RTP packets
 * that it misses. RTCP packets of type 205, format 1, in a compound or alone (RFC 5506). Bytes <->
 * sequence numbers. Pure.
 *
 *     size_t taken = vox_nack_write(&w, own_ssrc, source_ssrc, lost, lost_count);
 *
 *     struct vox_nack nack;
 *     uint16_t seq;
 *     if (packet.type == VOX_RTCP_RTPFB && vox_nack_parse(&packet, &nack) == 0)
 *         while (vox_nack_next(&nack, &seq))
 *             retransmit(seq);
 *
 * An item of 4 bytes names one packet and any of the 16 after it. A peer can ask for
 * VOX_NACK_MAX_SEQS packets with 268 bytes, and for the same ones again: what is sent in answer
 * must be bounded by whoever answers.
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_WIRE_NACK_H
#define VOX_WIRE_NACK_H

#include "base/bytes.h"
#include "wire/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_NACK_FORMAT = 1,      /* in the count field; others, as transport-wide CC, are not NACKs */
    VOX_NACK_ITEM_SPAN = 17,  /* packets that one item covers */
    VOX_NACK_MAX_ITEMS = 64,  /* of a packet: what we write, and what is looked at */
    VOX_NACK_MAX_SEQS = 1088, /* VOX_NACK_MAX_ITEMS * VOX_NACK_ITEM_SPAN */
    VOX_NACK_HEADER_BYTES = 12,
    VOX_NACK_ITEM_BYTES = 4,
};

struct vox_nack {
    uint32_t ssrc;        /* of the one who asks */
    uint32_t media_ssrc;  /* of the source that is to send again */
    size_t item_count;    /* 1..VOX_NACK_MAX_ITEMS */
    size_t items_skipped; /* behind those */
    /* for vox_nack_next only */
    struct vox_reader items;
    uint16_t seq, more;
    bool has_seq;
};

/*
 * Parses a packet that vox_rtcp_next gave; borrows its body. *out is written only on success.
 * Errors: VOX_EUNSUPPORTED (another type or format), VOX_EFORMAT (no item, or half of one).
 */
int vox_nack_parse(const struct vox_rtcp *packet, struct vox_nack *out);

/*
 * The next sequence number, in the order of the packet; false at the end. Hostile items may repeat
 * one and come in any order.
 */
bool vox_nack_next(struct vox_nack *nack, uint16_t *seq);

/*
 * Appends one packet that asks for `seqs`, in the fewest items. They stand in serial order (so 0
 * follows 65535); repetitions add nothing, another order costs items. Returns how many from the
 * front were taken: all, unless they need more than VOX_NACK_MAX_ITEMS. Nothing is appended for a
 * count of 0. Check w->failed once at the end.
 */
size_t vox_nack_write(struct vox_writer *w, uint32_t ssrc, uint32_t media_ssrc,
                      const uint16_t *seqs, size_t count);

#endif
