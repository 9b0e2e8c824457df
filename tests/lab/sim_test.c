#include "lab/sim.h"

#include "base/time.h"
#include "lab/voice.h"

enum { SECONDS = 10 };

static struct vox_sim_result result;

/* What was heard, as a number: any other sample, time or length changes it. */
struct ear {
    uint64_t hash;
    int64_t frames;
    size_t sent, lost;
    size_t glitches[VOX_GLITCH_CAUSES];
    int64_t glitch_ns[VOX_GLITCH_CAUSES];
    int64_t last_played_ns;
    double least_delay_ms, most_delay_ms;
};

static void mix_in(struct ear *ear, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        ear->hash = (ear->hash ^ p[i]) * UINT64_C(0x100000001b3);
}

static void hear(void *ctx, struct vox_receiver *receiver, const float *pcm, int frames, int valid,
                 bool was_idle, int64_t playout_ns)
{
    struct ear *ear = ctx;
    (void)receiver;
    (void)was_idle;
    assert_in_range(valid, 0, frames);
    mix_in(ear, pcm, (size_t)frames * 2 * sizeof *pcm);
    mix_in(ear, &playout_ns, sizeof playout_ns);
    ear->frames += valid;
}

static void note_sent(void *ctx, const struct vox_sim_sent *sent)
{
    struct ear *ear = ctx;
    ear->sent++;
    ear->lost += sent->fate.copies == 0;
}

static void note_event(void *ctx, const struct vox_event *event)
{
    struct ear *ear = ctx;
    if (event->kind != VOX_EVENT_GLITCH)
        return;
    ear->glitches[event->cause]++;
    ear->glitch_ns[event->cause] += event->duration_ns;
}

static void note_played(void *ctx, const struct vox_played_packet *packet)
{
    struct ear *ear = ctx;
    assert_true(packet->playout_ns >= packet->arrival_ns);
    ear->last_played_ns = packet->playout_ns;
}

/* One sender of SECONDS s of voice by a perfect network into a file. */
static struct vox_sim_config one_sender(struct ear *ear)
{
    static struct vox_sim_config config;
    vox_sim_config_init(&config);
    *ear = (struct ear){.hash = UINT64_C(0xcbf29ce484222325)};
    voice_talker(VOX_PROFILE_MUSIC, SECONDS, &config.senders[0].talker);
    config.sender_count = 1;
    config.observer = (struct vox_sim_observer){.on_sent = note_sent,
                                                .on_pcm = hear,
                                                .on_event = note_event,
                                                .on_played = note_played,
                                                .ctx = ear};
    return config;
}

static struct vox_impair_config bad_network(void)
{
    struct vox_impair_config network;
    vox_impair_config_init(&network);
    network.loss = 0.08;
    network.burst_packets = 2;
    network.delay_ns = 30 * VOX_NS_PER_MS;
    network.jitter_ns = 20 * VOX_NS_PER_MS;
    network.reorder = 0.02;
    network.duplicate = 0.02;
    network.seed = 3;
    return network;
}

static const struct vox_source_stats *run(const struct vox_sim_config *config)
{
    assert_int_equal(vox_sim_run(config, &result), 0);
    assert_true(result.receiver.source_count > 0);
    return &result.receiver.sources[0];
}

static void what_is_sent_is_heard(void **state)
{
    (void)state;
    struct ear ear;
    struct vox_sim_config config = one_sender(&ear);
    config.receiver.delay_ns = 60 * VOX_NS_PER_MS;
    const struct vox_source_stats *s = run(&config);
    assert_int_equal(ear.sent, SECONDS * 50);
    assert_int_equal(s->packets.received, ear.sent);
    assert_int_equal(s->frames.played, ear.sent);
    assert_int_equal(s->concealed_ns, 0);
    assert_int_equal(ear.frames, SECONDS * 48000);
    /* 20 ms to fill a frame, 60 ms of delay, and the encoder's 6.5 ms */
    assert_in_range(s->delay.total.p50_ns, 86 * VOX_NS_PER_MS, 87 * VOX_NS_PER_MS);
    assert_true(s->total_is_absolute);
    assert_in_range(result.end_ns, 11 * VOX_NS_PER_S, 12 * VOX_NS_PER_S);
}

