/* Extended reports between a sender and a receiver: what they tell, how soon, and what they cost.
 */
#include "stream.h"

#include "base/rng.h"
#include "base/rt.h"
#include "wire/rtcp.h"
#include "wire/rtcp_xr.h"

#include <string.h>

enum {
    TICKS = 960,
    BLOCK = 480,
    IP_UDP_BYTES = 28,
    MAX_REPORTS = 4000,
    MAX_PACKETS = 20000,
};

#define ONE_WAY_NS (20 * VOX_NS_PER_MS)
#define BACK_NS (30 * VOX_NS_PER_MS)

/* What a report of the receiver said of the stream. */
struct told {
    int64_t t_ns; /* since the start */
    uint16_t highest_seq;
    double fraction_lost; /* of the interval */
    struct vox_rtcp_xr_loss loss;
};

/* A sender and a receiver, with a network that loses what the test wants. */
struct link {
    struct vox_sender *sender;
    double loss_pct; /* before step_ns */
    double step_pct; /* from then on */
    double burst;    /* mean; 0: independent */
    int64_t step_ns;
    bool in_burst;
    struct vox_rng rng;
    uint64_t media_bytes, sender_bytes, receiver_bytes; /* on the wire, with headers */
    int64_t first_answer_ns;                            /* since the start; 0: none yet */
    int packets;
    bool lost[MAX_PACKETS];
    int reports;
    struct told told[MAX_REPORTS];
    struct stream_packet back; /* on its way to the sender; len 0: none */
};

static struct player player;
static struct link link_state;

