#include "sender/packetizer.h"

#include "base/time.h"
#include "wire/hdrext.h"
#include "wire/rtp.h"

enum {
    CAPTURE_TIME_FIRST_PACKETS = 10,
    CAPTURE_TIME_INTERVAL_TICKS = VOX_RTP_HZ / 2,
};

void vox_packetizer_init(struct vox_packetizer *p, const struct vox_packetizer_config *config)
{
    *p = (struct vox_packetizer){.config = *config, .marker = true};
}

uint32_t vox_packetizer_timestamp(const struct vox_packetizer *p, int64_t position_ticks)
{
    return p->config.first_timestamp + (uint32_t)(uint64_t)position_ticks;
}

static bool needs_capture_time(const struct vox_packetizer *p, int64_t position_ticks)
{
    return p->config.capture_time_id != 0 &&
           (p->count < CAPTURE_TIME_FIRST_PACKETS || position_ticks != p->next_position_ticks ||
            position_ticks >= p->next_capture_ticks);
}

static void add_capture_time(struct vox_rtp *rtp, uint8_t id, int64_t unix_ns,
                             uint8_t bytes[VOX_HDREXT_MAX_BYTES])
{
    struct vox_writer w = vox_writer_of(bytes, VOX_HDREXT_MAX_BYTES);
    struct vox_capture_time capture = {.ntp = vox_unix_to_ntp(unix_ns)};
    vox_hdrext_write_capture_time(&w, id, &capture);
    int len = vox_hdrext_finish(&w);
    if (len <= 0)
        return;
    rtp->has_extension = true;
    rtp->extension_profile = VOX_HDREXT_PROFILE_ONE_BYTE;
    rtp->extension = bytes;
    rtp->extension_bytes = (size_t)len;
}

int vox_packetizer_write(struct vox_packetizer *p, const struct vox_packetizer_frame *frame,
                         uint8_t *out, size_t capacity)
{
    struct vox_rtp rtp = {
        .marker = p->marker,
        .payload_type = frame->payload_type,
        .seq = (uint16_t)(p->config.first_seq + p->count),
        .timestamp = vox_packetizer_timestamp(p, frame->position_ticks),
        .ssrc = p->config.ssrc,
        .payload = frame->payload,
        .payload_bytes = frame->payload_bytes,
    };
    uint8_t extension[VOX_HDREXT_MAX_BYTES];
    if (needs_capture_time(p, frame->position_ticks)) {
        add_capture_time(&rtp, p->config.capture_time_id, frame->capture_unix_ns, extension);
        p->next_capture_ticks = frame->position_ticks + CAPTURE_TIME_INTERVAL_TICKS;
    }
    int len = vox_rtp_write(&rtp, out, capacity);
    if (len < 0)
        return len;
    p->count++;
    p->next_position_ticks = frame->position_ticks + p->config.frame_ticks;
    p->marker = false;
    return len;
}

void vox_packetizer_pause(struct vox_packetizer *p)
{
    p->marker = true;
}
