/* Several senders at one receiver, each with other protection and a network of its own. */
#include "lab/sim.h"

#include "base/time.h"
#include "receiver/stream.h"

enum { SECONDS = 8, FRAMES = SECONDS * 48000, PACKETS = SECONDS * 50, MANY = 20, MANY_SECONDS = 4 };

enum kind { PLAIN, FEC, COPIES, REPEATS, MORE_REPEATS, ADAPTED, KINDS };

static float voice[FRAMES];
static struct vox_sim_result together, alone;

/* What happened to each sender's packets, and what the receiver said of them. */
struct witness {
    uint32_t first_ssrc;
    size_t sent[VOX_SIM_MAX_SENDERS];
    bool lost[VOX_SIM_MAX_SENDERS][PACKETS];
    size_t recovered[VOX_SIM_MAX_SENDERS][VOX_CARRIERS];
    size_t wrong;
};

static struct witness witness;

static void note_sent(void *ctx, const struct vox_sim_sent *sent)
{
    struct witness *w = ctx;
    if (w->sent[sent->sender] < PACKETS)
        w->lost[sent->sender][w->sent[sent->sender]] = sent->fate.copies == 0;
    w->sent[sent->sender]++;
}

/* All streams have the same numbers: only the SSRC tells whose a packet is. */
static void note_event(void *ctx, const struct vox_event *event)
{
    struct witness *w = ctx;
    if (event->kind != VOX_EVENT_RECOVERED)
        return;
    uint32_t sender = event->ssrc - w->first_ssrc;
    bool known = sender < VOX_SIM_MAX_SENDERS && event->value >= 0 && event->value < PACKETS;
    w->wrong += !known || !w->lost[sender][event->value];
    if (known)
        w->recovered[sender][event->carrier]++;
}

static void protect(enum kind kind, struct vox_sender_config *config)
{
    switch (kind) {
    case PLAIN:
        break;
    case FEC:
        config->fec = true;
        break;
    case COPIES:
        config->red_distances[0] = 1;
        config->red_distances[1] = 3;
        break;
    case REPEATS:
    case MORE_REPEATS:
        config->rtx = true;
        break;
    case ADAPTED:
        config->adapt = true;
        config->rtx = true;
        break;
    case KINDS:
        break;
    }
}

static struct vox_sim_config config;
static struct vox_impair_config there[VOX_SIM_MAX_SENDERS], back[VOX_SIM_MAX_SENDERS];

static void begin(void)
{
    vox_sim_config_init(&config);
    memset(&witness, 0, sizeof witness);
    witness.first_ssrc = 100;
    config.receiver.delay_ns = 120 * VOX_NS_PER_MS;
    config.receiver.output_channels = 1;
    config.receiver.rtx = true;
    config.receiver.max_sources = MANY;
    config.speaker = (struct vox_lab_device_config){.block_frames = 480};
    config.observer =
        (struct vox_sim_observer){.on_sent = note_sent, .on_event = note_event, .ctx = &witness};
}

/* Who it is decides on all that is random; what it loses grows with it. */
static void add(int who, enum kind kind, double loss, int seconds)
{
    struct vox_impair_config *network = &there[config.sender_count];
    struct vox_sim_sender *sender = &config.senders[config.sender_count];
    vox_impair_config_init(network);
    network->delay_ns = (2 + who) * VOX_NS_PER_MS;
    back[config.sender_count] = *network; /* loses nothing: requests are as they were alone */
    network->loss = loss;
    network->seed = 1000 + (uint64_t)who;
    sender->there = network;
    sender->back = &back[config.sender_count];
    vox_sender_config_init(&sender->talker.engine, VOX_PROFILE_VOICE);
    sender->talker.engine.ssrc = 100 + (uint32_t)who;
    sender->talker.engine.rtx_ssrc = 200 + (uint32_t)who;
    sender->talker.engine.seed = (uint64_t)who;
    protect(kind, &sender->talker.engine);
    sender->talker.pcm = voice;
    sender->talker.pcm_frames = FRAMES;
    sender->talker.frames = (int64_t)seconds * 48000;
    sender->talker.start_ns = VOX_NS_PER_S + who * 3 * VOX_NS_PER_MS;
    config.sender_count++;
}

static const struct vox_source_stats *source_of(const struct vox_sim_result *result, int who)
{
    for (int i = 0; i < result->receiver.source_count; i++)
        if (result->receiver.sources[i].ssrc == 100 + (uint32_t)who)
            return &result->receiver.sources[i];
    fail_msg("%d is not heard", who);
    return NULL;
}

static void expect_same(const struct vox_source_stats *a, const struct vox_source_stats *b)
{
    assert_int_equal(a->packets.received, b->packets.received);
    assert_int_equal(a->packets.lost, b->packets.lost);
    assert_int_equal(a->packets.late, b->packets.late);
    assert_int_equal(a->packets.duplicate, b->packets.duplicate);
    assert_int_equal(a->frames.played, b->frames.played);
    assert_int_equal(a->frames.from_fec, b->frames.from_fec);
    assert_int_equal(a->frames.from_red, b->frames.from_red);
    assert_int_equal(a->frames.from_rtx, b->frames.from_rtx);
    assert_int_equal(a->concealed_ns, b->concealed_ns);
    assert_int_equal(a->lbrr_packets, b->lbrr_packets);
    assert_int_equal(a->red_packets, b->red_packets);
    assert_int_equal(a->wire.copies_bytes, b->wire.copies_bytes);
    assert_int_equal(a->wire.repeats_bytes, b->wire.repeats_bytes);
    assert_int_equal(a->retransmission.asked, b->retransmission.asked);
    assert_int_equal(a->retransmission.answered, b->retransmission.answered);
}

