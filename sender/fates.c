#include "sender/fates.h"

#include "base/seq.h"
#include "base/time.h"

#include <string.h>

/* A receiver that reports does so at least every 1.23 s. */
#define QUIET_NS (5 * VOX_NS_PER_S)

void vox_fates_init(struct vox_fates *fates)
{
    memset(fates, 0, sizeof *fates);
    fates->newest = -1;
}

static size_t word_of(int64_t seq)
{
    return (uint64_t)seq % VOX_FATES_PACKETS / 64;
}

static uint64_t bit_of(int64_t seq)
{
    return UINT64_C(1) << ((uint64_t)seq % 64);
}

/* The ring moves on: of what is newer than the newest nothing is known yet. */
static void advance(struct vox_fates *fates, int64_t newest)
{
    int64_t oldest = newest - VOX_FATES_PACKETS + 1;
    for (int64_t i = fates->newest + 1 > oldest ? fates->newest + 1 : oldest; i <= newest; i++)
        fates->known[word_of(i)] &= ~bit_of(i);
    fates->newest = newest;
}

static void set(struct vox_fates *fates, int64_t seq, bool came)
{
    if (seq <= fates->newest - VOX_FATES_PACKETS)
        return;
    if (came)
        fates->came[word_of(seq)] |= bit_of(seq);
    else if (vox_fates_at(fates, seq) != VOX_FATE_CAME) /* a report that was overtaken */
        fates->came[word_of(seq)] &= ~bit_of(seq);
    fates->known[word_of(seq)] |= bit_of(seq);
}

static double loss_share(const struct vox_rtcp_xr_loss *loss)
{
    size_t lost = 0;
    for (size_t i = 0, n; i < loss->count; i += n) {
        n = vox_rtcp_xr_loss_run(loss, i);
        lost += vox_rtcp_xr_loss_came(loss, i) ? 0 : n;
    }
    return (double)lost / loss->count;
}

/* Whether the record goes by this receiver, from now on or still. */
static bool follow(struct vox_fates *fates, uint32_t reporter, double share, int64_t arrival_ns)
{
    bool is_same = fates->newest >= 0 && reporter == fates->reporter;
    bool is_quiet = fates->newest < 0 || arrival_ns - fates->taken_ns > QUIET_NS;
    if (!is_same && !is_quiet && share <= fates->reporter_loss)
        return false;
    if (!is_same)
        vox_fates_init(fates);
    fates->reporter = reporter;
    fates->reporter_loss = share;
    return true;
}

bool vox_fates_take(struct vox_fates *fates, uint32_t reporter, const struct vox_rtcp_xr_loss *loss,
                    int64_t newest_sent, int64_t arrival_ns)
{
    if (loss->count == 0)
        return false;
    int64_t last = vox_seq16_near((uint16_t)(loss->begin_seq + loss->count - 1), newest_sent);
    int64_t first = last - loss->count + 1;
    bool is_ours = first >= 0 && last <= newest_sent && last > newest_sent - VOX_FATES_PACKETS;
    if (!is_ours || !follow(fates, reporter, loss_share(loss), arrival_ns))
        return false;
    if (last > fates->newest)
        advance(fates, last);
    for (size_t i = 0; i < loss->count; i++)
        set(fates, first + (int64_t)i, vox_rtcp_xr_loss_came(loss, i));
    fates->taken_ns = arrival_ns;
    return true;
}

int64_t vox_fates_newest(const struct vox_fates *fates)
{
    return fates->newest;
}

enum vox_packet_fate vox_fates_at(const struct vox_fates *fates, int64_t seq)
{
    bool is_remembered = seq <= fates->newest && seq > fates->newest - VOX_FATES_PACKETS;
    if (!is_remembered || seq < 0 || (fates->known[word_of(seq)] & bit_of(seq)) == 0)
        return VOX_FATE_UNKNOWN;
    return fates->came[word_of(seq)] & bit_of(seq) ? VOX_FATE_CAME : VOX_FATE_LOST;
}

void vox_fates_count(const struct vox_fates *fates, int64_t since, struct vox_fates_count *out)
{
    int64_t oldest = fates->newest - VOX_FATES_PACKETS + 1;
    enum vox_packet_fate before = VOX_FATE_UNKNOWN;
    *out = (struct vox_fates_count){0};
    for (int64_t i = since > oldest ? since : oldest; i <= fates->newest; i++) {
        enum vox_packet_fate fate = vox_fates_at(fates, i);
        out->known += fate != VOX_FATE_UNKNOWN;
        out->lost += fate == VOX_FATE_LOST;
        out->bursts += fate == VOX_FATE_LOST && before != VOX_FATE_LOST;
        before = fate;
    }
}
