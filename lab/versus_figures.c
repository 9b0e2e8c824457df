#include "lab/versus_figures.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/emodel.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *title;
    const char *explanation;
} arms[VOX_VERSUS_ARMS] = {
    [VOX_VERSUS_PLAIN] = {"plain", "plain UDP",
                          "each packet is sent once; what is lost is silence"},
    [VOX_VERSUS_CONCEAL] = {"concealment", "UDP with concealment alone",
                            "the same, but the listener's program makes up what is missing from "
                            "what it has just played"},
    [VOX_VERSUS_FEC] = {"fec", "UDP with in-band FEC",
                        "each packet also has a coarse copy of the one before it, out of the same "
                        "bits"},
    [VOX_VERSUS_RED] = {"red", "UDP with RED", "each packet also has whole copies of earlier ones"},
    [VOX_VERSUS_RTX] = {"retransmission", "UDP with retransmission",
                        "what is missing is asked for, and sent again"},
    [VOX_VERSUS_CUBIC] = {"tcp-cubic", "TCP (cubic)",
                          "the kernel sends again what is lost, and hands out everything in order; "
                          "cubic, its usual way to decide how fast to send, slows down at losses"},
    [VOX_VERSUS_BBR] = {"tcp-bbr", "TCP (bbr)",
                        "the same; bbr goes by the rate and the round trip that it measures"},
};

const char *vox_versus_name(enum vox_versus_arm arm)
{
    return arms[arm].name;
}

const char *vox_versus_title(enum vox_versus_arm arm)
{
    return arms[arm].title;
}

const char *vox_versus_explanation(enum vox_versus_arm arm)
{
    return arms[arm].explanation;
}

bool vox_versus_is_tcp(enum vox_versus_arm arm)
{
    return arm >= VOX_VERSUS_CUBIC;
}

void vox_versus_budgets_init(struct vox_versus_budgets *budgets, double chosen_ms)
{
    static const double usual_ms[] = {60, 100, 200, 400};
    *budgets = (struct vox_versus_budgets){.chosen = -1};
    for (size_t i = 0; i < sizeof usual_ms / sizeof *usual_ms; i++) {
        if (budgets->chosen < 0 && chosen_ms <= usual_ms[i]) {
            budgets->chosen = budgets->count;
            if (chosen_ms < usual_ms[i])
                budgets->ms[budgets->count++] = chosen_ms;
        }
        budgets->ms[budgets->count++] = usual_ms[i];
    }
    if (budgets->chosen < 0) {
        budgets->chosen = budgets->count;
        budgets->ms[budgets->count++] = chosen_ms;
    }
}

double vox_versus_largest_ms(const struct vox_versus_budgets *budgets)
{
    return budgets->ms[budgets->count - 1];
}

/* Frames that are missing are concealed, also behind TCP; only plain UDP leaves silence. */
static double rate_loss(enum vox_versus_arm arm, double delay_ms, double burst_ratio,
                        double loss_pct)
{
    struct vox_emodel e;
    struct vox_emodel_rating rating;
    vox_emodel_init(&e);
    e.delay_ms = delay_ms;
    e.loss_pct = loss_pct;
    e.burst_ratio = burst_ratio;
    e.bpl = arm == VOX_VERSUS_PLAIN ? VOX_EMODEL_BPL_SILENCE : VOX_EMODEL_BPL_CONCEALED;
    return vox_emodel_rate(&e, &rating) >= 0 ? rating.r : 0;
}

/* The formula holds for a loss of up to 20 % (its permitted range); all lost, it would still give
 * some 16. */
static double rate(enum vox_versus_arm arm, double delay_ms,
                   const struct vox_playable_missing *missing)
{
    static const double most_pct = 20, all_pct = 100;
    double r = rate_loss(arm, delay_ms, missing->burst_ratio, missing->pct);
    if (missing->pct <= most_pct)
        return r;
    double at_most = rate_loss(arm, delay_ms, missing->burst_ratio, most_pct);
    return fmin(r, at_most * (all_pct - missing->pct) / (all_pct - most_pct));
}

static void measure_budgets(const struct vox_versus_budgets *budgets, enum vox_versus_arm arm,
                            const struct vox_versus_run *run, double *out)
{
    for (int i = 0; i < budgets->count; i++) {
        struct vox_playable_missing missing;
        vox_playable_at(run->playable, vox_ms_to_ns(budgets->ms[i]), &missing);
        out[VOX_VERSUS_LATE_PCT + i] = missing.pct;
        out[VOX_VERSUS_R_AT + i] = rate(arm, budgets->ms[i] + run->extra_ms, &missing);
        if (i != budgets->chosen)
            continue;
        out[VOX_VERSUS_GAP_MS] = vox_ns_to_ms(missing.longest_ns);
        out[VOX_VERSUS_R] = out[VOX_VERSUS_R_AT + i];
    }
}

int vox_versus_measure(const struct vox_versus_budgets *budgets, enum vox_versus_arm arm,
                       const struct vox_versus_run *run, double out[VOX_VERSUS_FIGURES])
{
    struct vox_playable_delays delays;
    int err = vox_playable_delays(run->playable, &delays);
    if (err < 0)
        return err;
    for (int i = 0; i < VOX_VERSUS_FIGURES; i++)
        out[i] = 0;
    double minutes =
        (double)run->playable->count * (double)run->playable->frame_ns / (60.0 * VOX_NS_PER_S);
    out[VOX_VERSUS_P50] = vox_ns_to_ms(delays.p50_ns);
    out[VOX_VERSUS_P95] = vox_ns_to_ms(delays.p95_ns);
    out[VOX_VERSUS_P99] = vox_ns_to_ms(delays.p99_ns);
    out[VOX_VERSUS_MAX] = vox_ns_to_ms(delays.max_ns);
    out[VOX_VERSUS_LOST_PCT] = delays.lost_pct;
    out[VOX_VERSUS_SILENCE_MS] = vox_ns_to_ms(delays.longest_wait_ns);
    out[VOX_VERSUS_THERE_KB] = (double)run->bytes_there / 1e3 / minutes;
    out[VOX_VERSUS_BACK_KB] = (double)run->bytes_back / 1e3 / minutes;
    out[VOX_VERSUS_WIRE_KB] = out[VOX_VERSUS_THERE_KB] + out[VOX_VERSUS_BACK_KB];
    out[VOX_VERSUS_CONCEALED_PCT] = run->concealed_pct;
    measure_budgets(budgets, arm, run, out);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int vox_versus_spread(const double *values, size_t count, size_t stride,
                      struct vox_versus_spread *out)
{
    if (count == 0)
        return VOX_EINVAL;
    double *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return VOX_ENOMEM;
    for (size_t i = 0; i < count; i++)
        sorted[i] = values[i * stride];
    qsort(sorted, count, sizeof *sorted, by_size);
    *out = (struct vox_versus_spread){
        .median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
        .min = sorted[0],
        .max = sorted[count - 1],
    };
    free(sorted);
    return 0;
}
