/*
 * What the controller does (adapt.h), in words and as JSON, live and in the lab.
 *
 * Thread rule: pure.
 */
#ifndef VOX_SENDER_ADAPT_REPORT_H
#define VOX_SENDER_ADAPT_REPORT_H

#include "sender/sender.h"

#include <jansson.h>
#include <stddef.h>

enum { VOX_ADAPT_TEXT_BYTES = 200 };

/* "32 kbit/s with in-band FEC, copies of the packets 2 and 4 before" */
const char *vox_protection_text(const struct vox_protection *protection,
                                char out[VOX_ADAPT_TEXT_BYTES]);

/* What it is from now on and why, of an event of kind ADAPTED. */
const char *vox_adapt_text(const struct vox_sender_event *event, char out[VOX_ADAPT_TEXT_BYTES]);

/* Such an event: what is in the JSON line beside its time. Owned by the caller. */
json_t *vox_adapt_event_json(const struct vox_sender_event *event);

/* The state of things, for the statistics. Owned by the caller. */
json_t *vox_adapt_json(const struct vox_sender_stats *stats);

#endif
