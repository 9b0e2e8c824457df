#include "receiver/glitches.h"

#include "base/time.h"
#include "support/test.h"

#define MS VOX_NS_PER_MS
#define PACKET_NS (20 * MS)

static struct vox_glitches log_;
static struct vox_event events[64];
static int event_count;

static void on_event(void *ctx, const struct vox_event *event)
{
    (void)ctx;
    assert_true(event_count < (int)COUNT(events));
    events[event_count++] = *event;
}

static const struct vox_receiver_config config = {.on_event = on_event};
static const struct vox_emit emit = {.config = &config, .source = 3, .ssrc = 0x55};

static int setup(void **state)
{
    (void)state;
    vox_glitches_init(&log_);
    event_count = 0;
    return 0;
}

static void open_at(int64_t start_ns, int64_t first, int64_t count)
{
    vox_glitches_open(&log_, &emit,
                      &(struct vox_open_glitch){.first_index = first,
                                                .count = count,
                                                .start_ns = start_ns,
                                                .packet_ns = PACKET_NS,
                                                .duration_ns = count * PACKET_NS});
}

static void one_of_known_cause_is_told_at_once(void **state)
{
    (void)state;
    vox_glitches_add(&log_, &emit, VOX_GLITCH_UNDERRUN, 7, 11 * MS, 0);
    vox_glitches_add(&log_, &emit, VOX_GLITCH_UNDERRUN, 8, 4 * MS, 0);
    assert_int_equal(log_.causes[VOX_GLITCH_UNDERRUN].count, 2);
    assert_int_equal(log_.causes[VOX_GLITCH_UNDERRUN].ns, 15 * MS);
    assert_int_equal(event_count, 2);
    assert_int_equal(events[0].kind, VOX_EVENT_GLITCH);
    assert_int_equal(events[0].cause, VOX_GLITCH_UNDERRUN);
    assert_int_equal(events[0].t_ns, 7);
    assert_int_equal(events[0].source, 3);
    assert_int_equal(events[0].ssrc, 0x55);
}

static void lost_after_two_seconds(void **state)
{
    (void)state;
    open_at(1000 * MS, 50, 2);
    vox_glitches_settle(&log_, &emit, 2999 * MS);
    assert_int_equal(event_count, 0);
    vox_glitches_settle(&log_, &emit, 3001 * MS);
    assert_int_equal(event_count, 1);
    assert_int_equal(events[0].cause, VOX_GLITCH_LOST);
    assert_int_equal(events[0].t_ns, 1000 * MS);
    assert_int_equal(events[0].duration_ns, 2 * PACKET_NS);
    assert_int_equal(log_.causes[VOX_GLITCH_LOST].count, 1);
}

/* Late by the most of those that came, each after its own time. */
static void late_if_any_comes(void **state)
{
    (void)state;
    open_at(1000 * MS, 50, 3);
    vox_glitches_late_packet(&log_, 49, 5000 * MS);
    vox_glitches_late_packet(&log_, 53, 5000 * MS);
    vox_glitches_late_packet(&log_, 50, 1030 * MS);
    vox_glitches_late_packet(&log_, 52, 1060 * MS);
    vox_glitches_settle(&log_, &emit, INT64_MAX);
    assert_int_equal(event_count, 1);
    assert_int_equal(events[0].cause, VOX_GLITCH_LATE);
    assert_int_equal(events[0].late_ns, 30 * MS);
}

static void only_so_many_stay_open(void **state)
{
    (void)state;
    for (int i = 0; i < VOX_GLITCHES_OPEN + 5; i++)
        open_at(i * MS, 10 * i, 1);
    assert_int_equal(log_.open_count, VOX_GLITCHES_OPEN);
    assert_int_equal(log_.causes[VOX_GLITCH_LOST].count, 5);
    assert_int_equal(events[4].t_ns, 4 * MS);
    vox_glitches_late_packet(&log_, 10 * VOX_GLITCHES_OPEN, 500 * MS);
    vox_glitches_settle(&log_, &emit, INT64_MAX);
    assert_int_equal(log_.causes[VOX_GLITCH_LOST].count, VOX_GLITCHES_OPEN + 4);
    assert_int_equal(log_.causes[VOX_GLITCH_LATE].count, 1);
    assert_int_equal(log_.open_count, 0);
}

static void nobody_need_listen(void **state)
{
    (void)state;
    const struct vox_receiver_config deaf = {.on_event = NULL};
    const struct vox_emit nowhere = {.config = &deaf};
    vox_glitches_add(&log_, &nowhere, VOX_GLITCH_LOST, 0, MS, 0);
    assert_int_equal(log_.causes[VOX_GLITCH_LOST].count, 1);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(one_of_known_cause_is_told_at_once), TEST(lost_after_two_seconds), TEST(late_if_any_comes),
    TEST(only_so_many_stay_open), TEST(nobody_need_listen))
