#include "parity_net.h"

#include "base/time.h"
#include "channel/impair.h"

#include <stdlib.h>
#include <string.h>

enum {
    PACKETS = PARITY_PACKETS,
    BEYOND = 2048, /* packets that may still repair the last of them */
    TOTAL = PACKETS + BEYOND,
    SLOTS = PARITY_SLOTS,
    NEVER = PARITY_NEVER,
    MOST_DELAY = PARITY_MOST_DELAY_MS * 1000 / PARITY_MIN_INTERVAL_US,
};

enum { MAX_COPIES = 4, MAX_COPY_AGE_US = 341000 }; /* common/wire/red.h */

/* One network as packets of one interval see it, and what a scheme made of it. */
static struct {
    int interval_us;
    bool lost[TOTAL * SLOTS];
    bool back_lost[TOTAL * SLOTS];
    int losses[TOTAL];
    int loss_count;
    int32_t own[TOTAL];   /* slot in which a packet came, or NEVER */
    int32_t known[TOTAL]; /* slot from which its payload is known */
    int stamp[TOTAL];     /* the pass in which the block that begins here was decoded */
    int pass;
} net;

/* ---- the network ---- */

/* `way`: out or back. */
static void draw(const struct parity_network *network, uint64_t way, bool *lost)
{
    struct vox_impair *impair;
    struct vox_fate fate;
    struct vox_impair_config config;
    vox_impair_config_init(&config);
    config.loss = network->loss;
    config.burst_packets = network->burst;
    config.seed = 2 * network->seed + way;
    if (vox_impair_create(&config, &impair) < 0)
        exit(1);
    for (int i = 0; i < TOTAL * SLOTS; i++) {
        vox_impair_packet(impair, (int64_t)i * net.interval_us * VOX_NS_PER_US / SLOTS, 0, &fate);
        lost[i] = fate.cause != VOX_FATE_DELIVERED;
    }
    vox_impair_destroy(impair);
}

static void note_losses(void)
{
    net.loss_count = 0;
    for (int i = 0; i < TOTAL; i++) {
        net.own[i] = net.lost[i * SLOTS] ? NEVER : i * SLOTS;
        if (net.own[i] == NEVER)
            net.losses[net.loss_count++] = i;
    }
    memcpy(net.known, net.own, sizeof net.own);
}

void parity_meet(const struct parity_network *network, int interval_us)
{
    net.interval_us = interval_us;
    draw(network, 0, net.lost);
    draw(network, 1, net.back_lost);
    note_losses();
}

void parity_meet_losses(const int *slots, int count, int interval_us)
{
    net.interval_us = interval_us;
    memset(net.lost, 0, sizeof net.lost);
    memset(net.back_lost, 0, sizeof net.back_lost);
    for (int i = 0; i < count; i++)
        net.lost[slots[i]] = true;
    note_losses();
}

/* ---- schemes: when is which payload known? ---- */

static void learn(int packet, int32_t slot)
{
    if (slot < net.known[packet])
        net.known[packet] = slot;
}

static void run_copies(const struct parity_scheme *s)
{
    for (int j = 0; j < net.loss_count; j++) {
        int i = net.losses[j];
        for (int c = 1; c <= s->copies; c++) {
            int carrier = i + c * s->spacing * s->stride;
            if (carrier < TOTAL)
                learn(i, net.own[carrier]);
        }
    }
}

/* Where parity packet j of a column goes whose first member is `head`: each in a gap of its own. */
static int parity_slot(const struct parity_scheme *s, int head, int j)
{
    if (s->spread) {
        int row = s->members + j % s->members;
        return (head + row * s->columns) * SLOTS + 1 + j / s->members;
    }
    int last = head + (s->members - 1) * s->columns;
    return (last + j / (SLOTS - 1)) * SLOTS + 1 + j % (SLOTS - 1);
}

/* All of a column is known once as many of its packets came as it has members. */
static void decode_column(const struct parity_scheme *s, int head)
{
    int came = 0;
    for (int r = 0; r < s->members; r++)
        came += net.own[head + r * s->columns] != NEVER;
    for (int j = 0; j < s->parities && came < s->members; j++) {
        int slot = parity_slot(s, head, j);
        if (net.lost[slot] || ++came < s->members)
            continue;
        for (int r = 0; r < s->members; r++)
            learn(head + r * s->columns, slot);
    }
}

static void run_block(const struct parity_scheme *s)
{
    int size = s->columns * s->members;
    for (int j = 0; j < net.loss_count && net.losses[j] < PACKETS; j++) {
        int begin = net.losses[j] / size * size;
        int head = begin + (net.losses[j] - begin) % s->columns;
        if (net.stamp[head] == net.pass)
            continue;
        net.stamp[head] = net.pass;
        decode_column(s, head);
    }
}

