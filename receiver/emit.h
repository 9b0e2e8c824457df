/*
 * Where a source's events go: the host's callback, with the source's name on them.
 *
 * Thread rule: value, one owner. RT-safe if the host's callback is.
 */
#ifndef VOX_RECEIVER_EMIT_H
#define VOX_RECEIVER_EMIT_H

#include "receiver/receiver.h"

struct vox_emit {
    const struct vox_receiver_config *config;
    int source;
    uint32_t ssrc;
};

/* Fills in source and SSRC; does nothing without a callback. */
static inline void vox_emit_event(const struct vox_emit *emit, struct vox_event event)
{
    if (!emit->config->on_event)
        return;
    event.source = emit->source;
    event.ssrc = emit->ssrc;
    emit->config->on_event(emit->config->ctx, &event);
}

static inline void vox_emit_value(const struct vox_emit *emit, enum vox_event_kind kind,
                                  int64_t t_ns, int64_t value)
{
    vox_emit_event(emit, (struct vox_event){.kind = kind, .t_ns = t_ns, .value = value});
}

#endif
