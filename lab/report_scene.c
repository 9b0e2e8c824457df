#include "lab/report_scene.h"

#include "audio/file.h"
#include "base/err.h"
#include "base/time.h"
#include "dsp/fft.h"
#include "dsp/pcm.h"
#include "lab/report_html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH_PX = 520,
    LEFT_PX = 66,
    RIGHT_PX = 10,
    LADDER_PX = 84,
    WAVE_PX = 54,
    SPECTRUM_PX = 84,
    GAP_PX = 10,
    AXIS_PX = 28,
    COLUMNS = 222, /* two pixels each */
    FFT_FRAMES = 512,
    BANDS = 171, /* of 93.75 Hz: up to 16 kHz */
};

#define MAX_SHOWN_NS (1500 * VOX_NS_PER_MS)
#define BEFORE_NS (150 * VOX_NS_PER_MS)
#define MAX_BEFORE_NS (700 * VOX_NS_PER_MS)
#define CLIP_MARGIN_FRAMES VOX_RTP_HZ
#define MAX_CLIP_FRAMES (8 * VOX_RTP_HZ)
/* What is white and what is darkest in a spectrogram, in dB of a full-scale sine. */
#define WHITE_DB (-85.0)
#define DARK_DB (-20.0)

struct scene {
    struct vox_lab_gnuplot *plots;
    const struct vox_lab_facts *facts;
    const struct vox_lab_glitch *glitch;
    struct vox_lab_figure *figure;
    int64_t from_ns, to_ns; /* around the beginning of the glitch */
    int top_px;             /* of the next panel */
    float *meant, *heard;   /* mono, the window and a transform on either side */
    int64_t frames;         /* of the window */
};

static double shown_ms(const struct scene *s)
{
    int64_t shown_ns =
        s->glitch->duration_ns < MAX_SHOWN_NS ? s->glitch->duration_ns : MAX_SHOWN_NS;
    return vox_ns_to_ms(shown_ns);
}

/* From before the glitch's packets were sent, if that is not long before. */
static void choose_window(struct scene *s)
{
    int64_t delay_ns = vox_lab_delays_quantile_ns(&s->facts->total, 0.5);
    int64_t before_ns = delay_ns + 60 * VOX_NS_PER_MS;
    before_ns = before_ns > BEFORE_NS ? before_ns : BEFORE_NS;
    s->from_ns = -(before_ns < MAX_BEFORE_NS ? before_ns : MAX_BEFORE_NS);
    s->to_ns = vox_ms_to_ns(shown_ms(s)) + BEFORE_NS;
    s->frames = vox_ns_to_rtp(s->to_ns - s->from_ns);
}

/* ---- panels ---- */

static void panel(struct scene *s, int height_px, const char *y_tics, bool has_axis)
{
    FILE *script = s->plots->script;
    vox_lab_gnuplot_panel(s->plots, &(struct vox_lab_panel){.width_px = WIDTH_PX,
                                                            .height_px = s->figure->height_px,
                                                            .left_px = LEFT_PX,
                                                            .right_px = RIGHT_PX,
                                                            .top_px = s->top_px,
                                                            .bottom_px = s->figure->height_px -
                                                                         s->top_px - height_px});
    s->top_px += height_px + GAP_PX;
    fprintf(script,
            "unset grid; set border 0; set xrange [%.3f:%.3f]; set ytics scale 0 (%s)\n"
            "set xtics format %s scale %s\n"
            "set object 1 rect from 0, graph 0 to %.3f, graph 1 behind fc rgb '" VOX_LAB_LOST
            "' fs transparent solid 0.16 noborder\n",
            vox_ns_to_ms(s->from_ns), vox_ns_to_ms(s->to_ns), y_tics, has_axis ? "'%g ms'" : "''",
            has_axis ? "0.4" : "0", shown_ms(s));
}

/* ---- packets on their way ---- */

struct way {
    const char *name;
    const char *color;
};

