/*
 * What playout makes of a packet that is lost, late, doubled or overtaken: one row for each fate.
 * 100 packets of 20 ms, played 60 ms after they came unless a row says otherwise.
 */
#include "stream.h"

#include "wire/opus_toc.h"

enum { PACKETS = 100, MAX_CHANGES = 8, MAX_ARRIVALS = 2 * PACKETS };

enum fate {
    ON_TIME,
    LOST,
    DELAYED, /* by_ms */
    COPIED,  /* a second copy by_ms after the first */
    UNSENT,  /* the sender left it out: no sequence number, but its time passes */
    MARKED,  /* begins a talkspurt */
};

struct change {
    enum fate fate;
    int packet;
    int by_ms;
};

struct expectation {
    uint64_t lost, late, duplicate, reordered;
    uint64_t concealed, from_fec; /* packets */
    int concealed_ms, dtx_ms;
    uint64_t glitches_lost, glitches_late, gaps_at_sender;
    int late_ms; /* of the first late glitch */
};

struct row {
    const char *name;
    enum vox_profile profile; /* voice has in-band FEC, music has none */
    int delay_ms;
    struct change changes[MAX_CHANGES];
    struct expectation expect;
};

struct arrival {
    int64_t t_ns;
    struct stream_packet packet;
};

static struct player player;
static struct arrival arrivals[MAX_ARRIVALS];

static const struct change *change_of(const struct row *row, enum fate fate, size_t packet)
{
    for (int i = 0; i < MAX_CHANGES; i++)
        if (row->changes[i].fate == fate && (size_t)row->changes[i].packet == packet)
            return &row->changes[i];
    return NULL;
}

static size_t put_arrival(size_t count, const struct stream_packet *packet, int64_t delay_ms)
{
    arrivals[count].t_ns = packet->send_ns + delay_ms * VOX_NS_PER_MS;
    arrivals[count].packet = *packet;
    return count + 1;
}

static int by_time(const void *a, const void *b)
{
    const struct arrival *x = a, *y = b;
    return x->t_ns < y->t_ns ? -1 : x->t_ns > y->t_ns;
}

static size_t make_arrivals(const struct row *row, const struct stream *s)
{
    size_t count = 0;
    uint16_t unsent = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct stream_packet packet = s->packets[i];
        const struct change *delayed = change_of(row, DELAYED, i);
        const struct change *copied = change_of(row, COPIED, i);
        unsent = (uint16_t)(unsent + (change_of(row, UNSENT, i) != NULL));
        packet_set_seq(&packet, (uint16_t)(STREAM_FIRST_SEQ + i - unsent));
        packet_set_marker(&packet, change_of(row, MARKED, i) != NULL);
        if (change_of(row, LOST, i) || change_of(row, UNSENT, i))
            continue;
        count = put_arrival(count, &packet, delayed ? delayed->by_ms : 0);
        if (copied)
            count = put_arrival(count, &packet, copied->by_ms);
    }
    qsort(arrivals, count, sizeof arrivals[0], by_time);
    return count;
}

#define EXPECT(field, is, wanted)                                                                  \
    do {                                                                                           \
        if ((long long)(is) != (long long)(wanted))                                                \
            fail_msg("%s: %s is %lld instead of %lld", row->name, field, (long long)(is),          \
                     (long long)(wanted));                                                         \
    } while (0)

static int64_t first_late_ms(void)
{
    const struct vox_event *event;
    for (size_t n = 0; (event = player_event(&player, VOX_EVENT_GLITCH, n)); n++)
        if (event->cause == VOX_GLITCH_LATE)
            return (event->late_ns + VOX_NS_PER_MS / 2) / VOX_NS_PER_MS;
    return 0;
}

