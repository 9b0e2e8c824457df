#include "sender/sender_adapt.h"

#include "sender/sender_config.h"
#include "sender/sender_emit.h"
#include "sender/sender_state.h"

#include <string.h>

/* From the next frame on. */
static void use(struct vox_sender *s, const struct vox_protection *protection)
{
    s->protection = *protection;
    vox_protect_set(&s->protect, protection->distances);
    int err = vox_encoder_set(s->encoder, protection->bitrate_bps, protection->fec);
    if (err < 0)
        s->err = err;
}

static void begin_control(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    vox_adapt_init(&s->adapt, &(struct vox_adapt_config){
                                  .dial = {.profile = c->profile,
                                           .channels = c->channels,
                                           .frame_ticks = c->frame_ticks,
                                           .bitrate_bps = vox_sender_config_bitrate_bps(c),
                                           .max_delay_ns = c->max_delay_ns,
                                           .prefer_ms = c->prefer_ms},
                                  .max_wire_bps = c->max_wire_bps,
                                  .may_repeat = c->rtx,
                              });
}

void vox_sender_adapt_begin(struct vox_sender *s)
{
    const struct vox_sender_config *c = &s->config;
    if (c->adapt) {
        begin_control(s);
        use(s, &s->adapt.protection);
        return;
    }
    struct vox_protection asked_for = {
        .bitrate_bps = vox_sender_config_bitrate_bps(c), .fec = c->fec, .repeat = c->rtx};
    memcpy(asked_for.distances, c->red_distances, sizeof asked_for.distances);
    use(s, &asked_for);
}

static bool is_asked(const struct vox_sender *s)
{
    struct vox_repeat_stats repeats;
    if (!s->repeat)
        return false;
    vox_repeat_read_stats(s->repeat, &repeats);
    return repeats.asked > 0;
}

void vox_sender_adapt_report(struct vox_sender *s, int64_t now_ns)
{
    enum vox_adapt_reason reason;
    struct vox_adapt_view view = {
        .now_ns = now_ns,
        .rtt_ns = s->feedback.view.rtt_ns,
        .jitter_ns = s->feedback.view.jitter_ns,
        .is_asked = is_asked(s),
    };
    if (!vox_adapt_report(&s->adapt, &s->feedback.fates, &view, &reason))
        return;
    use(s, &s->adapt.protection);
    s->stats.adaptations++;
    s->stats.adapt_reason = reason;
    const struct vox_odds_loss *loss = &s->adapt.network.loss;
    struct vox_sender_event event = {
        .kind = VOX_SENDER_EVENT_ADAPTED,
        .t_ns = now_ns,
        .reason = reason,
        .protection = s->protection,
        .loss_pct = 100 * loss->share,
        .burst_packets = loss->burst,
        .wire_bps = vox_dial_wire_bps(&s->adapt.dial, &s->protection),
    };
    vox_sender_emit_event(s, &event);
}
