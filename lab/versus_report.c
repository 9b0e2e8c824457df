#include "lab/versus_report.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/report_html.h"
#include "lab/report_page.h"
#include "lab/report_scene.h"
#include "lab/report_svg.h"
#include "lab/versus_commands.h"
#include "lab/versus_groups.h"
#include "lab/versus_players.h"
#include "lab/versus_plots.h"
#include "lab/versus_virtual.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { NETWORK_BYTES = 4096, COMMAND_BYTES = 4096 };

struct report {
    const struct vox_versus_result *result;
    const struct vox_versus_options *options;
    struct vox_lab_gnuplot plots;
    struct vox_versus_pictures pictures;
    struct vox_versus_stall stall;
    FILE *page;
};

/* ---- figures ---- */

static int put_figure(struct report *r, const struct vox_lab_figure *figure, const char *classes,
                      const char *label)
{
    char name[32];
    const struct vox_lab_svg_frame frame = {.number = figure->number,
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

static int put_sizes(struct report *r, const struct vox_lab_figure *figures, const char *label)
{
    fputs("<figure>\n", r->page);
    int err = put_figure(r, &figures[0], "wide", label);
    err = err < 0 ? err : put_figure(r, &figures[1], "narrow", label);
    fputs("</figure>\n", r->page);
    return err;
}

/* ---- on top ---- */

static const char *sound_name(const struct report *r)
{
    return vox_clip_name(*r->options->file ? r->options->file : r->options->path);
}

/* A number stays on the line of its unit. */
static bool is_tied(const char *text, const char *at)
{
    return *at == ' ' && (at[1] == '%' || strncmp(at + 1, "ms", 2) == 0 ||
                          (at > text && at[-1] == 'R' && isdigit((unsigned char)at[1])));
}

/* An option is not broken behind its hyphens. Returns its length; 0: none begins there. */
static size_t put_option(struct report *r, const char *at)
{
    size_t len = strncmp(at, "--", 2) == 0 ? 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-") : 0;
    if (len > 2)
        fprintf(r->page, "<span class=\"option\">%.*s</span>", (int)len, at);
    return len > 2 ? len : 0;
}

static void put_prose(struct report *r, const char *text)
{
    for (const char *at = text; *at;) {
        size_t len = put_option(r, at);
        at += len;
        if (len > 0)
            continue;
        if (is_tied(text, at))
            fputs("&nbsp;", r->page);
        else
            vox_lab_html_text(r->page, (const char[]){*at, '\0'});
        at++;
    }
}

static void put_item(struct report *r, const char *text)
{
    fputs("<li>", r->page);
    put_prose(r, text);
    fputs("</li>\n", r->page);
}

static bool is_asked(const struct report *r, const struct vox_versus_group *group)
{
    int chosen = r->result->budgets.chosen;
    return group->first <= chosen && chosen <= group->last;
}

/* Those of the budgets that were not asked for. */
static void put_other_verdicts(struct report *r, const struct vox_versus_group *groups, int count)
{
    const struct vox_versus_result *v = r->result;
    fputs("<ul class=\"verdicts\">\n", r->page);
    for (int i = 0; i < count; i++)
        if (!is_asked(r, &groups[i]))
            put_item(r, groups[i].text);
    if (*v->plain_text)
        put_item(r, v->plain_text);
    fputs("</ul>\n", r->page);
}

static void put_doubt(struct report *r)
{
    const char *doubt = vox_versus_doubt(r->options);
    if (!doubt)
        return;
    fputs("<p class=\"note\">", r->page);
    put_prose(r, doubt);
    fputs("</p>\n", r->page);
}

static void put_verdicts(struct report *r)
{
    const struct vox_versus_result *v = r->result;
    struct vox_versus_group groups[VOX_VERSUS_MAX_BUDGETS];
    int count = vox_versus_group(v->verdicts, v->budgets.count, groups);
    fputs("<p class=\"lead\"><b>", r->page);
    for (int i = 0; i < count; i++)
        if (is_asked(r, &groups[i]))
            put_prose(r, groups[i].text);
    fputs("</b></p>\n", r->page);
    if (r->options->is_virtual)
        fputs("<p class=\"lead\"><b>TCP is a model here, not the kernel.</b> Leave out --virtual "
              "for the kernel.</p>\n",
              r->page);
    put_other_verdicts(r, groups, count);
    put_doubt(r);
    fputs("<p class=\"note\">R rates a conversation by its delay and what is missing in it "
          "(E-model, ITU-T G.107), from 0 to 93: with 80 and more people are content, below 50 "
          "nearly all are not.</p>\n",
          r->page);
}

static void put_ways(struct report *r)
{
    fputs("<details><summary>What these ways do</summary>\n<dl class=\"settings\">\n", r->page);
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (r->result->table.has[arm])
            fprintf(r->page, "<dt>%s</dt><dd>%s</dd>\n", vox_versus_title((enum vox_versus_arm)arm),
                    vox_versus_explanation((enum vox_versus_arm)arm));
    fputs("</dl>\n</details>\n", r->page);
}

static void put_settings(struct report *r)
{
    char network[NETWORK_BYTES];
    vox_versus_network_print(r->options, network, sizeof network);
    fputs("<dl class=\"settings\">\n<dt>sound</dt><dd>", r->page);
    vox_lab_html_text(r->page, sound_name(r));
    if (r->options->duration_ns > 0)
        fprintf(r->page, r->options->again ? ", again and again for %g s" : ", %g s of it",
                (double)r->options->duration_ns / 1e9);
    fprintf(r->page, ", %d kbit/s, frames of %g ms</dd>\n<dt>network</dt><dd>",
            r->options->encoding.bitrate_bps / 1000,
            vox_ns_to_ms(vox_rtp_to_ns(r->options->encoding.frame_ticks)));
    vox_lab_html_text(r->page, *network ? network : "perfect");
    fprintf(r->page,
            "</dd>\n<dt>budget</dt><dd>%g ms between the end of a frame&#39;s capture and its "
            "playing</dd>\n<dt>seed%s</dt><dd>%llu",
            r->options->budget_ms, r->options->repeat > 1 ? "s" : "",
            (unsigned long long)r->options->network.seed);
    if (r->options->repeat > 1)
        fprintf(r->page, " to %llu",
                (unsigned long long)r->options->network.seed + (unsigned)r->options->repeat - 1);
    fputs("</dd>\n</dl>\n", r->page);
}

static void put_head(struct report *r)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<title>TCP and UDP: ",
          r->page);
    vox_lab_html_text(r->page, sound_name(r));
    fputs("</title>\n<style>\n", r->page);
    vox_lab_html_style(r->page);
    fputs(".verdicts{margin:0 0 1rem;padding-left:1.2rem;max-width:52rem}\n"
          ".verdicts li{margin:.35rem 0}\n"
          ".figures th,.figures td{white-space:nowrap}\n"
          ".figures{font-size:.85rem}.figures th,.figures td{padding-right:.85rem}\n"
          ".figures small{display:block;color:var(--muted)}\n"
          "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);"
          "border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem;margin:.5rem 0;"
          "font-size:.85rem}\n"
          ".option{white-space:nowrap}\n"
          "tr.chosen td{font-weight:600}\n"
          ".players{grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}\n"
          "</style>\n</head>\n<body>\n<header>\n<h1>The same sound over TCP and over UDP</h1>\n",
          r->page);
    put_verdicts(r);
    put_ways(r);
    put_settings(r);
    fputs("</header>\n<main>\n", r->page);
}

