#include "lab/versus_verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Smaller differences are shown as 0.0. */
static const double SEEN_R = 0.05;
static const double PAST_R = 0.5; /* shown as 0 */
static const double LEAST_PCT = 0.1;
/* What would be shown as 100.0 %. */
static const double ALL_PCT = 99.95;
/* With so little missing a bad rating is the delay's own. */
static const double LITTLE_PCT = 1.0;
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

/* Of two that are past rating, the one that misses less. */
static bool is_better(const struct vox_versus_table *t, int budget, int arm, int than)
{
    double r = figure(t, arm, VOX_VERSUS_R_AT + budget);
    double other = figure(t, than, VOX_VERSUS_R_AT + budget);
    if (r < PAST_R && other < PAST_R)
        return figure(t, arm, VOX_VERSUS_LATE_PCT + budget) <
               figure(t, than, VOX_VERSUS_LATE_PCT + budget);
    return r > other;
}

static int best_of(const struct vox_versus_table *t, int budget, bool (*counts)(int arm))
{
    int best = -1;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (t->has[arm] && (!counts || counts(arm)) &&
            (best < 0 || is_better(t, budget, arm, best)))
            best = arm;
    return best;
}

/* The least of a figure. */
static int least_of(const struct vox_versus_table *t, int what)
{
    int least = -1;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (t->has[arm] && (least < 0 || figure(t, arm, what) < figure(t, least, what)))
            least = arm;
    return least;
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
    /* Not at the beginning of a sentence: one of them is "plain UDP". */
    if (better < SEEN_R)
        add(out, "; as good is %s, which takes %.0f %% more bytes", title(best), 100 * more);
    else
        add(out, "; %s is better by %.1f R, which nobody hears, and takes %.0f %% more bytes",
            title(best), better, 100 * more);
}

static bool is_alone(const struct vox_versus_table *t)
{
    int count = 0;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        count += t->has[arm];
    return count == 1;
}

static bool is_poor(const struct vox_versus_table *t, int budget)
{
    return figure(t, best_of(t, budget, NULL), VOX_VERSUS_R_AT + budget) < VOX_VERSUS_POOR_R;
}

/* What the most modest of them puts on the link. */
static double least_kbps(const struct vox_versus_table *t)
{
    return figure(t, least_of(t, VOX_VERSUS_WIRE_KB), VOX_VERSUS_WIRE_KB) * 8 / 60;
}

/* Patience helps only if more of it is good somewhere in the table. */
static bool time_helps(const struct vox_versus_budgets *budgets, const struct vox_versus_table *t,
                       int budget)
{
    for (int i = budget + 1; i < budgets->count; i++)
        if (!is_poor(t, i))
            return true;
    return false;
}

static void add_advice(char *out, const struct vox_versus_budgets *budgets,
                       const struct vox_versus_table *t, int budget)
{
    bool repaired = t->has[VOX_VERSUS_FEC] || t->has[VOX_VERSUS_RED] || t->has[VOX_VERSUS_RTX];
    if (t->link_kbps > 0 && least_kbps(t) > t->link_kbps)
        add(out,
            "The sound with its headers takes %.0f kbit/s, and the link carries %g: lower "
            "--bitrate",
            least_kbps(t), t->link_kbps);
    else if (time_helps(budgets, t, budget))
        add(out, "Allow more delay%s", repaired ? ", or spend more bytes on protection" : "");
    else if (!repaired)
        add(out, "Repair what is lost: try FEC, RED or retransmission");
    else
        add(out, "Spend more bytes on protection, as with --red 2");
}

/* The delay is what is wrong, whichever way is taken. */
static bool say_too_long(const struct vox_versus_budgets *budgets, const struct vox_versus_table *t,
                         int budget, struct vox_versus_verdict *v)
{
    if (figure(t, v->best, VOX_VERSUS_LATE_PCT + budget) >= LITTLE_PCT)
        return false;
    add(v->text,
        "With a budget of %g ms no conversation is good, so long is the delay alone; for listening "
        "only, %s ",
        budgets->ms[budget], title(v->best));
    add_missing(v->text, t, v->best, budget);
    add(v->text, ".");
    return true;
}

static bool say_too_late(const struct vox_versus_budgets *budgets, const struct vox_versus_table *t,
                         int budget, struct vox_versus_verdict *v)
{
    int fastest = least_of(t, VOX_VERSUS_P50);
    if (figure(t, v->best, VOX_VERSUS_LATE_PCT + budget) < ALL_PCT)
        return false;
    add(v->text,
        "With a budget of %g ms nothing can be played: half of what came by %s%s took "
        "%.0f ms and more. ",
        budgets->ms[budget], title(fastest), is_alone(t) ? "" : ", the fastest here,",
        figure(t, fastest, VOX_VERSUS_P50));
    if (t->link_kbps > 0 && least_kbps(t) > t->link_kbps)
        add_advice(v->text, budgets, t, budget);
    else
        add(v->text, "Allow more delay, or find a shorter way");
    add(v->text, ".");
    return true;
}

static void say_nothing_good(const struct vox_versus_budgets *budgets,
                             const struct vox_versus_table *t, int budget,
                             struct vox_versus_verdict *v)
{
    if (say_too_long(budgets, t, budget, v) || say_too_late(budgets, t, budget, v))
        return;
    add(v->text, "With a budget of %g ms nothing is good here: %s%s, %s, ", budgets->ms[budget],
        is_alone(t) ? "" : "even ", title(v->best),
        is_alone(t) ? "all that was tried" : "the best of them");
    add_missing(v->text, t, v->best, budget);
    add(v->text, ". Nearly all users are dissatisfied below R %.0f. ", VOX_VERSUS_POOR_R);
    add_advice(v->text, budgets, t, budget);
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
    if (is_poor(table, budget)) {
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

static bool brings_nothing(const struct vox_versus_budgets *budgets,
                           const struct vox_versus_table *t)
{
    int longest = budgets->count - 1;
    return figure(t, VOX_VERSUS_PLAIN, VOX_VERSUS_LATE_PCT + longest) >= ALL_PCT &&
           figure(t, best_of(t, longest, is_tcp), VOX_VERSUS_LATE_PCT + longest) >= ALL_PCT;
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
    if (losses == 0 && brings_nothing(budgets, table))
        add(out, "Neither plain UDP nor TCP brings a frame within any of the budgets");
    else if (losses == 0)
        add(out, "Within none of the budgets does TCP bring more frames than plain UDP");
    add(out, ".");
}
