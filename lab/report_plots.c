#include "lab/report_plots.h"

#include "base/err.h"
#include "base/time.h"

#include <math.h>
#include <stdlib.h>

enum { LEFT_PX = 76, RIGHT_PX = 14, TOP_PX = 22, AXIS_PX = 26 };

static double seconds(const struct vox_lab_facts *f, int64_t t_ns)
{
    return (double)(t_ns - f->origin_ns) / 1e9;
}

static double span_s(const struct vox_lab_facts *f)
{
    double span = seconds(f, f->end_ns);
    return span > 0.02 ? span : 0.02;
}

/* ---- axes ---- */

static void begin(struct vox_lab_gnuplot *plots, bool is_narrow, int height_px,
                  struct vox_lab_figure *out)
{
    out->width_px = is_narrow ? 380 : 1080;
    out->height_px = height_px;
    out->number = vox_lab_gnuplot_begin(plots, out->width_px, out->height_px);
}

static int plot_px(const struct vox_lab_figure *figure)
{
    return figure->width_px - LEFT_PX - RIGHT_PX;
}

static void panel(struct vox_lab_gnuplot *plots, const struct vox_lab_figure *figure, int top_px,
                  int bottom_px)
{
    vox_lab_gnuplot_panel(plots, &(struct vox_lab_panel){.width_px = figure->width_px,
                                                         .height_px = figure->height_px,
                                                         .left_px = LEFT_PX,
                                                         .right_px = RIGHT_PX,
                                                         .top_px = top_px,
                                                         .bottom_px = bottom_px});
}

/* Seconds, or minutes and seconds where there are many. */
static void time_axis(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f,
                      const struct vox_lab_figure *figure, bool has_text)
{
    double span = span_s(f);
    bool is_long = span > 120.0;
    double unit = is_long ? 60.0 : 1.0;
    double step = unit * vox_lab_gnuplot_step(span / unit, plot_px(figure) / 60);
    const char *format = !has_text ? "''" : is_long ? "'%tM:%tS'" : "'%g s'";
    fprintf(plots->script, "set xrange [0:%.6f]\nset xtics %s %g format %s\n", span,
            has_text && is_long ? "time" : "numeric", step, format);
}

/* ---- the many packets of a column of pixels ---- */

static int64_t network_delay(const struct vox_run_packet *p)
{
    return p->arrival_ns == VOX_RUN_NEVER ? VOX_RUN_NEVER : p->arrival_ns - p->send_ns;
}

static int64_t played_network_delay(const struct vox_run_packet *p)
{
    return p->outcome == VOX_RUN_PLAYED ? network_delay(p) : VOX_RUN_NEVER;
}

static int64_t late_network_delay(const struct vox_run_packet *p)
{
    return p->outcome == VOX_RUN_LATE ? network_delay(p) : VOX_RUN_NEVER;
}

static int64_t playout_delay(const struct vox_run_packet *p)
{
    return p->outcome == VOX_RUN_PLAYED ? p->play_ns - p->send_ns : VOX_RUN_NEVER;
}

static int64_t waiting(const struct vox_run_packet *p)
{
    return p->outcome == VOX_RUN_PLAYED ? p->play_ns - p->arrival_ns : VOX_RUN_NEVER;
}

struct columns {
    const struct vox_lab_facts *facts;
    const struct vox_run_stream *stream;
    double width_s;
    int64_t (*value_of)(const struct vox_run_packet *packet);
};

static int compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t column_of(const struct columns *c, size_t index)
{
    return (int64_t)(seconds(c->facts, c->stream->packets[index].send_ns) / c->width_s);
}

