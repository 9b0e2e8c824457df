#include "sender/sender_emit.h"

#include "sender/sender_state.h"

void vox_sender_emit(struct vox_sender *s, enum vox_datagram_kind kind, size_t len, int64_t send_ns)
{
    s->stats.wire_bytes += len + VOX_SENDER_IP_UDP_BYTES;
    struct vox_datagram datagram = {
        .kind = kind, .bytes = s->datagram, .len = len, .send_ns = send_ns};
    s->config.on_datagram(s->config.ctx, &datagram);
}

void vox_sender_emit_report(struct vox_sender *s, int64_t now_ns, bool bye)
{
    int len = vox_feedback_report(&s->feedback, now_ns, bye, s->datagram, sizeof s->datagram);
    if (len <= 0)
        return;
    s->stats.rtcp_sent++;
    vox_sender_emit(s, VOX_DATAGRAM_RTCP, (size_t)len, now_ns);
}

void vox_sender_emit_event(const struct vox_sender *s, const struct vox_sender_event *event)
{
    if (s->config.on_event)
        s->config.on_event(s->config.ctx, event);
}
