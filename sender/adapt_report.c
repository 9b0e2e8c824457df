#include "sender/adapt_report.h"

#include <math.h>
#include <stdio.h>

struct reason {
    const char *name; /* in JSON */
    const char *text;
};

static const struct reason reasons[VOX_ADAPT_REASONS] = {
    [VOX_ADAPT_LOSS_ROSE] = {"loss_rose", "more is lost"},
    [VOX_ADAPT_LOSS_FELL] = {"loss_fell", "less is lost"},
    [VOX_ADAPT_BURSTS] = {"bursts", "losses come in other bursts"},
    [VOX_ADAPT_DELAY] = {"delay", "jitter leaves another time for repairs"},
    [VOX_ADAPT_ASKED] = {"asked", "a receiver asks for what it misses"},
    [VOX_ADAPT_QUEUE] = {"queue", "congestion: a queue is growing"},
    [VOX_ADAPT_RATE] = {"rate", "less is tried, since loss may go with the rate"},
    [VOX_ADAPT_RANDOM_LOSS] = {"random_loss", "loss does not go with the rate"},
    [VOX_ADAPT_ROOM] = {"room", "the network has room again"},
};

const char *vox_protection_text(const struct vox_protection *p, char out[VOX_ADAPT_TEXT_BYTES])
{
    size_t room = VOX_ADAPT_TEXT_BYTES;
    int n = snprintf(out, room, "%d kbit/s%s%s", p->bitrate_bps / 1000,
                     p->fec ? " with in-band FEC" : "", p->repeat ? ", retransmission" : "");
    for (int i = 0; i < VOX_SENDER_MAX_COPIES && p->distances[i] > 0; i++)
        n += snprintf(out + n, room - (size_t)n, "%s%d", i == 0 ? ", copies at " : ",",
                      p->distances[i]);
    return out;
}

const char *vox_adapt_text(const struct vox_sender_event *event, char out[VOX_ADAPT_TEXT_BYTES])
{
    char protection[VOX_ADAPT_TEXT_BYTES];
    snprintf(out, VOX_ADAPT_TEXT_BYTES, "%s (%.1f %%, %.1f in a row): %.100s",
             reasons[event->reason].text, event->loss_pct, event->burst_packets,
             vox_protection_text(&event->protection, protection));
    return out;
}

static json_t *rounded(double value)
{
    return json_real(round(value * 100) / 100);
}

static json_t *protection_json(const struct vox_protection *p)
{
    json_t *copies = json_array();
    for (int i = 0; i < VOX_SENDER_MAX_COPIES && p->distances[i] > 0; i++)
        json_array_append_new(copies, json_integer(p->distances[i]));
    return json_pack("{s:o, s:b, s:b, s:o}", "bitrate_kbps", rounded(p->bitrate_bps / 1000.0),
                     "fec", (int)p->fec, "rtx", (int)p->repeat, "copies_at", copies);
}

static void put_loss(json_t *object, enum vox_adapt_reason reason, double loss_pct,
                     double burst_packets)
{
    json_object_set_new(object, "reason", json_string(reasons[reason].name));
    json_object_set_new(object, "loss_pct", rounded(loss_pct));
    json_object_set_new(object, "burst_packets", rounded(burst_packets));
}

json_t *vox_adapt_event_json(const struct vox_sender_event *event)
{
    json_t *object = protection_json(&event->protection);
    json_object_set_new(object, "event", json_string("adapted"));
    put_loss(object, event->reason, event->loss_pct, event->burst_packets);
    json_object_set_new(object, "wire_kbps", rounded(event->wire_bps / 1000.0));
    return object;
}

json_t *vox_adapt_json(const struct vox_sender_stats *stats)
{
    json_t *object = protection_json(&stats->protection);
    json_object_set_new(object, "changes", json_integer((json_int_t)stats->adaptations));
    if (stats->adaptations > 0)
        put_loss(object, stats->adapt_reason, stats->adapt_loss_pct, stats->adapt_burst_packets);
    json_object_set_new(object, "cap_kbps", rounded(stats->wire_cap_bps / 1000.0));
    return object;
}
