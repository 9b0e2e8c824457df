/*
 * The protection in force: what the config asks for, or what the controller (adapt.h) makes of the
 * receivers' reports. The encoder and the copies are told, the host too when it changes.
 *
 * Thread rule: one owner. RT-safe if the host's callbacks are.
 */
#ifndef VOX_SENDER_SENDER_ADAPT_H
#define VOX_SENDER_SENDER_ADAPT_H

#include "sender/sender.h"

#include <stdint.h>

/* What the stream begins with. */
void vox_sender_adapt_begin(struct vox_sender *s);

/* With adapt: s->feedback has learnt what became of packets. */
void vox_sender_adapt_report(struct vox_sender *s, int64_t now_ns);

#endif
