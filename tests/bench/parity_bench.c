/*
 * Would parity over packets buy what copies (RED) and asking again do not? Tries some thousand
 * schemes on networks that lose, and compares the best of each kind for what a user may spend of
 * delay and bits. parity_net.h says how they are tried. docs/decisions has what came of it.
 *
 *     bench_parity             where parity wins over RED, and how often
 *     bench_parity all         every payload, network, delay and budget of bits
 *     bench_parity check       only whether schemes leave what a closed form says; else status 1
 *
 * A line: the network (b3: a mean burst of three 20 ms), the delay, the bits as a multiple of what
 * the bare stream costs; then for each kind the harm in % that its best scheme leaves, that scheme,
 * and
 * @kbit/s if it had to lower the audio's rate. Schemes: RED copies x spacing; XOR and Reed-Solomon
 * members + parities / columns; 2-D XOR columns x rows; window packets : parities w packets
 * covered. *2: two packets' audio in one. Marks: parity beats RED s: if neither lowers the audio,
 * f: if RED lowers it and parity does not, l: if both may, x: XOR alone does.
 *
 * Harm is the share of frames that had to be concealed; one that only in-band FEC gave counts as a
 * quarter of one (see docs/recovery.md). The best scheme of a kind is chosen on one half of the
 * traffic, what it leaves is counted on the other. All packets of a stream are equally long, so
 * that a parity packet is not longer than their mean, as it would be with a variable rate.
 */
#include "parity_check.h"
#include "parity_net.h"

#include <stdio.h>
#include <string.h>

enum {
    HEADER_BYTES = 40,        /* IPv4, UDP, RTP */
    XOR_HEADER_BYTES = 16,    /* RFC 8627: the FEC header and a CSRC */
    CODE_HEADER_BYTES = 12,   /* block, length, place in it */
    COPY_HEADER_BYTES = 4,    /* RFC 2198 */
    PRIMARY_HEADER_BYTES = 1, /* RFC 2198 */
    MOST_BYTES = 1500,        /* of a packet */
};

enum { NETWORK_COUNT = 9, PAYLOAD_COUNT = 6, BUDGET_COUNT = 4, MOST_STREAMS = 8 };

static const double BUDGETS[BUDGET_COUNT] = {1.2, 1.5, 2.0, 3.0}; /* times what nothing costs */

static const struct parity_network NETWORKS[NETWORK_COUNT] = {
    {"5 %", 0.05, 1, 1},    {"10 %", 0.1, 1, 1},        {"20 %", 0.2, 1, 1},
    {"30 %", 0.3, 1, 1},    {"20 % b1.5", 0.2, 1.5, 1}, {"20 % b2", 0.2, 2, 1},
    {"20 % b3", 0.2, 3, 1}, {"20 % b10", 0.2, 10, 1},   {"5 % b10", 0.05, 10, 1},
};

static const struct payload {
    const char *name;
    int interval_us;
    double bytes;
    int streams;        /* of one host, whose packets parity may span; sent in turn */
    int most_packed;    /* so many intervals in one packet, to save headers; a power of two */
    double least_bytes; /* to which the audio may be lowered to pay for repair */
    bool in_band;       /* FEC of the frame before in each packet */
} PAYLOADS[PAYLOAD_COUNT] = {
    {"voice 32, 20 ms", 20000, 80, 1, 2, 60, true},
    {"voice 12, 20 ms", 20000, 30, 1, 2, 30, false},
    {"music 128, 20 ms", 20000, 320, 1, 2, 160, false},
    {"lowdelay 96, 5 ms", 5000, 60, 1, 4, 30, false},
    {"lowdelay 128, 2.5 ms", 2500, 40, 1, 8, 20, false},
    {"8 x voice 12, 20 ms", 2500, 30, MOST_STREAMS, 2, 30, false},
};

static struct parity_scheme schemes[PARITY_MAX_SCHEMES];
static struct parity_result results[PARITY_MAX_SCHEMES];
static int scheme_count;

/* ---- what they cost, and which is best ---- */

/* Parity packets per packet of the stream, or copies in each. */
static double share(const struct parity_scheme *s)
{
    switch (s->family) {
    case PARITY_COPIES:
        return s->copies;
    case PARITY_XOR:
    case PARITY_BLOCK:
    case PARITY_SLIDING:
        return (double)s->parities / s->members;
    case PARITY_XOR_2D:
        return 1.0 / s->columns + 1.0 / s->members;
    case PARITY_NOTHING:
    case PARITY_AGAIN:
        break;
    }
    return 0;
}

