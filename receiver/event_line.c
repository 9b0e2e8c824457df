#include "receiver/event_line.h"

#include "cli/json.h"

#include <jansson.h>

static const char *const end_names[] = {
    [VOX_END_BYE] = "bye",
    [VOX_END_TIMEOUT] = "timeout",
    [VOX_END_REPLACED] = "replaced",
};

static const char *const stretch_names[VOX_STRETCH_REASONS] = {
    [VOX_STRETCH_STALL] = "stall",
    [VOX_STRETCH_TARGET] = "target",
    [VOX_STRETCH_HOLE] = "hole",
};

static const char *const carrier_names[VOX_CARRIERS] = {
    [VOX_CARRIER_FEC] = "fec",
    [VOX_CARRIER_RED] = "red",
    [VOX_CARRIER_RTX] = "rtx",
};

static const char *const event_names[VOX_EVENT_KINDS] = {
    [VOX_EVENT_SOURCE_STARTED] = "source_started",
    [VOX_EVENT_SOURCE_ENDED] = "source_ended",
    [VOX_EVENT_GLITCH] = "glitch",
    [VOX_EVENT_TARGET] = "delay_target",
    [VOX_EVENT_STRETCH] = "stretch",
    [VOX_EVENT_SEQUENCE_JUMP] = "sequence_jump",
    [VOX_EVENT_TIMESTAMP_JUMP] = "timestamp_jump",
    [VOX_EVENT_WRONG_CLOCK] = "wrong_clock",
    [VOX_EVENT_RECOVERED] = "recovered",
};

const char *vox_glitch_cause_name(enum vox_glitch_cause cause)
{
    static const char *const names[VOX_GLITCH_CAUSES] = {
        [VOX_GLITCH_LOST] = "lost",
        [VOX_GLITCH_LATE] = "late",
        [VOX_GLITCH_SENDER_GAP] = "sender_gap",
        [VOX_GLITCH_UNDERRUN] = "device_underrun",
        [VOX_GLITCH_SKIPPED] = "skipped",
    };
    return names[cause];
}

static void put_event_details(json_t *object, const struct vox_event *event)
{
    switch (event->kind) {
    case VOX_EVENT_GLITCH:
        json_object_set_new(object, "cause", json_string(vox_glitch_cause_name(event->cause)));
        json_object_set_new(object, "ms", vox_json_ms(event->duration_ns));
        if (event->cause == VOX_GLITCH_LATE)
            json_object_set_new(object, "late_by_ms", vox_json_ms(event->late_ns));
        break;
    case VOX_EVENT_SOURCE_ENDED:
        json_object_set_new(object, "reason", json_string(end_names[event->value]));
        break;
    case VOX_EVENT_STRETCH:
        json_object_set_new(object, "reason", json_string(stretch_names[event->reason]));
        json_object_set_new(object, "ms", vox_json_ms(event->value));
        break;
    case VOX_EVENT_TARGET:
        json_object_set_new(object, "ms", vox_json_ms(event->value));
        break;
    case VOX_EVENT_SEQUENCE_JUMP:
        json_object_set_new(object, "packets", json_integer(event->value));
        break;
    case VOX_EVENT_TIMESTAMP_JUMP:
        json_object_set_new(object, "ticks", json_integer(event->value));
        break;
    case VOX_EVENT_WRONG_CLOCK:
        json_object_set_new(object, "clock_hz", json_integer(event->value));
        break;
    case VOX_EVENT_RECOVERED:
        json_object_set_new(object, "from", json_string(carrier_names[event->carrier]));
        json_object_set_new(object, "packet", json_integer(event->value));
        break;
    case VOX_EVENT_SOURCE_STARTED:
    case VOX_EVENT_KINDS:
        break;
    }
}

int vox_event_line_print(const struct vox_event *event, int64_t start_ns, int64_t start_unix_ns,
                         FILE *out)
{
    int64_t since_ns = event->t_ns - start_ns;
    json_t *object = json_object();
    json_object_set_new(object, "t_ms", vox_json_ms(since_ns));
    json_object_set_new(object, "unix_ms", vox_json_ms(start_unix_ns + since_ns));
    json_object_set_new(object, "event", json_string(event_names[event->kind]));
    json_object_set_new(object, "source", json_integer(event->source));
    json_object_set_new(object, "ssrc", json_integer(event->ssrc));
    put_event_details(object, event);
    return vox_json_print_line(object, out);
}