/* One equation of `count` members `step` apart; true if it told one more. */
static bool solve(int first, int count, int step, int parity)
{
    if (net.lost[parity])
        return false;
    int missing = -1, slot = parity;
    for (int i = 0; i < count; i++) {
        int at = first + i * step;
        if (net.known[at] == NEVER && missing >= 0)
            return false;
        if (net.known[at] == NEVER)
            missing = at;
        else if (net.known[at] > slot)
            slot = net.known[at];
    }
    if (missing >= 0)
        net.known[missing] = slot;
    return missing >= 0;
}

static void run_2d(const struct parity_scheme *s)
{
    int size = s->columns * s->members;
    for (int j = 0; j < net.loss_count && net.losses[j] < PACKETS; j++) {
        int begin = net.losses[j] / size * size;
        if (net.stamp[begin] == net.pass)
            continue;
        net.stamp[begin] = net.pass;
        for (bool more = true; more;) {
            more = false;
            for (int r = 0; r < s->members; r++) {
                int first = begin + r * s->columns;
                more |= solve(first, s->columns, 1, (first + s->columns - 1) * SLOTS + 1);
            }
            for (int c = 0; c < s->columns; c++)
                more |= solve(begin + c, s->members, s->columns, (begin + size + c) * SLOTS + 2);
        }
    }
}

/*
 * Each parity packet is an equation over the last `window` packets. As many equations as unknowns
 * give all of these; an unknown that leaves the window takes an equation with it.
 */
static void run_sliding(const struct parity_scheme *s)
{
    int oldest = 0, newest = 0, equations = 0; /* unknown: losses[oldest..newest) */
    for (int i = 0; i < PACKETS; i++) {
        if (oldest == newest && newest < net.loss_count)
            i = net.losses[newest]; /* until then there is nothing to solve */
        if (newest < net.loss_count && net.losses[newest] == i)
            newest++;
        while (oldest < newest && net.losses[oldest] <= i - s->window) {
            oldest++;
            equations -= equations > 0;
        }
        if ((i + 1) % s->members != 0)
            continue;
        for (int j = 0; j < s->parities && oldest < newest; j++) {
            if (net.lost[i * SLOTS + 1 + j] || ++equations < newest - oldest)
                continue;
            for (; oldest < newest; oldest++)
                learn(net.losses[oldest], i * SLOTS + 1 + j);
            equations = 0;
        }
    }
}

/* Asked for when the next packet of its stream comes, and again after a round trip and a packet.
 * What is sent again leaves in the last slot of a gap. */
static void run_again(const struct parity_scheme *s)
{
    int half = s->rtt_us / 2 * SLOTS / net.interval_us;
    for (int j = 0; j < net.loss_count && net.losses[j] < PACKETS; j++) {
        int i = net.losses[j], next = i + s->stride;
        while (next < TOTAL && net.own[next] == NEVER)
            next += s->stride;
        int limit = (i + PARITY_DELAYS_MS[PARITY_DELAYS - 1] * 1000 / net.interval_us) * SLOTS;
        for (int ask = next * SLOTS; ask < limit && ask + 2 * half < TOTAL * SLOTS;
             ask += 2 * half + s->stride * SLOTS) {
            int answer = (ask + half) / SLOTS * SLOTS + SLOTS - 1;
            if (net.back_lost[ask] || net.lost[answer])
                continue;
            learn(i, ask + 2 * half);
            break;
        }
    }
}

void parity_run(const struct parity_scheme *s)
{
    for (int j = 0; j < net.loss_count; j++) /* nothing else was learned */
        net.known[net.losses[j]] = NEVER;
    net.pass++;
    switch (s->family) {
    case PARITY_COPIES:
        run_copies(s);
        break;
    case PARITY_XOR:
    case PARITY_BLOCK:
        run_block(s);
        break;
    case PARITY_XOR_2D:
        run_2d(s);
        break;
    case PARITY_SLIDING:
        run_sliding(s);
        break;
    case PARITY_AGAIN:
        run_again(s);
        break;
    case PARITY_NOTHING:
        break;
    }
}

int parity_known(int packet)
{
    return net.known[packet];
}

/* Packets after `of` until `packet` is known. A gap after a packet counts as that packet's time. */
static int wait_for(int packet, int of)
{
    if (net.known[packet] == NEVER || net.known[packet] / SLOTS - of > MOST_DELAY)
        return MOST_DELAY + 1;
    return net.known[packet] / SLOTS - of;
}

/* What a packet of several intervals waits for its last one is no longer there for repair. */
static int delay_packets(int delay_ms, int packing)
{
    int left_us = delay_ms * 1000 - (net.interval_us - (net.interval_us >> packing));
    return left_us / net.interval_us;
}

