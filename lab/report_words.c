#include "lab/report_words.h"

#include "base/time.h"
#include "lab/report_html.h"

#include <math.h>

/* As many rows are shown at once. */
enum { OPEN_ROWS = 12 };

static double percent(double part, double whole)
{
    return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

static const char *ending(size_t n)
{
    return n == 1 ? "" : "s";
}

/* Median and 95 % of the delay that a listener feels: from capture, where that is known. */
static const char *felt_delay(const struct vox_lab_facts *f, double *p50_ms, double *p95_ms)
{
    if (f->sum.total_is_absolute) {
        *p50_ms = vox_ns_to_ms(f->sum.delay.total.p50_ns);
        *p95_ms = vox_ns_to_ms(f->sum.delay.total.p95_ns);
        return "capture";
    }
    *p50_ms = vox_ns_to_ms(vox_lab_delays_quantile_ns(&f->total, 0.5));
    *p95_ms = vox_ns_to_ms(vox_lab_delays_quantile_ns(&f->total, 0.95));
    return "sending";
}

static double heard_ms(const struct vox_lab_facts *f)
{
    return vox_ns_to_ms(vox_rtp_to_ns(f->input->run->frames));
}

static size_t never_came(const struct vox_lab_facts *f)
{
    return f->outcomes[VOX_RUN_LOST] + f->outcomes[VOX_RUN_RECOVERED];
}

/* ---- the outcome ---- */

static void put_packets(const struct vox_lab_facts *f, FILE *page)
{
    size_t lost = never_came(f);
    size_t recovered = f->outcomes[VOX_RUN_RECOVERED];
    size_t late = f->outcomes[VOX_RUN_LATE];
    if (lost == 0)
        fprintf(page, "The network delivered all <b>%zu packets</b>", f->sent);
    else
        fprintf(page, "The network lost <b>%zu of %zu packets</b> (%.1f&nbsp;%%)", lost, f->sent,
                percent((double)lost, (double)f->sent));
    if (recovered > 0)
        fprintf(page, ", of which <b>%zu</b> could be recovered", recovered);
    if (late > 0)
        fprintf(page, "%s %zu came too late", lost ? ";" : ", but", late);
    fputs(". ", page);
}

static void put_glitches(const struct vox_lab_facts *f, FILE *page)
{
    int64_t longest_ns = 0;
    for (size_t i = 0; i < f->glitch_count; i++)
        if (f->glitches[i].duration_ns > longest_ns)
            longest_ns = f->glitches[i].duration_ns;
    if (f->glitch_count == 0) {
        fputs("There was <b>no glitch</b>.", page);
        return;
    }
    fprintf(page,
            "<b>%.1f&nbsp;%%</b> of the sound had to be made up, in <b>%zu glitch%s</b>; the "
            "longest took %.0f&nbsp;ms.",
            percent(vox_ns_to_ms(f->sum.concealed_ns), heard_ms(f)), f->glitch_count,
            f->glitch_count == 1 ? "" : "es", vox_ns_to_ms(longest_ns));
}

void vox_lab_words_lead(const struct vox_lab_facts *f, FILE *page)
{
    double p50, p95;
    const char *from = felt_delay(f, &p50, &p95);
    fprintf(page,
            "<p class=\"lead\"><b>%.1f&nbsp;s</b> were heard, <b>%.0f&nbsp;ms</b> after their %s. ",
            heard_ms(f) / 1e3, p50, from);
    put_packets(f, page);
    put_glitches(f, page);
    fputs("</p>\n", page);
}

/* ---- figures ---- */

static const char *satisfaction(double r)
{
    /* ITU-T G.107, Annex B, Table B.1 */
    return r >= 90.0   ? "users very satisfied"
           : r >= 80.0 ? "users satisfied"
           : r >= 70.0 ? "some users dissatisfied"
           : r >= 60.0 ? "many users dissatisfied"
           : r >= 50.0 ? "nearly all users dissatisfied"
                       : "not recommended";
}

static void put_ratings(const struct vox_lab_facts *f, FILE *page)
{
    const struct vox_lab_report_input *in = f->input;
    if (!isnan(in->r_factor)) {
        fprintf(page, "<div><dt>E-model</dt><dd><b>R&nbsp;%.0f</b><span>", in->r_factor);
        if (!isnan(in->mos))
            fprintf(page, "MOS %.1f; ", in->mos);
        fprintf(page, "%s</span></dd></div>\n", satisfaction(in->r_factor));
    }
    if (in->quality && in->quality->active_frames > 0)
        fprintf(page,
                "<div><dt>Likeness</dt><dd><b>%.1f&nbsp;dB</b><span>segmental SNR; spectra differ "
                "by %.1f&nbsp;dB</span></dd></div>\n",
                in->quality->segmental_snr_db, in->quality->log_spectral_distance_db);
}

void vox_lab_words_tiles(const struct vox_lab_facts *f, FILE *page)
{
    double p50, p95;
    size_t lost = never_came(f);
    const char *from = felt_delay(f, &p50, &p95);
    double concealed_ms = vox_ns_to_ms(f->sum.concealed_ns);
    fprintf(page,
            "<dl class=\"tiles\">\n<div><dt>Heard</dt><dd><b>%.1f&nbsp;s</b><span>of %.1f&nbsp;s "
            "sent</span></dd></div>\n",
            heard_ms(f) / 1e3, vox_ns_to_ms(vox_rtp_to_ns(f->input->reference_frames)) / 1e3);
    fprintf(page,
            "<div><dt>Delay</dt><dd><b>%.0f&nbsp;ms</b><span>%s to playout, median; "
            "95&nbsp;%%: %.0f&nbsp;ms</span></dd></div>\n",
            p50, from, p95);
    fprintf(page,
            "<div><dt>Lost</dt><dd><b>%.1f&nbsp;%%</b><span>%zu of %zu packets by the "
            "network</span></dd></div>\n",
            percent((double)lost, (double)f->sent), lost, f->sent);
    fprintf(page,
            "<div><dt>Recovered</dt><dd><b>%zu</b><span>of the lost, from in-band "
            "FEC</span></dd></div>\n",
            f->outcomes[VOX_RUN_RECOVERED]);
    fprintf(page,
            "<div><dt>Late</dt><dd><b>%zu</b><span>packet%s came after %s "
            "turn</span></dd></div>\n",
            f->outcomes[VOX_RUN_LATE], ending(f->outcomes[VOX_RUN_LATE]),
            f->outcomes[VOX_RUN_LATE] == 1 ? "its" : "their");
    fprintf(page,
            "<div><dt>Concealed</dt><dd><b>%.1f&nbsp;%%</b><span>%.0f&nbsp;ms made "
            "up</span></dd></div>\n",
            percent(concealed_ms, heard_ms(f)), concealed_ms);
    put_ratings(f, page);
    fputs("</dl>\n", page);
}

void vox_lab_words_settings(const struct vox_lab_facts *f, FILE *page)
{
    const char *const *setting = f->input->settings;
    if (!setting || !*setting)
        return;
    fputs("<dl class=\"card settings\">\n", page);
    for (; setting[0] && setting[1]; setting += 2) {
        fputs("<dt>", page);
        vox_lab_html_text(page, setting[0]);
        fputs("</dt><dd>", page);
        vox_lab_html_text(page, setting[1]);
        fputs("</dd>\n", page);
    }
    fputs("</dl>\n", page);
}

/* ---- delays ---- */

static void put_row(FILE *page, const char *name, const int64_t ns[4])
{
    fprintf(page, "<tr><td>%s</td>", name);
    for (int i = 0; i < 4; i++)
        fprintf(page, "<td class=\"n\">%.1f</td>", vox_ns_to_ms(ns[i]));
    fputs("</tr>\n", page);
}

static void put_delays(FILE *page, const char *name, const struct vox_lab_delays *delays)
{
    static const double shares[] = {0.5, 0.95, 0.99, 1.0};
    int64_t ns[4];
    for (int i = 0; i < 4; i++)
        ns[i] = vox_lab_delays_quantile_ns(delays, shares[i]);
    put_row(page, name, ns);
}

void vox_lab_words_delays(const struct vox_lab_facts *f, FILE *page)
{
    fputs("<div class=\"scroll\"><table>\n<tr><th>ms</th><th class=\"n\">median</th>"
          "<th class=\"n\">95&nbsp;%</th><th class=\"n\">99&nbsp;%</th><th class=\"n\">most</th>"
          "</tr>\n",
          page);
    put_delays(page, "network: sent to arrived", &f->network);
    put_delays(page, "buffer: arrived to played", &f->buffer);
    put_delays(page, "both: sent to played", &f->total);
    if (f->sum.total_is_absolute) {
        const struct vox_quantiles *q = &f->sum.delay.total;
        put_row(page, "whole: captured to played",
                (int64_t[]){q->p50_ns, q->p95_ns, q->p99_ns, q->max_ns});
    }
    fputs("</table></div>\n", page);
}

/* ---- the playout's choices ---- */

static void put_stretch_row(const struct vox_lab_stretches *s, const char *name, FILE *page)
{
    if (s->count > 0)
        fprintf(page,
                "<tr><td>%s</td><td class=\"n\">%zu</td><td class=\"n\">%.0f</td>"
                "<td class=\"n\">%.0f</td></tr>\n",
                name, s->count, vox_ns_to_ms(s->put_in_ns), vox_ns_to_ms(s->left_out_ns));
}

void vox_lab_words_stretches(const struct vox_lab_facts *f, FILE *page)
{
    static const char *const names[VOX_STRETCH_REASONS] = {
        [VOX_STRETCH_STALL] =
            "<i class=\"late\"></i>overdue: the next packet was awaited, what was "
            "there was made to last",
        [VOX_STRETCH_TARGET] = "<i class=\"recovered\"></i>target: the delay was moved towards it",
        [VOX_STRETCH_HOLE] =
            "<i class=\"lost\"></i>hole: lost sound was not made up in full, which "
            "shortens the delay",
    };
    size_t count = 0;
    for (int i = 0; i < VOX_STRETCH_REASONS; i++)
        count += f->stretches[i].count;
    if (count == 0) {
        fputs("<p>Nothing was stretched.</p>\n", page);
        return;
    }
    double minutes = heard_ms(f) / 60e3;
    fprintf(page,
            "<p>Sound was put in or left out <b>%zu time%s</b>, %.0f a minute; that was "
            "<b>%.1f&nbsp;%%</b> of what was heard.</p>\n"
            "<div class=\"scroll\"><table>\n<tr><th>why</th><th class=\"n\">times</th>"
            "<th class=\"n\">ms put in</th><th class=\"n\">ms left out</th></tr>\n",
            count, ending(count), (double)count / minutes,
            percent(vox_ns_to_ms(f->sum.stretched_ns), heard_ms(f)));
    for (int i = 0; i < VOX_STRETCH_REASONS; i++)
        put_stretch_row(&f->stretches[i], names[i], page);
    fputs("</table></div>\n", page);
}

/* What of a minute, at which delay: "84 ms at 61 ms" */
static void put_choice(const struct vox_choice *choice, FILE *page)
{
    double made_up_ms = choice->late_pct / 100.0 * 60e3;
    if (made_up_ms < 3.0)
        fprintf(page, "next to nothing at %.0f&nbsp;ms", choice->delay_ms);
    else if (made_up_ms < 1000.0)
        fprintf(page, "%.0f&nbsp;ms at %.0f&nbsp;ms", made_up_ms, choice->delay_ms);
    else
        fprintf(page, "%.1f&nbsp;s at %.0f&nbsp;ms", made_up_ms / 1e3, choice->delay_ms);
}

static int chosen_of(const struct vox_source_stats *s)
{
    int chosen = 0;
    while (chosen < s->curve_count && !s->curve[chosen].chosen)
        chosen++;
    return chosen;
}

void vox_lab_words_choice(const struct vox_lab_facts *f, FILE *page)
{
    const struct vox_source_stats *s = &f->sum;
    int chosen = chosen_of(s);
    if (s->curve_count < 2 || chosen == s->curve_count) {
        fputs("<p>There is nothing to choose between: the delay was fixed, or too little was "
              "heard, or nothing comes late here.</p>\n",
              page);
        return;
    }
    int last = s->curve_count - 1;
    int longer = chosen + 2 < last ? chosen + 2 : last;
    fputs(
        "<p>Because packets came too late, so much of each minute would lately have been made up: ",
        page);
    if (chosen > 0) {
        put_choice(&s->curve[chosen > 2 ? chosen - 2 : 0], page);
        fputs(", ", page);
    }
    fputs("<b>", page);
    put_choice(&s->curve[chosen], page);
    fputs("</b>, the chosen delay", page);
    if (longer > chosen) {
        fputs(", ", page);
        put_choice(&s->curve[longer], page);
    }
    fputs(".</p>\n", page);
}

/* ---- glitches ---- */

void vox_lab_words_time(int64_t frame, FILE *page)
{
    int64_t ms = (vox_rtp_to_ns(frame > 0 ? frame : 0) + VOX_NS_PER_MS / 2) / VOX_NS_PER_MS;
    fprintf(page, "%lld:%02lld.%03lld", (long long)(ms / 60000), (long long)(ms / 1000 % 60),
            (long long)(ms % 1000));
}

static void put_lost(const struct vox_lab_glitch *g, FILE *page)
{
    if (g->packets == 0) {
        fputs("packets were lost", page);
        return;
    }
    fprintf(page, "%zu packet%s %s lost", g->packets, ending(g->packets),
            g->packets == 1 ? "was" : "were");
    if (g->dropped == g->packets)
        fputs(" in a full queue of the network", page);
    else if (g->dropped > 0)
        fprintf(page, ", %zu in a full queue of the network", g->dropped);
}

void vox_lab_words_cause(const struct vox_lab_glitch *g, FILE *page)
{
    switch (g->cause) {
    case VOX_GLITCH_LOST:
        put_lost(g, page);
        break;
    case VOX_GLITCH_LATE:
        if (g->packets > 0)
            fprintf(page, "%zu packet%s came late", g->packets, ending(g->packets));
        else
            fputs("the network stood still", page);
        if (g->late_ns > 0)
            fprintf(page, ", %s%.0f&nbsp;ms after %s turn", g->packets == 1 ? "" : "up to ",
                    vox_ns_to_ms(g->late_ns), g->packets == 1 ? "its" : "their");
        break;
    case VOX_GLITCH_SENDER_GAP:
        fputs("the sender had no audio: its source stood still", page);
        break;
    case VOX_GLITCH_UNDERRUN:
        fputs("the sound card stood still", page);
        break;
    case VOX_GLITCH_SKIPPED:
        fputs("it was too old, and left out to be live again", page);
        break;
    case VOX_GLITCH_CAUSES:
        break;
    }
}

static const char *class_of(enum vox_glitch_cause cause)
{
    return cause == VOX_GLITCH_LOST ? "lost" : cause == VOX_GLITCH_LATE ? "late" : "muted";
}

static void put_glitch_rows(const struct vox_lab_facts *f, size_t from, size_t to, FILE *page)
{
    fputs("<div class=\"scroll\"><table>\n<tr><th class=\"n\">at</th><th class=\"n\">ms</th>"
          "<th>cause</th></tr>\n",
          page);
    for (size_t i = from; i < to; i++) {
        const struct vox_lab_glitch *g = &f->glitches[i];
        fputs("<tr><td class=\"n\">", page);
        vox_lab_words_time(g->output_frame, page);
        fprintf(page, "</td><td class=\"n\">%.1f</td><td><i class=\"%s\"></i>",
                vox_ns_to_ms(g->duration_ns), class_of(g->cause));
        vox_lab_words_cause(g, page);
        fputs(g->is_silent ? " <span class=\"note\">(in silence)</span></td></tr>\n"
                           : "</td></tr>\n",
              page);
    }
    fputs("</table></div>\n", page);
}

static void put_sums(const struct vox_lab_facts *f, FILE *page)
{
    static const char *const names[VOX_GLITCH_CAUSES] = {
        [VOX_GLITCH_LOST] = "by lost packets",
        [VOX_GLITCH_LATE] = "by late packets",
        [VOX_GLITCH_SENDER_GAP] = "by the sender",
        [VOX_GLITCH_UNDERRUN] = "by the sound card",
        [VOX_GLITCH_SKIPPED] = "by audio too old to be played",
    };
    const char *separator = "";
    fputs("<p>", page);
    for (int i = 0; i < VOX_GLITCH_CAUSES; i++) {
        if (f->sum.glitches[i].count == 0)
            continue;
        fprintf(page, "%s%llu %s (%.0f&nbsp;ms)", separator,
                (unsigned long long)f->sum.glitches[i].count, names[i],
                vox_ns_to_ms(f->sum.glitches[i].ns));
        separator = ", ";
    }
    fputs(". Times are those of the recording.</p>\n", page);
}

static void put_damage(const struct vox_lab_facts *f, FILE *page)
{
    const struct vox_damage_list *d = f->input->quality ? &f->input->quality->damage : NULL;
    if (!d)
        return;
    fprintf(page,
            "<p>Found by comparing the sound itself: %zu dropout%s (%.0f&nbsp;ms) and %zu "
            "click%s.</p>\n",
            d->dropouts, ending(d->dropouts), vox_ns_to_ms(vox_rtp_to_ns(d->dropout_frames)),
            d->clicks, ending(d->clicks));
    if (d->count == 0)
        return;
    fprintf(page,
            "<details><summary>%s %zu</summary><div class=\"scroll\"><table>\n"
            "<tr><th class=\"n\">at</th><th class=\"n\">ms</th><th>what</th></tr>\n",
            d->count < d->dropouts + d->clicks ? "The first" : "All", d->count);
    for (size_t i = 0; i < d->count; i++) {
        const struct vox_damage *item = &d->items[i];
        fputs("<tr><td class=\"n\">", page);
        vox_lab_words_time(item->output_frame, page);
        fprintf(page, "</td><td class=\"n\">%.1f</td><td>%s</td></tr>\n",
                vox_ns_to_ms(vox_rtp_to_ns(item->frames)),
                item->kind == VOX_DAMAGE_DROPOUT ? "dropout" : "click");
    }
    fputs("</table></div></details>\n", page);
}

void vox_lab_words_glitches(const struct vox_lab_facts *f, FILE *page)
{
    if (f->glitch_count == 0) {
        fputs("<p>There was none.</p>\n", page);
    } else {
        put_sums(f, page);
        if (f->glitch_count <= OPEN_ROWS) {
            put_glitch_rows(f, 0, f->glitch_count, page);
        } else {
            fprintf(page, "<details><summary>All %zu</summary>\n", f->glitch_count);
            put_glitch_rows(f, 0, f->glitch_count, page);
            fputs("</details>\n", page);
        }
    }
    put_damage(f, page);
}
