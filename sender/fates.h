/*
 * What became of the packets we sent, as loss reports tell it (RFC 3611, section 4.1): which came,
 * which were lost, which nobody has told of. Packets are named by extended sequence number: the
 * first has its number on the wire, then they count up without wrap.
 *
 *     vox_fates_init(&fates);
 *     vox_fates_take(&fates, reporter, &loss, newest_sent, arrival_ns);
 *     if (vox_fates_at(&fates, seq) == VOX_FATE_LOST)
 *         ...
 *     vox_fates_count(&fates, changed_seq, &count);            // how it went since
 *
 * Reports overlap, and a later one knows better: what was only late becomes `came`.
 *
 * With several receivers the worst counts: the record follows one receiver, until another reports
 * more loss than it did last, or it has said nothing for 5 s. Then what the record held is
 * forgotten, and goes on with what the other's report tells, which is the last 2 s.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_FATES_H
#define VOX_SENDER_FATES_H

#include "wire/rtcp_xr.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_FATES_PACKETS = 1024 /* whose fate is remembered */ };

enum vox_packet_fate { VOX_FATE_UNKNOWN, VOX_FATE_LOST, VOX_FATE_CAME };

struct vox_fates {
    int64_t newest;                         /* the last packet told of; -1: none yet */
    int64_t taken_ns;                       /* when the report came that told of it */
    uint32_t reporter;                      /* whom the record follows */
    double reporter_loss;                   /* share of the packets that its last report told of */
    uint64_t known[VOX_FATES_PACKETS / 64]; /* bit seq % 64 of word seq / 64, in a ring */
    uint64_t came[VOX_FATES_PACKETS / 64];
};

struct vox_fates_count {
    int known;
    int lost;
    int bursts; /* runs of lost packets; one of unknown fate ends a run */
};

void vox_fates_init(struct vox_fates *fates);

/*
 * Takes over a report about us. newest_sent: what was last sent; a report of packets after it is
 * not to be believed, and one of packets too old to be remembered says nothing. Returns whether
 * anything was taken.
 */
bool vox_fates_take(struct vox_fates *fates, uint32_t reporter, const struct vox_rtcp_xr_loss *loss,
                    int64_t newest_sent, int64_t arrival_ns);

/* The last packet whose fate is known; -1: none. */
int64_t vox_fates_newest(const struct vox_fates *fates);

/* Of any packet, also one that is not sent yet. */
enum vox_packet_fate vox_fates_at(const struct vox_fates *fates, int64_t seq);

/* Of the packets from `since` on, as far as they are remembered. */
void vox_fates_count(const struct vox_fates *fates, int64_t since, struct vox_fates_count *out);

#endif