static double header_bytes(const struct parity_scheme *s)
{
    switch (s->family) {
    case PARITY_COPIES:
        return PRIMARY_HEADER_BYTES + COPY_HEADER_BYTES * s->copies;
    case PARITY_XOR:
    case PARITY_XOR_2D:
        return share(s) * (HEADER_BYTES + XOR_HEADER_BYTES);
    case PARITY_BLOCK:
    case PARITY_SLIDING:
        return share(s) * (HEADER_BYTES + CODE_HEADER_BYTES);
    case PARITY_NOTHING:
    case PARITY_AGAIN:
        break;
    }
    return 0;
}

/*
 * Bytes of audio per interval within the budget, as many as the payload has if that fits; 0: none.
 * Copies must fit one Ethernet frame.
 */
static double audio_bytes(const struct parity_scheme *s, const struct payload *p, int packed,
                          double budget, bool lower)
{
    double room = budget * (HEADER_BYTES + p->bytes) * packed;
    if (s->family == PARITY_COPIES && room > MOST_BYTES)
        room = MOST_BYTES;
    double bytes = (room - HEADER_BYTES - header_bytes(s)) / (1.0 + share(s)) / packed;
    if (bytes >= p->bytes)
        return p->bytes;
    return lower && bytes >= p->least_bytes ? bytes : 0;
}

static double harm(const struct parity_result *r, const struct payload *p, int half, int packing,
                   int delay)
{
    return r->lost[half][packing][delay] +
           r->coarse[half][packing][delay] * (p->in_band ? 0.25 : 1);
}

struct choice {
    struct parity_scheme scheme;
    double bytes; /* of audio per interval; 0: nothing fits */
    int packed;
    double seen; /* harm in the half by which it was chosen */
    double harm;
};

struct question {
    const struct payload *payload;
    int delay, packing; /* indices */
    double budget;
    unsigned families; /* a set of 1 << family */
    bool lower;        /* the audio's rate, to pay for repair */
};

/* Replaces *out by what is better. */
static void choose(const struct question *q, struct choice *out)
{
    for (int i = 0; i < scheme_count; i++) {
        const struct parity_scheme *s = &schemes[i];
        if (!(q->families >> s->family & 1U) || (s->stride && s->stride != q->payload->streams))
            continue;
        double bytes = audio_bytes(s, q->payload, 1 << q->packing, q->budget, q->lower);
        double seen = harm(&results[i], q->payload, 0, q->packing, q->delay);
        if (bytes <= 0)
            continue;
        if (out->bytes > 0 && (seen > out->seen || (seen == out->seen && bytes <= out->bytes)))
            continue;
        *out = (struct choice){.scheme = *s,
                               .bytes = bytes,
                               .packed = 1 << q->packing,
                               .seen = seen,
                               .harm = harm(&results[i], q->payload, 1, q->packing, q->delay)};
    }
}

/* By more than a factor of two, and by more than half a frame in a hundred. */
static bool beats(const struct choice *a, double harm_of_other)
{
    return a->bytes > 0 && a->harm * 2 < harm_of_other && harm_of_other - a->harm > 0.005;
}

/* ---- the sweep ---- */

enum { MARKS = 8, AGAIN_COUNT = 3, COLUMN_COUNT = 6 };
enum column { RED_FULL, RED_LOWER, FLEXFEC_FULL, BLOCK_FULL, SLIDING_FULL, PARITY_LOWER };

enum {
    RED_SET = 1 << PARITY_NOTHING | 1 << PARITY_COPIES,
    FLEXFEC_SET = 1 << PARITY_XOR | 1 << PARITY_XOR_2D,
    PARITY_SET = FLEXFEC_SET | 1 << PARITY_BLOCK | 1 << PARITY_SLIDING,
};

static const struct {
    unsigned families;
    bool lower;
} COLUMNS[COLUMN_COUNT] = {
    [RED_FULL] = {RED_SET, false},
    [RED_LOWER] = {RED_SET, true},
    [FLEXFEC_FULL] = {FLEXFEC_SET, false},
    [BLOCK_FULL] = {1 << PARITY_BLOCK, false},
    [SLIDING_FULL] = {1 << PARITY_SLIDING, false},
    [PARITY_LOWER] = {PARITY_SET, true},
};

