#include "lab/sweep_report.h"

#include "base/err.h"
#include "lab/report_gnuplot.h"
#include "lab/report_html.h"
#include "lab/report_svg.h"
#include "lab/setting.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH_PX = 520, HEIGHT_PX = 280, LEFT_PX = 48, RIGHT_PX = 16, TOP_PX = 24, BOTTOM_PX = 46 };

struct report {
    const struct vox_sweep_digest *digest;
    const struct vox_scenario *scenario;
    struct vox_lab_gnuplot plots;
    FILE *page;
    size_t networks, encoders, receivers; /* shown in figures */
};

/* A colour for each encoder, a shape for each receiver. */
static const struct {
    const char *rgb;
    const char *class;
} colours[VOX_SWEEP_REPORT_ENCODERS] = {
    {VOX_LAB_PLAYED, "played"}, {VOX_LAB_LOST, "lost"}, {VOX_LAB_RECOVERED, "recovered"},
    {VOX_LAB_LATE, "late"},     {VOX_LAB_INK, "ink"},   {VOX_LAB_MUTED, "muted"},
};

static const struct {
    int point_type;
    const char *symbol;
} shapes[VOX_SWEEP_REPORT_RECEIVERS] = {
    {7, "&#9679;"}, {5, "&#9632;"}, {9, "&#9650;"}, {11, "&#9660;"},
    {6, "&#9675;"}, {4, "&#9633;"}, {8, "&#9651;"}, {10, "&#9661;"},
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static const struct vox_sweep_group *group_of(const struct report *r, size_t network,
                                              size_t encoder, size_t receiver)
{
    return vox_sweep_digest_group(r->digest, network, encoder, receiver);
}

/* ---- figures: two for each network ---- */

static void put_data(const struct report *r, size_t network, int kind)
{
    FILE *script = r->plots.script;
    for (size_t e = 0; e < r->encoders; e++)
        for (size_t v = 0; v < r->receivers; v++) {
            const struct vox_sweep_group *g = group_of(r, network, e, v);
            const struct vox_sweep_measure *x = &g->measures[VOX_SWEEP_DELAY];
            const struct vox_sweep_measure *y = &g->measures[kind];
            fprintf(script, "$d%zu_%zu << EOD\n", e, v);
            if (x->count > 0 && y->count > 0)
                fprintf(script, "%.3f %.4f %.3f %.3f %.4f %.4f\n", x->mean, y->mean, x->low,
                        x->high, y->low, y->high);
            else
                fputs("-9 -9 -9 -9 -9 -9\n", script); /* gnuplot refuses an empty one */
            fputs("EOD\n", script);
        }
}

static void put_plot(const struct report *r)
{
    FILE *script = r->plots.script;
    const char *separator = "plot ";
    for (size_t e = 0; e < r->encoders; e++)
        for (size_t v = 0; v < r->receivers; v++) {
            fprintf(script,
                    "%s$d%zu_%zu using 1:2:3:4:5:6 with xyerrorbars pt %d ps 1 lw 1.2 lc rgb '%s'",
                    separator, e, v, shapes[v].point_type, colours[e].rgb);
            separator = ", ";
        }
    fputs("\n", script);
}

/* From where on a score is shown: half a point, or more, below the least that is drawn. */
static double score_floor(const struct report *r, size_t network)
{
    double floor_mos = 4;
    for (size_t e = 0; e < r->encoders; e++)
        for (size_t v = 0; v < r->receivers; v++) {
            const struct vox_sweep_measure *mos =
                &group_of(r, network, e, v)->measures[VOX_SWEEP_MOS];
            if (mos->count > 0)
                floor_mos = fmin(floor_mos, floor(2 * mos->low) / 2);
        }
    return fmax(floor_mos - 0.5, 1);
}

/* The greatest of a measure among what is drawn. */
static double greatest(const struct report *r, size_t network, int kind)
{
    double most = 0;
    for (size_t e = 0; e < r->encoders; e++)
        for (size_t v = 0; v < r->receivers; v++)
            most = fmax(most, group_of(r, network, e, v)->measures[kind].high);
    return most;
}

static void plot_measure(struct report *r, size_t network, int kind)
{
    bool is_mos = kind == VOX_SWEEP_MOS;
    struct vox_lab_gnuplot *plots = &r->plots;
    double delay_ms = fmax(1.1 * greatest(r, network, VOX_SWEEP_DELAY), 20);
    vox_lab_gnuplot_begin(plots, WIDTH_PX, HEIGHT_PX);
    vox_lab_gnuplot_panel(plots, &(struct vox_lab_panel){.width_px = WIDTH_PX,
                                                         .height_px = HEIGHT_PX,
                                                         .left_px = LEFT_PX,
                                                         .right_px = RIGHT_PX,
                                                         .top_px = TOP_PX,
                                                         .bottom_px = BOTTOM_PX});
    put_data(r, network, kind);
    fprintf(plots->script,
            "set label 1 '%s' at graph 0, graph 1 offset character 0, character 0.7 left "
            "tc rgb '" VOX_LAB_MUTED "'\n"
            "set label 2 'delay, capture to playout (ms)' at graph 1, graph 0 "
            "offset character 0, character -2.1 right tc rgb '" VOX_LAB_MUTED "'\n"
            "set xrange [0:%.3f]; set yrange [%.4f:%.4f]\n",
            is_mos ? "mean opinion score" : "concealed sound (%)", delay_ms,
            is_mos ? score_floor(r, network) : 0,
            is_mos ? 4.6 : fmax(1.1 * greatest(r, network, kind), 0.5));
    put_plot(r);
}

static int plot(struct report *r, struct vox_audio_error *error)
{
    for (size_t network = 0; network < r->networks; network++) {
        plot_measure(r, network, VOX_SWEEP_MOS);
        plot_measure(r, network, VOX_SWEEP_CONCEALED);
    }
    return vox_lab_gnuplot_run(&r->plots, error);
}

static int put_figure(struct report *r, size_t number, const char *label)
{
    char name[32];
    const struct vox_lab_svg_frame frame = {.number = (int)number,
                                            .width_px = WIDTH_PX,
                                            .height_px = HEIGHT_PX,
                                            .classes = "",
                                            .label = label};
    snprintf(name, sizeof name, "%zu.svg", number);
    FILE *svg = vox_lab_gnuplot_file(&r->plots, name, "r");
    fputs("<figure class=\"card\">\n", r->page);
    int err = svg ? vox_lab_svg_copy(svg, &frame, r->page) : VOX_EIO;
    fputs("</figure>\n", r->page);
    if (svg)
        fclose(svg);
    return err;
}

/* ---- words and tables ---- */

static void put_legend(struct report *r)
{
    fputs("<ul class=\"legend\">", r->page);
    for (size_t e = 0; e < r->encoders; e++) {
        fprintf(r->page, "<li><i class=\"%s\"></i>", colours[e].class);
        vox_lab_html_text(r->page, r->scenario->encoders[e].name);
        fputs("</li>", r->page);
    }
    for (size_t v = 0; v < r->receivers && r->scenario->receiver_count > 1; v++) {
        fprintf(r->page, "<li>%s ", shapes[v].symbol);
        vox_lab_html_text(r->page, r->scenario->receivers[v].name);
        fputs("</li>", r->page);
    }
    fputs("</ul>\n", r->page);
}

static void put_number(FILE *page, const struct vox_sweep_measure *m, int decimals)
{
    if (m->count > 0)
        fprintf(page, "<td class=\"n\">%.*f</td>", decimals, m->mean);
    else
        fputs("<td class=\"n\">-</td>", page);
}

static const struct {
    int kind;
    const char *head;
    int decimals;
} cells[] = {
    {VOX_SWEEP_DELAY, "delay, ms", 1},
    {VOX_SWEEP_DELAY_P95, "95 %", 1},
    {VOX_SWEEP_CONCEALED, "concealed, %", 2},
    {VOX_SWEEP_R, "R", 1},
    {VOX_SWEEP_MOS, "MOS", 2},
    {VOX_SWEEP_WIRE, "kbit/s", 1},
    {VOX_SWEEP_SNR, "SNR, dB", 1},
    {VOX_SWEEP_LSD, "spectral distance, dB", 2},
};

/* The last two are there only if the scenario asks for them. */
static size_t cell_count(const struct report *r)
{
    size_t all = sizeof cells / sizeof cells[0];
    return r->scenario->quality ? all : all - 2;
}

static void put_heads(struct report *r, const char *first)
{
    fprintf(r->page,
            "<div class=\"scroll\"><table>\n<tr>%s<th>encoder</th><th>receiver</th>"
            "<th class=\"n\">rows</th>",
            first);
    for (size_t i = 0; i < cell_count(r); i++)
        fprintf(r->page, "<th class=\"n\">%s</th>", cells[i].head);
    fputs("</tr>\n", r->page);
}

static void put_cells(struct report *r, size_t network, size_t encoder, size_t receiver)
{
    const struct vox_sweep_group *g = group_of(r, network, encoder, receiver);
    fputs("<td>", r->page);
    if (encoder < r->encoders)
        fprintf(r->page, "<i class=\"%s\"></i>", colours[encoder].class);
    vox_lab_html_text(r->page, r->scenario->encoders[encoder].name);
    fputs("</td><td>", r->page);
    vox_lab_html_text(r->page, r->scenario->receivers[receiver].name);
    fprintf(r->page, "</td><td class=\"n\">%zu</td>", g->rows);
    for (size_t i = 0; i < cell_count(r); i++)
        put_number(r->page, &g->measures[cells[i].kind], cells[i].decimals);
    fputs("</tr>\n", r->page);
}

/* What has the best score on a network; false: nothing was heard. */
static bool find_best(const struct report *r, size_t network, size_t *encoder, size_t *receiver)
{
    double best = 0;
    for (size_t e = 0; e < r->scenario->encoder_count; e++)
        for (size_t v = 0; v < r->scenario->receiver_count; v++) {
            const struct vox_sweep_measure *mos =
                &group_of(r, network, e, v)->measures[VOX_SWEEP_MOS];
            if (mos->count == 0 || mos->mean <= best)
                continue;
            best = mos->mean;
            *encoder = e;
            *receiver = v;
        }
    return best > 0;
}

static void put_best(struct report *r)
{
    fputs("<section>\n<h2>Best on each network</h2>\n<p>By the mean of the opinion score.</p>\n",
          r->page);
    put_heads(r, "<th>network</th>");
    for (size_t network = 0; network < r->networks; network++) {
        size_t encoder = 0;
        size_t receiver = 0;
        if (!find_best(r, network, &encoder, &receiver))
            continue;
        fputs("<tr><td>", r->page);
        vox_lab_html_text(r->page, r->scenario->networks[network].name);
        fputs("</td>", r->page);
        put_cells(r, network, encoder, receiver);
    }
    fputs("</table></div>\n</section>\n", r->page);
}

/* "loss_pct 5, delay_ms 20": what is not as by default. */
static void put_settings(struct report *r, size_t network)
{
    struct vox_option rows[VOX_SCENARIO_ROWS];
    struct vox_option plain_rows[VOX_SCENARIO_ROWS];
    struct vox_scenario_network shown = r->scenario->networks[network];
    struct vox_scenario_network plain = {0};
    char key[VOX_SETTING_KEY_BYTES], text[256], usual[256];
    const char *separator = "";
    vox_network_options_init(&plain.options);
    size_t count = vox_scenario_network_rows(&shown, rows);
    vox_scenario_network_rows(&plain, plain_rows);
    fputs("<p class=\"note\">", r->page);
    for (size_t i = 0; i < count; i++) {
        vox_setting_key(&rows[i], key);
        vox_setting_print(&rows[i], text, sizeof text);
        vox_setting_print(&plain_rows[i], usual, sizeof usual);
        if (strcmp(text, usual) == 0)
            continue;
        fprintf(r->page, "%s%s ", separator, key);
        vox_lab_html_text(r->page, text);
        separator = ", ";
    }
    fputs(*separator ? "</p>\n" : "perfect</p>\n", r->page);
}

static int put_network(struct report *r, size_t network)
{
    fputs("<section>\n<h2>", r->page);
    vox_lab_html_text(r->page, r->scenario->networks[network].name);
    fputs("</h2>\n", r->page);
    put_settings(r, network);
    put_legend(r);
    fputs("<div class=\"two\">\n", r->page);
    int err = put_figure(r, 2 * network + 1,
                         "Mean opinion score against delay, a point for each encoder and "
                         "receiver.");
    if (err >= 0)
        err = put_figure(r, 2 * network + 2,
                         "Share of concealed sound against delay, a point for each encoder and "
                         "receiver.");
    fputs("</div>\n", r->page);
    put_heads(r, "");
    for (size_t e = 0; e < r->scenario->encoder_count; e++)
        for (size_t v = 0; v < r->scenario->receiver_count; v++) {
            fputs("<tr>", r->page);
            put_cells(r, network, e, v);
        }
    fputs("</table></div>\n</section>\n", r->page);
    return err;
}

static void put_head(struct report *r)
{
    const struct vox_scenario *s = r->scenario;
    const char *title = s->name ? s->name : "Sweep";
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          r->page);
    vox_lab_html_text(r->page, title);
    fputs("</title>\n<style>\n", r->page);
    vox_lab_html_style(r->page);
    fputs(".scroll th,.scroll td{white-space:nowrap}\n</style>\n</head>\n<body>\n<header>\n<h1>",
          r->page);
    vox_lab_html_text(r->page, title);
    fprintf(r->page,
            "</h1>\n<p class=\"lead\">%zu sounds, %zu encoders, %zu networks, %zu receivers, %zu "
            "seeds: <b>%lld of %lld rows</b>.</p>\n",
            s->file_count, s->encoder_count, s->network_count, s->receiver_count, s->seed_count,
            (long long)r->digest->rows, (long long)s->row_count);
    fputs("<p class=\"note\">A point is the mean over all sounds and seeds; from its bars a tenth "
          "of the rows stands out on either side. The delay of a row is the median from capture "
          "to playout. The opinion score is that of the E-model (ITU-T G.107) for that delay and "
          "the concealed share: good to compare settings, not to praise one.</p>\n</header>\n"
          "<main>\n",
          r->page);
}

