/*
 * A microphone as a source, on a device that the test plays: its functions stand in front of those
 * of the audio layer.
 */
#include "sender/mic.h"

#include "base/err.h"
#include "base/rt.h"
#include "base/time.h"
#include "support/test.h"

enum { PERIOD = 128, MAX_FRAMES = 1024 };

#define START_NS (1000 * VOX_NS_PER_S)

/* ---- the device ---- */

struct vox_device {
    struct vox_device_config config;
    struct vox_device_info info;
    struct vox_device_stats stats;
    bool lost;
};

static struct {
    struct vox_device device;
    bool is_there; /* it can be opened */
    bool starts;   /* and started */
    bool running;
    int rate_hz; /* what open finds */
    int channels;
    int opened, started, closed;
    int wakes;
} card;

void vox_device_config_init(struct vox_device_config *config)
{
    *config = (struct vox_device_config){.rate_hz = 48000};
}

static int open_card(struct vox_device *device, struct vox_audio_error *error)
{
    card.running = false;
    card.opened++;
    device->lost = !card.is_there;
    if (!card.is_there)
        return vox_audio_fail(error, VOX_ENOTFOUND, "unplugged");
    int wanted = device->config.in_channels;
    device->info = (struct vox_device_info){
        .rate_hz = card.rate_hz,
        .in_channels = wanted < card.channels ? wanted : card.channels,
    };
    return 0;
}

int vox_device_open(const struct vox_device_config *config, struct vox_device **out,
                    struct vox_audio_error *error)
{
    card.device = (struct vox_device){.config = *config};
    int err = open_card(&card.device, error);
    if (err == 0)
        *out = &card.device;
    return err;
}

int vox_device_reopen(struct vox_device *device, struct vox_audio_error *error)
{
    return open_card(device, error);
}

int vox_device_start(struct vox_device *device, struct vox_audio_error *error)
{
    (void)device;
    card.started++;
    card.running = card.starts;
    return card.starts ? 0 : vox_audio_fail(error, VOX_EDEVICE, "does not start");
}

void vox_device_close(struct vox_device *device)
{
    assert_ptr_equal(device, &card.device);
    card.running = false;
    card.closed++;
}

const struct vox_device_info *vox_device_info(const struct vox_device *device)
{
    return &device->info;
}

bool vox_device_is_lost(const struct vox_device *device)
{
    return device->lost;
}

void vox_device_read_stats(const struct vox_device *device, struct vox_device_stats *out)
{
    *out = device->stats;
}

/* ---- what the tests do with it ---- */

static struct vox_audio_error error;
static struct vox_mic *mic;
static struct vox_send_options options;

static void wake(void *ctx)
{
    assert_ptr_equal(ctx, &card);
    card.wakes++;
}

static void plug_in(int rate_hz, int channels)
{
    card.is_there = card.starts = true;
    card.rate_hz = rate_hz;
    card.channels = channels;
}

/* A card of 48 kHz and two channels, of which `wanted` are asked for; 0: the default. */
static int setup_wanting(int wanted)
{
    memset(&card, 0, sizeof card);
    plug_in(48000, 2);
    options = (struct vox_send_options){
        .source = {.kind = VOX_SOURCE_MIC},
        .encoding.channels = wanted,
        .rate_hz = 48000,
        .buffer_ns = VOX_BUFFER_DEFAULT,
    };
    const struct vox_mic_config config = {.options = &options, .wake = wake, .ctx = &card};
    mic = NULL;
    return vox_mic_open(&config, &mic, &error);
}

static int setup(void **state)
{
    (void)state;
    return setup_wanting(0);
}

static int teardown(void **state)
{
    (void)state;
    vox_mic_close(mic);
    return 0;
}

/* The device's thread has a block whose first sample is `number`, each next one more. */
static void hear(size_t frames, float number, int64_t capture_ns, unsigned flags)
{
    static float pcm[2 * MAX_FRAMES];
    struct vox_device *device = &card.device;
    assert_true(card.running && frames <= MAX_FRAMES);
    for (size_t i = 0; i < frames * (size_t)device->info.in_channels; i++)
        pcm[i] = number + (float)i;
    device->stats.last_block_ns = capture_ns;
    vox_rt_enter();
    device->config.on_audio(device->config.ctx, pcm, NULL, frames, capture_ns, 0, flags);
    vox_rt_leave();
}

