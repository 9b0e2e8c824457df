#include "lab/replay_settings.h"

#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void add(struct vox_replay_settings *s,
                                                      const char *name, const char *format, ...)
{
    va_list arguments;
    if (s->count == VOX_REPLAY_SETTINGS)
        return;
    va_start(arguments, format);
    vsnprintf(s->values[s->count], VOX_REPLAY_SETTING_BYTES, format, arguments);
    va_end(arguments);
    s->words[2 * s->count] = name;
    s->words[2 * s->count + 1] = s->values[s->count];
    s->words[2 * ++s->count] = NULL;
}

static void add_encoding(struct vox_replay_settings *s, const struct vox_encoding_options *o)
{
    static const char *const profiles[] = {"voice", "music", "lowdelay"};
    char bitrate[32] = "the profile's bitrate";
    if (o->bitrate_bps > 0)
        snprintf(bitrate, sizeof bitrate, "%d kbit/s", o->bitrate_bps / 1000);
    add(s, "encoding", "%s, %s, frames of %g ms%s%s", profiles[o->profile], bitrate,
        vox_ns_to_ms(vox_rtp_to_ns(o->frame_ticks)), o->fec ? ", in-band FEC" : "",
        o->dtx ? ", DTX" : "");
}

static void add_network(struct vox_replay_settings *s, const struct vox_network_options *o)
{
    if (!vox_network_options_any(o)) {
        add(s, "network", "perfect");
        return;
    }
    if (o->loss > 0)
        add(s, "loss", "%g %% in bursts of %g packets of 20 ms", 100 * o->loss, o->burst_packets);
    if (o->delay_ns > 0 || o->jitter_ns > 0)
        add(s, "delay", "%g ms, jitter %g ms", vox_ns_to_ms(o->delay_ns),
            vox_ns_to_ms(o->jitter_ns));
    if (o->reorder > 0 || o->duplicate > 0)
        add(s, "order", "%g %% held back, %g %% twice", 100 * o->reorder, 100 * o->duplicate);
    if (o->rate_limit_bps > 0)
        add(s, "rate", "%d kbit/s", o->rate_limit_bps / 1000);
    if (o->trace)
        add(s, "trace", "%s", o->trace);
    add(s, "seed", "%llu", (unsigned long long)o->seed);
}

static void add_card(struct vox_replay_settings *s, const char *name,
                     const struct vox_replay_card *card)
{
    if (card->block_ms > 0)
        add(s, name, "blocks of %g ms, %+g ppm, %zu stalls", card->block_ms, card->skew_ppm,
            card->stall_count);
}

void vox_replay_settings_describe(const struct vox_replay_options *o,
                                  struct vox_replay_settings *out)
{
    *out = (struct vox_replay_settings){.count = 0};
    for (int i = 0; i < o->file_count && i < 2; i++)
        add(out, "file", "%s", o->files[i]);
    add_encoding(out, &o->encoding);
    add_network(out, &o->network);
    if (o->playout.delay_ns < 0)
        add(out, "playout delay", "learned from the arrivals");
    else
        add(out, "playout delay", "%g ms", vox_ns_to_ms(o->playout.delay_ns));
    add_card(out, "microphone", &o->microphone);
    add_card(out, "loudspeaker", &o->speaker);
}
