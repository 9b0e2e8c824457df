/*
 * What a TCP of the model has sent and not yet seen acknowledged, segment by segment, and which of
 * that is lost: RACK (RFC 8985). A segment is lost when one that was sent later has come, and it
 * has had a round trip and the time that reordering may take.
 *
 * Thread rule: value, one owner. Pure, RT-safe.
 */
#ifndef VOX_LAB_TCP_BOARD_H
#define VOX_LAB_TCP_BOARD_H

#include "lab/tcp_receiver.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_TCP_BOARD_SEGMENTS = 4096 };

struct vox_tcp_sent {
    struct vox_tcp_range range;
    int64_t sent_ns; /* the latest time */
    bool sacked;
    bool lost;
    bool again;    /* a repetition is under way (not: a probe) */
    bool repeated; /* ever */
};

struct vox_tcp_board {
    int count;
    struct vox_tcp_sent sent[VOX_TCP_BOARD_SEGMENTS]; /* in the order of the stream */
    /* The latest sent of all that were delivered (section 5.2): */
    int64_t latest_ns;
    int64_t latest_end;
    int64_t rtt_ns;
    bool reordering_seen;
};

/* What an acknowledgement has told. */
struct vox_tcp_news {
    int delivered;  /* segments */
    int sacked;     /* of them, told selectively */
    int acked;      /* of them, and of those told selectively before: gone from the board */
    int64_t rtt_ns; /* below 0: none measured */
    /* Where the first of them ends that was sent only once; INT64_MAX: there is none. */
    int64_t original_end;
};

/* The next segment of the stream; NULL: the board is full. */
struct vox_tcp_sent *vox_tcp_board_add(struct vox_tcp_board *board, struct vox_tcp_range range);

/* Under way, both a lost one's repetition and what is not known to be lost. */
int vox_tcp_board_in_flight(const struct vox_tcp_board *board);
int vox_tcp_board_sacked(const struct vox_tcp_board *board);
/* Lost, and no repetition is under way. */
int vox_tcp_board_lost(const struct vox_tcp_board *board);
int vox_tcp_board_repeating(const struct vox_tcp_board *board);

/* least_rtt_ns: what is quicker than that answers an earlier transmission. */
void vox_tcp_board_take(struct vox_tcp_board *board, const struct vox_tcp_ack *ack, int64_t now_ns,
                        int64_t least_rtt_ns, struct vox_tcp_news *news);

/*
 * Marks what is lost, if reordering takes window_ns at most; again: whether a repetition was, too.
 * Returns how long to wait for those that are overdue but may only have been overtaken; 0: for
 * none.
 */
int64_t vox_tcp_board_find_losses(struct vox_tcp_board *board, int64_t now_ns, int64_t window_ns,
                                  bool *again);
/* A timeout: the first, and all that have had a round trip, are lost. */
void vox_tcp_board_give_up(struct vox_tcp_board *board, int64_t now_ns);
/* Nothing was lost after all. */
void vox_tcp_board_undo(struct vox_tcp_board *board);

/*
 * Segment i is to be sent again: what follows in the stream goes along, up to mss bytes, if it is
 * not known to be there (as tcp_retrans_try_collapse of Linux does).
 */
void vox_tcp_board_merge(struct vox_tcp_board *board, int i, int mss);

#endif
