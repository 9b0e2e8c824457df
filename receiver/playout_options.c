#include "receiver/playout_options.h"

#include "base/time.h"
#include "cli/message.h"

#include <string.h>

void vox_playout_options_init(struct vox_playout_options *options)
{
    struct vox_receiver_config defaults;
    vox_receiver_config_init(&defaults);
    *options = (struct vox_playout_options){.delay_ns = defaults.delay_ns,
                                            .min_delay_ns = defaults.min_delay_ns,
                                            .max_delay_ns = defaults.max_delay_ns};
}

size_t vox_playout_options_rows(struct vox_playout_options *o, const char *delay_name,
                                struct vox_option *rows)
{
    const struct vox_option table[VOX_PLAYOUT_OPTIONS] = {
        {.name = delay_name,
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
    };
    memcpy(rows, table, sizeof table);
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
}
