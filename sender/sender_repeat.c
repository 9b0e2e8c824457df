#include "sender/sender_repeat.h"

#include "sender/sender_emit.h"
#include "sender/sender_state.h"

#include "wire/rtp.h"

void vox_sender_repeat_keep(struct vox_sender *s, size_t len, size_t payload_bytes)
{
    struct vox_rtp rtp;
    if (!s->repeat || vox_rtp_parse(s->datagram, len, &rtp) < 0)
        return;
    rtp.payload_type = s->config.payload_type;
    rtp.payload = s->payload;
    rtp.payload_bytes = payload_bytes;
    vox_repeat_sent(s->repeat, &rtp, s->last_send_ns);
}

bool vox_sender_repeat_answer(struct vox_sender *s, const void *request, size_t request_bytes,
                              int64_t now_ns)
{
    if (!s->repeat || !vox_repeat_ask(s->repeat, request, request_bytes))
        return false;
    size_t len;
    int64_t rtt_ns = s->feedback.view.rtt_ns;
    while (s->protection.repeat &&
           (len = vox_repeat_next(s->repeat, now_ns, rtt_ns, s->datagram, sizeof s->datagram)) > 0)
        vox_sender_emit(s, VOX_DATAGRAM_RTX, len, now_ns);
    return true;
}

void vox_sender_repeat_read_stats(const struct vox_sender *s, struct vox_sender_stats *out)
{
    struct vox_repeat_stats repeats;
    if (!s->repeat)
        return;
    vox_repeat_read_stats(s->repeat, &repeats);
    out->nacks_received = repeats.nacks;
    out->rtx_asked = repeats.asked;
    out->rtx_packets = repeats.sent;
    out->rtx_refused = repeats.gone + repeats.early + repeats.excess;
    out->rtx_bytes = repeats.bytes + repeats.sent * VOX_SENDER_IP_UDP_BYTES;
}
