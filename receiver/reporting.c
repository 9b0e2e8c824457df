#include "receiver/reporting.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/rtcp_xr.h"

#include <string.h>

#define REPORT_NS VOX_NS_PER_S
#define FIRST_LOSS_NS (100 * VOX_NS_PER_MS)
#define EARLY_SPACING_NS (250 * VOX_NS_PER_MS)
#define RUN_NS (2 * VOX_NS_PER_S)
#define REFILL_NS (8 * VOX_NS_PER_S)

enum {
    IP_UDP_BYTES = 28,
    BYE_BYTES = 8,
    TIME_BYTES = 12,
    SHARE = 20, /* of the session's bandwidth is RTCP: 5 % */
    FIRST_REPORT_BYTES = 160,
    MOST_EARLY = 4,
};

void vox_reporting_init(struct vox_reporting *rp, const struct vox_receiver_config *config,
                        struct vox_source *sources)
{
    memset(rp, 0, sizeof *rp);
    rp->config = config;
    rp->sources = sources;
    vox_rng_init(&rp->rng, config->seed, config->ssrc);
}

/* ---- when ---- */

static int64_t report_interval(struct vox_reporting *rp)
{
    /* RFC 3550, section 6.3.1: spread over 0.5..1.5 and made up for reconsideration. */
    return (int64_t)((double)REPORT_NS * (0.5 + vox_rng_uniform(&rp->rng)) / 1.21828);
}

static struct vox_reporting_source *state_of(struct vox_reporting *rp, const struct vox_source *s)
{
    return &rp->of[s - rp->sources];
}

static void earn(struct vox_reporting_source *o, int64_t units)
{
    int64_t most = MOST_EARLY * o->report_bytes * SHARE;
    o->allowance_units += units;
    o->allowance_units = o->allowance_units < most ? o->allowance_units : most;
    o->allowance_units = o->allowance_units > 0 ? o->allowance_units : 0;
}

void vox_reporting_begin(struct vox_reporting *rp, const struct vox_source *source, int64_t now_ns)
{
    struct vox_reporting_source *o = state_of(rp, source);
    *o = (struct vox_reporting_source){
        .sent_ns = now_ns,
        .due_ns = now_ns + report_interval(rp) / 2,
        .early_ns = VOX_NS_NEVER,
        .report_bytes = FIRST_REPORT_BYTES,
        .allowance_units = MOST_EARLY * FIRST_REPORT_BYTES * SHARE,
    };
}

/* One packet may be missing by chance; none, if the report before told of none. */
static bool is_news(const struct vox_reporting_source *o, const struct vox_source *source)
{
    int64_t packets;
    int64_t lost = vox_reception_lost_since(&source->reception, &packets);
    if (o->run_lost == 0)
        return lost > 0;
    return (lost - 1) * o->run_packets > 2 * packets * o->run_lost;
}

void vox_reporting_packet(struct vox_reporting *rp, const struct vox_source *source, size_t len,
                          int64_t arrival_ns)
{
    struct vox_reporting_source *o = state_of(rp, source);
    earn(o, (int64_t)len + IP_UDP_BYTES);
    if (o->early_ns != VOX_NS_NEVER || o->allowance_units < o->report_bytes * SHARE ||
        !vox_source_plays(source) || !is_news(o, source))
        return;
    int64_t at_ns = o->run_lost == 0 ? arrival_ns + FIRST_LOSS_NS : arrival_ns;
    int64_t spaced_ns = o->sent_ns + EARLY_SPACING_NS;
    o->early_ns = at_ns > spaced_ns ? at_ns : spaced_ns;
}

/* Whether there is still something to tell: what was missing may have been overtaken only. */
static bool is_due(const struct vox_reporting_source *o, const struct vox_source *source,
                   int64_t now_ns)
{
    return now_ns >= o->due_ns || (now_ns >= o->early_ns && is_news(o, source));
}

/* ---- what senders say ---- */

static struct vox_source *find_source(struct vox_reporting *rp, uint32_t ssrc)
{
    return vox_source_find(rp->sources, rp->config->max_sources, ssrc);
}