static const struct way ways[] = {
    [VOX_RUN_PLAYED] = {"played", VOX_LAB_PLAYED},
    [VOX_RUN_RECOVERED] = {"recovered", VOX_LAB_RECOVERED},
    [VOX_RUN_LATE] = {"late", VOX_LAB_LATE},
    [VOX_RUN_LOST] = {"lost", VOX_LAB_LOST},
};

/* Time from, height from, time to, height to: sent is 2, arrived 1, played 0. */
static void put_way(struct scene *s, const struct vox_run_packet *p)
{
    FILE *script = s->plots->script;
    double sent = vox_ns_to_ms(p->send_ns - s->glitch->t_ns);
    if (p->arrival_ns == VOX_RUN_NEVER) {
        double half = vox_ns_to_ms(vox_lab_delays_quantile_ns(&s->facts->network, 0.5)) / 2.0;
        fprintf(script, "%.2f 2 %.2f -0.5\n", sent, half);
        return;
    }
    double arrived = vox_ns_to_ms(p->arrival_ns - s->glitch->t_ns);
    fprintf(script, "%.2f 2 %.2f -1\n", sent, arrived - sent);
    if (p->outcome == VOX_RUN_PLAYED)
        fprintf(script, "%.2f 1 %.2f -1\n", arrived, vox_ns_to_ms(p->play_ns - p->arrival_ns));
}

/* Where a way ends: of recovered packets also where they were played after all. */
static void put_end(struct scene *s, const struct vox_run_packet *p)
{
    FILE *script = s->plots->script;
    double sent = vox_ns_to_ms(p->send_ns - s->glitch->t_ns);
    double half = vox_ns_to_ms(vox_lab_delays_quantile_ns(&s->facts->network, 0.5)) / 2.0;
    if (p->outcome == VOX_RUN_PLAYED)
        fprintf(script, "%.2f 0\n", vox_ns_to_ms(p->play_ns - s->glitch->t_ns));
    else if (p->arrival_ns == VOX_RUN_NEVER)
        fprintf(script, "%.2f 1.5\n", sent + half);
    else
        fprintf(script, "%.2f 1\n", vox_ns_to_ms(p->arrival_ns - s->glitch->t_ns));
}

static void put_ways(struct scene *s, enum vox_run_outcome outcome, const char *suffix,
                     void (*put)(struct scene *, const struct vox_run_packet *))
{
    const struct vox_run_stream *stream = &s->facts->input->run->streams[s->glitch->stream];
    int64_t from_ns = s->glitch->t_ns + s->from_ns - 3 * VOX_NS_PER_S;
    int64_t to_ns = s->glitch->t_ns + s->to_ns;
    fprintf(s->plots->script, "$%s%s << EOD\n-99999 0 0 0\n", ways[outcome].name, suffix);
    for (size_t k = 0; k < stream->count; k++) {
        const struct vox_run_packet *p = &stream->packets[k];
        if (p->outcome == outcome && p->send_ns >= from_ns && p->send_ns <= to_ns)
            put(s, p);
    }
    fputs("EOD\n", s->plots->script);
}

static void put_recovered_play(struct scene *s, const struct vox_run_packet *p)
{
    fprintf(s->plots->script, "%.2f 0\n", vox_ns_to_ms(p->play_ns - s->glitch->t_ns));
}

