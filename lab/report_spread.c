#include "lab/report_spread.h"

#include "base/time.h"

#include <math.h>

enum { LEFT_PX = 56, RIGHT_PX = 20, TOP_PX = 22, AXIS_PX = 26 };

/* ---- distribution ---- */

static void put_histogram(FILE *script, const char *name, const struct vox_lab_delays *delays,
                          double width)
{
    fprintf(script, "$%s << EOD\n-9 0\n", name);
    for (size_t i = 0; i < delays->count;) {
        double bin = floor(vox_ns_to_ms(delays->ns[i]) / width);
        size_t first = i;
        while (i < delays->count && floor(vox_ns_to_ms(delays->ns[i]) / width) <= bin)
            i++;
        fprintf(script, "%.4f %.4f\n", (bin + 0.5) * width,
                100.0 * (double)(i - first) / (double)delays->count);
    }
    fputs("EOD\n", script);
}

/* Share of delays above x, at some 200 steps. */
static void put_tail(FILE *script, const char *name, const struct vox_lab_delays *delays)
{
    fprintf(script, "$%s << EOD\n", name);
    size_t step = delays->count / 200 + 1;
    fputs("0 100\n", script);
    for (size_t i = 0; i<delays->count; i += delays->count - i> 200 ? step : 1)
        fprintf(script, "%.3f %.5f\n", vox_ns_to_ms(delays->ns[i]),
                100.0 * (double)(delays->count - i) / (double)delays->count);
    fputs("EOD\n", script);
}

static double delay_range_ms(const struct vox_lab_facts *f)
{
    int64_t network_ns = vox_lab_delays_quantile_ns(&f->network, 1.0);
    int64_t total_ns = vox_lab_delays_quantile_ns(&f->total, 1.0);
    return fmax(vox_ns_to_ms(network_ns > total_ns ? network_ns : total_ns), 1.0);
}

static void begin_distribution(struct vox_lab_gnuplot *plots, double range_ms, const char *words,
                               struct vox_lab_figure *out)
{
    out->width_px = 520;
    out->height_px = 270;
    out->number = vox_lab_gnuplot_begin(plots, out->width_px, out->height_px);
    vox_lab_gnuplot_panel(plots, &(struct vox_lab_panel){.width_px = out->width_px,
                                                         .height_px = out->height_px,
                                                         .left_px = LEFT_PX,
                                                         .right_px = RIGHT_PX,
                                                         .top_px = TOP_PX,
                                                         .bottom_px = AXIS_PX});
    vox_lab_gnuplot_heading(plots, words);
    fprintf(plots->script, "set xrange [0:%.4f]; set xtics format '%%g ms'\n", 1.03 * range_ms);
}

int vox_lab_plot_histogram(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f,
                           struct vox_lab_figure *out)
{
    double range = delay_range_ms(f);
    double width = vox_lab_gnuplot_step(range, 60);
    begin_distribution(plots, range, "share of packets", out);
    put_histogram(plots->script, "network", &f->network, width);
    put_histogram(plots->script, "total", &f->total, width);
    fprintf(plots->script,
            "set boxwidth %.5f; set yrange [0:*]; set ytics format '%%g %%%%'\n"
            "plot $network with boxes fc rgb '" VOX_LAB_PLAYED
            "' fs transparent solid 0.6 noborder, "
            "$total with boxes fc rgb '" VOX_LAB_INK "' fs transparent solid 0.6 noborder\n",
            0.9 * width);
    return 0;
}

int vox_lab_plot_tail(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f,
                      struct vox_lab_figure *out)
{
    begin_distribution(plots, delay_range_ms(f), "share of packets that took longer", out);
    put_tail(plots->script, "network", &f->network);
    put_tail(plots->script, "total", &f->total);
    double least = fmin(100.0 / (double)(f->network.count ? f->network.count : 1), 50.0);
    fprintf(plots->script,
            "set logscale y; set yrange [%.6f:100]; set ytics format '%%g %%%%'\n"
            "plot $network using 1:2 with lines lw 2 lc rgb '" VOX_LAB_PLAYED
            "', $total using 1:2 with lines lw 2 lc rgb '" VOX_LAB_INK "'\n",
            pow(10.0, floor(log10(least))));
    return 0;
}