/* A data block of: time, least, median and greatest value in ms; an empty line for a gap. */
static int put_columns(FILE *script, const char *name, const struct columns *c)
{
    size_t count = c->stream->count;
    int64_t *values = malloc((count ? count : 1) * sizeof *values);
    int64_t last = 0;
    if (!values)
        return VOX_ENOMEM;
    fprintf(script, "$%s << EOD\n-9 0 0 0\n\n", name); /* gnuplot refuses an empty one */
    for (size_t k = 0; k < count;) {
        int64_t column = column_of(c, k);
        size_t n = 0;
        for (; k < count && column_of(c, k) == column; k++)
            if ((values[n] = c->value_of(&c->stream->packets[k])) != VOX_RUN_NEVER)
                n++;
        if (n == 0)
            continue;
        qsort(values, n, sizeof *values, compare_ns);
        if (column > last + 2 && (double)(column - last) * c->width_s > 0.5)
            fputc('\n', script);
        fprintf(script, "%.4f %.2f %.2f %.2f\n", ((double)column + 0.5) * c->width_s,
                vox_ns_to_ms(values[0]), vox_ns_to_ms(values[n / 2]), vox_ns_to_ms(values[n - 1]));
        last = column;
    }
    fputs("EOD\n", script);
    free(values);
    return 0;
}

/* One row for each packet that has the value: time, value in ms, no more than `top`. */
static void put_packets(FILE *script, const char *name, const struct columns *c, double top)
{
    fprintf(script, "$%s << EOD\n-9 0\n", name);
    for (size_t k = 0; k < c->stream->count; k++) {
        int64_t value = c->value_of(&c->stream->packets[k]);
        if (value != VOX_RUN_NEVER)
            fprintf(script, "%.4f %.2f\n", seconds(c->facts, c->stream->packets[k].send_ns),
                    fmin(vox_ns_to_ms(value), top));
    }
    fputs("EOD\n", script);
}

/* One row for each column with a packet of that outcome. */
static void put_marks(FILE *script, const char *name, const struct columns *c,
                      enum vox_run_outcome outcome)
{
    int64_t last = -1;
    fprintf(script, "$%s << EOD\n-9\n", name);
    for (size_t k = 0; k < c->stream->count; k++) {
        if (c->stream->packets[k].outcome != outcome || column_of(c, k) == last)
            continue;
        last = column_of(c, k);
        fprintf(script, "%.4f\n", seconds(c->facts, c->stream->packets[k].send_ns));
    }
    fputs("EOD\n", script);
}

/* ---- what became of each packet ---- */

int64_t vox_lab_timeline_top_ns(const struct vox_lab_facts *f)
{
    int64_t top_ns = vox_lab_delays_quantile_ns(&f->network, 1.0);
    int64_t played_ns = vox_lab_delays_quantile_ns(&f->total, 1.0);
    int64_t usual_ns = vox_lab_delays_quantile_ns(&f->network, 0.99);
    int64_t most_ns = played_ns > usual_ns ? played_ns : usual_ns;
    top_ns = top_ns > most_ns ? top_ns : most_ns;
    most_ns = 2 * most_ns > 50 * VOX_NS_PER_MS ? 2 * most_ns : 50 * VOX_NS_PER_MS;
    return top_ns < most_ns ? top_ns : most_ns;
}

static int put_dots(struct vox_lab_gnuplot *plots, struct columns *c,
                    const struct vox_lab_figure *figure, double top)
{
    int err = 0;
    c->value_of = played_network_delay;
    if (c->stream->count < 5 * (size_t)plot_px(figure) / 2)
        put_packets(plots->script, "played", c, top);
    else
        err = put_columns(plots->script, "played", c);
    c->value_of = late_network_delay;
    put_packets(plots->script, "late", c, top);
    c->value_of = playout_delay;
    return err < 0 ? err : put_columns(plots->script, "playout", c);
}

