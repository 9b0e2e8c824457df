#include "sender/dial.h"

#include "base/rng.h"
#include "base/time.h"
#include "sender/encoder.h"
#include "sender/protect.h"
#include "support/test.h"

#include <math.h>

#define MS VOX_NS_PER_MS
#define SLACK 0.06

static struct vox_dial voice(int max_delay_ms, double prefer_ms)
{
    struct vox_dial dial;
    vox_dial_init(&dial, &(struct vox_dial_config){.profile = VOX_PROFILE_VOICE,
                                                   .channels = 1,
                                                   .frame_ticks = 960,
                                                   .bitrate_bps = 32000,
                                                   .max_delay_ns = max_delay_ms * MS,
                                                   .prefer_ms = prefer_ms});
    return dial;
}

static struct vox_protection choose(const struct vox_dial *dial, double share, double burst,
                                    int wire_bps)
{
    struct vox_protection chosen;
    struct vox_dial_network network = {.loss = {share, burst}};
    vox_dial_choose(dial, &network, wire_bps, &chosen);
    return chosen;
}

static int copies_of(const struct vox_protection *p)
{
    int count = 0;
    while (count < VOX_SENDER_MAX_COPIES && p->distances[count] > 0)
        count++;
    return count;
}

static int last_of(const struct vox_protection *p)
{
    return copies_of(p) > 0 ? p->distances[copies_of(p) - 1] : 0;
}

/* What of the frames is missing, and what is there coarsely, with all the delay it may take. */
static struct vox_odds left_by(const struct vox_dial *dial, const struct vox_protection *p,
                               double share, double burst)
{
    struct vox_odds left;
    struct vox_odds_means means = {.fec = p->fec,
                                   .reach = (int)(dial->config.max_delay_ns / (20 * MS))};
    memcpy(means.distances, p->distances, sizeof means.distances);
    vox_odds_predict(&(struct vox_odds_loss){share, burst}, &means, &left);
    return left;
}

static void where_nothing_is_lost_nothing_is_spent(void **state)
{
    static const enum vox_profile profiles[] = {VOX_PROFILE_VOICE, VOX_PROFILE_MUSIC,
                                                VOX_PROFILE_LOWDELAY};
    (void)state;
    for (size_t i = 0; i < COUNT(profiles); i++)
        for (int channels = 1; channels <= 2; channels++) {
            struct vox_dial dial;
            const struct vox_profile_settings *own = vox_profile_settings(profiles[i]);
            vox_dial_init(&dial,
                          &(struct vox_dial_config){.profile = profiles[i],
                                                    .channels = channels,
                                                    .frame_ticks = own->frame_ticks,
                                                    .bitrate_bps = own->bitrate_bps[channels - 1],
                                                    .max_delay_ns = 100 * MS,
                                                    .prefer_ms = VOX_PREFER_BALANCED_MS});
            struct vox_protection p = choose(&dial, 0, 1, 1000000);
            assert_int_equal(p.bitrate_bps, own->bitrate_bps[channels - 1]);
            assert_int_equal(copies_of(&p), 0);
            assert_false(p.fec || p.repeat);
        }
}

static void the_wire_is_reckoned_with_its_headers(void **state)
{
    (void)state;
    struct vox_dial dial = voice(100, VOX_PREFER_BALANCED_MS);
    struct vox_protection p = {.bitrate_bps = 32000};
    assert_int_equal(vox_dial_wire_bps(&dial, &p), 32000 + 40 * 8 * 50);
    p.distances[0] = 2;
    p.distances[1] = 4; /* 4 bytes for each copy, one for the frame itself */
    assert_int_equal(vox_dial_wire_bps(&dial, &p), 3 * 32000 + (40 + 9) * 8 * 50);
}

/* 56 kbit/s are 30 more than headers and 24 of audio: whole copies of less audio are worth more. */
static void a_narrow_pipe_has_little_audio_and_a_copy_far_away(void **state)
{
    (void)state;
    struct vox_dial dial = voice(60, VOX_PREFER_BALANCED_MS);
    struct vox_protection p = choose(&dial, 0.2, 1, 56000);
    assert_true(copies_of(&p) >= 1);
    assert_in_range(p.bitrate_bps, 6000, 18000);
    assert_true(last_of(&p) <= 3);
    assert_true(vox_dial_wire_bps(&dial, &p) <= 56000);
    assert_false(p.fec && p.bitrate_bps < dial.fec_bps);
}