/* ---- when each frame could be played ---- */

static void put_stall_words(struct report *r)
{
    if (r->stall.link == VOX_VERSUS_LINKS)
        return;
    fprintf(r->page,
            "<p>TCP delivers everything, and in order. So when one packet is lost, all that come "
            "behind it must wait until its repeat is there, and then come in a heap: each stair "
            "falls by one frame&#39;s length per frame. The highest one here is of a packet that "
            "was lost and whose repeat came %.0f&nbsp;ms later; %zu frames behind it would have "
            "been there "
            "before that, and had to wait. UDP lets each packet come by itself: what is lost is a "
            "cross, "
            "and nothing waits for it.</p>\n",
            r->stall.wait_ms, r->stall.waited);
}

/* Pictures are of one seed, and so need not be what the medians are. */
static const char *of_one_seed(const struct report *r)
{
    return r->options->repeat > 1 ? " This is of the first seed alone." : "";
}

static int put_timeline(struct report *r)
{
    fprintf(r->page,
            "<section>\n<h2>When each frame could be played</h2>\n"
            "<p>Each dot is a frame of %g&nbsp;ms, or some that would cover each other: to the "
            "right, when it was said; upwards, how "
            "long it took until it could be played, in ms. The dashed line is the listener&#39;s "
            "budget of %g&nbsp;ms: what lies above it is too late.%s</p>\n",
            vox_ns_to_ms(vox_rtp_to_ns(r->options->encoding.frame_ticks)), r->options->budget_ms,
            of_one_seed(r));
    fputs("<ul class=\"legend\"><li><i class=\"dot played\"></i>in time</li>"
          "<li><i class=\"dot recovered\"></i>in time thanks to FEC, a copy or a repeat</li>"
          "<li><i class=\"dot late\"></i>too late</li>"
          "<li><b style=\"color:var(--lost)\">&#215;</b> lost for good</li></ul>\n",
          r->page);
    int err = put_sizes(r, r->pictures.timeline,
                        "Delay of each frame against time, a panel for each way: with TCP stairs "
                        "that rise and fall, with UDP a flat line and crosses for lost frames.");
    put_stall_words(r);
    fputs("</section>\n", r->page);
    return err;
}