struct taken {
    int64_t capture_ns;
    size_t frames;
    int rate_hz, channels;
};

static struct taken take(void)
{
    const struct vox_mic_block *block = vox_mic_peek(mic);
    assert_non_null(block);
    struct taken taken = {.capture_ns = block->capture_ns,
                          .frames = block->frames,
                          .rate_hz = block->rate_hz,
                          .channels = block->channels};
    vox_mic_release(mic);
    return taken;
}

static enum vox_mic_change watch(int64_t now_ns)
{
    return vox_mic_watch(mic, now_ns, &error);
}

static void asks_for_what_the_options_say(void **state)
{
    teardown(state);
    options = (struct vox_send_options){
        .source = {.kind = VOX_SOURCE_MIC, .name = "USB"},
        .encoding.channels = 2,
        .rate_hz = 44100,
        .buffer_ns = 30 * VOX_NS_PER_MS,
    };
    const struct vox_mic_config config = {.options = &options, .wake = wake, .ctx = &card};
    assert_int_equal(vox_mic_open(&config, &mic, &error), 0);
    const struct vox_device_config *asked = &card.device.config;
    assert_string_equal(asked->in_name, "USB");
    assert_string_equal(asked->client_name, "voxgram-send");
    assert_int_equal(asked->in_channels, 2);
    assert_int_equal(asked->out_channels, 0);
    assert_int_equal(asked->rate_hz, 44100);
    assert_true(asked->buffer_ms == 30.0);
    assert_int_equal(vox_mic_info(mic)->rate_hz, 48000);
}

static void one_channel_and_the_drivers_latency_by_default(void **state)
{
    (void)state;
    assert_int_equal(card.device.config.in_channels, 1);
    assert_true(card.device.config.buffer_ms == 0.0);
}

static void what_cannot_be_opened_is_closed_again(void **state)
{
    teardown(state);
    memset(&card, 0, sizeof card);
    const struct vox_mic_config config = {.options = &options, .wake = wake, .ctx = &card};
    mic = NULL;
    assert_int_equal(vox_mic_open(&config, &mic, &error), VOX_ENOTFOUND);
    assert_string_equal(error.text, "unplugged");
    assert_int_equal(card.closed, 0);
    card.is_there = true;
    assert_int_equal(vox_mic_open(&config, &mic, &error), VOX_EDEVICE);
    assert_string_equal(error.text, "does not start");
    assert_int_equal(card.closed, 1);
    assert_null(mic);
}

/* ---- blocks ---- */

static void blocks_come_out_as_they_were_heard(void **state)
{
    teardown(state);
    assert_int_equal(setup_wanting(2), 0);
    assert_null(vox_mic_peek(mic));
    hear(3, 10, START_NS, 0);
    hear(PERIOD, 100, START_NS + VOX_NS_PER_MS, 0);
    assert_int_equal(card.wakes, 2);
    const struct vox_mic_block *block = vox_mic_peek(mic);
    assert_non_null(block);
    assert_true(block->capture_ns == START_NS);
    assert_int_equal(block->frames, 3);
    assert_int_equal(block->rate_hz, 48000);
    assert_int_equal(block->channels, 2);
    for (int i = 0; i < 6; i++)
        assert_true(block->pcm[i] == (float)(10 + i));
    vox_mic_release(mic);
    assert_true(take().capture_ns == START_NS + VOX_NS_PER_MS);
    assert_null(vox_mic_peek(mic));
}

static void long_blocks_are_cut(void **state)
{
    (void)state;
    hear(2 * VOX_MIC_BLOCK_FRAMES + 10, 0, START_NS, 0);
    assert_int_equal(card.wakes, 1);
    for (size_t i = 0; i < 3; i++) {
        const struct vox_mic_block *block = vox_mic_peek(mic);
        assert_non_null(block);
        assert_int_equal(block->frames, i < 2 ? VOX_MIC_BLOCK_FRAMES : 10);
        assert_true(block->pcm[0] == (float)(i * VOX_MIC_BLOCK_FRAMES));
        int64_t from = (int64_t)i * VOX_MIC_BLOCK_FRAMES;
        assert_true(block->capture_ns == START_NS + vox_rtp_to_ns(from));
        vox_mic_release(mic);
    }
    assert_null(vox_mic_peek(mic));
}

