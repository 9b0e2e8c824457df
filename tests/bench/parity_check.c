#include "parity_check.h"

#include "parity_net.h"

#include <math.h>
#include <stdio.h>

enum { INTERVAL_US = 20000, SLOTS = PARITY_SLOTS, LONGEST = PARITY_DELAYS - 1 };

static const double LOSS = 0.2;

/* Six standard errors, as losses that are repaired in blocks come together. */
static const double TOLERANCE = 6;

static struct parity_scheme schemes[PARITY_MAX_SCHEMES];

static double left(const struct parity_scheme *scheme)
{
    struct parity_result result;
    parity_run(scheme);
    parity_count(&result);
    double sum = 0;
    for (int half = 0; half < 2; half++)
        sum += result.lost[half][0][LONGEST] + result.coarse[half][0][LONGEST];
    return sum / 2;
}

static bool expect(const char *what, const struct parity_scheme *scheme, double wanted)
{
    double got = left(scheme);
    if (fabs(got - wanted) <= TOLERANCE * sqrt(wanted / PARITY_PACKETS))
        return true;
    fprintf(stderr, "bench_parity: %s leaves %.5f, not %.5f\n", what, got, wanted);
    return false;
}

/* Of `others`, at least `least` are lost. */
static double chance(int others, int least)
{
    double sum = 0;
    for (int lost = least; lost <= others; lost++)
        sum += exp(lgamma(others + 1.0) - lgamma(lost + 1.0) - lgamma(others - lost + 1.0)) *
               pow(LOSS, lost) * pow(1 - LOSS, others - lost);
    return sum;
}

/* A packet is lost for good if of the others in its block as many are as there are parities. */
static bool check_closed_forms(void)
{
    parity_meet(&(struct parity_network){.loss = LOSS, .burst = 1, .seed = 7}, INTERVAL_US);
    struct parity_scheme nothing = {.family = PARITY_NOTHING};
    struct parity_scheme copies = {.family = PARITY_COPIES, .stride = 1, .copies = 2, .spacing = 3};
    struct parity_scheme row = {.family = PARITY_XOR, .columns = 1, .members = 4, .parities = 1};
    struct parity_scheme column = {
        .family = PARITY_XOR, .columns = 3, .members = 4, .parities = 1, .spread = true};
    struct parity_scheme block = {
        .family = PARITY_BLOCK, .columns = 1, .members = 8, .parities = 5};
    struct parity_scheme spread = {
        .family = PARITY_BLOCK, .columns = 2, .members = 4, .parities = 3, .spread = true};
    struct parity_scheme repeat = {
        .family = PARITY_SLIDING, .window = 1, .members = 1, .parities = 2};
    struct parity_scheme square = {.family = PARITY_XOR_2D, .columns = 2, .members = 2};
    bool ok = expect("nothing", &nothing, LOSS);
    ok &= expect("RED 2 x 3", &copies, pow(LOSS, 3));
    ok &= expect("XOR 4+1", &row, LOSS * chance(4, 1));
    ok &= expect("XOR 4+1 in 3 columns", &column, LOSS * chance(4, 1));
    ok &= expect("Reed-Solomon 8+5", &block, LOSS * chance(12, 5));
    ok &= expect("Reed-Solomon 4+3 in 2 columns", &spread, LOSS * chance(6, 3));
    ok &= expect("a window of 1", &repeat, pow(LOSS, 3));
    if (left(&square) < LOSS * chance(2, 1)) /* better than a row alone */
        return ok;
    fprintf(stderr, "bench_parity: 2-D XOR repairs less than a row\n");
    return false;
}

static bool check_no_loss(void)
{
    parity_meet_losses(NULL, 0, INTERVAL_US);
    int count = parity_list(INTERVAL_US, 1, schemes);
    for (int i = 0; i < count; i++)
        if (left(&schemes[i]) > 0) {
            fprintf(stderr, "bench_parity: scheme %d loses what arrived\n", i);
            return false;
        }
    return true;
}

/* Loses just these slots, and wants packet `packet` known from slot `wanted`. */
static bool repairs(const char *what, const struct parity_scheme *scheme, const int *slots,
                    int count, int packet, int wanted)
{
    parity_meet_losses(slots, count, INTERVAL_US);
    parity_run(scheme);
    if (parity_known(packet) == wanted)
        return true;
    fprintf(stderr, "bench_parity: %s: packet %d is known from slot %d, not %d\n", what, packet,
            parity_known(packet), wanted);
    return false;
}

static bool check_patterns(void)
{
    const int burst[] = {15 * SLOTS, 16 * SLOTS, 17 * SLOTS, 18 * SLOTS};
    const int outage[] = {60, 61, 64, 65, 68, 69}; /* packets 15 to 17, and parity after them */
    const int scattered[] = {60, 61, 64, 69, 72};  /* packets 15, 16, 18 */
    const int square[] = {16 * SLOTS, 17 * SLOTS, 20 * SLOTS, 21 * SLOTS};
    struct parity_scheme columns = {
        .family = PARITY_XOR, .columns = 4, .members = 4, .parities = 1, .spread = true};
    struct parity_scheme rows = {.family = PARITY_XOR, .columns = 1, .members = 4, .parities = 1};
    struct parity_scheme both = {.family = PARITY_XOR_2D, .columns = 4, .members = 4};
    struct parity_scheme window = {
        .family = PARITY_SLIDING, .window = 8, .members = 1, .parities = 1};
    struct parity_scheme brief = {
        .family = PARITY_SLIDING, .window = 2, .members = 1, .parities = 1};
    struct parity_scheme again = {.family = PARITY_AGAIN, .stride = 1, .rtt_us = 40000};
    struct parity_scheme copies = {.family = PARITY_COPIES, .stride = 1, .copies = 2, .spacing = 3};
    struct parity_scheme three = {
        .family = PARITY_SLIDING, .window = 3, .members = 1, .parities = 1};
    bool ok = repairs("columns", &columns, burst, 3, 16, 32 * SLOTS + 1);
    ok &= repairs("columns, again a block", &columns, burst, 4, 18, 34 * SLOTS + 1);
    ok &= repairs("a row", &rows, burst, 4, 15, 15 * SLOTS + 1);
    ok &= repairs("a row that lost two", &rows, burst, 4, 16, PARITY_NEVER);
    ok &= repairs("rows and columns, three corners", &both, square, 3, 16, 32 * SLOTS + 2);
    ok &= repairs("rows and columns, four corners", &both, square, 4, 16, PARITY_NEVER);
    ok &= repairs("a window", &window, outage, 6, 15, 20 * SLOTS + 1);
    ok &= repairs("a short window", &brief, outage, 6, 17, 18 * SLOTS + 1);
    ok &= repairs("a window that is past", &brief, outage, 6, 15, PARITY_NEVER);
    ok &= repairs("a window with a loss that leaves it", &three, scattered, 5, 18, 19 * SLOTS + 1);
    ok &= repairs("the first copy", &copies, burst, 4, 16, 19 * SLOTS);
    ok &= repairs("the second copy", &copies, burst, 4, 15, 21 * SLOTS);
    ok &= repairs("asking again", &again, burst, 4, 15, 21 * SLOTS);
    return ok;
}

bool parity_check(void)
{
    bool ok = check_no_loss();
    ok &= check_closed_forms();
    ok &= check_patterns();
    return ok;
}
