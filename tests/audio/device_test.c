#include "audio/device.h"
#include "base/err.h"
#include "base/time.h"
#include "support/jack.h"
#include "support/test.h"

#include <stdatomic.h>

static struct vox_audio_error error;

/* ---- finding, without any device ---- */

static const struct vox_device_entry some[] = {
    {.name = "system",
     .host_api = "JACK",
     .in_channels = 2,
     .out_channels = 2,
     .is_default_out = true},
    {.name = "USB Headset: Audio (hw:1,0)",
     .host_api = "ALSA",
     .in_channels = 1,
     .out_channels = 2},
    {.name = "USB Microphone (hw:2,0)",
     .host_api = "ALSA",
     .in_channels = 1,
     .is_default_in = true},
    {.name = "system", .host_api = "ALSA", .out_channels = 2},
};

static void finds_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool capture;
        int expect;
    } rows[] = {
        {NULL, true, 2},
        {"", false, 0},
        {"system", true, 0},
        {"system", false, 0},
        {"ALSA:system", false, 3},
        {"JACK:system", false, 0},
        {"headset", true, 1},
        {"HEADSET", false, 1},
        {"USB", false, 1},
        {"USB", true, VOX_EINVAL},
        {"usb microphone", false, VOX_ENOTFOUND},
        {"bluetooth", true, VOX_ENOTFOUND},
        {"ALSA:", true, VOX_ENOTFOUND},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(vox_device_find(some, COUNT(some), rows[i].name, rows[i].capture, &error),
                         rows[i].expect);
}

static void names_the_candidates(void **state)
{
    (void)state;
    vox_device_find(some, COUNT(some), "usb", true, &error);
    assert_non_null(strstr(error.text, "'USB Headset: Audio (hw:1,0)', 'USB Microphone (hw:2,0)'"));
    assert_null(strstr(error.text, "system"));
    vox_device_find(some, COUNT(some), "bluetooth", false, &error);
    assert_non_null(strstr(error.text, "'system', 'USB Headset"));
    assert_null(strstr(error.text, "Microphone"));
    assert_int_equal(vox_device_find(some, 0, NULL, true, &error), VOX_ENOTFOUND);
    assert_non_null(strstr(error.text, "there is no sound device that can capture"));
}

static void refuses_nonsense(void **state)
{
    (void)state;
    struct vox_device_config config;
    struct vox_device *device = NULL;
    vox_device_config_init(&config);
    config.out_channels = 1;
    assert_int_equal(vox_device_open(&config, &device, &error), VOX_EINVAL);
    assert_null(device);
    vox_device_close(NULL);
}

/* ---- against a JACK server without hardware ---- */

enum { HZ = 48000, PERIOD = 128, MAX_BLOCKS = 4096 };

/* What the callback saw. Written there; of `blocks` blocks it may be read. */
struct seen {
    _Atomic size_t blocks;
    size_t frames[MAX_BLOCKS];
    int64_t in_ns[MAX_BLOCKS];
    int64_t out_ns[MAX_BLOCKS];
    int64_t now_ns[MAX_BLOCKS];
    unsigned flags[MAX_BLOCKS];
    bool was_broken;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * VOX_NS_PER_S + now.tv_nsec;
}

