#include "cli/peers.h"

#include "base/time.h"
#include "cli/json.h"
#include "cli/message.h"

#include <jansson.h>

enum { TOLD_PER_SECOND = 8 };

/* Peers can come and go as fast as they like, which is no reason to fill a log. */
static bool may_tell(struct vox_peers_teller *teller, bool in_order, int64_t now_ns)
{
    if (now_ns - teller->second_ns >= VOX_NS_PER_S) {
        teller->second_ns = now_ns;
        teller->told[0] = teller->told[1] = 0;
    }
    if (teller->told[in_order] < TOLD_PER_SECOND) {
        teller->told[in_order]++;
        return true;
    }
    teller->untold++;
    return false;
}

void vox_peers_say(struct vox_peers_teller *teller, const struct vox_transport_event *event,
                   int64_t now_ns)
{
    bool in_order = event->kind == VOX_TRANSPORT_CONNECTED || event->kind == VOX_TRANSPORT_ENDED;
    if (!may_tell(teller, in_order, now_ns))
        return;
    if (teller->untold > 0)
        vox_message_info("%llu more messages about peers were left out",
                         (unsigned long long)teller->untold);
    teller->untold = 0;
    if (in_order)
        vox_message_info("%s", event->text);
    else
        vox_message_warn("%s", event->text);
}

void vox_peers_say_unanswered(const char *where, const char *who, int64_t waited_ns)
{
    vox_message_error("nobody answered at %s in %g s: start the %s there, or wait longer with "
                      "--connect-timeout",
                      where, (double)waited_ns / (double)VOX_NS_PER_S, who);
}

struct json_t *vox_peers_json(enum vox_scheme scheme, const struct vox_transport_stats *stats)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
                     vox_transport_name(scheme), "peers", vox_json_count(stats->peers), "connected",
                     vox_json_count(stats->connected), "broken", vox_json_count(stats->broken),
                     "too_slow", vox_json_count(stats->too_slow), "idle",
                     vox_json_count(stats->idle), "malformed", vox_json_count(stats->malformed),
                     "refused", vox_json_count(stats->refused), "unsent",
                     vox_json_count(stats->unsent), "queue_full", vox_json_count(stats->queue_full),
                     "kernel_dropped", vox_json_count(stats->kernel_dropped));
}