static int setup(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    player_config(&config);
    player_init(&player, &config, 0);
    memset(&link_state, 0, sizeof link_state);
    vox_rng_init(&link_state.rng, 5, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vox_sender_destroy(link_state.sender);
    player_free(&player);
    return 0;
}

/* Gilbert's model: a burst ends with probability 1 / mean; 1: one after the other by chance. */
static bool loses(struct link *link, int64_t t_ns)
{
    double p = (t_ns >= link->step_ns ? link->step_pct : link->loss_pct) / 100;
    double u = vox_rng_uniform(&link->rng);
    if (link->burst <= 0)
        return u < p;
    double out = 1 / link->burst;
    double in = p * out / (1 - p);
    link->in_burst = link->in_burst ? u >= out : u < in;
    return link->in_burst;
}

static void read_answers(struct link *link, const struct vox_datagram *datagram)
{
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    struct vox_rtcp_xr_reader blocks;
    struct vox_rtcp_xr block;
    assert_true(vox_rtcp_begin(&reader, datagram->bytes, datagram->len) >= 0);
    while (vox_rtcp_next(&reader, &packet) > 0)
        if (packet.type == VOX_RTCP_XR) {
            assert_int_equal(vox_rtcp_xr_begin(&blocks, &packet), 0);
            assert_int_equal(vox_rtcp_xr_next(&blocks, &block), 1);
            assert_int_equal(block.type, VOX_RTCP_XR_DELAYS);
            assert_int_equal(block.as.delays.count, 1);
            assert_int_equal(block.as.delays.of[0].ssrc, 0x99887766);
            if (link->first_answer_ns == 0)
                link->first_answer_ns = datagram->send_ns - STREAM_START_NS;
        }
}

static void deliver(void *ctx, const struct vox_datagram *datagram)
{
    struct link *link = ctx;
    if (datagram->kind == VOX_DATAGRAM_RTP) {
        link->media_bytes += datagram->len + IP_UDP_BYTES;
        bool lost = loses(link, datagram->send_ns - STREAM_START_NS);
        link->lost[link->packets++] = lost;
        if (lost)
            return;
    } else {
        link->sender_bytes += datagram->len + IP_UDP_BYTES;
        read_answers(link, datagram);
    }
    player_push_bytes(&player, datagram->bytes, datagram->len, datagram->send_ns + ONE_WAY_NS,
                      STREAM_PATH);
}

static void read_told(const struct stream_packet *rtcp, struct told *told)
{
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    struct vox_rtcp_xr_reader blocks;
    struct vox_rtcp_xr block;
    told->t_ns = rtcp->send_ns - STREAM_START_NS;
    assert_true(vox_rtcp_begin(&reader, rtcp->bytes, rtcp->len) >= 0);
    while (vox_rtcp_next(&reader, &packet) > 0) {
        if (packet.type == VOX_RTCP_RR) {
            assert_int_equal(packet.as.report.block_count, 1);
            told->highest_seq = (uint16_t)packet.as.report.blocks[0].highest_seq;
            told->fraction_lost = packet.as.report.blocks[0].fraction_lost / 256.0;
        }
        if (packet.type != VOX_RTCP_XR)
            continue;
        assert_int_equal(vox_rtcp_xr_begin(&blocks, &packet), 0);
        while (vox_rtcp_xr_next(&blocks, &block) > 0)
            if (block.type == VOX_RTCP_XR_LOSS)
                told->loss = block.as.loss;
    }
}

static void take_report(struct link *link)
{
    const struct stream_packet *rtcp = &player.rtcp;
    link->receiver_bytes += rtcp->len + IP_UDP_BYTES;
    assert_in_range(link->reports, 0, MAX_REPORTS - 1);
    read_told(rtcp, &link->told[link->reports++]);
    assert_int_equal(link->back.len, 0);
    link->back = *rtcp;
}

static void bring_back(struct link *link, int64_t now_ns)
{
    int64_t arrival_ns = link->back.send_ns + BACK_NS;
    if (link->back.len == 0 || arrival_ns > now_ns)
        return;
    assert_int_equal(vox_sender_feed(link->sender, link->back.bytes, link->back.len, arrival_ns),
                     1);
    link->back.len = 0;
}

static void run(struct link *link, double seconds)
{
    static float pcm[BLOCK * 400];
    struct vox_sender_config config;
    stream_config(&config, VOX_PROFILE_VOICE, TICKS, 1);
    config.wall_offset_ns = INT64_C(1700000000) * VOX_NS_PER_S;
    config.on_datagram = deliver;
    config.ctx = link;
    fill_speech(pcm, COUNT(pcm));
    assert_int_equal(vox_sender_create(&config, &link->sender), 0);
    for (int i = 0; i < (int)(seconds * 100); i++) {
        int64_t t_ns = STREAM_START_NS + i * vox_rtp_to_ns(BLOCK);
        size_t before = player.rtcp_count;
        assert_int_equal(vox_sender_push(link->sender, pcm + i % 400 * BLOCK, BLOCK, t_ns), 0);
        bring_back(link, t_ns + vox_rtp_to_ns(BLOCK));
        vox_sender_tick(link->sender, t_ns + vox_rtp_to_ns(BLOCK));
        assert_in_range(player.rtcp_count, before, before + 1);
        if (player.rtcp_count > before)
            take_report(link);
    }
}

/* ---- what is told ---- */

static void the_fates_are_those_of_the_network(void **state)
{
    (void)state;
    struct link *link = &link_state;
    link->loss_pct = link->step_pct = 10;
    link->burst = 2;
    run(link, 20);
    for (int r = 0; r < link->reports; r++) {
        const struct told *told = &link->told[r];
        int last = (uint16_t)(told->highest_seq - STREAM_FIRST_SEQ);
        int first = (uint16_t)(told->loss.begin_seq - STREAM_FIRST_SEQ);
        assert_int_equal(first + told->loss.count - 1, last);
        assert_true(told->loss.count == 100 || first < 3);
        for (int i = first; i <= last; i++)
            if (vox_rtcp_xr_loss_came(&told->loss, (size_t)(i - first)) == link->lost[i])
                fail_msg("report %d, packet %d", r, i);
        int before = r > 0 ? (uint16_t)(link->told[r - 1].highest_seq - STREAM_FIRST_SEQ) : last;
        assert_true(first <= before); /* reports overlap */
    }
}

/* Reordering is no loss: what a report calls lost, the next one corrects. */
static void a_late_packet_is_corrected(void **state)
{
    (void)state;
    struct stream voice;
    struct told told = {0};
    stream_voice(VOX_PROFILE_VOICE, TICKS, 4000, &voice);
    int64_t late_ns = 600 * VOX_NS_PER_MS;
    for (size_t i = 0; i < 150; i++) {
        const struct stream_packet *packet = &voice.packets[i];
        if (i != 50)
            player_push(&player, packet, packet->send_ns);
        if (i == 50 + 30)
            player_push(&player, &voice.packets[50], voice.packets[50].send_ns + late_ns);
        if (player.rtcp_count == 0)
            continue;
        read_told(&player.rtcp, &told);
        int at = (uint16_t)(STREAM_FIRST_SEQ + 50 - told.loss.begin_seq);
        if (at < told.loss.count)
            assert_int_equal(vox_rtcp_xr_loss_came(&told.loss, (size_t)at),
                             told.t_ns + STREAM_START_NS >= voice.packets[50].send_ns + late_ns);
    }
    assert_true(player.rtcp_count >= 3);
    stream_free(&voice);
}

static void after_a_jump_numbers_are_those_of_the_wire(void **state)
{
    (void)state;
    struct stream voice;
    struct told told = {0};
    stream_voice(VOX_PROFILE_VOICE, TICKS, 4000, &voice);
    for (size_t i = 0; i < voice.count; i++) {
        struct stream_packet packet = voice.packets[i];
        if (i >= 100)
            packet_set_seq(&packet, (uint16_t)(40000 + i));
        if (i != 110)
            player_push(&player, &packet, packet.send_ns);
    }
    read_told(&player.rtcp, &told);
    int last = (uint16_t)(told.highest_seq - 40000);
    assert_in_range(last, 140, 199);
    assert_true(told.loss.begin_seq >= 40101); /* the first is what told of the jump */
    assert_int_equal((uint16_t)(told.loss.begin_seq + told.loss.count - 1), told.highest_seq);
    for (size_t i = 0; i < told.loss.count; i++)
        assert_int_equal(vox_rtcp_xr_loss_came(&told.loss, i), told.loss.begin_seq + i != 40110);
    stream_free(&voice);
}

/* ---- round trip ---- */

static void the_round_trip_is_known_soon(void **state)
{
    (void)state;
    struct link *link = &link_state;
    run(link, 0.05);
    assert_int_equal(player_source(&player)->rtt_ns, -1);
    teardown(NULL);
    setup(NULL);
    run(link, 3);
    int64_t asked_ns = link->told[0].t_ns;
    print_message("asked after %.0f ms, answered after %.0f ms\n", (double)asked_ns / 1e6,
                  (double)link->first_answer_ns / 1e6);
    assert_true(asked_ns < 700 * VOX_NS_PER_MS);
    assert_true(link->first_answer_ns > asked_ns);
    assert_true(link->first_answer_ns - asked_ns < 200 * VOX_NS_PER_MS);
    int64_t off_ns = player_source(&player)->rtt_ns - (ONE_WAY_NS + BACK_NS);
    assert_true(llabs(off_ns) < VOX_NS_PER_MS / 10);
}

/* ---- when, and at what cost ---- */

static double kbps(uint64_t bytes, double seconds)
{
    return (double)bytes * 8e-3 / seconds;
}

static double share_of_rtcp(const struct link *link, double seconds)
{
    uint64_t rtcp = link->sender_bytes + link->receiver_bytes;
    print_message("media %.1f kbit/s, RTCP there %.2f, back %.2f: %.2f %%; %d reports in %.0f s\n",
                  kbps(link->media_bytes, seconds), kbps(link->sender_bytes, seconds),
                  kbps(link->receiver_bytes, seconds),
                  100.0 * (double)rtcp / (double)link->media_bytes, link->reports, seconds);
    return (double)rtcp / (double)link->media_bytes;
}

static void rtcp_stays_within_five_per_cent(void **state)
{
    (void)state;
    static const struct {
        double loss_pct, burst;
    } rows[] = {{0, 0}, {1, 0}, {5, 0}, {20, 0}, {20, 3}, {1, 10}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        teardown(NULL);
        setup(NULL);
        link_state.loss_pct = link_state.step_pct = rows[i].loss_pct;
        link_state.burst = rows[i].burst;
        print_message("loss %.0f %% in bursts of %.0f: ", rows[i].loss_pct, rows[i].burst);
        run(&link_state, 120);
        assert_true(share_of_rtcp(&link_state, 120) < 0.05);
    }
}

/* The n-th packet lost from then on; -1: so many were not lost. */
static int nth_lost(const struct link *link, int from, int n)
{
    for (int i = from; i < link->packets; i++)
        if (link->lost[i] && --n == 0)
            return i;
    return -1;
}

/* When, since the start, a report first told of this packet. */
static int64_t told_of(const struct link *link, int packet)
{
    for (int r = 0; r < link->reports; r++)
        if ((uint16_t)(link->told[r].highest_seq - STREAM_FIRST_SEQ) >= packet)
            return link->told[r].t_ns;
    return INT64_MAX;
}

/* From a clean path, and from one that loses some all the time: how long until three are told of.
 */
static void a_step_of_loss_is_told_well_within_a_second(void **state)
{
    (void)state;
    static const double from_pct[] = {0, 1, 3};
    enum { SEEDS = 50, ENOUGH = 3 };
    for (size_t k = 0; k < COUNT(from_pct); k++) {
        double worst_ms = 0, sum_ms = 0, slowest_ms = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            teardown(NULL);
            setup(NULL);
            struct link *link = &link_state;
            vox_rng_init(&link->rng, seed, 0);
            link->loss_pct = from_pct[k];
            link->step_pct = 20;
            link->step_ns = 6 * VOX_NS_PER_S + (int64_t)seed * 25 * VOX_NS_PER_MS;
            run(link, 11);
            int packet = nth_lost(link, (int)(link->step_ns / vox_rtp_to_ns(TICKS)), ENOUGH);
            assert_true(packet > 0);
            int64_t told_ns = told_of(link, packet);
            double waited_ms = (double)(told_ns - packet * vox_rtp_to_ns(TICKS)) / 1e6;
            double since_ms = (double)(told_ns - link->step_ns) / 1e6;
            worst_ms = waited_ms > worst_ms ? waited_ms : worst_ms;
            slowest_ms = since_ms > slowest_ms ? since_ms : slowest_ms;
            sum_ms += since_ms / SEEDS;
        }
        print_message("from %.0f %%: three are told of %.0f ms after the step, at most %.0f; "
                      "%.0f ms at most after the third was sent\n",
                      from_pct[k], sum_ms, slowest_ms, worst_ms);
        assert_true(worst_ms < 800);
    }
}