static void on_audio(void *ctx, const float *in, float *out, size_t frames, int64_t in_ns,
                     int64_t out_ns, unsigned flags)
{
    struct seen *seen = ctx;
    size_t n = atomic_load(&seen->blocks);
    for (size_t i = 0; out && i < frames; i++)
        out[2 * i] = out[2 * i + 1] = 0.25F;
    seen->was_broken = seen->was_broken || (in && !(in[0] >= -1 && in[0] <= 1));
    if (n >= MAX_BLOCKS)
        return;
    seen->frames[n] = frames;
    seen->in_ns[n] = in_ns;
    seen->out_ns[n] = out_ns;
    seen->now_ns[n] = now_ns();
    seen->flags[n] = flags;
    atomic_store(&seen->blocks, n + 1);
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static bool wait_for_blocks(struct seen *seen, size_t blocks)
{
    for (int i = 0; i < 3000 && atomic_load(&seen->blocks) < blocks; i++)
        nap();
    return atomic_load(&seen->blocks) >= blocks;
}

static bool wait_for_loss(struct vox_device *device)
{
    for (int i = 0; i < 3000 && !vox_device_is_lost(device); i++)
        nap();
    return vox_device_is_lost(device);
}

static int teardown_jack(void **state)
{
    (void)state;
    jack_stop(SIGTERM);
    return 0;
}

static void need_jack(void)
{
    if (jack_start(HZ, PERIOD))
        return;
    print_message("jackd (package jackd2) is missing or does not start: nothing to test against\n");
    skip();
}

static void config_of(struct vox_device_config *config, struct seen *seen)
{
    vox_device_config_init(config);
    config->client_name = "voxgram-recv";
    config->on_audio = on_audio;
    config->ctx = seen;
}

/*
 * Opened, started and called `blocks` times. A server that forgets us ("was not finished, state =
 * Triggered") is not what is tested: then another one.
 */
static struct vox_device *running_device(const struct vox_device_config *config, size_t blocks)
{
    struct seen *seen = config->ctx;
    for (int attempt = 0; attempt < JACK_ATTEMPTS; attempt++) {
        need_jack();
        struct vox_device *device = NULL;
        if (vox_device_open(config, &device, &error) < 0)
            print_message("cannot open: %s\n", error.text);
        else if (vox_device_start(device, &error) < 0)
            print_message("cannot start: %s\n", error.text);
        else if (wait_for_blocks(seen, blocks))
            return device;
        print_message("%zu blocks came; another JACK server\n", atomic_load(&seen->blocks));
        jack_stop(SIGKILL);
        vox_device_close(device);
        memset(seen, 0, sizeof *seen);
    }
    fail_msg("no JACK server calls us as often as it should");
    return NULL;
}

static void lists_jack_first(void **state)
{
    (void)state;
    need_jack();
    static struct vox_device_entry list[VOX_DEVICE_MAX_LISTED];
    int count = vox_device_list(false, list, COUNT(list), &error);
    assert_in_range(count, 1, COUNT(list));
    assert_string_equal(list[0].name, "system");
    assert_string_equal(list[0].host_api, "JACK");
    assert_int_equal(list[0].in_channels, 2);
    assert_int_equal(list[0].out_channels, 2);
    assert_int_equal(list[0].default_hz, HZ);
    assert_true(list[0].is_default_in && list[0].is_default_out);
    for (int i = 1; i < count; i++)
        assert_false(list[i].is_default_in || list[i].is_default_out);
    assert_int_equal(vox_device_list(false, list, 0, &error), 0);
}

/* How far told time was ahead of the clock in the most prompt callback of these. */
static int64_t most_ahead_ns(const struct seen *seen, const int64_t *block_ns, size_t from,
                             size_t to)
{
    int64_t most_ns = INT64_MIN;
    for (size_t i = from; i < to; i++)
        if (block_ns[i] - seen->now_ns[i] > most_ns)
            most_ns = block_ns[i] - seen->now_ns[i];
    return most_ns;
}

/* Block times of these grow as fast as the clock; and so do frames, unless cycles are left out. */
static bool is_steady(const struct seen *seen, const int64_t *block_ns, size_t from, size_t count)
{
    int64_t first_ns = most_ahead_ns(seen, block_ns, from, from + count / 2);
    int64_t second_ns = most_ahead_ns(seen, block_ns, from + count / 2, from + count);
    int64_t slack_ns = 20 * VOX_NS_PER_MS;
    int64_t told_ns = block_ns[from + count - 1] - block_ns[from];
    int64_t played_ns = vox_ticks_to_ns((int64_t)(count - 1) * PERIOD, HZ);
    return second_ns > first_ns - slack_ns && second_ns < first_ns + slack_ns &&
           played_ns >= told_ns / 3 && played_ns <= told_ns + slack_ns;
}

/*
 * Whether `count` blocks in a row come that are steady. A busy machine holds callbacks and the
 * server up and so spoils some; what is wrong in the times would spoil all.
 */
static bool gets_steady(struct seen *seen, const int64_t *block_ns, size_t count)
{
    for (size_t from = 0; from + count <= MAX_BLOCKS; from += count) {
        if (!wait_for_blocks(seen, from + count))
            return false;
        if (is_steady(seen, block_ns, from, count))
            return true;
    }
    return false;
}

static void check_increase(const struct seen *seen, const int64_t *block_ns)
{
    for (size_t i = 0; i + 1 < atomic_load(&seen->blocks); i++)
        assert_true(block_ns[i + 1] > block_ns[i]);
}

/* Until the callback once came promptly, which a busy machine leaves to chance. */
static void wait_for_a_prompt_block(const struct seen *seen, int64_t ahead_ns)
{
    size_t looked = 0;
    for (int i = 0; i < 3000 && looked < MAX_BLOCKS; i++, nap())
        for (size_t blocks = atomic_load(&seen->blocks); looked < blocks; looked++)
            if (seen->out_ns[looked] - seen->now_ns[looked] >= ahead_ns)
                return;
}

static void plays_with_times_that_match_the_clock(void **state)
{
    (void)state;
    static struct seen seen;
    struct vox_device_config config;
    config_of(&config, &seen);
    config.out_channels = 2;
    config.rate_hz = 44100; /* this server has 48000 only */
    struct vox_device *device = running_device(&config, 400);
    const struct vox_device_info *info = vox_device_info(device);
    assert_int_equal(info->rate_hz, HZ);
    assert_int_equal(info->out_channels, 2);
    assert_int_equal(info->in_channels, 0);
    assert_int_equal(info->period_frames, PERIOD);
    assert_string_equal(info->out_name, "system");
    assert_true(info->out_latency_ns > 0);
    assert_true(jack_is_connected("system:playback_2", "voxgram-recv:out_1"));
    assert_false(vox_device_is_lost(device));
    struct vox_device_stats stats, later;
    vox_device_read_stats(device, &stats);
    vox_device_read_stats(device, &later);
    assert_true(stats.blocks >= 400);
    /* Each number by itself: blocks may have begun between the two. */
    assert_in_range(stats.frames, (stats.blocks - 1) * PERIOD, (later.blocks + 1) * PERIOD);
    assert_true(stats.last_block_ns > seen.now_ns[398] && stats.last_block_ns <= now_ns());
    int64_t info_latency_ns = info->out_latency_ns;
    assert_true(gets_steady(&seen, seen.out_ns, 400));
    wait_for_a_prompt_block(&seen, info_latency_ns / 2);
    vox_device_close(device);
    check_increase(&seen, seen.out_ns);
    size_t blocks = atomic_load(&seen.blocks);
    for (size_t i = 0; i < blocks; i++) {
        assert_int_equal(seen.in_ns[i], 0);
        assert_int_equal(seen.frames[i], PERIOD);
    }
    /* The callback that came most promptly is about one latency ahead of the converter. */
    int64_t ahead_ns = most_ahead_ns(&seen, seen.out_ns, 0, blocks);
    assert_in_range(ahead_ns, info_latency_ns / 2, info_latency_ns * 2);
}

static void captures_and_plays_at_once(void **state)
{
    (void)state;
    static struct seen seen;
    struct vox_device_config config;
    config_of(&config, &seen);
    config.out_channels = 2;
    config.in_channels = 8; /* more than there are */
    config.in_name = "SYS";
    struct vox_device *device = running_device(&config, 200);
    assert_int_equal(vox_device_info(device)->in_channels, 2);
    assert_true(jack_is_connected("system:capture_1", "voxgram-recv:in_0"));
    assert_true(gets_steady(&seen, seen.in_ns, 200));
    assert_true(gets_steady(&seen, seen.out_ns, 200));
    vox_device_close(device);
    check_increase(&seen, seen.in_ns);
    check_increase(&seen, seen.out_ns);
    for (size_t i = 0; i < 200; i++)
        assert_true(seen.in_ns[i] < seen.out_ns[i]);
    assert_false(seen.was_broken);
}

static void says_which_devices_there_are(void **state)
{
    (void)state;
    need_jack();
    struct vox_device_config config;
    static struct seen seen;
    config_of(&config, &seen);
    config.out_channels = 2;
    config.out_name = "bluetooth";
    struct vox_device *device = NULL;
    assert_int_equal(vox_device_open(&config, &device, &error), VOX_ENOTFOUND);
    assert_null(device);
    assert_non_null(strstr(error.text, "'bluetooth'"));
    assert_non_null(strstr(error.text, "'system'"));
}

/* On a new server, or on one after that should it forget us. */
static void bring_back(struct vox_device *device, struct seen *seen, size_t blocks)
{
    for (int attempt = 0; attempt < JACK_ATTEMPTS; attempt++) {
        need_jack();
        atomic_store(&seen->blocks, 0);
        if (vox_device_reopen(device, &error) == 0) {
            assert_false(vox_device_is_lost(device));
            if (vox_device_start(device, &error) == 0 && wait_for_blocks(seen, blocks))
                return;
        }
        print_message("%zu blocks came; another JACK server\n", atomic_load(&seen->blocks));
        jack_stop(SIGKILL);
        wait_for_loss(device);
    }
    fail_msg("it does not come back: %s", error.text);
}

/*
 * Ends the server. Now and then a client of JACK 1.9.21 is not told, on a busy machine; the
 * programs then notice that no blocks come. Here it begins anew.
 */
static struct vox_device *lose_server(struct vox_device *device,
                                      const struct vox_device_config *config, int signal_number)
{
    for (int attempt = 0; attempt < JACK_ATTEMPTS; attempt++) {
        jack_stop(signal_number);
        if (wait_for_loss(device))
            return device;
        print_message("JACK does not tell that its server has gone\n");
        vox_device_close(device);
        device = running_device(config, 50);
    }
    fail_msg("a server that goes away is not noticed");
    return NULL;
}

static void survives_a_server_that_goes_away(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGKILL};
    static struct seen seen;
    struct vox_device_config config;
    config_of(&config, &seen);
    config.out_channels = 2;
    config.in_channels = 1;
    struct vox_device *device = running_device(&config, 50);
    for (size_t s = 0; s < COUNT(signals); s++) {
        device = lose_server(device, &config, signals[s]);
        for (int i = 0; i < 3; i++) {
            assert_true(vox_device_reopen(device, &error) < 0);
            assert_true(vox_device_is_lost(device));
            assert_int_equal(vox_device_start(device, &error), VOX_EDEVICE);
        }
        bring_back(device, &seen, 50);
    }
    vox_device_close(device);
}

static void close_after_the_server_went_away(void **state)
{
    (void)state;
    static struct seen seen;
    struct vox_device_config config;
    config_of(&config, &seen);
    config.out_channels = 2;
    struct vox_device *device = running_device(&config, 5);
    jack_stop(SIGKILL);
    vox_device_close(device);
}

#define WITH_JACK(test) cmocka_unit_test_teardown(test, teardown_jack)

RUN(cmocka_unit_test(finds_by_name), cmocka_unit_test(names_the_candidates),
    cmocka_unit_test(refuses_nonsense), WITH_JACK(lists_jack_first),
    WITH_JACK(plays_with_times_that_match_the_clock), WITH_JACK(captures_and_plays_at_once),
    WITH_JACK(says_which_devices_there_are), WITH_JACK(survives_a_server_that_goes_away),
    WITH_JACK(close_after_the_server_went_away))
