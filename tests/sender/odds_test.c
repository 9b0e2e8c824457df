#include "sender/odds.h"

#include "base/rng.h"
#include "support/test.h"

#include <math.h>
#include <stdbool.h>

enum { PACKETS = 400000, BEYOND = 64 };

static bool lost[PACKETS + BEYOND];

/* A Gilbert chain of that share and mean burst. */
static void draw(const struct vox_odds_loss *loss, uint64_t seed)
{
    struct vox_rng rng;
    double burst = fmax(loss->burst, 1 / (1 - loss->share));
    double in = loss->share / (1 - loss->share) / burst;
    bool is_bad = false;
    vox_rng_init(&rng, seed, 0);
    for (int i = 0; i < PACKETS + BEYOND; i++) {
        is_bad = is_bad ? vox_rng_uniform(&rng) >= 1 / burst : vox_rng_uniform(&rng) < in;
        lost[i] = is_bad;
    }
}

/* Whether packet i or one of the copies of it came in time, with or without their FEC. */
static bool is_there(int i, const struct vox_odds_means *means, bool fec)
{
    bool came = !lost[i] || (fec && means->reach >= 1 && !lost[i + 1]);
    for (int k = 0; k < VOX_SENDER_MAX_COPIES && means->distances[k] > 0; k++) {
        int at = means->distances[k];
        came = came || (at <= means->reach && !lost[i + at]);
        came = came || (fec && at + 1 <= means->reach && !lost[i + at + 1]);
    }
    return came;
}

static bool is_repeated(int i, const struct vox_odds_means *means, double share,
                        struct vox_rng *rng)
{
    for (double at = means->retry_packets; at > 0 && at <= means->reach; at += means->retry_packets)
        if (vox_rng_uniform(rng) >= share && !lost[i + (int)at])
            return true;
    return false;
}

static struct vox_odds count(const struct vox_odds_loss *loss, const struct vox_odds_means *means)
{
    struct vox_odds odds = {.missing = 0};
    struct vox_rng rng;
    vox_rng_init(&rng, 5, 0);
    for (int i = 0; i < PACKETS; i++) {
        bool repeated = is_repeated(i, means, loss->share, &rng);
        bool whole = repeated || is_there(i, means, false);
        bool any = repeated || is_there(i, means, means->fec);
        odds.missing += !any;
        odds.coarse += any && !whole;
    }
    odds.missing /= PACKETS;
    odds.coarse /= PACKETS;
    return odds;
}

static const struct vox_odds_loss losses[] = {{0.05, 1}, {0.1, 1}, {0.2, 1.25}, {0.3, 1.4},
                                              {0.2, 3},  {0.3, 6}, {0.6, 4}};

/* Events of bursts are not independent: the deviation of a count is that many times larger. */
static double bound(double share, const struct vox_odds_loss *loss)
{
    double runs = fmax(2 * loss->burst - 1, 1) * 4;
    return 5 * sqrt(share * (1 - share) * runs / PACKETS) + 2e-5;
}

static void expect_alike(const struct vox_odds_loss *loss, const struct vox_odds_means *means)
{
    struct vox_odds counted = count(loss, means), told;
    vox_odds_predict(loss, means, &told);
    if (fabs(counted.missing - told.missing) > bound(told.missing, loss) ||
        fabs(counted.coarse - told.coarse) > bound(told.coarse, loss))
        fail_msg("%g in %g, fec %d, copies %d %d %d, reach %d, retry %g: counted %g %g, told %g %g",
                 loss->share, loss->burst, (int)means->fec, means->distances[0],
                 means->distances[1], means->distances[2], means->reach, means->retry_packets,
                 counted.missing, counted.coarse, told.missing, told.coarse);
}

static void copies_and_fec_leave_what_a_simulation_leaves(void **state)
{
    static const struct vox_odds_means means[] = {
        {.reach = 0},
        {.fec = true, .reach = 0},
        {.fec = true, .reach = 1},
        {.distances = {1}, .reach = 1},
        {.fec = true, .distances = {1}, .reach = 1},
        {.fec = true, .distances = {1}, .reach = 2},
        {.distances = {3}, .reach = 3},
        {.fec = true, .distances = {3}, .reach = 4},
        {.fec = true, .distances = {2, 4}, .reach = 5},
        {.fec = true, .distances = {2, 4}, .reach = 3},
        {.distances = {1, 2, 3, 4}, .reach = 4},
        {.fec = true, .distances = {1, 4, 9, 30}, .reach = 31},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(losses); i++) {
        draw(&losses[i], 100 + i);
        for (size_t k = 0; k < COUNT(means); k++)
            expect_alike(&losses[i], &means[k]);
    }
}

