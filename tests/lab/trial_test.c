#include "lab/trial.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/stream.h"

#include <math.h>

enum { CLIP_FRAMES = 4 * 48000, PACKETS = 1500, LINE_BYTES = 64 };

static struct vox_tape *speech;
static char text[(PACKETS + 10) * LINE_BYTES];
static size_t text_len;

static int record(void **state)
{
    (void)state;
    static float pcm[CLIP_FRAMES];
    struct vox_talker_config talker = {
        .pcm = pcm, .pcm_frames = CLIP_FRAMES, .frames = CLIP_FRAMES};
    fill_speech(pcm, CLIP_FRAMES);
    vox_sender_config_init(&talker.engine, VOX_PROFILE_MUSIC);
    return vox_tape_record(&talker, &speech);
}

static int forget(void **state)
{
    (void)state;
    vox_tape_destroy(speech);
    return 0;
}

static void begin_trace(void)
{
    text_len = (size_t)snprintf(text, sizeof text, "# interval_ms 20\n");
}

/* delay_ms below 0: lost. */
static void add(int seq, double send_ms, double delay_ms)
{
    char *end = text + text_len;
    size_t room = sizeof text - text_len;
    int n = delay_ms < 0 ? snprintf(end, room, "%d %.3f lost\n", seq, send_ms)
                         : snprintf(end, room, "%d %.3f %.3f\n", seq, send_ms, send_ms + delay_ms);
    assert_true(n > 0 && (size_t)n < room);
    text_len += (size_t)n;
}

static int run(struct vox_trial_config *config, struct vox_trial *trial)
{
    struct vox_trace *trace;
    struct vox_trace_error error;
    if (vox_trace_parse(text, text_len, &trace, &error) < 0)
        fail_msg("line %d: %s", error.line, error.reason);
    config->trace = trace;
    config->speech = speech;
    int err = vox_trial_run(config, trial);
    vox_trace_destroy(trace);
    return err;
}

static void expect_near(double x, double wanted, double by)
{
    if (!(fabs(x - wanted) <= by))
        fail_msg("%g is not %g +-%g", x, wanted, by);
}

static void a_steady_network_costs_little(void **state)
{
    (void)state;
    struct vox_trial_config config;
    struct vox_trial trial;
    begin_trace();
    for (int i = 0; i < PACKETS; i++)
        add(i, 20.0 * i, 40);
    vox_trial_config_init(&config);
    assert_int_equal(run(&config, &trial), 0);
    assert_int_equal(trial.count, PACKETS);
    assert_int_equal(trial.sent, PACKETS - 600 - 1 + 1); /* 10 s and 2 s are left out */
    assert_int_equal(trial.played, trial.sent);
    assert_int_equal(trial.lost, 0);
    expect_near(trial.extra_concealment_pct, 0, 1e-9);
    assert_in_range(trial.mean_ns, 0, 40 * VOX_NS_PER_MS);
    expect_near(trial.j, vox_ns_to_ms(trial.mean_ns), 1e-9);
    expect_near((double)trial.output_ns / 1e9, 18, 0.02);
    vox_trial_clear(&trial);
}

static void a_fixed_delay_is_that_delay(void **state)
{
    (void)state;
    for (int phase_ms = 0; phase_ms < 10; phase_ms += 3) {
        struct vox_trial_config config;
        struct vox_trial trial;
        begin_trace();
        for (int i = 0; i < PACKETS; i++)
            add(i, 1000 + 20.0 * i, i % 2 ? 40 : 45);
        vox_trial_config_init(&config);
        config.phase_ns = phase_ms * VOX_NS_PER_MS;
        config.receiver.delay_ns = 70 * VOX_NS_PER_MS;
        assert_int_equal(run(&config, &trial), 0);
        expect_near(vox_ns_to_ms(trial.mean_ns), 70, 2);
        expect_near(vox_ns_to_ms(trial.p95_ns), 70, 3);
        assert_int_equal(trial.played, trial.sent);
        for (size_t i = 600; i < 1400; i++)
            assert_true(trial.packets[i].play_ns > (int64_t)i * 20 * VOX_NS_PER_MS);
        vox_trial_clear(&trial);
    }
}