static void more_loss_never_brings_less_protection(void **state)
{
    static const int wires[] = {50000, 68000, 84000, 117000, 150000};
    (void)state;
    struct vox_dial dial = voice(100, VOX_PREFER_BALANCED_MS);
    for (size_t i = 0; i < COUNT(wires); i++)
        for (double burst = 1; burst < 4; burst += 1) {
            double harm_before = HUGE_VAL;
            for (double share = 0.01; share < 0.45; share += 0.02) {
                struct vox_protection p = choose(&dial, share, burst, wires[i]);
                struct vox_odds left = left_by(&dial, &p, 0.2, burst);
                double harm = 7.9 * left.missing + 1.56 * left.coarse;
                if (harm > harm_before + SLACK) /* the audio's quality is in the balance, too */
                    fail_msg("%d bit/s, %g in %g: harm %g after %g", wires[i], share, burst, harm,
                             harm_before);
                harm_before = harm;
            }
        }
}

static void bursts_push_copies_apart(void **state)
{
    (void)state;
    struct vox_dial dial = voice(200, VOX_PREFER_BALANCED_MS);
    int before = 0;
    for (double burst = 1; burst <= 4; burst += 1) {
        struct vox_protection p = choose(&dial, 0.15, burst, 84000);
        assert_true(last_of(&p) >= before);
        before = last_of(&p);
    }
    assert_true(before >= 4);
}

static void who_wants_no_delay_gets_nearer_copies(void **state)
{
    (void)state;
    struct vox_dial quick = voice(200, VOX_PREFER_LATENCY_MS);
    struct vox_dial smooth = voice(200, VOX_PREFER_SMOOTH_MS);
    for (double burst = 1; burst <= 4; burst += 1) {
        struct vox_protection near = choose(&quick, 0.15, burst, 117000);
        struct vox_protection far = choose(&smooth, 0.15, burst, 117000);
        assert_true(last_of(&near) <= last_of(&far));
        if (burst == 2)
            assert_true(last_of(&near) < last_of(&far));
    }
}

/* 4 ms there and back: nothing else is as cheap. */
static void on_a_short_way_what_is_missing_is_repeated(void **state)
{
    (void)state;
    struct vox_dial dial = voice(100, VOX_PREFER_BALANCED_MS);
    struct vox_dial_network network = {.loss = {0.1, 1}, .retry_ns = 9 * MS};
    struct vox_protection p;
    vox_dial_choose(&dial, &network, 120000, &p);
    assert_true(p.repeat);
    assert_int_equal(copies_of(&p), 0);
    network.retry_ns = 300 * MS;
    vox_dial_choose(&dial, &network, 120000, &p);
    assert_true(copies_of(&p) > 0);
}

/* Their bits are of the budget, too. */
static void repeats_leave_less_for_the_audio(void **state)
{
    (void)state;
    struct vox_dial dial = voice(100, VOX_PREFER_BALANCED_MS);
    struct vox_dial_network network = {.loss = {0.3, 1}, .retry_ns = 9 * MS};
    struct vox_protection p = {.bitrate_bps = 32000, .repeat = true};
    assert_true(vox_dial_worth(&dial, &network, 50000, &p) < 0);
    assert_true(vox_dial_worth(&dial, &network, 63000, &p) > 0);
    vox_dial_choose(&dial, &network, 50000, &p);
    assert_true(p.repeat && p.bitrate_bps < 32000);
}

static void jitter_takes_from_the_time_for_repairs(void **state)
{
    (void)state;
    struct vox_dial dial = voice(100, VOX_PREFER_BALANCED_MS);
    struct vox_dial_network network = {.loss = {0.2, 3}};
    for (int jitter_ms = 0; jitter_ms <= 150; jitter_ms += 10) {
        struct vox_protection p;
        network.jitter_ns = jitter_ms * MS;
        vox_dial_choose(&dial, &network, 120000, &p);
        int left = jitter_ms < 100 ? (100 - jitter_ms) / 20 : 0;
        assert_true(last_of(&p) <= left);
    }
}

/* ---- any budget ---- */

static int any(struct vox_rng *rng, int from, int to)
{
    return from + (int)(vox_rng_uniform(rng) * (to - from + 1));
}

