#include "sender/weather.h"

#include "base/time.h"

#include <math.h>

#define SHORT_NS (VOX_NS_PER_S / 2)
#define MIDDLE_NS (2 * VOX_NS_PER_S)
#define LONG_NS (8 * VOX_NS_PER_S)
/* Reports that are closer together say nothing of a rate. */
#define LEAST_SPAN_NS VOX_NS_PER_S

/* Of the standard deviation of a share, so much is taken for chance. */
#define CHANCE 0.7
/* What is longer is an outage. */
#define LONGEST_BURST 4

void vox_weather_init(struct vox_weather *w)
{
    *w = (struct vox_weather){.newest = -1, .told = -1};
}

void vox_weather_sent(struct vox_weather *w, int64_t seq, int64_t wire_bytes, int64_t send_ns)
{
    size_t at = (size_t)(seq % VOX_FATES_PACKETS);
    w->newest = seq;
    w->sent[at].wire_bytes = wire_bytes;
    w->sent[at].send_ns = send_ns;
}

bool vox_weather_told(struct vox_weather *w, const struct vox_fates *fates, int64_t arrival_ns)
{
    int64_t newest = vox_fates_newest(fates);
    int64_t from = w->told + 1;
    if (newest <= w->told)
        return false;
    if (newest - from >= VOX_FATES_PACKETS)
        from = newest - VOX_FATES_PACKETS + 1;
    for (int64_t seq = from; seq <= newest; seq++)
        if (vox_fates_at(fates, seq) != VOX_FATE_LOST)
            w->came += w->sent[seq % VOX_FATES_PACKETS].wire_bytes;
    w->told = newest;
    size_t at = (size_t)(w->report_count++ % VOX_WEATHER_REPORTS);
    w->reports[at].arrival_ns = arrival_ns;
    w->reports[at].came = w->came;
    return true;
}

/* The first of the packets that were sent less than span_ns before the newest one told of. */
static int64_t since(const struct vox_weather *w, int64_t span_ns)
{
    int64_t oldest = w->newest - VOX_FATES_PACKETS + 1;
    int64_t from_ns = w->sent[w->told % VOX_FATES_PACKETS].send_ns - span_ns;
    int64_t seq = w->told;
    while (seq > 0 && seq > oldest && w->sent[(seq - 1) % VOX_FATES_PACKETS].send_ns > from_ns)
        seq--;
    return seq;
}

/* Of a span whose losses come in bursts of that mean. */
static double share_of(const struct vox_fates_count *count, double burst)
{
    if (count->known == 0)
        return 0;
    double share = (double)count->lost / count->known;
    double runs = fmax(2 * fmin(burst, LONGEST_BURST) - 1, 1);
    double chance = CHANCE * sqrt(share * (1 - share) * runs / count->known);
    return fmax(share - chance, 0);
}

/* So many more bursts may have been one longer by chance alone. */
static double burst_of(const struct vox_fates_count *count)
{
    double share = count->known > 0 ? (double)count->lost / count->known : 0;
    double alone = 1 / (1 - fmin(share, 0.95));
    double chance = sqrt(count->lost * share * (1 - share)) + 1;
    return fmax((count->lost + alone) / (count->bursts + chance), alone);
}

void vox_weather_loss(const struct vox_weather *w, const struct vox_fates *fates,
                      struct vox_odds_loss *out)
{
    static const int64_t spans_ns[] = {LONG_NS, MIDDLE_NS, SHORT_NS};
    struct vox_fates_count count;
    *out = (struct vox_odds_loss){.share = 0};
    if (w->told < 0)
        return;
    for (int i = 0; i < 3; i++) {
        vox_fates_count(fates, since(w, spans_ns[i]), &count);
        if (i == 0)
            out->burst = burst_of(&count);
        out->share = fmax(out->share, share_of(&count, out->burst));
    }
    out->burst = fmax(out->burst, 1 / (1 - fmin(out->share, 0.95)));
}

void vox_weather_round(const struct vox_weather *w, int64_t *least_ns, int64_t *most_ns)
{
    *least_ns = -1;
    *most_ns = VOX_NS_NEVER;
    if (w->report_count == 0 || w->told <= w->newest - VOX_FATES_PACKETS)
        return;
    int64_t told_ns = w->reports[(w->report_count - 1) % VOX_WEATHER_REPORTS].arrival_ns;
    *most_ns = told_ns - w->sent[w->told % VOX_FATES_PACKETS].send_ns;
    if (w->told < w->newest)
        *least_ns = told_ns - w->sent[(w->told + 1) % VOX_FATES_PACKETS].send_ns;
    else
        *least_ns = 0;
}

int64_t vox_weather_delivered_bps(const struct vox_weather *w)
{
    uint64_t last = w->report_count - 1;
    for (uint64_t back = 1; back < VOX_WEATHER_REPORTS && back < w->report_count; back++) {
        size_t a = (size_t)((last - back) % VOX_WEATHER_REPORTS);
        size_t b = (size_t)(last % VOX_WEATHER_REPORTS);
        int64_t span_ns = w->reports[b].arrival_ns - w->reports[a].arrival_ns;
        if (span_ns >= LEAST_SPAN_NS)
            return (int64_t)((double)(w->reports[b].came - w->reports[a].came) * 8e9 /
                             (double)span_ns);
    }
    return 0;
}