static void what_nobody_takes_is_counted(void **state)
{
    (void)state;
    uint64_t heard = 0, taken = 0;
    for (; vox_mic_dropped_frames(mic) == 0; heard++)
        hear(10, 0, START_NS + (int64_t)heard * VOX_NS_PER_MS, 0);
    assert_int_equal(vox_mic_dropped_frames(mic), 10);
    for (; vox_mic_peek(mic); taken++)
        assert_true(take().capture_ns == START_NS + (int64_t)taken * VOX_NS_PER_MS);
    assert_int_equal(taken, heard - 1);
    assert_true(taken * 10 >= 1000);
}

/* Times that the driver did not give wander with the scheduler; steps of 64ths follow them. */
static void estimated_times_are_smoothed(void **state)
{
    (void)state;
    const int64_t block_ns = vox_rtp_to_ns(PERIOD);
    int64_t at_ns = START_NS;
    hear(PERIOD, 0, at_ns, VOX_DEVICE_ESTIMATED);
    assert_true(take().capture_ns == at_ns);
    at_ns += block_ns;
    hear(PERIOD, 0, at_ns + 6400000, VOX_DEVICE_ESTIMATED);
    assert_true(take().capture_ns == at_ns + 100000);
    at_ns += 100000 + block_ns;
    hear(PERIOD, 0, at_ns - 6400000, VOX_DEVICE_ESTIMATED);
    assert_true(take().capture_ns == at_ns - 100000);
    at_ns += -100000 + block_ns;
    hear(PERIOD, 0, at_ns + 50000000, VOX_DEVICE_ESTIMATED | VOX_DEVICE_OVERRUN); /* a real gap */
    assert_true(take().capture_ns == at_ns + 50000000);
    at_ns += 50000000 + block_ns;
    hear(PERIOD, 0, at_ns + 100000000, VOX_DEVICE_ESTIMATED); /* so is this */
    assert_true(take().capture_ns == at_ns + 100000000);
    at_ns += 100000000 + block_ns;
    hear(PERIOD, 0, at_ns + 3000000, 0); /* this one was measured */
    assert_true(take().capture_ns == at_ns + 3000000);
}

/* ---- unplugged ---- */

static void a_lost_device_is_tried_once_a_second(void **state)
{
    (void)state;
    int64_t now_ns = START_NS;
    hear(PERIOD, 0, now_ns, 0);
    assert_int_equal(watch(now_ns), VOX_MIC_SAME);
    card.device.lost = true;
    card.is_there = false;
    assert_int_equal(watch(now_ns + 1), VOX_MIC_LOST);
    assert_int_equal(card.opened, 1);
    for (int i = 0; i < 300; i++) /* 3 s */
        assert_int_equal(watch(now_ns += 10 * VOX_NS_PER_MS), VOX_MIC_SAME);
    assert_int_equal(card.opened, 1 + 2);
    assert_string_equal(error.text, "unplugged");
    plug_in(48000, 2);
    card.starts = false;
    assert_int_equal(watch(now_ns += VOX_NS_PER_S), VOX_MIC_SAME);
    assert_string_equal(error.text, "does not start");
    card.starts = true;
    assert_int_equal(watch(now_ns += VOX_NS_PER_S), VOX_MIC_BACK);
    assert_int_equal(watch(now_ns += VOX_NS_PER_S), VOX_MIC_SAME);
    assert_int_equal(take().frames, PERIOD); /* from before */
    hear(PERIOD, 0, now_ns, 0);
    assert_true(take().capture_ns == now_ns);
}

static void one_that_falls_silent_is_lost(void **state)
{
    (void)state;
    int64_t now_ns = START_NS;
    assert_int_equal(watch(now_ns), VOX_MIC_SAME); /* it takes its time to start */
    assert_int_equal(watch(now_ns + 2 * VOX_NS_PER_S), VOX_MIC_SAME);
    now_ns += 2 * VOX_NS_PER_S;
    hear(PERIOD, 0, now_ns, 0);
    assert_int_equal(watch(now_ns + 2 * VOX_NS_PER_S), VOX_MIC_SAME);
    assert_int_equal(watch(now_ns + 2 * VOX_NS_PER_S + 1), VOX_MIC_LOST);
    now_ns += 3 * VOX_NS_PER_S + 1;
    assert_int_equal(watch(now_ns), VOX_MIC_BACK);
    assert_int_equal(watch(now_ns + VOX_NS_PER_S), VOX_MIC_SAME); /* again it has two seconds */
    assert_int_equal(watch(now_ns + 4 * VOX_NS_PER_S), VOX_MIC_LOST);
}

