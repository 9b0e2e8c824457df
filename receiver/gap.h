/*
 * Output that was not received: what it was made of, and, once audio goes on, what it stood for.
 * The account of one hole in a stream, in 48 kHz ticks.
 *
 *     vox_gap_open(&gap, t_ns);                 // nothing received is there to play
 *     gap.made += frames;                       // as often as something is made up
 *     vox_gap_take(&gap, packet, last_index, play_ts);   // each packet taken from the buffer since
 *     struct vox_gap_account account = vox_gap_close(&gap, packet, ahead_ns);
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_GAP_H
#define VOX_RECEIVER_GAP_H

#include "receiver/jitter.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_gap {
    bool open;
    int64_t start_ns; /* playout time of its beginning */
    int64_t made;     /* ticks put out */
    int64_t from_fec; /* of these, decoded from in-band FEC */
    int64_t lost;     /* ticks that missing packets held */
    int64_t unsent;   /* ticks that the sender left out: timestamps jump, no packet is missing */
    int64_t missing;  /* packets */
    int64_t first_missing;
    int64_t left_out; /* ticks of a hole that were neither played nor made up */
    int64_t late_ns;  /* most by which a packet came too late to be played */
    bool reseated;    /* playout stopped and began anew in it, so made says nothing of the hole */
};

/* What the made-up output stood for; what in-band FEC repaired is left out. */
struct vox_gap_account {
    int64_t lost;   /* packets that are missing: lost, or late if they come after all */
    int64_t unsent; /* a pause of the sender */
    int64_t late;   /* waiting for packets that came */
};

/* Does nothing if it is open already. */
void vox_gap_open(struct vox_gap *gap, int64_t t_ns);

/* Books the hole in front of a packet, behind number last_index and media time play_ts. */
void vox_gap_take(struct vox_gap *gap, const struct vox_packet *packet, int64_t last_index,
                  int64_t play_ts);

/* A packet that is too late to be played was needed `hole` ticks into the gap, and ahead_ns before
 * that, since a host asks for audio before it is heard. */
void vox_gap_late(struct vox_gap *gap, const struct vox_packet *packet, int64_t hole,
                  int64_t ahead_ns);

/* Received audio goes on with this packet. The gap stays readable until it is opened again. */
struct vox_gap_account vox_gap_close(struct vox_gap *gap, const struct vox_packet *packet,
                                     int64_t ahead_ns);

#endif