static void plot_ladder(struct scene *s)
{
    FILE *script = s->plots->script;
    for (enum vox_run_outcome o = VOX_RUN_PLAYED; o <= VOX_RUN_LOST; o++) {
        put_ways(s, o, "way", put_way);
        put_ways(s, o, "end", put_end);
    }
    put_ways(s, VOX_RUN_RECOVERED, "play", put_recovered_play);
    panel(s, LADDER_PX, "'sent' 2, 'arrived' 1, 'played' 0", false);
    fputs("set yrange [-0.15:2.1]\nplot ", script);
    for (int o = VOX_RUN_PLAYED; o <= VOX_RUN_LOST; o++)
        fprintf(script,
                "$%sway using 1:2:3:4 with vectors nohead lw 1.3 lc rgb '%s', "
                "$%send using 1:2 with points pt %d ps %s lw 2 lc rgb '%s', ",
                ways[o].name, ways[o].color, ways[o].name, o == VOX_RUN_PLAYED ? 7 : 2,
                o == VOX_RUN_PLAYED ? "0.3" : "0.6", ways[o].color);
    fputs("$recoveredplay using 1:2 with points pt 7 ps 0.5 lc rgb '" VOX_LAB_RECOVERED "'\n",
          script);
}

/* ---- sound ---- */

/* One sample of all channels' mean; 0 outside of the recording. */
static float sample_at(const struct vox_lab_clip *clip, int64_t frame)
{
    float sum = 0.0f;
    if (frame < 0 || frame >= clip->frames)
        return 0.0f;
    for (int i = 0; i < clip->channels; i++)
        sum += clip->pcm[frame * clip->channels + i];
    return sum / (float)clip->channels;
}

static float *window_of(const struct scene *s, const struct vox_lab_clip *clip, int64_t begin)
{
    int64_t frames = s->frames + 2 * FFT_FRAMES;
    float *pcm = malloc((size_t)frames * sizeof *pcm);
    for (int64_t i = 0; pcm && i < frames; i++)
        pcm[i] = sample_at(clip, begin - FFT_FRAMES + i);
    return pcm;
}

static struct vox_lab_clip heard_whole(const struct vox_lab_facts *f)
{
    return (struct vox_lab_clip){
        .pcm = f->input->run->pcm, .channels = f->input->channels, .frames = f->input->run->frames};
}

static struct vox_lab_clip meant_whole(const struct vox_lab_facts *f)
{
    return (struct vox_lab_clip){.pcm = f->input->reference,
                                 .channels = f->input->channels,
                                 .frames = f->input->reference_frames};
}

static int take_windows(struct scene *s)
{
    struct vox_lab_clip heard = heard_whole(s->facts);
    struct vox_lab_clip meant = meant_whole(s->facts);
    int64_t begin = s->glitch->output_frame + vox_ns_to_rtp(s->from_ns);
    s->heard = window_of(s, &heard, begin);
    s->meant = window_of(s, &meant, begin - s->glitch->lag_frames);
    return s->heard && s->meant ? 0 : VOX_ENOMEM;
}

static double peak_of(const struct scene *s)
{
    float peak = 0.001f;
    for (int64_t i = FFT_FRAMES; i < FFT_FRAMES + s->frames; i++) {
        peak = fmaxf(peak, fabsf(s->heard[i]));
        peak = fmaxf(peak, fabsf(s->meant[i]));
    }
    return (double)peak;
}

static void plot_wave(struct scene *s, const char *name, const float *pcm, double peak)
{
    enum { WAVE_COLUMNS = 2 * COLUMNS };
    FILE *script = s->plots->script;
    char tics[40];
    fprintf(script, "$%s << EOD\n", name);
    for (int64_t i = 0; i < WAVE_COLUMNS; i++) {
        int64_t from = FFT_FRAMES + s->frames * i / WAVE_COLUMNS;
        int64_t to = FFT_FRAMES + s->frames * (i + 1) / WAVE_COLUMNS;
        float least = pcm[from];
        float most = pcm[from];
        for (int64_t k = from; k <= to; k++) { /* one more: no hole between the columns */
            least = fminf(least, pcm[k]);
            most = fmaxf(most, pcm[k]);
        }
        double at = (double)(from - FFT_FRAMES) / (double)s->frames;
        fprintf(script, "%.3f %.3f %.3f\n",
                vox_ns_to_ms(s->from_ns) + at * vox_ns_to_ms(s->to_ns - s->from_ns),
                (double)least / peak, (double)most / peak);
    }
    fputs("EOD\n", script);
    snprintf(tics, sizeof tics, "'%s' 0", name);
    panel(s, WAVE_PX, tics, false);
    fprintf(script,
            "set yrange [-1.03:1.03]\n"
            "plot $%s using 1:2:3 with filledcurves fc rgb '" VOX_LAB_INK "' fs solid border "
            "lw 0.5 lc rgb '" VOX_LAB_INK "'\n",
            name);
}