static void no_two_reports_are_closer_than_a_quarter_second(void **state)
{
    (void)state;
    struct link *link = &link_state;
    link->loss_pct = 3;
    link->step_pct = 40;
    link->burst = 3;
    link->step_ns = 20 * VOX_NS_PER_S;
    run(link, 60);
    for (int r = 1; r < link->reports; r++)
        assert_true(link->told[r].t_ns - link->told[r - 1].t_ns >= 250 * VOX_NS_PER_MS);
}

/* After an outage one report tells of it all; no more are sent than usual. */
static void an_outage_makes_no_storm(void **state)
{
    (void)state;
    struct stream voice;
    stream_voice(VOX_PROFILE_VOICE, TICKS, 2000, &voice);
    for (size_t i = 0; i < 400; i++) {
        struct stream_packet packet = stream_at(&voice, i);
        if (i < 100 || i >= 250)
            player_push(&player, &packet, packet.send_ns);
        if (i == 250)
            player.rtcp_count = 0;
    }
    print_message("%zu reports in 3 s after it\n", player.rtcp_count);
    assert_in_range(player.rtcp_count, 2, 8);
    stream_free(&voice);
}

/* ---- many sources ---- */

struct crowd {
    int blocks[64];
    size_t largest;
    uint64_t reports;
};

