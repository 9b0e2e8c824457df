#include "sender/feedback.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/rtcp_xr.h"

#include <string.h>

#define INTERVAL_NS VOX_NS_PER_S

/* e - 3/2: makes up for the mean of the randomised interval (section 6.3.1). */
#define COMPENSATION 1.21828

/* A receiver waits no longer for its first round trip; a flood of them makes no flood of ours. */
#define FIRST_ANSWER_NS (200 * VOX_NS_PER_MS)

enum { DELAY_HZ = 65536 };

void vox_feedback_init(struct vox_feedback *fb, const struct vox_feedback_config *config)
{
    *fb = (struct vox_feedback){
        .ssrc = config->ssrc,
        .wall_offset_ns = config->wall_offset_ns,
        .first_seq = config->first_seq,
        .deadline_ns = VOX_NS_NEVER,
        .view.rtt_ns = -1,
    };
    vox_fates_init(&fb->fates);
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

int64_t vox_feedback_newest_seq(const struct vox_feedback *fb)
{
    return (int64_t)fb->first_seq + (int64_t)fb->packets - 1;
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

/* Answers what is open, and closes it: who misses the answer asks again. */
static void write_answers(struct vox_feedback *fb, struct vox_writer *w, int64_t now_ns)
{
    struct vox_rtcp_xr_delays delays = {.count = 0};
    for (int i = 0; i < fb->question_count; i++) {
        struct vox_feedback_question *q = &fb->questions[i];
        int64_t kept_ns = now_ns > q->arrival_ns ? now_ns - q->arrival_ns : 0;
        if (q->is_open)
            delays.of[delays.count++] = (struct vox_rtcp_xr_delay){
                .ssrc = q->ssrc,
                .last_rr = q->time,
                .delay_since_rr = (uint32_t)vox_ns_to_ticks(kept_ns, DELAY_HZ),
            };
        q->is_open = false;
    }
    if (delays.count == 0)
        return;
    size_t packet = vox_rtcp_xr_open(w, fb->ssrc);
    vox_rtcp_xr_write_delays(w, &delays);
    vox_rtcp_close(w, packet);
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
    write_answers(fb, &w, now_ns);
    if (bye)
        vox_rtcp_write_bye(&w, fb->ssrc, NULL);
    if (w.failed)
        return VOX_ENOSPC;
    fb->reported_ns = now_ns;
    fb->deadline_ns = bye ? VOX_NS_NEVER : now_ns + next_interval_ns(fb);
    return (int)w.size;
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
        int64_t rtt_ns = vox_rtcp_round_trip_ns(vox_unix_to_ntp(arrival_ns + fb->wall_offset_ns),
                                                block->last_sr, block->delay_since_sr);
        if (rtt_ns >= 0)
            fb->view.rtt_ns = rtt_ns;
        if (!knows_peer(fb, report->ssrc))
            fb->peers[fb->peer_count++ % VOX_FEEDBACK_MAX_PEERS] = report->ssrc;
        return VOX_FEEDBACK_REPORT;
    }
    return 0;
}

/* The place of this receiver, a free one, or that of whoever has not asked for longest. */
static struct vox_feedback_question *place_of(struct vox_feedback *fb, uint32_t ssrc, bool *is_new)
{
    struct vox_feedback_question *oldest = &fb->questions[0];
    *is_new = false;
    for (int i = 0; i < fb->question_count; i++) {
        if (fb->questions[i].ssrc == ssrc)
            return &fb->questions[i];
        if (fb->questions[i].arrival_ns < oldest->arrival_ns)
            oldest = &fb->questions[i];
    }
    *is_new = true;
    bool is_room = fb->question_count < VOX_FEEDBACK_MAX_PEERS;
    return is_room ? &fb->questions[fb->question_count++] : oldest;
}

static int read_question(struct vox_feedback *fb, uint32_t ssrc, uint64_t ntp, int64_t arrival_ns)
{
    bool is_new;
    *place_of(fb, ssrc, &is_new) = (struct vox_feedback_question){
        .ssrc = ssrc, .time = vox_ntp_middle(ntp), .arrival_ns = arrival_ns, .is_open = true};
    int64_t spaced_ns = fb->reported_ns + FIRST_ANSWER_NS;
    int64_t at_ns = arrival_ns > spaced_ns ? arrival_ns : spaced_ns;
    if (is_new && fb->deadline_ns != VOX_NS_NEVER && at_ns < fb->deadline_ns)
        fb->deadline_ns = at_ns;
    return VOX_FEEDBACK_TIME;
}

static int read_loss(struct vox_feedback *fb, uint32_t reporter,
                     const struct vox_rtcp_xr_loss *loss, int64_t arrival_ns)
{
    struct vox_fates_count count;
    if (loss->ssrc != fb->ssrc || fb->packets == 0 ||
        !vox_fates_take(&fb->fates, reporter, loss, vox_feedback_newest_seq(fb), arrival_ns))
        return 0;
    vox_fates_count(&fb->fates, 0, &count);
    fb->view.burst_packets = count.bursts > 0 ? (double)count.lost / count.bursts : 0;
    return VOX_FEEDBACK_FATES;
}

/* Returns news, or an error where nothing of it was of use. */
static int read_extended(struct vox_feedback *fb, const struct vox_rtcp *packet, int64_t arrival_ns)
{
    struct vox_rtcp_xr_reader reader;
    struct vox_rtcp_xr block;
    int news = 0;
    int err = vox_rtcp_xr_begin(&reader, packet);
    if (err < 0)
        return err;
    for (int got; (got = vox_rtcp_xr_next(&reader, &block)) != 0;) {
        if (got == VOX_EFORMAT)
            err = got;
        else if (got > 0 && block.type == VOX_RTCP_XR_REFERENCE_TIME)
            news |= read_question(fb, reader.ssrc, block.as.reference_ntp, arrival_ns);
        else if (got > 0 && block.type == VOX_RTCP_XR_LOSS)
            news |= read_loss(fb, reader.ssrc, &block.as.loss, arrival_ns);
    }
    return news != 0 ? news : err;
}

static int read_bye(const struct vox_feedback *fb, const struct vox_rtcp_bye *bye)
{
    for (int i = 0; i < bye->ssrc_count; i++)
        if (knows_peer(fb, bye->ssrcs[i]))
            return VOX_FEEDBACK_BYE;
    return 0;
}

static int read_packet(struct vox_feedback *fb, const struct vox_rtcp *packet, int64_t arrival_ns)
{
    switch (packet->type) {
    case VOX_RTCP_SR:
    case VOX_RTCP_RR:
        return read_report(fb, &packet->as.report, arrival_ns);
    case VOX_RTCP_BYE:
        return read_bye(fb, &packet->as.bye);
    case VOX_RTCP_XR:
        return read_extended(fb, packet, arrival_ns);
    }
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
        int got = n < 0 ? n : read_packet(fb, &packet, arrival_ns);
        if (got < 0)
            err = got;
        else
            news |= got;
    }
    return news != 0 ? news : err;
}
