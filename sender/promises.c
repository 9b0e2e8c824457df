#include "sender/promises.h"

#include "sender/adapt_report.h"
#include "sender/encoder.h"

#include "base/time.h"
#include "cli/message.h"

/* So long without is not the luck of a pause in speech, or of a receiver that is late. */
#define PATIENCE_NS (5 * VOX_NS_PER_S)

enum { LOSSES = 5 /* that a receiver tells of, before one wonders that it asks for none */ };

static double frame_ms(const struct vox_encoding_options *o)
{
    return vox_ns_to_ms(vox_rtp_to_ns(o->frame_ticks));
}

static bool is_early(const struct vox_promises_view *view)
{
    return view->sent_ns <= PATIENCE_NS;
}

/* At once where the codec never does it, else when enough packets were without. */
static void tell_fec(struct vox_promises *p, const struct vox_promises_view *view)
{
    const struct vox_encoding_options *o = view->options;
    int least_bps = vox_encoder_fec_bps((enum vox_profile)o->profile, o->frame_ticks);
    if (!o->fec || p->fec || view->stats->lbrr_packets > 0 || (least_bps > 0 && is_early(view)))
        return;
    if (least_bps == 0)
        vox_message_warn("--fec: the codec puts in-band FEC into no packet of --profile lowdelay "
                         "or of less than 10 ms; choose --profile voice and --frame 10 or more");
    else
        vox_message_warn("--fec: the codec puts in-band FEC into no packet so far; silence needs "
                         "none, and frames of %g ms take --bitrate %d or more",
                         frame_ms(o), least_bps / 1000);
    p->fec = true;
}

static void tell_mono(struct vox_promises *p, const struct vox_promises_view *view)
{
    const struct vox_encoding_options *o = view->options;
    if (view->channels < 2 || p->mono || view->stats->stereo_packets * 2 >= view->stats->packets)
        return;
    vox_message_warn("the codec makes mono of the two channels: at this bitrate, frames of %g ms "
                     "have too few bits for stereo; choose --bitrate %d%s",
                     frame_ms(o), vox_encoder_stereo_bps(o->frame_ticks) / 1000,
                     o->frame_ticks < 960 ? " or longer frames" : "");
    p->mono = true;
}

/* What RED and a datagram have room for, more than half of the copies must fit into. */
static void tell_copies(struct vox_promises *p, const struct vox_promises_view *view)
{
    const struct vox_encoding_options *o = view->options;
    const struct vox_sender_stats *s = view->stats;
    uint64_t all = s->copies + s->copies_too_long + s->copies_absent;
    const char *option = o->red_at ? "--red-at" : "--red";
    if (o->adapt || o->red_distances[0] == 0 || p->copies || s->packets == 0)
        return;
    if (2 * s->copies_too_long > all)
        vox_message_warn("%s: %.0f %% of the copies are left out: packets of %llu bytes leave no "
                         "room for them in a datagram; choose a lower --bitrate, a shorter --frame "
                         "or fewer copies",
                         option, 100 * (double)s->copies_too_long / (double)all,
                         (unsigned long long)(s->payload_bytes / s->packets));
    else if (2 * s->copies_absent > all && s->dtx_packets > 0 && !is_early(view))
        vox_message_warn("%s: %.0f %% of the copies are left out: what would be copied was silence "
                         "and not sent; leave out --dtx, or choose shorter distances",
                         option, 100 * (double)s->copies_absent / (double)all);
    else
        return;
    p->copies = true;
}

static void tell_rtx(struct vox_promises *p, const struct vox_promises_view *view)
{
    const struct vox_sender_stats *s = view->stats;
    if (!view->options->rtx || p->rtx || s->nacks_received > 0 || s->reported_lost < LOSSES)
        return;
    if (view->receiver_asks)
        vox_message_warn("--rtx: the receiver lost %lld packets and asked for none again: its "
                         "delay is shorter than the round trip; let it wait longer",
                         (long long)s->reported_lost);
    else
        vox_message_warn("--rtx: the receiver tells of %lld lost packets and asks for none again; "
                         "start it with --rtx or with what --sdp writes, and with a delay longer "
                         "than the round trip",
                         (long long)s->reported_lost);
    p->rtx = true;
}

static void tell_adapt(struct vox_promises *p, const struct vox_promises_view *view)
{
    char text[VOX_ADAPT_TEXT_BYTES];
    if (!view->options->adapt || p->adapt || view->stats->reports > 0 || is_early(view))
        return;
    vox_message_warn("--adapt: no receiver reports what it loses, so there is nothing to adapt to, "
                     "and the protection stays %s; choose a receiver that sends RTCP, or say "
                     "--bitrate, --fec and --red yourself",
                     vox_protection_text(&view->stats->protection, text));
    p->adapt = true;
}

void vox_promises_tell(struct vox_promises *promises, const struct vox_promises_view *view)
{
    tell_fec(promises, view);
    tell_mono(promises, view);
    tell_copies(promises, view);
    tell_rtx(promises, view);
    tell_adapt(promises, view);
}
