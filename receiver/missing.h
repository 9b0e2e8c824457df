/*
 * What to ask for again, and when: the packets of one source that are missing (generic NACK,
 * RFC 4585). Pure: indices and times in, indices out.
 *
 *     vox_missing_init(&missing);
 *     vox_missing_arrived(&missing, &packet, &view);        // each that is no duplicate
 *     vox_missing_found(&missing, copy.index);              // brought by another
 *     if (now_ns >= vox_missing_next_ns(&missing, &view))
 *         count = vox_missing_ask(&missing, &view, indices);
 *     if (vox_missing_answered(&missing, index, now_ns))    // a retransmission
 *         take(packet);
 *
 * A gap is asked for as soon as the packet behind it comes; where packets overtook each other of
 * late, so much later as they did. On a steady stream the next packet is missed when it is overdue,
 * without waiting for one behind it, which comes a whole packet later: that is what leaves time for
 * a second and third try in a short delay. A pause of the sender looks the same at first: what no
 * packet behind it has confirmed is asked for VOX_MISSING_GUESSES times only, and of no more than
 * VOX_MISSING_AHEAD packets.
 *
 * It is asked again after a round trip and four times its mean deviation (as RFC 6298 does), from
 * the third try on in larger steps if there is time, as long as the answer can come in time to be
 * played; the first time also if it comes late by less than the packet lasts, when it still puts
 * the decoder right. After an outage that leaves the last packets, not all. Where nobody ever
 * answers, one packet a second goes on being asked for.
 *
 * The round trip is measured from request to answer, for packets that were asked for once (Karn and
 * Partridge 1987).
 *
 * Thread rule: value, one owner. RT-safe: no loop over more than VOX_MISSING_SPAN.
 */
#ifndef VOX_RECEIVER_MISSING_H
#define VOX_RECEIVER_MISSING_H

#include "receiver/jitter.h"
#include "receiver/rtt.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VOX_MISSING_SPAN = 128,  /* packets up to the newest among which missing ones are sought */
    VOX_MISSING_KEPT = 256,  /* packets up to the newest whose answers are known for such */
    VOX_MISSING_TRIES = 10,  /* of one packet */
    VOX_MISSING_GUESSES = 3, /* of one behind which nothing came */
    VOX_MISSING_AHEAD = 3,   /* of those at once */
};

enum vox_missing_state {
    VOX_MISSING_NOTHING, /* it is there, or too late */
    VOX_MISSING_WANTED,
};

struct vox_missing_packet {
    int64_t index;
    enum vox_missing_state state;
    int64_t ts;         /* where it should stand */
    int64_t noticed_ns; /* when it was found missing */
    int64_t due_ns;     /* when it is asked for next */
    int64_t asked_ns;   /* when it was last */
    int tries;
    bool is_guess; /* nothing behind it has come */
    bool answered;
    bool is_blank; /* it came, and holds no audio */
};

/* What the asker stands in. */
struct vox_missing_view {
    int64_t now_ns;
    int64_t base_ns; /* arrival of media time 0 if it were as fast as the fastest packet */
    int64_t play_ns; /* media time 0 must be there by then to be played in time */
    const struct vox_rtt *reported_rtt; /* by RTCP; counts as long as nothing was answered */
    bool is_ending;                     /* no more packets are sent */
};

struct vox_missing {
    bool started;
    int64_t newest, frontier;          /* highest index that came; that came or is missed */
    int64_t newest_end_ts;             /* where the newest ends */
    int ticks;                         /* that it lasts */
    int steady;                        /* packets in a row that follow each other without a pause */
    int wanted;                        /* packets that are */
    double late_ns, late_deviation_ns; /* over the fastest packet: mean and mean deviation */
    int64_t patience_ns;               /* more than that, for guesses: since some were wrong */
    int64_t reorder_ns;                /* by how much packets overtook each other */
    struct vox_rtt rtt;                /* from request to answer */
    int unanswered;                    /* packets in a row that were given up */
    int64_t probed_ns;
    uint64_t asked, retried, guessed, guessed_wrong; /* for statistics: packets; tries beyond */
    struct vox_missing_packet packets[VOX_MISSING_KEPT];
};

void vox_missing_init(struct vox_missing *m);

/* A packet from the network itself that is no duplicate. */
void vox_missing_arrived(struct vox_missing *m, const struct vox_packet *packet,
                         const struct vox_missing_view *view);

/* One of another payload type: nothing is to be asked for in its place. */
void vox_missing_blank(struct vox_missing *m, int64_t index);

/* Another packet brought this one. */
void vox_missing_found(struct vox_missing *m, int64_t index);

/*
 * A retransmission came: whether it was asked for and is the first answer. Measures the round trip.
 */
bool vox_missing_answered(struct vox_missing *m, int64_t index, int64_t now_ns);

/* Whether this one was asked for. */
bool vox_missing_was_asked(const struct vox_missing *m, int64_t index);

/* When ask wants to be called next; VOX_NS_NEVER: not before something comes. */
int64_t vox_missing_next_ns(const struct vox_missing *m, const struct vox_missing_view *view);

/* What is to be asked for now, in order. Returns how many. */
int vox_missing_ask(struct vox_missing *m, const struct vox_missing_view *view,
                    int64_t indices[VOX_MISSING_SPAN]);

#endif
