#include "lab/versus_plots.h"

#include "base/time.h"

#include <math.h>

enum {
    WIDE_PX = 1080,
    NARROW_PX = 380,
    LEFT_PX = 76, /* 10000 ms */
    RIGHT_PX = 28,
    PANEL_PX = 118,
    HEAD_PX = 32, /* a panel's name above it */
    AXIS_PX = 30,
    LADDER_PX = 230,
    CURVES_PX = 300,
    CURVE_TO_MS = 500, /* at the least */
    CURVE_STEPS = 250,
    LADDER_LINES = 100,
    NARROW_LINES = 50,
};

/* Of the words beside a stall, in a panel. */
#define WORDS_WIDE 0.44

/* The order of the panels. */
static const enum vox_versus_link order[VOX_VERSUS_LINKS] = {
    VOX_VERSUS_LINK_CUBIC, VOX_VERSUS_LINK_BBR, VOX_VERSUS_LINK_UDP,
    VOX_VERSUS_LINK_FEC,   VOX_VERSUS_LINK_RED, VOX_VERSUS_LINK_RTX,
};

static const struct {
    const char *title;
    const char *rgb;
    const char *class;
    bool dashed;
} looks[VOX_VERSUS_LINKS] = {
    [VOX_VERSUS_LINK_UDP] = {"plain UDP, with concealment or without", VOX_LAB_INK, "ink", false},
    [VOX_VERSUS_LINK_FEC] = {"UDP with in-band FEC", VOX_LAB_RECOVERED, "recovered", false},
    [VOX_VERSUS_LINK_RED] = {"UDP with RED", VOX_LAB_PLAYED, "played", false},
    [VOX_VERSUS_LINK_RTX] = {"UDP with retransmission", VOX_LAB_LATE, "late", false},
    [VOX_VERSUS_LINK_CUBIC] = {"TCP (cubic)", VOX_LAB_LOST, "lost", false},
    [VOX_VERSUS_LINK_BBR] = {"TCP (bbr)", VOX_LAB_LOST, "lost", true},
};

const char *vox_versus_class(enum vox_versus_link link, bool *dashed)
{
    *dashed = looks[link].dashed;
    return looks[link].class;
}

const char *vox_versus_link_title(enum vox_versus_link link)
{
    return looks[link].title;
}

static const struct vox_playable *playable_of(const struct vox_versus_result *r,
                                              enum vox_versus_link link)
{
    return &r->first[link].playable;
}

static bool has_link(const struct vox_versus_result *r, enum vox_versus_link link)
{
    return playable_of(r, link)->count > 0;
}

/* ---- axes ---- */

static void begin(struct vox_lab_gnuplot *plots, bool is_narrow, int height_px,
                  struct vox_lab_figure *out)
{
    out->width_px = is_narrow ? NARROW_PX : WIDE_PX;
    out->height_px = height_px;
    out->number = vox_lab_gnuplot_begin(plots, out->width_px, out->height_px);
}

static void panel(struct vox_lab_gnuplot *plots, const struct vox_lab_figure *figure, int top_px,
                  int height_px)
{
    vox_lab_gnuplot_panel(
        plots, &(struct vox_lab_panel){.width_px = figure->width_px,
                                       .height_px = figure->height_px,
                                       .left_px = LEFT_PX,
                                       .right_px = RIGHT_PX,
                                       .top_px = top_px,
                                       .bottom_px = figure->height_px - top_px - height_px});
}

static void heading(struct vox_lab_gnuplot *plots, const char *text)
{
    fprintf(plots->script,
            "set label 1 '%s' at graph 0, graph 1 offset character 0, character 0.7 left "
            "tc rgb '" VOX_LAB_INK "'\n",
            text);
}

/* ---- when each frame could be played ---- */

static double fastest_ms(const struct vox_versus_result *r)
{
    double least = HUGE_VAL;
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        least = fmin(least, vox_versus_least_ms(playable_of(r, (enum vox_versus_link)link)));
    return least < HUGE_VAL ? least : 0;
}

/* What all panels reach up to: the slowest frame, if it is no more than some times the budget, or
 * the time that all take. */
