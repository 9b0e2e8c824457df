#include "lab/versus_result.h"

#include "base/err.h"
#include "base/time.h"

#include <stdlib.h>

int vox_versus_result_create(const struct vox_versus_options *options,
                             struct vox_versus_result **out)
{
    struct vox_versus_result *result = calloc(1, sizeof *result);
    size_t values = (size_t)VOX_VERSUS_ARMS * (size_t)options->repeat * VOX_VERSUS_FIGURES;
    if (!result || !(result->values = calloc(values, sizeof *result->values))) {
        free(result);
        return VOX_ENOMEM;
    }
    result->options = options;
    vox_versus_budgets_init(&result->budgets, options->budget_ms);
    *out = result;
    return 0;
}

void vox_versus_result_destroy(struct vox_versus_result *result)
{
    if (!result)
        return;
    for (int link = 0; link < VOX_VERSUS_LINKS; link++)
        vox_versus_shot_clear(&result->first[link]);
    free(result->values);
    free(result);
}

double *vox_versus_values(const struct vox_versus_result *result, enum vox_versus_arm arm,
                          int repeat)
{
    size_t row = (size_t)arm * (size_t)result->options->repeat + (size_t)repeat;
    return result->values + row * VOX_VERSUS_FIGURES;
}

static int render_shot(const struct vox_versus_result *result, const struct vox_versus_shot *shot,
                       enum vox_versus_arm arm, struct vox_render *out)
{
    const struct vox_render_config config = {
        .stream = &shot->stream,
        .playable = &shot->playable,
        .packets = shot->packets,
        .count = shot->count,
        .budget_ns = vox_ms_to_ns(result->options->budget_ms),
        .silent = arm == VOX_VERSUS_PLAIN,
    };
    return vox_render(&config, out);
}

int vox_versus_render(const struct vox_versus_result *result, enum vox_versus_arm arm,
                      struct vox_render *out)
{
    return render_shot(result, &result->first[vox_versus_link_of(arm)], arm, out);
}

static int take_arm(struct vox_versus_result *result, int repeat, enum vox_versus_arm arm,
                    const struct vox_versus_shot *shot)
{
    struct vox_render heard;
    int err = render_shot(result, shot, arm, &heard);
    if (err < 0)
        return err;
    result->extra_ms = vox_ns_to_ms(shot->playable.frame_ns) +
                       vox_ns_to_ms(vox_rtp_to_ns(shot->stream.lookahead_ticks));
    const struct vox_versus_run run = {
        .playable = &shot->playable,
        .extra_ms = result->extra_ms,
        .concealed_pct = heard.concealed_pct,
        .bytes_there = shot->bytes_there,
        .bytes_back = shot->bytes_back,
    };
    vox_render_clear(&heard);
    return vox_versus_measure(&result->budgets, arm, &run, vox_versus_values(result, arm, repeat));
}

int vox_versus_take(struct vox_versus_result *result, int repeat,
                    struct vox_versus_shot shots[VOX_VERSUS_LINKS])
{
    int err = 0;
    for (int arm = 0; err >= 0 && arm < VOX_VERSUS_ARMS; arm++)
        if (result->options->has[arm])
            err = take_arm(result, repeat, (enum vox_versus_arm)arm,
                           &shots[vox_versus_link_of((enum vox_versus_arm)arm)]);
    for (int link = 0; link < VOX_VERSUS_LINKS; link++) {
        result->unwanted += shots[link].unwanted;
        if (repeat == 0 && err >= 0)
            result->first[link] = shots[link];
        else
            vox_versus_shot_clear(&shots[link]);
    }
    return err;
}

int vox_versus_sum_up(struct vox_versus_result *result)
{
    int err = 0;
    size_t repeat = (size_t)result->options->repeat;
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++) {
        result->table.has[arm] = result->options->has[arm];
        for (int i = 0; err >= 0 && result->table.has[arm] && i < VOX_VERSUS_FIGURES; i++)
            err = vox_versus_spread(vox_versus_values(result, (enum vox_versus_arm)arm, 0) + i,
                                    repeat, VOX_VERSUS_FIGURES, &result->table.figures[arm][i]);
    }
    result->table.link_kbps = result->options->network.rate_limit_bps / 1000.0;
    for (int i = 0; i < result->budgets.count; i++)
        vox_versus_judge(&result->budgets, &result->table, i, &result->verdicts[i]);
    vox_versus_judge_plain(&result->budgets, &result->table, result->plain_text);
    return err;
}