static void plot_dots(struct vox_lab_gnuplot *plots, const struct columns *c,
                      const struct vox_lab_figure *figure, double top)
{
    FILE *script = plots->script;
    bool is_each = c->stream->count < 5 * (size_t)plot_px(figure) / 2;
    vox_lab_gnuplot_heading(plots, "delay after sending (ms)");
    fprintf(script, "set yrange [0:%.3f]; set ytics autofreq\n", fmax(1.08 * top, 1.0));
    fputs("plot $playout using 1:3 with lines lw 1.5 lc rgb '" VOX_LAB_INK "', ", script);
    if (is_each)
        fprintf(script,
                "$played using 1:2:(%.6f):(0) with vectors nohead lw %.1f lc rgb '" VOX_LAB_PLAYED
                "', ",
                0.1 * c->width_s, c->stream->count < 700 ? 3.4 : 2.6);
    else
        fprintf(script,
                "$played using 1:2:(%.6f):($4-$2) with vectors nohead lw 1.2 "
                "lc rgb '" VOX_LAB_PLAYED "', ",
                0.1 * c->width_s);
    fputs("$late using 1:2 with points pt 2 ps 0.6 lw 1.6 lc rgb '" VOX_LAB_LATE "'\n", script);
}

static void plot_rows(struct vox_lab_gnuplot *plots, const struct columns *c)
{
    FILE *script = plots->script;
    double packet_px = span_s(c->facts) / c->width_s / (double)c->stream->count;
    double lw = fmin(fmax(packet_px - 1.0, 1.5), 8.0);
    put_marks(script, "lost", c, VOX_RUN_LOST);
    put_marks(script, "late", c, VOX_RUN_LATE);
    put_marks(script, "recovered", c, VOX_RUN_RECOVERED);
    fputs("unset label 1\nset yrange [0:3]; unset grid\n"
          "set ytics scale 0 ('lost' 2.5, 'late' 1.5, 'recovered' 0.5)\n",
          script);
    fprintf(script,
            "plot $lost using 1:(2.2):(0):(0.6) with vectors nohead lw %.1f lc rgb '" VOX_LAB_LOST
            "', $late using 1:(1.2):(0):(0.6) with vectors nohead lw %.1f lc rgb '" VOX_LAB_LATE
            "', $recovered using 1:(0.2):(0):(0.6) with vectors nohead lw %.1f "
            "lc rgb '" VOX_LAB_RECOVERED "'\n",
            lw, lw, lw);
}

int vox_lab_plot_timeline(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f, int stream,
                          bool is_narrow, struct vox_lab_figure *out)
{
    enum { ROWS_PX = 66 };
    struct columns c = {.facts = f, .stream = &f->input->run->streams[stream]};
    double top = vox_ns_to_ms(vox_lab_timeline_top_ns(f));
    begin(plots, is_narrow, is_narrow ? 320 : 360, out);
    c.width_s = span_s(f) / plot_px(out);
    int err = put_dots(plots, &c, out, top);
    if (err < 0)
        return err;
    panel(plots, out, TOP_PX, AXIS_PX + ROWS_PX + 8);
    time_axis(plots, f, out, false);
    plot_dots(plots, &c, out, top);
    panel(plots, out, out->height_px - AXIS_PX - ROWS_PX, AXIS_PX);
    time_axis(plots, f, out, true);
    plot_rows(plots, &c);
    return 0;
}

/* ---- delay against time ---- */

/* Walks along a stream with time. */
struct playing {
    const struct vox_run_stream *stream;
    size_t next;                              /* behind those below */
    const struct vox_run_packet *now, *after; /* that play, and that play next; NULL: none */
};

static void move_on(struct playing *w, int64_t t_ns)
{
    while (w->next < w->stream->count && (!w->after || w->after->play_ns <= t_ns)) {
        const struct vox_run_packet *p = &w->stream->packets[w->next++];
        if (p->outcome != VOX_RUN_PLAYED)
            continue;
        w->now = w->after;
        w->after = p;
    }
}

/* Sent to played, of what is being played at t_ns; VOX_RUN_NEVER: nothing yet. */
static int64_t delay_at(struct playing *w, int64_t t_ns)
{
    move_on(w, t_ns);
    return w->now && w->now->play_ns <= t_ns ? w->now->play_ns - w->now->send_ns : VOX_RUN_NEVER;
}