void parity_count(struct parity_result *out)
{
    int exact[2][MOST_DELAY + 2] = {0}, coarse[2][MOST_DELAY + 2] = {0}, losses[2] = {0};
    for (int j = 0; j < net.loss_count && net.losses[j] < PACKETS; j++) {
        int i = net.losses[j], half = i >= PACKETS / 2;
        int whole = wait_for(i, i), part = wait_for(i + 1, i);
        losses[half]++;
        exact[half][whole]++;
        if (part < whole) {
            coarse[half][part]++;
            coarse[half][whole]--;
        }
    }
    for (int half = 0; half < 2; half++) {
        for (int d = 1; d <= MOST_DELAY; d++) {
            exact[half][d] += exact[half][d - 1];
            coarse[half][d] += coarse[half][d - 1];
        }
        for (int p = 0; p < PARITY_PACKINGS; p++)
            for (int d = 0; d < PARITY_DELAYS; d++) {
                int at = delay_packets(PARITY_DELAYS_MS[d], p);
                double missing = losses[half] - exact[half][at];
                out->coarse[half][p][d] = coarse[half][at] / (PACKETS / 2.0);
                out->lost[half][p][d] = missing / (PACKETS / 2.0) - out->coarse[half][p][d];
            }
    }
}

/* ---- which schemes there are ---- */

struct list {
    struct parity_scheme *schemes;
    int count;
};

static void add(struct list *list, struct parity_scheme s)
{
    if (list->count == PARITY_MAX_SCHEMES)
        exit(1);
    list->schemes[list->count++] = s;
}

/* All small numbers, then steps of a third. */
static int after(int n)
{
    return n < 6 ? n + 1 : n + n / 3;
}

/* How far apart a block's packets are matters less than how many they are. */
static int after_columns(int n)
{
    return n < 4 ? n + 1 : n + n / 2;
}

static void list_copies(struct list *list, int interval_us, int stride)
{
    for (int copies = 1; copies <= MAX_COPIES; copies++) {
        int most = MAX_COPY_AGE_US / (interval_us * stride * copies);
        for (int spacing = 1; spacing <= most; spacing += spacing < 16 ? 1 : spacing / 8)
            add(list, (struct parity_scheme){.family = PARITY_COPIES,
                                             .stride = stride,
                                             .copies = copies,
                                             .spacing = spacing});
    }
    for (int rtt_us = 40000; rtt_us <= 160000; rtt_us += 60000)
        add(list,
            (struct parity_scheme){.family = PARITY_AGAIN, .stride = stride, .rtt_us = rtt_us});
}

static void add_block(struct list *list, struct parity_scheme s, int most)
{
    int span = s.spread ? (s.members + s.parities - 1) * s.columns
                        : (s.members - 1) * s.columns + s.parities / (SLOTS - 1);
    bool room = s.spread ? s.columns > 1 : s.columns == 1 || s.parities < SLOTS;
    if (span > most || !room)
        return;
    s.family = PARITY_BLOCK;
    add(list, s);
    if (s.parities == 1) {
        s.family = PARITY_XOR;
        add(list, s);
    }
}

static void list_blocks(struct list *list, int most)
{
    for (int columns = 1; columns <= most; columns = after_columns(columns))
        for (int members = 1; (members - 1) * columns <= most; members = after(members))
            for (int parities = 1; parities <= 2 * members; parities = after(parities))
                for (int spread = 0; spread < 2; spread++)
                    add_block(list,
                              (struct parity_scheme){.columns = columns,
                                                     .members = members,
                                                     .parities = parities,
                                                     .spread = spread},
                              most);
    for (int columns = 2; columns <= most; columns = after(columns))
        for (int rows = 2; rows * columns <= most; rows = after(rows))
            add(list, (struct parity_scheme){
                          .family = PARITY_XOR_2D, .columns = columns, .members = rows});
}

static void list_sliding(struct list *list, int most)
{
    for (int window = 1; window <= most; window = after(window))
        for (int between = 1; between <= 20 && between <= window; between = after(between))
            for (int parities = 1; parities < SLOTS; parities++)
                add(list, (struct parity_scheme){.family = PARITY_SLIDING,
                                                 .window = window,
                                                 .members = between,
                                                 .parities = parities});
}

int parity_list(int interval_us, int streams, struct parity_scheme *out)
{
    int most = PARITY_MOST_DELAY_MS * 1000 / interval_us;
    struct list list = {.schemes = out};
    add(&list, (struct parity_scheme){.family = PARITY_NOTHING});
    list_copies(&list, interval_us, 1);
    if (streams > 1)
        list_copies(&list, interval_us, streams);
    list_blocks(&list, most);
    list_sliding(&list, most);
    return list.count;
}