static double top_ms(const struct vox_versus_result *r)
{
    double top = 1.25 * r->options->budget_ms;
    double most = fmax(fmax(10 * r->options->budget_ms, 1000), 5 * fastest_ms(r));
    for (int link = 0; link < VOX_VERSUS_LINKS; link++) {
        const struct vox_playable *p = playable_of(r, (enum vox_versus_link)link);
        if (p->count > 0 && vox_versus_has_come(&p->frames[vox_versus_slowest(p)]))
            top = fmax(top, 1.1 * vox_versus_delay_ms(&p->frames[vox_versus_slowest(p)]));
    }
    return fmin(top, most);
}

/* Kinds of dot, as blocks of data. */
enum kind { IN_TIME, REPAIRED, LATE, LOST, KINDS };

static enum kind kind_of(const struct vox_versus_result *r, const struct vox_playable_frame *frame)
{
    if (!vox_versus_has_come(frame))
        return LOST;
    if (vox_versus_delay_ms(frame) > r->options->budget_ms)
        return LATE;
    return frame->way == VOX_PLAYABLE_PACKET ? IN_TIME : REPAIRED;
}

/* What a panel shows: so many seconds, up to so many ms, on so many pixels. */
struct view {
    double span_s, top_ms;
    int width_px;
};

/* The pixels of one column that have a dot. */
struct column {
    int x;
    bool has_dot[PANEL_PX + 1];
};

/* False: there is one already; columns come from left to right. Without that, the page of ten
 * minutes would have 28 MB of dots that nobody sees. */
static bool is_new_dot(struct column *column, const struct view *view, double at_s, double ms)
{
    int x = (int)(at_s / view->span_s * view->width_px);
    int y = (int)(fmin(fmax(ms / view->top_ms, 0), 1) * PANEL_PX);
    if (x != column->x)
        *column = (struct column){.x = x};
    bool is_new = !column->has_dot[y];
    column->has_dot[y] = true;
    return is_new;
}

static double height_ms(const struct vox_playable_frame *f, double top)
{
    return vox_versus_has_come(f) ? fmin(vox_versus_delay_ms(f), 0.98 * top) : 0.93 * top;
}

static void put_kind(FILE *script, const struct vox_versus_result *r, const struct vox_playable *p,
                     const struct view *view, enum kind kind)
{
    struct column column = {.x = -1};
    for (size_t i = 0; i < p->count; i++) {
        const struct vox_playable_frame *f = &p->frames[i];
        if (kind_of(r, f) != kind)
            continue;
        double at_s = (double)i * (double)p->frame_ns / 1e9;
        double ms = height_ms(f, view->top_ms);
        if (is_new_dot(&column, view, at_s, ms))
            fprintf(script, "%.3f %.2f\n", at_s, ms);
    }
}

/* Each with a point that lies outside, since gnuplot refuses empty ones. */
static void put_frames(FILE *script, const struct vox_versus_result *r, enum vox_versus_link link,
                       const struct view *view)
{
    static const char *const blocks[KINDS] = {
        [IN_TIME] = "in_time", [REPAIRED] = "repaired", [LATE] = "late", [LOST] = "lost"};
    for (int kind = 0; kind < KINDS; kind++) {
        fprintf(script, "$%s << EOD\n-9 0\n", blocks[kind]);
        put_kind(script, r, playable_of(r, link), view, (enum kind)kind);
        fputs("EOD\n", script);
    }
}

static void put_panel_name(struct vox_lab_gnuplot *plots, const struct vox_versus_result *r,
                           enum vox_versus_link link, double top, bool is_narrow)
{
    char text[160];
    struct vox_playable_missing missing;
    const struct vox_playable *p = playable_of(r, link);
    vox_playable_at(p, vox_ms_to_ns(r->options->budget_ms), &missing);
    double lost = 100.0 * (double)vox_playable_count(p, VOX_PLAYABLE_LOST) / (double)p->count;
    /* One cross in a minute is no 0.0 %. */
    int decimals = lost > 0 && lost < 0.05 ? 2 : 1;
    size_t slowest = vox_versus_slowest(p);
    double most_ms =
        vox_versus_has_come(&p->frames[slowest]) ? vox_versus_delay_ms(&p->frames[slowest]) : 0;
    int used = snprintf(text, sizeof text, "%s: %.1f %% late, %.*f %% lost",
                        is_narrow && link == VOX_VERSUS_LINK_UDP ? "plain UDP" : looks[link].title,
                        missing.pct - lost, decimals, lost);
    if (most_ms > top && !is_narrow)
        snprintf(text + used, sizeof text - (size_t)used, "; the slowest took %.1f s",
                 most_ms / 1e3);
    heading(plots, text);
}