static int put_near(struct report *r)
{
    int err = 0;
    if (r->pictures.stall[0].number == 0)
        return 0;
    fputs("<section>\n<h2>The worst stall from near</h2>\n"
          "<p>Each line is a frame, from when it was said (above) to when it could be played "
          "(below); a cross is where it was lost.</p>\n",
          r->page);
    err = put_sizes(r, r->pictures.stall,
                    "Lines of frames on their way over TCP: after a loss many end at the same "
                    "moment.");
    if (err >= 0 && r->pictures.loss[0].number > 0)
        err = put_sizes(r, r->pictures.loss,
                        "Lines of frames on their way over UDP: parallel, lost ones end in a "
                        "cross.");
    fputs("</section>\n", r->page);
    return err;
}

static int put_curves(struct report *r)
{
    fputs("<section>\n<h2>Who misses which budget</h2>\n<ul class=\"legend\">", r->page);
    for (int i = 0; i < VOX_VERSUS_LINKS; i++) {
        enum vox_versus_link link = (enum vox_versus_link)i;
        bool dashed;
        const char *class = vox_versus_class(link, &dashed);
        if (r->result->first[link].playable.count > 0)
            fprintf(r->page, "<li><i class=\"%s %s\"></i>%s</li>", dashed ? "dash" : "line", class,
                    vox_versus_link_title(link));
    }
    fputs("</ul>\n", r->page);
    int err = put_sizes(r, r->pictures.curves,
                        "Share of the frames that are not there in time against the budget, a "
                        "line for each way.");
    fprintf(r->page,
            "<p class=\"note\">Lost frames count as not there. Where a line stays level, a longer "
            "budget brings nothing more.%s</p>\n</section>\n",
            of_one_seed(r));
    return err;
}

/* ---- what it costs ---- */