static void retransmissions_leave_what_a_simulation_leaves(void **state)
{
    static const struct vox_odds_means means[] = {
        {.reach = 4, .retry_packets = 1},
        {.reach = 4, .retry_packets = 2},
        {.reach = 4, .retry_packets = 5},
        {.reach = 12, .retry_packets = 4},
        {.fec = true, .reach = 3, .retry_packets = 3},
        {.fec = true, .distances = {2}, .reach = 3, .retry_packets = 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(losses); i++) {
        draw(&losses[i], 200 + i);
        for (size_t k = 0; k < COUNT(means); k++)
            expect_alike(&losses[i], &means[k]);
    }
}

static void alone_means_no_less_than_alone(void **state)
{
    struct vox_odds_means means = {.fec = true, .distances = {2}, .reach = 3};
    struct vox_odds exact, less;
    (void)state;
    vox_odds_predict(&(struct vox_odds_loss){0.2, 1.25}, &means, &exact);
    vox_odds_predict(&(struct vox_odds_loss){0.2, 0}, &means, &less);
    assert_true(fabs(exact.missing - less.missing) < 1e-12);
    assert_true(fabs(exact.missing - 0.0016) < 1e-9);         /* four carriers */
    assert_true(fabs(exact.coarse - (0.04 - 0.0016)) < 1e-9); /* of which two are whole */
}

static void nothing_lost_is_nothing_missing(void **state)
{
    struct vox_odds left = {1, 1};
    (void)state;
    vox_odds_predict(&(struct vox_odds_loss){0, 1}, &(struct vox_odds_means){.reach = 0}, &left);
    assert_true(left.missing == 0 && left.coarse == 0);
    left.missing = 1;
    vox_odds_predict(&(struct vox_odds_loss){-1, 0}, &(struct vox_odds_means){.fec = true}, &left);
    assert_true(left.missing == 0 && left.coarse == 0);
}

static struct vox_odds_means any_means(struct vox_rng *rng)
{
    struct vox_odds_means means = {.fec = vox_rng_uniform(rng) < 0.5,
                                   .reach = (int)(vox_rng_uniform(rng) * 70)};
    int at = 0;
    for (int i = 0; i < VOX_SENDER_MAX_COPIES && vox_rng_uniform(rng) < 0.7; i++)
        means.distances[i] = at += 1 + (int)(vox_rng_uniform(rng) * 15);
    if (vox_rng_uniform(rng) < 0.5)
        means.retry_packets = vox_rng_uniform(rng) * 10 + 0.2;
    return means;
}

/* Whatever is asked: shares are shares, and no means does harm. */
static void odds_are_odds(void **state)
{
    static const double edges[] = {0, 1e-300, 1e-9, 0.5, 0.949, 0.95, 0.951, 1, 2};
    struct vox_rng rng;
    (void)state;
    vox_rng_init(&rng, 17, 0);
    for (int i = 0; i < 20000; i++) {
        struct vox_odds_means means = any_means(&rng);
        struct vox_odds_loss loss = {.share = i % 2 ? vox_rng_uniform(&rng) : edges[i / 2 % 9],
                                     .burst = i % 3 ? vox_rng_uniform(&rng) * 30 : 0};
        struct vox_odds left, plain;
        vox_odds_predict(&loss, &means, &left);
        vox_odds_predict(&loss, &(struct vox_odds_means){.reach = means.reach}, &plain);
        if (!(left.missing >= 0 && left.missing <= 1 && left.coarse >= 0 &&
              left.missing + left.coarse <= plain.missing + 1e-12))
            fail_msg("%g in %g (%d of seed 17): %g %g, without %g", loss.share, loss.burst, i,
                     left.missing, left.coarse, plain.missing);
    }
}

static void more_time_and_more_copies_leave_less(void **state)
{
    struct vox_rng rng;
    (void)state;
    vox_rng_init(&rng, 18, 0);
    for (int i = 0; i < 5000; i++) {
        struct vox_odds_means means = any_means(&rng), more = means;
        struct vox_odds_loss loss = {vox_rng_uniform(&rng), vox_rng_uniform(&rng) * 9};
        struct vox_odds left, less;
        int copies = 0;
        while (copies < VOX_SENDER_MAX_COPIES && means.distances[copies] > 0)
            copies++;
        more.reach += 5;
        if (copies < VOX_SENDER_MAX_COPIES)
            more.distances[copies] = (copies > 0 ? means.distances[copies - 1] : 0) + 2;
        vox_odds_predict(&loss, &means, &left);
        vox_odds_predict(&loss, &more, &less);
        assert_true(less.missing <= left.missing + 1e-12);
    }
}

RUN(cmocka_unit_test(copies_and_fec_leave_what_a_simulation_leaves),
    cmocka_unit_test(retransmissions_leave_what_a_simulation_leaves),
    cmocka_unit_test(alone_means_no_less_than_alone),
    cmocka_unit_test(nothing_lost_is_nothing_missing), cmocka_unit_test(odds_are_odds),
    cmocka_unit_test(more_time_and_more_copies_leave_less))