/* Where the words beside a stair go: from the first line's middle, at text_s and at_ms. */
struct place {
    double text_s, at_ms;
    bool is_right; /* of the stair */
};

/* How many dots the words would cover; on the line of the budget they would be hard to read, too.
 */
static size_t count_covered(const struct vox_playable *p, const struct view *view,
                            const struct place *place, double budget_ms)
{
    double frame_s = (double)p->frame_ns / 1e9, wide_s = WORDS_WIDE * view->span_s;
    double from_s = place->is_right ? place->text_s : place->text_s - wide_s;
    double low = place->at_ms - 0.26 * view->top_ms, high = place->at_ms + 0.1 * view->top_ms;
    if (from_s < 0 || from_s + wide_s > view->span_s)
        return p->count;
    size_t covered = budget_ms > low && budget_ms < high ? p->count / 20 : 0;
    for (size_t i = (size_t)(from_s / frame_s);
         i < p->count && (double)i * frame_s < from_s + wide_s; i++) {
        double ms = height_ms(&p->frames[i], view->top_ms);
        covered += ms > low && ms < high;
    }
    return covered;
}

/* False: there is no place without many dots. */
static bool find_place(const struct vox_playable *p, const struct view *view, double at_s,
                       double budget_ms, struct place *out)
{
    static const double heights[] = {0.86, 0.72, 0.58, 0.44, 0.34};
    size_t least = p->count / 20 + 1; /* a twentieth at the most */
    bool found = false;
    for (int i = 0; i < 10; i++) {
        struct place place = {.is_right = i % 2 == 0, .at_ms = heights[i / 2] * view->top_ms};
        place.text_s = at_s + (place.is_right ? 0.035 : -0.02) * view->span_s;
        size_t covered = count_covered(p, view, &place, budget_ms);
        if (covered >= least)
            continue;
        least = covered;
        *out = place;
        found = true;
    }
    return found;
}

/* In words, beside the stair; where the dots are few. */
static void annotate(FILE *script, const struct vox_versus_stall *stall,
                     const struct vox_playable *p, const struct view *view, double budget_ms)
{
    struct place place;
    double at_s = (double)stall->frame * (double)p->frame_ns / 1e9;
    if (!find_place(p, view, at_s, budget_ms, &place))
        return;
    bool is_right = place.is_right;
    fprintf(
        script,
        "set label 3 \"Here a packet was lost. It took %.0f ms more until its repeat was there,\\n"
        "and the %zu frames behind it had to wait for it.\" at %.4f,%.2f %s front "
        "tc rgb '" VOX_LAB_INK "'\n"
        "set arrow 3 from %.4f,%.2f to %.4f,%.2f front head filled size screen 0.006,20 "
        "lw 1 lc rgb '" VOX_LAB_INK "'\n",
        stall->wait_ms, stall->waited, place.text_s, place.at_ms, is_right ? "left" : "right",
        place.text_s + (is_right ? -0.002 : 0.002) * view->span_s, place.at_ms,
        at_s + (is_right ? 0.006 : -0.004) * view->span_s,
        fmin(height_ms(&p->frames[stall->frame], view->top_ms), 0.95 * view->top_ms));
}