/* ---- spectrogram ---- */

static void spectrum_at(const struct vox_fft *fft, const float *pcm, double *re, double *im,
                        uint8_t *levels)
{
    for (int i = 0; i < FFT_FRAMES; i++) {
        double window = 0.5 - 0.5 * cos(2.0 * 3.14159265358979323846 * i / FFT_FRAMES);
        re[i] = (double)pcm[i] * window;
        im[i] = 0.0;
    }
    vox_fft_forward(fft, (struct vox_complex_array){re, im});
    for (int band = 0; band < BANDS; band++) {
        double sine = FFT_FRAMES / 4.0; /* half of the sum of the window */
        double power = (re[band] * re[band] + im[band] * im[band]) / (sine * sine);
        double level = (10.0 * log10(power + 1e-12) - WHITE_DB) / (DARK_DB - WHITE_DB);
        levels[band] = (uint8_t)(255.0 * fmin(fmax(level, 0.0), 1.0) + 0.5);
    }
}

static int put_spectrogram(struct scene *s, const char *file_name, const float *pcm)
{
    double re[FFT_FRAMES], im[FFT_FRAMES];
    uint8_t *image = malloc((size_t)COLUMNS * BANDS);
    uint8_t levels[BANDS];
    struct vox_fft fft;
    int err = image ? vox_fft_init(&fft, FFT_FRAMES) : VOX_ENOMEM;
    if (err < 0) {
        free(image);
        return err;
    }
    for (int64_t i = 0; i < COLUMNS; i++) {
        int64_t middle = FFT_FRAMES + s->frames * (2 * i + 1) / (2 * COLUMNS);
        spectrum_at(&fft, pcm + middle - FFT_FRAMES / 2, re, im, levels);
        for (int band = 0; band < BANDS; band++)
            image[band * COLUMNS + i] = levels[band];
    }
    FILE *file = vox_lab_gnuplot_file(s->plots, file_name, "wb");
    err = file && fwrite(image, BANDS, COLUMNS, file) == COLUMNS ? 0 : VOX_EIO;
    if (file && fclose(file) == EOF)
        err = VOX_EIO;
    vox_fft_clear(&fft);
    free(image);
    return err;
}

static int plot_spectrogram(struct scene *s, const char *name, const float *pcm, bool has_axis)
{
    FILE *script = s->plots->script;
    double width = vox_ns_to_ms(s->to_ns - s->from_ns) / COLUMNS;
    double height = VOX_RTP_HZ / 1000.0 / FFT_FRAMES;
    char file_name[40];
    snprintf(file_name, sizeof file_name, "%d-%s.bin", s->figure->number, name);
    int err = put_spectrogram(s, file_name, pcm);
    panel(s, SPECTRUM_PX, "'0' 0, '8 kHz' 8, '16 kHz' 16", has_axis);
    fprintf(script,
            "set palette defined (0 '#ffffff', 0.25 '#d3e4f2', 0.5 '#7fb2d9', 0.75 '#27619e', "
            "1 '#081d3c'); set cbrange [0:255]; set yrange [0:16]\n"
            "set label 2 '%s' at graph 1, graph 1 offset character -0.6, character -0.8 right "
            "front tc rgb '" VOX_LAB_INK "'\n"
            "plot '%s' binary array=(%d,%d) format='%%uchar' origin=(%.4f,0) dx=%.6f dy=%.6f "
            "with image\n",
            name, file_name, COLUMNS, BANDS, vox_ns_to_ms(s->from_ns) + width / 2.0, width, height);
    return err;
}