static struct vox_dial_config any_config(struct vox_rng *rng)
{
    static const int frames[] = {120, 240, 480, 960, 1920, 2880};
    static const enum vox_profile profiles[] = {VOX_PROFILE_VOICE, VOX_PROFILE_MUSIC,
                                                VOX_PROFILE_LOWDELAY};
    int ticks = frames[any(rng, 0, 5)];
    int most_bps = VOX_ENCODER_MAX_BYTES * 8 * (VOX_RTP_HZ / 120) / (ticks / 120);
    return (struct vox_dial_config){
        .profile = profiles[any(rng, 0, 2)],
        .channels = any(rng, 1, 2),
        .frame_ticks = ticks,
        .bitrate_bps = any(rng, 6000,
                           any(rng, 0, 1)      ? 64000
                           : most_bps < 510000 ? most_bps
                                               : 510000),
        .max_delay_ns = any(rng, 0, any(rng, 0, 1) ? 100 : 1000) * MS,
        .prefer_ms = any(rng, 0, 1) ? 190 : any(rng, 1, 10000),
    };
}

static struct vox_dial_network any_network(struct vox_rng *rng)
{
    return (struct vox_dial_network){
        .loss = {any(rng, 0, 3) ? vox_rng_uniform(rng) : any(rng, 0, 1), any(rng, 0, 10)},
        .jitter_ns = any(rng, 0, 1) ? 0 : any(rng, 0, 200) * MS,
        .retry_ns = any(rng, 0, 1) ? 0 : any(rng, 1, 400) * MS,
    };
}

static void check_choice(const struct vox_dial *dial, const struct vox_dial_network *network,
                         int wire_bps, const struct vox_protection *p)
{
    const struct vox_dial_config *c = &dial->config;
    int payload = p->bitrate_bps / 8 * c->frame_ticks / VOX_RTP_HZ;
    bool least = p->bitrate_bps == 6000 && copies_of(p) == 0;
    assert_true(vox_dial_wire_bps(dial, p) <= wire_bps || least);
    assert_in_range(p->bitrate_bps, 6000, c->bitrate_bps);
    assert_true(vox_protect_can(p->distances, c->frame_ticks));
    assert_true(last_of(p) * vox_rtp_to_ns(c->frame_ticks) <=
                (c->max_delay_ns > network->jitter_ns ? c->max_delay_ns - network->jitter_ns : 0));
    assert_true(payload * (1 + copies_of(p)) <= VOX_ENCODER_MAX_BYTES);
    assert_true(!p->fec || (dial->fec_bps > 0 && p->bitrate_bps >= dial->fec_bps));
    assert_true(!p->repeat || network->retry_ns > 0);
    assert_true(least || vox_dial_worth(dial, network, wire_bps, p) > -10);
}

static void what_is_chosen_is_within_any_budget(void **state)
{
    enum { CHOICES = 1500 };
    struct vox_rng rng;
    (void)state;
    vox_rng_init(&rng, 21, 0);
    for (int i = 0; i < CHOICES; i++) {
        struct vox_dial_config config = any_config(&rng);
        struct vox_dial_network network = any_network(&rng);
        int wire_bps = any(&rng, 0, any(&rng, 0, 1) ? 150000 : 1500000);
        struct vox_dial dial;
        struct vox_protection chosen;
        vox_dial_init(&dial, &config);
        vox_dial_choose(&dial, &network, wire_bps, &chosen);
        check_choice(&dial, &network, wire_bps, &chosen);
        double worth = vox_dial_worth(&dial, &network, wire_bps, &chosen);
        assert_true(worth == worth); /* no NaN */
    }
}

RUN(cmocka_unit_test(where_nothing_is_lost_nothing_is_spent),
    cmocka_unit_test(the_wire_is_reckoned_with_its_headers),
    cmocka_unit_test(a_narrow_pipe_has_little_audio_and_a_copy_far_away),
    cmocka_unit_test(more_loss_never_brings_less_protection),
    cmocka_unit_test(bursts_push_copies_apart),
    cmocka_unit_test(who_wants_no_delay_gets_nearer_copies),
    cmocka_unit_test(on_a_short_way_what_is_missing_is_repeated),
    cmocka_unit_test(repeats_leave_less_for_the_audio),
    cmocka_unit_test(jitter_takes_from_the_time_for_repairs),
    cmocka_unit_test(what_is_chosen_is_within_any_budget))