static void what_the_network_lost_is_not_extra(void **state)
{
    (void)state;
    struct vox_trial_config config;
    struct vox_trial trial;
    begin_trace();
    for (int i = 0; i < PACKETS; i++)
        add(100 + i, 20.0 * i, i % 20 == 7 ? -1 : 30);
    vox_trial_config_init(&config);
    config.receiver.delay_ns = 60 * VOX_NS_PER_MS;
    assert_int_equal(run(&config, &trial), 0);
    expect_near((double)trial.lost / (double)trial.sent, 0.05, 0.002);
    expect_near(trial.extra_concealment_pct, 0, 0.15);
    expect_near((double)trial.concealed_ns / (double)trial.output_ns, 0.05, 0.002);
    assert_int_equal(trial.played, trial.sent - trial.lost);
    vox_trial_clear(&trial);
}

static void what_comes_too_late_is_extra(void **state)
{
    (void)state;
    struct vox_trial_config config;
    struct vox_trial trial;
    begin_trace();
    for (int i = 0; i < PACKETS; i++)
        add(i, 20.0 * i, i % 50 == 7 ? 300 : 30);
    vox_trial_config_init(&config);
    config.receiver.delay_ns = 60 * VOX_NS_PER_MS;
    assert_int_equal(run(&config, &trial), 0);
    assert_int_equal(trial.lost, 0);
    expect_near(trial.unplayed_pct, 2, 0.12);
    expect_near(trial.extra_concealment_pct, 2, 0.12);
    expect_near(trial.j, vox_ns_to_ms(trial.mean_ns) + 190 * trial.extra_concealment_pct, 1e-6);
    vox_trial_clear(&trial);
}

/* Sequence numbers beyond 16 bits, lines that are missing, second copies. */
static void traces_need_not_be_tidy(void **state)
{
    (void)state;
    struct vox_trial_config config;
    struct vox_trial trial;
    begin_trace();
    for (int i = 0; i < PACKETS; i++) {
        if (i % 100 == 50)
            continue;
        add(65000 + i, 20.0 * i, 30);
        if (i % 30 == 0)
            add(65000 + i, 20.0 * i, 45);
    }
    vox_trial_config_init(&config);
    config.receiver.delay_ns = 60 * VOX_NS_PER_MS;
    assert_int_equal(run(&config, &trial), 0);
    assert_int_equal(trial.count, PACKETS - PACKETS / 100);
    assert_int_equal(trial.played, trial.sent);
    expect_near(trial.extra_concealment_pct, 1, 0.15);
    vox_trial_clear(&trial);
}

static void what_cannot_be_scored_is_refused(void **state)
{
    (void)state;
    struct vox_trial_config config;
    struct vox_trial trial;
    begin_trace();
    for (int i = 0; i < 600; i++)
        add(i, 20.0 * i, 30);
    vox_trial_config_init(&config);
    assert_int_equal(run(&config, &trial), VOX_EINVAL); /* 12 s: nothing is left */
    begin_trace();
    for (int i = 0; i < PACKETS; i++)
        add(i, 20.0 * i, -1);
    assert_int_equal(run(&config, &trial), VOX_EINVAL); /* nothing came */
    text_len = (size_t)snprintf(text, sizeof text, "# interval_ms 60\n");
    for (int i = 0; i < PACKETS; i++)
        add(i, 60.0 * i, 30);
    assert_int_equal(run(&config, &trial), VOX_EINVAL); /* the speech has packets of 20 ms */
}

/* Values by another implementation of FNV-1a. */
static void the_phase_is_that_of_the_name(void **state)
{
    (void)state;
    expect_near(vox_ns_to_ms(vox_trial_phase_ns("01-lan")), 5.656971, 1e-5);
    expect_near(vox_ns_to_ms(vox_trial_phase_ns("some/folder/04-lte.txt")), 3.771314, 1e-5);
    expect_near(vox_ns_to_ms(vox_trial_phase_ns("./08-wifi-drift+100ppm.trace")), 5.887663, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_network_costs_little),
        cmocka_unit_test(a_fixed_delay_is_that_delay),
        cmocka_unit_test(what_the_network_lost_is_not_extra),
        cmocka_unit_test(what_comes_too_late_is_extra),
        cmocka_unit_test(traces_need_not_be_tidy),
        cmocka_unit_test(what_cannot_be_scored_is_refused),
        cmocka_unit_test(the_phase_is_that_of_the_name),
    };
    return cmocka_run_group_tests(tests, record, forget);
}
