/* What comes in a heap after somebody stood still: live again at once, and what that cost is told.
 */
#include "stream.h"

enum { STREAM_MS = 2000, BEFORE_MS = 10000, AFTER_MS = 3000, END_MS = 40000, STRETCHED_MS = 2000 };

static struct player player;
static struct stream stream;

struct row {
    const char *name;
    int64_t delay_ms;   /* < 0: adaptive */
    int packet_ticks;   /* 0: 20 ms */
    int64_t before_ms;  /* of packets on time, at first */
    int64_t heap_ms;    /* that come together, when the last is due ... */
    int64_t apart_us;   /* ... or one after the other, so far apart */
    bool device;        /* a sound card pulls, by its own clock */
    int64_t skipped_ms; /* left out in one step */
    int64_t late_ms;    /* silence, since the packets came too late */
    bool all_played;
};

static const struct row rows[] = {
    {.name = "8 s, adaptive",
     .delay_ms = -1,
     .before_ms = BEFORE_MS,
     .heap_ms = 8000,
     .late_ms = 8000},
    {.name = "8 s, fixed",
     .delay_ms = 60,
     .before_ms = BEFORE_MS,
     .heap_ms = 8000,
     .late_ms = 8000},
    {.name = "8 s, sound card",
     .delay_ms = -1,
     .before_ms = BEFORE_MS,
     .heap_ms = 8000,
     .device = true,
     .late_ms = 8000},
    {.name = "18 s, all that the buffer holds",
     .delay_ms = -1,
     .before_ms = BEFORE_MS,
     .heap_ms = 18000,
     .late_ms = 18000},
    {.name = "60 s, more than it holds",
     .delay_ms = -1,
     .before_ms = BEFORE_MS,
     .heap_ms = 60000,
     .late_ms = 60000},
    {.name = "8 s of the shortest packets, more than it holds",
     .delay_ms = -1,
     .packet_ticks = 120,
     .before_ms = BEFORE_MS,
     .heap_ms = 8000,
     .late_ms = 8000},
    {.name = "the same, while it is played",
     .delay_ms = -1,
     .packet_ticks = 120,
     .before_ms = BEFORE_MS,
     .heap_ms = 8000,
     .apart_us = 10,
     .skipped_ms = 6000,
     .late_ms = 8000},
    {.name = "12 s little by little: the oldest is all that is known of the path",
     .delay_ms = -1,
     .before_ms = BEFORE_MS,
     .heap_ms = 12000,
     .apart_us = 500,
     .skipped_ms = 12000,
     .late_ms = 12000},
    {.name = "8 s at the very beginning", .delay_ms = -1, .heap_ms = 8000, .skipped_ms = 8000},
    {.name = "8 s at the very beginning, fixed",
     .delay_ms = 60,
     .heap_ms = 8000,
     .apart_us = 500,
     .skipped_ms = 8000},
    {.name = "8 s at the very beginning, sound card",
     .delay_ms = -1,
     .heap_ms = 8000,
     .apart_us = 500,
     .device = true,
     .skipped_ms = 8000},
    {.name = "1 s is played, faster",
     .delay_ms = -1,
     .before_ms = BEFORE_MS,
     .heap_ms = 1000,
     .late_ms = 1000,
     .all_played = true},
    {.name = "whoever wants all says so by the delay",
     .delay_ms = 10000,
     .before_ms = BEFORE_MS,
     .heap_ms = 8000,
     .all_played = true},
};

static void send(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        player_push(&player, &packet, packet.send_ns);
    }
}

static void send_in_a_heap(size_t from, size_t to, int64_t apart_ns)
{
    int64_t t_ns = stream_at(&stream, to - 1).send_ns - (int64_t)(to - from) * apart_ns;
    for (size_t i = from; i < to; i++) {
        struct stream_packet packet = stream_at(&stream, i);
        player_push(&player, &packet, t_ns += apart_ns);
    }
}

static void expect(const struct row *row, const char *what, int64_t is, int64_t low, int64_t high)
{
    if (is < low || is > high)
        fail_msg("%s: %s is %lld, not %lld..%lld", row->name, what, (long long)is, (long long)low,
                 (long long)high);
}

static int64_t ms_of(enum vox_glitch_cause cause)
{
    return player_source(&player)->glitches[cause].ns / VOX_NS_PER_MS;
}

static size_t packets(int64_t ms, int ticks)
{
    return (size_t)(ms * 48 / ticks);
}

static void run(const struct row *row)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.delay_ns = row->delay_ms < 0 ? -1 : row->delay_ms * VOX_NS_PER_MS;
    config.follow_source = !row->device;
    player_init(&player, &config, 0);
    int ticks = row->packet_ticks ? row->packet_ticks : 960;
    stream_voice(VOX_PROFILE_MUSIC, ticks, STREAM_MS, &stream);
    size_t before = packets(row->before_ms, ticks), live = before + packets(row->heap_ms, ticks);
    send(0, before);
    send_in_a_heap(before, live, row->apart_us * 1000);
    send(live, live + packets(AFTER_MS, ticks));
    const struct vox_source_stats *s = player_source(&player);
    int64_t settled_ms = row->all_played ? 200 : 40;
    expect(row, "delay over the target, in ms", (s->current_ns - s->target_ns) / VOX_NS_PER_MS, -10,
           settled_ms);
    expect(row, "target in ms", s->target_ns / VOX_NS_PER_MS, 0,
           row->delay_ms > 0 ? row->delay_ms : 500);
    send(live + packets(AFTER_MS, ticks), live + packets(END_MS, ticks));
    vox_receiver_finish(player.receiver, player.now_ns);
    s = player_source(&player);
    expect(row, "sources", player_stats(&player)->source_count, 1, 1);
    /* The last of it is played off by stretching. */
    expect(row, "skipped ms", ms_of(VOX_GLITCH_SKIPPED), row->skipped_ms - STRETCHED_MS,
           row->skipped_ms);
    expect(row, "skips", (int64_t)s->glitches[VOX_GLITCH_SKIPPED].count, row->skipped_ms > 0,
           row->skipped_ms > 0 ? 8 : 0);
    expect(row, "late ms", ms_of(VOX_GLITCH_LATE), row->late_ms - row->late_ms / 10,
           row->late_ms + 20);
    expect(row, "lost", (int64_t)s->packets.lost, 0, 0);
    if (row->all_played)
        expect(row, "late packets", (int64_t)s->packets.late, 0, 0);
    player_free(&player);
    stream_free(&stream);
}

static void who_stood_still_is_live_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run(&rows[i]);
}

RUN(cmocka_unit_test(who_stood_still_is_live_again))