static void plot_panel(struct vox_lab_gnuplot *plots, const struct vox_versus_result *r,
                       enum vox_versus_link link, const struct view *view, bool is_narrow)
{
    FILE *script = plots->script;
    put_panel_name(plots, r, link, view->top_ms, is_narrow);
    put_frames(script, r, link, view);
    fprintf(script,
            "set yrange [0:%.2f]; set ytics %g format '%%g ms'\n"
            "set arrow 1 from graph 0, first %.3f to graph 1, first %.3f nohead dt (6,4) lw 1 "
            "lc rgb '" VOX_LAB_INK "'\n",
            view->top_ms, vox_lab_gnuplot_step(view->top_ms, 3), r->options->budget_ms,
            r->options->budget_ms);
    fprintf(script, "plot $in_time with points pt 7 ps 0.22 lc rgb '" VOX_LAB_PLAYED "', "
                    "$repaired with points pt 7 ps 0.4 lc rgb '" VOX_LAB_RECOVERED "', "
                    "$late with points pt 7 ps 0.3 lc rgb '" VOX_LAB_LATE "', "
                    "$lost with points pt 2 ps 0.6 lw 2 lc rgb '" VOX_LAB_LOST "'\n"
                    "unset arrow; unset label\n");
}

static void time_axis(FILE *script, double span_s, int width_px, bool has_text)
{
    double step = vox_lab_gnuplot_step(span_s, (width_px - LEFT_PX - RIGHT_PX) / 60);
    fprintf(script, "set xrange [0:%.4f]; set xtics %g format %s\n", span_s, step,
            has_text ? "'%g s'" : "''");
}

static int count_links(const struct vox_versus_result *r)
{
    int n = 0;
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        n += has_link(r, (enum vox_versus_link)link);
    return n;
}

static void plot_timeline(struct vox_lab_gnuplot *plots, const struct vox_versus_result *r,
                          const struct vox_versus_stall *stall, bool is_narrow,
                          struct vox_lab_figure *out)
{
    int left = count_links(r), top_px = HEAD_PX;
    struct view view = {.top_ms = top_ms(r)};
    begin(plots, is_narrow, left * (HEAD_PX + PANEL_PX) + AXIS_PX, out);
    view.width_px = out->width_px - LEFT_PX - RIGHT_PX;
    for (int i = 0; i < VOX_VERSUS_LINKS; i++) {
        const struct vox_playable *p = playable_of(r, order[i]);
        if (p->count == 0)
            continue;
        view.span_s = (double)p->count * (double)p->frame_ns / 1e9;
        panel(plots, out, top_px, PANEL_PX);
        time_axis(plots->script, view.span_s, out->width_px, --left == 0);
        if (order[i] == stall->link && !is_narrow)
            annotate(plots->script, stall, p, &view, r->options->budget_ms);
        plot_panel(plots, r, order[i], &view, is_narrow);
        top_px += HEAD_PX + PANEL_PX;
    }
}

/* ---- from near ---- */

/* A stretch of a link around a frame. */
struct stretch {
    const struct vox_playable *playable;
    size_t from, to;
    size_t middle, stride; /* one of so many is drawn, that in the middle among them */
    double origin_ms;      /* end of capture of the frame in the middle of it all */
    double from_ms, to_ms;
    double budget_ms;
    double least_ms; /* delay of the fastest frame */
    size_t repeated; /* this frame was lost, and sent again */
};

static double end_ms(const struct vox_playable *p, size_t frame)
{
    return (double)frame * vox_ns_to_ms(p->frame_ns);
}

static struct stretch stretch_around(const struct vox_versus_result *r,
                                     const struct vox_playable *p, size_t frame, double long_ms,
                                     bool is_narrow)
{
    double frame_ms = vox_ns_to_ms(p->frame_ns);
    size_t before = (size_t)(100 / frame_ms), behind = (size_t)(long_ms / frame_ms);
    struct stretch s = {.playable = p, .budget_ms = r->options->budget_ms};
    s.from = frame > before ? frame - before : 0;
    s.to = frame + behind < p->count ? frame + behind : p->count;
    s.middle = frame;
    s.stride = 1 + (s.to - s.from) / (is_narrow ? NARROW_LINES : LADDER_LINES);
    s.origin_ms = end_ms(p, frame);
    s.least_ms = vox_versus_least_ms(p);
    s.repeated = p->count;
    s.from_ms = -110;
    s.to_ms = long_ms + 20;
    return s;
}

