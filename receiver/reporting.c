#include "receiver/reporting.h"

#include "base/time.h"

#include <string.h>

#define REPORT_NS VOX_NS_PER_S

void vox_reporting_init(struct vox_reporting *rp, const struct vox_receiver_config *config,
                        struct vox_source *sources)
{
    memset(rp, 0, sizeof *rp);
    rp->config = config;
    rp->sources = sources;
    rp->next_ns = VOX_NS_NEVER;
    vox_rng_init(&rp->rng, config->seed, config->ssrc);
}

static int64_t report_interval(struct vox_reporting *rp)
{
    /* RFC 3550, section 6.3.1: spread over 0.5..1.5 and made up for reconsideration. */
    return (int64_t)((double)REPORT_NS * (0.5 + vox_rng_uniform(&rp->rng)) / 1.21828);
}

void vox_reporting_start(struct vox_reporting *rp, int64_t now_ns)
{
    if (rp->next_ns == VOX_NS_NEVER)
        rp->next_ns = now_ns + report_interval(rp);
}

/* ---- what senders say ---- */

static struct vox_source *find_source(struct vox_reporting *rp, uint32_t ssrc)
{
    return vox_source_find(rp->sources, rp->config->max_sources, ssrc);
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

enum vox_push_result vox_reporting_feed(struct vox_reporting *rp, const void *datagram, size_t len,
                                        int64_t arrival_ns, uint32_t path)
{
    struct vox_rtcp_reader reader;
    if (vox_rtcp_begin(&reader, datagram, len) < 0)
        return VOX_PUSH_BAD_RTCP;
    struct vox_rtcp *packet = &rp->rtcp;
    bool bad = false;
    for (int got; (got = vox_rtcp_next(&reader, packet)) != 0;) {
        if (got < 0)
            bad = true;
        else if (packet->type == VOX_RTCP_SR)
            take_sender_report(rp, &packet->as.report, arrival_ns, path);
        else if (packet->type == VOX_RTCP_SDES)
            take_description(rp, &packet->as.sdes);
        else if (packet->type == VOX_RTCP_BYE)
            take_bye(rp, &packet->as.bye, arrival_ns);
    }
    return bad ? VOX_PUSH_BAD_RTCP : VOX_PUSH_RTCP;
}

/* ---- what we say ---- */

/* Report blocks of the sources that are heard on one path. */
static void fill_report(struct vox_reporting *rp, uint32_t path, int64_t now_ns,
                        struct vox_rtcp_report *report)
{
    report->ssrc = rp->config->ssrc;
    report->block_count = 0;
    for (int i = 0; i < rp->config->max_sources; i++) {
        struct vox_source *s = &rp->sources[i];
        if (vox_source_plays(s) && s->rtcp_path == path &&
            report->block_count < VOX_RTCP_MAX_BLOCKS)
            vox_reception_report(&s->reception, s->emit.ssrc, now_ns,
                                 &report->blocks[report->block_count++]);
    }
}

static void send_report(struct vox_reporting *rp, uint32_t path, int64_t now_ns, bool bye)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_rtcp_report *report = &rp->rtcp.as.report;
    fill_report(rp, path, now_ns, report);
    vox_rtcp_write_rr(&w, report);
    vox_rtcp_write_sdes(&w, rp->config->ssrc, rp->config->cname);
    if (bye)
        vox_rtcp_write_bye(&w, rp->config->ssrc, NULL);
    if (!w.failed && rp->config->on_rtcp)
        rp->config->on_rtcp(rp->config->ctx, path, bytes, w.size);
}

/* One report to each path that has a source; the first source on a path stands for it. */
static void send_reports(struct vox_reporting *rp, int64_t now_ns, bool bye)
{
    for (int i = 0; i < rp->config->max_sources; i++) {
        bool first = vox_source_plays(&rp->sources[i]);
        for (int k = 0; k < i && first; k++)
            first = !vox_source_plays(&rp->sources[k]) ||
                    rp->sources[k].rtcp_path != rp->sources[i].rtcp_path;
        if (first)
            send_report(rp, rp->sources[i].rtcp_path, now_ns, bye);
    }
}

int64_t vox_reporting_next_deadline_ns(const struct vox_reporting *rp)
{
    return rp->next_ns;
}

void vox_reporting_tick(struct vox_reporting *rp, int64_t now_ns)
{
    if (now_ns < rp->next_ns)
        return;
    send_reports(rp, now_ns, false);
    rp->next_ns = now_ns + report_interval(rp);
}

void vox_reporting_goodbye(struct vox_reporting *rp, int64_t now_ns)
{
    send_reports(rp, now_ns, true);
}
