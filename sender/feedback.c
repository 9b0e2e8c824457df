#include "sender/feedback.h"

#include "base/err.h"
#include "base/seq.h"
#include "base/time.h"

#include <string.h>

#define INTERVAL_NS VOX_NS_PER_S

/* e - 3/2: makes up for the mean of the randomised interval (section 6.3.1). */
#define COMPENSATION 1.21828

/* Nobody waits longer for an answer; beyond it a report is forged, or its clock jumped. */
#define MAX_RTT_NS (60 * VOX_NS_PER_S)

/* LSR and DLSR are truncated to 1/65536 s: that much below zero is still a round trip of zero. */
enum { RTT_ROUNDING = 2, DLSR_HZ = 65536 };

void vox_feedback_init(struct vox_feedback *fb, const struct vox_feedback_config *config)
{
    *fb = (struct vox_feedback){
        .ssrc = config->ssrc,
        .wall_offset_ns = config->wall_offset_ns,
        .deadline_ns = VOX_NS_NEVER,
        .view.rtt_ns = -1,
    };
    size_t len = strlen(config->cname);
    memcpy(fb->cname, config->cname, len < VOX_RTCP_MAX_TEXT ? len : VOX_RTCP_MAX_TEXT);
    vox_rng_init(&fb->rng, config->seed, 0);
}

void vox_feedback_sent(struct vox_feedback *fb, const struct vox_feedback_packet *packet)
{
    if (fb->packets == 0)
        fb->deadline_ns = packet->send_ns;
    fb->last = *packet;
    fb->packets++;
    fb->octets += packet->payload_bytes;
}

int64_t vox_feedback_next_deadline_ns(const struct vox_feedback *fb)
{
    return fb->deadline_ns;
}

static int64_t next_interval_ns(struct vox_feedback *fb)
{
    double factor = (0.5 + vox_rng_uniform(&fb->rng)) / COMPENSATION;
    return (int64_t)((double)INTERVAL_NS * factor);
}

int vox_feedback_report(struct vox_feedback *fb, int64_t now_ns, bool bye, uint8_t *out,
                        size_t capacity)
{
    if (fb->packets == 0)
        return 0;
    int64_t since_ticks = vox_ns_to_rtp(now_ns - fb->last.capture_ns);
    struct vox_rtcp_report sr = {
        .ssrc = fb->ssrc,
        .ntp = vox_unix_to_ntp(now_ns + fb->wall_offset_ns),
        .rtp_timestamp = fb->last.timestamp + (uint32_t)(uint64_t)since_ticks,
        .packet_count = (uint32_t)fb->packets,
        .octet_count = (uint32_t)fb->octets,
    };
    struct vox_writer w = vox_writer_of(out, capacity);
    vox_rtcp_write_sr(&w, &sr);
    vox_rtcp_write_sdes(&w, fb->ssrc, fb->cname);
    if (bye)
        vox_rtcp_write_bye(&w, fb->ssrc, NULL);
    if (w.failed)
        return VOX_ENOSPC;
    fb->deadline_ns = bye ? VOX_NS_NEVER : now_ns + next_interval_ns(fb);
    return (int)w.size;
}

/* Section 6.4.1: A - LSR - DLSR, all in 1/65536 s. */
static void read_rtt(struct vox_feedback *fb, const struct vox_rtcp_block *block,
                     int64_t arrival_ns)
{
    if (block->last_sr == 0)
        return;
    uint32_t arrival = vox_ntp_middle(vox_unix_to_ntp(arrival_ns + fb->wall_offset_ns));
    int64_t rtt = vox_seq32_diff(arrival, block->last_sr + block->delay_since_sr);
    if (rtt < -RTT_ROUNDING)
        return;
    int64_t rtt_ns = rtt < 0 ? 0 : vox_ticks_to_ns(rtt, DLSR_HZ);
    if (rtt_ns <= MAX_RTT_NS)
        fb->view.rtt_ns = rtt_ns;
}

static bool knows_peer(const struct vox_feedback *fb, uint32_t ssrc)
{
    for (uint64_t i = 0; i < fb->peer_count && i < VOX_FEEDBACK_MAX_PEERS; i++)
        if (fb->peers[i] == ssrc)
            return true;
    return false;
}

static int read_report(struct vox_feedback *fb, const struct vox_rtcp_report *report,
                       int64_t arrival_ns)
{
    for (int i = 0; i < report->block_count; i++) {
        const struct vox_rtcp_block *block = &report->blocks[i];
        if (block->ssrc != fb->ssrc)
            continue;
        fb->view.reports++;
        fb->view.loss_pct = block->fraction_lost * 100.0 / 256;
        fb->view.lost = block->cumulative_lost;
        fb->view.jitter_ns = vox_rtp_to_ns(block->jitter);
        read_rtt(fb, block, arrival_ns);
        if (!knows_peer(fb, report->ssrc))
            fb->peers[fb->peer_count++ % VOX_FEEDBACK_MAX_PEERS] = report->ssrc;
        return VOX_FEEDBACK_REPORT;
    }
    return 0;
}

static int read_bye(const struct vox_feedback *fb, const struct vox_rtcp_bye *bye)
{
    for (int i = 0; i < bye->ssrc_count; i++)
        if (knows_peer(fb, bye->ssrcs[i]))
            return VOX_FEEDBACK_BYE;
    return 0;
}

int vox_feedback_feed(struct vox_feedback *fb, const void *datagram, size_t len, int64_t arrival_ns)
{
    struct vox_rtcp_reader reader;
    int err = vox_rtcp_begin(&reader, datagram, len);
    if (err < 0)
        return err;
    struct vox_rtcp packet;
    int news = 0;
    int n;
    while ((n = vox_rtcp_next(&reader, &packet)) != 0) {
        if (n < 0)
            err = n;
        else if (packet.type == VOX_RTCP_SR || packet.type == VOX_RTCP_RR)
            news |= read_report(fb, &packet.as.report, arrival_ns);
        else if (packet.type == VOX_RTCP_BYE)
            news |= read_bye(fb, &packet.as.bye);
    }
    return news != 0 ? news : err;
}