/* ---- delay against glitches ---- */

/* In each minute. Less than this is as good as nothing, and has its place on the logarithmic axis.
 */
#define LEAST_MS 3.0

static double made_up_ms(const struct vox_choice *choice)
{
    return fmax(choice->late_pct / 100.0 * 60e3, LEAST_MS);
}

/* Data of the curve and of the chosen point; a place on the axis for the words about that. */
static void put_choices(FILE *script, const struct vox_source_stats *s)
{
    fputs("$curve << EOD\n", script);
    for (int i = 0; i < s->curve_count; i++)
        fprintf(script, "%.2f %.2f\n", s->curve[i].delay_ms, made_up_ms(&s->curve[i]));
    fputs("EOD\n$chosen << EOD\n-9 1\n", script);
    for (int i = 0; i < s->curve_count; i++)
        if (s->curve[i].chosen)
            fprintf(script, "%.2f %.2f\n", s->curve[i].delay_ms, made_up_ms(&s->curve[i]));
    fputs("EOD\n", script);
}

/* Above and to the right of a curve that falls there is room. */
static double label_chosen(FILE *script, const struct vox_source_stats *s, double width)
{
    double range_ms = 1.05 * fmax(s->curve[s->curve_count - 1].delay_ms, 1.0);
    for (int i = 0; i < s->curve_count; i++) {
        const struct vox_choice *c = &s->curve[i];
        if (!c->chosen)
            continue;
        fprintf(script,
                "set label 2 'chosen: %.0f ms' at first %.2f, first %.2f offset character 0.7, 0.7 "
                "left tc rgb '" VOX_LAB_INK "' front\n",
                c->delay_ms, c->delay_ms, made_up_ms(c));
        range_ms = fmax(range_ms, c->delay_ms / (1.0 - width));
    }
    return range_ms;
}

void vox_lab_plot_curve(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f,
                        bool is_narrow, struct vox_lab_figure *out)
{
    enum { NAMED_AXIS_PX = 54 };
    FILE *script = plots->script;
    const struct vox_source_stats *s = &f->sum;
    *out = (struct vox_lab_figure){.width_px = is_narrow ? 380 : 1080, .height_px = 290};
    out->number = vox_lab_gnuplot_begin(plots, out->width_px, out->height_px);
    vox_lab_gnuplot_panel(plots, &(struct vox_lab_panel){.width_px = out->width_px,
                                                         .height_px = out->height_px,
                                                         .left_px = 76,
                                                         .right_px = RIGHT_PX,
                                                         .top_px = TOP_PX,
                                                         .bottom_px = NAMED_AXIS_PX});
    vox_lab_gnuplot_heading(plots, "made up in each minute");
    put_choices(script, s);
    double range_ms = label_chosen(script, s, is_narrow ? 0.35 : 0.12);
    fprintf(script,
            "set xrange [0:%.2f]; set xtics %g format '%%g ms'\n"
            "set xlabel 'delay over the fastest packet' tc rgb '" VOX_LAB_MUTED "'\n"
            "set logscale y; set yrange [%.1f:%.1f]; unset mytics\n"
            "set ytics ('none' %.1f, '10 ms' 10, '0.1 s' 100, '1 s' 1e3, '10 s' 1e4, '60 s' 6e4)\n",
            range_ms, vox_lab_gnuplot_step(range_ms, is_narrow ? 5 : 12), 0.7 * LEAST_MS,
            fmax(1.6 * made_up_ms(&s->curve[0]), 100.0), LEAST_MS);
    fputs("plot $curve using 1:2 with linespoints lw 1.8 pt 7 ps 0.35 lc rgb '" VOX_LAB_LATE "', "
          "$chosen using 1:2 with points pt 7 ps 1 lc rgb '" VOX_LAB_INK "'\n",
          script);
}
