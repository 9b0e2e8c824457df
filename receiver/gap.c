#include "receiver/gap.h"

#include "base/time.h"

void vox_gap_open(struct vox_gap *gap, int64_t t_ns)
{
    if (!gap->open)
        *gap = (struct vox_gap){.open = true, .start_ns = t_ns};
}

void vox_gap_take(struct vox_gap *gap, const struct vox_packet *packet, int64_t last_index,
                  int64_t play_ts)
{
    int64_t missing = packet->index - last_index - 1;
    int64_t hole = packet->ts > play_ts ? packet->ts - play_ts : 0;
    if (missing > 0 && gap->missing == 0)
        gap->first_missing = last_index + 1;
    gap->missing += missing;
    if (missing > 0)
        gap->lost += hole;
    else
        gap->unsent += hole;
}

void vox_gap_late(struct vox_gap *gap, const struct vox_packet *packet, int64_t hole,
                  int64_t ahead_ns)
{
    int64_t late_ns = packet->arrival_ns - (gap->start_ns - ahead_ns + vox_rtp_to_ns(hole));
    if (gap->open && late_ns > gap->late_ns)
        gap->late_ns = late_ns;
}

struct vox_gap_account vox_gap_close(struct vox_gap *gap, const struct vox_packet *packet,
                                     int64_t ahead_ns)
{
    if (gap->reseated) {
        gap->unsent = gap->missing == 0 && gap->unsent > 0 ? gap->made : 0;
        gap->lost = gap->missing > 0 ? gap->made : 0;
    }
    gap->lost -= gap->left_out < gap->lost ? gap->left_out : gap->lost;
    int64_t hole = gap->lost + gap->unsent;
    int64_t repaired = gap->from_fec < gap->lost ? gap->from_fec : gap->lost;
    vox_gap_late(gap, packet, hole, ahead_ns);
    gap->open = false;
    return (struct vox_gap_account){
        .lost = gap->lost - repaired,
        .unsent = gap->unsent,
        .late = gap->made - hole - (gap->from_fec - repaired),
    };
}