static void the_same_seed_gives_the_same_sound(void **state)
{
    (void)state;
    struct vox_impair_config network = bad_network();
    uint64_t hashes[3];
    for (uint64_t i = 0; i < COUNT(hashes); i++) {
        struct ear ear;
        struct vox_sim_config config = one_sender(&ear);
        network.seed = i == 2 ? 4 : 3;
        config.senders[0].there = &network;
        config.senders[0].back = &network;
        const struct vox_source_stats *s = run(&config);
        assert_int_equal(s->packets.lost, ear.lost);
        assert_in_range(ear.lost, SECONDS * 50 / 25, SECONDS * 50 / 6);
        hashes[i] = ear.hash;
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

static void a_tape_says_what_its_talker_said(void **state)
{
    (void)state;
    struct vox_impair_config network = bad_network();
    struct ear live, taped;
    struct vox_tape *tape;
    struct vox_sim_config config = one_sender(&live);
    config.senders[0].there = &network;
    run(&config);
    config = one_sender(&taped);
    config.senders[0].there = &network;
    assert_int_equal(vox_tape_record(&config.senders[0].talker, &tape), 0);
    config.senders[0].talker = (struct vox_talker_config){.tape = tape};
    run(&config);
    assert_int_equal(live.sent, taped.sent);
    assert_int_equal(live.lost, taped.lost);
    assert_true(live.hash == taped.hash);
    vox_tape_destroy(tape);
}

static void reports_find_their_way_back(void **state)
{
    (void)state;
    struct ear ear;
    struct vox_impair_config there, back;
    struct vox_sim_config config = one_sender(&ear);
    vox_impair_config_init(&there);
    vox_impair_config_init(&back);
    there.delay_ns = 30 * VOX_NS_PER_MS;
    back.delay_ns = 50 * VOX_NS_PER_MS;
    back.loss = 0.3;
    config.senders[0].there = &there;
    config.senders[0].back = &back;
    run(&config);
    assert_true(result.senders[0].reports > 3);
    assert_true(result.back_lost > 0);
    assert_int_equal(result.senders[0].rtcp_received, result.back_sent - result.back_lost);
    assert_in_range(result.senders[0].rtt_ns, 79 * VOX_NS_PER_MS, 81 * VOX_NS_PER_MS);
}

static void a_microphone_that_stalls_makes_a_sender_gap(void **state)
{
    (void)state;
    static const struct vox_lab_stall stall = {.at_ns = 4 * VOX_NS_PER_S,
                                               .length_ns = 300 * VOX_NS_PER_MS};
    struct ear ear;
    struct vox_sim_config config = one_sender(&ear);
    struct vox_lab_device_config *card = &config.senders[0].talker.card;
    card->block_frames = 480;
    card->ppm = 80;
    card->stalls = &stall;
    card->stall_count = 1;
    const struct vox_source_stats *s = run(&config);
    assert_int_equal(s->packets.lost, 0);
    assert_int_equal(result.senders[0].capture_gaps, 1);
    assert_in_range(result.senders[0].capture_gap_ns, 295 * VOX_NS_PER_MS, 310 * VOX_NS_PER_MS);
    assert_int_equal(ear.glitches[VOX_GLITCH_LOST], 0);
}

static void a_speaker_has_its_own_clock_and_its_stalls_are_told(void **state)
{
    (void)state;
    static const struct vox_lab_stall stall = {.at_ns = 5 * VOX_NS_PER_S,
                                               .length_ns = 100 * VOX_NS_PER_MS};
    struct ear ear;
    struct vox_sim_config config = one_sender(&ear);
    config.speaker = (struct vox_lab_device_config){.block_frames = 128,
                                                    .ppm = -150,
                                                    .latency_ns = 5 * VOX_NS_PER_MS,
                                                    .stalls = &stall,
                                                    .stall_count = 1};
    run(&config);
    assert_int_equal(ear.glitches[VOX_GLITCH_UNDERRUN], 1);
    assert_in_range(ear.glitch_ns[VOX_GLITCH_UNDERRUN], 97 * VOX_NS_PER_MS, 100 * VOX_NS_PER_MS);
    assert_int_equal(result.receiver.underruns, 1);
    assert_int_equal(ear.glitches[VOX_GLITCH_LATE], 0);
}

static void several_senders_are_mixed(void **state)
{
    (void)state;
    struct ear ear;
    struct vox_impair_config networks[3];
    struct vox_sim_config config = one_sender(&ear);
    config.sender_count = 3;
    for (int i = 0; i < 3; i++) {
        networks[i] = bad_network();
        networks[i].seed = (uint64_t)i;
        config.senders[i].talker = config.senders[0].talker;
        config.senders[i].talker.engine.ssrc = 100 + (uint32_t)i;
        config.senders[i].talker.start_ns += i * 1234567;
        config.senders[i].there = &networks[i];
    }
    run(&config);
    assert_int_equal(result.receiver.source_count, 3);
    uint64_t lost = 0;
    for (int i = 0; i < 3; i++)
        lost += result.receiver.sources[i].packets.lost;
    /* the last ones of a stream, if lost, are missed by nobody */
    assert_in_range(lost, ear.lost - 9, ear.lost);
    assert_int_equal(ear.sent, 3 * SECONDS * 50);
}

static void an_end_is_an_end(void **state)
{
    (void)state;
    struct ear ear;
    struct vox_sim_config config = one_sender(&ear);
    config.end_ns = 3 * VOX_NS_PER_S;
    run(&config);
    assert_true(result.end_ns < config.end_ns);
    assert_in_range(ear.sent, 99, 101);
    config.sender_count = 0;
    assert_true(vox_sim_run(&config, &result) < 0);
}

RUN_AFTER(make_voice, cmocka_unit_test(what_is_sent_is_heard),
          cmocka_unit_test(the_same_seed_gives_the_same_sound),
          cmocka_unit_test(a_tape_says_what_its_talker_said),
          cmocka_unit_test(reports_find_their_way_back),
          cmocka_unit_test(a_microphone_that_stalls_makes_a_sender_gap),
          cmocka_unit_test(a_speaker_has_its_own_clock_and_its_stalls_are_told),
          cmocka_unit_test(several_senders_are_mixed), cmocka_unit_test(an_end_is_an_end))
