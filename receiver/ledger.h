/*
 * The books of a playout: what was played, and why whatever was made up had to be.
 *
 *     vox_ledger_init(&ledger, &emit);
 *     vox_ledger_take(&ledger, packet, &before, t_ns);       // each that leaves the jitter buffer
 *     vox_ledger_close(&ledger, packet, packet_ns, ahead_ns);         // audio goes on with it
 *
 * What a gap stood for is known when audio goes on: packets that are missing, a pause of the
 * sender, or waiting for packets that came. What was missing is booked as lost, and as late if it
 * comes after all.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_LEDGER_H
#define VOX_RECEIVER_LEDGER_H

#include "receiver/emit.h"
#include "receiver/gap.h"
#include "receiver/glitches.h"

#include <stdint.h>

struct vox_ledger {
    const struct vox_emit *emit;
    struct vox_gap gap;
    struct vox_glitches glitches;
    uint64_t late; /* packets that came and were not played */
    uint64_t duplicate;
    uint64_t played, decoded, from_fec, from_red, from_rtx, stretch_ops;
    int64_t played_ticks, concealed_ticks, dtx_ticks, stretched_ticks;
};

void vox_ledger_init(struct vox_ledger *ledger, const struct vox_emit *emit);

/* A packet leaves the jitter buffer at t_ns; the one before it was number last_index and ended at
 * play_ts. */
void vox_ledger_take(struct vox_ledger *ledger, const struct vox_packet *packet, int64_t last_index,
                     int64_t play_ts, int64_t t_ns);

/* Audio goes on with `packet`: says what the output stood for that was made up in front of it.
 * packet_ns: length of a packet; ahead_ns: how long before its playout audio is asked for. */
void vox_ledger_close(struct vox_ledger *ledger, const struct vox_packet *packet, int64_t packet_ns,
                      int64_t ahead_ns);

/* Audio was put in (> 0) or left out. */
void vox_ledger_stretched(struct vox_ledger *ledger, enum vox_stretch_reason reason, int64_t ticks,
                          int64_t t_ns);

/* Fills in frames, glitches and durations. packet_ticks: length of a packet. */
void vox_ledger_read(const struct vox_ledger *ledger, int packet_ticks,
                     struct vox_source_stats *out);

#endif