/* Half the way down. */
static void put_lost(FILE *script, const struct stretch *s, double at_ms)
{
    fprintf(script, "%.2f 1\n%.2f 0.5\n\n", at_ms, at_ms + 0.5 * s->least_ms);
}

/* A line from the end of each frame's capture down to when it could be played. */
static void put_ladder(FILE *script, const struct stretch *s)
{
    static const char *const blocks[] = {"in_time", "late", "lost"};
    for (size_t block = 0; block < sizeof blocks / sizeof *blocks; block++) {
        fprintf(script, "$%s << EOD\n-9999 0\n-9999 0\n\n", blocks[block]);
        for (size_t i = s->middle - (s->middle - s->from) / s->stride * s->stride; i < s->to;
             i += s->stride) {
            const struct vox_playable_frame *f = &s->playable->frames[i];
            size_t kind = !vox_versus_has_come(f)                 ? 2
                          : vox_versus_delay_ms(f) > s->budget_ms ? 1
                                                                  : 0;
            double at_ms = end_ms(s->playable, i) - s->origin_ms;
            if (block == 2 && (kind == 2 || i == s->repeated))
                put_lost(script, s, at_ms);
            else if (kind == block)
                fprintf(script, "%.2f 1\n%.2f 0\n\n", at_ms, at_ms + vox_versus_delay_ms(f));
        }
        fputs("EOD\n", script);
    }
}

static void plot_ladder(struct vox_lab_gnuplot *plots, const struct stretch *s, bool is_narrow,
                        const char *name, struct vox_lab_figure *out)
{
    FILE *script = plots->script;
    begin(plots, is_narrow, LADDER_PX, out);
    panel(plots, out, HEAD_PX, LADDER_PX - HEAD_PX - AXIS_PX);
    heading(plots, name);
    put_ladder(script, s);
    fprintf(script,
            "set xrange [%.2f:%.2f]; set xtics %g format '%%g ms'; set yrange [-0.12:1.08]\n"
            "set ytics ('said' 1, 'to play' 0); unset grid; set border 0\n",
            s->from_ms, s->to_ms, vox_lab_gnuplot_step(s->to_ms - s->from_ms, is_narrow ? 5 : 10));
    fputs("plot $in_time with linespoints pt 7 ps 0.3 lw 1.2 lc rgb '" VOX_LAB_PLAYED "', "
          "$late with linespoints pt 7 ps 0.3 lw 1.2 lc rgb '" VOX_LAB_LATE "', "
          "$lost with lines lw 1.2 lc rgb '" VOX_LAB_LOST "', "
          "$lost using 1:($2 < 1 ? $2 : NaN) with points pt 2 ps 1 lw 2.5 lc rgb '" VOX_LAB_LOST
          "'\nunset label\n",
          script);
}

/* The first frame that plain UDP loses behind the first second; count if none. */
static size_t find_loss(const struct vox_playable *p)
{
    size_t i = (size_t)(VOX_NS_PER_S / p->frame_ns);
    while (i < p->count && vox_versus_has_come(&p->frames[i]))
        i++;
    return i;
}

static void name_stall(char *out, size_t capacity, const struct stretch *s,
                       const struct vox_versus_stall *stall, bool is_narrow)
{
    int used = snprintf(out, capacity, "%s: %zu frames wait%s", looks[stall->link].title,
                        stall->waited, is_narrow ? "" : " for the repeat of one");
    if (s->stride > 1)
        snprintf(out + used, capacity - (size_t)used, " (one in %zu is drawn)", s->stride);
}

static void plot_near(struct vox_lab_gnuplot *plots, const struct vox_versus_result *r,
                      const struct vox_versus_stall *stall, struct vox_versus_pictures *out)
{
    char words[120];
    if (stall->link == VOX_VERSUS_LINKS)
        return;
    const struct vox_playable *tcp = playable_of(r, stall->link);
    const struct vox_playable *udp = playable_of(r, VOX_VERSUS_LINK_UDP);
    double long_ms = vox_versus_delay_ms(&tcp->frames[stall->frame]) + 150;
    size_t loss = udp->count > 0 ? find_loss(udp) : 0;
    for (int i = 0; i < 2; i++) {
        struct stretch s = stretch_around(r, tcp, stall->frame, long_ms, i == 1);
        s.repeated = stall->frame;
        name_stall(words, sizeof words, &s, stall, i == 1);
        plot_ladder(plots, &s, i == 1, words, &out->stall[i]);
        if (udp->count == 0 || loss >= udp->count)
            continue;
        s = stretch_around(r, udp, loss, long_ms, i == 1);
        plot_ladder(plots, &s, i == 1, "plain UDP: nothing waits for what is lost", &out->loss[i]);
    }
}