static void put_left_out(struct report *r)
{
    const struct vox_scenario *s = r->scenario;
    if (r->networks < s->network_count)
        fprintf(r->page, "<p class=\"note\">The first %zu of %zu networks are shown.</p>\n",
                r->networks, s->network_count);
    if (r->encoders < s->encoder_count || r->receivers < s->receiver_count)
        fprintf(r->page,
                "<p class=\"note\">Figures show the first %zu encoders and %zu receivers, tables "
                "all.</p>\n",
                r->encoders, r->receivers);
}

static int put_page(struct report *r)
{
    int err = 0;
    put_head(r);
    put_best(r);
    put_left_out(r);
    for (size_t network = 0; err >= 0 && network < r->networks; network++)
        err = put_network(r, network);
    fputs("</main>\n</body>\n</html>\n", r->page);
    return err;
}

/* ---- the file ---- */

static int fail_file(const char *path, struct vox_audio_error *error)
{
    int number = errno;
    return vox_audio_fail(error, vox_audio_code_of_errno(number), "cannot write the report %s: %s",
                          path, strerror(number));
}

static int write_page(struct report *r, const char *path, struct vox_audio_error *error)
{
    r->page = fopen(path, "w");
    if (!r->page)
        return fail_file(path, error);
    int err = put_page(r);
    if (err < 0)
        vox_audio_fail(error, err, "cannot read what gnuplot drew: %s", vox_err_text(err));
    if (err >= 0 && (fflush(r->page) == EOF || ferror(r->page)))
        err = fail_file(path, error);
    if (fclose(r->page) == EOF && err >= 0)
        err = fail_file(path, error);
    return err;
}

int vox_sweep_report_write(const char *path, const struct vox_sweep_digest *digest,
                           struct vox_audio_error *error)
{
    const struct vox_scenario *s = &digest->plan->scenario;
    struct report r = {
        .digest = digest,
        .scenario = s,
        .networks = least(s->network_count, VOX_SWEEP_REPORT_NETWORKS),
        .encoders = least(s->encoder_count, VOX_SWEEP_REPORT_ENCODERS),
        .receivers = least(s->receiver_count, VOX_SWEEP_REPORT_RECEIVERS),
    };
    if (digest->rows == 0)
        return vox_audio_fail(error, VOX_EEND, "there are no rows to report on");
    int err = vox_lab_gnuplot_open(&r.plots, error);
    if (err >= 0)
        err = plot(&r, error);
    if (err >= 0)
        err = write_page(&r, path, error);
    vox_lab_gnuplot_close(&r.plots);
    return err;
}