/* Whether that holds for the whole packet: it is not stretched, and there is no hole beside it. */
static bool is_steady(const struct playing *w)
{
    int64_t change_ns = w->after->play_ns - w->after->send_ns - w->now->play_ns + w->now->send_ns;
    bool follows = w->now > w->stream->packets && w->now[-1].outcome == VOX_RUN_PLAYED;
    return follows && w->after == w->now + 1 && llabs(change_ns) < VOX_NS_PER_MS / 2;
}

/*
 * The target counts from what the engine takes for the fastest packet. How far that is from the
 * sending is the difference between the delay by the engine and that of the packet it plays, while
 * the two mean the same moment.
 */
static void put_target(FILE *script, const struct columns *c, double least_step_ms)
{
    const struct vox_run *run = c->facts->input->run;
    struct playing now = {.stream = c->stream};
    double last = -1e9; /* none */
    fputs("$target << EOD\n-9 0\n\n", script);
    for (size_t i = 0; i < run->sample_count; i++) {
        const struct vox_run_sample *s = &run->samples[i];
        int64_t delay_ns = delay_at(&now, s->t_ns);
        if (delay_ns == VOX_RUN_NEVER || !is_steady(&now))
            continue;
        double ms = vox_ns_to_ms(delay_ns - s->delay_ns + s->target_ns);
        if (fabs(ms - last) < least_step_ms)
            continue;
        last = ms;
        fprintf(script, "%.4f %.2f\n", seconds(c->facts, s->t_ns - delay_ns), ms);
    }
    fprintf(script, "%.4f %.2f\nEOD\n", span_s(c->facts), fmax(last, 0.0));
}

/*
 * Where audio was put in and where it was left out for a reason: time, 1 or -1; no more than one
 * row of each sort for a column. The time is that of the sending of what is played then, as in the
 * rest of the figure.
 */
static void put_stretches(FILE *script, const char *name, const struct columns *c,
                          enum vox_stretch_reason reason)
{
    const struct vox_run *run = c->facts->input->run;
    struct playing now = {.stream = c->stream};
    int64_t last[2] = {-1, -1};
    fprintf(script, "$%s << EOD\n-9 0\n", name);
    for (size_t i = 0; i < run->event_count; i++) {
        const struct vox_event *e = &run->events[i];
        if (e->kind != VOX_EVENT_STRETCH || e->reason != reason || e->ssrc != c->stream->ssrc)
            continue;
        int64_t delay_ns = delay_at(&now, e->t_ns);
        double at = seconds(c->facts, e->t_ns - (delay_ns == VOX_RUN_NEVER ? 0 : delay_ns));
        int64_t column = (int64_t)(at / c->width_s);
        if (at < 0.0 || last[e->value > 0] == column)
            continue;
        last[e->value > 0] = column;
        fprintf(script, "%.4f %d\n", at, e->value > 0 ? 1 : -1);
    }
    fputs("EOD\n", script);
}

static int put_delays(struct vox_lab_gnuplot *plots, struct columns *c)
{
    put_target(plots->script, c, 0.2);
    c->value_of = network_delay;
    int err = put_columns(plots->script, "network", c);
    c->value_of = playout_delay;
    err = err < 0 ? err : put_columns(plots->script, "playout", c);
    c->value_of = waiting;
    return err < 0 ? err : put_columns(plots->script, "waiting", c);
}