/* ---- the figure ---- */

static int plot_panels(struct scene *s)
{
    double peak = peak_of(s);
    plot_ladder(s);
    plot_wave(s, "reference", s->meant, peak);
    plot_wave(s, "heard", s->heard, peak);
    int err = plot_spectrogram(s, "reference", s->meant, false);
    return err < 0 ? err : plot_spectrogram(s, "heard", s->heard, true);
}

int vox_lab_scene_plot(struct vox_lab_gnuplot *plots, const struct vox_lab_facts *facts,
                       const struct vox_lab_glitch *glitch, struct vox_lab_figure *out)
{
    struct scene s = {.plots = plots, .facts = facts, .glitch = glitch, .figure = out, .top_px = 6};
    *out = (struct vox_lab_figure){.width_px = WIDTH_PX,
                                   .height_px = s.top_px + LADDER_PX + 2 * WAVE_PX +
                                                2 * SPECTRUM_PX + 4 * GAP_PX + AXIS_PX};
    choose_window(&s);
    int err = take_windows(&s);
    if (err >= 0) {
        out->number = vox_lab_gnuplot_begin(plots, out->width_px, out->height_px);
        err = plot_panels(&s);
    }
    free(s.heard);
    free(s.meant);
    return err;
}

/* ---- to listen to ---- */

static struct vox_lab_clip cut(struct vox_lab_clip whole, const struct vox_lab_glitch *glitch,
                               int64_t at)
{
    int64_t frames = vox_ns_to_rtp(glitch->duration_ns);
    frames = frames < MAX_CLIP_FRAMES ? frames : MAX_CLIP_FRAMES;
    whole.from_frame = at - CLIP_MARGIN_FRAMES;
    whole.to_frame = at + frames + CLIP_MARGIN_FRAMES;
    return whole;
}

struct vox_lab_clip vox_lab_scene_heard(const struct vox_lab_facts *facts,
                                        const struct vox_lab_glitch *glitch)
{
    return cut(heard_whole(facts), glitch, glitch->output_frame);
}

struct vox_lab_clip vox_lab_scene_meant(const struct vox_lab_facts *facts,
                                        const struct vox_lab_glitch *glitch)
{
    return cut(meant_whole(facts), glitch, glitch->output_frame - glitch->lag_frames);
}

static int write_clip(struct vox_file_writer *file, const struct vox_lab_clip *clip,
                      struct vox_audio_error *error)
{
    int err = 0;
    for (int64_t i = clip->from_frame; i < clip->to_frame && err >= 0; i++) {
        int16_t pcm[2] = {0, 0};
        if (i >= 0 && i < clip->frames)
            vox_pcm_to_s16(clip->pcm + i * clip->channels, (size_t)clip->channels, pcm);
        err = vox_file_write_s16(file, pcm, 1, error);
    }
    return err;
}

int vox_lab_clip_put(const struct vox_lab_gnuplot *folder, const struct vox_lab_clip *clip,
                     FILE *page, struct vox_audio_error *error)
{
    struct vox_file_writer *file;
    char path[320];
    vox_lab_gnuplot_path(folder, "clip.flac", path, sizeof path);
    int err = vox_file_create(path, VOX_RTP_HZ, clip->channels, &file, error);
    if (err < 0)
        return err;
    err = write_clip(file, clip, error);
    int err_finish = vox_file_finish(file, err < 0 ? NULL : error);
    err = err < 0 ? err : err_finish;
    FILE *in = err < 0 ? NULL : fopen(path, "rb");
    if (in) {
        vox_lab_html_base64(in, page);
        fclose(in);
    } else if (err >= 0) {
        err = vox_audio_fail(error, VOX_EIO, "cannot read %.300s", path);
    }
    return err;
}
