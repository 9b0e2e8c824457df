/*
 * Makes the RTP numbers of one source comparable: sequence numbers and timestamps become 64-bit
 * counts that neither wrap nor jump, whatever the sender does, so that nothing behind this point
 * has to know of restarts.
 *
 * - A sequence number far from the others is held against the packet until the next one confirms it
 *   (RFC 3550, section A.1); then numbering goes on from where it was.
 *   Not where the timestamp vouches for it: after a hole of any length that stays below half of the
 *   numbers, ten minutes of 20 ms packets, it tells how many were lost.
 * - A timestamp that fits neither the packets nor the time that has passed is a jump: the timeline
 *   goes on at the arrival time's distance.
 * - Timestamps that advance steadily at another rate than the audio in the packets are a wrong
 * clock (RFC 7587, section 4.1 asks for 48 kHz): the timeline is then made from the packets'
 * durations.
 *
 *     vox_depacketizer_init(&d);
 *     switch (vox_depacketize(&d, &rtp, &info, arrival_ns, &packet, &notice)) ...
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_RECEIVER_DEPACKETIZER_H
#define VOX_RECEIVER_DEPACKETIZER_H

#include "receiver/jitter.h"
#include "wire/opus_toc.h"
#include "wire/rtp.h"

#include <stdbool.h>
#include <stdint.h>

/* More is a jump, not loss or reordering (RFC 3550, section A.1, widened for 2.5 ms packets). */
enum { VOX_MAX_DROPOUT = 3000, VOX_MAX_MISORDER = 1000 };

enum vox_depacketized {
    VOX_DEPACKETIZED,
    VOX_DEPACKETIZE_HELD, /* a sequence jump that nothing has confirmed yet: packet unused */
};

/* What the packet told beside its audio; zeros: nothing. */
struct vox_depacketize_notice {
    int32_t sequence_jump;
    int64_t timestamp_jump_ticks;
    int32_t wrong_clock_hz; /* told once */
};

struct vox_depacketizer {
    bool started;
    int64_t newest_index;
    uint16_t newest_seq;
    int64_t numbered_from; /* numbers on the wire are in step with indices from here on */
    bool has_suspect;
    uint16_t suspect_seq; /* the number that would confirm a jump */
    int64_t newest_ts;
    uint32_t newest_rtp_ts;
    int newest_duration;
    int64_t newest_arrival_ns;
    bool own_timeline; /* the sender's clock is wrong: ts is made from durations */
    /* evidence for a wrong clock, over consecutive packets: */
    int run_packets;
    int64_t run_rtp_ticks, run_audio_ticks;
    int64_t run_start_ns;
};

void vox_depacketizer_init(struct vox_depacketizer *d);

/* Fills index, ts, arrival, marker, info and payload (borrowed) of *out unless HELD. */
enum vox_depacketized vox_depacketize(struct vox_depacketizer *d, const struct vox_rtp *rtp,
                                      const struct vox_opus_info *info, int64_t arrival_ns,
                                      struct vox_packet *out,
                                      struct vox_depacketize_notice *notice);

/*
 * Whether this packet goes on where the newest one left off, however long ago that came: its number
 * and its timestamp are ahead of the newest's, and neither by more than the time that has passed
 * allows. A sender that began anew, with whatever numbers, does not look so.
 */
bool vox_depacketizer_follows(const struct vox_depacketizer *d, const struct vox_rtp *rtp,
                              int64_t arrival_ns);

/*
 * A packet's number on the wire, for reports and requests about it. False: its number is of before
 * a jump of the sequence, so that the sender would take it for another packet; *seq is untouched.
 * Only after a first packet was depacketized.
 */
bool vox_depacketizer_seq(const struct vox_depacketizer *d, int64_t index, uint16_t *seq);

/* The other way: the index that a number on the wire has by what is known now. */
int64_t vox_depacketizer_index(const struct vox_depacketizer *d, uint16_t seq);

/*
 * A packet that was sent again, told apart from the stream itself by whoever calls: nothing is
 * learned from it. Fills *out likewise. False: it stands where none of this stream can.
 */
bool vox_depacketize_repeat(const struct vox_depacketizer *d, const struct vox_rtp *rtp,
                            const struct vox_opus_info *info, int64_t arrival_ns,
                            struct vox_packet *out);

#endif