/* Nothing but what this protection brings, and that for the packets that its own network lost. */
static void expect_carriers(int who, enum kind kind)
{
    const struct vox_source_stats *s = source_of(&together, who);
    const size_t *recovered = witness.recovered[who];
    assert_int_equal(s->frames.from_fec, recovered[VOX_CARRIER_FEC]);
    assert_int_equal(s->frames.from_red, recovered[VOX_CARRIER_RED]);
    assert_int_equal(s->frames.from_rtx, recovered[VOX_CARRIER_RTX]);
    assert_true(s->packets.lost > PACKETS / 20);
    assert_int_equal(s->path, who);
    bool repeats = kind >= REPEATS;
    assert_true(kind == ADAPTED || (s->frames.from_fec > 5) == (kind == FEC));
    assert_true(kind == ADAPTED || (s->frames.from_red > 5) == (kind == COPIES));
    assert_true((s->frames.from_rtx > 5) == repeats);
    assert_true((s->lbrr_packets > 0) == (kind == FEC) || kind == ADAPTED);
    assert_true((s->red_packets > 0) == (kind == COPIES) || kind == ADAPTED);
    assert_true((s->wire.repeats_bytes > 0) == repeats);
}

static void nobody_disturbs_another(void **state)
{
    (void)state;
    begin();
    for (int who = 0; who < KINDS; who++)
        add(who, (enum kind)who, 0.08 + 0.02 * who, SECONDS);
    assert_int_equal(vox_sim_run(&config, &together), 0);
    assert_int_equal(together.receiver.source_count, KINDS);
    assert_int_equal(witness.wrong, 0);
    for (int who = 0; who < KINDS; who++)
        expect_carriers(who, (enum kind)who);
    for (int who = 0; who < KINDS; who++) {
        print_message("%d alone\n", who);
        begin();
        add(who, (enum kind)who, 0.08 + 0.02 * who, SECONDS);
        assert_int_equal(vox_sim_run(&config, &alone), 0);
        if (who != ADAPTED) /* follows reports, and those are due at other moments */
            expect_same(source_of(&together, who), source_of(&alone, who));
    }
}

/* A request goes to whom it is about: each sender takes all that was sent for its stream. */
static void requests_find_their_senders(void **state)
{
    (void)state;
    begin();
    for (int who = 0; who < KINDS; who++)
        add(who, (enum kind)who, 0.08 + 0.02 * who, SECONDS);
    assert_int_equal(vox_sim_run(&config, &together), 0);
    for (int who = 0; who < KINDS; who++) {
        const struct vox_source_stats *s = source_of(&together, who);
        const struct vox_sender_stats *sender = &together.senders[who];
        print_message("%d: %d requests for %d packets\n", who, (int)sender->nacks_received,
                      (int)sender->rtx_asked);
        assert_int_equal(sender->rtcp_rejected, 0);
        if (who < REPEATS) {
            assert_int_equal(sender->rtx_packets, 0);
            continue;
        }
        uint64_t asked = s->retransmission.asked + s->retransmission.retried;
        assert_in_range(sender->nacks_received, s->retransmission.requests - 1,
                        s->retransmission.requests);
        assert_in_range(sender->rtx_asked, asked - 3, asked);
    }
}

/* Many that ask at once stay within what one may cost, and each is repaired. */
static void many_at_once_stay_within_bounds(void **state)
{
    (void)state;
    begin();
    for (int who = 0; who < MANY; who++)
        add(who, REPEATS, 0.1, MANY_SECONDS);
    assert_int_equal(vox_sim_run(&config, &together), 0);
    assert_int_equal(together.receiver.source_count, MANY);
    assert_int_equal(witness.wrong, 0);
    uint64_t requests = 0, lost = 0;
    for (int who = 0; who < MANY; who++) {
        const struct vox_source_stats *s = source_of(&together, who);
        const struct vox_sender_stats *sender = &together.senders[who];
        assert_true(s->frames.from_rtx * 10 >= s->packets.lost * 8);
        assert_true(sender->rtx_packets <= 2 * s->packets.lost + 10);
        assert_int_equal(sender->rtcp_rejected, 0);
        requests += s->retransmission.requests;
        lost += s->packets.lost;
    }
    print_message("%d lost, %d requests, %d datagrams back\n", (int)lost, (int)requests,
                  (int)together.back_sent);
    assert_true(requests <= 2 * lost + 3 * MANY);
    assert_true(together.back_sent <= requests + MANY * (4 * MANY_SECONDS + 4));
    assert_int_equal(together.receiver.pushed[VOX_PUSH_TOO_MANY_SOURCES], 0);
    assert_int_equal(together.receiver.pushed[VOX_PUSH_UNASKED], 0);
}

static int setup(void **state)
{
    (void)state;
    fill_speech(voice, FRAMES);
    return 0;
}

RUN_AFTER(setup, cmocka_unit_test(nobody_disturbs_another),
          cmocka_unit_test(requests_find_their_senders),
          cmocka_unit_test(many_at_once_stay_within_bounds))
