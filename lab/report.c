#include "lab/report.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/report_html.h"
#include "lab/report_page.h"
#include "lab/report_scene.h"
#include "lab/report_spread.h"
#include "lab/report_svg.h"
#include "lab/report_words.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TIMELINES = 4, SIZES = 2 };

struct report {
    struct vox_lab_facts facts;
    struct vox_lab_gnuplot plots;
    FILE *page;
    int timeline_count;
    struct vox_lab_figure timeline[MAX_TIMELINES][SIZES]; /* wide, narrow */
    struct vox_lab_figure delay[SIZES];
    struct vox_lab_figure histogram, tail;
    struct vox_lab_figure curve[SIZES]; /* 0: there is no choice to show */
    struct vox_lab_figure scenes[VOX_LAB_WORST_GLITCHES];
};

/* ---- figures ---- */

static int plot_whole(struct report *r)
{
    int err = 0;
    int streams = r->facts.input->run->stream_count;
    r->timeline_count = streams < MAX_TIMELINES ? streams : MAX_TIMELINES;
    for (int size = 0; size < SIZES && err >= 0; size++) {
        for (int i = 0; i < r->timeline_count && err >= 0; i++)
            err = vox_lab_plot_timeline(&r->plots, &r->facts, i, size > 0, &r->timeline[i][size]);
        if (err >= 0)
            err = vox_lab_plot_delay(&r->plots, &r->facts, size > 0, &r->delay[size]);
        if (err >= 0 && r->facts.sum.curve_count > 1)
            vox_lab_plot_curve(&r->plots, &r->facts, size > 0, &r->curve[size]);
    }
    if (err >= 0)
        err = vox_lab_plot_histogram(&r->plots, &r->facts, &r->histogram);
    return err < 0 ? err : vox_lab_plot_tail(&r->plots, &r->facts, &r->tail);
}

static int plot(struct report *r, struct vox_audio_error *error)
{
    int err = plot_whole(r);
    for (int i = 0; i < r->facts.worst_count && err >= 0; i++)
        err = vox_lab_scene_plot(&r->plots, &r->facts, r->facts.worst[i], &r->scenes[i]);
    if (err < 0)
        return vox_audio_fail(error, err, "cannot draw the figures of the report: %s",
                              vox_err_text(err));
    return vox_lab_gnuplot_run(&r->plots, error);
}

static int put_figure(struct report *r, const struct vox_lab_figure *figure, const char *classes,
                      const char *label)
{
    char name[32];
    struct vox_lab_svg_frame frame = {.number = figure->number,
                                      .width_px = figure->width_px,
                                      .height_px = figure->height_px,
                                      .classes = classes,
                                      .label = label};
    snprintf(name, sizeof name, "%d.svg", figure->number);
    FILE *svg = vox_lab_gnuplot_file(&r->plots, name, "r");
    int err = svg ? vox_lab_svg_copy(svg, &frame, r->page) : VOX_EIO;
    if (svg)
        fclose(svg);
    return err;
}

/* The two sizes of a figure. */
static int put_sizes(struct report *r, const struct vox_lab_figure *figures, const char *label)
{
    int err = put_figure(r, &figures[0], "wide", label);
    return err < 0 ? err : put_figure(r, &figures[1], "narrow", label);
}

/* ---- sections ---- */

static void put_legend(FILE *page, const char *items)
{
    fprintf(page, "<ul class=\"legend\">%s</ul>\n", items);
}

static int put_timelines(struct report *r)
{
    const struct vox_run *run = r->facts.input->run;
    int err = 0;
    fputs("<section>\n<h2>What became of each packet</h2>\n", r->page);
    put_legend(r->page, "<li><i class=\"dot played\"></i>arrived and played</li>"
                        "<li><i class=\"line ink\"></i>when it is played</li>"
                        "<li><i class=\"late\"></i>arrived too late</li>"
                        "<li><i class=\"lost\"></i>lost</li>"
                        "<li><i class=\"recovered\"></i>lost, recovered from FEC or a copy</li>");
    for (int i = 0; i < r->timeline_count && err >= 0; i++) {
        char label[160];
        snprintf(label, sizeof label,
                 "Delay of each of %zu packets after its sending, against the time of sending; "
                 "rows for lost, late and recovered ones.",
                 run->streams[i].count);
        fputs("<figure>\n", r->page);
        if (run->stream_count > 1)
            fprintf(r->page, "<figcaption>Sender %d (SSRC %08x)</figcaption>\n", i + 1,
                    (unsigned)run->streams[i].ssrc);
        err = put_sizes(r, r->timeline[i], label);
        fputs("</figure>\n", r->page);
    }
    int64_t top_ns = vox_lab_timeline_top_ns(&r->facts);
    int64_t most_ns = vox_lab_delays_quantile_ns(&r->facts.network, 1.0);
    if (most_ns > top_ns)
        fprintf(r->page,
                "<p class=\"note\">Packets that took longer, up to %.0f&nbsp;ms, are drawn at the "
                "upper edge.</p>\n",
                vox_ns_to_ms(most_ns));
    if (run->stream_count > r->timeline_count)
        fprintf(r->page, "<p class=\"note\">The first %d of %d senders are shown.</p>\n",
                r->timeline_count, run->stream_count);
    fputs("</section>\n", r->page);
    return err;
}

