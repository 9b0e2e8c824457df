#include "sender/odds.h"

#include <math.h>
#include <stddef.h>

enum { MOST_CARRIERS = 2 * (VOX_SENDER_MAX_COPIES + 1) };

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

static double all_lost(const struct vox_odds_loss *loss, const struct carriers *carriers)
{
    double r = correlation(loss);
    double odds = loss->share;
    for (size_t i = 1; i < carriers->count; i++)
        odds *= loss->share + (1 - loss->share) * pow(r, carriers->at[i] - carriers->at[i - 1]);
    return odds;
}

/* That all retransmissions for which there is time fail: each on its way, or the request for it. */
static double retries_fail(const struct vox_odds_loss *loss, const struct vox_odds_means *means)
{
    double odds = 1;
    double r = correlation(loss);
    if (means->retry_packets <= 0)
        return 1;
    for (double at = means->retry_packets; at <= means->reach; at += means->retry_packets) {
        double lost = loss->share + (1 - loss->share) * pow(r, at);
        odds *= 1 - (1 - loss->share) * (1 - lost);
    }
    return odds;
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
    double unasked = retries_fail(&bounded, means);
    double not_whole = all_lost(&bounded, &whole) * unasked;
    out->missing = all_lost(&bounded, &any) * unasked;
    out->coarse = not_whole - out->missing;
}
