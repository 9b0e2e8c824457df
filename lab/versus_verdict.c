#include "lab/versus_verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Smaller differences are shown as 0.0. */
static const double SEEN_R = 0.05;
static const double LEAST_PCT = 0.1;
/* The encoder's bits differ by as much, with FEC and without. */
static const double SAME_BYTES = 0.05;

__attribute__((format(printf, 2, 3))) static void add(char *out, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, VOX_VERSUS_TEXT_BYTES - used, format, arguments);
    va_end(arguments);
}

static double figure(const struct vox_versus_table *t, int arm, int what)
{
    return t->figures[arm][what].median;
}

static int best_of(const struct vox_versus_table *t, int budget, bool (*counts)(int arm))
{
    int best = -1;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (t->has[arm] && (!counts || counts(arm)) &&
            (best < 0 ||
             figure(t, arm, VOX_VERSUS_R_AT + budget) > figure(t, best, VOX_VERSUS_R_AT + budget)))
            best = arm;
    return best;
}

/* Of ways with about the same bytes the simpler one is chosen, unless another is better. */
static bool is_cheaper(const struct vox_versus_table *t, int budget, int arm, int than)
{
    double bytes = figure(t, arm, VOX_VERSUS_WIRE_KB) / figure(t, than, VOX_VERSUS_WIRE_KB);
    double better =
        figure(t, arm, VOX_VERSUS_R_AT + budget) - figure(t, than, VOX_VERSUS_R_AT + budget);
    if (fabs(bytes - 1) > SAME_BYTES)
        return bytes < 1;
    return better > SEEN_R || (better > -SEEN_R && arm < than);
}

static int cheapest_near(const struct vox_versus_table *t, int budget, int best)
{
    int choice = best;
    double least_r = figure(t, best, VOX_VERSUS_R_AT + budget) - VOX_VERSUS_SAME_R;
    for (int arm = VOX_VERSUS_ARMS - 1; arm >= 0; arm--)
        if (t->has[arm] && figure(t, arm, VOX_VERSUS_R_AT + budget) >= least_r &&
            is_cheaper(t, budget, arm, choice))
            choice = arm;
    return choice;
}

static bool is_tcp(int arm)
{
    return vox_versus_is_tcp((enum vox_versus_arm)arm);
}

static bool is_udp(int arm)
{
    return !is_tcp(arm);
}

static const char *title(int arm)
{
    return vox_versus_title((enum vox_versus_arm)arm);
}

/* "2.1 %"; what would show as 0.0 is little, or none. */
static void add_share(char *out, double pct)
{
    if (pct <= 0)
        add(out, "none");
    else if (pct < LEAST_PCT)
        add(out, "less than %.1f %%", LEAST_PCT);
    else
        add(out, "%.1f %%", pct);
}

static void add_missing(char *out, const struct vox_versus_table *t, int arm, int budget)
{
    double late = figure(t, arm, VOX_VERSUS_LATE_PCT + budget);
    if (late <= 0) {
        add(out, "misses no frame");
    } else {
        add(out, "misses ");
        add_share(out, late);
        add(out, " of the frames");
    }
    add(out, " (R %.0f)", figure(t, arm, VOX_VERSUS_R_AT + budget));
}

/* "; TCP (cubic) misses 22.4 % (R 40)" */
static void add_rival(char *out, const struct vox_versus_table *t, int arm, int choice, int budget)
{
    if (arm < 0 || arm == choice || !t->has[arm])
        return;
    double late = figure(t, arm, VOX_VERSUS_LATE_PCT + budget);
    add(out, "; %s misses ", title(arm));
    add_share(out, late);
    if (arm == VOX_VERSUS_PLAIN && late > 0)
        add(out, ", which are silent");
    add(out, " (R %.0f)", figure(t, arm, VOX_VERSUS_R_AT + budget));
}

/* A better one that was not chosen, for its bytes. */
static void add_dearer(char *out, const struct vox_versus_table *t, int best, int choice,
                       int budget)
{
    if (best == choice)
        return;
    double more = figure(t, best, VOX_VERSUS_WIRE_KB) / figure(t, choice, VOX_VERSUS_WIRE_KB) - 1;
    double better =
        figure(t, best, VOX_VERSUS_R_AT + budget) - figure(t, choice, VOX_VERSUS_R_AT + budget);
    if (more < SAME_BYTES)
        return;
    if (better < SEEN_R)
        add(out, ". %s is as good and takes %.0f %% more bytes", title(best), 100 * more);
    else
        add(out, ". %s is better by %.1f R, which nobody hears, and takes %.0f %% more bytes",
            title(best), better, 100 * more);
}