static int put_delay(struct report *r)
{
    fputs("<section>\n<h2>Delay and buffer</h2>\n", r->page);
    put_legend(r->page, "<li><i class=\"played\"></i>network: median, least to most</li>"
                        "<li><i class=\"dash recovered\"></i>target of the playout</li>"
                        "<li><i class=\"line ink\"></i>playout</li>"
                        "<li><i class=\"late\"></i>buffer: what lies between</li>"
                        "<li>rows: sound put in (up) or left out (down)</li>");
    fputs("<figure>\n", r->page);
    int err = put_sizes(r, r->delay,
                        "Delay of network and playout with the target, and the time that packets "
                        "waited in the buffer, against time; rows for audio that was put in or "
                        "left out.");
    fputs("</figure>\n", r->page);
    vox_lab_words_stretches(&r->facts, r->page);
    fputs("</section>\n", r->page);
    return err;
}

static int put_curve(struct report *r)
{
    int err = 0;
    fputs("<section>\n<h2>Delay against glitches on this network</h2>\n", r->page);
    if (r->curve[0].number > 0) {
        put_legend(r->page, "<li><i class=\"late\"></i>what other delays would have cost, as the "
                            "receiver knew in the end</li>"
                            "<li><i class=\"dot ink\"></i>the one that it chose</li>");
        fputs("<figure>\n", r->page);
        err = put_sizes(r, r->curve,
                        "Sound that would have had to be made up in each minute because packets "
                        "came too late, against the delay; the chosen delay is marked.");
        fputs("</figure>\n", r->page);
    }
    vox_lab_words_choice(&r->facts, r->page);
    fputs("</section>\n", r->page);
    return err;
}

static int put_distribution(struct report *r)
{
    fputs("<section>\n<h2>How delays were spread</h2>\n", r->page);
    put_legend(r->page, "<li><i class=\"played\"></i>network: sent to arrived</li>"
                        "<li><i class=\"ink\"></i>whole way: sent to played</li>");
    fputs("<div class=\"two\"><figure>\n", r->page);
    int err = put_figure(r, &r->histogram, "",
                         "Histogram of the delays of the network and of the whole way.");
    fputs("</figure><figure>\n", r->page);
    if (err >= 0)
        err = put_figure(r, &r->tail, "", "Share of packets that took longer than a delay.");
    fputs("</figure></div>\n", r->page);
    vox_lab_words_delays(&r->facts, r->page);
    fputs("</section>\n", r->page);
    return err;
}

static int put_player(struct report *r, const char *name, const struct vox_lab_clip *clip,
                      struct vox_audio_error *error)
{
    fprintf(r->page,
            "<div>%s<audio controls preload=\"metadata\" aria-label=\"%s\" "
            "src=\"data:audio/flac;base64,",
            name, name);
    int err = vox_lab_clip_put(&r->plots, clip, r->page, error);
    fputs("\"></audio></div>\n", r->page);
    return err;
}

static int put_scene(struct report *r, int index, struct vox_audio_error *error)
{
    const struct vox_lab_glitch *g = r->facts.worst[index];
    struct vox_lab_clip heard = vox_lab_scene_heard(&r->facts, g);
    struct vox_lab_clip meant = vox_lab_scene_meant(&r->facts, g);
    fputs("<figure class=\"card\">\n<figcaption><h3>", r->page);
    vox_lab_words_time(g->output_frame, r->page);
    fprintf(r->page, ", %.0f&nbsp;ms</h3>", vox_ns_to_ms(g->duration_ns));
    vox_lab_words_cause(g, r->page);
    fputs("</figcaption>\n", r->page);
    int err = put_figure(r, &r->scenes[index], "",
                         "Packets on their way, waveforms and spectrograms of the reference and of "
                         "what was heard around the glitch.");
    fputs("<div class=\"players\">\n", r->page);
    if (err >= 0)
        err = put_player(r, "Reference", &meant, error);
    if (err >= 0)
        err = put_player(r, "Heard", &heard, error);
    fputs("</div></figure>\n", r->page);
    return err;
}

