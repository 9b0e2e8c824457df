#include "sender/odds.h"

#include <math.h>
#include <stddef.h>

enum {
    MOST_CARRIERS = 2 * (VOX_SENDER_MAX_COPIES + 1),
    MOST_TRIES = 16, /* counted: what so many do not bring, more will not */
};

/* The packets, by how much later than the frame they are sent, that carry it, in order. */
struct carriers {
    int at[MOST_CARRIERS];
    size_t count;
};

static void add(struct carriers *carriers, int at, int reach)
{
    size_t i = carriers->count;
    for (size_t k = 0; k < carriers->count; k++)
        if (carriers->at[k] == at)
            return;
    if (at > reach)
        return;
    for (; i > 0 && carriers->at[i - 1] > at; i--)
        carriers->at[i] = carriers->at[i - 1];
    carriers->at[i] = at;
    carriers->count++;
}

static struct carriers carriers_of(const struct vox_odds_means *means, bool with_fec)
{
    struct carriers carriers = {.count = 0};
    add(&carriers, 0, means->reach);
    if (with_fec)
        add(&carriers, 1, means->reach);
    for (int i = 0; i < VOX_SENDER_MAX_COPIES && means->distances[i] > 0; i++) {
        add(&carriers, means->distances[i], means->reach);
        if (with_fec)
            add(&carriers, means->distances[i] + 1, means->reach);
    }
    return carriers;
}

/* r: how much more a packet is lost for the one before it being lost. */
static double correlation(const struct vox_odds_loss *loss)
{
    double alone = 1 / (1 - loss->share);
    double burst = fmax(loss->burst, alone);
    /* 0 where each is lost by itself, and never less, by rounding: roots are taken of it. */
    return fmax(1 - 1 / burst - loss->share / (1 - loss->share) / burst, 0);
}

/* Of small whole numbers, nearly always. */
static double power(double r, double exponent)
{
    int whole = (int)exponent;
    double result = 1;
    if ((double)whole != exponent)
        return pow(r, exponent);
    for (; whole > 0; whole >>= 1, r *= r)
        if ((whole & 1) != 0)
            result *= r;
    return result;
}

/* The odds that nothing has brought the frame yet, with the chain in either state. */
struct walk {
    double share, r;
    double lossy, clear;
    double at;
};

static void walk_to(struct walk *w, double at)
{
    double kept = power(w->r, at - w->at);
    double all = w->lossy + w->clear;
    w->lossy = kept * w->lossy + (1 - kept) * w->share * all;
    w->clear = all - w->lossy;
    w->at = at;
}

/* That all carriers are lost, and all retransmissions for which there is time: each on its way, or
 * the request for it on the other. */
static double nothing_comes(const struct vox_odds_loss *loss, const struct vox_odds_means *means,
                            const struct carriers *carriers)
{
    struct walk w = {.share = loss->share, .r = correlation(loss), .lossy = loss->share};
    size_t next = 1; /* the frame's own packet is lost already */
    double retry = means->retry_packets > 0 ? means->retry_packets : HUGE_VAL;
    for (int tries = 0; next < carriers->count || retry <= means->reach;) {
        bool is_carrier = next < carriers->count && carriers->at[next] <= retry;
        walk_to(&w, is_carrier ? carriers->at[next] : retry);
        w.clear *= is_carrier ? 0 : loss->share;
        next += is_carrier;
        if (!is_carrier)
            retry = ++tries < MOST_TRIES ? retry + means->retry_packets : HUGE_VAL;
    }
    return w.lossy + w.clear;
}

void vox_odds_predict(const struct vox_odds_loss *loss, const struct vox_odds_means *means,
                      struct vox_odds *out)
{
    *out = (struct vox_odds){.missing = 0};
    if (loss->share <= 0)
        return;
    struct vox_odds_loss bounded = {.share = fmin(loss->share, 0.95), .burst = loss->burst};
    struct carriers whole = carriers_of(means, false);
    struct carriers any = carriers_of(means, means->fec);
    out->missing = nothing_comes(&bounded, means, &any);
    out->coarse = fmax(nothing_comes(&bounded, means, &whole) - out->missing, 0);
}