static void put_cell(struct report *r, int arm, int what, int decimals)
{
    const struct vox_versus_spread *s = &r->result->table.figures[arm][what];
    fprintf(r->page, "<td class=\"n\">%.*f", decimals, s->median);
    if (r->options->repeat > 1)
        fprintf(r->page, "<small>%.*f&#8211;%.*f</small>", decimals, s->min, decimals, s->max);
    fputs("</td>", r->page);
}

static void put_row(struct report *r, int arm)
{
    const struct vox_versus_result *v = r->result;
    fprintf(r->page, "<tr%s><td>",
            arm == v->verdicts[v->budgets.chosen].choice ? " class=\"chosen\"" : "");
    vox_lab_html_text(r->page, vox_versus_title((enum vox_versus_arm)arm));
    fputs("</td>", r->page);
    put_cell(r, arm, VOX_VERSUS_R, 0);
    for (int i = 0; i < v->budgets.count; i++)
        put_cell(r, arm, VOX_VERSUS_LATE_PCT + i, 1);
    put_cell(r, arm, VOX_VERSUS_LOST_PCT, 1);
    put_cell(r, arm, VOX_VERSUS_P50, 0);
    put_cell(r, arm, VOX_VERSUS_P99, 0);
    put_cell(r, arm, VOX_VERSUS_MAX, 0);
    put_cell(r, arm, VOX_VERSUS_SILENCE_MS, 0);
    put_cell(r, arm, VOX_VERSUS_GAP_MS, 0);
    put_cell(r, arm, VOX_VERSUS_THERE_KB, 0);
    put_cell(r, arm, VOX_VERSUS_BACK_KB, 0);
    fputs("</tr>\n", r->page);
}

static void put_heads(struct report *r)
{
    const struct vox_versus_budgets *b = &r->result->budgets;
    fprintf(r->page,
            "<tr><th></th><th class=\"n\">R</th><th class=\"n\" colspan=\"%d\">%% not there "
            "within</th><th class=\"n\">%% lost</th><th class=\"n\" colspan=\"3\">delay, ms</th>"
            "<th class=\"n\" colspan=\"2\">longest, ms</th><th class=\"n\" colspan=\"2\">kB per "
            "minute</th></tr>\n<tr><th></th><th class=\"n\">%g&nbsp;ms</th>",
            b->count, r->options->budget_ms);
    for (int i = 0; i < b->count; i++)
        fprintf(r->page, "<th class=\"n\">%g&nbsp;ms</th>", b->ms[i]);
    fputs("<th class=\"n\"></th><th class=\"n\">median</th><th class=\"n\">99 %</th>"
          "<th class=\"n\">most</th><th class=\"n\">silence</th><th class=\"n\">gap</th>"
          "<th class=\"n\">there</th><th class=\"n\">back</th></tr>\n",
          r->page);
}

static void put_table(struct report *r)
{
    const struct vox_versus_result *v = r->result;
    fputs("<section>\n<h2>What it brings, and what it costs</h2>\n<div class=\"scroll\">"
          "<table class=\"figures\">\n",
          r->page);
    put_heads(r);
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        if (v->table.has[arm])
            put_row(r, arm);
    fprintf(r->page,
            "</table></div>\n<p class=\"note\">%sR is the rating of the E-model. Longest "
            "silence: in which nothing new came that could be played, however patient the "
            "listener. Longest gap: "
            "what a listener with a budget of %g&nbsp;ms misses in one piece. Bytes are those of "
            "all IP packets, repeats and acknowledgements included.</p>\n</section>\n",
            r->options->repeat > 1 ? "Medians over the seeds, with the least and the greatest. "
                                   : "",
            r->options->budget_ms);
}

/* ---- how it was made ---- */

