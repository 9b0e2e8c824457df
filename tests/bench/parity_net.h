/*
 * What schemes of repair leave of a stream on a lossy network: for each of them, the share of
 * frames that is not there in time.
 *
 *     parity_meet(&(struct parity_network){.loss = 0.2, .burst = 3, .seed = 1}, 20000);
 *     parity_run(&(struct parity_scheme){.family = PARITY_XOR, .members = 4, .parities = 1,
 *                                        .columns = 1});
 *     parity_count(&result);
 *
 * Whatever is uncertain is decided in favour of parity:
 * - Codes are ideal: any k of the n packets of a Reed-Solomon block give all, and any equation of a
 *   sliding window (RFC 8681) counts. XOR is decoded to the end.
 * - Parity packets leave between two packets of the stream, at other times of the same network, and
 *   count as come with the packet before them.
 *
 * One network and one scheme at a time; not for threads.
 */
#ifndef VOX_TESTS_PARITY_NET_H
#define VOX_TESTS_PARITY_NET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PARITY_PACKETS = 100000,
    PARITY_SLOTS =
        4, /* times for a packet to leave, per packet of the stream; it takes the first */
    PARITY_NEVER = INT32_MAX,
    PARITY_MAX_SCHEMES = 4000, /* in a list */
};

enum { PARITY_PACKINGS = 4, PARITY_DELAYS = 4, PARITY_MOST_DELAY_MS = 400 };
enum { PARITY_MIN_INTERVAL_US = 2500, PARITY_MAX_INTERVAL_US = 40000 };
static const int PARITY_DELAYS_MS[PARITY_DELAYS] = {60, 100, 200, PARITY_MOST_DELAY_MS};

struct parity_network {
    const char *name;
    double loss, burst; /* as in vox_impair_config */
    uint64_t seed;
};

enum parity_family {
    PARITY_NOTHING,
    PARITY_COPIES, /* RED */
    PARITY_XOR,    /* over rows (one column) or columns */
    PARITY_XOR_2D, /* over rows and columns */
    PARITY_BLOCK,  /* Reed-Solomon, in one or more columns */
    PARITY_SLIDING,
    PARITY_AGAIN, /* asked for again */
};

struct parity_scheme {
    enum parity_family family;
    int stride;          /* COPIES, AGAIN: from one packet of a stream to its next */
    int copies, spacing; /* COPIES */
    int columns;         /* XOR, XOR_2D, BLOCK: packets from one member to the next */
    int members;         /* XOR, BLOCK: of a column; XOR_2D: rows; SLIDING: from parity to parity */
    int parities;        /* XOR, BLOCK: per column; SLIDING: each time, at most PARITY_SLOTS - 1 */
    bool spread; /* XOR, BLOCK: parity packets are as far apart as members, not behind them */
    int window;  /* SLIDING: packets that a parity packet covers */
    int rtt_us;  /* AGAIN */
};

/* Shares of frames, per half of the traffic, if 1 << packing intervals of audio are in a packet:
 * what the first of them waits for the last is no longer there for repair. */
struct parity_result {
    double lost[2][PARITY_PACKINGS][PARITY_DELAYS];
    double coarse[2][PARITY_PACKINGS][PARITY_DELAYS]; /* only in-band FEC was there */
};

/* The network as a stream meets it that sends a packet every interval_us. */
void parity_meet(const struct parity_network *network, int interval_us);
/* One that loses just these slots: packet p leaves in p * PARITY_SLOTS. */
void parity_meet_losses(const int *slots, int count, int interval_us);

void parity_run(const struct parity_scheme *scheme);
/* After parity_run: the slot from which a packet's payload is known, or PARITY_NEVER. */
int parity_known(int packet);
void parity_count(struct parity_result *out);

/* Every scheme worth a try at this interval, for streams of `stride` 1 and `streams`. Returns how
 * many; out holds PARITY_MAX_SCHEMES. */
int parity_list(int interval_us, int streams, struct parity_scheme *out);

#endif