/* ---- who misses which budget ---- */

static double greatest_share(const struct vox_versus_result *r)
{
    double most = 0;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        for (int i = 0; r->table.has[arm] && i < r->budgets.count; i++)
            if (r->budgets.ms[i] >= 100)
                most = fmax(most, r->table.figures[arm][VOX_VERSUS_LATE_PCT + i].median);
    return fmin(fmax(1.6 * most, 8), 100);
}

/* Up to where something happens. */
static double curve_to_ms(const struct vox_versus_result *r)
{
    double to = fmax(2 * fastest_ms(r), 1.25 * r->options->budget_ms);
    return fmax(CURVE_TO_MS, 100 * ceil(to / 100));
}

static void put_curve(FILE *script, const struct vox_playable *p, int link, double to_ms)
{
    fprintf(script, "$curve%d << EOD\n", link);
    for (int i = 0; i <= CURVE_STEPS; i++) {
        struct vox_playable_missing missing;
        double ms = to_ms * i / CURVE_STEPS;
        vox_playable_at(p, vox_ms_to_ns(ms), &missing);
        fprintf(script, "%.1f %.4f\n", ms, missing.pct);
    }
    fputs("EOD\n", script);
}

static void put_curves(FILE *script, const struct vox_versus_result *r, double to_ms)
{
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        if (has_link(r, (enum vox_versus_link)link))
            put_curve(script, playable_of(r, (enum vox_versus_link)link), link, to_ms);
}

static void plot_curves(struct vox_lab_gnuplot *plots, const struct vox_versus_result *r,
                        bool is_narrow, struct vox_lab_figure *out)
{
    FILE *script = plots->script;
    double to_ms = curve_to_ms(r);
    const char *separator = "plot ";
    begin(plots, is_narrow, CURVES_PX, out);
    panel(plots, out, HEAD_PX, CURVES_PX - HEAD_PX - AXIS_PX);
    vox_lab_gnuplot_heading(plots, "frames not there in time (%), by budget");
    put_curves(script, r, to_ms);
    fprintf(script,
            "set xrange [0:%g]; set xtics %g format '%%g ms'; set yrange [0:%.2f]\n"
            "set arrow 1 from %.3f, graph 0 to %.3f, graph 1 nohead dt (6,4) lw 1 lc "
            "rgb '" VOX_LAB_INK "'\n",
            to_ms, vox_lab_gnuplot_step(to_ms, is_narrow ? 4 : 5), greatest_share(r),
            r->options->budget_ms, r->options->budget_ms);
    for (int i = 0; i < VOX_VERSUS_LINKS; i++) {
        enum vox_versus_link link = order[i];
        if (!has_link(r, link))
            continue;
        fprintf(script, "%s$curve%d with lines lw 2 %s lc rgb '%s'", separator, (int)link,
                looks[link].dashed ? "dt (5,4)" : "", looks[link].rgb);
        separator = ", ";
    }
    fputs("\nunset arrow\n", script);
}

int vox_versus_plot(struct vox_lab_gnuplot *plots, const struct vox_versus_result *result,
                    struct vox_versus_pictures *out, struct vox_audio_error *error)
{
    struct vox_versus_stall stall;
    *out = (struct vox_versus_pictures){0};
    vox_versus_find_stall(result, &stall);
    for (int i = 0; i < 2; i++) {
        plot_timeline(plots, result, &stall, i == 1, &out->timeline[i]);
        plot_curves(plots, result, i == 1, &out->curves[i]);
    }
    plot_near(plots, result, &stall, out);
    return vox_lab_gnuplot_run(plots, error);
}