static void read_crowd(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct crowd *crowd = ctx;
    struct vox_rtcp_reader reader;
    struct vox_rtcp packet;
    struct vox_rtcp_xr_reader blocks;
    struct vox_rtcp_xr block;
    assert_int_equal(path, 0);
    crowd->reports++;
    crowd->largest = len > crowd->largest ? len : crowd->largest;
    assert_true(vox_rtcp_begin(&reader, bytes, len) >= 0);
    for (int got; (got = vox_rtcp_next(&reader, &packet)) != 0;) {
        assert_int_equal(got, 1);
        if (packet.type != VOX_RTCP_XR)
            continue;
        assert_int_equal(vox_rtcp_xr_begin(&blocks, &packet), 0);
        while (vox_rtcp_xr_next(&blocks, &block) > 0)
            if (block.type == VOX_RTCP_XR_LOSS)
                crowd->blocks[block.as.loss.ssrc - 1]++;
    }
}

/* 64 sources on one path, all with holes: reports fit, and each source has its turn. */
static void many_sources_take_turns(void **state)
{
    (void)state;
    static struct crowd crowd;
    static char longest[VOX_RTCP_MAX_TEXT + 1];
    struct stream voice;
    struct vox_receiver *receiver;
    struct vox_receiver_config config;
    player_config(&config);
    memset(longest, 'x', sizeof longest - 1);
    config.cname = longest;
    config.max_sources = VOX_RECEIVER_MAX_SOURCES;
    config.on_rtcp = read_crowd;
    config.ctx = &crowd;
    stream_voice(VOX_PROFILE_VOICE, TICKS, 2000, &voice);
    assert_int_equal(vox_receiver_create(&config, &receiver), 0);
    for (size_t i = 0; i < 1500; i++)
        for (uint32_t ssrc = 1; ssrc <= VOX_RECEIVER_MAX_SOURCES; ssrc++) {
            struct stream_packet packet = stream_at(&voice, i);
            packet_set_ssrc(&packet, ssrc);
            if ((i + ssrc) % 3 == 0)
                continue;
            vox_rt_enter();
            vox_receiver_push(receiver, packet.bytes, packet.len, packet.send_ns, 0);
            if (packet.send_ns >= vox_receiver_next_deadline_ns(receiver))
                vox_receiver_tick(receiver, packet.send_ns);
            vox_rt_leave();
        }
    vox_receiver_finish(receiver, voice.end_ns);
    int least = 1000;
    for (int i = 0; i < VOX_RECEIVER_MAX_SOURCES; i++)
        least = crowd.blocks[i] < least ? crowd.blocks[i] : least;
    print_message("%llu reports, at most %zu bytes; each source told of at least %d times\n",
                  (unsigned long long)crowd.reports, crowd.largest, least);
    assert_true(crowd.largest <= VOX_RTCP_MAX_BYTES);
    assert_in_range(crowd.reports, 25, 60);
    assert_true(least >= 5);
    vox_receiver_destroy(receiver);
    stream_free(&voice);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

RUN(TEST(the_fates_are_those_of_the_network), TEST(a_late_packet_is_corrected),
    TEST(after_a_jump_numbers_are_those_of_the_wire), TEST(the_round_trip_is_known_soon),
    TEST(rtcp_stays_within_five_per_cent), TEST(a_step_of_loss_is_told_well_within_a_second),
    TEST(no_two_reports_are_closer_than_a_quarter_second), TEST(an_outage_makes_no_storm),
    TEST(many_sources_take_turns))