/* RTCP costs each source on its path: who shares one is told of together. */
static void spend(struct vox_reporting *rp, uint32_t path, size_t bytes)
{
    for (int i = 0; i < rp->config->max_sources; i++)
        if (vox_source_plays(&rp->sources[i]) && rp->sources[i].rtcp_path == path)
            earn(&rp->of[i], -(int64_t)(bytes + IP_UDP_BYTES) * SHARE);
}

static void take_sender_report(struct vox_reporting *rp, const struct vox_rtcp_report *report,
                               int64_t arrival_ns, uint32_t path)
{
    struct vox_source *source = find_source(rp, report->ssrc);
    if (!source)
        return;
    source->rtcp_path = path;
    vox_reception_sender_report(&source->reception, report->ntp, arrival_ns);
    vox_source_confirm(source, arrival_ns);
}

static void take_description(struct vox_reporting *rp, const struct vox_rtcp_sdes *sdes)
{
    for (int i = 0; i < sdes->chunk_count; i++) {
        const struct vox_rtcp_chunk *chunk = &sdes->chunks[i];
        struct vox_source *source = find_source(rp, chunk->ssrc);
        if (!source || !chunk->cname)
            continue;
        size_t most = sizeof source->cname - 1;
        size_t len = chunk->cname_bytes < most ? chunk->cname_bytes : most;
        for (size_t k = 0; k < len; k++) /* goes to terminals and files: printable ASCII only */
            source->cname[k] =
                chunk->cname[k] >= 0x20 && chunk->cname[k] < 0x7f ? chunk->cname[k] : '?';
        source->cname[len] = '\0';
    }
}

static void take_bye(struct vox_reporting *rp, const struct vox_rtcp_bye *bye, int64_t arrival_ns)
{
    for (int i = 0; i < bye->ssrc_count; i++) {
        struct vox_source *source = find_source(rp, bye->ssrcs[i]);
        if (!source)
            continue;
        vox_source_confirm(source, arrival_ns);
        vox_source_bye(source, arrival_ns, false);
    }
}

/* Answers to our reference time: what the sender kept it for is told, the rest is the way. */
static void take_delays(struct vox_reporting *rp, uint32_t ssrc,
                        const struct vox_rtcp_xr_delays *delays, int64_t arrival_ns)
{
    struct vox_source *source = find_source(rp, ssrc);
    uint64_t ntp = vox_unix_to_ntp(arrival_ns + rp->config->wall_offset_ns);
    for (int i = 0; source && i < delays->count; i++) {
        const struct vox_rtcp_xr_delay *delay = &delays->of[i];
        int64_t rtt_ns = vox_rtcp_round_trip_ns(ntp, delay->last_rr, delay->delay_since_rr);
        if (delay->ssrc == rp->config->ssrc && rtt_ns >= 0) {
            vox_rtt_add(&source->rtt, rtt_ns, arrival_ns);
            return;
        }
    }
}

/* Returns whether it is well formed. */
static bool take_extended(struct vox_reporting *rp, const struct vox_rtcp *packet,
                          int64_t arrival_ns)
{
    struct vox_rtcp_xr_reader reader;
    struct vox_rtcp_xr block;
    bool good = true;
    if (vox_rtcp_xr_begin(&reader, packet) < 0)
        return false;
    for (int got; (got = vox_rtcp_xr_next(&reader, &block)) != 0;) {
        good = good && got != VOX_EFORMAT;
        if (got > 0 && block.type == VOX_RTCP_XR_DELAYS)
            take_delays(rp, reader.ssrc, &block.as.delays, arrival_ns);
    }
    return good;
}

enum vox_push_result vox_reporting_feed(struct vox_reporting *rp, const void *datagram, size_t len,
                                        int64_t arrival_ns, uint32_t path)
{
    struct vox_rtcp_reader reader;
    if (vox_rtcp_begin(&reader, datagram, len) < 0)
        return VOX_PUSH_BAD_RTCP;
    struct vox_rtcp *packet = &rp->rtcp;
    bool bad = false;
    spend(rp, path, len);
    for (int got; (got = vox_rtcp_next(&reader, packet)) != 0;) {
        if (got < 0)
            bad = true;
        else if (packet->type == VOX_RTCP_SR)
            take_sender_report(rp, &packet->as.report, arrival_ns, path);
        else if (packet->type == VOX_RTCP_SDES)
            take_description(rp, &packet->as.sdes);
        else if (packet->type == VOX_RTCP_BYE)
            take_bye(rp, &packet->as.bye, arrival_ns);
        else if (packet->type == VOX_RTCP_XR)
            bad = !take_extended(rp, packet, arrival_ns) || bad;
    }
    return bad ? VOX_PUSH_BAD_RTCP : VOX_PUSH_RTCP;
}

