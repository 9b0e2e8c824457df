#include "lab/emodel.h"

#include "base/err.h"

#include <math.h>
#include <stdbool.h>

/* What the formulas of G.107 7.2 and 7.3 give for its default values; the test derives them. */
static const double NOISE_DBM0P = -61.1792;      /* No */
static const double SIGNAL_TO_NOISE = 94.76882;  /* Ro */
static const double SIMULTANEOUS = 1.41357;      /* Is */
static const double RECEIVE_LOUDNESS_DB = 2.0;   /* RLR */
static const double WEIGHTED_ECHO_LOSS_DB = 110; /* WEPL */
static const double HEARD_DELAY_MS = 100.0;      /* mT of the default sensitivity class */
static const double LIMIT_DELAY_MS = 60e3;       /* beyond it nothing changes any more */

void vox_emodel_init(struct vox_emodel *e)
{
    *e = (struct vox_emodel){.burst_ratio = 1.0, .bpl = VOX_EMODEL_BPL_CONCEALED, .telr_db = 65.0};
}

/* The smooth maximum by which G.107 joins an impairment to none. */
static double soften(double difference, double knee)
{
    return difference / 2.0 + sqrt(difference * difference / 4.0 + knee);
}

/* Idte of 7.4. Sidetone (STMR) is at its default of 15 dB: no masking to add. */
static double talker_echo(double delay_ms, double telr_db)
{
    if (isinf(telr_db))
        return 0.0;
    double t = delay_ms;
    double terv =
        telr_db - 40.0 * log10((1.0 + t / 10.0) / (1.0 + t / 150.0)) + 6.0 * exp(-0.3 * t * t);
    double without = -1.5 * (NOISE_DBM0P - RECEIVE_LOUDNESS_DB); /* Roe */
    double with = 80.0 + 2.5 * (terv - 14.0);                    /* Re */
    /* Above some 80 dB of TELR the formula would reward the echo by up to 1. */
    return fmax(soften(without - with, 100.0) - 1.0, 0.0) * (1.0 - exp(-t));
}

/* Idle of 7.4, for a round trip of twice the delay. */
static double listener_echo(double delay_ms)
{
    double with = 10.5 * (WEIGHTED_ECHO_LOSS_DB + 7.0) * pow(2.0 * delay_ms + 1.0, -0.25);
    return soften(SIGNAL_TO_NOISE - with, 169.0);
}

/* Idd of 7.4, (7-27) and (7-28): too long a delay, even without echo; sT = 1. */
static double absolute_delay(double delay_ms)
{
    if (delay_ms <= HEARD_DELAY_MS)
        return 0.0;
    double x = log2(delay_ms / HEARD_DELAY_MS);
    return 25.0 * (pow(1.0 + pow(x, 6.0), 1.0 / 6.0) -
                   3.0 * pow(1.0 + pow(x / 3.0, 6.0), 1.0 / 6.0) + 2.0);
}

/* Ie,eff of 7.5, (7-29). */
static double equipment(const struct vox_emodel *e)
{
    return e->ie + (95.0 - e->ie) * e->loss_pct / (e->loss_pct / e->burst_ratio + e->bpl);
}

static bool is_valid(const struct vox_emodel *e)
{
    return e->delay_ms >= 0.0 && e->loss_pct >= 0.0 && e->loss_pct <= 100.0 &&
           e->burst_ratio >= 1.0 && e->ie >= 0.0 && e->ie <= 95.0 && e->bpl > 0.0 &&
           e->telr_db >= 5.0;
}

int vox_emodel_rate(const struct vox_emodel *e, struct vox_emodel_rating *out)
{
    if (!is_valid(e))
        return VOX_EINVAL;
    double delay_ms = fmin(e->delay_ms, LIMIT_DELAY_MS);
    double idd = absolute_delay(delay_ms);
    double id = talker_echo(delay_ms, e->telr_db) + listener_echo(delay_ms) + idd;
    double ie_eff = equipment(e);
    double r = SIGNAL_TO_NOISE - SIMULTANEOUS - id - ie_eff;
    *out = (struct vox_emodel_rating){.r = fmax(r, 0.0),
                                      .delay_impairment = id,
                                      .absolute_delay = idd,
                                      .equipment_impairment = ie_eff};
    out->mos = vox_emodel_mos(out->r);
    return 0;
}

double vox_emodel_mos(double r)
{
    if (r >= 100.0)
        return 4.5;
    /* The cubic dips to 0.989 on its way from 1 at R = 0 to 1 at R = 6.52. */
    double above = 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
    return r <= 0.0 || above < 0.0 ? 1.0 : 1.0 + above;
}