static void times_are_not_smoothed_across_a_loss(void **state)
{
    (void)state;
    hear(PERIOD, 0, START_NS, VOX_DEVICE_ESTIMATED);
    card.device.lost = true;
    assert_int_equal(watch(START_NS), VOX_MIC_LOST);
    assert_int_equal(watch(START_NS + VOX_NS_PER_S), VOX_MIC_BACK);
    take();
    hear(PERIOD, 0, START_NS + 50 * VOX_NS_PER_MS, VOX_DEVICE_ESTIMATED);
    assert_true(take().capture_ns == START_NS + 50 * VOX_NS_PER_MS);
}

/* Blocks say what they are, those from before the loss too. */
static void one_that_comes_back_may_be_another(void **state)
{
    static const struct {
        int rate_hz, channels;
    } cards[] = {{44100, 1}, {96000, 2}, {48000, 8}, {48000, 1}};
    teardown(state);
    assert_int_equal(setup_wanting(2), 0);
    int64_t now_ns = START_NS;
    int rate_hz = 48000, channels = 2;
    for (size_t i = 0; i < COUNT(cards); i++) {
        hear(2 * VOX_MIC_BLOCK_FRAMES, 0, now_ns, 0);
        card.device.lost = true;
        assert_int_equal(watch(now_ns), VOX_MIC_LOST);
        plug_in(cards[i].rate_hz, cards[i].channels);
        assert_int_equal(watch(now_ns += VOX_NS_PER_S), VOX_MIC_BACK);
        for (int b = 0; b < 2; b++) {
            struct taken before = take();
            assert_int_equal(before.rate_hz, rate_hz);
            assert_int_equal(before.channels, channels);
        }
        rate_hz = cards[i].rate_hz;
        channels = cards[i].channels < 2 ? 1 : 2;
        hear(2 * VOX_MIC_BLOCK_FRAMES, 0, now_ns, 0);
        int samples = VOX_MIC_BLOCK_FRAMES * channels;
        for (int from = 0; from < 2 * samples; from += samples) {
            const struct vox_mic_block *after = vox_mic_peek(mic);
            assert_int_equal(after->rate_hz, rate_hz);
            assert_int_equal(after->channels, channels);
            int64_t at_ns = vox_ticks_to_ns(from / channels, rate_hz);
            assert_true(after->capture_ns == now_ns + at_ns);
            for (int k = 0; k < samples; k++)
                assert_true(after->pcm[k] == (float)(from + k));
            vox_mic_release(mic);
        }
        assert_int_equal(vox_mic_info(mic)->rate_hz, rate_hz);
    }
}

static void stopped_it_keeps_what_it_heard(void **state)
{
    (void)state;
    hear(PERIOD, 0, START_NS, 0);
    vox_mic_stop(mic);
    assert_int_equal(card.closed, 1);
    assert_int_equal(take().frames, PERIOD);
    vox_mic_close(mic);
    assert_int_equal(card.closed, 1);
    mic = NULL;
}

#define WITH_MIC(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

RUN(WITH_MIC(asks_for_what_the_options_say),
    WITH_MIC(one_channel_and_the_drivers_latency_by_default),
    WITH_MIC(what_cannot_be_opened_is_closed_again), WITH_MIC(blocks_come_out_as_they_were_heard),
    WITH_MIC(long_blocks_are_cut), WITH_MIC(what_nobody_takes_is_counted),
    WITH_MIC(estimated_times_are_smoothed), WITH_MIC(a_lost_device_is_tried_once_a_second),
    WITH_MIC(one_that_falls_silent_is_lost), WITH_MIC(times_are_not_smoothed_across_a_loss),
    WITH_MIC(one_that_comes_back_may_be_another), WITH_MIC(stopped_it_keeps_what_it_heard))
