/* Retransmission through both engines and networks that lose both ways. */
#include "lab/sim.h"

#include "base/time.h"
#include "receiver/missing.h"
#include "receiver/stream.h"

enum { SECONDS = 8, FRAMES = SECONDS * 48000, PACKETS = SECONDS * 50 };

static float voice[FRAMES];
static struct vox_sim_result result;

struct ear {
    float pcm[FRAMES];
    int64_t frames;
    bool lost[PACKETS];
    size_t sent, lost_count;
    size_t recovered, wrong;
    int64_t media_ns; /* of the last arrival */
};

static struct ear clean, heard;

static void hear(void *ctx, struct vox_receiver *receiver, const float *pcm, int frames, int valid,
                 bool was_idle, int64_t playout_ns)
{
    struct ear *ear = ctx;
    (void)receiver;
    (void)frames;
    (void)was_idle;
    (void)playout_ns;
    for (int i = 0; i < valid && ear->frames < FRAMES; i++)
        ear->pcm[ear->frames++] = pcm[i];
}

static void note_sent(void *ctx, const struct vox_sim_sent *sent)
{
    struct ear *ear = ctx;
    if (ear->sent < PACKETS)
        ear->lost[ear->sent] = sent->fate.copies == 0;
    ear->sent++;
    ear->lost_count += sent->fate.copies == 0;
}

static void note_event(void *ctx, const struct vox_event *event)
{
    struct ear *ear = ctx;
    if (event->kind != VOX_EVENT_RECOVERED || event->carrier != VOX_CARRIER_RTX)
        return;
    ear->recovered++;
    ear->wrong += event->value < 0 || event->value >= PACKETS || !ear->lost[event->value];
}

/* RTT 4 ms. */
static struct vox_impair_config lan(double loss, uint64_t seed)
{
    struct vox_impair_config network;
    vox_impair_config_init(&network);
    network.loss = loss;
    network.delay_ns = 2 * VOX_NS_PER_MS;
    network.seed = seed;
    return network;
}

static const struct vox_source_stats *run(double loss, uint64_t seed, int delay_ms, bool rtx,
                                          struct ear *ear)
{
    static struct vox_sim_config config;
    struct vox_impair_config there = lan(loss, seed), back = lan(loss, seed + 1000);
    vox_sim_config_init(&config);
    memset(ear, 0, sizeof *ear);
    struct vox_talker_config *talker = &config.senders[0].talker;
    vox_sender_config_init(&talker->engine, VOX_PROFILE_VOICE);
    talker->engine.ssrc = 1;
    talker->engine.rtx = rtx;
    talker->engine.rtx_ssrc = 2;
    talker->pcm = voice;
    talker->pcm_frames = FRAMES;
    talker->frames = FRAMES;
    talker->start_ns = VOX_NS_PER_S;
    config.senders[0].there = &there;
    config.senders[0].back = &back;
    config.sender_count = 1;
    config.receiver.delay_ns = delay_ms * VOX_NS_PER_MS;
    config.receiver.output_channels = 1;
    config.receiver.rtx = rtx;
    config.observer = (struct vox_sim_observer){
        .on_sent = note_sent, .on_pcm = hear, .on_event = note_event, .ctx = ear};
    assert_int_equal(vox_sim_run(&config, &result), 0);
    assert_int_equal(result.receiver.source_count, 1);
    return &result.receiver.sources[0];
}

static int setup(void **state)
{
    (void)state;
    fill_speech(voice, FRAMES);
    return 0;
}

static size_t lost_at_the_ends(const struct ear *ear)
{
    size_t first = 0, last = 0;
    while (first < PACKETS && ear->lost[first])
        first++;
    while (last < PACKETS && ear->lost[PACKETS - 1 - last])
        last++;
    return first + last;
}

/* Where all of them came in time, each sample is what it would have been. */
static void a_recovered_frame_is_the_frame(void **state)
{
    (void)state;
    int complete = 0;
    run(0, 1, 150, false, &clean);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const struct vox_source_stats *s = run(0.1, seed, 150, true, &heard);
        /* of the first and the last one a receiver does not know */
        size_t ends = lost_at_the_ends(&heard);
        assert_in_range(s->packets.lost, heard.lost_count - ends, heard.lost_count);
        assert_int_equal(s->frames.from_rtx, heard.recovered);
        assert_int_equal(heard.wrong, 0);
        if (ends > 0 || s->concealed_ns > 0)
            continue;
        complete++;
        assert_int_equal(heard.recovered, heard.lost_count);
        assert_int_equal(heard.frames, clean.frames);
        assert_memory_equal(heard.pcm, clean.pcm, (size_t)clean.frames * sizeof *clean.pcm);
    }
    print_message("%d of 12 complete\n", complete);
    assert_true(complete >= 6);
}

/* Two packets of delay leave time for more than one try, though as many requests are lost. */
static void most_come_back_within_two_packets_of_delay(void **state)
{
    static const struct {
        double loss, least_share;
    } rows[] = {{0.1, 0.95}, {0.2, 0.92}, {0.3, 0.80}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t lost = 0, recovered = 0;
        for (uint64_t seed = 1; seed <= 4; seed++) {
            const struct vox_source_stats *s = run(rows[i].loss, seed, 40, true, &heard);
            lost += heard.lost_count;
            recovered += heard.recovered;
            const struct vox_sender_stats *sender = &result.senders[0];
            assert_int_equal(sender->rtx_asked, sender->rtx_packets + sender->rtx_refused);
            assert_true(sender->rtx_packets <= PACKETS / 2 + 10);
            assert_true(s->retransmission.asked <= heard.lost_count + 5);
            assert_true(s->retransmission.vain_guesses <= 3);
        }
        print_message("%g %% lost: %zu of %zu recovered\n", 100 * rows[i].loss, recovered, lost);
        assert_true((double)recovered >= rows[i].least_share * (double)lost);
    }
}

static void the_network_treats_the_media_alike_with_and_without(void **state)
{
    (void)state;
    run(0.2, 5, 40, false, &clean);
    double reported = result.senders[0].reported_loss_pct;
    run(0.2, 5, 40, true, &heard);
    assert_int_equal(heard.sent, clean.sent);
    assert_memory_equal(heard.lost, clean.lost, sizeof clean.lost);
    assert_int_equal(clean.recovered, 0);
    assert_true(result.senders[0].reported_loss_pct > 5 && reported > 5); /* of originals */
}

static void without_loss_nothing_is_asked_for(void **state)
{
    (void)state;
    const struct vox_source_stats *s = run(0, 1, 40, true, &heard);
    assert_true(s->retransmission.asked <= VOX_MISSING_AHEAD); /* behind the last packet */
    assert_int_equal(result.senders[0].rtx_packets, 0);
    assert_int_equal(s->frames.from_rtx, 0);
}

RUN_AFTER(setup, cmocka_unit_test(a_recovered_frame_is_the_frame),
          cmocka_unit_test(most_come_back_within_two_packets_of_delay),
          cmocka_unit_test(the_network_treats_the_media_alike_with_and_without),
          cmocka_unit_test(without_loss_nothing_is_asked_for))