static void say_nothing_good(const struct vox_versus_budgets *budgets,
                             const struct vox_versus_table *t, int budget,
                             struct vox_versus_verdict *v)
{
    add(v->text, "With a budget of %g ms nothing is good here: even %s, the best of them, ",
        budgets->ms[budget], title(v->best));
    add_missing(v->text, t, v->best, budget);
    add(v->text,
        ". Nearly all users are dissatisfied below R %.0f; allow more delay, or spend "
        "more bytes",
        VOX_VERSUS_POOR_R);
    add(v->text, ".");
}

static void say_choice(const struct vox_versus_budgets *budgets, const struct vox_versus_table *t,
                       int budget, struct vox_versus_verdict *v)
{
    int rival = best_of(t, budget, is_tcp(v->choice) ? is_udp : is_tcp);
    add(v->text, "With a budget of %g ms choose %s, because it ", budgets->ms[budget],
        title(v->choice));
    add_missing(v->text, t, v->choice, budget);
    add_rival(v->text, t, rival == v->best ? -1 : rival, v->choice, budget);
    if (v->choice != VOX_VERSUS_PLAIN && v->choice != VOX_VERSUS_CONCEAL)
        add_rival(v->text, t, t->has[VOX_VERSUS_CONCEAL] ? VOX_VERSUS_CONCEAL : VOX_VERSUS_PLAIN,
                  rival, budget);
    add_dearer(v->text, t, v->best, v->choice, budget);
    add(v->text, ".");
}

void vox_versus_judge(const struct vox_versus_budgets *budgets,
                      const struct vox_versus_table *table, int budget,
                      struct vox_versus_verdict *out)
{
    *out = (struct vox_versus_verdict){.budget_ms = budgets->ms[budget], .choice = -1};
    out->best = best_of(table, budget, NULL);
    if (out->best < 0) {
        add(out->text, "Nothing was run.");
        return;
    }
    if (figure(table, out->best, VOX_VERSUS_R_AT + budget) < VOX_VERSUS_POOR_R) {
        say_nothing_good(budgets, table, budget, out);
        return;
    }
    out->choice = cheapest_near(table, budget, out->best);
    say_choice(budgets, table, budget, out);
}

/* ---- plain UDP against TCP ---- */

static bool plain_loses(const struct vox_versus_table *t, int budget, int tcp)
{
    return figure(t, tcp, VOX_VERSUS_LATE_PCT + budget) <
           figure(t, VOX_VERSUS_PLAIN, VOX_VERSUS_LATE_PCT + budget);
}

/* "within 100 ms TCP (cubic) misses 2.1 % of the frames and plain UDP 4.9 %" */
static void add_loss(char *out, const struct vox_versus_budgets *budgets,
                     const struct vox_versus_table *t, int budget, int tcp)
{
    add(out, "within %g ms %s misses ", budgets->ms[budget], title(tcp));
    add_share(out, figure(t, tcp, VOX_VERSUS_LATE_PCT + budget));
    add(out, " of the frames and plain UDP ");
    add_share(out, figure(t, VOX_VERSUS_PLAIN, VOX_VERSUS_LATE_PCT + budget));
}

void vox_versus_judge_plain(const struct vox_versus_budgets *budgets,
                            const struct vox_versus_table *table, char out[VOX_VERSUS_TEXT_BYTES])
{
    int losses = 0;
    out[0] = '\0';
    if (!table->has[VOX_VERSUS_PLAIN] || best_of(table, 0, is_tcp) < 0)
        return;
    for (int i = 0; i < budgets->count; i++) {
        int tcp = best_of(table, i, is_tcp);
        if (!plain_loses(table, i, tcp))
            continue;
        add(out, "%s",
            losses++ == 0 ? "Plain UDP, without any repair, does not win everywhere: " : "; ");
        add_loss(out, budgets, table, i, tcp);
    }
    double lost = figure(table, VOX_VERSUS_PLAIN, VOX_VERSUS_LOST_PCT);
    if (losses > 0 && lost > 0)
        add(out, ". What it loses (%.1f %%) is lost for good; TCP brings it late", lost);
    if (losses == 0)
        add(out, "Within none of the budgets does TCP bring more frames than plain UDP");
    add(out, ".");
}