static int put_scenes(struct report *r, struct vox_audio_error *error)
{
    int err = 0;
    if (r->facts.worst_count == 0)
        return 0;
    fputs("<section>\n<h2>The worst glitches from near</h2>\n"
          "<p class=\"note\">Time counts from the beginning of the glitch, which is shaded. Lines "
          "lead from a packet's sending to its arrival and its playing; a cross is where it was "
          "lost, or came too late. The reference is what the same packets are without a "
          "network.</p>\n<div class=\"two\">\n",
          r->page);
    for (int i = 0; i < r->facts.worst_count && err >= 0; i++)
        err = put_scene(r, i, error);
    fputs("</div>\n</section>\n", r->page);
    return err;
}

static int put_audio(struct report *r, struct vox_audio_error *error)
{
    const struct vox_lab_report_input *in = r->facts.input;
    struct vox_lab_clip heard = {.pcm = in->run->pcm,
                                 .channels = in->channels,
                                 .frames = in->run->frames,
                                 .to_frame = in->run->frames};
    struct vox_lab_clip meant = {.pcm = in->reference,
                                 .channels = in->channels,
                                 .frames = in->reference_frames,
                                 .to_frame = in->reference_frames};
    fputs("<section>\n<h2>Listen</h2>\n", r->page);
    if (vox_rtp_to_ns(in->run->frames) > VOX_LAB_REPORT_MAX_AUDIO_NS) {
        fputs("<p>The recording is too long to be put into this page; what is around the worst "
              "glitches is.</p>\n</section>\n",
              r->page);
        return 0;
    }
    fputs("<div class=\"players\">\n", r->page);
    int err = put_player(r, "Reference", &meant, error);
    if (err >= 0)
        err = put_player(r, "Heard", &heard, error);
    fputs("</div>\n</section>\n", r->page);
    return err;
}

/* ---- the page ---- */

static void put_head(struct report *r)
{
    FILE *page = r->page;
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          page);
    vox_lab_html_text(page, r->facts.input->title);
    fputs("</title>\n<style>\n", page);
    vox_lab_html_style(page);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>", page);
    vox_lab_html_text(page, r->facts.input->title);
    fputs("</h1>\n", page);
    vox_lab_words_lead(&r->facts, page);
    vox_lab_words_tiles(&r->facts, page);
    vox_lab_words_settings(&r->facts, page);
    fputs("</header>\n<main>\n", page);
}

static void put_tail(struct report *r)
{
    fputs("<section>\n<h2>All glitches</h2>\n", r->page);
    vox_lab_words_glitches(&r->facts, r->page);
    fputs("</section>\n</main>\n</body>\n</html>\n", r->page);
}

static int put_page(struct report *r, struct vox_audio_error *error)
{
    put_head(r);
    int err = put_audio(r, error);
    if (err >= 0)
        err = put_timelines(r);
    if (err >= 0)
        err = put_delay(r);
    if (err >= 0)
        err = put_curve(r);
    if (err >= 0)
        err = put_distribution(r);
    if (err >= 0)
        err = put_scenes(r, error);
    put_tail(r);
    return err;
}

/* ---- the file ---- */

static int put_into(void *context, FILE *page, struct vox_audio_error *error)
{
    struct report *r = context;
    r->page = page;
    return put_page(r, error);
}

int vox_lab_report_check(struct vox_audio_error *error)
{
    return vox_lab_gnuplot_check(error);
}

int vox_lab_report_write(const char *path, const struct vox_lab_report_input *input,
                         struct vox_audio_error *error)
{
    struct report *r = calloc(1, sizeof *r);
    int err = r ? vox_lab_facts_init(&r->facts, input) : VOX_ENOMEM;
    if (err < 0) {
        free(r);
        return vox_audio_fail(error, err, "there is nothing to report on: %s", vox_err_text(err));
    }
    err = vox_lab_gnuplot_open(&r->plots, error);
    if (err >= 0)
        err = plot(r, error);
    if (err >= 0)
        err = vox_lab_page_write(&r->plots, path, put_into, r, error);
    vox_lab_gnuplot_close(&r->plots);
    vox_lab_facts_clear(&r->facts);
    free(r);
    return err;
}