static void put_command(struct report *r, enum vox_versus_link link)
{
    static struct vox_versus_command command;
    char text[COMMAND_BYTES];
    vox_versus_command_make(r->options, NULL, link, r->options->network.seed,
                            vox_versus_link_name(link), &command);
    vox_versus_command_print(&command, text, sizeof text);
    fputs("<pre>", r->page);
    vox_lab_html_text(r->page, text);
    fputs("</pre>\n", r->page);
}

static void put_commands(struct report *r)
{
    if (r->options->is_virtual)
        return;
    fputs("<section>\n<h2>The commands</h2>\n<p>Each way can be run by itself; these were run at "
          "the same time, for each seed again.</p>\n<details><summary>Show them</summary>\n",
          r->page);
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        if (vox_versus_link_is_wanted((enum vox_versus_link)link, r->options->has))
            put_command(r, (enum vox_versus_link)link);
    fputs("</details>\n</section>\n", r->page);
}

static void put_machine(struct report *r)
{
    struct utsname name;
    if (r->options->is_virtual) {
        fputs("<li>Everything ran in virtual time. TCP is a model of its retransmission, not the "
              "kernel&#39;s: it is fast and repeatable, and no proof.</li>\n",
              r->page);
        return;
    }
    if (uname(&name) == 0)
        fprintf(
            r->page,
            "<li>Real programs over the TCP and UDP of %s %s, in two network namespaces that "
            "are joined by a link of ours; only that link&#39;s loss and delay are a model. Both "
            "clocks are the same, so delays are absolute.</li>\n",
            name.sysname, name.release);
}

static void put_assumptions(struct report *r)
{
    fputs("<section>\n<h2>What was assumed</h2>\n<ul>\n", r->page);
    put_machine(r);
    fprintf(r->page,
            "<li>Delays count from the end of a frame&#39;s capture: no network can have it "
            "before. The frame itself and the codec&#39;s look-ahead, together %.1f&nbsp;ms, are "
            "the same for all ways; R counts them too.</li>\n"
            "<li>The listener plays every frame a fixed time after its capture and drops what is "
            "later. What is missing is concealed, also behind TCP; only plain UDP leaves "
            "silence.</li>\n",
            r->result->extra_ms);
    fputs("<li>RED carries one whole copy of the packet before each, unless other options say so. "
          "Retransmission asks as a listener with the longest budget would.</li>\n"
          "<li>TCP sends each packet at once (TCP_NODELAY), framed by RFC 4571. Nothing else is on "
          "the link.</li>\n"
          "<li>R is ITU-T G.107 with Opus taken for G.711 with concealment (Bpl 25.1; plain: "
          "without, 4.3), bursts counted. It compares; it is no measurement of quality. Within 1 "
          "of R, the way with fewer bytes is chosen.</li>\n</ul>\n</section>\n",
          r->page);
}

/* ---- the page ---- */

static int put_page(struct report *r, struct vox_audio_error *error)
{
    put_head(r);
    int err = put_timeline(r);
    if (err >= 0)
        err = put_near(r);
    if (err >= 0)
        err = vox_versus_players_put(&r->plots, r->result, &r->stall, r->page, error);
    if (err >= 0)
        err = put_curves(r);
    put_table(r);
    put_commands(r);
    put_assumptions(r);
    fputs("</main>\n</body>\n</html>\n", r->page);
    return err;
}

static int put_into(void *context, FILE *page, struct vox_audio_error *error)
{
    struct report *r = context;
    r->page = page;
    return put_page(r, error);
}

int vox_versus_report_write(const char *path, const struct vox_versus_result *result,
                            struct vox_audio_error *error)
{
    struct report r = {.result = result, .options = result->options};
    vox_versus_find_stall(result, &r.stall);
    int err = vox_lab_gnuplot_open(&r.plots, error);
    if (err >= 0)
        err = vox_versus_plot(&r.plots, result, &r.pictures, error);
    if (err >= 0)
        err = vox_lab_page_write(&r.plots, path, put_into, &r, error);
    vox_lab_gnuplot_close(&r.plots);
    return err;
}