/* ---- what we say ---- */

/* Those that one report is about, whoever was told of longest ago first. */
struct chosen {
    int count;
    struct vox_source *sources[VOX_RTCP_MAX_BLOCKS];
    uint64_t told_before[VOX_RTCP_MAX_BLOCKS];
};

static struct vox_source *least_told(struct vox_reporting *rp, uint32_t path)
{
    struct vox_source *least = NULL;
    for (int i = 0; i < rp->config->max_sources; i++) {
        struct vox_source *s = &rp->sources[i];
        if (vox_source_plays(s) && s->rtcp_path == path && rp->of[i].told != rp->reports &&
            (!least || rp->of[i].told < state_of(rp, least)->told))
            least = s;
    }
    return least;
}

static void choose(struct vox_reporting *rp, uint32_t path, struct chosen *out)
{
    struct vox_source *source;
    out->count = 0;
    while (out->count < VOX_RTCP_MAX_BLOCKS && (source = least_told(rp, path)) != NULL) {
        out->told_before[out->count] = state_of(rp, source)->told;
        state_of(rp, source)->told = rp->reports;
        out->sources[out->count++] = source;
    }
}

/* Its highest number as it was on the wire; the cycles are ours. */
static void fill_block(const struct vox_source *source, struct vox_rtcp_block *block)
{
    uint16_t seq;
    if (vox_depacketizer_seq(&source->depacketizer, source->reception.highest_index, &seq))
        block->highest_seq = (block->highest_seq & 0xffff0000U) | seq;
}

static void write_blocks(struct vox_reporting *rp, struct vox_writer *w,
                         const struct chosen *chosen, int64_t now_ns)
{
    struct vox_rtcp_report *report = &rp->rtcp.as.report;
    report->ssrc = rp->config->ssrc;
    report->block_count = (uint8_t)chosen->count;
    for (int i = 0; i < chosen->count; i++) {
        struct vox_source *source = chosen->sources[i];
        vox_reception_report(&source->reception, source->emit.ssrc, now_ns, &report->blocks[i]);
        fill_block(source, &report->blocks[i]);
    }
    vox_rtcp_write_rr(w, report);
}

/* How many packets the run of a loss report has. */
static int run_packets(const struct vox_source *source)
{
    int64_t packet_ns = vox_rtp_to_ns(source->depacketizer.newest_duration);
    int64_t count = RUN_NS / (packet_ns > 0 ? packet_ns : RUN_NS);
    return (int)(count < VOX_RECEPTION_PACKETS ? count : VOX_RECEPTION_PACKETS);
}

static int lost_in(const struct vox_rtcp_xr_loss *loss)
{
    int lost = 0;
    for (size_t i = 0, n; i < loss->count; i += n) {
        n = vox_rtcp_xr_loss_run(loss, i);
        lost += vox_rtcp_xr_loss_came(loss, i) ? 0 : (int)n;
    }
    return lost;
}

/*
 * False: there is no room. Packets of before a jump of the numbers are not told of: the sender
 * knows them by others.
 */
static bool write_loss(struct vox_reporting *rp, struct vox_writer *w,
                       const struct vox_source *source)
{
    struct vox_reporting_source *o = state_of(rp, source);
    struct vox_rtcp_xr_loss loss = {.ssrc = source->emit.ssrc};
    struct vox_writer before = *w;
    int64_t first = vox_reception_run(&source->reception, source->depacketizer.numbered_from,
                                      run_packets(source), &loss);
    o->run_packets = loss.count;
    o->run_lost = lost_in(&loss);
    if (loss.count == 0 || !vox_depacketizer_seq(&source->depacketizer, first, &loss.begin_seq))
        return true;
    vox_rtcp_xr_write_loss(w, &loss);
    if (!w->failed)
        return true;
    *w = before;
    return false;
}

