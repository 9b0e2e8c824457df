#include "receiver/playout_options.h"

#include "base/time.h"
#include "cli/message.h"
#include "cli/prefer.h"

#include <string.h>

#define PREFIX "playout-"

static const char *const profiles[] = {"voice", "music", NULL};

void vox_playout_options_init(struct vox_playout_options *options)
{
    struct vox_receiver_config defaults;
    vox_receiver_config_init(&defaults);
    *options = (struct vox_playout_options){.delay_ns = defaults.delay_ns,
                                            .min_delay_ns = defaults.min_delay_ns,
                                            .max_delay_ns = defaults.max_delay_ns,
                                            .prefer = VOX_PREFER_BALANCED};
}

size_t vox_playout_options_rows(struct vox_playout_options *o, bool prefixed,
                                struct vox_option *rows)
{
    const struct vox_option table[VOX_PLAYOUT_OPTIONS] = {
        {.name = "playout-delay",
         .argument = "MS",
         .group = "Playout",
         .kind = VOX_OPTION_MS,
         .max = 10000,
         .word = "auto",
         .word_value = -1,
         .target.ns = &o->delay_ns,
         .help = "delay over the fastest packet: auto (default) learns it, a number fixes it"},
        {.name = "min-delay",
         .argument = "MS",
         .group = "Playout",
         .kind = VOX_OPTION_MS,
         .max = 10000,
         .target.ns = &o->min_delay_ns,
         .help = "auto does not go below; default 0"},
        {.name = "max-delay",
         .argument = "MS",
         .group = "Playout",
         .kind = VOX_OPTION_MS,
         .max = 10000,
         .target.ns = &o->max_delay_ns,
         .help = "auto does not go above; default 2000"},
        {.name = "prefer",
         .argument = "WHAT",
         .group = "Playout",
         .kind = VOX_OPTION_CHOICE,
         .choices = vox_prefer_names,
         .target.integer = &o->prefer,
         .help = "what auto spares where it must choose: latency takes more glitches, smooth "
                 "waits longer; balanced (default) as listeners weigh both"},
        {.name = "playout-profile",
         .argument = "NAME",
         .group = "Playout",
         .kind = VOX_OPTION_CHOICE,
         .choices = profiles,
         .target.integer = &o->music,
         .help = "voice (default) is stretched to move the delay and to bridge stalls, music only "
                 "resampled by no more than is heard"},
    };
    memcpy(rows, table, sizeof table);
    for (int i = 0; i < VOX_PLAYOUT_OPTIONS && !prefixed; i++)
        if (strncmp(rows[i].name, PREFIX, strlen(PREFIX)) == 0)
            rows[i].name += strlen(PREFIX);
    return VOX_PLAYOUT_OPTIONS;
}

bool vox_playout_options_check(const struct vox_playout_options *o)
{
    if (o->min_delay_ns <= o->max_delay_ns)
        return true;
    vox_message_error("--min-delay %g is above --max-delay %g; exchange them or raise the second",
                      vox_ns_to_ms(o->min_delay_ns), vox_ns_to_ms(o->max_delay_ns));
    return false;
}

void vox_playout_options_apply(const struct vox_playout_options *o,
                               struct vox_receiver_config *config)
{
    config->delay_ns = o->delay_ns;
    config->min_delay_ns = o->min_delay_ns;
    config->max_delay_ns = o->max_delay_ns;
    config->prefer_ms = vox_prefer_ms((enum vox_prefer)o->prefer);
    config->keep_tempo = o->music != 0;
}
