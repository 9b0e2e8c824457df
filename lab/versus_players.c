#include "lab/versus_players.h"

#include "base/time.h"
#include "lab/report.h"
#include "lab/report_scene.h"

enum { LEAD_IN_S = 3 };

/* Of the sound of each way, in samples per channel. */
struct stretch {
    int64_t from, to;
    bool is_all;
};

static int64_t sent_samples(const struct vox_versus_result *result)
{
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        if (result->first[link].playable.count > 0)
            return (int64_t)result->first[link].playable.count *
                   result->first[link].stream.frame_ticks;
    return 0;
}

/* All of it if there is room for all ways, or what lies around the worst stall. */
static struct stretch choose_stretch(const struct vox_versus_result *result,
                                     const struct vox_versus_stall *stall, int arms)
{
    int64_t all = sent_samples(result);
    int64_t most = vox_ns_to_rtp(VOX_LAB_REPORT_MAX_AUDIO_NS) / arms;
    if (all <= most)
        return (struct stretch){.to = all, .is_all = true};
    int64_t from = (int64_t)stall->frame * result->options->encoding.frame_ticks;
    from -= (int64_t)LEAD_IN_S * VOX_RTP_HZ;
    from = from > all - most ? all - most : from;
    from = from > 0 ? from : 0;
    return (struct stretch){.from = from, .to = from + most};
}

/* One way may have been cut short. */
static int64_t at_most(int64_t value, int64_t most)
{
    return value < most ? value : most;
}

static int put_player(struct vox_lab_gnuplot *plots, const struct vox_versus_result *result,
                      enum vox_versus_arm arm, const struct stretch *stretch, FILE *page,
                      struct vox_audio_error *error)
{
    struct vox_render sound;
    const char *title = vox_versus_title(arm);
    int err = vox_versus_render(result, arm, &sound);
    if (err < 0)
        return err;
    fprintf(page,
            "<div>%s: %.1f&nbsp;%% %s<audio controls preload=\"metadata\" aria-label=\"%s\" "
            "src=\"data:audio/flac;base64,",
            title, vox_versus_values(result, arm, 0)[VOX_VERSUS_CONCEALED_PCT],
            arm == VOX_VERSUS_PLAIN ? "silence" : "concealed", title);
    const struct vox_lab_clip clip = {.pcm = sound.pcm,
                                      .channels = sound.channels,
                                      .frames = sound.frames,
                                      .from_frame = at_most(stretch->from, sound.frames),
                                      .to_frame = at_most(stretch->to, sound.frames)};
    err = vox_lab_clip_put(plots, &clip, page, error);
    fputs("\"></audio></div>\n", page);
    vox_render_clear(&sound);
    return err;
}

static void put_words(const struct vox_versus_result *result, const struct vox_versus_stall *stall,
                      const struct stretch *stretch, FILE *page)
{
    fprintf(page,
            "<section>\n<h2>Listen</h2>\n<p>As a listener would have heard it who plays everything "
            "%g&nbsp;ms after its capture%s.",
            result->options->budget_ms, result->options->repeat > 1 ? ", with the first seed" : "");
    if (!stretch->is_all)
        fprintf(page,
                " Here are %.1f&nbsp;s to %.1f&nbsp;s of it, the same stretch of each way%s: a "
                "page has room for %g minutes of sound, all ways together. The shares are of all, "
                "and --out writes all.",
                (double)stretch->from / VOX_RTP_HZ, (double)stretch->to / VOX_RTP_HZ,
                stall->link == VOX_VERSUS_LINKS ? "" : ", around the worst stall of TCP",
                (double)VOX_LAB_REPORT_MAX_AUDIO_NS / (60.0 * VOX_NS_PER_S));
    fputs("</p>\n", page);
}

int vox_versus_players_put(struct vox_lab_gnuplot *plots, const struct vox_versus_result *result,
                           const struct vox_versus_stall *stall, FILE *page,
                           struct vox_audio_error *error)
{
    int err = 0, arms = 0;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++)
        arms += result->table.has[arm];
    const struct stretch stretch = choose_stretch(result, stall, arms);
    put_words(result, stall, &stretch, page);
    fputs("<div class=\"players\">\n", page);
    for (int arm = 0; err >= 0 && arm < VOX_VERSUS_ARMS; arm++)
        if (result->table.has[arm])
            err = put_player(plots, result, (enum vox_versus_arm)arm, &stretch, page, error);
    fputs("</div>\n</section>\n", page);
    return err;
}