/* The time stands last: Wireshark 4.0 takes a packet that ends in a loss report for malformed. */
static void write_extended(struct vox_reporting *rp, struct vox_writer *w,
                           const struct chosen *chosen, int64_t now_ns)
{
    size_t packet = vox_rtcp_xr_open(w, rp->config->ssrc);
    w->capacity -= TIME_BYTES;
    for (int i = 0; i < chosen->count && !w->failed; i++)
        if (!write_loss(rp, w, chosen->sources[i])) {
            state_of(rp, chosen->sources[i])->told = chosen->told_before[i];
            rp->left_out++;
        }
    w->capacity += TIME_BYTES;
    vox_rtcp_xr_write_reference_time(w, vox_unix_to_ntp(now_ns + rp->config->wall_offset_ns));
    vox_rtcp_close(w, packet);
}

/* All sources of the path begin a new interval, also those for which there was no room. */
static void begin_interval(struct vox_reporting *rp, uint32_t path, size_t bytes, int64_t now_ns)
{
    int64_t due_ns = now_ns + report_interval(rp);
    for (int i = 0; i < rp->config->max_sources; i++) {
        struct vox_reporting_source *o = &rp->of[i];
        if (!vox_source_plays(&rp->sources[i]) || rp->sources[i].rtcp_path != path)
            continue;
        int64_t since_ns = now_ns - o->sent_ns;
        o->report_bytes = (int64_t)bytes + IP_UDP_BYTES;
        earn(o, (int64_t)((double)since_ns / (double)REFILL_NS * (double)o->report_bytes * SHARE));
        o->sent_ns = now_ns;
        o->due_ns = due_ns;
        o->early_ns = VOX_NS_NEVER;
    }
    spend(rp, path, bytes);
}

static void send_report(struct vox_reporting *rp, uint32_t path, int64_t now_ns, bool bye)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes - BYE_BYTES);
    struct chosen chosen;
    rp->reports++;
    choose(rp, path, &chosen);
    write_blocks(rp, &w, &chosen, now_ns);
    vox_rtcp_write_sdes(&w, rp->config->ssrc, rp->config->cname);
    write_extended(rp, &w, &chosen, now_ns);
    w.capacity = sizeof bytes;
    if (bye)
        vox_rtcp_write_bye(&w, rp->config->ssrc, NULL);
    begin_interval(rp, path, w.size, now_ns);
    if (!w.failed && rp->config->on_rtcp)
        rp->config->on_rtcp(rp->config->ctx, path, bytes, w.size);
}

int64_t vox_reporting_next_deadline_ns(const struct vox_reporting *rp)
{
    int64_t next_ns = VOX_NS_NEVER;
    for (int i = 0; i < rp->config->max_sources; i++) {
        const struct vox_reporting_source *o = &rp->of[i];
        int64_t at_ns = o->early_ns < o->due_ns ? o->early_ns : o->due_ns;
        if (vox_source_plays(&rp->sources[i]) && at_ns < next_ns)
            next_ns = at_ns;
    }
    return next_ns;
}

void vox_reporting_tick(struct vox_reporting *rp, int64_t now_ns)
{
    for (int i = 0; i < rp->config->max_sources; i++) {
        struct vox_reporting_source *o = &rp->of[i];
        if (!vox_source_plays(&rp->sources[i]))
            continue;
        if (is_due(o, &rp->sources[i], now_ns))
            send_report(rp, rp->sources[i].rtcp_path, now_ns, false);
        else if (now_ns >= o->early_ns)
            o->early_ns = VOX_NS_NEVER;
    }
}

/* One report to each path that has a source; the first source on a path stands for it. */
void vox_reporting_goodbye(struct vox_reporting *rp, int64_t now_ns)
{
    for (int i = 0; i < rp->config->max_sources; i++) {
        bool first = vox_source_plays(&rp->sources[i]);
        for (int k = 0; k < i && first; k++)
            first = !vox_source_plays(&rp->sources[k]) ||
                    rp->sources[k].rtcp_path != rp->sources[i].rtcp_path;
        if (first)
            send_report(rp, rp->sources[i].rtcp_path, now_ns, true);
    }
}