static struct cell {
    double nothing, again[AGAIN_COUNT];
    struct choice best[COLUMN_COUNT];
} cells[PAYLOAD_COUNT][NETWORK_COUNT][PARITY_DELAYS][BUDGET_COUNT];

static void note_baselines(const struct payload *p, int delay, struct cell *cell)
{
    int again = 0;
    for (int i = 0; i < scheme_count; i++) {
        double left = harm(&results[i], p, 1, 0, delay);
        if (schemes[i].family == PARITY_NOTHING)
            cell->nothing = left;
        if (schemes[i].family == PARITY_AGAIN && schemes[i].stride == p->streams)
            cell->again[again++] = left;
    }
}

static void fill(const struct payload *p, int packing, int delay, double budget, struct cell *cell)
{
    if (packing == 0)
        note_baselines(p, delay, cell);
    for (int c = 0; c < COLUMN_COUNT; c++)
        choose(&(struct question){.payload = p,
                                  .delay = delay,
                                  .packing = packing,
                                  .budget = budget,
                                  .families = COLUMNS[c].families,
                                  .lower = COLUMNS[c].lower},
               &cell->best[c]);
}

static void fill_all(int network, int interval_us)
{
    for (int p = 0; p < PAYLOAD_COUNT; p++)
        for (int k = 0; k < PARITY_PACKINGS; k++) {
            const struct payload *payload = &PAYLOADS[p];
            if (payload->interval_us << k != interval_us || 1 << k > payload->most_packed)
                continue;
            for (int d = 0; d < PARITY_DELAYS; d++)
                for (int b = 0; b < BUDGET_COUNT; b++)
                    fill(payload, k, d, BUDGETS[b], &cells[p][network][d][b]);
        }
}

static void sweep(void)
{
    for (int n = 0; n < NETWORK_COUNT; n++)
        for (int us = PARITY_MIN_INTERVAL_US; us <= PARITY_MAX_INTERVAL_US; us *= 2) {
            scheme_count = parity_list(us, MOST_STREAMS, schemes);
            parity_meet(&NETWORKS[n], us);
            for (int i = 0; i < scheme_count; i++) {
                parity_run(&schemes[i]);
                parity_count(&results[i]);
            }
            fill_all(n, us);
        }
}

/* ---- tables ---- */

static void describe(const struct choice *c, char *out, size_t size)
{
    const struct parity_scheme *s = &c->scheme;
    char packed[16] = "";
    if (c->packed > 1)
        snprintf(packed, sizeof packed, " *%d", c->packed);
    switch (s->family) {
    case PARITY_COPIES:
        snprintf(out, size, "%dx%d%s", s->copies, s->spacing, packed);
        break;
    case PARITY_XOR:
    case PARITY_BLOCK:
        snprintf(out, size, "%d+%d/%d%s", s->members, s->parities, s->columns, packed);
        break;
    case PARITY_XOR_2D:
        snprintf(out, size, "%dx%d%s", s->columns, s->members, packed);
        break;
    case PARITY_SLIDING:
        snprintf(out, size, "%d:%d w%d%s", s->members, s->parities, s->window, packed);
        break;
    case PARITY_NOTHING:
    case PARITY_AGAIN:
        snprintf(out, size, "-%s", packed);
        break;
    }
}

static void print_choice(const struct choice *c, const struct payload *p)
{
    char name[32], kbps[16] = "";
    if (c->bytes <= 0) {
        printf(" |    .                 ");
        return;
    }
    describe(c, name, sizeof name);
    if (c->bytes < p->bytes)
        snprintf(kbps, sizeof kbps, "@%.0f", c->bytes * 8e3 / (p->interval_us * p->streams));
    printf(" | %4.1f %-12s%-4s", 100 * c->harm, name, kbps);
}

/* In how many cells parity wins. A win: against RED that may lower the audio's rate. */
struct tally {
    int cells, same_rate;
    int wins, at_full_rate, by_xor;
    int against_again[AGAIN_COUNT]; /* wins that it has over asking again, too */
    int red_wins;                   /* by the same measure, both may lower the audio */
};

/* Over all payloads. */
static struct tally totals[NETWORK_COUNT];