static void check_row(const struct row *row)
{
    const struct vox_source_stats *s = player_source(&player);
    const struct expectation *e = &row->expect;
    EXPECT("lost", s->packets.lost, e->lost);
    EXPECT("late", s->packets.late, e->late);
    EXPECT("duplicate", s->packets.duplicate, e->duplicate);
    EXPECT("reordered", s->packets.reordered, e->reordered);
    EXPECT("from_fec", s->frames.from_fec, e->from_fec);
    EXPECT("concealed", s->frames.concealed, e->concealed);
    EXPECT("concealed_ms", s->concealed_ns / VOX_NS_PER_MS, e->concealed_ms);
    EXPECT("dtx_ms", s->dtx_ns / VOX_NS_PER_MS, e->dtx_ms);
    EXPECT("glitches lost", s->glitches[VOX_GLITCH_LOST].count, e->glitches_lost);
    EXPECT("glitches late", s->glitches[VOX_GLITCH_LATE].count, e->glitches_late);
    EXPECT("gaps at the sender", s->glitches[VOX_GLITCH_SENDER_GAP].count, e->gaps_at_sender);
    EXPECT("late_ms", first_late_ms(), e->late_ms);
    EXPECT("events", player.kinds[VOX_EVENT_GLITCH],
           e->glitches_lost + e->glitches_late + e->gaps_at_sender);
    /* a fixed delay stays, whatever happened */
    int64_t off_ns = s->current_ns - s->target_ns;
    if (off_ns < -VOX_NS_PER_MS || off_ns > VOX_NS_PER_MS)
        fail_msg("%s: the delay is %.1f ms", row->name, (double)s->current_ns / 1e6);
}

static void run_row(const struct row *row)
{
    struct vox_receiver_config config;
    struct stream s;
    stream_voice(row->profile, 960, PACKETS * 20, &s);
    assert_int_equal(s.count, PACKETS);
    size_t count = make_arrivals(row, &s);
    player_config(&config);
    config.delay_ns = row->delay_ms * VOX_NS_PER_MS;
    player_init(&player, &config, 0);
    for (size_t i = 0; i < count; i++)
        player_push(&player, &arrivals[i].packet, arrivals[i].t_ns);
    player_run(&player, s.end_ns + row->delay_ms * VOX_NS_PER_MS - VOX_NS_PER_MS);
    vox_receiver_finish(player.receiver, player.now_ns);
    check_row(row);
    player_free(&player);
    stream_free(&s);
}

