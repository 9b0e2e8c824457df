/*
 * What was asked for and is not given: once, in plain words, with what to do. Live and in the lab.
 *
 *     struct vox_promises promises = {0};
 *     vox_promises_tell(&promises, &view);                     // now and then, and at the end
 *
 * It looks at what was sent and reported, not at settings: codecs and receivers do what they want.
 *
 * Thread rule: value, one owner, the main thread.
 */
#ifndef VOX_SENDER_PROMISES_H
#define VOX_SENDER_PROMISES_H

#include "sender/encoding_options.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stdint.h>

/* Those that were spoken of. */
struct vox_promises {
    bool fec, mono, copies, rtx, adapt;
};

struct vox_promises_view {
    const struct vox_encoding_options *options;
    const struct vox_sender_stats *stats;
    int channels;       /* asked for */
    int64_t sent_ns;    /* of audio */
    bool receiver_asks; /* it is known that the receiver would ask for what is missing */
};

/* By vox_message_warn. */
void vox_promises_tell(struct vox_promises *promises, const struct vox_promises_view *view);

#endif