static void print_cell(const struct payload *p, const char *title, const char *marks,
                       const struct cell *cell)
{
    printf("%s %s | %4.1f", title, marks, 100 * cell->nothing);
    for (int c = 0; c < COLUMN_COUNT; c++)
        print_choice(&cell->best[c], p);
    printf(" |");
    for (int i = 0; i < AGAIN_COUNT; i++)
        printf(" %4.1f", 100 * cell->again[i]);
    printf("\n");
}

static const struct choice *best_parity(const struct cell *cell)
{
    const struct choice *best = &cell->best[FLEXFEC_FULL];
    for (int c = BLOCK_FULL; c <= SLIDING_FULL; c++)
        if (cell->best[c].bytes > 0 && (best->bytes <= 0 || cell->best[c].harm < best->harm))
            best = &cell->best[c];
    return best;
}

static void judge(const struct cell *cell, struct tally *tally, char *marks)
{
    const struct choice *full = best_parity(cell), *lower = &cell->best[PARITY_LOWER];
    const struct choice *red = &cell->best[RED_LOWER];
    bool same = beats(full, cell->best[RED_FULL].harm);
    bool wins_full = beats(full, red->harm), wins_lower = beats(lower, red->harm);
    bool by_xor = beats(&cell->best[FLEXFEC_FULL], red->harm);
    tally->cells++;
    tally->same_rate += same;
    tally->wins += wins_full || wins_lower;
    tally->at_full_rate += wins_full;
    tally->by_xor += by_xor;
    tally->red_wins += beats(red, lower->harm);
    for (int i = 0; i < AGAIN_COUNT; i++)
        tally->against_again[i] += (wins_full && beats(full, cell->again[i])) ||
                                   (wins_lower && beats(lower, cell->again[i]));
    snprintf(marks, MARKS, "%c%c%c%c", same ? 's' : ' ', wins_full ? 'f' : ' ',
             wins_lower ? 'l' : ' ', by_xor ? 'x' : ' ');
}

static void print_tally(const char *of, const struct tally *t)
{
    printf(
        "%-20s: parity wins in %2d of %3d (XOR in %2d, with all of the audio %2d), RED in %2d; "
        "parity also over asking again, RTT 40, 100, 160 ms, in %2d, %2d, %2d; if RED must leave "
        "the audio as it is, parity wins in %d\n",
        of, t->wins, t->cells, t->by_xor, t->at_full_rate, t->red_wins, t->against_again[0],
        t->against_again[1], t->against_again[2], t->same_rate);
}

static void print_heading(const struct payload *p)
{
    static const char *const titles[COLUMN_COUNT] = {
        "RED",          "RED, audio lowered", "XOR",
        "Reed-Solomon", "sliding window",     "parity, audio lowered"};
    printf("\n%s\n%-24s | %4s", p->name, "loss, ms, bits", "none");
    for (int c = 0; c < COLUMN_COUNT; c++)
        printf(" | %-21s", titles[c]);
    printf(" | again: RTT 40, 100, 160\n");
}

static void print_network(int payload, int n, bool all, struct tally *tally)
{
    for (int d = 0; d < PARITY_DELAYS; d++)
        for (int b = 0; b < BUDGET_COUNT; b++) {
            const struct cell *cell = &cells[payload][n][d][b];
            char title[32], marks[MARKS];
            snprintf(title, sizeof title, "%-9s %4d %.1fx", NETWORKS[n].name, PARITY_DELAYS_MS[d],
                     BUDGETS[b]);
            int wins = tally->wins;
            judge(cell, tally, marks);
            judge(cell, &totals[n], marks);
            if (all || tally->wins > wins)
                print_cell(&PAYLOADS[payload], title, marks, cell);
        }
}

static void print_payload(int payload, bool all)
{
    struct tally tally = {0};
    print_heading(&PAYLOADS[payload]);
    for (int n = 0; n < NETWORK_COUNT; n++)
        print_network(payload, n, all, &tally);
    print_tally(PAYLOADS[payload].name, &tally);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (argc > 2 || (*what && strcmp(what, "all") != 0 && strcmp(what, "check") != 0)) {
        fprintf(stderr, "usage: bench_parity [all | check]\n");
        return 2;
    }
    if (!parity_check())
        return 1;
    if (strcmp(what, "check") == 0)
        return 0;
    sweep();
    for (int p = 0; p < PAYLOAD_COUNT; p++)
        print_payload(p, strcmp(what, "all") == 0);
    printf("\n");
    for (int n = 0; n < NETWORK_COUNT; n++)
        print_tally(NETWORKS[n].name, &totals[n]);
    return 0;
}
