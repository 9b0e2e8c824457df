/*
 * Retransmission on request: what receivers ask for (generic NACK, RFC 4585, section 6.2.1) is sent
 * again as RTX (RFC 4588), from a history of 2 s and within bounds.
 *
 *     vox_repeat_create(&config, &repeat);
 *     vox_repeat_sent(repeat, &rtp, send_ns);                       // every packet
 *     if (vox_repeat_ask(repeat, datagram, len))                    // RTCP
 *         while ((bytes = vox_repeat_next(repeat, now_ns, rtt_ns, out, sizeof out)) > 0)
 *             send(out, bytes);
 *
 * Bounds, since anyone can write a NACK, and asking is cheaper than answering: one packet is
 * repeated at most VOX_REPEAT_MAX_TIMES, and not while its last repetition may still be under way
 * (3/4 of the round trip; 10 ms as long as that is not known; other receivers of a group may ask
 * for the same). All repetitions together are at most half as many as the packets of the stream,
 * beyond a reserve for 100 ms of them or VOX_REPEAT_MIN_RESERVE. Half a stream more is what 30 % of
 * loss both ways needs; where more than that is lost, asking no longer helps.
 *
 * Thread rule: one owner. All but create are RT-safe.
 */
#ifndef VOX_SENDER_REPEAT_H
#define VOX_SENDER_REPEAT_H

#include "wire/nack.h"
#include "wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_REPEAT_MAX_TIMES = 5,
    VOX_REPEAT_MIN_RESERVE = 10,
};

struct vox_repeat;

struct vox_repeat_config {
    uint32_t media_ssrc;  /* of the packets */
    uint32_t rtx_ssrc;    /* of the repetitions: a stream of its own */
    uint8_t payload_type; /* of the repetitions */
    uint16_t first_seq;   /* of the repetitions */
    int64_t packet_ns;    /* between one packet and the next */
    int64_t ahead_ns;     /* how long before it is due a packet is told of */
};

struct vox_repeat_stats {
    uint64_t nacks;  /* packets of RTCP that asked us for something */
    uint64_t asked;  /* packets asked for */
    uint64_t sent;   /* repeated */
    uint64_t bytes;  /* of those, with RTP headers */
    uint64_t gone;   /* refused: no longer kept, or never sent */
    uint64_t early;  /* refused: repeated just before, or VOX_REPEAT_MAX_TIMES */
    uint64_t excess; /* refused: too many in all */
};

/* Errors: VOX_EINVAL (packet_ns below 1, ahead_ns below 0), VOX_ENOMEM. */
int vox_repeat_create(const struct vox_repeat_config *config, struct vox_repeat **out);
void vox_repeat_destroy(struct vox_repeat *repeat);

/* Keeps the packet, with its plain payload and the payload type of that: see wire/rtx.h. */
void vox_repeat_sent(struct vox_repeat *repeat, const struct vox_rtp *rtp, int64_t send_ns);

/*
 * Reads RTCP; borrows it until next has returned 0. Returns whether it asks us for anything. What
 * is left of the one before is forgotten.
 */
bool vox_repeat_ask(struct vox_repeat *repeat, const void *datagram, size_t len);

/*
 * Writes the next repetition. rtt_ns: below 0, not known. Returns its bytes; 0: there is none
 * left. A header extension without which alone it fits into an unfragmented datagram is left out.
 */
size_t vox_repeat_next(struct vox_repeat *repeat, int64_t now_ns, int64_t rtt_ns, uint8_t *out,
                       size_t capacity);

void vox_repeat_read_stats(const struct vox_repeat *repeat, struct vox_repeat_stats *out);

#endif