static const struct row rows[] = {
    {"all on time", VOX_PROFILE_MUSIC, 60, {{ON_TIME, 0, 0}}, {0}},
    {"one lost",
     VOX_PROFILE_MUSIC,
     60,
     {{LOST, 50, 0}},
     {.lost = 1, .concealed = 1, .concealed_ms = 20, .glitches_lost = 1}},
    {"three lost in a row",
     VOX_PROFILE_MUSIC,
     60,
     {{LOST, 50, 0}, {LOST, 51, 0}, {LOST, 52, 0}},
     {.lost = 3, .concealed = 3, .concealed_ms = 60, .glitches_lost = 1}},
    {"two losses apart",
     VOX_PROFILE_MUSIC,
     60,
     {{LOST, 50, 0}, {LOST, 60, 0}},
     {.lost = 2, .concealed = 2, .concealed_ms = 40, .glitches_lost = 2}},
    {"late but in time", VOX_PROFILE_MUSIC, 60, {{DELAYED, 50, 59}}, {.reordered = 1}},
    {"late before its successor plays",
     VOX_PROFILE_MUSIC,
     60,
     {{DELAYED, 50, 75}},
     {.late = 1,
      .reordered = 1,
      .concealed = 1,
      .concealed_ms = 20,
      .glitches_late = 1,
      .late_ms = 15}},
    {"late after its successor played",
     VOX_PROFILE_MUSIC,
     60,
     {{DELAYED, 50, 105}},
     {.late = 1,
      .reordered = 1,
      .concealed = 1,
      .concealed_ms = 20,
      .glitches_late = 1,
      .late_ms = 45}},
    {"late, and nothing was there: half of it is played",
     VOX_PROFILE_MUSIC,
     15,
     {{DELAYED, 50, 23}},
     {.reordered = 1, .concealed = 1, .concealed_ms = 10, .glitches_late = 1, .late_ms = 8}},
    {"one late, one lost",
     VOX_PROFILE_MUSIC,
     60,
     {{DELAYED, 50, 105}, {LOST, 70, 0}},
     {.lost = 1,
      .late = 1,
      .reordered = 1,
      .concealed = 2,
      .concealed_ms = 40,
      .glitches_late = 1,
      .glitches_lost = 1,
      .late_ms = 45}},
    {"overtaken", VOX_PROFILE_MUSIC, 60, {{DELAYED, 50, 45}}, {.reordered = 1}},
    {"a copy while it waits", VOX_PROFILE_MUSIC, 60, {{COPIED, 50, 5}}, {.duplicate = 1}},
    {"a copy after it was played", VOX_PROFILE_MUSIC, 60, {{COPIED, 50, 500}}, {.duplicate = 1}},
    {"a copy of a late one",
     VOX_PROFILE_MUSIC,
     60,
     {{DELAYED, 50, 105}, {COPIED, 50, 500}},
     {.late = 1,
      .duplicate = 1,
      .reordered = 1,
      .concealed = 1,
      .concealed_ms = 20,
      .glitches_late = 1,
      .late_ms = 45}},
    {"a pause before a talkspurt",
     VOX_PROFILE_MUSIC,
     60,
     {{UNSENT, 50, 0}, {UNSENT, 51, 0}, {UNSENT, 52, 0}, {MARKED, 53, 0}},
     {.dtx_ms = 60}},
    {"a gap at the sender",
     VOX_PROFILE_MUSIC,
     60,
     {{UNSENT, 50, 0}, {UNSENT, 51, 0}, {UNSENT, 52, 0}},
     {.concealed = 3, .concealed_ms = 60, .gaps_at_sender = 1}},
    {"lost before a talkspurt is no pause",
     VOX_PROFILE_MUSIC,
     60,
     {{LOST, 50, 0}, {MARKED, 51, 0}},
     {.lost = 1, .concealed = 1, .concealed_ms = 20, .glitches_lost = 1}},
    {"one lost, repaired by FEC",
     VOX_PROFILE_VOICE,
     60,
     {{LOST, 50, 0}},
     {.lost = 1, .from_fec = 1}},
    {"two lost in a row: FEC has the second",
     VOX_PROFILE_VOICE,
     60,
     {{LOST, 50, 0}, {LOST, 51, 0}},
     {.lost = 2, .concealed = 1, .concealed_ms = 20, .from_fec = 1, .glitches_lost = 1}},
    {"every second lost, all repaired",
     VOX_PROFILE_VOICE,
     60,
     {{LOST, 50, 0}, {LOST, 52, 0}, {LOST, 54, 0}},
     {.lost = 3, .from_fec = 3}},
    {"late, but FEC had it",
     VOX_PROFILE_VOICE,
     60,
     {{DELAYED, 50, 75}},
     {.late = 1, .reordered = 1, .from_fec = 1}},
    {"lost, and its FEC comes too late",
     VOX_PROFILE_VOICE,
     15,
     {{LOST, 50, 0}},
     {.lost = 1, .from_fec = 1, .concealed_ms = 5, .glitches_lost = 1}},
};

static void each_fate_has_its_outcome(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
}

static struct vox_opus_info info_of(const struct stream_packet *packet)
{
    struct vox_opus_info info = {0};
    struct vox_rtp rtp = packet_rtp(packet);
    assert_true(vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) >= 0);
    return info;
}

/* 60 ms packets hold three frames here, and FEC of the last one in front of them only. */
static void fec_covers_one_frame_of_a_long_packet(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    struct stream s;
    size_t lost = 20;
    stream_voice(VOX_PROFILE_VOICE, 2880, 6000, &s);
    while (!info_of(&s.packets[lost + 1]).has_lbrr)
        assert_true(++lost < s.count - 5);
    assert_int_equal(info_of(&s.packets[lost + 1]).frame_ticks, 960);
    player_config(&config);
    config.delay_ns = 100 * VOX_NS_PER_MS;
    player_init(&player, &config, 0);
    for (size_t i = 0; i < s.count; i++)
        if (i != lost)
            player_push(&player, &s.packets[i], s.packets[i].send_ns);
    assert_int_equal(player_source(&player)->frames.from_fec, 1);
    assert_int_equal(player_source(&player)->concealed_ns, 40 * VOX_NS_PER_MS);
    player_free(&player);
    stream_free(&s);
}

RUN(cmocka_unit_test(each_fate_has_its_outcome),
    cmocka_unit_test(fec_covers_one_frame_of_a_long_packet))