static void plot_delays(struct vox_lab_gnuplot *plots, double top)
{
    vox_lab_gnuplot_heading(plots, "delay after sending (ms)");
    fprintf(plots->script, "set yrange [0:%.3f]; set ytics autofreq\n", fmax(1.08 * top, 1.0));
    fputs("plot $network using 1:2:4 with filledcurves fc rgb '" VOX_LAB_PLAYED
          "' fs transparent solid 0.35 noborder, "
          "$network using 1:3 with lines lw 1.5 lc rgb '" VOX_LAB_PLAYED "', "
          "$target using 1:2 with steps lw 1.5 dt (6,4) lc rgb '" VOX_LAB_RECOVERED "', "
          "$playout using 1:2:4 with filledcurves fc rgb '" VOX_LAB_INK
          "' fs transparent solid 0.3 noborder, "
          "$playout using 1:3 with lines lw 1.8 lc rgb '" VOX_LAB_INK "'\n",
          plots->script);
}

static void plot_waiting(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f)
{
    double top = vox_ns_to_ms(vox_lab_delays_quantile_ns(&f->buffer, 1.0));
    vox_lab_gnuplot_heading(plots, "buffer: arrived to played (ms)");
    fprintf(plots->script, "set yrange [0:%.3f]; set ytics %g\n", fmax(1.08 * top, 1.0),
            vox_lab_gnuplot_step(fmax(top, 1.0), 4));
    fputs("plot $waiting using 1:2:4 with filledcurves fc rgb '" VOX_LAB_LATE
          "' fs transparent solid 0.35 noborder, "
          "$waiting using 1:3 with lines lw 1.5 lc rgb '" VOX_LAB_LATE "'\n",
          plots->script);
}

/* Up: put in; down: left out. */
static void plot_stretches(struct vox_lab_gnuplot *plots, const struct columns *c)
{
    FILE *script = plots->script;
    put_stretches(script, "stall", c, VOX_STRETCH_STALL);
    put_stretches(script, "moved", c, VOX_STRETCH_TARGET);
    put_stretches(script, "hole", c, VOX_STRETCH_HOLE);
    fputs("unset label 1\nset yrange [0:3]; unset grid\n"
          "set ytics scale 0 ('overdue' 2.5, 'target' 1.5, 'hole' 0.5)\n"
          "do for [row=0:2] { set arrow row+1 from graph 0, first row+0.5 to graph 1, first "
          "row+0.5 nohead back lw 1 lc rgb '" VOX_LAB_GRID "' }\n"
          "plot $stall using 1:(2.5):(0):(0.4*$2) with vectors nohead lw 1.5 lc rgb '" VOX_LAB_LATE
          "', $moved using 1:(1.5):(0):(0.4*$2) with vectors nohead lw 1.5 "
          "lc rgb '" VOX_LAB_RECOVERED
          "', $hole using 1:(0.5):(0):(0.4*$2) with vectors nohead lw 1.5 lc rgb '" VOX_LAB_LOST
          "'\n",
          script);
}

int vox_lab_plot_delay(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *f, bool is_narrow,
                       struct vox_lab_figure *out)
{
    enum { WAITING_PX = 100, ROWS_PX = 72, GAP_PX = 10 };
    struct columns c = {.facts = f, .stream = &f->input->run->streams[f->main_stream]};
    begin(plots, is_narrow, is_narrow ? 470 : 510, out);
    double most = fmin(plot_px(out) / 3.0, (double)c.stream->count / 3.0);
    c.width_s = span_s(f) / fmax(most, 1.0);
    int err = put_delays(plots, &c);
    if (err < 0)
        return err;
    int rows_px = AXIS_PX + ROWS_PX + GAP_PX;
    panel(plots, out, TOP_PX, rows_px + WAITING_PX + TOP_PX + GAP_PX);
    time_axis(plots, f, out, false);
    plot_delays(plots, vox_ns_to_ms(vox_lab_timeline_top_ns(f)));
    panel(plots, out, out->height_px - rows_px - WAITING_PX, rows_px);
    plot_waiting(plots, f);
    panel(plots, out, out->height_px - AXIS_PX - ROWS_PX, AXIS_PX);
    time_axis(plots, f, out, true);
    c.width_s = span_s(f) / plot_px(out);
    plot_stretches(plots, &c);
    return 0;
}
